"""Wishes: read, placed, told as services; as demand; and the gates that would fulfil them."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import CRS_UTM, ORIGIN, draw, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import BLOCK_M, TOML, degrees, write_study
from studies import CRS as STUDY_CRS
from studies import ORIGIN as STUDY_ORIGIN

import servicecircle as sc
from servicecircle.amenities import AMENITIES
from servicecircle.params import travel_profile

X, Y = ORIGIN
NODE, GRID = perfect_grid(5)  # 400 x 400 m, 1 m/s


def points(*xy: tuple[float, float], prefix: str = "W", **columns: object) -> gpd.GeoDataFrame:
    shapes = [shapely.Point(X + x, Y + y) for x, y in xy]
    return gpd.GeoDataFrame(columns, geometry=shapes, index=[f"{prefix}{k}" for k in range(len(xy))], crs=CRS_UTM)


# --------------------------------------------------------------------------------------------------------- words
@pytest.mark.parametrize("amenity", AMENITIES.values(), ids=AMENITIES)
def test_every_word_of_a_service_is_found_in_a_sentence(amenity: sc.Amenity) -> None:
    for word in amenity.words:
        if len(word) > 1 and not word.isascii():
            assert sc.services_in(f"请在门口安排{word}吧") == (amenity.code,), word


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("希望小区大门装个公益快递柜", ("parcel_locker",)),
        ("電動車充電樁太少，最好再有熱水", ("ebike_charging", "hot_water")),
        ("不需要快递柜，想有个歇脚的地方", ("seat",)),
        ("已有快递柜，孩子暑假没人带，想办暑托班", ("childcare",)),
        ("we have no microwave, please hot water", ("hot_water",)),
        ("路灯不亮", ()),
        ("", ()),
    ],
)
def test_a_sentence_names_what_is_wished_for(text: str, codes: tuple[str, ...]) -> None:
    assert sc.services_in(text) == codes


def test_own_words_win() -> None:
    assert sc.services_in("路灯不亮", words={"路灯": "street_light"}) == ("street_light",)


# --------------------------------------------------------------------------------------------------------- study
WISHES = """编号,心愿内容,小区,户数,姓名,经度,纬度
1,门口装公益快递柜,南院,30,张三,,
2,热水和快递柜都想要,北院,12,李四,,
3,路灯不亮 13800138000,南院,,王五,,
4,想要热水,,5,赵六,{lon},{lat}
5,快递柜,西院,8,钱七,,
6,,南院,1,孙八,,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    more = '\n[wishes]\nfile = "wishes.csv"\n[gates]\nfile = "gates.csv"\n[compounds]\nfile = "compounds.geojson"\n'
    write_study(tmp_path / "study", TOML + more)
    at = degrees((2, 3.1)).iloc[0]
    text = WISHES.format(lon=at["经度"], lat=at["纬度"])
    (tmp_path / "study" / "wishes.csv").write_text(text, encoding="utf-8")
    gates = pd.DataFrame({"编号": ["G1", "G2", "G3"], "名称": ["南门", "北门", "东门"], "小区": ["北院"] * 3})
    gates.join(degrees((4, 3), (5, 3), (4.5, 2.5))).to_csv(tmp_path / "study" / "gates.csv", index=False)
    shape = shapely.transform(shapely.box(0.2, 0.2, 1.8, 0.8), lambda xy: xy * BLOCK_M + STUDY_ORIGIN)
    compound = gpd.GeoDataFrame({"编号": ["K1"], "名称": ["南院"]}, geometry=[shape], crs=STUDY_CRS)
    compound.to_crs("EPSG:4326").to_file(tmp_path / "study" / "compounds.geojson")
    return tmp_path / "study"


def test_wishes_are_read_placed_and_classified(folder: Path) -> None:
    study = sc.load_study(folder)
    wishes = study.wishes
    assert wishes["services"].to_dict() == {
        "1": "parcel_locker",
        "2": "hot_water|parcel_locker",
        "3": "",
        "4": "hot_water",
    }
    assert wishes["n"].tolist() == [30, 12, 1, 5]
    inside = study.compounds.geometry.iloc[0]
    assert inside.contains(wishes.geometry["1"])
    middle = shapely.get_coordinates(study.gates.geometry.to_numpy()).mean(axis=0)
    assert shapely.get_coordinates(wishes.geometry["2"])[0] == pytest.approx(middle)
    assert "13800138000" not in wishes["text"].to_csv()
    assert not {"张三", "王五"} & set(wishes.astype(str).to_numpy().ravel())
    told = [fault.en for fault in study.warnings if fault.file == "wishes.csv"]
    assert any(t.startswith("1 of 6 wishes have no text") and "rows 7" in t for t in told)
    assert any("neither coordinates nor a compound" in t and "rows 6" in t for t in told)
    assert any("name no service that is known: '路灯不亮 ***'" in t for t in told)


