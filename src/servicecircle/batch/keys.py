"""What a town's results hang on, as one key: the program, what is asked, and every byte of its files."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ..addresses import ANSWERS_FILE
from ..model import InputFile
from ..program_digest import program_digest
from ..study_keys import toml_of

#: changes with what stands in a town's folder of results
FORM = b"servicecircle town 1\n"
#: packages that have a say in a plan, or in the bytes of its files
_PACKAGES = (
    "geopandas", "h3", "numba", "numpy", "osmium", "pandas", "pyarrow", "pyogrio", "scipy", "xlsxwriter",
)  # fmt: skip
#: what a file of tables consists of beside the one that is named
_BESIDE = {".shp": (".dbf", ".shx", ".prj", ".cpg"), ".gpkg": (".gpkg-wal", ".gpkg-journal")}


def town_key(study: Path, options: Mapping[str, Any]) -> str:
    """
    Return the key of a town's results: equal keys, equal bytes.

    Parameters
    ----------
    study
        Its study.toml. Files that it names and that are not there count as missing.
    options
        What is asked of every town: numbers, texts, flags and None.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    found = hashlib.blake2b(_program(), digest_size=20)
    found.update(json.dumps(dict(options), sort_keys=True).encode())
    for name, path in files_of(study):
        found.update(f"\n{name} ".encode("utf-8", "surrogateescape"))
        found.update(_digest(path) if path.is_file() else b"missing")
    return found.hexdigest()


def zone_key(study: Path, piece: Path, inputs: Sequence[InputFile], options: Mapping[str, Any]) -> str:
    """
    Return the key of the results of one zone of a city.

    Parameters
    ----------
    study
        The city's study.toml.
    piece
        Folder of the zone's piece.
    inputs
        Files of the zone's own study, with the digests of its own rows.
    options
        As for `town_key`.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    found = hashlib.blake2b(_program(), digest_size=20)
    found.update(json.dumps(dict(options), sort_keys=True).encode())
    found.update(study.read_bytes())
    for path in sorted(piece.iterdir()):
        found.update(f"\n{path.name} ".encode())
        found.update(_digest(path))
    for used in inputs:
        if used.role != "network":  # the piece has the roads
            found.update(f"\n{used.role} {used.file} {used.rows} {used.sha256}".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def city_stamp(study: Path) -> str:
    """Return the key of a city's study.toml and every file that it names."""
    return town_key(study, {})


def files_of(study: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file that a study rests on with its name in study.toml, in the order of the names."""
    yield study.name, study
    yield ANSWERS_FILE, study.with_name(ANSWERS_FILE)
    for name in sorted(set(_named_files(study))):
        path = study.parent / name
        yield name, path
        for suffix in _BESIDE.get(path.suffix.lower(), ()):
            yield f"{name} {suffix}", path.with_suffix(suffix)


def _named_files(study: Path) -> Iterator[str]:
    """Yield what stands at `file` of each table; nothing where study.toml cannot be read, which planning tells."""
    try:
        content = toml_of(study.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError, tomllib.TOMLDecodeError):
        return
    for table in content.values():
        if isinstance(table, dict) and isinstance(table.get("file"), str):
            yield table["file"]


def _digest(path: Path) -> bytes:
    """Return the digest of a file; of one that many towns share, once for each time that it was written."""
    told = path.stat()
    return _digest_of(str(path), told.st_size, told.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_of(path: str, size: int, written_ns: int) -> bytes:
    del size, written_ns  # of another size or time it is another file
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").digest()


def program_key() -> str:
    """Return the key of the program: processes of the same key make the same bytes."""
    return _program().hex()


@cache
def _program() -> bytes:
    """Return a digest of this package's own code, and of the packages that it plans and writes with."""
    return program_digest(Path(__file__).parents[1].rglob("*.py"), _PACKAGES, form=FORM)
