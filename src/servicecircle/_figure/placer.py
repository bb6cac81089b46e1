"""Where labels stand: greedy, the first that fits; what does not fit is left out, never shrunk."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import shapely

from .._validate import FloatArray

Corners = FloatArray  # (4, 2) millimetres
#: kept free between labels, and between a label and the frame
PAD_MM = 0.5
KEEP_IN_MM = 1.6
#: steps of the spiral on which a tag looks for its place
STEP_MM = (2.6, 2.1)
_SPIRAL = sorted(
    ((i * STEP_MM[0], j * STEP_MM[1]) for i in range(-9, 10) for j in range(-9, 10)),
    key=lambda step: (math.hypot(*step), step),
)


def corners(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Corners:
    """Return the corners of a box around a place, turned against the clock (degrees)."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]
    return np.asarray(half @ np.array([[c, s], [-s, c]]) + [x, y], dtype=np.float64)


class Placer:
    """The boxes that stand on a sheet so far."""

    def __init__(self, frame: tuple[float, float, float, float]) -> None:
        self.frame = frame
        self._bounds = np.empty((64, 4))
        self._boxes: list[Corners] = []

    @property
    def boxes(self) -> list[Corners]:
        """The corners of every box, in the order in which they were put."""
        return list(self._boxes)

    def block(self, box: Corners) -> None:
        """Keep labels out of a box."""
        n = len(self._boxes)
        if n == len(self._bounds):
            self._bounds = np.vstack([self._bounds, np.empty_like(self._bounds)])
        self._bounds[n] = [*box.min(axis=0), *box.max(axis=0)]
        self._boxes.append(box)

    def is_in_frame(self, box: Corners) -> bool:
        """Whether a box lies in the frame."""
        west, south, east, north = self.frame
        (x0, y0), (x1, y1) = box.min(axis=0), box.max(axis=0)
        inside = x0 >= west + KEEP_IN_MM and x1 <= east - KEEP_IN_MM
        return bool(inside and y0 >= south + KEEP_IN_MM and y1 <= north - KEEP_IN_MM)

    def is_free(self, box: Corners) -> bool:
        """Whether a box touches none that stands."""
        (x0, y0), (x1, y1) = box.min(axis=0), box.max(axis=0)
        there = self._bounds[: len(self._boxes)]
        near = (there[:, 0] < x1) & (there[:, 2] > x0) & (there[:, 1] < y1) & (there[:, 3] > y0)
        if not near.any():
            return True
        others = shapely.polygons([self._boxes[i] for i in np.flatnonzero(near)])
        return not bool(shapely.intersects(others, shapely.Polygon(box)).any())

    def take(self, boxes: Iterable[tuple[float, float, float, float, float]]) -> tuple[float, float] | None:
        """Take the first of some boxes (middle, size, turn) that is free, and return its middle; None: none is."""
        for x, y, width, height, turn in boxes:
            padded = corners(x, y, width + 2 * PAD_MM, height + 2 * PAD_MM, turn)
            if self.is_in_frame(padded) and self.is_free(padded):
                self.block(padded)
                return x, y
        return None

    def take_near(self, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """Take the free place nearest to `x, y` that is in the frame; where none is free, the nearest."""
        found = self.take((x + dx, y + dy, width, height, 0.0) for dx, dy in self._steps(x, y, width, height))
        if found is not None:
            return found
        dx, dy = self._steps(x, y, width, height)[0]
        self.block(corners(x + dx, y + dy, width + 2 * PAD_MM, height + 2 * PAD_MM))
        return x + dx, y + dy

    def _steps(self, x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
        """Return the steps of the spiral, held inside the frame."""
        west, south, east, north = self.frame
        w, h = width / 2 + PAD_MM + KEEP_IN_MM, height / 2 + PAD_MM + KEEP_IN_MM
        return [
            (min(max(x + dx, west + w), east - w) - x, min(max(y + dy, south + h), north - h) - y)
            for dx, dy in _SPIRAL
        ]
