"""A made-up town looks and behaves like streets: it joins, stays dry, and is the same on every run."""

from __future__ import annotations

import csv
import json
import tomllib
import unicodedata
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from servicecircle.errors import InputError, OutputError
from servicecircle.synthetic import (
    Ledgers,
    Town,
    TownRule,
    make_ledgers,
    make_town,
    write_study,
    write_town,
)

DATA = Path(__file__).parents[1] / "data"
HEADERS = {
    "stations.csv": ["编号", "名称", "经度", "纬度", "地址", "开放时间", "服务设施", "容量"],
    "shops.csv": ["编号", "名称", "业态", "经度", "纬度", "地址", "营业时间", "服务项目"],
    "depots.csv": ["编号", "名称", "经度", "纬度", "地址", "骑手数"],
    "candidates.csv": ["编号", "名称", "类型", "经度", "纬度", "场所", "地址"],
}
FILES = [*HEADERS, "study.toml", "zones.geojson", "roads.osm.pbf"]
SMALL = TownRule(
    width_m=1700.0,
    height_m=1500.0,
    has_river=False,
    n_across=3,
    n_along=3,
    districts=(),
    gaps=(),
    n_schools=1,
    n_parks=1,
    n_stations=4,
    n_shops=9,
    n_candidates=6,
    n_zones=3,
    n_places=30,
    riders=(7, 5),
)


@pytest.fixture(scope="module")
def town() -> Town:
    return make_town()


@pytest.fixture(scope="module")
def ledgers(town) -> Ledgers:
    return make_ledgers(town)


@pytest.fixture(scope="module")
def written(town, tmp_path_factory) -> Path:
    return write_study(town, tmp_path_factory.mktemp("nanqu"))


def level_of(streets: gpd.GeoDataFrame) -> np.ndarray:
    return np.array([tags.get("layer", "0") for tags in streets["tags"]])


def flagged(frame: gpd.GeoDataFrame, key: str, *values: str) -> gpd.GeoDataFrame:
    return frame[[tags.get(key) in values for tags in frame["tags"]]]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------------------------------------- same seed
@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(written, tmp_path) -> None:
    again = write_study(make_town(), tmp_path)
    assert sorted(p.name for p in again.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (again / name).read_bytes() == (written / name).read_bytes(), name


@pytest.mark.slow
def test_data_nanqu_is_what_the_generator_writes(written) -> None:
    assert sorted(p.name for p in (DATA / "nanqu").iterdir()) == sorted(FILES)
    for name in FILES:
        assert (written / name).read_bytes() == (DATA / "nanqu" / name).read_bytes(), name


@pytest.mark.slow
def test_another_seed_gives_another_town() -> None:
    one, two = make_town(1, SMALL), make_town(2, SMALL)
    assert not shapely.union_all(one.streets.geometry).equals(shapely.union_all(two.streets.geometry))


def test_global_random_state_is_neither_read_nor_moved() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = make_town(3, SMALL)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert [g.wkb for g in make_town(3, SMALL).streets.geometry] == [g.wkb for g in first.streets.geometry]


# --------------------------------------------------------------------------------------------------- streets
def test_streets_touch_water_on_bridges_only(town) -> None:
    water = shapely.union_all(flagged(town.land, "natural", "water").geometry)
    wet = town.streets[town.streets.intersects(water)]
    assert len(wet) == town.rule.n_bridges == 2
    assert all(tags["bridge"] == "yes" and tags["layer"] == "1" for tags in wet["tags"])


def test_a_bridge_ends_on_streets_of_both_banks(town) -> None:
    river = town.river
    for line in flagged(town.streets, "bridge", "yes").geometry:
        if line.intersects(river):
            banks = shapely.ops.split(line, river)
            assert len(banks.geoms) == 2
            others = town.streets[~town.streets.geometry.geom_equals(line)]
            for end in (line.coords[0], line.coords[-1]):
                assert others.distance(shapely.Point(end)).min() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [None, 5])
