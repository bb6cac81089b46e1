"""Kernels: compiled wherever the package stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import servicecircle

SOURCE = str(Path(servicecircle.__file__).parents[1])
CODE = """
from numba.core import caching

def refuse(self):
    raise PermissionError(13, "read-only")

for kind in vars(caching).values():
    if isinstance(kind, type) and "ensure_cache_path" in vars(kind):
        kind.ensure_cache_path = refuse
import numpy as np
from servicecircle._kernels import _grown
print(_grown(np.arange(3)).size)
"""


def test_kernels_compile_where_no_folder_can_be_written() -> None:
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.stdout, done.stderr) == ("6\n", "")
