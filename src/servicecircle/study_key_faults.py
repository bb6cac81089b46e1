"""What is wrong between keys of study.toml that are each right alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from .errors import Fault, InputError
from .model import SuggestRule
from .params import travel_profile
from .services import fold_services
from .siting_rules import check_with_study, rules_of
from .study_keys import StudyFile

DEFAULT_MINUTES = (10.0, 15.0)


def faults_between_keys(said: StudyFile) -> list[Fault]:
    """Return what is wrong between keys that are each right alone."""
    faults = []
    profile = said.get("", "profile", travel_profile("walk"))
    for m in said.get("", "minutes", DEFAULT_MINUTES):
        try:
            profile.cutoff_s(m)
        except InputError as error:
            faults.append(said.fault("", "minutes", error.en, error.zh))
    if {"cell_m", "h3"} <= said.tables.get("grid", {}).keys():
        en, zh = "takes either `cell_m` or `h3`, not both.", "cell_m 与 h3 只能写一个。"
        faults.append(said.fault("grid", "h3", en, zh))
    sources = said.get("candidates", "sources")
    if sources and "study" not in sources and said.get("candidates", "file"):
        en = 'is read and not used: `sources` does not name "study".'
        fault = said.fault("candidates", "file", en, "已读入但未使用：sources 中没有 study。")
        faults.append(dataclasses.replace(fault, level="warning"))
    source = said.get("demand", "source")
    if source not in {None, "uniform"} and source not in said.tables:
        en = f'is {source!r}, and there is no [{source}]. Add it, or take source = "uniform".'
        faults.append(
            said.fault("demand", "source", en, f"为 {source}，但没有 [{source}]。请补上，或改用 uniform。")
        )
    column, columns = said.get("population", "column"), said.get("population", "columns", {})
    if column and "riders" in columns and columns["riders"] != column:
        en, zh = "and `columns.riders` name two columns. Keep one.", "与 columns.riders 指定了两列，请保留一个。"
        faults.append(said.fault("population", "column", en, zh))
    if source is None and {"depots", "population"} <= said.tables.keys():
        en = "is read and not used: riders come from [depots]. State `source` in [demand] to choose."
        fault = said.fault(
            "population", "", en, "已读入但未使用：骑手数来自 [depots]。可在 [demand] 中写明 source。"
        )
        faults.append(dataclasses.replace(fault, level="warning"))
    try:
        fold_services(said.get("", "service", ()), words=said.get("amenities", "words", {}))
    except InputError as error:
        faults.append(said.fault("", "service", error.en, error.zh))
    every = (_faults_of_dates, _siting_fault, _faults_of_zones, _faults_of_pickups)
    return [*faults, *(fault for look in every for fault in look(said))]


def _faults_of_dates(said: StudyFile) -> Iterator[Fault]:
    """Return what keys of dates lack, or contradict."""
    if "stale_after_days" in said.tables.get("amenities", {}) and said.date is None:
        en = "needs the `date` of the study: how old a check is is counted up to it, never to today."
        yield said.fault("amenities", "stale_after_days", en, "需要研究的 date：以该日期而非今天计算。")
    if "drop_stale" in said.tables.get("amenities", {}) and "stale_after_days" not in said.tables["amenities"]:
        en = "needs `stale_after_days`: after how many days a check counts for nothing."
        yield said.fault("amenities", "drop_stale", en, "需要 stale_after_days：检查后多少天视为未知。")
    if both := sorted({*said.get("", "holidays", ())} & {*said.get("", "workdays", ())}):
        en = f"and `holidays` both list {both[0]}. Keep one."
        yield said.fault("", "workdays", en, f"与 holidays 都列有 {both[0]}，请保留一处。")


def _faults_of_pickups(said: StudyFile) -> Iterator[Fault]:
    """Return what [pickups] and `pickup_share` lack of each other."""
    source = said.get("demand", "source")
    if said.get("demand", "pickup_share"):
        if not {"depots", "pickups"} <= said.tables.keys() or source not in {None, "depots"}:
            en = 'is of the riders of depots: it needs [depots], [pickups], and source = "depots".'
            zh = "指骑手站点的骑手中有多大比例：需要 [depots] 和 [pickups]，且 source 为 depots。"
            yield said.fault("demand", "pickup_share", en, zh)
    elif "pickups" in said.tables and source != "pickups":
        en = 'is read and not used: write source = "pickups" or `pickup_share` in [demand].'
        zh = '已读入但未使用：请在 [demand] 中写 source = "pickups"，或写 pickup_share。'
        yield dataclasses.replace(said.fault("pickups", "", en, zh), level="warning")


def _faults_of_zones(said: StudyFile) -> Iterator[Fault]:
    """Return what [posts], [assign], [balance] and [contacts] need and the study does not name."""
    stated = said.tables
    by = said.get("assign", "by", "polygon")
    needed = {
        "posts": ["zones"],
        "assign": ["depots", "zones", *(["posts"] if by != "polygon" else [])],
        "balance": ["zones"],
    }
    for table, others in needed.items():
        if lacking := [other for other in others if table in stated and other not in stated]:
            en = f"needs {' and '.join(f'[{other}]' for other in lacking)}: add them."
            yield said.fault(table, "", en, f"需要 {'、'.join(f'[{other}]' for other in lacking)}，请补上。")
    if "contacts" in stated and not {"stations", "shops"} & stated.keys():
        en, zh = "needs [stations] or [shops]: add one.", "需要 [stations] 或 [shops]，请补上。"
        yield said.fault("contacts", "", en, zh)
    if "contacts" in stated and not {"depots", "zones"} & stated.keys():
        en, zh = "needs [depots] or [zones]: add one.", "需要 [depots] 或 [zones]，请补上。"
        yield said.fault("contacts", "", en, zh)
    for key in ("limit", "split"):
        if key in stated.get("assign", {}) and by != "balanced":
            en, zh = 'is for by = "balanced" only: take it out.', '只用于 by = "balanced"，请删去。'
            yield said.fault("assign", key, en, zh)


def _siting_fault(said: StudyFile) -> Iterator[Fault]:
    """Return what the rules of [suggest] contradict: each other, or the rest of the study."""
    try:
        count = suggest_rule(said)
        check_with_study(
            rules_of(said.tables.get("suggest", {})),
            minutes=said.get("", "minutes", DEFAULT_MINUTES),
            stations=count.stations,
            shops=count.shops,
            has_zones="zones" in said.tables,
            has_closures="closures" in said.tables,
        )
    except InputError as error:
        key, _, en = error.en.removeprefix("`").partition("` ")
        yield said.fault("suggest", key, en, error.zh.removeprefix(f"{key} "))


def suggest_rule(said: StudyFile) -> SuggestRule:
    """Return the counts and limits of [suggest]; its other keys are rules."""
    own = {field.name for field in dataclasses.fields(SuggestRule)}
    return SuggestRule(**{key: value for key, value in said.tables.get("suggest", {}).items() if key in own})
