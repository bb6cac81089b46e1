"""Geocoding: the addresses of a study are looked up, one after the other, and the answers kept beside it."""

from __future__ import annotations

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from .addresses import (
    ANSWERS_FILE,
    AddressMatch,
    GeocodeRule,
    Quality,
    Service,
    checked_host,
    read_answers,
    write_answers,
)
from .errors import DownloadError, InputError
from .located_rows import AskedRow
from .study_addresses import addresses_to_ask

if TYPE_CHECKING:
    from .geocoders import ServiceTroubleError

logger = logging.getLogger(__name__)

#: where the keys of services are taken from
KEY_SETTINGS: Mapping[Service, str] = MappingProxyType(
    {"baidu": "SERVICECIRCLE_BAIDU_KEY", "amap": "SERVICECIRCLE_AMAP_KEY"}
)
#: root of a server that is asked in place of the service's own, such as an office's gateway
HOST_SETTING = "SERVICECIRCLE_GEOCODE_HOST"
#: seconds before an address is asked again that got no answer, and the longest wait that a server may ask for
RETRY_WAITS_S: tuple[float, ...] = (2.0, 10.0)
MAX_WAIT_S = 60.0
#: so many addresses without an answer, one after the other, are the service's trouble and not theirs
MAX_IN_A_ROW = 3
#: answers are written at least so often (seconds)
SAVE_EVERY_S = 30.0
_KEY = re.compile(r"[\x21-\x7e]{8,200}")


@dataclass(frozen=True)
class Geocoded:
    """What a look-up of a study's addresses gave."""

    service: str
    server: str  # who was asked
    file: Path  # where the answers are kept
    asked: int  # addresses that were sent, each once
    qualities: Mapping[Quality, int]  # of those: exact, street, area, district, ambiguous, none


def geocode_study(
    path: str | Path, *, key: str | None = None, on_progress: Callable[[int, int], None] | None = None
) -> Geocoded:
    """
    Look up the addresses of a study's rows without coordinates, and keep the answers in `geocoded.json` beside it.

    What is sent: the text of the address column (without persons' numbers) and `city` of `[geocode]`, one address
    at a time; nothing else of the study. What is kept already is not asked again.

    Parameters
    ----------
    path
        The folder of the study, or its study.toml, which holds `[geocode]`.
    key
        The user's key for Baidu or Amap. Default: the environment's `SERVICECIRCLE_BAIDU_KEY` or
        `SERVICECIRCLE_AMAP_KEY`. It is sent to the service and shown or written nowhere.
    on_progress
        Called with how many addresses are done, and how many there are.

    Returns
    -------
    geocoded
        How many addresses were asked, and how well they were found. `check_study` then tells row by row.

    Raises
    ------
    StudyError
        If study.toml cannot be read.
    InputError
        If the study states no `[geocode]`, or states it wrongly, or there is no key; or if `geocoded.json` is there
        and holds no answer that can be read: it is not written over.
    DownloadError
        If the service cannot be reached, refuses the key or answers with nothing usable, with the row that was
        asked. What was found before is kept.
    OutputError
        If the answers cannot be written.
    """
    folder, rule, rows = addresses_to_ask(Path(path))
    file = folder / ANSWERS_FILE
    server = _server(rule)
    found: dict[str, AddressMatch] = {}
    kept = _kept(file) if rows else {}
    wanted: dict[str, AskedRow] = {}  # of equal addresses the first row
    for row in rows:
        if (digest := rule.key_of(row.address)) not in kept:
            wanted.setdefault(digest, row)
    if wanted:
        _ask_all(
            wanted, _patient(rule, _key(rule, key), server), file, found, server=server, on_progress=on_progress
        )
    count = Counter(match.quality for match in found.values())
    return Geocoded(rule.service, server, file, len(found), MappingProxyType(dict(count)))


def _kept(file: Path) -> Mapping[str, AddressMatch]:
    """Return the kept answers; a file that holds none, and is not empty, is nothing to write over."""
    kept, trouble = read_answers(file)
    if trouble is not None and not kept and not (file.is_file() and file.stat().st_size == 0):
        msg = f"`{file.name}` {trouble[0]} It would be written over: move it away first. Nobody was asked."
        raise InputError(msg, zh=f"{file.name} {trouble[1]}为免被覆盖，请先将其移走。尚未查询任何地址。")
    return kept


