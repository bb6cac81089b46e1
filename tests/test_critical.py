"""The crossing whose loss costs most riders: the fast ranking is that of trying them all."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import BLOCK_M, CRS, ORIGIN, write_study

from servicecircle import Closures, crossings, load_study, rank_closures, suggest, what_if
from servicecircle.closed_streets import report_pieces
from servicecircle.critical import _most_riders
from servicecircle.errors import InputError
from servicecircle.model import Plan, Study
from servicecircle.pipeline import Roads, read_roads


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Roads]:
    study = load_study(write_study(tmp_path_factory.mktemp("town")))
    return study, read_roads(study)


@pytest.fixture(scope="module")
def plan(roads: tuple[Study, Roads]) -> Plan:
    return suggest(roads[0], roads=roads[1], stations=0, shops=0)


def tried(plan: Plan, closures: Closures) -> list[tuple[object, float]]:
    """Try all: (id, riders cut off at the largest break), the worst first, ties in their order."""
    key = f"{plan.before.minutes[-1]:g}"
    lost = [-what_if(plan, closures=closures.rows(np.array([k]))).gained[key] for k in range(len(closures))]
    order = sorted(range(len(lost)), key=lambda k: (-lost[k], k))
    return [(closures.frame.index[k], lost[k]) for k in order if lost[k] > 0]


def told(ranked: gpd.GeoDataFrame, plan: Plan) -> list[tuple[object, float]]:
    return list(zip(ranked.index, ranked[f"cut_off_{plan.before.minutes[-1]:g}"], strict=True))


@pytest.mark.slow
def test_the_ranking_of_all_crossings_is_that_of_trying_each(plan: Plan) -> None:
    every = crossings(plan.network)
    ranked = rank_closures(plan, n=12)
    assert told(ranked, plan) == tried(plan, every)[:12]
    assert ranked["rank"].tolist() == list(range(1, 13))
    assert ranked["name"].str.contains("×").all()


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.5]), st.integers(1, 8))
def test_so_is_that_of_any_reports_in_either_direction(
    roads: tuple[Study, Roads],
    seed: int,
    factor: float,
    n: int,
) -> None:
    rng = np.random.default_rng(seed)
    study = dataclasses.replace(roads[0], direction=str(rng.choice(["to", "from"])))
    made = suggest(study, roads=roads[1], stations=0, shops=0)
    at = shapely.points(rng.uniform((0, 0), (12, 8), (15, 2)) * BLOCK_M + ORIGIN)
    reports = Closures(
        gpd.GeoDataFrame({"radius_m": rng.uniform(20, 250, 15), "factor": factor}, geometry=at, crs=CRS)
    )
    want = tried(made, reports)
    assert told(rank_closures(made, reports, n=n), made) == want[:n]
    most = _most_riders(made, reports, report_pieces(made.network, reports))
    assert all(most[int(k)] * (1 + 1e-9) >= lost for k, lost in want)  # the bound holds


def test_the_bridge_is_the_crossing_that_costs_most() -> None:
    _, network = draw(
        """
        A--B--C
        |  |  |
        +--D--+
           |
        E--F--G
        """
    )
    every = crossings(network, radius_m=20)
    assert len(every) == 3  # B, D and F
    assert every.frame["radius_m"].tolist() == [20.0] * 3
    assert crossings(network).frame["name"].tolist() == [""] * 3


@pytest.mark.slow
def test_nothing_that_costs_nobody_is_ranked_and_a_wrong_count_is_told(plan: Plan) -> None:
    far = gpd.GeoDataFrame({"radius_m": [10.0]}, geometry=[shapely.Point(*ORIGIN - 9000)], crs=CRS)
    assert rank_closures(plan, far).empty
    for n in (0, 2.5, True):
        with pytest.raises(InputError, match="whole number above 0"):
            rank_closures(plan, n=n)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="metres above 0"):
        crossings(plan.network, radius_m=-1)
