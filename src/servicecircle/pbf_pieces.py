"""
OpenStreetMap PBF files a few megabytes at a time, decoded by libosmium into arrays.

A PBF file is a header and blobs, each of which is compressed by itself. The header and any of the blobs are a PBF
file of their own, in memory; so a file of any size is read in pieces, and any of them can be read again.
"""

from __future__ import annotations

import array
import tempfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ._validate import BoolArray, IntArray
from .osm import clear_errors

#: a node as libosmium writes it into a file: its id, and its place in 1e-7 degrees
NODE = np.dtype([("id", "<i8"), ("x", "<i4"), ("y", "<i4")])
NodeArray = npt.NDArray[np.void]
#: a piece ends with the blob that reaches so many bytes, unpacked: some 130,000 nodes, or 50,000 ways
PIECE_BYTES = 2**20
#: what the format allows, https://wiki.openstreetmap.org/wiki/PBF_Format
_LONGEST_HEADER, _LARGEST_BLOB = 64 * 2**10, 32 * 2**20
_TYPE, _SIZE = 1, 3  # fields of a blob's header
_UNPACKED, _SIZE_WITHIN = 2, 16  # field of a blob, where it is packed, and the bytes within which it stands
_NUMBER, _TEXT = 0, 2  # how a field is written


@dataclass(frozen=True)
class PbfPiece:
    """Some blobs of a file."""

    offset: int
    size: int
    data: bytes  # with the file's header before them


@dataclass(frozen=True, eq=False)
class PieceRows:
    """Everything in a piece that tells where it lies, in the order of the file."""

    node: NodeArray  # (n_node,) of type NODE
    tagged_node: IntArray  # (n_tagged,) ids
    way_id: IntArray  # (n_way,)
    is_way_tagged: BoolArray
    way_first: IntArray  # (n_way + 1,) nodes of way w: `ref[way_first[w] : way_first[w + 1]]`
    ref: IntArray
    square_id: IntArray  # (n_square,) multipolygon relations
    square_first: IntArray  # (n_square + 1,) likewise
    member: IntArray
    is_member_way: BoolArray  # (n_member,) false: a node
    has_relation: bool  # of any kind


