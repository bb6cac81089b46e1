"""Who looks on while a search runs sees the plan and its bound meet, in the figures of the question."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from tiny_study import write_tiny_study

import servicecircle as sc
from servicecircle.locate import mclp
from servicecircle.locate._watch import watched
from servicecircle.siting_rules import SitingRules

Seen = list[tuple[float, float]]


def assert_they_close_in(seen: Seen, objective: float, bound: float) -> None:
    """Plans only better, bounds only fall, none is past the other, and the last are those of the answer."""
    assert seen
    for (value, over), (later, under) in itertools.pairwise(seen):
        assert value <= later + 1e-9
        assert under <= over + 1e-9
    assert all(value <= over + 1e-9 for value, over in seen)
    assert seen[-1] == (pytest.approx(objective), pytest.approx(bound))


@pytest.mark.parametrize("seed", range(4))
def test_a_plan_and_its_bound_close_in_on_the_answer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weight = rng.random((60, 25)) < 0.12, rng.integers(1, 20, 60).astype(float)
    seen: Seen = []
    with watched(lambda value, bound: seen.append((value, bound))):
        answer = mclp(covers, weight, 5, fixed=[3])
    assert_they_close_in(seen, answer.objective, answer.bound)
    again = mclp(covers, weight, 5, fixed=[3])
    assert again.chosen.tolist() == answer.chosen.tolist()
    assert len(seen) == len(set(seen)), "nobody looks on any more"


@pytest.mark.parametrize("rules", [None, SitingRules(objective="decay"), SitingRules(objective="backup")])
def test_a_study_tells_riders_from_today_to_the_suggestions(tmp_path: Path, rules: SitingRules | None) -> None:
    seen: Seen = []
    study = sc.load_study(write_tiny_study(tmp_path))
    plan = sc.suggest(study, rules=rules, on_found=lambda value, bound: seen.append((value, bound)))
    assert plan.solution.status == "optimal"
    assert_they_close_in(seen, plan.solution.objective, plan.solution.bound)
