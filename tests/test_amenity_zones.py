"""Amenities by zone: one by one what coverage says of the places that have it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from drawing import draw, walk_times
from test_coverage import at_nodes, lone_cells

from servicecircle.amenity_zones import cover_amenities
from servicecircle.coverage import cover, coverage_by_zone

OFFERED = [{"hot_water", "microwave"}, {"hot_water"}, set()]


def test_each_row_is_the_coverage_of_the_places_that_have_it() -> None:
    node, network = draw("A--B--C--D--E")
    demand = at_nodes(network, node, weight=[3.25, 4.5, 0.1, 7.0, 0.0], cell_id=list("aabbc"))
    grid = lone_cells("east", None, "north")
    places = {"s": node["A"], "t": node["C"], "u": node["E"]}
    times = walk_times(network, demand, places)
    matrix = cover_amenities(times, demand, grid, OFFERED, minutes=(3, 6))
    assert matrix["amenity"].tolist() == ["hot_water"] * 3 + ["microwave"] * 3
    assert matrix["zone_id"].tolist() == ["east", "north", None] * 2
    for code in ("hot_water", "microwave"):
        own = {name: at for (name, at), codes in zip(places.items(), OFFERED, strict=True) if code in codes}
        zones = coverage_by_zone(cover(walk_times(network, demand, own), demand, minutes=(3, 6)), grid)
        rows = matrix[matrix["amenity"] == code].reset_index(drop=True)
        for column in ("riders", "covered_3", "covered_6", "share_3", "share_6"):
            assert rows[column].equals(zones[column].reset_index(drop=True)), column
        assert rows["n_facilities"].tolist() == zones["n_facilities_6"].tolist()


def test_places_that_do_not_count_give_no_amenity_and_nobody_is_no_share() -> None:
    node, network = draw("A--B--C--D--E")
    demand = at_nodes(network, node, weight=[0.0] * 5, cell_id=list("aabbc"))
    times = walk_times(network, demand, {"s": node["A"], "t": node["C"], "u": node["E"]})
    matrix = cover_amenities(
        times, demand, lone_cells("x", "x", "y"), OFFERED, minutes=(6,), serves=np.array([False, True, True])
    )
    assert matrix.loc[matrix["amenity"] == "microwave", "n_facilities"].sum() == 0
    assert math.fsum(matrix["covered_6"]) == 0
    assert matrix["share_6"].isna().all()


def test_no_amenity_at_all_is_an_empty_table() -> None:
    node, network = draw("A--B")
    demand = at_nodes(network, node, cell_id=list("ab"))
    times = walk_times(network, demand, {"s": node["A"]})
    matrix = cover_amenities(times, demand, lone_cells("x", "y"), [set()], minutes=(6,))
    assert matrix.empty
    assert "covered_6" in matrix.columns


@pytest.mark.parametrize("shift", [1, 2])
def test_the_order_of_places_changes_nothing(shift: int) -> None:
    node, network = draw("A--B--C--D--E")
    demand = at_nodes(network, node, cell_id=list("aabbc"))
    grid = lone_cells("x", "y", "y")
    places = [("s", node["A"]), ("t", node["C"]), ("u", node["E"])]
    usual = cover_amenities(walk_times(network, demand, dict(places)), demand, grid, OFFERED, minutes=(6,))
    turned = dict(places[shift:] + places[:shift])
    offered = OFFERED[shift:] + OFFERED[:shift]
    assert cover_amenities(walk_times(network, demand, turned), demand, grid, offered, minutes=(6,)).equals(usual)
