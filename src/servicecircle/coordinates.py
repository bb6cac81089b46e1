"""Whether numbers that should be longitude and latitude in degrees are: swapped, projected, off the globe."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._validate import BoolArray, FloatArray

MAX_LON, MAX_LAT = 180.0, 90.0
#: no place with riders lies nearer to a pole; east of it lies all of China, so that a swapped pair shows
MAX_TOWN_LAT = 72.0
#: numbers beyond this are metres
MIN_PROJECTED = 1000.0
#: rows needed before one of them can be told by the others, and how far it then must lie off (degrees)
N_OTHERS, FAR_DEG, NEAR_DEG = 3, 1.0, 0.3
#: a row as far as this from the others, and this many times their own spread, is doubtful
DOUBTFUL_DEG, DOUBTFUL_SPREADS = 2.0, 20.0


class Oddity(NamedTuple):
    """One thing odd in coordinates; `at` is the row's position, None for the whole file."""

    at: int | None
    en: str
    zh: str
    is_error: bool = True


def odd_degrees(lon: FloatArray, lat: FloatArray) -> list[Oddity]:
    """
    Find what cannot be, or hardly is, a longitude and latitude in degrees.

    Parameters
    ----------
    lon, lat
        Finite numbers, shape `(n,)`. None gives no oddity.

    Returns
    -------
    oddities
        All rows swapped, or all projected: one, with `at` None. Else one a row, in the order of rows: swapped
        (out of range, or farther north than any town, and right the other way round; or far from the other
        rows, and among them the other way round), projected, off the globe, at (0, 0); and, as a doubt
        only, far from all others.
    """
    if lon.size == 0:
        return []
    projected = (np.abs(lon) > MIN_PROJECTED) | (np.abs(lat) > MIN_PROJECTED)
    if projected.all():
        return [Oddity(None, *_projected(lon, lat, whole=True))]
    swapped = ~projected & looks_swapped(lon, lat)
    if swapped.all():
        return [Oddity(None, *_swapped_file(lon, lat))]
    zero = (lon == 0) & (lat == 0)
    outside = ~projected & ~swapped & ((np.abs(lon) > MAX_LON) | (np.abs(lat) > MAX_LAT))
    good = ~(projected | swapped | zero | outside)
    among, doubtful = _by_the_others(lon, lat, good)
    found = [
        (swapped | among, _swapped_row, True),
        (projected, _projected_row, True),
        (outside, _outside, True),
        (zero, _zero, True),
        (doubtful, _doubtful, False),
    ]
    return [
        Oddity(int(at), *tell(lon[at], lat[at]), is_error)
        for mask, tell, is_error in found
        for at in np.flatnonzero(mask)
    ]


def looks_swapped(lon: FloatArray, lat: FloatArray) -> BoolArray:
    """Tell which pairs are no place with riders as they stand, and may be one the other way round."""
    return (np.abs(lat) > MAX_TOWN_LAT) & (np.abs(lat) <= MAX_LON) & (np.abs(lon) <= MAX_TOWN_LAT)


