"""What may be opened in a town, and whom it would serve that nothing serves today: as arrays, and as a file."""

from __future__ import annotations

import dataclasses
import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray, StrArray
from ..candidates import study_candidates
from ..coverage import cover
from ..doors import locate_facilities
from ..errors import InputError, OutputError
from ..locate import CoverPart
from ..locate._components import independent_parts
from ..locate._form import Csr
from ..model import Facilities, Study, TravelTimes
from ..pipeline import Ground, demand_positions
from ..serving import study_serving
from ..suggestions import site_options
from ..travel_times import limit_in_ms, times_between

CHOICE_FILE = "choice.npz"
#: arrays of the file with their kinds and dimensions
_KINDS: Mapping[str, tuple[Any, int]] = MappingProxyType(
    {
        "key": (np.str_, 0), "start": (np.int64, 1), "option": (np.int32, 1), "weight": (np.float64, 1),
        "row": (np.int64, 1), "group": (np.int64, 1), "candidate": (np.int64, 1), "ids": (np.str_, 1),
        "names": (np.str_, 1), "lonlat": (np.float64, 2), "told": (np.float64, 1),
    }
)  # fmt: skip
#: no file holds more, whatever it is packed to
_MOST_BYTES = 2**31
#: what reading a file raises that is not whole, or another
_BROKEN = (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class Choice:
    """The riders of a town whom nothing covers within its largest break, and what could cover them."""

    covers: Csr  # (n_row, n_option)
    weight: FloatArray  # (n_row,) riders
    row: IntArray  # (n_row,) position of the demand point among those of the study
    group: IntArray  # (n_option,) 0 a station, 1 a shop
    candidate: IntArray  # (n_option,) position in the next three
    ids: StrArray  # (n_candidate,)
    names: StrArray
    lonlat: FloatArray  # (n_candidate, 2)
    riders: float  # all of the town
    covered: float  # of these today

    def parts(self) -> list[tuple[CoverPart, IntArray, IntArray]]:
        """Return its independent parts, each with its rows and its options."""
        made = []
        for rows, options in independent_parts(self.covers, self.weight, self.candidate):
            covers = self.covers[rows][:, options]
            part = CoverPart(covers, self.weight[rows], self.group[options], self.candidate[options])
            made.append((part, rows, options))
        return made


def choice_of(study: Study, ground: Ground, kinds: tuple[bool, bool]) -> Choice:
    """
    Return what may be opened in a town, by the sources and the ban list of its study.

    Parameters
    ----------
    study
        Of the town; its counts, and its rules but for `must_not`, do not matter.
    ground
        On which it is laid.
    kinds
        Whether stations, and whether shops may be opened. Kinds without a candidate are left out.

    Raises
    ------
    InputError
        If its candidates are wrong.
    """
    roads, _, demand, _ = ground
    network = roads.network
    serving = study_serving(study, network)
    at, limit_s = demand_positions(demand), network.profile.cutoff_s(study.minutes[-1])

    def search(frame: gpd.GeoDataFrame) -> TravelTimes:
        served_by = Facilities(frame)
        there = locate_facilities(served_by, network, max_m=study.max_snap_m)
        return times_between(
            network, at, served_by, there, limit_ms=limit_in_ms(limit_s), direction=study.direction
        )

    today = cover(search(serving.facilities), demand, minutes=study.minutes)
    candidates = _candidates(study, ground, serving.every, kinds)
    times = search(candidates[["geometry"]])
    shop_s = min(limit_s, times.profile.own_cutoff_s(study.shop_minutes))
    options = site_options(candidates, times, limits_s=(limit_s, shop_s))
    covered = today.covered[:, -1]
    rows = np.flatnonzero(~covered & (today.weight > 0))
    may_be = ~candidates.index.astype(str).isin(study.siting.must_not)[options.candidate]
    may_be &= np.array(kinds)[options.group]
    which = np.flatnonzero(may_be)
    points = candidates.geometry
    return Choice(
        covers=options.covers[rows][:, which],
        weight=today.weight[rows],
        row=rows.astype(np.int64),
        group=options.group[which],
        candidate=options.candidate[which],
        ids=candidates.index.astype(str).to_numpy(dtype=object),
        names=candidates["name"].astype(str).to_numpy(dtype=object),
        lonlat=np.column_stack([points.x, points.y]),
        riders=float(today.weight.sum()),
        covered=float(today.weight[covered].sum()),
    )


def _candidates(
    study: Study, ground: Ground, facilities: gpd.GeoDataFrame, kinds: tuple[bool, bool]
) -> gpd.GeoDataFrame:
    """Return the candidates of the kinds that are asked for; where there is no shop, of the other kind."""
    roads = ground.roads

    def found(stations: int, shops: int) -> gpd.GeoDataFrame:
        rule = dataclasses.replace(study.suggest, stations=stations, shops=shops)
        own = dataclasses.replace(study, suggest=rule)
        return study_candidates(own, roads.network, roads.places, facilities).frame

    try:
        return found(*map(int, kinds))
    except InputError:  # there is no shop: what else is wrong is wrong without shops, too
        if not kinds[1]:
            raise
        return found(int(kinds[0]), 0)


# ------------------------------------------------------------------------------------------------------- as a file
def packed_choice(choice: Choice, key: str) -> bytes:
    """Return a choice as a file of numbers and text, with the key of what it was made of."""
    made = io.BytesIO()
    np.savez_compressed(
        made,
        key=np.array(key),
        start=choice.covers.indptr.astype(np.int64),
        option=choice.covers.indices.astype(np.int32),
        weight=choice.weight,
        row=choice.row,
        group=choice.group.astype(np.int64),
        candidate=choice.candidate.astype(np.int64),
        ids=choice.ids.astype(np.str_),
        names=choice.names.astype(np.str_),
        lonlat=choice.lonlat,
        told=np.array([choice.riders, choice.covered]),
    )
    return made.getvalue()


def is_choice_of(packed: bytes, key: str) -> bool:
    """Whether a file holds the choice of a key, whole."""
    try:
        return _unpacked(packed)[0] == key
    except _BROKEN:
        return False


def read_choice(path: Path) -> Choice:
    """
    Read what `packed_choice` made.

    Raises
    ------
    OutputError
        If it is not whole.
    """
    try:
        return _unpacked(path.read_bytes())[1]
    except _BROKEN as error:
        msg = f"`{path}` is not whole: {error}."
        raise OutputError(msg, zh=f"{path} 不完整：{error}。") from error


def _unpacked(packed: bytes) -> tuple[str, Choice]:
    """
    Return the key and the choice of a file that may come from anywhere.

    Raises
    ------
    ValueError, OSError, EOFError, KeyError, IndexError, zipfile.BadZipFile, zlib.error
        If it is not one that `packed_choice` made.
    """
    found = _arrays(packed)
    start, option, weight, row = (found[name] for name in ("start", "option", "weight", "row"))
    group, candidate, ids, names = (found[name] for name in ("group", "candidate", "ids", "names"))
    _need(start.size == weight.size + 1 and start[0] == 0 and start[-1] == option.size and _rises(start))
    _need(_lies(option, group.size) and _lies(group, 2) and _lies(candidate, ids.size))
    _need(row.shape == weight.shape and bool((row >= 0).all()) and group.shape == candidate.shape)
    _need(bool(np.isfinite(weight).all() and (weight >= 0).all()) and ids.shape == names.shape)
    lonlat, told = found["lonlat"], found["told"]
    _need(lonlat.shape == (ids.size, 2) and bool(np.isfinite(lonlat).all() and (np.abs(lonlat) <= [180, 90]).all()))
    _need(told.shape == (2,) and bool(np.isfinite(told).all()) and 0 <= told[1] <= told[0])
    ones: BoolArray = np.ones(option.size, np.bool_)
    covers = sparse.csr_array((ones, option, start), shape=(weight.size, group.size))
    covers.sum_duplicates()
    choice = Choice(
        covers=covers,
        weight=weight,
        row=row,
        group=group,
        candidate=candidate,
        ids=ids.astype(object),
        names=names.astype(object),
        lonlat=lonlat,
        riders=float(told[0]),
        covered=float(told[1]),
    )
    return str(found["key"]), choice


def _arrays(packed: bytes) -> dict[str, Any]:
    """Return the arrays of a file, no others and of no other kind, and no more of them than it says."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        _need(sizes.keys() == {f"{name}.npy" for name in _KINDS} and sum(sizes.values()) <= _MOST_BYTES)
        for name, (kind, n_dim) in _KINDS.items():
            with archive.open(f"{name}.npy") as stream:
                _need(np.lib.format.read_magic(stream) == (1, 0))
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            _need(len(shape) == n_dim and (dtype.kind == "U" if kind is np.str_ else dtype == kind))
            _need(math.prod(shape) * dtype.itemsize <= sizes[f"{name}.npy"])
    with np.load(io.BytesIO(packed), allow_pickle=False) as told:
        return {name: told[name] for name in _KINDS}


def _need(holds: bool) -> None:
    if not holds:
        msg = "its arrays do not fit together"
        raise ValueError(msg)


def _rises(start: IntArray) -> bool:
    return bool((np.diff(start) >= 0).all())


def _lies(values: IntArray, end: int) -> bool:
    return bool(((values >= 0) & (values < end)).all())