class PbfFile:
    """
    A PBF file, read in pieces.

    Raises
    ------
    NetworkError
        If the file is missing, broken, truncated or no PBF; from every method.
    """

    def __init__(self, path: str | Path) -> None:
        import osmium.io

        self.path = Path(path)
        self._threads = osmium.io.ThreadPool()
        with clear_errors(path), self.path.open("rb") as stream:
            kind, self._header, _ = next(_blobs(stream), (b"", b"", 0))
            if kind != b"OSMHeader":
                msg = "it does not begin with the header of a PBF file"
                raise ValueError(msg)

    def pieces(self) -> Iterator[PbfPiece]:
        """Yield the whole file, once, from its begin to its end."""
        with clear_errors(self.path), self.path.open("rb") as stream:
            offset = stream.seek(len(self._header))
            data, unpacked = bytearray(self._header), 0
            for _, blob, size in _blobs(stream):
                data += blob
                unpacked += size
                if unpacked >= PIECE_BYTES:
                    yield PbfPiece(offset, stream.tell() - offset, bytes(data))
                    offset, data, unpacked = stream.tell(), bytearray(self._header), 0
            if len(data) > len(self._header):
                yield PbfPiece(offset, stream.tell() - offset, bytes(data))

    def piece(self, offset: int, size: int) -> PbfPiece:
        """Return a piece once more."""
        with clear_errors(self.path), self.path.open("rb") as stream:
            stream.seek(offset)
            return PbfPiece(offset, size, self._header + stream.read(size))

    def rows(self, piece: PbfPiece) -> PieceRows:
        """Return what a piece holds. Nodes without tags never become Python objects."""
        import osmium
        import osmium.io

        columns = _Columns()
        with tempfile.TemporaryDirectory() as folder, clear_errors(self.path):
            file = Path(folder) / "nodes"
            table = osmium.index.create_map(f"sparse_file_array,{file}")
            places = osmium.NodeLocationsForWays(table)
            places.apply_nodes_to_ways = False
            passing = _no_bare_nodes()  # it must be held as long as it is used
            with osmium.io.Reader(self._buffer(piece), osmium.osm.OBJECT, self._threads) as reader:
                for item in osmium.OsmFileIterator(reader, places, passing):
                    columns.add(item)
            node = np.fromfile(file, dtype=NODE, count=table.used_memory() // NODE.itemsize)
            del places, table  # libosmium lets go of the file
        return columns.rows(node)

    def items(self, piece: PbfPiece, entity: str, ids: Container[int]) -> Iterator[Any]:
        """Yield those tagged nodes, ways or relations of a piece that have one of the ids; each until the next."""
        import osmium

        # libosmium's own filter by ids takes 4 MB for each 33 million ids between the first and the last
        entities = {"node": osmium.osm.NODE, "way": osmium.osm.WAY, "relation": osmium.osm.RELATION}
        stream = osmium.FileProcessor(self._buffer(piece), entities[entity], thread_pool=self._threads)
        yield from (item for item in stream.with_filter(_no_bare_nodes()) if item.id in ids)

    def _buffer(self, piece: PbfPiece) -> Any:  # noqa: ANN401
        import osmium.io

        return osmium.io.FileBuffer(piece.data, "pbf")


def _no_bare_nodes() -> Any:  # noqa: ANN401
    """Return a filter that lets everything pass but nodes without tags."""
    import osmium.filter

    bare = osmium.filter.EmptyTagFilter()
    bare.enable_for(osmium.osm.NODE)
    return bare


def _blobs(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield the kind of each blob from where the file stands, itself with its header, and its size unpacked."""
    while size := stream.read(4):
        length = int.from_bytes(size, "big")
        header = stream.read(length) if len(size) == 4 and length <= _LONGEST_HEADER else b""  # noqa: PLR2004
        fields = _fields(header)
        kind, wanted = fields.get(_TYPE), fields.get(_SIZE)
        if not isinstance(kind, bytes) or not isinstance(wanted, int) or wanted > _LARGEST_BLOB:
            msg = "there is no blob of a PBF file where one should begin"
            raise ValueError(msg)
        body = stream.read(wanted)
        if len(body) < wanted:
            msg = "its last blob is not whole"
            raise ValueError(msg)
        told = _fields(body[:_SIZE_WITHIN]).get(_UNPACKED)
        yield kind, size + header + body, told if isinstance(told, int) else wanted


def _fields(message: bytes) -> dict[int, int | bytes]:
    """Return the fields of a short protobuf message up to one that is neither a number nor a text."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == _TEXT:
            found[key >> 3], at = message[at : at + value], at + value
        elif key & 7 == _NUMBER:
            found[key >> 3] = value
        else:
            break
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins there, seven bits a byte, and where it ends."""
    value = shift = 0
    for end, byte in enumerate(message[at:], at + 1):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004
            return value, end
        shift += 7
    return value, len(message)


class _Columns:
    """Objects of a piece as growing flat arrays."""

    def __init__(self) -> None:
        self.tagged_node, self.way_id, self.way_size = array.array("q"), array.array("q"), array.array("q")
        self.ref, self.is_way_tagged = array.array("q"), array.array("b")
        self.square_id, self.square_size = array.array("q"), array.array("q")
        self.member, self.is_member_way = array.array("q"), array.array("b")
        self.has_relation = False

    def add(self, item: Any) -> None:  # noqa: ANN401
        if item.is_way():
            refs = [node.ref for node in item.nodes]
            self.way_id.append(item.id)
            self.way_size.append(len(refs))
            self.ref.extend(refs)
            self.is_way_tagged.append(len(item.tags) > 0)
        elif item.is_node():
            self.tagged_node.append(item.id)
        elif item.is_relation():
            self.has_relation = True
            if item.tags.get("type") == "multipolygon":
                members = [(member.ref, member.type == "w") for member in item.members if member.type in "nw"]
                self.square_id.append(item.id)
                self.square_size.append(len(members))
                self.member.extend(ref for ref, _ in members)
                self.is_member_way.extend(is_way for _, is_way in members)

    def rows(self, node: NodeArray) -> PieceRows:
        def ids(column: Any) -> IntArray:  # noqa: ANN401
            return np.array(column, dtype=np.int64)

        def firsts(size: Any) -> IntArray:  # noqa: ANN401
            return np.concatenate([[0], np.cumsum(ids(size))])

        return PieceRows(
            node=node,
            tagged_node=ids(self.tagged_node),
            way_id=ids(self.way_id),
            is_way_tagged=np.array(self.is_way_tagged, dtype=bool),
            way_first=firsts(self.way_size),
            ref=ids(self.ref),
            square_id=ids(self.square_id),
            square_first=firsts(self.square_size),
            member=ids(self.member),
            is_member_way=np.array(self.is_member_way, dtype=bool),
            has_relation=self.has_relation,
        )
