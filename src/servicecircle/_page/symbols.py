"""Shapes of the map's symbols, as paths of SVG: drawn here, no font, no emblem."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: symbol -> its path, in a box as wide as `BOXES` says
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "station": "M12 5.6 5.8 11h1.7v6h3.3v-3.8h2.4V17h3.3v-6h1.7z",
        "shop": "M8 11.9 4.6 8.6a2.1 2.1 0 0 1 0-3 2.1 2.1 0 0 1 3 0"
        "l.4.4.4-.4a2.1 2.1 0 0 1 3 0 2.1 2.1 0 0 1 0 3z",
        "depot": "M4.6 6.4 9 4.2l4.4 2.2v5.2L9 13.8l-4.4-2.2zM4.6 6.4 9 8.6l4.4-2.2M9 8.6v5.2",
        "suggestion": "M15 36.2C13.6 33.4 2 24 2 14.4a13 13 0 0 1 26 0C28 24 16.4 33.4 15 36.2z",
    }
)
BOXES: Mapping[str, float] = MappingProxyType({"station": 24, "shop": 16, "depot": 18, "suggestion": 30})
#: where the tip of a suggestion's pin stands in its box
PIN_TIP = (15.0, 36.0)
