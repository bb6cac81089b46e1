"""In which datum a file was written: OSM's own named places shifted by the formula; nothing is moved unasked."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest

import servicecircle as sc
from servicecircle import Network, StudyError, detect_datum, from_wgs84
from servicecircle.datum import DATUMS
from servicecircle.datum_words import datum_lines

NANQU = Path(__file__).resolve().parents[1] / "data" / "nanqu"
TOWNS = {"nanqu": None, "tsinghua": "beijing_tsinghua.osm.pbf", "nanjing": "nanjing.osm.pbf"}
EVERY = pytest.mark.parametrize("town", TOWNS)
N_SUBSETS = 100


@pytest.fixture(scope="module")
def ground(request: pytest.FixtureRequest) -> dict[str, tuple[Network, gpd.GeoDataFrame]]:
    """Return a town's network and named places, read when first asked for."""

    class Ground(dict[str, tuple[Network, gpd.GeoDataFrame]]):
        def __missing__(self, town: str) -> tuple[Network, gpd.GeoDataFrame]:
            file = TOWNS[town]
            path = request.getfixturevalue("shared_data") / file if file else NANQU / "roads.osm.pbf"
            self[town] = sc.read_network(path), sc.read_places(path)
            return self[town]

    return Ground()


def subset(
    places: gpd.GeoDataFrame, n: int, datum: str, rng: np.random.Generator, *, noise_m: float = 0.0
) -> gpd.GeoDataFrame:
    """Return named places as a file in a datum would hold them."""
    named = places[places["name"] != ""]
    some = named.iloc[np.sort(rng.choice(len(named), n, replace=False))]
    lon, lat = from_wgs84(some.geometry.x, some.geometry.y, datum)
    off = rng.normal(0.0, noise_m / 111_195.0, (2, n)) if noise_m else np.zeros((2, n))
    return gpd.GeoDataFrame(
        {"name": some["name"].tolist()},
        geometry=gpd.points_from_xy(lon + off[0] / np.cos(np.radians(lat)), lat + off[1]),
        crs="EPSG:4326",
    )


@EVERY
@pytest.mark.parametrize("noise_m", [0.0, 25.0])
@pytest.mark.parametrize("datum", DATUMS)
@pytest.mark.slow
def test_by_names_95_of_100_subsets_are_told_and_none_wrongly(
    ground: dict[str, tuple[Network, gpd.GeoDataFrame]], town: str, datum: str, noise_m: float
) -> None:
    network, places = ground[town]
    rng = np.random.default_rng(5)
    fits = [
        detect_datum(subset(places, 20, datum, rng, noise_m=noise_m), network, places=places)
        for _ in range(N_SUBSETS)
    ]
    assert all(fit.n_names >= 8 for fit in fits)
    verdicts = Counter(fit.verdict for fit in fits)
    assert verdicts[datum] >= 95
    assert set(verdicts) <= {datum, "cannot tell"}


@EVERY
@pytest.mark.parametrize("n", [20, 60, 120])
@pytest.mark.slow
def test_by_streets_alone_no_verdict_is_ever_wrong(
    ground: dict[str, tuple[Network, gpd.GeoDataFrame]], town: str, n: int
) -> None:
    network, places = ground[town]
    rng = np.random.default_rng(6)
    for datum in DATUMS:
        told = {detect_datum(subset(places, n, datum, rng), network).verdict for _ in range(N_SUBSETS)}
        assert told <= {datum, "cannot tell"}


@pytest.mark.parametrize("datum", DATUMS)
def test_names_of_the_made_up_town_tell_the_datum(
    ground: dict[str, tuple[Network, gpd.GeoDataFrame]], datum: str
) -> None:
    network, places = ground["nanqu"]
    points = subset(places, 20, datum, np.random.default_rng(0), noise_m=20.0)
    fit = detect_datum(points, network, places=places)
    assert (fit.verdict, fit.by, fit.n_points, fit.n_names) == (datum, "names", 20, 20)
    assert fit.near_names[datum] >= 15
    assert fit.names_m[datum] < 60 < min(fit.names_m[d] for d in DATUMS if d != datum)
    again = detect_datum(points.iloc[::-1], network, places=places)
    assert (again.verdict, again.near_names) == (fit.verdict, fit.near_names)


