"""Whole files: written whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from servicecircle.errors import OutputError
from servicecircle.whole_files import UNFINISHED, make_folder, write_text, write_whole


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_text_file_takes_the_place_of_the_old_one_only_when_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_text(file, "1\n")
    before = file.stat().st_ino
    write_text(file, "2\n")
    assert file.read_bytes() == b"2\n"
    assert file.stat().st_ino != before
    assert names(tmp_path) == ["a.json"]


def test_a_file_is_written_into_a_folder_named_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_text(make_folder(Path("out/town")) / "a.json", "1\n") == Path("out/town/a.json")
    assert names(tmp_path / "out" / "town") == ["a.json"]


@pytest.mark.fault(42)
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), RuntimeError("disk full"), KeyError("bug")]
)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: Exception) -> None:
    file = write_text(tmp_path / "a.gpkg", "old")

    def fail(unfinished: Path) -> None:
        unfinished.write_text("half", encoding="utf-8")
        unfinished.with_suffix(".gpkg-journal").write_text("half", encoding="utf-8")
        raise error

    with pytest.raises(KeyError if isinstance(error, KeyError) else OutputError):
        write_whole(file, fail)
    assert file.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.gpkg"]


def test_files_that_belong_together_go_along(tmp_path: Path) -> None:
    def write(unfinished: Path) -> None:
        for suffix in (".shp", ".shx", ".dbf"):
            unfinished.with_suffix(suffix).write_text(suffix, encoding="utf-8")

    write_whole(tmp_path / "[道路] 1.2.shp", write)
    assert names(tmp_path) == ["[道路] 1.2.dbf", "[道路] 1.2.shp", "[道路] 1.2.shx"]
    assert (tmp_path / "[道路] 1.2.shp").read_text(encoding="utf-8") == ".shp"


def test_a_folder_is_made_with_those_above_it_and_cleared_of_what_a_killed_run_left(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a" / "b")
    (folder / f"map{UNFINISHED}-x.html").touch()
    (folder / "mine.txt").touch()
    make_folder(folder)
    assert names(folder) == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    blocked = write_text(tmp_path / "file", "mine")
    with pytest.raises(OutputError, match="cannot be written: ") as told:
        make_folder(blocked / "out")
    assert told.value.zh.startswith("无法写入")
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "no" / "a.txt", "text")


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


@pytest.mark.slow
@pytest.mark.fault(39)
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


def test_files_that_another_run_is_writing_stay_and_those_of_a_dead_one_go(tmp_path: Path) -> None:
    def meanwhile(unfinished: Path) -> None:
        unfinished.write_text("whole", encoding="utf-8")
        make_folder(tmp_path)  # of another run, into the same folder
        assert unfinished.exists()

    write_whole(tmp_path / "a.json", meanwhile)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    left = tmp_path / f"b{UNFINISHED}-{ended.pid}-x.json"
    left.touch()
    make_folder(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
