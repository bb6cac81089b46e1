"""Keys of study.toml: where each stands in the file, and what values are taken."""

import os
from pathlib import Path

import pytest

from servicecircle.errors import InputError, StudyError
from servicecircle.study_keys import KEYS, check_value, nearest, read_study_file, stated_lang


def read(tmp_path: Path, text: str):
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return read_study_file(path)


def test_keys_are_found_in_their_lines_however_they_are_written(tmp_path: Path) -> None:
    text = '# name = "no"\n\nname = 1\n  "minutes"  = 3\nsuggest.shops = -1\n[ grid ]\n h3 = 99 # x = 2\n'
    text += "[demand]\nsource = 1\n"
    told = {fault.column: fault.row for fault in read(tmp_path, text).faults}
    assert told == {"name": 3, "minutes": 4, "suggest.shops": 5, "grid.h3": 7, "demand.source": 9}


def test_values_that_hold_are_kept_beside_those_that_do_not(tmp_path: Path) -> None:
    said = read(tmp_path, 'name = "a"\nlang = "x"\n[grid]\ncell_m = 50\n')
    assert (said.get("", "name"), said.get("", "lang", "zh"), said.get("grid", "cell_m")) == ("a", "zh", 50)
    assert [fault.column for fault in said.faults] == ["lang"]


def test_a_key_under_the_wrong_table_is_told_where_it_belongs(tmp_path: Path) -> None:
    (fault,) = read(tmp_path, '[network]\nplace = "x"\ndate = 2026-11-22\n').faults
    assert (fault.column, fault.row) == ("network.date", 3)
    assert "belongs to the top of the file" in fault.en


def test_a_list_of_tables_is_no_table(tmp_path: Path) -> None:
    (fault,) = read(tmp_path, '[[stations]]\nfile = "a.csv"\n').faults
    assert fault.column == "stations"
    assert "must be a table" in fault.en


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="is not there"):
        read_study_file(tmp_path / "study.toml")


@pytest.mark.parametrize(
    ("table", "key", "value", "held"),
    [
        ("", "minutes", [5, 10.5], (5.0, 10.5)),
        ("", "date", "2026-11-22", "2026-11-22"),
        ("", "max_snap_m", 150, 150.0),
        ("", "crs", "EPSG:4547", "EPSG:4547"),
        ("stations", "datum", "WGS-84", "wgs84"),
        ("shops", "datum", "CGCS2000", "wgs84"),
        ("depots", "datum", "GCJ-02", "gcj02"),
        ("zones", "datum", "百度坐标", "bd09"),
        ("stations", "keep", ["电话"], ("电话",)),
        ("suggest", "stations", 0, 0),
        ("grid", "cell_m", 10, 10.0),
        ("grid", "cell_m", 5000, 5000.0),
        ("grid", "h3", 0, 0),
        ("grid", "h3", 15, 15),
    ],
)
def test_values_are_taken_as_a_study_holds_them(table: str, key: str, value: object, held: object) -> None:
    assert check_value(table, key, value) == held


def test_every_key_refuses_a_value_of_the_wrong_type_in_both_languages() -> None:
    for table, keys in KEYS.items():
        for key in keys:
            with pytest.raises(InputError) as raised:
                check_value(table, key, object())
            assert f"`{key}` " in raised.value.en
            assert raised.value.zh != raised.value.en


def test_the_nearest_word_is_hinted_at_only_where_there_is_one() -> None:
    assert nearest("minuts", ["minutes", "name"]) == ("; did you mean `minutes`", "，是否为 minutes")
    assert nearest("zzz", ["minutes"]) == ("", "")


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("", "minutes", [5, 10**400]),
        ("", "minutes", list(range(1, 300))),
        ("", "minutes", [5, 1e308]),
        ("", "minutes", [1e-300, 1e-9]),
        ("", "minutes", [10.0001, 10.00011]),
        ("", "max_snap_m", 1e308),
        ("shops", "minutes", 1e308),
        ("", "max_snap_m", 10**400),
        ("grid", "cell_m", 10**400),
        ("suggest", "stations", 10**400),
        ("shops", "minutes", 10**400),
        ("", "name", "a\x1b[31mb"),
        ("", "name", "a\0b"),
        ("", "crs", "(" * 5000),
    ],
)
def test_enormous_values_and_control_characters_are_told_briefly(table: str, key: str, value: object) -> None:
    with pytest.raises(InputError) as raised:
        check_value(table, key, value)
    assert len(raised.value.en) < 200