@pytest.mark.parametrize("datum", DATUMS)
def test_many_points_on_streets_tell_the_datum(
    ground: dict[str, tuple[Network, gpd.GeoDataFrame]], datum: str
) -> None:
    network, _ = ground["nanqu"]
    rng = np.random.default_rng(1)
    streets = gpd.GeoSeries(network.street_geometry, crs=network.crs)
    at = streets.iloc[rng.choice(len(streets), 120)].interpolate(0.5, normalized=True).to_crs("EPSG:4326")
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*from_wgs84(at.x, at.y, datum)), crs="EPSG:4326")
    fit = detect_datum(points, network)
    assert fit.streets_m[datum] < 1
    assert fit.street_errors[datum] > 5
    assert fit.verdict in {datum, "cannot tell"}
    if datum == "gcj02":
        assert (fit.verdict, fit.by) == (datum, "streets")


def test_too_little_is_not_told(ground: dict[str, tuple[Network, gpd.GeoDataFrame]]) -> None:
    network, places = ground["nanqu"]
    few = subset(places, 7, "gcj02", np.random.default_rng(2))
    assert detect_datum(few, network, places=places).verdict == "cannot tell"
    none = few.iloc[:0]
    assert detect_datum(none, network, places=places).verdict == "cannot tell"
    abroad = few.set_geometry(gpd.points_from_xy(np.full(7, -8.6), np.full(7, 41.1)), crs="EPSG:4326")
    assert detect_datum(pd.concat([abroad] * 5, ignore_index=True), network, places=places).verdict == "cannot tell"


