"""Service areas: what the polygons hold, and what they must not hold."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import ORIGIN, draw, lay_out, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from test_travel_times import at_nodes, at_xy, networks, places

from servicecircle.errors import CRSError, InputError
from servicecircle.model import Facilities, Network
from servicecircle.service_areas import service_areas
from servicecircle.snapping import locate_on_edges
from servicecircle.street_raster import ASIDE
from servicecircle.street_reach import straight, street_reach

#: unreached street farther than this from reached street stays outside
CLEAR_M = {"fine": 10.0, "fast": 16.0}


def unreached(network: Network, pieces: gpd.GeoDataFrame, clear_m: float = 10.0) -> shapely.Geometry:
    """Street that is not reached and more than 10 m from street that is."""
    streets = shapely.union_all(network.street_geometry[network.is_street_admissible])
    lines = pieces.geometry.to_numpy()
    ends = shapely.union_all(shapely.get_point(lines, 0))  # a street of no length has no buffer of its own
    beside = shapely.union_all(
        [*shapely.buffer(straight(lines), clear_m + 1e-6), shapely.buffer(ends, clear_m + 1e-6)]
    )
    return shapely.difference(streets, beside)


def assert_sound(
    network: Network,
    facilities: gpd.GeoDataFrame,
    minutes: tuple[float, ...],
    *,
    detail: str = "fine",
    **options: object,
) -> None:
    """All reached street inside, no unreached street away from it, one valid polygon each, nested."""
    areas = service_areas(network, facilities, minutes=minutes, detail=detail, **options)
    pieces = street_reach(network, facilities, minutes=minutes, **options)
    for (j, m), rows in areas.groupby(["facility_id", "minutes"]):
        area = rows.geometry.iloc[0]
        own = pieces[(pieces.facility_id == j) & (pieces.minutes == m)]
        if own.empty:
            assert area.is_empty
            continue
        assert area.geom_type == "Polygon"
        assert area.is_valid
        assert shapely.difference(shapely.union_all(own.geometry.to_numpy()), area.buffer(1e-6)).length < 1e-6
        assert shapely.intersection(unreached(network, own, CLEAR_M[detail]), area.buffer(-1e-6)).length < 1e-6
        assert rows.street_m.iloc[0] == pytest.approx(own.length_m.sum())
    for _, rows in areas.groupby("facility_id"):
        for small, large in itertools.pairwise(rows.sort_values("minutes").geometry):
            assert small.difference(large).area < 1e-6


def test_areas_on_the_perfect_grid_are_sound() -> None:
    node, network = perfect_grid(15, block_m=150)
    facilities = at_nodes(network, [node[7, 7], node[0, 0]], ["middle", "corner"])
    assert_sound(network, facilities, (5, 10, 15))


def test_a_river_without_a_bridge_is_not_crossed() -> None:
    _, network = draw(
        """
        A----------B
        +----------+
        """,
    )  # two banks 100 m apart that are not joined
    area = service_areas(network, at_xy((500, 100)), minutes=(5,)).geometry.iloc[0]
    assert area.contains(shapely.Point(ORIGIN[0] + 600, ORIGIN[1] + 100))
    assert area.bounds[1] > ORIGIN[1] + 40
    assert not area.intersects(shapely.LineString([(ORIGIN[0], ORIGIN[1]), (ORIGIN[0] + 1100, ORIGIN[1])]))


def test_a_block_whose_streets_are_too_far_leaves_a_hole() -> None:
    ring = [(0, 1), (1, 2), (2, 3), (3, 0)]
    xy = np.array([[0, 0], [600, 0], [600, 600], [0, 600]], float) + ORIGIN
    inside = np.array([[250, 250], [350, 250], [350, 350], [250, 350]], float) + ORIGIN
    network = lay_out(np.vstack([xy, inside]), [*ring, *((a + 4, b + 4) for a, b in ring)])
    area = service_areas(network, at_xy((0, 0)), minutes=(20,)).geometry.iloc[0]
    assert len(area.interiors) == 1
    assert not area.contains(shapely.Point(ORIGIN[0] + 300, ORIGIN[1] + 300))


def test_a_place_belongs_by_the_walk_from_its_nearest_street_up_to_the_snapping_limit() -> None:
    _, network = draw("A------------------B")
    area = service_areas(network, at_xy((900, 0)), minutes=(10,), max_snap_m=120).geometry.iloc[0]
    for along, off, inside in [
        (0, 118, True),
        (0, 122, False),
        (400, 100, True),
        (500, 99, True),
        (500, 101, False),
    ]:
        place = shapely.Point(ORIGIN[0] + 900 + along, ORIGIN[1] + off)
        assert area.buffer(0 if inside else -12).contains(place) == inside


def test_merged_is_the_union_and_counts_each_street_once() -> None:
    _, network = draw("A------------------B")
    merged = service_areas(network, at_xy((500, 0), (800, 0)), minutes=(5, 10), overlap="merged")
    assert merged.facility_id.isna().all()
    assert merged.street_m.tolist() == [pytest.approx(900), pytest.approx(1400)]
    assert merged.geometry.iloc[1].covers(merged.geometry.iloc[0].buffer(-1e-6))


def test_nearest_parts_do_not_overlap_and_make_up_the_merged_area() -> None:
    node, network = perfect_grid(15, block_m=150)
    facilities = at_nodes(network, [node[5, 5], node[8, 9], node[12, 2]])
    parts = service_areas(network, facilities, minutes=(10,), overlap="nearest")
    merged = service_areas(network, facilities, minutes=(10,), overlap="merged").geometry.iloc[0]
    for one, other in itertools.combinations(parts.geometry, 2):
        assert one.intersection(other).area < 1e-3 * one.area
    assert parts.area.sum() == pytest.approx(merged.area, rel=1e-2)
    home = gpd.GeoSeries.from_wkt(facilities.geometry.to_wkt(), crs=network.crs)
    assert parts.contains(home.set_axis(parts.index)).all()


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        ([(5, 5), (5, 5)], ["station", "station"]),
        ([(5, 5), (7, 5)], ["shop", "station"]),
        ([(5, 5), (7, 5), (5, 7), (1, 13)], ["station", "shop", "shop", "station"]),
    ],
)
def test_nearest_parts_lose_nothing_at_one_place_and_at_limits_of_their_own(where: list, kinds: list) -> None:
    node, network = perfect_grid(15, block_m=100)
    facilities = at_nodes(network, [node[at] for at in where]).assign(kind=kinds)
    parts, merged = (
        service_areas(network, facilities, minutes=(5, 10), overlap=overlap) for overlap in ("nearest", "merged")
    )
    assert parts.minutes.tolist() == [5, 10] * len(where)
    for _, whole in merged.iterrows():
        own = parts[parts.minutes == whole.minutes]
        assert own.area.sum() == pytest.approx(whole.area_m2, abs=1e-3)
        assert own.area_m2.tolist() == own.area.tolist()
        assert shapely.union_all(own.geometry).area == pytest.approx(whole.area_m2, abs=1e-3)
        assert own.street_m.sum() == pytest.approx(whole.street_m)


def test_neighbours_share_the_places_of_their_border() -> None:
    node, network = perfect_grid(15, block_m=150)
    facilities = at_nodes(network, [node[5, 5], node[8, 9], node[12, 2]])
    parts = service_areas(network, facilities, minutes=(10,), overlap="nearest").geometry
    merged = service_areas(network, facilities, minutes=(10,), overlap="merged").geometry.iloc[0]
    corners = [set(map(tuple, shapely.get_coordinates(p).tolist())) for p in [*parts, merged]]
    borders = [shapely.intersection(one, other) for one, other in itertools.combinations(parts, 2)]
    assert [border.area for border in borders] == [0.0, 0.0, 0.0]
    assert max(border.length for border in borders) > 500.0
    for border, (i, j) in zip(borders, itertools.combinations(range(3), 2), strict=True):
        assert set(map(tuple, shapely.get_coordinates(border).tolist())) <= corners[i] & corners[j]
    assert corners[3] <= corners[0] | corners[1] | corners[2]


def test_rings_and_disks_hold_the_same_places() -> None:
    node, network = perfect_grid(15, block_m=150)
    facility = at_nodes(network, [node[7, 7]])
    disks = service_areas(network, facility, minutes=(5, 10))
    rings = service_areas(network, facility, minutes=(5, 10), rings=True)
    assert rings.geometry.iloc[0].equals(disks.geometry.iloc[0])
    assert rings.geometry.iloc[1].equals(disks.geometry.iloc[1].difference(disks.geometry.iloc[0]))
    assert rings.area_m2.sum() == pytest.approx(disks.area_m2.iloc[1])
    assert rings.street_m.sum() == pytest.approx(disks.street_m.iloc[1])


def test_water_is_cut_out_but_for_bridges() -> None:
    _, network = draw(
        """
        A--+--B
        |  |  |
        C--+--D
        """
    )
    river = gpd.GeoSeries([shapely.box(-500, 20, 1500, 80)], crs=network.crs).translate(*ORIGIN)
    facility = at_xy((300, 0))
    area = service_areas(network, facility, minutes=(10,), exclude=river).geometry.iloc[0]
    reached = street_reach(network, facility, minutes=(10,))
    assert area.buffer(1e-6).covers(shapely.union_all(reached.geometry.to_numpy()))
    on_river = area.intersection(river.iloc[0])
    assert on_river.difference(shapely.union_all(reached.geometry.to_numpy()).buffer(10.001)).area < 1e-6
    assert on_river.area == pytest.approx(3 * 60 * 20, rel=0.01)


def test_what_is_excluded_must_state_its_crs() -> None:
    _, network = draw("A--B")
    with pytest.raises(CRSError, match="`exclude` states no CRS"):
        service_areas(network, at_xy((0, 0)), exclude=gpd.GeoSeries([shapely.box(0, 0, 1, 1)]))


def test_a_reach_that_runs_to_a_dead_end_at_the_outline_is_cut_by_the_edge_of_the_data() -> None:
    node, network = draw(
        """
        A---------+---------+
                  |         |
                  |  B--+   |
                  |     |   |
                  +-----+---+
        """
    )
    areas = service_areas(network, at_nodes(network, [node["A"], node["B"]]), minutes=(5, 15, 60))
    assert areas.cut_by_edge.tolist() == [True, True, True, False, False, True]


def test_a_facility_off_the_network_has_an_empty_area_and_the_others_are_drawn() -> None:
    _, network = draw("A--------B")
    areas = service_areas(network, at_xy((100, 0), (5000, 5000)), minutes=(5,))
    assert areas.geometry.is_empty.tolist() == [False, True]
    assert areas.street_m.tolist() == [pytest.approx(400), 0.0]
    assert areas.area_m2.tolist()[1] == 0.0


@pytest.mark.parametrize("overlap", ["each", "nearest"])
def test_ids_keep_their_type(overlap: str) -> None:
    _, network = draw("A--------B")
    facilities = at_xy((100, 0), (500, 0)).set_axis([10, 9])
    areas = service_areas(network, facilities, minutes=(5,), overlap=overlap)
    assert areas.facility_id.tolist() == [10, 9]
    assert areas.facility_id.dtype == facilities.index.dtype


def test_two_runs_draw_the_same_bytes() -> None:
    node, network = perfect_grid(9, block_m=130)
    facility = at_nodes(network, [node[4, 4]])
    first, second = (service_areas(network, facility).geometry.to_wkb().tolist() for _ in range(2))
    assert first == second


def test_an_overlap_that_is_unknown_is_refused() -> None:
    _, network = draw("A--B")
    with pytest.raises(InputError, match="`overlap` must be"):
        service_areas(network, at_xy((0, 0)), overlap="split")


def test_a_level_of_detail_that_is_unknown_is_refused() -> None:
    _, network = draw("A--B")
    with pytest.raises(InputError, match="`detail` must be"):
        service_areas(network, at_xy((0, 0)), detail="finest")


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(networks(), places, st.sampled_from(["to", "from"]))
def test_nearest_parts_tile_the_merged_area_on_any_network(network: Network, where: list, direction: str) -> None:
    options = {"minutes": (1, 4), "direction": direction, "max_snap_m": 100}
    merged = service_areas(network, at_xy(*where), overlap="merged", **options)
    parts = service_areas(network, at_xy(*where), overlap="nearest", **options)
    for minutes, whole in zip(merged.minutes, merged.geometry, strict=True):
        own = parts[parts.minutes == minutes]
        assert own.area.sum() == pytest.approx(whole.area, abs=1e-3)
        assert shapely.union_all(own.geometry.to_numpy()).area == pytest.approx(whole.area, abs=0.5)
    assert parts.groupby("minutes").street_m.sum().tolist() == pytest.approx(merged.street_m.tolist(), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(networks(), places, st.sampled_from(["to", "from"]), st.sampled_from(["fine", "fast"]))
def test_areas_are_sound_on_any_network(network: Network, where: list, direction: str, detail: str) -> None:
    assert_sound(network, at_xy(*where), (1, 2.5, 6), detail=detail, direction=direction, max_snap_m=100)


def taken_in_m(
    network: Network, facilities: gpd.GeoDataFrame, detail: str, direction: str, overlap: str = "merged"
) -> float:
    """Metres of unreached street, away from reached street and from the facilities' places, in shared areas."""
    options = {"minutes": (1, 2.5, 6), "direction": direction, "max_snap_m": 100}
    areas = service_areas(network, facilities, overlap=overlap, detail=detail, **options)
    pieces = street_reach(network, facilities, **options)
    at = locate_on_edges(Facilities(facilities), network, max_m=100)
    on = at.is_on_network  # what is reached there may have no length
    stops = shapely.line_interpolate_point(network.geometry[at.edge[on]], at.fraction[on], normalized=True)
    beside = shapely.union_all(shapely.buffer(stops, CLEAR_M[detail] + 1e-3))
    taken = 0.0
    for minutes, area in zip(areas.minutes, areas.geometry, strict=True):
        away = shapely.difference(unreached(network, pieces[pieces.minutes == minutes], CLEAR_M[detail]), beside)
        taken += shapely.intersection(away, area.buffer(-1e-6)).length
    return taken


