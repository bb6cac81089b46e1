"""A study in: study.toml and every file that it names, read and checked, every fault told at once."""

from __future__ import annotations

import dataclasses
import difflib
import gc
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import some, some_zh
from .addresses import ANSWERS_FILE, USUAL_HOST, Addresses, GeocodeRule, read_answers
from .belt_ledgers import frame_of_belt, is_street_header
from .checkin_ledgers import is_checkin_header, read_checkin_table
from .checkins import CheckIns
from .closure_reports import copy_of_reports, is_report_header, reports_of
from .closures import Closures
from .columns import ONE_OF, Role, is_address_header, is_ledger_header
from .coordinate_texts import with_split_pairs
from .datum import Datum
from .duplicates import LedgerRows, StatedRows, told_in_two_ledgers
from .errors import Fault, InputError, Lang, StudyError, visible
from .ledgers import Reading, frame_of_points, in_natural_order
from .located_rows import AskedRow
from .map_rules import MapRules, boundary_warning
from .model import InputFile, Study, SuggestRule
from .moments import Moment, on_holidays
from .params import MAX_SNAP_M, SHOP_MINUTES, Direction, TravelProfile, travel_profile
from .polygons import frame_of_polygons
from .readers import Table, read_table
from .services import fold_services
from .sheet_copies import SheetCopy, copy_of, with_columns
from .siting_rules import SitingRules, check_with_study, rules_of
from .study_keys import StudyFile, check_value, read_study_file, stated_lang
from .wish_ledgers import is_wish_header, wishes_of
from .zone_rules import AssignRule, BalanceRule, ContactRule
from .zone_texts import texts_in, unknown_zones, zone_names

STUDY_FILE = "study.toml"
NETWORK_SUFFIXES = (
    ".osm.pbf", ".pbf", ".osm", ".osm.gz", ".graphml", ".gpkg", ".parquet", ".shp", ".geojson",
)  # fmt: skip
DEFAULT_MINUTES = (10.0, 15.0)
DEFAULT_CELL_M = 100.0
#: files of one study whose middles lie farther apart than this are doubtful (degrees)
FAR_APART_DEG, NEAR_DEG = 2.0, 1.0

DemandSource = Literal["depots", "population", "checkins", "wishes", "uniform"]


def load_study(path: str | Path) -> Study:
    """
    Read a study and check all of it.

    Parameters
    ----------
    path
        The folder of the study, or its study.toml.

    Returns
    -------
    study
        Every frame in WGS 84, rows in natural order of ids, so that the order of rows in a file changes nothing.
        Its `warnings` hold what is doubtful and was let pass. The road file is named, and not opened.

    Raises
    ------
    StudyError
        If anything is wrong in study.toml or in a file that it names: `faults` holds every error, each with
        file, sheet, row and column.

    Examples
    --------
    >>> load_study("no/such/folder")
    Traceback (most recent call last):
    servicecircle.errors.StudyError: 1 fault(s) in the study:
      - no/such/folder/study.toml: is not there. A study is a folder with a study.toml, or that file itself.
    """
    read = read_study(path)
    if read.study is None:
        raise StudyError([fault for fault in read.faults if fault.level == "error"])
    return read.study


@dataclass(frozen=True, eq=False)
class StudyReading:
    """A study as read, right or wrong."""

    study: Study | None  # None where a fault is an error
    faults: tuple[Fault, ...]  # errors and warnings, file by file
    sheets: tuple[SheetCopy, ...]  # each table that could be read, without persons' data
    lang: Lang


def read_study(path: str | Path) -> StudyReading:
    """
    Read a study as `load_study` does, and tell every fault; the road file is not opened.

    Parameters
    ----------
    path
        The folder of the study, or its study.toml.
    """
    file = Path(path)
    file = file if file.suffix == ".toml" else file / STUDY_FILE
    try:
        said = read_study_file(file)
    except StudyError as error:
        return StudyReading(None, error.faults, (), stated_lang(file) or "zh")
    sheets: list[SheetCopy] = []
    with _no_search_for_cycles():
        study, faults = _read_study(said, sheets)
    return StudyReading(study, tuple(faults), tuple(sheets), said.get("", "lang", "zh"))


