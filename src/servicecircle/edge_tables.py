"""Edge tables: streets as rows of a GeoPackage, GeoParquet, Shapefile or GeoJSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray, StrArray
from .edge_rows import (
    SAME_POINT_M,
    EdgeRows,
    Reading,
    RowsRead,
    TagCodes,
    network_from_rows,
    refuse_rows,
)
from .errors import CRSError, Fault, NetworkError
from .graphs import first_way_id
from .impedance import TAG_KEYS, tag_values
from .junctions import cluster_points, same_lines
from .model import Network
from .params import MIN_PART_M, TravelProfile, travel_profile
from .projections import metric_crs, read_crs, to_metres
from .spatial_kinds import gdal_source

#: how files of edge tables end
TABLE_SUFFIXES = (".gpkg", ".parquet", ".geoparquet", ".shp", ".geojson", ".json")
#: a table without one-way column is directed if at least this share of its rows stands once in each direction
TWIN_SHARE = 0.1
#: node ids are believed if no two rows place a node farther apart than this (metres)
NODE_SPREAD_M = 1.0

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "u": ("u", "from", "from_node", "source", "start_node"),
    "v": ("v", "to", "to_node", "target", "end_node"),
    "length": ("length", "length_m"),
    "highway": ("highway", "fclass", "road_class", "class"),
    "oneway": ("oneway", "one_way"),
    "name": ("name",),
    "way_id": ("osmid", "osm_id", "way_id", "osm_way_id"),
    "speed_kph": ("speed_kph",),
    "reversed": ("reversed",),
}
_LANE_ONEWAY = frozenset({"cycleway:left:oneway", "cycleway:right:oneway"})
_ONEWAY_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("yes", "y", "true", "1", "1.0", "f", "ft", "forward", "是", "单行", "单向"), "yes"),
    **dict.fromkeys(("-1", "-1.0", "reverse", "t", "tf", "backward"), "-1"),
    **dict.fromkeys(("no", "n", "false", "0", "0.0", "b", "both", "否", "双向"), "no"),
}


def short_key(key: str) -> str:
    """Return a tag's key as a Shapefile holds it: ten characters, no colon, all keys of `TAG_KEYS` apart."""
    return f"cycleway1{key[9]}" if key in _LANE_ONEWAY else key[:10].replace(":", "_")


def read_edge_table(path: str | Path) -> gpd.GeoDataFrame:
    """
    Read a table of streets; of several layers the one named `edges`, else the first that holds lines.

    Raises
    ------
    NetworkError
        If the file is missing or broken, or has no geometry.
    """
    file = Path(path)
    if not file.is_file():
        msg = f"`{path}` does not exist, or is no file."
        raise NetworkError(msg, zh=f"找不到文件 {path}。")
    try:
        if file.suffix.lower() in {".parquet", ".geoparquet"}:
            return gpd.read_parquet(file)
        frame: object = gpd.read_file(gdal_source(file), layer=_line_layer(file))
    except Exception as error:  # GDAL, Arrow and GEOS have trees of their own
        msg = f"`{path}` cannot be read as a table of streets; it may be broken or cut off: {error}"
        raise NetworkError(msg, zh=f"无法读取道路文件 {path}，文件可能已损坏或不完整：{error}") from error
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = f"`{path}` is a table without geometry: streets must be lines."
        raise NetworkError(msg, zh=f"{path} 没有几何图形，道路必须是线。")
    return frame


def _line_layer(file: Path) -> str | int:
    """Return the layer that holds the streets."""
    import pyogrio

    layers = pyogrio.list_layers(gdal_source(file))
    lines = [str(name) for name, kind in layers if kind is None or "Line" in str(kind)]
    if "edges" in lines:
        return "edges"
    return lines[0] if lines else 0


