"""One map of many towns: zoomed out who is covered by town, zoomed in the circles."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from .._page import palette, summary, symbols
from .._page.geometry import STREET_DIGITS, WGS84, Screen, inner_point, latlon, union
from .._page.words import Words
from ..errors import Lang
from ..model import Plan
from ..whole_files import write_text
from ..writers import json_text
from .disk import LAYERS_FOLDER
from .joint import Joint
from .records import Record, not_whole

MAP_FILE = "map.html"
#: what it shows of a town, beside the town's layers
PIECE_FILE = "overview.json"
_PIECE = (
    "foot", "attribution", "is_invented", "is_internal", "has_border", "at", "box", "shape", "circles", "places",
    "sites",
)  # fmt: skip
#: steps are told from where both degrees are 0: a piece knows nothing of the others
_SCREEN = Screen(WGS84, (0.0, 0.0, 0.0, 0.0))
#: largest share of each class but the last
CLASSES = (0.6, 0.75, 0.9)
#: outlines and circles are drawn so exactly, degrees (3 m and 6 m of a meridian)
OUTLINE_DEG, CIRCLE_DEG = 3e-5, 6e-5
#: towns that the panel lists; all can be found by name
MOST_LISTED = 30
#: notes on the sources that are told; more are counted
MOST_SOURCES = 6
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "towns.title": ("各街镇覆盖一览", "Coverage, town by town"),
        "towns.count": ("{n} 个街镇", "{n} towns"),
        "towns.failed": ("{n} 个没有方案", "{n} without a plan"),
        "towns.kpi": ("各街镇最大分钟数内覆盖的骑手", "Riders within the largest circle of their town"),
        "towns.part.covered": ("已覆盖", "covered"),
        "towns.part.left": ("未覆盖", "not covered"),
        "towns.worst": ("未覆盖骑手最多的街镇", "Most riders not covered"),
        "towns.rest": ("其余 {n} 个见 towns.xlsx", "{n} more in towns.xlsx"),
        "towns.row": ("未覆盖 {n}", "{n} not covered"),
        "towns.status.infeasible": ("无可行方案", "no plan keeps the rules"),
        "towns.status.failed": ("失败", "failed"),
        "towns.kind": ("街镇", "Town"),
        "towns.riders": ("骑手", "Riders"),
        "towns.places": ("现有", "There are"),
        "towns.places.told": ("驿站 {stations}，商铺 {shops}", "{stations} stations, {shops} shops"),
        "towns.new": ("建议新增", "Suggested"),
        "towns.gain": ("建议后覆盖 {share}，新增 {n}", "{share} covered with them, {n} more"),
        "towns.covered": ("{m} 分钟内", "within {m} min"),
        "towns.left": ("未覆盖", "not covered"),
        "towns.open": ("打开该街镇的地图", "Open the map of this town"),
        "towns.into": ("放大到服务圈", "Zoom in to its circles"),
        "towns.joint": ("统筹建议", "Joint plan"),
        "towns.joint.told": (
            "全部街镇合计新增{sites}，多覆盖 {n}",
            "{sites} in all towns together cover {n} more",
        ),
        "towns.joint.gained": ("新增覆盖骑手", "riders gained"),
        "towns.joint.best": ("已证明最优", "proven the best"),
        "towns.joint.gap": ("与最优相差不超过 {gap}", "within {gap} of the best"),
        "towns.joint.row": ("{town}，{kind}", "{town}, {kind}"),
        "towns.joint.rest": ("其余 {n} 处见 joint.xlsx", "{n} more in joint.xlsx"),
        "layer.joint": ("统筹建议", "Joint plan"),
        "between": ("｜", " | "),
        "towns.search": ("搜索街镇", "Find a town"),
        "layer.town": ("街镇覆盖率", "Share covered by town"),
        "layer.town.note": ("缩小时显示", "zoomed out"),
        "layer.town.circle.note": ("放大时显示", "zoomed in"),
        "layer.place": ("驿站与商铺", "Stations and shops"),
        "layer.place.note": ("放大时显示", "zoomed in"),
        "layer.site": ("建议新增", "Suggested"),
        "layer.border": ("街镇边界", "Outlines of towns"),
    }
)


def write_piece(plan: Plan, folder: Path, row: Mapping[str, Any]) -> Path:
    """
    Write what the map of all shows of one town, beside its layers; drawn from them.

    Parameters
    ----------
    plan
        Of the town.
    folder
        With its layers.
    row
        Of the summary.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    rules = plan.study.map_rules
    outline = _layer(folder, "towns")
    foot, attribution = summary.sources(plan, Words(plan.study.lang))
    shape = shapely.Polygon() if outline is None else union(np.asarray(outline.geometry.array, dtype=object))
    told = {
        "foot": foot,
        "attribution": attribution,
        "is_invented": plan.study.is_invented,
        "is_internal": rules.watermark,
        "has_border": rules.boundaries,
        "at": _SCREEN.point(inner_point(shape)),
        "box": _corners(shape),
        "shape": _SCREEN.polygons(shapely.simplify(shape, OUTLINE_DEG), STREET_DIGITS),
        "circles": _SCREEN.polygons(_circles(folder, float(row["minutes"])), STREET_DIGITS),
        "places": _places(folder),
        "sites": _points(folder, "suggestions"),
    }
    return write_text(folder / PIECE_FILE, json_text(told))


