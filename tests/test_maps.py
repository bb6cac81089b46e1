from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from studies import write_study

from servicecircle._page import areas, numbers, places, streets, summary
from servicecircle._page.alternatives import nearest_alternatives
from servicecircle._page.elements import page_json
from servicecircle._page.geometry import Screen
from servicecircle._page.words import WORDS, Words
from servicecircle.coverage import coverage_by_cell
from servicecircle.errors import InputError
from servicecircle.maps import draw_map, map_html
from servicecircle.model import Coverage, Plan, Solution
from servicecircle.params import PROFILES
from servicecircle.pipeline import suggest
from servicecircle.study import load_study
from servicecircle.travel_times import travel_times

ZH, EN = Words("zh"), Words("en")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return suggest(load_study(write_study(tmp_path_factory.mktemp("study") / "town")))


def data(plan: Plan, layer: str, **options: str) -> dict:
    return draw_map(plan, **options)._children[layer].data  # type: ignore[arg-type]


def points(steps: list[int], origin: tuple[float, float], digits: int = 6) -> np.ndarray:
    """Longitude and latitude of steps, as the page reads them."""
    return np.cumsum(np.reshape(steps, (-1, 2)), axis=0) / 10**digits + origin


# ------------------------------------------------------------------------------------------------- the page
def test_two_runs_write_the_same_bytes(plan: Plan) -> None:
    page = draw_map(plan)
    assert page.get_root().render() == page.get_root().render() == map_html(plan)


def test_the_page_names_no_asset_of_another_host(plan: Plan) -> None:
    html = map_html(plan)
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"'](?!data:)", html)
    assert "sourceMappingURL" not in html
    assert not re.search(r"url\((?!data:|#)", html)


def test_the_policy_allows_no_request_and_no_script_but_its_own(plan: Plan) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', map_html(plan))
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert rules["img-src"] == "data:"
    assert "connect-src" not in rules


def test_it_is_a_folium_map_that_saves_one_file(plan: Plan, tmp_path: Path) -> None:
    import folium

    page = draw_map(plan)
    assert isinstance(page, folium.Map)
    page.save(str(tmp_path / "map.html"))
    assert (tmp_path / "map.html").read_text(encoding="utf-8") == map_html(plan)


