"""Service areas: the share of places that lie on their right side, as the benchmarks count it."""

from __future__ import annotations

import os

import numpy as np
import pytest
import shapely

import servicecircle as sc
from benchmarks.area_cases import prepare, share_right, times_at
from benchmarks.areas import areas, ours
from benchmarks.cities import superblock_city

DATA = os.environ.get("SERVICECIRCLE_DATA")


@pytest.mark.slow
@pytest.mark.parametrize(("detail", "least"), [("fine", 0.999), ("fast", 0.995)])
def test_places_lie_on_their_right_side(detail: str, least: float) -> None:
    case = prepare("city", superblock_city(3000, profile="walk", on_foot=True), stations=8, minutes=(10, 15))
    drawn = ours(case, detail)
    assert share_right(drawn, case.truth) >= least
    turned = [row[::-1] for row in drawn]  # the areas of 15 minutes for those of 10: the count is not blind
    assert share_right(turned, case.truth) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("file", [None, "nanjing.osm.pbf", "shenzhen_futian.graphml"])
def test_places_belong_to_the_facility_that_is_nearest(file: str | None) -> None:
    """But for what lies so near to a border that a drawing cannot tell: a tenth of a metre as a rule."""
    if file is None:
        network = superblock_city(3000, profile="walk", on_foot=True)
    elif DATA is None:
        pytest.skip("SERVICECIRCLE_DATA is not set")
    else:
        network = sc.read_network(f"{DATA}/{file}", "walk")
    case = prepare("nearest", network, stations=40, minutes=(10, 15))
    drawn = sc.service_areas(network, case.facilities, minutes=(10, 15), overlap="nearest").geometry.to_numpy()
    low, high = np.array_split(shapely.total_bounds(drawn), 2)
    places, ms = times_at(
        case, shapely.points(np.random.default_rng(3).uniform(low, high, (200_000, 2))), range(40)
    )
    for b in range(2):
        areas, held = drawn[b::2], np.full(len(places), -1)
        at, of = shapely.STRtree(areas).query(places, predicate="within")
        held[at] = of
        within = np.where(ms <= case.reach.limit_ms[:, b, None], ms, 1e12)
        first, second = np.sort(within, axis=0)[:2]
        is_asked = (first < 1e12) & (second - first > 1000.0)
        owner = within.argmin(axis=0)
        is_wrong = is_asked & (held != owner)
        assert is_asked.sum() > 10_000
        assert is_wrong.sum() <= 0.001 * is_asked.sum()
        beside_m = shapely.distance(areas[owner[is_wrong]], places[is_wrong])
        assert np.quantile(beside_m, 0.9) < 1.0
        assert beside_m.max() < 10.0  # the point of a wedge between streets a metre apart


@pytest.mark.slow
def test_the_benchmark_of_areas_runs_beside_its_peers() -> None:
    case = prepare("city", superblock_city(500, profile="walk", on_foot=True), stations=2, minutes=(5,))
    rows = areas(case, rounds=1, budget_s=1.0, with_peers=("osmnx", "hulls"))
    assert [row.name for row in rows if row.name.startswith("OSMnx")] == ["OSMnx recipe", "OSMnx notebook"]
    assert all("% right" in row.note for row in rows)
