"""
A country's roads cut to cities: time, memory and disk on a road file, and on one so many times its size.

    python -m benchmarks.country ROADS.osm.pbf --copies 24

Both are cut to the same areas, the larger one also to a city in each of its copies, in processes of their own; at
last the areas are cut one after the other.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import osmium
import shapely
import shapely.affinity

from .own_process import in_own_process, measured
from .rounds import machine
from .tiled_roads import moved, write_tiled

FloatArray = npt.NDArray[np.float64]
VERSIONS = ("osmium", "numpy", "shapely", "geopandas")
HEADER = (
    "| file | MB | nodes | how | seconds | processor | nodes a second | MB a second | peak MB | disk MB | made MB |"
)
#: seconds between two looks at the disk
LOOK_S = 0.2


def write_areas(places: FloatArray, out: Path, across: int) -> Path:
    """Write a lattice of boxes over the middle of the nodes of a road file."""
    (west, south), (east, north) = np.percentile(places, [40, 60], axis=0)
    x, y = np.linspace(west, east, across + 1), np.linspace(south, north, across + 1)
    boxes = [shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for i in range(across) for j in range(across)]
    return _write(boxes, out)


def write_cities(places: FloatArray, out: Path, copies: int) -> Path:
    """Write a box with a good part of the nodes of every copy."""
    (west, south), (east, north) = np.percentile(places, [20, 80], axis=0)
    city = shapely.box(west, south, east, north)
    return _write([shapely.affinity.translate(city, *moved(k)) for k in range(copies)], out)


def _write(boxes: Sequence[shapely.Polygon], out: Path) -> Path:
    names = [f"city-{k}" for k in range(len(boxes))]
    gpd.GeoDataFrame({"id": names}, geometry=list(boxes), crs="EPSG:4326").to_file(out)
    return out


def together(roads: Path, areas: Path, out: Path) -> int:
    """Cut all areas in one pass; return how many were written."""
    from servicecircle.area_extracts import write_extracts

    return sum(one.path is not None for one in write_extracts(out, file=roads, areas=areas, margin_m=MARGIN_M))


def apart(roads: Path, areas: Path, out: Path) -> int:
    """Cut one area after the other."""
    from servicecircle.extracts import write_extract

    boxes = gpd.read_file(areas)
    for name, box in zip(boxes["id"], boxes.geometry, strict=True):
        write_extract(out / f"{name}.osm.pbf", file=roads, bbox=box.bounds, margin_m=MARGIN_M)
    return len(boxes)


HOW = {"together": together, "apart": apart}
MARGIN_M = 500.0


@contextmanager
def watched(folder: Path) -> Iterator[list[float]]:
    """Yield a list of what a folder holds, in MB, as time goes by."""
    seen, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(LOOK_S):
            seen.append(megabytes(folder))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def megabytes(folder: Path) -> float:
    """Return what the files of a folder hold."""
    held = 0
    for file in folder.rglob("*"):
        try:
            held += file.stat().st_size if file.is_file() else 0
        except OSError:  # gone meanwhile
            continue
    return held / 1e6


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roads", type=Path)
    parser.add_argument("--copies", type=int, default=24, help="the country is so many times the file")
    parser.add_argument("--across", type=int, default=2, help="areas from west to east, and from south to north")
    parser.add_argument("--keep", type=Path, help="folder to keep the country in, for another run")
    parser.add_argument("--one", nargs=3, metavar=("HOW", "AREAS", "OUT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        how, areas, out = asked.one
        measured(lambda: HOW[how](asked.roads, Path(areas), Path(out)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        country = folder / f"{asked.copies}-times-{asked.roads.name}"
        if not country.exists():
            write_tiled(asked.roads, country, asked.copies)
        nodes = osmium.FileProcessor(str(asked.roads), osmium.osm.NODE)
        places = np.array([(node.lon, node.lat) for node in nodes if node.location.valid()])
        areas = write_areas(places, Path(scratch) / "areas.gpkg", asked.across)
        cities = write_cities(places, Path(scratch) / "cities.gpkg", asked.copies)
        print(machine(VERSIONS), end="\n\n")
        print(HEADER + "\n" + "| --- " * HEADER.count(" | ") + "| --- |")
        for roads, cut, how in (
            (asked.roads, areas, "together"),
            (country, areas, "together"),
            (country, cities, "together"),
            (asked.roads, areas, "apart"),
            (country, areas, "apart"),
        ):
            with tempfile.TemporaryDirectory(dir=scratch) as out:
                with watched(Path(out)) as seen:
                    taken, told = in_own_process(
                        "-m", "benchmarks.country", str(roads), "--one", how, str(cut), out
                    )
                mb, n = roads.stat().st_size / 1e6, len(places) * (asked.copies if roads == country else 1)
                print(
                    f"| {roads.name} | {mb:.1f} | {n:,} | {told['made']} areas {how} | {taken.seconds:.1f} "
                    f"| {taken.cpu_s:.1f} | {n / taken.seconds:,.0f} | {mb / taken.seconds:.2f} "
                    f"| {told['peak_mb']:.0f} | {max(seen):.0f} | {megabytes(Path(out)):.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
