"""Candidates: corners of drawn streets, shops of the road file, and the study's own list first."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import ORIGIN, draw, lay_out, perfect_grid

from servicecircle.candidates import corner_candidates, place_candidates, study_candidates
from servicecircle.errors import CRSError, InputError
from servicecircle.model import Study, SuggestRule
from servicecircle.params import PROFILES

TOWN = """
    A--B--C--D
    |  |  |  |
    E--F--G--H
       |
       I
"""


def named(network, names, classes=None):
    """Name streets by (tail, head): {(tail, head): name}."""
    of = {}
    for s, k in enumerate(network.street_first):
        of[int(network.tail[k]), int(network.head[k])] = of[int(network.head[k]), int(network.tail[k])] = s
    street_name, street_class = network.street_name.copy(), network.street_class.copy()
    for pair, name in names.items():
        street_name[of[pair]] = name
    for pair, name in (classes or {}).items():
        street_class[of[pair]] = name
    return replace(network, street_name=street_name, street_class=street_class)


def nodes_at(frame, node, network):
    """Letters of the nodes that the candidates stand at."""
    xy = shapely.get_coordinates(frame.geometry.to_crs(network.crs).to_numpy())
    letters = {tuple(np.round(network.node_xy[k])): c for c, k in node.items()}
    return sorted(letters[tuple(np.round(p))] for p in xy)


def square(network, west, south, east, north):
    """An area in metres from the origin of the drawing."""
    box = shapely.box(ORIGIN[0] + west, ORIGIN[1] + south, ORIGIN[0] + east, ORIGIN[1] + north)
    return gpd.GeoDataFrame(geometry=[box], crs=network.crs)


def places_of(names, xy, crs, **columns):
    index = pd.Index([f"node/{k}" for k in range(len(names))], dtype=object)
    return gpd.GeoDataFrame(
        {"name": names, "kind": "shop", **columns},
        index=index,
        geometry=shapely.points(np.asarray(xy, dtype=float).reshape(-1, 2)),
        crs=crs,
    )


def study_of(*, stations=1, shops=0, spacing_m=0.0, **fields):
    rule = SuggestRule(stations=stations, shops=shops, spacing_m=spacing_m)
    return Study(name="s", folder=Path(), profile=PROFILES["walk"], minutes=(10.0, 15.0), suggest=rule, **fields)


# ------------------------------------------------------------------------------------------------------ corners
def test_a_corner_is_where_three_streets_meet():
    node, network = draw(TOWN)
    assert nodes_at(corner_candidates(network, spacing_m=0), node, network) == ["B", "C", "F", "G"]


def test_a_loop_is_one_street_and_makes_no_corner():
    xy = np.array([[0, 0], [300, 0], [600, 0]]) + np.array(ORIGIN)
    loop = (1, 1, [tuple(xy[1] + [50, 200]), tuple(xy[1] + [-50, 200])])
    assert len(corner_candidates(lay_out(xy, [(0, 1), loop]), spacing_m=0)) == 0
    assert len(corner_candidates(lay_out(xy, [(0, 1), (1, 2), loop]), spacing_m=0)) == 1


def test_parallel_streets_are_distinct_streets():
    xy = np.array([[0, 0], [300, 0], [600, 0]]) + np.array(ORIGIN)
    bow = (0, 1, [tuple(xy[0] + [150, 90])])
    assert len(corner_candidates(lay_out(xy, [(0, 1), bow, (1, 2)]), spacing_m=0)) == 1


def test_corners_of_fragments_are_no_candidates():
    node, network = draw(
        """
        A--B--C  J-K-L
           |       |
           D       M
        """,
        min_part_m=700,
    )
    assert nodes_at(corner_candidates(network, spacing_m=0), node, network) == ["B"]


@pytest.mark.parametrize(("spacing_m", "left"), [(300, 4), (300.5, 2), (425, 1)])
def test_thinning_keeps_corners_at_exactly_the_spacing(spacing_m, left):
    _, network = draw(TOWN)  # corners: a square of 300 m
    network = replace(network, node_xy=network.node_xy * [1, 1.5])  # 300 m x 300 m
    assert len(corner_candidates(network, spacing_m=spacing_m)) == left


def test_no_two_corners_stand_nearer_than_the_spacing_and_none_is_left_out_without_cause():
    _, network = perfect_grid(12, block_m=90)
    frame = corner_candidates(network, spacing_m=200)
    every = corner_candidates(network, spacing_m=0)
    xy, every_xy = (shapely.get_coordinates(f.geometry.to_crs(network.crs).to_numpy()) for f in (frame, every))
    apart = np.hypot(*(xy[:, None] - xy[None]).T)
    assert apart[~np.eye(len(xy), dtype=bool)].min() >= 200 - 1e-6
    assert np.hypot(*(every_xy[:, None] - xy[None]).transpose(2, 0, 1)).min(axis=1).max() < 200


def test_named_corners_of_high_class_are_kept_before_others():
    node, network = draw(TOWN)
    plain = nodes_at(corner_candidates(network, spacing_m=1000), node, network)
    assert plain == ["F"]  # nothing is named, all one class: four streets before three
    main = named(network, {}, {(node["C"], node["G"]): "primary"})
    assert nodes_at(corner_candidates(main, spacing_m=1000), node, network) == ["G"]  # of C and G the south-west
    told = named(main, {(node["A"], node["B"]): "甲路", (node["B"], node["F"]): "乙路"})
    assert nodes_at(corner_candidates(told, spacing_m=1000), node, network) == ["B"]


def test_names_come_from_the_streets_the_higher_class_first():
    node, network = draw(TOWN)
    a, b, c, f, g = (node[x] for x in "ABCFG")
    names = {(a, b): "乙路", (b, c): "乙路", (b, f): "甲路", (f, g): "Main St"}
    network = named(network, names, {(a, b): "primary"})
    frame = corner_candidates(network, spacing_m=0)
    by_letter = {nodes_at(frame.loc[[i]], node, network)[0]: frame.loc[i, "name"] for i in frame.index}
    assert by_letter == {"B": "乙路与甲路路口", "C": "乙路路口", "F": "Main St与甲路路口", "G": "corner of Main St"}


def test_unnamed_corners_are_told_by_a_named_street_within_300_m():
    node, network = draw(
        """
        A--B--C--D--E--F
           |        |
           G  H-----I-J
        """
    )
    network = named(network, {(node["H"], node["I"]): "学院路"})
    frame = corner_candidates(network, spacing_m=0)
    names = {nodes_at(frame.loc[[i]], node, network)[0]: frame.loc[i, "name"] for i in frame.index}
    lon, lat = next(frame.geometry[i].coords[0] for i in frame.index if frame.loc[i, "name"].startswith("路口"))
    assert names == {"B": f"路口 {lon:.5f}, {lat:.5f}", "E": "学院路附近路口", "I": "学院路路口"}


def test_corners_that_share_a_name_are_numbered():
    _, network = draw(TOWN)
    network = replace(network, street_name=np.full(network.n_street, "环路", dtype=object))
    assert corner_candidates(network, spacing_m=0)["name"].tolist() == [f"环路路口 {k}" for k in (1, 2, 3, 4)]


def test_ids_are_the_place_and_stay_when_others_come_or_go():
    node, network = draw(TOWN)
    every = corner_candidates(network, spacing_m=0)
    few = corner_candidates(network, spacing_m=0, area=square(network, 250, 0, 350, 1000))
    assert nodes_at(few, node, network) == ["B", "F"]
    assert set(few.index) < set(every.index)
    assert every.index.is_monotonic_increasing
    lon, lat = every.geometry.iloc[0].coords[0]
    assert every.index[0] == f"corner-{lon:.5f}_{lat:.5f}"
    assert set(every["kind"]) == {"station"}
    assert every.crs == "EPSG:4326"


def test_the_boundary_of_the_area_is_inside_and_its_crs_does_not_matter():
    node, network = draw(TOWN)
    area = square(network, 0, 200, 300, 400)
    assert nodes_at(corner_candidates(network, spacing_m=0, area=area), node, network) == ["B", "F"]
    degrees = square(network, -50, -50, 350, 1000).to_crs("EPSG:4326")
    assert nodes_at(corner_candidates(network, spacing_m=0, area=degrees), node, network) == ["B", "F"]
    with pytest.raises(CRSError, match="`area` states no CRS"):
        corner_candidates(network, area=gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)]))


def test_a_network_without_corners_has_no_candidates():
    _, network = draw("A--B--C")
    frame = corner_candidates(network)
    assert len(frame) == 0
    assert frame.columns.tolist() == ["name", "kind", "source", "geometry"]


@pytest.mark.parametrize("spacing_m", [-1.0, np.nan, np.inf])
def test_a_spacing_below_nothing_is_refused(spacing_m):
    _, network = draw("A--B--C")
    with pytest.raises(InputError, match="`spacing_m` must be >= 0"):
        corner_candidates(network, spacing_m=spacing_m)


# ------------------------------------------------------------------------------------------------------- places
def test_shops_of_the_road_file_are_candidate_shops():
    places = places_of(
        ["茶馆", "", "面包房"],
        [[113, 22], [113.1, 22], [114, 22]],
        "EPSG:4326",
        osm_tag=["amenity=cafe", "shop=convenience", "shop=bakery"],
    )
    area = gpd.GeoDataFrame(geometry=[shapely.box(112.9, 21.9, 113.2, 22.1)], crs="EPSG:4326")
    frame = place_candidates(places, area=area)
    assert frame.index.tolist() == ["node/0", "node/1"]
    assert frame["name"].tolist() == ["茶馆", "便利店 (convenience)"]
    assert set(frame["kind"]) == {"shop"}
    assert len(place_candidates(places)) == 3


# -------------------------------------------------------------------------------------------------------- study
def own_list(kinds, ids=("k1", "k2", "k3")):
    columns = {"name": [f"own {i}" for i in ids[: len(kinds)]], "kind": kinds}
    return gpd.GeoDataFrame(
        columns,
        index=pd.Index(ids[: len(kinds)], dtype=object),
        geometry=gpd.points_from_xy([111.0] * len(kinds), [22.6] * len(kinds)),
        crs="EPSG:4326",
    )


def test_the_studys_own_list_comes_first_for_each_kind():
    _, network = draw(TOWN)
    places = places_of(["茶馆"], [[111, 22.6]], "EPSG:4326")
    both = study_candidates(
        study_of(stations=1, shops=1, candidates=own_list(["station", "shop", "both"])), network, places
    )
    assert both.frame["source"].tolist() == ["study"] * 3
    assert both.warnings == ()
    stations = study_candidates(study_of(stations=1, shops=1, candidates=own_list(["station"])), network, places)
    assert stations.frame[["kind", "source"]].value_counts().to_dict() == {
        ("station", "study"): 1,
        ("shop", "road file"): 1,
    }
    shops = study_candidates(study_of(stations=1, shops=1, candidates=own_list(["shop"])), network, places)
    assert shops.frame[["kind", "source"]].value_counts().to_dict() == {
        ("station", "corner"): 4,
        ("shop", "study"): 1,
    }


def test_only_the_kinds_that_are_asked_for_are_candidates():
    _, network = draw(TOWN)
    own = own_list(["station", "shop", "both"])
    ids = {
        asked: study_candidates(
            study_of(stations=asked[0], shops=asked[1], candidates=own), network
        ).frame.index.tolist()
        for asked in ((1, 0), (0, 1), (0, 0))
    }
    assert ids == {(1, 0): ["k1", "k3"], (0, 1): ["k2", "k3"], (0, 0): []}


def test_a_candidate_that_states_no_kind_is_both():
    _, network = draw(TOWN)
    for own in (own_list([None]), own_list(["x"]).drop(columns="kind")):
        assert study_candidates(study_of(candidates=own), network).frame["kind"].tolist() == ["both"]


def test_corners_and_shops_stand_inside_the_area_else_the_zones():
    node, network = draw(TOWN)
    area = square(network, -50, -50, 350, 1000).to_crs("EPSG:4326")
    inside = network.node_xy[node["A"]]
    places = places_of(["in", "out"], [inside, inside + np.array([5000, 0])], network.crs)
    for fields in ({"area": area}, {"zones": area}):
        frame = study_candidates(study_of(stations=1, shops=1, **fields), network, places).frame
        assert nodes_at(frame[frame["kind"] == "station"], node, network) == ["B", "F"]
        assert frame.loc[frame["kind"] == "shop", "name"].tolist() == ["in"]


@pytest.mark.parametrize("places", [None, places_of([], [], "EPSG:4326")])
def test_shops_without_any_candidate_shop_are_refused_with_what_to_add(places):
    _, network = draw(TOWN)
    with pytest.raises(InputError, match=r"Add `\[candidates\]`") as caught:
        study_candidates(study_of(shops=2), network, places)
    assert "[candidates]" in caught.value.zh
    assert "没有候选爱心商铺" in caught.value.zh
    assert len(study_candidates(study_of(shops=0), network, places).frame) == 4


def test_no_corner_in_the_area_is_told():
    _, network = draw("A--B--C")
    frame, _, warnings = study_candidates(study_of(), network)
    assert frame.empty
    assert "no corner in the area" in warnings[0].en


def test_an_id_that_a_facility_has_is_made_another():
    _, network = draw(TOWN)
    facilities = own_list(["station", "station"]).set_axis(["k1", "candidate-k1"], axis=0)
    study = replace(study_of(candidates=own_list(["station", "both"])), stations=facilities)
    frame = study_candidates(study, network).frame
    assert frame.index.tolist() == ["candidate-candidate-k1", "k2"]


def test_an_odd_kind_is_refused():
    _, network = draw(TOWN)
    with pytest.raises(InputError, match="station, shop or both, got kiosk"):
        study_candidates(study_of(candidates=own_list(["kiosk"])), network)
