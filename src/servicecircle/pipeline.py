"""The whole chain: from a study to a plan."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .candidates import joined, stations_of, study_candidates, told_of_checks, told_of_density
from .coverage import cover
from .datum_checks import DatumCheck, check_datums, told_of_datums
from .demand import (
    RiderSeries,
    demand_points,
    riders_of_depots,
    riders_of_population,
    riders_uniform,
    riders_warnings,
    told_of_uniform,
)
from .disclosure import LEAST_TOLD
from .doors import locate_facilities
from .entrances import DOORS, WALKS_IN
from .errors import Fault, InfeasibleError, InputError, NetworkError, ServiceCircleError, StudyError
from .gaps import find_gaps
from .grids import hex_grid, square_grid
from .legs import find_legs
from .model import Coverage, Facilities, Grid, Land, Network, Plan, Positions, Study, TravelTimes, Unmet
from .moments import Moment, week_of
from .network import download_network, read_network
from .observed_demand import hour_of_demand, riders_of_checkins, tell_checkins, told_of_checkins
from .offers import hours_of, offers_in
from .osm import is_osm_file
from .osm_places import read_surroundings
from .params import SITE_RULES, Direction, TravelProfile
from .pickups import riders_of_pickups, shared_with_pickups, told_of_pickups
from .placement import (
    input_of,
    no_street_in_area,
    told_of_depots,
    told_of_places,
    told_of_reports,
    told_of_zones,
)
from .scenarios import Scenario, scenarios_of
from .service_areas import each_and_merged, service_areas
from .serving import Serving, serving_figures, study_serving
from .serving_figures import WeekCoverage
from .siting_rules import SitingRules
from .snapping import locate_on_edges
from .study_options import with_options
from .suggestions import Suggestions, choose_sites, out_of_reach, unreached_candidates
from .travel_times import limit_in_ms, times_between
from .week import cover_week
from .wider_limits import SEARCHED, needs_a_wider_limit, told_of_wider_limit
from .wishes import riders_of_wishes, tell_wishes, wishes_for

WGS84 = "EPSG:4326"
#: called with the name of each stage as it begins
OnStage = Callable[[str], None]
#: called with what the best plan so far is worth, and what none can beat
OnFound = Callable[[float, float], None]
#: a search for suggestions ends after this, with the best plan found and its gap (seconds)
TIME_LIMIT_S = 60.0
#: travel times of candidates that are held at most, about 60 bytes each while a plan is made
MOST_PAIRS = 100_000_000
#: so many candidates are never too many; of more, about so many are searched to see how many times there will be
FEW_CANDIDATES, SAMPLED = 2_000, 50
STAGES = ("roads", "grid", "times", "candidates", "choose", "circles")


class Roads(NamedTuple):
    """What a road file gives: the network, and what stands beside it."""

    network: Network
    places: gpd.GeoDataFrame | None  # shops, public places and gates, WGS 84
    land: Land | None


class Ground(NamedTuple):
    """What a plan stands on: the roads, the cells, the riders."""

    roads: Roads
    grid: Grid
    demand: gpd.GeoDataFrame  # as `demand_points` gives it
    told: tuple[Fault, ...]  # warnings of all of them


def suggest(
    study: Study,
    *,
    stations: int | None = None,
    shops: int | None = None,
    minutes: float | Sequence[float] | None = None,
    profile: str | TravelProfile | None = None,
    direction: Direction | None = None,
    rules: SitingRules | None = None,
    when: str | Moment | None = None,
    service: Sequence[str] | None = None,
    time_limit_s: float | None = None,
    roads: Roads | None = None,
    on_stage: OnStage | None = None,
    on_found: OnFound | None = None,
) -> Plan:
    """
    Work a study out: coverage today, gaps, and where new stations and shops would serve the most riders.

    Parameters
    ----------
    study
        As `load_study` gives it.
    stations, shops
        How many to suggest; None takes the study's own, 0 of both gives the coverage only.
    minutes
        Breaks, ascending; one number is the largest break, below which the study's own stay. Suggestions are
        made at the largest.
    profile, direction
        Instead of the study's own.
    rules
        What the plan is to be best at and has to keep, in place of the study's own rules.
    when, service
        Instead of the study's own: only stations and shops count that are open then, and offer each of the
        services; `"any"` and an empty list ask for nothing. New sites are taken to be open, and to offer them.
    time_limit_s
        End the search for suggestions after so long, with the best plan found and its gap; `inf`: only when proven.
        None: as the study says, 60 s unless it does.
    roads
        What `read_roads` gave for this study and profile, so that it is not read again.
    on_stage
        Called with the name of each stage as it begins, see `STAGES`.
    on_found
        Called with `objective` and `bound` of the best plan so far, whenever either betters in the stage `choose`.

    Returns
    -------
    plan
        Everything that the map, the files and the API show.

    Raises
    ------
    InputError
        If a parameter or an input is not allowed, or the study has neither a station nor anything to suggest.
    InfeasibleError
        If no plan keeps the rules; its message says why, and what would do, and its `plan` is the study as it is
        today.
    StudyError
        If a file of points fits the map in another datum than the one it was read in, and nobody states its datum.
    NetworkError
        If the roads make no usable network.
    """
    begin = on_stage or _quiet
    study = with_options(
        study,
        minutes=_breaks(study, minutes),
        profile=profile,
        direction=direction,
        stations=stations,
        shops=shops,
        rules=rules,
        when=when,
        service=service,
    )
    begin("roads")
    read = roads if roads is not None else read_roads(study)
    ground = lay_ground(study, read, on_stage=begin)
    return plan_on(study, ground, time_limit_s=time_limit_s, on_stage=begin, on_found=on_found)


def lay_ground(study: Study, roads: Roads, *, on_stage: OnStage | None = None) -> Ground:
    """
    Lay a study's grid on its roads, and its riders on the cells.

    Raises
    ------
    InputError
        As `lay_grid` and `spread_riders`.
    StudyError
        If a file of points fits the map in another datum than the one it was read in, and nobody states its datum.
    """
    told_of_datum = _datums_or_error(study, roads.network, roads.places)
    (on_stage or _quiet)("grid")
    grid = lay_grid(study, roads.network)
    demand, told = spread_riders(study, roads.network, grid)
    return Ground(roads, grid, demand, (*roads.network.report.warnings, *told_of_datum, *told))


def plan_on(
    study: Study,
    ground: Ground,
    *,
    time_limit_s: float | None = None,
    on_stage: OnStage | None = None,
    on_found: OnFound | None = None,
) -> Plan:
    """Work out a study whose ground is laid, as `suggest` does; its options are those of the study."""
    begin = on_stage or _quiet
    (network, places, land), grid, demand, told = ground
    limit_s = time_limit_s or study.suggest.time_limit_s or TIME_LIMIT_S
    serving = study_serving(study, network)
    facilities = serving.facilities
    warnings = [*study.warnings, *told, *serving.told]
    begin("times")
    demand_at = demand_positions(demand)
    times = _times(study, network, demand_at, facilities)
    before = cover(times, demand, minutes=study.minutes)
    warnings += told_of_places(times.facility_at, facilities, network, study)

    def search(some: gpd.GeoDataFrame) -> TravelTimes:
        return _times(study, network, demand_at, some)

    figures = serving_figures(study, serving, before, demand=demand, grid=grid, search=search)
    checkins = tell_checkins(study, before, places_in(study))
    wishes = _wishes(study, network, serving)
    begin("candidates")
    candidates, left_out, told_of_candidates = study_candidates(_with_room(study), network, places, serving.every)
    warnings += told_of_candidates
    begin("choose")
    _check_pairs(study, network, demand_at, candidates)
    to_candidates = _times(study, network, demand_at, candidates[["geometry"]])
    chosen, refused = _chosen(
        study,
        network,
        candidates,
        to_candidates,
        before,
        demand=demand,
        demand_at=demand_at,
        serving=serving,
        limit_s=limit_s,
        on_found=on_found,
    )
    stays = ~facilities.index.isin(() if chosen.siting is None else chosen.siting.closed)
    warnings += [*chosen.warnings, *told_of_checks(candidates, chosen.sites)]
    stations_then = stations_of(facilities[stays], chosen.sites, candidates)
    warnings += told_of_density(stations_then, SITE_RULES[study.site_rule], crs=network.crs)
    unreached = unreached_candidates(candidates, to_candidates, before, shop_minutes=study.shop_minutes)
    every = with_sites(facilities, chosen.sites)
    is_site = np.arange(len(every)) >= len(facilities)
    groups = [~is_site, is_site | np.append(stays, np.full(len(chosen.sites), True))]
    after, gaps = before, find_gaps(before, grid)
    gaps_after = gaps
    changes = bool(is_site.any()) or not stays.all()
    if changes:
        after = cover(_times(study, network, demand_at, every[groups[1]]), demand, minutes=study.minutes)
        gaps_after = find_gaps(after, grid)
    begin("circles")
    circles, merged = each_and_merged(
        network,
        Facilities(every),
        groups if changes else groups[:1],
        minutes=study.minutes,
        direction=study.direction,
        max_snap_m=study.max_snap_m,
    )
    circles.insert(1, "kind", every["kind"].reindex(circles["facility_id"]).to_numpy())
    plan = Plan(
        study=study,
        network=network,
        grid=grid,
        demand=demand,
        facilities=facilities,
        candidates=candidates,
        sites=chosen.sites,
        solution=chosen.solution,
        before=before,
        after=after,
        gaps=gaps,
        gaps_after=gaps_after,
        circles=circles,
        circles_before=merged[0],
        circles_after=merged[-1],
        land=land,
        rejected=joined([left_out, unreached]),
        siting=chosen.siting,
        serving=figures,
        checkins=checkins,
        wishes=wishes,
        warnings=tuple(dict.fromkeys(warnings)),
        is_interrupted=chosen.is_interrupted,
    )
    return plan if refused is None else _refused(plan, refused, to_candidates)


def _refused(plan: Plan, refused: InfeasibleError, to_candidates: TravelTimes) -> NoReturn:
    """Say that no plan keeps the rules, with the study as it is today and who is out of reach of all."""
    study, demand = plan.study, plan.demand
    left = out_of_reach(
        plan.candidates,
        to_candidates,
        plan.before,
        shop_minutes=study.shop_minutes,
        must_not=study.siting.must_not,
    )
    left.insert(2, "zone_id", demand["zone_id"].reindex(left.index) if "zone_id" in demand.columns else None)
    unmet = Unmet(refused.reasons, left)
    raise InfeasibleError(refused.reasons, plan=dataclasses.replace(plan, unmet=unmet)) from refused


def _nothing(candidates: gpd.GeoDataFrame, to_candidates: TravelTimes, before: Coverage) -> Suggestions:
    """Return what stands in place of suggestions where no plan keeps the rules."""
    none = choose_sites(candidates, to_candidates, before, stations=0, shops=0)
    return Suggestions(none.sites, dataclasses.replace(none.solution, status="infeasible", proof="untold"), ())


def _chosen(
    study: Study,
    network: Network,
    candidates: gpd.GeoDataFrame,
    to_candidates: TravelTimes,
    before: Coverage,
    *,
    demand: gpd.GeoDataFrame,
    demand_at: Positions,
    serving: Serving,
    limit_s: float,
    on_found: OnFound | None,
) -> tuple[Suggestions, InfeasibleError | None]:
    """Choose the sites; none with the reasons, and if longer minutes would do, where no plan keeps the rules."""
    facilities = serving.facilities
    try:
        chosen = choose_sites(
            candidates,
            to_candidates,
            before,
            stations=study.suggest.stations,
            shops=study.suggest.shops,
            shop_minutes=study.shop_minutes,
            rules=_of_those_that_count(study.siting, serving.left_out),
            facilities=facilities,
            zone=demand["zone_id"].tolist() if study.zones is not None else None,
            scenarios=_scenarios(study, network, (candidates, to_candidates), (facilities, before.times)),
            time_limit_s=None if math.isinf(limit_s) else limit_s,
            on_found=on_found,
        )
    except InfeasibleError as error:
        nothing = _nothing(candidates, to_candidates, before)
        if not needs_a_wider_limit(error, study):
            return nothing, error
        wider = [_times(study, network, demand_at, to, SEARCHED) for to in (candidates[["geometry"]], facilities)]
        told_wider = told_of_wider_limit(study, candidates, (wider[0], wider[1]), demand)
        return nothing, InfeasibleError((*error.reasons, told_wider))
    return chosen, None


def _scenarios(
    study: Study,
    network: Network,
    candidates: tuple[gpd.GeoDataFrame, TravelTimes],
    existing: tuple[gpd.GeoDataFrame, TravelTimes],
) -> tuple[Scenario, ...]:
    """Return the times while the study's reports of trouble hold, where the plan is to be robust."""
    if study.siting.robust is None or study.closures is None:
        return ()
    both = [(times, Facilities(frame[["geometry"]])) for frame, times in (candidates, existing)]
    return scenarios_of(network, study.closures, both[0], both[1])


