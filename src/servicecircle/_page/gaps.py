"""Gaps of the page: letters, outlines, tags and cards; and which of them a suggestion closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from ..coverage import limits_s
from ..gaps import REASONS
from ..model import Plan
from . import areas, numbers, places
from .geometry import Screen
from .words import Words

#: a suggestion that reaches fewer riders of a gap is not said to close it
SMALLEST_HELP = 0.5


@dataclass(frozen=True, eq=False)
class SeenGap:
    """A gap as it is drawn, in metres."""

    letter: str
    row: dict[Any, Any]
    shape: BaseGeometry
    anchor: BaseGeometry  # where its tag stands
    is_tagged: bool


def closed_gaps(plan: Plan, words: Words) -> list[str]:
    """Return the letters of the gaps in which each suggestion reaches riders whom nobody reached, most first."""
    owner = {
        cell: letter
        for letter, cells, has_tag in zip(
            areas.letters(len(plan.gaps)),
            plan.gaps["cells"],
            areas.is_tagged(plan.gaps),
            strict=True,
        )
        if has_tag  # a letter that the map shows
        for cell in cells
    }
    after = plan.after
    letter = pd.Series(after.cell_id if after.cell_id is not None else [None] * len(after.weight)).map(owner)
    limit = limits_s(after.times, after.minutes[-1:])[:, 0]
    point = np.repeat(np.arange(len(after.weight)), np.diff(after.times.start))
    is_new = (after.times.seconds <= limit[after.times.facility]) & ~plan.before.covered[point, -1]
    out = []
    for j in after.times.facility_ids.get_indexer(plan.sites.index):
        mine = point[is_new & (after.times.facility == j)]
        riders = pd.Series(after.weight[mine]).groupby(letter.to_numpy()[mine]).sum()
        most = sorted(riders[riders >= SMALLEST_HELP].items(), key=lambda pair: (-pair[1], pair[0]))
        between = "、" if words.lang == "zh" else ", "
        out.append(between.join(str(name) for name, _ in most[:3]))
    return out


def drawn_gaps(plan: Plan, cells: areas.Cells, screen: Screen, words: Words) -> dict[str, Any]:
    """Return the gaps before and after as the page draws them, with their cards."""
    return {
        mode: [
            {
                "letter": gap.letter,
                "told": numbers.told_riders(float(gap.row["riders"]), words.lang),
                "is_tagged": gap.is_tagged,
                "brief": _gap_brief(gap.row, gap.letter, words),
                "at": screen.point(gap.anchor),
                "shape": screen.polygons(gap.shape),
                "card": _gap_card(gap.row, gap.letter, plan, words),
            }
            for gap in seen_gaps(plan, cells, mode)
        ]
        for mode in ("before", "after")
    }


def seen_gaps(plan: Plan, cells: areas.Cells, mode: str) -> list[SeenGap]:
    """Return the gaps before or after, heaviest first, as pictures in metres."""
    gaps = plan.gaps if mode == "before" else plan.gaps_after
    letters = areas.letters(len(gaps)) if mode == "before" else areas.letters_after(plan.gaps, gaps)
    return [
        SeenGap(letter, row, shape, anchor, has_tag)
        for letter, row, shape, anchor, has_tag in zip(
            letters,
            gaps.to_dict("records"),
            areas.gap_outlines(gaps, plan.grid),
            areas.gap_anchors(gaps, cells, mode, plan.study.minutes[-1]),
            areas.is_tagged(gaps),
            strict=True,
        )
    ]


def _gap_brief(row: dict[Any, Any], letter: str, words: Words) -> str:
    """Return a gap in one line: letter, riders, reason."""
    riders = numbers.told_riders(float(row["riders"]), words.lang)
    return words("gap_brief", letter=letter, riders=riders, reason=_reason(row, words))


def _reason(row: dict[Any, Any], words: Words) -> str:
    reason = places.text(row.get("reason"))
    return words(f"reason.{reason}") if reason in REASONS else reason or numbers.NONE


def _gap_card(row: dict[Any, Any], letter: str, plan: Plan, words: Words) -> dict[str, Any]:
    names, zones = places.facility_labels(plan, words), areas.zone_names(plan)
    rows = [[words("reason"), _reason(row, words)]]
    if places.text(row.get("nearest_id")):
        name = names.get(row["nearest_id"], places.text(row["nearest_id"]))
        rows.append([words("nearest"), places.nearest_text(name, row.get("nearest_min"), plan, words)])
    if places.text(row.get("zone_id")):
        rows.append([words("zone"), zones.get(row["zone_id"], places.text(row["zone_id"]))])
    return {
        "kind": words("card.gap"),
        "name": words("gap_name", letter=letter),
        "rows": rows,
        "figures": [
            [numbers.told_riders(float(row["riders"]), words.lang), words("gap_missed")],
            list(places.cells_text(len(row["cells"]), plan, words)),
        ],
    }
