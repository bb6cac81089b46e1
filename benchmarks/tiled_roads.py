"""A country made of one road file: copies beside each other, mixed in the file as neighbours are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import osmium
from osmium.osm.mutable import Node, Relation, Way

#: copies in a row, and degrees from one to the next
ACROSS, STEP = 5, 0.6
#: objects of one copy that stand together in the file
RUN = 8000
Numbers = Callable[[str, Sequence[int]], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class _Told:
    """An object with the ids of the first copy."""

    kind: str
    id: int
    tags: dict[str, str]
    place: tuple[float, float] = (0.0, 0.0)
    refs: npt.NDArray[np.int64] | None = None
    members: tuple[tuple[str, int, str], ...] = ()

    def copy(self, k: int, step: int) -> Node | Way | Relation:
        """Return the object of copy k, whose ids are so much higher."""
        if self.kind == "n":
            east, north = moved(k)
            place = (self.place[0] + east, self.place[1] + north)
            return Node(id=self.id + step, location=place, tags=self.tags)
        if self.refs is not None:
            return Way(id=self.id + step, nodes=(self.refs + step).tolist(), tags=self.tags)
        members = [(kind, ref + step, role) for kind, ref, role in self.members]
        return Relation(id=self.id + step, members=members, tags=self.tags)


def moved(k: int) -> tuple[float, float]:
    """Return how far east and north copy k lies, in degrees."""
    return STEP * (k % ACROSS), STEP * (k // ACROSS)


def write_tiled(path: Path, out: Path, copies: int) -> Path:
    """
    Write so many copies of a file, the first where it was, sorted as OpenStreetMap's own files are.

    Eight thousand objects of the first copy are followed by those of the second, and so on: a city's objects stand
    in pieces all over the file, as in that of its country.
    """
    ranks = {kind: np.unique(ids) for kind, ids in _ids(path).items()}

    def numbers(kind: str, ids: Sequence[int]) -> npt.NDArray[np.int64]:
        at = np.searchsorted(ranks[kind], ids).clip(max=ranks[kind].size - 1)
        rank = np.where(ranks[kind][at] == ids, at, ranks[kind].size + RUN)  # what is not there is in no copy
        return rank // RUN * RUN * copies + rank % RUN + 1

    with osmium.SimpleWriter(osmium.io.File(str(out), "pbf,add_metadata=none"), overwrite=True) as writer:
        for _, run in groupby(_objects(path, numbers), key=lambda one: (one.kind, (one.id - 1) // (RUN * copies))):
            objects = list(run)
            for k in range(copies):
                for one in objects:
                    writer.add(one.copy(k, k * RUN))
    return out


def _ids(path: Path) -> dict[str, list[int]]:
    """Return the ids of nodes, ways and relations."""
    found: dict[str, list[int]] = {"n": [], "w": [], "r": []}
    for item in osmium.FileProcessor(str(path)):
        found[item.type_str()].append(item.id)
    return found


def _objects(path: Path, numbers: Numbers) -> Iterator[_Told]:
    """Yield the objects of a file with their new ids."""
    for item in osmium.FileProcessor(str(path)):
        kind, tags = item.type_str(), {tag.k: tag.v for tag in item.tags}
        number = int(numbers(kind, [item.id])[0])
        if item.is_node():
            yield _Told(kind, number, tags, place=(item.location.lon, item.location.lat))
        elif item.is_way():
            yield _Told(kind, number, tags, refs=numbers("n", [node.ref for node in item.nodes]))
        else:
            members = tuple((one.type, int(numbers(one.type, [one.ref])[0]), one.role) for one in item.members)
            yield _Told(kind, number, tags, members=members)
