"""Grids: planning cells that bear street, squares or H3 hexagons, each in its zone."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray, StrArray, some, some_zh
from .errors import CRSError, InputError
from .model import Grid, Network

#: a grid with more cells than this is refused before any work
MAX_CELLS = 2_000_000
#: pieces of street shorter than this are rounding, not street (metres)
CRUMB_M = 1e-6
#: finest resolution of H3
MAX_H3 = 15


@dataclass(frozen=True, eq=False)
class StreetPieces:
    """Straight pieces of admissible street, each inside one cell; in order along each street."""

    cell_ids: StrArray  # (n_cell,) ids of the cells that bear street, ascending
    cell: IntArray  # (n,) position of the cell
    street: IntArray  # (n,)
    start: FloatArray  # (n,) share of the street behind the piece, along the edge `street_first`
    end: FloatArray  # (n,)
    metres: FloatArray  # (n,) of the network's own `length_m`
    xy: FloatArray  # (n, 2, 2) both ends, CRS of the network

    @property
    def lines(self) -> GeometryArray:
        """The pieces as LineStrings."""
        return np.asarray(shapely.linestrings(self.xy), dtype=object)


@dataclass(frozen=True, eq=False)
class _Segments:
    """Straight segments of admissible street inside the area, none of length 0."""

    street: IntArray
    xy: FloatArray  # (n, 2, 2)
    start: FloatArray  # share of the street behind the segment
    end: FloatArray
    metres: FloatArray


# --------------------------------------------------------------------------------------------------- public
def square_grid(
    network: Network,
    *,
    cell_m: float = 100.0,
    area: gpd.GeoDataFrame | None = None,
    zones: gpd.GeoDataFrame | None = None,
) -> Grid:
    """
    Square cells that bear admissible street.

    A cell is `[ix, ix + 1) x [iy, iy + 1)` times `cell_m` in the CRS of the network, so that the same place has
    the same cell in every study of that CRS; its id is `c{ix}_{iy}`, and cells ascend by ix, then iy.

    Parameters
    ----------
    network
        Streets; each physical street counts once, fragments (not admissible) do not count.
    cell_m
        Side of a cell in metres, > 0.
    area
        Polygons, any stated CRS: only street inside them counts. They may overlap. None: all streets.
    zones
        Polygons, any stated CRS, index: zone id. The zone of a cell is the one that holds most of its street
        metres (of equals, the first by id); no street in any zone: None. A cell has one zone, so that riders
        count once where zones overlap.

    Returns
    -------
    grid
        `cells` has `zone_id`, `street_m` (metres of street inside cell and area, cut exactly at the border),
        `street_x`, `street_y` (centre of that street, CRS of the network) and the whole square as geometry.
        No street inside the area: no cell.

    Raises
    ------
    CRSError
        If `area` or `zones` states no CRS.
    InputError
        If `cell_m` is not above 0, or it would make more than two million cells; if `area` or `zones` holds
        anything but valid polygons (id and place are named), or `area` holds none.
    """
    if not (np.isfinite(cell_m) and cell_m > 0):
        msg = f"`cell_m` must be above 0 metres, got {cell_m}."
        raise InputError(msg, zh=f"网格边长 cell_m 必须大于 0 米，现为 {cell_m}。")
    pieces = street_pieces(network, cell_m=float(cell_m), resolution=None, area=area)
    index = np.array([cell[1:].split("_") for cell in pieces.cell_ids], dtype=np.int64)
    x, y = index.reshape(-1, 2).T
    squares = shapely.box(x * cell_m, y * cell_m, (x + 1) * cell_m, (y + 1) * cell_m)
    return Grid(
        cells=_cells(network.crs, pieces, np.asarray(squares, dtype=object), zones), cell_m=float(cell_m), h3=None
    )


def hex_grid(
    network: Network,
    *,
    resolution: int = 10,
    area: gpd.GeoDataFrame | None = None,
    zones: gpd.GeoDataFrame | None = None,
) -> Grid:
    """
    H3 hexagons that bear admissible street.

    Parameters
    ----------
    network
        Streets; each physical street counts once, fragments (not admissible) do not count.
    resolution
        H3 resolution, 0 to 15; 10 has edges of about 76 m, 9 of about 200 m.
    area
        As in `square_grid`.
    zones
        As in `square_grid`.

    Returns
    -------
    grid
        As in `square_grid`; ids are the H3 cell ids, ascending.

    Raises
    ------
    CRSError
        If `area` or `zones` states no CRS.
    InputError
        If `resolution` is no whole number from 0 to 15, or as in `square_grid`.

    References
    ----------
    H3, https://h3geo.org/docs/core-library/restable
    """
    if isinstance(resolution, bool) or int(resolution) != resolution or not 0 <= resolution <= MAX_H3:
        msg = f"`resolution` must be a whole number from 0 to {MAX_H3}, got {resolution!r}."
        raise InputError(msg, zh=f"H3 级别必须是 0 到 {MAX_H3} 的整数，现为 {resolution!r}。")
    pieces = street_pieces(network, cell_m=None, resolution=int(resolution), area=area)
    corners = _hexagons(pieces.cell_ids, network.crs)
    return Grid(cells=_cells(network.crs, pieces, _polygons(corners), zones), cell_m=None, h3=int(resolution))


def street_pieces(
    network: Network, *, cell_m: float | None, resolution: int | None, area: gpd.GeoDataFrame | None
) -> StreetPieces:
    """
    Admissible streets inside `area`, cut exactly at the borders of square cells (`cell_m`) or H3 cells.

    Each street counts once; of a street along a border every metre belongs to one cell (squares: the one to the
    east or north). Pieces under a micrometre, which are rounding, are left out.

    Raises
    ------
    InputError
        If that would make more than two million cells, or `area` is not valid.
    """
    segments = _segments(network)
    if area is not None:
        segments = _inside(segments, shapely.union_all(polygons_in(area, "area", network.crs)))
    if cell_m is not None:
        of, share, cell_ids, cell = _cut_at_squares(segments, cell_m)
    else:
        of, share, cell_ids, cell = _cut_at_hexagons(segments, resolution or 0, network.crs)
    start, end = share
    metres = segments.metres[of] * (end - start)
    length = segments.end[of] - segments.start[of]
    ahead = segments.xy[of, 1] - segments.xy[of, 0]
    real = metres > CRUMB_M
    used, cell = np.unique(cell[real], return_inverse=True)
    return StreetPieces(
        cell_ids=cell_ids[used],
        cell=cell,
        street=segments.street[of][real],
        start=(segments.start[of] + start * length)[real],
        end=(segments.start[of] + end * length)[real],
        metres=metres[real],
        xy=(segments.xy[of, :1] + np.stack([start, end], axis=1)[:, :, None] * ahead[:, None])[real],
    )


def polygons_in(frame: object, name: str, crs: CRS) -> GeometryArray:
    """
    Return the polygons of `frame` in `crs`, checked.

    Raises
    ------
    CRSError
        If the frame states no CRS.
    InputError
        If it is no GeoDataFrame, an id is double, a geometry is missing, no polygon, or not valid.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = f"`{name}` must be a GeoDataFrame of polygons, got {type(frame).__name__}."
        raise InputError(msg)
    if frame.crs is None:
        msg = f"`{name}` states no CRS. Set it: {name}.set_crs('EPSG:4326') for longitude and latitude."
        raise CRSError(msg, zh=f"{name} 没有写明坐标系。经纬度请用 set_crs('EPSG:4326') 写明。")
    if not frame.index.is_unique:
        double = frame.index[frame.index.duplicated()].unique()
        msg = f"`{name}` has the same id more than once: {some(double)}."
        raise InputError(msg, zh=f"{name} 中编号重复：{some_zh(double)}。")
    polygons = np.asarray(frame.geometry.array, dtype=object)
    kinds = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    bad = ~np.isin(shapely.get_type_id(polygons), kinds) | shapely.is_empty(polygons)
    if bad.any():
        rows = frame.index[bad]
        msg = f"`{name}` must hold polygons; these rows do not: {some(rows)}."
        raise InputError(msg, zh=f"{name} 中只能有面要素，以下各行不是：{some_zh(rows)}。")
    bad = ~shapely.is_valid(polygons)
    if bad.any():
        why = list(zip(frame.index[bad], shapely.is_valid_reason(polygons[bad]), strict=True))
        en, zh = some(f"{i} ({reason})" for i, reason in why), some_zh(f"{i}（{reason}）" for i, reason in why)
        msg = f"`{name}` holds polygons that are not valid: {en}. Mend them in QGIS with 'Fix geometries'."
        raise InputError(msg, zh=f"{name} 中有无效的面：{zh}。请用 QGIS 的“修正几何图形”修复。")
    if not len(frame) and name == "area":
        msg = "`area` holds no polygon, so that no rider would be counted."
        raise InputError(msg, zh="研究范围 area 中没有任何面。")
    return np.asarray(frame.geometry.to_crs(crs).array, dtype=object)


