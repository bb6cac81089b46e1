"""Addresses in place of coordinates: asked of a real server, kept, placed, told; and no key is shown."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_geocoders import Fake, amap, baidu, fake_geocoder, nominatim
from openpyxl import Workbook, load_workbook
from tiny_study import write_tiny_study
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle import geocoders, geocoding
from servicecircle.addresses import ANSWERS_FILE, GeocodeRule
from servicecircle.cli import app
from servicecircle.errors import DownloadError, InputError, StudyError
from servicecircle.geocoders import ServiceTroubleError, asker_of

LON, LAT = 113.381, 22.504
KEY = "SECRETkey0123456789"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but the fake is asked, no wait is long, and no key comes from outside."""
    for name in (*geocoding.KEY_SETTINGS.values(), geocoding.HOST_SETTING):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(geocoding, "RETRY_WAITS_S", (0.01, 0.02))


def write(tmp_path: Path, stations: str, geocode: str | None) -> Path:
    folder = write_tiny_study(tmp_path / "study")
    (folder / "stations.csv").write_text(stations, encoding="utf-8")
    if geocode is not None:
        file = folder / "study.toml"
        file.write_text(file.read_text(encoding="utf-8") + f"[geocode]\n{geocode}\n", encoding="utf-8")
    return folder


def of(fake: Fake, **more: Any) -> str:
    """[geocode] of the fake as a Nominatim of one's own."""
    keys = {"service": "nominatim", "host": fake.root, "per_second": 50} | more
    return "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items())


def told(folder: Path) -> list[tuple[str, int | None, str]]:
    return [(fault.level, fault.row, fault.en) for fault in sc.check_study(folder) if fault.file != "study.toml"]


ADDRESSES = "编号,名称,地址\nA,东站,东街1号\nB,西站,西街2号\n"


# ------------------------------------------------------------------------------------------------------ the way
def test_addresses_are_looked_up_kept_and_placed(tmp_path: Path) -> None:
    def answer(_path: str, query: dict[str, str]) -> Any:
        return [nominatim(LON, LAT if query["q"] == "东街1号" else LAT + 0.001)]

    with fake_geocoder(answer) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        assert [t[:2] for t in told(folder)] == [("error", None)]
        assert "2 address(es) are not looked up yet (rows 2, 3)" in told(folder)[0][2]
        assert fake.asked == []  # checking asks nobody
        steps: list[tuple[int, int]] = []
        made = sc.geocode_study(folder, on_progress=lambda *at: steps.append(at))
        assert (made.asked, dict(made.qualities), made.server) == (2, {"exact": 2}, fake.root)
        assert steps == [(0, 2), (1, 2), (2, 2)]
        again = sc.geocode_study(folder)
        assert (again.asked, len(fake.asked)) == (0, 2)
    stations = sc.load_study(folder).stations
    assert stations is not None
    np.testing.assert_allclose(stations.geometry.y, [LAT, LAT + 0.001])
    assert list(stations["geocode_quality"]) == ["exact", "exact"]
    assert list(stations["geocode_level"]) == ["place_rank 30 amenity"] * 2
    assert list(stations["geocode_confidence"]) == ["importance 0.25"] * 2
    assert [t[0] for t in told(folder)] == ["warning"]
    used = next(used for used in sc.load_study(folder).inputs if used.role == "geocoded")
    assert (used.file, used.datum, len(used.sha256)) == (ANSWERS_FILE, None, 64)


def test_only_the_address_and_the_city_are_sent_and_no_phone(tmp_path: Path) -> None:
    text = "编号,名称,地址,联系人,备注\nA,东站,东街1号 13800138000,张三,秘密\n"
    with fake_geocoder(lambda *_: [nominatim(LON, LAT)]) as fake:
        folder = write(tmp_path, text, of(fake, city="中山市"))
        sc.geocode_study(folder)
        ((path, query),) = fake.asked
    assert path == "/search"
    assert query == {"q": "中山市东街1号", "format": "json", "limit": "5", "accept-language": "zh"}
    assert fake.agents[0].startswith("servicecircle")
    assert "13800138000" not in (folder / ANSWERS_FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content", ['{"mine": 1}', "{", '{"format": "servicecircle geocoded addresses", "version": 2}']
)
def test_a_file_that_is_no_kept_answers_is_not_written_over(tmp_path: Path, content: str) -> None:
    with fake_geocoder(lambda *_: [nominatim(LON, LAT)]) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        (folder / ANSWERS_FILE).write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match="move it away first"):
            sc.geocode_study(folder)
    assert fake.asked == []
    assert (folder / ANSWERS_FILE).read_text(encoding="utf-8") == content


