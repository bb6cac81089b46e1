"""How much memory a kept answer holds: its arrays, tables and shapes, without what others hold anyway."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

#: as GEOS holds a vertex (three numbers, even of a flat shape) and, beside these, a ring; bytes
VERTEX_BYTES, RING_BYTES = 24, 400
#: packages whose objects are looked into
OURS = ("servicecircle", "api", "scipy")


def bytes_of(value: object, *, besides: Iterable[object] = ()) -> int:
    """
    Return how much memory a value holds, in bytes.

    Arrays (each once; whole, where a view of it is held), tables, shapes, texts, and objects of this package that
    hold them. Loose numbers, and what Python and the allocator need besides, are left out.

    Parameters
    ----------
    value
        Any.
    besides
        What is held anyway: none of it counts.
    """
    held = _held([value])
    for shared in _held(besides):
        held.pop(shared, None)
    return sum(map(_own_bytes, held.values()))


def _held(values: Iterable[object]) -> dict[int, Any]:
    """Return the arrays and texts that values hold, by `id`."""
    seen: dict[int, object] = {}  # holds them, so that no other object comes by the same `id`
    found: dict[int, Any] = {}
    left = list(values)
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one
        if isinstance(one, np.ndarray) and isinstance(one.base, np.ndarray):
            left.append(one.base)
        elif isinstance(one, np.ndarray | str | bytes | shapely.Geometry) or _is_packed(one):
            found[id(one)] = one
        else:
            left.extend(_parts(one))
    return found


def _is_packed(one: object) -> bool:
    """Whether it is a column of pandas that is no array of numpy."""
    return (
        isinstance(one, pd.api.extensions.ExtensionArray) and not hasattr(one, "_ndarray") and not _is_shapes(one)
    )


def _is_shapes(one: object) -> bool:
    return isinstance(one, gpd.array.GeometryArray)


def _own_bytes(one: Any) -> int:  # noqa: ANN401
    """Return the bytes of an array, a column, a text or a shape."""
    if isinstance(one, str | bytes):
        return sys.getsizeof(one)
    if isinstance(one, shapely.Geometry):
        return _shape_bytes(np.array([one], dtype=object))
    if isinstance(one, np.ndarray) and one.dtype == object:
        texts = {id(text): text for text in one.flat if isinstance(text, str)}
        return (
            int(one.nbytes) + _shape_bytes(one[shapely.is_geometry(one)]) + sum(map(sys.getsizeof, texts.values()))
        )
    return int(one.nbytes)


def _shape_bytes(shapes: np.ndarray) -> int:
    parts = shapely.get_parts(shapes)
    n_rings = len(parts) + int(shapely.get_num_interior_rings(parts).sum())
    return VERTEX_BYTES * int(shapely.get_num_coordinates(parts).sum()) + RING_BYTES * n_rings


def _of_object(one: object) -> Collection[Any]:
    """Return what an object of this package, or of SciPy, holds; of all others nothing."""
    return list(getattr(one, "__dict__", {}).values()) if type(one).__module__.partition(".")[0] in OURS else ()


#: what a table or a container holds, by its kind; the first that fits
_PARTS: tuple[tuple[Any, Callable[[Any], Collection[Any]]], ...] = (
    (pd.DataFrame, lambda table: [table.index, *(column for _, column in table.items())]),
    (pd.Series, lambda column: [column.index, column.array]),
    (pd.MultiIndex, lambda index: [*index.levels, *index.codes]),
    (pd.RangeIndex, lambda _: ()),
    (pd.Index, lambda index: [index.array]),
    (gpd.array.GeometryArray, lambda shapes: [shapes._data]),
    (pd.api.extensions.ExtensionArray, lambda column: [column._ndarray]),
    (Mapping, lambda pairs: list(chain(pairs.keys(), pairs.values()))),
    (list | tuple | set | frozenset, lambda container: container),
    (object, _of_object),
)


def _parts(one: object) -> Collection[Any]:
    """Return what a table, a container or an object holds."""
    return next(parts(one) for kind, parts in _PARTS if isinstance(one, kind))
