"""Siting rules: each by hand on travel times written down, against brute force, and through every face."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import TOML, write_study
from test_suggestions import INF, candidates_of, choose, times_of, today_of
from typer.testing import CliRunner

from servicecircle import InfeasibleError, SitingRules, Step, load_study, suggest, write_outputs
from servicecircle._page.places import facility_places
from servicecircle._page.words import Words
from servicecircle.cli import app
from servicecircle.errors import InputError, StudyError
from servicecircle.report import plan_lines
from servicecircle.suggestions import choose_sites
from servicecircle.travel_times import travel_times
from servicecircle.writers import summary

FAR = 60.0


def chosen(minutes, today, ids="ABC", kinds=None, *, stations=1, shops=0, **rules):
    """Ids that are suggested, the figures, and all the rest."""
    ids = list(ids)
    more = {key: rules.pop(key) for key in ("facilities", "zone") if key in rules}
    made = choose(
        minutes, today, ids, kinds or ["station"] * len(ids), stations=stations, shops=shops,
        rules=SitingRules(**rules), **more,
    )  # fmt: skip
    return made.sites.index.tolist(), made


# ------------------------------------------------------------------------------------------------ one by one
def test_without_a_rule_nothing_changes():
    today, minutes = today_of([4, 20, 20], [5, 10, 20]), [[9, 9], [9, FAR], [FAR, 9]]
    plain = choose(minutes, today, ["A", "B"], ["station"] * 2, stations=1)
    _, ruled = chosen(minutes, today, "AB", station_cost=100.0)  # costs alone ask for nothing
    assert ruled.siting is None
    assert ruled.sites.equals(plain.sites)
    assert ruled.solution.objective == plain.solution.objective == 25


def test_decay_counts_a_rider_by_his_break():
    today = today_of([20, 20], [10, 7])
    minutes = [[12, FAR], [FAR, 8]]  # A reaches ten riders between 10 and 15 minutes, B seven within 10
    assert chosen(minutes, today, "AB")[0] == ["A"]
    ids, made = chosen(minutes, today, "AB", objective="decay")
    assert (ids, made.solution.objective) == (["B"], 7)  # 5 against 7
    ids, made = chosen(minutes, today, "AB", objective="decay", worth=(1, 0.9))
    assert (ids, made.solution.objective) == (["A"], 9)


def test_a_second_site_in_reach_counts_with_backup():
    today = today_of([4, 20], [30, 5])
    minutes = [[FAR, 8], [8, FAR]]  # A reaches five new riders, B thirty who have S1
    assert chosen(minutes, today, "AB")[0] == ["A"]
    ids, made = chosen(minutes, today, "AB", objective="backup")
    assert (ids, made.solution.objective) == (["B"], 45)
    assert made.sites["riders_gained"].tolist() == [0]
    ids, made = chosen(minutes, today, "AB", backup=0.1)
    assert (ids, made.solution.objective) == (["A"], 35)


def test_seats_tell_served_full_and_out_of_reach_apart():
    today = today_of([4, 20], [50, 10])
    minutes = [[8, FAR], [FAR, 8]]
    assert chosen(minutes, today, "AB")[0] == ["B"]
    ids, made = chosen(minutes, today, "AB", capacity=20)
    assert ids == ["A"]
    assert dataclasses.astuple(made.siting.before) == (20, 20, 30, 10)
    assert dataclasses.astuple(made.siting.after) == (40, 40, 10, 10)
    assert made.sites[["seats", "served"]].to_numpy().tolist() == [[20, 20]]
    assert "现有 1 处设施中有 1 处未注明容量，座位数按驿站 20 个、商铺 20 个计。" in [w.zh for w in made.warnings]


def test_seats_of_the_ledger_come_first():
    today = today_of([4, 20], [50, 10])
    ledger = pd.DataFrame({"capacity": ["约 60 人"]}, index=["S1"])
    ids, made = chosen([[8, FAR], [FAR, 8]], today, "AB", capacity=20, facilities=ledger)
    assert ids == ["B"]
    assert dataclasses.astuple(made.siting.after) == (80, 60, 0, 0)
    assert not any("未注明容量" in w.zh for w in made.warnings)


def test_every_zone_gets_its_floor_or_the_worst_comes_first():
    today = today_of([4, 20, 20], [50, 20, 10])
    minutes, zone = [[FAR, FAR], [8, FAR], [FAR, 8]], ["Z1", "Z1", "Z2"]
    assert chosen(minutes, today, "AB", must=(), alternatives=1, zone=zone)[0] == ["A"]
    for rule in ({"fair": 0.5}, {"fair": "worst"}, {"objective": "fair"}):
        ids, made = chosen(minutes, today, "AB", zone=zone, **rule)
        assert ids == ["B"]
        assert made.siting.zones["share"].to_dict() == {"Z1": pytest.approx(50 / 70), "Z2": 1}
    assert made.siting.worst_share == pytest.approx(50 / 70)
    with pytest.raises(InfeasibleError) as raised:
        chosen(minutes, today, "AB", zone=zone, fair=0.9)
    assert raised.value.zh == (
        "没有方案能满足全部要求：新增 1 处不够，至少需要 2 处。"
        "fair 要求的保底比例达不到：每个网格都能保证的比例，最高为 71.4%。"
    )


def test_a_zone_that_no_candidate_reaches_is_named():
    today = today_of([4, 20], [50, 10])
    with pytest.raises(InfeasibleError, match="Zone 北岸 cannot get") as raised:
        chosen([[FAR], [FAR]], today, "A", zone=["南岸", "北岸"], fair=0.1)
    assert "网格 北岸 达不到 fair 要求的保底比例：即使启用全部候选点，也只能覆盖 0%，" in raised.value.zh


def test_a_zone_out_of_reach_is_told_with_the_minutes_that_would_do(tmp_path: Path):
    study, rules = load_study(write_study(tmp_path)), SitingRules(fair=0.8, must_not=("C1",))
    with pytest.raises(InfeasibleError, match="no candidate reaches") as raised:
        suggest(study, stations=9, shops=9, rules=rules)
    (minutes,) = re.findall(r"largest break of ([\d.]+) minutes", raised.value.en)
    assert f"最大时限放宽到 {minutes} 分钟，启用全部候选点即可达到。" in raised.value.zh
    wide = suggest(study, stations=9, shops=9, minutes=(5, float(minutes)), rules=rules)
    assert wide.siting.zones["share"].min() >= 0.8 - 1e-9
    with pytest.raises(InfeasibleError):
        suggest(study, stations=9, shops=9, minutes=(5, float(minutes) - 0.1), rules=rules)


def test_a_zone_that_must_not_puts_out_of_reach_says_so(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    with pytest.raises(InfeasibleError, match=r"Without `must_not` it would be 95\.2 %") as raised:
        suggest(study, stations=2, shops=1, rules=SitingRules(fair=0.8, must_not=("C1",)))
    assert "不设 must_not 则为 95.2%。" in raised.value.zh


def test_as_many_sites_of_another_mix_are_told_as_that(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    with pytest.raises(InfeasibleError, match="2 new sites of another mix would"):
        suggest(study, stations=1, shops=1, rules=SitingRules(fair=0.87))


@pytest.mark.parametrize(
    ("keys", "option"),
    [
        (["--keep", "S1"], "--keep"),
        (["--move", "1", "--keep", "S9"], "--keep"),
        (["--budget", "5"], "--budget"),
        (["--fair", "0.99"], "--fair"),
    ],
)
def test_what_came_from_the_command_line_is_named_as_there(tmp_path: Path, keys: list[str], option: str):
    status, _, err = run("plan", write_study(tmp_path), *keys, "--out", tmp_path / "out")
    assert status == 1
    assert option in err
    assert not re.search(rf"(?<!-){option[2:]} ", err)


@pytest.mark.parametrize("seats", ["2.5", "-3", "7.25人"])
def test_seats_that_are_not_whole_are_told_with_their_row(tmp_path: Path, seats: str):
    folder = write_study(tmp_path)
    ledger = pd.read_csv(folder / "stations.csv").assign(容量=["12人", seats])
    ledger.to_csv(folder / "stations.csv", index=False)
    with pytest.raises(StudyError) as raised:
        load_study(folder)
    (fault,) = raised.value.faults
    assert (fault.row, fault.column) == (3, "容量")
    assert "应为不小于 0 的整数个座位" in fault.zh
    with pytest.raises(InputError, match="`capacity` must be whole seats"):
        SitingRules(capacity=2.5)


COSTS = pd.Series({"A": "8万元", "B": "40,000", "C": 40000}, dtype=object)


def money(minutes, today, **rules):
    frame = candidates_of(list("ABC"), ["station"] * 3)
    frame["cost"] = COSTS
    times = times_of(minutes, today.times.demand_ids, list("ABC"))
    return choose_sites(frame, times, today, stations=2, shops=0, rules=SitingRules(**rules))


def test_a_budget_buys_two_small_ones_in_place_of_the_large_one():
    today, minutes = today_of([20] * 3, [20, 12, 12]), [[8, FAR, FAR], [FAR, 8, FAR], [FAR, FAR, 8]]
    made = money(minutes, today, budget=80_000)
    assert made.sites["cost"].to_dict() == {"B": 40_000, "C": 40_000}
    assert made.siting.spent == 80_000
    assert money(minutes, today, budget=79_999).sites.index.tolist() == ["B"]
    assert money(minutes, today, budget=120_000).sites.index.tolist() == ["A", "B"]
    with pytest.raises(InfeasibleError) as raised:
        money(minutes, today, budget=50_000, must=("A",))
    assert raised.value.zh == "没有方案能满足全部要求：预算不够，至少需要 80,000 元。"
    assert raised.value.reasons[0].en == "The budget is too small; 80,000 yuan would do."


def test_a_budget_needs_costs():
    today = today_of([20], [1])
    with pytest.raises(InputError, match="`budget` needs the cost of every candidate, and 3 have none") as raised:
        chosen([[8, 8, 8]], today, budget=5)
    assert "请给出 station_cost" in raised.value.zh


def test_new_sites_keep_their_distance_from_each_other_and_from_those_of_today():
    # metres east: S1 at 0, A 0, B 1, C 2, D 3
    today = today_of([30, 20, 20, 20, 20], [1, 9, 8, 3, 2])
    minutes = np.full((5, 4), FAR)
    minutes[[1, 2, 3, 4], [0, 1, 2, 3]] = 8
    assert chosen(minutes, today, "ABCD", stations=2)[0] == ["A", "B"]
    assert chosen(minutes, today, "ABCD", stations=2, min_spacing_m=1.0)[0] == ["B", "C"]  # exactly 1 m is enough
    assert chosen(minutes, today, "ABCD", stations=2, min_spacing_m=1.5)[0] == ["C"]
    with pytest.raises(InfeasibleError, match="`min_spacing_m`"):
        chosen(minutes, today, "ABCD", stations=2, min_spacing_m=1.5, must=("A",))


def test_an_existing_site_moves_where_more_ride():
    today = today_of([4, 20], [5, 20])
    minutes = [[FAR], [8]]
    ids, made = chosen(minutes, today, "A", stations=0, move=1)
    assert (ids, made.siting.closed, made.solution.objective) == (["A"], ("S1",), 20)
    assert made.sites["riders_gained"].tolist() == [20]  # against those that stay
    ids, made = chosen(minutes, today, "A", stations=0, move=1, keep=("S1",))
    assert (ids, made.siting.closed, made.solution.objective) == ([], (), 5)
    ids, made = chosen(minutes, today, "A", stations=1, move=1)  # room for both: nothing is closed for nothing
    assert (ids, made.siting.closed, made.solution.objective) == (["A"], (), 25)


def test_sites_are_required_and_forbidden_by_id():
    today, minutes = today_of([20] * 3, [20, 12, 3]), [[8, FAR, FAR], [FAR, 8, FAR], [FAR, FAR, 8]]
    assert chosen(minutes, today, must=("C",))[0] == ["C"]
    assert chosen(minutes, today, must=("C",), stations=2)[0] == ["A", "C"]
    assert chosen(minutes, today, must_not=("A",))[0] == ["B"]
    both = ["both", "station", "both"]
    ids, _ = chosen([[3, 3, 3]] * 3, today, kinds=both, shops=1, must=("C",))
    assert "C" in ids  # as either kind
    with pytest.raises(InputError, match="`must` names X, no candidate that can be chosen"):
        chosen(minutes, today, must=("X",))
    with pytest.raises(InputError, match="`must` names 2 sites") as raised:
        chosen(minutes, today, must=("A", "C"))
    assert "请增加数量，或减少必选点" in raised.value.zh
    with pytest.raises(InputError, match="`keep` names S9, no open station or shop"):
        chosen(minutes, today, move=1, keep=("S9",))


def test_a_plan_in_steps_keeps_what_it_opened_and_tells_the_price():
    today = today_of([20] * 5, [2, 1, 2, 2, 2])
    minutes = np.where(np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 0], [1, 0, 0]]) == 1, 8, FAR)
    ids, made = chosen(minutes, today, stations=2, steps=(Step(stations=1),))
    assert (ids, made.sites["phase"].tolist()) == (["A", "B"], [1, 2])
    assert made.solution.objective == 5 + 9
    assert [(s.objective, s.alone, s.price) for s in made.siting.steps] == [(5, 5, 0), (9, 9, 0)]
    # now the middle one alone is worth 6, and the best pair leaves it out: A, B 10 against C and either
    heavier = today_of([20] * 5, [2, 2, 2, 2, 1])
    _, made = chosen(minutes, heavier, stations=2, steps=(Step(stations=1),))
    first, last = made.siting.steps
    assert first.price + last.price == 1  # 6 then 8, or 5 then 9: one rider is given up either way
    assert made.solution.objective == 14


def test_the_next_best_plans_and_the_curve():
    today, minutes = today_of([20] * 3, [5, 4, 3]), [[8, FAR, FAR], [FAR, 8, FAR], [FAR, FAR, 8]]
    ids, made = chosen(minutes, today, stations=2, alternatives=2, curve=3)
    assert (ids, made.solution.objective) == (["A", "B"], 9)
    others = [([i for i, _ in other.sites], other.less, other.gap) for other in made.siting.alternatives]
    assert others == [(["A", "C"], 1, 0), (["B", "C"], 2, 0)]
    assert [(c.stations, c.served, c.bound) for c in made.siting.curve] == [
        (0, 0, 0), (1, 5, 5), (2, 9, 9), (3, 12, 12),
    ]  # fmt: skip


def test_a_search_that_is_stopped_is_honest():
    rng = np.random.default_rng(3)
    n, m = 400, 60
    today = today_of(np.full(n, FAR), rng.integers(1, 9, n), breaks=(15.0,))
    minutes = np.where(rng.random((n, m)) < 0.06, 8, FAR)
    ids = [f"c{k:02}" for k in range(m)]
    rules = SitingRules(capacity=40)
    made = choose(minutes, today, ids, ["station"] * m, stations=12, rules=rules, time_limit_s=0.01)
    assert made.solution.objective <= made.solution.bound
    assert (made.solution.status == "optimal") == (made.solution.gap == 0)


# ---------------------------------------------------------------------------------------------------- brute force
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_mix_of_rules_is_as_good_as_the_best_of_all_subsets(data):
    n, m = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4))
    near = st.sampled_from([3.0, 10.0, 10.5, 15.0, FAR])
    minutes = np.array(data.draw(st.lists(near, min_size=n * m, max_size=n * m))).reshape(n, m)
    old = np.array(data.draw(st.lists(near, min_size=n, max_size=n)))
    weight = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)), float)
    if not weight.any():
        weight[0] = 1
    worth = data.draw(st.sampled_from([(1.0, 1.0), (1.0, 0.5), (1.0, 0.0)]))
    backup = data.draw(st.sampled_from([None, 0.3, 1.0]))
    budget = float(data.draw(st.integers(0, 6)))
    spacing = data.draw(st.sampled_from([0.0, 1.0, 1.5, 2.5]))
    cost = np.array(data.draw(st.lists(st.integers(0, 4), min_size=m, max_size=m)), float)
    stations = data.draw(st.integers(1, m))
    ids = [f"c{k}" for k in range(m)]
    frame = candidates_of(ids, ["station"] * m).assign(cost=cost)
    today = today_of(old, weight)
    rules = SitingRules(objective="decay", worth=worth, backup=backup, budget=budget, min_spacing_m=spacing)
    made = choose_sites(
        frame, times_of(minutes, today.times.demand_ids, ids), today, stations=stations, shops=0, rules=rules
    )

    def value(sites):
        at = np.column_stack([old, *(minutes[:, j] for j in sites)])
        w = np.sort(np.select([at <= 10, at <= 15], worth, 0.0), axis=1)[:, ::-1]
        second = w[:, 1] if w.shape[1] > 1 else 0.0
        return float((weight * (w[:, 0] + (backup or 0.0) * second)).sum())

    def holds(sites):
        apart = all(abs(a - b) >= spacing for a, b in itertools.combinations(sites, 2))
        return apart and all(j >= spacing for j in sites) and cost[list(sites)].sum() <= budget  # S1 at 0 m

    best = max(
        value(sites) for k in range(stations + 1) for sites in itertools.combinations(range(m), k) if holds(sites)
    )
    got = sorted(ids.index(i) for i in made.sites.index)
    assert holds(got)
    assert len(got) <= stations
    assert value(got) == pytest.approx(best)
    assert made.solution.objective == pytest.approx(best)
    assert made.solution.status == "optimal"


# --------------------------------------------------------------------------------------------- what is not allowed
@pytest.mark.parametrize(
    ("rules", "words", "zh"),
    [
        ({"keep": ("S1",)}, "`keep` only counts where existing sites may move", "keep 仅在允许迁移时有效"),
        ({"worth": (1, 0.5)}, "`worth` only counts with `objective` decay", "worth 仅在 objective 为 decay 时有效"),
        ({"objective": "decay", "worth": (0.5, 1)}, "must go from 1 down to 0", "不上升的数"),
        ({"backup": 0}, "`backup` must be above 0", "backup 应大于 0"),
        ({"fair": 1.5}, "`fair` must be a share", "fair 应为 0 到 1"),
        ({"fair": 0.5, "objective": "fair"}, "two rules: keep one", "只能取一个"),
        ({"must": ("A",), "must_not": ("A",)}, "both name 'A'", "都列出了“A”"),
        ({"budget": -1}, "`budget` must be >= 0", "budget 不能为负"),
        ({"capacity": math.nan}, "`capacity` must be >= 0", "capacity 不能为负"),
        ({"objective": "most"}, "`objective` must be one of riders, backup, decay, fair", "objective 只能是"),
        ({"fair": "best"}, "`fair` must be a share or", "fair 应为比例或 worst"),
        ({"move": 1.5}, "`move` must be a whole number", "move 应为不小于 0 的整数"),
        ({"alternatives": -1}, "`alternatives` must be a whole number", "alternatives 应为"),
        ({"must": "C1"}, "`must` must be a list", "must 应为列表"),
        ({"steps": (Step(2), Step(1))}, "must not shrink", "不能逐期减少"),
        ({"steps": (Step(1),), "curve": 3}, "take out `steps` or `curve`", "请删去 steps 或 curve"),
    ],
)
def test_rules_that_contradict_each_other_are_refused(rules, words, zh):
    with pytest.raises(InputError) as raised:
        SitingRules(**rules)
    assert words in raised.value.en
    assert zh in raised.value.zh


def suggest_keys(*lines: str) -> str:
    return TOML.replace("[suggest]\n", "[suggest]\n" + "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('objective = "rider"', "must be one of riders, decay, backup, fair (did you mean 'riders'?)"),
        ("worth = []", "must be a list of shares"),
        ("worth = [2]", "must be a share from 0 to 1"),
        ("backup = 0", "must be a share above 0"),
        ('fair = "best"', 'must be a share from 0 to 1, or "worst"'),
        ("budget = -5", "must be a number, 0 or more"),
        ("move = 1.5", "must be a whole number"),
        ('keep = "S1"', 'must be a list of ids, e.g. ["C1"]'),
        ("alternatives = 101", "must be a whole number up to 100"),
        ("steps = [1]", "must be a list of steps"),
        ("steps = [{ station = 1 }]", "knows no key `station` in a step"),
        ("steps = [{ stations = 9 }]", "ends above what is asked for"),
        ('keep = ["S1"]', "only counts where existing sites may move"),
        ('objective = "decay"\nworth = [1]', "must hold a number for each of the 2 breaks"),
        ("time_limit_s = 0", "must be a number above 0"),
        ('move = 1\nkeep = ["S9"]', "names S9, no station or shop of the study"),
        ("station_cost = 5\nbudget = 9", "needs the cost of every candidate: add `shop_cost` (yuan)"),
    ],
)
def test_a_wrong_rule_in_study_toml_is_told_with_key_and_line(tmp_path: Path, line: str, words: str):
    with pytest.raises(StudyError) as raised:
        load_study(write_study(tmp_path, suggest_keys(*line.split("\n"))))
    (fault,) = raised.value.faults
    assert words in fault.en
    assert fault.zh != fault.en
    rows = (tmp_path / "study.toml").read_text(encoding="utf-8").splitlines()
    assert rows[fault.row - 1].startswith(fault.column.removeprefix("suggest."))


def test_fairness_without_zones_is_told_at_its_key(tmp_path: Path):
    toml = suggest_keys('fair = "worst"').replace('[zones]\nfile = "zones.geojson"\n', "")
    with pytest.raises(StudyError) as raised:
        load_study(write_study(tmp_path, toml))
    (fault,) = raised.value.faults
    assert (fault.column, fault.zh) == ("suggest.fair", "需要网格或社区：请添加 [zones] file。")
    study = load_study(write_study(tmp_path, TOML))
    with pytest.raises(InputError, match="`fair` needs zones"):
        suggest(dataclasses.replace(study, zones=None), rules=SitingRules(fair=0.5))


# ------------------------------------------------------------------------------------------- a study, and its files
EVERY_KEY = (
    'objective = "decay"', "worth = [1, 0.5]", "backup = 0.2", 'fair = "worst"', "budget = 100000",
    "station_cost = 50000", "shop_cost = 5000", "capacity = 20", "shop_capacity = 6", "min_spacing_m = 100",
    "move = 1", 'keep = ["S1"]', 'must = ["C2"]', 'must_not = ["C3"]', "steps = [{ stations = 1 }]",
    "alternatives = 2", "time_limit_s = 30",
)  # fmt: skip


def test_every_key_of_a_study_reaches_the_plan_and_its_files(tmp_path: Path):
    study = load_study(write_study(tmp_path / "study", suggest_keys(*EVERY_KEY)))
    assert study.suggest.time_limit_s == 30
    plan = suggest(study)
    assert plan.siting.rules == study.siting
    assert plan.solution.status == "optimal"
    write_outputs(plan, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    siting = told["siting"]
    stated = {line.split(" = ")[0] for line in EVERY_KEY} - {"time_limit_s"}
    assert {row["rule"] for row in siting["rules"]} == stated
    assert siting["cost"] == {"budget": 100000, "spent": math.fsum(s["cost"] for s in told["suggestions"])}
    after = siting["after"]
    assert after["served"] + after["full"] + after["unreached"] == pytest.approx(told["after"]["riders"])
    assert after["served"] == pytest.approx(
        siting["before"]["served"] + math.fsum(s["served"] for s in told["suggestions"]), abs=12
    )
    assert "C2" in {s["id"] for s in told["suggestions"]}
    assert "C3" not in {s["id"] for s in told["suggestions"]}
    assert len(siting["alternatives"]) == 2
    assert [len(step["sites"]) for step in siting["steps"]] == sorted(
        len(step["sites"]) for step in siting["steps"]
    )
    assert all(0 <= zone["share"] <= 1 for zone in siting["zones"])
    page = (tmp_path / "out" / "map.html").read_text(encoding="utf-8")
    for word in ("目标与规则", "可达但已满", "备选方案 1", "第 1 期"):
        assert word in page
    layer = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="suggestions")
    assert {"cost", "phase", "seats", "served"} <= set(layer.columns)
    assert any(line.startswith("  座位：服务中 ") for line in plan_lines(plan))


def test_riders_covered_by_the_model_are_those_of_the_coverage(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    plan = suggest(study, rules=SitingRules(must=("C3",), min_spacing_m=300))
    covered = math.fsum(plan.after.weight[plan.after.covered[:, -1]])
    assert plan.solution.objective == pytest.approx(covered)
    assert plan.siting.after.served == pytest.approx(covered)
    assert plan.siting.before.served == pytest.approx(math.fsum(plan.before.weight[plan.before.covered[:, -1]]))


def test_a_move_closes_a_site_in_the_coverage_and_on_the_map(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    plan = suggest(study, stations=0, shops=0, rules=SitingRules(move=1))
    (closed,) = plan.siting.closed
    assert closed in plan.facilities.index
    assert closed not in plan.after.times.facility_ids
    assert len(plan.sites) == 1
    covered = math.fsum(plan.after.weight[plan.after.covered[:, -1]])
    assert plan.solution.objective == pytest.approx(covered)
    assert covered > math.fsum(plan.before.weight[plan.before.covered[:, -1]])
    lines = plan_lines(plan)
    assert any(line.startswith("  迁出：") for line in lines)
    assert summary(plan)["siting"]["closed"] == [closed]
    kind = plan.facilities.loc[closed, "kind"]
    (place,) = [place for place in facility_places(plan, kind, Words("zh")) if place.get("leaves")]
    assert place["name"] == plan.facilities.loc[closed, "name"]
    assert place["card"]["rows"][0] == ["建议实施后", "关闭，迁往新址"]


@pytest.mark.slow
def test_the_same_study_gives_the_same_plan_twice(tmp_path: Path):
    study = load_study(write_study(tmp_path, suggest_keys(*EVERY_KEY)))
    one, other = (summary(suggest(study)) for _ in range(2))
    assert one == other


def test_a_study_without_facilities_without_riders_or_without_anything_asked(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    bare = suggest(dataclasses.replace(study, stations=None, shops=None), rules=SitingRules(capacity=20, move=1))
    assert dataclasses.astuple(bare.siting.before)[:3] == (0, 0, 0)
    assert bare.siting.after.served > 0
    empty = suggest(dataclasses.replace(study, depots=study.depots.assign(riders=0.0)), rules=SitingRules(fair=0.9))
    assert (len(empty.sites), empty.siting.after.served) == (0, 0)
    today = suggest(study, stations=0, shops=0, rules=SitingRules(capacity=20))
    assert today.siting.before == today.siting.after
    for plan in (bare, empty, today):
        json.dumps(summary(plan), allow_nan=False)
        assert plan_lines(plan)


# -------------------------------------------------------------------------------------------------- command line
def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="servicecircle")
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.slow
def test_options_of_the_command_line_change_the_rules_of_the_study(tmp_path: Path):
    folder = write_study(tmp_path / "study", suggest_keys("station_cost = 50000", "shop_cost = 5000"))
    options = ["--objective", "decay", "--budget", 60000, "--capacity", 20, "--backup", 0.2, "--fair", 0.1]
    options += [
        "--spacing",
        50,
        "--move",
        1,
        "--keep",
        "S1",
        "--keep",
        "P1",
        "--alternatives",
        1,
        "--time-limit",
        20,
    ]
    status, out, _ = run("plan", folder, *options, "--out", tmp_path / "out")
    assert status == 0
    assert "已证明最优：在所选目标和规则下没有更好的方案。" in out
    assert "备选方案 1：" in out
    told = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["siting"]
    assert {row["rule"]: row["value"] for row in told["rules"]} == {
        "objective": "decay", "budget": 60000, "capacity": 20, "backup": 0.2, "fair": 0.1, "min_spacing_m": 50,
        "move": 1, "keep": ["S1", "P1"], "alternatives": 1, "station_cost": 50000, "shop_cost": 5000,
    }  # fmt: skip


@pytest.mark.slow
def test_what_cannot_be_had_ends_with_its_reasons_and_today_in_the_folder(tmp_path: Path):
    folder, out = write_study(tmp_path / "study"), tmp_path / "out"
    status, told, err = run("plan", folder, "--fair", 0.9, "--out", out)
    assert status == 1
    assert err.startswith("错误：没有方案能满足全部要求：网格 Z1 达不到 --fair 要求的保底比例")
    assert told.startswith(f"结果文件夹：{out}（只有现状")
    summary_told = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary_told["solution"]["status"] == "infeasible"
    assert summary_told["solution"]["gap"] is None
    assert summary_told["before"] == summary_told["after"]
    assert summary_told["suggestions"] == []
    assert any("网格 Z1 达不到 fair 要求的保底比例" in one for one in summary_told["infeasible"]["reasons"])
    page = (out / "map.html").read_text(encoding="utf-8")
    assert "没有满足条件的方案：网格 Z1 达不到" in page
    rows = pd.read_csv(out / "infeasible.csv")
    assert list(rows["riders"]) == sorted(rows["riders"], reverse=True)
    plain = suggest(load_study(folder))
    by_hand = out_of_reach_by_hand(plain, ())
    assert rows.set_index("demand_id")["riders"].to_dict() == pytest.approx(by_hand)
    assert summary_told["infeasible"]["riders_out_of_reach"] == pytest.approx(math.fsum(by_hand.values()))
    run("plan", folder, "--out", out)  # a plan that there is leaves nothing of it behind
    assert not (out / "infeasible.csv").exists()
    assert "infeasible" not in json.loads((out / "summary.json").read_text(encoding="utf-8"))


def out_of_reach_by_hand(plan, left_out):
    """Riders of each demand point that no facility and no candidate reaches, from dense times of each pair."""
    limit, found = 60.0 * plan.study.minutes[-1], {}
    own = 60.0 * plan.study.shop_minutes
    for frame in (plan.facilities, plan.candidates[~plan.candidates.index.isin(left_out)]):
        seconds = travel_times(plan.network, plan.demand, frame[["geometry"]], cutoff_s=limit).to_array()
        most = np.where(frame["kind"] == "shop", min(own, limit), limit)
        for i, near in zip(plan.demand.index, (seconds <= most).any(axis=1), strict=True):
            found[str(i)] = found.get(str(i), False) or bool(near)
    riders = plan.demand["weight"]
    return {i: float(riders[i]) for i in riders.index if not found[str(i)] and riders[i] > 0}


def test_sites_that_may_not_be_chosen_reach_nobody(tmp_path: Path):
    study = load_study(write_study(tmp_path))
    with pytest.raises(InfeasibleError) as raised:
        suggest(study, stations=2, shops=1, rules=SitingRules(fair=0.8, must_not=("C1",)))
    told = raised.value.plan.unmet
    assert told.reasons == raised.value.reasons
    by_hand = out_of_reach_by_hand(raised.value.plan, ["C1"])
    assert told.out_of_reach["riders"].to_dict() == pytest.approx(by_hand)
    assert set(told.out_of_reach["zone_id"]) <= {"Z1", "Z2"}


@pytest.mark.parametrize(
    ("option", "value"),
    [("--objective", "most"), ("--budget", -1), ("--backup", 2), ("--fair", "best"), ("--time-limit", 0)],
)
def test_a_wrong_value_of_an_option_is_told(tmp_path: Path, option: str, value: object):
    status, _, err = run("plan", write_study(tmp_path), option, value, "--out", tmp_path / "out")
    assert status == 2
    assert f"命令有误：{option} 应" in err


# ------------------------------------------------------------------------------------------------- a real network
@pytest.mark.slow
def test_rules_on_the_streets_of_a_campus(shared_data: Path, tmp_path: Path):
    import servicecircle as sc

    roads = shared_data / "beijing_tsinghua.osm.pbf"
    network = sc.read_network(roads)
    xy = gpd.GeoSeries(gpd.points_from_xy(*network.node_xy[:: network.n_node // 3][:3].T), crs=network.crs)
    ledger = pd.DataFrame({"id": ["S1", "S2", "S3"], "capacity": [10, 8, ""], "name": list("abc")})
    degrees = xy.to_crs("EPSG:4326")
    ledger.assign(lon=degrees.x, lat=degrees.y).to_csv(tmp_path / "stations.csv", index=False)
    (tmp_path / "study.toml").write_text(
        f'minutes = [5, 10]\n[network]\nfile = {json.dumps(str(roads))}\n[stations]\nfile = "stations.csv"\n'
        "[suggest]\nstations = 3\nmin_spacing_m = 800\nspacing_m = 400\ncapacity = 12\nstation_cost = 30000\n"
        "budget = 70000\nalternatives = 1\n",
        encoding="utf-8",
    )
    plan = sc.suggest(sc.load_study(tmp_path), time_limit_s=30)
    assert len(plan.sites) == 2  # three would cost 90,000
    assert plan.siting.spent == 60_000
    points = list(plan.sites.to_crs(network.crs).geometry)
    every = [*points, *xy]
    assert all(a.distance(b) >= 800 - 0.1 for a in points for b in every if a is not b)
    after = plan.siting.after
    assert after.seats == 10 + 8 + 12 + 2 * 12
    assert after.served <= after.seats + 1e-6
    assert after.served + after.full + after.unreached == pytest.approx(100)
    assert plan.solution.objective == pytest.approx(after.served)
    assert plan.solution.status == "optimal" or plan.solution.gap > 0
    assert INF > plan.solution.bound >= plan.solution.objective


@pytest.mark.parametrize("name", ["budget", "station_cost", "capacity", "min_spacing_m", "backup"])
@pytest.mark.parametrize("value", ["x", [1], 1j])
def test_a_rule_that_is_no_number_is_told(name, value):
    with pytest.raises(InputError, match=f"`{name}` must be"):
        SitingRules(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", (1,)), ("steps", Step(1)), ("steps", None), ("steps", ({"stations": 1},)),
        ("steps", (Step(stations=-1),)), ("steps", (Step(stations=1.5),)), ("steps", (Step(shops=None),)),
        ("steps", (Step(1, budget=math.nan),)), ("steps", (Step(1, budget=-1), Step(2, budget="x"))),
        ("fair", [1]), ("fair", {}), ("fair", True), ("must", (1, 2)), ("must", 1), ("must", b"A"),
        ("must", ([1],)), ("must_not", None), ("keep", None), ("keep", (3,)),
        ("worth", ("a",)), ("worth", 1.0), ("worth", (None,)), ("worth", ()),
        ("budget", True), ("budget", 10**400), ("backup", True), ("alternatives", 10**9), ("curve", 10**9),
    ],
)  # fmt: skip
def test_a_rule_of_a_wrong_kind_is_told_by_its_name(name, value):
    more = {"objective": "decay"} if name == "worth" else {}
    with pytest.raises(InputError, match=f"`{name}` must"):
        SitingRules(**{name: value}, **more)


def test_a_least_share_of_another_float_type_counts():
    assert SitingRules(fair=np.float32(0.5)).floor == 0.5