def test_streets_that_meet_on_one_level_share_a_vertex(town, seed) -> None:
    streets = (town if seed is None else make_town(seed)).streets
    flat = streets[level_of(streets) == "0"]
    lines = flat.geometry.to_numpy()
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    pairs = one < two
    meetings = shapely.intersection(lines[one[pairs]], lines[two[pairs]])
    vertices = [{(round(x, 2), round(y, 2)) for x, y in line.coords} for line in lines]
    missed = [
        (a, b, point.wkt)
        for a, b, meeting in zip(one[pairs], two[pairs], meetings, strict=True)
        for point in shapely.points(shapely.get_coordinates(meeting))
        if (round(point.x, 2), round(point.y, 2)) not in vertices[a] & vertices[b]
    ]
    assert missed == []


def test_no_street_crosses_itself(town) -> None:
    assert town.streets.geometry.is_simple.all()


def test_no_two_streets_run_on_top_of_each_other(town) -> None:
    lines = town.streets.geometry.to_numpy()
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    shared = shapely.length(shapely.intersection(lines[one], lines[two]))[one < two]
    assert shared.max() < 0.05


def test_the_footbridge_passes_over_its_road_without_meeting_it(town) -> None:
    decks = flagged(town.streets, "bridge", "yes")
    deck = decks[decks["highway"] == "footway"].geometry.iloc[0]
    road = town.streets[(town.streets["highway"] == "primary") & town.streets.crosses(deck)]
    assert len(road) == 1
    crossing = deck.intersection(road.geometry.iloc[0])
    nearest = min(crossing.distance(shapely.Point(c)) for c in deck.coords)
    assert nearest > 5


def test_almost_all_street_is_one_connected_part(town) -> None:
    number: dict[tuple[float, float], int] = {}
    rows, cols = [], []
    for k, line in enumerate(town.streets.geometry):
        for x, y in line.coords:
            rows.append(k)
            cols.append(number.setdefault((round(x, 2), round(y, 2)), len(number)))
    n = len(town.streets)
    size = n + len(number)
    links = coo_array((np.ones(len(rows)), (rows, np.array(cols) + n)), shape=(size, size))
    _, part = connected_components(links, directed=False)
    metres = np.bincount(part[:n], weights=town.streets.length)
    assert metres.max() >= 0.98 * metres.sum()


def test_the_town_has_every_kind_of_street(town) -> None:
    kinds = set(town.streets["highway"])
    assert kinds >= {"primary", "secondary", "tertiary", "residential", "living_street", "footway", "service"}
    assert kinds >= {"pedestrian", "steps", "unclassified"}
    assert len(flagged(town.streets, "oneway", "yes")) > 10
    assert len(flagged(town.streets, "access", "private")) > 100
    square = flagged(town.streets, "area", "yes")
    assert len(square) and square.geometry.is_ring.all() and set(square["highway"]) == {"pedestrian"}


def test_the_town_is_not_graph_paper(town) -> None:
    main = town.streets[town.streets["highway"].isin(["primary", "secondary", "tertiary", "residential"])]
    xy = [np.asarray(line.coords) for line in main.geometry]
    step = np.vstack([np.diff(c, axis=0) for c in xy])
    length = np.hypot(*step.T)
    heading = np.rad2deg(np.arctan2(step[:, 1], step[:, 0])) % 90
    share = np.histogram(heading, bins=18, range=(0, 90), weights=length)[0] / length.sum()
    assert share.max() < 0.20  # no 5-degree bearing (and its right angle) holds a fifth of the streets
    bent = [line.length / max(np.hypot(*(c[-1] - c[0])), 1) for line, c in zip(main.geometry, xy, strict=True)]
    assert np.mean(np.array(bent) > 1.001) > 0.4


