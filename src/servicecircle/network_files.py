"""
A network as one file: numbers and text, never code, and nothing in it trusted when it is read.

A line with the format, a checksum of the rest, the length of a JSON text (counts, CRS, names, report), that text,
and the arrays of `_LAYOUT`, one behind the other. The counts say how long each array is, and so the whole file.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError

from ._validate import GeometryArray, StrArray
from .errors import Fault
from .model import Network, NetworkReport
from .params import TravelProfile

#: changes with anything that a file holds
FORMAT = b"servicecircle network 1\n"
_DIGEST = 32
_LENGTH = 8  # bytes that say how long the JSON text is; it is filled up so that arrays begin at a multiple of them

#: name, type and shape of each array, in terms of the counts; the longest numbers first, so that all are aligned
_LAYOUT: tuple[tuple[str, str, tuple[str | int, ...]], ...] = (
    ("node_xy", "<f8", ("node", 2)),
    ("tail", "<i8", ("edge",)),
    ("head", "<i8", ("edge",)),
    ("seconds", "<f8", ("edge",)),
    ("length_m", "<f8", ("edge",)),
    ("way_id", "<i8", ("edge",)),
    ("street", "<i8", ("edge",)),
    ("street_edge", "<i8", ("street", 2)),
    ("part", "<i8", ("node",)),
    ("part_m", "<f8", ("part",)),
    ("corner_xy", "<f8", ("corner", 2)),  # of the streets' geometries
    ("n_corner", "<i4", ("street",)),
    ("name", "<i4", ("street",)),  # position in the JSON text's list
    ("class", "<i4", ("street",)),
    ("is_admissible", "|u1", ("edge",)),
)
_COUNTS = ("node", "edge", "street", "part", "corner")
_COUNTED = ("node_xy", "tail", "street_edge", "part_m", "corner_xy")  # arrays that have so many rows
_OWN = frozenset({"corner_xy", "n_corner", "name", "class", "is_admissible"})  # the others are the network's

Arrays = dict[str, npt.NDArray[Any]]


class UnusableError(Exception):
    """A file is not a whole network, or a network cannot be put into a file and come back the same."""


# -------------------------------------------------------------------------------------------------------- writing
def packed_network(network: Network) -> list[bytes]:
    """
    Return what to write, one piece behind the other, into the file of a network that `build_network` made.

    Raises
    ------
    UnusableError
        If it would not be the same again when read: a way back that is drawn otherwise than its street, say.
    """
    lines = network.street_geometry
    corner_xy, of = shapely.get_coordinates(lines, return_index=True)
    names, name = _listed(network.street_name)
    classes, road_class = _listed(network.street_class)
    arrays: Arrays = {key: getattr(network, key) for key, _, _ in _LAYOUT if key not in _OWN}
    arrays |= {
        "corner_xy": corner_xy,
        "n_corner": np.bincount(of, minlength=network.n_street).astype(np.int32),
        "name": name,
        "class": road_class,
        "is_admissible": network.is_admissible.view(np.uint8),
    }
    text = {
        "counts": {key: len(arrays[name]) for key, name in zip(_COUNTS, _COUNTED, strict=True)},
        "crs": _crs_text(network.crs),
        "names": names,
        "classes": classes,
        "source": network.report.source,
        "report": [[key, _number(value)] for key, value in network.report.counts.items()],
        "warnings": [vars(fault) for fault in network.report.warnings],
    }
    _check(arrays, names=len(names), classes=len(classes))
    if not shapely.equals_exact(_edge_lines(lines, arrays), network.geometry).all():
        msg = "an edge is not drawn as its street"
        raise UnusableError(msg)
    return _sealed(text, arrays)


def _sealed(text: dict[str, Any], arrays: Arrays) -> list[bytes]:
    """Return the pieces of a file."""
    said = json.dumps(text).encode("ascii")
    said += b" " * (-(len(FORMAT) + _DIGEST + len(said)) % _LENGTH)
    body = [len(said).to_bytes(_LENGTH, "little"), said]
    for key, kind, _ in _LAYOUT:
        if arrays[key].dtype != np.dtype(kind):
            msg = f"`{key}` is {arrays[key].dtype}"
            raise UnusableError(msg)
        body.append(np.ascontiguousarray(arrays[key]).tobytes())
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for piece in body:
        digest.update(piece)
    return [FORMAT, digest.digest(), *body]


def _listed(texts: StrArray) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Return the different texts and the position of each street's among them."""
    position: dict[str, int] = {}
    codes = np.array([position.setdefault(text, len(position)) for text in texts.tolist()], dtype=np.int32)
    if not all(type(text) is str for text in position):
        msg = "a name is no text"
        raise UnusableError(msg)
    return list(position), codes


