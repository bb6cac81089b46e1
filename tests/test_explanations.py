"""Explanations: against every plan there is, against plans made anew, and against the plan's own totals."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import BLOCK_M, CRS, ORIGIN, write_study

from servicecircle._page.reasons import reason_line, reason_rows
from servicecircle._page.words import Words
from servicecircle.cases import at_speed
from servicecircle.coverage import cover, totals
from servicecircle.errors import InputError
from servicecircle.explanations import explain_plan
from servicecircle.maps import draw_map
from servicecircle.model import Explanation, Plan, Study, SuggestRule
from servicecircle.params import TravelProfile
from servicecircle.pipeline import Roads, read_roads, suggest
from servicecircle.report import plan_lines
from servicecircle.study import load_study
from servicecircle.suggestions import choose_sites
from servicecircle.travel_times import travel_times
from servicecircle.writers import write_outputs

KINDS = ("station", "shop")


class Town:
    """The small study with its roads, read once; its ledgers are drawn."""

    def __init__(self, study: Study, roads: Roads) -> None:
        self.study, self.roads = study, roads

    def plan(self, **changes: object) -> Plan:
        return suggest(dataclasses.replace(self.study, **changes), roads=self.roads)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    study = load_study(write_study(tmp_path_factory.mktemp("study") / "town"))
    return Town(study, read_roads(study))


@pytest.fixture(scope="module")
def plan(town: Town) -> Plan:
    return town.plan()


@pytest.fixture(scope="module")
def why(plan: Plan) -> Explanation:
    return explain_plan(plan)


def places(blocks: list[tuple[float, float]], kinds: list[str]) -> gpd.GeoDataFrame:
    points = gpd.GeoSeries(shapely.points(np.array(blocks) * BLOCK_M + ORIGIN), crs=CRS).to_crs("EPSG:4326")
    ids = pd.Index([f"C{k}" for k in range(len(blocks))], name="id")
    names = [f"place {k}" for k in range(len(blocks))]
    return gpd.GeoDataFrame({"name": names, "kind": kinds}, index=ids, geometry=points.array, crs="EPSG:4326")


blocks = st.tuples(st.integers(0, 24).map(lambda x: x / 2), st.integers(0, 16).map(lambda y: y / 2))
#: candidates with their kinds, and how many of each are asked for
drawn = st.tuples(
    st.lists(st.tuples(blocks, st.sampled_from(["station", "shop", "both"])), min_size=1, max_size=6),
    st.integers(0, 2),
    st.integers(0, 2),
)

#: the same where something is asked for that a candidate may become
asking = drawn.filter(
    lambda drawing: any(
        n and any(kind in (own, "both") for _, kind in drawing[0])
        for own, n in zip(KINDS, drawing[1:], strict=True)
    )
)


def drawn_plan(town: Town, drawing: tuple) -> Plan:
    listed, stations, shops = drawing
    kinds = {kind for _, kind in listed}
    stations = stations if kinds - {"shop"} else 0
    shops = shops if kinds - {"station"} else 0
    candidates = places([at for at, _ in listed], [kind for _, kind in listed])
    return town.plan(candidates=candidates, suggest=SuggestRule(stations=stations, shops=shops))


class Oracle:
    """Every plan there is, counted from dense travel times to the candidates; shares no code with the module."""

    def __init__(self, plan: Plan, **changed: object) -> None:
        limit = 60 * plan.study.minutes[-1]
        seconds = travel_times(plan.network, plan.demand, plan.candidates[["geometry"]], cutoff_s=limit).to_array()
        shop = min(limit, 60 * plan.study.shop_minutes)
        self.weight = changed.get("weight", plan.before.weight)
        self.today = plan.before.covered[:, -1]
        self.uses = {
            (str(i), kind): seconds[:, j] <= (limit if kind == "station" else shop)
            for j, (i, own) in enumerate(zip(plan.candidates.index, plan.candidates["kind"], strict=True))
            for kind in KINDS
            if own in (kind, "both")
        }

    def riders(self, uses: object) -> float:
        return math.fsum(self.weight[np.any([self.today, *(self.uses[u] for u in uses)], axis=0)])

    def best(self, stations: int, shops: int, barred: str = "") -> float:
        own = [u for u in self.uses if u[0] != barred]
        every = itertools.chain.from_iterable(
            itertools.combinations(own, n) for n in range(min(stations + shops, len(own)) + 1)
        )
        return max(
            self.riders(uses)
            for uses in every
            if len({i for i, _ in uses}) == len(uses)
            and sum(kind == "station" for _, kind in uses) <= stations
            and sum(kind == "shop" for _, kind in uses) <= shops
        )


def chosen_of(plan: Plan) -> list[tuple[str, str]]:
    return list(zip(plan.sites.index.astype(str), plan.sites["kind"], strict=True))


# ------------------------------------------------------------------------------- against every plan there is
@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawing=drawn)
def test_losses_substitutes_and_reach_are_those_of_every_plan_there_is(town: Town, drawing: tuple) -> None:
    plan = drawn_plan(town, drawing)
    made, oracle = explain_plan(plan, draws=0), Oracle(plan)
    check_losses(made, oracle, plan)
    check_substitutes(made, oracle, chosen_of(plan))
    check_reach(made, oracle)


def check_losses(made: Explanation, oracle: Oracle, plan: Plan) -> None:
    asked, chosen = (plan.study.suggest.stations, plan.study.suggest.shops), chosen_of(plan)
    assert made.objective == pytest.approx(oracle.best(*asked), abs=1e-9)
    for k, (use, row) in enumerate(zip(chosen, made.sites.itertuples(), strict=True)):
        rest = [*chosen[:k], *chosen[k + 1 :]]
        fewer = [sum(kind == own for _, kind in rest) for own in KINDS]
        assert row.lost_others_stay == pytest.approx(made.objective - oracle.riders(rest), abs=1e-9)
        assert row.lost_one_fewer == pytest.approx(made.objective - oracle.best(*fewer, barred=use[0]), abs=1e-9)
        assert row.lost_replaced == pytest.approx(made.objective - oracle.best(*asked, barred=use[0]), abs=1e-9)
        assert row.lost_others_stay >= row.lost_one_fewer >= row.lost_replaced >= 0
        assert row.is_proven


def check_substitutes(made: Explanation, oracle: Oracle, chosen: list[tuple[str, str]]) -> None:
    taken = {i for i, _ in chosen}
    for k, use in enumerate(chosen):
        rest = [*chosen[:k], *chosen[k + 1 :]]
        riders = {
            other[0]: oracle.riders([*rest, other])
            for other in oracle.uses
            if other[1] == use[1] and other[0] not in taken
        }
        loss = {i: made.objective - there for i, there in riders.items() if there > oracle.riders(rest) + 1e-9}
        within = {w: {i for i in loss if loss[i] <= w / 100 * made.objective + 1e-9} for w in (1, 2, 5)}
        told = made.substitutes[made.substitutes["id"] == use[0]].set_index("substitute_id")
        assert told["loss"].to_dict() == pytest.approx({i: loss[i] for i in within[5]}, abs=1e-9)
        assert (np.diff(told["loss"]) >= -1e-9).all()
        assert (told["kind"] == use[1]).all()
        row = made.sites.loc[use[0]]
        assert [row[f"within_{w}"] for w in (1, 2, 5)] == [len(within[w]) for w in (1, 2, 5)]
        for i, smallest in told["within"].items():
            assert smallest == min(w for w in within if i in within[w])


def check_reach(made: Explanation, oracle: Oracle) -> None:
    ever, reach = oracle.riders(oracle.uses), made.reach
    assert reach["out_of_reach"].sum() == pytest.approx(oracle.weight.sum() - ever, abs=1e-9)
    assert reach["covered"].sum() == pytest.approx(made.objective, abs=1e-9)
    assert reach["in_reach"].sum() == pytest.approx(ever - made.objective, abs=1e-9)
    by_zone = made.unreachable.groupby("zone_id")["riders"].sum()
    out = reach.loc[reach["out_of_reach"] > 0, "out_of_reach"]
    assert by_zone.to_dict() == pytest.approx(out.to_dict(), abs=1e-9)


# --------------------------------------------------------------------------------- against plans made anew
def row_of(made: Explanation, change: str, by: float, zone: object = None) -> pd.Series:
    rows = made.changes[(made.changes["change"] == change) & np.isclose(made.changes["by"], by)]
    return rows[rows["zone_id"].eq(zone) if zone is not None else rows["zone_id"].isna()].squeeze()


def check_against(anew: Plan, row: pd.Series, plan: Plan) -> None:
    """A row of the changes against the plan made under that change."""
    oracle = Oracle(anew)
    assert row["best"] == pytest.approx(anew.solution.objective, abs=1e-9)
    assert row["before"] == pytest.approx(totals(anew.before)["covered"][f"{anew.study.minutes[-1]:g}"], abs=1e-9)
    assert row["kept"] == pytest.approx(oracle.riders(chosen_of(plan)), abs=1e-9)
    assert row["loss"] == pytest.approx(row["best"] - row["kept"], abs=1e-9)
    assert row["is_best"] == (row["loss"] <= 1e-9)
    assert row["is_proven"]


@pytest.mark.slow
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawing=asking)
def test_a_change_gives_what_a_plan_made_under_it_gives(town: Town, drawing: tuple) -> None:
    plan = drawn_plan(town, drawing)
    made = explain_plan(plan, draws=0)
    for by in (-0.1, 0.1):
        kph = 3.6 * (1 + by)
        profile = TravelProfile("walk", "walk", kph, push_kph=kph, access_kph=kph)
        anew = suggest(plan.study, profile=profile)
        check_against(anew, row_of(made, "speed", by), plan)
    for by in (-1.0, 1.0):
        anew = suggest(plan.study, minutes=(5, 10 + by), roads=town.roads)
        check_against(anew, row_of(made, "cutoff", by), plan)
        shops = plan.study.shops.assign(minutes=3 + by)  # type: ignore[union-attr]
        anew = suggest(dataclasses.replace(plan.study, shop_minutes=3 + by, shops=shops), roads=town.roads)
        check_against(anew, row_of(made, "own_limit", by), plan)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawing=asking)
def test_changed_riders_give_what_choosing_anew_gives(town: Town, drawing: tuple) -> None:
    plan = drawn_plan(town, drawing)
    made = explain_plan(plan, draws=0)
    times = travel_times(plan.network, plan.demand, plan.candidates[["geometry"]], cutoff_s=600)
    for zone in ("Z1", "Z2"):
        for by in (-0.2, 0.2):
            is_here = (plan.demand["zone_id"] == zone).to_numpy()
            demand = plan.demand.assign(weight=plan.demand["weight"] * np.where(is_here, 1 + by, 1.0))
            today = cover(plan.before.times, demand, minutes=plan.study.minutes)
            asked = {"stations": plan.study.suggest.stations, "shops": plan.study.suggest.shops}
            _, anew, _ = choose_sites(plan.candidates, times, today, **asked, shop_minutes=3)
            row = row_of(made, "riders_zone", by, zone)
            assert row["best"] == pytest.approx(anew.objective, abs=1e-9)
            assert row["kept"] == pytest.approx(Oracle(plan, weight=today.weight).riders(chosen_of(plan)), abs=1e-9)
            assert row["riders"] == pytest.approx(math.fsum(demand["weight"]), abs=1e-9)


def test_a_choice_that_does_not_hold_says_so(town: Town) -> None:
    # C0 serves the riders in the east, C1 those in the west, nearly as many: a little turns the choice
    candidates = places([(12, 7), (0, 7)], ["station", "station"])
    depots = places([(12, 8), (0, 8)], ["station"] * 2).assign(riders=[50.0, 98.0])
    plan = town.plan(candidates=candidates, depots=depots, suggest=SuggestRule(stations=1, shops=0))
    made = explain_plan(plan, draws=30)
    turned = made.changes[~made.changes["is_best"]]
    assert len(turned)
    assert (turned["loss"] > 0).all()
    assert (turned["n_stay"] == 0).all()
    assert all(sites != tuple(plan.sites.index) for sites in turned["sites"])
    assert made.sites["n_stays"].tolist() == [len(made.changes) - len(turned)]


def test_draws_stay_within_a_fifth_and_depend_on_the_seed_alone(plan: Plan) -> None:
    one, again, other = (explain_plan(plan, draws=4, seed=seed).changes for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(one, again)
    assert not one["riders"].equals(other["riders"])
    drawn = one[one["change"] == "riders_draw"]
    assert drawn["by"].tolist() == [1, 2, 3, 4]
    assert drawn["riders"].between(0.8 * 100.5, 1.2 * 100.5).all()


def test_times_at_another_speed_are_those_of_a_network_read_at_it(town: Town) -> None:
    kph = 3.6 * 1.1
    profile = TravelProfile("walk", "walk", kph, push_kph=kph, access_kph=kph)
    read = read_roads(dataclasses.replace(town.study, profile=profile)).network
    np.testing.assert_allclose(at_speed(town.roads.network, 1.1).seconds, read.seconds, rtol=1e-12)


# -------------------------------------------------------------------------------------- with the plan itself
def test_gains_by_zone_and_cell_sum_to_those_of_the_plan(plan: Plan, why: Explanation) -> None:
    for frame in (why.zones, why.cells):
        gained = frame.groupby("id", sort=False)["riders_gained"].sum()
        assert gained.to_dict() == pytest.approx(plan.sites["riders_gained"].to_dict(), abs=1e-9)
    assert why.cells.groupby("id").size().to_dict() == plan.sites["cells_gained"].to_dict()
    told = totals(plan.after)["covered"]["10"], totals(plan.before)["covered"]["10"]
    assert why.objective == pytest.approx(told[0], abs=1e-9)
    assert why.gained == pytest.approx(told[0] - told[1], abs=1e-9)
    assert (why.cells["minutes_after"] <= 10).all()
    assert (why.cells["minutes_after"] < why.cells["minutes_before"]).all()


def test_a_plan_without_suggestions_says_what_is_out_of_reach(town: Town) -> None:
    made = explain_plan(town.plan(suggest=SuggestRule(stations=0, shops=0)))
    assert made.sites.empty
    assert made.substitutes.empty
    assert made.changes.empty
    assert made.gained == 0
    assert made.reach["riders"].sum() == pytest.approx(100.5, abs=1e-9)


def test_out_of_time_is_not_proven_and_still_told(plan: Plan) -> None:
    made = explain_plan(plan, draws=2, time_limit_s=0.0)
    proven = explain_plan(plan, draws=0).sites
    assert made.changes.empty
    assert not made.sites["is_proven"].any()
    for name in ("lost_one_fewer", "lost_replaced"):
        assert (made.sites[name] >= proven[name]).all()
    assert made.sites["lost_others_stay"].equals(proven["lost_others_stay"])
    assert plan_lines(dataclasses.replace(plan, explanation=made))


def test_a_plan_of_another_model_is_not_explained(plan: Plan) -> None:
    for sites in (plan.sites.iloc[:-1], plan.sites.iloc[::-1], plan.sites.rename(index={"C1": "nobody"})):
        with pytest.raises(InputError, match="not as it was made"):
            explain_plan(dataclasses.replace(plan, sites=sites))


@pytest.mark.parametrize("wrong", [{"draws": -1}, {"time_limit_s": -1.0}])
def test_what_is_negative_is_refused(plan: Plan, wrong: dict) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        explain_plan(plan, **wrong)


# --------------------------------------------------------------------------------------------- files, map, terminal
@pytest.fixture(scope="module")
def explained(plan: Plan, why: Explanation) -> Plan:
    return dataclasses.replace(plan, explanation=why)


def test_reasons_of_an_earlier_plan_do_not_stay_beside_a_plan_without(explained: Plan, tmp_path: Path) -> None:
    write_outputs(explained, tmp_path)
    (tmp_path / "notes.txt").write_text("ours", encoding="utf-8")
    written = write_outputs(dataclasses.replace(explained, explanation=None), tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {*(file.name for file in written), "notes.txt"}
    assert not (tmp_path / "explanations.json").exists()


def test_the_file_and_the_summary_tell_one_story(explained: Plan, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    assert [file.name for file in write_outputs(explained, first)][-2:] == ["explanations.json", "summary.json"]
    write_outputs(dataclasses.replace(explained, explanation=explain_plan(explained)), second)
    text = (first / "explanations.json").read_text(encoding="utf-8")
    assert text == (second / "explanations.json").read_text(encoding="utf-8")
    assert (first / "map.html").read_bytes() == (second / "map.html").read_bytes()
    told = json.loads(text, parse_constant=pytest.fail)
    summary = json.loads((first / "summary.json").read_text(encoding="utf-8"))
    after, before = (summary[mode]["covered"]["10"] for mode in ("after", "before"))
    assert told["objective"] == pytest.approx(after, abs=1e-9)
    assert told["gained"] == pytest.approx(after - before, abs=1e-9)
    assert math.fsum(zone["riders"] for zone in told["reach"]) == pytest.approx(
        summary["after"]["riders"], abs=1e-9
    )
    assert math.fsum(zone["covered"] for zone in told["reach"]) == pytest.approx(after, abs=1e-9)
    for site, same in zip(told["suggestions"], summary["suggestions"], strict=True):
        assert {key: site[key] for key in ("rank", "id", "name", "kind", "riders_gained")} == {
            key: same[key] for key in ("rank", "id", "name", "kind", "riders_gained")
        }
        for part in ("zones", "cells"):
            gained = math.fsum(row["riders_gained"] for row in site[part])
            assert gained == pytest.approx(site["riders_gained"], abs=1e-9)


def test_a_card_says_what_is_lost_and_what_could_take_its_place(explained: Plan) -> None:
    cards = [dict(place["card"]["rows"]) for place in suggestion_layer(explained, "zh")]
    plain = [dict(place["card"]["rows"]) for place in suggestion_layer(explained, "zh", is_explained=False)]
    assert all(
        set(more) - set(few) == {"若取消", "可替代点", "稳健性"} for more, few in zip(cards, plain, strict=True)
    )
    assert cards[0]["若取消"] == "少服务 23 人，另选他处则少 4 人"
    assert cards[0]["可替代点"] == "没有：都少 5% 以上，或无人可增"
    assert cards[1]["可替代点"] == ["书店 少 2 人"]
    assert cards[0]["稳健性"] == "30/30 种变化仍入选"
    english = [dict(place["card"]["rows"]) for place in suggestion_layer(explained, "en")]
    assert english[0]["Without it"] == "23 riders fewer, 4 riders fewer with other sites"
    assert english[1]["Substitutes"] == ["书店, 2 riders fewer"]


def suggestion_layer(plan: Plan, lang: str, *, is_explained: bool = True) -> list[dict]:
    shown = plan if is_explained else dataclasses.replace(plan, explanation=None)
    return draw_map(shown, lang=lang)._children["places"].data["suggestion"]  # type: ignore[arg-type, attr-defined]


def test_the_terminal_gives_the_reasons_in_both_languages(explained: Plan) -> None:
    chinese = plan_lines(explained)
    english = plan_lines(dataclasses.replace(explained, study=dataclasses.replace(explained.study, lang="en")))
    assert len(chinese) == len(english)
    assert "     用时 13.8 → 5.4 分钟；若取消，少服务 23 人，另选他处则少 4 人；无可替代点" in chinese
    assert "  速度、时限、骑手的 30 种变化：30 种下仍是最优。" in chinese
    assert "  任何候选点都服务不到的骑手：9 人。" in chinese
    assert "  Beyond the reach of every candidate: 9 riders." in english


def test_what_is_not_proven_is_not_said_to_be(explained: Plan, why: Explanation) -> None:
    doubtful = dataclasses.replace(
        why, sites=why.sites.assign(is_proven=False), changes=why.changes.assign(is_proven=False)
    )
    told = "\n".join(plan_lines(dataclasses.replace(explained, explanation=doubtful)))
    assert "另选他处则至多少 4 人" in told
    assert "未全部证明" in told


def test_less_than_one_rider_is_never_told_as_one(explained: Plan, why: Explanation) -> None:
    little = dataclasses.replace(why, sites=why.sites.assign(lost_others_stay=0.7, lost_replaced=0.0))
    rows = dict(reason_rows(dataclasses.replace(explained, explanation=little), "C1", Words("zh")))
    assert rows["若取消"] == "少服务 <1 人，另选他处则少 0 人"


def test_a_choice_that_is_not_proven_today_is_not_best_still(explained: Plan) -> None:
    solution = dataclasses.replace(explained.solution, status="feasible")
    told = "\n".join(plan_lines(dataclasses.replace(explained, solution=solution)))
    assert "仍是最优" not in told
    assert "30 种变化：30 种下已证明最优" in told


def test_no_more_is_told_as_lost_than_as_gained(explained: Plan, why: Explanation) -> None:
    # the gain of 23.7 may be shown as 23, so that the gains add up
    much = dataclasses.replace(why, sites=why.sites.assign(lost_others_stay=why.sites["riders_gained"] + 0.49))
    shown = suggestion_layer(dataclasses.replace(explained, explanation=much), "zh")
    for place in shown:
        gained, lost = place["gain"], dict(place["card"]["rows"])["若取消"]
        assert lost.startswith(f"少服务 {gained.lstrip('+')}，")


@pytest.mark.parametrize(
    ("gained", "lost", "rule", "told"),
    [
        (0.0, 2.0, None, True),
        (0.0, 0.4, None, True),
        (0.4, 0.4, None, False),
        (0.0, 0.0, None, False),
        (0.0, 0.0, "must", True),
    ],
)
def test_a_suggestion_that_gains_nobody_says_what_it_is_there_for(
    explained: Plan, why: Explanation, *, gained: float, lost: float, rule: str | None, told: bool
) -> None:
    site_id = why.sites.index[0]
    sites = why.sites.astype({"needed_by": object})
    sites.loc[site_id, ["riders_gained", "lost_others_stay", "needed_by"]] = [gained, lost, rule]
    plan = dataclasses.replace(explained, explanation=dataclasses.replace(why, sites=sites))
    line = reason_line(plan, site_id, Words("zh"))
    assert line.startswith("若取消，") if told else line == ""
