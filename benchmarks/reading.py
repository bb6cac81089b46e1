"""
Reading a road file: from the file to a network that can be searched, each reader in a process of its own.

    python -m benchmarks.reading FILE.osm.pbf ...
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import valhalla_peer
from .own_process import in_own_process, measured
from .road_files import write_streets_as_xml
from .rounds import HEADER, Row, Runner, Taken, line, machine, rotate

VERSIONS = ("osmium", "osmnx", "pyrosm", "networkx", "shapely")


# ---------------------------------------------------------------------------------------- each in its own process
def ours(file: str, *, cache: bool) -> Callable[[], str]:
    """Return the reading of this project, with the graph of a search, as a function."""
    import servicecircle as sc
    from servicecircle.travel_times import search_graph

    def read() -> str:
        network = sc.read_network(file, "walk", cache=cache)
        search_graph(network, "to")
        return f"{network.n_node:,} nodes"

    return read


def by_osmnx(file: str) -> Callable[[], str]:
    """OSMnx: its graph of an XML file, simplified."""
    import osmnx as ox

    return lambda: f"{len(ox.graph_from_xml(file, retain_all=True)):,} nodes"


def by_pyrosm(file: str) -> Callable[[], str]:
    """Pyrosm: nodes and edges, and the NetworkX graph of them."""
    import warnings

    import pyrosm

    def read() -> str:
        warnings.simplefilter("ignore")
        osm = pyrosm.OSM(file)
        nodes, edges = osm.get_network(network_type="walking", nodes=True)
        graph = osm.to_graph(nodes, edges, graph_type="networkx", retain_all=True)
        return f"{len(graph):,} nodes"

    return read


def by_valhalla(file: str) -> Callable[[], str]:
    """Valhalla: its tiles, built anew."""

    def read() -> str:
        with tempfile.TemporaryDirectory() as folder:
            valhalla_peer.build_tiles(Path(file), Path(folder))
        return "tiles"

    return read


READERS: dict[str, Callable[[str], Callable[[], str]]] = {
    "cold": partial(ours, cache=False),
    "cached": partial(ours, cache=True),
    "osmnx": by_osmnx,
    "pyrosm": by_pyrosm,
    "valhalla": by_valhalla,
}


# ----------------------------------------------------------------------------------------------------- side by side
def reading(
    name: str,
    file: Path,
    *,
    rounds: int,
    budget_s: float,
    with_peers: Sequence[str] = ("osmnx", "pyrosm", "valhalla"),
) -> list[Row]:
    """Measure every reader on a copy of one PBF file; what is not installed is left out."""
    with tempfile.TemporaryDirectory() as folder:
        pbf = Path(shutil.copy(file, Path(folder) / file.name))
        pbf.parent.chmod(0o755)
        told: dict[str, dict[str, Any]] = {}

        def run(who: str, path: Path) -> Taken:
            taken, told[who] = in_own_process("-m", "benchmarks.reading", "--one", who, str(path))
            return taken

        runners = [
            Runner("servicecircle, from the file", partial(run, "cold", pbf)),
            Runner("servicecircle, from the cache beside it", partial(run, "cached", pbf)),
        ]
        run("cached", pbf)  # fills the cache
        if "osmnx" in with_peers and find_spec("osmnx"):
            xml = write_streets_as_xml(pbf, Path(folder) / "streets.osm")
            runners.append(Runner("OSMnx graph_from_xml (streets only)", partial(run, "osmnx", xml)))
        if "pyrosm" in with_peers and find_spec("pyrosm"):
            runners.append(Runner("pyrosm get_network + to_graph", partial(run, "pyrosm", pbf)))
        if "valhalla" in with_peers and valhalla_peer.can_build():
            runners.append(Runner("Valhalla build_tiles", partial(run, "valhalla", pbf)))
        rows = rotate(f"{name}: reading", runners, rounds=rounds, budget_s=budget_s)
        whos = [runner.run.args[0] for runner in runners]
        return [
            Row(**{**vars(row), "note": "; ".join(filter(None, [row.note, _note(told[who])]))})
            for row, who in zip(rows, whos, strict=True)
        ]


def _note(told: dict[str, Any]) -> str:
    return f"{told['made']}, peak {told['peak_mb']:,.0f} MB"


def main() -> None:
    """Print a markdown table, or measure one reader here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="PBF files")
    parser.add_argument("--one", choices=sorted(READERS), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds a reader may take in all rounds")
    asked = parser.parse_args()
    if asked.one:
        measured(READERS[asked.one](str(asked.files[0])))
        return
    print(machine(VERSIONS), end="\n\n")
    print(HEADER)
    for file in asked.files:
        rows = reading(file.name, file, rounds=asked.rounds, budget_s=asked.budget)
        print("\n".join(map(line, rows)), flush=True)


if __name__ == "__main__":
    main()
