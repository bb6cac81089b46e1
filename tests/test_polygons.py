"""Zones, area and population by polygon: repaired with a warning, or refused; overlaps; none at all."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from servicecircle.columns import Role
from servicecircle.errors import Fault
from servicecircle.ledgers import Reading
from servicecircle.polygons import frame_of_polygons, repair
from servicecircle.readers import read_table

X, Y, STEP = 113.38, 22.51, 0.01


def ring(*corners: tuple[float, float]) -> list[list[float]]:
    return [[X + x * STEP, Y + y * STEP] for x, y in corners]


def square(x: float, y: float, side: float = 1) -> list[list[float]]:
    return ring((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y))


def zones(tmp_path: Path, *shapes: dict[str, Any] | None, role: Role = "zones", **columns: list[Any]) -> Reading:
    features = [
        {
            "type": "Feature",
            "properties": {"编号": f"Z{i}"} | {k: v[i] for k, v in columns.items()},
            "geometry": shape,
        }
        for i, shape in enumerate(shapes)
    ]
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return frame_of_polygons(read_table(path), role)


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def multi(*shells: list[list[float]]) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": [[shell] for shell in shells]}


def area(reading: Reading, zone: str = "Z0") -> float:
    """Area in squares of a side of 0.01 degrees."""
    return round(reading.frame.geometry[zone].area / STEP**2, 6)


def levels(faults: tuple[Fault, ...]) -> list[tuple[int | None, str]]:
    return [(f.row, f.level) for f in faults]


def test_good_zones_are_read_with_their_names(tmp_path: Path) -> None:
    reading = zones(tmp_path, polygon(square(0, 0)), polygon(square(1, 0)), 网格名称=["东", "西"], 备注=["", "b"])
    assert reading.faults == ()
    assert list(reading.frame.columns) == ["name", "备注", "geometry"]
    assert (list(reading.frame.index), reading.frame["name"].tolist()) == (["Z0", "Z1"], ["东", "西"])
    assert reading.frame.crs == "EPSG:4326"


@pytest.mark.fault(24)
def test_a_bow_tie_is_repaired_and_told_with_id_and_place(tmp_path: Path) -> None:
    bow = polygon(ring((0, 0), (2, 2), (2, 0), (0, 2), (0, 0)))
    reading = zones(tmp_path, polygon(square(5, 5)), bow)
    assert levels(reading.faults) == [(3, "warning")]
    assert "`Z1` is invalid (Self-intersection at 113.390000, 22.520000)" in reading.faults[0].en
    assert "“Z1”图形无效（自相交，位置 113.390000, 22.520000）" in reading.faults[0].zh
    assert area(reading, "Z1") == 2
    assert reading.frame.geometry.is_valid.all()


@pytest.mark.parametrize(
    ("shape", "squares"),
    [
        (polygon(square(0, 0, 3), square(1, 1)), 8),  # a hole: valid
        (polygon(square(0, 0), square(5, 5)), 1),  # a hole outside
        (polygon(square(0, 0, 3), square(0, 0, 3)), None),  # a hole that is the whole
        (multi(square(0, 0), square(0, 0)), 1),  # a ring twice
        (multi(square(0, 0, 2), square(1, 1, 2)), 7),  # parts that overlap
        (polygon(square(0, 0)[:-1]), 1),  # unclosed
        (polygon(ring((0, 0), (2, 0), (2, 1), (2, 0), (2, 2), (0, 2), (0, 0))), 4),  # a spike
    ],
)
@pytest.mark.fault(24)
def test_the_area_of_an_odd_polygon_is_never_silently_wrong(
    tmp_path: Path, shape: dict[str, Any], squares: float | None
) -> None:
    reading = zones(tmp_path, shape)
    if squares is None:
        assert levels(reading.faults) == [(2, "error")]
        assert "has no area" in reading.faults[0].en
        return
    assert area(reading) == squares
    assert len(reading.faults) == (0 if squares == 8 else 1)
    assert reading.frame.geometry.is_valid.all()


@pytest.mark.parametrize(
    "shape",
    [
        None,
        {"type": "Polygon", "coordinates": []},
        {"type": "Point", "coordinates": [X, Y]},
        {"type": "LineString", "coordinates": square(0, 0)},
        polygon(ring((0, 0), (1, 1), (0, 0), (0, 0))),
        {"type": "Polygon", "coordinates": [[[X, Y]]]},
        polygon([[X, Y], [float("inf"), Y], [X, Y + 1], [X, Y]]),
    ],
)
@pytest.mark.fault(20, 24)
def test_a_zone_without_an_area_is_an_error_with_its_row(tmp_path: Path, shape: dict[str, Any] | None) -> None:
    reading = zones(tmp_path, polygon(square(5, 5)), shape)
    assert levels(reading.faults) == [(3, "error")]
    assert list(reading.frame.index) == ["Z0"]


@pytest.mark.fault(25)
def test_overlapping_zones_are_warned_of_with_both_rows_and_touching_ones_are_not(tmp_path: Path) -> None:
    reading = zones(tmp_path, polygon(square(0, 0)), polygon(square(1, 0)), polygon(square(0.5, 0)))
    assert levels(reading.faults) == [(2, "warning"), (3, "warning")]
    assert "`Z0` and `Z2` (row 4) overlap by" in reading.faults[0].en
    assert len(reading.frame) == 3


def test_slivers_between_drawn_zones_are_no_overlap(tmp_path: Path) -> None:
    assert zones(tmp_path, polygon(square(0, 0)), polygon(square(0.999, 0))).faults == ()


@pytest.mark.fault(20)
def test_an_empty_layer_of_zones_is_0_grids_and_an_empty_area_an_error(tmp_path: Path) -> None:
    reading = zones(tmp_path)
    assert levels(reading.faults) == [(None, "warning")]
    assert "0 grids" in reading.faults[0].en
    assert reading.frame.empty
    assert levels(zones(tmp_path, role="area").faults) == [(None, "error")]


def test_double_zone_ids_are_an_error(tmp_path: Path) -> None:
    reading = zones(tmp_path, polygon(square(0, 0)), polygon(square(1, 0)), 编号=["A", "A"])
    assert levels(reading.faults) == [(3, "error")]


def test_a_table_without_geometry_holds_no_zones(tmp_path: Path) -> None:
    path = tmp_path / "zones.csv"
    path.write_text("id,lon,lat\n1,113,22\n")
    reading = frame_of_polygons(read_table(path), "zones")
    assert "holds no polygons" in reading.faults[0].en


def test_zones_with_latitude_first_or_in_metres_are_told(tmp_path: Path) -> None:
    turned = [[y, x] for x, y in square(0, 0)]
    assert "look swapped" in zones(tmp_path, polygon(turned)).faults[0].en
    metres = [[x * 4000, y * 1e5] for x, y in square(0, 0)]
    assert "not degrees" in zones(tmp_path, polygon(metres)).faults[0].en


def test_a_projected_layer_is_transformed_and_one_without_crs_refused(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["0007"]}, geometry=[shapely.box(X, Y, X + STEP, Y + STEP)], crs=4326)
    frame.to_crs(4547).to_file(tmp_path / "a.shp")
    reading = frame_of_polygons(read_table(tmp_path / "a.shp"), "zones")
    assert list(reading.frame.index) == ["0007"]
    assert area(reading, "0007") == pytest.approx(1, abs=1e-6)
    with pytest.warns(UserWarning, match="'crs' was not provided"):
        frame.set_crs(None, allow_override=True).to_file(tmp_path / "b.gpkg")
    assert "states no CRS" in frame_of_polygons(read_table(tmp_path / "b.gpkg"), "zones").faults[0].en


def test_population_needs_its_counts(tmp_path: Path) -> None:
    shapes = [polygon(square(i, 0)) for i in range(3)]
    reading = zones(tmp_path, *shapes, role="population", 人口=[12.5, None, 0])
    assert levels(reading.faults) == [(None, "warning")]
    assert reading.frame["riders"].to_dict() == {"Z0": 12.5, "Z2": 0}
    assert levels(zones(tmp_path, *shapes, role="population", 人口=[1, 2, -1]).faults) == [(4, "error")]
    assert levels(zones(tmp_path, *shapes, role="population").faults) == [(None, "error")]


def test_repair_keeps_what_is_valid() -> None:
    ring_shaped = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    assert repair(ring_shaped).equals(ring_shaped)
