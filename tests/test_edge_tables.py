"""Edge tables: streets as rows of a file."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point

from servicecircle.edge_tables import network_from_table
from servicecircle.errors import CRSError, NetworkError
from servicecircle.network import read_network

UTM = "EPSG:32650"


def line(*xy):
    """Kilometres from a corner of the zone."""
    return LineString([(500000 + 1000 * x, 4000000 + 1000 * y) for x, y in xy])


def table(*lines, crs=UTM, index=None, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(lines), crs=crs, index=index)


#: a street with a branch that ends in its middle, at a vertex
STREET, BRANCH = line((0, 0), (1, 0), (2, 0)), line((1, 0), (1, 1))


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".shp", ".geojson"])
def test_every_format_gives_the_same_network(tmp_path, suffix):
    frame = table(STREET, BRANCH, name=["和平路", "支路"], oneway=["yes", "no"], crs=UTM)
    if suffix == ".geojson":
        frame = frame.to_crs(4326)
    file = tmp_path / f"roads{suffix}"
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_file(file)
    network = read_network(file, "ebike", target_crs=UTM)
    assert network.street_name.tolist() == ["和平路", "和平路", "支路"]
    assert network.n_edge == 4
    assert network.length_m.tolist() == pytest.approx([1000] * 4, abs=0.02)  # a degree of GeoJSON has 7 digits


def test_without_node_ids_streets_are_split_where_they_share_a_vertex():
    network = network_from_table(table(STREET, BRANCH))
    assert (network.n_street, network.n_node) == (3, 4)
    assert network.report.counts["split_at_shared_vertices"] == 1
    assert len(network.part_m) == 1


def test_an_end_on_a_street_without_a_vertex_there_is_told():
    network = network_from_table(table(line((0, 0), (2, 0)), BRANCH))
    assert len(network.part_m) == 2
    assert "1 dead end(s) touch another street" in network.report.warnings[0].en
    assert not network_from_table(table(STREET, BRANCH)).report.warnings


def test_end_points_within_a_millimetre_are_one_node():
    near = network_from_table(table(line((0, 0), (1, 0)), line((1 + 5e-7, 0), (2, 0))))
    far = network_from_table(table(line((0, 0), (1, 0)), line((1 + 5e-6, 0), (2, 0))))
    assert (len(near.part_m), len(far.part_m)) == (1, 2)


def test_node_ids_decide_where_streets_meet():
    crossing = table(line((0, 0), (1, 0), (2, 0)), line((1, -1), (1, 0), (1, 1)), u=[1, 3], v=[2, 4])
    assert network_from_table(crossing).n_street == 2  # a bridge
    assert network_from_table(crossing.drop(columns=["u", "v"])).n_street == 4


def test_node_ids_join_ends_that_are_half_a_metre_apart():
    network = network_from_table(table(line((0, 0), (1, 0)), line((1.0005, 0), (2, 0)), u=["a", "b"], v=["b", "c"]))
    assert (network.n_node, len(network.part_m)) == (3, 1)


def test_a_line_drawn_from_v_to_u_is_understood():
    frame = table(line((0, 0), (1, 0)), line((2, 0), (1, 0)), line((2, 0), (3, 0)), u=[1, 2, 3], v=[2, 3, 4])
    network = network_from_table(frame)
    assert (network.n_node, len(network.part_m), network.report.counts["node_ids_used"]) == (4, 1, 1)


def test_node_ids_that_do_not_fit_are_told_and_not_used():
    network = network_from_table(table(line((0, 0), (1, 0)), line((2, 0), (3, 0)), u=[1, 1], v=[2, 3]))
    assert (network.n_node, network.report.counts["node_ids_used"]) == (4, 0)
    assert "do not fit the lines" in network.report.warnings[0].en


@pytest.mark.parametrize(
    ("words", "n_edge"),
    [
        (["yes", "no"], 3),
        (["-1", None], 3),
        ([True, False], 3),
        ([1, 0], 3),
        (["FT", ""], 3),
        (["TF", "B"], 3),
        (["T", "F"], 3),  # true, false
        (["T", "B"], 3),  # against the line, both
        (["是", "否"], 3),
        (["no", "no"], 4),
    ],
)
def test_a_one_way_column_decides(words, n_edge):
    network = network_from_table(table(line((0, 0), (1, 0)), line((1, 0), (2, 0)), oneway=words), "ebike")
    assert network.n_edge == n_edge
    assert network.report.counts["read_as_oneway_column"] == 1


def test_one_way_against_the_line_opens_the_way_back_only():
    network = network_from_table(table(line((0, 0), (1, 0)), oneway=["-1"]), "ebike")
    assert network.node_xy[network.tail[0]].tolist() == [501000, 4000000]
    assert network.geometry[0].coords[0] == (501000, 4000000)


def test_words_that_are_unknown_are_told_and_count_as_two_way():
    network = network_from_table(table(line((0, 0), (1, 0)), oneway=["maybe"]), "ebike")
    assert network.n_edge == 2
    assert "1 value(s) of the one-way column are unknown" in network.report.warnings[0].en


THERE, BACK = line((0, 0), (0.5, 0.2), (1, 0)), line((1, 0), (0.5, 0.2), (0, 0))
ONWARD = line((1, 0), (2, 0))


def test_a_table_with_many_streets_in_both_directions_is_directed():
    network = network_from_table(table(THERE, BACK, ONWARD), "ebike")
    assert (network.n_street, network.n_edge) == (2, 3)
    assert network.report.counts["read_as_directed"] == 1


def test_any_other_table_is_two_way():
    network = network_from_table(table(THERE, ONWARD), "ebike")
    assert (network.n_street, network.n_edge) == (2, 4)
    assert network.report.counts["read_as_two_way"] == 1


def test_the_caller_may_say_whether_a_row_is_a_direction():
    assert network_from_table(table(THERE, ONWARD), "ebike", directed=True).n_edge == 2
    both = network_from_table(table(THERE, BACK, ONWARD), "ebike", directed=False)
    assert (both.n_street, both.n_edge) == (2, 4)
    with_column = table(THERE, BACK, ONWARD, oneway=["no", "no", "no"])
    assert network_from_table(with_column, "ebike", directed=True).n_edge == 3


def test_a_table_of_both_directions_with_a_one_way_column_counts_each_street_once():
    network = network_from_table(table(THERE, BACK, ONWARD, oneway=[False, False, True]), "ebike")
    assert (network.n_street, network.n_edge) == (2, 3)
    assert network.report.counts["street_m"] == pytest.approx(THERE.length + ONWARD.length)


def test_edges_as_osmnx_gives_them_need_no_preparation():
    frame = table(
        THERE, BACK, ONWARD, oneway=[False, False, True], highway=["service", "service", ["service", "steps"]]
    )
    frame.index = pd.MultiIndex.from_tuples([(1, 2, 0), (2, 1, 0), (2, 3, 0)], names=["u", "v", "key"])
    network = network_from_table(frame, "walk")
    assert (network.n_street, network.n_node, network.report.counts["node_ids_used"]) == (2, 3, 1)


def test_zero_length_rows_and_loops_stay():
    dot, ring = line((1, 0), (1, 0)), line((1, 0), (1, 1), (2, 1), (1, 0))
    network = network_from_table(table(line((0, 0), (1, 0)), dot, ring))
    assert network.n_street == 3
    assert network.report.counts["zero_length"] == 1
    assert network.report.counts["loops"] == 2


def test_a_stated_length_is_shared_out_where_a_street_is_split():
    network = network_from_table(table(STREET, BRANCH, length=[2200.0, 1000.0]))
    assert network.length_m[::2].tolist() == pytest.approx([1100, 1100, 1000])


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
def test_impossible_lengths_name_the_rows(bad):
    with pytest.raises(NetworkError, match=r"1 row\(s\) have a `length` that is no finite number >= 0: b\."):
        network_from_table(table(STREET, BRANCH, index=["a", "b"], length=[2000.0, bad]))


def test_all_rows_without_a_usable_line_are_named_at_once():
    with pytest.raises(NetworkError, match=r"2 row\(s\) have no geometry: 1, 2\."):
        network_from_table(table(STREET, None, LineString()))
    with pytest.raises(NetworkError, match=r"1 row\(s\) are no lines: 1\."):
        network_from_table(table(STREET, Point(0, 0)))


def test_lines_of_several_parts_are_merged_or_taken_apart():
    joined = MultiLineString([line((0, 0), (1, 0)), line((1, 0), (2, 0))])
    apart = MultiLineString([line((0, 0), (1, 0)), line((5, 0), (6, 0))])
    assert network_from_table(table(joined)).n_street == 1
    assert network_from_table(table(apart, u=[1], v=[2])).n_street == 2


def test_a_crs_must_be_stated_once():
    with pytest.raises(CRSError, match="states no CRS"):
        network_from_table(table(STREET, crs=None))
    assert network_from_table(table(STREET, crs=None), crs=UTM).n_street == 1
    with pytest.raises(CRSError, match="Leave one out"):
        network_from_table(table(STREET), crs="EPSG:4326")
    with pytest.raises(CRSError, match="not degrees"):
        network_from_table(table(STREET, crs="EPSG:4326"))


def test_empty_and_broken_files_are_one_clear_error(tmp_path):
    with pytest.raises(NetworkError, match="holds no streets"):
        network_from_table(table())
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(NetworkError, match="holds no streets"):
        read_network(tmp_path / "a.geojson")
    for name in ("b.gpkg", "b.parquet", "b.shp", "b.geojson"):
        (tmp_path / name).write_bytes(b"nothing that anybody can read")
        with pytest.raises(NetworkError, match="cannot be read as a table of streets"):
            read_network(tmp_path / name)


def test_of_several_layers_the_edges_are_read(tmp_path):
    file = tmp_path / "town.gpkg"
    gpd.GeoDataFrame(geometry=[Point(500000, 4000000)], crs=UTM).to_file(file, layer="nodes")
    table(STREET).to_file(file, layer="edges")
    assert read_network(file).n_street == 1


def test_classes_that_openstreetmap_does_not_know_count_as_residential():
    network = network_from_table(table(STREET, BRANCH, fclass=["支路", "motorway"]))
    assert network.n_street == 1
    assert network.report.counts["unknown_class"] == 1
    assert network.report.counts["class_missing"] == 1


def test_heights_are_dropped():
    high = LineString([(500000, 4000000, 5), (501000, 4000000, 9)])
    assert not network_from_table(table(high)).geometry[0].has_z


CORNERS = [(x, y) for x in range(3) for y in range(3)]
GRID = [(c, (c[0] + 1, c[1])) for c in CORNERS] + [(c, (c[0], c[1] + 1)) for c in CORNERS]


@settings(max_examples=25, deadline=None)
@given(st.permutations(GRID), st.data())
def test_shuffled_rows_give_the_same_network_up_to_order(rows, data):
    ahead = {row: data.draw(st.booleans()) for row in GRID[:4]}
    frame = table(*(line(*row) for row in rows), oneway=["yes" if ahead.get(row) else "no" for row in rows])
    plain = table(*(line(*row) for row in GRID), oneway=["yes" if ahead.get(row) else "no" for row in GRID])
    one, other = network_from_table(frame, "ebike"), network_from_table(plain, "ebike")
    assert np.array_equal(one.node_xy, other.node_xy)

    def edges(network):
        return sorted(zip(network.tail.tolist(), network.head.tolist(), network.seconds.tolist(), strict=True))

    assert edges(one) == edges(other)


def test_the_table_stays_as_it_was():
    frame = table(STREET, BRANCH, oneway=["yes", None])
    before = frame.copy(deep=True)
    network_from_table(frame, "drive")
    assert_geodataframe_equal(frame, before)
    assert shapely.equals(frame.geometry.iloc[0], STREET)


def test_a_line_with_one_nan_is_named():
    with np.errstate(invalid="ignore"):
        lines = shapely.linestrings([[(113.38, 22.5), (113.40, 22.5)], [(np.nan, 22.5), (113.40, 22.5)]])
    with pytest.raises(NetworkError, match="coordinates that are no numbers: 1"):
        network_from_table(gpd.GeoDataFrame(geometry=lines, crs="EPSG:4326"))
