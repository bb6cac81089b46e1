"""Links of places: what the QR code of each says: its ledger's own text, or its point on a map."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import shapely

from .datum import DATUMS, from_wgs84
from .errors import InputError
from .zone_texts import texts_in

#: `geo` alone: a point that any map app opens, without a service
GEO = "geo"
_GEO_TEMPLATE = "geo:{lat},{lon}?q={lat},{lon}({name})"
#: only what stands in the ledger
LEDGER = "ledger"
#: a code of more would be too fine to scan at the size of a stamp (bytes)
MAX_BYTES = 300
_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = frozenset({"lat", "lon", "name", "id"})
_SCHEME = re.compile(r"(?i:(?!javascript|data|vbscript|file)[a-z][a-z0-9+.-]{1,30}):\S+")
#: a service in a template, and the datum in which it takes coordinates
_SERVICES = (
    (re.compile(r"coord_?type=(?:wgs84|wgs84ll)", re.IGNORECASE), "wgs84"),
    (re.compile(r"coord_?type=(?:gcj02|gcj02ll)", re.IGNORECASE), "gcj02"),
    (re.compile(r"coord_?type=(?:bd09|bd09ll)|baidu", re.IGNORECASE), "bd09"),
    (re.compile("amap|autonavi|gaode|qq\\.com|qqmap|tencent|petalmaps", re.IGNORECASE), "gcj02"),
)
#: digits of a degree: 10 cm
_DIGITS = 6


def check_link_rule(qr: str, datum: str) -> None:
    """
    Refuse what is no rule of links: not `geo`, `ledger`, "" or a template with `{lat}` and `{lon}`.

    Raises
    ------
    InputError
        If it is none, or `datum` is neither "" nor a known datum.
    """
    if datum and datum not in DATUMS:
        msg = f"`qr_datum` must be one of {', '.join(DATUMS)}, got {datum!r}."
        raise InputError(msg, zh=f"qr_datum 须为 {'、'.join(DATUMS)} 之一，现为 {datum!r}。")
    if qr in {"", GEO, LEDGER}:
        return
    fields = set(_FIELD.findall(qr))
    if not _SCHEME.fullmatch(qr) or not {"lat", "lon"} <= fields <= _FIELDS or len(qr.encode()) > MAX_BYTES:
        msg = f'`qr` must be "{GEO}", "{LEDGER}", or an address with {{lat}} and {{lon}} (and {{name}}, {{id}}), '
        msg += f"got {qr!r}."
        zh = f"qr 应为 {GEO}、{LEDGER}，或含 {{lat}}、{{lon}}（可另有 {{name}}、{{id}}）的网址，现为 {qr!r}。"
        raise InputError(msg, zh=zh)


def template_datum(qr: str) -> str:
    """
    Return the datum in which the service of a template takes coordinates.

    Examples
    --------
    >>> template_datum("geo"), template_datum("https://uri.amap.com/marker?position={lon},{lat}")
    ('wgs84', 'gcj02')
    """
    return next((datum for known, datum in _SERVICES if known.search(qr)), "wgs84")


def place_links(facilities: gpd.GeoDataFrame, qr: str, datum: str = "") -> tuple[list[str], list[str]]:
    """
    Return what the code of each place says, "" for none, and the ids of those whose own link cannot be drawn.

    The link that the ledger states comes first; else the rule: nothing for `ledger`, else a point in the template,
    in `datum`, else in that of its service.
    """
    check_link_rule(qr, datum)
    xy = shapely.get_coordinates(np.asarray(facilities.to_crs("EPSG:4326").geometry.array, dtype=object))
    lon, lat = from_wgs84(xy[:, 0], xy[:, 1], datum or template_datum(qr))
    template = _GEO_TEMPLATE if qr == GEO else "" if qr == LEDGER else qr
    links, out = [], []
    names = texts_in(facilities, "name")
    for k, (own, name) in enumerate(zip(texts_in(facilities, "link"), names, strict=True)):
        is_good = _can_be_drawn(own)
        if own and not is_good:
            out.append(str(facilities.index[k]))
        if own and is_good:
            links.append(own)
        else:
            links.append(_filled(template, (lon[k], lat[k]), name, str(facilities.index[k])))
    return links, out


def _can_be_drawn(text: str) -> bool:
    """Tell whether an office's own text may be a code: short, whole, and nothing that a phone would run."""
    is_masked, is_long = "***" in text, len(text.encode()) > MAX_BYTES
    runs = re.match(r"\s*(?:javascript|data|vbscript|file):", text, re.IGNORECASE) is not None
    return not (is_masked or is_long or runs)


def _filled(template: str, lonlat: Sequence[float], name: str, place_id: str) -> str:
    """Return a template with the values of a place; a name that makes it too long is cut."""
    values = {"lon": f"{lonlat[0]:.{_DIGITS}f}", "lat": f"{lonlat[1]:.{_DIGITS}f}", "id": quote(place_id, safe="")}
    for n in range(len(name), -1, -1):
        values["name"] = quote(name[:n], safe="")
        told = _FIELD.sub(lambda found: values[found[1]], template)
        if len(told.encode()) <= MAX_BYTES:
            return told
    return ""
