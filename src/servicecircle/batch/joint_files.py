"""The joint plan of a batch as files: tables for Excel, layers for a GIS, its figures as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import Lang
from ..whole_files import make_folder, remove_file, write_text, write_whole
from ..writers import json_text
from .books import Column, book_csv, write_book
from .disk import LAYERS_FOLDER
from .joint import Joint
from .merged import to_package

JOINT_FILES = ("joint.json", "joint.csv", "joint.xlsx")
_LAYERS = ("joint.parquet", "joint.gpkg")
WORDS: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {
        "zh": {
            "rank": "次序", "town": "街镇", "town_name": "研究名称", "name": "名称", "id": "编号", "kind": "类型",
            "riders_gained": "新增覆盖骑手", "lon": "经度", "lat": "纬度", "title": "统筹建议点位",
            "station": "驿站", "shop": "爱心商铺",
        },
        "en": {
            "rank": "Rank", "town": "Town", "town_name": "Study", "name": "Name", "id": "Id", "kind": "Kind",
            "riders_gained": "Riders gained", "lon": "Longitude", "lat": "Latitude", "title": "Joint plan",
            "station": "station", "shop": "shop",
        },
    }
)  # fmt: skip


def write_joint(joint: Joint | None, out: Path, *, names: Mapping[str, str], lang: Lang) -> list[Path]:
    """
    Write `joint.json`, `joint.csv`, `joint.xlsx` and the layer `joint`; without a joint plan they are removed.

    Parameters
    ----------
    joint
        None: none was asked for.
    out
        Folder of the batch.
    names
        Town -> name of its study.
    lang
        Of the tables.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    layers = make_folder(out / LAYERS_FOLDER)
    unused = [out / name for name in JOINT_FILES] if joint is None else []
    if joint is None or joint.sites.empty:
        unused += [layers / name for name in _LAYERS]
    for path in unused:
        remove_file(path)
    if joint is None:
        return []
    words = WORDS[lang]
    columns = [
        Column("rank", words["rank"], width=6),
        Column("town", words["town"], "text", 20),
        Column("town_name", words["town_name"], "text", 24),
        Column("name", words["name"], "text", 30),
        Column("id", words["id"], "text", 18),
        Column("kind", words["kind"], "text", 10),
        Column("riders_gained", words["riders_gained"]),
        Column("lon", words["lon"], "degree", 12),
        Column("lat", words["lat"], "degree", 12),
    ]
    points = joint.sites.geometry
    rows: list[dict[str, Any]] = [
        {**row, "town_name": names.get(row["town"], ""), "kind": words[row["kind"]], "lon": x, "lat": y}
        for row, x, y in zip(
            _rows(joint),
            points.x.round(6),
            points.y.round(6),
            strict=True,
        )
    ]
    files = [
        write_text(out / "joint.json", json_text(figures(joint), indent=2) + "\n"),
        write_text(out / "joint.csv", book_csv(columns, rows)),
        write_whole(out / "joint.xlsx", lambda path: write_book(path, words["title"], columns, rows)),
    ]
    if not joint.sites.empty:
        parquet = layers / "joint.parquet"
        write = partial(joint.sites.to_parquet, index=False, compression="zstd", write_covering_bbox=False)
        files += [write_whole(parquet, write), to_package(parquet, layers / "joint.gpkg")]
    return files


def joint_paths(out: Path) -> list[Path]:
    """Return the files that `write_joint` may write."""
    return [*(out / name for name in JOINT_FILES), *(out / LAYERS_FOLDER / name for name in _LAYERS)]


def _rows(joint: Joint) -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in joint.sites.drop(columns="geometry").to_dict("records")
    ]


def figures(joint: Joint) -> dict[str, object]:
    """Return what a joint plan was asked, what it gives, and how good that is."""
    kinds = joint.sites["kind"].tolist()
    return {
        "asked": {"stations": joint.asked[0], "shops": joint.asked[1]},
        "sites": {"stations": kinds.count("station"), "shops": kinds.count("shop")},
        "riders": joint.riders,
        "covered": joint.covered,
        "covered_after": joint.objective,
        "riders_gained": joint.objective - joint.covered,
        "bound": joint.bound,
        "gap": joint.gap,
        "status": joint.status,
        "riders_gained_by_town": {str(town): float(riders) for town, riders in joint.gained.items()},
    }
