"""Instances for the location benchmarks: random discs, times in a made-up city, many customers and few sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.spatial import cKDTree

from benchmarks.cities import superblock_city
from servicecircle.model import Facilities, Network, Positions
from servicecircle.travel_times import times_between

Floats = npt.NDArray[np.float64]

#: sites, demand points, sites to choose
SIZES = {"100 x 1k": (100, 1_000, 5), "500 x 5k": (500, 5_000, 10), "2k x 50k": (2_000, 50_000, 20)}
SIZES["5k x 200k"] = (5_000, 200_000, 30)
_LIMIT_MS = 15 * 60_000


@dataclass(frozen=True, eq=False)
class Instance:
    """A covering problem: which site covers which demand point, the weights, how many sites."""

    name: str
    covers: Any  # scipy.sparse.csr_array of bool, (n_demand, n_site)
    weight: Floats
    p: int


def random_discs(size: str, *, seed: int = 1, share: float = 0.02) -> Instance:
    """Return sites and demand uniform in a square, discs that hold `share` of it, weights 1 to 100."""
    n_site, n_demand, p = SIZES[size]
    rng = np.random.default_rng(seed)
    site, demand = rng.random((n_site, 2)), rng.random((n_demand, 2))
    covers = within(demand, site, float((share / np.pi) ** 0.5))
    return Instance(f"random {size}, p = {p}", covers, rng.integers(1, 101, n_demand).astype(np.float64), p)


def square(n_demand: int, *, n_site: int = 100, p: int = 10, radius: float = 5.5, seed: int = 1) -> Instance:
    """Return the shape of Cordeau, Furini and Ljubić (2019): uniform in a 30 x 30 square, weights 1 to 100."""
    rng = np.random.default_rng(seed)
    site, demand = rng.uniform(0, 30, (n_site, 2)), rng.uniform(0, 30, (n_demand, 2))
    weight = rng.integers(1, 101, n_demand).astype(np.float64)
    return Instance(f"square {n_demand:,} x {n_site}, p = {p}", within(demand, site, radius), weight, p)


def city_times(size: str, *, n_junction: int = 100_000, seed: int = 1, network: Network | None = None) -> Instance:
    """Return sites and demand on the streets of a made-up city, 15 minutes by e-bike; 12 centres weigh more."""
    n_site, n_demand, p = SIZES[size]
    rng = np.random.default_rng(seed)
    network = network or superblock_city(n_junction)
    j_at, i_at = _on_streets(network, n_site, rng), _on_streets(network, n_demand, rng)
    served_by = Facilities(gpd.GeoDataFrame(geometry=gpd.points_from_xy(*j_at.xy.T), crs=network.crs))
    times = times_between(network, i_at, served_by, j_at, limit_ms=_LIMIT_MS, direction="to")
    covers = sparse.csr_array(
        (np.ones(times.facility.size, np.bool_), times.facility.astype(np.int32), times.start.astype(np.int32)),
        shape=(n_demand, n_site),
    )
    covers.sort_indices()
    low, high = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    centre = rng.uniform(low, high, (12, 2))
    metres = cKDTree(centre).query(i_at.xy)[0]
    weight = np.ceil(rng.gamma(2.0, 20.0, n_demand) * (0.3 + 3 * np.exp(-metres / 3000.0)))
    return Instance(f"city {size}, p = {p}", covers, weight, p)


def covering_all(instance: Instance) -> Instance:
    """Return the instance without the demand that no site covers: for set covering."""
    live = np.flatnonzero(np.diff(instance.covers.indptr) > 0)
    return Instance(instance.name, instance.covers[live], instance.weight[live], instance.p)


def within(demand: Floats, site: Floats, radius: float) -> Any:  # noqa: ANN401
    """Return which demand points lie within a straight radius of which sites, rows sorted."""
    block = max(1, 20_000_000 // max(len(site), 1))
    count, column = [], []
    for first in range(0, len(demand), block):
        some = demand[first : first + block]
        away = (some[:, :1] - site[None, :, 0]) ** 2 + (some[:, 1:] - site[None, :, 1]) ** 2
        is_near = away <= radius * radius
        count.append(is_near.sum(axis=1))
        column.append(np.nonzero(is_near)[1].astype(np.int32))
    start = np.concatenate([[0], np.cumsum(np.concatenate(count))]).astype(np.int32)
    columns = np.concatenate(column)
    return sparse.csr_array((np.ones(columns.size, np.bool_), columns, start), shape=(len(demand), len(site)))


def _on_streets(network: Network, n: int, rng: np.random.Generator) -> Positions:
    """Return points on streets, longer streets more often."""
    length = network.length_m
    edge = rng.choice(length.size, n, p=length / length.sum())
    fraction = rng.random(n)
    a, b = network.node_xy[network.tail[edge]], network.node_xy[network.head[edge]]
    return Positions(
        ids=pd.RangeIndex(n), edge=edge, fraction=fraction, offset_m=np.zeros(n), xy=a + fraction[:, None] * (b - a)
    )
