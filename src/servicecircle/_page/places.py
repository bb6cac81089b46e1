"""Places of the page: facilities, depots, candidates and suggestions, with the cards that open on a click."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..coverage import limits_s
from ..model import Coverage, Plan
from . import numbers
from .geometry import latlon
from .words import Words

CLOSED = frozenset({"closed", "inactive", "停用", "关闭", "已关闭", "暂停", "停业", "撤销", "已撤销"})
_SEPARATORS = re.compile(r"\s*[、，,;；/|\n]+\s*")

Card = dict[str, Any]
Place = dict[str, Any]


def text(value: Any) -> str:  # noqa: ANN401
    """Return a value of a table as text; a list joined, nothing as an empty text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return "、".join(text(v) for v in value)
    if numbers.is_missing(value):
        return "" if not isinstance(value, bool) else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def chips(value: Any) -> list[str]:  # noqa: ANN401
    """Return services as single words."""
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [text(v) for v in value if text(v)]
    told = text(value)
    if _SEPARATORS.search(told):
        return [part for part in _SEPARATORS.split(told) if part]
    return [told] if told.isascii() and told else told.split()


def way(plan: Plan, words: Words) -> str:
    """Return how one travels, in a word or two."""
    return words(f"way.{plan.study.profile.roads}")


def nearest_text(name: str, minutes: Any, plan: Plan, words: Words) -> str:  # noqa: ANN401
    """Return the nearest facility and how far it is."""
    if numbers.is_missing(minutes):
        return name or numbers.NONE
    told = words("minutes_n", n=numbers.one_decimal(float(minutes)))
    return words("nearest_at", name=name or numbers.NONE, way=way(plan, words), minutes=told)


# --------------------------------------------------------------------------------------------- facilities
def riders_by_facility(coverage: Coverage, minutes: float) -> pd.Series:
    """Return the riders whom each facility reaches within `minutes` and its own limit, by facility id."""
    times = coverage.times
    limit = limits_s(times, (minutes,))[:, 0]
    demand = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    reached = times.seconds <= limit[times.facility]
    total = np.bincount(
        times.facility[reached], weights=coverage.weight[demand[reached]], minlength=len(times.facility_ids)
    )
    return pd.Series(total, index=times.facility_ids)


def facility_places(plan: Plan, kind: str, words: Words) -> list[Place]:
    """Return the existing facilities of a kind, by name order of the input."""
    frame = plan.facilities
    frame = frame[_kinds(frame) == kind] if len(frame) else frame
    riders = {m: riders_by_facility(plan.before, m) for m in plan.study.minutes}
    out = []
    for facility_id, row, at in zip(frame.index, _rows(frame), latlon(frame), strict=True):
        name = text(row.get("name")) or text(facility_id)
        card = {
            "kind": words(f"layer.{kind}"),
            "name": name,
            "rows": _facility_rows(row, kind, plan, words),
            "figures": [
                [numbers.whole(float(riders[m].get(facility_id, 0.0))), words("riders_within", m=f"{m:g}")]
                for m in _told_breaks(kind, plan)
            ],
        }
        out.append({"name": name, "at": at, "closed": text(row.get("status")).lower() in CLOSED, "card": card})
    return out


def _told_breaks(kind: str, plan: Plan) -> Sequence[float]:
    """Return the breaks worth telling: up to three for a station; a shop's own limit decides at the largest."""
    if kind == "station":
        return plan.study.minutes[:3]
    return plan.study.minutes[-1:]


def _facility_rows(row: dict[str, Any], kind: str, plan: Plan, words: Words) -> list[list[Any]]:
    rows: list[list[Any]] = []
    if text(row.get("hours")):
        rows.append([words("hours" if kind == "station" else "shop_hours"), text(row["hours"])])
    if chips(row.get("amenities")):
        rows.append([words("services"), chips(row["amenities"])])
    rows += [[words(key), text(row.get(key))] for key in ("address", "capacity", "status") if text(row.get(key))]
    own = row.get("minutes")
    if kind == "shop":
        own = plan.study.shop_minutes if numbers.is_missing(own) else own
    if not numbers.is_missing(own):
        rows.append([words("own_minutes"), words("minutes", m=f"{float(own):g}")])  # type: ignore[arg-type]
    if text(row.get("nearest_id")):
        other = facility_names(plan).get(row["nearest_id"], text(row["nearest_id"]))
        rows.append([words("nearest_other"), nearest_text(other, row.get("nearest_min"), plan, words)])
    return rows


def facility_names(plan: Plan) -> dict[Any, str]:
    """Return the name of every facility, existing or suggested, by id."""
    names = {}
    for frame in (plan.facilities, plan.sites):
        for facility_id, row in zip(frame.index, _rows(frame), strict=True):
            names[facility_id] = text(row.get("name")) or text(facility_id)
    return names


