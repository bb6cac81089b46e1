"""Serving: which stations and shops of a study count, given a moment and the services that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, StrArray, some, some_zh
from .amenity_zones import cover_amenities
from .belt import Belt, lay_belt
from .closed_status import is_closed
from .coverage import covered_by, covered_riders, limits_s, sum_by
from .entrances import gates_shut_to, is_shut
from .errors import Fault, StudyError
from .hours_week import CLOSED, OPEN, UNKNOWN
from .model import Coverage, Grid, Kind, Network, Study, TravelTimes
from .moments import week_of
from .offers import hours_of, offers_in, open_states, stale_in
from .placement import told_of_closed
from .services import told_services
from .serving_figures import ServingFigures
from .week import cover_week

WGS84 = "EPSG:4326"
#: why a place does not count: of one, of several, in Chinese
REASONS = {
    "closed": ("is closed then", "are closed then", "届时不开放"),
    "without": ("does not offer it", "do not offer it", "没有该服务"),
    "broken": ("has it, broken", "have it, broken", "有该服务但已损坏"),
    "stale": ("was not checked for long", "were not checked for long", "久未检查"),
    "unstated": ("says nothing of what it offers", "say nothing of what they offer", "未说明服务项目"),
}


@dataclass(frozen=True, eq=False)
class Serving:
    """The stations and shops of a study, and which of them count."""

    every: gpd.GeoDataFrame  # WGS 84, those that their status does not close; index id
    lacks: StrArray  # (n,) why the services asked for are not there: without, broken, unstated; "" where they are
    is_closed: BoolArray  # (n,) known to be closed at the moment asked for
    is_unknown: BoolArray  # (n,) it is not known whether it is open then
    told: tuple[Fault, ...] = ()

    @property
    def counts(self) -> BoolArray:
        """Whether each counts: it offers what is asked for, and is not known to be closed."""
        counts: BoolArray = (self.lacks == "") & ~self.is_closed
        return counts

    @property
    def facilities(self) -> gpd.GeoDataFrame:
        """Those that count: what coverage, circles, gaps and suggestions rest on."""
        return self.every[self.counts]

    @property
    def left_out(self) -> gpd.GeoDataFrame:
        """Those that do not, with `why`: a key of `REASONS`."""
        why = np.where(self.lacks == "", "closed", self.lacks)[~self.counts]
        return self.every[~self.counts].assign(why=why)


def study_serving(study: Study, network: Network) -> Serving:
    """
    Tell which stations and partners of a study count: the one filter that every computation goes through.

    One counts if its status does not close it, if it is not known to be closed at `study.when`, and if each of
    `study.service` is stated to be there and to work. A partner has its own limit; shop streets, districts and what
    has gates have their `doors`. Gates count that are not known to be closed at `study.when`.

    Raises
    ------
    StudyError
        If a street by its name, a crossing, or what a gate belongs to is not there.
    """
    belt = lay_belt(study, network, is_shut=_shut_gates(study))
    if errors := [fault for fault in belt.told if fault.level == "error"]:
        raise StudyError(errors)
    every, told = _standing(study, belt)
    state = np.full(len(every), OPEN, dtype=np.int8)
    if study.when is not None:
        state = open_states(hours_of(every), study.when)
    state[is_shut(every)] = CLOSED
    serving = Serving(every, _lacks(every, study.service), state == CLOSED, state == UNKNOWN)
    told += [*_told_of_service(serving, study), *_told_of_when(serving, study)]
    return replace(serving, told=tuple(told))


def _shut_gates(study: Study) -> list[str]:
    """Return the ids of gates that are closed at the moment asked for, by their status, or to the study's mode."""
    gates = study.gates
    if gates is None or gates.empty:
        return []
    shut = is_closed(gates)
    if study.when is not None:
        shut |= open_states(hours_of(gates), study.when) == CLOSED
    shut |= gates_shut_to(gates, study.profile.roads)
    return [str(own) for own in gates.index[shut]]


