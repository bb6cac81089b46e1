"""Traditional and Simplified characters: one for comparing, each as it is where it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.amenities import fold_amenities
from servicecircle.chinese import everyday_characters, simplified
from servicecircle.datum import datum_named
from servicecircle.headers import SYNONYMS, field_of, fold, is_personal
from servicecircle.ledgers import frame_of_points
from servicecircle.readers import read_table


@pytest.fixture(scope="module")
def traditional():
    from opencc import OpenCC

    return OpenCC("s2t").convert


@given(st.text(max_size=20), st.text(max_size=20))
def test_folding_goes_character_by_character_and_holds(a: str, b: str) -> None:
    assert simplified(a + b) == simplified(a) + simplified(b)
    assert simplified(simplified(a)) == simplified(a)
    assert len(simplified(a)) == len(a)


def test_every_known_header_is_known_in_traditional_characters_too(traditional) -> None:
    every = [(field, word) for field, words in SYNONYMS.items() for word in words]
    assert [word for field, word in every if field_of(traditional(word)) != field] == []


def test_persons_datums_and_amenities_are_found_in_traditional_characters(traditional) -> None:
    for header in ("联系电话", "负责人", "党员身份", "出生日期"):
        assert is_personal(traditional(header))
    assert is_personal("備註", ("中共黨員", "共青團員"))
    assert datum_named("百度坐標系") == "bd09"
    assert datum_named("騰訊") == "gcj02"
    text = "飲用水、冰箱、充電、衛生間、藥品、打氣筒、換電、儲物櫃、雨傘"
    assert fold_amenities(text) == fold_amenities(simplified(text))
    assert fold_amenities(text).not_understood == ()


def test_what_is_shown_stays_as_it_was(tmp_path: Path) -> None:
    text = "編號,名稱,經度,緯度,類型,備註\n1,臺灣街驛站,113.38,22.51,驛站,靠近北門\n2,紅星,113.39,22.52,愛心商鋪,\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    reading = frame_of_points(read_table(tmp_path / "a.csv"), "candidates")
    assert reading.faults == ()
    assert reading.frame["kind"].tolist() == ["station", "shop"]
    assert reading.frame.loc["1", ["name", "備註"]].tolist() == ["臺灣街驛站", "靠近北門"]
    assert fold("臺灣街") == fold("台湾街")


def test_everyday_characters() -> None:
    every = everyday_characters()
    assert (len(every), every["站"], every["驿"]) == (6763, 1.0, 0.5)
    assert "喆" not in every