def test_a_language_that_is_not_there_is_refused(plan: Plan) -> None:
    with pytest.raises(InputError, match="`lang` must be"):
        draw_map(plan, lang="fr")  # type: ignore[arg-type]


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_a_name_in_the_data_ends_no_script_and_stays_what_it_is(name: str) -> None:
    text = page_json({"name": name, name: [name]})
    assert not set("<>&\u2028\u2029") & set(text)
    text.encode()  # a lone surrogate is no character of a file
    assert json.loads(text) == {"name": name, name: [name]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_never_reaches_the_page(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        page_json({"riders": value})


# --------------------------------------------------------------------------------------------- base, circles
def test_every_street_is_drawn_where_it_is(plan: Plan) -> None:
    layer, panel = data(plan, "streets"), data(plan, "panel")
    drawn = shapely.union_all(
        [
            shapely.LineString(points(steps, panel["origin"], 5))
            for lines in layer["classes"].values()
            for steps in lines
        ]
    )
    real = gpd.GeoSeries(plan.network.geometry, crs=plan.network.crs).to_crs(4326).union_all()
    assert shapely.hausdorff_distance(drawn, real) < 1e-5
    assert set(layer["classes"]) == {"residential"}


def test_streets_are_named_where_they_run(plan: Plan) -> None:
    layer = data(plan, "streets")
    assert set(layer["names"]) == set(plan.network.street_name) - {""}
    by_name: dict[str, list[float]] = {}
    for text, _, _, angle, _, _ in layer["labels"]:
        by_name.setdefault(layer["names"][text], []).append(angle % 180)
    assert all(min(a, 180 - a) <= 2 for name, angles in by_name.items() if name.startswith("横") for a in angles)
    assert all(abs(a - 90) <= 2 for name, angles in by_name.items() if name.startswith("纵") for a in angles)


def test_a_town_too_large_gives_up_its_smallest_streets_first_and_says_so(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = np.where(np.arange(plan.network.n_street) % 2 == 0, "primary", "footway").astype(object)
    network = dataclasses.replace(plan.network, street_class=kind)
    mixed = dataclasses.replace(plan, network=network)
    assert set(data(mixed, "streets")["classes"]) == {"primary", "footway"}
    monkeypatch.setattr(streets, "MAX_VERTICES", 20)
    assert set(data(mixed, "streets")["classes"]) == {"primary"}
    assert ZH("thinned_streets", classes="步行小路") in data(mixed, "panel")["notes"]


def test_circles_are_the_plan_s_circles_at_every_break(plan: Plan) -> None:
    layer, origin = data(plan, "circles"), data(plan, "panel")["origin"]
    for mode, frame in (("before", plan.circles_before), ("after", plan.circles_after)):
        for minutes, polygons in layer[mode].items():
            drawn = shapely.union_all(
                [shapely.Polygon(points(r[0], origin), [points(hole, origin) for hole in r[1:]]) for r in polygons]
            )
            real = frame[frame["minutes"] == float(minutes)].to_crs(4326).union_all()
            assert shapely.area(drawn ^ real) < 0.01 * real.area


def test_the_gain_is_what_is_reached_in_addition(plan: Plan) -> None:
    layer, origin = data(plan, "circles"), data(plan, "panel")["origin"]
    for minutes, polygons in layer["gain"].items():
        before = plan.circles_before[plan.circles_before["minutes"] == float(minutes)].to_crs(4326).union_all()
        after = plan.circles_after[plan.circles_after["minutes"] == float(minutes)].to_crs(4326).union_all()
        for rings in polygons:
            part = shapely.Polygon(points(rings[0], origin), [points(hole, origin) for hole in rings[1:]])
            assert part.intersection(after).area > 0.97 * part.area
            assert part.intersection(before).area < 0.03 * part.area


# ----------------------------------------------------------------------------------------------- cells, gaps
def test_cells_hold_the_riders_of_the_plan(plan: Plan) -> None:
    layer = data(plan, "cells")
    assert sum(layer["riders"]) == pytest.approx(plan.before.weight.sum(), abs=0.1)
    for mode, coverage in (("before", plan.before), ("after", plan.after)):
        for b, minutes in enumerate(coverage.minutes):
            missed = coverage.weight[~coverage.covered[:, b]].sum()
            assert sum(layer["missed"][mode][f"{minutes:g}"]) == pytest.approx(missed, abs=0.1)
    assert len(layer["outlines"]) == len(layer["riders"]) == len(layer["zones"]["at"])


@pytest.mark.parametrize(
    ("missed", "q"),
    [([1, 2, 3, 4], 1), ([8.0] * 20, 2), ([40, 40, 41], 10), ([0.2] * 100, None), ([0, 0], None), ([], None)],
)
def test_classes_of_riders_are_round_and_near_the_ninetieth_percentile(missed: list[float], q: int | None) -> None:
    assert areas.first_step(np.array(missed, dtype=float)) == q


def test_letters_of_gaps_stay_and_a_gap_cut_in_two_counts_on() -> None:
    before = pd.DataFrame({"cells": [["a", "b", "c", "d"], ["x", "y"]]})
    after = pd.DataFrame({"cells": [["d"], ["x"], ["a", "b"], ["new"]]})
    assert areas.letters_after(before, after) == ["A", "B", "A2", "C"]
    assert areas.letters(28)[24:] == ["Y", "Z", "AA", "AB"]
    assert areas.letters(704)[701:] == ["ZZ", "AAA", "AAB"]
    assert areas.letters(3) == ["A", "B", "C"]


def test_gaps_are_drawn_tagged_and_explained(plan: Plan) -> None:
    layer = data(plan, "gaps")
    for mode, gaps in (("before", plan.gaps), ("after", plan.gaps_after)):
        assert [gap["told"] for gap in layer[mode]] == [numbers.told_riders(r, "zh") for r in gaps["riders"]]
        assert [gap["is_tagged"] for gap in layer[mode]] == (gaps["riders"] >= 9.5).tolist()
        assert all(gap["card"]["rows"][0][1] in {ZH(f"reason.{r}") for r in gaps["reason"]} for gap in layer[mode])


def test_a_gap_is_tagged_from_ten_riders_as_they_are_shown(plan: Plan) -> None:
    assert areas.is_tagged(pd.DataFrame({"riders": [0.0, 9.49, 9.5, 1e6]})) == [False, False, True, True]
    assert data(plan, "panel")["legend"]["gap"] == "10 分钟未覆盖，≥10 人标注"


def test_every_cell_of_a_gap_knows_its_gap(plan: Plan) -> None:
    layer = data(plan, "cells")
    with_riders = data(plan, "cells")["riders"]
    ids = areas.cells_with_riders(plan.grid, *(coverage_by_cell(c, plan.grid) for c in (plan.before, plan.after)))
    for mode, gaps in (("before", plan.gaps), ("after", plan.gaps_after)):
        owner = {cell: i for i, cells in enumerate(gaps["cells"]) for cell in cells}
        assert layer["gap"][mode] == [owner.get(cell, -1) for cell in ids.frame.index]
        assert len(layer["gap"][mode]) == len(with_riders)
        assert set(owner.values()) <= set(layer["gap"][mode])  # each gap is reached from one of its cells


def test_a_gap_card_says_riders_size_and_what_the_nearest_place_is(plan: Plan) -> None:
    gaps = plan.gaps.iloc[:1].assign(riders=13.4, reason="barrier", nearest_id="P1", nearest_min=20.33)
    one = dataclasses.replace(plan, gaps=gaps)
    (gap,) = data(one, "gaps")["before"]
    n = len(gaps["cells"].iloc[0])
    assert gap["card"]["figures"] == [["13 人", "未覆盖"], [f"{n} 格", "每格 100 米"]]
    assert gap["card"]["rows"][:2] == [
        ["原因", "直线距离在范围内，沿街道超时"],
        ["最近设施", "粥铺（商铺，只服务 3 分钟），步行 20.3 分钟"],
    ]
    assert gap["brief"] == "A，13 人，直线距离在范围内，沿街道超时"
    (gap,) = data(one, "gaps", lang="en")["before"]
    assert gap["card"]["figures"] == [["13 riders", "not reached"], [f"{n} cells", "100 m each"]]
    assert gap["card"]["rows"][1][1] == "粥铺 (shop, serves 3 min only), 20.3 min on foot"
    few = dataclasses.replace(plan, gaps=gaps.assign(riders=0.2, nearest_id="S1"))
    (gap,) = data(few, "gaps")["before"]
    assert gap["told"] == "<1 人"
    assert gap["card"]["rows"][1][1] == "桥头驿站（驿站），步行 20.3 分钟"


def test_the_tag_of_a_gap_that_spans_the_town_stands_in_its_heaviest_cell() -> None:
    cells = areas.Cells(
        gpd.GeoDataFrame(
            geometry=[shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200, 300)], index=list("abcd"), crs=32649
        ),
        pd.DataFrame({"riders": [1, 2, 9, 1], "covered_10": 0.0}, index=list("abcd")),
        pd.DataFrame({"riders": [1, 2, 9, 1], "covered_10": 0.0}, index=list("abcd")),
    )
    gaps = gpd.GeoDataFrame(
        {"cells": [["a", "b", "c", "d"], ["a"]]},
        geometry=[shapely.box(0, 0, 400, 100), shapely.box(0, 0, 100, 100)],
        crs=32649,
    )
    wide, narrow = areas.gap_anchors(gaps, cells, "before", 10)
    assert (wide.x, wide.y) == (250, 50)
    assert gaps.geometry[1].contains(narrow)


def test_zones_have_their_names(plan: Plan) -> None:
    assert [zone["name"] for zone in data(plan, "zones")] == ["南岸社区", "北岸社区"]


# ---------------------------------------------------------------------------------------------------- places
def test_every_place_has_a_card(plan: Plan) -> None:
    layer = data(plan, "places")
    assert [place["name"] for place in layer["station"]] == ["桥头驿站", "东街驿站"]
    assert [place["name"] for place in layer["shop"]] == ["粥铺", "药店", "便利店"]
    assert [place["card"]["figures"][0][0] for place in layer["depot"]] == ["40", "61"]
    assert len(layer["candidate"]) == len(plan.candidates)
    assert [place["number"] for place in layer["suggestion"]] == plan.sites["rank"].tolist()


def test_riders_of_a_facility_are_those_within_its_own_limit(plan: Plan) -> None:
    times, weight = plan.before.times, plan.before.weight
    for minutes in plan.study.minutes:
        riders = places.riders_by_facility(plan.before, minutes)
        seconds = times.to_array()
        limit = np.minimum(60 * minutes, 60 * times.facility_minutes)
        assert riders.tolist() == pytest.approx((weight[:, None] * (seconds <= limit)).sum(axis=0).tolist())


def test_a_shop_tells_its_riders_once_within_its_own_limit(plan: Plan) -> None:
    layer = data(plan, "places")
    riders = places.riders_by_facility(plan.before, 10)
    for place, told in zip(layer["shop"], riders[["P1", "P2", "P3"]], strict=True):
        assert place["card"]["figures"] == [[numbers.told_riders(told, "zh"), "3 分钟内骑手"]]
    labels = [label for _, label in layer["station"][0]["card"]["figures"]]
    assert labels == ["5 分钟内骑手", "10 分钟内骑手", "圈内商铺"]
    own = dataclasses.replace(plan, facilities=plan.facilities.assign(minutes=[8.0, np.nan, 7.0, 20.0, np.nan]))
    layer = data(own, "places")
    labels = [[label for _, label in place["card"]["figures"]] for place in (*layer["station"], *layer["shop"])]
    assert labels[:3] == [
        ["5 分钟内骑手", "8 分钟内骑手", "圈内商铺"],
        ["5 分钟内骑手", "10 分钟内骑手", "圈内商铺"],
        ["5 分钟内骑手", "7 分钟内骑手"],
    ]
    assert labels[4] == ["3 分钟内骑手"]
    for place in data(plan, "places")["suggestion"]:
        limit = "3" if place["kind"] == "shop" else "10"
        assert place["card"]["figures"] == [[place["gain"], f"新增覆盖骑手（{limit} 分钟）"]]


@pytest.mark.parametrize(
    ("capacity", "told"), [("20", "20 人"), (12.0, "12 人"), ("20 座", "20 座"), ("约10", "约10")]
)
def test_a_capacity_has_a_unit(plan: Plan, capacity: object, told: str) -> None:
    station = data(dataclasses.replace(plan, facilities=plan.facilities.assign(capacity=capacity)), "places")[
        "station"
    ][0]
    assert ["容量", told] in station["card"]["rows"]


def off_network(plan: Plan, *ids: str) -> Plan:
    """The plan with facilities of which no street is near."""
    times = plan.before.times
    edge = np.where(times.facility_at.ids.isin(ids), -1, times.facility_at.edge)
    at = dataclasses.replace(times.facility_at, edge=edge)
    return dataclasses.replace(
        plan, before=dataclasses.replace(plan.before, times=dataclasses.replace(times, facility_at=at))
    )


def test_a_facility_off_the_network_is_drawn_as_one_that_does_not_count(plan: Plan) -> None:
    layer = data(off_network(plan, "S2", "P1"), "places")
    assert [place["off"] for place in layer["station"]] == [False, True]
    assert [place["off"] for place in layer["shop"]] == [True, False, False]
    for place in (layer["station"][1], layer["shop"][0]):
        assert place["closed"]
        assert place["card"]["rows"][0] == ["状态", "不在路网上，未计入"]
        assert place["card"]["figures"] == []


def test_the_first_view_holds_depots_beside_the_study_and_a_note_names_those_far_away(plan: Plan) -> None:
    def with_depot(lon: float, lat: float) -> dict:
        depots = plan.study.depots.copy()
        depots = depots.set_geometry([shapely.Point(lon, lat), *depots.geometry[1:]], crs=4326)
        return data(dataclasses.replace(plan, study=dataclasses.replace(plan.study, depots=depots)), "panel")

    (south, west), (north, east) = data(plan, "panel")["bounds"]
    middle = (south + north) / 2
    near = with_depot(east + 0.4 * (east - west), middle)
    assert near["bounds"][1][1] == pytest.approx(east + 0.4 * (east - west), abs=1e-4)
    assert near["notes"] == data(plan, "panel")["notes"]
    far = with_depot(east + 5 * (east - west), middle)
    assert far["bounds"] == data(plan, "panel")["bounds"]
    assert far["notes"][0] == "离研究范围太远，全图看不到：甲站点。"


def test_a_suggestion_says_what_it_reaches_and_replaces(plan: Plan) -> None:
    sites = plan.sites.assign(cells_gained=69)
    rows = dict(data(dataclasses.replace(plan, sites=sites), "places")["suggestion"][0]["card"]["rows"])
    assert rows["新覆盖"] == "69 格（每格 100 米）"
    assert {"改为最近", "新覆盖格"}.isdisjoint(rows)
    replaced = data(dataclasses.replace(plan, sites=sites.assign(replaces=[("S1",)] * len(sites))), "places")
    assert dict(replaced["suggestion"][0]["card"]["rows"])["取代（原最近设施）"] == ["桥头驿站"]


def gaining(plan: Plan, gains: list[float]) -> Plan:
    """The plan with as many suggestions, which gain so much, and the headline that belongs to it."""
    sites = pd.concat([plan.sites.iloc[:1]] * len(gains)).assign(rank=range(1, len(gains) + 1), riders_gained=gains)
    sites.index = [f"N{i}" for i in range(len(gains))]
    weight = np.r_[100.0, gains]
    times = dataclasses.replace(
        plan.before.times,
        demand_ids=pd.RangeIndex(len(weight)),
        start=np.zeros(len(weight) + 1, dtype=int),
        facility=np.empty(0, dtype=int),
        seconds=np.empty(0),
    )
    shape = (len(weight), 2)

    def coverage(is_covered: bool) -> Coverage:
        covered = np.tile(np.r_[True, np.full(len(gains), is_covered)][:, None], (1, 2))
        return Coverage((5.0, 10.0), weight, covered, np.zeros(shape, dtype=int), None, times)

    return dataclasses.replace(plan, sites=sites, before=coverage(False), after=coverage(True))


def test_a_gain_under_one_rider_is_never_told_as_one(plan: Plan) -> None:
    many = gaining(plan, [13.74, 7.03, 0.523, 0.479, 0.446, 0.398, 0.336, 0.153])
    assert summary.whole_gains(many) == [14, 7, 0, 0, 0, 0, 0, 0]
    assert summary.small_gains(many, ZH) == ["不足 1 人的 6 处合计", "+2 人"]
    assert summary.small_gains(many, EN) == ["the 6 below 1 together", "+2"]
    assert summary.small_gains(gaining(plan, [0.6, 0.6]), ZH) == ["2 处合计", "+1 人"]
    assert summary.small_gains(gaining(plan, [0.2, 0.2]), ZH) == ["2 处合计", "<1 人"]
    assert summary.small_gains(gaining(plan, [3.0, 0.9]), ZH) == []
    assert summary.whole_gains(gaining(plan, [3.0, 0.9])) == [3, 0]


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=9))
def test_gains_and_their_rest_add_up_to_the_headline(plan: Plan, gains: list[float]) -> None:
    told = gaining(plan, sorted(gains, reverse=True))
    change = summary.shown_riders(told.after).within[-1] - summary.shown_riders(told.before).within[-1]
    whole, rest = summary.whole_gains(told), summary.small_gains(told, ZH)
    assert all(n == 0 for n, exact in zip(whole, told.sites["riders_gained"], strict=True) if exact < 1 - 1e-9)
    together = 0 if not rest or rest[1] == "<1 人" else int(rest[1].removesuffix(" 人"))
    left = 1 if sum(gain < 1 - 1e-9 for gain in gains) == 1 else 0  # a single one stands in its row as <1
    assert 0 <= change - sum(whole) - together <= left


