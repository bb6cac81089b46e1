"""A plan -> one GeoPackage: every layer, and how QGIS shows them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ._page import areas, places
from ._qgis.project import Table, View, project_file, style_text
from ._qgis.styles import Look, drawn_layers
from ._qgis.tables import read_columns, write_styles
from ._qgis.words import TABLES, said
from .coverage import coverage_by_cell
from .disclosure import told_counts
from .entrances import DOORS, WALKS_IN, belt_frames
from .model import Plan
from .offers import PARSED
from .tiers import tiers_by_cell
from .whole_files import NO_DATE, gdal_date, write_whole

#: layers whose columns are all the plan's own; GDAL takes them column by column (Arrow) where it can: the same
#: bytes in two thirds of the time
_LARGE = frozenset({"coverage", "demand", "streets"})
_GDAL_WITH_ARROW = (3, 8, 0)
#: QGIS 3.22, the one in many offices, warns of a later version
GPKG_VERSION = "1.2"
#: what the first view of the project leaves around the cells: a share of their extent
_ROOM = 0.05


def write_geopackage(plan: Plan, path: Path) -> Path:
    """
    Write all layers of a plan to one GeoPackage, with styles and a project for QGIS; its clock is the study's date.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there before is unchanged.
    """
    import pyogrio

    frames = geopackage_layers(plan)
    date = plan.study.date or NO_DATE

    def write(unfinished: Path) -> None:
        unfinished.unlink()
        for name, frame in frames.items():
            pyogrio.write_dataframe(
                frame,
                unfinished,
                layer=name,
                driver="GPKG",
                append=unfinished.exists(),
                use_arrow=name in _LARGE and pyogrio.__gdal_version__ >= _GDAL_WITH_ARROW,
                dataset_options={} if unfinished.exists() else {"VERSION": GPKG_VERSION},
                layer_options={"IDENTIFIER": said(TABLES[name], plan.study.lang)},
            )
        _write_look(plan, frames, unfinished, path.name, date)

    with gdal_date(date):
        return write_whole(path, write)


def _write_look(plan: Plan, frames: dict[str, gpd.GeoDataFrame], file: Path, told_name: str, date: str) -> None:
    """Put styles and the project into the file."""
    study, lang = plan.study, plan.study.lang
    columns = {name: read_columns(file, name) for name in frames}
    drawn = drawn_layers(_look(plan, frozenset(frames)))
    styles = {
        layer.table: (said(TABLES[layer.table], lang)[:30], style_text(layer, columns[layer.table], lang))
        for layer in drawn
        if layer.is_table_style
    }
    tables = {name: Table(columns[name], CRS.from_user_input(frame.crs)) for name, frame in frames.items()}
    view = View(_first_view(plan), plan.network.crs)
    project = project_file(study.name, drawn, tables, view=view, file=told_name, lang=lang)
    write_styles(file, styles, (study.name, project), date=date)


def _look(plan: Plan, tables: frozenset[str]) -> Look:
    """Return what the styles hang on."""
    cells = areas.cells_with_riders(
        plan.grid, coverage_by_cell(plan.before, plan.grid), coverage_by_cell(plan.after, plan.grid)
    )
    minutes = plan.study.minutes
    step = areas.first_step(cells.missed("before", minutes[-1]), cells.missed("before", minutes[0]))
    return Look(
        minutes,
        step,
        areas.cell_side(plan.grid),
        areas.TAG_RIDERS,
        plan.study.lang,
        tables,
    )


def _first_view(plan: Plan) -> tuple[float, float, float, float]:
    """Return the extent of the cells, or of the streets where there is none, with room around it."""
    frame = plan.grid.cells if len(plan.grid.cells) else plan.network.geometry
    west, south, east, north = (
        float(v) for v in shapely.total_bounds(np.asarray(getattr(frame, "geometry", frame)))
    )
    room = _ROOM * max(east - west, north - south)
    return west - room, south - room, east + room, north + room


# ---------------------------------------------------------------------------------------------------- layers
def geopackage_layers(plan: Plan) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers, each with plain columns and its id; none without a row."""
    frames = {
        "circles": plan.circles[~plan.circles.geometry.is_empty],
        "reach_today": _merged(plan.circles_before),
        "reach_proposed": _merged(plan.circles_after),
        "coverage": _cells(plan),
        "gaps": _with_letters(plan.gaps, areas.letters(len(plan.gaps))),
        "gaps_after": _with_letters(plan.gaps_after, areas.letters_after(plan.gaps, plan.gaps_after)),
        "suggestions": plan.sites.reset_index(names="id"),
        "facilities": plan.facilities.drop(columns=[*PARSED, DOORS, WALKS_IN], errors="ignore").reset_index(
            names="id"
        ),
        **belt_frames(plan.facilities),
        "depots": _depots(plan),
        "candidates": plan.candidates.reset_index(names="id"),
        "zones": _zones(plan),
        "balanced_zones": _balanced(plan),
        "demand": plan.demand.reset_index(names="id"),
        "streets": _streets(plan),
        "land": None if plan.land is None else plan.land.frame,
        "closures": None if plan.trouble is None else _closures(plan.trouble.streets),
        "rejected": None if plan.rejected is None else plan.rejected.reset_index(names="id"),
    }
    return {name: _plain(frame) for name, frame in frames.items() if frame is not None and not frame.empty}