def _crs_text(crs: CRS) -> str:
    """Return the text that `_crs` makes the same CRS of."""
    authority = crs.to_authority(min_confidence=100)
    for text in ([":".join(authority)] if authority else []) + [crs.to_wkt()]:
        if _crs(text) == crs:
            return text
    msg = f"the CRS {crs.name} has no text of its own"
    raise UnusableError(msg)


def _number(value: float) -> float:
    """Return a count as JSON can hold it."""
    plain = value.item() if isinstance(value, np.generic) else value
    if type(plain) not in {int, float}:
        msg = f"a count is {value!r}"
        raise UnusableError(msg)
    return plain


# -------------------------------------------------------------------------------------------------------- reading
def load_network(path: Path, profile: TravelProfile) -> Network:
    """
    Return the network of a file of `packed_network`; its profile comes from whoever knows what was asked.

    Raises
    ------
    UnusableError
        If anything in the file is not as it is written: cut off, damaged, of another format, a position that does
        not exist.
    OSError
        If the file cannot be read.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for without end
        msg = "no file"
        raise UnusableError(msg)
    data = np.fromfile(path, dtype=np.uint8)
    try:
        text, arrays = _parts(data)
        _check(arrays, names=len(text["names"]), classes=len(text["classes"]))
        return _network(text, arrays, profile)
    except (LookupError, TypeError, ValueError, RecursionError, shapely.errors.ShapelyError) as error:
        msg = str(error) or type(error).__name__
        raise UnusableError(msg) from error


def _parts(data: npt.NDArray[np.uint8]) -> tuple[dict[str, Any], Arrays]:
    """Return the text and the arrays of a file with the right checksum and length."""
    start = len(FORMAT) + _DIGEST
    if data[: len(FORMAT)].tobytes() != FORMAT:
        msg = "another format"
        raise UnusableError(msg)
    digest = hashlib.blake2b(data[start:].data, digest_size=_DIGEST).digest()
    if digest != data[len(FORMAT) : start].tobytes():
        msg = "cut off or damaged"
        raise UnusableError(msg)
    at = start + _LENGTH
    end = at + int.from_bytes(data[start:at].tobytes(), "little")
    text = json.loads(data[at:end].tobytes())
    counts = text["counts"]
    if not all(type(counts[key]) is int and counts[key] >= 0 for key in _COUNTS):
        msg = "a count is no whole number"
        raise UnusableError(msg)
    arrays = {}
    for key, kind, named in _LAYOUT:
        shape = tuple(counts[n] if isinstance(n, str) else n for n in named)
        at, end = end, end + math.prod(shape) * np.dtype(kind).itemsize
        if end > data.size:
            msg = "longer than the file"
            raise UnusableError(msg)
        arrays[key] = data[at:end].view(kind).reshape(shape)
    if end != data.size:
        msg = "shorter than the file"
        raise UnusableError(msg)
    return text, arrays


def _network(text: dict[str, Any], arrays: Arrays, profile: TravelProfile) -> Network:
    """Return the network of checked arrays, and of a text that is checked here."""
    first = np.concatenate([[0], np.cumsum(arrays["n_corner"], dtype=np.int64)])
    lines = shapely.from_ragged_array(shapely.GeometryType.LINESTRING, arrays["corner_xy"], (first,))
    names, classes = (np.array(_texts(text[key]), dtype=object) for key in ("names", "classes"))
    return Network(
        crs=_crs(text["crs"]),
        geometry=_edge_lines(lines, arrays),
        street_name=names[arrays["name"]],
        street_class=classes[arrays["class"]],
        is_admissible=arrays["is_admissible"].view(np.bool_),
        profile=profile,
        report=NetworkReport(
            source=_texts([text["source"]])[0],
            counts=MappingProxyType({_texts([key])[0]: _number(value) for key, value in text["report"]}),
            warnings=tuple(_fault(**told) for told in text["warnings"]),
        ),
        intervals=None,
        **{key: arrays[key] for key, _, _ in _LAYOUT if key not in _OWN},
    )


def _edge_lines(lines: GeometryArray, arrays: Arrays) -> GeometryArray:
    """Return the geometry of each edge: its street's, or that turned round on the way back."""
    street = arrays["street"]
    made = lines[street]
    is_back = arrays["street_edge"][street, 1] == np.arange(street.size)
    made[is_back] = shapely.reverse(made[is_back])
    return made