def test_gains_in_the_table_add_up_to_the_headline(plan: Plan) -> None:
    gains = summary.whole_gains(plan)
    before, after = summary.shown_riders(plan.before), summary.shown_riders(plan.after)
    assert sum(gains) == after.within[-1] - before.within[-1]
    assert np.abs(np.array(gains) - plan.sites["riders_gained"]).max() < 2


def test_what_a_ledger_leaves_out_is_left_out_of_the_card(plan: Plan) -> None:
    bare = plan.facilities[["kind", "geometry"]]
    layer = data(dataclasses.replace(plan, facilities=bare), "places")
    assert [place["name"] for place in layer["station"]] == ["S1", "S2"]
    odd = plan.facilities.assign(hours=np.nan, amenities=None, address=pd.NA, status="停用", capacity=float("inf"))
    station = data(dataclasses.replace(plan, facilities=odd), "places")["station"][0]
    assert station["closed"]
    assert [term for term, _ in station["card"]["rows"]] == [ZH("status"), ZH("nearest_other")]


def test_a_card_tells_the_nearest_alternative(plan: Plan) -> None:
    frame = plan.facilities
    every = travel_times(plan.network, frame[["geometry"]], frame, cutoff_s=1800.0).to_array() / 60.0
    np.fill_diagonal(every, np.inf)
    is_station = (frame["kind"] == "station").to_numpy()
    every[np.ix_(is_station, ~is_station)] = np.inf  # a shop stands in for no station
    layer = data(plan, "places")
    told = [dict(place["card"]["rows"])["最近替代"] for place in (*layer["station"], *layer["shop"])]
    labels = [*frame["name"][is_station], *(places.facility_labels(plan, ZH)[one] for one in frame.index)]
    assert len(told) == len(frame)
    for minutes, text in zip(every, told, strict=True):
        name, _, way = text.rpartition("，步行 ")
        assert name in labels
        assert way == f"{minutes.min():.1f} 分钟"
        assert name.startswith(frame["name"].iloc[int(minutes.argmin())])


