"""Networks as OpenStreetMap files for peers that read nothing else, and road files with nothing but streets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pyproj
import shapely

from servicecircle.model import Network


def write_pbf(network: Network, path: Path) -> Path:
    """Write every street of a network as a way of its own, open both ways unless it is not, with all its bends."""
    path.unlink(missing_ok=True)
    corner, of = shapely.get_coordinates(network.street_geometry, return_index=True)
    to_degrees = pyproj.Transformer.from_crs(network.crs, "EPSG:4326", always_xy=True)
    ahead = network.street_first
    is_tip = np.ones(of.size, dtype=bool)
    is_tip[1:-1] = (of[1:-1] != of[:-2]) | (of[1:-1] != of[2:])
    number = np.empty(of.size, dtype=np.int64)
    number[is_tip] = np.column_stack([network.tail[ahead], network.head[ahead]]).ravel()
    number[~is_tip] = network.n_node + np.arange((~is_tip).sum())
    lon, lat = to_degrees.transform(*np.concatenate([network.node_xy, corner[~is_tip]]).T)
    stamp = {"version": 1, "changeset": 1, "timestamp": "2024-01-01T00:00:00Z"}  # some readers want them
    with osmium.SimpleWriter(str(path)) as writer:
        for i, place in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
            writer.add_node(osmium.osm.mutable.Node(id=i + 1, location=place, **stamp))
        first = np.searchsorted(of, np.arange(network.n_street + 1))
        for s, back in enumerate(network.street_edge[:, 1].tolist()):
            tags = {"highway": "residential", **({} if back >= 0 else {"oneway": "yes"})}
            refs = (number[first[s] : first[s + 1]] + 1).tolist()
            writer.add_way(osmium.osm.mutable.Way(id=s + 1, nodes=refs, tags=tags, **stamp))
    return path


def write_streets_as_xml(path: str | Path, out: Path) -> Path:
    """Write the ways of a road file that are streets, with their nodes, as `.osm`, which OSMnx reads."""
    out.unlink(missing_ok=True)
    ways = osmium.FileProcessor(str(path)).with_filter(osmium.filter.KeyFilter("highway"))
    with osmium.BackReferenceWriter(str(out), str(path), overwrite=True) as writer:
        for item in ways:
            if item.is_way():
                writer.add_way(item)
    return out