def _ask_all(
    wanted: Mapping[str, AskedRow],
    ask: Callable[[str], AddressMatch],
    file: Path,
    found: dict[str, AddressMatch],
    *,
    server: str,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    """
    Fill `found`, and write it every half minute and at the end, whatever the end is.

    An address that alone gets no answer does not keep the others waiting; it is told at the end.
    """
    from .geocoders import ServiceTroubleError

    saved_at = time.monotonic()
    told: tuple[AskedRow, ServiceTroubleError] | None = None
    in_a_row = 0
    tell = on_progress or (lambda _done, _total: None)
    try:
        for done, (digest, row) in enumerate(wanted.items()):
            tell(done, len(wanted))
            try:
                found[digest] = ask(row.address)
                in_a_row = 0
            except ServiceTroubleError as trouble:
                in_a_row += 1
                told = told if told and trouble.may_skip else (row, trouble)
                if not trouble.may_skip or in_a_row == MAX_IN_A_ROW:
                    break
            if time.monotonic() - saved_at > SAVE_EVERY_S:
                write_answers(file, found)
                saved_at = time.monotonic()
        else:
            tell(len(wanted), len(wanted))
    finally:
        if found:
            write_answers(file, found)
    if told:
        raise _no_answer(told[1], told[0], server=server, found=len(found), wanted=len(wanted))


def _patient(rule: GeocodeRule, key: str, server: str) -> Callable[[str], AddressMatch]:
    """Return a function that asks no faster than allowed, and again where a trouble may pass."""
    from geopy.extra.rate_limiter import RateLimiter

    from .geocoders import ServiceTroubleError, asker_of

    delay_s = 1.0 / rule.rate
    limited = RateLimiter(
        asker_of(rule, key=key, server=server, agent=_agent()),
        min_delay_seconds=delay_s,
        max_retries=0,
        error_wait_seconds=delay_s,
        swallow_exceptions=False,
    )

    def ask(address: str) -> AddressMatch:
        for wait_s in RETRY_WAITS_S:
            try:
                return cast("AddressMatch", limited(address))
            except ServiceTroubleError as trouble:
                asked_wait_s = trouble.wait_s or 0.0
                if not trouble.may_pass or asked_wait_s > MAX_WAIT_S:
                    raise
                logger.info("No answer yet; the address is asked again.")
                time.sleep(max(wait_s, asked_wait_s))
        return cast("AddressMatch", limited(address))

    return ask


def _server(rule: GeocodeRule) -> str:
    """Return the root of the server: the environment's, which the user set, before that of the study."""
    stated = os.environ.get(HOST_SETTING, "").strip()
    if not stated:
        return rule.server
    try:
        return checked_host(stated)
    except InputError as error:
        msg = f"`{HOST_SETTING}` {error.en}"
        raise InputError(msg, zh=f"环境变量 {HOST_SETTING} {error.zh}") from error


def _key(rule: GeocodeRule, key: str | None) -> str:
    """Return the user's key of a service that needs one; its text stands in no message."""
    setting = KEY_SETTINGS.get(rule.service)
    if setting is None:
        return ""
    given = (key if key is not None else os.environ.get(setting, "")).strip()
    if _KEY.fullmatch(given):
        return given
    what = ("is missing", "缺少") if not given else ("cannot be a key", "内容不像密钥")
    msg = f"The key of {rule.service} {what[0]}: put it into the environment as {setting}, never into study.toml."
    raise InputError(msg, zh=f"{what[1]} {rule.service} 的密钥：请写入环境变量 {setting}，不要写进 study.toml。")


def _agent() -> str:
    try:
        return f"servicecircle/{version('servicecircle')}"
    except PackageNotFoundError:
        return "servicecircle"


def _no_answer(
    trouble: ServiceTroubleError, row: AskedRow, *, server: str, found: int, wanted: int
) -> DownloadError:
    """Return the error that ends a look-up: who did not answer what, in which row, and what to do."""
    host = server.partition("://")[2]
    told = replace(
        row.fault,
        en=f"{host} {trouble.en}. {found} of {wanted} addresses were looked up and are kept: run the "
        "command again to go on, or fill in longitude and latitude.",
        zh=f"{host} {trouble.zh}。{wanted} 个地址已查到 {found} 个并已保存：可重新运行命令继续查询，"
        "或直接补填经纬度。",
    )
    return DownloadError(told.told("en"), zh=told.told("zh"))
