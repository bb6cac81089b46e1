"""Real clients against a real server: GDAL's ogrinfo, geopandas, OWSLib, QGIS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from test_api_features import NAMES, write_town
from test_api_server import OPENER, started

pytestmark = pytest.mark.slow
WEST, SOUTH, EAST, NORTH = BOX = (113.38, 22.5, 113.384, 22.503)
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's QGIS is for


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(write_town(tmp_path_factory.mktemp("town"))) as (_, found, _told):
        yield f"{found}/ogc"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


def counted(address: str, name: str, query: str = "") -> int:
    with OPENER.open(f"{address}/collections/{name}/items{query}") as answer:
        n: int = json.load(answer)["numberMatched"]
        return n


def ogrinfo(*arguments: str) -> str:
    if shutil.which("ogrinfo") is None:
        pytest.skip("ogrinfo is not here; it is in Debian's package gdal-bin")
    ended = subprocess.run(
        ["ogrinfo", *arguments], capture_output=True, encoding="utf-8", check=True, timeout=60, env={**os.environ}
    )
    assert ended.stderr == ""
    return ended.stdout


def count_in(told: str) -> int:
    return int(told.split("Feature Count: ")[1].split(maxsplit=1)[0])


def test_ogrinfo_lists_the_layers_with_their_titles(address: str) -> None:
    told = ogrinfo(f"OAPIF:{address}")
    for n, name in enumerate(NAMES, 1):
        assert f"{n}: {name} (title: " in told


def test_ogrinfo_counts_all_those_in_a_box_and_those_of_a_property(address: str) -> None:
    for name in NAMES:
        assert count_in(ogrinfo("-so", f"OAPIF:{address}", name)) == counted(address, name)
    box = count_in(ogrinfo("-so", "-spat", *map(str, BOX), f"OAPIF:{address}", "cells"))
    assert box == counted(address, "cells", "?bbox=" + ",".join(map(str, BOX))) == 16
    assert count_in(ogrinfo("-so", "-where", "zone_id='Z1'", f"OAPIF:{address}", "cells")) == counted(
        address, "cells", "?zone_id=Z1"
    )


@pytest.mark.filterwarnings("error")  # GDAL warns where it cuts decimals
def test_geopandas_reads_what_the_written_file_says_page_after_page(address: str) -> None:
    with OPENER.open(f"{address.removesuffix('/ogc')}/coverage.geojson") as answer:
        written = gpd.GeoDataFrame.from_features(json.load(answer), crs="EPSG:4326").set_index("cell_id")
    for options in ({}, {"PAGE_SIZE": "7"}):
        cells = gpd.read_file(f"OAPIF:{address}", layer="cells", **options).set_index("cell_id")
        assert cells.crs == "EPSG:4326"
        assert cells.index.tolist() == written.index.tolist()
        numbers = written.drop(columns=["geometry", "zone_id", "nearest_id"]).astype("float64")
        pd.testing.assert_frame_equal(cells[numbers.columns].astype("float64"), numbers, rtol=1e-14)
        assert cells.geometry.geom_equals_exact(written.geometry, 1e-9).all()
    assert len(gpd.read_file(f"OAPIF:{address}", layer="cells", bbox=BOX)) == 16


def test_owslib_reads_the_landing_page_the_document_and_items(address: str) -> None:
    features = pytest.importorskip("owslib.ogcapi.features", reason="OWSLib is not installed")
    server = features.Features(address)
    assert any(one.endswith("conf/core") for one in server.conformance()["conformsTo"])
    assert server.api()["openapi"].startswith("3.0")
    assert server.feature_collections() == list(NAMES)
    assert server.collection("cells")["itemType"] == "feature"
    found = server.collection_items("cells", limit=5, bbox=list(BOX))
    assert (found["numberMatched"], found["numberReturned"]) == (16, 5)
    assert server.collection_items("circles", minutes=5)["numberMatched"] == counted(
        address, "circles", "?minutes=5"
    )
    assert server.collection_item("stations", "01")["properties"]["name"] == "西街驿站"


QGIS = """
import json, sys
from qgis.core import QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
address, box = sys.argv[1], [float(v) for v in sys.argv[2:6]]
told = {}
for name in sys.argv[6:]:
    layer = QgsVectorLayer(f"url='{address}' typename='{name}' pageSize='30'", name, "OAPIF")
    every = list(layer.getFeatures()) if layer.isValid() else []
    near = list(layer.getFeatures(QgsFeatureRequest().setFilterRect(QgsRectangle(*box)))) if every else []
    told[name] = [layer.isValid(), layer.crs().authid(), len(every), len(near)]
    del layer, every, near
print(json.dumps(told), flush=True)
app.exitQgis()
"""


def test_qgis_opens_every_layer_and_reads_on_by_its_box(address: str, tmp_path: Path) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    env.pop("PYTHONPATH", None)
    if subprocess.run(
        [SYSTEM_PYTHON, "-c", "import qgis.core"], env=env, capture_output=True, check=False
    ).returncode:
        pytest.skip("QGIS is not here; it is in Debian's package python3-qgis")
    ended = subprocess.run(
        [SYSTEM_PYTHON, "-c", QGIS, address, *map(str, BOX), *NAMES],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        env=env,
    )
    assert ended.stdout, ended.stderr
    told = json.loads(ended.stdout)
    box = "?bbox=" + ",".join(map(str, BOX))
    for name in NAMES:
        assert told[name] == [True, "EPSG:4326", counted(address, name), counted(address, name, box)], name


def test_ogr2ogr_makes_a_geopackage_of_the_circles(address: str, tmp_path: Path) -> None:
    if shutil.which("ogr2ogr") is None:
        pytest.skip("ogr2ogr is not here; it is in Debian's package gdal-bin")
    made = tmp_path / "circles.gpkg"
    subprocess.run(["ogr2ogr", str(made), f"OAPIF:{address}", "circles"], check=True, timeout=60)
    assert len(gpd.read_file(made)) == counted(address, "circles")
