"""What zones and posts are called: names, ids, and the zone that a post names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ._validate import IntArray


def zone_names(zones: pd.DataFrame) -> list[str]:
    """Return the name of each zone, its id where it has none."""
    return [name or str(i) for i, name in zip(zones.index, texts_in(zones, "name"), strict=True)]


def texts_in(frame: pd.DataFrame, column: str) -> list[str]:
    """Return a column as stripped texts, "" where it says nothing or is not there."""
    if column not in frame.columns:
        return [""] * len(frame)
    return ["" if pd.isna(value) else str(value).strip() for value in frame[column]]


def by_id(frame: pd.DataFrame) -> IntArray:
    """Return the rows in ascending order of their ids, as texts: what ties and searches go by."""
    return np.array(sorted(range(len(frame)), key=lambda row: str(frame.index[row])), dtype=np.int64)


def unknown_zones(posts: pd.DataFrame, zones: pd.DataFrame) -> list[int]:
    """Return the rows of posts that name a zone which is not there, or one of two of that name."""
    known = known_zones(zones)
    return [row for row, text in enumerate(texts_in(posts, "zone")) if text and known.get(text, -1) < 0]


def known_zones(zones: pd.DataFrame) -> dict[str, int]:
    """Return the position of each zone by name and by id, ids first; -1 where two have one name."""
    known: dict[str, int] = {}
    for position, name in enumerate(texts_in(zones, "name")):
        known[name] = -1 if name in known else position
    return known | {str(i): position for position, i in enumerate(zones.index)}
