"""Coordinates as people write them: degrees, minutes and seconds, 东经, both in one cell."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping

from .headers import field_of, fold, shifted_field
from .tables import Table

#: headers of a column that holds longitude and latitude, folded
_PAIRS = re.compile(
    "(?:地理|位置|点位|gps|高德|百度|腾讯|火星|wgs84|gcj02|bd09)?(?:坐标|经纬度)(?:经纬度|坐标|位置|点)?|gps"
    "|coordinates?|lnglat|lonlat|latlng|latlon"
)
_NUMBER = r"[0-9]{1,3}(?:\.[0-9]+)?"
_DEGREES = re.compile(
    r"(?P<side>东经|西经|北纬|南纬|[EWNS])?[:\s]*"
    rf"(?P<d>{_NUMBER})\s*(?:[°º度]\s*"
    rf"(?:(?P<m>{_NUMBER})\s*['′’‘分]\s*(?:(?P<s>{_NUMBER})\s*(?:[\"″”“秒]|''|′′)\s*)?)?)?"
    r"(?P<end>[EWNS])?",
    re.IGNORECASE,
)
_SIDES = {"lon": "东经西经ew", "lat": "北纬南纬ns"}
_PARTED = re.compile(r"[,，、;；|/\s]+")


def degrees_of(cell: str, field: str) -> float | None:
    """
    Return the degrees of a longitude or latitude in words, or in degrees, minutes and seconds; None: it is none.

    Examples
    --------
    >>> degrees_of("东经113.36°", "lon"), degrees_of("22°30′36″N", "lat"), degrees_of("22度30分", "lat")
    (113.36, 22.51, 22.5)
    >>> degrees_of("113°61′", "lon"), degrees_of("北纬22.5", "lon")
    (None, None)
    """
    signs = cell.translate({ord("″"): '"', ord("′"): "'", ord("º"): "°"})
    plain = unicodedata.normalize("NFKC", signs).strip(",;、。 \t\n").lstrip("'`").replace("。", ".")
    found = _DEGREES.fullmatch(plain)
    if found is None or not (found["m"] or "." in found["d"]):  # "22度" is no place
        return None
    sides = {side.casefold() for side in (found["side"], found["end"]) if side}
    minute, second = float(found["m"] or 0), float(found["s"] or 0)
    has_wrong_side = any(side not in _SIDES[field] for side in sides)
    if has_wrong_side or len(sides) > 1 or minute >= 60 or second >= 60 or (found["m"] and "." in found["d"]):  # noqa: PLR2004
        return None
    value = round(float(found["d"]) + minute / 60 + second / 3600, 10)
    return -value if sides & {"西经", "南纬", "w", "s"} else value


def is_pair_header(header: str) -> bool:
    """
    Tell whether a column holds longitude and latitude in one cell, by its header.

    Examples
    --------
    >>> is_pair_header("坐标（高德）"), is_pair_header("经纬度"), is_pair_header("坐标系"), is_pair_header("经度")
    (True, True, False, False)
    """
    return _PAIRS.fullmatch(fold(header)) is not None


def with_split_pairs(
    table: Table, columns: Mapping[str, str] | None = None, words: Mapping[str, str] | None = None
) -> Table:
    """
    Return the table with longitude and latitude apart where one column holds both, with a warning.

    A table that has either already, or geometry, stays as it is. A cell that is no pair goes into the longitude as
    it stands, where it is told.
    """
    fields = {field_of(header, words) or shifted_field(header) for header in table.header} | set(columns or {})
    pair = next((at for at, header in enumerate(table.header) if is_pair_header(header)), None)
    if table.geometry is not None or pair is None or {"lon", "lat"} & fields:
        return table
    header = table.header[pair]
    parts = [_parts(cell) for cell in table.columns[pair]]
    if 2 * sum(map(_is_lat_first, parts)) > len(parts):
        parts = [(second, first) if second else (first, second) for first, second in parts]
    shown = next(((first, second) for first, second in parts if second), ("…", "…"))
    told = table.warning(
        f"holds longitude and latitude in one cell; they were read apart, e.g. as {shown[0]!r} and {shown[1]!r}.",
        f"一格中同时有经度和纬度，已分开读取，如经度“{shown[0]}”、纬度“{shown[1]}”。",
        column=header,
    )
    plain = re.sub("[()（）\\[\\]]", "", header)
    names = [f"{word}（{plain}）" for word in ("经度", "纬度")]
    kept = [at for at in range(len(table.header)) if at != pair]
    return dataclasses.replace(
        table,
        header=(*(table.header[at] for at in kept), *names),
        columns=(*(table.columns[at] for at in kept), *(tuple(part[k] for part in parts) for k in (0, 1))),
        faults=(*table.faults, told),
    )


def _parts(cell: str) -> tuple[str, str]:
    """Return the two halves of a cell; all of it and "" where it has not two."""
    plain = re.sub(r"[经纬]度\s*[:：为]?", "", unicodedata.normalize("NFKC", cell)).strip("()[]{} \t\n")
    halves = [half for half in _PARTED.split(plain) if half]
    return (halves[0], halves[1]) if len(halves) == 2 else (cell.strip(), "")  # noqa: PLR2004


def _is_lat_first(part: tuple[str, str]) -> bool:
    """Tell whether a pair is of China with its latitude first."""
    lat, lon = degrees_of(part[0], "lat"), degrees_of(part[1], "lon")
    return lat is not None and lon is not None and 3 <= lat <= 54 and 73 <= lon <= 136  # noqa: PLR2004