def test_what_several_wishes_say_is_shown_once(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    ledger = pd.read_csv(again / "wishes.csv", dtype=str)
    odd = ledger[ledger.astype(str).apply(lambda row: row.str.contains("路灯").any(), axis=1)]
    more = [odd.assign(编号=name) for name in ("91", "92")]
    pd.concat([ledger, *more], ignore_index=True).to_csv(again / "wishes.csv", index=False)
    told = [fault.en for fault in sc.load_study(again).warnings if "name no service" in fault.en]
    assert len(told) == 1
    assert told[0].startswith("3 of 8")
    assert told[0].count("路灯不亮") == 1
    assert "more" not in told[0]


def test_a_plan_tells_which_wishes_are_met(folder: Path, tmp_path: Path) -> None:
    stations = pd.read_csv(folder / "stations.csv", dtype=str).assign(服务设施=["热水", ""])
    stations.to_csv(folder / "stations.csv", index=False)
    study = sc.load_study(folder)
    plan = sc.suggest(study)
    told = plan.wishes.set_index(["wish_id", "service"])
    assert bool(told.loc[("4", "hot_water"), "is_served"])  # S1 stands beside it
    assert told.loc[("4", "hot_water"), "nearest_id"] == "S1"
    assert not told.loc[("1", "parcel_locker"), "is_served"]
    times = sc.travel_times(
        plan.network, study.wishes, study.stations.loc[["S1"]].assign(kind="station"), cutoff_s=600
    )
    seconds = times.to_array()[:, 0]
    assert told.loc[("4", "hot_water"), "nearest_min"] == pytest.approx(seconds[3] / 60)
    assert bool(told.loc[("2", "hot_water"), "is_served"]) == bool(seconds[1] <= 600)
    sc.write_outputs(plan, tmp_path / "out")
    text = (tmp_path / "out" / "wishes.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["wish_id"], row["service"]) for row in rows] == list(told.index)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    by_service = {row["service"]: row for row in summary["wishes"]}
    assert by_service["parcel_locker"] == {"service": "parcel_locker", "wishes": 2, "n": 42, "served": 0}
    assert by_service[""]["n"] == 1


def test_wishes_are_demand_for_their_service(folder: Path) -> None:
    toml = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(toml + '\n[demand]\nsource = "wishes"\n', encoding="utf-8")
    study = sc.load_study(folder)
    assert sc.suggest(study, stations=0, shops=0).demand["weight"].sum() == pytest.approx(48)
    lockers = sc.suggest(study, stations=1, shops=0, service=["快递柜"])
    assert lockers.demand["weight"].sum() == pytest.approx(42)
    assert lockers.before.covered.sum() == 0


def test_published_wishes_tell_no_text_and_no_small_count(folder: Path, tmp_path: Path) -> None:
    toml = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text("publish = true\n" + toml, encoding="utf-8")
    sc.write_outputs(sc.suggest(sc.load_study(folder)), tmp_path / "out")
    assert not (tmp_path / "out" / "wishes.csv").exists()
    rows = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["wishes"]
    for row in rows:
        assert all(isinstance(row[key], str) or row[key] >= 5 for key in ("wishes", "n"))
        assert isinstance(row["served"], str) or row["served"] is None or row["served"] >= 5


def test_a_ledger_without_wishes_is_told(folder: Path) -> None:
    (folder / "wishes.csv").write_text("编号,小区\n1,南院\n", encoding="utf-8")
    with pytest.raises(sc.StudyError, match="no column for the wish"):
        sc.load_study(folder)


# --------------------------------------------------------------------------------------------------------- gates
def test_gates_serve_within_300_m_and_couriers_get_there() -> None:
    node, network = draw(
        """
        A---B---C---D---E
        """
    )  # one character = 100 m
    del node
    wishes = points((0, 0), (100, 0), (1500, 0), n=[3.0, 2.0, 4.0])
    gates = points((300, 0), (400, 0), (1600, 0), prefix="G", name=["一", "二", "三"])
    depot = points((800, 0), prefix="D")
    found = sc.propose_gates(wishes, gates, walk=network, ride=network, depots=depot, p=2, ride_min=15)
    assert found.sites.index.tolist() == ["G0", "G2"]
    assert found.sites["wishes"].tolist() == [5, 4]
    assert found.sites["walk_min"].tolist() == pytest.approx([(3 * 5 + 2 * 200 / 60) / 5, 100 / 60])
    assert found.sites["walk_max_m"].tolist() == pytest.approx([300, 100])
    assert found.sites["ride_min"].tolist() == pytest.approx([500 / 60, 800 / 60])
    assert found.wishes["gate_id"].tolist() == ["G0", "G0", "G2"]
    assert (found.served, found.bound, found.status) == (9, 9, "optimal")
    near = sc.propose_gates(wishes, gates, walk=network, ride=network, depots=depot, p=2, ride_min=10)
    assert near.sites.index.tolist() == ["G0"]
    assert near.gates["why"].to_dict() == {"G0": "", "G1": "", "G2": "no ride"}


def best_by_force(seconds: np.ndarray, n: np.ndarray, p: int) -> float:
    choices = itertools.combinations(range(seconds.shape[1]), min(p, seconds.shape[1]))
    return max((n[np.isfinite(seconds[:, list(c)]).any(axis=1)].sum() for c in choices), default=0.0)


@given(st.integers(0, 10_000), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_no_other_gates_serve_more(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    wishes = points(*rng.integers(0, 401, (8, 2)).tolist(), n=rng.integers(0, 9, 8).astype(float))
    gates = points(*rng.integers(0, 401, (6, 2)).tolist(), prefix="G")
    found = sc.propose_gates(wishes, gates, walk=GRID, ride=GRID, p=p, walk_m=150)
    seconds = sc.travel_times(GRID, wishes, gates, cutoff_s=150).to_array()
    assert found.served == pytest.approx(best_by_force(seconds, wishes["n"].to_numpy(), p))
    roomy = sc.propose_gates(wishes, gates, walk=GRID, ride=GRID, p=p, walk_m=150, capacity=1000)
    assert roomy.served == pytest.approx(found.served)
    tight = sc.propose_gates(wishes, gates, walk=GRID, ride=GRID, p=p, walk_m=150, capacity=5)
    assert tight.served <= min(found.served, 5 * p) + 1e-9
    assert (tight.sites["wishes"] <= 5 + 1e-9).all()


def test_a_compound_has_gates_where_streets_cross_its_wall() -> None:
    shape = shapely.box(X + 150, Y + 150, X + 250, Y + 250)  # round the middle junction
    compounds = gpd.GeoDataFrame({"name": ["院"]}, geometry=[shape], index=["K"], crs=CRS_UTM)
    gates = sc.compound_gates(compounds, GRID)
    assert gates.index.tolist() == ["K-1", "K-2", "K-3", "K-4"]
    xy = shapely.get_coordinates(gates.geometry.to_crs(CRS_UTM).to_numpy()) - [X, Y]
    assert sorted(map(tuple, xy.round(3).tolist())) == [(150, 200), (200, 150), (200, 250), (250, 200)]
    assert set(gates["area"]) == {"K"}


@pytest.mark.parametrize("wrong", [{"p": -1}, {"walk_m": 0}, {"ride_min": np.inf}, {"capacity": -3}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    wishes = points((0, 0), n=[1.0])
    with pytest.raises(sc.InputError, match="must be"):
        sc.propose_gates(wishes, wishes, walk=GRID, ride=GRID, **wrong)


def test_a_study_proposes_gates_of_its_ledger_or_of_its_walls(folder: Path) -> None:
    study = sc.load_study(folder)
    found = sc.suggest_gates(study, "快递柜", gates=2)
    assert set(found.gates.index) == {"G1", "G2", "G3"}
    assert found.wishes.index.tolist() == ["1", "2"]
    other = pd.concat([study.gates, study.gates.iloc[[0]].rename(index={"G1": "X"}).assign(area="商圈")])
    more = dataclasses.replace(study, gates=other)  # a gate of something else in the same ledger
    assert set(sc.suggest_gates(more, "快递柜").gates.index) == {"G1", "G2", "G3"}
    assert found.served == 12  # 南院 is farther than 300 m from the gates of 北院
    bare = sc.load_study(folder)
    bare = dataclasses.replace(bare, gates=None)
    assert set(sc.suggest_gates(bare, "快递柜").gates["area"]) <= {"K1"}
    with pytest.raises(sc.InputError, match="no wish for this service"):
        sc.suggest_gates(study, "换电")


def test_a_gate_that_lets_no_walker_or_no_rider_through_is_not_proposed() -> None:
    wishes = points((0, 0), n=[10.0])
    doors = points((0, 0), (100, 0), (200, 0)).assign(modes=["drive,ebike", "walk", "walk,ebike"])
    found = sc.propose_gates(
        wishes, doors, walk=GRID, ride=dataclasses.replace(GRID, profile=travel_profile("ebike")), p=3
    )
    assert found.gates["why"].tolist() == ["no walk", "no ride", ""]
    assert found.sites.index.tolist() == [doors.index[2]]
