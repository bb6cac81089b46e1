"""Squares over a network: which streets may be nearest to a place in each. Found when first needed, and kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ._validate import FloatArray, IntArray
from .model import Network
from .params import INF_MS, Direction
from .street_raster import ROOT_M, StreetSegments
from .threads import cores
from .travel_times import OnStreet, search_graph

#: side of a square; buckets of segments are two squares wide (metres)
SQUARE_M = ROOT_M / 2
#: what is known of squares is dropped when it takes more (bytes)
_MOST_BYTES = 400_000_000
#: so many settled nodes are drawn on before anything is compiled for it
_FEW_NODES = 1500
#: rasters of more corners are not kept
_MOST_CORNERS_KEPT = 2**23
#: squares of so many directions, walks and details are kept with a network; of more, the longest unused go
_MOST_KEPT = 4
_KEEPING = threading.Lock()


class Kernels(NamedTuple):
    """Modules of kernels, all compiled or all plain Python."""

    squares: Any
    reach: Any
    areas: Any


@dataclass(frozen=True, eq=False)
class Known:
    """
    What is known of squares at one time. Entries are only ever added, so a drawing goes on with what it began with.

    `slot` and `corner_slot` are -1 for what is not known; numbers beyond the other arrays became known later.
    """

    slot: Any  # (n_square,)
    square: Any  # (n_slot,)
    start: Any  # (n_slot + 1,) of the segments near to each
    through: Any  # (n_slot,) how many of them, the first, pass through it
    near: Any
    away: Any  # of each from the middle of the square (metres)
    along: Any  # share of the segment that is nearest to it
    corner_slot: Any  # (n_slot,)
    nearest: Any  # (n, (cells + 1)**2) segment nearest to each corner, -1: none within `max_m`
    nearest_at: Any  # share of it there
    nearest_m: Any  # its distance

    @property
    def corners(self) -> tuple[Any, Any, Any]:
        """What is known of corners."""
        return self.nearest, self.nearest_at, self.nearest_m

    @property
    def nbytes(self) -> int:
        """Memory that grows with the squares known."""
        of_squares = self.near.nbytes + self.away.nbytes + self.along.nbytes
        return int(of_squares + self.nearest.nbytes + self.nearest_at.nbytes + self.nearest_m.nbytes)


def _appended(held: Any, more: Any) -> Any:  # noqa: ANN401
    """Return `more` behind `held`, in the room behind it where there is some: `held` must be the longest view."""
    n = len(held) + len(more)
    wide = held if held.base is None else held.base
    if len(wide) < n:
        wide = np.empty((2 * n, *held.shape[1:]), held.dtype)
        wide[: len(held)] = held
    wide[len(held) : n] = more
    return wide[:n]


class Room:
    """Room that one thread goes on using for one facility after the other; between them it is as it began."""

    def __init__(self, segments: StreetSegments) -> None:
        self.ms: FloatArray = np.full((segments.n, 2), np.inf)
        self.node_ms: FloatArray = np.full(segments.network.n_node, np.inf)
        self.is_marked = np.zeros(segments.n_across * segments.n_up, dtype=np.uint8)
        self._rasters: list[Any] = [np.zeros(0, kind) for kind in (np.uint8, np.uint8, np.int32, np.int32)]

    def rasters(self, size: int) -> list[Any]:
        """
        Return room for four rasters of `size` corners, the last for two numbers each.

        The last two hold 0, and must when they are left.
        """
        if self._rasters[0].size < size:
            rooms = zip((size, size, size, 2 * size), self._rasters, strict=True)
            self._rasters = [np.zeros(room, raster.dtype) for room, raster in rooms]
        return self._rasters

    def drop_large_rasters(self) -> None:
        """Give back the memory of rasters that few facilities need."""
        if self._rasters[0].size > _MOST_CORNERS_KEPT:
            self._rasters = [np.zeros(0, raster.dtype) for raster in self._rasters]


class StreetSquares:
    """
    Segments of a whole network in one direction, and what is known of the squares over them.

    A square has `cells` cells along a side, a power of two.
    """

    def __init__(self, network: Network, direction: Direction, *, max_m: float, cells: int) -> None:
        self.cells = cells
        nowhere = OnStreet(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
        self.segments = StreetSegments(network, search_graph(network, direction), nowhere, max_m=max_m)
        self.n_across = 2 * self.segments.n_across
        self.n_buckets = (self.segments.n_across, self.segments.n_up)
        self.slope = _slopes(self.segments)
        self._in_python = 0  # settled nodes drawn without a compiler
        self.kernels = self._compiled()
        self._known = self._nothing()
        self._lock = threading.Lock()
        self._rooms: list[Room] = []

    @staticmethod
    def _compiled() -> Kernels:
        from . import _area_kernels, _reach_kernels, _square_kernels

        return Kernels(_square_kernels, _reach_kernels, _area_kernels)

    def choose_kernels(self, n_settled: int) -> None:
        """
        Choose how to draw facilities for which so many nodes are settled: the first few without a compiler.

        To compile takes 15 seconds or so, once; a first circle on foot in plain Python takes less than one. Both
        give the same numbers.
        """
        from ._compiled import in_python, is_compiled

        self.kernels = self._compiled()
        if self._in_python + n_settled > _FEW_NODES or is_compiled(self.kernels.areas.rings_of_facilities):
            return
        self._in_python += n_settled
        self.kernels = Kernels(*map(in_python, ("_square_kernels", "_reach_kernels", "_area_kernels")))

    def room(self) -> Room:
        """Return room for one thread; `give_back` when done."""
        try:
            return self._rooms.pop()
        except IndexError:
            return Room(self.segments)

    def give_back(self, room: Room) -> None:
        """Keep room for the next drawing: fresh memory is slow. No more of it than cores can work in."""
        room.drop_large_rasters()
        if len(self._rooms) < cores():
            self._rooms.append(room)

    def know(self, square: IntArray, *, corners: bool) -> Known:
        """Return what is known, at least of these squares, with their corners or without."""
        with self._lock:
            if self._known.nbytes > _MOST_BYTES:
                self._known = self._nothing()
            self._known = self._with_near(self._known, square)
            if corners:
                self._known = self._with_corners(self._known, square)
            return self._known

    def _nothing(self) -> Known:
        return Known(
            slot=np.full(self.n_across * 2 * self.segments.n_up, -1, dtype=np.int32),
            square=np.empty(0, np.int64),
            start=np.zeros(1, np.int64),
            through=np.empty(0, np.int32),
            near=np.empty(0, np.int32),
            away=np.empty(0, np.float32),
            along=np.empty(0, np.float32),
            corner_slot=np.empty(0, np.int32),
            nearest=np.empty((0, (self.cells + 1) ** 2), np.int32),
            nearest_at=np.empty((0, (self.cells + 1) ** 2), np.float32),
            nearest_m=np.empty((0, (self.cells + 1) ** 2), np.float32),
        )

    def _with_near(self, known: Known, square: IntArray) -> Known:
        kernels = self.kernels.squares
        new = np.unique(square[known.slot[square] < 0])
        if not new.size:
            return known
        own = self.segments
        start, through, near, away, along = kernels.segments_of_squares(
            new,
            self.n_across,
            SQUARE_M,
            own.origin,
            own.segment,
            own.bucket_start,
            own.bucket_segment,
            self.n_buckets,
            own.max_m,
        )
        grown = Known(
            slot=known.slot,
            square=_appended(known.square, new),
            start=_appended(known.start, start[1:] + known.start[-1]),
            through=_appended(known.through, through),
            near=_appended(known.near, near),
            away=_appended(known.away, away),
            along=_appended(known.along, along),
            corner_slot=_appended(known.corner_slot, np.full(new.size, -1, np.int32)),
            nearest=known.nearest,
            nearest_at=known.nearest_at,
            nearest_m=known.nearest_m,
        )
        known.slot[new] = np.arange(known.square.size, grown.square.size)
        return grown

    def _with_corners(self, known: Known, square: IntArray) -> Known:
        kernels = self.kernels.squares
        slot = known.slot[square]
        slot = np.unique(slot[known.corner_slot[slot] < 0])
        if not slot.size:
            return known
        own = self.segments
        found = kernels.segments_of_corners(
            known.square[slot],
            self.n_across,
            SQUARE_M,
            self.cells,
            own.origin,
            own.segment,
            known.start[slot],
            known.start[slot + 1],
            known.near,
            own.max_m,
        )
        grown = [_appended(held, more) for held, more in zip(known.corners, found, strict=True)]
        known.corner_slot[slot] = np.arange(len(known.nearest), len(grown[0]))
        return replace(known, nearest=grown[0], nearest_at=grown[1], nearest_m=grown[2])


def _slopes(segments: StreetSegments) -> FloatArray:
    """Return by how much the time near each segment changes at most (ms per metre), but for closed ways."""
    rise = segments.segment[:, 6:8]
    along = np.where(rise < INF_MS, rise, 0.0).max(axis=1, initial=0.0)
    slope: FloatArray = np.hypot(along * np.sqrt(segments.segment[:, 4]), segments.ms_per_m)
    return slope


def street_squares(network: Network, direction: Direction, *, max_m: float, cells: int) -> StreetSquares:
    """Return the squares over a network; they are made once and kept with it, those of the last few uses."""
    key = (direction, float(max_m), cells)
    with _KEEPING:
        kept: dict[tuple[Direction, float, int], StreetSquares] = network.kept.setdefault("street_squares", {})
        squares = kept.pop(key, None) or StreetSquares(network, direction, max_m=max_m, cells=cells)
        kept[key] = squares  # the last
        while len(kept) > _MOST_KEPT:
            del kept[next(iter(kept))]
    return squares
