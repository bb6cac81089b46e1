"""The zones of a city as towns: a name that every disk takes, and the task of each as its piece is cut."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np

from ..disk_names import is_device
from .choices import choice_of
from .city import City, cut_pieces, nearest_zone
from .joint import Whole
from .pieces import write_piece

#: what no name of a folder may hold on some system
_UNFIT = re.compile(r'[\x00-\x1f\\/:*?"<>|]')
#: the town of the cells that lie in no zone; no zone has the name, since its sign is unfit
OTHERS = "~"
_LONGEST = 60


def town_names(zones: Sequence[str | None]) -> tuple[str, ...]:
    """
    Return a name of a folder for each zone: its id where every disk takes that, else a part of it with a digest.

    Examples
    --------
    >>> town_names(["440101", "a/b", None])
    ('440101', 'a_b~82badf67', '~')
    """
    alike = Counter(_folded(zone) for zone in zones if zone is not None)
    return tuple(OTHERS if zone is None else _name(zone, is_alone=alike[_folded(zone)] == 1) for zone in zones)


def _folded(zone: str) -> str:
    """Return what some disks take a name for: A is a, and a letter with its mark is one sign."""
    return unicodedata.normalize("NFC", zone.casefold())


def _name(zone: str, *, is_alone: bool) -> str:
    plain = _UNFIT.sub("_", zone)[:_LONGEST].strip(" .~")
    if plain == zone and is_alone and not is_device(plain):
        return plain
    digest = hashlib.blake2b(zone.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    return f"{'_' if is_device(plain) else ''}{plain}~{digest}"


def written_pieces(city: City, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each town with the folder of its piece, as it is cut and written."""
    for name, piece in zip(town_names(city.zones), cut_pieces(city), strict=True):
        yield name, write_piece(piece, folder / name)


def choice_of_city(city: City, kinds: tuple[bool, bool]) -> Whole:
    """
    Return what a joint plan may open in a city, and of which town each demand point and each candidate is.

    Raises
    ------
    InputError
        As `choice_of`.
    """
    choice = choice_of(city.study, city.ground, kinds)
    names = np.array(town_names(city.zones), dtype=object)
    town = {zone: name for zone, name in zip(city.zones, names, strict=True) if zone is not None}
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*choice.lonlat.T), crs="EPSG:4326")
    owner = nearest_zone(points, city.study.zones, city.ground.roads.network)
    of_candidate = np.array([town.get(zone, zone) for zone in owner], dtype=object)
    return Whole(choice, names[city.zone_of_cell[1][choice.row]], of_candidate)
