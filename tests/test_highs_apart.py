"""HiGHS as a process of its own: whoever waits for it may be killed, and no process is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from scipy import sparse

from servicecircle.locate._highs import Program, minimise
from servicecircle.locate._stop import Clock

#: a market split: branch and bound has no end in sight; the child holds a copy of this process's pipe
_ENDLESS = """
import os, subprocess, time
import numpy as np
from scipy import sparse
from servicecircle.locate import _highs
from servicecircle.locate._stop import Clock

pipe = os.dup(1)

class Told(subprocess.Popen):
    def __init__(self, *given, **named):
        super().__init__(*given, pass_fds=(pipe,), **named)

    def communicate(self, timeout):
        os.write(pipe, b"started")  # from here on the child has all that it needs
        return self.stdout.read(), None

subprocess.Popen = Told
rng = np.random.default_rng(1)
parts = np.floor(rng.random((6, 50)) * 100)
half = np.floor(parts.sum(axis=1) / 2)
program = _highs.Program(np.zeros(50), sparse.csr_array(parts), half, half, np.zeros(50), np.ones(50, dtype=bool))
_highs._run_apart(program, Clock(time.perf_counter() + 120.0), 0.0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes are handed on and processes killed in the way of POSIX")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_the_one_that_waits_is_killed(how):
    with subprocess.Popen([sys.executable, "-c", _ENDLESS], stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.read(7) == b"started"
        waiting.send_signal(how)
        left, _ = waiting.communicate(timeout=20)  # ends when nobody holds the pipe any more
    assert left == b""
    assert waiting.returncode == -how


def test_a_program_larger_than_a_pipe_holds_is_solved_apart():
    n = 60_000
    matrix = sparse.csr_array(sparse.eye_array(n))
    for is_whole in (np.zeros(n, np.bool_), np.ones(n, np.bool_)):
        program = Program(-np.ones(n), matrix, np.full(n, -np.inf), np.ones(n), np.zeros(n), is_whole)
        answer = minimise(program, clock=Clock(time.perf_counter() + 120.0), gap=0.0)
        assert (answer.objective, answer.bound) == (-n, -n)
        assert (answer.price is None) == is_whole.any()


@pytest.mark.slow
def test_a_clock_that_is_stopped_ends_the_process():
    rng = np.random.default_rng(1)
    parts = np.floor(rng.random((6, 50)) * 100)
    half = np.floor(parts.sum(axis=1) / 2)
    program = Program(np.zeros(50), sparse.csr_array(parts), half, half, np.zeros(50), np.ones(50, dtype=bool))
    clock = Clock(time.perf_counter() + 120.0)
    timer = threading.Timer(2.0, clock.stop)
    timer.start()
    began = time.perf_counter()
    answer = minimise(program, clock=clock, gap=0.0)
    assert time.perf_counter() - began < 60
    assert answer.x is None