def with_options(
    study: Study,
    *,
    minutes: Sequence[float] | None = None,
    profile: str | TravelProfile | None = None,
    direction: str | None = None,
    stations: int | None = None,
    shops: int | None = None,
    spacing_m: float | None = None,
    max_snap_m: float | None = None,
    time_limit_s: float | None = None,
    rules: SitingRules | None = None,
    lang: str | None = None,
    date: str | None = None,
    when: str | Moment | None = None,
    service: Sequence[str] | None = None,
) -> Study:
    """
    Return the study with some parameters changed, checked as those of study.toml are.

    Parameters
    ----------
    study
        As `load_study` gives it; it is not changed.
    minutes, profile, direction, spacing_m, max_snap_m, time_limit_s, lang, date
        As the keys of study.toml; None leaves what the study says.
    rules
        All the rules of the plan beside the counts, in place of the study's; `dataclasses.replace(study.siting,
        ...)` changes some.
    when, service
        As the keys of study.toml; `"any"` and an empty list ask for nothing.
    stations, shops
        How many to suggest; 0 is allowed, and 0 of both gives the coverage only.

    Returns
    -------
    study
        A new study.

    Raises
    ------
    InputError
        If a value is not allowed: a negative count, breaks that do not ascend, an unknown profile, or minutes
        that the profile does not define.
    """
    given = {
        "minutes": minutes,
        "direction": direction,
        "max_snap_m": max_snap_m,
        "lang": lang,
        "date": date,
    }
    changes: dict[str, Any] = {
        key: check_value("", key, value) for key, value in given.items() if value is not None
    }
    if profile is not None:
        changes["profile"] = travel_profile(profile)
    if when is not None:
        changes["when"] = on_holidays(check_value("", "when", when), study.holidays)
    if service is not None:
        changes["service"] = _folded(check_value("", "service", service), study.amenity_words)
    rule = {"stations": stations, "shops": shops, "spacing_m": spacing_m, "time_limit_s": time_limit_s}
    changed = {key: check_value("suggest", key, value) for key, value in rule.items() if value is not None}
    changes["suggest"] = dataclasses.replace(study.suggest, **changed)
    if rules is not None:
        changes["siting"] = rules
    new = dataclasses.replace(study, **changes)
    check_with_study(
        new.siting,
        minutes=new.minutes,
        stations=new.suggest.stations,
        shops=new.suggest.shops,
        has_zones=new.zones is not None,
        has_closures=new.closures is not None,
    )
    for m in new.minutes:
        new.profile.cutoff_s(m)
    return new


def _folded(service: Sequence[str], words: Mapping[str, str]) -> tuple[str, ...]:
    """Return services as codes; what is wrong names the key."""
    try:
        return fold_services(service, words=words)
    except InputError as error:
        msg = f"`service` {error.en}"
        raise InputError(msg, zh=f"service {error.zh}") from error


# ------------------------------------------------------------------------------------------------------ reading
@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Let Python not look for cycles of objects: none are among a million cells; a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read_study(said: StudyFile, sheets: list[SheetCopy]) -> tuple[Study | None, list[Fault]]:
    """Return the study and its faults, and add the tables as they were read to `sheets`."""
    faults = [*said.faults, *_faults_between_keys(said)]
    network, network_faults = _network_file(said)
    faults += network_faults
    readings: dict[str, Reading] = {}
    inputs = [_input_file("network", said.get("network", "file"), network)] if network else []
    addresses, address_faults = _addresses(said)
    faults += address_faults
    inputs += _answers_file(said, addresses)
    for role in get_args(Role):
        if role in said.tables:
            reading, used, ledger_faults = _read_ledger(said, role, addresses, sheets)
            faults += ledger_faults
            inputs += [used] if used else []
            if reading is not None and not (role == "zones" and reading.frame.empty):
                readings[role] = reading
    reports, used, report_faults = _read_closures(said, sheets)
    faults += report_faults
    inputs += [used] if used else []
    frames, clashes = _own_ids({role: reading.frame for role, reading in readings.items()}, said)
    checkins, wishes, observed_inputs, observed_faults = _read_observed(said, frames)
    faults += observed_faults
    inputs += observed_inputs
    inputs = [_with_rows(used, readings.get(used.role), frames.get(used.role)) for used in inputs]
    faults += _in_two_ledgers(readings, said)
    faults += [*clashes, *_far_apart(frames, said), *_siting_ids_and_costs(said, frames)]
    faults += [*_posts_of_no_zone(said, readings), *_public_boundaries(said, readings)]
    if any(fault.level == "error" for fault in faults):
        return None, faults
    study = _study(said, frames, network, inputs, faults)
    return dataclasses.replace(study, closures=reports, checkins=checkins, wishes=wishes), faults


