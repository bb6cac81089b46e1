"""The row of a town in the summary of a batch."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..model import Plan
from ..writers import summary

SUMMARY_FILE = "summary.parquet"
#: columns of every town, before those of its breaks
COLUMNS = (
    "town", "name", "status", "minutes", "riders", "riders_covered", "share_covered", "riders_uncovered",
    "riders_gained", "share_after", "n_stations", "n_shops", "n_new_stations", "n_new_shops", "n_gaps",
    "solution_gap", "n_warnings",
)  # fmt: skip
_TEXTS = ("town", "name", "status")
_MINUTES = re.compile(r"\d{1,4}(?:\.\d{1,6})?")


def town_row(plan: Plan, town: str, own: frozenset[str] | None = None) -> dict[str, Any]:
    """
    Return the figures of a town's plan; those without a break in their name are at its largest break.

    Stations and shops are counted where they are its `own`; None: all.
    """
    told = summary(plan)
    before, after = told["before"], told["after"]
    last = f"{plan.study.minutes[-1]:g}"
    is_own = [own is None or str(i) in own for i in plan.facilities.index]
    kinds = plan.facilities["kind"][is_own].tolist()
    new_kinds = [site["kind"] for site in told["suggestions"]]
    row = {
        "town": town,
        "name": plan.study.name,
        "status": "planned" if plan.unmet is None else "infeasible",
        "minutes": float(plan.study.minutes[-1]),
        "riders": float(before["riders"]),
        "riders_covered": float(before["covered"][last]),
        "share_covered": before["share"][last],
        "riders_uncovered": float(before["riders"] - before["covered"][last]),
        "riders_gained": float(after["covered"][last] - before["covered"][last]),
        "share_after": after["share"][last],
        "n_stations": kinds.count("station"),
        "n_shops": kinds.count("shop"),
        "n_new_stations": new_kinds.count("station"),
        "n_new_shops": new_kinds.count("shop"),
        "n_gaps": told["gaps"]["count"],
        "solution_gap": told["solution"]["gap"],
        "n_warnings": len(told["warnings"]),
    }
    for t in before["covered"]:
        row |= {f"covered_{t}": float(before["covered"][t]), f"after_{t}": float(after["covered"][t])}
    return row


def is_row(row: object, town: str) -> bool:
    """Whether a row is one that `town_row` makes of a town: every figure a number, or None."""
    if not isinstance(row, dict) or not set(COLUMNS) <= row.keys() or row["town"] != town:
        return False
    texts = {name: row[name] for name in _TEXTS}
    figures = [value for name, value in row.items() if name not in _TEXTS]
    of_breaks = row.keys() - set(COLUMNS)
    minutes = {name.partition("_")[2] for name in of_breaks}
    return (
        all(isinstance(value, str) for value in texts.values())
        and all(value is None or (isinstance(value, int | float) and math.isfinite(value)) for value in figures)
        and all(_MINUTES.fullmatch(t) for t in minutes)
        and of_breaks == {f"{what}_{t}" for what in ("covered", "after") for t in minutes}
        and all(row[name] is not None for name in ("minutes", "riders", "riders_covered", "riders_uncovered"))
    )


def summary_frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """
    Return the rows of the towns, those with the most riders uncovered first; of equals by name, failed ones last.

    Columns: `COLUMNS`, then `covered_T` and `after_T` of every break T that a town has, ascending.
    """
    breaks = sorted(
        {name.removeprefix("covered_") for row in rows for name in row if name[:8] == "covered_"}, key=float
    )
    columns = [*COLUMNS, *(f"{what}_{t}" for t in breaks for what in ("covered", "after"))]
    frame = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns=columns)
    for name in columns:
        if name in _TEXTS:
            frame[name] = frame[name].astype(object)
        else:
            frame[name] = pd.to_numeric(frame[name]).astype("Int64" if name.startswith("n_") else "float64")
    frame = frame.sort_values(["riders_uncovered", "town"], ascending=[False, True], na_position="last")
    ranked = frame.reset_index(drop=True)
    ranked.insert(0, "rank", pd.Series(range(1, len(frame) + 1), dtype="int64"))
    return ranked
