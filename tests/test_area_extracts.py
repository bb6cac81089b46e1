"""A road file cut to the areas of a polygon file: a file an area, and every mistake told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from osm_text import HELSINKI, osm
from test_region_cuts import DRAWN, as_pbf
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle.area_extracts import AreaExtract, write_extracts
from servicecircle.cli import app
from servicecircle.errors import InputError, NetworkError, OutputError
from servicecircle.extracts import write_extract
from servicecircle.region_cuts import MAX_REGIONS
from servicecircle.whole_files import UNFINISHED

#: boxes in the middle of Helsinki, and one in the sea
BOXES = {
    "东区": (24.943, 60.168, 24.946, 60.172),
    "W-1": (24.938, 60.168, 24.943, 60.172),
    "sea": (20, 50, 20.1, 50.1),
}


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    boxes = [shapely.box(*box) for box in BOXES.values()]
    frame = gpd.GeoDataFrame({"name": list(BOXES)}, geometry=boxes, crs=4326)
    frame.to_crs(3067).to_file(path := tmp_path_factory.mktemp("areas") / "cities.gpkg")
    return path


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    return as_pbf(osm(tmp_path / "drawn.osm", DRAWN))


def areas(
    path: Path, names: list[object], column: str = "id", shape: object = None, crs: int | None = 4326
) -> Path:
    """Write so many boxes round the drawn streets, with these names."""
    shapes = [shape or shapely.box(113, 22, 113.05, 22.01)] * len(names)
    frame = gpd.GeoDataFrame({column: np.array(names, dtype=object)}, geometry=shapes, crs=crs)
    made = path / "areas.parquet"
    frame.to_parquet(made)
    return made


def test_each_area_gets_what_network_cuts_for_it_alone(cities: Path, tmp_path: Path) -> None:
    made = write_extracts(tmp_path / "out", file=HELSINKI, areas=cities, margin_m=100)
    assert [(one.name, one.path) for one in made] == [
        ("东区", tmp_path / "out" / "东区.osm.pbf"),
        ("W-1", tmp_path / "out" / "W-1.osm.pbf"),
        ("sea", None),
    ]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["W-1.osm.pbf", "东区.osm.pbf"]
    for one in made[:2]:
        gpd.read_file(cities).query("name == @one.name").to_file(tmp_path / "one.gpkg")
        alone = write_extract(tmp_path / "a.osm.pbf", file=HELSINKI, area=tmp_path / "one.gpkg", margin_m=100)
        assert alone.n_street == one.n_street > 0
        assert sc.read_network(one.path, cache=False).n_street > 100
        assert alone.path.read_bytes() == one.path.read_bytes()


def test_two_runs_write_the_same_bytes(cities: Path, tmp_path: Path) -> None:
    for run in ("1", "2"):
        write_extracts(tmp_path / run, file=HELSINKI, areas=cities)
    for name in ("东区.osm.pbf", "W-1.osm.pbf"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_the_command_tells_each_file_and_each_area_without_streets(
    cities: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["networks", "--file", str(HELSINKI), "--areas", str(cities), "--name", "name", "--margin", "0"]
    monkeypatch.setenv("SERVICECIRCLE_LANG", "en")
    told = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "en")])
    assert told.exit_code == 0
    assert "W-1.osm.pbf: " in told.output
    assert "sea: no streets, not written." in told.output
    monkeypatch.setenv("SERVICECIRCLE_LANG", "zh")
    told = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "zh")])
    assert "sea：范围内没有道路，未写入。" in told.output
    again = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "zh")])
    assert again.exit_code == 1
    assert "文件已存在" in again.output


@pytest.mark.parametrize(
    ("names", "column", "written"),
    [
        ([110105], "id", "110105"),
        ([110105.0], "id", "110105"),
        (["朝阳区 (北京)"], "name", "朝阳区 (北京)"),
        ([" e\u0301 "], "name", "\u00e9"),
    ],
)
def test_names_are_taken_as_they_are_meant(
    drawn: Path, tmp_path: Path, names: list[object], column: str, written: str
) -> None:
    made = write_extracts(tmp_path / "out", file=drawn, areas=areas(tmp_path, names, column))
    assert made == (AreaExtract(written, tmp_path / "out" / f"{written}.osm.pbf", 3),)
    assert made[0].path.exists()


# ---------------------------------------------------------------------------------------------------------- errors
UNFIT = [
    "../up",
    "a/b",
    "a\\b",
    "",
    None,
    np.nan,
    ".hidden",
    "con",
    "COM1.x",
    "a:b",
    "a\nb",
    "x" * 51,
    "a.",
    "-a",
    "a\u202eb",
]


@pytest.mark.parametrize("name", UNFIT, ids=repr)
def test_a_name_that_is_no_name_of_a_file_is_told(drawn: Path, tmp_path: Path, name: object) -> None:
    before = sorted(tmp_path.parent.iterdir())
    with pytest.raises(InputError, match="no name of a file") as told:
        write_extracts(tmp_path / "out", file=drawn, areas=areas(tmp_path, ["fine", name]))
    assert "不能作文件名" in told.value.zh
    assert not (tmp_path / "out").exists()
    assert sorted(tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "told", "zh"),
    [
        ({"names": ["a", "b", "A"]}, "more than one area a, A", "重名"),
        ({"names": [7, 7.0]}, "more than one area 7", "重名"),
        ({"names": ["a"], "column": "city"}, "no column `id` or `name` .* columns: city", "没有列 id 或 name"),
        ({"names": ["a"], "shape": shapely.Point(113, 22)}, "holds no polygon", "没有面"),
        ({"names": ["a"], "crs": None}, "states no CRS", "没有坐标系"),
        ({"names": [f"a{k}" for k in range(MAX_REGIONS + 1)]}, "501 areas, at most 500", "501 个范围"),
    ],
)
def test_areas_that_cannot_be_cut_to_are_told(
    drawn: Path, tmp_path: Path, arguments: dict, told: str, zh: str
) -> None:
    with pytest.raises(InputError, match=told) as caught:
        write_extracts(tmp_path / "out", file=drawn, areas=areas(tmp_path, **arguments))
    assert zh in caught.value.zh
    assert not (tmp_path / "out").exists()


def test_an_area_without_a_polygon_is_told(drawn: Path, tmp_path: Path) -> None:
    shapes = [shapely.box(113, 22, 113.05, 22.01), None, shapely.Point(113, 22)]
    frame = gpd.GeoDataFrame({"id": ["a", "b", "c"]}, geometry=shapes, crs=4326)
    frame.to_parquet(tmp_path / "areas.parquet")
    with pytest.raises(InputError, match="no polygon for b, c"):
        write_extracts(tmp_path / "out", file=drawn, areas=tmp_path / "areas.parquet")


def test_a_source_that_cannot_be_cut_is_told(drawn: Path, tmp_path: Path) -> None:
    here = areas(tmp_path, ["a"])
    with pytest.raises(InputError, match="does not exist"):
        write_extracts(tmp_path / "out", file=drawn, areas=tmp_path / "no.gpkg")
    with pytest.raises(NetworkError, match="does not exist"):
        write_extracts(tmp_path / "out", file=tmp_path / "no.osm.pbf", areas=here)
    with pytest.raises(NetworkError, match=r"must be a \.osm\.pbf file.*servicecircle network --file drawn\.osm"):
        write_extracts(tmp_path / "out", file=drawn.with_suffix("").with_suffix(".osm"), areas=here)
    with pytest.raises(InputError, match="0 or more, got -1"):
        write_extracts(tmp_path / "out", file=drawn, areas=here, margin_m=-1)
    far = areas(tmp_path, ["a"], shape=shapely.box(0, 0, 1, 1))
    with pytest.raises(NetworkError, match="lies in any area"):
        write_extracts(tmp_path / "out", file=drawn, areas=far)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="its limit is another")
def test_as_many_files_as_areas_may_be_open(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    limits = [(20, 10**6)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    write_extracts(tmp_path / "out", file=drawn, areas=areas(tmp_path, ["a"]))
    assert limits[1:] == [(65, 10**6)]
    limits[:] = [(20, 30)]
    with pytest.raises(InputError, match="lets a process have 30 files open, and 65 are needed"):
        write_extracts(tmp_path / "other", file=drawn, areas=areas(tmp_path, ["a"]))


def test_nothing_is_written_over_and_nothing_half(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.osm.pbf").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, match=r"There already: .*b\.osm\.pbf"):
        write_extracts(out, file=drawn, areas=areas(tmp_path, ["a", "b"]))
    (out / "b.osm.pbf").unlink()
    whole = drawn.read_bytes()
    drawn.write_bytes(whole[:-30])
    with pytest.raises(NetworkError, match="not whole"):
        write_extracts(out, file=drawn, areas=areas(tmp_path, ["a", "b"]))
    assert list(out.iterdir()) == []


def test_a_folder_that_cannot_be_made_or_written_to_is_told(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_extracts(tmp_path / "file" / "out", file=drawn, areas=areas(tmp_path, ["a"]))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("servicecircle.node_places.NodePlaces.add", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_extracts(tmp_path / "out", file=drawn, areas=areas(tmp_path, ["a"]))
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_killed_run_left_is_cleared_away(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    of_the_dead, of_the_living = (out / f"{UNFINISHED}-{pid}-x" for pid in (2**22 + 1, os.getpid()))
    for folder in (of_the_dead, of_the_living):
        folder.mkdir(parents=True)
        (folder / "nodes").touch()
    write_extracts(out, file=drawn, areas=areas(tmp_path, ["a"]))
    assert sorted(out.iterdir()) == [of_the_living, out / "a.osm.pbf"]
