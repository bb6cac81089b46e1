"""Ctrl-C at any moment of a siting question, its first line or its last: an honest gap, or one error."""

import math
import signal
import time

import numpy as np
import pytest

from servicecircle import SolutionError
from servicecircle.locate import Siting, lscp, mclp, p_center, p_median, solve_siting
from servicecircle.locate._stop import Clock

RNG = np.random.default_rng(7)
COVERS = RNG.random((1200, 120)) < 0.04
COVERS[~COVERS.any(axis=1), 0] = True
WEIGHT = RNG.integers(1, 100, 1200).astype(float)
SITES, POINTS = RNG.random((60, 2)), RNG.random((400, 2))
COST = np.linalg.norm(POINTS[:, None] - SITES[None, :], axis=2)
SITING = Siting(worth=COVERS, weight=WEIGHT, cost=np.arange(1.0, 121.0), budget=90.0)

QUESTIONS = {
    "mclp": lambda: mclp(COVERS, WEIGHT, 9, time_limit_s=0.6),
    "lscp": lambda: lscp(COVERS, time_limit_s=0.6),
    "p_median": lambda: p_median(COST, WEIGHT[:400], 6),
    "p_center": lambda: p_center(COST, 6),
    "solve_siting": lambda: solve_siting(SITING, time_limit_s=3.0),
}


def interrupted_after(seconds, question, *, is_late=False):
    """
    Ask, and raise Ctrl-C so many seconds later; return the answer, and whether Ctrl-C came before it.

    What comes late may come after the search has let go of Ctrl-C, on its last way out: there it interrupts as
    ever, and is not raised here.
    """
    came = []

    def interrupt(*_):
        if is_late and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            return
        came.append(True)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            answer = question()
        finally:
            in_time = bool(came)
            signal.setitimer(signal.ITIMER_REAL, 0)
        return answer, in_time
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file that was being read
def test_ctrl_c_at_any_moment_gives_an_honest_answer(name):
    question = QUESTIONS[name]
    question()  # what is compiled once is compiled
    begun = time.perf_counter()
    best = question()
    whole = time.perf_counter() - begun
    sense = 1 if name in ("mclp", "solve_siting") else -1
    n_in_time = 0
    for moment in np.geomspace(1e-4, whole, 20):
        try:
            answer, in_time = interrupted_after(moment, question, is_late=moment > whole / 2)
        except SolutionError as error:  # no plan that reaches everybody was found by then, and it says so
            assert name in ("p_median", "p_center")
            assert "no plan" in str(error) or "before any plan" in str(error)
            n_in_time += 1
            continue
        n_in_time += in_time
        assert answer.status in ("optimal", "feasible", "unknown")
        if answer.status == "unknown":
            continue
        assert sense * answer.objective <= sense * best.bound + 1e-6
        assert sense * answer.bound >= sense * best.objective - 1e-6
        assert (answer.status == "optimal") == math.isclose(answer.objective, answer.bound, rel_tol=1e-9)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert n_in_time >= 10


def test_inside_a_clock_ctrl_c_ends_steps_that_leave_what_is_known_whole_at_once():
    went_on = False
    with Clock() as outer:
        inner = Clock()
        with inner.at_interrupt():
            signal.raise_signal(signal.SIGINT)
            went_on = True
        assert not went_on
        assert inner.is_stopped
        assert outer.is_stopped
    with Clock() as clock:
        with clock.at_interrupt():
            pass
        signal.raise_signal(signal.SIGINT)  # after such steps it is a look at the clock again
        assert clock.is_stopped
