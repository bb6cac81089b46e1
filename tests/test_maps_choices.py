"""Switches of services and hours on the page: they count the same riders as a plan that asks for them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studies import write_study

from servicecircle.coverage import totals
from servicecircle.maps import draw_map
from servicecircle.model import Plan, Study
from servicecircle.pipeline import suggest
from servicecircle.study import load_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    told = load_study(write_study(tmp_path_factory.mktemp("study") / "town"))
    stations = told.stations.assign(
        amenities=["饮水、充电", "饮水、厕所（坏）"], hours=["08:00-20:00", "周一至周五 10:00-23:00"]
    )
    return dataclasses.replace(told, stations=stations)


@pytest.fixture(scope="module")
def plan(study: Study) -> Plan:
    return suggest(study)


def choices_of(plan: Plan) -> dict[str, Any]:
    return draw_map(plan)._children["choices"].data


def covered(choices: dict[str, Any], counts: set[int], n_break: int) -> list[float]:
    """Riders covered at each break by those that count, as the page counts them."""
    total = [0.0] * n_break
    for riders, who in zip(choices["reach"]["riders"], choices["reach"]["who"], strict=True):
        best = min((code % n_break for code in who if code // n_break in counts), default=n_break)
        for b in range(best, n_break):
            total[b] += riders
    return total


def test_everybody_together_reaches_whom_the_plan_says_before_and_after(plan: Plan) -> None:
    choices, n = choices_of(plan), len(plan.study.minutes)
    everybody = set(range(len(choices["areas"]["10"])))
    own = set(range(choices["n_own"]))
    for counts, coverage in ((own, plan.before), (everybody - set(choices["leaves"]), plan.after)):
        assert covered(choices, counts, n) == pytest.approx(list(totals(coverage)["covered"].values()), rel=1e-5)
    assert sum(choices["reach"]["riders"]) == pytest.approx(totals(plan.before)["riders"], rel=1e-5)


@pytest.mark.parametrize(
    ("service", "when"),
    [("饮水", None), ("充电", None), ("饮水", "Wed 21:00"), (None, "Sat 12:00"), (None, "Wed 09:00")],
)
def test_a_choice_counts_whom_a_plan_that_asks_for_it_counts(
    study: Study, plan: Plan, service: str | None, when: str | None
) -> None:
    choices, n = choices_of(plan), len(study.minutes)
    counts = set(range(choices["n_own"]))
    if service is not None:
        counts &= set(choices["services"]["who"][choices["services"]["names"].index(service)])
    if when is not None:
        day, hour = when.split()
        block = next(k for k, name in enumerate(choices["hours"]["days"]) if _holds(name, day))
        counts -= set(choices["hours"]["closed"][block][int(hour[:2])])
    asked = suggest(study, stations=0, shops=0, service=[service] if service else None, when=when)
    assert covered(choices, counts, n) == pytest.approx(list(totals(asked.before)["covered"].values()), rel=1e-5)


def _holds(name: str, day: str) -> bool:
    """Whether a block of days such as 周一至周五 holds a weekday."""
    days = "一二三四五六日"
    at = days[["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].index(day)]
    ends = [days.index(part.removeprefix("周")) for part in name.split("至")]
    return ends[0] <= days.index(at) <= ends[-1]


def test_what_is_broken_is_not_offered_and_days_alike_are_one(plan: Plan) -> None:
    choices = choices_of(plan)
    assert choices["services"]["names"] == ["饮水", "充电"]
    assert choices["hours"]["days"] == ["周一至周五", "周六至周日"]
    shops = [i for i, one in enumerate(plan.before.times.facility_ids) if str(one).startswith("P")]
    assert choices["hours"]["unknown"][0][12] == shops


def test_nothing_is_to_be_chosen_where_nobody_says_anything_or_the_plan_asks(study: Study, tmp_path: Path) -> None:
    bare = suggest(load_study(write_study(tmp_path / "town")), stations=0, shops=0)
    assert choices_of(bare) is None
    assert choices_of(suggest(study, stations=0, shops=0, when="Wed 12:00")) is None


def test_rings_of_circles_turn_one_way_and_their_holes_the_other(plan: Plan) -> None:
    for circles in choices_of(plan)["areas"].values():
        for polygons in circles:
            for outer, *holes in polygons:
                assert _turn(outer) > 0
                assert all(_turn(hole) < 0 for hole in holes)


def _turn(steps: list[int]) -> float:
    x, y = np.cumsum(np.reshape(steps, (-1, 2)), axis=0).T.astype(float)
    x, y = x - x[0], y - y[0]
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
