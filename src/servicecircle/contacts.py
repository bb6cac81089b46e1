"""Contacts: the nearest stations and shops of depots and zones, with address, hours, services and minutes."""

from __future__ import annotations

import re
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import check_points
from .errors import InputError, Lang
from .headers import fold, without_numbers
from .model import Facilities, Network
from .offers import offers_in, stale_in
from .params import MAX_SNAP_M
from .services import service_name
from .travel_times import id_ranks, travel_times
from .zone_rules import ContactRule
from .zone_texts import texts_in

#: stations and shops farther than this are not listed (minutes)
WITHIN_MIN = 60.0
#: headers of a place's own public number, folded; other contacts are persons'
PUBLIC_CONTACTS = frozenset(
    fold(word)
    for word in (
        "服务热线", "热线", "热线电话", "服务电话", "公开电话", "公共电话", "公示电话", "对外电话", "咨询电话",
        "固定电话", "座机", "驿站电话", "站点电话", "商铺电话", "店铺电话", "商户电话",
        "public_phone", "hotline", "service_phone", "station_phone", "shop_phone", "landline",
    )
)  # fmt: skip
#: a number that is an office's: landline with its area code, 400, 800, a short hotline, a local one; an extension
_OFFICE = re.compile(
    r"(?<![0-9])(?:0[1-9][0-9]{1,2}[- ]?[2-8][0-9]{6,7}|[48]00[- ]?[0-9]{3,4}[- ]?[0-9]{3,4}"
    r"|1[02]\d{1,3}|9[56]\d{3,4}|[2-8][0-9]{6,7})(?:\s*(?:转|[-#]|ext\.?)\s*[0-9]{1,5})?(?![0-9])",
    re.IGNORECASE,
)
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
COLUMNS = (
    "origin_id", "origin", "rank", "kind", "facility_id", "name",
    "address", "hours", "services", "contact", "minutes",
)  # fmt: skip


