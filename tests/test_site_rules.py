"""Site rules: what passes, what fails and why, and what is to be checked on site."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from drawing import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from placing import TOWN, at, own_list, study_of, town_places
from studies import write_study

from servicecircle import SITE_RULES, SiteRule, judge_candidates, load_study, suggest
from servicecircle.candidates import study_candidates, told_of_checks, told_of_density
from servicecircle.candidates.facts import is_ground
from servicecircle.errors import CRSError, InputError
from servicecircle.params import CANDIDATE_SOURCES

SHANDONG = SITE_RULES["shandong"]
STREET = "A---------B"  # 1 km
NANQU = Path(__file__).resolve().parents[1] / "data" / "nanqu"


def place(i, x, y=0.0, kind="station", **facts):
    return (i, x, y, {"name": f"地点{i}", "kind": kind, **facts})


def judge(*rows, rule=SHANDONG, classes=None, names=None, picture=STREET):
    _, network = draw(picture)
    if classes:
        network = replace(network, street_class=np.array(classes, dtype=object))
    if names:
        network = replace(network, street_name=np.array(names, dtype=object))
    return judge_candidates(at(*rows), rule, network=network)


def test_each_fact_passes_fails_or_is_to_be_checked():
    good = {"floor": "1", "area_m2": "12", "street_facing": "是"}
    judged = judge(
        place("good", 100, **good),
        place("upstairs", 100, **{**good, "floor": "2楼"}),
        place("small", 100, **{**good, "area_m2": "11.9㎡"}),
        place("inside", 100, **{**good, "street_facing": "否"}),
        place("all three", 100, floor="B1", area_m2=8, street_facing="no"),
        place("unknown", 100, floor="", area_m2=None, street_facing=""),
        place("odd words", 100, floor="大厅", area_m2="十几平", street_facing="待定"),
    )
    assert judged.frame["to_check"].to_dict() == {
        "good": "",
        "unknown": "ground_floor, min_area",
        "odd words": "ground_floor, min_area",
    }
    assert judged.rejected["reasons"].to_dict() == {
        "all three": ("ground_floor", "street_facing", "min_area"),
        "inside": ("street_facing",),
        "small": ("min_area",),
        "upstairs": ("ground_floor",),
    }
    assert judged.rejected.loc["upstairs", "reason_en"] == "not on the ground floor: floor 2楼"
    assert judged.rejected.loc["all three", "reason_zh"] == (
        "不在一层：B1；不临街：台账注明；面积不足：8 平方米，应不小于 12 平方米"
    )


def test_a_place_faces_the_street_within_20_m_and_none_beyond_50_m():
    known = {"floor": "1", "area_m2": 20}
    distances = {"a": 20.0, "b": 20.01, "c": 50.0, "d": 50.01}
    judged = judge(*(place(i, 500, y, **known) for i, y in distances.items()))
    assert judged.frame["to_check"].to_dict() == {"a": "", "b": "street_facing", "c": "street_facing"}
    assert judged.rejected["reason_en"].to_dict() == {"d": "not facing the street: 50 m from the next street"}
    wide = judge(place("hall", 500, 90, **known, extent_m=40), place("mall", 500, 90.1, **known, extent_m=40))
    assert wide.frame["to_check"].to_dict() == {"hall": "street_facing"}
    assert wide.rejected.index.tolist() == ["mall"]


@pytest.mark.parametrize(
    ("road", "name", "outcome"),
    [
        ("residential", "", ""),
        ("", "", ""),
        ("pedestrian", "", ""),
        ("service", "", None),
        ("footway", "", None),
        ("service", "学堂路", "street_facing"),
    ],
)
def test_ways_inside_compounds_are_no_streets_to_face(road, name, outcome):
    judged = judge(place("a", 500, 0, floor="1", area_m2=20), classes=[road], names=[name])
    if outcome is None:
        assert judged.rejected.loc["a", "reasons"] == ("street_facing",)
        assert judged.rejected.loc["a", "reason_zh"] == "不临街：附近没有街道"
    else:
        assert judged.frame["to_check"].to_dict() == {"a": outcome}


def of_density(*rows, rule=SHANDONG):
    """Ids of the stations that are told of at each limit."""
    _, network = draw(STREET)
    return [fault.en for fault in told_of_density(at(*rows), rule, crs=network.crs)]


def test_stations_without_a_neighbour_within_a_kilometre_are_told_and_half_of_it_where_people_are_dense():
    told = of_density(
        place("a", 0), place("b", 1000), place("c", 2000.5, dense="否"), place("d", 2500, dense="是"),
        place("e", 3000.5, dense="是"),
    )  # fmt: skip
    assert told == [
        "Rule `shandong`: 1 station(s) have no other within 500 m where people are dense, the density that it asks "
        "for is not met there: 地点e."
    ]
    (alone,) = of_density(place("a", 0), place("b", 1000.1))
    assert alone.startswith("Rule `shandong`: 2 station(s) have no other within 1000 m, the density")
    assert len(of_density(place("a", 0))) == 1
    assert of_density() == []
    assert of_density(place("a", 0), rule=SITE_RULES["none"]) == []


def test_no_candidate_is_refused_for_standing_near_a_station():
    """The published distances are to come down to, no least distances."""
    known = {"floor": "1", "area_m2": 20, "street_facing": "是"}
    judged = judge(place("beside", 1, dense="否", **known), place("unknown", 300, **known))
    assert judged.frame["to_check"].to_dict() == {"beside": "", "unknown": ""}
    assert judged.rejected.empty


def test_the_rule_is_of_stations_and_leaves_the_shop():
    bad = {"floor": "3", "area_m2": 20}
    judged = judge(place("a", 1, kind="shop", **bad), place("b", 1, kind="both", **bad), place("c", 1, **bad))
    assert judged.frame["kind"].to_dict() == {"a": "shop", "b": "shop"}
    assert judged.frame["to_check"].to_dict() == {"a": "", "b": ""}
    assert judged.rejected["kind"].to_dict() == {"b": "station", "c": "station"}


def test_no_rule_lets_everything_pass():
    judged = judge(place("a", 0, 500, floor="9", area_m2=1), rule=SITE_RULES["none"])
    assert judged.frame["to_check"].to_dict() == {"a": ""}
    assert judged.rejected.empty


def test_what_is_no_frame_of_points_is_refused():
    _, network = draw(STREET)
    with pytest.raises(CRSError, match="`candidates` states no CRS"):
        judge_candidates(at(place("a", 0)).set_crs(None, allow_override=True), SHANDONG, network=network)
    with pytest.raises(InputError, match="`candidates` must be a GeoDataFrame"):
        judge_candidates(pd.DataFrame({"kind": ["station"]}), SHANDONG, network=network)


def test_a_rule_below_nothing_is_refused():
    with pytest.raises(InputError, match="`min_area_m2` must be >= 0"):
        SiteRule("own", "", min_area_m2=-1)
    with pytest.raises(InputError, match="`dense_neighbour_m` 800 must not be above `neighbour_m` 500"):
        SiteRule("own", "", neighbour_m=500, dense_neighbour_m=800)


#: a fact as a cell, and what it means
FLOORS = {"1": True, "1F": True, "首层": True, "2": False, "B1": False, "": None, "西侧": None}
AREAS = {"12": True, "30㎡": True, "11.9": False, "": None, "大": None}
FACING = {"是": True, "否": False}


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(list(FLOORS)),
            st.sampled_from(list(AREAS)),
            st.sampled_from(list(FACING)),
            st.integers(0, 1400),
            st.sampled_from(["station", "shop", "both"]),
        ),
        max_size=8,
    ),
)
def test_each_candidate_is_judged_as_by_hand_whatever_the_others_are(rows):
    frame = at(
        *(
            place(f"c{k}", x, kind=kind, floor=floor, area_m2=area, street_facing=facing)
            for k, (floor, area, facing, x, kind) in enumerate(rows)
        )
    )
    before = frame.copy()
    _, network = draw(STREET)
    judged = judge_candidates(frame, SHANDONG, network=network)
    stays, rejected = {}, {}
    for k, (floor, area, facing, _, kind) in enumerate(rows):
        says = {
            "ground_floor": FLOORS[floor],
            "street_facing": FACING[facing],
            "min_area": AREAS[area],
        }
        fails = tuple(name for name, answer in says.items() if answer is False)
        if kind == "shop":
            stays[f"c{k}"] = ("shop", "")
        elif fails:
            rejected[f"c{k}"] = fails
            if kind == "both":
                stays[f"c{k}"] = ("shop", "")
        else:
            stays[f"c{k}"] = (kind, ", ".join(name for name, answer in says.items() if answer is None))
    told = judged.frame[["kind", "to_check"]].apply(tuple, axis=1).to_dict() if len(judged.frame) else {}
    assert list(told.items()) == list(stays.items())  # in their order too
    assert judged.rejected["reasons"].to_dict() == rejected
    assert frame.equals(before)


@pytest.mark.parametrize("text", ["-1F", "地下一层", "负一楼", "b2", "十二层", "12F"])
def test_floors_that_are_not_the_ground(text):
    assert is_ground(text) is False


@pytest.mark.parametrize("text", [None, float("nan"), "1号楼101室", "A座", "1.5"])
def test_floors_that_do_not_say(text):
    assert is_ground(text) is None


# -------------------------------------------------------------------------------------------------------- study
def test_a_study_with_a_rule_tells_what_it_forbids_and_what_is_unknown():
    _, network = draw(TOWN)
    own = own_list().assign(floor="2", area_m2="40", street_facing="是")
    study = study_of(candidates=own, candidate_sources=CANDIDATE_SOURCES, site_rule="shandong")
    frame, rejected, warnings = study_candidates(study, network, town_places())
    assert rejected.loc["k1", "reasons"] == ("ground_floor",)
    assert "k1" not in frame.index
    assert frame.loc["node/2", ["kind", "to_check"]].tolist() == ["shop", ""]
    assert frame.loc["node/1", "to_check"] == "ground_floor, min_area"
    told = [fault.en for fault in warnings]
    assert "1 candidate(s) cannot become stations, not on the ground floor: 党群服务中心." in told
    assert told[-1].startswith("Rule `shandong`: what no file states is to be checked on site, of ")


def test_every_candidate_forbidden_is_told():
    _, network = draw(TOWN)
    study = study_of(shops=0, candidates=own_list().assign(floor="2"), site_rule="shandong")
    frame, rejected, warnings = study_candidates(study, network)
    assert frame.empty
    assert rejected.index.tolist() == ["k1"]
    assert warnings[-1].en == "No candidate station: every one that was found is left out."


def test_a_plan_lists_what_was_left_out_and_tells_what_to_check_on_site():
    study = load_study(NANQU)
    upstairs = study.candidates.index[0]
    own = study.candidates.assign(floor=["2楼", *[""] * (len(study.candidates) - 1)])
    plan = suggest(replace(study, candidates=own, site_rule="shandong"))
    by_rule = plan.rejected[~plan.rejected["reasons"].isin([("no_rider",), ("off_network",)])]
    assert by_rule["reasons"].to_dict() == {upstairs: ("ground_floor",)}
    stations = set(plan.candidates.index[plan.candidates["kind"] != "shop"])
    assert not stations & set(by_rule.index)
    told = [fault.zh for fault in plan.warnings]
    assert any(text.startswith("选址规则 shandong：") for text in told)
    chosen = plan.sites.index[plan.sites["kind"] == "station"]
    asked = set(", ".join(plan.candidates.loc[chosen, "to_check"]).split(", "))
    assert ("ground_floor" in asked) == any("设站前须现场核实所在楼层" in text for text in told)
    assert {"ground_floor", "min_area"} <= asked


def test_a_plan_tells_where_the_density_of_the_rule_is_not_met(tmp_path):
    study = replace(load_study(write_study(tmp_path)), site_rule="shandong")
    told = [fault.zh for fault in suggest(study, stations=0, shops=0).warnings]  # the two stand 1061 m apart
    assert "选址规则 shandong：2 个驿站 1000 米内没有其他驿站，未达到规则要求的密度：桥头驿站、东街驿站。" in told


def test_sites_without_a_rule_need_no_check():
    sites = gpd.GeoDataFrame({"kind": ["station"]}, index=["a"], geometry=gpd.points_from_xy([111], [22]))
    assert list(told_of_checks(sites.assign(name="a"), sites)) == []
    assert list(told_of_checks(sites.assign(name="a", to_check=""), sites)) == []
    (told,) = told_of_checks(sites.assign(name="甲", to_check="min_area"), sites)
    assert told.zh == "设站前须现场核实使用面积：甲。"
    assert told.en == "To be checked on site before a station is set up, the area: 甲."
