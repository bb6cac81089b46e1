"""
Building a `Network`: from streets as arrays to directed edges, connected parts and the report.

Every source of roads ends here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray, StrArray, some, some_zh
from .errors import Fault, NetworkError
from .impedance import DEFAULT_CLASS, DRIVE_KPH
from .model import Network, NetworkReport
from .params import MIN_PART_M, TravelProfile, travel_profile
from .projections import check_metric

_KPH_TO_MPS = 1000.0 / 3600.0


def build_network(
    node_xy: npt.ArrayLike,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    *,
    crs: Any,  # noqa: ANN401
    profile: str | TravelProfile = "walk",
    geometry: object = None,
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
        profile's speed (a profile without one: 30, as a residential street). `backward_kph` alone left out:
        as forward.
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
    is_turned = ~np.isfinite(impedance[:, 0])  # open backwards only: drawn the way it is used
    a[is_turned], b[is_turned] = b[is_turned], a[is_turned]
    lines[is_turned] = shapely.reverse(lines[is_turned])
    impedance[is_turned] = impedance[is_turned, ::-1]
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
                "streets_closed": closed + (counts or {}).get("streets_closed", 0),
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


def _lines(xy: FloatArray, a: IntArray, b: IntArray, geometry: object) -> GeometryArray:
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
    raise NetworkError(msg, zh=f"{label} 必须是不小于 0 的有限数；以下道路不符合：{some_zh(named)}。")


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
    street_m = np.bincount(label[a], weights=metres, minlength=n_part).astype(np.float64)
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