def network_from_table(
    table: gpd.GeoDataFrame,
    profile: str | TravelProfile = "walk",
    *,
    crs: Any = None,  # noqa: ANN401
    target_crs: Any = None,  # noqa: ANN401
    directed: bool | None = None,
    min_part_m: float = MIN_PART_M,
    admit_trunk: bool = False,
    source: str = "table",
) -> Network:
    """
    Build a network from a table of streets.

    Recognised columns (any case): `u` and `v` (or `from`/`to`, `source`/`target`), `length` in metres, `highway`
    (or `fclass`), `oneway`, `name`, `osmid`, `speed_kph`, and every OpenStreetMap tag that the rules read.

    * *Nodes.* Ids are believed if the lines that share one end within 1 m of each other; a row whose line is
      drawn from `v` to `u` is understood. Without ids (or if they do not fit, which is told), end points within
      1 mm are one node, and streets are split where they share a vertex.
    * *Directions.* A one-way column decides (`yes`, `no`, `-1`, truth values, `FT`/`TF`, `F`/`T`/`B`; along the
      line as drawn; blank is two-way). Without one, a table in which at least a tenth of the rows stands once
      in each direction is directed, a row a direction; any other is two-way. The report counts which was
      taken: `read_as_oneway_column`, `read_as_directed`, `read_as_two_way`.

    Parameters
    ----------
    table
        Lines; MultiLineStrings are merged where they connect, else taken as several rows.
    profile
        Decides which rows count, and how fast.
    crs
        Where the table states none.
    directed
        True: a row is one direction, whatever else it says. False: it is not; a one-way column still decides.
    target_crs, min_part_m, admit_trunk
        As in `read_network`.
    source
        Name of the table in messages.

    Returns
    -------
    network
        Nodes in ascending order of their ids, else by x, then y; streets in the order of the rows.

    Raises
    ------
    CRSError
        If no CRS is stated, or `length` is not in metres.
    NetworkError
        If geometry is missing, empty or no line, or a length or speed is nan, negative or infinite (the rows are
        named), or nothing usable is left.
    """
    rules = travel_profile(profile)
    read = table_rows(
        table,
        crs=crs,
        target_crs=target_crs,
        directed=directed,
        has_speeds=rules.speed_kph is None,
        source=source,
    )
    return network_from_rows(
        read.rows,
        rules,
        reading=read.reading,
        split=read.split,
        target_crs=target_crs,
        min_part_m=min_part_m,
        admit_trunk=admit_trunk,
        source=source,
        counts=read.counts,
        warnings=read.warnings,
    )


def table_rows(
    table: gpd.GeoDataFrame,
    *,
    crs: Any = None,  # noqa: ANN401
    target_crs: Any = None,  # noqa: ANN401
    directed: bool | None = None,
    has_speeds: bool = True,
    source: str = "table",
) -> RowsRead:
    """
    Return the rows of a table of streets, before any profile judges them; see `network_from_table`.

    Parameters
    ----------
    has_speeds
        Whether `speed_kph` is read and checked.
    """
    own = _table_crs(table, crs, source)
    if table.empty:
        msg = f"`{source}` holds no streets."
        raise NetworkError(msg, zh=f"{source} 中没有任何道路。")
    frame, labels, was_split = _whole_lines(table)
    columns = _recognised(frame)
    warnings: list[Fault] = []

    line = np.asarray(frame.geometry.array, dtype=object)
    ends = np.stack([shapely.get_coordinates(shapely.get_point(line, i)) for i in (0, -1)], axis=1).reshape(-1, 2)
    metric = metric_crs(shapely.get_coordinates(line), own, target_crs)
    point, _ = cluster_points(to_metres(ends, own, metric), SAME_POINT_M)
    node = None if was_split else _node_ids(columns, point.reshape(-1, 2), to_metres(ends, own, metric), warnings)
    split = node is None
    if node is None:
        node = point.reshape(-1, 2)
    n_node = int(node.max()) + 1
    node_xy = np.empty((n_node, 2))
    order = np.lexsort((ends[:, 1], ends[:, 0]))[::-1]
    node_xy[node.ravel()[order]] = ends[order]  # of several points the leftmost is written last

    tags = TagCodes()
    combo = _combos(frame, columns, tags, warnings)
    reading, how = _reading(columns, line, node, directed)
    rows = EdgeRows(
        labels=labels,
        node_xy=node_xy,
        start=node[:, 0],
        end=node[:, 1],
        line=line,
        combo=combo,
        combos=tags.combos(),
        is_reversed=_is_reversed(columns, len(frame)),
        length_m=_lengths(columns, labels, len(frame)),
        speed_kph=_speeds(columns, labels, len(frame)) if has_speeds else np.full(len(frame), np.nan),
        name=_names(columns, len(frame)),
        way_id=_way_ids(columns, len(frame)),
        crs=own,
    )
    return RowsRead(
        rows,
        reading=reading,
        split=split,
        counts={how: 1, "node_ids_used": int(not split), "unknown_class": tags.unknown_class},
        warnings=tuple(warnings),
    )


