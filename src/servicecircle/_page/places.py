"""Places of the page: facilities, depots, centres, candidates, suggestions, with the cards that open on a click."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from ..closed_status import is_closed
from ..coverage import limits_s
from ..datum import Datum
from ..disclosure import told_counts
from ..entrances import DOORS
from ..model import Coverage, Plan
from . import numbers
from .alternatives import WITHIN_MIN, nearest_alternatives
from .geometry import DIGITS, in_datum, latlon
from .reasons import own_circle, reason_rows
from .shops_within import shops_within
from .siting import closing_rows, site_rows
from .week import night_rows, serves_night
from .words import Words

_SEPARATORS = re.compile(r"[、，,;；/|\n]+")

Card = dict[str, Any]
Place = dict[str, Any]


def text(value: Any) -> str:  # noqa: ANN401
    """Return a value of a table as text; a list joined, nothing as an empty text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return "、".join(text(v) for v in value)
    if numbers.is_missing(value):
        return "" if not isinstance(value, bool) else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def chips(value: Any) -> list[str]:  # noqa: ANN401
    """Return services as single words."""
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [text(v) for v in value if text(v)]
    told = text(value)
    if _SEPARATORS.search(told):
        return [part for cut in _SEPARATORS.split(told) if (part := cut.strip())]
    return [told] if told.isascii() and told else told.split()


def way(plan: Plan, words: Words) -> str:
    """Return how one travels, in a word or two."""
    return words(f"way.{plan.study.profile.roads}")


def nearest_text(name: str, minutes: Any, plan: Plan, words: Words) -> str:  # noqa: ANN401
    """Return the nearest facility and how far it is."""
    if numbers.is_missing(minutes):
        return name or numbers.NONE
    told = words("minutes_n", n=numbers.one_decimal(float(minutes)))
    return words("nearest_at", name=name or numbers.NONE, way=way(plan, words), minutes=told)


def own_limit(plan: Plan, facility_id: Any) -> float | None:  # noqa: ANN401
    """Return the minutes within which a facility of today serves, where fewer than the largest break; else None."""
    times = plan.before.times
    found = np.flatnonzero(np.asarray(times.facility_ids == facility_id))
    own = float(times.facility_minutes[found[0]]) if len(found) else math.inf
    return own if own < plan.study.minutes[-1] else None


def own_limit_text(plan: Plan, facility_id: Any, words: Words) -> str:  # noqa: ANN401
    """Return the same in words: `商铺只服务 5 分钟`; empty where nothing is to be said."""
    own = own_limit(plan, facility_id)
    if own is None:
        return ""
    kinds = plan.facilities["kind"] if "kind" in plan.facilities.columns else None
    kind = text(kinds.get(facility_id)) if kinds is not None else ""
    return words("own_limit", kind=words(f"kind.{kind or 'station'}"), m=f"{own:g}")


def own_minutes(row: dict[str, Any], kind: Any, plan: Plan) -> float | None:  # noqa: ANN401
    """Return the limit that a facility has of its own; None where only the breaks limit it."""
    own = row.get("minutes")
    if numbers.is_missing(own):
        return plan.study.shop_minutes if kind == "shop" else None
    return float(own)  # type: ignore[arg-type]


def cells_name(plan: Plan, words: Words) -> str:
    """Return what the cells are."""
    if plan.grid.cell_m is not None:
        return words("cells.square", n=f"{plan.grid.cell_m:g}")
    return words("cells.h3", n=plan.grid.h3)


def cells_text(n: float, plan: Plan, words: Words) -> tuple[str, str]:
    """Return a number of cells, and how large each is."""
    grid = plan.grid
    each = words("each.square", n=f"{grid.cell_m:g}") if grid.cell_m is not None else words("each.h3", n=grid.h3)
    return words("gap_cells", n=numbers.whole(n)), each


# --------------------------------------------------------------------------------------------- facilities
def off_network(plan: Plan) -> frozenset[Any]:
    """Return the ids of the facilities that serve nobody because no street is near."""
    at = plan.before.times.facility_at
    return frozenset(at.ids[~at.is_on_network])


