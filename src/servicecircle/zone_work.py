"""Zone work: what a study asks of its zones and posts beside coverage, worked out for a plan."""

from __future__ import annotations

import dataclasses
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import StrArray, points_xy, some, some_zh
from .balanced_zones import balance_zones
from .contacts import contact_table, place_table
from .depot_zones import assign_depots
from .errors import Fault
from .model import Plan, Study
from .place_links import MAX_BYTES, place_links
from .placement import input_of
from .zone_figures import Assignment, Contacts, ZonePosts, ZoneProposal
from .zone_places import check_zones, zones_of_posts
from .zone_posts import zone_posts
from .zone_rules import ContactRule
from .zone_texts import by_id, texts_in, zone_names

WGS84 = "EPSG:4326"


def with_zone_work(plan: Plan, *, time_limit_s: float | None = 60.0) -> Plan:
    """
    Return the plan with what its study asks of zones: posts, balanced zones, assigned depots, a contact table.

    Parameters
    ----------
    plan
        As `suggest` gives it; `[posts]`, `[balance]`, `[assign]` and `[contacts]` of its study say what is asked.
    time_limit_s
        End each search then, with the best found and its bound.

    Returns
    -------
    plan
        With `posts`, `proposal`, `assignment` and `contacts`, None where the study does not ask, and their
        warnings; the plan itself where it asks for nothing. Contacts list the stations and shops that count in the
        plan; those of a zone start at its post (the first by id), without one in the middle of its riders.

    Raises
    ------
    InputError
        If posts name zones that are not there.
    InfeasibleError
        If depots cannot be assigned within the limit.
    """
    study = plan.study
    posts, assignment = _posts(plan), None
    if study.assign is not None and study.depots is not None and study.zones is not None:
        assignment = _assigned(plan, time_limit_s)
    proposal = _proposed(plan, time_limit_s)
    contacts = None if study.contacts is None else _contacts(plan, study.contacts, assignment)
    if posts is None and proposal is None and assignment is None and contacts is None:
        return plan
    told = [*_told_of_posts(study, posts), *_told_of_depots(study, assignment), *_told_of_balance(study, proposal)]
    told += _told_of_links(plan)
    return dataclasses.replace(
        plan,
        posts=posts,
        proposal=proposal,
        assignment=assignment,
        contacts=contacts,
        warnings=(*plan.warnings, *told),
    )


def _posts(plan: Plan) -> ZonePosts | None:
    study = plan.study
    if study.posts is None or study.zones is None:
        return None
    return zone_posts(
        plan.network,
        study.zones,
        study.posts,
        demand=plan.demand,
        area=study.area,
        direction=study.direction,
        max_snap_m=study.max_snap_m,
    )


def _proposed(plan: Plan, time_limit_s: float | None) -> ZoneProposal | None:
    study = plan.study
    if study.balance is None or study.zones is None:
        return None
    return balance_zones(
        plan.network,
        study.zones,
        plan.demand,
        posts=study.posts,
        tolerance=study.balance.tolerance,
        keep_minutes=study.balance.keep_minutes,
        within_minutes=study.balance.within_minutes,
        direction=study.direction,
        max_snap_m=study.max_snap_m,
        time_limit_s=time_limit_s,
    )


def _assigned(plan: Plan, time_limit_s: float | None) -> Assignment | None:
    study = plan.study
    if study.assign is None or study.depots is None or study.zones is None:
        return None
    return assign_depots(
        study.depots,
        study.zones,
        by=study.assign.by,
        network=plan.network,
        posts=study.posts,
        limit=study.assign.limit,
        split=study.assign.split,
        direction=study.direction,
        max_snap_m=study.max_snap_m,
        time_limit_s=time_limit_s,
    )


