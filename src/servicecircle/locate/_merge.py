"""Equal rows become one: 128-bit signatures of their sets, grouped by hashing, weights added exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validate import BoolArray, FloatArray, IntArray
from ..threads import in_chunks
from ._pairs import Pairs

Words = npt.NDArray[np.uint64]

#: what sets the two signatures of a row apart
SEEDS = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)
#: bits of a weight that each of two sums keeps
_BITS = 36
#: rows that are worth a thread
_CHUNK = 1 << 16


def merged(pairs: Pairs, weight: FloatArray, is_live: BoolArray | None = None) -> tuple[Pairs, FloatArray]:
    """
    Merge the rows with the same options, summing their weights; rows without an option are left out.

    Rows stand in the order of fixed 128-bit signatures and weights are added in whole numbers, so that the order
    of the demand changes nothing, to the last bit. A weight is rounded down by at most 2^-71 of the largest one.
    `is_live` says which rows count. Memory beyond the input: 56 bytes a row.
    """
    live, one, total, _ = groups(pairs, weight, is_live)
    return pairs.only_rows(live[one]), total


def groups(
    pairs: Pairs, weight: FloatArray, is_live: BoolArray | None
) -> tuple[IntArray, IntArray, FloatArray, IntArray]:
    """Return the live rows; of each group, one row's position among them and the weight; each live row's group."""
    from . import _pair_kernels as kernels

    is_live = pairs.row_size > 0 if is_live is None else is_live & (pairs.row_size > 0)
    live = np.flatnonzero(is_live)
    first, second = _signatures(pairs, live)
    n_slot = 1 << max(4, int(2 * live.size - 1).bit_length())
    group = np.empty(live.size, np.int64)
    n = kernels.group(first, second, np.full(n_slot, -1, np.int32), group)
    one = np.empty(n, np.int64)
    one[group[::-1]] = np.arange(live.size)[::-1]
    total = _exact_sums(weight[live], group, n)
    order = np.lexsort((second[one], first[one]))
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    return live, one[order], total[order], rank[group]


def _signatures(pairs: Pairs, live: IntArray) -> tuple[Words, Words]:
    """Two sums of scrambled option numbers for each row, modulo 2^64."""
    from . import _pair_kernels as kernels

    column = np.arange(pairs.n_option, dtype=np.uint64)
    codes = [scramble(column + np.uint64(seed)) for seed in SEEDS]
    first, second = np.empty(live.size, np.uint64), np.empty(live.size, np.uint64)

    def some(begin: int, end: int) -> None:
        kernels.sign(
            pairs.row_start, pairs.option, live[begin:end], codes[0], codes[1], first[begin:end], second[begin:end]
        )

    in_chunks(live.size, some, chunk=max(_CHUNK, live.size // 8), least=_CHUNK)
    return first, second


def _exact_sums(weight: FloatArray, group: IntArray, n: int) -> FloatArray:
    """Sum the weights of each group: as two whole numbers, so that their order does not matter."""
    from . import _pair_kernels as kernels

    largest = float(weight.max(initial=0.0))
    if largest == 0:
        return np.zeros(n)
    exponent = _BITS - int(np.frexp(largest)[1])  # so that 2^27 of the largest still fit 63 bits
    high, low = np.zeros(n, np.int64), np.zeros(n, np.int64)
    kernels.add_up(np.ldexp(weight, exponent), group, high, low)
    return np.ldexp(high.astype(np.float64) + np.ldexp(low.astype(np.float64), -_BITS), -exponent)


def scramble(x: Words) -> Words:
    """SplitMix64: the same on every machine and with every version of NumPy."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