# ------------------------------------------------------------------------------------------------- segments
def _segments(network: Network) -> _Segments:
    """Return the straight segments of the admissible streets."""
    street = np.flatnonzero(network.is_street_admissible)
    first = network.street_first[street]
    xy, of = shapely.get_coordinates(network.geometry[first], return_index=True)
    joined = of[1:] == of[:-1]
    ends = np.stack([xy[:-1][joined], xy[1:][joined]], axis=1)
    of = of[:-1][joined]
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    total = np.bincount(of, weights=length, minlength=street.size)
    behind = np.cumsum(length) - length
    behind -= behind[np.searchsorted(of, of)]  # metres since the start of the same street
    real = length > 0
    of, length, behind = of[real], length[real], behind[real]
    return _Segments(
        street=street[of],
        xy=ends[real],
        start=behind / total[of],
        end=np.minimum((behind + length) / total[of], 1.0),
        metres=network.length_m[first][of] * length / total[of],
    )


def _inside(segments: _Segments, area: shapely.Geometry) -> _Segments:
    """Return the parts of the segments that lie inside `area`."""
    lines = np.asarray(shapely.linestrings(segments.xy), dtype=object)
    shapely.prepare(area)
    whole = shapely.covers(area, lines)
    crossing = np.flatnonzero(~whole & shapely.intersects(area, lines))
    parts, of = shapely.get_parts(shapely.intersection(lines[crossing], area), return_index=True)
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    parts, of = parts[is_line], crossing[of[is_line]]
    ends = np.stack(
        [
            shapely.get_coordinates(shapely.get_point(parts, 0)),
            shapely.get_coordinates(shapely.get_point(parts, -1)),
        ],
        axis=1,
    )
    ahead = segments.xy[of, 1] - segments.xy[of, 0]
    share = ((ends - segments.xy[of, :1]) * ahead[:, None]).sum(axis=2) / (ahead**2).sum(axis=1)[:, None]
    share = np.sort(np.clip(share, 0.0, 1.0), axis=1)
    start, end = (np.concatenate([np.full(whole.sum(), fill), share[:, k]]) for k, fill in ((0, 0.0), (1, 1.0)))
    of = np.concatenate([np.flatnonzero(whole), of])
    order = np.lexsort((start, of))
    of, start, end = of[order], start[order], end[order]
    length = segments.end[of] - segments.start[of]
    ahead = segments.xy[of, 1] - segments.xy[of, 0]
    kept = end > start
    return _Segments(
        street=segments.street[of][kept],
        xy=(segments.xy[of, :1] + np.stack([start, end], axis=1)[:, :, None] * ahead[:, None])[kept],
        start=(segments.start[of] + start * length)[kept],
        end=(segments.start[of] + end * length)[kept],
        metres=(segments.metres[of] * (end - start))[kept],
    )