def riders_by_facility(coverage: Coverage, minutes: float) -> pd.Series:
    """Return the riders whom each facility reaches within `minutes` and its own limit, by facility id."""
    times = coverage.times
    limit = limits_s(times, (minutes,))[:, 0]
    demand = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    reached = times.seconds <= limit[times.facility]
    total = np.bincount(
        times.facility[reached], weights=coverage.weight[demand[reached]], minlength=len(times.facility_ids)
    )
    return pd.Series(total, index=times.facility_ids)


def facility_places(plan: Plan, kind: str, words: Words) -> list[Place]:
    """Return the existing facilities of a kind, as in the input; those that do not count or are to move say so."""
    frame = plan.facilities
    frame = frame[_kinds(frame) == kind] if len(frame) else frame
    riders = {m: riders_by_facility(plan.before, m) for m in plan.study.minutes}
    left_out, alternative = off_network(plan), _alternative_rows(plan, kind, words)
    shops = shops_within(plan) if kind == "station" else {}
    place_of = {one: i for i, one in enumerate(plan.before.times.facility_ids)}  # as `choices` counts them
    out = []
    for facility_id, row, at, closed in zip(
        frame.index, _rows(frame), latlon(frame), is_closed(frame), strict=True
    ):
        name = text(row.get("name")) or text(facility_id)
        is_off = facility_id in left_out
        leaving = closing_rows(plan, facility_id, words.lang)
        rows = [*leaving, *night_rows(plan, facility_id, words), *_facility_rows(row, kind, plan, words)]
        rows += [*alternative.get(facility_id, []), *_team_rows(plan, facility_id, words)]
        if plan.serving is not None and str(facility_id) in plan.serving.unknown:
            rows.insert(0, [words("status"), words("open_unknown")])
        if is_off:
            rows.insert(0, [words("status"), words("off_network")])
        told = {} if is_off else _told_breaks(own_minutes(row, kind, plan), plan.study.minutes)
        card: Card = {
            "kind": _kind_told(row, kind, words),
            "name": name,
            "rows": rows,
            "figures": [
                [
                    numbers.told_riders(float(riders[m].get(facility_id, 0.0)), words.lang),
                    words("riders_within", m=f"{shown:g}"),
                ]
                for shown, m in told.items()
            ],
        }
        if facility_id in shops and not is_off:
            card["figures"].append([numbers.whole(shops[facility_id]), words("shops_within")])
        is_shut = is_off or bool(closed)
        more: dict[str, Any] = {"leaves": True} if leaving else {}
        if facility_id in place_of:
            more["at_choice"] = place_of[facility_id]
        if (night := serves_night(plan, facility_id)) is not None:
            more["night"] = night
        if shape := drawn_shape(row.get(DOORS)):
            more["shape"] = shape
        out.append({"name": name, "at": at, "closed": is_shut, "off": is_off, **more, "card": card})
    return [*out, *_left_out_places(plan, kind, words), *_closed_places(plan, kind, words)]


def _team_rows(plan: Plan, facility_id: Any, words: Words) -> list[list[Any]]:  # noqa: ANN401
    """Return the team of the zone whose post is this place, by its id: its own card hides that of the post."""
    if plan.posts is None or facility_id not in plan.posts.posts.index:
        return []
    zone = plan.posts.posts["zone_id"].to_dict()[facility_id]
    teams = text(plan.posts.zones["teams"].to_dict().get(zone))
    return [[words("team"), teams]] if teams else []


def _kind_told(row: dict[str, Any], kind: str, words: Words) -> str:
    form = text(row.get("form"))
    return words(f"form.{form}") if form in {"street", "district"} else words(f"layer.{kind}")


def drawn_shape(doors: object) -> dict[str, Any] | None:
    """Return the lines, outlines and gates of a place that is more than a point, as latitudes and longitudes."""
    if not isinstance(doors, BaseGeometry) or doors.is_empty:
        return None
    parts = shapely.get_parts(shapely.get_parts(doors))

    def drawn(shape: BaseGeometry) -> list[list[float]]:
        return [[round(lat, DIGITS), round(lon, DIGITS)] for lon, lat in shapely.get_coordinates(shape).tolist()]

    kind = shapely.get_dimensions(parts)
    return {
        "lines": [drawn(part) for part in parts[kind == 1]],
        "areas": [drawn(part.exterior) for part in parts[kind == 2]],  # noqa: PLR2004
        "gates": [drawn(part)[0] for part in parts[kind == 0]],
    }


