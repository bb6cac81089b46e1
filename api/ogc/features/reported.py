"""Reports of trouble that the store holds, as features: the parts of streets that they cover."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import pandas as pd
import shapely

from servicecircle.closed_streets import piece_frame, report_pieces
from servicecircle.closures import WGS84, Closures
from servicecircle.model import Plan
from servicecircle.writers import Feature, piece_features

from ...store import StoredClosure

#: what a report says of itself that is told; whatever else it says stays in the store
_TOLD = ("name", "radius_m", "width_m", "source")


def reported_features(plan: Plan, reports: Sequence[StoredClosure]) -> list[Feature]:
    """Return a feature a part of a street that a report covers, of those that concern the plan's mode of travel."""
    if not reports:
        return []
    own = _closures(reports).of_mode(plan.network.profile.roads)
    return piece_features(piece_frame(plan.network, own, report_pieces(plan.network, own)))


def _closures(reports: Sequence[StoredClosure]) -> Closures:
    """Return reports as the engine takes them."""
    rows = [
        {name: report.properties.get(name) for name in _TOLD}
        | {
            "modes": ", ".join(report.modes) or None,
            "factor": 0.0 if report.factor is None else report.factor,
            "from": report.starts,
            "until": report.ends,
        }
        for report in reports
    ]
    frame = pd.DataFrame(rows, index=pd.Index([report.id for report in reports], name="id"), dtype=object)
    shapes = [shapely.geometry.shape(dict(report.geometry)) for report in reports]
    return Closures(gpd.GeoDataFrame(frame, geometry=shapes, crs=WGS84))
