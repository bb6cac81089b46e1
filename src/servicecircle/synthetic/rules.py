"""What a made-up town is like: size, water, districts and the counts of its ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import InputError
from .words import SOUTH, Words

Side = Literal["east", "west", "north", "south"]
Style = Literal["core", "old", "compound", "village", "industrial", "new"]


@dataclass(frozen=True)
class District:
    """
    A part of the town with its own kind of streets and buildings.

    `x` and `y` are shares of the half width and half height from the middle (east and north are positive),
    `radius_m` is how far it reaches.
    """

    style: Style
    x: float
    y: float
    radius_m: float


@dataclass(frozen=True)
class Gap:
    """A place where the programme has no facility yet; `x`, `y` as in `District`."""

    x: float
    y: float
    radius_m: float


@dataclass(frozen=True)
class TownRule:
    """Size, ground and counts of a made-up town. The defaults are those of `data/nanqu`."""

    width_m: float = 3500.0
    height_m: float = 3000.0
    lon: float = 113.36  # middle of the town, WGS 84
    lat: float = 22.48
    crs: str = "EPSG:32649"
    has_river: bool = True
    river_side: Side = "east"  # where it runs, seen from the middle
    river_x: float = 0.42  # how far out, share of the half width
    river_name: str = "南河"
    bank_names: tuple[str, str] = ("滨河西路", "滨河东路")  # of the roads along it, the town's side first
    river_width_m: float = 68.0
    n_bridges: int = 2
    n_across: int = 5  # main roads from west to east
    n_along: int = 4  # main roads from south to north, west of a river
    lean: float = 1.0  # how much main roads bend together, 0: not
    coarseness: float = 1.0  # size of the blocks, against those of `data/nanqu`
    has_hills: bool = False  # steep ground where the town ends on the side away from the river
    first_streets: tuple[str, ...] = ()  # names of the longest main roads, without their ending
    words: Words = SOUTH
    districts: tuple[District, ...] = (
        District("old", 0.10, 0.02, 440.0),
        District("core", -0.22, 0.05, 330.0),
        District("industrial", -0.78, -0.62, 720.0),
        District("village", -0.80, 0.52, 330.0),
        District("village", 0.18, -0.80, 300.0),
        District("new", 0.80, -0.62, 700.0),
        District("new", 0.08, 0.90, 520.0),
    )
    gaps: tuple[Gap, ...] = (
        Gap(0.80, -0.60, 1000.0),
        Gap(-0.85, -0.66, 1000.0),
        Gap(0.05, 0.97, 780.0),
    )
    n_schools: int = 7
    n_parks: int = 4
    n_stations: int = 25
    n_shops: int = 68
    n_candidates: int = 52
    n_zones: int = 7
    n_places: int = 230  # shops and restaurants in the road file
    depots_apart_m: float = 620.0
    riders: tuple[int, ...] = (41, 36, 30, 28, 25, 22, 18, 14)  # of each depot

    def __post_init__(self) -> None:
        for name in ("width_m", "height_m", "river_width_m"):
            if not getattr(self, name) > 0:
                msg = f"`{name}` must be above 0, got {getattr(self, name)}."
                raise InputError(msg)
        if self.n_shops > self.n_places:
            msg = f"`n_shops` ({self.n_shops}) cannot exceed `n_places` ({self.n_places})."
            raise InputError(msg)
