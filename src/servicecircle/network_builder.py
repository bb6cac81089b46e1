"""
Building a `Network`: from streets as arrays to directed edges, connected parts and the report.

Every source of roads ends here. `split_at_junctions` cuts ways where they meet; `build_network` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray, StrArray, some
from .errors import CRSError, Fault, NetworkError
from .impedance import DEFAULT_CLASS, DRIVE_KPH
from .model import Network, NetworkReport
from .params import MIN_PART_M, TravelProfile, travel_profile

#: an input's own projected CRS is kept where it is true to scale within this share
SCALE_TOLERANCE = 0.01
_KPH_TO_MPS = 1000.0 / 3600.0
_UTM_NORTH, _UTM_SOUTH = 32600, 32700


def build_network(
    node_xy: npt.ArrayLike,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    *,
    crs: Any,  # noqa: ANN401
    profile: str | TravelProfile = "walk",
    geometry: npt.ArrayLike | None = None,
    length_m: npt.ArrayLike | None = None,
    forward_kph: npt.ArrayLike | None = None,
    backward_kph: npt.ArrayLike | None = None,
    forward_s: npt.ArrayLike | None = None,
    backward_s: npt.ArrayLike | None = None,
    name: Sequence[str] | StrArray | None = None,
    road_class: Sequence[str] | StrArray | None = None,
    way_id: npt.ArrayLike | None = None,
    min_part_m: float = MIN_PART_M,
    source: str = "arrays",
    counts: Mapping[str, float] | None = None,
    warnings: Sequence[Fault] = (),
) -> Network:
    """
    Build a network from streets as arrays: street *s* runs from node `start[s]` to node `end[s]`.

    Nodes keep their positions. The edges of a street stand side by side, the one along it first, in the order of
    the streets; so a network whose streets are all open both ways has the edges 2 s and 2 s + 1.

    Parameters
    ----------
    node_xy
        Coordinates of the nodes in `crs`, shape `(n_node, 2)`.
    start, end
        Node at either end of each street, shape `(n_street,)`. Equal for a loop.
    crs
        Projected, in metres; anything that pyproj takes.
    profile
        Name or `TravelProfile`; gives the speed where none is stated.
    geometry
        LineString of each street from `start` to `end`, in `crs`; a straight line where None or missing.
    length_m
        The input's own length of each street in metres; `nan` or None: the length of `geometry`.
    forward_kph, backward_kph
        Speed from `start` to `end`, and back; 0 closes the direction. Neither given: both ways at the
        profile's speed (a profile without one: 30, as a residential street). `backward_kph` alone left out: as forward.
    forward_s, backward_s
        Seconds instead of speeds; `inf` closes the direction. Left out: from the speeds.
    name, road_class, way_id
        Name, value of `highway` and id in the source; `""`, `""`, 0 where unknown.
    min_part_m
        Connected parts with less street are fragments: not admissible. 0 admits everything.
    source, counts, warnings
        Go into the report.

    Returns
    -------
    network
        Streets closed both ways are left out and counted (`streets_closed`).

    Raises
    ------
    CRSError
        If `crs` is missing, geographic, or not in metres.
    NetworkError
        If shapes disagree, a coordinate, speed, time or length is nan, negative or infinite where that is not
        allowed (the streets are named), no street is open, or no connected part reaches `min_part_m`.

    Examples
    --------
    >>> network = build_network([[0, 0], [1000, 0]], [0], [1], crs="EPSG:32650")
    >>> network.n_edge, network.seconds.tolist()
    (2, [1000.0, 1000.0])
    """
    rules = travel_profile(profile)
    metric = check_metric(crs)
    xy = np.array(node_xy, dtype=np.float64).reshape(-1, 2)
    a, b = (np.array(side, dtype=np.int64).reshape(-1) for side in (start, end))
    n = a.size
    ids = _column(way_id, n, 0, "way_id").astype(np.int64)
    _check_ends(xy, a, b)
    lines = _lines(xy, a, b, geometry)
    metres = _lengths(lines, length_m, ids)
    forward, backward = _impedances(
        metres, ids, kph=(forward_kph, backward_kph), seconds=(forward_s, backward_s), profile=rules
    )

    is_open = np.isfinite(forward) | np.isfinite(backward)
    closed = int(n - is_open.sum())
    if not is_open.any():
        msg = f"`{source}` has no street that the profile `{rules.name}` may use ({n} streets read)."
        raise NetworkError(msg, zh=f"{source} 中没有“{rules.name}”方式可用的道路（共读取 {n} 条）。")
    a, b, ids, lines, metres = a[is_open], b[is_open], ids[is_open], lines[is_open], metres[is_open]
    impedance = np.column_stack([forward[is_open], backward[is_open]])
    names, classes = (
        _column(value, n, "", label)[is_open] for value, label in ((name, "name"), (road_class, "road_class"))
    )

    street, side = np.nonzero(np.isfinite(impedance))
    street_edge = np.full((a.size, 2), -1, dtype=np.int64)
    street_edge[street, side] = np.arange(street.size)
    back = side == 1
    edge_geometry = lines[street]
    edge_geometry[back] = shapely.reverse(edge_geometry[back])

    part, part_m = _parts(len(xy), a, b, metres)
    is_admissible = (part_m >= min_part_m)[part[a]]
    _check_admissible(is_admissible, part_m, min_part_m, source)
    told = (*warnings, *_fragment_warning(part_m, min_part_m))
    report = NetworkReport(
        source=source,
        counts=MappingProxyType(
            {
                **(counts or {}),
                **_shape_counts(len(xy), a, b, metres),
                "edges": street.size,
                "streets_closed": closed,
                "oneway_streets": int((~np.isfinite(impedance)).any(axis=1).sum()),
                "parts": int((part_m > 0).sum()),
                "fragments": int(((part_m < min_part_m) & (part_m > 0)).sum()),
                "fragment_m": float(part_m[part_m < min_part_m].sum()),
            }
        ),
        warnings=told,
    )
    return Network(
        crs=metric,
        node_xy=xy,
        tail=np.where(back, b[street], a[street]),
        head=np.where(back, a[street], b[street]),
        seconds=impedance[street, side],
        length_m=metres[street],
        geometry=edge_geometry,
        way_id=ids[street],
        street=street.astype(np.int64),
        street_edge=street_edge,
        street_name=names,
        street_class=classes,
        part=part,
        part_m=part_m,
        is_admissible=is_admissible[street],
        profile=rules,
        report=report,
    )


# --------------------------------------------------------------------------------------------- checked columns
def _column(value: Any, n: int, default: object, label: str) -> npt.NDArray[Any]:  # noqa: ANN401
    """Return a column of `n` values, filled with the default where none is given."""
    kind = object if isinstance(default, str) else None
    column = np.full(n, default, dtype=kind) if value is None else np.array(value, dtype=kind).reshape(-1)
    if column.size != n:
        msg = f"`{label}` has {column.size} entries for {n} streets."
        raise NetworkError(msg)
    return column


def _check_ends(xy: FloatArray, a: IntArray, b: IntArray) -> None:
    if a.size != b.size:
        msg = f"`start` has {a.size} entries, `end` {b.size}."
        raise NetworkError(msg)
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if bad.size:
        msg = f"`node_xy` must be finite; these nodes are not: {some(bad.tolist())}."
        raise NetworkError(msg)
    ends = np.concatenate([a, b])
    if ends.size and (ends.min() < 0 or ends.max() >= len(xy)):
        msg = f"`start` and `end` must name nodes 0 to {len(xy) - 1}, got {ends.min()} to {ends.max()}."
        raise NetworkError(msg)


def _lines(xy: FloatArray, a: IntArray, b: IntArray, geometry: npt.ArrayLike | None) -> GeometryArray:
    """Return LineStrings, straight where none is given."""
    lines = np.full(a.size, None, dtype=object)
    if geometry is not None:
        given = np.array(geometry, dtype=object).reshape(-1)
        if given.size != a.size:
            msg = f"`geometry` has {given.size} entries for {a.size} streets."
            raise NetworkError(msg)
        lines[:] = given
    kind = shapely.get_type_id(lines)
    wrong = np.flatnonzero((kind != shapely.GeometryType.LINESTRING) & (kind != shapely.GeometryType.MISSING))
    if wrong.size:
        msg = f"`geometry` must hold LineStrings; these streets have something else: {some(wrong.tolist())}."
        raise NetworkError(msg)
    missing = np.flatnonzero(kind == shapely.GeometryType.MISSING)
    if missing.size:
        ends = np.column_stack([a[missing], b[missing]]).ravel()
        lines[missing] = shapely.linestrings(xy[ends], indices=np.repeat(np.arange(missing.size), 2))
    return shapely.force_2d(lines)


def _lengths(lines: GeometryArray, stated: npt.ArrayLike | None, way_id: IntArray) -> FloatArray:
    """Return the stated lengths, and those of the geometry where none is stated."""
    drawn = shapely.length(lines)
    if stated is None:
        return drawn
    own = _column(stated, lines.size, np.nan, "length_m").astype(np.float64)
    _refuse(np.isinf(own) | (own < 0), own, way_id, "length_m")
    return np.where(np.isnan(own), drawn, own)


def _refuse(bad: BoolArray, value: FloatArray, way_id: IntArray, label: str) -> None:
    """Name the streets whose value is not allowed."""
    if not bad.any():
        return
    named = [f"{s} (way {way_id[s]}: {value[s]:g})" for s in np.flatnonzero(bad)]
    msg = f"`{label}` must be a finite number >= 0; these streets are not: {some(named)}."
    raise NetworkError(msg, zh=f"{label} 必须是不小于 0 的有限数；以下道路不符合：{some(named)}。")


def _impedances(
    metres: FloatArray,
    way_id: IntArray,
    *,
    kph: tuple[npt.ArrayLike | None, npt.ArrayLike | None],
    seconds: tuple[npt.ArrayLike | None, npt.ArrayLike | None],
    profile: TravelProfile,
) -> tuple[FloatArray, FloatArray]:
    """Return seconds along each street and back, `inf` where closed."""
    usual = profile.speed_kph or DRIVE_KPH[DEFAULT_CLASS]
    if kph[1] is None:
        kph = (kph[0], kph[0])
    if seconds[1] is None:
        seconds = (seconds[0], seconds[0])
    result = []
    for speed, stated, label in zip(kph, seconds, ("forward", "backward"), strict=True):
        if stated is not None:
            own = _column(stated, metres.size, np.nan, f"{label}_s").astype(np.float64)
            _refuse(np.isnan(own) | (own < 0), own, way_id, f"{label}_s")
            result.append(own)
            continue
        fast = _column(speed, metres.size, usual, f"{label}_kph").astype(np.float64)
        _refuse(~np.isfinite(fast) | (fast < 0), fast, way_id, f"{label}_kph")
        closed = fast == 0
        time = metres / (np.where(closed, 1.0, fast) * _KPH_TO_MPS)
        result.append(np.where(closed, np.inf, time))
    return result[0], result[1]


# ------------------------------------------------------------------------------------------------------- parts
def _parts(n_node: int, a: IntArray, b: IntArray, metres: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the connected part of each node and metres of street in each, longest first, ties by first node."""
    graph = coo_array((np.ones(a.size, dtype=np.int8), (a, b)), shape=(n_node, n_node))
    n_part, label = connected_components(graph.tocsr(), directed=False)
    street_m = np.bincount(label[a], weights=metres, minlength=n_part)
    _, first_node = np.unique(label, return_index=True)
    order = np.lexsort((first_node, -street_m))
    rank = np.empty(n_part, dtype=np.int64)
    rank[order] = np.arange(n_part)
    return rank[label], street_m[order]


