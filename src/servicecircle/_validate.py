"""Array types, and the checks that every public function shares."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from .errors import CRSError, InputError

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
#: an object array of Shapely geometries
GeometryArray: TypeAlias = npt.NDArray[np.object_]
#: an object array of `str`
StrArray: TypeAlias = npt.NDArray[np.object_]

N_NAMED = 5


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a write-protected view; the caller's own array stays as it was."""
    view = array.view()
    view.flags.writeable = False
    return view


def some(ids: Iterable[Hashable]) -> str:
    """Name up to five ids in trouble, and say how many more there are."""
    every = [str(i) for i in ids]
    shown = ", ".join(every[:N_NAMED])
    return shown if len(every) <= N_NAMED else f"{shown} and {len(every) - N_NAMED} more"


def some_zh(ids: Iterable[Hashable]) -> str:
    """
    Return what `some` says, in Chinese.

    Examples
    --------
    >>> some_zh("abc"), some_zh("abcdefg")
    ('a、b、c', 'a、b、c、d、e等 7 个')
    """
    every = [str(i) for i in ids]
    shown = "、".join(every[:N_NAMED])
    return shown if len(every) <= N_NAMED else f"{shown}等 {len(every)} 个"


def rows_zh(rows: Iterable[Hashable]) -> str:
    """
    Return the first few numbers of rows, in Chinese, and how many there are where not all are told.

    Examples
    --------
    >>> rows_zh([3, 8]), rows_zh(range(2, 9))
    ('第 3、8 行', '第 2、3、4、5、6 行等 7 行')
    """
    every = [str(row) for row in rows]
    shown = f"第 {'、'.join(every[:N_NAMED])} 行"
    return shown if len(every) <= N_NAMED else f"{shown}等 {len(every)} 行"


def check_text(value: object, name: str) -> str:
    """
    Return `value`, a text.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, str):
        msg = f"`{name}` must be text, got {type(value).__name__}."
        raise InputError(msg)
    return value


def check_minutes(minutes: Sequence[float]) -> tuple[float, ...]:
    """
    Return the breaks as a tuple, checked: at least one, finite, above 0, ascending, none twice.

    Raises
    ------
    InputError
        Otherwise.
    """
    breaks = tuple(float(m) for m in minutes)
    if not breaks or not all(np.isfinite(breaks)) or min(breaks) <= 0:
        msg = f"`minutes` must hold numbers above 0, got {_listed(minutes)}."
        raise InputError(msg, zh=f"分钟数必须大于 0，现为 {_listed(minutes)}。")
    if any(b <= a for a, b in itertools.pairwise(breaks)):
        said, right = _listed(minutes), _listed(sorted(set(breaks)))
        msg = f"`minutes` must ascend, got {said}. Write {right}."
        raise InputError(msg, zh=f"分钟数必须从小到大且不重复，现为 {said}。请写 {right}。")
    if len({f"{m:g}" for m in breaks}) < len(breaks):  # columns are named by it
        msg = f"`minutes` must differ in their first six digits, got {_listed(minutes)}."
        raise InputError(msg, zh=f"分钟数须在前六位数字上有区别，现为 {_listed(minutes)}。")
    return breaks


def _listed(minutes: Sequence[float]) -> str:
    """Return numbers as study.toml lists them, none with a needless `.0`."""
    return f"[{', '.join(f'{m:g}' if float(f'{m:g}') == m else repr(float(m)) for m in map(float, minutes))}]"


def check_points(frame: object, name: str) -> gpd.GeoDataFrame:
    """
    Return `frame` after checking that it is a GeoDataFrame of points with a CRS and a unique index.

    Raises
    ------
    CRSError
        If it states no CRS.
    InputError
        If it is no GeoDataFrame, or an id is double, or a geometry is missing, empty or no point.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = f"`{name}` must be a GeoDataFrame of points, got {type(frame).__name__}."
        raise InputError(msg)
    if frame.crs is None:
        msg = f"`{name}` states no CRS. Set it: {name}.set_crs('EPSG:4326') for longitude and latitude."
        raise CRSError(msg)
    if not frame.index.is_unique:
        double = frame.index[frame.index.duplicated()].unique()
        msg = f"`{name}` has the same id more than once: {some(double)}."
        raise InputError(msg)
    geometry = np.asarray(frame.geometry.array, dtype=object)
    bad = (shapely.get_type_id(geometry) != shapely.GeometryType.POINT) | shapely.is_empty(geometry)
    if bad.any():
        msg = f"`{name}` must hold points; these rows do not: {some(frame.index[bad])}."
        raise InputError(msg)
    return frame


def points_xy(frame: gpd.GeoDataFrame, crs: Any) -> FloatArray:  # noqa: ANN401
    """Return the coordinates of a frame of points in `crs`, shape `(n, 2)`."""
    return shapely.get_coordinates(np.asarray(frame.geometry.to_crs(crs).array, dtype=object))


def check_weight(frame: pd.DataFrame, name: str) -> FloatArray:
    """
    Return the column `weight` of `frame`, or ones where there is none.

    Raises
    ------
    InputError
        If a weight is missing, negative or not finite; the rows are named.
    """
    if "weight" not in frame.columns:
        return np.ones(len(frame))
    weight = pd.to_numeric(frame["weight"], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(weight) | (weight < 0)
    if bad.any():
        msg = f"`weight` of `{name}` must be a finite number >= 0; these are not: {some(frame.index[bad])}."
        raise InputError(msg)
    return weight