def write_overview(
    records: Sequence[Record],
    out: Path,
    *,
    title: str,
    lang: Lang,
    folders: Mapping[str, Path],
    joint: Joint | None = None,
) -> Path:
    """
    Write `map.html`: every town coloured by its share of riders covered; closer its circles, places, suggestions.

    One file that opens without network, as `draw_map` makes it.

    Parameters
    ----------
    records
        Of all towns, in the order of their rank.
    out
        Folder of the batch.
    title
        Name of the whole; "": a general one.
    lang
        Of every word.
    folders
        Town -> folder of its results, with its piece; its own map is linked where it is there.
    joint
        Sites of the joint plan, drawn at every scale.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from .._page.elements import SHARED, PageAssets, PageData, page_map

    words = Words(lang, {**WORDS, "search": WORDS["towns.search"]})
    towns = [_town(record, folders.get(record.town), out, title=title) for record in records]
    panel = _panel(towns, words, title or words("towns.title"))
    panel["joint"] = None if joint is None else _joint(joint, {one.town: _name(one, title) for one in records})
    (south, west), (north, east) = panel["bounds"]
    centre = ((south + north) / 2, (west + east) / 2)
    page = page_map(panel["title"], words("html_lang"), words("needs_script"), centre=centre, host="")
    for name, data in {"panel": panel, "streets": dict(_NO_STREETS), "land": {}, "towns": towns}.items():
        page.add_child(PageData(name, data), name=name)
    page.add_child(PageAssets(palette.style_variables(), scripts=(*SHARED, "towns")), name="page")
    return write_text(out / MAP_FILE, page.get_root().render())


_NO_STREETS: Mapping[str, Any] = MappingProxyType(
    {"vertices": 0, "widths": {}, "widths_from": 0, "classes": {}, "labels": [], "names": []}
)


# ------------------------------------------------------------------------------------------------------- a town
def _town(record: Record, folder: Path | None, out: Path, *, title: str) -> dict[str, Any]:
    """Return a town as the page draws it; one that failed has no place."""
    row = record.row
    told: dict[str, Any] = {"name": _name(record, title), "status": record.status, "at": None}
    if folder is None:
        return told
    share = row["share_covered"]
    told |= _read_piece(folder / LAYERS_FOLDER / PIECE_FILE)
    told |= {
        "class": None if share is None else int(np.searchsorted(CLASSES, share, side="right")),
        "riders": row["riders"],
        "left": row["riders_uncovered"],
        "gained": row["riders_gained"],
        "after": row["share_after"],
        "minutes": f"{row['minutes']:g}",
        "counts": [row[f"n_{kind}"] for kind in ("stations", "shops", "new_stations", "new_shops")],
        "href": quote((folder / MAP_FILE).relative_to(out).as_posix()) if MAP_FILE in record.files else None,
    }
    return told


def _read_piece(file: Path) -> dict[str, Any]:
    try:
        piece: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {name: piece[name] for name in _PIECE}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise not_whole(file, error) from error


def _name(record: Record, title: str) -> str:
    """Return the name of a town; the zones of a city have its name before their own."""
    name = str(record.row.get("name") or record.town)
    return name.removeprefix(title).strip() or name


def _joint(joint: Joint, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the joint plan as the page tells it."""
    columns = ("town", "name", "kind", "riders_gained")
    sites = [
        [at, names.get(town, town), name, kind, riders]
        for at, (town, name, kind, riders) in zip(
            latlon(joint.sites), joint.sites[list(columns)].itertuples(index=False, name=None), strict=True
        )
    ]
    kinds = joint.sites["kind"].tolist()
    return {
        "sites": sites,
        "counts": [kinds.count("station"), kinds.count("shop")],
        "gained": joint.objective - joint.covered,
        "gap": joint.gap,
    }


