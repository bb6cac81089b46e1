"""Quickest ways: the time is that of `travel_times`, the metres are those of the way that takes it."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
from drawing import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from test_travel_times import at_xy, networks, places

import servicecircle as sc
from servicecircle.legs import find_legs
from servicecircle.model import Network
from servicecircle.quickest_ways import quickest_ways


def with_edges(network: Network, seconds: list[float], length_m: list[float]) -> Network:
    """The network with other times and lengths, street by street."""
    street = network.street
    return dataclasses.replace(network, seconds=np.array(seconds)[street], length_m=np.array(length_m)[street])


def at_nodes(network: Network) -> gpd.GeoDataFrame:
    """A point at each junction."""
    xy = network.node_xy
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=network.crs)


def test_the_metres_are_those_of_the_quickest_way_not_of_the_shortest() -> None:
    node, network = draw(
        """
        A--B
        |  |
        C--D
        """
    )
    is_fast = np.isin(network.tail, [node["A"], node["B"]]) & np.isin(
        network.head, [node["A"], node["B"], node["D"]]
    )
    fast = dataclasses.replace(
        network, seconds=np.where(is_fast, 50.0, 300.0), length_m=np.where(is_fast, 350.0, 200.0)
    )
    points = at_nodes(fast)
    ways = quickest_ways(fast, points.iloc[[node["A"]]], points.iloc[[node["D"]]])  # 700 m by B, 400 m by C
    assert (ways.seconds[0, 0], ways.metres[0, 0]) == (100.0, 700.0)


def test_of_ways_that_take_the_same_time_the_shortest_counts() -> None:
    _, network = draw(
        """
        A--B
        |  |
        C--D
        """
    )
    even = with_edges(network, [60.0] * 4, [100.0 if i % 2 else 400.0 for i in range(4)])
    ways = quickest_ways(even, at_nodes(even), at_nodes(even))
    graph = nx.Graph()
    for edge in even.street_first:
        graph.add_edge(int(even.tail[edge]), int(even.head[edge]), metres=float(even.length_m[edge]))
    for i in range(4):
        for j in range(4):
            want = min(nx.path_weight(graph, p, "metres") for p in nx.all_shortest_paths(graph, i, j))
            assert ways.metres[i, j] == want


def test_walks_to_the_street_count_and_an_island_has_no_way() -> None:
    _, network = draw("A---B  C--D")
    ways = quickest_ways(network, at_xy((100, 30), (50, 900)), at_xy((300, -20), (800, 0)))
    assert ways.metres.tolist() == [[250.0, np.inf], [np.inf, np.inf]]
    assert ways.seconds.tolist() == [[250.0, np.inf], [np.inf, np.inf]]


@settings(max_examples=60, deadline=None)
@given(networks(), st.data(), st.sampled_from(["to", "from"]))
def test_between_junctions_they_are_those_of_networkx(
    network: Network, data: st.DataObject, direction: str
) -> None:
    n = network.n_street
    few = st.lists(st.integers(0, 3), min_size=n, max_size=n)  # many ways of the same time, and some of none
    changed = with_edges(network, [float(s) for s in data.draw(few)], [float(m) for m in data.draw(few)])
    points = at_nodes(changed)
    at = sc.snap(points, changed, max_m=1.0)
    on = [k for k in range(changed.n_node) if at["edge"].iloc[k] >= 0 and at["fraction"].iloc[k] in (0.0, 1.0)]
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(changed.n_node))
    for tail, head, s, m in zip(changed.tail, changed.head, changed.seconds, changed.length_m, strict=True):
        ends = (int(tail), int(head)) if direction == "to" else (int(head), int(tail))
        graph.add_edge(*ends, both=int(s) * 10**6 + int(m))
    ways = quickest_ways(changed, points, points, direction=direction, max_snap_m=1.0)
    taken = {}  # a junction at the place of another one snaps to either
    for k in on:
        edge = at["edge"].iloc[k]
        taken[k] = int(changed.head[edge] if at["fraction"].iloc[k] == 1.0 else changed.tail[edge])
    for i in on:
        found = nx.single_source_dijkstra_path_length(graph, taken[i], weight="both")
        for j in on:
            both = found.get(taken[j])
            want = (np.inf, np.inf) if both is None else divmod(both, 10**6)
            assert (ways.seconds[i, j], ways.metres[i, j]) == want


@settings(max_examples=25, deadline=None)
@given(networks(), places, places, st.sampled_from(["to", "from"]))
def test_anywhere_the_time_is_that_of_travel_times_and_no_quickest_way_is_shorter(
    network: Network, demand: list, facilities: list, direction: str
) -> None:
    points, others = at_xy(*demand), at_xy(*facilities)
    ways = quickest_ways(network, points, others, direction=direction, max_snap_m=100)
    times = sc.travel_times(network, points, others, cutoff_s=1e6, direction=direction, max_snap_m=100)
    assert (ways.seconds == times.to_array()).all()
    legs = find_legs(network, points.iloc[[0]], others.iloc[[0]], direction=direction, max_snap_m=100)
    assert np.isfinite(ways.metres[0, 0]) == (len(legs) > 0)
    if len(legs):
        assert ways.metres[0, 0] <= legs["metres"].sum() + 1e-6
        speed = network.length_m.sum() / network.seconds.sum() if network.seconds.sum() > 0 else 1.0
        walks = legs.loc[legs["kind"] == "walk", "metres"].sum()
        assert ways.metres[0, 0] == pytest.approx(walks + (ways.seconds[0, 0] - walks) * speed, abs=0.1)