def _with_room(study: Study) -> Study:
    """Return the study with a station to suggest where none is asked for but one may move."""
    if not study.siting.move or study.suggest.stations:
        return study
    return dataclasses.replace(study, suggest=dataclasses.replace(study.suggest, stations=1))


def _of_those_that_count(rules: SitingRules, left_out: gpd.GeoDataFrame) -> SitingRules:
    """Return the rules without the sites to keep that do not count: they do not move either."""
    keep = tuple(one for one in rules.keep if one not in left_out.index)
    return rules if keep == rules.keep else dataclasses.replace(rules, keep=keep)


def _datums_or_error(study: Study, network: Network, places: gpd.GeoDataFrame | None) -> list[Fault]:
    """Return the warnings on datums; a file that fits the map in a datum that nobody states is an error."""
    return _right_or_error(told_of_datums(check_datums(study, network, places)))


def _right_or_error(told: list[Fault]) -> list[Fault]:
    if errors := [fault for fault in told if fault.level == "error"]:
        raise StudyError(errors)
    return told


def _check_pairs(study: Study, network: Network, demand_at: Positions, candidates: gpd.GeoDataFrame) -> None:
    """Refuse more candidates than memory holds times for, as a sample of them tells; few are not sampled."""
    n = len(candidates)
    if n <= FEW_CANDIDATES:
        return
    n_times = 1
    if study.siting.robust is not None and study.closures is not None:
        n_times += len(study.closures.windows())
    some_of_them = candidates[["geometry"]].iloc[:: math.ceil(n / SAMPLED)]
    pairs = _times(study, network, demand_at, some_of_them).seconds.size / len(some_of_them) * n * n_times
    if pairs <= MOST_PAIRS:
        return
    msg = f"{n:,} candidates have about {pairs / 1e6:,.0f} million travel times to riders, more than the "
    msg += f"{MOST_PAIRS / 1e6:,.0f} million that memory is kept for: raise `spacing_m` in [suggest] (now "
    msg += f"{study.suggest.spacing_m:g}), name fewer sources, or draw a smaller [area]."
    zh = (
        f"{n:,} 个候选点与骑手之间约有 {pairs / 1e4:,.0f} 万个出行时间，超过内存所限的 {MOST_PAIRS / 1e4:,.0f} 万："
    )
    zh += f"请加大 [suggest] 的 spacing_m（现为 {study.suggest.spacing_m:g}），减少来源，或缩小 [area]。"
    raise InputError(msg, zh=zh)


