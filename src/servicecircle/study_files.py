"""The files that study.toml names: whether they are there and can be read, and their digests."""

from __future__ import annotations

import difflib
import hashlib
import os
from pathlib import Path

from .errors import Fault
from .model import InputFile
from .study_keys import StudyFile

NETWORK_SUFFIXES = (
    ".osm.pbf", ".pbf", ".osm", ".osm.gz", ".graphml", ".gpkg", ".parquet", ".shp", ".geojson",
)  # fmt: skip


def network_file(said: StudyFile) -> tuple[Path | None, list[Fault]]:
    """Return the road file that [network] names; None where it names a place, or is wrong."""
    stated = said.tables.get("network", {})
    if "file" in stated and "place" in stated:
        en, zh = "takes either `file` or `place`, not both.", "file 与 place 只能写一个。"
        return None, [said.fault("network", "place", en, zh)]
    if "place" in stated:
        return None, []
    if "file" not in stated:
        told = any(fault.column in {"network.file", "network.place", "network"} for fault in said.faults)
        en = 'is missing: write [network] with file = "roads.osm.pbf", or place = "...".'
        zh = '缺少路网：请写 [network]，其下 file = "roads.osm.pbf" 或 place = "…"。'
        return None, [] if told else [said.fault("network", "file", en, zh)]
    path = said.path.parent / stated["file"]
    if missing := missing_file(said, "network", path):
        return None, [missing]
    if not path.name.lower().endswith(NETWORK_SUFFIXES):
        en = f"{path.name!r} has an extension that is not known; known are {', '.join(NETWORK_SUFFIXES)}."
        zh = f"“{path.name}”的扩展名不支持，支持：{'、'.join(NETWORK_SUFFIXES)}。"
        return None, [said.fault("network", "file", en, zh)]
    return path.resolve(), []


def missing_file(said: StudyFile, table: str, path: Path) -> Fault | None:
    """Return the fault of a named file that is not there, with the name of one that is; None where it is."""
    named = said.get(table, "file")
    if _is_readable(path):
        return None
    beside = sorted(p.name for p in path.parent.iterdir() if p.is_file()) if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = (f" Did you mean {near[0]!r}?", f"是否为“{near[0]}”？") if near else ("", "")
    en = f"names {named!r}, which is not there or not readable (paths start at the folder of study.toml).{hint[0]}"
    return said.fault(
        table, "file", en, f"指定的“{named}”不存在或无法读取（路径从 study.toml 所在文件夹算起）。{hint[1]}"
    )


def _is_readable(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except OSError:  # a name that no file can have
        return False


def input_file(role: str, file: str, path: Path, *, rows: int | None = None, sheet: str | None = None) -> InputFile:
    """Return what the study tells of a file that it rests on, with its digest."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return InputFile(role, file, rows, digest, None if role == "network" else "wgs84", sheet)
