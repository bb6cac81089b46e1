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
from .geometry import Screen, in_box

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


def drawn_streets(network: Network, screen: Screen) -> DrawnStreets:
    """Return the streets in the screen's box by class, with the places where names may stand."""
    lines = np.asarray(shapely.force_2d(network.geometry[network.street_first]), dtype=object)
    seen = in_box(lines, screen.box)
    lines = lines[seen]
    kind = np.array([CLASSES.get(value, "residential") for value in network.street_class[seen]], dtype=object)
    name = np.array([str(value or "").strip() for value in network.street_name[seen]], dtype=object)
    by_class = {c: _merged(lines[kind == c]) for c in ORDER if (kind == c).any()}
    by_class, left_out = _within_budget(by_class)
    labels, names = _labels(lines, kind, name, screen, set(by_class))
    data = {
        "classes": {c: screen.lines(merged) for c, merged in by_class.items()},
        "vertices": sum(_n_vertices(merged) for merged in by_class.values()),
        "names": names,
        "labels": labels,
    }
    return DrawnStreets(data, left_out)


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


def _labels(
    lines: GeometryArray, kind: StrArray, name: StrArray, screen: Screen, drawn: set[str]
) -> tuple[list[list[float]], list[str]]:
    """Return `[name, lat, lon, angle, rank, metres]` of each place where a name may stand, and the names."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for s in np.flatnonzero(name != ""):
        if kind[s] in LABEL_RANK and kind[s] in drawn:
            groups[name[s], kind[s]].append(int(s))
    names = sorted({text for text, _ in groups})
    position = {text: i for i, text in enumerate(names)}
    rows: list[list[float]] = []
    for (text, c), members in sorted(groups.items()):
        pieces = _merged(lines[members])
        rows += _places(pieces[shapely.length(pieces) >= LEAST_NAMED_M], position[text], LABEL_RANK[c], screen)
    for text in set(names) - {names[int(row[0])] for row in rows}:  # short streets can still be found
        members = [s for (other, _), group in sorted(groups.items()) if other == text for s in group]
        longest = max(lines[members], key=lambda line: float(line.length))
        rows += _places(np.array([longest], dtype=object), position[text], max(LABEL_RANK.values()), screen)[:1]
    rows.sort(key=lambda row: (row[4], -row[5], row[0], row[1], row[2]))
    return rows[:MAX_LABELS], names


def _places(pieces: GeometryArray, text: int, rank: int, screen: Screen) -> list[list[float]]:
    """Return a row for the middle and both fifths of each piece."""
    if not len(pieces):
        return []
    length = shapely.length(pieces)
    rows: list[list[float]] = []
    for place in PLACES:
        at = place * length
        middle = _degrees_at(pieces, at, screen)
        angle = _angle(
            _degrees_at(pieces, np.maximum(at - CHORD_M / 2, 0.0), screen),
            _degrees_at(pieces, np.minimum(at + CHORD_M / 2, length), screen),
        )
        rows += [
            [text, round(float(lat), 5), round(float(lon), 5), round(float(a)), rank, round(float(m))]
            for (lon, lat), a, m in zip(middle, angle, length, strict=True)
        ]
    return rows


def _degrees_at(pieces: GeometryArray, metres: FloatArray, screen: Screen) -> FloatArray:
    return screen.degrees(shapely.get_coordinates(shapely.line_interpolate_point(pieces, metres)))


def _angle(start: FloatArray, end: FloatArray) -> FloatArray:
    """Return the direction on a Mercator screen, degrees against the clock from east."""
    step = end - start
    return np.asarray(
        np.degrees(np.arctan2(step[:, 1], step[:, 0] * np.cos(np.radians(start[:, 1])))), dtype=np.float64
    )
