from __future__ import annotations

import copy
import dataclasses
import hashlib
import io
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from studies import write_study
from tiny_study import write_tiny_study

import servicecircle as sc
from servicecircle import figures
from servicecircle._figure import svg_paths
from servicecircle._figure.fonts import FONT_PACKAGE, Fonts, plain_line
from servicecircle._figure.frame import FRAME, bar_field_m, ground_of
from servicecircle._figure.labels import common_prefix, reading_turn
from servicecircle._figure.layers import hatch_of, street_pt
from servicecircle._figure.map_sheet import MapSheet
from servicecircle._figure.paper import FORMATS, Sheet, as_it_comes
from servicecircle._figure.placer import Placer
from servicecircle._figure.texts import wrapped
from servicecircle._figure.words import WORDS, figure_words
from servicecircle._figure.zone_sheet import zones_of
from servicecircle._page import areas, palette
from servicecircle._page.shown_riders import shown_riders, shown_served
from servicecircle._page.symbols import PATHS
from servicecircle.errors import InputError, MissingPackageError
from servicecircle.model import Plan
from servicecircle.trouble import tell_closures
from servicecircle.writers import summary, write_outputs

pytest.importorskip("matplotlib", reason="figures need the extra `report`")
pytest.importorskip(FONT_PACKAGE, reason="figures need the extra `report`")

HOSTILE = (
    "${x}",
    "`ls`",
    "</script>",
    '"><img onerror=x>',
    r"\1\g<0>",
    "$\\frac{1}{2}$",
    "a\u2028b",
    "\u202eabc",
    "&amp;&lt;",
    "%s{0}",
)
RARE = "𠮷"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return sc.suggest(sc.load_study(write_study(tmp_path_factory.mktemp("study") / "town")))


@pytest.fixture(scope="module")
def hours_plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = write_tiny_study(tmp_path_factory.mktemp("study") / "hours")
    ledger = folder / "stations.csv"
    head, row = ledger.read_text(encoding="utf-8").splitlines()
    ledger.write_text(f"{head},开放时间\n{row},08:00-20:00\n", encoding="utf-8")
    study = sc.load_study(folder)
    return sc.suggest(study, rules=sc.SitingRules(curve=3))


def map_sheet(plan: Plan, *, lang: str = "zh", show: str = "both", zones: bool = False) -> MapSheet:
    with as_it_comes():
        sheet = MapSheet(plan, figure_words(lang), Fonts(lang), show=show, with_zones=zones)  # type: ignore[arg-type]
        sheet.drawn()
    return sheet


def named(plan: Plan, *names: str) -> Plan:
    """The plan with other names of its study and stations."""
    facilities = plan.facilities.copy()
    facilities["name"] = [*names, *facilities["name"]][: len(facilities)]
    return dataclasses.replace(plan, facilities=facilities, study=dataclasses.replace(plan.study, name=names[0]))


# --------------------------------------------------------------------------------------------------- fonts
@pytest.mark.parametrize("text", ["  南区\t街道\n", "a\u2028b", "\u202e驿\u200b站\ufeff", "葛\U000e0100城"])
def test_a_name_is_one_line_without_marks_that_nobody_sees(text: str) -> None:
    line = plain_line(text)
    assert line == line.strip()
    assert not set(line) & set("\t\n\u2028\u202e\u200b\ufeff\U000e0100")


@given(st.text(st.characters(exclude_categories=()), max_size=30))
@settings(max_examples=60)
def test_whatever_a_name_holds_it_is_drawn_or_told(name: str) -> None:
    fonts = Fonts("zh")
    line, face = fonts.fit(name)
    assert face.has(line)
    plain = plain_line(name)
    assert fonts.missing == {c for c in plain if ord(c) not in face.characters}
    assert len(line) == len(plain)
    assert all(a in {b, "〓"} for a, b in zip(line, plain, strict=True) if ord(b) in face.characters)


def test_every_own_word_is_in_the_font_that_the_extra_installs() -> None:
    for lang in ("zh", "en"):
        fonts = Fonts(lang)
        for pair in WORDS.values():
            fonts.fit(pair[0 if lang == "zh" else 1])
        assert not fonts.missing


