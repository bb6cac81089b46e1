"""A study that comes as a zip file: looked at before any of it is written, unpacked where it can do no harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NoReturn

from servicecircle.errors import InputError
from servicecircle.study_keys import toml_of

#: files and folders of one study
MOST_FILES = 500
#: bytes that it may unpack to; times its own size, once that is much
MOST_BYTES, LARGE, MOST_RATIO = 1 << 30, 64 << 20, 100
STUDY_FILE = "study.toml"
#: bytes of the name of a file or folder, and of all of a path: what file systems take
MOST_NAME, MOST_PATH = 200, 1000
#: what a study may name, and what goes with a Shapefile
KINDS = (
    ".toml", ".csv", ".xlsx", ".geojson", ".json", ".gpkg", ".parquet", ".geoparquet", ".graphml",
    ".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix",
    ".osm", ".pbf", ".osm.gz", ".osm.bz2", ".md", ".txt",
)  # fmt: skip
_PACKED: Mapping[str, Callable[[Path], gzip.GzipFile | bz2.BZ2File]] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File}
#: what programs that pack leave in a zip file
_LEFT_BY_PROGRAMS = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".servicecircle"})
_IS_ENCRYPTED, _IS_UTF8 = 0x1, 0x800
_CHUNK = 1 << 20
#: what readers of zip files, and of what is packed in them, raise at nonsense
_BROKEN = (
    zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, LookupError, MemoryError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip


def check_upload(packed: bytes) -> None:
    """
    Look at a packed study without unpacking more of it than study.toml.

    Raises
    ------
    InputError
        If it is no zip file, holds no study, would unpack to too much, or holds or names what it may not.
    """
    with _archive(packed) as archive:
        inside = _checked(archive, len(packed))
        study = next(one for name, one in inside if PurePosixPath(name).name == STUDY_FILE)
        _check_study(b"".join(_pieces(archive, study, most=_CHUNK)))


def unpack_study(packed: bytes, folder: Path) -> Path:
    """
    Unpack a study into an empty folder, and return the folder of its study.toml.

    Raises
    ------
    InputError
        As `check_upload` does; also if a file turns out larger than the archive says.
    """
    check_upload(packed)
    with _archive(packed) as archive:
        for name, one in _checked(archive, len(packed)):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as stream:
                for piece in _pieces(archive, one, most=one.file_size):
                    stream.write(piece)
            _check_packed(target)
    return next(folder.rglob(STUDY_FILE)).parent


# ----------------------------------------------------------------------------------------------------- what is in
def _archive(packed: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(packed))
    except _BROKEN:
        _refuse("is no zip file that can be read", "不是可读的 zip 文件")


def _checked(archive: zipfile.ZipFile, packed: int) -> list[tuple[str, zipfile.ZipInfo]]:
    """Return the files of an archive with the names that they get."""
    every = archive.infolist()
    if len(every) > MOST_FILES:
        _refuse(
            f"holds {len(every)} files; at most {MOST_FILES} may be", f"含 {len(every)} 个文件，上限 {MOST_FILES}"
        )
    _check_sizes(every, packed)
    inside: dict[str, zipfile.ZipInfo] = {}
    for one in every:
        name = _own_name(one)
        if name.endswith("/") or _LEFT_BY_PROGRAMS & set(PurePosixPath(name).parts):
            continue
        _check_file(one, name)
        name = "/".join(PureWindowsPath(name).parts)  # programs of Windows write other slashes
        if name.casefold() in {known.casefold() for known in inside}:
            _refuse(f"holds {name[:80]!r} twice", f"中 {name[:80]} 重复")
        inside[name] = one
    _check_folders(inside)
    studies = [name for name in inside if PurePosixPath(name).name == STUDY_FILE]
    if len(studies) != 1:
        _refuse(
            f"holds {len(studies)} files study.toml; pack the folder of one study",
            f"含 {len(studies)} 个 study.toml，应只打包一个研究文件夹",
        )
    return list(inside.items())


def _check_sizes(every: list[zipfile.ZipInfo], packed: int) -> None:
    """Refuse what would fill the disk."""
    unpacked = sum(one.file_size for one in every)
    if unpacked > min(MOST_BYTES, max(LARGE, MOST_RATIO * packed)):
        size, whole = f"{packed / 1e6:.1f} MB", f"{unpacked / 1e6:,.0f} MB"
        _refuse(f"is {size} and would unpack to {whole}", f"仅 {size}，解压后达 {whole}")


def _check_file(one: zipfile.ZipInfo, name: str) -> None:
    """Refuse a file that would be put elsewhere, is none, or is of no kind that a study names."""
    shown = name[:80]
    if not _stays_inside(name):
        _refuse(f"holds {shown!r}, which leads out of its folder", f"中 {shown} 指向文件夹之外")
    sizes = [len(part.encode("utf-8", "replace")) for part in PureWindowsPath(name).parts]
    if max(sizes) > MOST_NAME or sum(sizes) + len(sizes) > MOST_PATH:
        _refuse(f"holds a file with a name that is too long: {shown!r}...", f"中文件名过长：{shown}…")
    if one.flag_bits & _IS_ENCRYPTED:
        _refuse(f"has a password on {shown!r}", f"中 {shown} 带密码")
    kind = stat.S_IFMT(one.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        _refuse(f"holds {shown!r}, which is a link or no file", f"中 {shown} 是链接，不是文件")
    if not name.lower().endswith(KINDS):
        _refuse(
            f"holds {shown!r}, of a kind that no study names; known are {', '.join(KINDS)}",
            f"中 {shown} 不是研究所用的文件类型",
        )


def _check_folders(names: Iterable[str]) -> None:
    """Refuse a file that is a folder too."""
    folders = {str(folder).casefold() for name in names for folder in PurePosixPath(name).parents}
    if double := [name for name in names if name.casefold() in folders]:
        _refuse(f"holds {double[0][:80]!r} as a file and as a folder", f"中 {double[0][:80]} 既是文件又是文件夹")


def _own_name(one: zipfile.ZipInfo) -> str:
    """Return the name of a file; Chinese Windows packs names in GBK and does not say so."""
    name = one.orig_filename  # `filename` ends at a NUL
    if not one.flag_bits & _IS_UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("gbk")
    return name


def _stays_inside(name: str) -> bool:
    """Tell whether a path stays in its folder, on every system."""
    parts = PureWindowsPath(name).parts  # knows both slashes, and drives
    is_plain = not any(ord(letter) < ord(" ") for letter in name) and ":" not in name
    return is_plain and bool(parts) and not name.startswith(("/", "\\")) and ".." not in parts


def _pieces(archive: zipfile.ZipFile, one: zipfile.ZipInfo, *, most: int) -> Iterator[bytes]:
    """Yield a file piece by piece, and no more of it than may be: a size in an archive may be a lie."""
    left = most
    try:
        with archive.open(one) as stream:
            while piece := stream.read(min(_CHUNK, left + 1)):
                left -= len(piece)
                if left < 0:
                    _refuse("holds a file larger than it says", "中的文件比标称的大")
                yield piece
    except InputError:
        raise
    except _BROKEN:
        _refuse("is damaged", "已损坏")


def _check_packed(file: Path) -> None:
    """Refuse a packed road file that would unpack to too much: its readers do not ask."""
    opened = _PACKED.get(file.suffix.lower())
    if opened is None:
        return
    most, n = max(LARGE, MOST_RATIO * file.stat().st_size), 0
    try:
        with opened(file) as stream:
            while piece := stream.read(_CHUNK):
                n += len(piece)
                if n > min(most, MOST_BYTES):
                    size = f"{file.stat().st_size / 1e6:.1f} MB"
                    _refuse(
                        f"holds {file.name[:80]!r}, {size} that unpack to more than {n / 1e6:,.0f} MB",
                        f"中的 {file.name[:80]} 仅 {size}，解压后超过 {n / 1e6:,.0f} MB",
                    )
    except InputError:
        raise
    except _BROKEN:
        return  # told when it is read


# -------------------------------------------------------------------------------------------------- what it names
def _check_study(text: bytes) -> None:
    """Refuse a study.toml that names files outside of its folder, or asks other machines; the rest comes later."""
    try:
        said = toml_of(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return  # told with its line when the study is read
    network = said.get("network")
    if isinstance(network, dict) and "place" in network:
        _refuse(
            "asks for a download ([network] place); add the road file",
            "要求下载路网（[network] place），请附上路网文件",
        )
    for file in _files_named(said):
        if not _stays_inside(file):
            _refuse(f"names {file[:80]!r}, outside of its folder", f"指定了文件夹之外的 {file[:80]}")


def _files_named(table: dict[str, Any]) -> Iterator[str]:
    """Yield what stands at every key `file`, however deep."""
    waiting: list[Any] = [table]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            files = value.get("file")
            yield from (one for one in (files if isinstance(files, list) else [files]) if isinstance(one, str))


def _refuse(en: str, zh: str) -> NoReturn:
    msg = f"The packed study {en}: refused."
    raise InputError(msg, zh=f"上传的研究{zh}，已拒绝。")
