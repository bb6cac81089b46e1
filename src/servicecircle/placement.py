"""Placement: how a study's depots, zones, stations and shops stand on its roads, and what is doubtful about it."""

from __future__ import annotations

from collections.abc import Hashable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._page import numbers
from ._validate import N_NAMED, FloatArray, some, some_zh
from .closed_streets import report_pieces
from .closures import Closures
from .disclosure import told_counts
from .errors import Fault
from .headers import without_numbers
from .model import InputFile, Network, Positions, Study
from .snapping import locate_on_edges

#: what one of each ledger is called
_ONE_OF = {
    "stations": ("station", "驿站"),
    "shops": ("shop", "商铺"),
    "streets": ("shop street", "服务街"),
    "districts": ("district", "商圈小区"),
}
#: characters of a status that a message shows
_N_SAID = 20
_OF_FORM = {"street": "streets", "district": "districts"}


# ----------------------------------------------------------------------------------------------------- riders
def told_of_depots(study: Study, network: Network) -> list[Fault]:
    """Warn of each depot with riders that has no street near: it is spread over streets that may be far off."""
    depots = study.depots
    if depots is None or depots.empty:
        return []
    at = locate_on_edges(depots, network, max_m=study.max_snap_m)
    riders = depots["riders"].to_numpy(np.float64)
    off = np.flatnonzero(~at.is_on_network & (riders > 0))
    metres = _metres_to_street(at.xy[off], network)
    counts = told_counts(riders.tolist(), is_published=study.publish)
    told = []
    for row, far_m in zip(off.tolist(), metres.tolist(), strict=True):
        file, sheet, line = _line_of(study, "depots", depots.index[row])
        name, count = _name_of(depots, row), counts[row]
        n = count if isinstance(count, str) else numbers.told(count)
        en = (
            f"{name} has no street within {study.max_snap_m:g} m, the nearest is {numbers.distance(far_m, 'en')} "
            f"away: its {n} riders were spread there. Check its coordinates, or take a "
            "road file that covers more ground."
        )
        zh = (
            f"{name} {study.max_snap_m:g} 米内没有道路，最近的道路在 {numbers.distance(far_m, 'zh')}外，"
            f"{n} 名骑手被分摊到那里。请核对坐标，或换用覆盖更大范围的路网文件。"
        )
        told.append(Fault(en, zh, file=file, sheet=sheet, row=line, level="warning"))
    return told


def told_of_zones(study: Study, network: Network) -> list[Fault]:
    """Warn of zones that hold no street, where others do: nothing can be said of them."""
    zones = study.zones
    if zones is None or zones.empty:
        return []
    tree, _ = network.street_tree
    polygons = np.asarray(zones.geometry.to_crs(network.crs).array, dtype=object)
    with_street = np.unique(tree.query(polygons, predicate="intersects")[0])
    bare = np.setdiff1d(np.arange(len(zones)), with_street)
    if not bare.size or not with_street.size:
        return []
    names = [_name_of(zones, row) for row in bare.tolist()]
    roads, used = _roads_of(study), input_of(study, "zones")
    en = f"{len(names)} zone(s) hold no street, {roads or 'the road file'} may not cover them: {some(names)}."
    zh = f"以下网格内没有道路，路网文件{f'“{roads}”' if roads else ''}可能没有覆盖：{some_zh(names)}。"
    return [Fault(en, zh, file=used.file if used else None, level="warning")]


def no_street_in_area(study: Study) -> tuple[str, str]:
    """Return what to say, in English and Chinese, where no street lies in the area of a study."""
    used = input_of(study, "area" if study.area is not None else "zones")
    what = ("area", "研究范围") if study.area is not None else ("zones", "网格")
    area = (f"{what[0]} ({used.file})", f"{what[1]}“{used.file}”") if used else (f"{what[0]}", what[1])
    name = _roads_of(study)
    roads = (f"the road file ({name})", f"路网文件“{name}”") if name else ("the roads", "路网")
    return (
        f"No street of {roads[0]} lies in the {area[0]} of the study: they are of different places, or the roads "
        "do not reach so far.",
        f"{area[1]}内没有{roads[1]}中的任何道路：两者不在同一地方，或路网没有覆盖到那里。",
    )


# ------------------------------------------------------------------------------------------- stations and shops
def roles_of(frame: gpd.GeoDataFrame) -> list[str]:
    """Return the ledger that each facility is of: stations, shops, streets or districts."""
    form = frame["form"] if "form" in frame.columns else [""] * len(frame)
    return [
        "stations" if kind == "station" else _OF_FORM.get(str(own), "shops")
        for kind, own in zip(frame["kind"], form, strict=True)
    ]


def told_of_closed(study: Study, frame: gpd.GeoDataFrame) -> list[Fault]:
    """Tell of the facilities of one ledger that do not count because they are closed, `frame`; one warning."""
    said = list(dict.fromkeys(without_numbers(str(one)).strip()[:_N_SAID] for one in frame.get("status", ())))
    return _told_of_some(
        study,
        frame,
        en=("is closed by its status and serves nobody.", "are closed by their status and serve nobody."),
        zh=f"的状态为{some_zh(said)}，不计入覆盖。",
    )


