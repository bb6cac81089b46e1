"""plan.gpkg as QGIS sees it: styles, names and the project, read as XML and, where QGIS is installed, by QGIS."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pyogrio
import pytest

from servicecircle import load_study, suggest, tell_closures
from servicecircle._page.palette import COLOURS
from servicecircle._qgis.words import TABLES, alias
from servicecircle.geopackages import geopackage_layers, write_geopackage
from servicecircle.model import Plan

REPOSITORY = Path(__file__).resolve().parents[1]
#: the Python that Debian's QGIS belongs to
SYSTEM_PYTHON = Path("/usr/bin/python3")
#: reads the project of a file, each table with its own style, and draws; what it finds is printed as JSON
QGIS = """
import json, sys
from collections import Counter
from qgis.core import *
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QImage
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
file, name, tables = sys.argv[1], sys.argv[2], sys.argv[3:]
project = QgsProject.instance()
told = {"read": project.read(f"geopackage:{file}?projectName={name}"), "crs": project.crs().authid()}
told["layers"] = {
    layer.id(): [layer.isValid(), layer.crs().isValid(), layer.featureCount(), layer.labelsEnabled()]
    for layer in project.mapLayers().values()
}
tree = project.layerTreeRoot()
told["order"] = [layer.id() for layer in tree.layerOrder()]
seen = [layer for layer in tree.layerOrder() if tree.findLayer(layer.id()).isVisible()]
told["seen"] = [layer.id() for layer in seen]
settings = QgsMapSettings()
settings.setLayers(seen)
settings.setDestinationCrs(project.crs())
settings.setTransformContext(project.transformContext())
settings.setBackgroundColor(project.backgroundColor())
settings.setExtent(project.mapLayer("servicecircle_cells_before").extent())
settings.setOutputSize(QSize(900, 700))
job = QgsMapRendererParallelJob(settings)
job.start()
job.waitForFinished()
image = job.renderedImage().convertToFormat(QImage.Format_RGB32)
bits = image.constBits().asstring(image.sizeInBytes())
colours = Counter(memoryview(bits).cast("I"))
told["colours"] = {f"#{value & 0xFFFFFF:06X}": n for value, n in colours.items()}
told["errors"] = [error.message for error in job.errors()]
told["tables"] = {}
for table in tables:
    layer = QgsVectorLayer(f"{file}|layername={table}", table, "ogr")
    _, is_styled = layer.loadDefaultStyle()
    shown = [layer.attributeDisplayName(i) for i in range(layer.fields().count())]
    told["tables"][table] = [is_styled, layer.renderer().type(), shown]
print(json.dumps(told))
"""


def has_qgis() -> bool:
    """Whether Debian's Python finds QGIS."""
    if not SYSTEM_PYTHON.exists():
        return False
    asked = [SYSTEM_PYTHON, "-c", "import qgis.core"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def plan() -> Plan:
    made = suggest(load_study(REPOSITORY / "data" / "nanqu"))
    trouble = tell_closures(made, made.facilities[["geometry"]].head(1).assign(radius_m=60.0))
    return dataclasses.replace(made, trouble=trouble)


@pytest.fixture(scope="module")
def file(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_geopackage(plan, tmp_path_factory.mktemp("out") / "plan.gpkg")


def layers_of(file: Path) -> list[str]:
    return [str(name) for name, shape in pyogrio.list_layers(file) if shape is not None]


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def styles_of(file: Path) -> dict[str, ET.Element]:
    found = rows(file, "SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1")
    assert len(dict(found)) == len(found)  # one style a table
    return {str(table): ET.fromstring(str(text)) for table, text in found}


def project_of(file: Path) -> ET.Element:
    ((content,),) = rows(file, "SELECT content FROM qgis_projects")
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(str(content)))) as packed:
        (name,) = packed.namelist()
        return ET.fromstring(packed.read(name).decode())


def expressions(element: ET.Element) -> Iterator[str]:
    """Yield what QGIS computes with: expressions of classes and labels, and column names."""
    for renderer in element.iter("renderer-v2"):
        yield renderer.get("attr", "")
    for text in element.iter("text-style"):
        yield text.get("fieldName", "")
    for preview in element.iter("previewExpression"):
        yield preview.text or ""


def test_every_layer_has_one_style_and_one_place_in_the_project(file: Path) -> None:
    layers = layers_of(file)
    assert set(styles_of(file)) == set(layers)
    project = project_of(file)
    sources = [source.text or "" for source in project.iter("datasource")]
    assert {re.match(r"\./plan\.gpkg\|layername=(\w+)", source)[1] for source in sources} == set(layers)  # type: ignore[index]
    ids = [element.text for element in project.iterfind("projectlayers/maplayer/id")]
    assert len(set(ids)) == len(ids)
    assert sorted(ids, key=str) == sorted([leaf.get("id") for leaf in project.iter("layer-tree-layer")], key=str)
    assert [item.text for item in project.iter("item")] == ids


