"""Zones of a plan as plain tables beside those of coverage: core and belt, posts and teams."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ._validate import some_zh
from .coverage import coverage_by_zone, zone_positions
from .errors import Lang
from .model import Plan
from .tiers import tiers_by_cell

#: what is wrong with a zone or team, in the words of the office
PROBLEM_WORDS: dict[str, tuple[str, str]] = {
    "no_post": ("没有阵地", "no post"),
    "several_posts": ("有多个阵地", "several posts"),
    "post_outside": ("阵地不在网格内", "its post stands outside of it"),
    "post_off_network": ("阵地附近没有道路", "no street near its post"),
    "no_team": ("没有队伍", "no team"),
    "several_teams": ("有多支队伍", "several teams"),
    "no_zone": ("没有网格", "of no zone"),
    "several_pieces": ("网格不相连", "its zones are not in one piece"),
}


def tier_table(plan: Plan) -> pd.DataFrame:
    """
    Return riders of the core (by a station) and of the belt (by a partner alone) by zone; they are never merged.

    Returns
    -------
    table
        `zone_id` (empty: outside all zones), `name`, `riders`, and at each break T `core_T`, `belt_T` today and
        `core_after_T`, `belt_after_T` with the suggestions. Sums over zones are the `tiers` of `summary.json`. No
        row where no partner counts, today or then.
    """
    kinds = {*plan.before.times.facility_kind.tolist(), *plan.after.times.facility_kind.tolist()}
    if kinds <= {"station"}:
        return pd.DataFrame()
    zones = coverage_by_zone(plan.before, plan.grid)
    _, at = zone_positions(plan.grid)
    named = {} if plan.study.zones is None or "name" not in plan.study.zones else plan.study.zones["name"].to_dict()
    ids = ["" if _is_none(zone) else str(zone) for zone in zones.index]
    names = [
        told if _is_none(named.get(zone)) else str(named[zone]) for zone, told in zip(zones.index, ids, strict=True)
    ]
    table = pd.DataFrame({"zone_id": ids, "name": names, "riders": zones["riders"].to_numpy()})
    both = {"": tiers_by_cell(plan.before, plan.grid), "after_": tiers_by_cell(plan.after, plan.grid)}
    for t in (f"{m:g}" for m in plan.study.minutes):
        for mode, cells in both.items():
            for tier in ("core", "belt"):
                sums = np.bincount(at, cells[f"{tier}_{t}"].to_numpy(np.float64), minlength=len(zones))
                table[f"{tier}_{mode}{t}"] = sums
    return table


def _is_none(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA


def post_table(plan: Plan) -> pd.DataFrame:
    """
    Return each zone with its posts and teams; no row without posts.

    Returns
    -------
    table
        `zone_id`, `name`, `posts` (names), `teams`, `riders`, `own_riders`, `share_riders`, `share_street`,
        `problems` (in words).
    """
    if plan.posts is None:
        return pd.DataFrame()
    posts, zones, lang = plan.posts.posts, plan.posts.zones, plan.study.lang
    named = {str(i): name or str(i) for i, name in posts["name"].items()}
    return pd.DataFrame(
        {
            "zone_id": [str(i) for i in zones.index],
            "name": zones["name"].tolist(),
            "posts": ["、".join(named[i] for i in ids.split(",") if i) for ids in zones["post_ids"]],
            "teams": zones["teams"].tolist(),
            "riders": zones["riders"].to_numpy(np.float64),
            "own_riders": zones["own_riders"].to_numpy(np.float64),
            "share_riders": zones["share_riders"].tolist(),
            "share_street": zones["share_street"].tolist(),
            "problems": [told_problems(codes, lang) for codes in zones["problems"]],
        }
    )


def team_table(plan: Plan) -> pd.DataFrame:
    """
    Return each team with its zones; no row where no ledger names a team.

    Returns
    -------
    table
        `team`, `zone_names`, `n_zones`, `n_pieces`, `n_posts`, `riders`, `own_riders`, `share_riders`, `problems`
        (in words).
    """
    if plan.posts is None or plan.posts.teams.empty:
        return pd.DataFrame()
    columns = ["team", "zone_names", "n_zones", "n_pieces", "n_posts", "riders", "own_riders", "share_riders"]
    told = [told_problems(codes, plan.study.lang) for codes in plan.posts.teams["problems"]]
    return plan.posts.teams[columns].assign(problems=told)


def told_problems(codes: str, lang: Lang) -> str:
    """Return what is wrong, in words, of codes with commas."""
    words = [PROBLEM_WORDS[code][0 if lang == "zh" else 1] for code in codes.split(",") if code]
    return some_zh(words) if lang == "zh" else ", ".join(words)
