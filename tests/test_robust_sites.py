"""Sites that hold in trouble: the best of all choices, counted one by one."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import BLOCK_M, CRS, ORIGIN, TOML, degrees, write_study
from test_suggestions import candidates_of, times_of, today_of
from typer.testing import CliRunner

from servicecircle import Closures, SitingRules, load_study, suggest, suggest_robust, what_if
from servicecircle.cli import app
from servicecircle.errors import InputError, StudyError
from servicecircle.explanations import explain_plan
from servicecircle.model import Plan
from servicecircle.scenarios import Scenario
from servicecircle.suggestions import choose_sites


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


# ------------------------------------------------------------------------------------------- with the other rules
COSTS = {"C1": 30_000.0, "C2": 20_000.0, "C3": 4_000.0, "C4": 9_000.0}
RULES = {
    "alone": {},
    "budget": {"budget": 25_000.0},
    "spacing": {"min_spacing_m": 450.0},
    "must": {"must": ("C4",)},
    "must not": {"must_not": ("C1",), "budget": 40_000.0},
}


def together(floods: list[Closures]) -> Closures:
    """Reports that hold one after the other."""
    frames = [
        one.frame.assign(**{"from": f"2026-08-0{k} 09:00", "until": f"2026-08-0{k} 10:00"})
        for k, one in enumerate(floods, 1)
    ]
    return Closures(gpd.GeoDataFrame(pd.concat(frames)))


@pytest.fixture(scope="module")
def every_choice(plan: Plan) -> dict[frozenset[tuple[str, str]], np.ndarray]:
    """Riders covered in every scenario, open roads first, by up to a station and a shop."""
    able = {
        kind: plan.candidates.index[plan.candidates["kind"].isin([kind, "both"])].tolist()
        for kind in ("station", "shop")
    }
    found = {}
    for s, p in itertools.product([None, *able["station"]], [None, *able["shop"]]):
        if s is not None and s == p:
            continue
        sites = [(i, kind) for i, kind in ((s, "station"), (p, "shop")) if i is not None]
        ids, kinds = [i for i, _ in sites], [kind for _, kind in sites]
        add = plan.candidates.loc[ids, ["name", "geometry"]].assign(kind=kinds) if sites else None
        found[frozenset(sites)] = np.array(
            [what_if(plan, add=add, closures=f).after["covered"]["10"] for f in (None, *FLOODS)]
        )
    return found


def keeps(plan: Plan, sites: frozenset[tuple[str, str]], rules: dict) -> bool:
    ids = [i for i, _ in sites]
    at = plan.candidates.to_crs(plan.network.crs).geometry
    old = plan.facilities.to_crs(plan.network.crs).geometry
    apart = [at[a].distance(at[b]) for a, b in itertools.combinations(ids, 2)]
    apart += [at[a].distance(one) for a in ids for one in old]
    return (
        sum(COSTS[i] for i in ids) <= rules.get("budget", np.inf)
        and set(rules.get("must", ())) <= set(ids)
        and not set(rules.get("must_not", ())) & set(ids)
        and min(apart, default=np.inf) >= rules.get("min_spacing_m", 0.0)
    )


def robust_plan(plan: Plan, robust: float, rules: dict) -> Plan:
    costs = plan.study.candidates.assign(cost=plan.study.candidates.index.map(COSTS))
    suggest_rule = dataclasses.replace(plan.study.suggest, stations=1, shops=1)
    study = dataclasses.replace(plan.study, candidates=costs, suggest=suggest_rule, closures=together(FLOODS))
    return suggest(study, rules=SitingRules(robust=robust, **rules))


def worth(after: np.ndarray, robust: float) -> float:
    return float((1 - robust) * after.mean() + robust * after.min())


@pytest.mark.parametrize("robust", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", RULES)
def test_a_robust_plan_keeps_the_other_rules_and_is_the_best_of_all_that_do(
    plan: Plan, every_choice: dict, name: str, robust: float
) -> None:
    made = robust_plan(plan, robust, RULES[name])
    able = {sites: worth(v, robust) for sites, v in every_choice.items() if keeps(plan, sites, RULES[name])}
    assert made.solution.status == "optimal"
    assert made.solution.objective == pytest.approx(max(able.values()))
    sites = frozenset(zip(made.sites.index, made.sites["kind"], strict=True))
    assert able[sites] == pytest.approx(made.solution.objective)
    told = made.siting.scenarios
    assert [one.reports for one in told] == [(), ("F9-7",), ("F5-7",), ("F2-4.5",)]
    assert [one.after for one in told] == pytest.approx(every_choice[sites].tolist())
    assert [one.before for one in told] == pytest.approx(every_choice[frozenset()].tolist())


@pytest.mark.slow
def test_reasons_of_a_robust_plan_are_those_of_every_plan_there_is(plan: Plan, every_choice: dict) -> None:
    made = robust_plan(plan, 0.7, {"budget": 35_000.0})
    why = explain_plan(made, draws=2)
    able = {sites: worth(v, 0.7) for sites, v in every_choice.items() if keeps(plan, sites, {"budget": 35_000.0})}
    best = made.solution.objective
    sites = frozenset(zip(made.sites.index, made.sites["kind"], strict=True))
    for one in sites:
        i, kind = one
        row = why.sites.loc[i]
        rest = sites - {one}
        others = {other for other in able if i not in {j for j, _ in other}}
        assert row["lost_others_stay"] == pytest.approx(best - able[rest])
        assert row["lost_replaced"] == pytest.approx(best - max(able[other] for other in others))
        counts = [k for _, k in rest]
        fewer = [
            o for o in others if all([k for _, k in o].count(k) <= counts.count(k) for k in ("station", "shop"))
        ]
        assert row["lost_one_fewer"] == pytest.approx(best - max(able[other] for other in fewer))
        taken = {j for j, _ in sites}
        able_swaps = {
            j: best - able[rest | {(j, kind)}]
            for j in set(plan.candidates.index) - taken
            if rest | {(j, kind)} in able and able[rest | {(j, kind)}] > able[rest] + 1e-9
        }
        own = why.substitutes[why.substitutes["id"] == i].set_index("substitute_id")["loss"].to_dict()
        assert own == pytest.approx({j: loss for j, loss in able_swaps.items() if loss <= 0.05 * best})
    assert why.changes["is_proven"].all()
    assert (why.changes["best"] >= why.changes["kept"] - 1e-6).all()
    assert why.n_left == 0


@pytest.mark.slow
@pytest.mark.parametrize(("fair", "robust"), [(0.24, 1.0), (0.1, 0.0), ("worst", 0.5)])
def test_a_least_share_holds_in_every_scenario_and_the_worst_zone_is_that_of_all(
    plan: Plan, fair: float | str, robust: float
) -> None:
    made = robust_plan(plan, robust, {"fair": fair})
    able = {}
    for s, p in itertools.product([None, "C1", "C2"], [None, "C2", "C3", "C4"]):
        sites = [(i, kind) for i, kind in ((s, "station"), (p, "shop")) if i is not None]
        if s is not None and s == p:
            continue
        ids, kinds = [i for i, _ in sites], [kind for _, kind in sites]
        add = plan.candidates.loc[ids, ["name", "geometry"]].assign(kind=kinds) if sites else None
        told = [what_if(plan, add=add, closures=f) for f in (None, *FLOODS)]
        share = min(float((one.zones["after_10"] / one.zones["riders"]).min()) for one in told)
        able[frozenset(sites)] = (share, worth(np.array([one.after["covered"]["10"] for one in told]), robust))
    if fair == "worst":
        most = max(share for share, _ in able.values())
        best = max(value for share, value in able.values() if share >= most - 1e-9)
        assert made.siting.worst_share == pytest.approx(most)
    else:
        best = max(value for share, value in able.values() if share >= fair)
    assert made.solution.status == "optimal"
    assert made.solution.objective == pytest.approx(best)
    why = explain_plan(made, draws=0)
    for i, kind in zip(made.sites.index, made.sites["kind"], strict=True):
        rest = able[frozenset(zip(made.sites.index, made.sites["kind"], strict=True)) - {(i, kind)}]
        lost = why.sites.loc[i, "lost_others_stay"]
        if fair != "worst" and rest[0] < fair:
            assert np.isnan(lost)
            assert why.sites.loc[i, "needed_by"] == "fair"
        else:
            assert lost == pytest.approx(best - rest[1])


@pytest.mark.slow
def test_robust_comes_from_the_study_and_from_the_command_line(tmp_path: Path) -> None:
    toml = TOML.replace("[suggest]\n", "[suggest]\nrobust = 1\n") + '\n[closures]\nfile = "closures.csv"\n'
    folder = write_study(tmp_path / "study", toml)
    point = degrees((9, 7))
    rows = {"编号": ["R1"], "名称": ["涵洞积水"], "经度": point["经度"], "纬度": point["纬度"], "半径": ["300米"]}
    pd.DataFrame(rows).to_csv(folder / "closures.csv", index=False)
    assert load_study(folder).siting.robust == 1
    done = CliRunner().invoke(app, ["plan", str(folder), "--robust", "0.25", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["siting"]
    assert {"rule": "robust", "value": 0.25} in told["rules"]
    assert [one["reports"] for one in told["scenarios"]] == [[], ["R1"]]
    assert "路况 涵洞积水：" in done.output
    assert "（最差情形占 25.0%，其余取平均）" in done.output


def test_robust_without_reports_is_told(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`robust` needs reports of trouble"):
        suggest(plan.study, rules=SitingRules(robust=1))
    with pytest.raises(InputError, match="`robust` must be a share from 0 to 1"):
        SitingRules(robust=2)
    with pytest.raises(StudyError) as raised:
        load_study(write_study(tmp_path, TOML.replace("[suggest]\n", "[suggest]\nrobust = 1\n")))
    (fault,) = raised.value.faults
    assert (fault.column, fault.zh) == ("suggest.robust", "需要路况报告：请添加 [closures] file。")
    others = dataclasses.replace(plan.study, closures=flood(9, 7, 300.0, modes="drive"))
    made = suggest(others, rules=SitingRules(robust=1))
    assert made.solution.objective == plan.solution.objective
    assert made.siting.scenarios == ()
    assert "没有与所用出行方式有关的路况报告：robust 不起作用。" in [w.zh for w in made.warnings]


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_mix_of_rules_with_trouble_is_as_good_as_the_best_of_all_subsets(data: st.DataObject) -> None:
    n, m, n_trouble = (data.draw(st.integers(1, most)) for most in (5, 4, 2))
    near = st.sampled_from([3.0, 10.0, 10.5, 15.0, 60.0])

    def drawn(width: int) -> np.ndarray:
        return np.array(data.draw(st.lists(near, min_size=n * width, max_size=n * width))).reshape(n, width)

    minutes, old = [drawn(m) for _ in range(1 + n_trouble)], [drawn(1) for _ in range(1 + n_trouble)]
    weight = np.array(data.draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)), float)
    robust, budget = data.draw(st.sampled_from([0.0, 0.4, 1.0])), float(data.draw(st.integers(0, 6)))
    backup = data.draw(st.sampled_from([None, 0.3]))
    seats = data.draw(st.sampled_from([None, 3.0, 6.0]))
    cost = np.array(data.draw(st.lists(st.integers(0, 4), min_size=m, max_size=m)), float)
    ids = [f"c{k}" for k in range(m)]
    frame = candidates_of(ids, ["station"] * m).assign(cost=cost)
    today = today_of(old[0], weight)
    trouble = [
        Scenario((f"R{k}",), times_of(minutes[k], today.times.demand_ids, ids), today_of(old[k], weight).times)
        for k in range(1, 1 + n_trouble)
    ]
    rules = SitingRules(robust=robust, budget=budget, backup=backup, capacity=seats)
    made = choose_sites(
        frame, times_of(minutes[0], today.times.demand_ids, ids), today, stations=m, shops=0, rules=rules,
        scenarios=trouble,
    )  # fmt: skip

    def value(sites: tuple[int, ...]) -> float:
        each = []
        for k in range(1 + n_trouble):
            reach = np.column_stack([old[k], minutes[k][:, list(sites)]]) <= 15
            first = weight @ reach.any(axis=1) if seats is None else most_seated(reach, weight, seats)
            each.append(first + (backup or 0.0) * (weight @ (reach.sum(axis=1) > 1)))
        return worth(np.array(each), robust)

    best = max(
        value(sites)
        for k in range(m + 1)
        for sites in itertools.combinations(range(m), k)
        if cost[list(sites)].sum() <= budget
    )
    got = tuple(sorted(ids.index(i) for i in made.sites.index))
    assert cost[list(got)].sum() <= budget
    assert value(got) == pytest.approx(best)
    assert made.solution.objective == pytest.approx(best)
    assert made.solution.status == "optimal"


def most_seated(reach: np.ndarray, weight: np.ndarray, seats: float) -> float:
    """Most riders with a seat, by the theorem of Hall: the least over all sets of sites of what can stop them."""
    n_site = reach.shape[1]
    least = []
    for k in range(n_site + 1):
        for full in itertools.combinations(range(n_site), k):
            others = np.setdiff1d(np.arange(n_site), full)
            least.append(seats * len(full) + weight @ reach[:, others].any(axis=1))
    return float(min(least))