# -------------------------------------------------------------------------------------------------- rows and ids
def _table_crs(table: gpd.GeoDataFrame, crs: Any, source: str) -> Any:  # noqa: ANN401
    stated, given = read_crs(table.crs), read_crs(crs)
    if stated is not None and given is not None and not stated.equals(given, ignore_axis_order=True):
        msg = f"`{source}` states the CRS {stated.name!r}, but `crs` is {given.name!r}. Leave one out."
        raise CRSError(msg, zh=f"{source} 的坐标系是 {stated.name}，与指定的 {given.name} 不一致。")
    own = stated if stated is not None else given
    if own is None:
        msg = f"`{source}` states no CRS. Give it: `crs='EPSG:4326'` for degrees, `crs='EPSG:32650'` for UTM 50N."
        raise CRSError(msg, zh=f"{source} 没有坐标系信息，请用 crs 指定（经纬度为 EPSG:4326）。")
    return own


def _whole_lines(table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str], bool]:
    """Return a row a LineString, what to call the rows, and whether any row became several."""
    frame = table.reset_index() if isinstance(table.index, pd.MultiIndex) else table
    labels = [str(i) for i in range(len(frame))] if frame is not table else [str(i) for i in frame.index]
    line = np.asarray(frame.geometry.array, dtype=object)
    kind = shapely.get_type_id(line)
    is_multi = kind == shapely.GeometryType.MULTILINESTRING
    is_line = (kind == shapely.GeometryType.LINESTRING) | is_multi
    missing = shapely.is_missing(line) | shapely.is_empty(line)
    coordinates, owner = shapely.get_coordinates(line, return_index=True)
    is_finite = np.ones(line.size, dtype=bool)
    is_finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    refuse_rows(np.asarray(missing), labels, "have no geometry", "没有几何图形")
    refuse_rows(np.asarray(~is_line), labels, "are no lines", "不是线")
    refuse_rows(~is_finite, labels, "have coordinates that are no numbers", "坐标不是有效数字")
    line = shapely.force_2d(line)
    line[is_multi] = shapely.line_merge(line[is_multi])
    parts, row = shapely.get_parts(line, return_index=True)
    whole = frame.iloc[row].reset_index(drop=True)
    whole = whole.set_geometry(gpd.GeoSeries(parts, crs=frame.crs))
    return whole, [labels[r] for r in row], parts.size > line.size


def _recognised(frame: gpd.GeoDataFrame) -> dict[str, pd.Series[Any]]:
    """Return the columns that are understood, by the name that the rules use."""
    by_name = {str(column).lower(): column for column in reversed(frame.columns) if column != frame.geometry.name}
    found = {key: frame[by_name[word]] for key in TAG_KEYS for word in (short_key(key), key) if word in by_name}
    for key, words in _COLUMNS.items():
        word = next((word for word in words if word in by_name), None)
        if word is not None:
            found[key] = frame[by_name[word]]
    if "oneway" in found and not found["oneway"].notna().any():
        del found["oneway"]
    return found


def _node_ids(
    columns: Mapping[str, pd.Series[Any]], point: IntArray, ends: FloatArray, warnings: list[Fault]
) -> IntArray | None:
    """Return the node at each end of each row by the table's ids, None where they are missing or do not fit."""
    if "u" not in columns or "v" not in columns or columns["u"].isna().any() or columns["v"].isna().any():
        return None
    both = pd.concat([columns["u"], columns["v"]], ignore_index=True)
    codes, _ = pd.factorize(both, sort=both.map(type).nunique() == 1)
    node = np.asarray(codes, dtype=np.int64).reshape(2, -1).T
    n_point = int(point.max()) + 1
    votes = np.concatenate([node[:, [0, 1]] * n_point + point, node[:, [1, 0]] * n_point + point])
    seen, count = np.unique(votes, return_counts=True)
    score = count[np.searchsorted(seen, votes)].sum(axis=1).reshape(2, -1)
    turned = score[1] > score[0]
    node[turned] = node[turned, ::-1]
    corner = ends.reshape(-1, 2)
    group = pd.DataFrame({"x": corner[:, 0], "y": corner[:, 1]}).groupby(node.ravel())
    spread = (group.max() - group.min()).to_numpy().max(axis=1)
    bad = int((spread > NODE_SPREAD_M).sum())
    if not bad:
        return node
    warnings.append(
        Fault(
            f"The node ids of {bad} node(s) do not fit the lines; nodes are taken from the end points instead.",
            f"有 {bad} 个节点编号与线的端点不符，改用端点坐标确定路口。",
            level="warning",
        )
    )
    return None


