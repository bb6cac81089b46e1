"""The datums of Chinese maps: WGS 84, GCJ-02 and BD-09, each into the others, exactly and only inside China."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray
from .china_outline import outline
from .chinese import simplified
from .errors import InputError

Datum = Literal["wgs84", "gcj02", "bd09"]
DATUMS: tuple[Datum, ...] = ("wgs84", "gcj02", "bd09")
#: as they are shown
TITLES: Mapping[str, str] = MappingProxyType({"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"})
#: a call of the shift, longitude and latitude in and out
_Shift: TypeAlias = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

#: the ellipsoid of GCJ-02 (Krasovsky 1940): half axis in metres, squared eccentricity
_AXIS_M, _E2 = 6378245.0, 0.00669342162296594323
#: where its polynomials begin (degrees)
_LON0, _LAT0 = 105.0, 35.0
#: what BD-09 adds to GCJ-02 (degrees), and how it turns degrees into the angle of its waves
_BD_LON, _BD_LAT, _BD_TURN = 0.0065, 0.006, np.pi * 3000.0 / 180.0
#: an inverse is found when no step moves a point by more (degrees; a thousandth of a millimetre)
_DONE_DEG = 1e-11
#: a step leaves less than 3 % of an error
_MAX_STEPS = 12
#: words for a datum, without blanks, hyphens and brackets
_WORDS: Mapping[Datum, str] = MappingProxyType(
    {
        "wgs84": "wgs84 wgs1984 wgs 4326 epsg:4326 epsg4326 gps cgcs2000 国家2000 大地2000 2000国家大地坐标系 "
        "2000国家大地 国家大地2000 国家大地坐标系2000 2000 4490 epsg:4490 epsg4490 天地图 tianditu",
        "gcj02": "gcj02 gcj2 gcj 火星 国测局 国测局02 高德 腾讯 amap gaode tencent autonavi",
        "bd09": "bd09 bd9 bd09ll 百度 baidu",
    }
)
_NAMES: Mapping[str, Datum] = MappingProxyType({w: datum for datum, words in _WORDS.items() for w in words.split()})


def to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike, datum: str) -> tuple[FloatArray, FloatArray]:
    """
    Turn coordinates of a datum into WGS 84.

    Parameters
    ----------
    lon, lat
        Degrees in `datum`, of one shape; `nan` stays `nan`.
    datum
        `wgs84` (also CGCS2000, which is the same to centimetres: nothing is changed), `gcj02` (Amap, Tencent) or
        `bd09` (Baidu); `GCJ-02` and the like are understood.

    Returns
    -------
    lon, lat
        Degrees, new arrays. The inverse of the published formula, iterated until it stands: what `from_wgs84` makes
        of it is the given point to far less than a millimetre. Points whose WGS 84 place lies outside China stay as
        they are.

    Raises
    ------
    InputError
        If the shapes differ, a coordinate is no number, or the datum is not known.

    Notes
    -----
    The formula is that of public open-source code; the official one is not published. Answers of Amap differ from
    it by about 0.1 m (median) and 7 m at most east of 110 degrees, and by up to 10 m in the far West.

    Examples
    --------
    >>> lon, lat = to_wgs84([116.41024449916938], [39.91640428150164], "gcj02")
    >>> [round(float(x), 6) for x in (lon[0], lat[0])]
    [116.404, 39.915]
    """
    named = _checked_datum(datum)
    x, y = _checked_degrees(lon, lat)
    if named == "wgs84":
        return x, y
    back = _undo_gcj02(*_undone(_bd09_of_gcj02, x, y)) if named == "bd09" else _undo_gcj02(x, y)
    moved = in_china(*back)
    return np.where(moved, back[0], x), np.where(moved, back[1], y)


def from_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike, datum: str) -> tuple[FloatArray, FloatArray]:
    """
    Turn WGS 84 coordinates into a datum.

    Parameters
    ----------
    lon, lat
        Degrees in WGS 84, of one shape; `nan` stays `nan`.
    datum
        As for `to_wgs84`.

    Returns
    -------
    lon, lat
        Degrees in `datum`, new arrays. Points outside China stay as they are: the test is a rough outline of the
        country, with Taiwan, Hong Kong, Macau and the sea between, that reaches up to some ten kilometres across a
        land border.

    Raises
    ------
    InputError
        If the shapes differ, a coordinate is no number, or the datum is not known.

    Examples
    --------
    >>> lon, lat = from_wgs84([116.404], [39.915], "gcj02")
    >>> [round(float(x), 6) for x in (lon[0], lat[0])]
    [116.410244, 39.916404]
    """
    named = _checked_datum(datum)
    x, y = _checked_degrees(lon, lat)
    if named == "wgs84":
        return x, y
    there = _gcj02_of_wgs84(x, y)
    if named == "bd09":
        there = _bd09_of_gcj02(*there)
    moved = in_china(x, y)
    return np.where(moved, there[0], x), np.where(moved, there[1], y)


def in_china(lon: FloatArray, lat: FloatArray) -> BoolArray:
    """Tell which points lie in the outline inside which the datums of China are in use; `nan` does not."""
    # on the very edge the way back must judge as the way there: not by the last digits
    return np.asarray(shapely.contains_xy(_outline(), np.round(lon, 9), np.round(lat, 9)), dtype=np.bool_)


@cache
def _outline() -> shapely.Polygon:
    polygon = outline()
    shapely.prepare(polygon)
    return polygon


def shapes_to_wgs84(shapes: GeometryArray, datum: Datum) -> GeometryArray:
    """Return points, lines or polygons of a datum in WGS 84, vertex by vertex; what is missing stays missing."""
    if datum == "wgs84":
        return shapes

    def moved(xy: FloatArray) -> FloatArray:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))

    return np.asarray(shapely.transform(shapes, moved), dtype=object)


def datum_named(text: str) -> Datum | None:
    """
    Return the datum that a word names, None where it names none.

    Examples
    --------
    >>> datum_named("GCJ-02"), datum_named("百度坐标系"), datum_named("CGCS2000"), datum_named("西安80")
    ('gcj02', 'bd09', 'wgs84', None)
    """
    text = simplified(text)
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"[\s_\-()]+", "", plain)
    found = _NAMES.get(plain)
    if found is None:
        found = _NAMES.get(re.sub(r"(地图)?(经纬度|坐标系|坐标)?$", "", plain))
    if found is None:  # "火星坐标系 (GCJ-02)", "WGS-84 (EPSG:4326)"
        parts = [re.sub(r"[\s_\-]+", "", part) for part in re.split(r"[(),/;，、]", text.casefold())]
        named = {_NAMES.get(re.sub(r"(地图)?(坐标系|坐标)?$", "", part)) for part in parts if part}
        return named.pop() if len(named) == 1 else None
    return found


def _checked_datum(datum: str) -> Datum:
    named = datum_named(datum) if isinstance(datum, str) else None
    if named is None:
        msg = f"`datum` must be one of {', '.join(DATUMS)}; got {datum!r}."
        raise InputError(msg, zh=f"坐标系须为 {'、'.join(DATUMS)} 之一，现为 {datum!r}。")
    return named


def _checked_degrees(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    try:
        x, y = np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = "`lon` and `lat` must be numbers, in degrees."
        raise InputError(msg, zh="经度和纬度必须是数字（度）。") from error
    if x.shape != y.shape:
        msg = f"`lon` and `lat` must have one shape, got {x.shape} and {y.shape}."
        raise InputError(msg, zh="经度和纬度的个数必须相同。")
    return x, y


# ----------------------------------------------------------------------------------------------------- formulas
def _gcj02_of_wgs84(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02, wherever on the globe the points lie."""
    x, y = lon - _LON0, lat - _LAT0
    both = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east_m += (both + _waves(x, (20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0))) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north_m += (both + _waves(y, (20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0))) * 2.0 / 3.0
    flat = 1.0 - _E2 * np.sin(np.radians(lat)) ** 2
    across_m = _AXIS_M / np.sqrt(flat)  # radius of curvature from east to west
    along_m = _AXIS_M * (1.0 - _E2) / flat**1.5  # and from north to south
    return (
        lon + np.degrees(east_m / (across_m * np.cos(np.radians(lat)))),
        lat + np.degrees(north_m / along_m),
    )


def _waves(at: FloatArray, *parts: tuple[float, float]) -> FloatArray:
    """Sum of sines, each with its height and half its length in degrees."""
    waves = np.zeros_like(at)
    for height, half in parts:
        waves += height * np.sin(np.pi * at / half)
    return waves


def _bd09_of_gcj02(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return BD-09, wherever on the globe the points lie."""
    far = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return far * np.cos(angle) + _BD_LON, far * np.sin(angle) + _BD_LAT


def _undo_gcj02(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    return _undone(_gcj02_of_wgs84, lon, lat)


def _undone(shift: _Shift, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the points that `shift` moves to the given ones: each step takes back what it still misses."""
    x, y = lon.copy(), lat.copy()
    for _ in range(_MAX_STEPS):
        there = shift(x, y)
        off_x, off_y = there[0] - lon, there[1] - lat
        x, y = x - off_x, y - off_y
        if not max(np.abs(off_x).max(initial=0.0), np.abs(off_y).max(initial=0.0)) > _DONE_DEG:
            break
    return x, y