def _check_admissible(is_admissible: BoolArray, part_m: FloatArray, min_part_m: float, source: str) -> None:
    if not is_admissible.any():
        msg = (
            f"`{source}` has no usable network: its longest connected part has {part_m[0]:.0f} m of street, and "
            f"at least {min_part_m:.0f} m are needed (`min_part_m`)."
        )
        zh = f"{source} 中没有可用的路网：最长的连通部分只有 {part_m[0]:.0f} 米，至少需要 {min_part_m:.0f} 米。"
        raise NetworkError(msg, zh=zh)


def _fragment_warning(part_m: FloatArray, min_part_m: float) -> tuple[Fault, ...]:
    small = part_m[(part_m < min_part_m) & (part_m > 0)]
    if not small.size:
        return ()
    en = (
        f"{small.size} fragment(s) with {small.sum():.0f} m of street are not connected to {min_part_m:.0f} m of "
        f"street and are left out ({small.sum() / part_m.sum():.1%} of all street)."
    )
    zh = (
        f"有 {small.size} 处孤立路段共 {small.sum():.0f} 米，所连道路不足 {min_part_m:.0f} 米，未计入"
        f"（占道路总长的 {small.sum() / part_m.sum():.1%}）。"
    )
    return (Fault(en, zh, level="warning"),)


