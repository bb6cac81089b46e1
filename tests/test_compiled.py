"""Kernels: compiled, kept on disk, or run in plain Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from servicecircle import _square_kernels
from servicecircle._compiled import in_python, is_compiled

READY = """
import numpy as np
from servicecircle import _square_kernels as kernels
from servicecircle._compiled import is_compiled
before = is_compiled(kernels.longer)
kernels.longer(np.arange(3))
print(before, is_compiled(kernels.longer))
"""


@pytest.mark.slow
def test_a_kernel_is_ready_once_this_process_or_one_before_compiled_it(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    told = [
        subprocess.run([sys.executable, "-c", READY], capture_output=True, text=True, check=True, env=environment)
        for _ in range(2)
    ]
    assert [t.stdout.split() for t in told] == [["False", "True"], ["True", "True"]]


def test_in_python_nothing_is_compiled() -> None:
    plain = in_python("_square_kernels")
    assert in_python("_square_kernels") is plain is not _square_kernels
    assert not hasattr(plain.longer, "signatures")
    assert is_compiled(plain.longer)
    assert in_python("_frontier_kernels").longer is plain.longer