def _layer(folder: Path, name: str) -> gpd.GeoDataFrame | None:
    """Return a layer of a town; None where it has no row."""
    file = folder / f"{name}.parquet"
    return gpd.read_parquet(file) if file.is_file() else None


def _corners(shape: BaseGeometry) -> list[list[float]]:
    """Return the south-western and the north-eastern corner, latitude first."""
    west, south, east, north = (round(float(value), STREET_DIGITS) for value in shape.bounds)
    return [[south, west], [north, east]]


def _circles(folder: Path, minutes: float) -> BaseGeometry | None:
    """Return today's circles of a town as one area, at its largest break."""
    frame, sites = _layer(folder, "circles"), _layer(folder, "suggestions")
    if frame is None:
        return None
    new = set() if sites is None else set(sites["id"].astype(str))
    is_today = (frame["minutes"] == minutes) & ~frame["facility_id"].astype(str).isin(new)
    return shapely.simplify(union(np.asarray(frame.geometry[is_today].array, dtype=object)), CIRCLE_DEG)


def _places(folder: Path) -> list[Any]:
    """Return latitude, longitude and kind of each station and shop."""
    frame = _layer(folder, "facilities")
    return [] if frame is None else [[at, kind] for at, kind in zip(latlon(frame), frame["kind"], strict=True)]


def _points(folder: Path, name: str) -> list[tuple[float, float]]:
    frame = _layer(folder, name)
    return [] if frame is None else latlon(frame)


# ------------------------------------------------------------------------------------------------------ the whole
def _bounds(towns: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Return the corners of the box round all towns; of China where none has a plan."""
    if not towns:
        return [[18.0, 73.0], [54.0, 135.0]]
    corners = np.array([town["box"] for town in towns])
    return [corners[:, 0].min(axis=0).tolist(), corners[:, 1].max(axis=0).tolist()]


def _panel(towns: Sequence[Mapping[str, Any]], words: Words, title: str) -> dict[str, Any]:
    drawn = [town for town in towns if town["at"] is not None]
    return {
        "words": words.table(),
        "colours": dict(palette.COLOURS),
        "symbols": dict(symbols.PATHS),
        "share_colours": list(palette.TINTS),
        "share_labels": _class_labels(),
        "fill": palette.circle_fills(1)[0],
        "fill_alpha": palette.CIRCLE_ALPHA,
        "lang": words.lang,
        "origin": _SCREEN.origin,
        "bounds": _bounds(drawn),
        "title": title,
        "n_failed": sum(town["status"] == "failed" for town in towns),
        "riders": math.fsum(town["riders"] for town in drawn),
        "left": math.fsum(town["left"] for town in drawn),
        "most_listed": MOST_LISTED,
        "is_invented": any(town["is_invented"] for town in drawn),
        "is_internal": any(town["is_internal"] for town in drawn),
        "base": None,
        "foot": _told_once([town["foot"] for town in drawn], " "),
        "attribution": _told_once([town["attribution"] for town in drawn], words("between")),
    }


def _class_labels() -> list[str]:
    percent = [f"{100 * share:g}" for share in CLASSES]
    between = [f"{low}–{high}%" for low, high in pairwise(percent)]
    return [f"<{percent[0]}%", *between, f"≥{percent[-1]}%"]


def _told_once(texts: Sequence[str], between: str) -> str:
    """Return each text once; of very many the first."""
    once = [text for text in dict.fromkeys(texts) if text]
    return between.join(once[:MOST_SOURCES]) + (" …" if len(once) > MOST_SOURCES else "")