def test_named_main_roads_go_right_through(town) -> None:
    for kind in ("primary",):
        roads = town.streets[town.streets["highway"] == kind]
        longest = roads.assign(m=roads.length).groupby("name")["m"].sum().max()
        assert longest > 0.7 * town.rule.height_m


# ----------------------------------------------------------------------------------------------------- land
def test_buildings_keep_off_streets_water_and_each_other(town) -> None:
    houses = town.buildings.geometry.to_numpy()
    assert 800 <= len(houses) <= 2500
    assert shapely.is_valid(houses).all()
    assert shapely.area(houses).min() > 40
    tree = shapely.STRtree(houses)
    assert tree.query(town.streets.geometry.to_numpy(), predicate="intersects").size == 0
    wet = flagged(town.land, "natural", "water").geometry.to_numpy()
    assert tree.query(wet, predicate="intersects").size == 0
    one, two = tree.query(houses, predicate="overlaps")
    assert shapely.area(shapely.intersection(houses[one], houses[two])).max(initial=0) < 60


def test_compounds_have_gates_on_their_private_roads(town) -> None:
    private = shapely.union_all(flagged(town.streets, "access", "private").geometry)
    assert len(town.gates) > 100
    assert (town.gates.distance(private) < 1.5).mean() > 0.95


# --------------------------------------------------------------------------------------------------- ledgers
def test_the_counts_are_the_published_ones(ledgers) -> None:
    assert len(ledgers.stations) == 25
    assert len(ledgers.shops) == 68
    assert len(ledgers.depots) == 8
    assert ledgers.depots["骑手数"].sum() == 214
    assert 40 <= len(ledgers.candidates) <= 60
    assert set(ledgers.candidates["类型"]) == {"station", "shop", "both"}
    assert 6 <= len(ledgers.zones) <= 8


def test_ids_and_names_are_unique_and_free_of_control_characters(town, ledgers) -> None:
    frames = [ledgers.stations, ledgers.shops, ledgers.depots, ledgers.candidates, ledgers.zones]
    for frame in frames:
        assert frame["编号"].is_unique
        assert frame["名称"].is_unique
    names = [*town.streets["name"], *town.places["name"], *town.landmarks["name"]]
    for frame in frames:
        names += list(frame["名称"])
    assert all(name == name.strip() for name in names)
    assert not [name for name in names if any(unicodedata.category(c).startswith("C") for c in name)]


def test_a_street_name_belongs_to_one_street(town) -> None:
    named = town.streets[(town.streets["name"] != "") & (~town.streets.geometry.is_ring)]
    for name, rows in named.groupby("name"):
        joined = shapely.union_all(rows.geometry.buffer(1.0))
        assert len(shapely.get_parts(joined)) == 1, name


@pytest.mark.parametrize("ledger", ["stations", "shops", "depots", "candidates"])
def test_facilities_stand_by_a_street(town, ledgers, ledger) -> None:
    streets = shapely.union_all(town.streets.geometry)
    water = shapely.union_all(flagged(town.land, "natural", "water").geometry)
    points = getattr(ledgers, ledger).geometry
    assert points.distance(streets).max() < 40
    assert points.distance(streets).min() > 2
    assert points.distance(water).min() > 5


def test_stations_keep_out_of_the_gaps_and_depots_do_not(town, ledgers) -> None:
    middle = np.array(town.outline.centroid.coords[0])
    half = np.array([town.rule.width_m, town.rule.height_m]) / 2
    for gap in town.rule.gaps:
        area = shapely.Point(middle + np.array([gap.x, gap.y]) * half).buffer(gap.radius_m - 1, quad_segs=64)
        assert not ledgers.stations.intersects(area).any()
        assert not ledgers.shops.intersects(area).any()
        assert ledgers.depots.intersects(area).any()