def test_a_place_alone_has_no_alternative_and_one_off_the_streets_says_nothing_of_it(plan: Plan) -> None:
    alone = dataclasses.replace(plan, facilities=plan.facilities.iloc[:1])
    assert dict(data(alone, "places")["station"][0]["card"]["rows"])["最近替代"] == "步行 30 分钟内没有"
    moved = plan.facilities.iloc[:2].copy()
    moved.geometry = [moved.geometry.iloc[0], shapely.Point(0.0, 0.0)]
    assert nearest_alternatives(dataclasses.replace(plan, facilities=moved), "station") == {moved.index[0]: None}
    assert nearest_alternatives(alone, "shop") == {}


def test_a_station_tells_the_shops_in_its_circle(plan: Plan) -> None:
    frame = plan.facilities.assign(minutes=[8.0, np.nan, 5.0, np.nan, np.nan])
    is_shop = (frame["kind"] == "shop").to_numpy()
    own = frame["minutes"][~is_shop].fillna(10.0).to_numpy()
    every = travel_times(plan.network, frame[["geometry"]], frame, cutoff_s=1800.0).to_array() / 60.0
    n = [int((column[is_shop] <= limit).sum()) for column, limit in zip(every.T[~is_shop], own, strict=True)]
    assert len(set(n)) > 1
    layer = data(dataclasses.replace(plan, facilities=frame), "places")
    assert [place["card"]["figures"][-1] for place in layer["station"]] == [[str(k), "圈内商铺"] for k in n]
    bare = data(dataclasses.replace(plan, facilities=frame[~is_shop]), "places")
    assert all("圈内商铺" not in dict(map(reversed, place["card"]["figures"])) for place in bare["station"])


