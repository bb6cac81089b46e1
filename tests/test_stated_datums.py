"""What study.toml, headers and rows say of the datum of a file: honoured, told, and never two things at once."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from servicecircle import Fault, from_wgs84, load_study
from servicecircle.headers import says_wgs84, shifted_field
from servicecircle.study import read_study

LON, LAT = np.array([113.361, 113.372, 113.383]), np.array([22.481, 22.492, 22.473])
ROLES = ("stations", "shops", "depots", "candidates", "population")
SHIFTED = pytest.mark.parametrize("datum", ["gcj02", "bd09"])


def study_of(folder: Path, text: str, table: str = "stations", more: str = "", file: str = "points.csv") -> Path:
    (folder / "roads.osm").write_bytes(b"roads")
    (folder / "study.toml").write_text(f'[network]\nfile = "roads.osm"\n[{table}]\nfile = "{file}"\n{more}\n')
    if text:
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def rows(lon: np.ndarray, lat: np.ndarray, header: str = "id,lon,lat,riders", more: tuple[str, ...] = ()) -> str:
    cells = [f"{i},{x!r},{y!r},5" for i, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))]
    cells = [f"{row},{extra}" for row, extra in zip(cells, more or ("",) * len(cells), strict=True)]
    return "\n".join([header + ("," if not more else ""), *cells]) + "\n"


def errors(folder: Path) -> list[Fault]:
    return [fault for fault in read_study(folder).faults if fault.level == "error"]


def places(folder: Path, table: str = "stations") -> np.ndarray:
    return shapely.get_coordinates(np.asarray(getattr(load_study(folder), table).geometry.array))


EXPECTED = np.column_stack([LON, LAT])


@SHIFTED
@pytest.mark.parametrize("role", ROLES)
def test_a_stated_datum_is_honoured_in_every_ledger_of_points(tmp_path: Path, role: str, datum: str) -> None:
    folder = study_of(tmp_path, rows(*from_wgs84(LON, LAT, datum)), role, f'datum = "{datum}"')
    study = load_study(folder)
    assert np.allclose(places(folder, role), EXPECTED, rtol=0, atol=1e-9)
    assert [(i.datum, i.is_datum_stated) for i in study.inputs] == [(None, False), (datum, True)]
    assert ["3 row(s) in" in w.en for w in study.warnings if "WGS 84" in w.en] == [True]


@SHIFTED
@pytest.mark.parametrize("role", ["zones", "area", "population"])
def test_polygons_are_moved_vertex_by_vertex(tmp_path: Path, role: str, datum: str) -> None:
    ring = np.array([(113.36, 22.48), (113.38, 22.48), (113.38, 22.5), (113.36, 22.5)])
    shifted = shapely.Polygon(np.column_stack(from_wgs84(*ring.T, datum)))
    frame = gpd.GeoDataFrame({"id": ["Z"], "riders": [7]}, geometry=[shifted], crs="EPSG:4326")
    frame.to_file(tmp_path / "shapes.geojson")
    folder = study_of(tmp_path, "", role, f'datum = "{datum}"', "shapes.geojson")
    shape = getattr(load_study(folder), role).geometry.iloc[0]
    assert shapely.equals_exact(shapely.normalize(shape), shapely.normalize(shapely.Polygon(ring)), 1e-7)


def test_nobody_says_anything_is_wgs84_and_not_stated(tmp_path: Path) -> None:
    folder = study_of(tmp_path, rows(LON, LAT))
    assert np.array_equal(places(folder), EXPECTED)
    assert [(i.datum, i.is_datum_stated) for i in load_study(folder).inputs][1] == ("wgs84", False)


@SHIFTED
def test_headers_state_the_datum(tmp_path: Path, datum: str) -> None:
    folder = study_of(tmp_path, rows(*from_wgs84(LON, LAT, datum), header=f"id,lng_{datum},lat_{datum},riders"))
    assert np.allclose(places(folder), EXPECTED, rtol=0, atol=1e-9)
    told = [w for w in load_study(folder).warnings if "lng_" in w.en]
    assert len(told) == 1
    assert "已换算为 WGS-84" in told[0].zh


def test_of_several_pairs_the_plain_one_counts_unless_the_study_names_another(tmp_path: Path) -> None:
    both = [from_wgs84(LON, LAT, d) for d in ("gcj02", "bd09")]
    lines = ["id,lon,lat,lng_gcj02,lat_gcj02,lng_bd09,lat_bd09"]
    lines += [
        ",".join(map(repr, (i, *(float(v) for v in (LON[i], LAT[i], *(a[i] for pair in both for a in pair))))))
        for i in range(3)
    ]
    for more in ("", 'datum = "gcj02"', 'datum = "bd09"'):
        folder = study_of(tmp_path, "\n".join(lines), more=more)
        assert np.allclose(places(folder), EXPECTED, rtol=0, atol=1e-9)


def test_a_column_states_the_datum_row_by_row(tmp_path: Path) -> None:
    lon, lat = LON.copy(), LAT.copy()
    for i, datum in ((0, "gcj02"), (1, "bd09")):
        lon[i], lat[i] = (a[0] for a in from_wgs84(LON[[i]], LAT[[i]], datum))
    text = rows(lon, lat, "id,lon,lat,riders,坐标系", ("火星坐标系", "BD-09", ""))
    folder = study_of(tmp_path, text)
    assert np.allclose(places(folder), EXPECTED, rtol=0, atol=1e-9)
    study = load_study(folder)
    assert (study.inputs[1].datum, study.inputs[1].is_datum_stated) == ("mixed", True)
    assert "坐标系" not in study.stations.columns


@pytest.mark.parametrize(
    ("header", "more", "cells", "told", "fix"),
    [
        ("id,lng_gcj02,lat_gcj02,riders", 'datum = "wgs84"', (), "say GCJ-02", '`datum = "gcj02"`'),
        ("id,lon_wgs84,lat_wgs84,riders", 'datum = "bd09"', (), "say WGS 84", '`datum = "wgs84"`'),
        (
            "id,lon,lat,riders,datum",
            'datum = "wgs84"',
            ("gcj02", "", "wgs84"),
            "in rows 2 than",
            "take `datum` out",
        ),
        ("id,lng_bd09,lat_bd09,riders,datum", "", ("gcj02", "", "bd09"), "in rows 2 than", "rename the headers"),
        (
            "id,lng_bd09,lat_gcj02,riders",
            'columns = { lon = "lng_bd09", lat = "lat_gcj02" }',
            (),
            "of two datums",
            "columns = {",
        ),
        ("id,lon,lat,riders,坐标系", "", ("西安80", "", ""), "no datum that is known", "Convert the row"),
    ],
)
def test_statements_that_contradict_each_other_are_one_error_with_the_fix(
    tmp_path: Path, *, header: str, more: str, cells: tuple[str, ...], told: str, fix: str
) -> None:
    found = errors(study_of(tmp_path, rows(LON, LAT, header, cells), more=more))
    assert len(found) == 1
    assert told in found[0].en
    assert fix in found[0].en
    assert found[0].zh != found[0].en
    assert found[0].file == "points.csv"


def test_headers_that_name_a_datum() -> None:
    assert [shifted_field(h) for h in ("lng_gcj02", "百度纬度", "lng", "百度评分")] == ["lon", "lat", None, None]
    assert [says_wgs84(h) for h in ("lon_wgs84", "wgs84纬度", "lng_cgcs2000", "lon", "wgs84")] == [
        True, True, True, False, False,
    ]  # fmt: skip