@settings(max_examples=40, deadline=None)
@given(networks(), places, st.sampled_from(["to", "from"]), st.sampled_from(["fine", "fast"]))
def test_merged_areas_take_in_no_unreached_street(
    network: Network, where: list, direction: str, detail: str
) -> None:
    assert taken_in_m(network, at_xy(*where), detail, direction) < 1e-6


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(networks(), places, st.sampled_from(["to", "from"]), st.sampled_from(["fine", "fast"]))
def test_nearest_parts_take_in_no_unreached_street(
    network: Network, where: list, direction: str, detail: str
) -> None:
    assert taken_in_m(network, at_xy(*where), detail, direction, "nearest") < 1e-6


def test_where_four_labels_meet_merged_areas_take_in_no_street() -> None:
    """Found at random: a corner of a cell in which four labels met was given away, and 15 m of street with it."""
    node = np.array([[0, 420], [70, 0], [210, 350], [140, 280], [0, 280]]) + ORIGIN
    streets = [
        (4, 2, [(0, 140)]), (2, 3, [(140, 70)]), (3, 4, []), (0, 4, []), (4, 2, []), (1, 2, []),
        (3, 2, [(350, 210)]), (4, 1, [(70, 0)]), (1, 0, []), (1, 0, [(210, 210)]), (4, 3, [(210, 280)]), (4, 0, []),
    ]  # fmt: skip
    bent = [(a, b, [tuple(np.array(bend) + ORIGIN) for bend in bends]) for a, b, bends in streets]
    network = lay_out(node, bent, one_way=[k in {0, 3, 5, 11} for k in range(12)], kph=15.0)
    facilities = at_xy(
        (262.636224, 436.844532), (287.948721, 215.962698), (83.580837, 376.85445), (157.101623, 54.0),
        (200.0, 54.0), (357.801807, 216.171466),
    )  # fmt: skip
    assert taken_in_m(network, facilities, "fast", "from") < 1e-6