def test_the_first_view_holds_every_circle(plan: Plan) -> None:
    far = plan.circles_after.iloc[[-1]].copy()
    far.geometry = far.geometry.translate(yoff=5000.0)
    every = pd.concat([plan.circles_after, far])
    (south, west), (north, east) = data(dataclasses.replace(plan, circles_after=every), "panel")["bounds"]
    seen = shapely.box(west, south, east, north).buffer(1e-5)
    assert all(map(seen.covers, every.to_crs(4326).geometry))
    assert not seen.buffer(-0.001).covers(far.to_crs(4326).geometry.iloc[0])


def test_services_become_chips() -> None:
    assert places.chips("饮水、充电，热饭") == ["饮水", "充电", "热饭"]
    assert places.chips("hot water, phone charging") == ["hot water", "phone charging"]
    assert places.chips(f"饮水 、充电 , , {' ' * 100_000}休息\n雨具") == ["饮水", "充电", "休息", "雨具"]
    assert places.chips("饮水 充电") == ["饮水", "充电"]
    assert places.chips(["微波炉", ""]) == ["微波炉"]
    assert places.chips(float("nan")) == []


def test_a_site_that_nobody_could_reach_before_shows_a_dash(plan: Plan) -> None:
    sites = plan.sites.assign(minutes_before=np.inf, minutes_after=4.25)
    row = data(dataclasses.replace(plan, sites=sites), "places")["suggestion"][0]["card"]["rows"][0][1]
    assert row.startswith("— → 4.2 分钟") or row.startswith("— → 4.3 分钟")


