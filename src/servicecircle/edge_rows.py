"""Edge rows: what graphs and tables of streets have in common, on its way to a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from pyproj import CRS

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray, StrArray, some, some_zh
from .errors import CRSError, Fault, NetworkError
from .impedance import CLASSES, TAG_KEYS, WayRule, joint_rule, main_class, tag_values
from .junctions import cluster_points, pair_directions, same_lines, split_at_junctions
from .model import Network
from .network_builder import build_network
from .params import TravelProfile
from .projections import metric_crs, to_metres

#: end points of a table without node ids that are this close are one node (metres)
SAME_POINT_M = 1e-3
#: stated lengths beyond this factor of the drawn ones, in the middle, are no metres: refused, or warned of
REFUSED_FACTOR, DOUBTED_FACTOR = 50.0, 3.0

#: a degree of longitude in metres, upside down, at 60 degrees north and rounded up
DEGREE_RATIO = 1e-4

#: what a row says: one direction each; its one-way column decides; both directions
Reading = Literal["directions", "oneway", "both"]
TagSets = tuple[Mapping[str, tuple[str, ...]], ...]


@dataclass(frozen=True, eq=False)
class EdgeRows:
    """
    Edges as a graph or a table states them, a row each, in the CRS of the input (x first).

    A `line` runs from `start` to `end`; None is a straight line.
    """

    labels: Sequence[str]  # (n,) what a message calls the row
    node_xy: FloatArray  # (n_node, 2)
    start: IntArray  # (n,)
    end: IntArray
    line: GeometryArray  # (n,) LineString or None
    combo: IntArray  # (n,) position in `combos`
    combos: TagSets
    is_reversed: BoolArray  # (n,) the row runs against its OpenStreetMap way
    length_m: FloatArray  # (n,) nan where not stated
    speed_kph: FloatArray  # (n,) nan where not stated; used by profiles without a speed of their own
    name: StrArray
    way_id: IntArray
    crs: CRS


@dataclass(frozen=True, eq=False)
class RowsRead:
    """Edge rows of a graph or a table, and how `network_from_rows` is to take them."""

    rows: EdgeRows
    reading: Reading
    split: bool  # whether streets are split at vertices that they share
    counts: Mapping[str, float]
    warnings: tuple[Fault, ...] = ()


class TagCodes:
    """Distinct combinations of tags, numbered as they come."""

    def __init__(self) -> None:
        self.codes: dict[tuple[tuple[str, tuple[str, ...]], ...], int] = {}
        self.unknown_class = 0

    def code(self, tags: Mapping[str, object]) -> int:
        """Return the number of a row's tags; a class of road that OpenStreetMap does not know is left open."""
        kept = []
        for key in sorted(TAG_KEYS & tags.keys()):
            values = tag_values(tags[key])
            if key == "highway" and values and not _is_highway(values):
                self.unknown_class += 1
                continue
            if values:
                kept.append((key, values))
        return self.codes.setdefault(tuple(kept), len(self.codes))

    def combos(self) -> TagSets:
        """Return the combinations, by number."""
        return tuple(dict(pairs) for pairs in self.codes)


#: values of `highway` that are known not to be streets, also in tables whose classes are not OpenStreetMap's
NOT_STREETS = frozenset(
    {"construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished", "no", "platform",
     "raceway", "bus_guideway", "busway", "rest_area", "services", "escape", "via_ferrata"}
)  # fmt: skip


def _is_highway(values: Sequence[str]) -> bool:
    return all(value in CLASSES or value in NOT_STREETS for value in values)


