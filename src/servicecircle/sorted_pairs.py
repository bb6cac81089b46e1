"""
Pairs that searches found, source by source, as rows of the demand points, nearest first.

Each pair becomes one 64-bit key (demand point, time, rank of the source). Keys are dealt to blocks of demand points
that fit the cache, and each block is sorted as plain numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._validate import FloatArray, IntArray
from .threads import in_chunks

_BLOCK_PAIRS = 2**15
_CHUNK = 16
_KEY_BITS = 64


@dataclass(frozen=True, eq=False)
class FoundPairs:
    """Pairs of some sources: those of source *j* are `slice(rows[j], rows[j + 1])` of `number` and `ms`."""

    rank: IntArray  # (n_source,) of each source
    rows: IntArray
    number: npt.NDArray[np.uint32]  # of the demand point
    ms: npt.NDArray[np.uint32]

    @property
    def n_pair(self) -> int:
        """How many there are."""
        return int(self.rows[-1] - self.rows[0])


def by_demand(
    found: Sequence[FoundPairs], number: IntArray, rank: IntArray, *, limit_ms: int, threads: int | None
) -> tuple[IntArray, IntArray, FloatArray]:
    """
    Return all pairs by demand point: (row pointer, source, seconds), nearest first, ties by rank.

    `number` is that of each demand point in `found`, `rank` that of each source: both are permutations. Holds 24
    bytes a pair at its peak, those of `found` beside it.
    """
    from . import _kernels as kernels

    bits = _key_bits(number.size, rank.size, sum(f.n_pair for f in found), limit_ms)
    keys, block_start = _dealt(found, bits, (number.size >> bits[0]) + 1, threads)
    n_block = block_start.size - 1
    count = np.zeros(n_block << bits[0], dtype=np.int64)
    widths = np.array(bits, dtype=np.uint64)

    def sort(first: int, last: int) -> None:
        for block in range(first, last):
            own = keys[block_start[block] : block_start[block + 1]]
            own.sort()
            kernels.count_keys(own, widths, count[block << bits[0] : (block + 1) << bits[0]])

    in_chunks(n_block, sort, chunk=_CHUNK, threads=threads)
    start = np.concatenate([[0], np.cumsum(count[number])])
    begin = np.zeros(count.size, dtype=np.int64)
    begin[number] = start[:-1]
    source_of = np.argsort(rank)
    source, seconds = np.empty(keys.size, dtype=np.int64), np.empty(keys.size)

    def read(first: int, last: int) -> None:
        for block in range(first, last):
            own = keys[block_start[block] : block_start[block + 1]]
            at = begin[block << bits[0] : (block + 1) << bits[0]]
            kernels.read_keys(own, widths, at, source_of, source, seconds)

    in_chunks(n_block, read, chunk=_CHUNK, threads=threads)
    return start, source, seconds


def _key_bits(n_demand: int, n_source: int, n_pair: int, limit_ms: int) -> tuple[int, int, int]:
    """Bits of a key: for demand points of a block (few enough for the cache), for the time, and for the rank."""
    ms_bits, rank_bits = int(limit_ms).bit_length(), int(n_source).bit_length()
    in_block = max(1, n_demand * _BLOCK_PAIRS // max(1, n_pair))
    return (
        min(in_block.bit_length() - 1, int(n_demand).bit_length(), _KEY_BITS - ms_bits - rank_bits),
        ms_bits,
        rank_bits,
    )


def _dealt(
    found: Sequence[FoundPairs], bits: tuple[int, int, int], n_block: int, threads: int | None
) -> tuple[npt.NDArray[np.uint64], IntArray]:
    """Keys of all pairs, block after block, and where each block begins."""
    from . import _kernels as kernels

    def count(first: int, last: int) -> list[Any]:
        own = [f.number[f.rows[0] : f.rows[-1]] >> np.uint32(bits[0]) for f in found[first:last]]
        return [np.bincount(block, minlength=n_block) for block in own]

    counted = [c for part in in_chunks(len(found), count, chunk=_CHUNK, threads=threads) for c in part]
    by_found = np.array(counted, dtype=np.int64).reshape(len(found), n_block)
    block_start = np.concatenate([[0], np.cumsum(by_found.sum(axis=0))])
    cursor = (block_start[:-1] + np.cumsum(by_found, axis=0) - by_found).astype(np.uint64)
    keys = np.empty(block_start[-1], dtype=np.uint64)
    widths = np.array(bits, dtype=np.uint64)

    def deal(first: int, last: int) -> None:
        for f, at in zip(found[first:last], cursor[first:last], strict=True):
            kernels.put_keys(f.rows, f.number, f.ms, f.rank, widths, at, keys)

    in_chunks(len(found), deal, chunk=_CHUNK, threads=threads)
    return keys, block_start