def _quiet(stage: str) -> None:
    """Tell nobody of a stage."""
    del stage


def _breaks(study: Study, minutes: float | Sequence[float] | None) -> Sequence[float] | None:
    """Return the breaks asked for: one number is the largest, with the study's own below it."""
    if minutes is None or isinstance(minutes, Sequence):
        return minutes
    return (*(m for m in study.minutes if m < minutes), float(minutes))


class RoadCheck(NamedTuple):
    """What laying a study on its roads brings up."""

    faults: list[Fault]
    datums: list[DatumCheck]  # of each file of points; none where the roads cannot be read


def check_on_roads(study: Study) -> list[Fault]:
    """
    Lay a study on its roads, as far as nothing is planned yet, and return what is wrong or doubtful there.

    Returns
    -------
    faults
        What the road file, the grid, the riders and the places of the stations and shops bring up; at the first
        error it ends. The study's own warnings are not repeated.
    """
    return lay_on_roads(study).faults


def lay_on_roads(study: Study) -> RoadCheck:
    """Do what `check_on_roads` does, and return the datums of the files too."""
    told: list[Fault] = []
    datums: list[DatumCheck] = []
    try:
        network, places, _ = read_roads(study)
        told += network.report.warnings
        datums = check_datums(study, network, places)
        told += _right_or_error(told_of_datums(datums))
        told += spread_riders(study, network, lay_grid(study, network))[1]
        serving = study_serving(study, network)
        facilities = serving.every
        told += serving.told
        at = locate_facilities(Facilities(facilities), network, max_m=study.max_snap_m)
        told += told_of_places(at, facilities, network, study)
        told += study_candidates(study, network, places, facilities).warnings
        if study.closures is not None:
            told += told_of_reports(study, network, study.closures)
    except StudyError as error:
        told += error.faults
    except ServiceCircleError as error:
        file = study.network_file.name if isinstance(error, NetworkError) and study.network_file else None
        told.append(Fault(error.en, error.zh, file=file))
    return RoadCheck(list(dict.fromkeys(told)), datums)