# ------------------------------------------------------------------------------------------------ odd and extreme
@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(networks(), places, st.sampled_from([0.5, 3.0, 30.0, 1000.0]), st.sampled_from(["fine", "fast"]))
def test_areas_are_sound_however_far_a_place_may_lie_from_its_street(
    network: Network, where: list, max_snap_m: float, detail: str
) -> None:
    assert_sound(network, at_xy(*where), (0.3, 1, 2, 5, 9), detail=detail, max_snap_m=max_snap_m)


@st.composite
def on_the_lattice(drawing: st.DrawFn) -> Network:
    """Small random networks whose places all are corners of cells, and whose streets run along sides or across."""
    place = st.tuples(st.integers(0, 12), st.integers(0, 12))
    step = drawing(st.sampled_from([5.0, 10.0]))
    n = drawing(st.integers(2, 6))
    xy = [np.array(p) * step + ORIGIN + ASIDE for p in drawing(st.lists(place, min_size=n, max_size=n))]
    node = st.integers(0, n - 1)
    streets = drawing(st.lists(st.tuples(node, node, st.booleans(), place), min_size=1, max_size=9))
    bent = [(a, b, [tuple(np.array(bend) * step + ORIGIN + ASIDE)]) for a, b, _, bend in streets]
    return lay_out(np.array(xy), bent, one_way=[s[2] for s in streets], kph=1.0)