def test_equal_addresses_are_asked_once_and_only_rows_without_coordinates(tmp_path: Path) -> None:
    rows = [f"A,a,东街1号,{LON},{LAT}", "B,b,西街2号,,", "C,c,西街２号 ,　,", "D,d,,,"]
    with fake_geocoder(lambda *_: [nominatim(LON, LAT + 0.001)]) as fake:
        folder = write(tmp_path, "编号,名称,地址,经度,纬度\n" + "\n".join(rows) + "\n", of(fake))
        assert sc.geocode_study(folder).asked == 1
        assert fake.addresses == ["西街2号"]
    errors = [t[1:] for t in told(folder) if t[0] == "error"]
    assert errors == [(5, "has neither coordinates nor an address. Fill in one.")]


@pytest.mark.parametrize(
    ("service", "datum", "answer"),
    [("baidu", "bd09", baidu), ("amap", "gcj02", lambda x, y: amap((x, y, "门牌号", "某号")))],
)
def test_the_point_of_a_service_is_turned_out_of_its_datum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str, datum: str, answer: Any
) -> None:
    shifted = [float(v[0]) for v in sc.from_wgs84([LON], [LAT], datum)]
    with fake_geocoder(lambda *_: answer(*shifted)) as fake:
        monkeypatch.setenv(geocoding.HOST_SETTING, fake.root)
        monkeypatch.setenv(geocoding.KEY_SETTINGS[service], KEY)  # type: ignore[index]
        folder = write(tmp_path, ADDRESSES, f'service = "{service}"\nper_second = 50\ncity = "中山市"')
        sc.geocode_study(folder)
        path, query = fake.asked[0]
    assert path == {"baidu": "/geocoding/v3/", "amap": "/v3/geocode/geo"}[service]
    assert query == {
        {"baidu": "ak", "amap": "key"}[service]: KEY,
        "output": {"baidu": "json", "amap": "JSON"}[service],
        "address": "东街1号",
        "city": "中山市",
    }
    stations = sc.load_study(folder).stations
    assert stations is not None
    point = stations.geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx((LON, LAT), abs=1e-8)
    assert KEY not in "".join(f.read_text(encoding="utf-8", errors="replace") for f in folder.iterdir())


def test_the_command_looks_up_and_says_what_it_found(tmp_path: Path) -> None:
    with fake_geocoder(lambda *_: [nominatim(LON, LAT, rank=26)]) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        done = CliRunner().invoke(app, ["geocode", str(folder)])
        assert done.exit_code == 0, done.output
        host = fake.root.removeprefix("http://")
        assert done.output.splitlines() == [
            f"已向 {host} 查询 2 个地址：道路 2。",
            f"结果保存在 {folder / ANSWERS_FILE}；逐行情况见 servicecircle check。",
        ]
    again = CliRunner().invoke(app, ["geocode", str(folder)])
    assert (again.exit_code, again.output) == (0, "没有需要查询的地址。\n")
    check = CliRunner().invoke(app, ["check", str(folder)])
    assert check.exit_code == 0
    assert "2 行只定位到道路一级" in check.output


# --------------------------------------------------------------------------------------- what the study must say
def test_addresses_without_geocode_are_one_fault_that_says_how_to_turn_it_on(tmp_path: Path) -> None:
    ((level, row, en),) = told(write(tmp_path, ADDRESSES, None))
    assert (level, row) == ("error", None)
    assert "[geocode]" in en
    assert "servicecircle geocode STUDY" in en


