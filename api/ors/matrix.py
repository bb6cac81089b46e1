"""Matrices: the time and the length of the quickest ways between locations."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from servicecircle.model import Network
from servicecircle.quickest_ways import quickest_ways

from ..plans import Plans
from ..settings import Settings
from ..wanted import go_on
from .engine import metadata
from .ground import WGS84, OrsGround, check_on_network, points_of
from .profiles import METRES
from .requests import MatrixRequest

#: decimals of degrees, as in every GeoJSON that is written
_DIGITS = 7


def matrix(
    ground: OrsGround, plans: Plans, settings: Settings, profile: str, asked: MatrixRequest
) -> dict[str, Any]:
    """
    Return durations (seconds) and distances of the quickest ways, a row a source; null where there is no way.

    Raises
    ------
    OrsError
        If the request asks for what is not allowed, or a location is off the network.
    """
    own = asked.check(profile, settings.max_matrix_locations)
    sources, destinations = asked.rows("sources"), asked.rows("destinations")
    network = ground.network(own)
    points = points_of(asked.locations)
    at = check_on_network(points, network, ground.max_snap_m)
    ways = quickest_ways(
        network,
        points.iloc[sources].reset_index(drop=True),
        points.iloc[destinations].reset_index(drop=True),
        direction="to",
        max_snap_m=ground.max_snap_m,
        on_search=go_on,
    )
    metrics = set(asked.metrics or ("duration",))
    answer: dict[str, Any] = {}
    if "duration" in metrics:
        answer["durations"] = _rows(ways.seconds)
    if "distance" in metrics:
        answer["distances"] = _rows(np.round(ways.metres / METRES[asked.units or "m"], 6))
    places = _places(network, at, named=bool(asked.resolve_locations))
    answer["destinations"] = [places[k] for k in destinations]
    answer["sources"] = [places[k] for k in sources]
    answer["metadata"] = metadata(plans, "matrix", asked.said(profile))
    return answer


def _rows(values: NDArray[np.float64]) -> list[list[float | None]]:
    """Return numbers as JSON has them: null where there is no way."""
    return [[value if np.isfinite(value) else None for value in row] for row in values.tolist()]


def _places(network: Network, at: pd.DataFrame, *, named: bool) -> list[dict[str, Any]]:
    """Return where locations are on their streets, and how far away they were."""
    edge = at["edge"].to_numpy()
    on = shapely.line_interpolate_point(network.geometry[edge], at["fraction"].to_numpy(), normalized=True)
    degrees = gpd.GeoSeries(on, crs=network.crs).to_crs(WGS84)
    xy = np.round(shapely.get_coordinates(np.asarray(degrees.array, dtype=object)), _DIGITS).tolist()
    name = network.street_name[network.street[edge]].tolist()
    return [
        {"location": place, "snapped_distance": round(m, 2)} | ({"name": str(street)} if named and street else {})
        for place, m, street in zip(xy, at["offset_m"].tolist(), name, strict=True)
    ]
