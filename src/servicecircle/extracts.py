"""
Extracts: a street network downloaded, cut to a place and converted, for every profile at once.

What is written, read back by `read_network`, gives each profile the network that the source gives it there.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .area_files import is_polygon, read_areas, with_margin
from .downloads import MARGIN_M, download_graph
from .edge_rows import EdgeRows, Reading, RowsRead, take_runs
from .edge_tables import TABLE_SUFFIXES, read_edge_table, short_key, table_rows
from .errors import InputError, NetworkError
from .graphs import graph_rows, read_graphml
from .impedance import CLASSES, DEFAULT_CLASS, TAG_KEYS, oneway_of
from .junctions import pair_directions, same_lines, split_at_junctions
from .osm import OSM_SUFFIXES, RawWays, is_osm_file, read_osm, whole_runs
from .osm_extracts import cut_osm
from .projections import metric_crs, to_metres
from .whole_files import NO_DATE, gdal_date, make_folder, write_whole

#: how written files may end: tables of streets, and, from OpenStreetMap data, the same again
TABLES: Mapping[str, str] = {".gpkg": "GPKG", ".parquet": "", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}

_WGS84 = CRS.from_epsg(4326)
#: a box wider than this, or nearer to a pole, is laid out in degrees (degrees; metres of one of latitude)
WIDE_DEG, UTM_LAT, METRES_PER_DEG = 6.0, 84.0, 111_195.0
_ONE_DIRECTION = frozenset({"maxspeed:forward", "maxspeed:backward", "oneway:bicycle", "oneway:foot"})
#: digits of a degree in GeoJSON: all that the source has
_DIGITS = 13


@dataclass(frozen=True)
class Extract:
    """What was written."""

    path: Path
    n_street: int  # rows of a table; ways with a `highway` tag of an OpenStreetMap file


def write_extract(
    out: str | Path,
    *,
    place: str | None = None,
    file: str | Path | None = None,
    area: str | Path | None = None,
    bbox: Sequence[float] | None = None,
    margin_m: float = MARGIN_M,
    cache_folder: str | Path | None = None,
) -> Extract:
    """
    Download a street network or take it from a file, cut it to a place, and write it.

    Every street (of OpenStreetMap data: every way) that touches the area or box, or comes within `margin_m` of
    it, is kept whole; without either, everything is.

    Parameters
    ----------
    out
        A table of streets (`.gpkg`, `.parquet`, `.geojson`, `.shp`): a row a street in the direction in which its
        way is drawn, `u` and `v` where the source knows its nodes, and every tag that a profile reads as a column;
        or, from OpenStreetMap data, `.osm.pbf`, `.osm`, `.osm.gz`, `.osm.bz2` with everything that stands there:
        shops, buildings, water and green come along. Its folder is made if it is missing.
    place
        As one would type it into a map search; downloaded with `margin_m` around it, see `download_network`.
    file
        A road file, as `read_network` takes it. Either this or `place`.
    area
        A file of polygons in any CRS to cut `file` to.
    bbox
        West, south, east, north in degrees (WGS 84) to cut `file` to. Not with `area`.
    margin_m
        Metres kept round the area or box: a circle may lead out of it and back. 0 or more.
    cache_folder
        See `downloads.download_graph`.

    Returns
    -------
    extract
        How much was written.

    Raises
    ------
    InputError
        If the arguments do not go together, a box is none, or `out` ends in nothing that can be written.
    NetworkError
        If a file is missing or broken, or no street lies there.
    DownloadError
        If an online service does not answer.
    OutputError
        If `out` cannot be written; what stood there before is unchanged.
    """
    target = Path(out)
    _check_source(place=place, file=file, area=area, bbox=bbox, margin_m=margin_m)
    _check_target(target, file)
    if place is not None:
        graph = download_graph(place, margin_m=margin_m, cache_folder=cache_folder)
        return _write_table(target, _Source(place, graph_rows(graph, source=place)), None)
    source = Path(str(file))
    region = cut_region(area=area, bbox=bbox, margin_m=margin_m)
    if not is_osm_file(source):
        return _write_table(target, _Source(source.name, _rows_of(source)), region)
    if is_osm_file(target):
        return _write_osm(target, source, region)
    with tempfile.TemporaryDirectory() as folder:
        roads = source
        if region is not None:
            roads = Path(folder) / "cut.osm.pbf"
            if not cut_osm(source, roads, region):
                raise _nothing_there(source.name)
        rows, node_id = _rows_of_ways(read_osm(roads))
    return _write_table(
        target, _Source(source.name, RowsRead(rows, "oneway", split=False, counts={}), node_id), None
    )


def cut_region(
    *, area: str | Path | None = None, bbox: Sequence[float] | None = None, margin_m: float = MARGIN_M
) -> Any:  # noqa: ANN401
    """
    Return the region that `write_extract` cuts to, in degrees (WGS 84); None where neither is given.

    Raises
    ------
    InputError
        If the box is none, or the file holds no polygon or states no CRS.
    """
    if area is None and bbox is None:
        return None
    if bbox is not None and _is_wide(bbox):
        return _wide_box(bbox, margin_m)
    if bbox is not None:
        return with_margin(gpd.GeoSeries([_box(bbox)], crs=_WGS84), margin_m)
    shapes = read_areas(Path(str(area))).geometry
    return with_margin(gpd.GeoSeries(shapes[is_polygon(shapes)]), margin_m)


def _check_source(
    *,
    place: str | None,
    file: str | Path | None,
    area: str | Path | None,
    bbox: Sequence[float] | None,
    margin_m: float,
) -> None:
    """Refuse arguments that do not go together."""
    if (place is None) == (file is None):
        msg = "Give either `place` or `file`."
        raise InputError(msg, zh="请指定地名（place）或道路文件（file），二者择一。")
    if area is not None and bbox is not None:
        msg = "Give either `area` or `bbox`, not both."
        raise InputError(msg, zh="范围文件（area）与范围框（bbox）只能指定一个。")
    if place is not None and (area is not None or bbox is not None):
        msg = "`area` and `bbox` cut a `file`; a `place` has its own border."
        raise InputError(msg, zh="area、bbox 用于裁剪道路文件（file），按地名下载时不用指定。")
    check_margin(margin_m)


def check_margin(margin_m: float) -> None:
    """Refuse a margin that is none."""
    if not (math.isfinite(margin_m) and margin_m >= 0):
        msg = f"`margin_m` must be a number of metres, 0 or more, got {margin_m}."
        raise InputError(msg, zh=f"外扩距离应为不小于 0 的米数，现为 {margin_m}。")


def _check_target(target: Path, file: str | Path | None) -> None:
    """Refuse a file that cannot be written, or that would be written over its own source."""
    is_osm = is_osm_file(target)
    tables, ways = ", ".join(TABLES), ", ".join(OSM_SUFFIXES)
    if not is_osm and target.suffix.lower() not in TABLES:
        msg = f"`{target.name}` ends in nothing that can be written: {tables}, or from OpenStreetMap data {ways}."
        zh = f"无法写入 {target.name}：扩展名应为 {tables}；源文件为 OSM 数据时也可为 {ways}。"
        raise InputError(msg, zh=zh)
    if is_osm and (file is None or not is_osm_file(file)):
        msg = f"`{target.name}` can be written from OpenStreetMap data only. Take one of {tables}."
        raise InputError(msg, zh=f"只有源文件是 OSM 数据时才能写成 {target.name}，请改用 {tables}。")
    if file is not None and Path(file).resolve() == target.resolve():
        msg = f"`{target}` is the file that is read; give the extract another name."
        raise InputError(msg, zh=f"{target} 就是要读取的文件，请另取文件名。")


def _box(bbox: Sequence[float]) -> Any:  # noqa: ANN401
    """Return a box in degrees as a polygon."""
    numbers = [float(number) for number in bbox]
    if len(numbers) == 4 and all(map(math.isfinite, numbers)):  # noqa: PLR2004
        west, south, east, north = numbers
        if -180 <= west < east <= 180 and -90 <= south < north <= 90:  # noqa: PLR2004
            return shapely.box(west, south, east, north)
    shown = ",".join(f"{number:g}" for number in numbers)
    msg = f"`bbox` must be west, south, east, north in degrees, west < east and south < north; got {shown}."
    raise InputError(msg, zh=f"范围框应为 西,南,东,北 四个经纬度，西小于东、南小于北；现为 {shown}。")


def _is_wide(bbox: Sequence[float]) -> bool:
    """Whether no UTM zone is true to scale in all of a box."""
    west, south, east, north = _box(bbox).bounds
    return bool(east - west > WIDE_DEG or max(-south, north) > UTM_LAT)


def _wide_box(bbox: Sequence[float], margin_m: float) -> Any:  # noqa: ANN401
    """Return a box with its margin in degrees, at the poles and the antimeridian no farther than these."""
    west, south, east, north = _box(bbox).bounds
    up = margin_m / METRES_PER_DEG
    south, north = max(south - up, -90.0), min(north + up, 90.0)
    side = up / max(math.cos(math.radians(max(-south, north))), 1e-6)
    return shapely.box(max(west - side, -180.0), south, min(east + side, 180.0), north)


def _nothing_there(source: str) -> NetworkError:
    return NetworkError(
        f"No street of `{source}` lies in the area or box, nor within the margin. Is it the same place?",
        zh=f"裁剪范围（含外扩距离）内没有 {source} 的任何道路，请核对是否为同一地方。",
    )


# ------------------------------------------------------------------------------------------------- sources as rows
@dataclass(frozen=True, eq=False)
class _Source:
    """Edge rows with their origin."""

    name: str
    read: RowsRead
    node_id: IntArray | None = None  # of each node; None numbers them


def _rows_of(path: Path) -> RowsRead:
    """Return the edges of a graph or a table."""
    if path.suffix.lower() == ".graphml":
        return graph_rows(read_graphml(path), source=path.name)
    if path.suffix.lower() in TABLE_SUFFIXES:
        return table_rows(read_edge_table(path), source=path.name)
    known = ", ".join((*OSM_SUFFIXES, ".graphml", *TABLE_SUFFIXES))
    msg = f"`{path}` is no road file that can be read. Known: {known}."
    raise NetworkError(msg, zh=f"无法识别道路文件 {path}。可用的格式：{known}。")


def _rows_of_ways(ways: RawWays) -> tuple[EdgeRows, IntArray]:
    """Return streets split at their junctions as rows, and the id of each node."""
    is_street = np.array([tags["highway"] in CLASSES for tags in ways.combos])[ways.combo]
    node, first, way = whole_runs(ways, is_street)
    take, first, piece = split_at_junctions(node, first)
    path, piece_way = node[take], way[piece]
    if not piece.size:
        msg = "The file holds no street with its nodes: it may be cut off."
        raise NetworkError(msg, zh="文件中没有带节点坐标的道路，可能不完整。")
    line, is_back = same_lines(path[:, None], first)
    same = np.column_stack([line, is_back, ways.combo[piece_way]])
    kept = np.sort(
        np.unique(same, axis=0, return_index=True)[1]
    )  # of pieces drawn twice with the same tags, the first
    take, first = take_runs(first[kept], np.diff(first)[kept])
    path, piece_way, line, is_back = path[take], piece_way[kept], line[kept], is_back[kept]
    is_again = np.ones(kept.size, dtype=bool)
    is_again[np.unique(line, return_index=True)[1]] = False
    is_one_sided = np.array([bool(_ONE_DIRECTION & tags.keys()) for tags in ways.combos])[ways.combo[piece_way]]
    turned = (
        is_again & ~is_back & ~is_one_sided
    )  # so that readers take both for one street, the fastest in each way
    combos = [{key: (value,) for key, value in tags.items()} for tags in ways.combos]
    degrees = np.column_stack([ways.lon, ways.lat])
    drawn = np.asarray(shapely.linestrings(degrees[path], indices=np.repeat(np.arange(kept.size), np.diff(first))))
    start, end = path[first[:-1]], path[first[1:] - 1]
    rows = EdgeRows(
        labels=[str(number) for number in ways.way_id[piece_way]],
        node_xy=degrees,
        start=np.where(turned, end, start),
        end=np.where(turned, start, end),
        line=np.where(turned, shapely.reverse(drawn), drawn),
        combo=ways.combo[piece_way] + len(combos) * turned,
        combos=(
            *combos,
            *({**tags, "oneway": (_turned_oneway(way),)} for tags, way in zip(combos, ways.combos, strict=True)),
        ),
        is_reversed=np.zeros(kept.size, dtype=bool),
        length_m=np.full(kept.size, np.nan),
        speed_kph=np.full(kept.size, np.nan),
        name=ways.name[piece_way],
        way_id=ways.way_id[piece_way],
        crs=_WGS84,
    )
    return rows, ways.node_id


def _turned_oneway(tags: Mapping[str, str]) -> str:
    """Return the one-way value of a way that is drawn the other way round."""
    words = {"-1": "yes", "reverse": "yes", "no": "no", "false": "no", "0": "no"}
    return words.get(oneway_of({"highway": DEFAULT_CLASS, **tags}), "-1")


# ---------------------------------------------------------------------------------------------------- written
def _write_osm(target: Path, source: Path, region: Any) -> Extract:  # noqa: ANN401
    """Cut OpenStreetMap data, or only convert them."""
    n_street = 0

    def write(unfinished: Path) -> None:
        nonlocal n_street
        n_street = cut_osm(source, unfinished, region)
        if not n_street:
            raise _nothing_there(source.name)

    make_folder(target.parent)
    write_whole(target, write)
    return Extract(target, n_street)


def _write_table(target: Path, source: _Source, region: Any) -> Extract:  # noqa: ANN401
    """Write rows that touch the region as a table of streets."""
    table = _table(source, region)
    suffix = target.suffix.lower()
    if suffix == ".geojson":
        table = table.to_crs(_WGS84)

    def write(unfinished: Path) -> None:
        if suffix == ".parquet":
            table.to_parquet(unfinished, index=False)
            return
        unfinished.unlink()
        with gdal_date(NO_DATE):
            table.rename(columns=_short if suffix == ".shp" else {}).to_file(
                unfinished, driver=TABLES[suffix], engine="pyogrio", index=False, **_OPTIONS.get(suffix, {})
            )

    make_folder(target.parent)
    write_whole(target, write)
    return Extract(target, len(table))


#: what GDAL writes beyond its defaults
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    ".gpkg": {"layer": "edges"},
    ".geojson": {"layer": "edges", "RFC7946": "YES", "COORDINATE_PRECISION": _DIGITS},
    ".shp": {"encoding": "UTF-8", "DBF_DATE_LAST_UPDATE": NO_DATE},
}


def _short(column: str) -> str:
    return short_key(column) if column in TAG_KEYS else column


# ------------------------------------------------------------------------------------------------------- the table
def _table(source: _Source, region: Any) -> gpd.GeoDataFrame:  # noqa: ANN401
    """Return streets as rows that a one-way column and tags describe, in the direction of their ways."""
    rows = source.read.rows
    line = _lines(rows)
    if region is not None:
        here = shapely.transform(region, lambda xy: to_metres(xy, _WGS84, rows.crs))
        shapely.prepare(here)
        inside = np.flatnonzero(shapely.intersects(here, line))
        if not inside.size:
            raise _nothing_there(source.name)
        rows, line = _taken(rows, inside), line[inside]
    row, is_turned, oneway = _directions(rows, line, source.read.reading)
    ends = np.column_stack([rows.start, rows.end])[row]
    ends[is_turned] = ends[is_turned][:, ::-1]
    drawn = line[row]
    drawn[is_turned] = shapely.reverse(drawn[is_turned])
    table: dict[str, Any] = {}
    if not source.read.split:
        u, v = ends.T if source.node_id is None else source.node_id[ends].T
        table |= {"u": u, "v": v}
    combo = rows.combo[row]
    table |= {"osmid": rows.way_id[row], "name": rows.name[row], "length": _lengths(rows, line)[row]}
    for key in sorted({key for tags in rows.combos for key in tags} - {"oneway"}):
        table[key] = np.array([_cell(tags.get(key, ())) for tags in rows.combos], dtype=object)[combo]
    table["oneway"] = oneway
    table["speed_kph"] = rows.speed_kph[row]
    frame = gpd.GeoDataFrame(table, geometry=drawn, crs=rows.crs)
    said = [c for c in frame.columns if c in {"geometry", "oneway", "u", "v"} or _says_something(frame[c])]
    return frame[said]


def _says_something(column: Any) -> bool:  # noqa: ANN401
    return bool((column.notna() & (column != "") & (column != 0)).any())


def _cell(values: Sequence[str]) -> str | None:
    """Return a tag as a cell; several values as the list that `tag_values` reads."""
    return None if not values else values[0] if len(values) == 1 else str(list(values))


def _lines(rows: EdgeRows) -> GeometryArray:
    """Return the line of each row, straight where none is given."""
    line = rows.line.copy()
    bare = np.flatnonzero(shapely.is_missing(line))
    ends = np.column_stack([rows.start[bare], rows.end[bare]]).ravel()
    if bare.size:
        line[bare] = shapely.linestrings(rows.node_xy[ends], indices=np.repeat(np.arange(bare.size), 2))
    return line


def _lengths(rows: EdgeRows, line: GeometryArray) -> FloatArray:
    """Return stated lengths in metres, drawn ones where some are missing; nan if none is stated."""
    missing = np.isnan(rows.length_m)
    if missing.all() or not missing.any():
        return rows.length_m
    metric = metric_crs(shapely.get_coordinates(line), rows.crs)
    drawn = shapely.length(shapely.transform(line[missing], lambda xy: to_metres(xy, rows.crs, metric)))
    lengths = rows.length_m.copy()
    lengths[missing] = drawn
    return lengths


def _taken(rows: EdgeRows, kept: IntArray) -> EdgeRows:
    """Return some of the rows; the nodes stay."""
    taken = {
        name: getattr(rows, name)[kept]
        for name in ("start", "end", "line", "combo", "is_reversed", "length_m", "speed_kph", "name", "way_id")
    }
    return replace(rows, labels=[rows.labels[k] for k in kept.tolist()], **taken)


def _directions(
    rows: EdgeRows, line: GeometryArray, reading: Reading
) -> tuple[IntArray, BoolArray, npt.NDArray[np.object_]]:
    """
    Return which rows stand in the table, which of them are turned round, and what their one-way column says.

    Rows that are one direction each are joined where they say the same of a street, and drawn as their way is.
    """
    every = np.arange(rows.start.size)
    if reading != "directions":
        said = "no" if reading == "both" else None
        stated = np.array([said or _stated_oneway(tags) for tags in rows.combos], dtype=object)
        turned = rows.is_reversed if reading == "both" else np.zeros(every.size, dtype=bool)
        return every, turned, stated[rows.combo]
    coords = np.ascontiguousarray(shapely.get_coordinates(line)).view(np.int64)
    first = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(line))])
    ends = np.column_stack([np.minimum(rows.start, rows.end), np.maximum(rows.start, rows.end)])
    number, is_back = same_lines(np.column_stack([coords, np.repeat(ends, np.diff(first), axis=0)]), first)
    along, against = pair_directions(number, is_back, np.nan_to_num(rows.length_m), rows.way_id)
    back = against >= 0
    other = np.where(back, against, along)
    is_one_sided = np.array([bool(_ONE_DIRECTION & tags.keys()) for tags in rows.combos])[rows.combo]
    same_speed = np.nan_to_num(rows.speed_kph[along], nan=-1.0) == np.nan_to_num(rows.speed_kph[other], nan=-1.0)
    joined = back & same_speed & (rows.combo[along] == rows.combo[other])
    joined &= ~is_one_sided[along] | (rows.is_reversed[along] != rows.is_reversed[other])
    apart = np.concatenate([along[back & ~joined], against[back & ~joined]])  # stay as they are, a row a direction
    oneway = np.where(rows.is_reversed, "-1", "yes").astype(object)
    turned = rows.is_reversed.copy()
    oneway[along[joined]] = "no"
    oneway[apart], turned[apart] = "yes", False
    kept = np.sort(np.concatenate([along[~back | joined], apart]))
    return kept, turned[kept], oneway[kept]


def _stated_oneway(tags: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the one-way cell: what is stated, else what the class of the street implies, so that none is blank."""
    if tags.get("oneway"):
        return _cell(tags["oneway"])
    classes, kinds = tags.get("highway") or (DEFAULT_CLASS,), tags.get("junction") or ("",)
    implied = {oneway_of({"highway": road, "junction": kind}) for road, kind in product(classes, kinds)}
    return implied.pop() if len(implied) == 1 else None
