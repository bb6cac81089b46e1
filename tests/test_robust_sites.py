"""Sites that hold in trouble: the best of all choices, counted one by one."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from studies import BLOCK_M, CRS, ORIGIN, write_study

from servicecircle import Closures, load_study, suggest, suggest_robust, what_if
from servicecircle.errors import InputError
from servicecircle.model import Plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return suggest(load_study(write_study(tmp_path_factory.mktemp("town"))))


def flood(x: float, y: float, radius_m: float, **said: object) -> Closures:
    point = gpd.GeoSeries([shapely.Point(np.array([x, y]) * BLOCK_M + ORIGIN)], crs=CRS)
    row = {name: [value] for name, value in {"radius_m": radius_m, **said}.items()}
    return Closures(gpd.GeoDataFrame(row, geometry=point.array, crs=CRS).set_axis([f"F{x:g}-{y:g}"]))


FLOODS = [flood(9, 7, 300.0), flood(5, 7, 250.0), flood(2, 4.5, 60.0)]


def all_choices(plan: Plan, floods: list[Closures], stations: int, shops: int) -> list[list[float]]:
    """Riders covered in every scenario, open roads first, by each choice of sites."""
    able = {
        kind: plan.candidates.index[plan.candidates["kind"].isin([kind, "both"])] for kind in ("station", "shop")
    }
    found = []
    for s in itertools.combinations(able["station"], stations):
        for p in itertools.combinations(able["shop"].difference(list(s)), shops):
            add = plan.candidates.loc[[*s, *p], ["name", "geometry"]].assign(
                kind=["station"] * stations + ["shop"] * shops
            )
            found.append([what_if(plan, add=add, closures=f).after["covered"]["10"] for f in (None, *floods)])
    return found


@pytest.mark.parametrize("robust", [0.0, 0.5, 1.0])
def test_the_choice_is_the_best_of_all(plan: Plan, robust: float) -> None:
    every = np.array(all_choices(plan, FLOODS, 1, 1))
    mixed = (1 - robust) * every.mean(axis=1) + robust * every.min(axis=1)
    made = suggest_robust(plan, FLOODS, stations=1, shops=1, robust=robust)
    assert made.status == "optimal"
    assert made.objective == pytest.approx(mixed.max())
    assert made.bound == pytest.approx(made.objective)
    after = made.scenarios["after"].to_numpy()
    assert (1 - robust) * after.mean() + robust * after.min() == pytest.approx(made.objective)
    assert any(np.allclose(after, row) for row in every)
    before = [what_if(plan, closures=f).after["covered"]["10"] for f in (None, *FLOODS)]
    assert made.scenarios["before"].tolist() == pytest.approx(before)
    assert sorted(made.sites["kind"]) == ["shop", "station"]


def test_spans_of_time_are_scenarios_and_no_trouble_is_told(plan: Plan) -> None:
    frames = [
        flood(9, 7, 300.0, **{"from": "2026-08-01 09:00", "until": "2026-08-01 10:00"}).frame,
        flood(5, 7, 250.0, **{"from": "2026-08-01 09:30", "until": "2026-08-01 11:00"}).frame,
    ]
    both = Closures(gpd.GeoDataFrame(gpd.pd.concat(frames)))
    made = suggest_robust(plan, both, stations=1, shops=0)
    assert made.scenarios["reports"].tolist() == ["open", "F9-7", "F9-7, F5-7", "F5-7"]
    with pytest.raises(InputError, match="holds no report"):
        suggest_robust(plan, flood(9, 7, 300.0, modes="drive"))
    with pytest.raises(InputError, match="whole numbers"):
        suggest_robust(plan, FLOODS, stations=-1)
    with pytest.raises(InputError, match="no candidates"):
        suggest_robust(suggest(plan.study, stations=0, shops=0), FLOODS, stations=1)


def test_trouble_may_be_a_frame_as_everywhere(plan: Plan) -> None:
    frame = FLOODS[0].frame
    one = suggest_robust(plan, FLOODS[0], stations=1, shops=0)
    for trouble in (frame, [frame]):
        made = suggest_robust(plan, trouble, stations=1, shops=0)
        assert made.scenarios.equals(one.scenarios)
        assert made.sites.index.tolist() == one.sites.index.tolist()
