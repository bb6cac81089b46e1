"""How the study stands today at the minutes of the slider: totals, riders by cell, the circle of each place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from servicecircle._page.choices import circles_of_each
from servicecircle._page.elements import page_json
from servicecircle.coverage import coverage_by_cell, totals
from servicecircle.model import Plan

from ..bodies import Body
from ..plans import Plans, question_of
from .ground import screen_of

#: decimals of riders
DIGITS = 3


def standing_body(today: Plan, plans: Plans) -> Body:
    """Return how it stands, as JSON; kept with the plan of today."""
    kept: Body | None = today.kept.get("live page today")
    if kept is None:
        text = page_json(_standing(today, plans.plan(question_of(plans.study))))
        kept = Body(text.encode("utf-8"), "application/json")
        today.kept["live page today"] = kept
    return kept


def _standing(today: Plan, ground: Plan) -> dict[str, Any]:
    minutes = today.study.minutes[-1]
    table = coverage_by_cell(today.before, today.grid)
    at = table.index.astype(str).get_indexer(ground.grid.cells.index.astype(str))
    ids = today.before.times.facility_ids
    circles = today.circles.to_crs(ground.network.crs) if len(today.circles) else today.circles
    told = totals(today.before)
    return {
        "minutes": minutes,
        "riders": told["riders"],
        "covered": told["covered"][f"{minutes:g}"],
        "cells": {
            "riders": _column(table["riders"], at),
            "covered": _column(table[f"covered_{minutes:g}"], at),
            "nearest": _names(table, at, today.facilities),
            "nearest_min": _minutes(table, at),
        },
        "facilities": [str(one) for one in ids],
        "areas": circles_of_each(circles, minutes, ids, screen_of(ground)),
        "left_out": [] if today.serving is None else [str(one) for one in today.serving.left_out.index],
    }


def _column(values: pd.Series, at: Any) -> list[float]:  # noqa: ANN401
    """Return a column in the order of the page's cells, 0 where a cell is not there."""
    there = np.where(at >= 0, values.to_numpy(np.float64)[at], 0.0)
    return [int(v) if v == int(v) else v for v in np.round(there, DIGITS).tolist()]


def _names(table: pd.DataFrame, at: Any, facilities: pd.DataFrame) -> list[str]:  # noqa: ANN401
    """Return the name of the nearest place of each cell, "" for none."""
    names = facilities["name"].to_dict()
    ids = [None if i < 0 or pd.isna(table["nearest_id"].iloc[i]) else table["nearest_id"].iloc[i] for i in at]
    return ["" if one is None else str(names.get(one) or one) for one in ids]


def _minutes(table: pd.DataFrame, at: Any) -> list[float | None]:  # noqa: ANN401
    values = np.where(at >= 0, table["nearest_min"].to_numpy(np.float64)[at], np.nan)
    return [round(v, 1) if np.isfinite(v) else None for v in values.tolist()]
