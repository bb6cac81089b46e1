"""Reads what was reported and counted, as study.toml names it: trouble on the road, check-ins, wishes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from ._validate import some, some_zh
from .checkin_ledgers import is_checkin_header, read_checkin_table
from .checkins import CheckIns
from .closure_reports import copy_of_reports, is_report_header, reports_of
from .closures import Closures
from .confirmed_reports import TrustRule, confirmed_by_rule
from .datum import Datum
from .errors import Fault, InputError, StudyError
from .model import InputFile, Study
from .readers import Table, read_table
from .sheet_copies import SheetCopy
from .study_files import input_file, missing_file
from .study_keys import STUDY_FILE, StudyFile, read_study_file
from .wish_ledgers import is_wish_header, wishes_of


def with_reports(study: Study, path: Path, *, toml: Path | None = None) -> Study:
    """
    Return the study with the reports of trouble of a file, in place of its own.

    With `toml`, the folder of the study or its study.toml, they hold by its rule in [closures]: who is believed.

    Raises
    ------
    StudyError
        With every error of the file.
    """
    reports, used, faults = _reports_in(path, path.name, [])
    if errors := [fault for fault in faults if fault.level == "error"]:
        raise StudyError(errors)
    if toml is not None and reports is not None and used is not None:
        said = read_study_file(toml if toml.suffix == ".toml" else toml / STUDY_FILE)
        if "closures" in said.tables:
            reports, unsure = _trusted(said, reports, used)
            faults = [*faults, *unsure]
    own = [old.file for old in study.inputs if old.role == "closures"]
    return dataclasses.replace(
        study,
        closures=reports,
        inputs=(*(old for old in study.inputs if old.role != "closures"), *([used] if used else [])),
        warnings=(*(fault for fault in study.warnings if fault.file not in own), *faults),
    )


def read_closures(
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
    if missing := missing_file(said, "closures", path):
        return None, None, [missing]
    how = {key: stated.get(key) for key in ("sheet", "encoding", "datum")}
    reports, used, faults = _reports_in(path, stated["file"], sheets, **how)
    if reports is None or used is None:
        return reports, used, faults
    trusted, unsure = _trusted(said, reports, used)
    return trusted, used, [*faults, *unsure]


def trust_of(said: StudyFile) -> TrustRule | None:
    """Return the rule of [closures] for which reports hold; None where it has none, or applies all the same."""
    stated = said.tables.get("closures", {})
    if "confirm" not in stated or stated.get("apply_unconfirmed"):
        return None
    return TrustRule(
        **{field.name: stated[field.name] for field in dataclasses.fields(TrustRule) if field.name in stated}
    )


def _trusted(said: StudyFile, reports: Closures, used: InputFile) -> tuple[Closures, list[Fault]]:
    """Return the reports that hold by the rule of [closures], and tell those that nobody confirms."""
    stated = said.tables["closures"]
    own = [field.name for field in dataclasses.fields(TrustRule)]
    if "confirm" not in stated:
        lone = [key for key in (*own, "apply_unconfirmed") if key in stated]
        en, zh = (
            "needs `confirm`: how many reports of one trouble are enough.",
            "需要 confirm：同一路况几条报告算证实。",
        )
        return reports, [said.fault("closures", key, en, zh) for key in lone]
    try:
        asked: dict[str, Any] = {key: stated[key] for key in own if key in stated}
        rule = TrustRule(**asked)
    except InputError as error:
        key, _, en = error.en.removeprefix("`").partition("` ")
        return reports, [said.fault("closures", key, en, error.zh.removeprefix(f"{key} "))]
    sorted_out = confirmed_by_rule(reports, rule)
    if not len(sorted_out.unconfirmed):
        return reports, []
    applies = bool(stated.get("apply_unconfirmed"))
    rows = tuple(used.row_of[str(i)] for i in sorted_out.unconfirmed.frame.index)
    ids = sorted_out.unconfirmed.frame.index
    then = ("They hold all the same", "仍按有效计") if applies else ("They do not hold", "不生效")
    near = f"{rule.within_m:g} m and {rule.within_minutes:g} minutes"
    en = f"{len(rows)} report(s) by no office and not confirmed by {rule.confirm} reports within {near}: "
    zh = f"{len(rows)} 条报告并非部门上报，{rule.within_m:g} 米、{rule.within_minutes:g} 分钟内也不足 "
    en, zh = f"{en}{some(ids)}. {then[0]}.", f"{zh}{rule.confirm} 条相互证实：{some_zh(ids)}。{then[1]}。"
    fault = Fault(en, zh, file=used.file, row=rows[0], rows=rows, level="warning")
    return (reports if applies else sorted_out.confirmed), [fault]


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
    used = input_file("closures", file, path, rows=reading.rows, sheet=table.sheet)
    used = dataclasses.replace(
        used, datum=reading.datum, is_datum_stated=reading.is_datum_stated, row_of=reading.row_of
    )
    return reading.closures, used, list(reading.faults)


def read_observed(
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
        used = input_file("checkins", table.file, path, rows=read.rows, sheet=table.sheet)
        inputs.append(dataclasses.replace(used, datum=None))
    table, told = _observed_table(said, "wishes", is_wish_header)
    faults += told
    if table is not None:
        words = said.get("amenities", "words", {})
        gates = with_areas(frames.get("gates"))
        datum = said.get("wishes", "datum")
        found = wishes_of(table, datum=datum, words=words, compounds=frames.get("compounds"), gates=gates)
        faults += found.faults
        wishes = found.frame
        path = said.path.parent / said.get("wishes", "file")
        used = input_file("wishes", table.file, path, rows=found.rows, sheet=table.sheet)
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
    if missing := missing_file(said, role, path):
        return None, [missing]
    how = {key: stated.get(key) for key in ("sheet", "encoding")}
    try:
        return read_table(path, file=stated["file"], is_header=is_header, **how), []
    except StudyError as error:
        return None, list(error.faults)


def with_areas(gates: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Return gates with a column `area`, "" where nothing is said."""
    if gates is None or "area" in gates.columns:
        return gates
    return gates.assign(area="")