# ------------------------------------------------------------------------------------------------------ contacts
def _contacts(plan: Plan, rule: ContactRule, assignment: Assignment | None) -> Contacts:
    """Return the contact tables of depots, zones and places."""
    study = plan.study
    none = gpd.GeoDataFrame({"name": []}, geometry=[], crs=WGS84)
    depots = none if study.depots is None else study.depots
    starts, told = (none, {}) if study.zones is None else _starts(plan, study.zones)
    tables = [
        contact_table(
            plan.network,
            origins,
            plan.facilities,
            stations=rule.stations,
            shops=rule.shops,
            lang=study.lang,
            direction=study.direction,
            max_snap_m=study.max_snap_m,
        )
        for origins in (depots, starts)
    ]
    zone = _zone_of_depots(study, depots, assignment)
    tables[0].insert(2, "zone", [zone.get(i, "") for i in tables[0]["origin_id"]])
    tables[1].insert(2, "from", [told[i] for i in tables[1]["origin_id"]])
    places = place_table(plan.facilities, lang=study.lang)
    links = [""] * len(places) if not rule.qr else place_links(plan.facilities, rule.qr, rule.qr_datum)[0]
    return Contacts(tables[0], tables[1], places.assign(link=links))


def _zone_of_depots(study: Study, depots: gpd.GeoDataFrame, assignment: Assignment | None) -> dict[object, str]:
    """Return the name of the zone of each depot, of one that is split all of them; without a rule by polygon."""
    if study.zones is None or depots.empty:
        return {}
    found = assignment or assign_depots(depots, study.zones)
    names = found.rows.groupby("depot_id", sort=False)["zone_name"].agg("、".join)
    return {i: str(name) for i, name in names.items()}


def _starts(plan: Plan, zones: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, dict[object, str]]:
    """Return where the way from each zone starts, and what that is: its post, else the middle of its riders."""
    crs = plan.network.crs
    polygons = check_zones(zones, crs)
    middle = "骑手分布中心" if plan.study.lang == "zh" else "middle of its riders"
    points = _middles(plan, zones)
    points = np.where(pd.isna(points), shapely.point_on_surface(polygons), points)
    told = [middle] * len(zones)
    posts = plan.study.posts
    if posts is not None:
        own = zones_of_posts(posts, zones, crs)
        at, names = points_xy(posts, crs), texts_in(posts, "name")
        for p in by_id(posts)[::-1].tolist():
            if (z := int(own.zone[p])) >= 0:
                points[z], told[z] = shapely.Point(at[p]), names[p] or str(posts.index[p])
    frame = gpd.GeoDataFrame({"name": zone_names(zones)}, index=zones.index, geometry=list(points), crs=crs)
    return frame, dict(zip(zones.index, told, strict=True))


def _middles(plan: Plan, zones: gpd.GeoDataFrame) -> StrArray:
    """Return of each zone the demand point nearest to the middle of its riders, None where it has no point."""
    demand = plan.demand
    zone = np.asarray(zones.index.get_indexer(pd.Index(demand["zone_id"].to_numpy(dtype=object))), dtype=np.int64)
    xy = points_xy(demand, plan.network.crs)
    weight = demand["weight"].to_numpy(np.float64)
    found = np.full(len(zones), None, dtype=object)
    for z in range(len(zones)):
        own = np.flatnonzero(zone == z)
        if own.size:
            w = weight[own] if weight[own].sum() > 0 else np.ones(own.size)
            middle = (xy[own] * w[:, None]).sum(axis=0) / w.sum()
            found[z] = shapely.Point(xy[own[np.hypot(*(xy[own] - middle).T).argmin()]])
    return found


