"""Studies for a batch: a folder of made-up towns, and a city with zones laid over a road file."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

import servicecircle as sc
from servicecircle.synthetic.rules import District, Gap, TownRule
from servicecircle.synthetic.town import make_town
from servicecircle.synthetic.writing import write_study

#: a small town: about 2 square kilometres, some 20 places
SMALL = TownRule(
    width_m=1500,
    height_m=1300,
    has_river=False,
    n_across=3,
    n_along=3,
    districts=(District("old", 0.1, 0.02, 300), District("new", 0.5, -0.5, 400)),
    gaps=(Gap(0.7, -0.6, 400),),
    n_schools=2,
    n_parks=1,
    n_stations=6,
    n_shops=12,
    n_candidates=12,
    n_zones=3,
    n_places=40,
    depots_apart_m=350,
    riders=(30, 20, 10),
)
FIRST_SEED = 1000
_CITY = """\
name = "city"
profile = "walk"
direction = "to"
minutes = [10, 15]
lang = "en"
date = 2026-11-23
invented = true

[network]
file = "{roads}"

[stations]
file = "stations.csv"
datum = "wgs84"

[depots]
file = "depots.csv"
datum = "wgs84"

[zones]
file = "zones.geojson"

[grid]
cell_m = 150

[demand]
source = "depots"

[suggest]
stations = 2
"""


def write_towns(folder: Path, *, n: int, distinct: int) -> Path:
    """Write so many towns; beyond the `distinct` first they are these again, in folders of their own."""
    for k in range(n):
        town = folder / f"t{k:05}"
        if k < distinct:
            write_study(make_town(FIRST_SEED + k, SMALL), town, name=f"town {k}", office="office")
        else:
            shutil.copytree(folder / f"t{k % distinct:05}", town)
    return folder


def write_city(folder: Path, roads: Path, *, across: int, stations: int = 400, depots: int = 300) -> Path:
    """Write a city on a road file: `across` x `across` zones with as many junctions each, places on streets."""
    network = sc.read_network(roads, "walk", cache=False)
    folder.mkdir(parents=True)
    boxes = []
    x = np.quantile(network.node_xy[:, 0], np.linspace(0, 1, across + 1)) + np.eye(across + 1)[-1]
    for west, east in itertools.pairwise(x):
        inside = network.node_xy[(network.node_xy[:, 0] >= west) & (network.node_xy[:, 0] < east)]
        y = np.quantile(inside[:, 1], np.linspace(0, 1, across + 1)) + np.eye(across + 1)[-1]
        boxes += [shapely.box(west, south, east, north) for south, north in itertools.pairwise(y)]
    names = [f"z{k:03}" for k in range(len(boxes))]
    zones = gpd.GeoDataFrame({"id": names, "name": names}, geometry=boxes, crs=network.crs)
    zones.to_crs("EPSG:4326").to_file(folder / "zones.geojson")
    rng = np.random.default_rng(9)
    for name, n in (("stations", stations), ("depots", depots)):
        street = network.street_geometry[rng.integers(network.n_street, size=n)]
        at = gpd.GeoSeries(shapely.line_interpolate_point(street, 0.5, normalized=True), crs=network.crs)
        rows = [
            f"{name[0]}{k},{name} {k},{point.x:.6f},{point.y:.6f}" + (f",{50 + k % 40}" if name == "depots" else "")
            for k, point in enumerate(at.to_crs("EPSG:4326"))
        ]
        header = "id,name,lon,lat" + (",riders" if name == "depots" else "")
        (folder / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (folder / "study.toml").write_text(_CITY.format(roads=roads.resolve().as_posix()), encoding="utf-8")
    return folder