_Cut = tuple[IntArray, tuple[FloatArray, FloatArray], StrArray, IntArray]


def _cut_at_squares(segments: _Segments, cell_m: float) -> _Cut:
    """Return segment, share from and to, cell ids, and position of the cell of every piece."""
    n = len(segments.street)
    unit = segments.xy / cell_m
    low, high = np.floor(unit.min(axis=1)), np.ceil(unit.max(axis=1))
    n_lines = np.maximum(high - low - 1, 0).astype(np.int64)  # grid lines strictly between the ends, by axis
    extent = np.prod(np.maximum(high.max(axis=0) - low.min(axis=0), 1)) if n else 0.0
    _check_size(min(float(n_lines.sum()) + n, float(extent)), f"`cell_m` {cell_m:g}", f"cell_m {cell_m:g}")
    of, share = [np.arange(n)], [np.zeros(n)]
    for axis in (0, 1):
        count = n_lines[:, axis]
        segment = np.repeat(np.arange(n), count)
        line = np.arange(segment.size) - np.repeat(np.cumsum(count) - count, count) + low[segment, axis] + 1
        of.append(segment)
        share.append((line - unit[segment, 0, axis]) / (unit[segment, 1, axis] - unit[segment, 0, axis]))
    cut_of, start = np.concatenate(of), np.clip(np.concatenate(share), 0.0, 1.0)
    order = np.lexsort((start, cut_of))
    cut_of, start = cut_of[order], start[order]
    is_last = np.append(cut_of[1:] != cut_of[:-1], True)[: cut_of.size]
    end = np.where(is_last, 1.0, np.append(start[1:], 1.0)[: start.size])
    kept = (end - start) * segments.metres[cut_of] > CRUMB_M
    cut_of, start, end = cut_of[kept], start[kept], end[kept]
    middle = unit[cut_of, 0] + ((start + end) / 2)[:, None] * (unit[cut_of, 1] - unit[cut_of, 0])
    index, cell = _unique_rows(np.floor(middle).astype(np.int64))
    return cut_of, (start, end), np.array([f"c{x}_{y}" for x, y in index.tolist()], dtype=object), cell


