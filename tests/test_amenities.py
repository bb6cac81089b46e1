"""Amenities: words and codes of what a place offers, and how hours and amenities stand in a ledger."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.amenities import AMENITIES, Amenity, fold_amenities
from servicecircle.errors import InputError
from servicecircle.hours import parse_hours
from servicecircle.ledgers import Reading, frame_of_points
from servicecircle.readers import read_table
from servicecircle.study import load_study, read_study

REPOSITORY = Path(__file__).resolve().parents[1]


def ledger(tmp_path: Path, header: str, *cells: str, role: str = "stations", **options: object) -> Reading:
    rows = [f"S{i},站{i},{113.38 + i / 1000:.4f},22.5100,{cell}" for i, cell in enumerate(cells)]
    path = tmp_path / "ledger.csv"
    path.write_text("\n".join([f"编号,名称,经度,纬度,{header}", *rows]) + "\n", encoding="utf-8")
    return frame_of_points(read_table(path), role, **options)


# --------------------------------------------------------------------------------------------------- the words
@pytest.mark.parametrize(
    ("text", "working", "broken", "odd"),
    [
        ("提供饮水、微波炉加热", "drinking_water microwave", "", ""),
        ("drink|ac|seat|charging|wifi|first_aid", "drinking_water ac seat charging wifi first_aid", "", ""),
        ("Air conditioning, drinking water; First-Aid", "ac drinking_water first_aid", "", ""),
        ("微波炉(坏)", "", "microwave", ""),
        ("微波炉（坏）、冰箱", "fridge", "microwave", ""),
        ("冰箱 暂停使用", "", "fridge", ""),
        ("饮水、微波炉，暂停使用，空调", "ac", "drinking_water microwave", ""),
        ("微波炉、饮水机均已损坏", "", "drinking_water microwave", ""),
        ("微波炉(坏)、微波炉", "", "microwave", ""),
        ("饮水机２台、微波炉1台（维修中）、空調", "drinking_water ac", "microwave", ""),
        ("雨具（雨伞、雨衣）、应急药箱等", "rain_gear medicine", "", ""),
        ("为户外劳动者提供饮水休息充电热饭服务", "drinking_water seat charging microwave", "", ""),
        ("无WiFi，有热水", "hot_water", "", ""),
        ("无线网络", "wifi", "", ""),
        ("暂停使用", "", "", "暂停使用"),
        ("按摩椅", "", "", "按摩椅"),
        ("微波炉旁的按摩椅、冰箱", "fridge", "", "微波炉旁的按摩椅"),
        ("wifis、tvs", "", "", "wifis tvs"),
        ("不能充电", "", "", ""),
        ("", "", "", ""),
        ("无", "", "", ""),
    ],
)
def test_words_are_folded_to_codes(text: str, working: str, broken: str, odd: str) -> None:
    told = fold_amenities(text)
    assert (" ".join(told.working), " ".join(sorted(told.broken)), " ".join(told.not_understood)) == (
        working,
        broken,
        odd,
    )


def test_what_is_not_there_is_no_amenity() -> None:
    assert fold_amenities("无WiFi、不能充电、没有卫生间").absent == ("wifi", "charging", "toilet")


def test_the_words_of_the_brief_are_known() -> None:
    words = "饮水 微波炉 冰箱 充电 休息 卫生间 雨具 药品 WiFi 打气筒 换电 储物柜 空调 热水 图书 急救"
    told = fold_amenities(words)
    assert (len(told.working), told.not_understood) == (len(words.split()), ())


@pytest.mark.parametrize("amenity", AMENITIES.values(), ids=AMENITIES)
def test_every_word_means_one_code_alone_and_in_its_state(amenity: Amenity) -> None:
    for word in (amenity.code, amenity.zh, amenity.en, *amenity.words):
        assert fold_amenities(word).working == (amenity.code,), word
        assert fold_amenities(f"{word}(坏)").broken == (amenity.code,), word


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(AMENITIES)), unique=True), st.sampled_from("、,，;|/ "), st.data())
def test_any_list_is_found_in_any_spelling(codes, mark, data) -> None:
    words = [data.draw(st.sampled_from([w for w in AMENITIES[c].words if " " not in w])) for c in codes]
    told = fold_amenities(mark.join(words))
    assert (told.working, told.broken, told.not_understood) == (tuple(codes), (), ())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_has_an_answer_in_which_no_code_stands_twice(text: str) -> None:
    told = fold_amenities(text)
    codes = [*told.working, *told.broken, *told.absent]
    assert len(codes) == len(set(codes))
    assert set(codes) <= set(AMENITIES)


def test_own_words_win_and_may_name_codes_of_their_own() -> None:
    own = {"暖心水": "drinking_water", "按摩椅": "massage", "充电": "battery_swap"}
    assert fold_amenities("暖心水、按摩椅(坏)、充电", words=own).working == ("drinking_water", "battery_swap")
    assert fold_amenities("按摩椅(坏)", words=own).broken == ("massage",)
    assert fold_amenities("按摩椅").not_understood == ("按摩椅",)


@pytest.mark.parametrize("words", [{" ": "ac"}, {"x": "A C"}, {"x": ""}, {"x": 3}])
def test_own_words_without_a_code_are_refused(words: dict) -> None:
    with pytest.raises(InputError, match=r"blank word|code"):
        fold_amenities("x", words=words)


def test_the_pages_list_the_vocabulary() -> None:
    for end in ("md", "zh.md"):
        page = (REPOSITORY / "docs" / "concepts" / f"hours-and-amenities.{end}").read_text(encoding="utf-8")
        for amenity in AMENITIES.values():
            (row,) = [line for line in page.splitlines() if line.startswith(f"| `{amenity.code}` |")]
            cells = [cell.strip() for cell in row.split("|")]
            assert cells[2:4] == [amenity.zh, amenity.en]
            assert cells[5] == (f"`{amenity.osm}`" if amenity.osm else "")
            assert set(cells[4].split("、")) - {""} == set(amenity.words) - {
                amenity.code,
                amenity.zh.casefold(),
                amenity.en.casefold(),
            }


# --------------------------------------------------------------------------------------------------- the ledger
def test_a_ledger_keeps_its_words_and_gains_columns(tmp_path: Path) -> None:
    reading = ledger(tmp_path, "营业时间,服务项目", "周一至周五 9:00-17:00,饮水、微波炉(坏)", ",")
    assert reading.faults == ()
    assert reading.frame.loc["S0", ["hours", "amenities"]].tolist() == ["周一至周五 9:00-17:00", "饮水、微波炉(坏)"]
    assert reading.frame["opening"].tolist() == ["Mo-Fr 09:00-17:00", ""]
    assert reading.frame["amenity_codes"].tolist() == ["drinking_water", ""]
    assert reading.frame["amenity_broken"].tolist() == ["microwave", ""]


def test_a_column_of_the_ledger_that_has_the_name_of_a_new_one_is_kept(tmp_path: Path) -> None:
    frame = ledger(tmp_path, "营业时间,opening", "24小时,剪彩").frame
    assert (frame.loc["S0", "opening"], frame.loc["S0", "opening (2)"]) == ("Mo-Su 00:00-24:00", "剪彩")
    assert ledger(tmp_path, "opening", "剪彩").frame.loc["S0", "opening"] == "剪彩"


def test_what_is_not_understood_is_one_warning_a_column_with_the_first_five_rows(tmp_path: Path) -> None:
    cells = [f"夏季{i}点,按摩椅{'、饮水' if i % 2 else ''}" for i in range(8)] + ["24小时,饮水"]
    reading = ledger(tmp_path, "营业时间,服务项目", *cells)
    hours, amenities = reading.faults
    assert (hours.row, hours.column, hours.level) == (2, "营业时间", "warning")
    assert "8 of 9 rows" in hours.en
    assert "row 2 '夏季0点'" in hours.en
    assert "row 6 '夏季4点' and 3 more rows" in hours.en
    assert "第 6 行“夏季4点”，另有 3 行" in hours.zh
    assert (amenities.row, amenities.column, amenities.level) == (2, "服务项目", "warning")
    assert 'words = { "按摩椅" = ' in amenities.en
    assert reading.frame["opening"].tolist() == [""] * 8 + ["Mo-Su 00:00-24:00"]
    assert reading.frame["amenity_codes"].tolist() == ["", "drinking_water"] * 4 + ["drinking_water"]


def test_a_warning_shows_no_number_of_a_person(tmp_path: Path) -> None:
    reading = ledger(tmp_path, "营业时间,服务项目", "夏季 致电13900001111,按摩椅13900001111")
    assert len(reading.faults) == 2
    assert not any("1390000" in fault.en + fault.zh for fault in reading.faults)


def test_ledgers_of_other_things_are_not_read_for_hours(tmp_path: Path) -> None:
    reading = ledger(tmp_path, "营业时间,骑手数", "夏季8点,3", role="depots")
    assert reading.faults == ()
    assert "opening" not in reading.frame.columns


# ---------------------------------------------------------------------------------------------------- the study
def study_folder(tmp_path: Path, cells: str, more: str = "") -> Path:
    (tmp_path / "stations.csv").write_text(
        f"编号,名称,经度,纬度,服务设施\nA,甲,113.38,22.51,{cells}\n", encoding="utf-8"
    )
    (tmp_path / "roads.osm").write_text("<osm/>", encoding="utf-8")
    text = '[network]\nfile = "roads.osm"\n[stations]\nfile = "stations.csv"\n' + more
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_study_adds_its_own_words(tmp_path: Path) -> None:
    assert [f.column for f in read_study(study_folder(tmp_path, "暖心水")).faults] == ["服务设施"]
    folder = study_folder(tmp_path, "暖心水", '[amenities]\nwords = { "暖心水" = "drinking_water" }\n')
    assert read_study(folder).faults == ()
    assert load_study(folder).stations["amenity_codes"].tolist() == ["drinking_water"]


@pytest.mark.parametrize("value", ['"水"', '{ "水" = "Wasser!" }', '{ " " = "ac" }', '{ "水" = 3 }'])
def test_own_words_that_hold_no_code_are_an_error_with_their_line(tmp_path: Path, value: str) -> None:
    faults = read_study(study_folder(tmp_path, "饮水", f"[amenities]\nwords = {value}\n")).faults
    assert [(f.level, f.column, f.row) for f in faults] == [("error", "amenities.words", 6)]


def test_every_hour_and_amenity_of_the_example_is_understood() -> None:
    study = load_study(REPOSITORY / "data" / "nanqu")
    assert study.warnings == ()
    for frame in (study.stations, study.shops):
        assert all(frame["opening"] != "")
        assert all(frame["amenity_codes"] != "")


# ------------------------------------------------------------------------------------------------- a real ledger
def test_a_real_ledger_is_understood_and_the_rest_is_listed(shared_data: Path) -> None:
    zhengzhou = read_table(shared_data / "zhengzhou_stations_gcj02.csv")
    cells = dict(zip(zhengzhou.header, zhengzhou.columns, strict=True))
    hours = {row: parse_hours(cell) for row, cell in zip(zhengzhou.rows, cells["open_hours"], strict=True)}
    understood = [h for h in hours.values() if not h.not_understood and h.is_known]
    folded = [fold_amenities(cell) for cell in cells["facilities"]]
    assert len(understood) >= 0.95 * 82
    assert sum(bool(told.working) and not told.not_understood for told in folded) >= 0.95 * 82
    partly = sorted({cells["open_hours"][i] for i, h in enumerate(hours.values()) if h.unknown_spans})
    assert partly == ["工作日开放"]  # the days are stated, the times are not


@pytest.mark.parametrize(
    ("text", "working", "absent"),
    [
        ("√饮水 √充电 ×微波炉", "drinking_water charging", "microwave"),
        ("☑饮水□充电☑WiFi", "drinking_water wifi", "charging"),
        ("饮水√ 充电√ 微波炉×", "drinking_water charging", "microwave"),
        ("饮水√、充电×", "drinking_water", "charging"),
        ("■休息", "seat", ""),
        ("微波炉×2、饮水", "microwave drinking_water", ""),
    ],
)
def test_the_ticks_of_a_form_are_read(text: str, working: str, absent: str) -> None:
    told = fold_amenities(text)
    assert (told.working, told.absent, told.not_understood) == (tuple(working.split()), tuple(absent.split()), ())


def stations_of(tmp_path: Path, header: str, *rows: str):
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return frame_of_points(read_table(tmp_path / "t.csv"), "stations")


def test_columns_of_ticks_are_amenities(tmp_path: Path) -> None:
    reading = stations_of(
        tmp_path, "编号,名称,经度,纬度,服务设施,饮水机,微波炉,充电,座椅,备注,空调",
        "A,甲,113.38,22.51,雨具,√,有,×,2把,是,好用", "B,乙,113.39,22.52,,,坏,是,0,否,有",
    )  # fmt: skip
    assert reading.frame["amenity_codes"].tolist() == ["rain_gear|drinking_water|microwave|seat", "charging"]
    assert reading.frame["amenity_broken"].tolist() == ["", "microwave"]
    assert [fault.zh for fault in reading.faults] == [
        "4 列按设施读取（√、有、是为有）：饮水机、微波炉、充电、座椅。"
    ]
    assert reading.frame["饮水机"].tolist() == ["√", ""]


@pytest.mark.parametrize("header", ["开门时间,关门时间", "开始营业时间,结束营业时间", "开,关", "open,close"])
def test_opening_and_closing_in_two_columns_are_hours(tmp_path: Path, header: str) -> None:
    reading = stations_of(
        tmp_path, f"编号,名称,经度,纬度,{header}",
        "A,甲,113.38,22.51,9:00,18:00", "B,乙,113.39,22.52,,", "C,丙,113.40,22.53,18:00:00,02:00:00",
        "D,丁,113.41,22.54,9:00,",
    )  # fmt: skip
    assert reading.frame["opening"].tolist() == [
        "Mo-Su 09:00-18:00", "", "Mo-Su 00:00-02:00,18:00-24:00", "",
    ]  # fmt: skip
    assert [fault.row for fault in reading.faults] == [5]
