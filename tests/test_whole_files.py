"""Files: whole or not at all."""

from __future__ import annotations

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
