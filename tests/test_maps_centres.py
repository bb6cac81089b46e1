"""Centres of zones on the map: their cards say what the tables say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import pytest

import servicecircle as sc
from servicecircle._page.numbers import told_riders
from servicecircle._page.words import WORDS
from servicecircle.model import Plan

REPOSITORY = Path(__file__).resolve().parents[1]
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def plan() -> Plan:
    study = sc.load_study(REPOSITORY / "data" / "nanqu")
    zones = study.zones
    assert zones is not None
    middle = zones.to_crs(32649).representative_point().to_crs(4326)
    names = [HOSTILE, *(f"{name}党群服务中心" for name in zones["name"][1:])]
    posts = gpd.GeoDataFrame({"name": names, "zone": zones.index}, geometry=middle.to_numpy(), crs=4326)
    posts.index = [f"C{i}" for i in range(len(posts))]
    return sc.with_zone_work(sc.suggest(dataclasses.replace(study, posts=posts), stations=0, shops=0))


def test_each_centre_says_whom_it_is_nearest_to(plan: Plan) -> None:
    assert plan.posts is not None
    drawn = sc.draw_map(plan)._children["places"].data["centre"]  # type: ignore[attr-defined]
    assert [place["name"] for place in drawn] == plan.posts.posts["name"].tolist()
    for place, (_, row) in zip(drawn, plan.posts.posts.iterrows(), strict=True):
        figures = dict(reversed(pair) for pair in place["card"]["figures"])
        assert figures["就近骑手"] == told_riders(row["riders"], "zh")
        assert figures["其中外网格"] == told_riders(row["riders_of_others"], "zh")
        told = dict(map(tuple, place["card"]["rows"]))
        zone = plan.posts.zones.loc[row["zone_id"]]
        assert told[WORDS["zone"][0]] == zone["name"]
        assert told["本网格就近到此"].endswith("%")


def test_the_cards_of_a_post_and_of_the_station_that_it_is_name_the_team(plan: Plan) -> None:
    study = plan.study
    assert study.stations is not None
    own = study.stations.iloc[[0]][["name", "geometry"]].assign(team="东网格服务队")
    told = sc.with_zone_work(dataclasses.replace(plan, study=dataclasses.replace(study, posts=own), posts=None))
    drawn = sc.draw_map(told)._children["places"].data  # type: ignore[attr-defined]
    cards = [
        place["card"] for place in (*drawn["centre"], *drawn["station"]) if place["name"] == own["name"].iloc[0]
    ]
    assert sum(["负责队伍", "东网格服务队"] in card["rows"] for card in cards) == 2


def test_a_hostile_name_is_data(plan: Plan) -> None:
    page = sc.draw_map(plan).get_root().render()
    assert HOSTILE not in page
    assert "\\u003c/script" in page or "\\u003C/script" in page


def test_a_plan_without_posts_has_no_centre(plan: Plan) -> None:
    bare = dataclasses.replace(plan, posts=None)
    assert sc.draw_map(bare)._children["places"].data["centre"] == []  # type: ignore[attr-defined]
