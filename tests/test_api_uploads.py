"""A packed study: what is refused before anything of it is written, and what is taken."""

from __future__ import annotations

import bz2
import gzip
import io
import stat
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tiny_study import write_tiny_study

import servicecircle as sc
from api.jobs.uploads import LARGE, MOST_FILES, check_upload, unpack_study
from servicecircle.errors import InputError

STUDY = 'name = "x"\n[network]\nfile = "roads.osm"\n'


def packed(files: dict[str, str | bytes], **more: int) -> bytes:
    """A zip file of names and contents; more are attributes of each entry."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            for key, value in more.items():
                setattr(entry, key, value)
            archive.writestr(entry, content)
    return stream.getvalue()


def folder_as_zip(folder: Path, inside: str = "") -> bytes:
    return packed(
        {f"{inside}{file.name}": file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}
    )


@pytest.mark.parametrize("inside", ["", "小镇/", "a/b/"])
def test_a_packed_study_is_unpacked_as_it_was_and_can_be_read(tmp_path: Path, inside: str) -> None:
    town = write_tiny_study(tmp_path / "town")
    found = unpack_study(folder_as_zip(town, inside), tmp_path / "there")
    assert {f.name: f.read_bytes() for f in found.iterdir()} == {f.name: f.read_bytes() for f in town.iterdir()}
    assert sc.load_study(found).name == "小镇"


def test_names_that_a_chinese_windows_packs_are_read_as_they_were(tmp_path: Path) -> None:
    body = packed({"study.toml": STUDY, "AAAA.csv": "编号,名称\n"})
    body = body.replace(b"AAAA.csv", "驿站.csv".encode("gbk"))
    assert (unpack_study(body, tmp_path) / "驿站.csv").exists()


def test_what_programs_leave_in_a_zip_file_is_left_out(tmp_path: Path) -> None:
    left = {"__MACOSX/._study.toml": "x", ".DS_Store": b"\0", "t/.servicecircle/store.sqlite": "x", "t/": ""}
    found = unpack_study(packed({"t/study.toml": STUDY, **left}), tmp_path)
    assert [f.name for f in tmp_path.rglob("*") if f.is_file()] == ["study.toml"]
    assert found == tmp_path / "t"


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "name",
    ["../out.csv", "a/../../out.csv", "/etc/out.csv", "C:/out.csv", "..\\out.csv", "\\\\host\\out.csv", "a:b.csv"],
)
def test_a_name_that_leads_out_of_the_folder_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="leads out of its folder"):
        unpack_study(packed({"study.toml": STUDY, name: "x"}), tmp_path / "there")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "file", ["/etc/passwd", "../secret.csv", "/vsicurl/http://host/x.geojson", "C:\\secret.csv"]
)
@pytest.mark.parametrize("where", ["[network]\n", "[stations]\n", "[[more.deep]]\n"])
def test_a_study_that_names_a_file_elsewhere_is_refused(file: str, where: str) -> None:
    with pytest.raises(InputError, match="outside of its folder"):
        check_upload(packed({"study.toml": f"{where}file = '{file}'\n"}))


@pytest.mark.fault(52)
def test_a_study_that_asks_for_a_download_is_refused() -> None:
    with pytest.raises(InputError, match="download"):
        check_upload(packed({"study.toml": '[network]\nplace = "127.0.0.1"\n'}))


ODD = {
    "a/" * 600 + "a.csv": "name that is too long",
    "驿" * 80 + ".csv": "name that is too long",
    "a" * 252 + ".csv": "name that is too long",
    "b" * 60_000 + ".csv": "name that is too long",
    "x.csv@.exe": "leads out of its folder",
    "x\x1b[31m.csv": "leads out of its folder",
    "study.toml/a.csv": "as a file and as a folder",
    "STUDY.toml/a.csv": "as a file and as a folder",
    "./study.toml": "twice",
    ".//study.toml": "twice",
    "Study.TOML": "twice",
    "": "leads out of its folder",
    ".": "leads out of its folder",
}


@pytest.mark.fault(51)
@pytest.mark.parametrize(("name", "told"), ODD.items(), ids=lambda text: text[:12])
def test_an_odd_name_is_refused_in_words_before_anything_is_written(tmp_path: Path, name: str, told: str) -> None:
    for body in (packed({"study.toml": STUDY, name: "x"}), packed({name: "x", "study.toml": STUDY})):
        with pytest.raises(InputError, match=told) as refused:
            unpack_study(with_nul(body), tmp_path / "there")
        assert "\x1b" not in refused.value.zh
        assert len(refused.value.en) < 300
    assert list(tmp_path.rglob("*")) == []


def with_nul(body: bytes) -> bytes:
    """A zip file with a NUL in a name for each @, which Python does not write."""
    return body.replace(b"x.csv@.exe", b"x.csv\0.exe")


def test_folders_that_windows_writes_are_folders(tmp_path: Path) -> None:
    found = unpack_study(packed({"t\\study.toml": STUDY, "t\\数据\\a.csv": "x"}), tmp_path)
    assert (found, (found / "数据" / "a.csv").read_text()) == (tmp_path / "t", "x")


@pytest.mark.fault(44)
@pytest.mark.parametrize(("name", "pack"), [("roads.osm.gz", gzip.compress), ("roads.osm.bz2", bz2.compress)])
def test_a_road_file_that_is_a_bomb_is_refused_before_it_is_read(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    bomb = pack(b"<osm><!--" + b"x" * (LARGE + 1))
    with pytest.raises(InputError, match=f"holds '{name}', .* MB that unpack to more than 6[78] MB"):
        unpack_study(packed({"study.toml": STUDY, name: bomb}), tmp_path)
    fine = unpack_study(packed({"study.toml": STUDY, name: pack(b"x" * 1_000_000)}), tmp_path / "fine")
    assert (fine / name).exists()


@pytest.mark.fault(44)
def test_a_bomb_is_refused_by_its_size_and_ratio_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = packed({"study.toml": STUDY, "roads.osm": b"0" * (LARGE + 1)})
    assert len(bomb) < LARGE / 100
    with pytest.raises(InputError, match="would unpack to 67 MB"):
        unpack_study(bomb, tmp_path / "there")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(44)
def test_a_bomb_that_lies_about_its_size_is_stopped_where_it_says_it_ends(tmp_path: Path) -> None:
    honest = packed({"study.toml": STUDY, "roads.csv": b"0" * 5_000_000})
    size = struct.pack("<I", 5_000_000)
    assert honest.count(size) == 2
    lie = honest.replace(size, struct.pack("<I", 100))
    with pytest.raises(InputError, match=r"larger than it says|damaged"):
        unpack_study(lie, tmp_path)
    assert sum(f.stat().st_size for f in tmp_path.rglob("*") if f.is_file()) < 1000


def test_links_passwords_and_other_kinds_are_refused() -> None:
    for told, body in {
        "is a link": packed(
            {"study.toml": STUDY, "a.csv": "/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16
        ),
        "of a kind that no study names": packed({"study.toml": STUDY, "run.py": "x"}),
        "'a.csv' twice|'A.csv' twice": packed({"study.toml": STUDY, "a.csv": "", "A.csv": ""}),
        "holds 0 files study.toml": packed({"a.csv": ""}),
        "holds 2 files study.toml": packed({"a/study.toml": STUDY, "b/study.toml": STUDY}),
        "no zip file": b"PK\x03\x04 no",
        f"at most {MOST_FILES}": packed({f"{n}.csv": "" for n in range(MOST_FILES + 1)}),
    }.items():
        with pytest.raises(InputError, match=told):
            check_upload(body)
    locked = bytearray(packed({"study.toml": STUDY}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InputError, match="has a password"):
        check_upload(bytes(locked))
    damaged = bytearray(packed({"study.toml": STUDY * 50}))
    damaged[60] ^= 255
    with pytest.raises(InputError, match="damaged"):
        check_upload(bytes(damaged))


def test_nonsense_in_a_zip_file_is_told_whatever_its_readers_raise() -> None:
    said = np.random.default_rng(5)
    for kind in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", kind) as archive:
            archive.writestr("study.toml", STUDY * 20)
        whole = stream.getvalue()
        for _ in range(150):
            broken = bytearray(whole)
            for at in said.integers(0, len(whole), size=3):
                broken[at] = said.integers(256)
            with suppress(InputError):
                check_upload(bytes(broken))


@pytest.mark.parametrize(
    "line", ["x = " + "1" * 6000, ".".join(['"!"'] * 60_000) + " = 1", "[" + "a." * 50_000 + "a]"]
)
def test_a_study_that_takes_long_to_read_is_left_to_the_job_which_refuses_it(tmp_path: Path, line: str) -> None:
    body = packed({"study.toml": f"{STUDY}\n{line}\n"})
    check_upload(body)
    with pytest.raises(InputError, match=r"too deeply|cannot be read"):
        sc.load_study(unpack_study(body, tmp_path))