def _cut_at_hexagons(segments: _Segments, resolution: int, crs: CRS) -> _Cut:
    """Return segment, share from and to, cell ids, and position of the cell of every piece."""
    import h3  # loads only where hexagons are used

    edge_m = h3.average_hexagon_edge_length(resolution, unit="m")
    length = np.hypot(*(segments.xy[:, 1] - segments.xy[:, 0]).T)
    _check_size(length.sum() / edge_m, f"`resolution` {resolution}", f"H3 级别 {resolution}")
    cell_ids = _cells_near(segments, length, edge_m / 2, resolution, crs)
    corners = _hexagons(cell_ids, crs)
    if not len(corners):
        return np.empty(0, np.int64), (np.empty(0), np.empty(0)), cell_ids, np.empty(0, np.int64)
    lines = np.asarray(shapely.linestrings(segments.xy), dtype=object)
    of, cell = shapely.STRtree(_polygons(corners)).query(lines, predicate="intersects")
    start, end = _clip(segments.xy[of], corners[cell])
    kept = (end - start) * segments.metres[of] > CRUMB_M
    of, cell, start, end = of[kept], cell[kept], start[kept], end[kept]
    order = np.lexsort((cell, start + end, of))
    of, cell, end = of[order], cell[order], end[order]
    is_first = np.append(True, of[1:] != of[:-1])[: of.size]
    end[np.append(is_first[1:], True)[: of.size]] = 1.0
    start = np.where(is_first, 0.0, np.append(0.0, end[:-1])[: of.size])  # every metre in exactly one cell
    end = np.maximum(start, end)
    return of, (start, end), cell_ids, cell


def _cells_near(segments: _Segments, length: FloatArray, step_m: float, resolution: int, crs: CRS) -> StrArray:
    """Return the H3 cells that segments may cross: those of points along them, and their neighbours."""
    import h3  # loads only where hexagons are used

    count = np.ceil(length / step_m).astype(np.int64) + 1
    of = np.repeat(np.arange(length.size), count)
    share = (np.arange(of.size) - np.repeat(np.cumsum(count) - count, count)) / np.maximum(count[of] - 1, 1)
    xy = segments.xy[of, 0] + share[:, None] * (segments.xy[of, 1] - segments.xy[of, 0])
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(*xy.T)
    crossed = {h3.latlng_to_cell(*at, resolution) for at in zip(lat.tolist(), lon.tolist(), strict=True)}
    return np.array(sorted({near for cell in crossed for near in h3.grid_disk(cell, 1)}), dtype=object)


def _hexagons(cell_ids: StrArray, crs: CRS) -> FloatArray:
    """Return the corners of H3 cells in `crs`, shape `(n, 6, 2)`; neighbours share them to the last bit."""
    import h3  # loads only where hexagons are used

    corners = [h3.cell_to_vertexes(cell) for cell in cell_ids]
    full = [(ids + ids[-1:])[:6] for ids in corners]  # the twelve pentagons of the Earth repeat a corner
    names, position = np.unique(np.array(full, dtype=str).ravel(), return_inverse=True)
    lat, lon = np.array([h3.vertex_to_latlng(name) for name in names.tolist()]).reshape(-1, 2).T
    xy = np.column_stack(Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat))
    return xy[position].reshape(-1, 6, 2)


def _polygons(corners: FloatArray) -> GeometryArray:
    """Return corners `(n, k, 2)` as polygons."""
    return np.asarray(shapely.polygons(corners), dtype=object) if len(corners) else np.empty(0, dtype=object)


