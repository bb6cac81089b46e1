"""Reasons for plans by rules: against every plan there is, on a small town; figures made again from dense times."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import signal
import threading
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.optimize import linprog
from studies import BLOCK_M, CRS, ORIGIN, write_study

from servicecircle import explanations
from servicecircle._page.reasons import closing_lines, reason_line
from servicecircle._page.words import Words
from servicecircle.cases import plan_times
from servicecircle.changes import changed_cases, question_at
from servicecircle.errors import InputError
from servicecircle.explanations import explain_plan
from servicecircle.maps import draw_map
from servicecircle.model import Explanation, Plan, Study, SuggestRule
from servicecircle.pipeline import Roads, read_roads, suggest
from servicecircle.report import plan_lines
from servicecircle.siting_rules import SitingRules, Step
from servicecircle.study import load_study
from servicecircle.travel_times import travel_times
from servicecircle.writers import explanation_figures, write_outputs

KINDS = ("station", "shop")
#: candidates: blocks east and north of the corner, what each may become, yuan, seats
LISTED = [
    ((9, 7), "station", 30_000, 12),
    ((5, 7), "both", 20_000, 9),
    ((11, 6), "shop", 4_000, 6),
    ((1, 7), "both", 9_000, 5),
    ((8, 6), "station", 50_000, 20),
    ((8.5, 6), "shop", 3_000, 4),
]
CASES = {
    "budget": SitingRules(budget=60_000),
    "seats": SitingRules(capacity=10, shop_capacity=4),
    "backup": SitingRules(backup=0.4),
    "decay": SitingRules(objective="decay", worth=(1, 0.25)),
    "floor": SitingRules(fair=0.3),
    "worst": SitingRules(fair="worst"),
    "spacing": SitingRules(min_spacing_m=400),
    "move": SitingRules(move=1, keep=("S2",)),
    "must": SitingRules(must=("C3",), must_not=("C1",)),
    "steps": SitingRules(steps=(Step(1, 0), Step(1, 1))),
    "seats and decay": SitingRules(objective="decay", capacity=8, min_spacing_m=300, budget=80_000),
    "seats and worst": SitingRules(fair="worst", capacity=9),
    "steps and seats": SitingRules(steps=(Step(1, 0),), capacity=10),
    "all but seats": SitingRules(objective="decay", backup=0.3, fair=0.1, budget=90_000, move=1, min_spacing_m=200),
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Roads]:
    study = load_study(write_study(tmp_path_factory.mktemp("study") / "town"))
    points = gpd.GeoSeries(shapely.points(np.array([at for at, *_ in LISTED]) * BLOCK_M + ORIGIN), crs=CRS)
    _, kinds, cost, seats = zip(*LISTED, strict=True)
    candidates = gpd.GeoDataFrame(
        {"name": [f"place {k}" for k in range(len(LISTED))], "kind": kinds, "cost": cost, "capacity": seats},
        index=[f"C{k}" for k in range(len(LISTED))],
        geometry=points.to_crs("EPSG:4326").array,
        crs="EPSG:4326",
    )
    candidates.index.name = "id"
    study = dataclasses.replace(study, candidates=candidates, suggest=SuggestRule(stations=1, shops=1))
    return study, read_roads(study)


def planned(town: tuple[Study, Roads], name: str) -> Plan:
    study, roads = town
    return suggest(study, rules=CASES[name], roads=roads)


class Oracle:
    """Every plan there is, counted from dense travel times; shares no code with what it checks."""

    def __init__(self, plan: Plan, weight: np.ndarray | None = None, *, more_s: float = 0.0) -> None:
        self.rules, self.counts = plan.siting.rules, (plan.study.suggest.stations, plan.study.suggest.shops)
        self.weight = plan.before.weight if weight is None else weight
        self.zone = plan.demand["zone_id"].to_numpy(dtype=object)
        limit = 60.0 * plan.study.minutes[-1] + more_s
        breaks = [min(60.0 * m, limit) for m in plan.study.minutes[:-1]] + [limit]
        parts = {"new": plan.candidates, "old": plan.facilities}
        found = {
            part: travel_times(plan.network, plan.demand, frame[["geometry"]], cutoff_s=limit)
            for part, frame in parts.items()
        }
        self.worth: dict[tuple[str, str], np.ndarray] = {}
        self.at: dict[tuple[str, str], np.ndarray] = {}
        self.seats: dict[tuple[str, str], float] = {}
        self.cost: dict[tuple[str, str], float] = {}
        for part, frame in parts.items():
            seconds = found[part].to_array()
            for j, (i, kind) in enumerate(zip(frame.index, frame["kind"], strict=True)):
                for own in KINDS if kind == "both" else (kind,):
                    use = (str(i), own)
                    mine = min(limit, 60.0 * 3) if own == "shop" else limit
                    self.worth[use] = self._worth(np.where(seconds[:, j] <= mine, seconds[:, j], np.inf), breaks)
                    self.at[use] = found[part].facility_at.xy[j]
                    usual = {
                        "station": self.rules.capacity,
                        "shop": self.rules.shop_capacity or self.rules.capacity,
                    }
                    self.seats[use] = float(frame["capacity"].iloc[j]) if part == "new" else usual[own] or math.inf
                    self.cost[use] = float(frame["cost"].iloc[j]) if part == "new" else 0.0
        new = set(map(str, plan.candidates.index))
        self.new = [use for use in self.worth if use[0] in new]
        self.old = [use for use in self.worth if use[0] not in new]

    def _worth(self, seconds: np.ndarray, breaks: list[float]) -> np.ndarray:
        rules = self.rules
        worth = (rules.worth or (1.0, 0.5)) if rules.objective == "decay" else (1.0,) * len(breaks)
        result = np.zeros(seconds.size)
        for at, one in reversed(list(zip(breaks, worth, strict=True))):
            result[seconds <= at] = one
        return result

    # -------------------------------------------------------------------------------------------- one plan
    def holds(self, new: tuple, closed: tuple, counts: tuple[int, int], *, barred: str = "") -> bool:
        rules = self.rules
        ids = [i for i, _ in new]
        if len(set(ids)) < len(ids) or barred in ids or set(ids) & set(rules.must_not):
            return False
        if len(closed) > rules.move or {i for i, _ in closed} & set(rules.keep):
            return False
        open_ = [use for use in self.old if use not in closed] + list(new)
        stand = [sum(kind == own for _, kind in self.old) for own in KINDS]
        if any(sum(k == own for _, k in open_) > s + n for own, s, n in zip(KINDS, stand, counts, strict=True)):
            return False
        if rules.budget is not None and sum(self.cost[use] for use in new) > rules.budget:
            return False
        apart = rules.min_spacing_m or 0.0
        pairs = [(a, b) for a in new for b in open_ if a != b]
        return all(np.hypot(*(self.at[a] - self.at[b])) >= apart for a, b in pairs)

    def value(self, new: tuple, closed: tuple = (), *, is_last: bool = True) -> tuple[float, float] | None:
        """Return the worst share (0 where it does not come first) and the total; None where a rule is broken."""
        if is_last and not set(self.rules.must) <= {i for i, _ in new}:
            return None
        open_ = [use for use in self.old if use not in closed] + list(new)
        worth = np.array([self.worth[use] for use in open_]).reshape(len(open_), -1)
        ranked = -np.sort(-np.vstack([worth, np.zeros((2, self.weight.size))]), axis=0)
        second = self.rules.backup_worth * math.fsum(self.weight * ranked[1])
        zones = sorted({z for z in self.zone if z is not None})
        riders = {z: self.weight[self.zone == z].sum() for z in zones}
        if self.rules.has_seats:
            return self._seated(worth, open_, second, riders, is_last=is_last)
        got = {z: (self.weight * ranked[0])[self.zone == z].sum() for z in zones}
        shares = [got[z] / riders[z] for z in zones if riders[z] > 0]
        if is_last and self.rules.floor is not None and min(shares) < self.rules.floor - 1e-9:
            return None
        total = math.fsum(self.weight * ranked[0]) + second
        return (min(shares) if self.rules.is_worst_first and is_last else 0.0), total

    def _seated(self, worth, open_, second, riders, *, is_last) -> tuple[float, float] | None:
        use, row = np.nonzero(worth)
        value = worth[use, row]
        n_row, n = self.weight.size, use.size
        if n == 0:
            return 0.0, second
        a = np.zeros((n_row + len(open_), n))
        a[row, np.arange(n)] = 1
        a[n_row + use, np.arange(n)] = 1
        b = np.concatenate([self.weight, [min(self.seats[u], 1e6) for u in open_]])
        share = 0.0
        if self.rules.is_worst_first and is_last:
            lines = np.array([-(value * (self.zone[row] == z)) / riders[z] for z in riders if riders[z] > 0])
            both = np.vstack([np.hstack([a, np.zeros((len(a), 1))]), np.hstack([lines, np.ones((len(lines), 1))])])
            first = linprog(np.append(np.zeros(n), -1.0), A_ub=both, b_ub=np.append(b, np.zeros(len(lines))))
            share = min(-first.fun, 1.0)
            a, b = np.vstack([a, lines]), np.append(b, np.full(len(lines), -share * (1 - 1e-8)))
        solved = linprog(-value, A_ub=a, b_ub=b)
        return share, -solved.fun + second

    # ------------------------------------------------------------------------------------------- all plans
    def every(self, counts: tuple[int, int], *, barred: str = "") -> list[tuple[tuple, tuple]]:
        most = sum(counts) + self.rules.move
        news = [c for n in range(min(most, len(self.new)) + 1) for c in itertools.combinations(self.new, n)]
        closings = [c for n in range(self.rules.move + 1) for c in itertools.combinations(self.old, n)]
        return [(n, c) for n in news for c in closings if self.holds(n, c, counts, barred=barred)]

    def best(self, counts: list[tuple[int, int]], *, barred: str = "") -> tuple[float, float] | None:
        """Return the best value of all plans that grow within the counts of each step."""
        if len(counts) == 1:
            values = [self.value(*one) for one in self.every(counts[0], barred=barred)]
            return max((rounded(v) for v in values if v is not None), default=None)
        steps = [[new for new, _ in self.every(count, barred=barred)] for count in counts]
        worth = {new: self.value(new, is_last=False)[1] for step in steps for new in step}
        grown = [((new,), worth[new]) for new in steps[0]]
        for step in steps[1:]:
            grown = [((*g, new), v + worth[new]) for g, v in grown for new in step if set(g[-1]) <= set(new)]
        return max((rounded((0.0, v)) for _, v in grown), default=None)


def rounded(value: tuple[float, float]) -> tuple[float, float]:
    return round(value[0], 7), value[1]


def told(oracle: Oracle, plan: Plan) -> tuple[list[tuple], list[tuple[int, int]], tuple]:
    """Return the new uses of each step, the counts asked for in each, and what is closed."""
    uses = list(zip(plan.sites.index.astype(str), plan.sites["kind"], strict=True))
    phase = plan.sites["phase"].tolist()
    rules = plan.siting.rules
    counts = [*((s.stations, s.shops) for s in rules.steps), oracle.counts]
    steps = [tuple(u for u, p in zip(uses, phase, strict=True) if p <= t) for t in range(1, len(counts) + 1)]
    closed = tuple(use for use in oracle.old if use[0] in plan.siting.closed)
    return steps, counts, closed


def grown_value(oracle: Oracle, steps: list[tuple], closed: tuple) -> tuple[float, float] | None:
    values = [oracle.value(new, closed, is_last=t == len(steps) - 1) for t, new in enumerate(steps)]
    return None if values[-1] is None else (values[-1][0], math.fsum(total for _, total in values))


def close(got: float, wanted: float | None) -> bool:
    return math.isnan(got) if wanted is None else got == pytest.approx(wanted, abs=2e-6)


# ------------------------------------------------------------------------------------ against every plan there is
#: these take longer
SLOW = {"seats", "seats and worst", "steps and seats", "seats and decay", "all but seats"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CASES],
    ids=str,
)
def explained(request: pytest.FixtureRequest, town: tuple[Study, Roads]) -> tuple[Plan, Explanation, Oracle]:
    plan = planned(town, request.param)
    return plan, explain_plan(plan, draws=2, time_limit_s=None), Oracle(plan)


def test_losses_are_those_of_every_plan_there_is(explained: tuple[Plan, Explanation, Oracle]) -> None:
    plan, made, oracle = explained
    steps, counts, closed = told(oracle, plan)
    share, total = grown_value(oracle, steps, closed)
    assert (round(share, 6), total) == pytest.approx(oracle.best(counts), abs=2e-6)
    assert made.objective == pytest.approx(total, abs=2e-6)
    assert made.objective == pytest.approx(plan.solution.objective, abs=2e-6)
    assert made.gained == pytest.approx(
        total - sum(oracle.value((), (), is_last=False)[1] for _ in steps), abs=2e-6
    )
    for use, row in zip(steps[-1] and told_order(plan), made.sites.itertuples(), strict=True):
        if use[0] in oracle.rules.must:
            assert (row.needed_by, row.is_proven) == ("must", True)
            assert all(math.isnan(v) for v in (row.lost_others_stay, row.lost_one_fewer, row.lost_replaced))
            continue
        rest = [tuple(u for u in step if u != use) for step in steps]
        fewer = [
            tuple(sum(kind == own for _, kind in new) - sum(kind == own for _, kind in closed) for own in KINDS)
            for new in rest
        ]
        wanted = {
            "others_stay": grown_value(oracle, rest, closed),
            "one_fewer": oracle.best(fewer, barred=use[0]),
            "replaced": oracle.best(counts, barred=use[0]),
        }
        for way, value in wanted.items():
            loss = None if value is None else total - value[1]
            assert close(getattr(row, f"lost_{way}"), loss), (use, way)
            if oracle.rules.is_worst_first:
                assert close(getattr(row, f"share_{way}"), None if value is None else value[0])
        assert row.needed_by == ("fair" if wanted["others_stay"] is None else None)
        assert row.is_proven


def told_order(plan: Plan) -> list[tuple[str, str]]:
    return list(zip(plan.sites.index.astype(str), plan.sites["kind"], strict=True))


def test_substitutes_are_those_of_every_plan_there_is(explained: tuple[Plan, Explanation, Oracle]) -> None:
    plan, made, oracle = explained
    steps, _counts, closed = told(oracle, plan)
    share, total = grown_value(oracle, steps, closed)
    for use in told_order(plan):
        got = made.substitutes[made.substitutes["id"] == use[0]].set_index("substitute_id")
        wanted = {}
        rest = [tuple(u for u in step if u != use) for step in steps]
        without = grown_value(oracle, rest, closed) if use[0] not in oracle.rules.must else None
        for other in oracle.new:
            if other[1] != use[1] or other[0] in {i for i, _ in steps[-1]} or use[0] in oracle.rules.must:
                continue
            swapped = [tuple(other if u == use else u for u in step) for step in steps]
            if not all(oracle.holds(new, closed, (9, 9)) for new in swapped):
                continue
            value = grown_value(oracle, swapped, closed)
            adds = value is not None and (without is None or value[1] > without[1] + 1e-9)
            loses = 0.05 * total + 1e-6
            if adds and total - value[1] <= loses and (share - value[0]) <= 0.05 * share + 1e-6:
                wanted[other[0]] = total - value[1]
        assert got["loss"].to_dict() == pytest.approx(wanted, abs=2e-6)
        assert made.sites.loc[use[0], "within_5"] == len(wanted)
        assert made.sites.loc[use[0], "tried_all"]


def test_changes_are_those_of_every_plan_there_is(explained: tuple[Plan, Explanation, Oracle]) -> None:
    plan, made, _ = explained
    rows = made.changes.set_index(["change", "by", "zone_id"])
    times = plan_times(plan, plan.network, more_s=60.0)
    case = question_at(plan, times)
    assert ("riders_all" in set(made.changes["change"])) == plan.siting.rules.has_seats
    seen = 0
    for change, by, zone_id, make in changed_cases(plan, case, times, draws=2, seed=1):
        if change in ("speed", "own_limit"):
            continue
        changed = make()
        more_s = 60.0 * by if change == "cutoff" else 0.0
        oracle = Oracle(plan, np.asarray(changed.weight), more_s=more_s)
        steps, counts, closed = told(oracle, plan)
        kept, best = grown_value(oracle, steps, closed), oracle.best(counts)
        row = rows.loc[[(change, by, zone_id)]].iloc[0]
        assert close(row["kept"], None if kept is None else kept[1])
        assert close(row["best"], None if best is None else best[1]), (change, by)
        assert row["is_proven"]
        assert row["is_best"] == (
            kept is not None and rounded(kept)[0] >= best[0] - 1e-6 and kept[1] >= best[1] - 2e-6
        )
        seen += 1
    assert seen >= 6


def test_gains_are_those_of_the_plan(explained: tuple[Plan, Explanation, Oracle]) -> None:
    plan, made, _ = explained
    gained = made.zones.groupby("id", sort=False)["riders_gained"].sum()
    wanted = plan.sites["riders_gained"][plan.sites["riders_gained"] > 0]
    assert gained.to_dict() == pytest.approx(wanted.to_dict(), abs=1e-9)
    covered = math.fsum(plan.after.weight[plan.after.covered[:, -1]])
    assert made.reach["covered"].sum() == pytest.approx(covered, abs=1e-9)
    assert made.reach[["covered", "in_reach", "out_of_reach"]].to_numpy().sum() == pytest.approx(100.5, abs=1e-9)


# ------------------------------------------------------------------------------------------ what it says, and when
def test_a_changed_plan_by_rules_is_not_explained(town: tuple[Study, Roads]) -> None:
    plan = planned(town, "decay")
    assert len(plan.sites) > 1
    for sites in (plan.sites.iloc[:-1], plan.sites.iloc[::-1]):
        with pytest.raises(InputError, match="not as it was made"):
            explain_plan(dataclasses.replace(plan, sites=sites))


def card_rows(plan: Plan, lang: str) -> list[dict]:
    return [
        dict(place["card"]["rows"]) for place in draw_map(plan, lang=lang)._children["places"].data["suggestion"]
    ]


def test_cards_terminal_and_file_tell_what_a_rule_wants(town: tuple[Study, Roads], tmp_path: Path) -> None:
    plan = planned(town, "must")
    plan = dataclasses.replace(plan, explanation=explain_plan(plan, draws=1))
    at = plan.sites.index.get_loc("C3")
    assert card_rows(plan, "zh")[at]["若取消"] == "规则 must 要求必建"
    assert card_rows(plan, "en")[at]["Without it"] == "the rule `must` wants it"
    assert "可替代点" not in card_rows(plan, "zh")[at]
    assert any("若取消，规则 must 要求必建" in line for line in plan_lines(plan))
    write_outputs(plan, tmp_path)
    told = json.loads((tmp_path / "explanations.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    (row,) = [row for row in told["suggestions"] if row["id"] == "C3"]
    assert (row["needed_by"], row["lost_replaced"], row["substitutes"]) == ("must", None, [])
    assert told["changes_left"] == 0


def test_a_loss_that_misses_the_least_share_says_so(town: tuple[Study, Roads]) -> None:
    study, roads = town
    plan = suggest(study, rules=SitingRules(fair=0.7), roads=roads)
    made = explain_plan(plan, draws=0)
    first = made.sites.iloc[0]
    assert first["needed_by"] == "fair"
    assert math.isnan(first["lost_others_stay"])
    text = "\n".join(plan_lines(dataclasses.replace(plan, explanation=made)))
    assert "若取消，达不到 fair 的保底比例" in text


def test_worth_by_time_and_steps_are_told_as_what_they_are(town: tuple[Study, Roads]) -> None:
    decay, steps = (planned(town, name) for name in ("decay", "steps"))
    lines = "\n".join(plan_lines(dataclasses.replace(decay, explanation=explain_plan(decay, draws=0))))
    assert f"目标值：折算 {decay.solution.objective:.0f} 人（现状 {decay.siting.today:.0f}）" in lines
    assert "（按目标折算）" in lines
    lines = "\n".join(plan_lines(dataclasses.replace(steps, explanation=explain_plan(steps, draws=0))))
    assert f"目标值：各期合计 {steps.solution.objective:.0f} 人（现状 {steps.siting.today:.0f}）" in lines
    assert "（各期合计）" in lines


def test_a_card_says_who_is_seated_where_seats_count(town: tuple[Study, Roads]) -> None:
    plan = planned(town, "seats")
    for row, (_, site) in zip(card_rows(plan, "zh"), plan.sites.iterrows(), strict=True):
        assert row["就座"] == f"{site['served']:.0f} 人（{site['seats']:g} 座）"


@pytest.mark.parametrize("name", ["budget", "seats", "worst", "steps"])
def test_without_time_everything_is_told_as_not_tried(town: tuple[Study, Roads], name: str) -> None:
    plan = planned(town, name)
    made = explain_plan(plan, draws=3, time_limit_s=0.0)
    assert made.changes.empty
    assert made.n_left >= 9
    assert not made.sites["is_proven"].any()
    assert made.sites["tried_all"].all() == (name != "seats")
    assert plan_lines(dataclasses.replace(plan, explanation=made))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["budget", "seats"])
def test_an_interrupt_ends_the_explanation_and_keeps_what_is_known(town: tuple[Study, Roads], name: str) -> None:
    plan = planned(town, name)
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        made = explain_plan(plan, draws=5_000, time_limit_s=None)
    finally:
        timer.join()
    assert made.n_left > 4_000
    assert made.is_interrupted
    assert made.objective == pytest.approx(plan.solution.objective)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("moment", ["plan_times", "_without", "_swaps_in_time", "firmness_of"])
def test_ctrl_c_while_reasons_are_computed_ends_them_at_once_and_is_told_as_an_interruption(
    town: tuple[Study, Roads], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    plan = planned(town, "seats")
    whole, calls = getattr(explanations, moment), []

    def interrupted(*given: object, **named: object) -> object:
        calls.append(moment)
        if len(calls) == 1:  # a second one would interrupt the whole
            signal.raise_signal(signal.SIGINT)
        return whole(*given, **named)

    monkeypatch.setattr(explanations, moment, interrupted)
    made = explain_plan(plan, draws=3, time_limit_s=None)
    assert made.is_interrupted
    assert made.changes.empty
    assert made.n_left >= 9
    assert explanation_figures(made)["interrupted"] is True
    shown = dataclasses.replace(plan, explanation=made)
    for lang, word, wrong in (("zh", "求解被中断", ("限时", "时间所限")), ("en", "nterrupt", ("in time",))):
        words = Words(lang)
        told = [*closing_lines(shown, words), *(reason_line(shown, site, words) for site in plan.sites.index)]
        assert word in " ".join(told)
        assert not any(one in " ".join(told) for one in wrong)
