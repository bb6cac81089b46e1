"""Online base maps that a study may ask for: which host, which datum, whose; the page asks no other host."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..datum import Datum
from ..errors import InputError
from ..map_rules import BaseMap
from .words import Words

#: where the key of Tianditu stands; never in a file of the study, never shown
TIANDITU_KEY = "SERVICECIRCLE_TIANDITU_KEY"
_KEY = re.compile("[0-9A-Za-z]{16,64}")
_WMTS = (
    "https://t0.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}"
    "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={{key}}"
)


@dataclass(frozen=True)
class OnlineBase:
    """An online base map: tiles of its layers, bottom first, and the datum of their pixels."""

    host: str
    urls: tuple[str, ...]
    most: int  # largest zoom that has tiles
    datum: Datum = "wgs84"
    needs_key: bool = False


ONLINE_BASES: Mapping[BaseMap, OnlineBase] = MappingProxyType(
    {
        "osm": OnlineBase(
            "https://tile.openstreetmap.org", ("https://tile.openstreetmap.org/{z}/{x}/{y}.png",), 19
        ),
        "tianditu": OnlineBase(
            "https://t0.tianditu.gov.cn",
            tuple(_WMTS.format(layer=layer) for layer in ("vec", "cva")),
            18,
            needs_key=True,
        ),
        "gaode": OnlineBase(
            "https://webrd01.is.autonavi.com",
            ("https://webrd01.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=8&x={x}&y={y}&z={z}",),
            18,
            datum="gcj02",
        ),
    }
)


def base_datum(base: BaseMap | None) -> Datum:
    """Return the datum that a page with this base is drawn in."""
    return "wgs84" if base is None else ONLINE_BASES[base].datum


def tile_urls(base: BaseMap) -> list[str]:
    """
    Return the addresses of a base map's tiles, with the key where it needs one.

    Raises
    ------
    InputError
        If the key is not in the environment, or cannot be one; it is never shown.
    """
    online = ONLINE_BASES[base]
    if not online.needs_key:
        return list(online.urls)
    key = os.environ.get(TIANDITU_KEY, "").strip()
    if not _KEY.fullmatch(key):
        state = ("is not a key", "不像密钥") if key else ("is not set", "未设置")
        msg = f"the base map `tianditu` needs a key of your own, and {TIANDITU_KEY} {state[0]} in the environment."
        zh = f"天地图底图需要自己的密钥，而环境变量 {TIANDITU_KEY} {state[1]}。"
        raise InputError(msg, zh=zh)
    return [url.replace("{key}", key) for url in online.urls]


def offered_base(base: BaseMap, words: Words) -> dict[str, Any]:
    """
    Return what a page needs to offer a base map: its tiles, and what it says of it.

    Raises
    ------
    InputError
        As `tile_urls`.
    """
    name = words(f"base.{base}")
    return {
        "name": name,
        "urls": tile_urls(base),
        "most": ONLINE_BASES[base].most,
        "note": words("layer.base.note", name=name),
        "credit": words(f"base.{base}.credit"),
    }