@settings(max_examples=60, deadline=None)
@given(on_the_lattice(), st.data(), st.sampled_from(["fine", "fast"]))
def test_areas_of_streets_along_the_lines_of_the_lattice_are_sound(
    network: Network, data: st.DataObject, detail: str
) -> None:
    some = data.draw(st.lists(st.integers(0, network.n_node - 1), min_size=1, max_size=3))
    max_snap_m = data.draw(st.sampled_from([3.0, 50.0]))
    assert_sound(network, at_nodes(network, some), (1, 2.5, 6), detail=detail, max_snap_m=max_snap_m)


@pytest.mark.slow
def test_a_street_with_very_many_bends_in_one_cell_lies_inside() -> None:
    turn, radius = np.linspace(0, 60 * np.pi, 6000), np.linspace(0.2, 2.4, 6000)
    for middle in ((1, 1), (2.5, 2.5), (17, 3)):
        bends = np.column_stack([radius * np.cos(turn), radius * np.sin(turn)]) + middle + ORIGIN
        network = lay_out(bends[[0, -1]], [(0, 1, bends[1:-1].tolist())])
        assert_sound(network, at_nodes(network, [0]), (1, 2, 3), max_snap_m=0.5)


@settings(max_examples=30, deadline=None)
@given(networks(), places, st.sampled_from(["to", "from"]), st.sampled_from(["fine", "fast"]))
def test_areas_too_wide_for_a_raster_are_sound(network: Network, where: list, direction: str, detail: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("servicecircle.facility_areas.MOST_CORNERS", 10)
        assert_sound(network, at_xy(*where), (1, 2.5, 6), detail=detail, direction=direction, max_snap_m=100)


def test_where_four_labels_meet_an_area_too_wide_for_a_raster_takes_in_no_street(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found at random: with all breaks in one drawing a corner was given away, 17 m from reached street."""
    monkeypatch.setattr("servicecircle.facility_areas.MOST_CORNERS", 10)
    bends = [tuple(np.array(xy) + ORIGIN) for xy in ((210.0, 140.0), (140.0, 140.0))]
    streets = [(1, 1, bends[:1]), (0, 1, bends[1:]), (0, 0, []), (1, 0, bends[:1]), (0, 0, [])]
    one_way = [False, False, True, True, True]
    network = lay_out(np.array([[70.0, 210.0], [350.0, 0.0]]) + ORIGIN, streets, one_way=one_way, kph=3.6)
    facilities = at_xy(
        (217.5428, 186.688), (170.4838, 137.2131), (0.15, 157.861), (11.1984, 304.1262), (177.8, 17.98)
    )
    assert_sound(network, facilities, (1, 2.5, 6), detail="fast", max_snap_m=100)
    assert_sound(network, facilities, (1, 2.5, 6), max_snap_m=100)


def test_an_area_too_wide_for_a_raster_is_the_same_but_for_its_places(monkeypatch: pytest.MonkeyPatch) -> None:
    node, network = perfect_grid(15, block_m=150)
    facilities = at_nodes(network, [node[7, 7], node[0, 0]])
    by_raster = service_areas(network, facilities)
    monkeypatch.setattr("servicecircle.facility_areas.MOST_CORNERS", 10)
    wide = service_areas(network, facilities)
    assert wide.street_m.tolist() == by_raster.street_m.tolist()
    apart = shapely.symmetric_difference(wide.geometry.to_numpy(), by_raster.geometry.to_numpy())
    assert 0 < shapely.area(apart).max() < 0.002 * by_raster.area_m2.min()


def test_255_breaks_are_drawn_and_more_are_refused() -> None:
    _, network = draw("A------------------B")
    minutes = np.linspace(0.1, 10, 255).round(4).tolist()
    areas = service_areas(network, at_xy((900, 0)), minutes=minutes)
    assert (np.diff(areas.area_m2) > 0).all()
    with pytest.raises(InputError, match="no more than 255 breaks where areas are drawn, got 256"):
        service_areas(network, at_xy((900, 0)), minutes=[*minutes, 11])


@pytest.mark.parametrize("overlap", ["each", "merged", "nearest"])
def test_a_network_without_an_admissible_street_gives_empty_areas(overlap: str) -> None:
    _, network = draw("A--B", min_part_m=5000)
    areas = service_areas(network, at_xy((0, 0)), overlap=overlap)
    assert areas.geometry.is_empty.tolist() == [True, True]
    assert areas.street_m.tolist() == [0, 0]


def test_a_street_drawn_there_and_back_again_is_not_cut_by_water() -> None:
    places = np.array([[30.0, 55.0], [27.9, 60.7], [44.2, 62.0], [51.4, 72.0]]) + ORIGIN
    network = lay_out(places[:1], [(0, 0, places[1:].tolist())])
    water = gpd.GeoSeries([shapely.box(0, 0, 100, 100)], crs=network.crs).translate(*ORIGIN)
    area = service_areas(network, at_xy((30, 55)), minutes=(20,), exclude=water).geometry.iloc[0]
    reached = street_reach(network, at_xy((30, 55)), minutes=(20,)).geometry.to_numpy()
    assert shapely.difference(shapely.union_all(reached), area.buffer(1e-6)).length == 0