# -------------------------------------------------------------------------------------------- panel, wording
def test_the_headline_is_the_coverage_of_the_plan(plan: Plan) -> None:
    figures = data(plan, "panel")["figures"]
    for mode, coverage in (("before", plan.before), ("after", plan.after)):
        for b in range(len(coverage.minutes)):
            share = coverage.weight[coverage.covered[:, b]].sum() / coverage.weight.sum()
            assert figures[mode][b]["share"] == numbers.share(share, 1)
            assert sum(part["n"] for part in figures[mode][b]["parts"]) == np.floor(coverage.weight.sum() + 0.5)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("direction", ["to", "from"])
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_titles_say_minutes_mode_and_direction(plan: Plan, profile: str, direction: str, lang: str) -> None:
    study = dataclasses.replace(plan.study, profile=PROFILES[profile], direction=direction, lang=lang)
    panel = data(dataclasses.replace(plan, study=study), "panel")
    title = panel["figures"]["before"][1]["title"]
    said = {
        "walk": ("走得到", "walk"),
        "gb50180": ("走得到", "walk"),
        "ebike": ("骑得到", "e-bike"),
        "drive": ("开车", "drive"),
    }
    assert said[profile][lang == "en"] in title
    assert ("10 分钟" if lang == "zh" else "10-minute") in title
    assert ("500" in title) == (profile == "gb50180")
    assert ("出发" in title or "from" in title) == (direction == "from")
    assert (profile in {"walk", "gb50180"}) == ("走得到" in title or " walk" in title)
    standard = {"zh": "国标", "en": "GB 50180"}[lang]
    assert any("GB 50180" in text or standard in text for _, text in panel["parameters"])


