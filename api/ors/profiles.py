"""Which of openrouteservice's profiles are answered, and by which of the package's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROFILES: Mapping[str, str] = MappingProxyType(
    {
        "foot-walking": "walk",
        "foot-hiking": "walk",
        "cycling-regular": "ebike",
        "cycling-electric": "ebike",
        "driving-car": "drive",
    }
)
#: metres in a unit of length
METRES: Mapping[str, float] = MappingProxyType({"m": 1.0, "km": 1000.0, "mi": 1609.344})