def test_coordinates_under_headers_that_are_not_known_are_pointed_at(tmp_path: Path) -> None:
    text = f"编号,名称,地址,东向,北向\nA,东站,东街1号,{LON},{LAT}\n"
    ((_, _, en),) = told(write(tmp_path, text, None))
    assert 'under [stations]: columns = { lon = "东向", lat = "北向" }' in en


def test_a_blank_row_with_an_address_is_told_of_geocode(tmp_path: Path) -> None:
    folder = write(tmp_path, f"编号,地址,经度,纬度\nA,东街1号,,\nB,,,\nC,西街,{LON},{LAT}\n", None)
    assert [(row, "[geocode]" in en) for level, row, en in told(folder) if level == "error"] == [
        (2, True),
        (3, False),
    ]


@pytest.mark.parametrize(
    ("stated", "column", "words"),
    [
        ("", "geocode.service", "is missing"),
        ('service = "google"', "geocode.service", "one of nominatim, baidu, amap"),
        ('service = "amap"\nhost = "https://evil.example"', "geocode.host", "nowhere else"),
        ('service = "nominatim"\nper_second = 2', "geocode.per_second", "at most 1"),
        ('service = "nominatim"\nper_second = 0', "geocode.per_second", "above 0"),
        ('service = "nominatim"\nhost = "ftp://a"', "geocode.host", "address of a server"),
        ('service = "nominatim"\nhost = "http://user:pw@a"', "geocode.host", "address of a server"),
        ('service = "nominatim"\nhost = "http://a?b=c"', "geocode.host", "address of a server"),
        ('service = "nominatim"\naccept = "none"', "geocode.accept", "one of exact, street, area, district"),
        (f'service = "amap"\nkey = "{KEY}"', "geocode.key", "environment"),
    ],
)
def test_a_wrong_rule_is_told_at_its_line_and_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str, column: str, words: str
) -> None:
    with fake_geocoder(lambda *_: []) as fake:
        monkeypatch.setenv(geocoding.HOST_SETTING, fake.root)
        folder = write(tmp_path, ADDRESSES, stated)
        faults = [fault for fault in sc.check_study(folder) if fault.file == "study.toml"]
        assert [(fault.column, words in fault.en) for fault in faults] == [(column, True)]
        assert not any(KEY in fault.en + fault.zh for fault in faults)
        with pytest.raises(StudyError):
            sc.geocode_study(folder, key=KEY)
        assert fake.asked == []