def test_the_parameters_are_printed(plan: Plan) -> None:
    told = dict(data(plan, "panel")["parameters"])
    assert told["出行方式"] == "步行，3.6 公里/小时；商铺 3 分钟"
    assert told["时间上限"] == "5/10 分钟 = 300/600 米，国标 300/500 米"
    assert told["方向"] == "骑手 → 驿站、商铺，沿街道网络"
    assert told["骑手"].endswith("100 米方格，离街道 200 米内")
    assert told[""] == "人数为期望值，取整显示；比例按未取整人数计算"


def test_best_is_said_only_of_what_is_proven(plan: Plan) -> None:
    assert plan.solution.status == "optimal"
    assert summary.proof(plan, ZH) == "已证明最优：同样多的驿站和商铺不会覆盖更多骑手"
    open_ = Solution(plan.solution.chosen, 1168.0, 1189.0, "max", "feasible", 1.0)
    told = summary.proof(dataclasses.replace(plan, solution=open_), ZH)
    assert told == "已知最好 1,168 人，任何方案不超过 1,189 人（上界），与上界相差 1.8%"
    assert "best:" not in summary.proof(dataclasses.replace(plan, solution=open_), EN).lower()
    none = dataclasses.replace(plan, sites=plan.sites.iloc[:0])
    assert summary.proof(none, ZH) == "没有新增建议，只计算了现状。"
    assert not data(none, "panel")["has_sites"]


def test_english_counts_one_and_many() -> None:
    assert EN("combination.both", stations=1, shops=2) == "1 station and 2 shops"
    assert EN("combination.stations", n=1) == "1 station site"


def test_sample_data_are_said_to_be_sample_data(plan: Plan) -> None:
    assert data(plan, "panel")["is_invented"]
    assert "虚构" in data(plan, "panel")["attribution"]
    real = dataclasses.replace(plan, study=dataclasses.replace(plan.study, is_invented=False))
    panel = data(real, "panel")
    assert not panel["is_invented"]
    assert "虚构" not in panel["attribution"] + panel["foot"]
    assert "roads.geojson" in panel["foot"]


def test_streets_of_openstreetmap_are_credited(plan: Plan) -> None:
    network = dataclasses.replace(plan.network, way_id=np.full(plan.network.n_edge, 25_000_000))
    for invented in (True, False):
        study = dataclasses.replace(plan.study, is_invented=invented)
        panel = data(dataclasses.replace(plan, network=network, study=study), "panel")
        assert "© OpenStreetMap" in panel["attribution"]
        assert "ODbL" in panel["foot"]


@pytest.mark.fault(21)
def test_no_riders_is_no_demand_and_never_a_share(plan: Plan) -> None:
    def without(coverage):
        return dataclasses.replace(coverage, weight=np.zeros_like(coverage.weight))

    nobody = dataclasses.replace(
        plan,
        before=without(plan.before),
        after=without(plan.after),
        gaps=plan.gaps.iloc[:0],
        gaps_after=plan.gaps_after.iloc[:0],
        sites=plan.sites.iloc[:0],
    )
    panel = data(nobody, "panel")
    assert not panel["has_demand"]
    assert {figure["share"] for figure in panel["figures"]["before"]} == {"—"}
    assert data(nobody, "cells")["outlines"] == []


def test_a_plan_of_nothing_but_streets_can_be_drawn(plan: Plan) -> None:
    bare = dataclasses.replace(
        plan,
        study=dataclasses.replace(plan.study, depots=None, zones=None, office="", date=""),
        facilities=gpd.GeoDataFrame({"name": [], "kind": []}, geometry=[]),
        candidates=plan.candidates.iloc[:0],
        sites=plan.sites.iloc[:0],
        gaps=plan.gaps.iloc[:0],
        gaps_after=plan.gaps_after.iloc[:0],
        circles_before=plan.circles_before.iloc[:0],
        circles_after=plan.circles_after.iloc[:0],
        land=None,
    )
    children = draw_map(bare)._children
    assert {kind: len(every) for kind, every in children["places"].data.items()} == dict.fromkeys(
        ("station", "shop", "depot", "centre", "candidate", "suggestion"), 0
    )
    assert children["zones"].data == []
    assert children["circles"].data["before"] == {"5": [], "10": []}


def test_every_word_is_there_in_both_languages_with_the_same_gaps_to_fill() -> None:
    for key, (zh, en) in WORDS.items():
        assert zh, key
        assert en, key
        in_zh, in_en = (set(re.findall(r"\{(\w+)\}", text)) for text in (zh, en))
        assert in_zh == in_en or (key, in_zh) == ("combination.both", set()), key


