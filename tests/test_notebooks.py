"""The notebooks run top to bottom, offline, from the repository and from their own folder, and show the same."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
#: what a kernel runs before the first cell: warnings are errors, and nothing may ask another machine
STRICT = """
import socket, warnings
warnings.simplefilter("error")
_connect = socket.socket.connect
def _connect_here(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"the notebook asked {address} for something")
    return _connect(self, address)
socket.socket.connect = _connect_here
"""
#: and after the last: what the kernel does at its end is its own affair
LENIENT = "warnings.simplefilter('default')"


class Run(NamedTuple):
    """What the code cells of a notebook showed, run in a copy of the repository."""

    notebook: Path
    root: Path
    from_root: list[list[Any]]


def outputs(notebook: Path, folder: Path) -> list[list[Any]]:
    """Run a notebook in `folder`; return the outputs of each of its code cells."""
    book = nbformat.read(notebook, as_version=4)
    code = nbformat.v4.new_code_cell
    book.cells = [code(STRICT), *book.cells, code(LENIENT)]
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(book, timeout=120, kernel_name="python3", resources=where).execute()
    return [joined(cell.outputs) for cell in book.cells[1:-1] if cell.cell_type == "code"]


def joined(shown: list[Any]) -> list[Any]:
    """Join what was printed piece by piece: a kernel sends one text in one message or in several, as it comes."""
    whole: list[Any] = []
    for output in shown:
        if whole and output.output_type == "stream" and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


#: how each finds its files, and those that show that it does
ROOT = 'root = Path.cwd() if Path("data").is_dir() else Path.cwd().parent'
RUN_TWICE = ("01-first-circle", "daning")
#: all but the first plan several times
BY_LENGTH = [pytest.param(n, marks=[] if n is NOTEBOOKS[0] else [pytest.mark.slow], id=n.stem) for n in NOTEBOOKS]


@pytest.fixture(scope="module", params=BY_LENGTH)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("repository")  # what a notebook writes stays away from the real one
    (root / "notebooks").mkdir()
    shutil.copy(request.param, root / "notebooks")
    (root / "data").symlink_to(REPOSITORY / "data")
    return Run(request.param, root, outputs(request.param, root))


@pytest.mark.slow
def test_a_notebook_shows_the_same_from_both_folders(ran: Run) -> None:
    if ran.notebook.stem not in RUN_TWICE:
        pytest.skip("it begins and names its files as those do that are run twice")

    def plain(value: object) -> str:
        return re.sub(r" at 0x[0-9a-f]+", "", str(value))

    from_notebooks = outputs(ran.notebook, ran.root / "notebooks")
    assert [plain(shown) for shown in ran.from_root] == [plain(shown) for shown in from_notebooks]


def test_a_notebook_shows_something_and_complains_of_nothing(ran: Run) -> None:
    shown = [output for of_cell in ran.from_root for output in of_cell]
    assert shown
    assert all(output.output_type != "error" and output.get("name") != "stderr" for output in shown)


def test_a_notebook_ends_with_a_map_and_the_files_that_it_names(ran: Run) -> None:
    the_map, files = ran.from_root[-2:]
    assert "<iframe" in the_map[0].data["text/html"]
    assert all((ran.root / name).stat().st_size > 0 for name in files[0].text.split())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_finds_its_files_from_both_folders(notebook: Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    code = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
    assert code.count(ROOT) == 1
    rest = code.replace(ROOT, "")
    assert not re.search(r"\bcwd\b|\bchdir\b|\.\./", rest)
    folders = re.findall(r"""(.{0,7})["'](?:data|out)(?:/[^"']*)?["']""", rest)
    assert folders
    assert all(before.endswith("root / ") for before in folders)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_is_stored_without_output(notebook: Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    nbformat.validate(book)
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert not cell.metadata


def test_the_first_circle_takes_ten_cells() -> None:
    assert len(nbformat.read(REPOSITORY / "notebooks" / "01-first-circle.ipynb", as_version=4).cells) == 10
