"""Compiled: metres along the quickest ways. Nothing here checks its arguments; `quickest_ways.py` does."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ._compiled import compiled

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


@compiled
def metres_of_quickest(  # noqa: PLR0917
    start: Ints, arc: Ints, arc_m: Floats, place: Ints, label: Ints, metres: Floats
) -> None:
    """
    Carry `metres` on from the seeds: of the ways whose time is the label, the shortest.

    `place` lists what is settled in the order of its label. A place is final before its turn, but where arcs take
    no time at all: then everything is gone through once more.
    """
    again = True
    while again:
        again = False
        for i in range(place.shape[0]):
            u = place[i]
            for k in range(start[u], start[u + 1]):
                v = arc[k, 0]
                if label[u] + arc[k, 1] == label[v] and metres[u] + arc_m[k] < metres[v]:
                    metres[v] = metres[u] + arc_m[k]
                    again = again or label[v] == label[u]