def _standing(study: Study, belt: Belt) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Return the stations and partners that are not closed by their status, in one frame; and tell the closed."""
    frames: list[gpd.GeoDataFrame] = []
    told: list[Fault] = list(belt.told)
    for role in ("stations", "shops", "streets", "districts"):
        frame = belt.frames.get(role)
        if frame is None or frame.empty:
            continue
        kind: Kind = "station" if role == "stations" else "shop"
        closed = is_closed(frame)
        told += told_of_closed(study, frame[closed].assign(kind=kind))
        own = frame[~closed].assign(kind=kind)
        if "minutes" not in own.columns:
            own["minutes"] = np.nan
        if kind == "shop":
            own["minutes"] = own["minutes"].fillna(study.shop_minutes)
        frames.append(own)
    if not frames:
        return gpd.GeoDataFrame({"name": [], "kind": [], "minutes": []}, geometry=[], crs=WGS84), told
    joined = gpd.GeoDataFrame(pd.concat(frames), geometry="geometry", crs=WGS84)
    joined.index.name = "id"
    return joined, told


# ---------------------------------------------------------------------------------------------------- the filter
def _lacks(frame: pd.DataFrame, service: Sequence[str]) -> StrArray:
    """Return why each facility does not offer all of the services, "" where it does."""
    why = np.full(len(frame), "", dtype=object)
    members = [frozenset(one.split("|")) for one in service]
    stale = stale_in(frame)
    for at, (working, broken, states_any) in enumerate(offers_in(frame) if members else ()):
        lacking = [codes for codes in members if not codes & working]
        if lacking:
            is_broken = all(codes & broken for codes in lacking)
            is_stale = all(codes & stale[at] for codes in lacking)
            why[at] = "broken" if is_broken else "stale" if is_stale else "without" if states_any else "unstated"
    return why


# ---------------------------------------------------------------------------------------------------- the figures
def serving_figures(
    study: Study,
    serving: Serving,
    before: Coverage,
    *,
    demand: gpd.GeoDataFrame,
    grid: Grid,
    search: Callable[[gpd.GeoDataFrame], TravelTimes],
) -> ServingFigures:
    """
    Return what hours and services change: all from one set of travel times.

    Parameters
    ----------
    study, serving
        The study, and what `study_serving` said of it.
    before, demand, grid
        Coverage by those that count, its demand points and cells.
    search
        Gives travel times of the same demand points to facilities; asked only where some do not count.
    """
    every, counts = serving.every, serving.counts
    times = before.times if counts.all() else search(every)
    surely = before.covered
    if serving.is_unknown.any():
        surely = covered_by(times, study.minutes, serves=counts & ~serving.is_unknown)
    week, hours = None, hours_of(every)
    if any(one.is_known for one in hours):
        date = None if study.when is None else study.when.date
        days = None if date is None else week_of(date, study.holidays, study.workdays)
        week = cover_week(times, demand, hours, minutes=study.minutes, serves=serving.lacks == "", days=days)
    offered = [working for working, _, _ in offers_in(every)]
    return ServingFigures(
        left_out=serving.left_out.assign(riders_gained=_gained(times, before)[~counts]),
        unknown=tuple(map(str, every.index[counts & serving.is_unknown])),
        at_least=covered_riders(before, surely),
        week=week,
        amenities=cover_amenities(
            times,
            demand,
            grid,
            offered,
            minutes=study.minutes,
            serves=~serving.is_closed,
            unchecked=stale_in(every),
        ),
    )


def _gained(times: TravelTimes, before: Coverage) -> FloatArray:
    """Return the riders within each facility's reach at the largest break whom today nobody covers."""
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    limit = limits_s(times, before.minutes[-1:])[:, 0]
    adds = (times.seconds <= limit[times.facility]) & ~before.covered[point, -1]
    return sum_by(times.facility[adds], before.weight[point[adds]], len(times.facility_ids))


# ----------------------------------------------------------------------------------------------------- the words
def _told_of_service(serving: Serving, study: Study) -> list[Fault]:
    """Tell how many places do not offer what is asked for, and which have it broken."""
    n = len(serving.every)
    if not study.service or not n:
        return []
    en, zh = told_services(study.service, "en"), told_services(study.service, "zh")
    parts_en, parts_zh = [], []
    for key in ("without", "broken", "stale", "unstated"):
        ids = serving.every.index[serving.lacks == key]
        if len(ids):
            which = (f" ({some(ids)})", f"（{some_zh(ids)}）") if key in {"broken", "stale"} else ("", "")
            parts_en.append(f"{len(ids)} {REASONS[key][len(ids) > 1]}{which[0]}")
            parts_zh.append(f"{len(ids)} 处{REASONS[key][2]}{which[1]}")
    has = int((serving.lacks == "").sum())
    more = (f"; {', '.join(parts_en)}", f"；{'，'.join(parts_zh)}") if parts_en else ("", "")
    return [
        Fault(
            f"Only places that offer {en} count: {has} of {n}{more[0]}.",
            f"只计提供“{zh}”的驿站和商铺：{n} 处中有 {has} 处{more[1]}。",
            level="warning",
        )
    ]


def _told_of_when(serving: Serving, study: Study) -> list[Fault]:
    """Tell how many places are closed at the moment asked for, and of which that is not known."""
    offers = serving.lacks == ""
    n = int(offers.sum())
    if study.when is None or not n:
        return []
    en, zh = study.when.told("en"), study.when.told("zh")
    closed = int((offers & serving.is_closed).sum())
    unknown = serving.every.index[offers & serving.is_unknown]
    verbs = "is closed then and does" if closed == 1 else "are closed then and do"
    told = f"Counted as on {en}: {closed} of {n} places {verbs} not count"
    told_zh = f"按{zh} 计：{n} 处中有 {closed} 处届时不开放，不计入"
    if len(unknown):
        told += f"; {len(unknown)} {'does not say and counts' if len(unknown) == 1 else 'do not say and count'}"
        told += f" as open ({some(unknown)})"
        told_zh += f"；{len(unknown)} 处未说明，按开放计（{some_zh(unknown)}）"
    return [Fault(f"{told}.", f"{told_zh}。", level="warning")]
