"""A plan -> the files of its result folder; each written whole or not at all."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._page.reasons import own_limits
from .checkins import CheckInFigures
from .closures import TroubleFigures
from .contact_sheets import write_contacts
from .coverage import coverage_by_cell, totals
from .csv_tables import (
    amenities_csv,
    assignment_csv,
    checkin_tables,
    closures_csv,
    infeasible_csv,
    main_stations_csv,
    moved_blocks_csv,
    partners_csv,
    week_csv,
    wishes_csv,
    zone_balance_csv,
    zone_posts_csv,
    zone_shares_csv,
    zone_teams_csv,
)
from .disclosure import told_count, told_warnings
from .gaps import riders_scattered
from .geopackages import write_geopackage
from .model import Explanation, Plan
from .plan_sheets import write_tables
from .plan_tables import gap_table, printed_contacts, zone_table
from .serving_figures import ServingFigures, WeekCoverage
from .siting_figures import SitingFigures
from .siting_rules import SitingRules, Step
from .tiers import tier_totals, tiers_by_cell
from .whole_files import make_folder, remove_file, write_bytes, write_text
from .wishes import wishes_by_service
from .zone_figures import Contacts, ZoneProposal
from .zone_summary import zone_work_figures

WGS84 = "EPSG:4326"
#: what `write_proposal` writes; of an earlier plan they go
PROPOSAL_FILES = ("proposal.docx", "proposal.html")
#: digits of a degree in GeoJSON: 1 cm
DIGITS = 7
#: a list of numbers that `json.dumps` has set a line each; no text of JSON holds a line break
_NUMBERS = re.compile(r"\[\n[\s\d.,eE+-]+\]")
Properties = dict[str, Any]
Feature = dict[str, Any]


# ----------------------------------------------------------------------------------------------- public face
def write_outputs(
    plan: Plan, folder: str | Path, *, figures: Sequence[str] = (), font: str | Path | None = None
) -> list[Path]:
    """
    Write the result folder of a plan.

    Parameters
    ----------
    plan
        What `suggest` gave.
    folder
        Made if missing. Files of the same names are replaced; others are not touched, but for files of an earlier
        plan that this plan does not have: `explanations.json`, the tables, the figures and the proposal go then.
    figures
        Kinds of file, of `png`, `svg` and `pdf`, in which figures are written too: `map`, and `curve`, `week` and
        `zones` where the plan has them, as `draw_figure`, `draw_curve`, `draw_week` and `draw_zones` draw them.
    font
        The figures' font file, as of `draw_figure`.

    Returns
    -------
    files
        `map.html`, `circles.geojson`, `coverage.geojson`, `gaps.geojson`, `suggestions.geojson`, `plan.gpkg`,
        `tables.xlsx` and `summary.json`, in the order in which they were written; before the last
        `coverage_by_hour.csv`, where a place states hours, `amenities_by_zone.csv`, where one says what it
        offers, `partners.csv`, where there are partners, `main_stations.csv`, where a main station has sub-points,
        three tables of check-ins and `wishes.csv`, where the study has them, `explanations.json`, where the plan
        has an explanation, `closures.geojson` and `closures.csv`, where it tells of trouble, `zone_posts.csv`,
        `zone_shares.csv` and `zone_faults.geojson`, where it has posts, `zone_teams.csv`, where a ledger names
        teams, `zone_balance.csv`,
        `moved_blocks.csv` and `balanced_zones.geojson`, where it proposes zones, `assignment.csv`, where it assigns
        depots, `contacts.xlsx`, where it has contacts, `infeasible.csv`, where no plan keeps the rules, and the
        figures.
        GeoJSON is RFC 7946 (WGS 84, no NaN), with riders unrounded. The same plan gives the same bytes.

    Raises
    ------
    OutputError
        If a file cannot be written; the file of that name is then what it was before.
    InputError, MissingPackageError
        Of figures: as of `draw_figure`. Nothing is written then.
    """
    from .figures import figure_files, figure_names
    from .maps import map_html

    drawn = figure_files(plan, figures, font=font) if figures else {}
    target = make_folder(Path(folder))
    layers = plan_layers(plan)
    files = [write_text(target / "map.html", map_html(plan))]
    files += [write_text(target / f"{name}.geojson", geojson_text(layers[name])) for name in layers]
    files.append(write_geopackage(plan, target / "plan.gpkg"))
    files.append(write_tables(plan, target / "tables.xlsx"))
    told = None if plan.explanation is None else json_text(explanation_figures(plan.explanation), indent=1)
    trouble = plan.trouble
    tables = {
        "coverage_by_hour.csv": week_csv(plan),
        "amenities_by_zone.csv": amenities_csv(plan),
        "partners.csv": partners_csv(plan),
        "main_stations.csv": main_stations_csv(plan),
        **checkin_tables(plan),
        "wishes.csv": wishes_csv(plan),
        "explanations.json": told,
        "closures.geojson": None if trouble is None else geojson_text(closure_features(trouble)),
        "closures.csv": closures_csv(plan),
        "zone_posts.csv": zone_posts_csv(plan),
        "zone_shares.csv": zone_shares_csv(plan),
        "zone_teams.csv": zone_teams_csv(plan),
        "zone_faults.geojson": None if plan.posts is None else geojson_text(frame_features(plan.posts.faults)),
        "zone_balance.csv": zone_balance_csv(plan),
        "moved_blocks.csv": moved_blocks_csv(plan),
        "balanced_zones.geojson": None if plan.proposal is None else geojson_text(proposal_features(plan.proposal)),
        "assignment.csv": assignment_csv(plan),
        "infeasible.csv": infeasible_csv(plan),
    }
    for name, text in tables.items():
        if text is not None:
            files.append(write_text(target / name, text))
        else:
            remove_file(target / name)
    if plan.contacts is not None:
        files.append(write_contacts(plan, target / "contacts.xlsx"))
    else:
        remove_file(target / "contacts.xlsx")
    for name in figure_names():
        if name in drawn:
            files.append(write_bytes(target / name, drawn[name]))
        else:
            remove_file(target / name)
    for name in PROPOSAL_FILES:
        remove_file(target / name)
    files.append(write_text(target / "summary.json", json_text(summary(plan), indent=2)))
    return files


def plan_layers(plan: Plan) -> dict[str, list[Feature]]:
    """Return the GeoJSON features of `circles`, `coverage`, `gaps` and `suggestions`."""
    return {
        "circles": circle_features(plan),
        "coverage": coverage_features(plan),
        "gaps": gap_features(plan),
        "suggestions": suggestion_features(plan),
    }


def circle_features(plan: Plan) -> list[Feature]:
    """Return a feature a facility and break: `facility_id, kind, minutes, street_m, area_m2`; no empty areas."""
    columns = ["facility_id", "kind", "minutes", "street_m", "area_m2", "geometry"]
    return frame_features(plan.circles.loc[~plan.circles.geometry.is_empty, columns])


def coverage_features(plan: Plan) -> list[Feature]:
    """Return a feature a planning cell, riders covered and riders covered with the suggestions at each break."""
    before, after = coverage_by_cell(plan.before, plan.grid), coverage_by_cell(plan.after, plan.grid)
    columns = ["cell_id", "zone_id", "riders"]
    tiers = tiers_by_cell(plan.before, plan.grid)
    table = before.join(tiers).reset_index(names="cell_id")
    for minutes in plan.before.minutes:
        name = f"{minutes:g}"
        table[f"after_{name}"] = after[f"covered_{name}"].to_numpy()
        columns += [f"covered_{name}", f"share_{name}", f"after_{name}", f"n_facilities_{name}"]
        columns += [f"core_{name}", f"belt_{name}"]
    return frame_features(table[[*columns, "nearest_id", "nearest_min", "geometry"]])


def gap_features(plan: Plan) -> list[Feature]:
    """Return a feature a gap of today, worst first: `rank, riders, reason, nearest_id, nearest_min, zone_id`."""
    columns = ["rank", "riders", "reason", "nearest_id", "nearest_min", "zone_id", "geometry"]
    return frame_features(plan.gaps[columns])


def suggestion_features(plan: Plan) -> list[Feature]:
    """Return a feature a suggestion, in rank order, with what `summary.json` says of it."""
    return [
        {
            "type": "Feature",
            "properties": row,
            "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
        }
        for row in suggestion_rows(plan)
    ]


def suggestion_rows(plan: Plan) -> list[Properties]:
    """
    Return the suggestions in rank order: rank, id, name, kind, lon, lat, riders_gained.

    With rules also phase, cost (yuan, None: not known), and, where seats count, seats (None: no limit), served.
    """
    more = [name for name in ("phase", "cost", "seats", "served") if name in plan.sites.columns]
    xy = shapely.get_coordinates(np.asarray(plan.sites.geometry.array, dtype=object))
    return [
        {
            "rank": int(site["rank"]),
            "id": str(site_id),
            "name": str(site["name"]),
            "kind": str(site["kind"]),
            "lon": round(float(lon), DIGITS),
            "lat": round(float(lat), DIGITS),
            "riders_gained": float(site["riders_gained"]),
            "minutes_before": _plain_value(site["minutes_before"]),
            "minutes_after": _plain_value(site["minutes_after"]),
            **{name: _plain_value(site[name]) for name in more},
        }
        for (site_id, site), (lon, lat) in zip(plan.sites.iterrows(), xy, strict=True)
    ]


def summary(plan: Plan) -> Properties:
    """Return the figures of a plan, as `summary.json` holds them."""
    study, profile = plan.study, plan.network.profile
    figures: Properties = {
        "study": study.name,
        "date": study.date or None,
        "profile": profile.name,
        "speed_kph": None if profile.cutoffs_s else profile.speed_kph,
        "direction": study.direction,
        "minutes": [_number(m) for m in study.minutes],
        "when": None if study.when is None else str(study.when),
        "service": list(study.service),
        "inputs": [
            {
                "role": f.role,
                "file": f.file,
                "rows": told_count(f.rows, is_published=study.publish),
                "sha256": f.sha256,
                "datum": f.datum,
            }
            for f in study.inputs
        ],
        "before": dict(totals(plan.before)),
        "after": dict(totals(plan.after)),
        "tiers": {"before": dict(tier_totals(plan.before)), "after": dict(tier_totals(plan.after))},
        "gaps": {
            "count": len(plan.gaps),
            "riders": math.fsum(plan.gaps["riders"]),
            "scattered": riders_scattered(plan.before, plan.grid, plan.gaps),
            "each": _rows(gap_table(plan)),
        },
        "zones": _rows(zone_table(plan)),
        "own_limits": own_limits(plan),
        "suggestions": suggestion_rows(plan),
        "suggested": _suggested(plan),
        "solution": {
            "objective": plan.solution.objective,
            "bound": plan.solution.bound,
            "gap": plan.solution.gap if math.isfinite(plan.solution.gap) else None,
            "status": plan.solution.status,
            "proof": plan.solution.proof,
        },
        "warnings": [fault.told(study.lang) for fault in told_warnings(plan)],
    }
    if profile.cutoffs_s and profile.speed_kph is not None:
        figures["distance_m"] = {
            f"{m:g}": _number(profile.cutoff_s(m) * profile.speed_kph / 3.6) for m in study.minutes
        }
    if plan.siting is not None:
        figures["siting"] = _siting(plan.siting)
    if plan.unmet is not None:
        figures["infeasible"] = {
            "reasons": [reason.told(study.lang) for reason in plan.unmet.reasons],
            "riders_out_of_reach": math.fsum(plan.unmet.out_of_reach["riders"]),
            "points_out_of_reach": len(plan.unmet.out_of_reach),
        }
    if plan.serving is not None:
        figures |= _serving(plan.serving)
    if plan.trouble is not None:
        figures["closures"] = trouble_figures(plan.trouble)
    if plan.checkins is not None:
        figures["checkins"] = checkin_figures(plan.checkins)
    if plan.wishes is not None:
        figures["wishes"] = wishes_by_service(plan.wishes, is_published=study.publish)
    if plan.contacts is not None:
        figures["contacts"] = _contact_rows(plan.contacts)
    return figures | zone_work_figures(plan)


def _suggested(plan: Plan) -> dict[str, int]:
    """Return how many places of each kind are suggested."""
    return {kind: int((plan.sites["kind"] == kind).sum()) for kind in ("station", "shop")}


def _contact_rows(contacts: Contacts) -> list[Properties]:
    """Return the minutes of the contact table that a proposal prints, without addresses or numbers to call."""
    return _rows(printed_contacts(contacts)[["origin", "facility_id", "name", "minutes"]])


def _serving(figures: ServingFigures) -> Properties:
    """Return who does not count, the week by hour and the amenities."""
    left_out = figures.left_out.reset_index(names="id")
    columns = ["id", "name", "kind", "why", "riders_gained"]
    told: Properties = {
        "serving": {
            "left_out": _rows(left_out[[c for c in columns if c in left_out.columns]].astype({"id": str})),
            "unknown": list(figures.unknown),
            "at_least": figures.at_least,
        },
        "week": None if figures.week is None else _week(figures.week),
        "amenities": _amenities(figures.amenities),
    }
    return told


def _week(week: WeekCoverage) -> Properties:
    """Return riders in each hour of the week by break, and who depends on one place at night."""
    night = week.night
    places = night.places.reset_index(names="id").astype({"id": str})
    return {
        "monday": None if week.monday is None else week.monday.isoformat(),
        "rider_hours_share": week.rider_hours_share,
        **{
            name: {f"{t:g}": hours.tolist() for t, hours in zip(week.minutes, getattr(week, name).T, strict=True)}
            for name in ("covered", "at_least")
        },
        "night": {
            "minutes": _number(night.minutes),
            "covered": night.covered,
            "n_unknown": night.n_unknown,
            "places": _rows(places),
        },
    }


def _amenities(matrix: pd.DataFrame) -> list[Properties]:
    """Return each amenity with the riders who have it in reach at each break, all zones together."""
    names = [str(name) for name in matrix.columns if str(name).startswith("covered_")]
    return [
        {
            "amenity": code,
            "covered": {name.removeprefix("covered_"): math.fsum(rows[name]) for name in names},
        }
        for code, rows in matrix.groupby("amenity", sort=True)
    ]


def trouble_figures(trouble: TroubleFigures) -> list[Properties]:
    """Return the windows of reports of trouble with their zones, as `summary.json` holds them."""
    zones = _rows(trouble.zones)
    return [
        {
            **row,
            "zones": [
                {k: v for k, v in zone.items() if k != "window"} for zone in zones if zone["window"] == number
            ],
        }
        for number, row in enumerate(_rows(trouble.windows))
    ]


def proposal_features(proposal: ZoneProposal) -> list[Feature]:
    """Return a feature a proposed zone, in the order of the zones."""
    return frame_features(proposal.zones.reset_index(names="zone_id"))


def checkin_figures(figures: CheckInFigures) -> Properties:
    """Return what check-ins say, as `summary.json` holds it: all places together, by place and by week."""
    names = ("first", "last", "days", "n", "per_day", "low", "high", "trend", "likeness")
    told: Properties = {name: _plain_value(getattr(figures, name)) for name in names}
    weeks = figures.weeks[figures.weeks["place_id"] == ""].drop(columns=["place_id", "name"])
    return told | {"places": _rows(figures.places), "weeks": _rows(weeks)}


def closure_features(trouble: TroubleFigures) -> list[Feature]:
    """Return a feature a part of a street that a report covers."""
    return piece_features(trouble.streets)


def piece_features(pieces: gpd.GeoDataFrame) -> list[Feature]:
    """Return a feature a part of a street, of those that `piece_frame` gives."""
    return frame_features(pieces.drop(columns=["edge", "from_fraction", "to_fraction"]))


def _siting(figures: SitingFigures) -> Properties:
    """Return what a plan by rules gives beside coverage."""
    rules = figures.rules
    plain = SitingRules()
    stated = [f.name for f in fields(rules) if getattr(rules, f.name) != getattr(plain, f.name)]
    floor = rules.floor
    zones = figures.zones.reset_index()
    rows: Properties = {
        "objective": rules.objective,
        "rules": [{"rule": name, "value": _rule_value(getattr(rules, name))} for name in stated],
        "before": asdict(figures.before),
        "after": asdict(figures.after),
        "cost": {"budget": rules.budget, "spent": figures.spent},
        "today": figures.today,
        "closed": list(figures.closed),
        "zones": [{**row, "floor": floor} for row in zones.to_dict("records")],
        "worst_share": {"share": figures.worst_share, "bound": figures.worst_share_bound},
        "steps": [asdict(step) | {"sites": _ids(step.sites)} for step in figures.steps],
        "alternatives": [asdict(other) | {"sites": _ids(other.sites)} for other in figures.alternatives],
        "curve": [asdict(point) for point in figures.curve],
        "scenarios": [asdict(one) for one in figures.scenarios],
    }
    told: Properties = _plain_value(rows)
    return told


def _ids(sites: Sequence[tuple[str, str]]) -> list[Properties]:
    return [{"id": site_id, "kind": kind} for site_id, kind in sites]


def _rule_value(value: Any) -> Any:  # noqa: ANN401
    """Return a rule's value as study.toml has it."""
    if isinstance(value, tuple):
        return [_rule_value(one) for one in value]
    if isinstance(value, Step):
        return {key: inner for key, inner in asdict(value).items() if inner is not None}
    return value