def told_of_places(at: Positions, facilities: gpd.GeoDataFrame, network: Network, study: Study) -> list[Fault]:
    """
    Tell of facilities that serve nobody because no street is near, and of facilities on an island of the network.

    One warning a file, and one a file and island.
    """
    role = np.array(roles_of(facilities), dtype=object)
    part = np.full(len(facilities), -1)
    part[at.is_on_network] = network.part[network.tail[at.edge[at.is_on_network]]]
    told: list[Fault] = []
    for own in _ONE_OF:
        near = f"no street within {study.max_snap_m:g} m"
        fix = "Check the coordinates, or take a road file that covers the place."
        told += _told_of_some(
            study,
            facilities[(role == own) & ~at.is_on_network],
            en=(f"has {near} and serves nobody. {fix}", f"have {near} and serve nobody. {fix}"),
            zh=f"{study.max_snap_m:g} 米内没有道路，不计入覆盖。请核对坐标，或换用覆盖这一带的路网文件。",
        )
    for own in _ONE_OF:
        for p in np.unique(part[(role == own) & (part > 0)]).tolist():
            km = f"{network.part_m[p] / 1000:.1f}"
            island = f"on {km} km of street that are joined to nothing else."
            told += _told_of_some(
                study,
                facilities[(role == own) & (part == p)],
                en=(f"stands {island}", f"stand {island}"),
                zh=f"所在的 {km} 公里道路与主路网不相连。",
            )
    return told


# ------------------------------------------------------------------------------------------------------- reports
def told_of_reports(study: Study, network: Network, reports: Closures) -> list[Fault]:
    """Warn of reports of trouble that change nothing: of other modes of travel, or far from every street."""
    own = reports.of_mode(network.profile.roads)
    here = pd.Index(own.frame.index).isin(own.frame.index[report_pieces(network, own).report])
    told = []
    for ids, en, zh in (
        (
            reports.frame.index.difference(own.frame.index, sort=False),
            "concern other modes of travel than the plan's and change nothing.",
            "不影响本方案的出行方式，未计入。",
        ),
        (
            own.frame.index[~here],
            "touch no street of the plan's profile and change nothing. Check their place, radius and width.",
            "没有碰到任何道路，未计入。请核对位置、半径和宽度。",
        ),
    ):
        if len(ids):
            file, sheet, row = _line_of(study, "closures", ids[0])
            both = f"reports {some(ids)} {en}", f"路况报告 {some_zh(ids)} {zh}"
            told.append(Fault(*both, file=file, sheet=sheet, row=row, level="warning"))
    return told


# ----------------------------------------------------------------------------------------------------- helpers
def input_of(study: Study, role: str) -> InputFile | None:
    """Return the file of a role; None where the study was not read from files."""
    return next((used for used in study.inputs if used.role == role), None)


def _line_of(study: Study, role: str, own: Hashable) -> tuple[str | None, str | None, int | None]:
    """Return file, sheet and row of an id, None where not known."""
    used = input_of(study, role)
    return (None, None, None) if used is None else (used.file, used.sheet, used.row_of.get(str(own)))


def _roads_of(study: Study) -> str:
    """Return the name of the road file, or of the place; "" where the study names neither."""
    return study.network_file.name if study.network_file is not None else study.network_place or ""


def _name_of(frame: gpd.GeoDataFrame, row: int) -> str:
    """Return the name of a row where it has one, else its id."""
    own = frame["name"].iloc[row] if "name" in frame.columns else ""
    return own if isinstance(own, str) and own.strip() else str(frame.index[row])


def _metres_to_street(xy: FloatArray, network: Network) -> FloatArray:
    """Return the straight metres to the nearest admissible street, however far; `nan` where that has no meaning."""
    metres = np.full(len(xy), np.nan)
    finite = np.flatnonzero(np.isfinite(xy).all(axis=1))
    (row, _), found = network.street_tree[0].query_nearest(
        shapely.points(xy[finite]), return_distance=True, all_matches=False
    )
    metres[finite[row]] = found
    return metres


def _told_of_some(study: Study, frame: gpd.GeoDataFrame, *, en: tuple[str, str], zh: str) -> list[Fault]:
    """Return one warning of facilities of one ledger, with rows and names; `en` is said of one, and of several."""
    if frame.empty:
        return []
    role = roles_of(frame)[0]
    used, (kind, kind_zh) = input_of(study, role), _ONE_OF[role]
    row_of = used.row_of if used else {}
    told = en[len(frame) > 1]
    if used is None or not frame.index.isin(list(row_of)).all():  # some come from elsewhere than the file
        both = [(str(i), _name_of(frame, k)) for k, i in enumerate(frame.index)]
        who = f"{kind_zh} {some_zh(f'{i}（{name}）' for i, name in both)}"
        return [Fault(f"{kind} {some(f'{i} ({name})' for i, name in both)} {told}", f"{who}{zh}", level="warning")]
    by_row = dict(sorted((row_of[i], _name_of(frame, k)) for k, i in enumerate(frame.index)))
    rows, names = list(by_row), list(by_row.values())
    if len(rows) == 1:
        gap = " " if zh[0].isdigit() else ""
        en_zh = f"{names[0]} {told}", f"{names[0]}{gap}{zh}"
        return [Fault(*en_zh, file=used.file, sheet=used.sheet, row=rows[0], level="warning")]
    is_more = len(rows) > N_NAMED
    shown = f"{'、'.join(map(str, rows[:N_NAMED]))} 行{f'等 {len(rows)} 行' if is_more else ''}"
    en_zh = (
        f"rows {some(rows)} ({some(names)}) {told}",
        f"第 {shown}（{'、'.join(names[:N_NAMED])}{'等' if is_more else ''}）{zh}",
    )
    return [Fault(*en_zh, file=used.file, sheet=used.sheet, level="warning", rows=tuple(rows))]
