"""What the tests share: the real data, where they are there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_study import write_tiny_study

import servicecircle as sc

# A runner in the background ignores Ctrl-C, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real networks and ledgers; the test is skipped where it is missing."""
    folder = Path(os.environ.get("SERVICECIRCLE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real data are not here; set SERVICECIRCLE_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> sc.Study:
    """The tiny study as it is, which nothing may change; who changes the files of a study writes one of her own."""
    return sc.load_study(write_tiny_study(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_kept_beside_the_real_data() -> Iterator[None]:
    """Road files are read each time; the tests of the cache say otherwise for their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("servicecircle.network_cache.MIN_BYTES", float("inf"))
        yield