def explanation_figures(why: Explanation) -> Properties:
    """Return what an explanation says, as `explanations.json` holds it."""
    sites = why.sites.reset_index(names="id").astype({"id": str})
    parts = {"zones": why.zones, "cells": why.cells, "substitutes": why.substitutes}
    suggestions = []
    for row in _rows(sites):
        own = {
            name: _rows(frame[frame["id"].astype(str) == row["id"]].drop(columns=["id", "rank"]))
            for name, frame in parts.items()
        }
        suggestions.append({**row, **own})
    return {
        "objective": why.objective,
        "gained": why.gained,
        "suggestions": suggestions,
        "changes": _rows(why.changes),
        "changes_left": why.n_left,
        "interrupted": why.is_interrupted,
        "reach": _rows(why.reach.reset_index(names="zone_id")),
    }


def _rows(frame: pd.DataFrame) -> list[Properties]:
    """Return the rows of a frame with plain values; what is missing or infinite is null."""
    return [{str(key): _plain_value(value) for key, value in row.items()} for row in frame.to_dict("records")]


def geojson_text(features: list[Feature]) -> str:
    """Return a FeatureCollection as text, a feature a line."""
    lines = ",\n".join(json_text(feature) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'


def json_text(value: Any, *, indent: int | None = None) -> str:  # noqa: ANN401
    """Return JSON with its Chinese readable, lists of numbers in a line; NaN and infinity are an error."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return text if indent is None else _NUMBERS.sub(lambda found: " ".join(found[0].split()), text)


# -------------------------------------------------------------------------------------------------------- JSON
def frame_features(frame: gpd.GeoDataFrame) -> list[Feature]:
    """Return features in WGS 84, rings as RFC 7946 wants them, missing values as null."""
    degrees = np.asarray(frame.geometry.to_crs(WGS84).array, dtype=object)
    turned = shapely.orient_polygons(degrees, exterior_cw=False)
    rounded = shapely.transform(turned, lambda xy: np.round(xy, DIGITS))
    columns = [name for name in frame.columns if name != frame.geometry.name]
    rows = frame[columns].to_dict("records")
    return [
        {
            "type": "Feature",
            "properties": {str(key): _plain_value(value) for key, value in row.items()},
            "geometry": shapely.geometry.mapping(shape),
        }
        for row, shape in zip(rows, rounded, strict=True)
    ]


def _is_missing(value: object) -> bool:
    """Whether a value is None, NaN or NA."""
    return value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and math.isnan(value))


def _plain_value(value: Any) -> Any:  # noqa: ANN401, PLR0911
    """Return a value as JSON has it: numpy's numbers as Python's, missing and infinite as null."""
    if _is_missing(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return None if math.isinf(value) else _number(float(value))
    if isinstance(value, Mapping):
        return {str(k): _plain_value(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(v) for v in value]
    return value if isinstance(value, int) else str(value)


def _number(value: float) -> float | int:
    """Return a whole number without its `.0`."""
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else value
