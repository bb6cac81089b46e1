"""QR codes of the contact table: what a phone reads from the pictures, by a library that nobody here wrote."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import unquote, urlsplit

import geopandas as gpd
import numpy as np
import pytest
import shapely
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from openpyxl import load_workbook
from studies import TOML, write_study

from servicecircle import InputError, from_wgs84, load_study, suggest, with_zone_work, write_contacts
from servicecircle.place_links import MAX_BYTES, check_link_rule, place_links, template_datum
from servicecircle.qr_codes import qr_code

AMAP = "https://uri.amap.com/marker?position={lon},{lat}&name={name}"


def read_code(png: bytes) -> str:
    picture = imread(io.BytesIO(png))
    grey = picture if picture.ndim == 2 else picture[..., :3].mean(axis=2)
    [found] = zxingcpp.read_barcodes((grey * 255).astype(np.uint8))
    return str(found.text)


def places(names: list[str], links: list[str] | None = None) -> gpd.GeoDataFrame:
    n = len(names)
    points = shapely.points(113.38 + 0.001 * np.arange(n), 22.51 + 0.001 * np.arange(n))
    return gpd.GeoDataFrame(
        {"name": names, "link": links or [""] * n},
        geometry=points,
        index=[f"S{k}" for k in range(n)],
        crs="EPSG:4326",
    )


@settings(max_examples=30, deadline=None)
@example(text="ሁ@")  # its bytes in UTF-8 are two characters of Shift JIS
@given(
    text=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=80)
)
def test_a_code_says_its_text(text: str) -> None:
    assert read_code(qr_code(text).png) == text
    assert qr_code(text) == qr_code(text)


def test_a_point_is_in_wgs84_with_the_name_encoded() -> None:
    [link], out = place_links(places(["延峰 (总站)&?"]), "geo")
    assert link.startswith("geo:22.510000,113.380000?q=22.510000,113.380000(")
    assert unquote(link).endswith("(延峰 (总站)&?)")
    assert link.isascii()
    assert not out


@pytest.mark.parametrize(
    ("template", "datum"),
    [
        (AMAP, "gcj02"),
        ("https://apis.map.qq.com/uri/v1/marker?marker=coord:{lat},{lon}", "gcj02"),
        ("https://api.map.baidu.com/marker?location={lat},{lon}&output=html", "bd09"),
        ("https://api.map.baidu.com/marker?location={lat},{lon}&coord_type=gcj02", "gcj02"),
        ("https://office.example.cn/p?at={lat},{lon}&id={id}", "wgs84"),
    ],
)
def test_a_template_gets_coordinates_in_the_datum_of_its_service(template: str, datum: str) -> None:
    assert template_datum(template) == datum
    lon, lat = from_wgs84([113.38], [22.51], datum)
    [link], _ = place_links(places(["甲"]), template)
    assert f"{lon[0]:.6f}" in link
    assert f"{lat[0]:.6f}" in link
    lon, _ = from_wgs84([113.38], [22.51], "bd09")
    assert f"{lon[0]:.6f}" in place_links(places(["甲"]), template, "bd09")[0][0]


def test_the_ledgers_own_link_comes_first_and_what_cannot_be_drawn_is_told() -> None:
    own = ["https://e.cn/1", "", "扫码看开放时间", "x" * 301, "javascript:alert(1)", "https://e.cn/***"]
    links, out = place_links(places(list("甲乙丙丁戊己"), own), "ledger")
    assert links == ["https://e.cn/1", "", "扫码看开放时间", "", "", ""]
    assert out == ["S3", "S4", "S5"]
    links, _ = place_links(places(list("甲乙丙丁戊己"), own), "geo")
    assert links[0] == "https://e.cn/1"
    assert all(link.startswith("geo:") for link in [links[1], *links[3:]])


@settings(max_examples=30, deadline=None)
@given(name=st.text(max_size=200))
def test_no_name_makes_a_link_too_long_or_leaves_its_place_in_it(name: str) -> None:
    [link], _ = place_links(places([name]), AMAP)
    assert len(link.encode()) <= MAX_BYTES
    assert urlsplit(link).hostname == "uri.amap.com"
    assert name.strip().startswith(unquote(link.split("name=")[1]))


@pytest.mark.parametrize(
    "qr",
    [
        "map",
        "https://e.cn/{lat}",
        "https://e.cn/{lat},{lon}{x}",
        "javascript:{lat}{lon}",
        "https://e.cn/ {lat}{lon}",
    ],
)
def test_what_is_no_rule_is_refused(qr: str) -> None:
    with pytest.raises(InputError, match="`qr` must be"):
        check_link_rule(qr, "")
    with pytest.raises(InputError, match="`qr_datum` must be"):
        check_link_rule("geo", "cgcs")


def test_the_workbook_holds_a_code_in_each_row_of_places(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", TOML + f'\n[contacts]\nqr = "{AMAP}"\n')
    plan = with_zone_work(suggest(load_study(folder), stations=0, shops=0))
    assert plan.contacts is not None
    file = write_contacts(plan, tmp_path / "c.xlsx")
    sheet = load_workbook(file)["驿站和商铺"]
    pictures = {image.anchor._from.row + 1: read_code(image._data()) for image in sheet._images}
    column = [cell.value for cell in sheet[3]].index("扫码到这里")
    assert {image.anchor._from.col for image in sheet._images} == {column}
    assert [pictures[row] for row in sorted(pictures)] == plan.contacts.places["link"].tolist()
    assert sorted(pictures) == list(range(4, 4 + len(plan.facilities)))
    assert write_contacts(plan, tmp_path / "d.xlsx").read_bytes() == file.read_bytes()
