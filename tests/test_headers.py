"""Headers: the synonym table is unambiguous, and persons' columns are told from the others."""

import pytest

from servicecircle.headers import SYNONYMS, field_of, fold, is_personal, rank_of, stated_datum, without_numbers

WORDS = [(field, word) for field, words in SYNONYMS.items() for word in words]


def test_no_header_means_two_fields() -> None:
    folded: dict[str, set[str]] = {}
    for field, word in WORDS:
        folded.setdefault(fold(word), set()).add(field)
    assert {word: fields for word, fields in folded.items() if len(fields) > 1} == {}


@pytest.mark.parametrize(("field", "word"), WORDS)
def test_every_word_of_the_table_means_its_field_and_no_person(field: str, word: str) -> None:
    assert field_of(word) == field
    assert not is_personal(word)
    assert stated_datum(word) is None


def test_the_canonical_word_is_the_surest() -> None:
    assert {field: rank_of(field) for field in SYNONYMS} == dict.fromkeys(SYNONYMS, 0)


@pytest.mark.parametrize(
    ("header", "datum"),
    [
        ("lng_gcj02", "gcj02"), ("lat_GCJ-02", "gcj02"), ("经度(GCJ02)", "gcj02"), ("火星坐标经度", "gcj02"),
        ("高德纬度", "gcj02"), ("bd09_lng", "bd09"), ("百度纬度", "bd09"), ("纬度（百度坐标）", "bd09"),
        ("wgs84经度", None), ("经度", None), ("百度评分", None), ("高德地图链接", None), ("", None),
    ],
)  # fmt: skip
def test_a_coordinates_header_may_state_a_shifted_datum(header: str, datum: str | None) -> None:
    assert stated_datum(header) == datum
    if datum:
        assert field_of(header) is None


def test_a_column_is_personal_when_half_of_its_filled_cells_are() -> None:
    phone = "13912345678"
    assert is_personal("备注", (phone, "近北门", "", " "))
    assert not is_personal("备注", (phone, "近北门", "二楼"))
    assert not is_personal("备注", ("", " "))
    assert not is_personal("编码", ("442000001001", "139123456789"))


@pytest.mark.parametrize(
    "header",
    [
        "联络人",
        "值班人员",
        "网格员",
        "党支部书记",
        "是否党员",
        "党派",
        "Political status",
        "出生日期",
        "家庭住址",
        "银行卡号",
    ],
)
def test_headers_of_persons_are_personal(header: str) -> None:
    assert is_personal(header)


@pytest.mark.parametrize(
    "header", ["党员人数", "党群服务中心", "管理员数", "站点主任数", "社区", "营业执照号", "建成年月"]
)
def test_headers_of_counts_and_places_are_not_personal(header: str) -> None:
    assert not is_personal(header)


@pytest.mark.parametrize(
    "cells",
    [
        ("张三 13900001111", "李四 13900002222"),
        ("139-0000-1111", "139 0000 2222"),
        ("+86 139 0000 1111",),
        ("44200019900307123X",),
        ("中共党员", "群众", "共青团员"),
    ],
)
def test_cells_of_persons_are_personal_under_any_header(cells: tuple[str, ...]) -> None:
    assert is_personal("备注", cells)


@pytest.mark.parametrize(
    "cells",
    [("群众", "群众"), ("党员驿站", "党员"), ("442000199013071234",), ("1390000111122",), ("0760-88881111",)],
)
def test_cells_that_only_look_like_it_are_not(cells: tuple[str, ...]) -> None:
    assert not is_personal("备注", cells)


@pytest.mark.parametrize(
    "number",
    [
        "13800138000",
        "１３８００１３８０００",
        "138 0013 8000",
        "138\u20110013\u20118000",
        "138\u200b0013\u200b8000",
        "+86 13800138000",
        "110101199003071234",
        "110101 19900307 123X",
    ],
)
def test_a_persons_number_is_hidden_however_it_is_written(number: str) -> None:
    assert without_numbers(f"预约{number}转") == "预约***转"
    assert is_personal("备注", (number,))


@pytest.mark.parametrize(
    "text", ["0.13800138000", "113.13800138000", "131.12345678", "12013800138000", "0760-88888888"]
)
def test_decimals_and_other_long_numbers_are_no_persons(text: str) -> None:
    assert without_numbers(text) == text


@pytest.mark.parametrize("header", ["上报人", "填表人", "登记人", "户主", "昵称", "车牌号"])
def test_who_filled_in_a_row_is_a_person(header: str) -> None:
    assert is_personal(header)
    assert not is_personal("服务人次")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("9:00-17:00，联系人：张三", "9:00-17:00，联系人：***"),
        ("负责人为李小四", "负责人为***"),
        ("王师傅 13912345678，夜间可用", "*** ***，夜间可用"),
        ("欧阳先生139 1234 5678", "欧阳先生***"),  # no common surname: only the number
        ("电话 0371-65961234", "电话 0371-65961234"),  # of an office
        ("黄河路 12 号，0830-1730 开放", "黄河路 12 号，0830-1730 开放"),
        ("2025-06-30 起", "2025-06-30 起"),
        ("张江路站", "张江路站"),
        ("站长：社区工作人员轮流", "站长：社区工作人员轮流"),
        ("编号 442000001001", "编号 442000001001"),
    ],
)
def test_numbers_and_the_names_with_them_are_not_read(text: str, read: str) -> None:
    assert without_numbers(text) == read