def _study(
    said: StudyFile,
    frames: Mapping[str, gpd.GeoDataFrame],
    network: Path | None,
    inputs: Sequence[InputFile],
    faults: Sequence[Fault],
) -> Study:
    shop_minutes = said.get("shops", "minutes", SHOP_MINUTES)
    shops = _with_minutes(frames.get("shops"), shop_minutes)
    h3 = said.get("grid", "h3")
    folder = said.path.resolve().parent
    return Study(
        name=said.get("", "name", visible(folder.name)),
        folder=folder,
        profile=said.get("", "profile", travel_profile("walk")),
        minutes=said.get("", "minutes", DEFAULT_MINUTES),
        direction=cast("Direction", said.get("", "direction", "to")),
        lang=cast("Lang", said.get("", "lang", "zh")),
        crs=said.get("", "crs"),
        date=said.get("", "date", ""),
        office=said.get("", "office", ""),
        is_invented=said.get("", "invented", False),
        publish=said.get("", "publish", False),
        max_snap_m=said.get("", "max_snap_m", MAX_SNAP_M),
        network_file=network,
        network_place=said.get("network", "place"),
        network_crs=said.get("network", "crs"),
        admit_trunk=bool(said.get("network", "admit_trunk")),
        network_cache=said.get("network", "cache", True),
        area=frames.get("area"),
        stations=frames.get("stations"),
        shops=shops,
        streets=_with_minutes(frames.get("streets"), said.get("streets", "minutes", shop_minutes)),
        districts=_with_minutes(frames.get("districts"), said.get("districts", "minutes", shop_minutes)),
        depots=frames.get("depots"),
        posts=frames.get("posts"),
        candidates=frames.get("candidates"),
        zones=frames.get("zones"),
        gates=_with_areas(frames.get("gates")),
        compounds=frames.get("compounds"),
        checkin_stock=said.get("checkins", "stock"),
        holidays=said.get("", "holidays", ()),
        population=frames.get("population"),
        demand_source=_demand_source(said),
        shop_minutes=shop_minutes,
        when=on_holidays(said.get("", "when"), said.get("", "holidays", ())),
        service=fold_services(said.get("", "service", ()), words=said.get("amenities", "words", {})),
        amenity_words=said.get("amenities", "words", {}),
        cell_m=None if h3 is not None else said.get("grid", "cell_m", DEFAULT_CELL_M),
        h3=h3,
        suggest=_suggest_rule(said),
        siting=rules_of(said.tables.get("suggest", {})),
        candidate_sources=said.get("candidates", "sources", ()),
        site_rule=said.get("candidates", "rule", "none"),
        assign=AssignRule(**said.tables["assign"]) if "assign" in said.tables else None,
        balance=BalanceRule(**said.tables["balance"]) if "balance" in said.tables else None,
        contacts=ContactRule(**said.tables["contacts"]) if "contacts" in said.tables else None,
        map_rules=MapRules(**said.tables.get("map", {})),
        inputs=tuple(inputs),
        warnings=tuple(fault for fault in faults if fault.level == "warning"),
    )


def _public_boundaries(said: StudyFile, readings: Mapping[str, Reading]) -> list[Fault]:
    """Return a warning where boundaries stand on a map that is to be published."""
    zones = readings.get("zones")
    if zones is None:
        return []
    names = [str(name) for name in zones.frame["name"].dropna()] if "name" in zones.frame.columns else []
    names += [""] * (len(zones.frame) - len(names))
    rules = MapRules(**said.tables.get("map", {}))
    told = boundary_warning(rules, names, is_published=said.get("", "publish", False))
    if told is None:
        return []
    return [dataclasses.replace(said.fault("", "publish", *told), level="warning")]


def _with_minutes(frame: gpd.GeoDataFrame | None, usual: float) -> gpd.GeoDataFrame | None:
    """Return partners with their own limit, the usual one where their ledger states none."""
    return None if frame is None else frame.assign(minutes=frame["minutes"].fillna(usual))


def _suggest_rule(said: StudyFile) -> SuggestRule:
    own = {field.name for field in dataclasses.fields(SuggestRule)}
    return SuggestRule(**{key: value for key, value in said.tables.get("suggest", {}).items() if key in own})


def _siting_fault(said: StudyFile) -> Iterator[Fault]:
    """Return what the rules of [suggest] contradict: each other, or the rest of the study."""
    try:
        count = _suggest_rule(said)
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


