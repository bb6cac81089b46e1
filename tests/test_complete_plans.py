"""A plan with all that is said of it; one that Ctrl-C ended waits for nothing more."""

from __future__ import annotations

import signal

import pytest
from studies import write_study

from servicecircle.complete_plans import completed
from servicecircle.model import Plan, Study
from servicecircle.pipeline import read_roads, suggest
from servicecircle.report import plan_lines
from servicecircle.siting_rules import SitingRules
from servicecircle.study import load_study

BACKUP = SitingRules(backup=0.4, alternatives=3)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(write_study(tmp_path_factory.mktemp("study") / "town"))


def interrupted(study: Study) -> Plan:
    """A plan of which Ctrl-C ended the search as soon as it had found something."""
    pressed = []

    def press(_value: float, _bound: float) -> None:
        if not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    plan = suggest(study, rules=BACKUP, roads=read_roads(study), on_found=press)
    assert pressed
    return plan


@pytest.mark.slow
def test_ctrl_c_in_the_search_ends_the_reasons_too(study: Study) -> None:
    plan = interrupted(study)
    assert plan.is_interrupted
    why = completed(plan).explanation
    assert why is not None
    assert why.is_interrupted
    assert len(why.changes) == 0 < why.n_left
    told = "\n".join(plan_lines(completed(plan)))
    assert "求解被中断" in told
    assert "时间所限" not in told
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
def test_a_search_that_ends_by_itself_is_explained_whole(study: Study) -> None:
    plan = suggest(study, rules=BACKUP, roads=read_roads(study))
    assert not plan.is_interrupted
    why = completed(plan).explanation
    assert why is not None
    assert not why.is_interrupted
    assert len(why.changes) > 0 == why.n_left
