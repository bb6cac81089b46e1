"""
Service areas side by side: the time of all polygons, search included, and the share of places on their right side.

    python -m benchmarks.areas [ROADS ...] [--nodes 10000] [--stations 100]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

import numpy as np
import shapely

import servicecircle as sc

from . import area_peers as peers
from . import valhalla_peer
from .area_cases import Case, Shapes, at_places, prepare, share_right
from .asked import HEADER as ASKED_HEADER
from .asked import asked_lines
from .cities import superblock_city
from .rounds import HEADER, Row, Runner, Taken, line, machine, rotate

PEERS = ("osmnx", "hulls", "valhalla")
VERSIONS = ("numpy", "shapely", "geopandas", "networkx")
SAMPLE = 10  # facilities of the recipe, which is too slow for all of them


def ours(case: Case, detail: str) -> Shapes:
    """Draw as this project does, at one level of detail."""
    found = sc.service_areas(case.network, case.facilities, minutes=case.minutes, detail=detail)
    n = len(case.minutes)
    shapes = list(found.geometry)
    return [shapes[k : k + n] for k in range(0, len(shapes), n)]


def afresh(case: Case, detail: str) -> Shapes:
    """Draw as on a network that nothing was drawn on before: it has kept no more than the graph of the search."""
    for name in [name for name in case.network.kept if not name.startswith("search_graph")]:
        del case.network.kept[name]
    return ours(case, detail)


def again(case: Case, detail: str) -> tuple[Taken, Shapes]:
    """Draw a second time: what the streets alone decide is known."""
    ours(case, detail)
    clock, cpu = time.perf_counter(), time.process_time()
    shapes = ours(case, detail)
    return Taken(time.perf_counter() - clock, time.process_time() - cpu), shapes


def areas(case: Case, *, rounds: int, budget_s: float, with_peers: Sequence[str] = PEERS) -> list[Row]:
    """Draw the circles of all facilities in every way, and count places on their right side."""
    drawn: dict[str, tuple[Case, Shapes]] = {}

    def kept(name: str, of: Case, draw: Callable[[], Shapes | tuple[Taken, Shapes]]) -> Taken | None:
        made = draw()
        taken, shapes = made if isinstance(made, tuple) else (None, made)
        drawn[name] = of, shapes
        return taken

    def runner(name: str, draw: Callable[[], Shapes | tuple[Taken, Shapes]], of: Case = case) -> Runner:
        return Runner(name, partial(kept, name, of, draw), len(of.facilities) / len(case.facilities))

    runners = []
    for detail in ("fine", "fast"):
        ours(case, detail)  # compiles it: a single station may be drawn without a compiler
        runners.append(runner(f"servicecircle, {detail}", partial(afresh, case, detail)))
    runners += [
        runner(f"servicecircle, {detail}, on the same streets again", partial(again, case, detail))
        for detail in ("fine", "fast")
    ]
    if "osmnx" in with_peers:
        few = at_places(case.name, case.network, case.facilities.iloc[:SAMPLE], case.minutes)
        runners.append(runner("OSMnx recipe", peers.osmnx_recipe(few, peers.networkx_graph(few)), few))
        runners.append(runner("OSMnx notebook", peers.osmnx_notebook(few, peers.drawn_graph(few)), few))
    if "hulls" in with_peers:
        runners.append(runner("convex hull of nodes", peers.hulls(case, None)))
        runners.append(runner("concave hull of nodes, 0.2", peers.hulls(case, 0.2)))
    with ExitStack() as stack:
        if "valhalla" in with_peers and valhalla_peer.can_build() and case.network.profile.roads == "walk":
            drawing = stack.enter_context(peers.valhalla(case))
            runners.append(runner("Valhalla isochrone", drawing()))
            runners.append(runner("Valhalla isochrone, all detail", drawing(denoise=0.0, generalize=0.0)))
        at_what = f"{len(case.facilities)} stations, {'+'.join(f'{m:g}' for m in case.minutes)} min"
        label = f"{case.name}: {at_what}, {case.network.profile.name}"
        rows = rotate(label, runners, rounds=rounds, budget_s=budget_s)
    return [Row(**{**vars(row), "note": "; ".join([_figures(*drawn[row.name]), *_said(row)])}) for row in rows]


def _said(row: Row) -> list[str]:
    return [row.note] * bool(row.note)


def _figures(of: Case, shapes: Shapes) -> str:
    corners = np.mean([shapely.get_num_coordinates(shape) for row in shapes for shape in row])
    return f"{share_right(shapes, of.truth):.2%} right, {corners:.0f} corners"


def every_case(asked: argparse.Namespace) -> Iterator[Case]:
    """Yield the networks asked for."""
    for n in [int(part) for part in asked.nodes.split(",") if part]:
        city = superblock_city(n, profile=asked.profile, on_foot=True)
        yield prepare(f"city {n:,}", city, stations=asked.stations, minutes=asked.minutes)
    for file in asked.roads:
        network = sc.read_network(file, asked.profile, cache=False)
        yield prepare(file.rsplit("/", 1)[-1], network, stations=asked.stations, minutes=asked.minutes)


def main() -> None:
    """Print a markdown table, rows as soon as they are known, and what is asked beside what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roads", nargs="*", help="road files")
    parser.add_argument("--nodes", default="", help="sizes of generated cities")
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0, 15.0])
    parser.add_argument("--profile", default="walk")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds a runner may take in all rounds")
    asked = parser.parse_args()
    print(machine(VERSIONS), end="\n\n")
    print(HEADER)
    rows = []
    for case in every_case(asked):
        drawn = areas(case, rounds=asked.rounds, budget_s=asked.budget, with_peers=asked.peers.split(","))
        print("\n".join(map(line, drawn)), flush=True)
        rows += drawn
    print("", ASKED_HEADER, *asked_lines(rows), sep="\n")


if __name__ == "__main__":
    main()