def test_a_font_is_given_by_path_and_what_it_lacks_is_taken_from_the_other(tmp_path: Path) -> None:
    import matplotlib as mpl

    latin = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    fonts = Fonts("zh", latin)
    assert fonts.fit("Station 12")[1].path == str(latin)
    assert "NotoSansSC" in fonts.fit("驿站 12")[1].path
    (tmp_path / "no.ttf").write_text("no font", encoding="utf-8")
    for wrong in (tmp_path / "no.ttf", tmp_path / "missing.otf", tmp_path):
        with pytest.raises(InputError, match="cannot be read as a font"):
            Fonts("zh", wrong)


def test_without_a_chinese_font_a_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    import matplotlib as mpl

    monkeypatch.setitem(sys.modules, FONT_PACKAGE, None)  # as where it is not installed
    with pytest.raises(MissingPackageError, match="need a Chinese font: pip install 'servicecircle"):
        sc.draw_figure(plan, "never.png")
    latin = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    with pytest.raises(InputError, match="Give a font with Chinese characters"):
        sc.draw_figure(plan, "never.png", font=latin)
    Fonts("en", latin)  # English needs none


def test_without_matplotlib_a_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"servicecircle\[report\]"):
        sc.draw_figure(plan, "never.png")
    assert not Path("never.png").exists()


# -------------------------------------------------------------------------------------------------- symbols
def test_paths_of_svg_are_drawn_where_they_are() -> None:
    house = svg_paths.path_of(PATHS["station"])
    assert house.get_extents().bounds == pytest.approx((5.8, 5.6, 12.4, 11.4))
    pin = svg_paths.path_of(PATHS["suggestion"])
    assert pin.get_extents().bounds == pytest.approx((2.0, 1.4, 26.0, 34.8), abs=0.01)
    assert svg_paths.path_of(PATHS["depot"]).get_extents().bounds == pytest.approx((4.6, 4.2, 8.8, 9.6))


