"""Files for GDAL: they are of the kind that their names say, and lead to no other file or host."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

import servicecircle as sc
from servicecircle.errors import NetworkError, StudyError
from servicecircle.readers import read_table


def secret(folder: Path) -> Path:
    streets = gpd.GeoDataFrame(
        {"name": ["secret"]}, geometry=[shapely.LineString([(113.36, 22.48), (113.37, 22.48)])], crs=4326
    )
    streets.to_file(folder / "secret.gpkg", layer="edges")
    return folder / "secret.gpkg"


def leading_to(other: Path) -> dict[str, str]:
    """Contents that GDAL takes for sources elsewhere, whatever the name of the file that holds them."""
    return {
        "vrt": f'<OGRVRTDataSource><OGRVRTLayer name="edges"><SrcDataSource>{other}</SrcDataSource>'
        "<SrcLayer>edges</SrcLayer></OGRVRTLayer></OGRVRTDataSource>",
        "wfs": "<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>",
        "alg": json.dumps(
            {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {other} ! write -"}
        ),
    }


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".json"])
@pytest.mark.parametrize("kind", ["vrt", "wfs", "alg"])
def test_a_file_of_streets_leads_to_no_other_file(tmp_path: Path, suffix: str, kind: str) -> None:
    file = tmp_path / f"roads{suffix}"
    file.write_text(leading_to(secret(tmp_path))[kind], encoding="utf-8")
    with pytest.raises(NetworkError, match="cannot be read as a table of streets"):
        sc.read_network(file)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
def test_a_file_of_zones_leads_to_no_other_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"zones{suffix}"
    file.write_text(leading_to(secret(tmp_path))["vrt"], encoding="utf-8")
    with pytest.raises(StudyError, match="its content is not that"):
        read_table(file)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson"])
def test_files_of_the_kind_that_their_names_say_are_read(tmp_path: Path, suffix: str) -> None:
    gpd.read_file(secret(tmp_path)).to_file(tmp_path / f"roads{suffix}")
    assert sc.read_network(tmp_path / f"roads{suffix}").n_street == 1


@pytest.mark.parametrize(
    "said",
    [
        {"type": "Topology", "objects": {"a": {"type": "Point", "coordinates": [0, 0]}}, "arcs": []},
        {
            "geometryType": "esriGeometryPoint",
            "features": [{"geometry": {"x": 113.38, "y": 22.5}, "attributes": {}}],
        },
    ],
    ids=["topojson", "esri"],
)
def test_json_of_other_kinds_is_refused_as_the_reference_says(tmp_path: Path, said: dict[str, object]) -> None:
    file = tmp_path / "stations.json"
    file.write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(StudyError, match=r"stations\.json"):
        read_table(file)
