"""What if: the answer to a change is that of a plan of the changed ledger, bit for bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from studies import BLOCK_M, CRS, ORIGIN, write_study

from servicecircle import PROFILES, gains_alone, load_study, service_areas, suggest, what_if
from servicecircle.coverage import coverage_by_cell, coverage_by_zone, totals
from servicecircle.errors import CRSError, InputError
from servicecircle.model import Plan, Study
from servicecircle.pipeline import Roads, read_roads
from servicecircle.what_if import WhatIf

WGS84 = "EPSG:4326"
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Roads]:
    study = load_study(write_study(tmp_path_factory.mktemp("town")))
    return study, read_roads(study)


@pytest.fixture(scope="module")
def plan(roads: tuple[Study, Roads]) -> Plan:
    return suggest(roads[0], roads=roads[1])


def places(*blocks: tuple[float, float], ids: Sequence[str] = ("N1",), kind: str = "station") -> gpd.GeoDataFrame:
    """Places that are given in blocks east and north of the corner, in WGS 84."""
    points = gpd.GeoSeries(shapely.points(np.array(blocks) * BLOCK_M + ORIGIN), crs=CRS).to_crs(WGS84)
    return gpd.GeoDataFrame({"kind": kind}, index=pd.Index(list(ids), dtype=object), geometry=points.array)


def again(
    plan: Plan, found: WhatIf, *, closed: Sequence[str] = (), roads: Roads, minutes: Sequence[float] | None = None
) -> Plan:
    """A plan of the ledger that `found` was asked for."""
    gone = [*closed, *found.facilities.index]
    frames = {}
    for kind, name in (("station", "stations"), ("shop", "shops")):
        own = plan.facilities[(plan.facilities.kind == kind) & ~plan.facilities.index.isin(gone)]
        new = found.facilities[found.facilities.kind == kind]
        frames[name] = gpd.GeoDataFrame(pd.concat([f for f in (own, new) if len(f)] or [own]), crs=WGS84)
    study = dataclasses.replace(plan.study, **frames)
    return suggest(study, stations=0, shops=0, roads=roads, minutes=minutes)


def check(found: WhatIf, before: Plan, after: Plan) -> None:
    """Every number of riders is that of the two plans, bit for bit."""
    assert found.before == totals(before.before)
    assert found.after == totals(after.before)
    assert (found.covered == after.before.covered).all()
    by_zone = [coverage_by_zone(p.before, p.grid) for p in (before, after)]
    by_cell = [coverage_by_cell(p.before, p.grid) for p in (before, after)]
    assert list(found.zones.index) == list(by_zone[0].index)
    is_changed = (after.before.covered != before.before.covered).any(axis=1)
    cells = pd.unique(before.before.cell_id[is_changed])
    assert set(found.cells.index) == set(cells)
    for t in before.before.minutes:
        name = f"{t:g}"
        for own, of in ((found.zones, by_zone), (found.cells, [p.loc[found.cells.index] for p in by_cell])):
            assert own[f"before_{name}"].tolist() == of[0][f"covered_{name}"].tolist()
            assert own[f"after_{name}"].tolist() == of[1][f"covered_{name}"].tolist()
            assert own["riders"].tolist() == of[0]["riders"].tolist()
            assert (own[f"gained_{name}"] == own[f"after_{name}"] - own[f"before_{name}"]).all()
    pairs = after.before.times.to_frame()
    pairs = pairs[pairs.facility_id.isin(found.facilities.index)]
    order = ["facility_id", "demand_id"]
    assert_frame_equal(
        found.to_frame().sort_values(order, ignore_index=True),
        pairs.sort_values(order, ignore_index=True),
        check_dtype=False,
    )
    areas = after.circles[after.circles.facility_id.isin(found.facilities.index)].set_index(
        ["facility_id", "minutes"]
    )
    own = found.areas.set_index(["facility_id", "minutes"]).reindex(areas.index)
    for column in ("kind", "street_m", "cut_by_edge"):
        assert own[column].tolist() == areas[column].tolist()
    assert own["area_m2"].tolist() == areas["area_m2"].tolist()


somewhere = st.tuples(st.floats(-0.5, 12.5), st.floats(-0.5, 8.5))
OPEN = ["S1", "S2", "P1", "P2", "P3"]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(somewhere, max_size=3),
    st.sampled_from(["station", "shop"]),
    st.dictionaries(st.sampled_from(OPEN), st.none() | somewhere, max_size=4),
)
def test_a_change_is_what_a_plan_of_the_changed_ledger_says(
    plan: Plan, roads: tuple[Study, Roads], new: list, kind: str, others: dict
) -> None:
    moved = {i: at for i, at in others.items() if at is not None}
    closed = [i for i, at in others.items() if at is None]
    found = what_if(
        plan,
        add=places(*new, ids=[f"N{k}" for k in range(len(new))], kind=kind) if new else None,
        move=places(*moved.values(), ids=list(moved)) if moved else None,
        close=closed,
    )
    check(found, plan, again(plan, found, closed=closed, roads=roads[1]))


def test_the_suggestions_of_a_plan_tried_are_the_plan(plan: Plan) -> None:
    found = what_if(plan, add=plan.sites)
    assert found.after == totals(plan.after)
    assert (found.covered == plan.after.covered).all()
    assert found.closed.empty
    assert found.gained["10"] == pytest.approx(plan.sites["riders_gained"].sum(), abs=1e-9)


def test_a_place_reached_today_gains_nobody_and_one_across_the_river_does(plan: Plan) -> None:
    beside, across = (what_if(plan, add=places(at)) for at in ((2.1, 3.0), (8.0, 6.0)))
    assert beside.gained == {"5": 0.0, "10": 0.0}
    assert beside.cells.empty
    assert across.gained["10"] > 0
    assert set(across.cells["zone_id"]) == {"Z2"}
    assert across.zones.loc["Z1", "gained_10"] == 0.0
    assert across.zones.loc["Z2", "gained_10"] == pytest.approx(across.gained["10"], abs=1e-9)


def test_no_change_is_today_twice_and_all_closed_is_nobody(plan: Plan) -> None:
    same, none = what_if(plan), what_if(plan, close=OPEN)
    assert same.before == same.after == none.before == totals(plan.before)
    assert same.facilities.empty
    assert same.areas.empty
    assert none.after["covered"] == {"5": 0.0, "10": 0.0}
    assert not none.covered.any()
    assert list(none.closed) == OPEN


def test_a_shop_serves_within_the_limit_of_the_study_or_its_own(plan: Plan) -> None:
    new = places((8.0, 6.0), (8.0, 6.0), (8.0, 6.0), ids=["A", "B", "C"], kind="shop")
    new["minutes"] = [np.nan, 3.0, 8.0]
    new["kind"] = ["shop", "shop", "station"]
    found = what_if(plan, add=new)
    assert found.facilities["minutes"].tolist() == [3.0, 3.0, 8.0]
    metres = found.areas.set_index(["facility_id", "minutes"])["street_m"]
    assert metres["A", 10.0] == metres["A", 5.0] == metres["B", 5.0] < metres["C", 5.0] < metres["C", 10.0]


def test_a_moved_shop_keeps_its_kind_name_and_limit(plan: Plan) -> None:
    found = what_if(plan, move=places((8.0, 6.0), ids=["P1"]))  # the column `kind` of a move says nothing
    assert found.facilities.loc["P1", ["name", "kind", "minutes"]].tolist() == ["粥铺", "shop", 3.0]


def test_other_breaks_are_asked_in_turn(plan: Plan, roads: tuple[Study, Roads]) -> None:
    new = places((8.0, 6.0))
    own, other, back = (what_if(plan, add=new, minutes=m) for m in (None, (4, 7), None))
    at_4_and_7 = suggest(roads[0], stations=0, shops=0, roads=roads[1], minutes=(4, 7))
    check(other, at_4_and_7, again(plan, other, roads=roads[1], minutes=(4, 7)))
    assert own.after == back.after
    with pytest.raises(InputError, match="beyond the cutoff"):
        what_if(plan, add=new, minutes=(10, 12))


def test_the_standard_cutoffs_of_a_profile_count_and_a_study_without_zones_is_one(tmp_path: Path) -> None:
    loaded = load_study(write_study(tmp_path))
    study = dataclasses.replace(loaded, zones=None, profile=PROFILES["gb50180"], direction="from")
    with_roads = read_roads(study)
    plan = suggest(study, stations=0, shops=0, roads=with_roads)
    found = what_if(plan, add=places((8.0, 6.0), kind="shop"), close=["S2"])
    check(found, plan, again(plan, found, closed=["S2"], roads=with_roads))
    assert list(found.zones.index) == [None]
    assert found.zones["gained_10"].tolist() == [found.gained["10"]]


def test_areas_are_those_of_the_new_places_on_the_whole_network(plan: Plan) -> None:
    new = places((3.3, 3.0), (8.0, 6.2), ids=["A", "B"])
    want = service_areas(plan.network, new, minutes=(5, 10))
    got = what_if(plan, add=new).areas.drop(columns="kind")
    assert_frame_equal(got.drop(columns="geometry"), want.drop(columns="geometry"), rtol=1e-9)
    assert got.crs == plan.network.crs
    assert shapely.hausdorff_distance(got.geometry.array, want.geometry.array).max() < 1e-3


def test_a_place_without_a_street_serves_nobody_and_that_is_told(plan: Plan) -> None:
    found = what_if(plan, add=places((30.0, 30.0), (8.0, 6.0), ids=["far", "near"]))
    assert found.areas.set_index("facility_id").geometry.is_empty.groupby(level=0).all().to_dict() == {
        "far": True,
        "near": False,
    }
    assert "far" in found.warnings[0].en
    assert "200 米内没有道路" in found.warnings[0].told("zh")
    alone = what_if(plan, add=places((30.0, 30.0), ids=["far"]))
    assert alone.after == alone.before
    assert alone.areas.geometry.is_empty.all()


def test_the_order_of_rows_and_another_crs_change_no_rider(plan: Plan) -> None:
    new = places((8.0, 6.0), (3.0, 7.0), ids=["A", "B"])
    want = what_if(plan, add=new, close=["S1", "P2"])
    for got in (
        what_if(plan, add=new.iloc[::-1], close=["P2", "S1"]),
        what_if(plan, add=new.to_crs(CRS), close=["S1", "P2"]),
    ):
        assert got.after == want.after
        assert_frame_equal(got.cells, want.cells)
        assert_frame_equal(got.zones, want.zones)


def test_what_is_asked_must_make_sense(plan: Plan) -> None:
    new = places((8.0, 6.0))
    for wrong, told in (
        ({"add": new.set_axis(["S1"])}, "open already: S1"),
        ({"close": ["S9", "S1"]}, "no open station or shop of the plan: S9"),
        ({"move": new}, "no open station or shop of the plan: N1"),
        ({"close": ["S1", "S1"]}, "more than once: S1"),
        ({"close": ["S1"], "move": new.set_axis(["S1"])}, "more than once: S1"),
        ({"close": "S1"}, "must be a list of ids"),
        ({"add": new.assign(kind="kiosk")}, "must be 'station' or 'shop'"),
        ({"add": new.assign(minutes=-1.0)}, "above 0"),
        ({"add": new.set_geometry(shapely.buffer(new.geometry.array, 0.1), crs=WGS84)}, "must hold points"),
        ({"minutes": (10, 5)}, "must ascend"),
    ):
        with pytest.raises(InputError, match=told):
            what_if(plan, **wrong)
    with pytest.raises(CRSError, match="states no CRS"):
        what_if(plan, add=gpd.GeoDataFrame(geometry=[shapely.Point(113.4, 22.5)], index=["N1"]))


def test_nothing_that_is_given_changes(plan: Plan) -> None:
    new, facilities = places((8.0, 6.0)), plan.facilities.copy()
    covered, n = plan.before.covered.copy(), plan.before.n_facilities.copy()
    found = what_if(plan, add=new, close=["S1"])
    assert_frame_equal(new, places((8.0, 6.0)))
    assert_frame_equal(plan.facilities, facilities)
    assert (plan.before.covered == covered).all()
    assert (plan.before.n_facilities == n).all()
    with pytest.raises(ValueError, match="read-only"):
        found.seconds[0] = 0.0


def test_pairs_that_do_not_fit_are_refused(plan: Plan) -> None:
    found = what_if(plan, add=places((8.0, 6.0)))
    with pytest.raises(InputError, match="does not fit 1 facilities"):
        dataclasses.replace(found, seconds=found.seconds[1:], demand=found.demand[1:])


@pytest.mark.slow
def test_the_example_study_says_the_same() -> None:
    study = load_study(REPOSITORY / "data" / "nanqu")
    with_roads = read_roads(study)
    plan = suggest(study, stations=2, shops=6, roads=with_roads)
    stations = plan.facilities.index[plan.facilities.kind == "station"]
    rng = np.random.default_rng(11)
    west, south, east, north = plan.facilities.total_bounds
    for trial in range(6):
        xy = rng.uniform((west, south), (east, north), (3, 2))
        found = what_if(
            plan,
            add=gpd.GeoDataFrame(geometry=shapely.points(xy[:2]), index=["N1", "N2"], crs=WGS84),
            move=gpd.GeoDataFrame(geometry=shapely.points(xy[2:]), index=[stations[trial]], crs=WGS84),
            close=[stations[-1 - trial]],
        )
        check(found, plan, again(plan, found, closed=[stations[-1 - trial]], roads=with_roads))
    assert what_if(plan, add=plan.sites).after == totals(plan.after)


def test_each_change_alone_is_what_if_of_it_alone(plan: Plan) -> None:
    add, move = places((8.0, 6.0), (8.1, 6.0), ids=["N1", "N2"]), places((7.0, 5.0), ids=["P1"])
    x, y = ORIGIN[0] + 2 * BLOCK_M, ORIGIN[1] + 3 * BLOCK_M
    points = gpd.GeoSeries([shapely.Point(x, y), shapely.Point(x + BLOCK_M, y)], crs=CRS).to_crs(WGS84)
    floods = gpd.GeoDataFrame({"radius_m": [60.0, 30.0]}, index=["F1", "F2"], geometry=points.array, crs=WGS84)
    told = gains_alone(plan, add=add, move=move, close=["S1"], closures=floods)
    assert told["id"].tolist() == ["P1", "N1", "N2", "S1", "F1", "F2"]
    assert told["change"].tolist() == ["move", "add", "add", "close", "closure", "closure"]
    alone = [
        what_if(plan, move=move),
        *(what_if(plan, add=add.iloc[[k]]) for k in (0, 1)),
        what_if(plan, close=["S1"]),
        *(what_if(plan, closures=floods.iloc[[k]]) for k in (0, 1)),
    ]
    for t in ("5", "10"):
        assert told[f"gained_{t}"].tolist() == [one.gained[t] for one in alone]
    assert gains_alone(plan).empty
