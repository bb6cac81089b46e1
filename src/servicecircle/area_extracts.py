"""Extracts of many areas: a country's OpenStreetMap file cut to a file a city, in one streaming pass."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np

from ._validate import GeometryArray, some, some_zh
from .area_files import is_polygon, read_areas, with_margin
from .disk_names import is_device
from .downloads import MARGIN_M
from .errors import InputError, NetworkError
from .extracts import check_margin
from .osm import clear_errors
from .region_cuts import MAX_REGIONS, cut_regions
from .whole_files import make_folder, unfinished_folder, write_whole

#: columns that name an area, the first that is there
NAME_COLUMNS = ("id", "name")
_SUFFIX = ".osm.pbf"
#: letters and digits of any script, inside also blanks, dots and dashes: every disk takes it, and it is one name
_NAME = re.compile(r"\w(?:[\w .()-]{0,48}[\w)])?")
#: files that are open beside those of the areas
_BESIDE = 64


@dataclass(frozen=True)
class AreaExtract:
    """What was found in one area."""

    name: str
    path: Path | None  # None: no street lies there, and nothing was written
    n_street: int  # ways with a `highway` tag


def write_extracts(
    out: str | Path,
    *,
    file: str | Path,
    areas: str | Path,
    name_column: str | None = None,
    margin_m: float = MARGIN_M,
) -> tuple[AreaExtract, ...]:
    """
    Cut an OpenStreetMap file to many areas in one streaming pass, and write a file for each.

    Each file holds what `write_extract` cuts out for its area. Memory does not grow with the size of `file`; in
    between, the disk of `out` holds 16 bytes for each of its nodes, and twice what is written.

    Parameters
    ----------
    out
        Folder for the files, `NAME.osm.pbf` for each area; made if it is missing. No such file may stand there.
    file
        A `.osm.pbf` file of any size, sorted as those that are offered for download are.
    areas
        A file of polygons in any CRS, at most 500; those of one area in one row.
    name_column
        Column with the names of the areas, each one different; None takes `id`, else `name`.
    margin_m
        Metres kept round each area: a circle may lead out of it and back. 0 or more.

    Returns
    -------
    extracts
        One for each area, in the order of `areas`.

    Raises
    ------
    InputError
        If `areas` holds no polygons, no CRS, no names, or names that are no names of files; if there is a file
        already where one is to be written.
    NetworkError
        If `file` is missing, broken, not sorted or no PBF, or no street lies in any area.
    OutputError
        If a file cannot be written.
    """
    source, folder = Path(file), Path(out)
    check_margin(margin_m)
    _check_source(source)
    frame = read_areas(Path(areas))
    names = _names(frame, name_column, Path(areas).name)
    _check_polygons(frame.geometry, names, Path(areas).name)
    targets = [folder / f"{name}{_SUFFIX}" for name in names]
    _check_targets(targets)
    _let_open(len(targets) + _BESIDE)
    rows = [gpd.GeoSeries(frame.geometry.iloc[k : k + 1]) for k in range(len(frame))]
    regions: GeometryArray = np.array([with_margin(row, margin_m) for row in rows], dtype=np.object_)
    with unfinished_folder(make_folder(folder)) as between, cut_regions(source, regions, between) as cuts:
        if not cuts.n_street.any():
            msg = f"No street of `{source.name}` lies in any area, nor within the margin. Is it the same place?"
            zh = f"各范围（含外扩距离）内都没有 {source.name} 的任何道路，请核对是否为同一地方。"
            raise NetworkError(msg, zh=zh)
        for k in np.flatnonzero(cuts.n_street).tolist():
            write_whole(targets[k], partial(cuts.write, k))
    return tuple(
        AreaExtract(name, target if n else None, n)
        for name, target, n in zip(names, targets, cuts.n_street.tolist(), strict=True)
    )


# ------------------------------------------------------------------------------------------------------- checks
def _check_source(source: Path) -> None:
    """Refuse what is no PBF file."""
    with clear_errors(source):
        pass
    if source.suffix.lower() != ".pbf":
        how = f"servicecircle network --file {source.name} --out roads.osm.pbf"
        msg = f"`{source}` must be a .osm.pbf file. Convert it: {how}."
        zh = f"{source} 应为 .osm.pbf 文件，可先转换：{how}。"
        raise NetworkError(msg, zh=zh)


def _names(frame: gpd.GeoDataFrame, column: str | None, file: str) -> list[str]:
    """Return the names of the areas, which are names of files, each one different on every disk."""
    columns = [str(name) for name in frame.columns if name != frame.geometry.name]
    wanted = (column,) if column is not None else NAME_COLUMNS
    found = next((name for name in wanted if name in columns), None)
    if found is None:
        asked, there = " or ".join(f"`{name}`" for name in wanted), some(columns) or "none"
        msg = f"`{file}` has no column {asked} to name its areas. Its columns: {there}."
        zh = f"{file} 中没有列 {' 或 '.join(wanted)}，无法给各范围命名。现有列：{some_zh(columns) or '无'}。"
        raise InputError(msg, zh=zh)
    names = [_text(value) for value in frame[found].tolist()]
    unfit = [name for name in names if not _NAME.fullmatch(name) or is_device(name)]
    if unfit:
        told = [repr(name[:40]) for name in unfit]
        msg = (
            f"`{found}` of `{file}` holds what is no name of a file: {some(told)}. Take letters, digits, blanks, "
            "dots, dashes and brackets, 50 at most, a letter or digit first."
        )
        zh = (
            f"{file} 的 {found} 列中有不能作文件名的值：{some_zh(told)}。请用文字、数字、空格、点、横线和括号，"
            "最多 50 个，首个为文字或数字。"
        )
        raise InputError(msg, zh=zh)
    alike = Counter(name.casefold() for name in names)
    twice = list(dict.fromkeys(name for name in names if alike[name.casefold()] > 1))
    if twice:
        msg = f"`{found}` of `{file}` names more than one area {some(twice)} (A and a are one name to some disks)."
        raise InputError(msg, zh=f"{file} 的 {found} 列中有重名的范围：{some_zh(twice)}（有的磁盘不分大小写）。")
    return names


def _text(value: object) -> str:
    """Return a cell as text, a whole number without a point, nothing where there is none."""
    if value is None or value != value:  # noqa: PLR0124  (nan)
        return ""
    is_whole = isinstance(value, float) and value.is_integer()
    return unicodedata.normalize("NFC", str(int(value) if is_whole else value)).strip()  # type: ignore[call-overload]


def _check_polygons(shapes: gpd.GeoSeries, names: Sequence[str], file: str) -> None:
    """Refuse areas without a polygon, and more areas than files can be open."""
    without = [name for name, has_area in zip(names, is_polygon(shapes), strict=True) if not has_area]
    if without:
        msg = f"`{file}` has no polygon for {some(without)}."
        raise InputError(msg, zh=f"{file} 中没有以下范围的面（多边形）：{some_zh(without)}。")
    if len(names) > MAX_REGIONS:
        msg = f"`{file}` holds {len(names)} areas, at most {MAX_REGIONS} are cut at once. Take them in parts."
        raise InputError(msg, zh=f"{file} 中有 {len(names)} 个范围，一次最多 {MAX_REGIONS} 个，请分批裁剪。")


def _let_open(n: int) -> None:
    """Let this process have so many files open, where the system leaves it to it."""
    try:
        import resource
    except ImportError:  # Windows counts otherwise
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= n or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < n:
        msg = f"The system lets a process have {hard} files open, and {n} are needed: take the areas in parts."
        raise InputError(msg, zh=f"系统只允许同时打开 {hard} 个文件，需要 {n} 个：请把范围分批裁剪。")
    resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


def _check_targets(targets: Sequence[Path]) -> None:
    """Refuse to write over anything."""
    there = [target for target in targets if target.exists() or target.is_symlink()]
    if there:
        msg = f"There already: {some(there)}. Take another folder, or remove them."
        raise InputError(msg, zh=f"文件已存在：{some_zh(there)}。请另选文件夹，或先删除它们。")