def _kinds(frame: pd.DataFrame) -> Any:  # noqa: ANN401
    if "kind" not in frame.columns:
        return np.full(len(frame), "station", dtype=object)
    return frame["kind"].fillna("station").to_numpy(dtype=object)


def _rows(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """Return the rows as mappings, without the geometry."""
    columns = [c for c in frame.columns if c != "geometry"]
    return (
        {str(k): v for k, v in zip(columns, row, strict=True)} for row in frame[columns].itertuples(index=False)
    )


# --------------------------------------------------------------------------------------- depots, candidates
def depot_places(plan: Plan, words: Words) -> list[Place]:
    """Return the depots with their riders."""
    frame = plan.study.depots
    if frame is None:
        return []
    out = []
    for depot_id, row, at in zip(frame.index, _rows(frame), latlon(frame), strict=True):
        name = text(row.get("name")) or text(depot_id)
        told = numbers.NONE if numbers.is_missing(row.get("riders")) else numbers.whole(float(row["riders"]))
        card = {
            "kind": words("layer.depot"),
            "name": name,
            "rows": [[words("address"), text(row["address"])]] if text(row.get("address")) else [],
            "figures": [[told, words("depot_riders")]],
        }
        out.append({"name": name, "at": at, "card": card})
    return out


def candidate_places(plan: Plan) -> list[list[float]]:
    """Return where candidates stand: a layer of dots without cards."""
    if plan.candidates is None or plan.candidates.empty:
        return []
    return [list(at) for at in latlon(plan.candidates)]


# ---------------------------------------------------------------------------------------------- suggestions
def suggestion_places(plan: Plan, gained: Sequence[int], closes: Sequence[str], words: Words) -> list[Place]:
    """Return the suggestions in rank order; `gained` are whole riders that add up, `closes` letters of gaps."""
    out = []
    largest = f"{plan.study.minutes[-1]:g}"
    frame = plan.sites
    rank = frame["rank"] if "rank" in frame.columns else range(1, len(frame) + 1)
    for site_id, number, row, at, gain, gaps in zip(
        frame.index, rank, _rows(frame), latlon(frame), gained, closes, strict=True
    ):
        name = text(row.get("name")) or words("unnamed_site", n=int(number))
        kind = "shop" if row.get("kind") == "shop" else "station"
        kind_name = words(f"kind.{kind}")
        note = words("site_gap", kind=kind_name, gap=gaps) if gaps else kind_name
        told = numbers.gain(gain, row.get("riders_gained", 0.0))
        card = {
            "kind": words(f"card.suggestion.{kind}"),
            "name": name,
            "rows": _suggestion_rows(row, gaps, plan, words),
            "figures": [[told, words("gained", m=largest)]],
        }
        out.append(
            {
                "id": text(site_id),
                "number": int(number),
                "kind": kind,
                "name": name,
                "note": note,
                "gain": words("gain", n=told),
                "at": at,
                "card": card,
            }
        )
    return out


def _suggestion_rows(row: dict[str, Any], gaps: str, plan: Plan, words: Words) -> list[list[Any]]:
    rows: list[list[Any]] = []
    told = [_minutes_text(row.get(key), words) for key in ("minutes_before", "minutes_after")]
    if told != [numbers.NONE, numbers.NONE]:
        moved = words("before_after", before=told[0], after=told[1])
        rows.append([words("minutes_before_after"), f"{moved}{_in_brackets(words('median_note'), words)}"])
    if gaps:
        rows.append([words("closes"), gaps])
    n_cells = _n_cells(row.get("cells_gained"))
    if n_cells is not None:
        rows.append([words("cells_gained"), words("gap_cells", n=numbers.whole(n_cells))])
    names = facility_names(plan)
    for key in ("replaces", "substitutes"):
        ids = row.get(key)
        others = [names.get(i, text(i)) for i in ids] if isinstance(ids, list | tuple) else chips(ids)
        if others:
            rows.append([words(key), others[:4]])
    return rows


def _minutes_text(value: Any, words: Words) -> str:  # noqa: ANN401
    return numbers.NONE if numbers.is_missing(value) else words("minutes_n", n=numbers.one_decimal(float(value)))


def _in_brackets(note: str, words: Words) -> str:
    return f"（{note}）" if words.lang == "zh" else f" ({note})"


def _n_cells(value: Any) -> float | None:  # noqa: ANN401
    """Return a number of cells, told as a number or as their ids."""
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return float(len(value))
    return None if numbers.is_missing(value) or isinstance(value, str) else float(value)
