"""
Small networks for tests, drawn as text or laid out as a perfect grid.

One character is 100 m across, one line 100 m down; the first column of the last line stands at `ORIGIN`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from servicecircle.model import Network, NetworkReport, Positions, TravelTimes
from servicecircle.params import TravelProfile

CRS_UTM = CRS.from_epsg(32649)
ORIGIN = (500_000.0, 2_500_000.0)
STEP_M = 100.0
MARKS_ACROSS = "-><"
MARKS_DOWN = "|^v"
UNNAMED = "+"  # a junction or a corner that no test asks for by name

Street = tuple[int, int] | tuple[int, int, Sequence[tuple[float, float]]]


def draw(
    picture: str,
    *,
    kph: float = 3.6,
    profile: TravelProfile | None = None,
    min_part_m: float = 0.0,
) -> tuple[dict[str, int], Network]:
    """
    Return `({letter: node}, network)` of a picture of streets.

    Capital letters and digits are nodes, `+` is a node without a name. `-` and `|` are streets in both directions;
    one `>` or `<` (`^` or `v`) in a street makes it one-way. Letters that touch are not joined.

    >>> node, network = draw('''
    ...     A--B->-C
    ...        |
    ...        D
    ... ''')
    >>> network.length_m[network.tail == node["A"]]
    array([300.])
    """
    lines = textwrap.dedent(picture.strip("\n")).rstrip().splitlines()
    width = max(map(len, lines))
    chars = [line.ljust(width) for line in lines]
    at: dict[tuple[int, int], int] = {}
    names: dict[str, int] = {}
    xy: list[tuple[float, float]] = []
    for row, line in enumerate(chars):
        for column, char in enumerate(line):
            if not _is_node(char):
                continue
            if char in names:
                msg = f"The letter {char} stands twice in the picture."
                raise ValueError(msg)
            if char != UNNAMED:
                names[char] = len(xy)
            at[row, column] = len(xy)
            xy.append((ORIGIN[0] + STEP_M * column, ORIGIN[1] + STEP_M * (len(chars) - 1 - row)))
    streets: list[tuple[int, int]] = []
    one_way: list[bool] = []
    drawn = 0
    for (row, column), start in at.items():
        for (down, across), marks, back, ahead in (
            ((0, 1), MARKS_ACROSS, "<", ">"),
            ((1, 0), MARKS_DOWN, "^", "v"),
        ):
            street = _follow(chars, (row, column), (down, across), marks)
            if not street:
                continue
            drawn += len(street)
            end = at[row + down * (len(street) + 1), column + across * (len(street) + 1)]
            tail, head = (end, start) if back in street else (start, end)
            streets.append((tail, head))
            one_way.append(back in street or ahead in street)
    if drawn != sum(char in MARKS_ACROSS + MARKS_DOWN for line in chars for char in line):
        msg = "A street of the picture does not run from node to node."
        raise ValueError(msg)
    network = lay_out(np.array(xy), streets, one_way=one_way, kph=kph, profile=profile, min_part_m=min_part_m)
    return names, network


def lay_out(
    xy: np.ndarray,
    streets: Sequence[Street],
    *,
    one_way: Sequence[bool] | None = None,
    kph: float = 3.6,
    profile: TravelProfile | None = None,
    min_part_m: float = 0.0,
) -> Network:
    """Return the network of streets `(tail, head)` or `(tail, head, bends)` between nodes at `xy` (metres)."""
    profile = TravelProfile("drawn", "walk", kph) if profile is None else profile
    kph = kph if profile.speed_kph is None else profile.speed_kph
    one_way = [False] * len(streets) if one_way is None else one_way
    tail, head, street, geometry = [], [], [], []
    street_edge = np.full((len(streets), 2), -1)
    for s, (a, b, *bends) in enumerate(streets):
        line = shapely.LineString([xy[a], *(bends[0] if bends else []), xy[b]])
        for way, (u, v, shape) in enumerate(((a, b, line), (b, a, line.reverse()))):
            if way == 1 and one_way[s]:
                continue
            street_edge[s, way] = len(tail)
            tail.append(u)
            head.append(v)
            street.append(s)
            geometry.append(shape)
    length_m = shapely.length(np.array(geometry, dtype=object))
    part, part_m = _parts(len(xy), np.array(tail), np.array(head), length_m, street_edge)
    return Network(
        crs=CRS_UTM,
        node_xy=np.asarray(xy, dtype=float),
        tail=np.array(tail),
        head=np.array(head),
        seconds=length_m * 3.6 / kph,
        length_m=length_m,
        geometry=np.array(geometry, dtype=object),
        way_id=np.array(street) + 1,
        street=np.array(street),
        street_edge=street_edge,
        street_name=np.full(len(streets), "", dtype=object),
        street_class=np.full(len(streets), "residential", dtype=object),
        part=part,
        part_m=part_m,
        is_admissible=part_m[part[np.array(tail)]] >= min_part_m,
        profile=profile,
        report=NetworkReport("drawn"),
    )


def perfect_grid(n: int, *, block_m: float = 100.0, kph: float = 3.6) -> tuple[np.ndarray, Network]:
    """
    Return `(node, network)` of `n` x `n` junctions; `node[y, x]` is the junction x blocks east, y north.

    The travel time between two junctions is their city-block distance at `kph`.
    """
    node = np.arange(n * n).reshape(n, n)
    y, x = np.divmod(np.arange(n * n), n)
    xy = np.column_stack([ORIGIN[0] + block_m * x, ORIGIN[1] + block_m * y])
    east = zip(node[:, :-1].ravel().tolist(), node[:, 1:].ravel().tolist(), strict=True)
    north = zip(node[:-1].ravel().tolist(), node[1:].ravel().tolist(), strict=True)
    return node, lay_out(xy, [*east, *north], kph=kph)


def walk_times(
    network: Network,
    demand: pd.DataFrame,
    facilities: Mapping[str, int],
    *,
    cutoff_s: float = 900.0,
    shops: Mapping[str, float] | None = None,
) -> TravelTimes:
    """
    Return the travel times from demand (columns `edge`, `fraction`; -1: off the network) to facilities at nodes.

    A plain stand-in for `travel_times`, by networkx; `shops` names facilities with their own minutes.
    """
    graph = nx.DiGraph()
    for tail, head, seconds in zip(
        network.head.tolist(), network.tail.tolist(), network.seconds.tolist(), strict=True
    ):
        if not graph.has_edge(tail, head) or graph[tail][head]["weight"] > seconds:
            graph.add_edge(tail, head, weight=seconds)
    edge = demand["edge"].to_numpy(np.int64)
    behind = demand["fraction"].to_numpy(np.float64)
    back = network.street_edge[network.street[edge]].sum(axis=1) - edge  # -1: there is no way back
    exact = np.full((len(demand), len(facilities)), np.inf)
    for j, node in enumerate(facilities.values()):
        found = nx.single_source_dijkstra_path_length(graph, node)
        field = np.array([found.get(k, np.inf) for k in range(network.n_node)])
        ahead = (1 - behind) * network.seconds[edge] + field[network.head[edge]]
        turned = behind * network.seconds[edge] + field[network.tail[edge]]
        exact[:, j] = np.where(edge < 0, np.inf, np.minimum(ahead, np.where(back >= 0, turned, np.inf)))
    pairs = [sorted((t, j) for j, t in enumerate(row) if t <= cutoff_s) for row in exact.tolist()]
    nearest = exact.argmin(axis=1) if facilities else np.zeros(len(demand), dtype=np.int64)
    seconds = exact.min(axis=1, initial=np.inf)
    own = shops or {}
    node_xy = network.node_xy[list(facilities.values())].reshape(-1, 2)
    demand_xy = shapely.get_coordinates(np.asarray(demand.geometry.array, dtype=object))
    return TravelTimes(
        demand_ids=demand.index,
        facility_ids=pd.Index(list(facilities), dtype=object),
        start=np.cumsum([0, *map(len, pairs)]),
        facility=np.array([j for row in pairs for _, j in row], dtype=np.int64),
        seconds=np.array([t for row in pairs for t, _ in row], dtype=np.float64),
        nearest_facility=np.where(np.isfinite(seconds), nearest, -1),
        nearest_seconds=seconds,
        facility_kind=np.array(["shop" if j in own else "station" for j in facilities], dtype=object),
        facility_minutes=np.array([own.get(j, np.inf) for j in facilities], dtype=np.float64),
        demand_at=Positions(demand.index, edge, behind, np.zeros(len(demand)), demand_xy),
        facility_at=Positions(
            pd.Index(list(facilities), dtype=object),
            np.array([np.flatnonzero(network.tail == k)[0] for k in facilities.values()], dtype=np.int64),
            np.zeros(len(facilities)),
            np.zeros(len(facilities)),
            node_xy,
        ),
        cutoff_s=cutoff_s,
        direction="to",
        profile=network.profile,
    )


def _is_node(char: str) -> bool:
    """Whether a character of a picture is a node."""
    return char == UNNAMED or char.isdigit() or (char.isalpha() and char.isupper())


def _follow(chars: list[str], start: tuple[int, int], step: tuple[int, int], marks: str) -> str:
    """Return the marks of the street that leaves `start` in the direction `step`, "" if there is none."""
    row, column = start[0] + step[0], start[1] + step[1]
    street = ""
    while row < len(chars) and column < len(chars[0]):
        char = chars[row][column]
        if _is_node(char):
            return street
        if char not in marks:
            return ""
        street += char
        row, column = row + step[0], column + step[1]
    return ""


def _parts(
    n: int, tail: np.ndarray, head: np.ndarray, length_m: np.ndarray, street_edge: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the part of each node and the metres of each part, the longest first."""
    n_part, label = connected_components(
        coo_array((np.ones(tail.size), (tail, head)), shape=(n, n)), directed=False
    )
    first = np.where(street_edge[:, 0] >= 0, street_edge[:, 0], street_edge[:, 1])
    metres = np.bincount(label[tail[first]], weights=length_m[first], minlength=n_part)
    order = np.argsort(-metres, kind="stable")
    rank = np.empty(n_part, dtype=np.int64)
    rank[order] = np.arange(n_part)
    return rank[label], metres[order]
