"""In which datum points were written: tried in each against the names of a map and against its streets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from ._validate import FloatArray, IntArray, check_points
from .datum import DATUMS, Datum, from_wgs84, in_china, to_wgs84
from .headers import fold
from .model import Network

Verdict: TypeAlias = Literal["wgs84", "gcj02", "bd09", "cannot tell"]

#: fewer names, or points beside streets, tell nothing
MIN_NAMES, MIN_POINTS = 8, 15
#: a place of the same name counts as the same within this (metres), and speaks at all within the second
NEAR_NAME_M, FAR_NAME_M = 80.0, 1600.0
#: of the names that match, so many must stand near in one datum, and so many times as many as in any other
NAMES_SHARE, NAMES_TIMES = 0.5, 3.0
#: rows are in several datums where the second one has so many names to itself, and such a share
MIN_MIXED, MIXED_SHARE = 4, 0.2
#: datums that differ by less at a place cannot be told apart there (metres)
MIN_SHIFT_M = 150.0
#: distances to streets count up to this (metres)
STREET_CAP_M = 60.0
#: each point is compared with places round it at these distances (metres), so many on each ring
RINGS_M, N_ON_RING = (60.0, 100.0, 150.0), 16
#: of points in one square of this side one counts: neighbours on one street are no evidence of their own (metres)
CLUSTER_M = 100.0
#: by streets a datum is told where points stand nearer to them than places round them by so many standard errors,
#: and in no other datum by more than the second
STREETS_ERRORS, OTHERS_ERRORS = 5.0, 2.0
#: points that are tried against streets; of more, every so manieth
MAX_TRIED = 200


@dataclass(frozen=True)
class DatumFit:
    """What points say of the datum that they were written in, with the figures."""

    verdict: Verdict
    by: Literal["names", "streets", ""]  # what tells it
    n_points: int
    n_names: int  # points whose name stands on the map not far away, in whatever datum
    near_names: Mapping[Datum, int]  # of these, how many stand within `NEAR_NAME_M` if written in that datum
    names_m: Mapping[Datum, float]  # median metres to the place of the same name; nan without any
    streets_m: Mapping[Datum, float]  # mean metres to the nearest street, each counted up to `STREET_CAP_M`
    street_errors: Mapping[Datum, float]  # how much nearer than places round the points, in standard errors
    n_near_only: Mapping[Datum, int]  # names that stand near in that datum and in no other


def detect_datum(
    points: gpd.GeoDataFrame,
    network: Network,
    *,
    places: gpd.GeoDataFrame | None = None,
    datum: str = "wgs84",
) -> DatumFit:
    """
    Tell in which datum points were written, by what stands on a map in WGS 84.

    Parameters
    ----------
    points
        Points in any stated CRS, taken as they stand; a column `name`, if there is one, is looked for on the map.
    network
        Streets.
    places
        Named places, as `read_places` gives them; None where there are none.
    datum
        The datum that `points` were turned from into WGS 84, if they were: the figures are of what was written.

    Returns
    -------
    fit
        `verdict` is a datum, or `cannot tell`: too few names and points, datums that differ too little there, a
        place outside China, or no clear fit. Names decide where at least eight match. By streets a
        verdict needs points that stand clearly nearer to them than the ground round them does, in one datum only:
        files of points inside blocks are not told by streets.

    Raises
    ------
    CRSError
        If `points` states no CRS.
    InputError
        If `points` holds something else than points, or the datum is not known.
    """
    check_points(points, "points")
    lon, lat = _degrees(points)
    use = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    use = use[in_china(lon[use], lat[use])]
    if use.size < MIN_NAMES:
        return _no_fit(len(points))
    written = from_wgs84(lon[use], lat[use], datum)
    to_metres = Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
    xy = {d: np.column_stack(to_metres.transform(*to_wgs84(*written, d))) for d in DATUMS}
    apart = [float(np.median(np.hypot(*(xy[a] - xy[b]).T))) for a, b in combinations(DATUMS, 2)]
    names = points["name"].iloc[use].tolist() if "name" in points.columns else []
    metres = _metres_to_names(names, xy, places, network)
    n_names = len(metres["wgs84"])
    near = {d: int((metres[d] <= NEAR_NAME_M).sum()) for d in DATUMS}
    streets_m, street_errors = _by_streets(xy, network)
    verdict, by = _verdict(n_names, near, street_errors) if min(apart) >= MIN_SHIFT_M else ("cannot tell", "")
    every = np.column_stack([metres[d] <= NEAR_NAME_M for d in DATUMS])
    only = every & (every.sum(axis=1, keepdims=True) == 1)
    return DatumFit(
        verdict=verdict,
        by=by,
        n_points=len(points),
        n_names=n_names,
        near_names=near,
        names_m={d: float(np.median(metres[d])) if n_names else float("nan") for d in DATUMS},
        streets_m=streets_m,
        street_errors=street_errors,
        n_near_only={d: int(only[:, k].sum()) for k, d in enumerate(DATUMS)},
    )


def is_mixed(fit: DatumFit) -> bool:
    """Whether names say that some rows are in one datum, and some in another."""
    counts = sorted(fit.n_near_only.values())
    return fit.n_names >= MIN_NAMES and counts[-2] >= max(MIN_MIXED, MIXED_SHARE * fit.n_names)


def _no_fit(n: int) -> DatumFit:
    none, nan = dict.fromkeys(DATUMS, 0), dict.fromkeys(DATUMS, float("nan"))
    return DatumFit("cannot tell", "", n, 0, none, nan, nan, nan, none)


def _degrees(points: gpd.GeoDataFrame) -> tuple[FloatArray, FloatArray]:
    shapes = np.asarray(points.geometry.to_crs("EPSG:4326").array, dtype=object)
    return shapely.get_x(shapes), shapely.get_y(shapes)


def _verdict(
    n_names: int, near: Mapping[Datum, int], street_errors: Mapping[Datum, float]
) -> tuple[Verdict, Literal["names", "streets", ""]]:
    """Return what names tell where there are enough, else what streets do."""
    if n_names >= MIN_NAMES:
        best, second, _ = sorted(DATUMS, key=lambda d: -near[d])
        is_clear = near[best] >= NAMES_SHARE * n_names and near[best] >= NAMES_TIMES * near[second]
        return (best, "names") if is_clear else ("cannot tell", "")
    if not all(np.isfinite(street_errors[d]) for d in DATUMS):
        return "cannot tell", ""
    for datum in DATUMS:
        others = max(street_errors[d] for d in DATUMS if d != datum)
        if street_errors[datum] >= STREETS_ERRORS and others <= OTHERS_ERRORS:
            return datum, "streets"
    return "cannot tell", ""


# -------------------------------------------------------------------------------------------------------- names
def _metres_to_names(
    names: Sequence[object], xy: Mapping[Datum, FloatArray], places: gpd.GeoDataFrame | None, network: Network
) -> dict[Datum, FloatArray]:
    """Return the metres to the nearest place of the same name, of the points that have one not far away."""
    none: dict[Datum, FloatArray] = {d: np.empty(0) for d in DATUMS}
    if places is None or places.empty or not names:
        return none
    at = shapely.get_coordinates(np.asarray(places.geometry.to_crs(network.crs).array, dtype=object))
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(places["name"].tolist()):
        rows[_plain(name)].append(row)
    rows.pop("", None)
    found = [(k, rows[_plain(name)]) for k, name in enumerate(names) if _plain(name) in rows]
    metres = np.array(
        [[np.hypot(*(at[same] - xy[d][k]).T).min() for d in DATUMS] for k, same in found], dtype=np.float64
    ).reshape(-1, len(DATUMS))
    metres = metres[metres.min(axis=1, initial=np.inf) <= FAR_NAME_M]
    return {d: metres[:, k] for k, d in enumerate(DATUMS)}


def _plain(name: object) -> str:
    """Return a name as it is compared; "" for one that says too little."""
    text = "" if name is None or pd.isna(name) else fold(str(name))  # type: ignore[call-overload]
    return text if len(text) > 1 else ""


# ------------------------------------------------------------------------------------------------------ streets
def _by_streets(xy: Mapping[Datum, FloatArray], network: Network) -> tuple[dict[Datum, float], dict[Datum, float]]:
    """Return metres to streets in each datum, and by how many standard errors it is more round the points."""
    spread = _one_a_square(xy["wgs84"])
    metres: dict[Datum, float] = dict.fromkeys(DATUMS, float("nan"))
    errors: dict[Datum, float] = dict.fromkeys(DATUMS, float("nan"))
    angle = np.arange(N_ON_RING) * 2 * np.pi / N_ON_RING
    ring = np.concatenate([r * np.column_stack([np.cos(angle), np.sin(angle)]) for r in RINGS_M])
    for datum in DATUMS:
        tried = xy[datum][spread]
        own = _street_metres(tried, network)
        around = _street_metres((tried[:, None, :] + ring[None, :, :]).reshape(-1, 2), network)
        around = around.reshape(len(tried), len(ring))
        beside = around.min(axis=1, initial=STREET_CAP_M) < STREET_CAP_M  # the road file reaches there
        if (n := int(beside.sum())) < MIN_POINTS:
            continue
        more = around[beside].mean(axis=1) - own[beside]
        metres[datum] = float(own[beside].mean())
        errors[datum] = float(more.mean() / max(more.std(ddof=1) / np.sqrt(n), 1e-9))
    return metres, errors


def _one_a_square(xy: FloatArray) -> IntArray:
    """Return the first point in each square, every so manieth of them."""
    first = np.sort(np.unique(np.floor(xy / CLUSTER_M), axis=0, return_index=True)[1])
    return first[:: max(1, -(-len(first) // MAX_TRIED))]


def _street_metres(xy: FloatArray, network: Network) -> FloatArray:
    """Return metres to the nearest street, at most `STREET_CAP_M`."""
    metres = np.full(len(xy), STREET_CAP_M)
    (row, _), found = network.street_tree[0].query_nearest(
        shapely.points(xy), max_distance=STREET_CAP_M, return_distance=True, all_matches=False
    )
    metres[row] = found
    return metres
