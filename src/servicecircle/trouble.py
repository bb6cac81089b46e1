"""Trouble: coverage before, during and after closures, who is cut off, and what stands in the closed parts."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import pandas as pd

from ._validate import some, some_zh
from .closed_streets import moments_text, piece_frame, report_pieces
from .closures import Closures, TroubleFigures, as_closures
from .errors import Fault, InputError
from .model import Plan
from .placement import told_of_reports
from .what_if import WhatIf, what_if


def tell_closures(plan: Plan, closures: Closures | gpd.GeoDataFrame | None = None) -> TroubleFigures:
    """
    Tell what reports of trouble do to today's coverage, in each span of time between which something changes.

    Parameters
    ----------
    plan
        As `suggest` gives it; its open stations and shops are today's, and stay so.
    closures
        Reports; None: those of the study.

    Returns
    -------
    figures
        `windows`: `begin`, `end` (ISO 8601, None: always), `closures` (ids that hold and concern the plan's mode),
        `riders`, for each break T `covered_T` and `cut_off_T`; `searched` (how many stations and shops were
        searched again), `facilities_inside` (ids in a closed part), `riders_inside`. `zones`: `window` (its number,
        from 0), `zone_id`, `name`, `riders`, `before_T`, `during_T`, `cut_off_T`. `cells`: the same by `cell_id`.
        `streets`: a row a part of a street and report: `closure_id`, `name`, `street`, `modes`, `factor`, `from`,
        `until`, `source`, `edge`, `from_fraction`, `to_fraction`, `length_m`. `warnings`: reports that touch no
        street, or do not concern the plan's mode; stations and shops inside. A window without trouble gives exactly
        the figures of the plan.

    Raises
    ------
    InputError
        If there is no report to tell of.
    """
    given = plan.study.closures if closures is None else closures
    if given is None:
        msg = "`closures` is None, and the study has no [closures]: give reports of trouble."
        raise InputError(msg, zh="没有路况报告：请给出 closures，或在 study.toml 中写 [closures]。")
    every = as_closures(given)
    own = every.of_mode(plan.network.profile.roads)
    pieces = report_pieces(plan.network, own)
    known: dict[tuple[object, ...], WhatIf] = {}
    windows, zones, cells = [], [], []
    inside: dict[str, None] = {}
    for number, (begin, end, held) in enumerate(own.windows()):
        ids = tuple(held.frame.index)
        if ids not in known:
            known[ids] = what_if(plan, closures=held)
        found = known[ids]
        windows.append(_window(begin, end, ids, found))
        inside |= dict.fromkeys(map(str, found.inside))
        if ids:
            zones.append(_by(found.zones, "zone_id", number))
            cells.append(_by(found.cells, "cell_id", number))
    zone_frame = _joined(zones, ["window", "zone_id"])
    zone_frame.insert(2, "name", _names(plan, zone_frame["zone_id"]))
    bare = dataclasses.replace(plan.study, inputs=())  # reports of no file of the study
    return TroubleFigures(
        windows=_frame_of(windows),
        zones=zone_frame,
        cells=_joined(cells, ["window", "cell_id"]),
        streets=piece_frame(plan.network, own, pieces),
        warnings=(
            *told_of_reports(plan.study if closures is None else bare, plan.network, every),
            *_told_inside(plan, tuple(inside)),
        ),
    )


def with_trouble(plan: Plan) -> Plan:
    """Return the plan with what its study's reports of trouble do to it; the plan itself where there are none."""
    if plan.study.closures is None:
        return plan
    trouble = tell_closures(plan)
    return dataclasses.replace(plan, trouble=trouble, warnings=(*plan.warnings, *trouble.warnings))


def _window(begin: Any, end: Any, ids: tuple[object, ...], found: WhatIf) -> dict[str, Any]:  # noqa: ANN401
    """Return the row of a window."""
    begin_text, end_text = moments_text(pd.Series([begin, end], dtype=object))
    row: dict[str, Any] = {"begin": begin_text, "end": end_text, "closures": tuple(map(str, ids))}
    row["riders"] = found.after["riders"]
    for t, covered in found.after["covered"].items():
        row |= {f"covered_{t}": covered, f"cut_off_{t}": found.before["covered"][t] - covered}
    return row | {
        "searched": len(found.searched),
        "facilities_inside": tuple(map(str, found.inside)),
        "riders_inside": found.riders_inside,
    }


def _frame_of(windows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows of windows; an open end stays None."""
    frame = pd.DataFrame(windows)
    for name in ("begin", "end"):
        frame[name] = pd.Series([window[name] for window in windows], dtype=object)
    return frame


def _by(frame: pd.DataFrame, name: str, window: int) -> pd.DataFrame:
    """Return zones or cells of a what-if with the words of trouble."""
    renamed = {c: c.replace("after_", "during_").replace("gained_", "cut_off_") for c in frame.columns}
    own = frame.rename(columns=renamed).reset_index(names=name)
    for column in [c for c in own.columns if c.startswith("cut_off_")]:
        own[column] = (
            own[f"before_{column.removeprefix('cut_off_')}"] - own[f"during_{column.removeprefix('cut_off_')}"]
        )
    own.insert(0, "window", window)
    return own


def _joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _names(plan: Plan, zone_ids: pd.Series) -> list[str]:
    """Return the names of zones, "" where they have none."""
    zones = plan.study.zones
    known = (
        {} if zones is None or "name" not in zones.columns else dict(zip(zones.index, zones["name"], strict=True))
    )
    return [str(known.get(zone, "") or "") for zone in zone_ids]


# ------------------------------------------------------------------------------------------------------- warnings
def _told_inside(plan: Plan, ids: tuple[str, ...]) -> list[Fault]:
    """Warn of stations and shops that stand in a closed part."""
    if not ids:
        return []
    name = dict(zip(map(str, plan.facilities.index), plan.facilities["name"], strict=True))
    who = [f"{i} ({name[i]})" if name.get(i) else i for i in ids]
    en = f"{some(who)} stand in a closed part of a street: nobody gets to them while it is closed."
    return [Fault(en, f"{some_zh(who)} 位于封闭路段内，封闭期间无人能到达。", level="warning")]