def test_communities_tile_the_town(town, ledgers) -> None:
    zones = ledgers.zones.geometry
    assert set(zones.geom_type) == {"Polygon"}
    assert zones.is_valid.all()
    assert zones.area.sum() == pytest.approx(town.outline.area, rel=0.001)
    assert shapely.union_all(zones).area == pytest.approx(zones.area.sum(), rel=0.001)
    assert zones.area.min() > 0.3e6
    assert shapely.union_all(zones).buffer(2).covers(ledgers.stations.geometry).all()


# ----------------------------------------------------------------------------------------------------- files
def test_ledgers_have_the_headers_of_the_design(written) -> None:
    for name, header in HEADERS.items():
        text = (written / name).read_text(encoding="utf-8-sig")
        assert text.splitlines()[0].split(",") == header
        for row in rows_of(written / name):
            assert 113.3 < float(row["经度"]) < 113.42
            assert 22.4 < float(row["纬度"]) < 22.55


def test_the_study_names_its_files_and_says_that_it_is_invented(written) -> None:
    study = tomllib.loads((written / "study.toml").read_text(encoding="utf-8"))
    assert study["invented"] is True
    assert study["minutes"] == [10, 15]
    assert study["date"].isoformat() == "2026-11-22"
    assert study["suggest"] == {"stations": 2, "shops": 6, "spacing_m": 200}
    named = [study[part]["file"] for part in ("network", "stations", "shops", "depots", "candidates", "zones")]
    assert all((written / name).is_file() for name in named)


def test_zones_are_rfc7946(written) -> None:
    zones = json.loads((written / "zones.geojson").read_text(encoding="utf-8"))
    assert "crs" not in zones
    for feature in zones["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert shape.is_valid
        assert shape.exterior.is_ccw
        assert feature["properties"]["名称"].endswith("社区")


def test_the_osm_file_reads_back(town, written) -> None:
    osmium = pytest.importorskip("osmium")
    n_way = {"highway": 0, "building": 0}
    node_ids, way_ids, shops, gates = [], [], 0, 0
    for entity in osmium.FileProcessor(str(written / "roads.osm.pbf")):
        if entity.is_node():
            node_ids.append(entity.id)
            shops += "name" in entity.tags
            gates += "barrier" in entity.tags
        elif entity.is_way():
            way_ids.append(entity.id)
            for key in n_way:
                n_way[key] += key in entity.tags
            if "highway" in entity.tags:
                assert "虚构" in entity.tags["note"]
    assert node_ids == sorted(set(node_ids))
    assert way_ids == sorted(set(way_ids))
    assert n_way == {"highway": len(town.streets), "building": len(town.buildings)}
    assert shops == len(town.places) >= 150
    assert gates > 100
    assert (written / "roads.osm.pbf").stat().st_size < 600_000


def test_the_readme_says_what_is_invented() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for word in ("虚构", "invented", "published", "25", "68", "10 分钟", "200", "make_town(), 'data/nanqu'"):
        assert word in text


# ---------------------------------------------------------------------------------------------------- rules
def test_a_town_without_a_river_is_dry_and_whole(tmp_path) -> None:
    town = make_town(11, SMALL)
    assert town.river is None
    assert not [t for t in town.land["tags"] if t.get("water") == "river"]
    ledgers = make_ledgers(town)
    counts = [len(f) for f in (ledgers.stations, ledgers.shops, ledgers.depots, ledgers.candidates, ledgers.zones)]
    assert counts == [4, 9, 2, 6, 3]
    assert ledgers.zones.area.sum() == pytest.approx(town.outline.area, rel=0.001)
    study = write_study(town, tmp_path / "small", name="小镇", office="小镇街道办（示意）")
    assert '"小镇"' in (study / "study.toml").read_text(encoding="utf-8")


def test_a_rule_that_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="width_m"):
        TownRule(width_m=0.0)
    with pytest.raises(InputError, match="n_shops"):
        TownRule(n_shops=300)


def test_a_folder_that_cannot_be_written_is_told(tmp_path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="taken"):
        write_town(make_town(1, SMALL), tmp_path / "taken")