def _closed_places(plan: Plan, kind: str, words: Words) -> list[Place]:
    """Return the facilities of a kind that their ledger says are closed: they count for nothing."""
    frame = plan.study.stations if kind == "station" else plan.study.shops
    if frame is None or frame.empty:
        return []
    frame = frame[is_closed(frame) & ~frame.index.isin(plan.facilities.index)]
    out = []
    for facility_id, row, at in zip(frame.index, _rows(frame), latlon(frame), strict=True):
        name = text(row.get("name")) or text(facility_id)
        told = words("status.closed", status=text(row.get("status")))
        others = _facility_rows({**row, "status": ""}, kind, plan, words)
        card = {
            "kind": words(f"layer.{kind}"), "name": name, "rows": [[words("status"), told], *others], "figures": [],
        }  # fmt: skip
        out.append({"name": name, "at": at, "closed": True, "off": True, "card": card})
    return out


def _left_out_places(plan: Plan, kind: str, words: Words) -> list[Place]:
    """Return the facilities of a kind that do not count at the moment, or for the services, of the plan."""
    if plan.serving is None or plan.serving.left_out.empty:
        return []
    frame = plan.serving.left_out
    frame = frame[_kinds(frame) == kind]
    out = []
    for facility_id, row, at in zip(frame.index, _rows(frame), latlon(frame), strict=True):
        name = text(row.get("name")) or text(facility_id)
        told = numbers.told_riders(float(row["riders_gained"]), words.lang)
        card = {
            "kind": words(f"layer.{kind}"),
            "name": name,
            "rows": [[words("status"), words(f"why.{row['why']}")], *_facility_rows(row, kind, plan, words)],
            "figures": [[told, words("if_counted")]],
        }
        out.append({"name": name, "at": at, "closed": True, "off": True, "card": card})
    return out


def _told_breaks(own: float | None, minutes: Sequence[float]) -> dict[float, float]:
    """Return up to three breaks as they are told, with the break each stands for; an own limit is told once."""
    if own is None or own >= minutes[-1]:
        return {m: m for m in minutes[:3]}
    return {**{m: m for m in minutes[:3] if m < own}, own: minutes[-1]}


def _facility_rows(row: dict[str, Any], kind: str, plan: Plan, words: Words) -> list[list[Any]]:
    rows: list[list[Any]] = []
    if text(row.get("hours")):
        rows.append([words("hours" if kind == "station" else "shop_hours"), text(row["hours"])])
    if chips(row.get("amenities")):
        rows.append([words("services"), chips(row["amenities"])])
    rows += [[words(key), text(row.get(key))] for key in ("address", "capacity", "status") if text(row.get(key))]
    if text(row.get("parent")):
        rows.append([words("main_station"), facility_names(plan).get(row["parent"], text(row["parent"]))])
    if (shape := drawn_shape(row.get(DOORS))) and shape["gates"]:
        rows.append([words("gates"), words("n_gates", n=len(shape["gates"]))])
    rows = [[term, _persons(told, words) if term == words("capacity") else told] for term, told in rows]
    own = own_minutes(row, kind, plan)
    if own is not None:
        rows.append([words("own_minutes"), words("minutes", m=f"{own:g}")])
    return rows


def _alternative_rows(plan: Plan, kind: str, words: Words) -> dict[Any, list[list[str]]]:
    """Return the row of a card that tells the nearest alternative of each facility of a kind, by id."""
    labels = facility_names(plan) if kind == "station" else facility_labels(plan, words)
    none = words("nearest_none", way=way(plan, words), m=f"{WITHIN_MIN:g}")
    return {
        one: [[words("nearest_other"), nearest_text(labels[other[0]], other[1], plan, words) if other else none]]
        for one, other in nearest_alternatives(plan, kind).items()
    }