def test_nothing_is_computed_from_a_column_that_is_not_there(file: Path) -> None:
    columns = {layer: set(pyogrio.read_info(file, layer=layer)["fields"]) for layer in layers_of(file)}
    parts = list(styles_of(file).items())
    for layer in project_of(file).iterfind("projectlayers/maplayer"):
        source = layer.findtext("datasource", "")
        table, _, where = source.removeprefix("./plan.gpkg|layername=").partition("|subset=")
        parts.append((table, layer))
        assert set(re.findall(r'"(\w+)"', where)) <= columns[table]
    for table, element in parts:
        for text in expressions(element):
            named = set(re.findall(r'"(\w+)"', text)) or ({text} if text else set())
            assert named <= columns[table], (table, text)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_columns_are_called_what_a_planner_calls_them(plan: Plan, lang: str) -> None:
    frames = geopackage_layers(plan)
    own = {"业态"}  # of the ledger
    for table, frame in frames.items():
        for column in set(frame.columns) - own - {frame.geometry.name}:
            told = alias(table, column, "zh" if lang == "zh" else "en")
            assert told, (table, column)
            assert (lang == "en") == told.isascii() or "²" in told
    assert set(frames) <= set(TABLES)


def test_the_layers_tell_what_the_plan_tells(file: Path, plan: Plan) -> None:
    for table, merged in (("reach_today", plan.circles_before), ("reach_proposed", plan.circles_after)):
        area = gpd.read_file(file, layer=table).set_index("minutes")["area_m2"]
        expected = merged.set_index("minutes").geometry.area
        assert area.to_dict() == pytest.approx(expected.to_dict())
    depots = gpd.read_file(file, layer="depots")
    assert depots["riders"].astype(float).tolist() == plan.study.depots["riders"].tolist()  # type: ignore[index]
    assert gpd.read_file(file, layer="zones")["name"].tolist() == plan.study.zones["name"].tolist()  # type: ignore[index]
    assert gpd.read_file(file, layer="gaps")["letter"].tolist()[:3] == ["A", "B", "C"]
    assert len(gpd.read_file(file, layer="gaps_after")) == len(plan.gaps_after)
    assert rows(file, "PRAGMA user_version") == [(10200,)]


def test_a_published_plan_hides_counts_of_a_few(plan: Plan) -> None:
    depots = plan.study.depots
    assert depots is not None
    few = depots.assign(riders=[3.0, *depots["riders"].iloc[1:]])
    study = dataclasses.replace(plan.study, depots=few, publish=True)
    told = geopackage_layers(dataclasses.replace(plan, study=study))["depots"]["riders"].tolist()
    assert told[0] == "<5"
    assert "≥5" in told[1:]


def test_hostile_names_stay_names(plan: Plan, tmp_path: Path) -> None:
    hostile = "</title><qgis x=\"'>&amp;\x07 {m} %"
    sites = plan.facilities.assign(name=hostile).rename(columns={"address": '"drop" <x>'})
    study = dataclasses.replace(plan.study, name=hostile)
    file = write_geopackage(dataclasses.replace(plan, study=study, facilities=sites), tmp_path / "plan.gpkg")
    shown = hostile.replace("\x07", "�")
    assert project_of(file).findtext("title") == shown
    assert styles_of(file)["facilities"].find("aliases/alias[@field='\"drop\" <x>']") is not None
    assert rows(file, "SELECT name FROM qgis_projects") == [(hostile,)]
    assert set(gpd.read_file(file, layer="facilities")["name"]) == {hostile}


def test_a_study_with_nothing_but_streets_can_be_opened(plan: Plan, tmp_path: Path) -> None:
    bare = dataclasses.replace(plan.study, depots=None, zones=None)
    empty = {
        "circles": plan.circles.head(0),
        "circles_before": plan.circles_before.head(0),
        "gaps": plan.gaps.head(0),
    }
    poor = dataclasses.replace(plan, study=bare, land=None, trouble=None, **empty)
    file = write_geopackage(poor, tmp_path / "other.gpkg")
    layers = set(layers_of(file))
    assert not layers & {"circles", "reach_today", "gaps", "depots", "zones", "land", "closures"}
    assert set(styles_of(file)) == layers
    sources = {source.text for source in project_of(file).iter("datasource")}
    assert all(source and source.startswith("./other.gpkg|") for source in sources)


@pytest.mark.slow
def test_qgis_opens_it_looking_like_the_map(file: Path, tmp_path: Path) -> None:
    if not has_qgis():
        pytest.skip("QGIS is not installed: apt-get install python3-qgis qgis-providers")
    layers = layers_of(file)
    ((name,),) = rows(file, "SELECT name FROM qgis_projects")
    asked = [SYSTEM_PYTHON, "-c", QGIS, file, str(name), *layers]
    environment = {
        "QT_QPA_PLATFORM": "offscreen",
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
    }
    run = subprocess.run(asked, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert run.returncode == 0, run.stderr
    assert "Warning" not in run.stderr  # a later GeoPackage than this QGIS knows
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["read"]
    assert told["crs"] == "EPSG:32649"
    assert told["errors"] == []
    assert all(is_valid and has_crs and n > 0 for is_valid, has_crs, n, _ in told["layers"].values()), told[
        "layers"
    ]
    assert told["order"] == [str(item.text) for item in project_of(file).iter("item")]
    assert "servicecircle_cells_before" in told["seen"]
    assert not {"servicecircle_cells_after", "servicecircle_zones", "servicecircle_circles"} & set(told["seen"])
    for table, (is_styled, _, shown) in told["tables"].items():
        assert is_styled, table
        columns = pyogrio.read_info(file, layer=table)["fields"]
        assert shown[1:] == [alias(table, column, "zh") or column for column in columns], table
    for role, least in (("paper", 5_000), ("water", 1_000), ("proposal", 100), ("station", 300), ("street", 2_000)):
        assert told["colours"].get(COLOURS[role], 0) > least, role