def _shape_counts(n_node: int, a: IntArray, b: IntArray, metres: FloatArray) -> dict[str, float]:
    low, high = np.minimum(a, b), np.maximum(a, b)
    loop = low == high
    _, copies = np.unique((low * n_node + high)[~loop], return_counts=True)
    degree = np.bincount(np.concatenate([a, b]), minlength=n_node)
    return {
        "nodes": n_node,
        "streets": a.size,
        "street_m": float(metres.sum()),
        "loops": int(loop.sum()),
        "parallel_streets": int((copies - 1).sum()),
        "zero_length": int((metres == 0).sum()),
        "dead_ends": int((degree == 1).sum()),
    }


# --------------------------------------------------------------------------------------------------- splitting
def split_at_junctions(
    node: IntArray, first: IntArray, *, is_junction: BoolArray | None = None
) -> tuple[IntArray, IntArray, IntArray]:
    """
    Split ways where they meet: at nodes that stand more than once in all ways, and at ends.

    Parameters
    ----------
    node
        Nodes of all ways, one way after the other, each >= 0. Way *w* is `node[first[w] : first[w + 1]]`; a node that
        follows itself is taken once, and a way with fewer than two nodes gives nothing.
    first
        Shape `(n_way + 1,)`.
    is_junction
        By node, where the caller knows; else it is counted as said above.

    Returns
    -------
    take
        Positions in `node` of the nodes of all pieces, one piece after the other; a junction stands in two.
    piece_first
        Shape `(n_piece + 1,)`: piece *p* is `take[piece_first[p] : piece_first[p + 1]]`.
    piece_way
        Way of each piece, ascending, shape `(n_piece,)`.
    """
    way = np.repeat(np.arange(first.size - 1), np.diff(first))
    keep = np.ones(node.size, dtype=bool)
    keep[1:] = (node[1:] != node[:-1]) | (way[1:] != way[:-1])
    keep &= np.bincount(way[keep], minlength=max(first.size - 1, 1))[way] > 1
    where = np.flatnonzero(keep)
    node, way = node[where], way[where]
    if not node.size:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, np.zeros(1, dtype=np.int64), nothing
    if is_junction is None:
        is_junction = np.bincount(node) > 1
    opens = np.concatenate([[True], way[1:] != way[:-1]])
    closes = np.concatenate([way[1:] != way[:-1], [True]])
    cut = np.flatnonzero(is_junction[node] | opens | closes)
    begins = ~closes[cut]
    begin, finish = cut[begins], cut[np.flatnonzero(begins) + 1]
    size = finish - begin + 1
    piece_first = np.concatenate([[0], np.cumsum(size)])
    take = np.repeat(begin - piece_first[:-1], size) + np.arange(piece_first[-1])
    return where[take], piece_first, way[begin]