def _persons(capacity: str, words: Words) -> str:
    """Return a capacity with its unit: what is a bare number counts persons."""
    return words("persons", n=capacity) if capacity.replace(".", "", 1).isdecimal() else capacity


def facility_labels(plan: Plan, words: Words) -> dict[Any, str]:
    """Return name, kind and own limit of every facility, existing or suggested, by id."""
    labels = {}
    for frame in (plan.facilities, plan.sites):
        for facility_id, row, kind in zip(frame.index, _rows(frame), _kinds(frame), strict=True):
            note = words(f"kind.{kind}")
            own = own_minutes(row, kind, plan)
            if own is not None and own < plan.study.minutes[-1]:
                note = words("kind_limit", kind=note, m=f"{own:g}")
            labels[facility_id] = (text(row.get("name")) or text(facility_id)) + _in_brackets(note, words)
    return labels


def facility_names(plan: Plan) -> dict[Any, str]:
    """Return the name of every facility, existing or suggested, by id."""
    names = {}
    for frame in (plan.facilities, plan.sites):
        for facility_id, row in zip(frame.index, _rows(frame), strict=True):
            names[facility_id] = text(row.get("name")) or text(facility_id)
    return names


def _kinds(frame: pd.DataFrame) -> Any:  # noqa: ANN401
    if "kind" not in frame.columns:
        return np.full(len(frame), "station", dtype=object)
    return frame["kind"].fillna("station").to_numpy(dtype=object)


