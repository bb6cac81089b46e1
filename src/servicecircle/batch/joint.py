"""One budget of new sites for all towns of a batch: the joint plan."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import geopandas as gpd
import numpy as np
import pandas as pd

from .._validate import FloatArray, IntArray, StrArray
from ..errors import InputError
from ..locate import CoverPart, PartsPlan, mclp_of_parts
from ..locate._form import Csr
from ..model import Kind
from ..suggestions import KINDS, Gain, ranked_gains, without_needless
from .choices import Choice, read_choice

#: most stations, and most shops, of a joint plan
MOST_SITES = 10_000
WGS84 = "EPSG:4326"
#: towns whose files are held at a time
_HELD = 4


@dataclass(frozen=True, eq=False)
class Joint:
    """A plan of new sites for many towns together, and how good that provably is."""

    asked: tuple[int, int]  # stations and shops at most
    sites: gpd.GeoDataFrame  # points in WGS 84, by rank: `rank`, `town`, `id`, `name`, `kind`, `riders_gained`
    gained: pd.Series  # index town: riders of it that new sites serve, be they in it or beside it
    riders: float  # of all towns that have a plan
    covered: float  # of these today, each within the largest break of its town
    objective: float  # covered with the sites
    bound: float  # no plan covers more
    status: str  # optimal, feasible
    n_searches: int
    is_interrupted: bool = False

    @property
    def gap(self) -> float:
        """Riders that another plan may cover beyond this one, as a share of the bound."""
        return 0.0 if self.status == "optimal" else (self.bound - self.objective) / self.bound


@dataclass(frozen=True, eq=False)
class Whole:
    """A city as one question: its choice, and of whom each demand point and each candidate is."""

    choice: Choice
    town_of_row: StrArray  # (n_row,)
    town_of_candidate: StrArray  # (n_candidate,)


def joint_of_city(whole: Whole, asked: tuple[int, int], *, time_limit_s: float) -> Joint:
    """Return the joint plan of a city whose towns may share candidates: one whose riders are beyond the border."""
    choice = whole.choice
    parts = choice.parts()
    plan = _searched([part for part, _, _ in parts], asked, time_limit_s)
    rows = []
    gained: dict[str, list[float]] = {}
    for (part, at, options), chosen in zip(parts, plan.chosen, strict=True):
        for gain in _gains(part, chosen):
            candidate = int(choice.candidate[options[gain.option]])
            rows.append(_site(choice, candidate, str(whole.town_of_candidate[candidate]), part, gain))
            for town, riders in zip(whole.town_of_row[at[gain.rows]], part.weight[gain.rows], strict=True):
                gained.setdefault(str(town), []).append(float(riders))
    totals = choice.riders, choice.covered
    return _joint(asked, rows, {town: math.fsum(riders) for town, riders in gained.items()}, totals, plan)


def joint_of_towns(files: Mapping[str, Path], asked: tuple[int, int], *, time_limit_s: float) -> Joint:
    """
    Return the joint plan of towns that are studies of their own: town -> file of its choice.

    Raises
    ------
    OutputError
        If a file is not whole.
    """
    parts = _PartsOfFiles(files)
    plan = _searched(parts, asked, time_limit_s)
    rows, gained = [], dict[str, list[float]]()
    for k, chosen in enumerate(plan.chosen):
        if not chosen.size:
            continue
        town, (part, _, options) = parts.town(k), parts.part(k)
        choice = read_choice(files[town])
        for gain in _gains(part, chosen):
            rows.append(_site(choice, int(choice.candidate[options[gain.option]]), town, part, gain))
            gained.setdefault(town, []).append(gain.riders)
    sums = {town: math.fsum(riders) for town, riders in gained.items()}
    return _joint(asked, rows, sums, parts.totals, plan)


def check_joint(stations: int, shops: int) -> tuple[int, int] | None:
    """
    Return how many stations and shops a joint plan may have; None where none is asked for.

    Raises
    ------
    InputError
        If a number is none, negative or too large.
    """
    for name, count in (("joint_stations", stations), ("joint_shops", shops)):
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 0 <= count <= MOST_SITES:
            msg = f"`{name}` must be a whole number from 0 to {MOST_SITES}, got {count!r}."
            raise InputError(msg, zh=f"统筹数量 {name} 应为 0 到 {MOST_SITES} 的整数，现为 {count!r}。")
    return (int(stations), int(shops)) if stations or shops else None


class _PartsOfFiles(Sequence[CoverPart]):
    """The independent parts of all towns, read from their files as they are asked for."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._of: list[tuple[str, int]] = []
        self._read = lru_cache(maxsize=_HELD)(_read)  # its own: another batch may have written the same files anew
        riders, covered = [], []
        for town, file in files.items():
            choice, parts = self._read(file)
            self._of += [(town, k) for k in range(len(parts))]
            riders.append(choice.riders)
            covered.append(choice.covered)
        self.totals = math.fsum(riders), math.fsum(covered)

    def __len__(self) -> int:
        return len(self._of)

    @overload
    def __getitem__(self, k: int) -> CoverPart: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[CoverPart]: ...
    def __getitem__(self, k: int | slice) -> CoverPart | Sequence[CoverPart]:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        return self.part(k)[0]

    def town(self, k: int) -> str:
        """Return the town of a part."""
        return self._of[k][0]

    def part(self, k: int) -> tuple[CoverPart, IntArray, IntArray]:
        """Return a part with its rows and its options in its town's choice."""
        town, own = self._of[k]
        return self._read(self._files[town])[1][own]


