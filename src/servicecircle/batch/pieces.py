"""A piece of a city as files: numbers, text and geometry, never code."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import pandas as pd

from ..errors import OutputError
from ..model import Grid, Land, Study
from ..network_files import load_network, packed_network
from ..offers import PARSED
from ..pipeline import Ground, Roads
from ..study import load_study
from ..whole_files import make_folder, write_bytes, write_text, write_whole
from .city import Piece

_ROADS, _TOLD = "roads.network", "piece.json"
_FRAMES = ("cells", "demand", "places", "land")


def write_piece(piece: Piece, folder: Path) -> Path:
    """
    Write a piece to a folder of its own.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    make_folder(folder)
    (network, places, land), grid, demand, _ = piece.ground
    write_bytes(folder / _ROADS, b"".join(packed_network(network)))
    frames = {"cells": grid.cells, "demand": demand, "places": places, "land": None if land is None else land.frame}
    for name, frame in frames.items():
        if frame is not None:
            plain = frame.drop(columns=list(PARSED), errors="ignore")
            write_whole(folder / f"{name}.parquet", plain.to_parquet)
    told = {"zone": piece.zone, "cell_m": grid.cell_m, "h3": grid.h3, "rows": piece.rows, "own": piece.own}
    write_text(folder / _TOLD, json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    return folder


def read_piece(folder: Path, study: Study) -> Piece:
    """
    Read the piece of a zone of `study`, the city, which `write_piece` wrote.

    Raises
    ------
    OutputError
        If it is not whole.
    """
    try:
        told = json.loads((folder / _TOLD).read_text(encoding="utf-8"))
        frames = {
            name: gpd.read_parquet(folder / f"{name}.parquet") if (folder / f"{name}.parquet").is_file() else None
            for name in _FRAMES
        }
        network = load_network(folder / _ROADS, study.profile)
    except Exception as error:
        msg = f"`{folder}` is no whole piece of a city: {error}."
        raise OutputError(msg, zh=f"{folder} 不是完整的城市切片：{error}。") from error
    cells, demand = frames["cells"], frames["demand"]
    if cells is None or demand is None:
        msg = f"`{folder}` is no whole piece of a city."
        raise OutputError(msg, zh=f"{folder} 不是完整的城市切片。")
    land = None if frames["land"] is None else Land(frames["land"])
    ground = Ground(
        Roads(network, frames["places"], land),
        Grid(_with_none(cells), told["cell_m"], told["h3"]),
        _with_none(demand),
        (),
    )
    rows = {role: tuple(ids) for role, ids in told["rows"].items()}
    return Piece(told["zone"], ground, rows, tuple(told["own"]))


def _with_none(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return cells or points whose zone is None where it is missing, texts as objects, as they were."""
    made = frame.copy()
    for name in ("zone_id", "cell_id"):
        if name in made.columns:
            values = made[name].to_numpy(dtype=object)
            made[name] = pd.Series([None if pd.isna(v) else v for v in values], index=made.index, dtype=object)
    made.index = pd.Index(made.index.to_numpy(dtype=object), dtype=object, name=made.index.name)
    return made


@lru_cache(maxsize=1)
def city_study(path: str, stamp: str) -> Study:
    """Return a city's study; a process that plans many of its zones reads it once for each state of its files."""
    del stamp
    return load_study(path)