def _rows(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """Return the rows as mappings, without the geometry."""
    columns = [c for c in frame.columns if c != "geometry"]
    return (
        {str(k): v for k, v in zip(columns, row, strict=True)} for row in frame[columns].itertuples(index=False)
    )


def in_datum_of(places: dict[str, list[Any]], datum: Datum) -> dict[str, list[Any]]:
    """Return the places of every kind, with what draws them, in a datum."""
    if datum == "wgs84":
        return places

    def moved(place: Any) -> Any:  # noqa: ANN401
        if not isinstance(place, dict):
            return in_datum(place, datum)
        out = {**place, "at": in_datum(place["at"], datum)}
        if shape := place.get("shape"):
            lines = {
                key: [[in_datum(at, datum) for at in line] for line in shape[key]] for key in ("lines", "areas")
            }
            out["shape"] = {**lines, "gates": [in_datum(at, datum) for at in shape["gates"]]}
        return out

    return {kind: [moved(place) for place in of_kind] for kind, of_kind in places.items()}


# --------------------------------------------------------------------------------------- depots, candidates
def depot_places(plan: Plan, words: Words) -> list[Place]:
    """Return the depots with their riders."""
    frame = plan.study.depots
    if frame is None:
        return []
    out = []
    riders = frame["riders"].tolist() if "riders" in frame.columns else [math.nan] * len(frame)
    shown = told_counts(riders, is_published=plan.study.publish)
    for depot_id, row, at, count in zip(frame.index, _rows(frame), latlon(frame), shown, strict=True):
        name = text(row.get("name")) or text(depot_id)
        told = count if isinstance(count, str) else numbers.whole(count)
        card = {
            "kind": words("layer.depot"),
            "name": name,
            "rows": [[words("address"), text(row["address"])]] if text(row.get("address")) else [],
            "figures": [[told, words("depot_riders")]],
        }
        out.append({"name": name, "at": at, "card": card})
    return out


def centre_places(plan: Plan, words: Words) -> list[Place]:
    """Return the posts of zones: whose each is, and whom it is nearest to."""
    if plan.posts is None:
        return []
    frame, zones = plan.posts.posts, plan.posts.zones
    out = []
    for post_id, row, at in zip(frame.index, _rows(frame), latlon(frame), strict=True):
        name, zone = text(row.get("name")) or text(post_id), row.get("zone_id")
        rows = []
        if text(zone):
            own = zones.loc[zone]
            rows.append([words("zone"), text(own["name"]) or text(zone)])
            rows += [[words("team"), own["teams"]]] if own["teams"] else []
            if own["n_posts"] == 1 and not numbers.is_missing(own["share_riders"]):
                rows.append([words("centre_share"), numbers.share(float(own["share_riders"]), 1.0) + "%"])
        is_off = not row["is_on_network"]
        if is_off:
            rows.insert(0, [words("status"), words("off_network")])
        figures = [
            [numbers.told_riders(float(row["riders"]), words.lang), words("centre_riders")],
            [numbers.told_riders(float(row["riders_of_others"]), words.lang), words("centre_others")],
        ]
        card = {"kind": words("layer.centre"), "name": name, "rows": rows, "figures": [] if is_off else figures}
        out.append({"name": name, "at": at, "closed": is_off, "off": is_off, "card": card})
    return out


def candidate_places(plan: Plan) -> list[list[float]]:
    """Return where candidates stand: a layer of dots without cards."""
    if plan.candidates is None or plan.candidates.empty:
        return []
    return [list(at) for at in latlon(plan.candidates)]


# ---------------------------------------------------------------------------------------------- suggestions
def suggestion_places(plan: Plan, gained: Sequence[int], closes: Sequence[str], words: Words) -> list[Place]:
    """Return the suggestions in rank order; `gained` are whole riders (0: under 1), `closes` letters of gaps."""
    out = []
    frame = plan.sites
    rank = frame["rank"] if "rank" in frame.columns else range(1, len(frame) + 1)
    for site_id, number, row, at, gain, gaps in zip(
        frame.index, rank, _rows(frame), latlon(frame), gained, closes, strict=True
    ):
        name = text(row.get("name")) or words("unnamed_site", n=int(number))
        kind = "shop" if row.get("kind") == "shop" else "station"
        kind_name = words(f"kind.{kind}")
        note = words("site_gap", kind=kind_name, gap=gaps) if gaps else kind_name
        told = words("gain", n=numbers.gain(gain, row.get("riders_gained", 0.0)))
        own = own_minutes(row, kind, plan)
        limit = plan.study.minutes[-1] if own is None else min(own, plan.study.minutes[-1])
        card = {
            "kind": words(f"card.suggestion.{kind}"),
            "name": name,
            "rows": [
                *_suggestion_rows(row, gaps, plan, words),
                *site_rows(plan, row, words.lang),
                *reason_rows(plan, site_id, words),
            ],
            "figures": [[told, words("gained", m=f"{limit:g}")]],
        }
        out.append(
            {
                "id": text(site_id),
                "number": int(number),
                "kind": kind,
                "name": name,
                "note": note,
                "gain": told,
                "at": at,
                "card": card,
            }
        )
    return out


def _suggestion_rows(row: dict[str, Any], gaps: str, plan: Plan, words: Words) -> list[list[Any]]:
    rows: list[list[Any]] = []
    told = [_minutes_text(row.get(key), words) for key in ("minutes_before", "minutes_after")]
    if told != [numbers.NONE, numbers.NONE]:
        moved = words("before_after", before=told[0], after=told[1])
        why = own_circle(plan, row.get("minutes_before"), words)
        note = ("；" if words.lang == "zh" else "; ").join([words("median_note"), *why])
        rows.append([words("minutes_before_after"), f"{moved}{_in_brackets(note, words)}"])
    if gaps:
        rows.append([words("closes"), gaps])
    n_cells = _n_cells(row.get("cells_gained"))
    if n_cells is not None:
        n, each = cells_text(n_cells, plan, words)
        rows.append([words("cells_gained"), words("cells_of", n=n, each=each)])
    names = facility_names(plan)
    for key in ("replaces", "substitutes"):
        ids = row.get(key)
        others = [names.get(i, text(i)) for i in ids] if isinstance(ids, list | tuple) else chips(ids)
        if others:
            rows.append([words(key), others[:4]])
    return rows


def _minutes_text(value: Any, words: Words) -> str:  # noqa: ANN401
    return numbers.NONE if numbers.is_missing(value) else words("minutes_n", n=numbers.one_decimal(float(value)))


def _in_brackets(note: str, words: Words) -> str:
    return f"（{note}）" if words.lang == "zh" else f" ({note})"


def _n_cells(value: Any) -> float | None:  # noqa: ANN401
    """Return a number of cells, told as a number or as their ids."""
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return float(len(value))
    return None if numbers.is_missing(value) or isinstance(value, str) else float(value)
