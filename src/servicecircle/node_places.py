"""Places of any number of nodes, on disk: memory holds one id for each page of them."""

from __future__ import annotations

import array
from pathlib import Path

import numpy as np

from ._validate import IntArray
from .pbf_pieces import NODE, NodeArray

#: nodes in a page, and pages that are read at a time: 8 KB, 16 MB
PAGE_NODES, PAGES_AT_ONCE = 512, 2048


class NodePlaces:
    """Nodes in a file of 16 bytes each, ascending by id, to be looked up by their ids."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("w+b")
        self._first = array.array("q")  # id of the first node of each page
        self._n = 0

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def add(self, node: NodeArray) -> None:
        """Append nodes, whose ids are above those of all before."""
        self._stream.seek(self._n * NODE.itemsize)
        self._stream.write(node.tobytes())
        self._first.extend(node["id"][-self._n % PAGE_NODES :: PAGE_NODES].tolist())
        self._n += node.size

    def find(self, ids: IntArray) -> NodeArray:
        """Return those nodes that are there, of ids that ascend."""
        page = np.searchsorted(np.array(self._first, dtype=np.int64), ids, side="right") - 1
        ids, page = ids[page >= 0], page[page >= 0]
        wanted, start = np.unique(page, return_index=True)
        stop = np.append(start[1:], page.size)
        found = [np.empty(0, dtype=NODE)]
        for k in range(0, wanted.size, PAGES_AT_ONCE):
            rows = self._read(wanted[k : k + PAGES_AT_ONCE])
            some = ids[start[k] : stop[min(k + PAGES_AT_ONCE, wanted.size) - 1]]
            at = np.minimum(np.searchsorted(rows["id"], some), rows.size - 1)
            found.append(rows[at[rows["id"][at] == some]])
        return np.concatenate(found)

    def _read(self, pages: IntArray) -> NodeArray:
        """Return the nodes of pages that ascend; neighbours are read together."""
        size = PAGE_NODES * NODE.itemsize
        ends = np.flatnonzero(np.diff(pages) > 1) + 1
        pieces = []
        for run in np.split(pages, ends):
            self._stream.seek(int(run[0]) * size)
            pieces.append(self._stream.read(run.size * size))
        return np.frombuffer(b"".join(pieces), dtype=NODE)
