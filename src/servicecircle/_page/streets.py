"""Streets of the page: which are drawn, in which class, and where their names may stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely

from .._validate import FloatArray, GeometryArray, StrArray
from ..model import Network
from .geometry import Box, Screen, in_box

#: value of `highway` -> class that is drawn; what is not here is drawn as residential
CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "motorway": "motorway",
        "trunk": "motorway",
        "primary": "primary",
        "secondary": "secondary",
        "tertiary": "tertiary",
        "motorway_link": "link",
        "trunk_link": "link",
        "primary_link": "link",
        "secondary_link": "link",
        "tertiary_link": "link",
        "pedestrian": "pedestrian",
        "service": "service",
        "track": "service",
        "footway": "footway",
        "path": "footway",
        "steps": "footway",
        "cycleway": "footway",
        "bridleway": "footway",
        "corridor": "footway",
    }
)
#: small classes first: the order in which they are drawn, and in which a full base map gives them up
ORDER = ("footway", "service", "pedestrian", "residential", "link", "tertiary", "secondary", "primary", "motorway")
#: width of a street's fill on paper, in points at the scale of the look, and what its casing is wider
PRINT_PT: Mapping[str, float] = MappingProxyType(
    {
        "motorway": 2.6,
        "primary": 2.5,
        "secondary": 1.95,
        "tertiary": 1.5,
        "link": 1.0,
        "residential": 0.95,
        "pedestrian": 0.8,
        "service": 0.6,
        "footway": 0.4,
    }
)
CASING_PT = 0.55
#: width of the fill in px at zoom `WIDTHS_FROM`, the next, ...; straight between, held outside
WIDTHS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "motorway": (2.6, 3.6, 5.2, 7.4, 10, 14),
        "primary": (2.2, 3.2, 4.8, 7, 10, 14),
        "secondary": (1.6, 2.4, 3.9, 5.8, 8.5, 12),
        "tertiary": (1.1, 1.8, 3.1, 4.8, 7.4, 10.5),
        "link": (0.8, 1.2, 2.2, 3.4, 5.2, 7.5),
        "residential": (0.5, 0.9, 1.9, 3.4, 5.6, 8.5),
        "pedestrian": (0.5, 0.8, 1.5, 2.6, 4, 6),
        "service": (0.4, 0.6, 1.2, 2.2, 3.6, 5.5),
        "footway": (0.3, 0.5, 0.9, 1.2, 1.6, 2.2),
    }
)
WIDTHS_FROM = 13
#: rank of a class among labels: main streets first; the others are never labelled
LABEL_RANK: Mapping[str, int] = MappingProxyType(
    {"motorway": 0, "primary": 1, "secondary": 2, "tertiary": 3, "residential": 4, "pedestrian": 5, "service": 6}
)
#: vertices that a browser still draws fluently; above, small classes are left out
MAX_VERTICES = 150_000
#: display only, and only where there are too many vertices
THINNING_M = 2.0
#: a name is worth a label on a piece at least this long
LEAST_NAMED_M = 60.0
MAX_LABELS = 9_000
CHORD_M = 90.0
PLACES = (0.5, 0.2, 0.8)


@dataclass(frozen=True)
class DrawnStreets:
    """Streets by class, ready to draw, and what had to be left out."""

    data: dict[str, Any]
    left_out: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SeenStreets:
    """Streets of a box, in metres: by class as they are drawn, and each with its class and name."""

    by_class: dict[str, GeometryArray]
    left_out: tuple[str, ...]
    lines: GeometryArray
    kind: StrArray
    name: StrArray


@dataclass(frozen=True, eq=False)
class NamePlaces:
    """Places where a street's name may stand, in metres; an entry a place."""

    text: str
    rank: int
    at: FloatArray  # (n, 2)
    start: FloatArray  # (n, 2) of a chord along the street
    end: FloatArray
    length_m: FloatArray  # of the piece of street

    def first(self) -> NamePlaces:
        """Return the first place alone."""
        return NamePlaces(self.text, self.rank, self.at[:1], self.start[:1], self.end[:1], self.length_m[:1])


def street_width(kind: str, zoom: float) -> float:
    """Return how wide (px) a class is drawn at a zoom."""
    widths = WIDTHS[kind]
    return float(np.interp(zoom - WIDTHS_FROM, np.arange(len(widths)), widths))


def seen_streets(network: Network, box: Box) -> SeenStreets:
    """Return the streets that meet a box; where there are too many, without the smallest classes."""
    lines = np.asarray(shapely.force_2d(network.geometry[network.street_first]), dtype=object)
    seen = in_box(lines, box)
    lines = lines[seen]
    kind = np.array([CLASSES.get(value, "residential") for value in network.street_class[seen]], dtype=object)
    name = np.array([str(value or "").strip() for value in network.street_name[seen]], dtype=object)
    by_class = {c: _merged(lines[kind == c]) for c in ORDER if (kind == c).any()}
    by_class, left_out = _within_budget(by_class)
    return SeenStreets(by_class, left_out, lines, kind, name)


