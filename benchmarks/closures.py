"""
Trouble on the road, warm: one closure tried against a plan, beside a full run on the closed roads.

Milliseconds by the clock and of the processor; every closure lies on a street near a station.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

import servicecircle as sc
from benchmarks.city import draw
from benchmarks.rounds import machine
from servicecircle.model import Facilities
from servicecircle.pipeline import Roads
from servicecircle.travel_times import limit_in_ms, times_between

PACKAGES = ("numpy", "numba", "shapely", "geopandas")


def troubles(plan: sc.Plan, n: int, *, radius_m: float, seed: int) -> sc.Closures:
    """Return closures at random on the streets of stations, so that each touches a circle."""
    rng = np.random.default_rng(seed)
    at = plan.before.times.facility_at
    own = rng.choice(np.flatnonzero(at.is_on_network), n)
    lines = plan.network.geometry[at.edge[own]]
    places = shapely.line_interpolate_point(lines, rng.random(n), normalized=True)
    frame = gpd.GeoDataFrame({"radius_m": np.full(n, radius_m)}, geometry=places, crs=plan.network.crs)
    return sc.Closures(frame)


def tried(plan: sc.Plan, reports: sc.Closures) -> str:
    """Return a row: what-ifs of single closures, and the times of all stations on closed roads."""
    one = [reports.rows(np.array([k])) for k in range(len(reports))]
    begun = time.perf_counter()
    sc.what_if(plan, closures=one[0])
    first = time.perf_counter() - begun
    clock, cpu, again = [], [], []
    for report in one[1:]:
        at = time.perf_counter(), time.process_time()
        found = sc.what_if(plan, closures=report)
        clock.append(time.perf_counter() - at[0])
        cpu.append(time.process_time() - at[1])
        again.append(len(found.searched))
    times = plan.before.times
    closed = sc.with_closures(plan.network, one[0])
    at = time.perf_counter(), time.process_time()
    times_between(
        closed,
        times.demand_at,
        Facilities(plan.facilities),
        times.facility_at,
        limit_ms=limit_in_ms(times.cutoff_s),
        direction=times.direction,
    )
    full = time.perf_counter() - at[0], time.process_time() - at[1]
    figures = [statistics.median(clock), statistics.median(cpu), max(cpu), first, full[0], full[1]]
    cells = " | ".join(f"{1000 * s:.1f}" for s in figures)
    return f"| {len(plan.facilities):,} | {statistics.mean(again):.1f} | {cells} |"


def ranked(plan: sc.Plan) -> str:
    """Return a line: the crossings of a plan ranked, and what trying each would take."""
    every = sc.crossings(plan.network)
    sc.rank_closures(plan, every, n=1)
    at = time.perf_counter(), time.process_time()
    sc.rank_closures(plan, every)
    fast = time.perf_counter() - at[0], time.process_time() - at[1]
    some = range(0, len(every), max(1, len(every) // 50))
    begun = time.process_time()
    for k in some:
        sc.what_if(plan, closures=every.rows(np.array([k])))
    each = (time.process_time() - begun) / len(some)
    return (
        f"{len(every):,} crossings ranked in {fast[0]:.1f} s by the clock, {fast[1]:.1f} s of the processor; "
        f"trying each would take {each * len(every):.0f} s of the processor"
    )


def main() -> None:
    """Print a table of what-ifs, and the ranking of all crossings where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("roads", help="road file, or the folder of a study")
    parser.add_argument("--profile", default="walk")
    parser.add_argument("--stations", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0, 15.0])
    parser.add_argument("--radius", type=float, default=30.0)
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--rank", action="store_true", help="rank all crossings too")
    asked = parser.parse_args()
    print(machine(PACKAGES))
    plans = []
    if Path(asked.roads).is_dir():
        plans = [sc.suggest(sc.load_study(asked.roads), stations=0, shops=0)]
    else:
        network = sc.read_network(asked.roads, asked.profile)
        for n in asked.stations:
            study = sc.Study(
                name="city",
                folder=Path(),
                profile=network.profile,
                minutes=tuple(asked.minutes),
                stations=draw(network, n, seed=7, name="s"),
            )
            plans.append(sc.suggest(study, stations=0, shops=0, roads=Roads(network, None, None)))
    print(f"{plans[0].network.n_node:,} nodes, {len(plans[0].demand):,} demand points\n")
    print(
        "| stations | searched again | clock, ms | processor, ms | slowest | first | all: clock | all: processor |"
    )
    print("| ---: |" + " ---: |" * 7)
    for plan in plans:
        print(tried(plan, troubles(plan, asked.tries + 1, radius_m=asked.radius, seed=3)))
    for plan in plans if asked.rank else ():
        print("\n" + ranked(plan))


if __name__ == "__main__":
    main()
