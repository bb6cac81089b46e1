"""A plan while trouble lasts is what the stages make of the closed streets, with the sites of the open ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from servicecircle.coverage import totals
from servicecircle.pipeline import Roads, read_roads


def block(column: float) -> gpd.GeoDataFrame:
    """A closed line across the streets east of a column."""
    line = shapely.LineString([crossing(column, -1), crossing(column, 5)])
    return gpd.GeoDataFrame({"width_m": [20.0]}, index=["B"], geometry=[line], crs="EPSG:4326")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[sc.Study, Roads, sc.Plan]:
    study = sc.load_study(write_tiny_study(tmp_path_factory.mktemp("town")))
    roads = read_roads(study)
    return study, roads, sc.suggest(study, roads=roads)


def test_it_is_what_suggest_makes_of_the_closed_streets(town: tuple[sc.Study, Roads, sc.Plan]) -> None:
    study, roads, plan = town
    during = sc.plan_during(plan, block(1.4))
    closed = sc.with_closures(roads.network, block(1.4))
    expected = sc.suggest(study, stations=0, shops=0, roads=roads._replace(network=closed))
    assert totals(during.before) == totals(expected.before)
    assert totals(during.before) != totals(plan.before)
    assert during.before.times.to_frame().equals(expected.before.times.to_frame())
    assert during.gaps["riders"].tolist() == expected.gaps["riders"].tolist()
    own = during.circles[during.circles["facility_id"] == "01"]
    assert own["area_m2"].tolist() == expected.circles["area_m2"].tolist()
    assert list(during.sites.index) == list(plan.sites.index)
    gained = totals(during.after)["covered"]["10"] - totals(during.before)["covered"]["10"]
    assert during.sites["riders_gained"].sum() == pytest.approx(gained)
    assert totals(during.before) == sc.what_if(plan, closures=block(1.4)).after
    assert during.trouble is not None


def test_what_touches_no_street_changes_nothing_and_no_report_is_told(
    town: tuple[sc.Study, Roads, sc.Plan],
) -> None:
    plan = town[2]
    during = sc.plan_during(plan, block(-3.0))
    assert during.before is plan.before
    assert any("touch no street" in fault.en for fault in during.warnings)
    with pytest.raises(sc.errors.InputError, match="no report"):
        sc.plan_during(plan, block(1.4).iloc[:0])


def test_the_rule_of_trust_stays_with_the_study(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path)
    (folder / "reports.csv").write_text("编号,经度,纬度,半径\nR1,113.38,22.5,40\n", encoding="utf-8")
    with (folder / "study.toml").open("a", encoding="utf-8") as stream:
        stream.write('\n[closures]\nfile = "reports.csv"\nconfirm = 3\nwithin_m = 50\n')
    trust = sc.load_study(folder).trust
    assert trust is not None
    assert (trust.confirm, trust.within_m) == (3, 50)
    assert dataclasses.replace(trust, confirm=1).confirm == 1