def _reading(
    columns: Mapping[str, pd.Series[Any]], line: GeometryArray, node: IntArray, directed: bool | None
) -> tuple[Reading, str]:
    """Decide what a row says about directions, and what the report calls that."""
    if directed:
        return "directions", "read_as_directed"
    if "oneway" in columns:
        return "oneway", "read_as_oneway_column"
    if directed is None and _twin_share(line, node) >= TWIN_SHARE:
        return "directions", "read_as_directed"
    return "both", "read_as_two_way"


def _twin_share(line: GeometryArray, node: IntArray) -> float:
    """Share of the rows whose street stands once in each direction."""
    coords = np.ascontiguousarray(shapely.get_coordinates(line)).view(np.int64)
    first = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(line))])
    number, is_back = same_lines(coords, first)
    loop = node[:, 0] == node[:, 1]
    ahead = np.bincount(number[~loop], weights=~is_back[~loop], minlength=number.max() + 1)
    back = np.bincount(number[~loop], weights=is_back[~loop], minlength=number.max() + 1)
    return 2 * int(((ahead == 1) & (back == 1)).sum()) / line.size


# ------------------------------------------------------------------------------------------------------- columns
def _combos(
    frame: gpd.GeoDataFrame, columns: Mapping[str, pd.Series[Any]], tags: TagCodes, warnings: list[Fault]
) -> IntArray:
    """Return the number of each row's combination of tags."""
    keys = sorted(TAG_KEYS & columns.keys())
    values = [columns[key].tolist() for key in keys]
    if "oneway" in keys:
        place = keys.index("oneway")
        values[place] = _oneway_words(values[place], warnings)
    if not keys:
        return np.full(len(frame), tags.code({}), dtype=np.int64)
    return np.array(
        [tags.code(dict(zip(keys, row, strict=True))) for row in zip(*values, strict=True)], dtype=np.int64
    )


def _oneway_words(values: Sequence[object], warnings: list[Fault]) -> list[object]:
    """Return one-way values in the words of OpenStreetMap; what cannot be read is two-way, and told."""
    texts = [[text.lower() for text in tag_values(value)] for value in values]
    every = {text for row in texts for text in row}
    words = dict(_ONEWAY_WORDS)
    if "t" in every and "b" not in every:  # true and false, not with and against the line
        words |= {"t": "yes", "f": "no"}
    unread = sum(text not in words for row in texts for text in row)
    if unread:
        strange = sorted(every - words.keys())[:5]
        warnings.append(
            Fault(
                f"{unread} value(s) of the one-way column are unknown and count as two-way: {', '.join(strange)}.",
                f"单行列中有 {unread} 个无法识别的值，按双向处理：{'、'.join(strange)}。",
                level="warning",
            )
        )
    return [[words.get(text, "no") for text in row] for row in texts]


def _lengths(columns: Mapping[str, pd.Series[Any]], labels: Sequence[str], n: int) -> FloatArray:
    return _numbers(columns.get("length"), "length", labels, n, is_nan_missing=False)


def _speeds(columns: Mapping[str, pd.Series[Any]], labels: Sequence[str], n: int) -> FloatArray:
    return _numbers(columns.get("speed_kph"), "speed_kph", labels, n, is_nan_missing=True)


def _numbers(
    column: pd.Series[Any] | None, what: str, labels: Sequence[str], n: int, *, is_nan_missing: bool
) -> FloatArray:
    """Return a column of finite numbers >= 0; `nan` where it is missing and may be."""
    if column is None:
        return np.full(n, np.nan)
    number = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    blank = column.isna().to_numpy() if is_nan_missing else np.zeros(n, dtype=bool)
    bad = ~blank & ~(np.isfinite(number) & (number >= 0))
    refuse_rows(
        np.asarray(bad, dtype=bool),
        labels,
        f"have a `{what}` that is no finite number >= 0",
        f"的 {what} 不是不小于 0 的有限数",
    )
    return number


def _is_reversed(columns: Mapping[str, pd.Series[Any]], n: int) -> BoolArray:
    if "reversed" not in columns:
        return np.zeros(n, dtype=bool)
    return np.array([tag_values(value) == ("yes",) for value in columns["reversed"]], dtype=bool)


def _names(columns: Mapping[str, pd.Series[Any]], n: int) -> StrArray:
    if "name" not in columns:
        return np.full(n, "", dtype=object)
    return np.array([" / ".join(tag_values(value)) for value in columns["name"]], dtype=object)


def _way_ids(columns: Mapping[str, pd.Series[Any]], n: int) -> IntArray:
    if "way_id" not in columns:
        return np.zeros(n, dtype=np.int64)
    return np.array([first_way_id(value) for value in columns["way_id"]], dtype=np.int64)