@pytest.mark.parametrize(("large", "clockwise"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_an_arc_stays_on_its_circle_and_on_its_side(large: int, clockwise: int) -> None:
    path = svg_paths.path_of(f"M0 0A5 5 0 {large} {clockwise} 6 0")  # middles at (3, 4) and (3, -4)
    middle = (3, 4) if large != clockwise else (3, -4)
    xy = np.concatenate([curve(np.linspace(0, 1, 9)) for curve, _ in path.iter_bezier()][1:])
    assert np.hypot(*(xy - middle).T) == pytest.approx(5, abs=0.01)
    assert math.copysign(1, xy[:, 1].mean()) == (-1 if clockwise else 1)


def test_a_hatch_lies_in_its_area_and_on_one_grid() -> None:
    one, two = (hatch_of(shapely.box(x, 10, x + 9, 20)) for x in (30.0, 39.0))
    assert one.within(shapely.box(30, 10, 39, 20).buffer(1e-6))
    both = shapely.line_merge(shapely.union_all([one, two]))
    assert len(both.geoms) < len(one.geoms) + len(two.geoms)  # lines run on from one area into the next


def test_an_area_smaller_than_a_step_of_the_hatch_has_none() -> None:
    assert hatch_of(shapely.box(30.1, 10.2, 30.2, 10.3)).is_empty


# ---------------------------------------------------------------------------------------------------- frame
@given(st.floats(-5e5, 5e5), st.floats(2e5, 9e6), st.floats(50, 60_000), st.floats(50, 60_000))
@settings(max_examples=60, deadline=None)
def test_what_must_be_seen_lies_in_the_frame_at_a_round_scale(x: float, y: float, wide: float, high: float) -> None:
    ground = ground_of((5e5 + x / 10, y, 5e5 + x / 10 + wide, y + high), CRS.from_epsg(32650))
    west, south, east, north = FRAME
    paper = ground.on_paper(np.array([[5e5 + x / 10, y], [5e5 + x / 10 + wide, y + high]]))
    assert (paper >= [west, south]).all()
    assert (paper <= [east, north]).all()
    assert re.fullmatch(r"(10|12|15|20|25|30|40|50|60|80|100)0*", f"{ground.scale:.0f}")
    assert 4 * bar_field_m(ground.scale) / ground.scale <= 0.0521


def test_a_millimetre_is_what_the_scale_says_on_the_ground() -> None:
    """Also in a CRS whose metres are none: Mercator's are twice as long at 60 degrees north."""
    for code, unit_m in ((32635, 1.0), (3857, 0.5)):
        x, y = (500_000.0, 6_650_000.0) if code == 32635 else (2_776_000.0, 8_399_738.0)
        ground = ground_of((x, y, x + 2000 / unit_m, y + 1000 / unit_m), CRS.from_epsg(code))
        a, b = ground.on_paper(np.array([[x, y], [x + 1000 / unit_m, y]]))
        assert np.hypot(*(b - a)) == pytest.approx(1_000_000 / ground.scale, rel=0.01)


def test_streets_have_the_width_of_the_look_at_its_scale_and_grow_with_it() -> None:
    assert street_pt("primary", 15) == 2.5
    assert street_pt("residential", 14) < street_pt("residential", 15) < street_pt("residential", 16)


# --------------------------------------------------------------------------------------------------- labels
@given(
    st.lists(st.tuples(st.floats(10, 216), st.floats(15, 185), st.floats(1, 40), st.floats(-90, 90)), max_size=60)
)
@settings(max_examples=40, deadline=None)
def test_boxes_that_are_taken_never_overlap(wanted: list[tuple[float, float, float, float]]) -> None:
    placer = Placer(FRAME)
    taken = [
        box for x, y, width, turn in wanted if placer.take([(x, y, width, 3.0, turn)]) for box in [placer.boxes[-1]]
    ]
    assert overlaps([(str(k), box) for k, box in enumerate(taken)]) == []
    assert all(placer.is_in_frame(box) for box in taken)


def overlaps(boxes: list[tuple[str, np.ndarray]]) -> list[tuple[str, str]]:
    shapes = shapely.buffer(shapely.polygons([box for _, box in boxes]), -1e-6) if boxes else np.empty(0, object)
    return [
        (boxes[i][0], boxes[j][0])
        for i in range(len(boxes))
        for j in range(i + 1, len(boxes))
        if shapes[i].intersects(shapes[j])
    ]


@pytest.mark.parametrize("show", ["both", "before", "after"])
def test_labels_overlap_neither_each_other_nor_a_symbol(plan: Plan, show: str) -> None:
    labels = map_sheet(plan, show=show, zones=True).labels
    boxes = [(label.text, label.box) for label in labels.put]
    kinds = {"station", "street", "zone"}
    if any(areas.is_tagged(plan.gaps_after if show == "after" else plan.gaps)):
        kinds.add("gap")
    assert {label.kind for label in labels.put} >= kinds
    assert overlaps(boxes) == []
    shops = [
        (f"shop {k}", shapely.Point(x, y).buffer(0.9)) for k, (_, x, y) in enumerate(labels.at(shop_places(plan)))
    ]
    for text, box in boxes:
        assert not [name for name, disc in shops if disc.intersects(shapely.Polygon(box))], text


def shop_places(plan: Plan) -> list[dict]:
    shops = plan.facilities[plan.facilities["kind"] == "shop"]
    return [{"at": (point.y, point.x)} for point in shops.geometry]


def test_letters_lie_in_the_boxes_that_were_kept_for_them(plan: Plan) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    sheet = map_sheet(plan)
    figure = sheet.sheet._figure
    canvas = FigureCanvasAgg(figure)
    with as_it_comes():
        canvas.draw()
        extents = {
            (t.get_text().replace("\n", ""), tuple(np.round(t.get_position(), 6))): t.get_window_extent()
            for t in figure.axes[0].texts
        }
    px = 300 / 25.4
    names = [label for label in sheet.labels.put if label.kind in {"station", "street"}]
    assert len(names) > 8
    found = 0
    for label in names:
        x, y = label.box.mean(axis=0)
        extent = extents.get((label.text, (round(float(x), 6), round(float(y), 6))))
        if extent is not None:
            found += 1
            drawn = shapely.box(extent.x0 / px, extent.y0 / px, extent.x1 / px, extent.y1 / px)
            bounds = shapely.box(*label.box.min(axis=0), *label.box.max(axis=0)).buffer(0.6)
            assert drawn.within(bounds), label.text
    assert found > 8


@pytest.mark.parametrize(
    ("angle", "name", "turn", "is_stacked"),
    [
        (10, "珠江路", 10, False),
        (190, "珠江路", 10, False),
        (80, "中山路", -10, True),
        (-80, "中山路", 10, True),
        (80, "Bulevardi", 80, False),
        (80, "纬3路", 80, False),
    ],
)
def test_steep_chinese_names_stand_upright_and_no_name_on_its_head(
    angle: float, name: str, turn: float, is_stacked: bool
) -> None:
    assert reading_turn(angle, name) == (pytest.approx(turn), is_stacked)


def test_what_all_names_begin_with_is_told_once() -> None:
    assert common_prefix(["“蜂”享驿站·甲站", "“蜂”享驿站·乙站", "“蜂”享驿站·丙站"]) == "“蜂”享驿站·"
    assert common_prefix(["甲·一号", "甲·二号"]) == ""  # two say little
    assert common_prefix(["驿站一号", "驿站二号", "驿站三号"]) == ""  # no mark ends it
    assert common_prefix(["甲·", "甲·乙站", "甲·丙站"]) == ""  # nothing would be left


# ------------------------------------------------------------------------------------------- what names hold
def test_hostile_names_stand_on_a_sheet_as_they_are() -> None:
    with as_it_comes():
        sheet = Sheet(90, 80, Fonts("zh"))
        for k, name in enumerate(HOSTILE):
            sheet.text(5, 5 + 7 * k, name, 9.0, halo=1.5)
        tree = ET.fromstring(sheet.bytes("svg"))
        assert sheet.bytes("pdf").startswith(b"%PDF")
    assert sheet.texts == [plain_line(name) for name in HOSTILE]
    assert not {e.tag.rpartition("}")[2] for e in tree.iter()} & {"script", "img", "image", "foreignObject"}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stand_on_the_map_as_they_are(plan: Plan, name: str) -> None:
    sheet = map_sheet(named(plan, name, f"站 {name}"))
    assert any(plain_line(name) in text for text in sheet.sheet.texts)
    assert plain_line(f"站 {name}") in sheet.sheet.texts
    with as_it_comes():
        ET.fromstring(sheet.sheet.bytes("svg"))


def test_a_character_that_no_font_has_is_no_box_but_told(plan: Plan, tmp_path: Path) -> None:
    sheet = map_sheet(named(plan, f"{RARE}野家驿站", f"{RARE}野家"))
    assert any(text.startswith("〓野家") for text in sheet.sheet.texts)
    assert any("U+20BB7" in text for text in sheet.sheet.texts)
    written = sc.draw_figure(named(plan, f"{RARE}野家"), tmp_path / "map.pdf")  # a glyph that is missing would warn
    assert written.read_bytes().startswith(b"%PDF")


def test_very_long_names_are_cut_and_shrink_nothing(plan: Plan) -> None:
    sheet = map_sheet(named(plan, "很长的街道名称" * 12, "Very Long Station Name of Some Kind " * 4), zones=True)
    assert any(text.endswith("…") for text in sheet.sheet.texts)
    for label in sheet.labels.put:
        assert np.ptp(label.box, axis=0).max() < 60


def test_lines_break_between_chinese_characters_and_between_words_alone() -> None:
    fonts = Fonts("zh")
    text = "人数为期望值，取整显示；Expected riders are whole（summary.json）。"
    lines = wrapped(fonts, text, 7.0, 30.0, 9)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(fonts.width_pt(line, 7.0) <= 30 * 72 / 25.4 for line in lines)
    assert not any(line[0] in "，；）。" for line in lines)
    assert any("Expected" in line for line in lines)


# -------------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_numbers_on_the_sheet_are_those_of_the_summary(plan: Plan, lang: str) -> None:
    told, texts = summary(plan), map_sheet(plan, lang=lang).sheet.texts
    for mode in ("before", "after"):
        assert f"{100 * told[mode]['share']['10']:.1f}%" in texts
    gained = round(told["after"]["covered"]["10"]) - round(told["before"]["covered"]["10"])
    assert (f"+{gained} 人" if lang == "zh" else f"+{gained}") in texts
    for row in told["suggestions"]:
        assert row["name"] in texts
    for missed, has_tag in zip(plan.gaps["riders"], areas.is_tagged(plan.gaps), strict=True):
        riders = math.floor(missed + 0.5)
        if has_tag:
            assert (f"{riders} 人" if lang == "zh" else f"{riders} rider{'' if riders == 1 else 's'}") in texts


def test_the_three_sheets_have_one_scale_and_today_has_no_proposal(plan: Plan) -> None:
    sheets = {show: map_sheet(plan, show=show) for show in ("both", "before", "after")}
    assert len({sheet.ground for sheet in sheets.values()}) == 1
    names = set(plan.sites["name"])
    assert names <= set(sheets["both"].sheet.texts)
    assert names <= set(sheets["after"].sheet.texts)
    assert not names & set(sheets["before"].sheet.texts)


@pytest.mark.slow
def test_crimson_is_for_what_is_proposed_alone(plan: Plan) -> None:
    real = dataclasses.replace(plan, study=dataclasses.replace(plan.study, is_invented=False))
    proposal = palette.COLOURS["proposal"].lower()
    with as_it_comes():
        svg = {show: map_sheet(real, show=show).sheet.bytes("svg").decode() for show in ("both", "before", "after")}
    assert proposal in svg["both"]
    assert proposal in svg["after"]
    assert proposal not in svg["before"]


def test_every_colour_is_one_of_the_palette(plan: Plan) -> None:
    known = {*palette.COLOURS.values(), *palette.MISSED, *palette.TINTS}
    known |= {*palette.circle_fills(2, ground=palette.COLOURS["print_paper"]), *palette.circle_tints(2)}
    with as_it_comes():
        svg = map_sheet(plan, show="after", zones=True).sheet.bytes("svg").decode()
    used = {colour.upper() for colour in re.findall(r"(?:fill|stroke): (#[0-9a-fA-F]{6})", svg)}
    assert len(used) > 15
    assert used <= {colour.upper() for colour in known} | {"#000000"}


def test_a_plan_without_suggestions_riders_or_gaps_is_drawn_and_says_so(tmp_path: Path) -> None:
    nobody = sc.suggest(sc.load_study(write_tiny_study(tmp_path / "a", riders=0)))
    assert figure_words("zh")("no_demand") in map_sheet(nobody).sheet.texts
    everybody = sc.suggest(sc.load_study(write_tiny_study(tmp_path / "b", profile="ebike", minutes="[5, 10, 15]")))
    sheet = map_sheet(everybody)
    assert sheet.show == "before"
    assert "100%" in sheet.sheet.texts
    assert figure_words("zh")("layer.gap") not in sheet.sheet.texts


# ------------------------------------------------------------------------------------------- curve, week, zones
def test_the_curve_says_the_riders_of_each_number_of_sites(hours_plan: Plan, tmp_path: Path) -> None:
    assert hours_plan.siting is not None
    with as_it_comes():
        sheet = figures.drawn_curve(hours_plan, figure_words("zh"), Fonts("zh"))
    for point in hours_plan.siting.curve:
        assert f"{math.floor(point.served + 0.5):,}" in sheet.texts
    assert figure_words("zh")("curve.proven") + "。" in sheet.texts
    assert figure_words("zh")("curve.bound") not in sheet.texts  # it is the curve itself
    point = dataclasses.replace(hours_plan.siting.curve[1], status="feasible", bound=119.0)
    curve = (
        hours_plan.siting.curve[0],
        point,
        dataclasses.replace(point, stations=2, served=None, status="infeasible"),
    )
    siting = dataclasses.replace(hours_plan.siting, curve=curve)
    with as_it_comes():
        sheet = figures.drawn_curve(dataclasses.replace(hours_plan, siting=siting), figure_words("en"), Fonts("en"))
    assert any("not proven" in text and "no plan with" in text for text in sheet.texts)
    assert figure_words("en")("curve.bound") in sheet.texts
    assert sc.draw_curve(hours_plan, tmp_path / "curve.svg").stat().st_size > 1000


def test_the_curve_says_the_number_of_the_headline_for_today_and_the_plan(hours_plan: Plan) -> None:
    today, then = (shown_riders(coverage).within[-1] for coverage in (hours_plan.before, hours_plan.after))
    n = len(hours_plan.sites)
    for off in (-0.9, 0.0, 0.9):  # largest remainder: up to a rider from what one number alone is rounded to
        assert shown_served(hours_plan, today + off, 0) == today
        assert shown_served(hours_plan, then + off, n) == then
    assert shown_served(hours_plan, today + 1.6, 0) == today + 2
    assert shown_served(hours_plan, 7.5, n + 1) == 8


def test_the_week_says_its_share_and_its_emptiest_hour(hours_plan: Plan, tmp_path: Path) -> None:
    assert hours_plan.serving is not None
    assert hours_plan.serving.week is not None
    with as_it_comes():
        sheet = figures.drawn_week(hours_plan, figure_words("zh"), Fonts("zh"))
    share = hours_plan.serving.week.rider_hours_share["10"]
    assert any(f"{100 * share:.1f}%" in text and "最少：周一 0–1 点" in text for text in sheet.texts)
    assert sc.draw_week(hours_plan, tmp_path / "week.pdf").stat().st_size > 1000


def test_zones_add_up_to_the_map(plan: Plan, tmp_path: Path) -> None:
    zones, told = zones_of(plan, figure_words("zh")), summary(plan)
    assert math.fsum(zone.riders for zone in zones) == pytest.approx(told["before"]["riders"])
    assert math.fsum(zone.before for zone in zones) == pytest.approx(told["before"]["covered"]["10"])
    assert math.fsum(zone.after for zone in zones) == pytest.approx(told["after"]["covered"]["10"])
    assert [zone.missed for zone in zones] == sorted((zone.missed for zone in zones), reverse=True)
    with as_it_comes():
        texts = figures.drawn_zones(plan, figure_words("zh"), Fonts("zh")).texts
    gains = [int(text[1:]) for text in texts if re.fullmatch(r"\+\d+", text)]
    assert sum(gains[:-1]) == gains[-1]
    assert f"{100 * told['after']['share']['10']:.1f}%" in texts
    assert sc.draw_zones(plan, tmp_path / "zones.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_the_plan_has_nothing_for_is_refused(plan: Plan, hours_plan: Plan) -> None:
    with pytest.raises(InputError, match="has no curve"):
        sc.draw_curve(plan, "never.png")
    with pytest.raises(InputError, match="has no week"):
        sc.draw_week(plan, "never.png")
    with pytest.raises(InputError, match="has no zones"):
        sc.draw_zones(hours_plan, "never.png")


# ---------------------------------------------------------------------------------------------------- files
@pytest.mark.parametrize(
    ("path", "options", "match"),
    [
        ("map.gif", {}, "png, svg or pdf file"),
        ("map", {}, "png, svg or pdf file"),
        ("map.png", {"show": "all"}, "`show` must be"),
        ("map.png", {"lang": "fr"}, "`lang` must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused(plan: Plan, path: str, options: dict, match: str) -> None:
    with pytest.raises(InputError, match=match):
        sc.draw_figure(plan, path, **options)


@pytest.fixture(scope="module")
def files(hours_plan: Plan) -> dict[str, bytes]:
    return figures.figure_files(hours_plan, FORMATS)


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


@pytest.mark.parametrize(
    "formats",
    [pytest.param(("svg", "pdf"), id="vectors"), pytest.param(("png",), id="png", marks=pytest.mark.slow)],
)
def test_two_runs_give_the_same_bytes(hours_plan: Plan, files: dict[str, bytes], formats: tuple[str, ...]) -> None:
    assert set(files) == {f"{name}.{end}" for name in ("map", "curve", "week") for end in FORMATS}
    again = digests(figures.figure_files(copy.copy(hours_plan), formats))
    assert again == {name: digest for name, digest in digests(files).items() if name in again}


def test_no_file_says_when_it_was_made(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        assert b"CreationDate" not in data, name
        assert b"dc:date" not in data, name
        assert b"tEXt" not in data[:200], name


def test_sheets_have_their_size_and_print_their_dots(files: dict[str, bytes]) -> None:
    from PIL import Image

    picture = Image.open(io.BytesIO(files["map.png"]))
    assert picture.size == (pytest.approx(297 / 25.4 * 300, abs=1), pytest.approx(210 / 25.4 * 300, abs=1))
    assert picture.info["dpi"] == (pytest.approx(300, abs=0.1), pytest.approx(300, abs=0.1))
    tree = ET.fromstring(files["map.svg"])
    assert tree.get("width") == "841.889764pt"
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", files["map.pdf"])
    assert box is not None
    assert (float(box[1]), float(box[2])) == (pytest.approx(841.89, abs=0.1), pytest.approx(595.28, abs=0.1))


def test_vectors_carry_their_letters_with_them(files: dict[str, bytes]) -> None:
    assert b"<text" not in files["map.svg"]  # outlines: no viewer needs the font
    assert b"NotoSansSC-Regular" in files["map.pdf"]
    assert files["map.pdf"].count(b"/Subtype /Type3") + files["map.pdf"].count(b"/FontFile3") > 0
    assert b"/Subtype /Image" not in files["map.pdf"]
    assert b"<image" not in files["map.svg"]


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys, hashlib; from pathlib import Path; import servicecircle as sc\n"
        "plan = sc.suggest(sc.load_study(sys.argv[1]))\n"
        "for end in ('png', 'svg', 'pdf'):\n"
        "    print(hashlib.sha256(sc.draw_figure(plan, f'{sys.argv[2]}.{end}').read_bytes()).hexdigest())"
    )
    study = write_study(tmp_path / "town")
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, str(study), str(tmp_path / f"run{seed}")],
            env={**os.environ, "PYTHONHASHSEED": seed, "MPLBACKEND": "agg", "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    ]
    assert runs[0] == runs[1]
    assert len(runs[0].split()) == 3


def test_settings_of_others_change_no_figure_and_are_left_alone(hours_plan: Plan, tmp_path: Path) -> None:
    import matplotlib as mpl

    first = sc.draw_week(hours_plan, tmp_path / "a.svg").read_bytes()
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
        assert sc.draw_week(hours_plan, tmp_path / "b.svg").read_bytes() == first
        assert mpl.rcParams["font.size"] == 30


@pytest.mark.slow
def test_a_result_folder_holds_the_figures_that_were_asked_for_and_none_of_an_earlier_plan(
    hours_plan: Plan, tmp_path: Path
) -> None:
    files = write_outputs(hours_plan, tmp_path, figures=("svg",))
    assert {file.name for file in files} >= {"map.svg", "curve.svg", "week.svg"}
    assert files[-1].name == "summary.json"
    write_outputs(hours_plan, tmp_path, figures=("svg", "pdf"))
    assert (tmp_path / "map.pdf").exists()
    write_outputs(dataclasses.replace(hours_plan, siting=None), tmp_path)
    assert not [file for end in FORMATS for file in tmp_path.glob(f"*.{end}")]
    with pytest.raises(InputError, match="not 'gif'"):
        write_outputs(hours_plan, tmp_path, figures=("gif",))


# ---------------------------------------------------------------------------------------------- centres, closures
def test_centres_and_trouble_stand_on_the_sheet_with_their_names(plan: Plan) -> None:
    zones = plan.study.zones
    assert zones is not None
    middle = zones.representative_point()
    names = [f"{name}中心" for name in zones["name"]]
    posts = gpd.GeoDataFrame(
        {"name": names, "zone": zones.index}, geometry=middle.to_numpy(), crs=4326, index=names
    )
    study = dataclasses.replace(plan.study, posts=posts)
    whole = sc.with_zone_work(dataclasses.replace(plan, study=study))
    times = {"from": "2026-08-01 09:00", "until": "2026-08-01 18:00"}
    spots = plan.study.stations.iloc[[0]][["geometry"]].assign(radius_m=60.0, name="修路", **times)
    sheet = map_sheet(dataclasses.replace(whole, trouble=tell_closures(plan, spots)))
    put = {kind: {one.text for one in sheet.labels.put if one.kind == kind} for kind in ("closure", "centre")}
    assert put["closure"] == {"修路 08-01 09:00–18:00"}
    assert put["centre"]
    assert put["centre"] <= set(names)
    assert {"网格中心", "路况", "1 处封闭，时段见图"} <= set(sheet.sheet.texts)
    assert not {"网格中心", "路况"} & set(map_sheet(plan).sheet.texts)
