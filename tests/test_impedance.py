"""Impedance: what each profile makes of OpenStreetMap tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.impedance import (
    CLASSES,
    DRIVE_KPH,
    TAG_KEYS,
    joint_rule,
    main_class,
    parse_maxspeed,
    tag_values,
    way_rule,
)
from servicecircle.params import PROFILES, TravelProfile

WALK, EBIKE, DRIVE = PROFILES["walk"], PROFILES["ebike"], PROFILES["drive"]


def tags(text):
    """`highway=residential oneway=yes` as a mapping."""
    return dict(pair.split("=", 1) for pair in text.split())


def kph(text, profile):
    rule = way_rule(tags(text), profile)
    return rule.forward_kph, rule.backward_kph


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("highway=residential", (3.6, 3.6)),
        ("highway=residential oneway=yes", (3.6, 3.6)),
        ("highway=footway oneway:foot=yes", (3.6, 0)),
        ("highway=steps", (3.6, 3.6)),
        ("highway=cycleway", (3.6, 3.6)),
        ("highway=motorway", (0, 0)),
        ("highway=motorway_link", (0, 0)),
        ("highway=primary motorroad=yes", (0, 0)),
        ("highway=trunk", (0, 0)),
        ("highway=trunk_link", (0, 0)),
        ("highway=trunk sidewalk=no", (0, 0)),
        ("highway=trunk sidewalk=both", (3.6, 3.6)),
        ("highway=trunk sidewalk:left=yes", (3.6, 3.6)),
        ("highway=trunk foot=yes", (3.6, 3.6)),
        ("highway=residential foot=no", (0, 0)),
        ("highway=residential access=no", (0, 0)),
        ("highway=residential access=no foot=yes", (3.6, 3.6)),
        ("highway=service access=private", (3.6, 3.6)),
        ("highway=pedestrian area=yes", (3.6, 3.6)),
        ("highway=service area=yes", (0, 0)),
        ("highway=construction", (0, 0)),
        ("highway=proposed", (0, 0)),
        ("highway=abandoned", (0, 0)),
    ],
)
def test_walking(text, expected):
    assert kph(text, WALK) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("highway=residential", (15, 15)),
        ("highway=residential oneway=yes", (15, 0)),
        ("highway=residential oneway=-1", (0, 15)),
        ("highway=residential oneway=yes oneway:bicycle=no", (15, 15)),
        ("highway=residential oneway=yes cycleway=opposite_lane", (15, 15)),
        ("highway=residential oneway=yes cycleway:left=opposite_track", (15, 15)),
        ("highway=residential oneway=yes cycleway:left:oneway=-1", (15, 15)),
        ("highway=residential junction=roundabout", (15, 0)),
        ("highway=cycleway", (15, 15)),
        ("highway=footway", (3.6, 3.6)),
        ("highway=footway oneway=yes", (3.6, 3.6)),
        ("highway=footway bicycle=yes", (15, 15)),
        ("highway=path bicycle=designated", (15, 15)),
        ("highway=pedestrian", (3.6, 3.6)),
        ("highway=service access=private", (3.6, 3.6)),
        ("highway=service access=private oneway=yes", (3.6, 3.6)),
        ("highway=residential access=no", (0, 0)),
        ("highway=residential bicycle=no", (0, 0)),
        ("highway=residential bicycle=dismount", (3.6, 3.6)),
        ("highway=steps", (0, 0)),
        ("highway=motorway", (0, 0)),
        ("highway=trunk", (0, 0)),
        ("highway=trunk cycleway=no", (0, 0)),
        ("highway=trunk cycleway=track", (15, 15)),
        ("highway=trunk cycleway:right=lane oneway=yes", (15, 0)),
        ("highway=trunk sidewalk=right", (15, 15)),
        ("highway=trunk bicycle=yes", (15, 15)),
    ],
)
def test_riding_an_ebike(text, expected):
    assert kph(text, EBIKE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("highway=residential", (30, 30)),
        ("highway=primary maxspeed=50", (50, 50)),
        ("highway=primary maxspeed=fast", (60, 60)),
        ("highway=primary maxspeed=50 maxspeed:backward=40", (50, 40)),
        ("highway=primary maxspeed=0", (0, 0)),
        ("highway=primary maxspeed:forward=0", (0, 60)),
        ("highway=primary oneway=yes", (60, 0)),
        ("highway=primary oneway=-1 maxspeed=40", (0, 40)),
        ("highway=tertiary junction=roundabout", (40, 0)),
        ("highway=motorway", (100, 0)),
        ("highway=motorway oneway=no", (100, 100)),
        ("highway=trunk", (80, 80)),
        ("highway=footway", (0, 0)),
        ("highway=track", (0, 0)),
        ("highway=service access=private", (0, 0)),
        ("highway=service access=no motor_vehicle=yes", (20, 20)),
        ("highway=residential motor_vehicle=no", (0, 0)),
        ("highway=service area=yes", (0, 0)),
    ],
)
def test_driving(text, expected):
    assert kph(text, DRIVE) == expected


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("50", 50),
        ("50 km/h", 50),
        ("50km/h", 50),
        ("30 mph", 48.28032),
        ("CN:urban", 50),
        ("CN:rural", 70),
        ("CN:motorway", 120),
        ("walk", 5),
        ("none", 120),
        ("50;60", 50),
        ("60|50", 50),
        ("DE:zone:30", 30),
        ("DE:zone30", 30),
        ("12.5", 12.5),
        ("0", 0),
        ("signals", None),
        ("variable", None),
        ("-50", None),
        ("5000", None),
        ("", None),
        (None, None),
    ],
)
def test_maxspeed(text, speed):
    assert parse_maxspeed(text) == (None if speed is None else pytest.approx(speed))


def test_the_report_can_count_why_a_way_is_closed_or_how_it_is_open():
    notes = {text: way_rule(tags(text), EBIKE).notes for text in ("highway=trunk", "highway=footway")}
    assert notes == {"highway=trunk": ("trunk_left_out",), "highway=footway": ("pushed",)}
    assert way_rule({}, WALK).notes == ("class_missing",)
    assert way_rule(tags("highway=service access=private"), WALK).notes == ("private",)
    assert way_rule(tags("highway=primary"), DRIVE).notes == ("maxspeed_missing",)
    assert way_rule(tags("highway=primary maxspeed=fast"), DRIVE).notes == ("maxspeed_unreadable",)
    assert way_rule(tags("highway=primary maxspeed=0"), DRIVE).notes == ("speed_zero",)
    assert way_rule(tags("highway=platform"), WALK).notes == ("not_street",)


def test_a_study_may_admit_every_trunk_road():
    assert way_rule({"highway": "trunk"}, WALK, admit_trunk=True).forward_kph == 3.6
    assert way_rule({"highway": "trunk"}, EBIKE, admit_trunk=True).forward_kph == 15
    assert not way_rule({"highway": "motorway"}, EBIKE, admit_trunk=True).is_open


def test_an_ebike_is_never_faster_than_the_law_builds_it():
    assert way_rule({"highway": "residential"}, TravelProfile("fast", "ebike", 40.0)).forward_kph == 25.0


def test_a_street_without_a_class_counts_as_residential():
    assert way_rule({}, DRIVE).forward_kph == DRIVE_KPH["residential"]


def test_of_merged_ways_the_slowest_counts_and_each_must_be_open():
    merged = {"highway": ("footway", "residential")}
    assert joint_rule(merged, EBIKE).forward_kph == 3.6
    assert joint_rule(merged, WALK).is_open
    assert not joint_rule(merged, DRIVE).is_open
    assert joint_rule({"highway": ("primary",), "maxspeed": ("40", "60")}, DRIVE).forward_kph == 40
    assert not joint_rule({"highway": ("residential", "steps")}, EBIKE).is_open


def test_the_most_important_class_names_a_merged_street():
    assert main_class(("footway", "primary", "service")) == "primary"
    assert main_class(()) == ""


def test_lists_as_text_are_read_but_never_run():
    assert tag_values("['a', 'b', 'a']") == ("a", "b")
    assert tag_values("[__import__('os').getcwd()]") == ("[__import__('os').getcwd()]",)
    assert tag_values(["b", "a"]) == ("a", "b")
    assert tag_values(float("nan")) == tag_values(None) == tag_values(" ") == ()
    assert tag_values("True") == tag_values(True) == ("yes",)


VALUES = (
    "yes",
    "no",
    "private",
    "designated",
    "-1",
    "opposite",
    "both",
    "none",
    "roundabout",
    "50",
    "0",
    "signals",
)


@given(
    st.fixed_dictionaries(
        {"highway": st.sampled_from(CLASSES)},
        optional={key: st.sampled_from(VALUES) for key in sorted(TAG_KEYS - {"highway"})},
    ),
    st.sampled_from([WALK, EBIKE, DRIVE]),
)
def test_any_tags_give_a_speed_between_closed_and_the_fastest(way, profile):
    rule = way_rule(way, profile)
    fastest = {"walk": 3.6, "ebike": 15.0, "drive": 120.0}[profile.name]
    assert 0 <= rule.forward_kph <= fastest
    assert 0 <= rule.backward_kph <= fastest
    if way.get("access") == "no" and not {"foot", "bicycle", "vehicle", "motor_vehicle", "motorcar"} & way.keys():
        assert not rule.is_open


@pytest.mark.parametrize("profile", [WALK, EBIKE, DRIVE], ids=lambda p: p.name)
@pytest.mark.parametrize("access", ["no", "military", "emergency"])
def test_a_way_for_soldiers_or_ambulances_only_is_closed_to_all(profile, access):
    assert kph(f"highway=service access={access}", profile) == (0, 0)
