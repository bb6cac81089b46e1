"""S4 replayed on `data/jinyu`: a crossing under water from nine to ten, who is cut off, all as before after it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString
from shapely.ops import substring

from servicecircle import (
    Closures,
    load_study,
    rank_closures,
    suggest,
    tell_closures,
    what_if,
    with_closures,
    write_outputs,
)
from servicecircle.model import Plan, Study
from servicecircle.pipeline import Roads, read_roads

DATA = Path(__file__).resolve().parents[1] / "data"
BEFORE, DURING, AFTER = "2026-08-06 08:59", "2026-08-06 09:00", "2026-08-06 10:00"


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(DATA / "jinyu")


@pytest.fixture(scope="module")
def roads(study: Study) -> Roads:
    return read_roads(study)


@pytest.fixture(scope="module")
def plan(study: Study, roads: Roads) -> Plan:
    return suggest(study, roads=roads, stations=0, shops=0)


def written_at(when: str, study: Study, roads: Roads, folder: Path) -> dict[str, bytes]:
    """The result folder of a full run on the roads of a moment."""
    closed = with_closures(roads.network, study.closures.at(when))
    bare = dataclasses.replace(study, closures=None)
    write_outputs(suggest(bare, roads=Roads(closed, *roads[1:]), stations=0, shops=0), folder)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != "plan.gpkg"}


@pytest.mark.slow
def test_before_and_after_are_identical_to_the_last_byte(study: Study, roads: Roads, tmp_path: Path) -> None:
    before, during, after = (
        written_at(when, study, roads, tmp_path / when[-5:-3]) for when in (BEFORE, DURING, AFTER)
    )
    assert before == after
    assert len(before) >= 7
    assert before["coverage.geojson"] != during["coverage.geojson"]
    assert before["circles.geojson"] != during["circles.geojson"]


def test_a_moment_before_and_after_gives_the_figures_of_the_plan(study: Study, plan: Plan) -> None:
    for when in (BEFORE, AFTER):
        again = what_if(plan, closures=study.closures.at(when))
        assert again.covered.tobytes() == plan.before.covered.tobytes()
        assert len(again.searched) == 0
    assert len(what_if(plan, closures=study.closures.at(DURING)).searched) > 0


def test_during_it_the_riders_cut_off_are_named_by_zone(study: Study, plan: Plan, roads: Roads) -> None:
    told = tell_closures(plan)
    flood = [k for k, ids in enumerate(told.windows["closures"]) if "JS01" in ids]
    assert len(flood) == 1
    window = told.windows.loc[flood[0]]
    assert (window["begin"][11:16], window["end"][11:16]) == ("09:00", "10:00")
    assert window["cut_off_5"] > 4
    rows = told.zones[told.zones["window"] == flood[0]]
    assert rows["name"].isin(study.zones["name"]).all()
    assert rows["cut_off_5"].sum() == pytest.approx(window["cut_off_5"])
    worst = rows.sort_values("cut_off_5", ascending=False).iloc[0]
    assert worst["cut_off_5"] > 1
    assert str(worst["name"]).endswith("社区")
    # a full run on the closed streets names the same riders
    closed = with_closures(roads.network, study.closures.at(DURING))
    full = suggest(study, roads=Roads(closed, *roads[1:]), stations=0, shops=0)
    riders = np.asarray(plan.demand["weight"], dtype=float)
    lost = riders @ (plan.before.covered[:, -1].astype(float) - full.before.covered[:, -1].astype(float))
    assert window["cut_off_5"] == pytest.approx(lost)


def test_cars_only_is_no_concern_of_riders_and_the_crossing_ranks_first_among_the_reports(
    study: Study, plan: Plan
) -> None:
    told = tell_closures(plan)
    assert not any("JS02" in ids for ids in told.windows["closures"])  # furniture: cars cannot pass, e-bikes can
    ranked = rank_closures(plan, study.closures.frame)
    assert "JS01" in set(ranked.index)


def test_a_flood_over_a_third_of_a_long_block_closes_that_third_and_no_more(plan: Plan) -> None:
    network = plan.network
    long = int(np.argmax(np.where(network.length_m > 150, network.length_m, 0) * (network.length_m < 600)))
    line = LineString(network.geometry[long])
    third = substring(line, line.length / 3, 2 * line.length / 3)
    ends = shapely.get_coordinates(third)[[0, -1]]
    middle = third.interpolate(0.5, normalized=True)
    radius = float(np.hypot(*(ends - np.array(middle.coords[0])).T).mean())
    flood = Closures(gpd.GeoDataFrame({"radius_m": [radius]}, geometry=[middle], crs=network.crs))
    reported = tell_closures(plan, flood).streets
    own = reported[reported["edge"] == long]
    assert own["length_m"].sum() == pytest.approx(line.length / 3, rel=0.05)
    for low, high in zip(own["from_fraction"], own["to_fraction"], strict=True):
        assert 0.3 < min(low, high) < max(low, high) < 0.7
