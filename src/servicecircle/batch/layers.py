"""The layers of one town, a GeoParquet file each, as its GeoJSON files tell them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..model import Plan
from ..offers import PARSED
from ..pipeline import study_area
from ..whole_files import make_folder, write_whole
from ..writers import WGS84, Feature, frame_features, plan_layers

LAYERS = ("towns", "circles", "coverage", "gaps", "suggestions", "facilities")
#: columns of whole numbers; every other number is one with a fraction, be it 0 in this town
_WHOLE = ("rank", "n_facilities_", "n_stations", "n_shops", "n_gaps", "n_new_", "n_warnings", "phase")


def write_layers(
    plan: Plan, folder: Path, *, town: str, row: Mapping[str, Any], own: frozenset[str] | None = None
) -> list[Path]:
    """
    Write the layers of a town's plan; none without a row.

    Parameters
    ----------
    plan
        Of the town.
    folder
        Made where it is missing.
    town
        Its name, the first column of every layer.
    row
        Of the summary: what its outline is told with.
    own
        Ids of the stations and shops that are the town's; those of others stand near it, and are told by theirs.
        None: all.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    make_folder(folder)
    features = {"towns": [_outline(plan, row)], **plan_layers(plan), "facilities": _facilities(plan)}
    if own is not None:
        kept = own | {str(i) for i in plan.sites.index}
        for name in ("circles", "facilities"):
            features[name] = [one for one in features[name] if one["properties"]["facility_id"] in kept]
    files = []
    for name in LAYERS:
        if features[name]:
            frame = layer_frame(features[name], town)
            files.append(write_whole(folder / f"{name}.parquet", partial(_write, frame)))
    return files


def layer_frame(features: list[Feature], town: str) -> gpd.GeoDataFrame:
    """Return features as a frame with the town in front, each column of one kind whatever the town."""
    frame = gpd.GeoDataFrame.from_features(features, crs=WGS84)
    for name in frame.columns.drop("geometry"):
        if pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name]):
            frame[name] = frame[name].astype("Int64" if str(name).startswith(_WHOLE) else "float64")
    frame.insert(0, "town", town)
    return frame[[*frame.columns.drop("geometry"), "geometry"]]


def _write(frame: gpd.GeoDataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, compression="zstd")


def _outline(plan: Plan, row: Mapping[str, Any]) -> Feature:
    """Return the town as a feature: where its riders are counted, else what its cells span."""
    area = study_area(plan.study)
    if area is not None:
        shape = shapely.union_all(np.asarray(area.geometry.to_crs(plan.network.crs).array, dtype=object))
    else:
        cells = np.asarray(plan.grid.cells.geometry.array, dtype=object)
        shape = shapely.convex_hull(shapely.union_all(cells))
    told = {name: [value] for name, value in row.items() if name != "town"}
    return frame_features(gpd.GeoDataFrame(told, geometry=[shape], crs=plan.network.crs))[0]


def _facilities(plan: Plan) -> list[Feature]:
    """Return a feature a station or shop that counts: id, name, kind, own minutes."""
    frame = plan.facilities.drop(columns=list(PARSED), errors="ignore").reset_index(names="facility_id")
    return frame_features(frame[["facility_id", "name", "kind", "minutes", "geometry"]])