def facility_circles(
    study: Study,
    *,
    minutes: float | Sequence[float] | None = None,
    profile: str | TravelProfile | None = None,
    when: str | Moment | None = None,
    service: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """
    Draw the areas of a study's stations and shops, in WGS 84, without planning anything.

    `when` and `service` as in `suggest`: a place that does not count has no area.

    Returns
    -------
    areas
        As `service_areas`, with `kind`; facilities that reach nothing are left out.

    Raises
    ------
    InputError
        If a parameter is not allowed, or the study has no station and no shop.
    """
    study = with_options(study, minutes=_breaks(study, minutes), profile=profile, when=when, service=service)
    if all(getattr(study, role) is None for role in ("stations", "shops", "streets", "districts")):
        msg = "The study has no station and no shop to draw circles of: add [stations] or [shops]."
        raise InputError(msg, zh="研究中没有驿站或商铺，无法绘制服务圈：请添加 [stations] 或 [shops]。")
    network, places, _ = read_roads(study)
    _datums_or_error(study, network, places)
    facilities = study_serving(study, network).facilities
    areas = service_areas(
        network,
        Facilities(facilities),
        minutes=study.minutes,
        direction=study.direction,
        max_snap_m=study.max_snap_m,
    )
    areas.insert(1, "kind", facilities["kind"].reindex(areas["facility_id"]).to_numpy())
    return areas[~areas.geometry.is_empty].drop(columns="cut_by_edge").to_crs(WGS84)


def coverage_by_hour(
    study: Study,
    *,
    minutes: float | Sequence[float] | None = None,
    service: Sequence[str] | None = None,
    week: str | dt.date | None = None,
    roads: Roads | None = None,
) -> WeekCoverage:
    """
    Riders covered in each of the 168 hours of a week, by the stations and shops that are then open.

    Parameters
    ----------
    study
        As `load_study` gives it; its `when` does not matter here.
    minutes, service
        As for `suggest`.
    week
        A date, `2026-08-06`: the week that holds it is shown, with hours of dates, the study's `holidays` and
        `workdays`. None: a usual week.
    roads
        What `read_roads` gave for this study, so that it is not read again.

    Returns
    -------
    week
        As `cover_week`; `to_frame()` has a row an hour. A plan has the same as `plan.serving.week`.

    Raises
    ------
    InputError
        If a parameter is not allowed, or no station or shop states hours.
    """
    study = with_options(study, minutes=_breaks(study, minutes), when="any", service=service)
    network = (roads or read_roads(study)).network
    serving = study_serving(study, network)
    hours = hours_of(serving.every)
    if not any(one.is_known for one in hours):
        msg = "No station or shop states hours that are understood: add a column `hours` (开放时间) to its ledger."
        raise InputError(msg, zh="没有驿站或商铺写明可识别的开放时间：请在台账中补上“开放时间”一列。")
    demand, _ = spread_riders(study, network, lay_grid(study, network))
    times = _times(study, network, demand_positions(demand), serving.every)
    days = None if week is None else week_of(_date(week), study.holidays, study.workdays)
    return cover_week(times, demand, hours, minutes=study.minutes, serves=serving.counts, days=days)


def _date(value: str | dt.date) -> dt.date:
    """Return a date that is given as one, or as text."""
    try:
        return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        msg = f"`week` must be a date, e.g. 2026-08-06, got {value!r}."
        raise InputError(msg, zh=f"week 应为日期，如 2026-08-06，现为 {value!r}。") from error


def explain(
    study: Study, point: tuple[float, float], facility: str, *, roads: Roads | None = None
) -> gpd.GeoDataFrame:
    """
    Tell the way between a point and a station or shop of a study, leg by leg.

    Parameters
    ----------
    study
        As `load_study` gives it; its profile and direction count.
    point
        Longitude and latitude, WGS 84.
    facility
        Id of a station or shop that is open; at the study's `when` and with its `service`, where it has them.
    roads
        What `read_roads` gave for this study, so that it is not read again.

    Returns
    -------
    legs
        As `find_legs`, in WGS 84: the walk to the street, each street by name, the walk to the door, with metres
        and seconds. The seconds add up to the travel time; no row if there is no way.

    Raises
    ------
    InputError
        If `point` is no place in degrees, or no facility has that id.
    """
    lon, lat = point
    if not (abs(lon) <= 180 and abs(lat) <= 90):  # noqa: PLR2004 - also false for nan
        msg = f"`point` must be longitude and latitude in degrees, got {point}."
        raise InputError(msg, zh=f"point 应为经度、纬度（度），现为 {point}。")
    network = (roads or read_roads(study)).network
    facilities = study_serving(study, network).facilities
    if facility not in facilities.index:
        msg = f"`facility` {facility!r} is no open station or shop of the study."
        raise InputError(msg, zh=f"研究中没有编号为“{facility}”且正在开放的驿站或商铺。")
    legs = find_legs(
        network,
        gpd.GeoDataFrame(geometry=gpd.points_from_xy([lon], [lat]), crs=WGS84),
        facilities.loc[[facility]],
        direction=study.direction,
        max_snap_m=study.max_snap_m,
    )
    return legs.to_crs(WGS84)


# --------------------------------------------------------------------------------------------------- the stages
def read_roads(study: Study) -> Roads:
    """
    Read the network of a study's profile, and from an OSM file the places and the land beside it.

    Raises
    ------
    NetworkError
        If the roads make no usable network.
    DownloadError
        If the study names a place, and the online services do not answer.
    """
    if study.network_file is None:
        if study.network_place is None:
            msg = "The study names no roads: set `file` or `place` in `[network]`."
            raise NetworkError(msg, zh="研究未指定路网：请在 [network] 中填写 file 或 place。")
        network = download_network(
            study.network_place, profile=study.profile, target_crs=study.crs, admit_trunk=study.admit_trunk
        )
        return Roads(network, None, None)
    network = read_network(
        study.network_file,
        profile=study.profile,
        crs=study.network_crs,
        target_crs=study.crs,
        admit_trunk=study.admit_trunk,
        cache=study.network_cache,
    )
    if not is_osm_file(study.network_file):
        return Roads(network, None, None)
    return Roads(network, *read_surroundings(study.network_file))


def study_area(study: Study) -> gpd.GeoDataFrame | None:
    """Return where riders are counted: the study's area, else its zones; None is all streets."""
    return study.area if study.area is not None else study.zones


def lay_grid(study: Study, network: Network) -> Grid:
    """
    Return the planning cells of a study.

    Raises
    ------
    InputError
        If no street lies in the study's area.
    """
    area = study_area(study)
    if study.h3 is not None:
        grid = hex_grid(network, resolution=study.h3, area=area, zones=study.zones)
    else:
        grid = square_grid(network, cell_m=study.cell_m or 100.0, area=area, zones=study.zones)
    if grid.cells.empty:
        msg, zh = no_street_in_area(study)
        raise InputError(msg, zh=zh)
    return grid


def spread_riders(study: Study, network: Network, grid: Grid) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """
    Return the demand points of a study, and what is doubtful about its riders.

    Raises
    ------
    InputError
        If the source that `[demand]` names is not in the study, or a depot has no street near.
    """
    area = study_area(study)
    told = told_of_zones(study, network)
    if study.demand_source == "uniform":
        riders = riders_uniform(grid)
        told.append(told_of_uniform())
    elif study.demand_source in {"checkins", "wishes", "pickups"}:
        riders, more = _observed_riders(study, network, grid)
        told += more
    else:
        source = study.depots if study.demand_source == "depots" else study.population
        if source is None:
            msg = f"`[demand] source` is {study.demand_source!r}, but the study has no [{study.demand_source}]."
            zh = f"[demand] source 为 {study.demand_source}，但研究中没有 [{study.demand_source}]。"
            raise InputError(msg, zh=zh)
        used = input_of(study, study.demand_source)
        if study.demand_source == "depots":
            riders = _riders_near(source, grid, used.file if used else None)
            told += told_of_depots(study, network)
        else:
            riders = riders_of_population(source, grid, network, area=area)
        told += riders_warnings(source, riders, used.file if used else study.demand_source)
        riders, more = _with_pickups(study, grid, riders)
        told += more
    return demand_points(network, grid, riders, area=area), told


def _observed_riders(study: Study, network: Network, grid: Grid) -> tuple[RiderSeries, list[Fault]]:
    """Return the riders of a study whose demand was observed: check-ins a day, or wishes for its service."""
    used = input_of(study, study.demand_source)
    file = used.file if used else study.demand_source
    if study.demand_source == "checkins" and study.checkins is not None:
        hour = hour_of_demand(study)
        least = float(LEAST_TOLD) if study.publish else 0.0
        riders = riders_of_checkins(study.checkins, places_in(study), grid, hour=hour, least=least)
        return riders, told_of_checkins(study, riders, file)
    if study.demand_source == "wishes" and study.wishes is not None:
        area = study_area(study)
        own = wishes_for(study.wishes, study.service)
        riders = riders_of_wishes(study.wishes, grid, network, service=study.service, area=area)
        return riders, riders_warnings(own.assign(riders=own["n"]), riders, file)
    if study.demand_source == "pickups" and study.pickups is not None:
        riders = riders_of_pickups(study.pickups, grid, when=study.when, wait_min=study.wait_minutes)
        return riders, told_of_pickups(study, grid, file)
    msg = f"`[demand] source` is {study.demand_source!r}, but the study has no [{study.demand_source}]."
    zh = f"[demand] source 为 {study.demand_source}，但研究中没有 [{study.demand_source}]。"
    raise InputError(msg, zh=zh)


def _with_pickups(study: Study, grid: Grid, riders: RiderSeries) -> tuple[RiderSeries, list[Fault]]:
    """Return the riders of depots of whom a share wait at pick-up points, where the study asks for it."""
    if not study.pickup_share or study.pickups is None:
        return riders, []
    used = input_of(study, "pickups")
    waiting = riders_of_pickups(study.pickups, grid, when=study.when, wait_min=study.wait_minutes)
    told = told_of_pickups(study, grid, used.file if used else "pickups")
    return shared_with_pickups(riders, waiting, study.pickup_share), told


def places_in(study: Study) -> gpd.GeoDataFrame:
    """Return the stations and shops of a study, whatever their status: index id, `name`, points in WGS 84."""
    own = [frame[["name", "geometry"]] for frame in (study.stations, study.shops) if frame is not None]
    if not own:
        return gpd.GeoDataFrame({"name": []}, geometry=[], crs=WGS84)
    return gpd.GeoDataFrame(pd.concat(own), geometry="geometry", crs=WGS84)


def _wishes(study: Study, network: Network, serving: Serving) -> pd.DataFrame | None:
    """Return what becomes of a study's wishes today; None where it has none."""
    if study.wishes is None or study.wishes.empty:
        return None
    at = locate_on_edges(study.wishes, network, max_m=study.max_snap_m)
    offered = [working for working, _, _ in offers_in(serving.every)]
    times = _times(study, network, at, serving.every)
    return tell_wishes(study.wishes, times, offered, ~serving.is_closed, study.minutes[-1])


def _riders_near(depots: gpd.GeoDataFrame, grid: Grid, file: str | None) -> RiderSeries:
    """Return the riders of depots by cell; what is wrong with them names their file."""
    try:
        return riders_of_depots(depots, grid)
    except InputError as error:
        raise StudyError([Fault(error.en, error.zh, file=file)]) from error


def demand_positions(demand: gpd.GeoDataFrame) -> Positions:
    """Return the positions of demand points, which know their edge: at a crossing they stay on their street."""
    return Positions(
        ids=demand.index,
        edge=demand["edge"].to_numpy(np.int64),
        fraction=demand["fraction"].to_numpy(np.float64),
        offset_m=np.zeros(len(demand)),
        xy=shapely.get_coordinates(np.asarray(demand.geometry.array, dtype=object)),
    )


def _times(
    study: Study, network: Network, demand_at: Positions, facilities: gpd.GeoDataFrame, n_times: int = 1
) -> TravelTimes:
    """Travel times of the study's profile up to its largest break, or some times as far."""
    served_by = Facilities(facilities)
    return times_between(
        network,
        demand_at,
        served_by,
        locate_facilities(served_by, network, max_m=study.max_snap_m),
        limit_ms=limit_in_ms(n_times * network.profile.cutoff_s(study.minutes[-1])),
        direction=study.direction,
    )


def with_sites(facilities: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Existing facilities, then suggested ones."""
    columns = ["name", "kind", "minutes", "geometry"]
    more = [name for name in (DOORS, WALKS_IN, "form", "parent") if name in facilities.columns]
    frames = [facilities[[*columns, *more]]] if len(facilities) else []
    frames += [sites[columns]] if len(sites) else []
    if not frames:
        return facilities[columns]
    return gpd.GeoDataFrame(pd.concat(frames), geometry="geometry", crs=WGS84)
