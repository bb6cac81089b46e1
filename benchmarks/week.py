"""
The week by hour: 168 hours, usual days and holidays, at least and at most, and the night, from one set of times.

Beside it what one would do without it: the coverage of each of the 168 hours, from the same travel times, and from
travel times that are searched again for those that are open then (a sample of the hours).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

import servicecircle as sc
from benchmarks.cities import superblock_city
from benchmarks.city import draw
from benchmarks.rounds import HEADER, Row, Runner, line, machine, rotate
from servicecircle.coverage import covered_by, covered_riders
from servicecircle.hours_week import OpeningHours
from servicecircle.packaged import example_folder
from servicecircle.pipeline import demand_positions, lay_grid, read_roads, spread_riders
from servicecircle.serving import hours_of, open_states, study_serving

MINUTES = (10.0, 15.0)
#: hours of the week that are searched again
SAMPLE = (10, 45, 100)
PACKAGES = ("numpy", "scipy", "numba", "geopandas")


@dataclass(frozen=True, eq=False)
class Case:
    """Demand, facilities with their hours, and the times between them."""

    name: str
    network: sc.Network
    demand: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    hours: list[OpeningHours]
    times: sc.TravelTimes


def case_of(name: str, study: sc.Study, network: sc.Network) -> Case:
    """Return a study as a case."""
    demand, _ = spread_riders(study, network, lay_grid(study, network))
    facilities = study_serving(study).every
    times = times_to(network, demand, facilities)
    told = f"{name}: {len(facilities):,} places, {len(demand):,} points, {times.seconds.size:,} pairs"
    return Case(told, network, demand, facilities, hours_of(facilities), times)


def times_to(network: sc.Network, demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame) -> sc.TravelTimes:
    """Search the travel times of demand points to facilities."""
    from servicecircle.snapping import locate_on_edges
    from servicecircle.travel_times import limit_in_ms, times_between

    served_by = sc.Facilities(facilities)
    at = locate_on_edges(served_by, network, max_m=200.0)
    limit_ms = limit_in_ms(network.profile.cutoff_s(MINUTES[-1]))
    return times_between(network, demand_positions(demand), served_by, at, limit_ms=limit_ms, direction="to")


def drawn_study(network: sc.Network, n: int) -> sc.Study:
    """Return a study of a made-up city: stations at random, opening and closing on quarters of an hour."""
    rng = np.random.default_rng(5)
    stations = draw(network, n, seed=3, name="s")
    begins, lasts = rng.integers(24, 44, n) * 15, rng.integers(16, 64, n) * 15
    days = rng.choice(["Mo-Su", "Mo-Fr", "Mo-Sa"], n)
    ends = np.minimum(begins + lasts, 1440)
    texts = [
        f"{d} {b // 60:02d}:{b % 60:02d}-{e // 60:02d}:{e % 60:02d}"
        for d, b, e in zip(days, begins, ends, strict=True)
    ]
    stations["opening"] = np.where(rng.random(n) < 0.1, "24/7", np.where(rng.random(n) < 0.1, "", texts))
    from pathlib import Path

    return sc.Study("city", Path(), network.profile, MINUTES, stations=stations)


def rows_of(case: Case, *, rounds: int) -> list[Row]:
    """Return the rows of a case."""
    whole = sc.cover(case.times, case.demand, minutes=MINUTES)
    is_open = [open_states(case.hours, sc.Moment(h // 24, h % 24 * 60)) != 0 for h in range(168)]

    def each_hour() -> list[dict[str, float]]:
        return [covered_riders(whole, covered_by(case.times, MINUTES, serves=own)) for own in is_open]

    def searched_again() -> list[sc.Coverage]:
        some = (case.facilities[is_open[h]] for h in SAMPLE)
        return [sc.cover(times_to(case.network, case.demand, own), case.demand, minutes=MINUTES) for own in some]

    runners = [
        Runner(
            "servicecircle, the week", lambda: sc.cover_week(case.times, case.demand, case.hours, minutes=MINUTES)
        ),
        Runner("168 coverages, same times", each_hour, note="no holiday, no range, no night"),
        Runner("168 searches and coverages", searched_again, share=len(SAMPLE) / 168),
    ]
    return rotate(case.name, runners, rounds=rounds)


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="10000,100000", help="sizes of generated cities")
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{machine(PACKAGES)}\n\n{HEADER}")
    nanqu = sc.load_study(example_folder("nanqu"))
    cases = [("nanqu", nanqu, read_roads(nanqu).network)]
    for n in map(int, filter(None, asked.nodes.split(","))):
        network = superblock_city(n, profile="walk", on_foot=True)
        cases.append((f"city {n:,}", drawn_study(network, asked.stations), network))
    for name, study, network in cases:
        for row in rows_of(case_of(name, study, network), rounds=asked.rounds):
            print(line(row), flush=True)


if __name__ == "__main__":
    main()
