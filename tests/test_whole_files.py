"""Files that are written whole or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from servicecircle.errors import OutputError
from servicecircle.whole_files import UNFINISHED, make_folder, write_text, write_whole

WRITER = """
import sys
from pathlib import Path
from servicecircle.whole_files import write_text
path, i = Path(sys.argv[1]), 0
while True:
    i += 1
    write_text(path, str(i % 10) * 1_000_000)
"""


@pytest.mark.parametrize("name", ["circles", "v1.2.geojson", "a.osm.pbf", ".hidden", "名称 表.json"])
def test_a_file_of_any_name_is_written_and_nothing_else_stays(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "whole")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "whole"}


def test_a_writer_that_fails_leaves_what_stood_there(tmp_path: Path) -> None:
    (path := tmp_path / "a").write_text("old")

    def fail(unfinished: Path) -> None:
        unfinished.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_whole(path, fail)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "old"}


def test_a_folder_in_the_way_is_told_and_stays(tmp_path: Path) -> None:
    (tmp_path / "map.html").mkdir()
    with pytest.raises(OutputError):
        write_text(tmp_path / "map.html", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("victim")
    (tmp_path / "out").mkdir()
    (link := tmp_path / "out" / "map.html").symlink_to(tmp_path / "victim")
    write_text(link, "map")
    assert (tmp_path / "victim").read_text() == "victim"
    assert link.read_text() == "map"


@pytest.mark.skipif(os.name != "posix", reason="signals of another kind")
def test_a_killed_writer_leaves_a_whole_file_and_the_next_start_clears_up(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "0" * 1_000_000)
    for pause in (0.0, 0.003, 0.011):
        running = subprocess.Popen([sys.executable, "-P", "-c", WRITER, str(path)])
        first = path.stat().st_mtime_ns
        end = time.monotonic() + 60
        while path.stat().st_mtime_ns == first and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(pause)
        running.send_signal(signal.SIGKILL)
        running.wait()
        text = path.read_text()
        assert len(text) == 1_000_000
        assert len(set(text)) == 1
    make_folder(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert not [p for p in tmp_path.iterdir() if UNFINISHED in p.name]
