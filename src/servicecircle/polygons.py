"""Polygons in: zones, the study area and population by area, repaired or refused, never silently wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from ._validate import BoolArray, GeometryArray
from .columns import Role, ids_of, marks_of, match_headers, riders_of, texts_of
from .coordinates import odd_degrees
from .datum import Datum
from .errors import Fault
from .ledgers import WGS84, Reading, by_row, in_natural_order, in_wgs84, missing_geometries, no_rows
from .readers import Table
from .stated_datums import in_one_datum, stated_by

#: zones overlap where they share more than this (square metres) and this share of the smaller
OVERLAP_M2, OVERLAP_SHARE = 100.0, 0.01

#: why GEOS says that a polygon is not valid
_ZH_REASON: Mapping[str, str] = MappingProxyType(
    {
        "Self-intersection": "自相交",
        "Ring Self-intersection": "边界自相交",
        "Hole lies outside shell": "洞在外面",
        "Holes are nested": "洞中有洞",
        "Interior is disconnected": "内部不连通",
        "Nested shells": "各部分重叠",
        "Duplicate Rings": "边界重复",
        "Too few points in geometry component": "点数太少",
    }
)
_AREAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def frame_of_polygons(
    table: Table,
    role: Role,
    *,
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    datum: Datum | None = None,
) -> Reading:
    """
    Turn a table with geometry into polygons in WGS 84.

    Parameters
    ----------
    table
        As `read_table` gives it.
    role
        `zones`, `area` or `population`; a population needs `riders`.
    columns, keep, headers, datum
        As in `frame_of_points`.

    Returns
    -------
    reading
        Index id, column `name`, `riders` for a population, the file's other columns, polygons or multipolygons,
        all valid. An invalid one is repaired (shells united, holes taken out) with a warning that names it and
        the place; one without any area is an error. Zones that overlap are warned of. A layer of zones without
        a row is a warning "0 grids" and an empty frame; without an area or population it is an error.
    """
    if table.geometry is None:
        en = "holds no polygons. Give them as GeoJSON, GeoPackage, shapefile or GeoParquet."
        return nothing_read(
            table, table.fault(en, "没有面图形。请提供 GeoJSON、GeoPackage、Shapefile 或 GeoParquet。")
        )
    if not len(table.rows):
        return nothing_read(table, _no_zones(table) if role == "zones" else no_rows(table, role))
    needed = ["riders"] if role == "population" else []
    positions, faults = match_headers(table, role, columns=columns or {}, needed=needed, words=headers)
    ids, id_faults = ids_of(table, role, positions)
    said = stated_by(table, positions, datum)
    polygons, shape_faults = polygons_of(table, ids)
    polygons = in_one_datum(polygons, said)
    texts, text_faults = texts_of(table, positions, keep=keep)
    data: dict[str, object] = {"name": texts.pop("name", [""] * len(ids))}
    good = ~shapely.is_missing(polygons)
    number_faults: list[Fault] = []
    if role == "population":
        data["riders"], number_faults = riders_of(table, role, positions)
        if any(marks := marks_of(table, positions)):
            data["riders_mark"] = marks
        good &= np.isfinite(np.asarray(data["riders"], dtype=np.float64))
    data |= {name: column for name, column in texts.items() if name not in data}
    frame = gpd.GeoDataFrame(data, index=pd.Index(ids, dtype=object).astype(str), geometry=polygons, crs=WGS84)
    every = [*table.faults, *faults, *id_faults, *said.faults, *shape_faults, *number_faults, *text_faults]
    if role != "area":
        every += _overlaps(table, polygons, ids)
    row_of = dict(zip(ids, table.rows.tolist(), strict=True))
    frame = in_natural_order(frame[good & ~frame.index.duplicated()])
    return Reading(frame, len(table.rows), by_row(every), row_of, said.datum, said.is_stated)


def repair(geometry: BaseGeometry) -> BaseGeometry:
    """
    Return the area that an invalid polygon means: shells united, then holes taken out.

    Examples
    --------
    >>> bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    >>> repair(bow).area
    2.0
    """
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    return shapely.union_all([_repaired_part(part) for part in parts])


def _repaired_part(polygon: BaseGeometry) -> BaseGeometry:
    shell = _areal(shapely.make_valid(shapely.Polygon(shapely.get_exterior_ring(polygon))))
    holes = [
        _areal(shapely.make_valid(shapely.Polygon(shapely.get_interior_ring(polygon, i))))
        for i in range(shapely.get_num_interior_rings(polygon))
    ]
    return shapely.difference(shell, shapely.union_all(holes)) if holes else shell


def _areal(geometry: BaseGeometry) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts)


def nothing_read(table: Table, fault: Fault) -> Reading:
    """Return a ledger of which no row could be read, with the reason."""
    frame = gpd.GeoDataFrame({"name": []}, geometry=[], crs=WGS84, index=pd.Index([], dtype=object, name="id"))
    return Reading(frame, len(table.rows), (*table.faults, fault), {})


def _no_zones(table: Table) -> Fault:
    en = "has 0 grids (zones): the study goes on without zones. Draw them, or leave [zones] out of study.toml."
    return table.warning(en, "网格图层为空（0 个网格），将不按网格统计。请补画，或从 study.toml 中删去 [zones]。")


def polygons_of(table: Table, ids: Sequence[str]) -> tuple[GeometryArray, list[Fault]]:
    """Return valid polygons in WGS 84, None where a row has none that holds, and the faults."""
    geometry = np.asarray(table.geometry, dtype=object).copy()
    faults = missing_geometries(table, geometry)
    here = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    areal = np.isin(shapely.get_type_id(geometry), _AREAL)
    for at in np.flatnonzero(here & ~areal).tolist():
        kind = geometry[at].geom_type
        en = f"`{ids[at]}` is a {kind}, not a polygon. Draw its outline."
        faults.append(
            table.fault(en, f"“{ids[at]}”的图形类型是 {kind}，不是面。请画出边界。", at=at, column="geometry")
        )
    geometry[~(here & areal)] = None
    geometry, crs_faults = in_wgs84(table, geometry)
    geometry, degree_faults = _in_degrees(table, geometry.copy())
    geometry, repair_faults = _valid(table, geometry, ids)
    return geometry, [*faults, *crs_faults, *degree_faults, *repair_faults]


def _in_degrees(table: Table, geometry: GeometryArray) -> tuple[GeometryArray, list[Fault]]:
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    strange = np.unique(owner[~np.isfinite(coordinates).all(axis=1)])
    en, zh = "has coordinates that are not finite numbers. Draw it anew.", "坐标不是有效数字。请重新绘制。"
    faults = [table.fault(en, zh, at=at, column="geometry") for at in strange.tolist()]
    geometry[strange] = None
    whole = np.flatnonzero(~shapely.is_missing(geometry))
    bounds = shapely.bounds(geometry[whole])
    x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    for oddity in odd_degrees(x, y):
        tell = table.fault if oddity.is_error else table.warning
        at = None if oddity.at is None else int(whole[oddity.at])
        faults.append(tell(oddity.en, oddity.zh, at=at, column="geometry"))
        if oddity.is_error:
            geometry[whole if at is None else at] = None
    return geometry, faults


def _valid(table: Table, geometry: GeometryArray, ids: Sequence[str]) -> tuple[GeometryArray, list[Fault]]:
    faults = []
    for at in np.flatnonzero(~shapely.is_missing(geometry) & ~shapely.is_valid(geometry)).tolist():
        reason, place = _reason(geometry[at])
        why = f"{_ZH_REASON.get(reason, reason)}，位置 {place}"
        geometry[at] = repair(geometry[at])
        if geometry[at].area > 0:
            en = f"`{ids[at]}` is invalid ({reason} at {place}) and was repaired. Check its outline there."
            zh = f"“{ids[at]}”图形无效（{why}），已自动修复。请核对该处边界。"
            faults.append(table.warning(en, zh, at=at, column="geometry"))
            continue
        geometry[at] = None
        en = f"`{ids[at]}` is invalid ({reason} at {place}) and has no area. Draw it anew."
        zh = f"“{ids[at]}”图形无效（{why}），没有面积。请重新绘制。"
        faults.append(table.fault(en, zh, at=at, column="geometry"))
    return geometry, faults


def _reason(geometry: BaseGeometry) -> tuple[str, str]:
    reason, _, place = str(shapely.is_valid_reason(geometry)).partition("[")
    lon_lat = [f"{float(number):.6f}" for number in place.rstrip("]").split()[:2]]
    return reason.strip(), ", ".join(lon_lat)


def _overlaps(table: Table, geometry: GeometryArray, ids: Sequence[str]) -> list[Fault]:
    """Warn of pairs that share ground: whoever stands there is counted in one of them only."""
    here = np.flatnonzero(~shapely.is_missing(geometry))
    if here.size < 2:  # noqa: PLR2004
        return []
    frame = gpd.GeoSeries(geometry[here], crs=WGS84)
    metric = np.asarray(frame.to_crs(frame.estimate_utm_crs()).array, dtype=object)
    i, j = shapely.STRtree(metric).query(metric, predicate="intersects")
    i, j = i[i < j], j[i < j]
    shared = shapely.area(shapely.intersection(metric[i], metric[j]))
    smaller = np.minimum(shapely.area(metric[i]), shapely.area(metric[j]))
    big: BoolArray = (shared > OVERLAP_M2) & (shared > OVERLAP_SHARE * smaller)
    pairs = sorted(zip(here[i[big]].tolist(), here[j[big]].tolist(), shared[big].tolist(), strict=True))
    return [
        table.warning(
            f"`{ids[a]}` and `{ids[b]}` (row {table.rows[b]}) overlap by {m2:,.0f} m²; it is counted "
            "once. Mend the border.",
            f"“{ids[a]}”与“{ids[b]}”（第 {table.rows[b]} 行）重叠 {m2:,.0f} 平方米；重叠处只计一次。请修正边界。",
            at=a,
            column="geometry",
        )
        for a, b, m2 in pairs
    ]
