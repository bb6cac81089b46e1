"""Parameters: the shipped profiles, what a number of minutes means, and what is refused."""

import pytest

from servicecircle.errors import InputError
from servicecircle.params import PROFILES, TravelProfile, check_direction, travel_profile


def test_the_shipped_profiles_are_those_of_the_docs() -> None:
    speeds = {name: profile.speed_kph for name, profile in PROFILES.items()}
    assert speeds == {"walk": 3.6, "ebike": 15.0, "drive": None, "gb50180": 3.6}
    assert {profile.access_kph for profile in PROFILES.values()} == {3.6}
    assert all(profile.name == name for name, profile in PROFILES.items())


def test_a_minute_is_60_seconds() -> None:
    assert [PROFILES[name].cutoff_s(m) for name in ("walk", "ebike", "drive") for m in (10, 0.5)] == [600, 30] * 3


def test_the_standard_has_cutoffs_of_its_own_and_no_others() -> None:
    standard = travel_profile("gb50180")
    assert [standard.cutoff_s(m) for m in (5, 10, 15)] == [300, 500, 1000]
    with pytest.raises(InputError, match="`minutes` 20 is not defined by `gb50180`; it knows 5, 10, 15") as raised:
        standard.cutoff_s(20)
    assert "没有 20 分钟" in raised.value.zh


def test_a_facilitys_own_limit_need_not_be_of_the_standard() -> None:
    assert [PROFILES["gb50180"].own_cutoff_s(m) for m in (5, 8)] == [300, 480]


def test_a_profile_is_taken_by_name_or_as_it_is() -> None:
    slow = TravelProfile("slow", "walk", 2.0)
    assert travel_profile(slow) is slow
    assert travel_profile("walk") is PROFILES["walk"]
    with pytest.raises(InputError, match="one of walk, ebike, drive, gb50180; got 'fly'") as raised:
        travel_profile("fly")
    assert "出行方式" in raised.value.zh


@pytest.mark.parametrize("kph", [0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["speed_kph", "push_kph", "access_kph"])
def test_a_speed_must_be_above_zero_and_finite(name: str, kph: float) -> None:
    with pytest.raises(InputError, match=f"`{name}` must be above 0"):
        TravelProfile(**{"name": "x", "roads": "walk", "speed_kph": 5.0} | {name: kph})


def test_profiles_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        PROFILES["walk"].speed_kph = 5.0
    with pytest.raises(TypeError):
        PROFILES["gb50180"].cutoffs_s[20.0] = 1.0


def test_a_direction_is_to_or_from() -> None:
    assert [check_direction(d) for d in ("to", "from")] == ["to", "from"]
    with pytest.raises(InputError, match="`direction` must be 'to' or 'from', got 'both'"):
        check_direction("both")