def read_number(value: object, label: str, what: str) -> float:
    """
    Return a stated length or speed; `nan` where nothing is stated (None, blank).

    Raises
    ------
    NetworkError
        If it is no number, or nan, negative or infinite; the row is named.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return np.nan
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number) or number < 0:
        shown = repr(value)[:60]
        msg = f"`{what}` of edge {label} must be a finite number >= 0, got {shown}."
        raise NetworkError(msg, zh=f"道路 {label} 的 {what} 必须是不小于 0 的有限数，现为 {shown}。")
    return number


def network_from_rows(
    rows: EdgeRows,
    profile: TravelProfile,
    *,
    reading: Reading,
    split: bool,
    target_crs: Any,  # noqa: ANN401
    min_part_m: float,
    admit_trunk: bool,
    source: str,
    counts: Mapping[str, float],
    warnings: Sequence[Fault] = (),
) -> Network:
    """
    Join the two directions of each street, judge it by its tags, and build the network.

    Parameters
    ----------
    rows
        What was read.
    reading
        `"directions"`: a row opens its own direction; the way back is another row, and where that is missing the
        street is one-way (which people on foot do not obey). `"oneway"`: the tags of a row decide. `"both"`: every
        row is two-way, whatever its tags say.
    split
        Whether streets are split at vertices that they share (tables that state no nodes).
    counts, warnings
        Begin the report.
    """
    if not rows.start.size:
        msg = f"`{source}` holds no streets."
        raise NetworkError(msg, zh=f"{source} 中没有任何道路。")
    used = np.unique(np.concatenate([rows.start, rows.end]))
    _check_finite(rows.node_xy[used], source)
    coords = shapely.get_coordinates(rows.line[shapely.is_geometry(rows.line)])
    metric = metric_crs(np.concatenate([rows.node_xy[used], coords]), rows.crs, target_crs)
    xy = to_metres(rows.node_xy[used], rows.crs, metric)
    start, end = np.searchsorted(used, rows.start), np.searchsorted(used, rows.end)
    points, first = _polylines(rows, np.stack([xy[start], xy[end]], axis=1), metric)
    drawn = _drawn_lengths(points, first)
    missing = np.isnan(rows.length_m)
    lengths = np.where(missing, drawn, rows.length_m)
    told = [*warnings, *_doubt_lengths(rows.length_m, drawn, rows.crs, source)]

    ends = np.repeat(np.column_stack([start, end]), np.diff(first), axis=0)
    cells = np.column_stack([np.round(points * 1000).astype(np.int64), ends.min(axis=1), ends.max(axis=1)])
    line, is_back = same_lines(cells, first)
    along, against = pair_directions(line, is_back, lengths, rows.way_id)
    forward, backward, rules = _speeds(rows, (along, against), profile, reading, admit_trunk=admit_trunk)

    numbers: dict[str, float] = {**counts, "rows_read": rows.start.size, "rows_joined": int((against >= 0).sum())}
    numbers["length_missing"] = int(missing.sum())
    numbers |= count_notes(rules, rows.combo)
    if reading == "both":
        told += _ignored_oneways(rows)
    is_open = (forward > 0) | (backward > 0)
    numbers["streets_closed"] = int((~is_open).sum())
    if not is_open.any():
        msg = f"`{source}` has no street that the profile `{profile.name}` may use ({is_open.size} streets read)."
        raise NetworkError(msg, zh=f"{source} 中没有“{profile.name}”方式可用的道路（共读取 {is_open.size} 条）。")
    along, forward, backward = along[is_open], forward[is_open], backward[is_open]
    take, first = take_runs(first[along], np.diff(first)[along])
    points = points[take]
    kept, node = np.unique(np.column_stack([start[along], end[along]]), return_inverse=True)
    pieces = _Pieces.whole(node.reshape(-1, 2), lengths[along], points, first, xy[kept])
    if split:
        pieces = pieces.split()
        numbers["split_at_shared_vertices"] = pieces.street.size - along.size
        told += _loose_ends(pieces)
    row = along[pieces.street]
    classes = np.array([main_class(tags.get("highway", ())) for tags in rows.combos], dtype=object)
    return build_network(
        pieces.xy,
        pieces.start,
        pieces.end,
        crs=metric,
        profile=profile,
        geometry=pieces.lines(),
        length_m=pieces.length_m,
        forward_kph=forward[pieces.street],
        backward_kph=backward[pieces.street],
        name=rows.name[row],
        road_class=classes[rows.combo[row]],
        way_id=rows.way_id[row],
        min_part_m=min_part_m,
        source=source,
        counts=numbers,
        warnings=[*told, *trunk_warning(numbers)],
    )


def count_notes(rules: Sequence[WayRule], combo: IntArray) -> dict[str, float]:
    """Return how many ways or rows each note of the rules concerns, by note."""
    n_way = np.bincount(combo, minlength=len(rules))
    notes = sorted({note for rule in rules for note in rule.notes})
    return {note: int(sum(n_way[c] for c, rule in enumerate(rules) if note in rule.notes)) for note in notes}


def trunk_warning(counts: Mapping[str, float]) -> tuple[Fault, ...]:
    """Tell how many trunk roads are left out: in China `trunk` is both national road and urban expressway."""
    n = int(counts.get("trunk_left_out", 0))
    if not n:
        return ()
    en = f"{n} trunk road(s) without a mapped footway or cycleway are left out."
    return (Fault(en, f"有 {n} 条快速路或国道未标注人行道、非机动车道，未计入。", level="warning"),)


# ---------------------------------------------------------------------------------------------------- directions
def _speeds(
    rows: EdgeRows,
    streets: tuple[IntArray, IntArray],
    profile: TravelProfile,
    reading: Reading,
    *,
    admit_trunk: bool,
) -> tuple[FloatArray, FloatArray, list[WayRule]]:
    """Return km/h along each street and back, and the rules by combination of tags."""
    along, against = streets
    has_back = against >= 0
    if reading == "directions":
        two_way = _row_speeds(rows, profile, "no", admit_trunk=admit_trunk)
        alone = _row_speeds(rows, profile, "yes", admit_trunk=admit_trunk)
        forward = np.where(has_back, two_way[0][along], alone[0][along])
        backward = np.where(has_back, two_way[0][against], alone[1][along])
        return forward, backward, two_way[2]
    ahead, back, rules = _row_speeds(rows, profile, None if reading == "oneway" else "no", admit_trunk=admit_trunk)
    forward = np.where(has_back, np.maximum(ahead[along], back[against]), ahead[along])
    backward = np.where(has_back, np.maximum(back[along], ahead[against]), back[along])
    return forward, backward, rules


def _row_speeds(
    rows: EdgeRows, profile: TravelProfile, oneway: str | None, *, admit_trunk: bool
) -> tuple[FloatArray, FloatArray, list[WayRule]]:
    """Return km/h along each row and against it, with the one-way tag replaced where one is given."""
    rules = [joint_rule(_with_oneway(tags, oneway), profile, admit_trunk=admit_trunk) for tags in rows.combos]
    ahead = np.array([rule.forward_kph for rule in rules])[rows.combo]
    back = np.array([rule.backward_kph for rule in rules])[rows.combo]
    if oneway == "yes":  # of the row: on a way drawn the other way round that is `-1`
        turned = [joint_rule(_with_oneway(tags, "-1"), profile, admit_trunk=admit_trunk) for tags in rows.combos]
        ahead = np.where(rows.is_reversed, np.array([r.forward_kph for r in turned])[rows.combo], ahead)
        back = np.where(rows.is_reversed, np.array([r.backward_kph for r in turned])[rows.combo], back)
    if oneway is not None:
        ahead, back = np.where(rows.is_reversed, back, ahead), np.where(rows.is_reversed, ahead, back)
    if profile.speed_kph is None:
        stated = ~np.isnan(rows.speed_kph)
        ahead = np.where(stated & (ahead > 0), rows.speed_kph, ahead)
        back = np.where(stated & (back > 0), rows.speed_kph, back)
    return ahead, back, rules


def _with_oneway(tags: Mapping[str, tuple[str, ...]], oneway: str | None) -> Mapping[str, tuple[str, ...]]:
    return tags if oneway is None else {**tags, "oneway": (oneway,)}


# ------------------------------------------------------------------------------------------------------ geometry
@dataclass(frozen=True, eq=False)
class _Pieces:
    """Streets, or the pieces they are split into."""

    street: IntArray  # (n,) street of each piece
    start: IntArray
    end: IntArray
    length_m: FloatArray
    points: FloatArray  # vertices of all pieces
    first: IntArray  # (n + 1,)
    xy: FloatArray  # of the nodes

    @classmethod
    def whole(
        cls, node: IntArray, length_m: FloatArray, points: FloatArray, first: IntArray, xy: FloatArray
    ) -> _Pieces:
        return cls(np.arange(len(node)), node[:, 0], node[:, 1], length_m, points, first, xy)

    def split(self) -> _Pieces:
        """Split at vertices that streets share; a stated length is shared out by the drawn one."""
        vertex, vertex_xy = cluster_points(self.points, SAME_POINT_M)
        take, first, street = split_at_junctions(vertex, self.first)
        stays = np.setdiff1d(np.arange(self.street.size), street)  # no longer than a point
        take = np.concatenate([take, np.column_stack([self.first[stays], self.first[stays + 1] - 1]).ravel()])
        first = np.concatenate([first, first[-1] + 2 * np.arange(1, stays.size + 1)])
        street = np.concatenate([street, stays])
        points = self.points[take]
        whole, part = _drawn_lengths(self.points, self.first)[street], _drawn_lengths(points, first)
        share = np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 1.0)
        ends, node = np.unique(vertex[take[np.column_stack([first[:-1], first[1:] - 1])]], return_inverse=True)
        node = node.reshape(-1, 2)
        return _Pieces(
            street, node[:, 0], node[:, 1], share * self.length_m[street], points, first, vertex_xy[ends]
        )

    def lines(self) -> GeometryArray:
        """Return the pieces as LineStrings."""
        index = np.repeat(np.arange(self.street.size), np.diff(self.first))
        return np.asarray(shapely.linestrings(self.points, indices=index), dtype=object)


def take_runs(begin: IntArray, size: IntArray) -> tuple[IntArray, IntArray]:
    """Return the positions `begin ... begin + size - 1` of all runs one after the other, and where each begins."""
    first = np.concatenate([[0], np.cumsum(size)])
    return np.repeat(begin - first[:-1], size) + np.arange(first[-1]), first


def _polylines(rows: EdgeRows, ends: FloatArray, metric: CRS) -> tuple[FloatArray, IntArray]:
    """Return vertices in metres, from `start` to `end` of each row; straight where no line is given."""
    lines = rows.line
    given = np.asarray(shapely.is_geometry(lines))
    first = np.concatenate([[0], np.cumsum(np.where(given, shapely.get_num_coordinates(lines), 2))])
    points = np.empty((first[-1], 2))
    is_given = np.repeat(given, np.diff(first))
    points[is_given] = to_metres(shapely.get_coordinates(lines[given]), rows.crs, metric)
    points[~is_given] = ends[~given].reshape(-1, 2)
    return points, first


def _drawn_lengths(points: FloatArray, first: IntArray) -> FloatArray:
    """Return the length of each polyline."""
    step = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T)])
    step[first[:-1]] = 0.0
    return np.add.reduceat(step, first[:-1])


def _check_finite(xy: FloatArray, source: str) -> None:
    bad = ~np.isfinite(xy).all(axis=1)
    if bad.any():
        msg = f"`{source}` has {int(bad.sum())} node(s) whose coordinates are not finite numbers."
        raise NetworkError(msg, zh=f"{source} 中有 {int(bad.sum())} 个节点的坐标不是有效数字。")


def _doubt_lengths(stated: FloatArray, drawn: FloatArray, crs: CRS, source: str) -> list[Fault]:
    """Refuse stated lengths that cannot be metres, and doubt those that hardly are."""
    both = (stated > 0) & (drawn > 0)
    if not both.any():
        return []
    ratio = float(np.median(stated[both] / drawn[both]))
    off = max(ratio, 1.0 / ratio)
    en = f"The stated `length` of `{source}` is {ratio:.3g} times the length drawn in the middle"
    zh = f"{source} 中的 length 约为图上长度的 {ratio:.3g} 倍"
    if off > REFUSED_FACTOR:
        small = "degrees" if crs.is_geographic and ratio < DEGREE_RATIO else "kilometres"
        unit = small if ratio < 1 else "millimetres"
        msg = f"{en}: it is not in metres (perhaps {unit}). Give metres, or drop the column."
        raise CRSError(msg, zh=f"{zh}，单位不是米。请改为米，或删除该列。")
    if off > DOUBTED_FACTOR:
        return [Fault(f"{en}: is it in metres?", f"{zh}，请确认单位是米。", level="warning")]
    return []


def _loose_ends(pieces: _Pieces) -> list[Fault]:
    """Tell of dead ends that touch another street where that has no vertex: they look connected and are not."""
    tips = np.column_stack([pieces.start, pieces.end])
    degree = np.bincount(tips.ravel())
    street, side = np.nonzero((degree == 1)[tips])
    points = shapely.points(pieces.xy[tips[street, side]])
    tree = shapely.STRtree(pieces.lines())
    tip, touched = tree.query(points, predicate="dwithin", distance=SAME_POINT_M)
    n = np.unique(tip[touched != street[tip]]).size
    if not n:
        return []
    en = f"{n} dead end(s) touch another street that has no vertex there, so that they are not connected to it."
    return [
        Fault(en, f"有 {n} 个道路端点落在另一条道路的中间，但该处没有顶点，两条道路没有连通。", level="warning")
    ]


def _ignored_oneways(rows: EdgeRows) -> list[Fault]:
    """Tell of one-way tags that an undirected source cannot mean."""
    is_oneway = np.array([bool({"yes", "-1"} & set(tags.get("oneway", ()))) for tags in rows.combos])
    n = int(is_oneway[rows.combo].sum())
    if not n:
        return []
    en = f"{n} edge(s) say that they are one-way, but no direction is known: they count as two-way."
    return [Fault(en, f"有 {n} 条道路标为单行，但方向不明，按双向处理。", level="warning")]


def refuse_rows(bad: BoolArray, labels: Sequence[str], what: str, zh: str) -> None:
    """
    Name the rows that cannot be used.

    Raises
    ------
    NetworkError
        If any.
    """
    if bad.any():
        named = [labels[k] for k in np.flatnonzero(bad).tolist()]
        msg = f"{len(named)} row(s) {what}: {some(named)}."
        raise NetworkError(msg, zh=f"{len(named)} 行{zh}：{some_zh(named)}。")
