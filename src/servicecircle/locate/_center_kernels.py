"""Covering by trying: with few sites to choose, words of bits are faster than any solver."""

# ruff: noqa: C901, PLR0912, PLR0915 - flat on purpose

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .._compiled import compiled, inlined
from .._validate import IntArray

Bits: TypeAlias = "npt.NDArray[np.uint64]"

FOUND, NONE, UNKNOWN = 1, 0, -1


@inlined
def _n_ones(x: np.uint64) -> np.int64:
    """Count the ones of a word."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def try_all(site_rows: Bits, row_sites: Bits, n_most: int, plan: IntArray, n_tries: int) -> int:
    """
    Look for `n_most` sites that cover all rows, depth first: NONE is a proof, UNKNOWN the end of the tries.

    At each depth the row with the fewest sites left is covered by each of them in turn; a site that was tried is
    not tried below its later sisters. Where even the largest counts of rows fall short, nothing is tried.
    """
    n, width = site_rows.shape
    n_row = row_sites.shape[0]
    left = np.zeros((n_most + 1, width), np.uint64)
    is_out = np.zeros((n_most + 1, n), np.bool_)
    branch = np.zeros((n_most + 1, n), np.int64)
    n_branch, at = np.zeros(n_most + 1, np.int64), np.zeros(n_most + 1, np.int64)
    count = np.zeros(n, np.int64)
    best = np.zeros(n_most + 1, np.int64)
    for i in range(n_row):
        left[0, i // 64] |= np.uint64(1) << np.uint64(i % 64)
    depth, is_new = 0, True
    while True:
        if is_new:
            n_tries -= 1
            if n_tries < 0:
                return UNKNOWN
            n_left = np.int64(0)
            for w in range(width):
                n_left += _n_ones(left[depth, w])
            if n_left == 0:
                plan[depth:] = -1
                return FOUND
            more = n_most - depth
            best[: more + 1] = 0
            for j in range(n):
                count[j] = 0
                if not is_out[depth, j]:
                    for w in range(width):
                        count[j] += _n_ones(site_rows[j, w] & left[depth, w])
                    if more > 0 and count[j] > best[more - 1]:
                        k = more - 1
                        while k > 0 and best[k - 1] < count[j]:
                            best[k] = best[k - 1]
                            k -= 1
                        best[k] = count[j]
            n_branch[depth], at[depth] = 0, 0
            if best[:more].sum() >= n_left:
                row, fewest = -1, n + 1
                for i in range(n_row):
                    if (left[depth, i // 64] >> np.uint64(i % 64)) & np.uint64(1):
                        size = 0
                        for j in range(n):
                            if count[j] > 0 and (row_sites[i, j // 64] >> np.uint64(j % 64)) & np.uint64(1):
                                size += 1
                        if size < fewest:
                            row, fewest = i, size
                for j in range(n):
                    if count[j] > 0 and (row_sites[row, j // 64] >> np.uint64(j % 64)) & np.uint64(1):
                        k = n_branch[depth]
                        while k > 0 and count[branch[depth, k - 1]] < count[j]:
                            branch[depth, k] = branch[depth, k - 1]
                            k -= 1
                        branch[depth, k] = j
                        n_branch[depth] += 1
        if at[depth] >= n_branch[depth]:
            if depth == 0:
                return NONE
            depth -= 1
            is_new = False
            continue
        j = branch[depth, at[depth]]
        at[depth] += 1
        plan[depth] = j
        left[depth + 1] = left[depth] & ~site_rows[j]
        is_out[depth + 1] = is_out[depth]
        is_out[depth, j] = True
        depth += 1
        is_new = True
