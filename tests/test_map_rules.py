"""Maps that leave the office: approval number, watermark, boundaries, and online base maps with their datum."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from studies import TOML, write_study
from typer.testing import CliRunner

from servicecircle._figure.curve_sheet import drawn_curve
from servicecircle._figure.fonts import Fonts
from servicecircle._figure.map_sheet import MapSheet
from servicecircle._figure.week_sheet import drawn_week
from servicecircle._figure.words import figure_words
from servicecircle._figure.zone_sheet import drawn_zones
from servicecircle._page.base_maps import ONLINE_BASES, TIANDITU_KEY
from servicecircle.cli import app
from servicecircle.datum import from_wgs84
from servicecircle.disclosure import told_warnings
from servicecircle.errors import InputError
from servicecircle.map_rules import BASE_MAPS, MapRules, boundary_warning
from servicecircle.maps import draw_map, map_html
from servicecircle.model import Plan
from servicecircle.pipeline import suggest
from servicecircle.study import load_study
from servicecircle.trouble import tell_closures
from servicecircle.writers import summary

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return suggest(load_study(write_study(tmp_path_factory.mktemp("study") / "town")))


def ruled(plan: Plan, **rules: Any) -> Plan:
    return dataclasses.replace(plan, study=dataclasses.replace(plan.study, map_rules=MapRules(**rules)))


def policy_of(html: str) -> dict[str, str]:
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert found is not None
    return dict(rule.split(" ", 1) for rule in found[1].split("; "))


# ---------------------------------------------------------------------------------------------- online base maps
@pytest.mark.parametrize("base", BASE_MAPS)
def test_the_policy_names_the_host_of_the_base_map_and_no_other(
    plan: Plan, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TIANDITU_KEY, KEY)
    html = map_html(ruled(plan, base=base))
    assert policy_of(html)["img-src"] == f"data: {ONLINE_BASES[base].host}"
    told = draw_map(ruled(plan, base=base))._children["panel"].data["base"]
    assert {"/".join(url.split("/")[:3]) for url in told["urls"]} == {ONLINE_BASES[base].host}
    assert (KEY in html) == (base == "tianditu")


def test_without_a_base_map_the_page_knows_no_host(plan: Plan) -> None:
    html = map_html(plan)
    assert policy_of(html)["img-src"] == "data:"
    assert not [online.host for online in ONLINE_BASES.values() if online.host in html]


@pytest.mark.parametrize("key", ["", "short", f"{KEY} and more", "../../etc/passwd-passwd"])
def test_tianditu_without_a_key_is_refused_and_no_key_is_shown(
    plan: Plan, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TIANDITU_KEY, key)
    with pytest.raises(InputError, match=TIANDITU_KEY) as raised:
        map_html(ruled(plan, base="tianditu"))
    assert not key or (key not in raised.value.en and key not in raised.value.zh)


def degrees_of(data: Any, origin: tuple[float, float], digits: int) -> np.ndarray:
    """All vertices of steps, however deep they stand, as longitude and latitude."""
    if not data:
        return np.empty((0, 2))
    if isinstance(data[0], int):
        return np.cumsum(np.reshape(data, (-1, 2)), axis=0) / 10**digits + origin
    return np.concatenate([degrees_of(part, origin, digits) for part in data])


def places_of(plan: Plan) -> list[np.ndarray]:
    """Every place on the page, layer by layer."""
    layers = {name: child.data for name, child in draw_map(plan)._children.items() if hasattr(child, "data")}
    origin = layers["panel"]["origin"]
    found = [degrees_of(layers["cells"]["outlines"], origin, 6)]
    found += [degrees_of(zone["shape"], origin, 6) for zone in layers["zones"]]
    found += [degrees_of(one["lines"], origin, 6) for one in layers["closures"]]
    for kind in ("station", "shop", "depot", "centre", "suggestion"):
        found += [np.array([place["at"][::-1]]) for place in layers["places"][kind]]
    found.append(np.array(layers["places"]["candidate"]).reshape(-1, 2)[:, ::-1])
    found += [np.array([one["at"][::-1]]) for key in ("zones", "closures") for one in layers[key]]
    found += [np.array([gap["at"][::-1]]) for mode in ("before", "after") for gap in layers["gaps"][mode]]
    found.append(np.array([[lon, lat] for _, lat, lon, *_ in layers["streets"]["labels"]]))
    return [*found, np.array(layers["panel"]["bounds"])[:, ::-1]]


def test_on_a_base_map_in_gcj02_all_data_are_shifted_with_it(plan: Plan) -> None:
    times = {"from": "2026-08-01 09:00", "until": "2026-08-01 10:00"}
    places = plan.study.stations.iloc[[0]][["geometry"]].assign(radius_m=60.0, name="x", **times)
    whole = dataclasses.replace(plan, trouble=tell_closures(plan, places))
    plain, shifted = places_of(whole), places_of(ruled(whole, base="gaode"))
    assert len(plain) == len(shifted) > 20
    for before, after in zip(plain[:-1], shifted[:-1], strict=True):
        moved = np.column_stack(from_wgs84(before[:, 0], before[:, 1], "gcj02"))
        assert np.abs(moved - after).max(initial=0.0) <= 1.2e-5  # labels have five digits
        assert np.abs(before - after).max(initial=1.0) > 1e-3
    html = map_html(ruled(plan, base="gaode"))
    panel = draw_map(ruled(plan, base="gaode"))._children["panel"].data
    assert "GCJ-02" in panel["attribution"]
    assert "GCJ-02" in panel["foot"]
    assert html == map_html(ruled(plan, base="gaode"))
    assert "GCJ-02" not in draw_map(ruled(plan, base="osm"))._children["panel"].data["foot"]


def test_figures_stay_where_they_are_whatever_the_base_map(plan: Plan) -> None:
    sheets = [
        MapSheet(p, figure_words("zh"), Fonts("zh"), show="both", with_zones=False)
        for p in (plan, ruled(plan, base="gaode"))
    ]
    assert sheets[0].places == sheets[1].places


# --------------------------------------------------------------------------------------------- what maps must say
def test_the_number_and_the_source_stand_on_map_figures_and_tables(plan: Plan) -> None:
    stated = ruled(plan, approval="粤S(2026)001号", base_source="标准地图", watermark=True)
    panel = draw_map(stated)._children["panel"].data
    for told in (panel["foot"], panel["attribution"]):
        assert "审图号：粤S(2026)001号" in told
        assert "底图：标准地图" in told
    sheet = MapSheet(stated, figure_words("zh"), Fonts("zh"), show="both", with_zones=False).drawn()
    assert any("审图号：粤S(2026)001号" in text for text in sheet.texts)
    assert sheet.texts.count("内部使用") > 4
    plain = MapSheet(plan, figure_words("zh"), Fonts("zh"), show="both", with_zones=False).drawn()
    assert "内部使用" not in plain.texts


def test_sheets_of_week_curve_and_zones_state_number_and_source_too(tmp_path: Path) -> None:
    toml = TOML.replace("[suggest]", "[suggest]\ncurve = 2")
    write_study(tmp_path, toml)
    stations = pd.read_csv(tmp_path / "stations.csv").assign(开放时间="08:00-20:00")
    stations.to_csv(tmp_path / "stations.csv", index=False)
    stated = ruled(suggest(load_study(tmp_path)), approval="粤S(2026)001号", base_source="标准地图")
    for draw in (drawn_week, drawn_curve, drawn_zones):
        told = [text for text in draw(stated, figure_words("zh"), Fonts("zh")).texts if "审图号" in text]
        assert len(told) == 1
        assert "审图号：粤S(2026)001号" in told[0]
        assert "底图：标准地图" in told[0]
        assert "示意" in told[0]


def test_boundaries_can_be_left_out_of_the_file(plan: Plan) -> None:
    assert draw_map(plan)._children["zones"].data
    assert not draw_map(ruled(plan, boundaries=False))._children["zones"].data


@pytest.mark.parametrize(
    ("more", "is_warned"),
    [
        ("", False),
        ("publish = true\n", True),
        ('publish = true\n[map]\napproval = "粤S(2026)001号"\n', False),
        ("publish = true\n[map]\nboundaries = false\n", False),
        ("[map]\nwatermark = true\n", False),
    ],
)
def test_boundaries_on_a_map_for_the_public_are_warned_of(tmp_path: Path, more: str, is_warned: bool) -> None:
    folder = write_study(tmp_path / "town")
    toml = folder / "study.toml"
    toml.write_text(more.split("[map]", maxsplit=1)[0] + toml.read_text(encoding="utf-8"), encoding="utf-8")
    if "[map]" in more:
        toml.write_text(toml.read_text(encoding="utf-8") + "[map]" + more.split("[map]")[1], encoding="utf-8")
    plan = suggest(load_study(folder), stations=0, shops=0)
    told = [fault for fault in told_warnings(plan) if fault.column == "publish"]
    assert len(told) == is_warned
    if is_warned:
        assert told[0].level == "warning"
        assert "不是法律意见" in told[0].zh
        assert "no legal advice" in told[0].en
        assert any("行政区域界线" in line for line in summary(plan)["warnings"])
        assert any("行政区域界线" in note for note in draw_map(plan)._children["panel"].data["notes"])


def test_zones_that_are_named_like_divisions_are_named() -> None:
    told = boundary_warning(MapRules(), ["南区街道", "恒信 社区", "第 3 网格"], is_published=True)
    assert told is not None
    assert "2 of them" in told[0]
    assert "南区街道、恒信 社区" in told[1]
    assert "第 3 网格" not in told[1]


@pytest.mark.parametrize("wrong", [{"base": "baidu"}, {"approval": "x" * 81}, {"base_source": "x" * 81}])
def test_wrong_rules_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        MapRules(**wrong)


def test_the_command_line_refuses_a_base_map_that_is_not_there_and_one_without_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_study(tmp_path / "town")
    monkeypatch.delenv(TIANDITU_KEY, raising=False)
    for name, told in (("baidu", "osm"), ("tianditu", TIANDITU_KEY)):
        made = CliRunner().invoke(app, ["plan", str(folder), "--base-map", name, "--out", str(tmp_path / "out")])
        assert made.exit_code != 0
        assert told in made.output + str(made.exception)
    assert not (tmp_path / "out").exists()
