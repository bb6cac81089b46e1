"""The memory of a server: what is free goes back to the system while it runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: blocks of which the last is kept: what lies below it is free, and stays reserved of itself
PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, {path!r})
from api.memory import kept_small

def held_mb():
    told = Path("/proc/self/status").read_text()
    return int(told.split("RssAnon:")[1].split()[0]) / 1024

with kept_small(every_s={every_s}):
    before = held_mb()
    blocks = [bytearray(60_000) for _ in range(4_000)]
    full = held_mb()
    del blocks[: len(blocks) - 1]
    time.sleep(0.5)
    print(round(full - before), round(held_mb() - before))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's memory is looked at")
def test_what_is_free_below_what_is_kept_goes_back_to_the_system() -> None:
    def held(every_s: float) -> tuple[int, int]:
        program = PROGRAM.format(path=sys.path[0], every_s=every_s)
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        full, left = done.stdout.split()
        return int(full), int(left)

    full, left = held(3600.0)
    assert full > 200
    assert left > 200  # of itself nothing goes back: the last block is kept
    full, left = held(0.1)
    assert full > 200
    assert left < 50