def _clip(ends: FloatArray, corners: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the shares of segments `(n, 2, 2)` between which they lie in convex cells `(n, k, 2)`."""
    start, end = np.zeros(len(ends)), np.ones(len(ends))
    side = np.roll(corners, -1, axis=1) - corners
    turn = np.sign(_cross(side[:, 0], side[:, 1]))
    for k in range(corners.shape[1]):
        left, right = (turn * _cross(side[:, k], ends[:, e] - corners[:, k]) for e in (0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            at = left / (left - right)
        start = np.where((left < 0) & (right >= 0), np.maximum(start, at), start)
        end = np.where((left >= 0) & (right < 0), np.minimum(end, at), end)
        end = np.where((left < 0) & (right < 0), start, end)
    return start, np.maximum(start, end)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the cross product of plane vectors."""
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _check_size(n_cells: float, what: str, zh: str) -> None:
    """Refuse a grid that is too large, before the work."""
    if n_cells > MAX_CELLS:
        msg = f"{what} makes up to {n_cells:,.0f} cells; {MAX_CELLS:,} are allowed. Use larger cells or an `area`."
        raise InputError(
            msg, zh=f"{zh} 会产生多达 {n_cells:,.0f} 个网格，上限为 {MAX_CELLS:,}。请加大网格或缩小范围。"
        )


def _unique_rows(index: IntArray) -> tuple[IntArray, IntArray]:
    """Return the distinct rows of `(n, 2)` in ascending order, and the position of each row among them."""
    if not len(index):
        return index, np.empty(0, np.int64)
    low = index.min(axis=0)
    width = int(index[:, 1].max() - low[1]) + 1
    key, position = np.unique((index[:, 0] - low[0]) * width + index[:, 1] - low[1], return_inverse=True)
    return np.column_stack(np.divmod(key, width)) + low, position


# ---------------------------------------------------------------------------------------------------- cells
def _cells(
    crs: CRS, pieces: StreetPieces, geometry: GeometryArray, zones: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Return the frame of cells."""
    n = pieces.cell_ids.size
    street_m = np.bincount(pieces.cell, weights=pieces.metres, minlength=n)
    middle = pieces.xy.mean(axis=1)
    x, y = (np.bincount(pieces.cell, weights=pieces.metres * middle[:, k], minlength=n) / street_m for k in (0, 1))
    zone_id = np.full(n, None, dtype=object)
    if zones is not None and len(zones):
        zone_id = _zone_of_cells(pieces, geometry, polygons_in(zones, "zones", crs), zones.index)
    index = pd.Index(pieces.cell_ids, dtype=object, name="cell_id")
    zone = pd.Series(zone_id, index=index, dtype=object)  # pandas would make text of it, and nan of None
    return gpd.GeoDataFrame(
        {"zone_id": zone, "street_m": street_m, "street_x": x, "street_y": y},
        index=index,
        geometry=geometry,
        crs=crs,
    )


def _zone_of_cells(
    pieces: StreetPieces, geometry: GeometryArray, polygons: GeometryArray, zone_ids: pd.Index
) -> StrArray:
    """Return the zone that holds most street of each cell, None where no zone holds any."""
    order = np.array(sorted(range(len(zone_ids)), key=lambda z: str(zone_ids[z])), dtype=np.int64)
    polygons, names = polygons[order], zone_ids.to_numpy(dtype=object)[order]
    n = pieces.cell_ids.size
    cell, zone = shapely.STRtree(polygons).query(geometry, predicate="intersects")
    clear: BoolArray = shapely.covers(polygons[zone], geometry[cell]) & (np.bincount(cell, minlength=n) == 1)[cell]
    found = np.full(n, -1)
    found[cell[clear]] = zone[clear]
    doubtful = np.isin(pieces.cell, cell[~clear])
    lines, of = pieces.lines[doubtful], pieces.cell[doubtful]
    near, zone = shapely.STRtree(polygons).query(lines, predicate="intersects")
    inside = shapely.length(shapely.intersection(lines[near], polygons[zone])) / shapely.length(lines[near])
    metres = pd.DataFrame(
        {"cell": of[near], "zone": zone, "metres": (inside * pieces.metres[doubtful][near]).round(6)}
    )
    metres = metres.groupby(["cell", "zone"], as_index=False).sum()
    metres = metres[metres["metres"] > 0].sort_values(["cell", "metres", "zone"], ascending=[True, False, True])
    best = metres.drop_duplicates("cell")
    found[best["cell"].to_numpy()] = best["zone"].to_numpy()
    zone_id = np.full(n, None, dtype=object)
    zone_id[found >= 0] = names[found[found >= 0]]
    return zone_id
