"""Start-up: a network of three nodes and its first travel times and circle in new processes, and peers' imports."""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from importlib.util import find_spec

from .own_process import in_own_process, measured
from .rounds import HEADER, Row, Runner, Taken, line, machine, rotate

#: what each peer's own examples begin with
IMPORTS = ("scipy.sparse.csgraph", "networkx", "osmnx", "pandana", "igraph", "spopt")
VERSIONS = ("numpy", "numba", "scipy", "geopandas", "osmnx", "pandana")


def first_times() -> str:
    """Import this project, and find travel times on a network of three nodes."""
    import geopandas as gpd
    import shapely

    import servicecircle as sc
    from servicecircle.network_builder import build_network

    network = build_network([[0, 0], [1000, 0], [1000, 900]], [0, 1], [1, 2], crs="EPSG:32650")
    points = gpd.GeoDataFrame(geometry=shapely.points([[100, 0], [900, 10]]), crs="EPSG:32650")
    return f"{sc.travel_times(network, points, points).seconds.size} pairs"


def first_circle() -> str:
    """Import this project, and draw the circle of a facility on a network of three nodes."""
    import geopandas as gpd
    import shapely

    import servicecircle as sc
    from servicecircle.network_builder import build_network

    network = build_network([[0, 0], [1000, 0], [1000, 900]], [0, 1], [1, 2], crs="EPSG:32650")
    points = gpd.GeoDataFrame(geometry=shapely.points([[100, 0]]), crs="EPSG:32650")
    return f"{len(sc.service_areas(network, points, minutes=(10, 15)))} polygons"


WORK = {"times": first_times, "circle": first_circle}


def start_up(*, rounds: int, budget_s: float) -> list[Row]:
    """Measure both with nothing compiled and with all compiled before; and imports of peers that are here."""
    with tempfile.TemporaryDirectory() as compiled:

        def ours(work: str, cache: str | None) -> Taken:
            with tempfile.TemporaryDirectory() as empty:
                environment = {"NUMBA_CACHE_DIR": cache or empty}
                return in_own_process("-m", "benchmarks.start_up", "--one", work, environment=environment)[0]

        def imported(name: str) -> Taken:
            return in_own_process("-m", "benchmarks.start_up", "--one", name)[0]

        runners = [
            Runner("servicecircle, first times, compiled before", partial(ours, "times", compiled)),
            Runner("servicecircle, first times, nothing compiled", partial(ours, "times", None)),
            Runner("servicecircle, first circle drawn, compiled before", partial(ours, "circle", compiled)),
            Runner("servicecircle, first circle drawn, nothing compiled", partial(ours, "circle", None)),
        ]
        for work in WORK:
            ours(work, compiled)
        here = [name for name in IMPORTS if find_spec(name.split(".")[0])]
        runners += [Runner(f"import {name}, nothing else", partial(imported, name)) for name in here]
        return rotate("start of a new process", runners, rounds=rounds, budget_s=budget_s)


def main() -> None:
    """Print a markdown table, or do one piece of work here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", choices=[*WORK, *IMPORTS], help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if asked.one:
        measured(WORK.get(asked.one) or partial(__import__, asked.one))
        return
    print(machine(VERSIONS), end="\n\n")
    print(HEADER)
    print("\n".join(map(line, start_up(rounds=asked.rounds, budget_s=60.0))))


if __name__ == "__main__":
    main()
