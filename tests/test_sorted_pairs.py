"""Pairs by demand point: the order of one long sort, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from servicecircle import sorted_pairs
from servicecircle.sorted_pairs import FoundPairs, by_demand


def found_pairs(
    rng: np.random.Generator, n_demand: int, n_source: int, limit_ms: int
) -> tuple[list[FoundPairs], np.ndarray, list[tuple[int, int, int]]]:
    """Random pairs in two pieces, ranks of sources, and the pairs as (number, ms, rank)."""
    rank = rng.permutation(n_source)
    pieces, flat = [], []
    for sources in np.array_split(np.arange(n_source), 2):
        rows, number, ms = [0], [], []
        for j in sources:
            met = rng.permutation(n_demand)[: rng.integers(0, n_demand + 1)]
            time = rng.integers(0, min(limit_ms, 40) + 1, met.size)  # many ties
            time[: met.size // 4] = limit_ms
            rows.append(rows[-1] + met.size)
            number += met.tolist()
            ms += time.tolist()
            flat += [(int(i), int(t), int(rank[j])) for i, t in zip(met, time, strict=True)]
        pieces.append(
            FoundPairs(
                rank[sources], np.array(rows), np.array(number, dtype=np.uint32), np.array(ms, dtype=np.uint32)
            )
        )
    return pieces, rank, flat


@pytest.mark.parametrize("block_pairs", [1, 50, 2**15])
@pytest.mark.parametrize("limit_ms", [1, 900_000, 2**30])
@pytest.mark.parametrize(("n_demand", "n_source"), [(1, 1), (1, 40), (33, 9), (300, 2)])
def test_pairs_stand_by_demand_point_then_time_then_rank(
    n_demand: int, n_source: int, limit_ms: int, block_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorted_pairs, "_BLOCK_PAIRS", block_pairs)
    rng = np.random.default_rng(n_demand + n_source)
    pieces, rank, flat = found_pairs(rng, n_demand, n_source, limit_ms)
    number = rng.permutation(n_demand)
    start, source, seconds = by_demand(pieces, number, rank, limit_ms=limit_ms, threads=2)
    demand = np.repeat(np.arange(n_demand), np.diff(start))
    got = list(zip(number[demand].tolist(), (seconds * 1000).round().tolist(), rank[source].tolist(), strict=True))
    point_of = np.argsort(number)
    assert got == sorted(flat, key=lambda pair: (point_of[pair[0]], pair[1], pair[2]))


def test_no_pair_at_all_gives_empty_rows() -> None:
    nobody = FoundPairs(np.array([0]), np.zeros(2, np.int64), np.empty(0, np.uint32), np.empty(0, np.uint32))
    for found in ([], [nobody]):
        start, source, seconds = by_demand(found, np.arange(3), np.array([0]), limit_ms=10, threads=1)
        assert start.tolist() == [0, 0, 0, 0]
        assert source.size == seconds.size == 0
