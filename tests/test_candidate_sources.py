"""Sources of candidates: gates on the streets, points of a grid, one place told twice, and what a study chooses."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import ORIGIN, draw, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from osm_text import SHARED
from placing import TOWN, at, gate, own_list, study_of, town_places

from servicecircle.candidates import gate_candidates, grid_candidates, place_candidates, study_candidates
from servicecircle.candidates.same import without_existing, without_same
from servicecircle.errors import InputError
from servicecircle.grids import square_grid
from servicecircle.params import CANDIDATE_SOURCES

STREET = "A--B--C--D"  # 900 m from west to east


def metres(frame, network):
    """Coordinates in metres from the origin of the drawing, to the decimetre."""
    xy = shapely.get_coordinates(frame.geometry.to_crs(network.crs).to_numpy()) - ORIGIN
    return [tuple(float(v) + 0.0 for v in p) for p in np.round(xy, 1)]


# -------------------------------------------------------------------------------------------------------- gates
def test_a_gate_counts_where_a_street_runs_through_it():
    _, network = draw(STREET)
    places = at(gate("node/1", 100, 0), gate("node/2", 300, 2), gate("node/3", 500, 2.1), gate("node/4", 500, 80))
    shop = at(("node/5", 700, 0, {"what": "shop", "kind": "shop", "name": "茶馆"}))
    frame = gate_candidates(pd.concat([places, shop]), network)
    assert metres(frame, network) == [(100, 0), (300, 2)]
    assert set(frame["kind"]) == {"station"}
    assert set(frame["source"]) == {"gate"}
    assert all(i.startswith("gate-1") for i in frame.index)


def test_leaves_of_one_gate_are_one_and_a_named_one_stays():
    _, network = draw(STREET)
    places = at(gate("a", 100, 0), gate("b", 129.9, 0, name="东门"), gate("c", 300, 0), gate("d", 330, 0))
    frame = gate_candidates(places, network)
    assert metres(frame, network) == [(129.9, 0), (300, 0), (330, 0)]
    assert frame["name"].tolist()[0] == "东门"


@pytest.mark.parametrize(
    ("street", "name"), [("甲路", "甲路旁大门"), ("Main St", "gate near Main St"), ("", "大门 (gate)")]
)
def test_a_gate_without_a_name_is_told_by_its_street(street, name):
    _, network = draw("A--B")
    network = replace(network, street_name=np.array([street], dtype=object))
    assert gate_candidates(at(gate("a", 100, 0)), network)["name"].tolist() == [name]


def test_gates_outside_the_area_are_left_out_and_none_is_an_empty_frame():
    _, network = draw(STREET)
    area = gpd.GeoDataFrame(geometry=[shapely.box(*ORIGIN, ORIGIN[0] + 200, ORIGIN[1] + 10)], crs=network.crs)
    places = at(gate("a", 200, 0), gate("b", 201, 0))
    assert metres(gate_candidates(places, network, area=area), network) == [(200, 0)]
    assert gate_candidates(places.iloc[:0], network).empty


# --------------------------------------------------------------------------------------------------------- grid
def test_a_street_has_a_point_of_the_grid_for_each_square():
    _, network = draw(STREET)
    frame = grid_candidates(network, spacing_m=300)  # squares begin at multiples of 300 m: 500,100 is one
    west = 300 - ORIGIN[0] % 300
    assert metres(frame, network) == [(west / 2, 0), (west + 150, 0), (west + 450, 0), ((900 + west + 600) / 2, 0)]
    assert set(frame["source"]) == {"grid"}


@settings(max_examples=20, deadline=None)
@given(blocks=st.integers(2, 6), block_m=st.floats(60, 400), spacing_m=st.floats(50, 700))
def test_points_of_a_grid_stand_on_streets_apart_and_no_square_is_without_one_near(blocks, block_m, spacing_m):
    _, network = perfect_grid(blocks, block_m=block_m)
    frame = grid_candidates(network, spacing_m=spacing_m)
    points = frame.geometry.to_crs(network.crs).to_numpy()
    streets = shapely.union_all(network.street_geometry)
    assert shapely.distance(streets, points).max() < 1e-3
    xy = shapely.get_coordinates(points)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + np.diag(np.full(len(xy), np.inf))
    assert apart.min() >= spacing_m / 2 - 1e-3
    cells = square_grid(network, cell_m=spacing_m).cells
    middle = cells[["street_x", "street_y"]].to_numpy()
    moved = shapely.distance(streets, shapely.points(middle))
    nearest = np.hypot(*(middle[:, None] - xy[None]).transpose(2, 0, 1)).min(axis=1)
    assert (nearest <= moved + spacing_m / 2 + 1e-3).all()
    assert frame.index.is_unique


@pytest.mark.parametrize("spacing_m", [0, -1, np.nan, np.inf])
def test_a_grid_without_a_spacing_is_refused(spacing_m):
    _, network = draw("A--B")
    with pytest.raises(InputError, match="`spacing_m` must be above 0"):
        grid_candidates(network, spacing_m=spacing_m)


# ------------------------------------------------------------------------------------------------------- places
def test_public_places_keep_what_they_may_become_and_gates_stay_out():
    rows = [
        (
            "node/1",
            0,
            0,
            {"name": "", "osm_tag": "amenity=bank", "kind": "station", "what": "public", "level": "0"},
        ),
        (
            "node/2",
            0,
            0,
            {"name": "", "osm_tag": "amenity=pharmacy", "kind": "both", "what": "public", "level": "1"},
        ),
        ("node/3", 0, 0, {"name": "", "osm_tag": "shop=tea", "kind": "shop", "what": "shop", "level": "0;1"}),
        ("node/4", 0, 0, {"name": "", "osm_tag": "shop=tea", "kind": "shop", "what": "shop", "level": "2"}),
        ("node/5", 0, 0, {"name": "", "osm_tag": "shop=tea", "kind": "shop", "what": "shop", "level": "-1"}),
        ("node/6", 0, 0, {"name": "", "osm_tag": "shop=tea", "kind": "shop", "what": "shop", "level": "mezzanine"}),
        ("node/7", 0, 0, {"name": "", "osm_tag": "barrier=gate", "kind": "station", "what": "gate", "level": ""}),
    ]
    frame = place_candidates(at(*rows))
    assert frame["name"].tolist()[:2] == ["银行 (bank)", "药店 (pharmacy)"]
    assert frame["kind"].tolist() == ["station", "both", "shop", "shop", "shop", "shop"]
    assert frame["floor"].tolist() == ["1", "", "1", "3", "B1", ""]


# --------------------------------------------------------------------------------------------------- one place
def candidate(i, x, name, kind, source):
    return (i, x, 0, {"name": name, "kind": kind, "source": source})


def test_one_name_in_two_sources_is_one_place_and_the_surer_source_stays():
    frame = at(
        candidate("own", 0, "茶馆（东店）", "shop", "study"),
        candidate("own2", 1, "茶馆（东店）", "shop", "study"),
        candidate("node/1", 30, "茶馆", "both", "road file"),  # brackets do not matter
        candidate("node/2", 32, "茶馆", "both", "road file"),  # 31 m from the second
        candidate("node/3", 10, "面馆", "shop", "road file"),
        candidate("node/4", 11, "面馆", "shop", "road file"),  # one source does not tell a place twice
    )
    merged = without_same(frame, frame.crs)
    assert merged.frame.index.tolist() == ["own", "own2", "node/2", "node/3", "node/4"]
    assert merged.rejected[["kind", "reasons"]].to_numpy().tolist() == [["both", ("duplicate",)]]
    assert merged.rejected.loc["node/1", "reason_en"] == "the same place as another candidate: own"
    assert merged.rejected.loc["node/1", "reason_zh"] == "与其他候选点是同一地点：own"


def test_a_bit_of_street_is_one_with_a_place_that_may_be_a_station():
    frame = at(
        candidate("bank", 0, "银行", "station", "road file"),
        candidate("tea", 100, "茶馆", "shop", "road file"),
        candidate("corner-1", 10, "甲路路口", "station", "corner"),
        candidate("corner-2", 10.1, "乙路路口", "station", "corner"),
        candidate("corner-3", 100, "丙路路口", "station", "corner"),
        candidate("grid-1", 105, "丙路旁", "station", "grid"),
    )
    merged = without_same(frame, frame.crs)
    assert merged.frame.index.tolist() == ["bank", "tea", "corner-2", "corner-3"]
    assert merged.rejected.index.tolist() == ["corner-1", "grid-1"]
    assert merged.rejected.loc["grid-1", "reason_en"].endswith(": corner-3")


def test_a_place_that_is_a_shop_already_may_still_become_a_station():
    frame = at(
        candidate("own", 0, "便利店", "shop", "study"),  # what the planner lists is left alone
        candidate("node/1", 0, "便利店", "shop", "road file"),
        candidate("node/2", 30, "便利店", "both", "road file"),
        candidate("node/3", 31, "便利店", "shop", "road file"),
        candidate("node/4", 0, "便利店", "station", "road file"),
    )
    shops = at(("S7", 0, 0, {"name": "便利店", "kind": "shop"}))
    merged = without_existing(frame, shops, frame.crs)
    assert merged.frame["kind"].to_dict() == {
        "own": "shop",
        "node/2": "station",
        "node/3": "shop",
        "node/4": "station",
    }
    assert merged.rejected["kind"].to_dict() == {"node/1": "shop", "node/2": "shop"}
    assert merged.rejected.loc["node/2", "reason_zh"] == "已是研究中的驿站或商铺：S7"
    both = pd.concat([shops, at(("S8", 0, 0, {"name": "便利店", "kind": "station"}))])
    merged = without_existing(frame, both, frame.crs)
    assert merged.frame["kind"].to_dict() == {"own": "shop", "node/3": "shop"}
    assert merged.rejected["kind"].to_dict() == {"node/1": "shop", "node/2": "both", "node/4": "station"}


# -------------------------------------------------------------------------------------------------------- study
def test_a_study_chooses_its_sources_and_they_come_together():
    _, network = draw(TOWN)
    for asked in (("study", "gates"), ("places",), ("corners", "places"), ("grid", "places"), CANDIDATE_SOURCES):
        study = study_of(shops=int("places" in asked), candidates=own_list(), candidate_sources=asked)
        frame, _, warnings = study_candidates(study, network, town_places())
        names = {"places": "road file", "gates": "gate", "corners": "corner"}
        assert set(frame["source"]) == {names.get(source, source) for source in asked}
        assert frame.columns.tolist() == ["name", "kind", "source", "geometry"]
        assert frame.index.is_monotonic_increasing
        assert all("left out" in fault.en for fault in warnings)
    kinds = frame.loc[frame["source"] == "road file", "kind"].to_dict()
    assert kinds == {"node/1": "station", "node/2": "shop"}


def test_without_shops_asked_for_no_shop_is_a_candidate_and_the_other_way_round():
    _, network = draw(TOWN)
    for stations, shops, left in ((1, 0, {"station"}), (0, 1, {"shop"}), (0, 0, set())):
        study = study_of(stations=stations, shops=shops, candidate_sources=("places", "gates", "corners", "grid"))
        assert set(study_candidates(study, network, town_places()).frame["kind"]) == left


def test_a_study_that_names_no_source_takes_no_bank_for_a_shop():
    _, network = draw(TOWN)
    frame = study_candidates(study_of(), network, town_places()).frame
    assert frame.loc[frame["source"] == "road file", "kind"].to_dict() == {"node/2": "shop"}
    assert set(frame["source"]) == {"corner", "road file"}


def test_sources_that_give_nothing_are_told_or_refused_with_what_to_add():
    _, network = draw(TOWN)
    _, _, warnings = study_candidates(study_of(shops=0, candidate_sources=("places", "gates")), network)
    assert [fault.en.split(":")[0] for fault in warnings] == [
        "The roads come without shops and gates",
        "No candidate station",
    ]
    assert "OpenStreetMap" in warnings[0].zh
    with pytest.raises(InputError, match=r"\(corners\) give none in the area. Add `places`") as raised:
        study_candidates(study_of(candidate_sources=("corners",)), network)
    assert "没有候选爱心商铺" in raised.value.zh


def test_what_is_left_out_is_listed_and_told_by_reason():
    _, network = draw(TOWN)
    own = at(("k1", 150, 10, {"name": "工商银行", "kind": "station"})).to_crs("EPSG:4326")
    shops = at(("S1", 150, 5, {"name": "茶馆", "kind": "shop"})).to_crs("EPSG:4326")
    study = study_of(shops=0, candidates=own, candidate_sources=("study", "places"))
    frame, rejected, warnings = study_candidates(study, network, town_places(), shops)
    assert frame.index.tolist() == ["k1"]
    assert rejected["reasons"].to_dict() == {"node/1": ("duplicate",)}
    study = study_of(candidates=own.assign(kind="both"), candidate_sources=("study", "places"))
    frame, rejected, warnings = study_candidates(study, network, town_places(), shops)
    assert rejected["reasons"].to_dict() == {"node/1": ("duplicate",), "node/2": ("existing",)}
    assert [fault.zh for fault in warnings] == [
        "1 个候选点未采用，原因：已是研究中的驿站或商铺（路网文件中的场所 1 处）。",
        "1 个候选点未采用，原因：与其他候选点是同一地点（路网文件中的场所 1 处）。",
    ]


@pytest.mark.parametrize(
    ("name", "public", "gates"),
    [("beijing_tsinghua", 30, 22), ("nanjing", 31, 5), ("shanghai_jingan_huangpu", 0, 0)],
)
def test_real_files_have_the_places_that_were_counted(name, public, gates):
    from servicecircle import read_network, read_places

    file = SHARED / f"{name}.osm.pbf"
    if not file.is_file():
        pytest.skip("the shared data folder is not there")
    places = read_places(file)
    assert int((places["what"] == "public").sum()) == public
    assert len(gate_candidates(places, read_network(file, profile="walk"))) == gates
