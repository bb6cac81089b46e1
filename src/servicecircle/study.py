"""A study in: study.toml and every file that it names, read and checked, every fault told at once."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import geopandas as gpd

from .columns import Role
from .errors import Fault, Lang, StudyError, visible
from .ledgers import Reading
from .map_rules import MapRules
from .model import InputFile, Study
from .moments import of_calendar
from .params import MAX_SNAP_M, SHOP_MINUTES, WAIT_MIN, Direction, travel_profile
from .services import fold_services
from .sheet_copies import SheetCopy
from .siting_rules import rules_of
from .study_addresses import addresses_of, answers_file
from .study_files import input_file, network_file
from .study_key_faults import DEFAULT_MINUTES, faults_between_keys, suggest_rule
from .study_keys import STUDY_FILE, StudyFile, read_study_file, stated_lang
from .study_ledger_faults import (
    far_apart,
    in_two_ledgers,
    own_ids,
    posts_of_no_zone,
    public_boundaries,
    siting_ids_and_costs,
)
from .study_ledgers import read_ledger, with_rows
from .study_reports import read_closures, read_observed, trust_of, with_areas
from .zone_rules import AssignRule, BalanceRule, ContactRule

DEFAULT_CELL_M = 100.0

DemandSource = Literal["depots", "population", "checkins", "wishes", "pickups", "uniform"]


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
    faults = [*said.faults, *faults_between_keys(said)]
    network, network_faults = network_file(said)
    faults += network_faults
    readings: dict[str, Reading] = {}
    inputs = [input_file("network", said.get("network", "file"), network)] if network else []
    addresses, address_faults = addresses_of(said)
    faults += address_faults
    inputs += answers_file(said, addresses)
    for role in get_args(Role):
        if role in said.tables:
            reading, used, ledger_faults = read_ledger(said, role, addresses, sheets)
            faults += ledger_faults
            inputs += [used] if used else []
            if reading is not None and not (role == "zones" and reading.frame.empty):
                readings[role] = reading
    reports, used, report_faults = read_closures(said, sheets)
    faults += report_faults
    inputs += [used] if used else []
    frames, clashes = own_ids({role: reading.frame for role, reading in readings.items()}, said)
    checkins, wishes, observed_inputs, observed_faults = read_observed(said, frames)
    faults += observed_faults
    inputs += observed_inputs
    inputs = [with_rows(used, readings.get(used.role), frames.get(used.role)) for used in inputs]
    faults += in_two_ledgers(readings, said)
    faults += [*clashes, *far_apart(frames, said), *siting_ids_and_costs(said, frames)]
    faults += [*posts_of_no_zone(said, readings), *public_boundaries(said, readings)]
    if any(fault.level == "error" for fault in faults):
        return None, faults
    study = _study(said, frames, network, inputs, faults)
    return dataclasses.replace(
        study, closures=reports, trust=trust_of(said), checkins=checkins, wishes=wishes
    ), faults


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
        pickups=frames.get("pickups"),
        wait_minutes=said.get("demand", "wait_minutes", WAIT_MIN),
        pickup_share=said.get("demand", "pickup_share", 0.0),
        candidates=frames.get("candidates"),
        zones=frames.get("zones"),
        gates=with_areas(frames.get("gates")),
        compounds=frames.get("compounds"),
        checkin_stock=said.get("checkins", "stock"),
        holidays=said.get("", "holidays", ()),
        workdays=said.get("", "workdays", ()),
        population=frames.get("population"),
        demand_source=_demand_source(said),
        shop_minutes=shop_minutes,
        when=of_calendar(said.get("", "when"), said.get("", "holidays", ()), said.get("", "workdays", ())),
        service=fold_services(said.get("", "service", ()), words=said.get("amenities", "words", {})),
        amenity_words=said.get("amenities", "words", {}),
        cell_m=None if h3 is not None else said.get("grid", "cell_m", DEFAULT_CELL_M),
        h3=h3,
        suggest=suggest_rule(said),
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


def _with_minutes(frame: gpd.GeoDataFrame | None, usual: float) -> gpd.GeoDataFrame | None:
    """Return partners with their own limit, the usual one where their ledger states none."""
    return None if frame is None else frame.assign(minutes=frame["minutes"].fillna(usual))


def _demand_source(said: StudyFile) -> DemandSource:
    usual = "depots" if "depots" in said.tables else "population" if "population" in said.tables else "uniform"
    return cast("DemandSource", said.get("demand", "source", usual))