def _merged(circles: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the area of all places together at each break."""
    own = circles.loc[~circles.geometry.is_empty, ["minutes", "geometry"]].reset_index(drop=True)
    return own.assign(area_m2=own.geometry.area)


def _cells(plan: Plan) -> gpd.GeoDataFrame:
    cells, after = coverage_by_cell(plan.before, plan.grid), coverage_by_cell(plan.after, plan.grid)
    cells = cells.join(tiers_by_cell(plan.before, plan.grid))
    for minutes in plan.before.minutes:
        cells[f"after_{minutes:g}"] = after[f"covered_{minutes:g}"]
    return cells.reset_index(names="cell_id")


def _with_letters(gaps: gpd.GeoDataFrame, letters: list[str]) -> gpd.GeoDataFrame:
    """Return gaps with the letter that the map gives each."""
    return gaps.reset_index(names="gap_id").assign(letter=letters)


def _depots(plan: Plan) -> gpd.GeoDataFrame | None:
    """Return the depots with their riders as they may be told."""
    frame = plan.study.depots
    if frame is None:
        return None
    counts = frame["riders"].tolist() if "riders" in frame.columns else [np.nan] * len(frame)
    told = told_counts(counts, is_published=plan.study.publish)
    names = [places.text(value) for value in frame["name"]] if "name" in frame.columns else [""] * len(frame)
    values = {"id": frame.index.astype(str), "name": names, "riders": [None if t is None else str(t) for t in told]}
    return gpd.GeoDataFrame(values, geometry=frame.geometry.to_numpy(), crs=frame.crs)


def _zones(plan: Plan) -> gpd.GeoDataFrame | None:
    frame = plan.study.zones
    if frame is None:
        return None
    names = frame["name"] if "name" in frame.columns else frame.index
    values = {"id": frame.index.astype(str), "name": [places.text(value) for value in names]}
    return gpd.GeoDataFrame(values, geometry=frame.geometry.to_numpy(), crs=frame.crs)


def _balanced(plan: Plan) -> gpd.GeoDataFrame | None:
    """Return the zones that are proposed, beside what they are today."""
    if plan.proposal is None:
        return None
    made = plan.proposal.zones
    values = {"id": made.index.astype(str), "name": [places.text(value) for value in made["name"]]}
    values |= {name: made[name].to_numpy() for name in ("riders", "riders_today", "deviation")}
    return gpd.GeoDataFrame(values, geometry=made.geometry.to_numpy(), crs=made.crs)


def _streets(plan: Plan) -> gpd.GeoDataFrame:
    network = plan.network
    ahead = network.street_first
    return gpd.GeoDataFrame(
        {
            "way_id": network.way_id[ahead],
            "name": network.street_name,
            "highway": network.street_class,
            "length_m": network.length_m[ahead],
            "one_way": network.street_edge[:, 1] < 0,
        },
        geometry=network.street_geometry,
        crs=network.crs,
    )


def _closures(streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return streets.drop(columns=["edge", "from_fraction", "to_fraction"])


def _plain(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the frame with columns that a GeoPackage can hold: lists as text, infinity as missing."""
    plain = frame.copy()
    for name in [c for c in plain.columns if c != plain.geometry.name]:
        column = plain[name]
        if pd.api.types.is_float_dtype(column):
            plain[name] = column.astype("float64").replace([np.inf, -np.inf], np.nan)
        elif column.dtype == object or isinstance(column.dtype, pd.CategoricalDtype):
            plain[name] = [
                None if _is_nothing(v) else ", ".join(map(str, v)) if isinstance(v, (list, tuple)) else v
                for v in column
            ]
    return plain


def _is_nothing(value: object) -> bool:
    """Whether a value is None, NaN or NA."""
    return value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and np.isnan(value))