# --------------------------------------------------------------------------------------------------------- CRS
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
        If the one asked for is not metric, or coordinates in degrees lie outside -180..180, -90..90.
    """
    if crs.is_geographic and (np.abs(xy) > (180.0, 90.0)).any():
        msg = (
            f"The coordinates are not degrees (up to {np.abs(xy).max():.0f}), yet the CRS is {crs.name!r}. State the "
            "projected CRS they are in, for example `crs='EPSG:32650'` (UTM) or `'EPSG:4547'` (CGCS2000)."
        )
        raise CRSError(msg, zh=f"坐标不是经纬度（最大 {np.abs(xy).max():.0f}），但坐标系写的是 {crs.name}。")
    if target_crs is not None:
        return check_metric(target_crs)
    centre = (xy.min(axis=0) + xy.max(axis=0)) / 2
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(*centre)
    if crs.is_projected and {axis.unit_conversion_factor for axis in crs.axis_info[:2]} == {1.0}:
        factors = pyproj.Proj(crs).get_factors(lon, lat)
        scales = np.array([factors.meridional_scale, factors.parallel_scale])
        if (np.abs(scales - 1.0) <= SCALE_TOLERANCE).all():
            return crs
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return CRS.from_epsg((_UTM_NORTH if lat >= 0 else _UTM_SOUTH) + zone)


def to_metres(xy: FloatArray, crs: CRS, metric: CRS) -> FloatArray:
    """Return coordinates `(n, 2)` transformed from `crs` (x first) to `metric`."""
    if crs == metric:
        return xy
    move = pyproj.Transformer.from_crs(crs, metric, always_xy=True)
    return np.column_stack(move.transform(xy[:, 0], xy[:, 1]))