def _read(file: Path) -> tuple[Choice, list[tuple[CoverPart, IntArray, IntArray]]]:
    choice = read_choice(file)
    return choice, choice.parts()


def _searched(parts: Sequence[CoverPart], asked: tuple[int, int], time_limit_s: float) -> PartsPlan:
    return mclp_of_parts(parts, asked, time_limit_s=None if math.isinf(time_limit_s) else time_limit_s)


def _gains(part: CoverPart, chosen: IntArray) -> Iterator[Gain]:
    """Yield what each chosen option adds in rank order; those that add nothing are left out."""
    covers: Csr = part.covers  # type: ignore[assignment]
    weight: FloatArray = part.weight
    yield from ranked_gains(covers, weight, without_needless(covers, weight, chosen))


def _site(choice: Choice, candidate: int, town: str, part: CoverPart, gain: Gain) -> dict[str, Any]:
    assert part.group is not None
    kind: Kind = KINDS[int(part.group[gain.option])]
    lon, lat = choice.lonlat[candidate].tolist()
    return {
        "town": town,
        "id": str(choice.ids[candidate]),
        "name": str(choice.names[candidate]),
        "kind": kind,
        "riders_gained": gain.riders,
        "lon": lon,
        "lat": lat,
    }


def _joint(
    asked: tuple[int, int],
    rows: list[dict[str, Any]],
    gained: dict[str, float],
    totals: tuple[float, float],
    plan: PartsPlan,
) -> Joint:
    """Return the plan with its sites ranked: most riders first, of equals by town and id."""
    riders, covered = totals
    ordered = sorted(rows, key=lambda row: (-row["riders_gained"], row["town"], row["id"]))
    columns = ["town", "id", "name", "kind", "riders_gained", "lon", "lat"]
    frame = pd.DataFrame(ordered, columns=columns)
    points = gpd.points_from_xy(frame.pop("lon").astype(float), frame.pop("lat").astype(float))
    sites = gpd.GeoDataFrame(frame, geometry=points, crs=WGS84)
    sites.insert(0, "rank", np.arange(1, len(sites) + 1, dtype=np.int64))
    return Joint(
        asked=asked,
        sites=sites,
        gained=pd.Series(gained, dtype=np.float64, name="riders_gained").sort_index(),
        riders=riders,
        covered=covered,
        objective=covered + plan.objective,
        bound=covered + plan.bound,
        status=plan.status,
        n_searches=plan.n_searches,
        is_interrupted=plan.is_interrupted,
    )
