"""
One OpenStreetMap PBF file cut to many regions at once, in memory that does not grow with the file.

The file is streamed once. The place of every node goes to a file on disk; the ways behind find theirs there, so
each is judged by its whole line and written with all its nodes. Outlines of multipolygons that lie outside stand
before the relations that ask for them: the pieces that hold them are read once more, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .edge_rows import take_runs
from .errors import NetworkError
from .node_places import NodePlaces
from .osm_extracts import never_uploaded, polylines
from .pbf_pieces import NODE, NodeArray, PbfFile, PbfPiece, PieceRows

#: each region has a file that is written to throughout, and systems open only so many
MAX_REGIONS = 500
_TO_DEGREES = 1e7
_FARTHEST = np.array([180.0, 90.0])
#: larger buffers of a writer write no sooner, and there are as many as regions
_BUFFER_BYTES = 64 * 2**10
_NONE = np.empty(0, dtype=np.int64)


@contextmanager
def cut_regions(path: str | Path, regions: GeometryArray, folder: Path) -> Iterator[RegionCuts]:
    """
    Cut a PBF file to regions, each with what `cut_osm` keeps of it.

    Parameters
    ----------
    path
        A `.osm.pbf` file whose nodes stand before its ways and these before its relations, each by id.
    regions
        Polygons in degrees (WGS 84), at most `MAX_REGIONS`, shape `(n_region,)`.
    folder
        An empty folder for files in between: 16 bytes for each node of the file, and twice what is written.

    Yields
    ------
    cuts
        What was found; it can be written as long as the folder is there.

    Raises
    ------
    NetworkError
        If the file is missing, broken, not sorted, or holds objects that were never uploaded (negative ids).
    """
    file = PbfFile(path)
    with ExitStack() as stack:
        places = NodePlaces(folder / "nodes")
        stack.callback(places.close)
        cut = _Cut(file, regions, folder, places)
        stack.callback(cut.close)
        for piece in file.pieces():
            cut.take(piece)
        cut.take_outlines()
        cut.close()
        places.close()
        (folder / "nodes").unlink()
        yield RegionCuts(folder, cut.n_street)


@dataclass(frozen=True, eq=False)
class RegionCuts:
    """What lies in each region, in files on the way to their final form."""

    folder: Path
    n_street: IntArray  # (n_region,) ways with a `highway` tag

    def write(self, region: int, out: Path) -> None:
        """Write what lies in a region, sorted; there must be a street. What stands at `out` is replaced."""
        import osmium
        import osmium.io

        staged, outlines = _staged(self.folder, region), _outlines(self.folder, region)
        node = np.unique(np.fromfile(_nodes(self.folder, region), dtype=NODE))
        target = osmium.io.File(str(out), "pbf,add_metadata=none")
        with osmium.SimpleWriter(target, overwrite=True) as writer:
            begin = 0
            for item in osmium.FileProcessor(str(staged), osmium.osm.NODE):
                end = int(np.searchsorted(node["id"], item.id))
                _write_nodes(writer, node[begin:end])
                writer.add(item)
                begin = end + int(end < node.size and node["id"][end] == item.id)
            _write_nodes(writer, node[begin:])
            streams = [osmium.FileProcessor(str(f), osmium.osm.WAY) for f in (staged, outlines) if f.exists()]
            for items in osmium.zip_processors(*streams):
                writer.add(next(filter(None, items)))
            for item in osmium.FileProcessor(str(staged), osmium.osm.RELATION):
                writer.add(item)


def _write_nodes(writer: Any, node: NodeArray) -> None:  # noqa: ANN401
    """Write nodes without tags."""
    from osmium.osm.mutable import Node

    lon, lat = _degrees(node).T.tolist()
    for number, *place in zip(node["id"].tolist(), lon, lat, strict=True):
        writer.add_node(Node(id=number, location=tuple(place)))


def _staged(folder: Path, region: int) -> Path:
    """File of the tagged nodes, tagged ways and multipolygons of a region, in the order of the source."""
    return folder / f"{region}.osm.pbf"


def _outlines(folder: Path, region: int) -> Path:
    """File of the ways that only a multipolygon of a region asks for, without tags."""
    return folder / f"{region}-outlines.osm.pbf"


def _nodes(folder: Path, region: int) -> Path:
    """File of the nodes of the ways of a region, in any order, some more than once."""
    return folder / f"{region}-nodes"


class _Cut:
    """
    The state of one run through the file.

    What lies in which region is told by one number for both: the id times `MAX_REGIONS`, plus the region.
    """

    def __init__(self, file: PbfFile, regions: GeometryArray, folder: Path, places: NodePlaces) -> None:
        import osmium.io

        shapely.prepare(regions)
        self.file, self.regions, self.folder, self.places = file, regions, folder, places
        self.n_street = np.zeros(regions.size, dtype=np.int64)
        self.writers: dict[Path, Any] = {}
        self.threads = osmium.io.ThreadPool()
        self.kind, self.last_id = 0, -1  # 0 nodes, 1 ways, 2 relations: what came last
        self.touching = [_NONE]  # ways that touch a region
        self.staged = [_NONE]  # those of them that are written with their tags
        self.asked = [_NONE]  # ways of the multipolygons of a region
        self.way_pieces: list[tuple[int, int, int, int]] = []  # offset, size, first and last id

    def close(self) -> None:
        """Finish the files in between."""
        writers, self.writers = self.writers, {}
        for writer in writers.values():
            writer.close()

    def take(self, piece: PbfPiece) -> None:
        """Take a piece of the file, which comes after all before."""
        rows = self.file.rows(piece)
        self._check_order(rows)
        if rows.node.size:
            self.places.add(rows.node)
            self._take_tagged_nodes(piece, rows)
        if rows.way_id.size:
            self.way_pieces.append((piece.offset, piece.size, int(rows.way_id[0]), int(rows.way_id[-1])))
            self._take_ways(piece, rows)
        if rows.square_id.size:
            self._take_squares(piece, rows)

    def take_outlines(self) -> None:
        """Read those ways again that only multipolygons ask for."""
        asked = np.unique(np.concatenate(self.asked))
        way, region = np.divmod(asked[~np.isin(asked, np.concatenate(self.staged))], MAX_REGIONS)
        for offset, size, first_id, last_id in self.way_pieces:
            begin, end = np.searchsorted(way, [first_id, last_id + 1])
            if begin == end:
                continue
            refs: dict[int, list[int]] = {}
            for item, into in self._items(self.file.piece(offset, size), "way", way[begin:end], region[begin:end]):
                for r in into:
                    self._writer(_outlines(self.folder, r)).add(item.replace(tags={}))
                    refs.setdefault(r, []).extend(node.ref for node in item.nodes)
            for r, ref in refs.items():
                self._keep(r, self._places_of(np.array(ref, dtype=np.int64)))

    # ------------------------------------------------------------------------------------- each kind of object
    def _take_tagged_nodes(self, piece: PbfPiece, rows: PieceRows) -> None:
        at, is_there = _found(rows.node, rows.tagged_node)
        node = rows.node[at[is_there]]
        node = node[_is_valid(node)]
        point = np.asarray(shapely.points(_degrees(node)), dtype=object)
        region, which = shapely.STRtree(point).query(self.regions, "intersects")
        self._stage(piece, "node", node["id"][which], region)

    def _take_ways(self, piece: PbfPiece, rows: PieceRows) -> None:
        node = self._places_of(rows.ref)
        at, known = _found(node, rows.ref)
        count = np.add.reduceat(np.append(known, False), rows.way_first[:-1], dtype=np.int64)
        count[np.diff(rows.way_first) == 0] = 0
        drawn, line = polylines(_degrees(node[at[known]]), count)
        region, which = shapely.STRtree(line).query(self.regions, "intersects")
        way = drawn[which]
        self.touching.append(_keys(rows.way_id[way], region))
        is_tagged = rows.is_way_tagged[way]
        way, region = way[is_tagged], region[is_tagged]
        self.staged.append(_keys(rows.way_id[way], region))
        self._stage(piece, "way", rows.way_id[way], region)
        for r in np.unique(region).tolist():
            here = way[region == r]
            take, _ = take_runs(rows.way_first[here], np.diff(rows.way_first)[here])
            self._keep(r, node[np.unique(at[take[known[take]]])])

    def _take_squares(self, piece: PbfPiece, rows: PieceRows) -> None:
        """Keep a multipolygon where any of its ways touches the region, and ask for the others."""
        touching = np.concatenate(self.touching)
        way = np.where(rows.is_member_way, rows.member, -1)
        begin, end = (np.searchsorted(touching, (way + after) * MAX_REGIONS) for after in (0, 1))
        take, first = take_runs(begin, end - begin)
        owner = np.repeat(np.arange(rows.square_id.size), np.diff(rows.square_first))
        found = np.unique(np.repeat(owner, np.diff(first)) * MAX_REGIONS + touching[take] % MAX_REGIONS)
        square, region = np.divmod(found, MAX_REGIONS)
        self._stage(piece, "relation", rows.square_id[square], region)
        take, first = take_runs(rows.square_first[square], np.diff(rows.square_first)[square])
        member, is_way = rows.member[take], rows.is_member_way[take]
        region = np.repeat(region, np.diff(first))
        self.asked.append(_keys(member[is_way], region[is_way]))
        for r in np.unique(region[~is_way]).tolist():
            self._keep(r, self._places_of(member[~is_way & (region == r)]))

    # ----------------------------------------------------------------------------------------- files in between
    def _places_of(self, ref: IntArray) -> NodeArray:
        """Return the nodes of these ids that the file holds, by id."""
        node = self.places.find(np.unique(ref))
        return node[_is_valid(node)]

    def _keep(self, region: int, node: NodeArray) -> None:
        with _nodes(self.folder, region).open("ab") as stream:
            stream.write(node.tobytes())

    def _stage(self, piece: PbfPiece, entity: str, ids: IntArray, region: IntArray) -> None:
        """Copy objects of a piece to the files of the regions that keep them."""
        for item, into in self._items(piece, entity, ids, region):
            is_street = entity == "way" and "highway" in item.tags
            for r in into:
                self._writer(_staged(self.folder, r)).add(item)
                self.n_street[r] += is_street

    def _items(
        self, piece: PbfPiece, entity: str, ids: IntArray, region: IntArray
    ) -> Iterator[tuple[Any, list[int]]]:
        """Yield objects of a piece, each with the regions that it is paired with."""
        order = np.lexsort((region, ids))
        wanted, first = np.unique(ids[order], return_index=True)
        if not wanted.size:
            return
        into = dict(zip(wanted.tolist(), np.split(region[order], first[1:]), strict=True))
        for item in self.file.items(piece, entity, into):
            yield item, into[item.id].tolist()

    def _writer(self, path: Path) -> Any:  # noqa: ANN401
        import osmium
        import osmium.io

        if path not in self.writers:
            target = osmium.io.File(str(path), "pbf,add_metadata=none,pbf_compression=none")
            self.writers[path] = osmium.SimpleWriter(target, bufsz=_BUFFER_BYTES, thread_pool=self.threads)
        return self.writers[path]

    # ---------------------------------------------------------------------------------------------------- checks
    def _check_order(self, rows: PieceRows) -> None:
        """Refuse what does not come after everything before, or was never uploaded."""
        path = self.file.path
        kinds = (rows.node["id"], rows.way_id, rows.square_id)
        if any(ids.size and ids.min() < 0 for ids in (rows.tagged_node, *kinds)):
            raise never_uploaded(path)
        is_there = (rows.node.size > 0, rows.way_id.size > 0, rows.has_relation)
        for kind, ids in enumerate(kinds):
            if not is_there[kind]:
                continue
            before = np.append(self.last_id if kind == self.kind else -1, ids)
            if kind < self.kind or (np.diff(before) <= 0).any():
                msg = (
                    f"`{path}` is not sorted (nodes, ways, relations, each by its id), or holds an object twice. "
                    "Sort it: osmium sort."
                )
                zh = f"{path} 未排序（应依次为节点、线、关系，各按编号升序）或有重复对象，请先用 osmium sort 排序。"
                raise NetworkError(msg, zh=zh)
            self.kind, self.last_id = kind, int(before[-1])


def _keys(ids: IntArray, region: IntArray) -> IntArray:
    """Return ids with their regions, each pair once, ascending."""
    return np.unique(ids * MAX_REGIONS + region)


def _found(node: NodeArray, ids: IntArray) -> tuple[IntArray, BoolArray]:
    """Return where each id stands among nodes that ascend, and whether it does."""
    at = np.searchsorted(node["id"], ids)
    is_there = at < node.size
    is_there[is_there] = node["id"][at[is_there]] == ids[is_there]
    return at, is_there


def _is_valid(node: NodeArray) -> BoolArray:
    """Whether each node has a place on Earth."""
    return np.asarray((np.abs(_degrees(node)) <= _FARTHEST).all(axis=1))


def _degrees(node: NodeArray) -> FloatArray:
    """Return longitudes and latitudes, shape `(n_node, 2)`, to the last bit as libosmium tells them."""
    return np.column_stack([node["x"], node["y"]]) / _TO_DEGREES
