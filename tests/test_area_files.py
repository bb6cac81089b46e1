"""Areas to cut streets to: read as what their names say, with a margin round them."""

from __future__ import annotations

import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from servicecircle import InputError, area_files
from servicecircle.area_files import read_areas, with_margin

PLACE = (113.36, 22.48)


def star(n: int, low: float = 0.02, high: float = 0.03) -> Polygon:
    """A polygon whose corners lie near and far by turns (degrees)."""
    turn = [2 * math.pi * k / n for k in range(n)]
    radius = [low if k % 2 else high for k in range(n)]
    return Polygon(
        [(PLACE[0] + r * math.cos(a), PLACE[1] + r * math.sin(a)) for a, r in zip(turn, radius, strict=True)]
    )


def test_a_file_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    asked = []

    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        do_HEAD = do_GET  # noqa: N815 - as the server calls it

    with HTTPServer(("127.0.0.1", 0), Told) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = f"/vsicurl/http://127.0.0.1:{server.server_port}/secret.geojson"
        layer = f'<OGRVRTLayer name="a"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
        text = f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"
        for name in ("a.geojson", "a.gpkg", "a.shp", "a.vrt"):
            (tmp_path / name).write_text(text, encoding="utf-8")
            with pytest.raises(InputError) as told:
                read_areas(tmp_path / name)
            assert "\n" not in told.value.en
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize("name", ["a.kml", "a.vrt", "a.zip", "a"])
def test_a_file_of_another_kind_is_told_with_those_that_are_known(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"is no file of polygons that can be read. Known: .geojson, .json, .gpkg"):
        read_areas(tmp_path / name)


@pytest.mark.parametrize(
    ("shape", "crs", "why"),
    [
        (shapely.box(500, 0, 501, 1), 4326, "no longitude and latitude"),
        (shapely.box(0, 0, 1e300, 1), 4326, "no longitude and latitude"),
        (shapely.box(0, 0, 1, 1), 'LOCAL_CS["own",UNIT["metre",1]]', "a CRS of its own"),
    ],
)
def test_an_area_that_is_not_on_the_earth_is_told(shape: Polygon, crs: object, why: str, tmp_path: Path) -> None:
    gpd.GeoDataFrame(geometry=[shape], crs=crs).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=rf"a.parquet` .*{why}"):
        read_areas(tmp_path / "a.parquet")


def test_a_jagged_outline_of_very_many_corners_has_its_margin() -> None:
    widened = with_margin(gpd.GeoSeries([star(6000)], crs=4326), 3000.0)
    metres = gpd.GeoSeries([widened, star(6000)], crs=4326).to_crs(32649)
    farthest = shapely.distance(metres.iloc[1], shapely.points(shapely.get_coordinates(metres.iloc[0])))
    assert farthest.min() == pytest.approx(3000.0, rel=0.01)
    assert farthest.max() == pytest.approx(3000.0, rel=0.01)


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 60), st.floats(0.001, 0.03), st.floats(0.001, 0.03), st.booleans(), st.floats(0.0, 5000.0))
def test_a_margin_taken_piece_by_piece_is_that_of_the_whole(
    n: int, low: float, high: float, has_hole: bool, margin_m: float
) -> None:
    shape = star(n, low, high)
    if has_hole:
        shape = shape.difference(star(max(3, n // 2), low / 3, high / 3))
    row = gpd.GeoSeries([shape], crs=4326)
    whole = with_margin(row, margin_m)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(area_files, "_MANY_CORNERS", 0)
        patch.setattr(area_files, "_RUN", 3)
        pieces = with_margin(row, margin_m)
    differ = gpd.GeoSeries([whole.symmetric_difference(pieces), whole], crs=4326).to_crs(32649).area
    assert differ.iloc[0] <= 0.01 * differ.iloc[1]
