"""The week by hour: against a simulation of every minute, and the five programmes' 24-hour point."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
from drawing import draw, walk_times
from hypothesis import given, settings
from hypothesis import strategies as st
from test_coverage import at_nodes

from servicecircle.coverage import cover, totals
from servicecircle.errors import InputError
from servicecircle.hours import parse_hours
from servicecircle.hours_week import UNKNOWN_HOURS, WEEK_MIN, OpeningHours, week_states
from servicecircle.model import Network, TravelTimes
from servicecircle.week import cover_week

RIDERS = {"A": 3.25, "B": 4.5, "C": 0.1, "D": 7.0, "E": 1.0}


def street() -> tuple[TravelTimes, gpd.GeoDataFrame, dict[str, int], Network]:
    """Five places 300 m apart, 1 m/s; stations s, t, u in the first, the third and the last."""
    node, network = draw("A--B--C--D--E")
    demand = at_nodes(network, node, weight=list(RIDERS.values()), cell_id=["a", "a", "b", "b", "c"])
    times = walk_times(network, demand, {"s": node["A"], "t": node["C"], "u": node["E"]})
    return times, demand, node, network


# ------------------------------------------------------------------------------------------------ the simulation
@st.composite
def a_week(draw_one: st.DrawFn) -> OpeningHours:
    """Hours with open and unknown spans anywhere in the week, and holidays of each sort."""
    ends = sorted(draw_one(st.sets(st.integers(0, WEEK_MIN), max_size=12)))
    spans = list(zip(ends[::2], ends[1::2], strict=False))
    is_unknown = draw_one(st.lists(st.booleans(), min_size=len(spans), max_size=len(spans)))
    holidays = draw_one(st.sampled_from([None, True, False]))
    own = ((600, 700), (1430, 1440)) if holidays and draw_one(st.booleans()) else None
    return OpeningHours(
        tuple(s for s, odd in zip(spans, is_unknown, strict=True) if not odd),
        tuple(s for s, odd in zip(spans, is_unknown, strict=True) if odd),
        holidays,
        own,
    )


def simulated(times: TravelTimes, weight: np.ndarray, hours: list[OpeningHours], minutes: float, **how) -> list:
    """Riders covered in each hour: every minute asks every facility whether it is open."""
    seconds = times.to_array()
    riders = {}
    hourly = []
    for weekday, hour in itertools.product(range(7), range(24)):
        so_far = 0.0
        for minute in range(60):
            states = [one.is_open(weekday, 60 * hour + minute, holiday=how["holiday"]) for one in hours]
            is_open = tuple(state or (state is None and how["unknown"]) for state in states)
            if is_open not in riders:
                reached = (seconds[:, list(is_open)] <= 60 * minutes).any(axis=1)
                riders[is_open] = float(weight[reached].sum())
            so_far += riders[is_open]
        hourly.append(so_far / 60)
    return hourly


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.lists(a_week(), min_size=3, max_size=3))
def test_every_hour_is_the_mean_of_its_minutes(hours: list[OpeningHours]) -> None:
    times, demand, _, _ = street()
    week = cover_week(times, demand, hours, minutes=(3, 6))
    weight = demand["weight"].to_numpy()
    for b, minutes in enumerate((3, 6)):
        for name, how in (
            ("covered", {"unknown": True, "holiday": False}),
            ("at_least", {"unknown": False, "holiday": False}),
            ("holiday", {"unknown": True, "holiday": True}),
            ("holiday_at_least", {"unknown": False, "holiday": True}),
        ):
            told = getattr(week, name)[:, b].tolist()
            assert told == pytest.approx(simulated(times, weight, hours, minutes, **how), abs=1e-9)


@settings(max_examples=25)
@given(a_week(), st.booleans())
def test_the_states_of_a_week_are_those_of_each_minute(hours: OpeningHours, holiday: bool) -> None:
    states = week_states(hours, holiday=holiday).tolist()
    for minute in range(0, WEEK_MIN, 7):
        told = hours.is_open(minute // 1440, minute % 1440, holiday=holiday)
        assert states[minute] == (-1 if told is None else int(told))


# ---------------------------------------------------------------------------------------------------- by hand
def test_an_hour_in_which_nothing_turns_is_the_coverage_of_those_open() -> None:
    times, demand, node, network = street()
    week = cover_week(times, demand, [parse_hours(t) for t in ("9-17点", "0:00-24:00", "周一休息")], minutes=(3, 6))
    t_alone = cover(walk_times(network, demand, {"t": node["C"]}), demand, minutes=(3, 6))
    all_but_u = cover(walk_times(network, demand, {"s": node["A"], "t": node["C"]}), demand, minutes=(3, 6))
    assert week.at_least[3].tolist() == list(totals(t_alone)["covered"].values())
    assert week.at_least[10].tolist() == list(totals(all_but_u)["covered"].values())


def test_a_station_open_from_9_to_17_covers_nobody_at_20() -> None:
    _, demand, node, network = street()
    one = walk_times(network, demand, {"s": node["A"]})
    week = cover_week(one, demand, [parse_hours("9:00-17:00")], minutes=(6,))
    frame = week.to_frame()
    assert (frame.loc[frame["hour"] == 20, "covered_6"] == 0).all()
    assert (frame.loc[frame["hour"] == 9, "covered_6"] > 0).all()
    assert week.rider_hours_share == {"6": pytest.approx(7.75 / 15.85 * 8 / 24)}


def test_a_half_hour_is_half_an_hour() -> None:
    _, demand, node, network = street()
    one = walk_times(network, demand, {"s": node["A"]})
    week = cover_week(one, demand, [parse_hours("周一 9:30-17:15")], minutes=(6,))
    assert week.covered[9, 0] == 7.75 / 2
    assert week.covered[17, 0] == 7.75 / 4
    assert week.covered[24:].sum() == 0


def test_the_24_hour_point_lifts_the_night_and_no_hour_of_the_day_falls() -> None:
    times, demand, _, _ = street()
    by_day = [parse_hours("9:00-21:00"), parse_hours("8:00-20:00"), parse_hours("9:00-17:00")]
    without = cover_week(times, demand, by_day, minutes=(6,), serves=np.array([True, True, False]))
    lifted = cover_week(times, demand, [*by_day[:2], parse_hours("24小时")], minutes=(6,))
    night = [h for h in range(168) if h % 24 >= 22 or h % 24 < 6]
    assert (without.covered[night] == 0).all()
    assert (lifted.covered[night] == 8.0).all()
    assert (lifted.covered >= without.covered).all()
    assert without.night.places.empty
    assert lifted.night.places.to_dict("index") == {"u": {"riders": 8.0, "only_riders": 8.0, "only_at_least": 8.0}}
    assert lifted.night.covered == 8.0


def test_who_depends_on_one_place_at_night() -> None:
    times, demand, _, _ = street()
    hours = [parse_hours("24小时"), parse_hours("24小时"), UNKNOWN_HOURS]
    night = cover_week(times, demand, hours, minutes=(6,)).night
    # s reaches A and B, t reaches B, C and D, u (unknown) D and E
    assert night.places["riders"].to_dict() == {"s": 7.75, "t": 11.6}
    assert night.places["only_riders"].to_dict() == {"s": 3.25, "t": pytest.approx(7.1)}
    assert night.places["only_at_least"].to_dict() == {"s": 3.25, "t": pytest.approx(0.1)}
    assert (night.n_unknown, night.covered) == (1, pytest.approx(14.85))


def test_unknown_hours_make_a_range() -> None:
    _, demand, node, network = street()
    one = walk_times(network, demand, {"s": node["A"]})
    week = cover_week(one, demand, [parse_hours("9:00-17:30，午休")], minutes=(6,))
    assert (week.at_least[12, 0], week.covered[12, 0]) == (0, 7.75)
    assert (week.at_least[11, 0], week.covered[11, 0]) == (7.75 / 2, 7.75)
    assert week.n_open[12] == 1


def test_no_place_at_all_covers_nobody_in_any_hour() -> None:
    times, demand, _, _ = street()
    week = cover_week(times, demand, [UNKNOWN_HOURS] * 3, minutes=(6,), serves=np.zeros(3, dtype=bool))
    assert not week.covered.any()
    assert week.night.places.empty


def test_what_does_not_fit_is_told() -> None:
    times, demand, _, _ = street()
    with pytest.raises(InputError, match="`hours` are of 2 facilities, `times` has 3"):
        cover_week(times, demand, [UNKNOWN_HOURS] * 2)
    with pytest.raises(InputError, match="lies beyond the cutoff"):
        cover_week(times, demand, [UNKNOWN_HOURS] * 3, minutes=(1000,))
    with pytest.raises(InputError, match="not the demand of `times`"):
        cover_week(times, demand[::-1], [UNKNOWN_HOURS] * 3)
