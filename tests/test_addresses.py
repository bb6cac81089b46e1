"""Addresses as they are asked, and the file of kept answers, which anybody may have written."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_study import write_tiny_study

import servicecircle as sc
from servicecircle.addresses import (
    ANSWERS_FILE,
    QUALITIES,
    AddressMatch,
    GeocodeRule,
    checked_host,
    plain_address,
    read_answers,
    write_answers,
)
from servicecircle.errors import InputError

KEY = GeocodeRule("nominatim").key_of("东街1号")
GOOD = AddressMatch("exact", 113.38, 22.51, level="门牌号", matched="东街1号")


def whole(answers: object, **more: object) -> str:
    return json.dumps({"format": "servicecircle geocoded addresses", "version": 1, "answers": answers} | more)


# ------------------------------------------------------------------------------------------------------- asking
@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("　东街１号 \n", "东街1号"),
        ("东街1号|西街2号", "东街1号 西街2号"),
        ("东街1号（张三 １３８００１３８０００）", "东街1号( )"),
        ("身份证110101199003070000住东街", "身份证 住东街"),
        ("\x00\u202e\ufeff", ""),
        ("<b>东街</b>&key=x", "<b>东街</b>&key=x"),
    ],
)
def test_an_address_is_asked_plainly(cell: str, address: str) -> None:
    assert plain_address(cell) == address


@pytest.mark.slow
@given(st.text(max_size=60))
def test_a_plain_address_is_one_line_and_stays_as_it_is(cell: str) -> None:
    plain = plain_address(cell)
    assert plain_address(plain) == plain
    assert plain == " ".join(plain.split())


def test_whatever_changes_the_question_changes_its_key() -> None:
    rules = [
        GeocodeRule("nominatim"),
        GeocodeRule("amap"),
        GeocodeRule("amap", city="郑州市"),
        GeocodeRule("nominatim", host="https://a.example"),
    ]
    assert len({rule.key_of("东街") for rule in rules}) == len(rules)
    assert GeocodeRule("amap", accept="area", per_second=1).key_of("东街") == GeocodeRule("amap").key_of("东街")
    assert GeocodeRule("amap", city="a").key_of("b") != GeocodeRule("amap").key_of("ab")


@pytest.mark.parametrize(
    "host", ["", "http://", "https://a b", "file:///etc/passwd", "a?x", "a#x", "u@a", "a:0", "a:x", "中文"]
)
def test_what_is_no_server_is_refused(host: str) -> None:
    with pytest.raises(InputError):
        checked_host(host)


# ------------------------------------------------------------------------------------------------------- keeping
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
MATCHES = st.builds(
    AddressMatch,
    st.sampled_from(QUALITIES),
    st.floats(-180, 180).filter(bool),
    st.floats(-90, 90),
    level=TEXT,
    confidence=TEXT,
    matched=TEXT,
    n_places=st.integers(1, 9),
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text("0123456789abcdef", min_size=64, max_size=64), MATCHES, max_size=5))
def test_answers_come_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, answers: dict) -> None:
    file = tmp_path_factory.mktemp("kept") / ANSWERS_FILE
    write_answers(file, answers)
    back, trouble = read_answers(file)
    assert trouble is None
    assert back.keys() == answers.keys()
    assert all((back[k].quality, back[k].lon, back[k].lat) == (m.quality, m.lon, m.lat) for k, m in answers.items())
    first = file.read_bytes()
    write_answers(file, back)
    write_answers(file, back)
    assert read_answers(file)[0] == back
    assert len(file.read_bytes()) <= len(first)


def test_answers_of_two_runs_are_both_kept(tmp_path: Path) -> None:
    other = GeocodeRule("nominatim").key_of("西街2号")
    write_answers(tmp_path / ANSWERS_FILE, {KEY: GOOD})
    write_answers(tmp_path / ANSWERS_FILE, {other: AddressMatch("none")})
    assert set(read_answers(tmp_path / ANSWERS_FILE)[0]) == {KEY, other}


def test_no_file_is_no_trouble(tmp_path: Path) -> None:
    assert read_answers(tmp_path / ANSWERS_FILE) == ({}, None)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "null", "[]", "{}", "\x00", '{"format": NaN}', '{"answers": {}}', whole(None),
     whole([1]), whole({}, version=2), whole({}, format="x"), "\ufffe", "1" * 5000],
)  # fmt: skip
def test_a_file_that_is_no_cache_is_told_and_counts_as_empty(tmp_path: Path, text: str) -> None:
    file = tmp_path / ANSWERS_FILE
    file.write_text(text, encoding="utf-8")
    answers, trouble = read_answers(file)
    assert answers == {}
    assert trouble is not None


def test_bytes_that_are_no_text_a_folder_and_a_pipe_are_told(tmp_path: Path) -> None:
    file = tmp_path / ANSWERS_FILE
    file.write_bytes(b"\xff\xfe\x80\x04\x95")
    assert read_answers(file)[1] is not None
    file.unlink()
    os.mkfifo(file)
    assert read_answers(file)[1] is not None
    file.unlink()
    file.mkdir()
    assert read_answers(file)[1] is not None


@pytest.mark.parametrize(
    "change",
    [
        {"quality": "perfect"},
        {"quality": None},
        {"quality": ["exact"]},
        {"lon": None},
        {"lon": 200},
        {"lat": "north"},
        {"lat": -90.1},
        {"lon": 0, "lat": 0},
        {"lon": True},
        {"lon": 10**400},
    ],
)
def test_an_answer_that_cannot_be_is_left_out_and_told(tmp_path: Path, change: dict) -> None:
    row = {"quality": "exact", "lon": 113.38, "lat": 22.51} | change
    other = GeocodeRule("nominatim").key_of("西街2号")
    file = tmp_path / ANSWERS_FILE
    file.write_text(whole({KEY: row, other: {"quality": "none"}, "../../etc": row}), encoding="utf-8")
    answers, trouble = read_answers(file)
    assert set(answers) == {other}
    assert trouble is not None
    assert "2 answer(s)" in trouble[0]


def test_texts_of_a_kept_answer_are_short_and_cannot_turn_a_terminal(tmp_path: Path) -> None:
    row = {
        "quality": "exact",
        "lon": 113.38,
        "lat": 22.51,
        "matched": "\x1b[31m<b>\n\u202e" + "x" * 9999,
        "level": {},
    }
    file = tmp_path / ANSWERS_FILE
    file.write_text(whole({KEY: row}), encoding="utf-8")
    match = read_answers(file)[0][KEY]
    assert match.matched.startswith("[31m<b> x")
    assert (len(match.matched), match.level) == (200, "")


def test_a_hostile_file_beside_a_study_is_a_warning_and_its_addresses_wait(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "study")
    (folder / "stations.csv").write_text("编号,名称,地址\nA,东站,东街1号\n", encoding="utf-8")
    toml = folder / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + '[geocode]\nservice = "amap"\n', encoding="utf-8")
    (folder / ANSWERS_FILE).write_text("cos\nsystem\n(S'echo'\ntR.", encoding="utf-8")
    faults = sc.check_study(folder)
    assert [(f.level, f.file, f.column) for f in faults] == [
        ("warning", ANSWERS_FILE, None),
        ("error", "stations.csv", "地址"),
    ]


@pytest.mark.parametrize("point", [(None, 1.0), (math.nan, 1.0), (181.0, 0.0), (0.0, 0.0)])
def test_a_match_without_a_place_is_none(point: tuple) -> None:
    with pytest.raises(InputError):
        AddressMatch("exact", *point)
    assert AddressMatch("none", *point).quality == "none"
