"""Squares over a network, the kernels that draw on them, and room to draw in: made when first needed, and kept."""

from __future__ import annotations

import threading
import weakref
from typing import Any, NamedTuple

import numpy as np

from ._validate import FloatArray
from .model import Network
from .near_streets import NearStreets
from .params import INF_MS, Direction
from .street_raster import StreetSegments
from .threads import cores
from .travel_times import OnStreet, search_graph

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
        streets = weakref.proxy(network)  # which keeps the squares: in a circle neither would be gone at once
        self.segments = StreetSegments(streets, search_graph(network, direction), nowhere, max_m=max_m)
        self.slope = _slopes(self.segments)
        self._in_python = 0  # settled nodes drawn without a compiler
        self._near = NearStreets(self.segments, self.cells)
        self._lock = threading.Lock()
        self._rooms: list[Room] = []

    def kernels_for(self, n_settled: int) -> Kernels:
        """
        Choose how to draw facilities for which so many nodes are settled: the first few without a compiler.

        To compile takes 15 seconds or so, once; a first circle on foot in plain Python takes less than one. Both
        give the same numbers. A drawing ends with the kernels it began with: another thread may choose otherwise
        meanwhile, and what plain Python made is no argument of what is compiled.
        """
        from . import _area_kernels, _reach_kernels, _square_kernels
        from ._compiled import in_python, is_compiled

        if self._in_python + n_settled > _FEW_NODES or is_compiled(_area_kernels.rings_of_facilities):
            return Kernels(_square_kernels, _reach_kernels, _area_kernels)
        self._in_python += n_settled
        return Kernels(*map(in_python, ("_square_kernels", "_reach_kernels", "_area_kernels")))

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

    def near_streets(self) -> NearStreets:
        """Return what is known of squares; a drawing goes on with it, though another one drops it for its size."""
        with self._lock:
            if self._near.nbytes > _MOST_BYTES:
                self._near = NearStreets(self.segments, self.cells)
            return self._near


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
