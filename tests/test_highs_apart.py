"""HiGHS as a process of its own: whoever waits for it may be killed, and no process is left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from servicecircle.locate import _highs_child
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

#: the process, where solving prints a line past Python, as libraries in C do
_PRINTING = """
import os, sys
sys.path.insert(0, sys.argv[2])
import _highs_child

def solve(given, plain=_highs_child.solve):
    os.write(1, b"a line that nobody asked for")
    return plain(given)

_highs_child.solve = solve
_highs_child.main()
"""


@pytest.mark.slow
def test_what_a_library_prints_does_not_mix_with_the_answer():
    row = {"data": np.ones(2), "indices": np.arange(2), "indptr": np.array([0, 2]), "shape": np.array([1, 2])}
    program = {"cost": -np.ones(2), "lower": np.zeros(2), "upper": np.ones(2), "is_whole": np.ones(2, np.bool_)}
    limits = {"row_lower": np.array([-np.inf]), "row_upper": np.ones(1), "gap": 0.0, "time_limit_s": 60.0}
    given = io.BytesIO()
    np.savez(given, **row, **program, **limits, sent_at=time.time())  # type: ignore[arg-type]
    child = [sys.executable, "-P", "-c", _PRINTING, str(os.getpid()), str(Path(_highs_child.__file__).parent)]
    done = subprocess.run(child, input=given.getvalue(), capture_output=True, check=True)
    assert float(np.load(io.BytesIO(done.stdout))["fun"]) == -1
    assert b"a line that nobody asked for" in done.stderr


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
