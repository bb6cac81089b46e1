"""
One budget of sites for many towns: by parts that share it, against the one model of all of them.

    python -m benchmarks.joint                  made-up towns
    python -m benchmarks.joint --city ROADS     a road file cut into 100 zones; candidates serve beyond borders

`by parts` is `mclp_of_parts`, `one model` is `mclp` on everything at once, each ended after the same time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

import servicecircle as sc
from servicecircle.batch.city import lay_city
from servicecircle.batch.zone_towns import choice_of_city
from servicecircle.locate import CoverPart, mclp, mclp_of_parts

from .many_studies import write_city
from .rounds import machine

HEADER = "| case | parts | sites | how | seconds | covered | bound | gap |"
#: of the made-up towns: demand points, candidates, and the reach of a candidate as a share of the town's width
_POINTS, _CANDIDATES, _REACH = 300, 30, 0.17


def made_up(n: int) -> list[CoverPart]:
    """Return so many towns with candidates for stations and shops."""
    return [_town(seed) for seed in range(n)]


def _town(seed: int) -> CoverPart:
    rng = np.random.default_rng(seed)
    point, candidate = rng.random((_POINTS, 2)), rng.random((_CANDIDATES, 2))
    away = np.hypot(*(point[:, None] - candidate[None]).transpose(2, 0, 1))
    return CoverPart(
        sparse.csr_array(away < _REACH),
        rng.random(_POINTS),
        rng.integers(0, 2, _CANDIDATES),
        np.arange(_CANDIDATES),
    )


def city_parts(roads: Path) -> list[CoverPart]:
    """Return the independent parts of a city cut into 100 zones."""
    with tempfile.TemporaryDirectory() as folder:
        study = sc.load_study(write_city(Path(folder) / "city", roads, across=10))
        whole = choice_of_city(lay_city(study), (True, False))
    return [part for part, _, _ in whole.choice.parts()]


def one_model(parts: list[CoverPart]) -> dict[str, npt.ArrayLike]:
    """Return the covers, weights, groups and places of all parts as one question."""
    n = np.cumsum([0, *(part.covers.shape[1] for part in parts)])
    places = [np.asarray(part.place) for part in parts]
    first = np.cumsum([0, *(int(place.max()) + 1 for place in places)])
    assert n[-1] == sum(place.size for place in places)
    return {
        "covers": sparse.block_diag([part.covers for part in parts], format="csr"),
        "weight": np.concatenate([part.weight for part in parts]),
        "group": np.concatenate([np.asarray(part.group) for part in parts]),
        "place": np.concatenate([place + at for place, at in zip(places, first[:-1], strict=True)]),
    }


def rows(name: str, parts: list[CoverPart], sites: list[tuple[int, int]], limit_s: float) -> Iterator[str]:
    """Yield a line of the table for each number of sites and each way."""
    whole = one_model(parts)
    for asked in sites:
        ways: dict[str, Callable[[], object]] = {
            "by parts": lambda asked=asked: mclp_of_parts(parts, asked, time_limit_s=limit_s),
            "one model": lambda asked=asked: mclp(
                whole["covers"], whole["weight"], asked,
                group=whole["group"], place=whole["place"], time_limit_s=limit_s,
            ),
        }  # fmt: skip
        for how, solve in ways.items():
            begun = time.perf_counter()
            found = solve()
            seconds = time.perf_counter() - begun
            told = f"{found.objective:,.1f} | {found.bound:,.1f} | {found.gap:.3%}"
            yield f"| {name} | {len(parts)} | {asked[0]} + {asked[1]} | {how} | {seconds:.1f} | {told} |"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--towns", type=int, default=1000, help="so many made-up towns")
    parser.add_argument("--city", type=Path, help="a road file, cut into 100 zones")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each search")
    asked = parser.parse_args()
    print(machine(("servicecircle", "numba")))
    print(HEADER + "\n" + "|---" * HEADER.count(" | ") + "|---|")
    warm = made_up(3)
    mclp_of_parts(warm, (4, 4))
    if asked.city is not None:
        for row in rows(
            asked.city.name, city_parts(asked.city), [(k, 0) for k in (50, 100, 200, 400)], asked.limit
        ):
            print(row, flush=True)
        return
    n = asked.towns
    for row in rows(f"{n} towns", made_up(n), [(n // 4, 0), (n, 0), (n // 4, n // 4)], asked.limit):
        print(row, flush=True)


if __name__ == "__main__":
    main()
