"""The cache beside a road file: the same network from it, and never a wrong or an old one."""

import dataclasses
import json
import logging
import os
import shutil

import geopandas as gpd
import pytest
from osm_text import HELSINKI, SHARED, node, osm, way
from pyproj import CRS
from same import assert_same_network
from studies import TOML, write_study

from servicecircle import network, network_cache
from servicecircle.errors import CRSError, NetworkError
from servicecircle.network import read_network
from servicecircle.network_cache import MAX_KEPT, cache_folder
from servicecircle.params import PROFILES
from servicecircle.pipeline import read_roads
from servicecircle.study import load_study

#: about a kilometre a step, row by row:  1 2 3 / 4 5 6; node 9 is missing, and a piece of trunk road is left out
TOWN = "".join(node(1 + i, 113 + 0.01 * (i % 3), 22.51 - 0.01 * (i // 3)) for i in range(6))
WAYS = way(1, [1, 2, 3, 6, 9], highway="service", name="和平路", oneway="yes") + way(2, [2, 5], highway="steps")
TRUNK = way(3, [4, 5], highway="trunk")


@pytest.fixture(autouse=True)
def small_files_are_kept_too(monkeypatch):
    monkeypatch.setattr(network_cache, "MIN_BYTES", 0)


@pytest.fixture
def town(tmp_path):
    return osm(tmp_path / "town.osm", TOWN + WAYS + TRUNK)


@pytest.fixture
def reads(monkeypatch):
    """Road files that were really read, one by one."""
    seen = []
    true_read = network._read_network

    def counted(path, *args, **options):
        seen.append(path)
        return true_read(path, *args, **options)

    monkeypatch.setattr(network, "_read_network", counted)
    return seen


def kept(road_file):
    return sorted(cache_folder(road_file).glob("*.network"))


def test_the_second_time_nothing_is_read_and_all_is_the_same_report_and_warnings_too(town, reads):
    first, second = read_network(town, "ebike"), read_network(town, "ebike")
    assert reads == [town]
    assert len(first.report.warnings) == 2  # the missing node, the trunk road
    assert_same_network(first, second)
    assert_same_network(second, read_network(town, "ebike", cache=False))


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".geojson", ".shp"])
def test_tables_are_kept_as_well(tmp_path, reads, suffix):
    folder = write_study(tmp_path)
    frame = gpd.read_file(folder / "roads.geojson")
    file = tmp_path / f"roads{suffix}"
    frame.to_parquet(file) if suffix == ".parquet" else frame.to_file(file)
    first = read_network(file)
    assert_same_network(first, read_network(file))
    assert len(reads) == 1


@pytest.mark.slow
def test_real_streets_come_back_the_same(tmp_path, reads):
    file = shutil.copy(HELSINKI, tmp_path / "Helsinki.osm.pbf")
    for profile in PROFILES:
        assert_same_network(read_network(file, profile), read_network(file, profile))
    assert len(reads) == len(PROFILES)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not there")
@pytest.mark.parametrize("name", ["porto.osm.pbf", "wuhan.parquet", "shenzhen_futian.graphml"])
def test_large_real_networks_come_back_the_same(tmp_path, reads, name):
    file = shutil.copy(SHARED / name, tmp_path / name)
    for profile in ("walk", "drive"):
        assert_same_network(read_network(file, profile), read_network(file, profile))
    assert len(reads) == 2


def test_another_profile_or_option_is_another_network(town, reads):
    quicker = dataclasses.replace(PROFILES["walk"], speed_kph=5.0)
    asked = [
        {},
        {"profile": "ebike"},
        {"profile": quicker},
        {"profile": dataclasses.replace(quicker, cutoffs_s={10.0: 500.0})},
        {"admit_trunk": True},
        {"min_part_m": 10.0},
        {"target_crs": "EPSG:32649"},
        {"target_crs": "EPSG:32650"},
    ]
    networks = [read_network(town, **options) for options in asked]
    assert len(reads) == len(asked) == len(kept(town))
    for options, there in zip(asked, networks, strict=True):
        assert_same_network(there, read_network(town, **options))
    assert_same_network(networks[6], read_network(town, target_crs=CRS("EPSG:32649")))
    assert len(reads) == len(asked)


def test_a_changed_road_file_is_read_and_its_old_networks_go(town, reads):
    for profile in ("walk", "ebike"):
        read_network(town, profile)
    before = town.stat()
    town.write_text(town.read_text(encoding="utf-8").replace("和平路", "平和路"), encoding="utf-8")
    os.utime(town, ns=(before.st_atime_ns, before.st_mtime_ns))  # neither its size nor its date tells
    assert "平和路" in read_network(town).street_name
    assert len(reads) == 3
    assert len(kept(town)) == 1


def test_what_is_read_along_with_a_shapefile_counts(tmp_path, reads):
    frame = gpd.read_file(write_study(tmp_path) / "roads.geojson")
    file = tmp_path / "roads.shp"
    frame.to_file(file)
    read_network(file)
    frame.assign(name="新路").to_file(file, encoding="utf-8")
    assert set(read_network(file).street_name) == {"新路"}
    assert len(reads) == 2


def test_another_version_of_the_program_reads_anew(town, reads, monkeypatch):
    read_network(town)
    monkeypatch.setattr(network_cache, "_program", lambda: b"the next version")
    read_network(town)
    assert len(reads) == 2
    assert len(kept(town)) == 1


def test_no_more_than_eight_networks_are_kept_and_the_oldest_goes(town, reads):
    for n in range(MAX_KEPT + 2):
        read_network(town, min_part_m=float(n))
        os.utime(max(kept(town), key=lambda file: file.stat().st_mtime_ns), (n, n))
    assert len(kept(town)) == MAX_KEPT
    read_network(town, min_part_m=float(MAX_KEPT + 1))
    assert len(reads) == MAX_KEPT + 2
    read_network(town, min_part_m=0.0)
    assert len(reads) == MAX_KEPT + 3


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda _: b"", lambda data: data[:200] + b"!" + data[201:]]
)
def test_a_damaged_file_is_not_used_and_written_anew(town, reads, damage, caplog):
    first = read_network(town)
    (file,) = kept(town)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    with caplog.at_level(logging.INFO, logger="servicecircle"):
        assert_same_network(first, read_network(town))
    assert "is not used" in caplog.text
    assert len(reads) == 2
    assert file.read_bytes() == whole