def _crs(text: str) -> CRS:
    """Return the CRS of a text that is an EPSG code or WKT, and no name of a file."""
    try:
        code = re.fullmatch(r"EPSG:(\d{1,9})", text)
        return CRS.from_epsg(int(code[1])) if code else CRS.from_wkt(text)
    except ProjError as error:
        msg = f"its CRS is not known: {error}"
        raise UnusableError(msg) from error


def _texts(values: object) -> list[str]:
    """Return a list of texts."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        msg = "a text is missing"
        raise UnusableError(msg)
    return values


def _fault(**told: Any) -> Fault:  # noqa: ANN401
    """Return a warning of the report."""
    row, rows = told.pop("row"), told.pop("rows")
    places = {key: told.pop(key) for key in ("file", "sheet", "column")}
    _texts([*told.values(), *(place for place in places.values() if place is not None)])
    if told["level"] not in {"error", "warning"} or not (row is None or type(row) is int):
        msg = "a warning is not as it was"
        raise UnusableError(msg)
    if not isinstance(rows, list) or not all(type(one) is int for one in rows):
        msg = "the rows of a warning are not as they were"
        raise UnusableError(msg)
    return Fault(**told, **places, row=row, rows=tuple(rows))


# --------------------------------------------------------------------------------------------------------- checks
def _check(arrays: Arrays, *, names: int, classes: int) -> None:
    """Raise if a position does not exist, a number is not finite, or edges and streets do not fit."""
    counts = {key: len(arrays[name]) for key, name in zip(_COUNTS, _COUNTED, strict=True)}
    bounds = {
        "tail": (0, counts["node"]),
        "head": (0, counts["node"]),
        "street": (0, counts["street"]),
        "street_edge": (-1, counts["edge"]),
        "part": (0, counts["part"]),
        "n_corner": (2, counts["corner"] + 1),
        "name": (0, names),
        "class": (0, classes),
        "is_admissible": (0, 2),
    }
    for key, (low, end) in bounds.items():
        if arrays[key].size and (arrays[key].min() < low or arrays[key].max() >= end):
            msg = f"`{key}` is out of bounds"
            raise UnusableError(msg)
    for key in ("node_xy", "corner_xy", "seconds", "length_m", "part_m"):
        if not np.isfinite(arrays[key]).all():
            msg = f"`{key}` is not finite"
            raise UnusableError(msg)
    if not _edges_fit(arrays) or int(arrays["n_corner"].sum(dtype=np.int64)) != counts["corner"]:
        msg = "edges, streets and corners do not fit"
        raise UnusableError(msg)


def _edges_fit(arrays: Arrays) -> bool:
    """Whether each street has its one or two edges, each edge its street, and the way back its ends turned."""
    ahead, back = arrays["street_edge"].T
    tail, head, street, part = (arrays[key] for key in ("tail", "head", "street", "part"))
    two_way = np.flatnonzero(back >= 0)
    there, again = ahead[two_way], back[two_way]
    return bool(
        (ahead >= 0).all()
        and ahead.size + two_way.size == street.size
        and (street[ahead] == np.arange(ahead.size)).all()
        and (street[again] == two_way).all()
        and (there != again).all()
        and (tail[again] == head[there]).all()
        and (head[again] == tail[there]).all()
        and (part[tail] == part[head]).all()
    )