# ------------------------------------------------------------------------------------------------------- studies
def shops_study(
    folder: Path, places: gpd.GeoDataFrame, datums: tuple[str, ...], more: str = "", header: str = "id,name,lon,lat"
) -> Path:
    """Write a study whose shops are those of the road file, in one datum or several in turn."""
    named = places[(places["name"] != "") & (places["what"] == "shop")].iloc[:40]
    xy = {d: np.column_stack(from_wgs84(named.geometry.x, named.geometry.y, d)) for d in set(datums)}
    lines = [
        ",".join([str(i), name, *map(repr, xy[datums[i % len(datums)]][i].tolist())])
        for i, name in enumerate(named["name"])
    ]
    (folder / "shops.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    shutil.copy(NANQU / "roads.osm.pbf", folder / "roads.osm.pbf")
    toml = f'[network]\nfile = "roads.osm.pbf"\n[shops]\nfile = "shops.csv"\n{more}\n[suggest]\nstations = 0\n'
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    return folder


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@pytest.mark.fault(3)
def test_a_shifted_file_is_refused_with_its_figures_until_the_study_states_a_datum(
    tmp_path: Path, ground: dict[str, tuple[Network, gpd.GeoDataFrame]], datum: str
) -> None:
    places = ground["nanqu"][1]
    study = sc.load_study(shops_study(tmp_path, places, (datum,)))
    for refuse in (sc.suggest, lambda s: (_ for _ in ()).throw(StudyError(sc.check_on_roads(s)))):
        with pytest.raises(StudyError) as caught:
            refuse(study)
        (fault,) = caught.value.faults
        assert (fault.file, fault.level) == ("shops.csv", "error")
        assert "of 40 names that stand on the map 40 are within 80 m" in fault.en
        assert f'Write `datum = "{datum}"` under [shops]' in fault.en
        assert f'datum = "{datum}"' in fault.zh
    told = sc.check_on_roads(sc.load_study(shops_study(tmp_path, places, (datum,), f'datum = "{datum}"')))
    assert not any("seems to be" in w.en or "stated to be" in w.en for w in told)


@pytest.mark.fault(3)
def test_a_stated_datum_that_fits_badly_is_a_warning(
    tmp_path: Path, ground: dict[str, tuple[Network, gpd.GeoDataFrame]]
) -> None:
    folder = shops_study(tmp_path, ground["nanqu"][1], ("gcj02",), 'datum = "wgs84"')
    told = [f for f in sc.check_on_roads(sc.load_study(folder)) if "stated to be" in f.en]
    assert [(f.level, f.file) for f in told] == [("warning", "shops.csv")]
    assert "fits the map in GCJ-02" in told[0].en


@pytest.mark.fault(4)
def test_rows_in_several_datums_without_a_label_are_a_warning(
    tmp_path: Path, ground: dict[str, tuple[Network, gpd.GeoDataFrame]]
) -> None:
    folder = shops_study(tmp_path, ground["nanqu"][1], ("wgs84", "gcj02"))
    told = [f for f in sc.check_on_roads(sc.load_study(folder)) if "several datums" in f.en]
    assert [(f.level, f.file) for f in told] == [("warning", "shops.csv")]
    assert "20 in WGS 84, 20 in GCJ-02" in told[0].en


def test_the_study_that_travels_with_the_package_is_told_nothing() -> None:
    told = sc.check_on_roads(sc.load_study(NANQU))
    assert not any("GCJ-02" in f.en or "BD-09" in f.en for f in told)


def unnamed_study(folder: Path, datum: str, more: str = "", *, columns: str = "id,lon,lat") -> Path:
    """Write a study whose three stations have no names and stand in blocks: the map cannot tell."""
    written = np.array([113.3592, 113.3630, 113.3653]), np.array([22.4854, 22.4837, 22.4845])
    lon, lat = from_wgs84(*written, datum)
    rows = [f"S{k},{x!r},{y!r}" for k, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))]
    (folder / "stations.csv").write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    shutil.copy(NANQU / "roads.osm.pbf", folder / "roads.osm.pbf")
    toml = (
        f'[network]\nfile = "roads.osm.pbf"\n[stations]\nfile = "stations.csv"\n{more}\n[suggest]\nstations = 0\n'
    )
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.fault(3)
def test_a_file_whose_datum_nobody_knows_is_told(tmp_path: Path) -> None:
    checked = sc.check_study(unnamed_study(tmp_path, "gcj02"))
    (told,) = (f for f in checked if "in which datum" in f.en)
    assert (told.level, told.file) == ("warning", None)
    assert "stations.csv" in told.zh and "[stations]" in told.zh and 'datum = "gcj02"' in told.zh
    (row,) = checked.datums.to_dict("records")
    assert (row["file"], row["datum"], row["stated"], row["verdict"]) == (
        "stations.csv",
        "wgs84",
        False,
        "cannot tell",
    )
    assert row["n_points"] == 3
    assert told in sc.suggest(sc.load_study(tmp_path)).warnings


@pytest.mark.parametrize(
    ("more", "columns"),
    [('datum = "gcj02"', "id,lon,lat"), ("", "id,lng_gcj02,lat_gcj02"), ('datum = "wgs84"', "id,lon,lat")],
)
def test_a_stated_datum_is_enough(tmp_path: Path, more: str, columns: str) -> None:
    checked = sc.check_study(unnamed_study(tmp_path, "gcj02", more, columns=columns))
    assert checked.datums["stated"].all()
    assert not [fault for fault in checked if "in which datum" in fault.en]


def test_the_datums_of_a_check_are_seen_on_paper_and_in_a_notebook(tmp_path: Path) -> None:
    checked = sc.check_study(NANQU)
    assert checked.datums.set_index("file")["verdict"].to_dict() == {
        "stations.csv": "cannot tell",
        "shops.csv": "wgs84",
        "depots.csv": "cannot tell",
        "candidates.csv": "wgs84",
    }
    path = sc.write_check(checked, tmp_path / "check.xlsx")
    sheet = openpyxl.load_workbook(path)["坐标系"]
    assert [cell.value for cell in sheet[1]] == ["文件", "读作", "依据", "与地图对照", "数据"]
    figures = "同名地点 68 个，80 米以内 WGS 84 68、GCJ-02 0、BD-09 0"
    assert str(sheet["E3"].value).startswith(figures)
    assert figures in checked._repr_html_()
    lines = datum_lines(checked.datums, "en")
    assert lines[0] == "Datums:"
    assert len(lines) == 6
