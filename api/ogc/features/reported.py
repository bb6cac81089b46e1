"""Reports of trouble that the store holds, as features: the parts of streets that they cover."""

from __future__ import annotations

from collections.abc import Sequence

from servicecircle.closed_streets import piece_frame, report_pieces
from servicecircle.model import Plan
from servicecircle.writers import Feature, piece_features

from ...store import StoredClosure
from ...stored_closures import closures_kept


def reported_features(plan: Plan, reports: Sequence[StoredClosure]) -> list[Feature]:
    """Return a feature a part of a street that a report covers, of those that concern the plan's mode of travel."""
    kept = closures_kept(reports)
    if kept is None:
        return []
    own = kept.of_mode(plan.network.profile.roads)
    return piece_features(piece_frame(plan.network, own, report_pieces(plan.network, own)))
