"""Services: words become codes, and what is no service is told."""

from __future__ import annotations

import pytest

from servicecircle.amenities import AMENITIES
from servicecircle.errors import InputError
from servicecircle.services import fold_services, told_services


def test_words_in_both_languages_and_codes_mean_the_same() -> None:
    for code, amenity in AMENITIES.items():
        for word in (code, amenity.zh, amenity.en):
            assert fold_services([word]) == (code,)
    assert fold_services(["换电柜", "hot water"]) == ("battery_swap", "hot_water")


def test_one_of_several_is_written_with_a_bar() -> None:
    for text in ("充电|换电", "换电 或 充电", "phone charging or battery swap", "换电｜充电"):
        assert fold_services([text]) == ("battery_swap|charging",)
    assert fold_services(["充电|换电", "换电|充电", "热水"]) == ("battery_swap|charging", "hot_water")


def test_any_and_an_empty_list_ask_for_nothing() -> None:
    assert fold_services([]) == fold_services(["any"]) == fold_services(["不限"]) == ()


def test_a_studys_own_words_count() -> None:
    words = {"暖心水": "hot_water", "按摩椅": "massage"}
    assert fold_services(["暖心水", "按摩椅", "massage"], words=words) == ("hot_water", "massage")
    with pytest.raises(InputError, match="knows no service"):
        fold_services(["massage"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hot wter", "did you mean 'hot water'"),
        ("xyz", "Write e.g. 热水"),
        ("", "knows no service"),
        ("饮水休息充电", "names several services"),
        ("微波炉(坏)", "knows no service"),
        ("无热水", "knows no service"),
        ("热水|", "knows no service"),
    ],
)
def test_what_is_no_service_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        fold_services([text])


def test_a_question_has_an_end() -> None:
    with pytest.raises(InputError, match="at most 20 services, got 21"):
        fold_services(["热水"] * 21)


def test_services_are_told_in_words() -> None:
    assert told_services(("hot_water", "battery_swap|charging"), "zh") == "热水＋换电或充电"
    assert told_services(("hot_water", "massage"), "en") == "hot water and massage"
