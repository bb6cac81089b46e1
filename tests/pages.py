"""
Pages that run: the marked blocks of a Markdown page are files, commands, and what these print.

A comment on the line above a code block says what the block is::

    <!-- file my-town/study.toml -->   this text is a file, written into the page's folder
    <!-- run -->                       a shell or Python block, run there; `<!-- run exit 1 -->` if it must fail so
    <!-- prints -->                    exactly what the last run printed

`python tests/pages.py docs/tutorial.md ...` runs pages and writes what was printed into their `prints` blocks.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import servicecircle

REPOSITORY = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^<!-- (file|run|prints)(?: ([^\n]+?))? -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = f"""#!/bin/sh
exec "{sys.executable}" -c "from servicecircle.cli import main; main()" "$@"
"""


@dataclass(frozen=True)
class Block:
    """One marked block of a page."""

    mark: str  # file, run, prints
    argument: str  # what stands behind the mark
    language: str
    text: str
    start: int  # of the text, in the page
    line: int


def blocks_of(text: str) -> list[Block]:
    """Return the marked blocks of a page, in order."""
    return [
        Block(m[1], m[2] or "", m[3], m[4], m.start(4), text.count("\n", 0, m.start(4)))
        for m in _BLOCK.finditer(text)
    ]


def run_page(text: str, folder: Path) -> list[tuple[Block, str]]:
    """Run a page in `folder`, beside the examples; return its `prints` blocks with what was printed."""
    # a page may set it, and the next begins anew
    with pd.option_context("display.unicode.east_asian_width", False):
        return _run(blocks_of(text), folder)


def _run(blocks: list[Block], folder: Path) -> list[tuple[Block, str]]:
    (folder / "data").symlink_to(REPOSITORY / "data")
    names: dict[str, Any] = {}
    printed, seen = "", []
    for block in blocks:
        if block.mark == "file":
            file = folder / block.argument
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.mark == "prints":
            seen.append((block, printed))
        elif block.language == "python":
            printed = _run_python(block, folder, names)
        else:
            printed = _run_shell(block, folder)
    return seen


def rewritten(text: str, seen: list[tuple[Block, str]]) -> str:
    """Return the page with what was printed in its `prints` blocks."""
    for block, printed in reversed(seen):
        text = text[: block.start] + printed + text[block.start + len(block.text) :]
    return text


def _run_python(block: Block, folder: Path, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        exec(compile(block.text, f"line {block.line}", "exec"), names)
    return out.getvalue()


def _run_shell(block: Block, folder: Path) -> str:
    tools = folder / ".bin"
    tools.mkdir(exist_ok=True)
    command = tools / "servicecircle"
    command.write_text(_COMMAND, encoding="utf-8")
    command.chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=folder,
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(tools), os.environ["PATH"]]),
            "PYTHONPATH": str(Path(servicecircle.__file__).parents[1]),
            "PYTHONIOENCODING": "utf-8",
            "SERVICECIRCLE_LANG": "zh",  # the usual one, whatever the machine says
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    wanted = int(block.argument.removeprefix("exit ") or 0)
    assert done.returncode == wanted, f"line {block.line}: exit {done.returncode}\n{done.stdout}"
    return done.stdout.removeprefix("\ufeff")  # a byte order mark, which a terminal does not show


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        before = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as place:
            page.write_text(rewritten(before, run_page(before, Path(place))), encoding="utf-8")
