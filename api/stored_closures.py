"""Reports of trouble as a store and a job keep them, and as the engine takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from servicecircle.closed_streets import moments_text
from servicecircle.closures import WGS84, Closures

from .store import ClosureReport, StoredClosure

#: columns that a store keeps among the properties
_PROPERTIES = ("name", "source", "radius_m", "width_m")


def closures_kept(stored: Sequence[StoredClosure]) -> Closures | None:
    """Return what a store holds as closures."""
    if not stored:
        return None
    rows = [
        {
            **{name: one.properties.get(name) for name in _PROPERTIES},
            "modes": list(one.modes) or None,
            "factor": one.factor,
            "from": one.starts,
            "until": one.ends,
        }
        for one in stored
    ]
    shapes = [shapely.geometry.shape(dict(one.geometry)) for one in stored]
    index = np.array([one.id for one in stored], dtype=object)
    return Closures(gpd.GeoDataFrame(rows, index=index, geometry=shapes, crs=WGS84))


def report_of(row: pd.Series) -> ClosureReport:
    """Return a row of closures as a report that a store takes."""
    return ClosureReport(
        shapely.geometry.mapping(row["geometry"]),
        starts=_text_of(row["from"]),
        ends=_text_of(row["until"]),
        modes=tuple(row["modes"]),
        factor=float(row["factor"]),
        properties={name: row[name] for name in _PROPERTIES if row[name] and not pd.isna(row[name])},
    )


def together(first: Closures | None, second: Closures | None) -> Closures | None:
    """Return closures of both; of two with one id the first."""
    if first is None or second is None:
        return first if second is None else second
    others = second.frame[~second.frame.index.isin(first.frame.index)]
    return first if others.empty else Closures(gpd.GeoDataFrame(pd.concat([first.frame, others]), crs=WGS84))


def written_closures(closures: Closures | None) -> list[dict[str, Any]]:
    """Return closures as JSON, from which `read_closures` makes them again."""
    if closures is None:
        return []
    return [{**asdict(report_of(row)), "id": str(own)} for own, row in closures.frame.iterrows()]


def read_closures(written: Sequence[Mapping[str, Any]]) -> Closures | None:
    """Return closures of which `written_closures` made JSON; None if there are none."""
    return closures_kept([StoredClosure(**one, created=0.0) for one in written])


def _text_of(moment: pd.Timestamp) -> str | None:
    return moments_text(pd.Series([moment]))[0]
