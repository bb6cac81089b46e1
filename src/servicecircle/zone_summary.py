"""What zones and posts come to, in plain figures: as `summary.json` holds them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from .model import Plan
from .zone_borders import KINDS
from .zone_figures import Assignment, ZonePosts, ZoneProposal

Figures = dict[str, Any]


def zone_work_figures(plan: Plan) -> Figures:
    """Return the figures of posts, teams, balanced zones and assigned depots, each where the plan has them."""
    figures: Figures = {}
    if plan.posts is not None:
        figures["posts"] = _posts(plan.posts)
    if plan.proposal is not None:
        figures["balance"] = _balance(plan.proposal)
    if plan.assignment is not None:
        figures["assignment"] = _assignment(plan.assignment, plan.study.publish)
    return figures


def _posts(posts: ZonePosts) -> Figures:
    """Return how many zones have theirs in place, who is nearest to his own, and what is wrong."""
    zones, teams = posts.zones, posts.teams
    own, riders = math.fsum(zones["own_riders"]), math.fsum(zones["riders"])
    return {
        "zones": [
            {
                "zone_id": str(zone_id),
                "name": row["name"],
                "post_ids": _ids(row["post_ids"]),
                "teams": [team for team in row["teams"].split("、") if team],
                "riders": float(row["riders"]),
                "own_riders": float(row["own_riders"]),
                "share_riders": _number(row["share_riders"]),
                "share_street": _number(row["share_street"]),
                "share_area": _number(row["share_area"]),
                "problems": _ids(row["problems"]),
            }
            for zone_id, row in zones.iterrows()
        ],
        "right": int(zones["is_right"].sum()),
        "share_riders": own / riders if riders > 0 else None,
        "teams": [
            {
                "team": row["team"],
                "zone_ids": _ids(row["zone_ids"]),
                "post_ids": _ids(row["post_ids"]),
                "n_pieces": int(row["n_pieces"]),
                "riders": _number(row["riders"]),
                "share_riders": _number(row["share_riders"]),
                "problems": _ids(row["problems"]),
            }
            for row in teams.to_dict("records")
        ],
        "faults": {kind: int((posts.faults["kind"] == kind).sum()) for kind in KINDS},
    }


def _balance(made: ZoneProposal) -> Figures:
    """Return how even the zones are today and as proposed, and how sure that is."""
    return {
        "tolerance": made.tolerance,
        "imbalance_today": _number(made.imbalance_today),
        "imbalance": _number(made.imbalance),
        "moved_blocks": len(made.moved),
        "moved_riders": math.fsum(made.moved["riders"]),
        "rider_minutes": _number(made.rider_minutes),
        "bound": _number(made.bound),
        "gap": _number(made.gap),
        "status": made.status,
        "proof": made.proof,
    }


def _assignment(made: Assignment, is_published: bool) -> Figures:
    """Return how depots are assigned; loads of a study to be published are not told, they are observed counts."""
    rows, loads = made.rows, made.loads
    figures: Figures = {
        "by": made.by,
        "limit": _number(made.limit),
        "depots": int(rows["depot_id"].nunique()),
        "unassigned": int(rows.loc[rows["zone_id"].isna(), "depot_id"].nunique()),
        "differs": int(rows.loc[rows["differs"], "depot_id"].nunique()),
        "status": made.status,
        "rider_minutes": None if is_published else _number(made.rider_minutes),
        "bound": None if is_published else _number(made.bound),
    }
    if not is_published:
        figures["loads"] = [
            {"zone_id": str(zone_id), "depots": int(row["n_depots"]), "riders": float(row["riders"])}
            for zone_id, row in loads.iterrows()
        ]
    return figures


def _ids(text: str) -> list[str]:
    """Return what stands between commas."""
    return [part for part in text.split(",") if part]


def _number(value: Any) -> float | None:  # noqa: ANN401
    """Return a finite number, None for what is none."""
    return None if value is None or pd.isna(value) or not math.isfinite(value) else float(value)