def test_a_study_without_geocode_asks_nobody(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not ask"):
        sc.geocode_study(write(tmp_path, ADDRESSES, None))


@pytest.mark.parametrize("given", ["", "   ", "short", "two words here", "line\nbreak00", "密钥密钥密钥密钥"])
def test_without_a_key_nobody_is_asked_and_the_variable_is_named(tmp_path: Path, given: str) -> None:
    folder = write(tmp_path, ADDRESSES, 'service = "amap"')
    with pytest.raises(InputError, match="SERVICECIRCLE_AMAP_KEY") as error:
        sc.geocode_study(folder, key=given)
    assert len(given.strip()) < 3 or given.strip() not in str(error.value)


def test_a_workbook_of_addresses_is_read_below_its_titles_and_without_its_totals(tmp_path: Path) -> None:
    with fake_geocoder(lambda *_: [nominatim(LON, LAT)]) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        book = Workbook()
        book.active.append(["目录"])
        sheet = book.create_sheet("站点")
        for row in (
            ["2026 年驿站台账"],
            [],
            ["编號", "名稱", "詳細地址"],
            ["A", "东站", "东街1号"],
            ["合计", "1 处"],
        ):
            sheet.append(row)
        book.save(folder / "stations.xlsx")
        toml = (folder / "study.toml").read_text(encoding="utf-8").replace("stations.csv", "stations.xlsx")
        (folder / "study.toml").write_text(toml, encoding="utf-8")
        assert [(level, row) for level, row, en in told(folder) if "looked up" in en] == [("error", None)]
        assert sc.geocode_study(folder).asked == 1
    stations = sc.load_study(folder).stations
    assert stations is not None
    assert list(stations.index) == ["A"]
    (folder / "study.toml").write_text(toml.partition("[geocode]")[0], encoding="utf-8")
    assert [("[geocode]" in en) for level, _, en in told(folder) if level == "error"] == [True]


def test_coordinates_come_before_addresses(tmp_path: Path) -> None:
    """A sheet of addresses in front of one with coordinates is passed by."""
    with fake_geocoder(lambda *_: []) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        book = Workbook()
        for row in (["名称", "地址"], ["东站", "东街1号"]):
            book.active.append(row)
        sheet = book.create_sheet("坐标")
        for row in (["编号", "名称", "经度", "纬度"], ["A", "东站", LON, LAT]):
            sheet.append(row)
        book.save(folder / "stations.xlsx")
        toml = (folder / "study.toml").read_text(encoding="utf-8").replace("stations.csv", "stations.xlsx")
        (folder / "study.toml").write_text(toml, encoding="utf-8")
        assert sc.geocode_study(folder).asked == 0
    assert [level for level, *_ in told(folder) if level == "error"] == []


# ------------------------------------------------------------------------------------------------- match quality
COARSE = [
    ([nominatim(LON, LAT, rank=30)], "exact"),
    ([nominatim(LON, LAT, rank=26)], "street"),
    ([nominatim(LON, LAT, rank=20)], "area"),
    ([nominatim(LON, LAT, rank=16)], "district"),
    ([nominatim(LON, LAT, rank=16), nominatim(LON, LAT, rank=30)], "exact"),
    ([nominatim(LON, LAT), nominatim(LON + 0.001, LAT)], "exact"),
    ([nominatim(LON, LAT), nominatim(LON + 0.1, LAT)], "ambiguous"),
    ([], "none"),
]


@pytest.mark.parametrize(("answer", "quality"), COARSE)
def test_the_quality_of_nominatim(answer: Any, quality: str) -> None:
    with fake_geocoder(lambda *_: answer) as fake:
        rule = GeocodeRule("nominatim", host=fake.root)
        assert asker_of(rule, key="", server=fake.root, agent="test")("东街").quality == quality


@pytest.mark.parametrize(
    ("answer", "quality"),
    [
        (baidu(LON, LAT), "exact"),
        (baidu(LON, LAT, level="道路"), "street"),
        (baidu(LON, LAT, level="餐饮", precise=0, confidence=80), "exact"),
        (baidu(LON, LAT, level="餐饮", precise=0, confidence=70), "street"),
        (baidu(LON, LAT, level="餐饮", precise=0, confidence=50), "area"),
        (baidu(LON, LAT, level="餐饮", precise=0, confidence=20), "district"),
        (baidu(LON, LAT, level="区县"), "district"),
        (baidu(LON, LAT, level=""), "district"),
        ({"status": 0, "result": {}}, "none"),
        ({"status": 1, "msg": "Internal Service Error:无相关结果", "results": []}, "none"),
        ({"status": "2", "message": "Request Parameter Error"}, "none"),
    ],
)
def test_the_quality_of_baidu(answer: Any, quality: str) -> None:
    with fake_geocoder(lambda *_: answer) as fake:
        assert asker_of(GeocodeRule("baidu"), key=KEY, server=fake.root, agent="test")("东街").quality == quality


@pytest.mark.parametrize(
    ("answer", "quality"),
    [
        (amap((LON, LAT, "门牌号", "东街1号")), "exact"),
        (amap((LON, LAT, "兴趣点", "银行")), "exact"),
        (amap((LON, LAT, "道路", "东街")), "street"),
        (amap((LON, LAT, "村庄", "东村")), "area"),
        (amap((LON, LAT, "乡镇", "东镇")), "district"),
        (amap((LON, LAT, "未知", "")), "district"),
        (amap((LON, LAT, "门牌号", "甲市东街1号"), (LON + 1, LAT, "门牌号", "乙市东街1号")), "ambiguous"),
        (amap(), "none"),
        ({"status": "0", "info": "ENGINE_RESPONSE_DATA_ERROR", "infocode": "30001"}, "none"),
    ],
)
def test_the_quality_of_amap(answer: Any, quality: str) -> None:
    with fake_geocoder(lambda *_: answer) as fake:
        assert asker_of(GeocodeRule("amap"), key=KEY, server=fake.root, agent="test")("东街").quality == quality


@pytest.mark.parametrize(
    ("accept", "levels"),
    [
        ("exact", {2: None, 3: "error", 4: "error", 5: "error"}),
        ("street", {2: None, 3: None, 4: "error", 5: "error"}),
        ("district", {2: None, 3: None, 4: None, 5: None}),
    ],
)
def test_what_is_coarser_than_accepted_is_an_error_and_what_is_not_exact_is_told(
    tmp_path: Path, accept: str, levels: dict[int, str | None]
) -> None:
    rank = {"甲": 30, "乙": 26, "丙": 20, "丁": 15}
    rows = "".join(f"{i},{name},{name}\n" for i, name in enumerate(rank))
    with fake_geocoder(
        lambda _path, query: [nominatim(LON + rank[query["q"]] / 1e4, LAT, rank=rank[query["q"]])]
    ) as fake:
        folder = write(tmp_path, f"编号,名称,地址\n{rows}", of(fake, accept=accept))
        sc.geocode_study(folder)
    faults = told(folder)
    assert {row: level for level, row, _ in faults if row} == {row: level for row, level in levels.items() if level}
    not_exact = [en for level, row, en in faults if row is None and "may stand far" in en]
    assert len(not_exact) == sum(level is None for level in levels.values()) - 1


def test_the_workbook_of_a_check_shows_the_quality_of_every_answer(tmp_path: Path) -> None:
    rank = {"甲": 30, "乙": 20}
    rows = "".join(f"{name},{name},{name}\n" for name in [*rank, "丙"])
    with fake_geocoder(
        lambda _path, query: [nominatim(LON, LAT, rank=rank[query["q"]])] if query["q"] in rank else []
    ) as fake:
        folder = write(tmp_path, f"编号,名称,地址\n{rows}", of(fake))
        sc.geocode_study(folder)
    book = load_workbook(sc.write_check(sc.check_study(folder), tmp_path / "check.xlsx"))
    shown = [[cell.value for cell in row] for row in book[book.sheetnames[1]].iter_rows()]
    (head,) = (row for row in shown if "geocode_quality" in row)
    at = [head.index(name) for name in ("名称", "geocode_quality", "geocode_confidence")]
    assert [[row[k] or "" for k in at] for row in shown[shown.index(head) + 1 :]][:3] == [
        ["甲", "exact", "importance 0.25"],
        ["乙", "area", "importance 0.25"],
        ["丙", "none", ""],
    ]


def test_an_ambiguous_and_an_unknown_address_are_errors_with_the_fix(tmp_path: Path) -> None:
    def answer(_path: str, query: dict[str, str]) -> Any:
        return (
            [nominatim(LON, LAT, name="甲市"), nominatim(LON + 1, LAT, name="乙市")] if "东" in query["q"] else []
        )

    with fake_geocoder(answer) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        made = sc.geocode_study(folder)
    assert dict(made.qualities) == {"ambiguous": 1, "none": 1}
    (first, second) = told(folder)
    assert first[:2] == ("error", 2)
    assert "fits 2 places that lie apart, e.g. '甲市 / 乙市'" in first[2]
    assert second[:2] == ("error", 3)
    assert "not known" in second[2]


# ------------------------------------------------------------------------------------------------------- trouble
def status(code: int, **headers: str) -> Any:
    return code, {name.replace("_", "-"): value for name, value in headers.items()}, b"<html>oops</html>"


@pytest.mark.parametrize(
    ("service", "answer", "asked", "words"),
    [
        ("nominatim", status(500), 6, "cannot be read \\(500\\)"),
        ("nominatim", status(503), 3, r"busy.*503"),
        ("nominatim", status(429), 3, "status 429"),
        ("nominatim", status(429, Retry_After="3600"), 1, "status 429"),
        ("nominatim", status(429, Retry_After="Mon, 01 Jan 99999999 00:00:00 GMT"), 3, "status 429"),
        ("nominatim", status(403), 1, "refused to answer"),
        ("amap", status(403), 1, "refused the key"),
        ("nominatim", status(404), 6, "cannot be read \\(404\\)"),
        ("nominatim", status(302, Location="http://127.0.0.1:1/"), 6, "cannot be read \\(302\\)"),
        ("nominatim", b"", 6, "cannot be read"),
        ("nominatim", b"{[", 6, "cannot be read"),
        ("nominatim", b"\xff\xfe", 6, "cannot be read"),
        ("nominatim", b"[" * 100_000, 6, "cannot be read"),
        ("nominatim", {"error": "no"}, 6, "cannot be read"),
        ("nominatim", [{"lat": "x", "lon": None}], 6, "cannot be read"),
        ("nominatim", b'[{"lat": NaN, "lon": 1e999}]', 6, "cannot be read"),
        ("nominatim", b"[" + b" " * 2_000_000 + b"]", 6, "cannot be read"),
        ("baidu", {"status": 240, "message": f"bad {KEY}"}, 1, "refused the key \\(status 240\\)"),
        ("baidu", {"status": 302, "message": "天配额超限"}, 1, "quota"),
        ("baidu", {"status": 401, "message": "当前并发量已经超过约定并发配额"}, 3, "busy"),
        ("baidu", {"status": f"{KEY}"}, 6, "cannot be read"),
        ("baidu", {"status": 0, "result": {"location": None}}, 6, "cannot be read"),
        ("baidu", [], 6, "cannot be read"),
        ("amap", {"status": "0", "infocode": "10001", "info": f"INVALID_USER_KEY {KEY}"}, 1, "refused the key"),
        ("amap", {"status": "0", "infocode": "10044"}, 1, "quota"),
        ("amap", {"status": "0", "infocode": "10021"}, 3, "busy"),
        ("amap", {"status": "1", "geocodes": "x"}, 6, "cannot be read"),
        ("amap", {"status": "1", "geocodes": [{"location": "a,b"}]}, 6, "cannot be read"),
        ("amap", status(502), 3, "busy"),
    ],
)  # fmt: skip
def test_a_service_in_trouble_is_one_clear_error_with_the_row(  # noqa: PLR0917
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any, service: str, answer: Any, asked: int, words: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with fake_geocoder(lambda *_: answer) as fake:
        monkeypatch.setenv(geocoding.HOST_SETTING, fake.root)
        folder = write(tmp_path, ADDRESSES, f'service = "{service}"' + "\nper_second = 1")
        monkeypatch.setattr(GeocodeRule, "rate", property(lambda _: 100.0))
        with pytest.raises(DownloadError, match=words) as error:
            sc.geocode_study(folder, key=KEY)
        assert len(fake.asked) == asked
    assert error.value.en.startswith("stations.csv, row 2, column `地址`: 127.0.0.1:")
    assert "第 2 行" in error.value.zh
    assert "run the command again" in error.value.en
    shown = [caplog.text, str(error.value), error.value.zh, repr(error.value), str(error.value.__cause__)]
    assert not any(KEY in text for text in shown)
    assert not (folder / ANSWERS_FILE).exists()


def test_a_passing_trouble_is_asked_again_and_passes(tmp_path: Path) -> None:
    replies = iter([status(429, Retry_After="0"), status(500), [nominatim(LON, LAT)]])
    with fake_geocoder(lambda *_: next(replies)) as fake:
        folder = write(tmp_path, "编号,名称,地址\nA,东站,东街1号\n", of(fake))
        assert sc.geocode_study(folder).asked == 1
        assert len(fake.asked) == 3


def test_an_address_that_alone_gets_no_answer_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    rows = "".join(f"{i},站,{'怪' if i in {1, 4} else '路'}{i}号\n" for i in range(8))
    with fake_geocoder(lambda _path, query: b"{" if "怪" in query["q"] else [nominatim(LON, LAT)]) as fake:
        folder = write(tmp_path, f"编号,名称,地址\n{rows}", of(fake))
        with pytest.raises(DownloadError, match=r"row 3, .*6 of 8 addresses"):
            sc.geocode_study(folder)
        assert len(fake.asked) == 6 + 2 * 3


def test_a_service_that_never_answers_is_not_asked_for_every_row(tmp_path: Path) -> None:
    rows = "".join(f"{i},站,路{i}号\n" for i in range(50))
    with fake_geocoder(lambda *_: b"{") as fake:
        folder = write(tmp_path, f"编号,名称,地址\n{rows}", of(fake))
        with pytest.raises(DownloadError, match=r"row 2, .*0 of 50 addresses"):
            sc.geocode_study(folder)
        assert len(fake.asked) == 3 * 3


def test_what_was_found_before_a_trouble_is_kept(tmp_path: Path) -> None:
    with fake_geocoder(lambda _path, query: [nominatim(LON, LAT)] if "东" in query["q"] else status(500)) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        with pytest.raises(DownloadError, match=r"row 3.*1 of 2 addresses"):
            sc.geocode_study(folder)
        fake.asked.clear()
        with pytest.raises(DownloadError, match="0 of 1 addresses"):
            sc.geocode_study(folder)
        assert set(fake.addresses) == {"西街2号"}


def test_an_offline_machine_is_told_at_once(tmp_path: Path) -> None:
    with fake_geocoder(lambda *_: []) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
    done = CliRunner().invoke(app, ["geocode", str(folder)])  # nobody listens there any more
    assert done.exit_code == 1
    assert "stations.csv，第 2 行，“地址”" in done.output
    assert "连接不上" in done.output


@pytest.mark.parametrize("trickle", [False, True])
def test_a_server_that_says_nothing_or_trickles_is_left(monkeypatch: pytest.MonkeyPatch, trickle: bool) -> None:
    monkeypatch.setattr(geocoders, "TIMEOUT_S", 0.2)

    def answer(*_: Any) -> Any:
        time.sleep(0.6)
        return []

    with fake_geocoder(answer) as fake, slow_server() as slow:
        server = slow if trickle else fake.root
        ask = asker_of(GeocodeRule("nominatim"), key="", server=server, agent="test")
        began = time.monotonic()
        with pytest.raises(ServiceTroubleError, match=r"did not answer within 0\.2 s"):
            ask("东街")
        assert time.monotonic() - began < 5


def slow_server() -> Any:
    """A server that sends a byte of its headers now and then, for ever."""
    import contextlib
    import socket
    import threading

    @contextlib.contextmanager
    def serve() -> Any:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            over = threading.Event()

            def trickle() -> None:
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
                    while not over.wait(0.05):
                        connection.sendall(b"a")

            thread = threading.Thread(target=trickle, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                over.set()
                with contextlib.suppress(OSError):
                    socket.create_connection(listening.getsockname(), timeout=1).close()
                thread.join(timeout=2)

    return serve()


def test_questions_keep_their_distance(tmp_path: Path) -> None:
    """Four questions, a tenth of a second apart: the waits between them cannot be shorter."""
    rows = "".join(f"{i},站{i},路{i}号\n" for i in range(4))
    with fake_geocoder(lambda *_: [nominatim(LON, LAT)]) as fake:
        folder = write(tmp_path, f"编号,名称,地址\n{rows}", of(fake, per_second=10))
        began = time.monotonic()
        sc.geocode_study(folder)
        assert time.monotonic() - began > 0.29
        assert len(fake.asked) == 4


def test_a_stop_keeps_what_was_found(tmp_path: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with fake_geocoder(lambda *_: [nominatim(LON, LAT)]) as fake:
        folder = write(tmp_path, ADDRESSES, of(fake))
        with pytest.raises(KeyboardInterrupt):
            sc.geocode_study(folder, on_progress=stop)
    assert len(json.loads((folder / ANSWERS_FILE).read_text(encoding="utf-8"))["answers"]) == 1
