"""Parameters: travel profiles and rules, frozen and checked at birth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from .errors import InputError

Direction = Literal["to", "from"]
Roads = Literal["walk", "ebike", "drive"]

#: "not reached" where times are whole milliseconds in 32 bits
INF_MS = 2**31 - 1
#: time that a street takes in a closed direction where areas are drawn: no place but its very beginning is reached
CLOSED_MS = 1e20
#: legs between a point and its street, and pushing an e-bike (km/h); 1.0 m/s
ACCESS_KPH = 3.6
#: a point farther than this from every admissible street is off the network (metres)
MAX_SNAP_M = 200.0
#: connected parts with less street than this are fragments: not snapped to, not reached (metres)
MIN_PART_M = 1000.0
#: a partner shop's own circle (minutes)
SHOP_MINUTES = 5.0
#: minutes from coming to a restaurant until the order is out, where the study does not say
WAIT_MIN = 10.0


def _no_cutoffs() -> Mapping[float, float]:
    return MappingProxyType({})


@dataclass(frozen=True)
class TravelProfile:
    """How people travel: which roads, how fast, and what a number of minutes means in seconds."""

    name: str
    roads: Roads  # the rules of `impedance.py` that decide on ways and directions
    speed_kph: float | None  # None: from `maxspeed`, else by class of road
    push_kph: float = ACCESS_KPH  # e-bike pushed on footways
    access_kph: float = ACCESS_KPH  # straight legs between a point and its street
    cutoffs_s: Mapping[float, float] = field(default_factory=_no_cutoffs)  # minutes -> seconds, if fixed

    def __post_init__(self) -> None:
        for name in ("speed_kph", "push_kph", "access_kph"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                msg = f"`{name}` must be above 0, got {value}."
                raise InputError(msg)

    def cutoff_s(self, minutes: float) -> float:
        """
        Return the cutoff in seconds that `minutes` stands for: 60 a minute, or the standard's own.

        Raises
        ------
        InputError
            If the profile is a standard that does not define these minutes.
        """
        if not self.cutoffs_s:
            return 60.0 * minutes
        if minutes not in self.cutoffs_s:
            allowed = ", ".join(f"{m:g}" for m in self.cutoffs_s)
            msg = f"`minutes` {minutes:g} is not defined by `{self.name}`; it knows {allowed}."
            raise InputError(msg, zh=f"{self.name} 标准没有 {minutes:g} 分钟，只有 {allowed} 分钟。")
        return self.cutoffs_s[minutes]

    def own_cutoff_s(self, minutes: float) -> float:
        """Return the cutoff of a facility's own limit: as `cutoff_s` where that is defined, else 60 s a minute."""
        return self.cutoffs_s.get(minutes, 60.0 * minutes)


#: The profiles that ship; `docs/concepts/travel-time.md` has the source of each number.
PROFILES: Mapping[str, TravelProfile] = MappingProxyType(
    {
        "walk": TravelProfile("walk", "walk", 3.6),
        "ebike": TravelProfile("ebike", "ebike", 15.0),
        "drive": TravelProfile("drive", "drive", None),
        "gb50180": TravelProfile(
            "gb50180",
            "walk",
            3.6,
            cutoffs_s=MappingProxyType({5.0: 300.0, 10.0: 500.0, 15.0: 1000.0}),
        ),
    }
)


#: where candidates come from, the surest first: of two that are one place the former stays
CANDIDATE_SOURCES = ("study", "places", "gates", "corners", "grid")


@dataclass(frozen=True)
class SiteRule:
    """What a published rule asks of a station's place, and of a network of stations; 0 and False ask nothing."""

    name: str
    source: str  # who published it, and where
    ground_floor: bool = False
    street_facing: bool = False
    min_area_m2: float = 0.0  # closed: exactly this is enough
    neighbour_m: float = 0.0  # every station should have another one as near as this, straight; closed
    dense_neighbour_m: float = 0.0  # the same where people are dense

    def __post_init__(self) -> None:
        for name in ("min_area_m2", "neighbour_m", "dense_neighbour_m"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                msg = f"`{name}` must be >= 0, got {value}."
                raise InputError(msg)
        if self.dense_neighbour_m > self.neighbour_m:
            msg = "`dense_neighbour_m` {} must not be above `neighbour_m` {}."
            msg = msg.format(self.dense_neighbour_m, self.neighbour_m)
            raise InputError(msg)


#: The rules that ship; `docs/concepts/suggestion.md` says how each was read.
SITE_RULES: Mapping[str, SiteRule] = MappingProxyType(
    {
        "none": SiteRule("none", ""),
        "shandong": SiteRule(
            "shandong",
            "Shandong Federation of Trade Unions, as reported on 2022-08-12 "
            "(山东：为户外劳动者提供更方便更暖心服务，中国西藏网)",
            ground_floor=True,
            street_facing=True,
            min_area_m2=12.0,
            neighbour_m=1000.0,
            dense_neighbour_m=500.0,
        ),
    }
)


def travel_profile(profile: str | TravelProfile) -> TravelProfile:
    """
    Return a profile by its name; a `TravelProfile` is returned as it is.

    Raises
    ------
    InputError
        If no profile has that name.

    Examples
    --------
    >>> travel_profile("walk").speed_kph
    3.6
    """
    if isinstance(profile, TravelProfile):
        return profile
    if profile not in PROFILES:
        msg = f"`profile` must be one of {', '.join(PROFILES)}; got {profile!r}."
        raise InputError(msg, zh=f"出行方式只能是 {'、'.join(PROFILES)}，现为“{profile}”。")
    return PROFILES[profile]


def check_direction(direction: str) -> Direction:
    """
    Return `direction` if it is `"to"` (towards the facility) or `"from"`.

    Raises
    ------
    InputError
        Otherwise.
    """
    if direction == "to":
        return "to"
    if direction == "from":
        return "from"
    msg = f"`direction` must be 'to' or 'from', got {direction!r}."
    raise InputError(msg, zh=f"方向只能是 to（骑手到驿站）或 from（驿站到骑手），现为“{direction}”。")
