"""Who counts: hours and services decide at the entry, and everything behind it follows."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from studies import TOML, write_study
from tiny_study import SHOPS, crossing, write_tiny_study

import servicecircle as sc
from servicecircle.closed_status import is_closed
from servicecircle.coverage import totals
from servicecircle.errors import InputError, StudyError
from servicecircle.model import Plan, Study
from servicecircle.pipeline import Roads, coverage_by_hour, explain, facility_circles, read_roads, suggest
from servicecircle.serving import Serving, study_serving
from servicecircle.study import load_study
from servicecircle.study_options import with_options
from servicecircle.what_if import what_if

HOURS = {"stations": ["9:00-17:00", "24小时"], "shops": ["", "8:00-22:00，节假日除外", "随店营业"]}
OFFERS = {"stations": ["热水、微波炉", "热水、换电"], "shops": ["微波炉(坏)、充电", "", "充电"]}


def written(folder: Path, *, top: str = "", hours: dict = HOURS, offers: dict = OFFERS, tail: str = "") -> Path:
    """The study of `studies`, with hours and services in the ledgers of stations and shops."""
    write_study(folder, top + TOML + tail)
    for name in ("stations", "shops"):
        ledger = pd.read_csv(folder / f"{name}.csv", dtype=str)
        more = ledger.assign(开放时间=hours[name], 服务设施=offers[name])
        more.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(written(tmp_path_factory.mktemp("serving")))


@pytest.fixture(scope="module")
def roads(study: Study) -> Roads:
    return read_roads(study)


def serving_of(study: Study) -> Serving:
    return study_serving(study, read_roads(study).network)


def why(study: Study, **asked: object) -> dict[str, str]:
    """Ids that do not count, and why."""
    return serving_of(with_options(study, **asked)).left_out["why"].to_dict()  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------- who counts
def test_who_is_closed_does_not_count_and_who_does_not_say_does(study: Study) -> None:
    assert why(study) == {}
    assert why(study, when="Tue 12:00") == {}
    assert why(study, when="周二 20:30") == {"S1": "closed"}
    assert why(study, when="Tue 23:00") == {"S1": "closed", "P2": "closed"}
    assert why(study, when="Tue 10:00 PH") == {"P2": "closed"}
    unknown = serving_of(with_options(study, when="Tue 12:00")).is_unknown
    assert unknown.tolist() == [False, False, True, False, True]


def test_the_minute_of_opening_counts_and_that_of_closing_does_not(study: Study) -> None:
    assert "S1" in why(study, when="Mon 08:59")
    assert "S1" not in why(study, when="Mon 09:00")
    assert "S1" not in why(study, when="Mon 16:59")
    assert "S1" in why(study, when="Mon 17:00")


def test_a_service_is_there_only_where_it_is_stated_and_works(study: Study) -> None:
    assert why(study, service=["微波炉"]) == {"S2": "without", "P1": "broken", "P2": "unstated", "P3": "without"}
    assert why(study, service=["热水"]) == {"P1": "without", "P2": "unstated", "P3": "without"}


def test_two_services_mean_both_and_a_bar_means_either(study: Study) -> None:
    assert set(why(study, service=["热水", "换电"])) == {"S1", "P1", "P2", "P3"}
    assert set(why(study, service=["换电|充电"])) == {"S1", "P2"}
    assert set(why(study, service=["热水", "换电|微波炉"])) == {"P1", "P2", "P3"}


def test_a_place_that_lacks_the_service_is_said_to_lack_it_also_when_closed(study: Study) -> None:
    assert why(study, service=["微波炉"], when="Tue 23:00") == {
        "S1": "closed", "S2": "without", "P1": "broken", "P2": "unstated", "P3": "without",
    }  # fmt: skip


def test_any_takes_back_what_the_study_says(tmp_path: Path) -> None:
    stated = load_study(written(tmp_path / "s", top='when = "周二 20:30"\nservice = ["热水"]\n'))
    assert (str(stated.when), stated.service) == ("Tue 20:30", ("hot_water",))
    plain = with_options(stated, when="any", service=[])
    assert (plain.when, plain.service) == (None, ())
    assert with_options(stated, service=["不限"]).service == ()
    toml = (tmp_path / "s" / "study.toml").read_text(encoding="utf-8")
    (tmp_path / "s" / "study.toml").write_text(
        toml.replace('"周二 20:30"', "2026-11-24T20:30:00"), encoding="utf-8"
    )
    dated = load_study(tmp_path / "s").when
    assert stated.when is not None
    assert dated == dataclasses.replace(stated.when, date=dt.date(2026, 11, 24))


def test_a_studys_own_words_are_services_too(tmp_path: Path) -> None:
    words = '\n[amenities]\nwords = { "暖心水" = "hot_water", "按摩椅" = "massage" }\n'
    offers = {"stations": ["暖心水", "按摩椅"], "shops": ["", "", ""]}
    own = load_study(written(tmp_path, offers=offers, tail=words))
    assert set(why(own, service=["暖心水"])) == {"S2", "P1", "P2", "P3"}
    assert set(why(own, service=["massage"])) == {"S1", "P1", "P2", "P3"}


def test_frames_of_ones_own_need_no_parsed_columns(study: Study) -> None:
    bare = study.stations[["name", "kind", "minutes", "geometry"]]
    given = dataclasses.replace(study, stations=bare.assign(hours=HOURS["stations"], amenities=OFFERS["stations"]))
    assert why(given, when="Tue 20:30", service=["热水"]) == why(study, when="Tue 20:30", service=["热水"])
    silent = dataclasses.replace(study, stations=bare, shops=None)
    assert why(silent, when="Tue 03:00") == {}
    assert why(silent, service=["热水"]) == {"S1": "unstated", "S2": "unstated"}


# --------------------------------------------------------------------------------------------------- what follows
def plan_of(study: Study, roads: Roads, **asked: object) -> Plan:
    return suggest(study, roads=roads, stations=1, shops=0, **asked)  # type: ignore[arg-type]


def test_a_plan_at_a_moment_is_the_plan_of_a_ledger_of_those_open(study: Study, roads: Roads) -> None:
    at_night = plan_of(study, roads, when="周二 23:00", service=["热水"])
    left = dataclasses.replace(study, stations=study.stations.loc[["S2"]], shops=None)
    alone = plan_of(left, roads)
    assert totals(at_night.before) == totals(alone.before)
    assert totals(at_night.after) == totals(alone.after)
    assert at_night.sites["riders_gained"].tolist() == alone.sites["riders_gained"].tolist()
    assert at_night.gaps[["riders", "nearest_id"]].equals(alone.gaps[["riders", "nearest_id"]])
    assert at_night.circles.equals(alone.circles)
    assert at_night.before.times.nearest.equals(alone.before.times.nearest)
    assert sc.explain_plan(at_night, draws=1).sites.equals(sc.explain_plan(alone, draws=1).sites)
    closed = what_if(at_night, close=["S2"])
    assert closed.after["covered"] == {"5": 0.0, "10": 0.0}


def test_circles_legs_and_what_if_know_only_those_that_count(study: Study, roads: Roads) -> None:
    assert set(facility_circles(study, when="Tue 20:30")["facility_id"]) == {"S2", "P1", "P2", "P3"}
    microwave = facility_circles(study, service=["微波炉"])
    assert set(microwave["facility_id"]) == {"S1"}
    assert {"P1", "P3"} <= set(facility_circles(study, service=["充电"])["facility_id"])  # broken is the oven alone
    lon, lat = study.stations.geometry.iloc[0].coords[0]
    assert len(explain(study, (lon + 0.002, lat), "S1", roads=roads)) > 0
    with pytest.raises(InputError, match="is no open station or shop"):
        explain(with_options(study, when="Tue 20:30"), (lon, lat), "S1", roads=roads)
    plan = plan_of(study, roads, when="Tue 20:30")
    with pytest.raises(InputError, match="names no open station or shop"):
        what_if(plan, close=["S1"])


def test_nobody_open_is_a_plan_of_gaps_only(study: Study, roads: Roads) -> None:
    stations = study.stations.assign(opening="Mo 09:00-10:00")
    alone = dataclasses.replace(study, stations=stations, shops=None)
    plan = plan_of(alone, roads, when="Tue 20:30")
    assert set(totals(plan.before)["covered"].values()) == {0.0}
    assert plan.sites["riders_gained"].sum() > 0
    assert facility_circles(alone, when="Tue 20:30").empty


def test_no_site_is_suggested_where_a_closed_one_stands(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path)
    lon, lat = crossing(*(at + 0.1 for at in SHOPS["粥铺"]))
    shops = f"名称,经度,纬度,营业时间\n粥铺,{lon},{lat},9:00-17:00\n"
    (folder / "shops.csv").write_text(shops, encoding="utf-8")
    toml = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(toml + '[shops]\nfile = "shops.csv"\n', encoding="utf-8")
    plan = suggest(load_study(folder), when="Tue 20:30")
    assert plan.serving.left_out["name"].tolist() == ["粥铺"]
    assert "粥铺" not in set(plan.candidates["name"])


def test_a_site_to_keep_that_is_closed_then_is_no_fault(tmp_path: Path) -> None:
    study = load_study(written(tmp_path))
    rules = sc.SitingRules(move=1, keep=("S1",))
    plan = suggest(study, stations=1, shops=0, rules=rules, when="Tue 20:30")
    assert "S1" not in plan.siting.closed


# ------------------------------------------------------------------------------------------------------ figures
def test_what_is_not_known_makes_a_range(study: Study, roads: Roads) -> None:
    plan = plan_of(study, roads, when="Tue 20:30")
    assert plan.serving.unknown == ("P1", "P3")
    surely = dataclasses.replace(study, shops=study.shops.loc[["P2"]])
    assert plan.serving.at_least == totals(plan_of(surely, roads, when="Tue 20:30").before)["covered"]
    assert plan.serving.at_least["10"] < totals(plan.before)["covered"]["10"]
    usual = plan_of(study, roads)
    assert usual.serving.at_least == totals(usual.before)["covered"]


def test_each_that_is_left_out_says_what_it_would_add(study: Study, roads: Roads) -> None:
    plan = plan_of(study, roads, when="Tue 23:00")
    gained = plan.serving.left_out["riders_gained"]
    for own in ("S1", "P2"):
        others = [s for s in ("S1", "P2") if s != own]
        ledgers = {k: getattr(study, k).drop(others, errors="ignore") for k in ("stations", "shops")}
        alone = {k: frame.assign(opening="24/7") for k, frame in ledgers.items()}
        opened = plan_of(dataclasses.replace(study, **alone), roads)
        more = totals(opened.before)["covered"]["10"] - totals(plan.before)["covered"]["10"]
        assert gained[own] == pytest.approx(more, abs=1e-9)


def test_the_hour_of_a_plan_is_that_of_its_week(study: Study, roads: Roads) -> None:
    week = coverage_by_hour(study, roads=roads)
    for when, hour in (("Mon 10:00", 10), ("Tue 20:00", 44), ("Sun 23:00", 167)):
        plan = plan_of(study, roads, when=when)
        assert week.covered[hour].tolist() == list(totals(plan.before)["covered"].values())
        assert week.at_least[hour].tolist() == list(plan.serving.at_least.values())
        assert plan.serving.week.to_frame().equals(week.to_frame())


def test_the_week_of_a_service_is_that_of_the_places_that_offer_it(study: Study, roads: Roads) -> None:
    week = coverage_by_hour(study, service=["热水"], minutes=(5, 10), roads=roads)
    alone = dataclasses.replace(study, shops=None)
    assert week.to_frame().equals(coverage_by_hour(alone, minutes=(5, 10), roads=roads).to_frame())


def test_the_matrix_of_a_moment_holds_what_is_open_then(study: Study, roads: Roads) -> None:
    noon, night = (plan_of(study, roads, when=w).serving.amenities for w in ("Tue 12:00", "Tue 23:00"))
    assert set(noon["amenity"]) == {"battery_swap", "charging", "hot_water", "microwave"}
    by_day = noon.groupby("amenity")["covered_10"].sum()
    by_night = night.groupby("amenity")["covered_10"].sum()
    assert by_day["microwave"] > 0 == by_night["microwave"]  # the oven of S1 is behind a locked door
    assert by_day["charging"] == by_night["charging"]
    service = plan_of(study, roads, when="Tue 12:00", service=["微波炉"])
    assert totals(service.before)["covered"]["10"] == pytest.approx(by_day["microwave"])
    assert service.serving.amenities.equals(noon)


# ---------------------------------------------------------------------------------------------------- what is told
def test_the_planner_is_told_what_does_not_count(study: Study) -> None:
    told = serving_of(with_options(study, when="周二 20:30", service=["微波炉|充电"])).told
    assert [fault.zh for fault in told] == [
        "只计提供“充电或微波炉”的驿站和商铺：5 处中有 3 处；1 处没有该服务，1 处未说明服务项目。",
        "按周二 20:30 计：3 处中有 1 处届时不开放，不计入；2 处未说明，按开放计（P1、P3）。",
    ]
    assert [fault.en for fault in told] == [
        "Only places that offer phone charging or microwave oven count: 3 of 5; 1 does not offer it, 1 says "
        "nothing of what it offers.",
        "Counted as on Tue 20:30: 1 of 3 places is closed then and does not count; 2 do not say and count as open "
        "(P1, P3).",
    ]


@pytest.mark.parametrize(
    ("top", "column", "told"),
    [
        ('when = "20:30"', "when", "must be a day and a time"),
        ("when = 2026-11-24T20:30:00+08:00", "when", "local time"),
        ("when = 20", "when", "must be a text"),
        ('service = "热水"', "service", "must be a list of services"),
        ('service = ["热汤"]', "service", "knows no service '热汤'"),
    ],
)
def test_a_wrong_key_is_told_with_its_line(tmp_path: Path, top: str, column: str, told: str) -> None:
    with pytest.raises(StudyError) as error:
        load_study(written(tmp_path, top=f"{top}\n"))
    (fault,) = error.value.faults
    assert (fault.file, fault.row, fault.column) == ("study.toml", 1, column)
    assert told in fault.en


def test_a_wrong_option_names_itself(study: Study) -> None:
    with pytest.raises(InputError, match="`when` must be a day and a time"):
        suggest(study, when="now")
    with pytest.raises(InputError, match="`service` knows no service 'xyz'"):
        suggest(study, service=["xyz"])


def test_a_week_needs_hours(study: Study, roads: Roads) -> None:
    silent = dataclasses.replace(study, stations=study.stations.assign(opening=""), shops=None)
    with pytest.raises(InputError, match="No station or shop states hours"):
        coverage_by_hour(silent, roads=roads)
    assert plan_of(silent, roads).serving.week is None


@pytest.mark.parametrize(
    ("status", "closed"),
    [
        ("装修中", True), ("装修已完成", False), ("停业整顿结束", False), ("改造完成，恢复开放", False),
        ("改造", True),
        ("装修预计12月完成", True), ("装修尚未完成", True), ("暂停，春节后恢复", True), ("closed", True),
        ("closed for now", True), ("planned 2027", True), ("closedish", False), ("正常", False), ("", False),
    ],
)  # fmt: skip
def test_a_place_that_is_open_again_is_not_closed(status: str, closed: bool) -> None:
    assert is_closed(pd.DataFrame({"status": [status]})).tolist() == [closed]
