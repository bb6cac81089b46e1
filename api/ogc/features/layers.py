"""Layers: the features of each collection, ready to be asked for by place, time and property."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from servicecircle.writers import Feature, Properties, json_text

from ...kept import Kept
from ...plans import During, Plans, question_of
from ...store import Store
from .collections import COLLECTIONS, Collection
from .reported import reported_features

#: west, south, east, north; degrees
Box = tuple[float, float, float, float]
#: begin and end of a span of time, None: open
Span = tuple[dt.datetime | None, dt.datetime | None]


class Wanted(NamedTuple):
    """Which features are asked for; what is empty asks for nothing."""

    boxes: tuple[Box, ...] = ()  # in one of them
    span: Span | None = None
    values: tuple[tuple[str, str | float], ...] = ()  # property and value, each of them


class Layer:
    """
    The features of a collection, in the order in which they are listed.

    Parameters
    ----------
    collection
        What it is.
    features
        As the written files have them, in WGS 84.
    """

    def __init__(self, collection: Collection, features: Sequence[Feature]) -> None:
        self.collection = collection
        self.ids = _apart([collection.key(feature) for feature in features])
        self.features: list[Feature] = [
            {"type": "Feature", "id": own, "geometry": one["geometry"], "properties": properties}
            for own, one, properties in zip(self.ids, features, _of_one_type(features), strict=True)
        ]
        self._at = {own: i for i, own in enumerate(self.ids)}
        shapes: list[Any] = [
            None if one["geometry"] is None else shapely.geometry.shape(one["geometry"]) for one in features
        ]
        self._tree = shapely.STRtree(shapes)
        bounds = np.array([shape.bounds for shape in shapes if shape is not None]).reshape(-1, 4)
        self.bounds: Box | None = None
        if len(bounds):
            (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
            self.bounds = (float(west), float(south), float(east), float(north))

    def __len__(self) -> int:
        """Return how many features there are."""
        return len(self.ids)

    @cached_property
    def texts(self) -> list[str]:
        """The features as JSON."""
        return [json_text(feature) for feature in self.features]

    @cached_property
    def spans(self) -> list[Span]:
        """From when until when each feature holds; without end where it says nothing."""
        return [
            (_moment(feature["properties"].get("from")), _moment(feature["properties"].get("until")))
            for feature in self.features
        ]

    def position(self, feature_id: str) -> int | None:
        """Return where a feature stands; None if there is none of this id."""
        return self._at.get(feature_id)

    def find(self, wanted: Wanted) -> npt.NDArray[np.int64]:
        """Return the positions of what is asked for, in order."""
        is_wanted = np.ones(len(self), dtype=bool)
        if wanted.boxes:
            found = self._tree.query([_area(box) for box in wanted.boxes], predicate="intersects")[1]
            is_wanted = np.zeros(len(self), dtype=bool)
            is_wanted[found] = True
        if wanted.span is not None and self.collection.is_timed:
            is_wanted &= np.array([_meets(own, wanted.span) for own in self.spans], dtype=bool)
        for name, value in wanted.values:
            is_wanted &= np.array([one["properties"].get(name) == value for one in self.features], dtype=bool)
        return np.flatnonzero(is_wanted)

    @property
    def interval(self) -> tuple[str | None, str | None] | None:
        """From when until when anything holds; None where it is not a matter of time, or nothing is there."""
        if not self.collection.is_timed or not len(self):
            return None
        begins, ends = [begin for begin, _ in self.spans], [end for _, end in self.spans]
        first = None if None in begins else min(one for one in begins if one is not None)
        last = None if None in ends else max(one for one in ends if one is not None)
        return _utc(first), _utc(last)


class Layers:
    """
    The layers of the study's own plan, each made when it is first asked for.

    That of the closures is made again when reports have come or gone.

    Parameters
    ----------
    plans
        Those of the study.
    store
        How to get at the store; it gives None until the server runs.
    """

    def __init__(self, plans: Plans, store: Callable[[], Store | None]) -> None:
        self._plans = plans
        self._store = store
        self._made = Kept[tuple[str, During, int], Layer](self._make, most=2 * len(COLLECTIONS))

    def __call__(self, name: str) -> Layer:
        """Return the layer of a collection; all but the closures are those of the roads of this moment."""
        own = question_of(self._plans.study)
        if name != "closures":
            return self._made((name, self._plans.during(own), -1))
        store = self._store()  # what holds and what does not: each says when
        return self._made((name, During(own), -1 if store is None else store.closures_version()))

    def _make(self, key: tuple[str, During, int]) -> Layer:
        name, during, version = key
        plan = self._plans.plan_of(during)
        features = COLLECTIONS[name].features(plan)
        store = self._store() if version >= 0 else None
        if store is not None:
            features = [*features, *reported_features(plan, store.closures())]
        return Layer(COLLECTIONS[name], features)


# ------------------------------------------------------------------------------------------------------ helpers
def _apart(ids: list[str]) -> list[str]:
    """Return ids that are all different: what comes again has `~2`, `~3` ... behind it."""
    taken: dict[str, None] = {}
    count: dict[str, int] = {}
    for own in ids:
        told, n = own, count.get(own, 1)
        while told in taken:
            n += 1
            told = f"{own}~{n}"
        count[own] = n
        taken[told] = None
    return list(taken)


def _of_one_type(features: Sequence[Feature]) -> list[Properties]:
    """
    Return the properties, whole numbers as `0.0` where others of the same property have decimals.

    GDAL takes the type of a property from the first features that it sees: what begins with `0` is whole to it, and
    it would cut the decimals of those that follow.
    """
    rows = [feature["properties"] for feature in features]
    with_decimals = {name for row in rows for name, value in row.items() if isinstance(value, float)}
    return [
        {
            name: float(value) if name in with_decimals and value is not None else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _area(box: Box) -> Any:  # noqa: ANN401
    """Return a box as a shape; one without width or height is a line or a point."""
    west, south, east, north = box
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _utc(moment: dt.datetime | None) -> str | None:
    """Return a moment as OGC writes it."""
    return None if moment is None else moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _meets(own: Span, asked: Span) -> bool:
    """Whether two spans of time have a moment in common; the end of what holds is open again."""
    (begin, end), (first, last) = own, asked
    return (begin is None or last is None or begin <= last) and (end is None or first is None or first < end)
