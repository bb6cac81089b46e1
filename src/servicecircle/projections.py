"""Projections: which CRS a network is built in, and the way there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyproj
from pyproj import CRS

from ._validate import FloatArray
from .errors import CRSError

#: an input's own projected CRS is kept where it is true to scale within this share
SCALE_TOLERANCE = 0.01
_UTM_NORTH, _UTM_SOUTH = 32600, 32700


def check_metric(crs: Any) -> CRS:  # noqa: ANN401
    """
    Return `crs` after checking that it is projected, in metres.

    Raises
    ------
    CRSError
        Otherwise.
    """
    metric = read_crs(crs)
    if metric is None:
        msg = "`crs` is missing: a network needs a projected CRS in metres."
        raise CRSError(msg, zh="缺少坐标系：路网需要以米为单位的投影坐标系。")
    units = {axis.unit_conversion_factor for axis in metric.axis_info[:2]}
    if not metric.is_projected or units != {1.0}:
        msg = f"`crs` must be projected, in metres; got {metric.name!r} ({metric.axis_info[0].unit_name})."
        zh = f"坐标系必须是以米为单位的投影坐标系，现为 {metric.name}（单位 {metric.axis_info[0].unit_name}）。"
        raise CRSError(msg, zh=zh)
    return metric


def read_crs(crs: Any) -> CRS | None:  # noqa: ANN401
    """
    Return a CRS from whatever pyproj takes; None stays None.

    Raises
    ------
    CRSError
        If pyproj does not know it.
    """
    if crs is None or isinstance(crs, CRS):
        return crs
    try:
        return CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        msg = f"`crs` {crs!r} is not known: {error}"
        raise CRSError(msg, zh=f"无法识别坐标系 {crs!r}。") from error


def metric_crs(xy: FloatArray, crs: CRS, target_crs: Any = None) -> CRS:  # noqa: ANN401
    """
    CRS in which a network is built: the one asked for, else the input's own, else the UTM zone of the data.

    The input's own is kept if it is projected, in metres and true to scale within 1 % where the data lie; so a
    national grid stays, and degrees or a web map's Mercator go to UTM (by the centre of the data).

    Raises
    ------
    CRSError
        If the one asked for is not metric or not true to scale, if coordinates in degrees lie outside -180..180,
        -90..90, or those in metres all within.
    """
    _check_degrees(xy, crs)
    centre = (xy.min(axis=0) + xy.max(axis=0)) / 2
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(*centre)
    if target_crs is not None:
        metric = check_metric(target_crs)
        if not _is_true_to_scale(metric, lon, lat):
            msg = (
                f"`crs` {metric.name!r} is not true to scale at {lon:.2f}, {lat:.2f}: lengths would be wrong by "
                "more than 1 %. Leave it out for the UTM zone of the data."
            )
            zh = f"坐标系 {metric.name} 在 {lon:.2f}，{lat:.2f} 处的长度误差超过 1%。"
            raise CRSError(msg, zh=zh + "请删去 crs，自动采用所在 UTM 带。")
        return metric
    is_in_metres = crs.is_projected and {axis.unit_conversion_factor for axis in crs.axis_info[:2]} == {1.0}
    if is_in_metres and _is_true_to_scale(crs, lon, lat):
        return _named(crs)
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return CRS.from_epsg((_UTM_NORTH if lat >= 0 else _UTM_SOUTH) + zone)


def _check_degrees(xy: FloatArray, crs: CRS) -> None:
    """Refuse degrees that are none or exchanged, and metres that are degrees."""
    are_degrees = bool((np.abs(xy) <= (180.0, 90.0)).all())
    if crs.is_geographic == are_degrees or not (crs.is_geographic or crs.is_projected):
        return
    x, y = xy[0]
    if crs.is_projected:
        unit = crs.axis_info[0].unit_name
        msg = (
            f"The coordinates look like degrees ({x:.10g}, {y:.10g}), yet the CRS is {crs.name!r}, in {unit}. "
            "State the CRS they are in: `crs='EPSG:4326'` for longitude and latitude."
        )
        zh = f"坐标看来是经纬度（{x:.10g}，{y:.10g}），但坐标系写的是 {crs.name}。"
        raise CRSError(msg, zh=zh + "经纬度应为 EPSG:4326。")
    if (np.abs(xy) <= (90.0, 180.0)).all():
        msg = f"Longitude and latitude look swapped: {x:.10g}, {y:.10g}. Exchange x and y in the file."
        raise CRSError(msg, zh=f"经纬度似乎写反了（{x:.10g}，{y:.10g}）。请对调文件中的 x 和 y。")
    most = float(np.abs(xy).max())
    msg = (
        f"The coordinates are not degrees (up to {most:.7g}), yet the CRS is {crs.name!r}. State the "
        "projected CRS they are in, for example `crs='EPSG:32650'` (UTM) or `'EPSG:4547'` (CGCS2000)."
    )
    zh = f"坐标不是经纬度（最大 {most:.7g}），但坐标系写的是 {crs.name}。请写明实际的投影坐标系，如 EPSG:4547。"
    raise CRSError(msg, zh=zh)


def _is_true_to_scale(crs: CRS, lon: float, lat: float) -> bool:
    """Whether a metre is a metre within 1 % at a place."""
    try:
        factors = pyproj.Proj(crs).get_factors(lon, lat)
    except pyproj.exceptions.ProjError:  # not on its map at all
        return False
    scales = np.array([factors.meridional_scale, factors.parallel_scale])
    return bool((np.abs(scales - 1.0) <= SCALE_TOLERANCE).all())


def _named(crs: CRS) -> CRS:
    """Return the EPSG definition of a CRS that a file spells out without naming it."""
    code = crs.to_epsg(min_confidence=70)
    return crs if code is None else CRS.from_epsg(code)


def to_metres(xy: FloatArray, crs: CRS, metric: CRS) -> FloatArray:
    """Return coordinates `(n, 2)` transformed from `crs` (x first) to `metric`."""
    if crs == metric:
        return xy
    move = pyproj.Transformer.from_crs(crs, metric, always_xy=True)
    return np.column_stack(move.transform(xy[:, 0], xy[:, 1]))
