"""Encodings and separators: the right text or a refusal, never another text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from servicecircle.encoded_text import (
    ENCODINGS,
    EncodingError,
    decoded,
    encoding_named,
    separator_of,
    share_everyday,
)

ROWS = "编号,名称,经度\n001,红星驿站（总站）,113.38\n002,Ａ座24小时驿站,113.39\n"
TRADITIONAL = "編號,名稱,經度\n001,紅星驛站,113.38\n002,臺灣街驛站,113.39\n"


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gbk", "gbk"),
        ("gb18030", "gbk"),
        ("gb2312", "gbk"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.fault(27)
def test_each_encoding_is_found(codec: str, found: str) -> None:
    read = decoded(ROWS.encode(codec))
    assert (read.text, read.encoding) == (ROWS, found)


@pytest.mark.parametrize("codec", ["utf-8", "gbk", "gb18030", "utf-16", "utf-16-be"])
def test_traditional_characters_are_found_too(codec: str) -> None:
    assert decoded(TRADITIONAL.encode(codec)).text == TRADITIONAL


def test_what_only_gb18030_holds_is_found() -> None:
    text = ROWS + "003,㙟䶮街驿站,113.40\n"  # 㙟 takes four bytes
    read = decoded(text.encode("gb18030"))
    assert (read.text, read.encoding) == (text, "gb18030")


def test_big5_is_refused_with_both_readings_until_it_is_stated() -> None:
    data = TRADITIONAL.encode("big5")
    with pytest.raises(EncodingError, match="編號名稱經度") as error:
        decoded(data)
    assert 'encoding = "big5"' in error.value.en
    assert 'encoding = "big5"' in error.value.zh
    assert decoded(data, encoding="big5").text == TRADITIONAL


def test_bytes_that_are_two_texts_are_refused_with_both() -> None:
    data = "id,hours\n1,24小时\n".encode("gbk")
    assert data.decode("utf-8") == "id,hours\n1,24Сʱ\n"
    with pytest.raises(EncodingError, match=r"“Сʱ” in utf-8, or as “小时” in gbk"):
        decoded(data)
    assert decoded(data, encoding="gbk").text == "id,hours\n1,24小时\n"
    assert decoded(data, encoding="utf-8").text == "id,hours\n1,24Сʱ\n"


@pytest.mark.parametrize(
    "text", ["São João,Estação\n", "Köln,Straße\n", "id,名\nß,喆\n", "Привет,мир\n", "ASCII\n"]
)
def test_utf8_of_other_languages_stays_utf8(text: str) -> None:
    assert decoded(text.encode()).text == text


@pytest.mark.parametrize(
    ("text", "codec"),
    [("Привет,мир\n", "cp1251"), ("日本語,テスト\n東京駅,カフェ\n", "shift_jis"), ("Köln,é\n", "cp1252")],
)
def test_encodings_that_are_not_known_are_refused(text: str, codec: str) -> None:
    with pytest.raises(EncodingError):
        decoded(text.encode(codec))


@pytest.mark.fault(28)
def test_a_file_in_two_encodings_is_refused_with_the_rows() -> None:
    head = "编号,名称\n1,南街\n"
    for first, second in (("utf-8", "gbk"), ("gbk", "utf-8")):
        with pytest.raises(EncodingError) as error:
            decoded(head.encode(first) + "2,北街驿站长\n".encode(second))
        assert error.value.row in {2, 3}


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.fault(28)
def test_a_text_that_is_cut_inside_a_character_is_refused_with_its_row(codec: str) -> None:
    with pytest.raises(EncodingError) as error:
        decoded("编号,名称\n1,驿站".encode(codec)[:-1])
    assert error.value.row == 2


def test_a_stated_encoding_that_does_not_hold_is_told_with_its_row() -> None:
    with pytest.raises(EncodingError, match="is not in utf-8 from this row on") as error:
        decoded(b"id\n1\n2," + "驿站".encode("gbk"), encoding="utf-8")
    assert error.value.row == 3
    with pytest.raises(EncodingError, match="begins with the mark of utf-8"):
        decoded(ROWS.encode("utf-8-sig"), encoding="gbk")
    assert decoded(ROWS.encode("utf-16"), encoding="utf-16").text == ROWS


@pytest.mark.fault(28)
def test_nul_bytes_make_no_utf16_of_a_text_in_utf8() -> None:
    assert decoded("编号,名称\n1,a\x00b\n".encode()).text == "编号,名称\n1,a\x00b\n"
    with pytest.raises(EncodingError, match="NUL"):
        decoded(b"\x00\x00\x00\xd8\x00\x00\xff")


def test_names_of_encodings() -> None:
    assert {encoding_named(name) for name in ENCODINGS} == set(ENCODINGS)
    names = {
        "UTF_8": "utf-8",
        "GB2312": "gbk",
        "cp936": "gbk",
        "ANSI 936": "gbk",
        "Unicode": "utf-16",
        "latin-1": None,
    }
    assert {name: encoding_named(name) for name in names} == names


WORDS = st.text(st.sampled_from("驿站街道社区南北东西中心路号骑手红星小时服务点驛臺號A1 -（）·"), max_size=10)


def only_signs_in_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8 too, of signs and no letter: GBK 路 is UTF-8 ·, nobody can tell."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return not text.isascii() and not any(sign.isalpha() for sign in text if not sign.isascii())


@settings(max_examples=300, deadline=None)
@example([["", "路"]], "gbk")
@given(st.lists(st.lists(WORDS, min_size=2, max_size=4), min_size=1, max_size=6), st.sampled_from(
    ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
))  # fmt: skip
def test_a_text_is_read_right_or_refused_and_right_under_a_chinese_header(
    rows: list[list[str]], codec: str
) -> None:
    text = "\n".join(map(",".join, rows)) + "\n"
    data = text.encode(codec)
    try:
        assert decoded(data).text == text or only_signs_in_utf8(data)
    except EncodingError:
        assert codec in {"gbk", "gb18030"}
    assert decoded(f"编号,名称,经度,纬度\n{text}".encode(codec)).text == f"编号,名称,经度,纬度\n{text}"


def test_a_reading_is_judged_by_everyday_characters() -> None:
    assert share_everyday("ASCII only") == 1
    assert share_everyday("，。（）①㎡") == 1  # no letter
    assert share_everyday("红星街道") == 1
    assert share_everyday(ROWS.encode().decode("gb18030", errors="ignore")) < 0.5


# --------------------------------------------------------------------------------------------------- separators
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.text("甲乙,;\t\"'1. ", max_size=6), st.floats(-180, 180)), min_size=1, max_size=6),
    st.sampled_from(",;\t"),
)
def test_the_separator_of_a_table_with_a_known_header_is_found(
    rows: list[tuple[str, float]], separator: str
) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([["名称", "经度", "备注"], *[(a, b, a) for a, b in rows]])
    assert separator_of(out.getvalue(), lambda cells: "经度" in cells) == separator


def test_a_separator_may_be_stated_and_is_judged_by_widths_where_no_header_is_known() -> None:
    assert separator_of("sep=;\na,b;c\n") == ";"
    assert separator_of("甲;乙;丙\n1,5;2,5;3\n") == ";"
    assert separator_of("甲\t乙\n1,2\t3\n") == "\t"
    assert separator_of("only\none\n") == ","