# ------------------------------------------------------------------------------------------------------ warnings
def _told_of_posts(study: Study, posts: ZonePosts | None) -> list[Fault]:
    """Warn of zones without a post or with several, of posts outside their zone, and of posts of no zone."""
    if posts is None:
        return []
    zones = posts.zones
    told = []
    for problem, en, zh in (
        ("no_post", "has no post", "没有阵地"),
        ("several_posts", "has several posts", "有多个阵地"),
        ("post_outside", "has a post that stands outside of it", "的阵地不在网格内"),
        ("post_off_network", "has a post without a street near", "的阵地附近没有道路"),
        ("no_team", "has no team", "没有队伍"),
        ("several_teams", "has several teams", "有多支队伍"),
    ):
        rows = zones[[problem in text.split(",") for text in zones["problems"]]]
        if len(rows):
            both = [f"{i} ({name})" for i, name in zip(rows.index, rows["name"], strict=True)]
            verb = en if len(rows) == 1 else en.replace("has", "have", 1)
            what = f"{'zone' if len(rows) == 1 else 'zones'} {some(both)} {verb}."
            told.append(Fault(what, f"网格 {some_zh(both)} {zh}。", file=_file(study, "zones"), level="warning"))
    apart = posts.teams[posts.teams["n_pieces"] > 1]
    if len(apart):
        every = [f"{team} ({zones})" for team, zones in zip(apart["team"], apart["zone_names"], strict=True)]
        en = f"zones of one team that are not in one piece: {some(every)}."
        told.append(Fault(en, f"以下队伍负责的网格不相连：{some_zh(every)}。", level="warning"))
    homeless = posts.posts.index[posts.posts["zone_id"].isna()]
    if len(homeless):
        en = f"posts of no zone: {some(homeless)}. Write the zone of each into a column `zone` (所属网格)."
        zh = f"以下阵地不属于任何网格：{some_zh(homeless)}。可在“所属网格”一列写明。"
        told.append(Fault(en, zh, file=_file(study, "posts"), level="warning"))
    return told


def _told_of_depots(study: Study, assignment: Assignment | None) -> list[Fault]:
    """Warn of depots that are assigned to no zone."""
    if assignment is None:
        return []
    rows = assignment.rows[assignment.rows["zone_id"].isna()]
    if rows.empty:
        return []
    ids = rows["depot_id"]
    en, zh = f"depots that are assigned to no zone: {some(ids)}.", f"以下站点没有分配到任何网格：{some_zh(ids)}。"
    return [Fault(en, zh, file=_file(study, "depots"), level="warning")]


def _told_of_links(plan: Plan) -> list[Fault]:
    """Warn of links that no QR code is drawn of."""
    rule = plan.study.contacts
    if rule is None or not rule.qr:
        return []
    _, out = place_links(plan.facilities, rule.qr, rule.qr_datum)
    if not out:
        return []
    en = f"links of these places have over {MAX_BYTES} bytes, hold a person's number or run code, and are not "
    en += f"drawn as QR codes: {some(out)}."
    zh = f"以下驿站或商铺的“链接”超过 {MAX_BYTES} 字节、含个人号码或为脚本，未画成二维码：{some_zh(out)}。"
    return [Fault(en, zh, level="warning")]


def _told_of_balance(study: Study, proposal: ZoneProposal | None) -> list[Fault]:
    """Warn of proposed zones that are not within the tolerance."""
    if proposal is None or proposal.status != "out_of_tolerance":
        return []
    most, asked = f"{proposal.imbalance:.1%}", f"{proposal.tolerance:.0%}"
    never = math.isinf(proposal.bound) or proposal.least_imbalance > proposal.tolerance
    en = f"no contiguous zones within {asked} of the mean {'exist' if never else 'were found'}: the proposal is "
    en += f"within {most}. Allow a larger `tolerance` in [balance]."
    zh = f"{'不存在' if never else '没有找到'}各网格骑手数与平均数相差不超过 {asked} 的连通方案，"
    zh += f"所给方案相差 {most}。请放宽 [balance] 的 tolerance。"
    return [Fault(en, zh, file=_file(study, "zones"), level="warning")]


def _file(study: Study, role: str) -> str | None:
    """Return the file of a role."""
    used = input_of(study, role)
    return None if used is None else used.file
