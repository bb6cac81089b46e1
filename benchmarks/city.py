"""
A whole city in one process: 1,000 stations from times to a GeoPackage on disk, and one what-if station, warm.

Seconds by the clock and of the processor by stage, and the peak of memory so far.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

import servicecircle as sc
from benchmarks.rounds import machine
from servicecircle.geopackages import write_geopackage
from servicecircle.pipeline import Roads

PACKAGES = ("numpy", "numba", "shapely", "geopandas", "pyogrio")
#: stages of a what-if: functions of its module
STAGES = {
    "_changed": "ledger",
    "standing": "what is kept",
    "locate_on_edges": "snapping",
    "times_of_each": "times",
    "changed": "riders",
    "service_areas": "reach and polygons",
}

trying = importlib.import_module("servicecircle.what_if")


class Marks:
    """Clock, processor and memory at the beginning of each stage."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float, float]] = []

    def begin(self, stage: str) -> None:
        """Note that a stage begins."""
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.rows.append((stage, time.perf_counter(), time.process_time(), peak_mb))

    def table(self) -> Iterator[str]:
        """Yield the rows of a table, and the whole."""
        self.begin("end")
        yield "| stage | clock, s | processor, s | peak so far, MB |\n| --- | ---: | ---: | ---: |"
        for (stage, clock, cpu, _), (_, clock_after, cpu_after, peak) in itertools.pairwise(self.rows):
            yield f"| {stage} | {clock_after - clock:.2f} | {cpu_after - cpu:.2f} | {peak:.0f} |"
        (_, clock, cpu, _), (_, clock_after, cpu_after, peak) = self.rows[0], self.rows[-1]
        yield f"| all | {clock_after - clock:.2f} | {cpu_after - cpu:.2f} | {peak:.0f} |"


def draw(network: sc.Network, n: int, *, seed: int, name: str) -> gpd.GeoDataFrame:
    """Return stations on streets at random, by metres of street, in WGS 84."""
    rng = np.random.default_rng(seed)
    street = np.flatnonzero(network.is_street_admissible)
    metres = network.length_m[network.street_first[street]]
    lines = network.street_geometry[rng.choice(street, n, p=metres / metres.sum())]
    places = shapely.line_interpolate_point(lines, rng.random(n), normalized=True)
    ids = [f"{name}{k}" for k in range(n)]
    frame = gpd.GeoDataFrame({"name": ids, "kind": "station", "minutes": np.nan}, index=ids, geometry=places)
    return frame.set_crs(network.crs).to_crs("EPSG:4326")


def whole(network: sc.Network, stations: gpd.GeoDataFrame, *, minutes: tuple[float, ...], out: Path) -> Marks:
    """Work a city out and write it: riders by metre of street on cells of 100 m, nothing suggested."""
    study = sc.Study(
        name="city", folder=out, profile=network.profile, minutes=minutes, stations=stations, date="2026-11-22"
    )
    marks = Marks()
    plan = sc.suggest(study, stations=0, shops=0, roads=Roads(network, None, None), on_stage=marks.begin)
    marks.begin("reach as lines")
    reach = sc.street_reach(network, stations, minutes=minutes)
    marks.begin("plan.gpkg")
    write_geopackage(plan, out / "plan.gpkg")
    marks.begin("reach.gpkg")
    pyogrio.write_dataframe(reach, out / "reach.gpkg", layer="reach", driver="GPKG")
    print(f"{len(plan.demand):,} demand points, {plan.before.times.seconds.size:,} pairs, {len(reach):,} pieces")
    return marks


@contextmanager
def clocked(module: Any, names: dict[str, str]) -> Iterator[dict[str, list[float]]]:  # noqa: ANN401
    """Note the seconds of some functions of a module, call by call."""
    spent: dict[str, list[float]] = defaultdict(list)
    own = {name: getattr(module, name) for name in names}

    def noted(name: str) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:  # noqa: ANN401
            begun = time.perf_counter()
            found = own[name](*given, **named)
            spent[names[name]].append(time.perf_counter() - begun)
            return found

        return run

    for name in names:
        setattr(module, name, noted(name))
    try:
        yield spent
    finally:
        for name, function in own.items():
            setattr(module, name, function)


def tries(network: sc.Network, *, stations: int, minutes: tuple[float, ...], n: int) -> None:
    """Print the first what-if of a plan, and the medians of `n` more: a new station, one closed, one moved."""
    study = sc.Study(
        name="city",
        folder=Path(),
        profile=network.profile,
        minutes=minutes,
        stations=draw(network, stations, seed=7, name="s"),
    )
    plan = sc.suggest(study, stations=0, shops=0, roads=Roads(network, None, None))
    new = draw(network, n + 1, seed=11, name="n")
    begun = time.perf_counter()
    sc.what_if(plan, add=new.iloc[[n]])
    print(f"first what-if of a plan of {len(plan.demand):,} demand points: {time.perf_counter() - begun:.3f} s\n")
    open_ids = plan.facilities.index
    changes: dict[str, Callable[[int], dict[str, Any]]] = {
        "add": lambda k: {"add": new.iloc[[k]]},
        "close": lambda k: {"close": [open_ids[k % stations]]},
        "move": lambda k: {"move": new.iloc[[k]].set_axis([open_ids[k % stations]])},
    }
    print("| what if | clock, ms | processor, ms | slowest, ms | " + " | ".join(STAGES.values()) + " |")
    print("| --- |" + " ---: |" * (3 + len(STAGES)))
    for name, change in changes.items():
        clock, cpu = [], []
        with clocked(trying, STAGES) as spent:
            for k in range(n):
                given = change(k)
                at = time.perf_counter(), time.process_time()
                sc.what_if(plan, **given)
                clock.append(time.perf_counter() - at[0])
                cpu.append(time.process_time() - at[1])
        figures = [statistics.median(clock), statistics.median(cpu), max(clock)]
        figures += [statistics.median(spent[stage]) for stage in STAGES.values()]
        print(f"| {name} | " + " | ".join(f"{1000 * s:.1f}" for s in figures) + " |")


def main() -> None:
    """Print a table of the whole city, and one of what-ifs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("roads", help="road file")
    parser.add_argument("--profile", default="walk")
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0, 15.0])
    parser.add_argument("--tries", type=int, default=50, help="what-ifs, against 100 stations")
    asked = parser.parse_args()
    minutes = tuple(asked.minutes)
    begun = time.perf_counter()
    network = sc.read_network(asked.roads, asked.profile)
    print(machine(PACKAGES))
    print(f"{Path(asked.roads).name}: {network.n_node:,} nodes, read in {time.perf_counter() - begun:.1f} s")
    sc.service_areas(
        network, draw(network, 1, seed=1, name="w"), minutes=minutes
    )  # compiled, or read from the cache
    with tempfile.TemporaryDirectory() as out:
        marks = whole(network, draw(network, asked.stations, seed=5, name="s"), minutes=minutes, out=Path(out))
    print("\n".join(marks.table()), end="\n\n")
    tries(network, stations=100, minutes=minutes, n=asked.tries)


if __name__ == "__main__":
    main()