def test_what_is_put_into_a_sentence_stays_as_it_is() -> None:
    assert ZH("nearest_at", name="{minutes}站", way="步行", minutes="3 分钟") == "{minutes}站，步行 3 分钟"


# --------------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("part", "total", "told"),
    [
        (785, 1284, "61.1%"),
        (0, 5, "0%"),
        (5, 5, "100%"),
        (1, 10_000, "<0.1%"),
        (9_999.9, 10_000, ">99.9%"),
        (0, 0, "—"),
        (float("nan"), 5, "—"),
    ],
)
def test_a_share_has_one_decimal_and_is_whole_only_where_exact(part: float, total: float, told: str) -> None:
    assert numbers.share(part, total) == told


def test_numbers_are_told_as_people_read_them() -> None:
    assert numbers.riders(1284.4, "zh") == "1,284 人"
    assert [numbers.riders(n, "en") for n in (1, 2)] == ["1 rider", "2 riders"]
    assert numbers.headline_riders(123_456, "zh") == "12.3 万人"
    assert numbers.headline_riders(123_456, "en") == "123,456 riders"
    assert [numbers.change(n) for n in (246, -4, 0)] == ["+246", "−4", "+0"]
    assert [numbers.distance(m, "zh") for m in (652, 1204, 996)] == ["650 米", "1.2 公里", "1.0 公里"]
    assert numbers.riders(float("inf"), "zh") == numbers.NONE
    assert [numbers.told_riders(n, "zh") for n in (0, 0.2, 0.5, 13)] == ["0 人", "<1 人", "1 人", "13 人"]
    assert [numbers.told_riders(n, "en") for n in (0, 0.2, 0.5, 13)] == [
        "0 riders",
        "<1 rider",
        "1 rider",
        "13 riders",
    ]
    assert numbers.printed_date("2026-11-22", "zh") == "2026 年 11 月 22 日"
    assert numbers.printed_date("2026-03", "en") == "March 2026"
    assert numbers.printed_date("春天", "zh") == "春天"


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_parts_add_up_and_none_is_off_by_one_or_more(parts: list[float]) -> None:
    total = int(np.floor(sum(parts) + 0.5))
    whole = numbers.apportioned(parts, total)
    assert sum(whole) == total
    assert all(abs(a - b) <= 1 for a, b in zip(whole, parts, strict=True))


# -------------------------------------------------------------------------------------------------- geometry
def test_steps_lead_back_to_the_coordinates() -> None:
    screen = Screen(CRS.from_epsg(32649), (640_000, 2_490_000, 641_000, 2_491_000))
    ring = shapely.box(640_100, 2_490_100, 640_300, 2_490_400).exterior
    shape = shapely.Polygon(ring, [shapely.box(640_150, 2_490_150, 640_200, 2_490_200).exterior])
    (rings,) = screen.polygons(shape)
    real = gpd.GeoSeries([shape], crs=32649).to_crs(4326).iloc[0]
    for steps, line in zip(rings, [real.exterior, *real.interiors], strict=True):
        assert np.abs(points(steps, screen.origin) - np.array(line.coords)).max() <= 0.5000001e-6


def test_a_shape_too_small_to_see_is_left_out() -> None:
    screen = Screen(CRS.from_epsg(32649), (640_000, 2_490_000, 641_000, 2_491_000))
    assert screen.polygons(shapely.box(640_000, 2_490_000, 640_000.01, 2_490_000.01)) == []
    assert screen.polygons(shapely.Polygon()) == []
    assert screen.lines(np.array([shapely.LineString([(640_000, 2_490_000), (640_000.1, 2_490_000)])])) == []


def test_a_station_that_its_ledger_says_is_closed_stands_crossed_out_and_counts_for_nobody(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "town"))
    stations = study.stations.assign(status=["启用", "已停用（装修）"])
    closed = suggest(dataclasses.replace(study, stations=stations), stations=0, shops=0)
    alone = suggest(dataclasses.replace(study, stations=stations.iloc[:1]), stations=0, shops=0)
    drawn = draw_map(closed)._children["places"].data["station"]
    assert [(place["closed"], place["off"]) for place in drawn] == [(False, False), (True, True)]
    assert ["状态", "已停用（装修），未计入"] in drawn[1]["card"]["rows"]
    assert drawn[1]["card"]["figures"] == []
    figures = [draw_map(plan)._children["panel"].data["figures"] for plan in (closed, alone)]
    assert figures[0] == figures[1]
