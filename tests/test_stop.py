"""The end of a search: time, and Ctrl-C."""

import math
import signal
import threading
import time

import pytest

from servicecircle.locate._stop import Clock
from servicecircle.solve_time import SolveTime


def test_time_ends_a_search():
    assert Clock(time.perf_counter()).is_over()
    clock = Clock(time.perf_counter() + 60)
    assert not clock.is_over()
    assert 0 < clock.left_s <= 60
    assert not Clock().is_over()
    assert Clock().left_s == math.inf


def test_the_first_ctrl_c_ends_a_search_and_the_second_interrupts():
    with Clock() as clock:
        signal.raise_signal(signal.SIGINT)
        assert clock.is_over()
        assert clock.left_s == 0
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_after_a_search_ctrl_c_interrupts_as_before():
    with Clock() as clock:
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert not clock.is_over()


def test_of_two_searches_one_in_the_other_the_outer_one_hears_ctrl_c():
    with Clock() as outer:
        with Clock() as inner:
            signal.raise_signal(signal.SIGINT)
        assert outer.is_over()
        assert inner.is_over()
        with Clock(math.inf) as later:  # what begins after it has no time either
            assert later.is_stopped
    with Clock(math.inf) as another:
        assert not another.is_over()


def test_an_applications_own_handler_stays():
    heard = []
    signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        with Clock() as clock:
            signal.raise_signal(signal.SIGINT)
        assert heard == [True]
        assert not clock.is_over()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_in_another_thread_only_time_counts():
    seen = []

    def search():
        with Clock() as clock:
            seen.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
            clock.stop()
            seen.append(clock.is_over())

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert seen == [True, True]


def test_ctrl_c_leaves_the_model_at_work_and_ends_the_time_of_all_others():
    with SolveTime(None) as time_left:
        time_left.begin(3)
        assert not time_left.is_over()
        went_on = False
        with time_left.at_work():
            signal.raise_signal(signal.SIGINT)
            went_on = True
        assert not went_on
        assert time_left.is_stopped
        assert time_left.is_over()
        assert time_left.share() == 0
        with pytest.raises(KeyboardInterrupt):  # a second one as ever
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_between_models_leaves_what_is_counted_there_whole():
    with SolveTime(None) as time_left:
        assert not time_left.is_stopped
        signal.raise_signal(signal.SIGINT)
        assert time_left.is_stopped
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
