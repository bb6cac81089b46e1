"""What is known of squares over a network: which streets may be nearest to a place in each, and to its corners."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._validate import IntArray
from .street_raster import ROOT_M, StreetSegments
from .threads import in_chunks

#: side of a square; blocks are two squares wide (metres)
SQUARE_M = ROOT_M / 2
#: so many squares are worth a thread
_LEAST = 1000


@dataclass(frozen=True, eq=False)
class Known:
    """
    What is known of squares, or of blocks, at one time: a row each, and only ever more of them.

    A drawing goes on with what it began with: numbers of rows that it does not have became known later. `within` is
    of the time when it was asked for.
    """

    square: Any  # (n,)
    start: Any  # (n + 1,) of the segments near to each
    through: Any  # (n,) among so many of them, the first, are those that pass through it
    near: Any
    away: Any  # of each from the middle of the square (metres)
    along: Any  # share of the segment that is nearest to it
    within: Any  # (n,) row of its corners, of a block that of its first square; -1: not known

    @property
    def nbytes(self) -> int:
        """Memory that grows with the squares known."""
        return int(self.near.nbytes + self.away.nbytes + self.along.nbytes)


@dataclass(frozen=True, eq=False)
class Corners:
    """Nearest segments of the corners of squares, a row a square."""

    nearest: Any  # (n, (cells + 1)**2) segment, -1: none within `max_m`
    share: Any  # of the segment there
    metres: Any  # distance

    @property
    def nbytes(self) -> int:
        """Memory that grows with the squares known."""
        return int(self.nearest.nbytes + self.share.nbytes + self.metres.nbytes)


def _nothing() -> Known:
    no, none = np.empty(0, np.int32), np.empty(0, np.float32)
    return Known(np.empty(0, np.int64), np.zeros(1, np.int64), no, no, none, none, no)


def _appended(held: Any, more: Any) -> Any:  # noqa: ANN401
    """Return `more` behind `held`, in the room behind it where there is some: `held` must be the longest view."""
    if not len(held):
        return (
            more if more.base is None else more.copy()
        )  # not into fresh memory where it need not be: that is slow
    n = len(held) + len(more)
    wide = held.base if isinstance(held.base, np.ndarray) else held
    if len(wide) < n:
        wide = np.empty((2 * n, *held.shape[1:]), held.dtype)
        wide[: len(held)] = held
    wide[len(held) : n] = more
    return wide[:n]


class NearStreets:
    """
    Blocks over a network, the buckets of its segments, and the squares that quarter them, of `cells` cells a side.

    What is known of them is found for those that are asked for: of squares from what is known of their block.
    """

    def __init__(self, segments: StreetSegments, cells: int) -> None:
        self.segments = segments
        self.cells = cells
        self.n_across = 2 * segments.n_across
        self.block_row = np.full(segments.n_across * segments.n_up, -1, dtype=np.int32)
        self._blocks, self._squares = _nothing(), _nothing()
        kinds = (np.int32, np.float32, np.float32)
        self._corners = Corners(*(np.empty((0, (cells + 1) ** 2), kind) for kind in kinds))
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Memory that grows with the squares known."""
        return self._blocks.nbytes + self._squares.nbytes + self._corners.nbytes

    def blocks(self, block: IntArray, kernels: Any) -> Known:  # noqa: ANN401
        """Return what is known of blocks, at least of these."""
        with self._lock:
            new = _missing(block, self.block_row)
            if new.size:
                own, first = self.segments, len(self._blocks.square)
                n_buckets = (own.n_across, own.n_up)
                about = (ROOT_M, own.origin, own.segment, own.bucket_start, own.bucket_segment, own.max_m)

                def find(begin: int, end: int) -> tuple[Any, ...]:
                    some = new[begin:end]
                    start, of = kernels.segments_about_blocks(some, n_buckets, *about)
                    place = (some, own.n_across, ROOT_M, own.origin, own.segment)
                    found: tuple[Any, ...] = kernels.segments_of_squares(
                        *place, start[:-1], start[1:], of, own.max_m
                    )
                    return found

                self._blocks = _longer(self._blocks, new, _on_all_cores(new.size, find))
                self.block_row[new] = np.arange(first, first + new.size)
            return self._blocks

    def squares(self, row: IntArray, kernels: Any) -> tuple[Known, Known]:  # noqa: ANN401
        """Return what is known of blocks and of squares, at least of those in the blocks of these rows."""
        with self._lock:
            new = _missing(row, self._blocks.within)
            if new.size:
                own, held, begin = self.segments, self._blocks, len(self._squares.square)
                up, across = np.divmod(held.square[new], own.n_across)
                corner = 2 * (up * self.n_across + across)
                square = (corner[:, None] + np.array([0, 1, self.n_across, self.n_across + 1])).ravel()
                first, last = np.repeat(held.start[new], 4), np.repeat(held.start[new + 1], 4)

                def find(a: int, b: int) -> tuple[Any, ...]:
                    place = (square[a:b], self.n_across, SQUARE_M, own.origin, own.segment)
                    found: tuple[Any, ...] = kernels.segments_of_squares(
                        *place, first[a:b], last[a:b], held.near, own.max_m
                    )
                    return found

                self._squares = _longer(self._squares, square, _on_all_cores(square.size, find))
                held.within[new] = begin + 4 * np.arange(new.size)
            return self._blocks, self._squares

    def corners(self, row: IntArray, kernels: Any) -> tuple[Known, Corners]:  # noqa: ANN401
        """Return what is known of squares and of corners, at least of those of the squares of these rows."""
        with self._lock:
            held, own = self._squares, self.segments
            new = _missing(row, held.within)
            if new.size:
                begin = len(self._corners.nearest)
                first, last = held.start[new], held.start[new + 1]

                def find(a: int, b: int) -> tuple[Any, ...]:
                    place = (held.square[new[a:b]], self.n_across, SQUARE_M, self.cells, own.origin, own.segment)
                    found: tuple[Any, ...] = kernels.segments_of_corners(
                        *place, first[a:b], last[a:b], held.near, own.max_m
                    )
                    return found

                for found in _on_all_cores(new.size, find):
                    known = (self._corners.nearest, self._corners.share, self._corners.metres)
                    self._corners = Corners(*map(_appended, known, found))
                held.within[new] = np.arange(begin, begin + new.size)
            return held, self._corners


def _missing(wanted: IntArray, row: Any) -> IntArray:  # noqa: ANN401
    """Return those wanted that have no row yet, each once, in order."""
    is_wanted = np.zeros(len(row), dtype=bool)
    is_wanted[wanted] = True
    return np.flatnonzero(is_wanted & (row < 0))


def _on_all_cores(n: int, find: Callable[[int, int], tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return what is found of each part of `n` squares, in order."""
    return in_chunks(n, find, chunk=n, least=_LEAST)


def _longer(held: Known, square: IntArray, parts: Sequence[tuple[Any, ...]]) -> Known:
    """Return what is known, with more squares and what was found of them, part by part."""
    made = Known(
        square=_appended(held.square, square),
        start=held.start,
        through=held.through,
        near=held.near,
        away=held.away,
        along=held.along,
        within=_appended(held.within, np.full(square.size, -1, np.int32)),
    )
    for start, through, near, away, along in parts:
        made = replace(
            made,
            start=_appended(made.start, start[1:] + made.start[-1]),
            through=_appended(made.through, through),
            near=_appended(made.near, near),
            away=_appended(made.away, away),
            along=_appended(made.along, along),
        )
    return made