def _siting_ids_and_costs(said: StudyFile, frames: Mapping[str, gpd.GeoDataFrame]) -> Iterator[Fault]:
    """Return ids of `keep` that no station or shop has, and a budget without costs."""
    known = {str(i) for role in ("stations", "shops") if role in frames for i in frames[role].index}
    lost = [one for one in said.get("suggest", "keep", ()) if one not in known]
    if lost and known:
        en = f"names {', '.join(lost)}, no station or shop of the study. Write ids as their ledgers have them."
        yield said.fault(
            "suggest", "keep", en, f"列出的 {'、'.join(lost)} 不是研究中的驿站或商铺，请按台账编号填写。"
        )
    stated, count = said.tables.get("suggest", {}), _suggest_rule(said)
    lacking = [
        f"{kind}_cost"
        for kind, n in (("station", count.stations), ("shop", count.shops))
        if n and f"{kind}_cost" not in stated and f"suggest.{kind}_cost" not in {f.column for f in said.faults}
    ]
    candidates = frames.get("candidates")
    if "budget" in stated and lacking and (candidates is None or "cost" not in candidates.columns):
        en = f"needs the cost of every candidate: add {' and '.join(f'`{key}`' for key in lacking)} (yuan)."
        yield said.fault("suggest", "budget", en, f"需要每个候选点的费用：请写明 {'、'.join(lacking)}（元）。")


def _posts_of_no_zone(said: StudyFile, readings: Mapping[str, Reading]) -> Iterator[Fault]:
    """Return the rows of posts that name a zone which is not there."""
    if not {"posts", "zones"} <= readings.keys():
        return
    reading, zones = readings["posts"], readings["zones"].frame
    for row in unknown_zones(reading.frame, zones):
        own, text = str(reading.frame.index[row]), texts_in(reading.frame, "zone")[row]
        names = zone_names(zones)
        yield Fault(
            f"{text!r} is no id or name of one zone. Zones are {some(names)}.",
            f"“{text}”不是网格的编号或名称（或有重名）。现有网格：{some_zh(names)}。",
            file=said.get("posts", "file"),
            row=reading.row_of.get(own),
            column="zone",
        )


def _demand_source(said: StudyFile) -> DemandSource:
    usual = "depots" if "depots" in said.tables else "population" if "population" in said.tables else "uniform"
    return cast("DemandSource", said.get("demand", "source", usual))


def _faults_between_keys(said: StudyFile) -> list[Fault]:
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
    return [*faults, *_siting_fault(said), *_faults_of_zones(said)]


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


def _network_file(said: StudyFile) -> tuple[Path | None, list[Fault]]:
    stated = said.tables.get("network", {})
    if "file" in stated and "place" in stated:
        en, zh = "takes either `file` or `place`, not both.", "file 与 place 只能写一个。"
        return None, [said.fault("network", "place", en, zh)]
    if "place" in stated:
        return None, []
    if "file" not in stated:
        told = any(fault.column in {"network.file", "network.place", "network"} for fault in said.faults)
        en = 'is missing: write [network] with file = "roads.osm.pbf", or place = "...".'
        zh = '缺少路网：请写 [network]，其下 file = "roads.osm.pbf" 或 place = "…"。'
        return None, [] if told else [said.fault("network", "file", en, zh)]
    path = said.path.parent / stated["file"]
    if missing := _missing_file(said, "network", path):
        return None, [missing]
    if not path.name.lower().endswith(NETWORK_SUFFIXES):
        en = f"{path.name!r} has an extension that is not known; known are {', '.join(NETWORK_SUFFIXES)}."
        zh = f"“{path.name}”的扩展名不支持，支持：{'、'.join(NETWORK_SUFFIXES)}。"
        return None, [said.fault("network", "file", en, zh)]
    return path.resolve(), []


def _missing_file(said: StudyFile, table: str, path: Path) -> Fault | None:
    named = said.get(table, "file")
    if _is_readable(path):
        return None
    beside = sorted(p.name for p in path.parent.iterdir() if p.is_file()) if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = (f" Did you mean {near[0]!r}?", f"是否为“{near[0]}”？") if near else ("", "")
    en = f"names {named!r}, which is not there or not readable (paths start at the folder of study.toml).{hint[0]}"
    return said.fault(
        table, "file", en, f"指定的“{named}”不存在或无法读取（路径从 study.toml 所在文件夹算起）。{hint[1]}"
    )


