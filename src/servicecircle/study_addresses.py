"""The addresses of a study: its [geocode], the answers that are kept, and the rows still to be asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from .addresses import ANSWERS_FILE, USUAL_HOST, Addresses, GeocodeRule, read_answers
from .columns import Role
from .errors import Fault, InputError, StudyError
from .located_rows import AskedRow
from .model import InputFile
from .study_files import input_file
from .study_keys import STUDY_FILE, StudyFile, read_study_file
from .study_ledgers import read_ledger


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
    addresses, faults = addresses_of(said)
    wrong = [fault for fault in said.faults if (fault.column or "").startswith("geocode")]
    wrong += [fault for fault in faults if fault.level == "error"]
    if wrong or addresses is None or "service" not in said.tables["geocode"]:
        raise StudyError(wrong)
    roles = [role for role in get_args(Role) if role in said.tables and said.get(role, "file")]
    readings = [read_ledger(said, role, addresses, [])[0] for role in roles]
    return said.path.parent, addresses.rule, [row for one in readings if one is not None for row in one.asked]


def addresses_of(said: StudyFile) -> tuple[Addresses | None, list[Fault]]:
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


def answers_file(said: StudyFile, addresses: Addresses | None) -> list[InputFile]:
    """Return the file of kept answers, where the study rests on one."""
    path = said.path.parent / ANSWERS_FILE
    if addresses is None or not addresses.answers:
        return []
    return [dataclasses.replace(input_file("geocoded", ANSWERS_FILE, path), datum=None)]


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
