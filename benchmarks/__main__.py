"""
All side by side in one run: circles, nearest, matrix, polygons, reading, ledgers, start-up; with peers.

    python -m benchmarks --quick                two or three minutes
    python -m benchmarks --roads FILE.osm.pbf   cities of 10,000, 100,000 and 1,000,000 nodes, and a road file

On a machine that others use compare processor seconds: they move less than the clock. Each part has a
command of its own, with more options: `python -m benchmarks.search`, `.areas`, `.reading`, `.ledger`, `.start_up`,
`.chain`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import servicecircle as sc

from . import areas, asked, ledger, reading, search, start_up, valhalla_peer
from .area_cases import prepare
from .cities import superblock_city
from .road_files import write_pbf
from .rounds import HEADER, Row, line, machine

PARTS = ("search", "areas", "reading", "ledger", "start")
PEERS = ("scipy", "networkx", "osmnx", "pandana", "igraph", "pyrosm", "hulls", "valhalla")
VERSIONS = sorted({*search.VERSIONS, *areas.VERSIONS, *reading.VERSIONS, *ledger.VERSIONS, *start_up.VERSIONS})
#: larger cities are only searched
LARGEST_DRAWN = 200_000
#: smaller cities are no file that is worth a cache
LEAST_READ = 30_000


def left_out(peers: Sequence[str]) -> list[str]:
    """Return the peers that cannot run, each with the reason."""
    packages = {peer: "networkx" if peer == "hulls" else peer for peer in peers if peer != "valhalla"}
    missing = [f"{peer}: not installed" for peer, package in packages.items() if not find_spec(package)]
    if "valhalla" in peers and not valhalla_peer.can_build():
        missing.append(f"valhalla: {valhalla_peer.why_not()}")
    return missing


def every_row(wanted: argparse.Namespace) -> Iterator[list[Row]]:
    """Yield the rows of one case after the other."""
    parts = wanted.parts.split(",")
    if "search" in parts:
        options = _search_options(wanted)
        for case in search.every_case(options):
            yield from search.search_rows(case, options)
    for part, rows in (("areas", _areas), ("reading", _reading)):
        if part in parts:
            yield from rows(wanted)
    if "ledger" in parts:
        yield from ledger.ledger(n=wanted.rows, rounds=wanted.rounds, budget_s=wanted.budget)
    if "start" in parts:
        yield start_up.start_up(rounds=wanted.rounds, budget_s=wanted.budget)


def _areas(wanted: argparse.Namespace) -> Iterator[list[Row]]:
    """Draw walking circles in each city that is not too large, and on each road file."""
    networks = [(f"city {n:,}", superblock_city(n, profile="walk", on_foot=True)) for n in _drawn(wanted)]
    networks += [(Path(file).name, sc.read_network(file, "walk", cache=False)) for file in wanted.roads]
    for name, network in networks:
        case = prepare(name, network, stations=wanted.stations, minutes=(10, 15))
        yield areas.areas(case, rounds=wanted.rounds, budget_s=wanted.budget, with_peers=wanted.peers.split(","))


def _reading(wanted: argparse.Namespace) -> Iterator[list[Row]]:
    """Read each city that is not too large from a PBF file, and each PBF file."""
    with tempfile.TemporaryDirectory() as folder:
        files = [(Path(file).name, Path(file)) for file in wanted.roads if file.endswith(".pbf")]
        for n in sorted({max(n, LEAST_READ) for n in _drawn(wanted)}):
            city = superblock_city(n, profile="walk", on_foot=True)
            files.append((f"city {n:,}", write_pbf(city, Path(folder) / f"city-{n}.osm.pbf")))
        peers = wanted.peers.split(",")
        for name, file in files:
            yield reading.reading(name, file, rounds=wanted.rounds, budget_s=wanted.budget, with_peers=peers)


def _drawn(wanted: argparse.Namespace) -> list[int]:
    return [n for n in map(int, filter(None, wanted.nodes.split(","))) if n <= LARGEST_DRAWN]


def _search_options(wanted: argparse.Namespace) -> argparse.Namespace:
    """Return the options of the search, with those of this run."""
    options = search.parser().parse_args([])
    for name in ("nodes", "roads", "peers", "rounds", "budget"):
        setattr(options, name, getattr(wanted, name))
    if wanted.quick:
        options.sources, options.facilities, options.demand = "25,1000", 1000, 20_000
    return options


def main() -> None:
    """Print a markdown table, rows as soon as they are known, and then what is asked beside what was measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one small city, few rounds, few stations")
    parser.add_argument("--nodes", help="sizes of generated cities; default: 10000,100000,1000000")
    parser.add_argument("--roads", action="append", default=[], help="a road file; may be repeated")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--stations", type=int, help="of the polygons; default: 100")
    parser.add_argument("--rows", type=int, help="of a ledger; default: 100000")
    parser.add_argument("--rounds", type=int, help="default: 5")
    parser.add_argument("--budget", type=float, help="seconds a runner may take in all rounds; default: 30")
    wanted = parser.parse_args()
    usual = ("10000", 20, 10_000, 3, 3.0) if wanted.quick else ("10000,100000,1000000", 100, 100_000, 5, 30.0)
    for name, value in zip(("nodes", "stations", "rows", "rounds", "budget"), usual, strict=True):
        if getattr(wanted, name) is None:
            setattr(wanted, name, value)
    print(f"{machine(VERSIONS)}, Valhalla {valhalla_peer.version()}", end="\n\n")
    for reason in left_out(wanted.peers.split(",")):
        print(f"Left out: {reason}", end="\n\n")
    print(HEADER)
    rows: list[Row] = []
    for some in every_row(wanted):
        rows += some
        print("\n".join(map(line, some)), flush=True)
    print(f"\n{asked.HEADER}")
    print("\n".join(asked.asked_lines(rows)))


if __name__ == "__main__":
    main()