def _is_readable(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except OSError:  # a name that no file can have
        return False


def _input_file(
    role: str, file: str, path: Path, *, rows: int | None = None, sheet: str | None = None
) -> InputFile:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return InputFile(role, file, rows, digest, None if role == "network" else "wgs84", sheet)


def _with_rows(used: InputFile, reading: Reading | None, frame: gpd.GeoDataFrame | None) -> InputFile:
    """Return the file with the row of each id that the study has of it, also where ids were renamed."""
    if reading is None or frame is None:
        return used
    ids = frame.index.tolist()
    prefix = "" if set(ids) == set(reading.frame.index.tolist()) else f"{ONE_OF[cast('Role', used.role)]}-"
    return dataclasses.replace(used, row_of={i: reading.row_of[i.removeprefix(prefix)] for i in ids})


def _read_ledger(
    said: StudyFile, role: Role, addresses: Addresses | None, sheets: list[SheetCopy]
) -> tuple[Reading | None, InputFile | None, list[Fault]]:
    stated = said.tables[role]
    if "file" not in stated:
        if role == "candidates" and _needs_no_list(said):
            return None, None, []
        told = any(fault.column == f"{role}.file" for fault in said.faults)
        en, zh = f"is missing: [{role}] needs `file`.", f"缺少：[{role}] 需要写明 file。"
        return None, None, [] if told else [said.fault(role, "file", en, zh)]
    path = said.path.parent / stated["file"]
    if missing := _missing_file(said, role, path):
        return None, None, [missing]
    columns: dict[str, str] = dict(stated.get("columns", {}))
    if "column" in stated:
        columns["riders"] = stated["column"]
    headers: dict[str, str] = said.get("headers", "words", {})
    try:
        table = _read_table(said, role, columns=columns, headers=headers)
    except StudyError as error:
        return None, None, list(error.faults)
    keep, datum = stated.get("keep", ()), stated.get("datum")
    sheets.append(copy_of(table, role, columns=columns, keep=keep, headers=headers))
    if role in {"streets", "districts"}:
        words = said.get("amenities", "words", {})
        reading = frame_of_belt(table, role, columns=columns, keep=keep, words=words, headers=headers, datum=datum)
    elif _holds_polygons(table, role):
        reading = frame_of_polygons(table, role, columns=columns, keep=keep, headers=headers, datum=datum)
    else:
        words = said.get("amenities", "words", {})
        rows = StatedRows(stated.get("same", {}), stated.get("apart", ()))
        reading = frame_of_points(
            table,
            role,
            columns=columns,
            keep=keep,
            words=words,
            headers=headers,
            datum=datum,
            addresses=addresses,
            stated=rows if rows.same or rows.apart else None,
        )
    sheets[-1] = with_columns(sheets[-1], reading.answers or {})
    used = _input_file(role, stated["file"], path, rows=reading.rows, sheet=table.sheet)
    used = dataclasses.replace(used, datum=reading.datum, is_datum_stated=reading.is_datum_stated)
    return reading, used, list(reading.faults)


def _read_table(said: StudyFile, role: Role, *, columns: Mapping[str, str], headers: Mapping[str, str]) -> Table:
    """Read a ledger by its header of coordinates; where there is none, by one of addresses."""
    stated = said.tables[role]

    def read(is_header: Callable[[Sequence[str], Mapping[str, str], Mapping[str, str]], bool]) -> Table:
        return read_table(
            said.path.parent / stated["file"],
            file=stated["file"],
            sheet=stated.get("sheet"),
            encoding=stated.get("encoding"),
            is_header=lambda cells: is_header(cells, columns, headers),
        )

    if role == "streets":
        return read(is_street_header)
    table = with_split_pairs(read(is_ledger_header), columns, headers)
    if table.geometry is not None or is_ledger_header(table.header, columns, headers):
        return table
    by_address = read(is_address_header)
    return by_address if is_address_header(by_address.header, columns, headers) else table


def with_reports(study: Study, path: Path) -> Study:
    """
    Return the study with the reports of trouble of a file, in place of its own.

    Raises
    ------
    StudyError
        With every error of the file.
    """
    reports, used, faults = _reports_in(path, path.name, [])
    if errors := [fault for fault in faults if fault.level == "error"]:
        raise StudyError(errors)
    own = [old.file for old in study.inputs if old.role == "closures"]
    return dataclasses.replace(
        study,
        closures=reports,
        inputs=(*(old for old in study.inputs if old.role != "closures"), *([used] if used else [])),
        warnings=(*(fault for fault in study.warnings if fault.file not in own), *faults),
    )


def _read_closures(
    said: StudyFile, sheets: list[SheetCopy]
) -> tuple[Closures | None, InputFile | None, list[Fault]]:
    """Return the reports of trouble that [closures] names."""
    if "closures" not in said.tables:
        return None, None, []
    stated = said.tables["closures"]
    if "file" not in stated:
        told = any(fault.column == "closures.file" for fault in said.faults)
        en, zh = "is missing: [closures] needs `file`.", "缺少：[closures] 需要写明 file。"
        return None, None, [] if told else [said.fault("closures", "file", en, zh)]
    path = said.path.parent / stated["file"]
    if missing := _missing_file(said, "closures", path):
        return None, None, [missing]
    how = {key: stated.get(key) for key in ("sheet", "encoding", "datum")}
    return _reports_in(path, stated["file"], sheets, **how)


def _reports_in(
    path: Path,
    file: str,
    sheets: list[SheetCopy],
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    datum: Datum | None = None,
) -> tuple[Closures | None, InputFile | None, list[Fault]]:
    """Return the reports of trouble of a file, and add its table as it was read to `sheets`."""
    try:
        table = read_table(path, file=file, sheet=sheet, encoding=encoding, is_header=is_report_header)
    except StudyError as error:
        return None, None, list(error.faults)
    sheets.append(copy_of_reports(table))
    reading = reports_of(table, datum=datum)
    used = _input_file("closures", file, path, rows=reading.rows, sheet=table.sheet)
    used = dataclasses.replace(
        used, datum=reading.datum, is_datum_stated=reading.is_datum_stated, row_of=reading.row_of
    )
    return reading.closures, used, list(reading.faults)


def _read_observed(
    said: StudyFile, frames: Mapping[str, gpd.GeoDataFrame]
) -> tuple[CheckIns | None, gpd.GeoDataFrame | None, list[InputFile], list[Fault]]:
    """Return the check-ins and the wishes of a study: both need its places."""
    inputs: list[InputFile] = []
    faults: list[Fault] = []
    checkins = wishes = None
    table, told = _observed_table(said, "checkins", is_checkin_header)
    faults += told
    if table is not None:
        read = read_checkin_table(table, places_in(frames), place=said.get("checkins", "place"))
        faults += read.faults
        checkins = read.checkins
        path = said.path.parent / said.get("checkins", "file")
        used = _input_file("checkins", table.file, path, rows=read.rows, sheet=table.sheet)
        inputs.append(dataclasses.replace(used, datum=None))
    table, told = _observed_table(said, "wishes", is_wish_header)
    faults += told
    if table is not None:
        words = said.get("amenities", "words", {})
        gates = _with_areas(frames.get("gates"))
        datum = said.get("wishes", "datum")
        found = wishes_of(table, datum=datum, words=words, compounds=frames.get("compounds"), gates=gates)
        faults += found.faults
        wishes = found.frame
        path = said.path.parent / said.get("wishes", "file")
        used = _input_file("wishes", table.file, path, rows=found.rows, sheet=table.sheet)
        inputs.append(dataclasses.replace(used, datum=found.datum, is_datum_stated=found.is_datum_stated))
    return checkins, wishes, inputs, faults


def places_in(frames: Mapping[str, gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return the stations and shops of ledgers in one frame: index id, `name`, points in WGS 84."""
    own = [frames[role][["name", "geometry"]] for role in ("stations", "shops") if role in frames]
    if not own:
        return gpd.GeoDataFrame({"name": []}, geometry=[], crs="EPSG:4326")
    return gpd.GeoDataFrame(pd.concat(own), geometry="geometry", crs="EPSG:4326")


def _observed_table(
    said: StudyFile, role: str, is_header: Callable[[Sequence[str]], bool]
) -> tuple[Table | None, list[Fault]]:
    """Read the table of check-ins or wishes; None where there is none, or it cannot be read."""
    if role not in said.tables:
        return None, []
    stated = said.tables[role]
    if "file" not in stated:
        told = any(fault.column == f"{role}.file" for fault in said.faults)
        en, zh = f"is missing: [{role}] needs `file`.", f"缺少：[{role}] 需要写明 file。"
        return None, [] if told else [said.fault(role, "file", en, zh)]
    path = said.path.parent / stated["file"]
    if missing := _missing_file(said, role, path):
        return None, [missing]
    how = {key: stated.get(key) for key in ("sheet", "encoding")}
    try:
        return read_table(path, file=stated["file"], is_header=is_header, **how), []
    except StudyError as error:
        return None, list(error.faults)


def _with_areas(gates: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Return gates with a column `area`, "" where nothing is said."""
    if gates is None or "area" in gates.columns:
        return gates
    return gates.assign(area="")


def _needs_no_list(said: StudyFile) -> bool:
    """Whether [candidates] says something else than where the study's own list is, right or wrong."""
    stated = said.tables["candidates"]
    told = {fault.column for fault in said.faults}
    others = {key for key in ("sources", "rule") if key in stated or f"candidates.{key}" in told}
    return bool(others) and "study" not in stated.get("sources", ())


def _holds_polygons(table: Table, role: Role) -> bool:
    if role == "population" and table.geometry is not None:
        return bool((shapely.get_dimensions(table.geometry) == 2).any())  # noqa: PLR2004
    return role in {"zones", "area", "compounds"}


# ---------------------------------------------------------------------------------------------------- addresses
def addresses_to_ask(path: Path) -> tuple[Path, GeocodeRule, list[AskedRow]]:
    """
    Return a study's folder, its rule for addresses, and the rows whose address is not looked up yet.

    Raises
    ------
    StudyError
        If study.toml cannot be read, or its `[geocode]` is wrong.
    InputError
        If it has none.
    """
    said = read_study_file(path if path.suffix == ".toml" else path / STUDY_FILE)
    if "geocode" not in said.tables:
        msg = (
            'study.toml does not ask to look addresses up: write [geocode] with service = "nominatim" (or "amap", '
        )
        msg += '"baidu").'
        zh = 'study.toml 没有要求查询地址：请写 [geocode]，其下 service = "amap"、"baidu" 或 "nominatim"。'
        raise InputError(msg, zh=zh)
    addresses, faults = _addresses(said)
    wrong = [fault for fault in said.faults if (fault.column or "").startswith("geocode")]
    wrong += [fault for fault in faults if fault.level == "error"]
    if wrong or addresses is None or "service" not in said.tables["geocode"]:
        raise StudyError(wrong)
    roles = [role for role in get_args(Role) if role in said.tables and said.get(role, "file")]
    readings = [_read_ledger(said, role, addresses, [])[0] for role in roles]
    return said.path.parent, addresses.rule, [row for one in readings if one is not None for row in one.asked]


def _addresses(said: StudyFile) -> tuple[Addresses | None, list[Fault]]:
    """Return the rule of [geocode] with the answers that are kept; None where the study has none."""
    stated = {key: value for key, value in said.tables.get("geocode", {}).items() if key != "key"}
    if "geocode" not in said.tables:
        return None, []
    faults = list(_rule_faults(said, stated))
    if faults or "service" not in stated:
        return Addresses(GeocodeRule("nominatim"), {}), faults
    answers, trouble = read_answers(said.path.parent / ANSWERS_FILE)
    told = [Fault(*trouble, file=ANSWERS_FILE, level="warning")] if trouble else []
    return Addresses(GeocodeRule(**stated), answers), told


def _answers_file(said: StudyFile, addresses: Addresses | None) -> list[InputFile]:
    """Return the file of kept answers, where the study rests on one."""
    path = said.path.parent / ANSWERS_FILE
    if addresses is None or not addresses.answers:
        return []
    return [dataclasses.replace(_input_file("geocoded", ANSWERS_FILE, path), datum=None)]


def _rule_faults(said: StudyFile, stated: Mapping[str, Any]) -> Iterator[Fault]:
    """Return what [geocode] lacks, or what in it does not go together."""
    told = {fault.column for fault in said.faults}
    if "service" not in stated and "geocode.service" not in told:
        en = 'is missing: service = "nominatim", "amap" or "baidu"; it is sent the addresses.'
        yield said.fault(
            "geocode", "service", en, '缺少：service = "amap"、"baidu" 或 "nominatim"，地址将发给该服务。'
        )
    service, host = stated.get("service", "nominatim"), stated.get("host", "")
    if host and service != "nominatim":
        en = f"is for Nominatim only: a key goes to the servers of {service} and nowhere else."
        yield said.fault("geocode", "host", en, f"只用于 nominatim：密钥只发给 {service} 自己的服务器。")
    if service == "nominatim" and host in {"", USUAL_HOST["nominatim"]} and stated.get("per_second", 0.0) > 1:
        en = "is at most 1 for the public Nominatim, by its rules. Leave it out, or name a `host` of your own."
        yield said.fault(
            "geocode",
            "per_second",
            en,
            "不能超过 1：公共 Nominatim 服务有此规定。请删去，或用 host 指定自建服务器。",
        )


# ------------------------------------------------------------------------------------------ between the ledgers
def _own_ids(
    frames: Mapping[str, gpd.GeoDataFrame], said: StudyFile
) -> tuple[dict[str, gpd.GeoDataFrame], list[Fault]]:
    """Give shops and candidates ids of their own where a station (or shop) has the same: `shop-7` for `7`."""
    own, faults = dict(frames), []
    taken: set[str] = set()
    for role in ("stations", "shops", "streets", "districts", "candidates"):
        if role not in own:
            continue
        double = sorted(set(own[role].index) & taken)
        if double:
            renamed = [f"{ONE_OF[cast('Role', role)]}-{i}" for i in own[role].index]
            own[role] = in_natural_order(own[role].set_axis(renamed, axis="index"))
            faults.append(_renamed(said, role, double, set(own[role].index) & taken))
        taken |= set(own[role].index)
    return own, faults


def _renamed(said: StudyFile, role: str, double: Sequence[str], still: set[str]) -> Fault:
    file, one = said.get(role, "file"), ONE_OF[cast("Role", role)]
    if still:
        en = f"ids stand in two ledgers: {', '.join(sorted(still)[:5])}. Give each facility its own."
        return Fault(en, f"编号在两个台账中重复：{'、'.join(sorted(still)[:5])}。请改为各不相同。", file=file)
    en = f"{len(double)} id(s) stand in another ledger too (e.g. `{double[0]}`): ids of this file become `{one}-…`."
    zh = f"有 {len(double)} 个编号与其他台账相同（如“{double[0]}”）：本文件编号一律改称“{one}-…”。"
    return Fault(en, zh, file=file, level="warning")


def _in_two_ledgers(readings: Mapping[str, Reading], said: StudyFile) -> list[Fault]:
    """Return what stands among the stations and among the shops."""
    if not {"stations", "shops"} <= readings.keys():
        return []
    one, other = (
        LedgerRows(said.get(role, "file"), readings[role].frame, readings[role].row_of)
        for role in ("stations", "shops")
    )
    return told_in_two_ledgers(one, other)


def _far_apart(frames: Mapping[str, gpd.GeoDataFrame], said: StudyFile) -> list[Fault]:
    """Find ledgers far from all others: an error if they are near with lon and lat exchanged, else a warning."""
    middle = {role: _middle(frame) for role, frame in frames.items() if (~frame.geometry.is_empty).any()}
    faults = []
    for role, (x, y) in middle.items():
        others = [place for other, place in middle.items() if other != role]
        off = [max(abs(x - u), abs(y - v)) for u, v in others]
        if not others or min(off) <= FAR_APART_DEG:
            continue
        near = any(max(abs(y - u), abs(x - v)) <= NEAR_DEG for u, v in others)
        if near and not (len(others) == 1 and _is_in_china(x, y)):
            faults.append(_swapped_file(said.get(role, "file"), x, y))
        elif not near:
            en = f"lies far from the other files of the study, around {x:.4f}, {y:.4f}. Check its coordinates."
            zh = f"与其他文件相距很远，位于 {x:.4f}，{y:.4f} 附近。请核对坐标。"
            faults.append(Fault(en, zh, file=said.get(role, "file"), level="warning"))
    return faults


def _swapped_file(file: str, x: float, y: float) -> Fault:
    en = f"longitude and latitude look swapped in the whole file ({x:.4f}, {y:.4f}): exchanged, they lie where the "
    en += "other files do. Exchange the two headers, or correct the other files."
    zh = f"整个文件的经纬度似乎写反了（{x:.4f}，{y:.4f}）：对调后与其他文件位置相符。"
    return Fault(en, zh + "请对调两个表头，或改正其他文件。", file=file)


def _middle(frame: gpd.GeoDataFrame) -> tuple[float, float]:
    bounds = np.asarray(pd.DataFrame(frame.geometry.bounds), dtype=np.float64)
    west, south, east, north = np.nanmedian(bounds, axis=0)  # a street by its name has no place yet
    return float(west + east) / 2, float(south + north) / 2


def _is_in_china(lon: float, lat: float) -> bool:
    return 73 <= lon <= 136 and 18 <= lat <= 54  # noqa: PLR2004
