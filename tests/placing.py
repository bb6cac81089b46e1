"""Places for candidates in metres from the origin of a drawing, and a study of a drawn town."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from drawing import ORIGIN

from servicecircle.model import Study, SuggestRule
from servicecircle.params import PROFILES

TOWN = """
    A--B--C--D
    |  |  |  |
    E--F--G--H
"""


def at(*rows, crs="EPSG:32649"):
    """Points in metres from the origin of a drawing: (id, x, y, {column: value})."""
    columns = pd.DataFrame([row[3] for row in rows], index=pd.Index([row[0] for row in rows], dtype=object))
    xy = np.array([row[1:3] for row in rows], dtype=float).reshape(-1, 2) + ORIGIN
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=crs)


def gate(i, x, y, **columns):
    return (i, x, y, {"what": "gate", "kind": "station", "name": "", **columns})


def study_of(*, stations=1, shops=1, **fields):
    rule = SuggestRule(stations=stations, shops=shops, spacing_m=100)
    return Study(name="s", folder=Path(), profile=PROFILES["walk"], minutes=(10.0, 15.0), suggest=rule, **fields)


def town_places():
    return at(
        ("node/1", 150, 0, {"name": "工商银行", "kind": "station", "what": "public"}),
        ("node/2", 150, 5, {"name": "茶馆", "kind": "shop", "what": "shop"}),
        gate("node/3", 450, 0),
    )


def own_list():
    return at(("k1", 600, 150, {"name": "党群服务中心", "kind": "station"})).to_crs("EPSG:4326")