@pytest.mark.parametrize("text", ["x = " + "[" * 20_000, "x = 1" + "0" * 5000, "x = {a = " * 2000])
def test_a_study_file_that_toml_cannot_take_is_a_fault(tmp_path: Path, text: str) -> None:
    with pytest.raises(StudyError, match=r"study\.toml"):
        read(tmp_path, text)


def test_a_path_that_no_file_can_have_is_told() -> None:
    with pytest.raises(StudyError, match="is not there"):
        read_study_file(Path("a\0b"))


@pytest.mark.parametrize(
    ("key", "value", "zh"),
    [
        ("objective", "speed", "应为 riders、decay、backup、fair 之一，现为 'speed'。"),
        ("backup", 2.0, "应为 0 到 1 之间的比例，现为 2.0。"),
        ("budget", -5, "应为不小于 0 的数，现为 -5。"),
    ],
)
def test_a_space_stands_between_chinese_and_latin(key: str, value: object, zh: str) -> None:
    with pytest.raises(InputError) as caught:
        check_value("suggest", key, value)
    assert caught.value.zh.removeprefix(f"{key} ") == zh


@pytest.mark.parametrize("field", ["{}", "[1]", "true", "1"])
def test_a_word_for_no_field_is_told_whatever_it_is(tmp_path: Path, field: str) -> None:
    said = read(tmp_path, f'[headers]\nwords = {{ "点位" = {field} }}\n')
    assert [fault.column for fault in said.faults] == ["headers.words"]


def test_a_chinese_key_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('name = "a"\n[stations]\n文件 = "a.csv"\n', encoding="utf-8")
    with pytest.raises(StudyError) as error:
        read_study_file(path)
    assert [(fault.row, "“文件”" in fault.zh) for fault in error.value.faults] == [(3, True)]


SECRET = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"


@pytest.mark.parametrize(
    "body",
    [
        f'[geocode]\nservice = "{SECRET}"',
        f'[geocode]\nservice = ["amap", "{SECRET}"]',
        f'[geocode]\nkey = "{SECRET}"',
        f'[geocode]\namap_key = "{SECRET}"',
        f'[geocode]\nhost = "https://map.example/?key={SECRET}"',
        f'[geocode]\ncity = ["{SECRET}"]',
        f'[geocode]\nper_second = "{SECRET}"',
        f"[geocode]\n{SECRET} = 1",
        f"[geocode]\nkey = {SECRET}",
        f'geocode = "{SECRET}"',
        f'key = "{SECRET}"',
        f'{SECRET} = "amap"',
        f'minutes = "{SECRET}"',
    ],
)
def test_no_message_shows_the_key_of_a_service(tmp_path: Path, body: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(body, encoding="utf-8")
    try:
        faults = read_study_file(path).faults
    except StudyError as error:
        faults = error.faults
    assert faults
    assert SECRET[:12] not in repr(faults)


def test_a_key_under_any_name_is_told_to_leave_the_file(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        '[geocode]\nservice = "amap"\napi_key = "abc"\n密钥 = "abc"\n'.replace("密钥", '"密钥"'), encoding="utf-8"
    )
    assert ["SERVICECIRCLE_AMAP_KEY" in fault.en for fault in read_study_file(path).faults] == [True, True]


@pytest.mark.parametrize("text", ["a" + ".a" * 100_000 + " = 1", "a = " + "[" * 100_000, "a = " + "{a=" * 9_000])
def test_a_study_that_is_nested_too_deeply_is_refused_at_once(tmp_path: Path, text: str) -> None:
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="nested too deeply"):
        read_study_file(tmp_path / "study.toml")


def test_a_study_is_a_plain_file_of_some_length(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('lang = "zh"\n#' + "长" * 1_000_000, encoding="utf-8")
    with pytest.raises(StudyError, match="longer than 1,000,000 characters"):
        read_study_file(file)
    file.unlink()
    file.symlink_to(os.devnull)
    with pytest.raises(StudyError, match="is not there"):
        read_study_file(file)
    assert stated_lang(file) is None