def contact_table(
    network: Network,
    origins: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    stations: int = 3,
    shops: int = 3,
    lang: Lang = "zh",
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> pd.DataFrame:
    """
    List the nearest stations and shops of each origin: the service contact table.

    Parameters
    ----------
    network
        Streets of one profile.
    origins
        Depots, or the posts of zones: points, any stated CRS, index: id, optional `name`.
    facilities
        Points, any stated CRS, index: id. Columns that are used where they are there: `kind`, `name`, `address`,
        `hours` (else `opening`), `amenities` and what reading makes of it.
    stations, shops
        So many of each, nearest first, up to 50.
    lang
        Language of the services, `"zh"` or `"en"`.
    direction
        `"to"` the station or `"from"` it.
    max_snap_m
        An origin or facility farther than this from every admissible street reaches nothing (metres).

    Returns
    -------
    table
        Rows by origin in its order, stations first, nearest first (ties by id): `origin_id`, `origin` (its name),
        `rank` (from 1, by kind), `kind` (`"station"`, `"shop"`), `facility_id`, `name`, `address`, `hours`,
        `services`, `contact`, `minutes`. What is farther than an hour is not listed; an origin without anything in
        reach has no row. No person gets in: `contact` holds office numbers only (landline, 400, hotline) of columns
        whose header says that they are the place's own (服务电话, 服务热线, hotline ...), and persons' mobile and
        identity numbers in other texts become `***`.

    Raises
    ------
    CRSError
        If a frame states no CRS.
    InputError
        If frames hold something else than points, or a count is not from 0 to 50.
    """
    rule = ContactRule(stations, shops)
    check_points(origins, "origins")
    places = place_table(facilities, lang=lang)
    served_by = Facilities(facilities)
    times = travel_times(
        network,
        origins[["geometry"]],
        served_by,
        cutoff_s=WITHIN_MIN * 60.0,
        direction=direction,
        max_snap_m=max_snap_m,
    ).to_array()
    order = np.argsort(id_ranks(served_by.ids))
    kind = served_by.kind
    rows: list[dict[str, Any]] = []
    for i, (origin_id, name) in enumerate(zip(origins.index, texts_in(origins, "name"), strict=True)):
        for wanted, n in (("station", rule.stations), ("shop", rule.shops)):
            own = [j for j in order[np.argsort(times[i, order], kind="stable")].tolist() if kind[j] == wanted]
            for rank, j in enumerate([j for j in own if np.isfinite(times[i, j])][:n], start=1):
                head = {"origin_id": origin_id, "origin": without_numbers(name), "rank": rank}
                rows.append({**head, **places.iloc[j].to_dict(), "minutes": times[i, j] / 60.0})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def place_table(facilities: gpd.GeoDataFrame, *, lang: Lang = "zh") -> pd.DataFrame:
    """
    Return what a contact table says of each station and shop, in their order, without persons.

    Raises
    ------
    CRSError
        If `facilities` states no CRS.
    InputError
        If it holds something else than points, or `lang` is neither `"zh"` nor `"en"`.
    """
    if lang not in {"zh", "en"}:
        msg = f'`lang` must be "zh" or "en", got {lang!r}.'
        raise InputError(msg, zh=f"lang 应为 zh 或 en，现为 {lang!r}。")
    check_points(facilities, "facilities")
    hours = [
        own or parsed for own, parsed in zip(*(texts_in(facilities, c) for c in ("hours", "opening")), strict=True)
    ]
    columns = {
        "name": texts_in(facilities, "name"),
        "address": texts_in(facilities, "address"),
        "hours": hours,
        "services": _services(facilities, lang),
    }
    texts = {name: [without_numbers(text) for text in column] for name, column in columns.items()}
    return pd.DataFrame(
        {
            "kind": Facilities(facilities).kind,
            "facility_id": facilities.index.to_numpy(dtype=object),
            **texts,
            "contact": _contacts(facilities),
        }
    )


def _services(facilities: gpd.GeoDataFrame, lang: Lang) -> list[str]:
    """Return what each place offers, in words; what is broken, or was not checked in time, says so."""
    between, broken_word = ("、", "（损坏）") if lang == "zh" else (", ", " (broken)")
    stale_word = "（久未检查）" if lang == "zh" else " (not checked for long)"
    all_stale = "（均久未检查）" if lang == "zh" else " (none checked for long)"
    told = []
    written = texts_in(facilities, "amenities")
    every = zip(offers_in(facilities), stale_in(facilities), written, strict=True)
    for (working, broken, _), stale, text in every:
        there = sorted(working | stale)
        of_all = len(stale) > 1 and set(there) == set(stale)  # once for a place, not behind every word
        marks = [stale_word if code in stale and not of_all else "" for code in there]
        words = [f"{service_name(code, lang)}{mark}" for code, mark in zip(there, marks, strict=True)]
        words = [between.join(words) + all_stale] if of_all else words
        words += [f"{service_name(code, lang)}{broken_word}" for code in sorted(broken)]
        told.append(between.join(words) or text)
    return told


def _contacts(facilities: gpd.GeoDataFrame) -> list[str]:
    """Return the office numbers of each place's public columns, nothing else of their cells."""
    columns = [texts_in(facilities, str(c)) for c in facilities.columns if fold(str(c)) in PUBLIC_CONTACTS]
    return (
        [
            ", ".join(dict.fromkeys(number for cell in cells for number in office_numbers(cell)))
            for cells in zip(*columns, strict=True)
        ]
        if columns
        else [""] * len(facilities)
    )


def office_numbers(text: str) -> list[str]:
    """
    Return the numbers in a text that are an office's, no person's: landlines, 400 and 800, hotlines.

    Examples
    --------
    >>> office_numbers("0352-5551234转8 王五 13800138000"), office_numbers("12345；400-800-1234")
    (['0352-5551234转8'], ['12345', '400-800-1234'])
    """
    plain = without_numbers(text.translate(_HALF_WIDTH))
    return [found.group() for found in _OFFICE.finditer(plain)]