def drawn_streets(network: Network, screen: Screen) -> DrawnStreets:
    """Return the streets in the screen's box by class, with the places where names may stand."""
    seen = seen_streets(network, screen.box)
    labels, names = _labels(seen, screen)
    data = {
        "classes": {c: screen.lines(merged) for c, merged in seen.by_class.items()},
        "widths": dict(WIDTHS),
        "widths_from": WIDTHS_FROM,
        "vertices": sum(_n_vertices(merged) for merged in seen.by_class.values()),
        "names": names,
        "labels": labels,
    }
    return DrawnStreets(data, seen.left_out)


def _merged(lines: GeometryArray) -> GeometryArray:
    """Return lines joined where two meet end to end: the same picture with fewer ends."""
    pieces = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(list(lines))))
    return _in_order(pieces)


def _in_order(pieces: GeometryArray) -> GeometryArray:
    """Return pieces in an order that does not hang on the order of the input."""
    bounds = shapely.bounds(pieces)
    return pieces[np.lexsort((shapely.length(pieces), *bounds.T))]


def _n_vertices(lines: GeometryArray) -> int:
    return int(shapely.get_num_coordinates(lines).sum())


def _within_budget(by_class: dict[str, GeometryArray]) -> tuple[dict[str, GeometryArray], tuple[str, ...]]:
    """Return the classes that fit `MAX_VERTICES`: first with fewer bends, then without the smallest classes."""
    if sum(map(_n_vertices, by_class.values())) <= MAX_VERTICES:
        return by_class, ()
    kept = {c: np.asarray(shapely.simplify(lines, THINNING_M), dtype=object) for c, lines in by_class.items()}
    left_out: list[str] = []
    for c in ORDER:
        if len(kept) < 2 or sum(map(_n_vertices, kept.values())) <= MAX_VERTICES:  # noqa: PLR2004
            break
        if kept.pop(c, None) is not None:
            left_out.append(c)
    return kept, tuple(left_out)


def name_places(streets: SeenStreets) -> list[NamePlaces]:
    """Return the places where names may stand, by name and class; a short street keeps one."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for s in np.flatnonzero(streets.name != ""):
        if streets.kind[s] in LABEL_RANK and streets.kind[s] in streets.by_class:
            groups[streets.name[s], streets.kind[s]].append(int(s))
    out, named = [], set()
    for (text, c), members in sorted(groups.items()):
        pieces = _merged(streets.lines[members])
        pieces = pieces[shapely.length(pieces) >= LEAST_NAMED_M]
        if len(pieces):
            out.append(_places(pieces, text, LABEL_RANK[c]))
            named.add(text)
    for text in sorted({text for text, _ in groups} - named):  # short streets can still be found
        members = [s for (other, _), group in sorted(groups.items()) if other == text for s in group]
        longest = max(streets.lines[members], key=lambda line: float(line.length))
        out.append(_places(np.array([longest], dtype=object), text, max(LABEL_RANK.values())).first())
    return out


def _labels(streets: SeenStreets, screen: Screen) -> tuple[list[list[float]], list[str]]:
    """Return `[name, lat, lon, angle, rank, metres]` of each place where a name may stand, and the names."""
    places = name_places(streets)
    names = sorted({place.text for place in places})
    position = {text: i for i, text in enumerate(names)}
    rows: list[list[float]] = []
    for place in places:
        text, rank = position[place.text], place.rank
        angle = _angle(screen.degrees(place.start), screen.degrees(place.end))
        rows += [
            [text, round(float(lat), 5), round(float(lon), 5), round(float(a)), rank, round(m)]
            for (lon, lat), a, m in zip(screen.degrees(place.at), angle, place.length_m.tolist(), strict=True)
        ]
    rows.sort(key=lambda row: (row[4], -row[5], row[0], row[1], row[2]))
    return rows[:MAX_LABELS], names


def _places(pieces: GeometryArray, text: str, rank: int) -> NamePlaces:
    """Return the middle and both fifths of each piece, all middles first."""
    length = shapely.length(pieces)
    at = [place * length for place in PLACES]

    def along(metres: list[FloatArray]) -> FloatArray:
        points = [shapely.line_interpolate_point(pieces, m) for m in metres]
        return np.asarray(shapely.get_coordinates(np.concatenate(points)), dtype=np.float64)

    return NamePlaces(
        text,
        rank,
        along(at),
        along([np.maximum(m - CHORD_M / 2, 0.0) for m in at]),
        along([np.minimum(m + CHORD_M / 2, length) for m in at]),
        np.tile(length, len(PLACES)),
    )


def _angle(start: FloatArray, end: FloatArray) -> FloatArray:
    """Return the direction on a Mercator screen, degrees against the clock from east."""
    step = end - start
    return np.asarray(
        np.degrees(np.arctan2(step[:, 1], step[:, 0] * np.cos(np.radians(start[:, 1])))), dtype=np.float64
    )
