"""The page of the five programmes is complete, the same in both languages, and the command of every row runs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sized
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pages import Block, _run_python, _run_shell, blocks_of

DOCS = Path(__file__).resolve().parents[1] / "docs"
#: rows of the programmes by section: places; circles; people; roads; documents
COUNTS = {"A": 22, "B": 6, "C": 8, "D": 6, "E": 8}
#: what is about persons, not places
OUT_OF_SCOPE = {"C7", "E8"}
ROW = re.compile(r"^\| ([A-E]\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def rows_of(name: str) -> dict[str, tuple[list[str], str]]:
    """Commands and notes of each row of a page."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return {row: (re.findall(r"`([^`]+)`", cell), note) for row, _, cell, note in ROW.findall(text)}


ROWS = rows_of("programmes.md")


def test_every_row_of_the_programmes_is_told_once() -> None:
    wanted = [f"{letter}{k}" for letter, n in COUNTS.items() for k in range(1, n + 1)]
    for name in ("programmes.md", "programmes.zh.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        assert [row for row, *_ in ROW.findall(text)] == wanted


def test_a_row_has_a_command_or_says_why_it_is_out_of_scope() -> None:
    assert {row for row, (commands, _) in ROWS.items() if not commands} == OUT_OF_SCOPE
    assert all(len(note) > 20 for row, (_, note) in ROWS.items() if row in OUT_OF_SCOPE)


def test_both_pages_name_the_same_commands() -> None:
    chinese = rows_of("programmes.zh.md")
    assert {row: commands for row, (commands, _) in ROWS.items()} == {r: c for r, (c, _) in chinese.items()}
    assert [
        (block.mark, block.text) for block in blocks_of((DOCS / "programmes.md").read_text(encoding="utf-8"))
    ] == [(block.mark, block.text) for block in blocks_of((DOCS / "programmes.zh.md").read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder beside the examples, and the names that the page binds before its tables."""
    folder = tmp_path_factory.mktemp("programmes")
    (folder / "data").symlink_to(DOCS.parent / "data")
    names: dict[str, Any] = {}
    for block in blocks_of((DOCS / "programmes.md").read_text(encoding="utf-8")):
        if block.language == "python":
            _run_python(block, folder, names)
        else:
            _run_shell(block, folder)
    return folder, names


@pytest.mark.slow
@pytest.mark.parametrize("row", sorted(set(ROWS) - OUT_OF_SCOPE, key=lambda row: (row[0], int(row[1:]))))
def test_the_command_of_a_row_runs_and_says_something(row: str, prepared: tuple[Path, dict[str, Any]]) -> None:
    folder, names = prepared
    for command in ROWS[row][0]:
        if command.startswith("servicecircle "):
            assert _run_shell(Block("run", "", "bash", command, 0, 0), folder).strip()
            continue
        with contextlib.chdir(folder):
            made = eval(command, names)
        assert made is not None
        if isinstance(made, pd.Series | pd.DataFrame) or (isinstance(made, Sized) and not isinstance(made, str)):
            assert len(made) > 0
        if isinstance(made, pd.DataFrame):
            assert len(made.columns) > 0


@pytest.mark.slow
def test_figures_of_the_programmes_come_back(prepared: tuple[Path, dict[str, Any]]) -> None:
    _, names = prepared
    study, plan = names["study"], names["plan"]
    assert study["shuiposi"].depots["riders"].sum() == 170 + 180
    assert study["daning"].depots["riders"].sum() == 700
    assert plan["daning"].checkins.n == 731
    assert len(study["nanqu"].stations) == 25
    assert len(study["nanqu"].shops) == 68
    assert len(names["problems"]) == 52