def test_a_folder_in_the_place_of_a_kept_file_does_no_harm(town, reads):
    read_network(town)
    (file,) = kept(town)
    file.unlink()
    file.mkdir()
    read_network(town)
    shutil.rmtree(cache_folder(town))
    cache_folder(town).write_text("not a folder", encoding="utf-8")
    read_network(town)
    assert len(reads) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are of POSIX")
def test_a_pipe_in_the_place_of_a_kept_file_is_not_waited_for(town, reads):
    read_network(town)
    [file] = cache_folder(town).glob("*.network")
    file.unlink()
    os.mkfifo(file)
    read_network(town)
    assert len(reads) == 2
    read_network(town)
    assert len(reads) == 2 and file.is_file()


def test_files_of_others_in_the_folder_stay(town, reads):
    others = [cache_folder(town) / name for name in ("sales.network", f"{'a' * 32}.network", "notes.txt")]
    cache_folder(town).mkdir()
    for other in others:
        other.write_text("precious")
    read_network(town)
    read_network(town)
    assert len(reads) == 1
    assert all(other.read_text() == "precious" for other in others)


def test_nothing_is_written_where_nobody_may_write(town, reads):
    town.parent.chmod(0o555)
    try:
        read_network(town)
        read_network(town)
    finally:
        town.parent.chmod(0o755)
    assert len(reads) == 2
    assert not cache_folder(town).exists()


def test_cache_false_neither_looks_nor_writes(town, reads):
    read_network(town, cache=False)
    assert not cache_folder(town).exists()
    read_network(town)
    read_network(town, cache=False)
    assert len(reads) == 3


def test_a_road_file_of_less_than_half_a_megabyte_leaves_no_folder(town, monkeypatch):
    monkeypatch.setattr(network_cache, "MIN_BYTES", 500_000)
    read_network(town)
    assert not cache_folder(town).exists()
    padded = f"{town.read_text(encoding='utf-8')}<!--{' ' * 500_000}-->"
    town.write_text(padded, encoding="utf-8")
    read_network(town)
    assert len(kept(town)) == 1


def test_a_road_file_that_changes_while_it_is_read_is_not_kept(town, monkeypatch):
    true_read = network._read_network

    def slow(path, *args, **options):
        there = true_read(path, *args, **options)
        town.write_text(town.read_text(encoding="utf-8") + " ", encoding="utf-8")
        return there

    monkeypatch.setattr(network, "_read_network", slow)
    read_network(town)
    assert not cache_folder(town).exists()


def test_errors_are_the_same_each_time_and_leave_nothing(town, tmp_path):
    empty = osm(tmp_path / "empty.osm", TOWN)
    for _ in range(2):
        with pytest.raises(NetworkError, match="no way has"):
            read_network(empty)
        with pytest.raises(CRSError, match="always in WGS 84"):
            read_network(town, crs="EPSG:3857")
        with pytest.raises(NetworkError, match=r"none\.osm\.pbf"):
            read_network(tmp_path / "none.osm.pbf")
    assert not cache_folder(empty).exists()
    assert not cache_folder(town).exists()


def test_a_study_uses_the_cache_unless_it_says_no(tmp_path, reads):
    folder = write_study(tmp_path)
    first, second = (read_roads(load_study(folder)).network for _ in range(2))
    assert len(reads) == 1
    assert_same_network(first, second)
    shutil.rmtree(cache_folder(folder / "roads.geojson"))
    toml = TOML.replace('file = "roads.geojson"', 'file = "roads.geojson"\ncache = false')
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    read_roads(load_study(folder))
    assert len(reads) == 2
    assert not cache_folder(folder / "roads.geojson").exists()


def test_git_passes_over_the_folder_and_nothing_else_is_in_it(town):
    read_network(town)
    assert (cache_folder(town) / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert len(list(cache_folder(town).iterdir())) == 2


def test_what_is_kept_is_text_and_numbers(town):
    read_network(town)
    (file,) = kept(town)
    data = file.read_bytes()
    text = data[64 : 64 + int.from_bytes(data[56:64], "little")]
    assert json.loads(text)["names"] == ["和平路", ""]
