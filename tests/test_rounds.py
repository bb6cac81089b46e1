"""Rounds on the streets: drawn streets, doors that open late, every order on real streets, legs that add up."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import draw
from test_travel_times import at_xy

from servicecircle.errors import InputError
from servicecircle.network import read_network
from servicecircle.rounds import plan_round
from servicecircle.travel_times import travel_times


def at(**xy: tuple[float, float]) -> gpd.GeoDataFrame:
    """Places by name, metres from the origin of a drawing."""
    return at_xy(*xy.values(), ids=list(xy))


def test_a_round_along_a_street_is_walked_there_and_back() -> None:
    _, network = draw("A-B-C-D")  # 600 m, at 1 m/s
    round_ = plan_round(network, at(b=(200, 0), d=(600, 0)), start=at_xy((0, 0)), budget_min=30, stay_min=5)
    assert round_.stops.index.tolist() == ["b", "d"]
    assert round_.end_min == pytest.approx(1200 / 60 + 10)
    assert round_.stops["arrive_min"].tolist() == pytest.approx([200 / 60, 200 / 60 + 5 + 400 / 60])
    assert round_.tour.status == "optimal"
    assert round_.left_out.empty


def test_what_is_left_out_says_why() -> None:
    _, network = draw("A-B-C-D")
    points = at(off=(0, 900), shut=(200, 0), far=(600, 0), nothing=(100, 0), near=(100, 0), more=(120, 0))
    points["hours"] = ["", "20:00-22:00", "", "", "", ""]
    points["score"] = [1, 1, 1, 0, 3, 1]
    round_ = plan_round(network, points, start=at_xy((0, 0)), budget_min=10, stay_min=6, when="Tue 9:00")
    assert round_.stops.index.tolist() == ["near"]
    assert round_.left_out["why"].to_dict() == {
        "off": "off_network", "shut": "closed", "far": "too_far", "nothing": "no_score", "more": "no_time",
    }  # fmt: skip
    assert not round_.stops["hours_known"].any()


def test_who_comes_early_waits_at_the_door() -> None:
    _, network = draw("A-B")
    points = at(b=(200, 0)).assign(opening="Mo-Fr 09:30-12:00")
    early = plan_round(network, points, start=at_xy((0, 0)), budget_min=60, stay_min=10, when="周二 9:00")
    assert (early.stops["arrive_min"].iloc[0], early.stops["begin_min"].iloc[0]) == (pytest.approx(200 / 60), 30)
    assert early.stops["hours_known"].all()
    sunday = plan_round(network, points, start=at_xy((0, 0)), budget_min=60, stay_min=10, when="Sun 9:00")
    assert sunday.left_out["why"].tolist() == ["closed"]
    holiday = plan_round(
        network, points.assign(opening="Mo-Fr 09:30-12:00; PH off"), start=at_xy((0, 0)), budget_min=60,
        when="Tue 9:00 PH",
    )  # fmt: skip
    assert holiday.stops.empty


def test_a_round_over_midnight_follows_the_week() -> None:
    _, network = draw("A-B")
    points = at(b=(200, 0)).assign(opening="Mo 00:00-01:00")
    late = plan_round(network, points, start=at_xy((0, 0)), budget_min=60, stay_min=10, when="Sun 23:30")
    assert late.stops["begin_min"].tolist() == [30]


def test_a_one_way_street_makes_the_way_home_longer() -> None:
    _, network = draw("A->-B")
    there = plan_round(network, at(b=(100, 0)), start=at_xy((0, 0)), end=at_xy((200, 0)), budget_min=30)
    assert there.stops.index.tolist() == ["b"]
    back = plan_round(network, at(b=(100, 0)), start=at_xy((0, 0)), budget_min=30)
    assert back.left_out["why"].tolist() == ["too_far"]


def test_an_end_that_cannot_be_reached_is_said() -> None:
    _, network = draw("A--B  C--D")
    round_ = plan_round(network, at(b=(100, 0)), start=at_xy((0, 0)), end=at_xy((900, 0)), budget_min=60)
    assert round_.tour.status == "infeasible"
    assert round_.end_min == math.inf
    assert round_.stops.empty
    assert round_.legs.empty


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"budget_min": -1}, "budget_min"), ({"budget_min": "2"}, "budget_min"),
        ({"stay_min": math.nan}, "stay_min"), ({"when": "some day"}, "some day"),
        ({"start": at(a=(0, 0), b=(1, 0))}, "one row"),
        ({"start": at(a=(0, 9000))}, "no street"), ({"end": at(a=(0, 9000))}, "no street"),
        ({"points": at(a=(0, 0)).assign(score=-1)}, "score"), ({"points": at(a=(0, 0)).assign(score="x")}, "score"),
        ({"points": at(a=(0, 0)).assign(stay_min=None)}, "stay_min"),
        ({"points": at(**{f"p{k}": (k, 0) for k in range(61)})}, "at most 60"),
    ],
)  # fmt: skip
def test_wrong_input_is_told(change, told) -> None:
    _, network = draw("A-B-C-D")
    given = {"points": at(a=(0, 0)), "start": at(s=(0, 0)), "budget_min": 10.0, **change}
    with pytest.raises(InputError, match=told):
        plan_round(network, given.pop("points"), **given)


def test_a_round_on_real_streets_is_the_best_of_every_order(shared_data: Path) -> None:
    network = read_network(shared_data / "beijing_tsinghua.osm.pbf", profile="walk")
    (x0, y0), (x1, y1) = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    random = np.random.default_rng(5)
    middle, size = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), min(x1 - x0, y1 - y0) / 6
    xy = middle + random.uniform(-size, size, (6, 2))
    points = gpd.GeoDataFrame({"score": [3, 1, 2, 2, 1, 3]}, geometry=shapely.points(xy), crs=network.crs)
    start = gpd.GeoDataFrame(geometry=shapely.points([middle]), crs=network.crs)
    round_ = plan_round(network, points, start=start, budget_min=45, stay_min=4)
    assert round_.tour.status == "optimal"

    every = gpd.GeoDataFrame(geometry=[*points.geometry, start.geometry.iloc[0]], crs=network.crs)
    ms = np.round(travel_times(network, every, every, cutoff_s=2700, max_snap_m=200).to_array() * 1000)
    best = (-1.0, math.inf)
    for n in range(7):
        for order in itertools.permutations(range(6), n):
            way = (6, *order, 6)
            taken = sum(ms[a, b] for a, b in itertools.pairwise(way)) + n * 240_000 if n else 0.0
            if taken <= 2_700_000:
                score = float(points["score"].iloc[list(order)].sum())
                if (score, -taken) > (best[0], -best[1]):
                    best = (score, taken)
    assert (round_.tour.score, round_.tour.end_s * 1000) == best
    assert round_.legs["seconds"].sum() + 240 * len(round_.stops) == pytest.approx(round_.tour.end_s, abs=1e-6)
    assert round_.legs["hop"].nunique() == len(round_.stops) + 1


def test_a_round_over_midnight_knows_each_day_of_the_calendar() -> None:
    _, network = draw("A-B")
    places = at(b=(100, 0)).assign(hours="每天0:00-24:00，节假日休息")
    days = [dt.date(2026, 9, 30), dt.date(2026, 10, 1)]

    def why(*holidays: dt.date) -> list[str]:
        told = {"start": at_xy((0, 0)), "budget_min": 240, "stay_min": 90, "when": "2026-09-30T23:00"}
        return plan_round(network, places, holidays=holidays, **told).left_out["why"].tolist()

    assert (why(), why(days[0]), why(days[1]), why(*days)) == ([], [], ["closed"], ["closed"])