def _by_the_others(lon: FloatArray, lat: FloatArray, good: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Tell which rows lie far from the others: among them the other way round; or not at all."""
    nowhere = np.zeros(lon.size, dtype=np.bool_)
    if good.sum() < N_OTHERS:
        return nowhere, nowhere
    x, y = np.median(lon[good]), np.median(lat[good])
    off = np.maximum(np.abs(lon - x), np.abs(lat - y))
    off_swapped = np.maximum(np.abs(lat - x), np.abs(lon - y))
    spread = np.median(off[good])
    near = off_swapped <= max(5 * spread, NEAR_DEG)
    among = good & (off > FAR_DEG) & near & (off_swapped < off / 10)
    doubtful = good & ~among & (off > DOUBTFUL_DEG) & (off > DOUBTFUL_SPREADS * spread)
    return among, doubtful


def _swapped_row(lon: float, lat: float) -> tuple[str, str]:
    return (
        f"looks swapped: longitude {lon:.10g}, latitude {lat:.10g}. Exchange the two numbers.",
        f"经纬度似乎写反了：经度 {lon:.10g}，纬度 {lat:.10g}。请对调这两个数。",
    )


def _swapped_file(lon: FloatArray, lat: FloatArray) -> tuple[str, str]:
    n = lon.size
    return (
        f"longitude and latitude look swapped in all {n} row(s), e.g. {lon[0]:.10g}, {lat[0]:.10g}. "
        "Exchange the two headers in the file, or the two names in `columns = { lon = ..., lat = ... }`.",
        f"全部 {n} 行的经度和纬度似乎写反了（如 {lon[0]:.10g}，{lat[0]:.10g}）。请对调文件中的两个表头，"
        "或在 columns = { lon = …, lat = … } 中对调两列。",
    )


def _outside(lon: float, lat: float) -> tuple[str, str]:
    return (
        f"is off the globe: longitude {lon:.10g} (-180 to 180), latitude {lat:.10g} (-90 to 90). Check the digits.",
        f"超出经纬度范围：经度 {lon:.10g}（-180 至 180），纬度 {lat:.10g}（-90 至 90）。请核对数字。",
    )


def _zero(_lon: float, _lat: float) -> tuple[str, str]:
    return (
        "stands at 0, 0, in the sea off Africa. Are the coordinates missing?",
        "坐标为 0, 0（在非洲外海）。是不是缺少坐标？",
    )


def _doubtful(lon: float, lat: float) -> tuple[str, str]:
    return (
        f"stands far from all other rows: {lon:.10g}, {lat:.10g}. Check the digits.",
        f"离其他各行很远：{lon:.10g}，{lat:.10g}。请核对数字。",
    )


def _projected_row(lon: float, lat: float) -> tuple[str, str]:
    return _projected(np.array([lon]), np.array([lat]), whole=False)


def _projected(x: FloatArray, y: FloatArray, *, whole: bool) -> tuple[str, str]:
    en, zh = suggest_epsg(float(np.median(x)), float(np.median(y)))
    n = f"all {x.size} row(s) " if whole else ""
    return (
        f"{n}not degrees: {x[0]:.10g}, {y[0]:.10g} are metres of a projected CRS{en}. Give longitude and latitude "
        "in degrees, or a GeoPackage that states its CRS.",
        f"{f'全部 {x.size} 行' if whole else ''}不是经纬度的度数：{x[0]:.10g}，{y[0]:.10g} 是投影坐标（米）{zh}。"
        "请给出以度为单位的经纬度，或改用写明坐标系的 GeoPackage。",
    )


def suggest_epsg(x: float, y: float) -> tuple[str, str]:
    """
    Guess, by magnitude, which projected CRS of China two numbers may be of; in English and in Chinese.

    Nothing is said where nothing fits. The central meridian cannot be told from an easting without its zone.

    Examples
    --------
    >>> suggest_epsg(38456789.0, 2512345.0)[0]
    ', probably EPSG:4526 (CGCS2000 3-degree zone 38)'
    """
    turned = _is_northing(x) and not _is_northing(y)
    easting, northing = (y, x) if turned else (x, y)
    exchanged = (", with northing and easting exchanged", "，且横纵坐标互换") if turned else ("", "")
    zone = int(easting // 1e6)
    if not _is_northing(northing):
        return ("", "")
    if 25 <= zone <= 45:  # noqa: PLR2004
        likely = (
            f"EPSG:{4513 + zone - 25} (CGCS2000 3-degree zone {zone})",
            f"EPSG:{4513 + zone - 25}（CGCS2000 3 度带第 {zone} 带）",
        )
    elif 13 <= zone <= 23:  # noqa: PLR2004
        likely = (
            f"EPSG:{4491 + zone - 13} (CGCS2000 6-degree zone {zone})",
            f"EPSG:{4491 + zone - 13}（CGCS2000 6 度带第 {zone} 带）",
        )
    elif 8.1e6 <= easting <= 15.1e6:  # noqa: PLR2004
        likely = "EPSG:3857 (web mercator)", "EPSG:3857（Web 墨卡托）"
    elif 1e5 <= easting < 1e6:  # noqa: PLR2004
        likely = (
            "one of EPSG:4534 (75°E) to 4554 (135°E), CGCS2000 3-degree, e.g. 4547 for 114°E; or UTM, "
            "EPSG:32643 to 32653",
            "CGCS2000 3 度带 EPSG:4534（75°E）至 4554（135°E）之一，如 114°E 为 4547；或 UTM，EPSG:32643 至 32653",
        )
    else:
        return ("", "")
    return f", probably {likely[0]}{exchanged[0]}", f"，可能是 {likely[1]}{exchanged[1]}"


def _is_northing(value: float) -> bool:
    return 1.6e6 <= value <= 7.3e6  # noqa: PLR2004  (18 to 54 degrees north, or in web mercator)
