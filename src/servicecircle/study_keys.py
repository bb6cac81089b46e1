"""The keys of study.toml: which there are, what each may hold, and where in the file a fault stands."""

from __future__ import annotations

import datetime as dt
import difflib
import itertools
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError

from ._validate import check_minutes
from .addresses import ACCEPTED, SERVICES, checked_host
from .amenities import check_words
from .datum import DATUMS, datum_named
from .encoded_text import ENCODINGS, encoding_named
from .errors import Fault, InputError, Lang, StudyError
from .headers import SYNONYMS, fold
from .map_rules import BASE_MAPS, MAX_TEXT
from .moments import ANY, SATURDAY, Moment, parse_moment
from .params import CANDIDATE_SOURCES, PROFILES, SITE_RULES, check_direction, travel_profile
from .place_links import check_link_rule
from .siting_rules import MAX_PLANS, Step
from .zone_rules import ASSIGN_BY, MAX_CONTACTS

#: takes what TOML gives, returns what a study holds, or raises `InputError`
Check: TypeAlias = Callable[[Any], Any]

STUDY_FILE = "study.toml"
MIN_CELL_M, MAX_CELL_M = 10.0, 5000.0
MAX_H3 = 15
MAX_COUNT = 1_000_000
#: of a check: ten years
MAX_DAYS = 3650
MAX_BREAKS = 20
#: a day
MAX_MINUTES = 1440.0
#: breaks nearer than this, or below it, are a slip
MIN_STEP = 0.05
MAX_SNAP_M = 10_000.0
#: questions to a geocoding service
MAX_PER_SECOND = 50.0
#: of a text: all but tab and newline
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: characters of a study file
MAX_LENGTH = 1_000_000
#: a dotted key of more names than any has
_TOO_DEEP = re.compile(r"(?:\.[ \t]*+(?:[\w-]++|\"(?:\\.|[^\"\\\n])*+\"|'[^'\n]*+')[ \t]*+){50}")
#: a text of TOML in one line
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")
#: what a Chinese keyboard writes for the signs of TOML
_FULL_WIDTH = re.compile("[\uff01-\uff5e“”‘’、。【】「」《》〔〕]")
#: what a key of a service looks like, digits among its letters; and what such a line is called
_SECRET = re.compile("(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,}")
_KEY_NAME = re.compile("(?:[a-z]+[_-]?)?(?:key|token|secret|密钥)|ak|sk", re.IGNORECASE)
#: a wrong value is shown up to this many characters
N_SHOWN = 80


# ------------------------------------------------------------------------------------------------------- checks
def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(value, "a text in quotes", "带引号的文字")
    if _CONTROL.search(value):
        raise _wrong(value, "a text without control characters", "不含控制字符的文字")
    return value


def _short_text(value: object) -> str:
    text = _text(value).strip()
    if len(text) > MAX_TEXT or "\n" in text:
        raise _wrong(value, f"a text in one line, at most {MAX_TEXT} characters", f"一行文字，至多 {MAX_TEXT} 个字")
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "true or false", "true 或 false")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not _is_finite(value):
        raise _wrong(value, "a number", "数字")
    return float(value)


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _above_zero(value: object) -> float:
    if (number := _number(value)) <= 0:
        raise _wrong(value, "a number above 0", "大于 0 的数")
    return number


def _snap_m(value: object) -> float:
    if (number := _above_zero(value)) > MAX_SNAP_M:
        raise _wrong(value, f"metres up to {MAX_SNAP_M:g}", f"不超过 {MAX_SNAP_M:g} 的米数")
    return number


def _minutes(value: object) -> float:
    if (number := _above_zero(value)) > MAX_MINUTES:
        raise _wrong(value, f"minutes up to {MAX_MINUTES:g}", f"不超过 {MAX_MINUTES:g} 的分钟数")
    return number


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise _wrong(value, "a whole number, 0 or more", "不小于 0 的整数")
    if int(value) > MAX_COUNT:
        raise _wrong(value, f"a whole number up to {MAX_COUNT:,}", f"不超过 {MAX_COUNT:,} 的整数")
    return int(value)


def _cell_m(value: object) -> float:
    if not MIN_CELL_M <= (number := _number(value)) <= MAX_CELL_M:
        span = f"{MIN_CELL_M:g} to {MAX_CELL_M:g}", f"{MIN_CELL_M:g} 至 {MAX_CELL_M:g}"
        raise _wrong(value, f"a number of metres, {span[0]}", f"{span[1]} 之间的米数")
    return number


def _h3(value: object) -> int:
    if (number := _count(value)) > MAX_H3:
        raise _wrong(value, f"a resolution of H3, 0 to {MAX_H3}", f"H3 级别 0 至 {MAX_H3}")
    return number


def _breaks(value: object) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or any(isinstance(v, bool) or not isinstance(v, Real) for v in value):
        raise _wrong(value, "a list of numbers, e.g. [10, 15]", "数字列表，如 [10, 15]")
    if len(value) > MAX_BREAKS:
        raise _wrong(value, f"a list of at most {MAX_BREAKS} numbers", f"至多 {MAX_BREAKS} 个数字的列表")
    breaks = check_minutes([v if _is_finite(v) else math.inf for v in value])
    if breaks[-1] > MAX_MINUTES:
        raise _wrong(value, f"minutes up to {MAX_MINUTES:g}", f"不超过 {MAX_MINUTES:g} 的分钟数")
    if min(b - a for a, b in itertools.pairwise((0.0, *breaks))) < MIN_STEP:
        raise _wrong(value, f"minutes at least {MIN_STEP:g} apart", f"彼此相差至少 {MIN_STEP:g} 的分钟数")
    return breaks


def _date(value: object) -> str:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(_text(value)).isoformat()
    except ValueError as error:
        raise _wrong(value, "a date, e.g. 2026-11-22", "日期，如 2026-11-22") from error


def _crs(value: object) -> CRS:
    try:
        return CRS.from_user_input(value if isinstance(value, int) else _text(value))
    except ProjError as error:
        raise _wrong(value, 'a CRS, e.g. "EPSG:32649"', '坐标系，如 "EPSG:32649"') from error


def _metric_crs(value: object) -> CRS:
    crs = _crs(value)
    if not crs.is_projected or any(axis.unit_name not in {"metre", "meter"} for axis in crs.axis_info):
        msg = f"must be projected, in metres; {crs.name} is not. Leave it out for the UTM zone of the data."
        raise InputError(
            msg, zh=f"必须是以米为单位的投影坐标系，{crs.name} 不是。可删去此项，自动采用所在 UTM 带。"
        )
    return crs


def _one_of(*allowed: str) -> Check:
    def check(value: object) -> str:
        if value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, n=1)
            hint = (f" (did you mean {near[0]!r}?)", f"（是否为 {near[0]}？）") if near else ("", "")
            raise _wrong(value, f"one of {', '.join(allowed)}{hint[0]}", f"{'、'.join(allowed)} 之一{hint[1]}")
        return str(value)

    return check


def _datum(value: object) -> str:
    named = datum_named(_text(value))
    return str(named or _one_of(*DATUMS)(value))


def _sources(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise _wrong(value, 'a list of sources, e.g. ["study", "places"]', '来源列表，如 ["study", "places"]')
    sources = [_one_of(*CANDIDATE_SOURCES)(one) for one in value]
    return tuple(one for one in CANDIDATE_SOURCES if one in sources)


def _columns(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _wrong(
            value, 'field = "header" pairs, e.g. { name = "驿站名称" }', '如 { name = "驿站名称" } 的对应表'
        )
    for field, header in value.items():
        if str(field) not in SYNONYMS:
            hint = nearest(field, list(SYNONYMS))
            msg = f"knows no field `{field}`{hint[0]}; fields are {', '.join(SYNONYMS)}."
            raise InputError(msg, zh=f"没有字段 {field}{hint[1]}，可用：{'、'.join(SYNONYMS)}。")
        _text(header)
    return dict(value)


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, 'a list of headers, e.g. ["联系电话"]', '表头列表，如 ["联系电话"]')
    return tuple(_text(word) for word in value)


def _encoding(value: object) -> str:
    named = encoding_named(_text(value))
    return str(named or _one_of(*ENCODINGS)(value))


def _header_words(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        en = 'header = "field" pairs, e.g. { "点位" = "name" }'
        raise _wrong(value, en, '如 { "点位" = "name" } 的对应表')
    words = {}
    for header, field in value.items():
        if str(field) not in SYNONYMS:
            hint = nearest(str(field), list(SYNONYMS))
            msg = f"gives {header!r} the field {field!r}{hint[0]}; fields are {', '.join(SYNONYMS)}."
            zh = f"给“{header}”指定的字段 {field!r} 不存在{hint[1]}，可用：{'、'.join(SYNONYMS)}。"
            raise InputError(msg, zh=zh)
        if not (folded := fold(_text(header))):
            raise _wrong(header, "a header with letters", "含文字的表头")
        words[folded] = field
    return words


def _amenity_words(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        en = 'word = "code" pairs, e.g. { "暖心水" = "drinking_water" }'
        raise _wrong(value, en, '如 { "暖心水" = "drinking_water" } 的对应表')
    check_words(value)
    return dict(value)


def _not_negative(value: object) -> float:
    if (number := _number(value)) < 0:
        raise _wrong(value, "a number, 0 or more", "不小于 0 的数")
    return number


def _seats(value: object) -> float:
    if (number := _number(value)) < 0 or number != int(number):
        raise _wrong(value, "a whole number of seats, 0 or more", "不小于 0 的整数（座位数）")
    return number


def _share(value: object) -> float:
    if not 0 <= (number := _number(value)) <= 1:
        raise _wrong(value, "a share from 0 to 1", "0 到 1 之间的比例")
    return number


def _share_above_zero(value: object) -> float:
    if (number := _share(value)) == 0:
        raise _wrong(value, "a share above 0, at most 1", "大于 0 且不超过 1 的比例")
    return number


def _shares(value: object) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise _wrong(value, "a list of shares, e.g. [1, 0.5]", "比例列表，如 [1, 0.5]")
    return tuple(_share(one) for one in value)


def _fair(value: object) -> float | str:
    if value == "worst":
        return "worst"
    try:
        return _share(value)
    except InputError as error:
        raise _wrong(value, 'a share from 0 to 1, or "worst"', '0 到 1 之间的比例，或 "worst"') from error


def _few(value: object) -> int:
    if (number := _count(value)) > MAX_PLANS:
        raise _wrong(value, f"a whole number up to {MAX_PLANS}", f"不超过 {MAX_PLANS} 的整数")
    return number


def _few_contacts(value: object) -> int:
    if (number := _count(value)) > MAX_CONTACTS:
        raise _wrong(value, f"a whole number up to {MAX_CONTACTS}", f"不超过 {MAX_CONTACTS} 的整数")
    return number


def _qr(value: object) -> str:
    qr = _text(value).strip()
    check_link_rule(qr, "")
    return qr


def _same_rows(value: object) -> dict[str, str]:
    en, zh = (
        'id = "id" pairs, the row to leave out and the row to keep, e.g. { S7 = "S1" }',
        '如 { S7 = "S1" } 的对应表',
    )
    if not isinstance(value, dict) or not all(isinstance(kept, str) and kept.strip() for kept in value.values()):
        raise _wrong(value, en, f"{zh}（前者略去，后者保留）")
    pairs = {out.strip(): kept.strip() for out, kept in value.items()}
    if any(out == kept for out, kept in pairs.items()):
        raise _wrong(value, "pairs of two different ids", "两个不同编号的对应")
    return pairs


def _apart(value: object) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, (list, tuple)) for one in value):
        raise _wrong(value, 'a list of lists of ids, e.g. [["S1", "S7"]]', '编号列表的列表，如 [["S1", "S7"]]')
    return tuple(_ids(one) for one in value)


def _ids(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, 'a list of ids, e.g. ["C1"]', '编号列表，如 ["C1"]')
    return tuple(_text(one).strip() for one in value)


def _steps(value: object) -> tuple[Step, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, (dict, Step)) for one in value):
        raise _wrong(value, "a list of steps, e.g. [{ stations = 1 }]", "分期列表，如 [{ stations = 1 }]")
    checks: dict[str, Check] = {"stations": _count, "shops": _count, "budget": _not_negative}
    steps = []
    for one in value:
        stated = vars(one) if isinstance(one, Step) else one
        odd = [key for key in stated if key not in checks]
        if odd:
            msg = f"knows no key `{odd[0]}` in a step; keys are {', '.join(checks)}."
            raise InputError(msg, zh=f"的一期中没有 {odd[0]} 项，可用：{'、'.join(checks)}。")
        steps.append(Step(**{key: checks[key](v) for key, v in stated.items() if v is not None}))
    return tuple(steps)


def _when(value: object) -> Moment | None:
    if isinstance(value, Moment):
        return value
    text = value.isoformat() if isinstance(value, dt.datetime) else _text(value).strip()
    return None if text.casefold() in ANY else parse_moment(text)


def _days(value: object) -> int:
    if not 1 <= (number := _count(value)) <= MAX_DAYS:
        raise _wrong(value, f"a number of days, 1 to {MAX_DAYS}", f"天数，1 到 {MAX_DAYS}")
    return number


def _workdays(value: object) -> tuple[dt.date, ...]:
    dates = _dates(value)
    if usual := [date for date in dates if date.weekday() < SATURDAY]:
        msg = f"holds {usual[0]}, no Saturday or Sunday: list weekend days only that are worked (调休)."
        raise InputError(msg, zh=f"中的 {usual[0]} 不是周六或周日：只列调休上班的周末。")
    return dates


def _dates(value: object) -> tuple[dt.date, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, 'a list of dates, e.g. ["2026-10-01"]', '日期列表，如 ["2026-10-01"]')
    return tuple(sorted({dt.date.fromisoformat(_date(one)) for one in value}))


def _host(value: object) -> str:
    return checked_host(_text(value))


def _per_second(value: object) -> float:
    if not 0 < (number := _number(value)) <= MAX_PER_SECOND:
        raise _wrong(
            value, f"a number above 0, at most {MAX_PER_SECOND:g}", f"大于 0 且不超过 {MAX_PER_SECOND:g} 的数"
        )
    return number


def _no_key(_value: object) -> str:
    raise _key_in_file()


def _key_in_file() -> InputError:
    msg = "does not belong into a file: take it out, and put it into the environment as SERVICECIRCLE_AMAP_KEY "
    msg += "or SERVICECIRCLE_BAIDU_KEY."
    zh = "不应写进文件：请删去，并写入环境变量 SERVICECIRCLE_AMAP_KEY 或 SERVICECIRCLE_BAIDU_KEY。"
    return InputError(msg, zh=zh)


def _services(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, 'a list of services, e.g. ["热水"]', '服务列表，如 ["热水"]')
    return tuple(_text(word).strip() for word in value)


def _gap_before(zh: str) -> str:
    """Return the space that stands between Chinese and a Latin word or number."""
    return " " if zh[0].isascii() and zh[0].isalnum() else ""


def without_secrets(text: str) -> str:
    """Return a text with what looks like a service's key as `***`: 20 or more letters and digits in a row."""
    return _SECRET.sub("***", text)


def _wrong(value: object, en: str, zh: str) -> InputError:
    shown = without_secrets(str(value) if isinstance(value, dt.datetime | dt.time) else repr(value))
    if len(shown) > N_SHOWN:
        shown = f"{shown[:N_SHOWN]}…"
    return InputError(f"must be {en}; got {shown}.", zh=f"应为{_gap_before(zh)}{zh}，现为 {shown}。")


# --------------------------------------------------------------------------------------------------------- keys
_LEDGER: dict[str, Check] = {
    "file": _text, "sheet": _text, "encoding": _encoding, "datum": _datum, "columns": _columns, "keep": _words,
}  # fmt: skip
_FACILITIES: dict[str, Check] = {**_LEDGER, "same": _same_rows, "apart": _apart}

#: Table -> key -> check; "" is the top of the file. `docs/reference/study.md` describes each.
KEYS: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {
        "": {
            "name": _text,
            "office": _text,
            "date": _date,
            "invented": _flag,
            "publish": _flag,
            "lang": _one_of("zh", "en"),
            "profile": lambda value: travel_profile(_one_of(*PROFILES)(value)),
            "direction": lambda value: check_direction(_one_of("to", "from")(value)),
            "minutes": _breaks,
            "crs": _metric_crs,
            "max_snap_m": _snap_m,
            "when": _when,
            "service": _services,
            "holidays": _dates,
            "workdays": _workdays,
        },
        "network": {"file": _text, "place": _text, "crs": _crs, "admit_trunk": _flag, "cache": _flag},
        "area": _LEDGER,
        "stations": _FACILITIES,
        "shops": {**_FACILITIES, "minutes": _minutes},
        "streets": {**_LEDGER, "minutes": _minutes},
        "districts": {**_LEDGER, "minutes": _minutes},
        "depots": _FACILITIES,
        "posts": _FACILITIES,
        "pickups": _FACILITIES,
        "candidates": {**_FACILITIES, "sources": _sources, "rule": _one_of(*SITE_RULES)},
        "zones": _LEDGER,
        "suggest": {
            "stations": _count,
            "shops": _count,
            "spacing_m": _above_zero,
            "time_limit_s": _above_zero,
            "objective": _one_of("riders", "decay", "backup", "fair"),
            "worth": _shares,
            "backup": _share_above_zero,
            "fair": _fair,
            "budget": _not_negative,
            "station_cost": _not_negative,
            "shop_cost": _not_negative,
            "capacity": _seats,
            "shop_capacity": _seats,
            "min_spacing_m": _not_negative,
            "move": _count,
            "keep": _ids,
            "must": _ids,
            "must_not": _ids,
            "robust": _share,
            "steps": _steps,
            "alternatives": _few,
            "curve": _few,
        },
        "assign": {"by": _one_of(*ASSIGN_BY), "limit": _above_zero, "split": _flag},
        "balance": {"tolerance": _share, "keep_minutes": _not_negative, "within_minutes": _minutes},
        "contacts": {
            "stations": _few_contacts,
            "shops": _few_contacts,
            "qr": _qr,
            "qr_datum": _one_of(*DATUMS),
        },
        "map": {
            "approval": _short_text,
            "base_source": _short_text,
            "watermark": _flag,
            "boundaries": _flag,
            "base": _one_of(*BASE_MAPS),
        },
        "grid": {"cell_m": _cell_m, "h3": _h3},
        "demand": {
            "source": _one_of("depots", "population", "checkins", "wishes", "pickups", "uniform"),
            "wait_minutes": _minutes,
            "pickup_share": _share,
        },
        "population": {**_LEDGER, "column": _text},
        "headers": {"words": _header_words},
        "amenities": {"words": _amenity_words, "stale_after_days": _days, "drop_stale": _flag},
        "geocode": {
            "service": _one_of(*SERVICES),
            "host": _host,
            "city": _text,
            "accept": _one_of(*ACCEPTED),
            "per_second": _per_second,
            "key": _no_key,
        },
        "closures": {
            "file": _text,
            "sheet": _text,
            "encoding": _encoding,
            "datum": _datum,
            "confirm": _count,
            "within_m": _not_negative,
            "within_minutes": _not_negative,
            "official": _ids,
            "apply_unconfirmed": _flag,
        },
        "checkins": {
            "file": _text, "sheet": _text, "encoding": _encoding, "place": _text, "stock": _not_negative,
        },
        "wishes": {"file": _text, "sheet": _text, "encoding": _encoding, "datum": _datum},
        "gates": _LEDGER,
        "compounds": _LEDGER,
    }
)  # fmt: skip


def check_value(table: str, key: str, value: object) -> Any:  # noqa: ANN401
    """
    Return what a study holds for the value of a key of study.toml.

    Raises
    ------
    InputError
        If the value is not allowed; the message names the key.
    """
    try:
        return KEYS[table][key](value)
    except InputError as error:
        en = error.en.removeprefix(f"`{key}` ")
        msg = f"`{key}` {en}"
        raise InputError(msg, zh=f"{key} {error.zh}") from error


def nearest(word: str, known: Sequence[str]) -> tuple[str, str]:
    """Return a hint at the known word that is most like `word`, in English and Chinese; "" where none is."""
    near = difflib.get_close_matches(word, known, n=1)
    return (f"; did you mean `{near[0]}`", f"，是否为 {near[0]}") if near else ("", "")


# --------------------------------------------------------------------------------------------------------- file
@dataclass(frozen=True, eq=False)
class StudyFile:
    """A study.toml as read: every value that holds, by table and key, and a fault for every other."""

    path: Path
    tables: Mapping[str, Mapping[str, Any]]
    faults: tuple[Fault, ...]
    lines: Mapping[tuple[str, str], int]  # (table, key) -> line; (table, "") is its header

    def get(self, table: str, key: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return the value of a key, or `default` where the file does not state it, or states it wrongly."""
        return self.tables.get(table, {}).get(key, default)

    @property
    def date(self) -> dt.date | None:
        """The date of the study, where it states one."""
        stated = self.get("", "date", "")
        return dt.date.fromisoformat(stated) if stated else None

    def fault(self, table: str, key: str, en: str, zh: str) -> Fault:
        """Return an error at a key, or with key "" at a table."""
        return _fault(self.path.name, self.lines, table, key, InputError(en, zh=zh))


def toml_of(text: str) -> dict[str, Any]:
    """
    Return what TOML says.

    Raises
    ------
    ValueError
        If it is none (`TOMLDecodeError`), or a number has thousands of digits.
    RecursionError
        If it nests too deeply; a dotted key of many names takes tomllib their square in time and memory.
    """
    if _TOO_DEEP.search(text):
        raise RecursionError
    return tomllib.loads(text)


def read_study_file(path: Path) -> StudyFile:
    """
    Read and check study.toml, all keys of it; no other file is opened.

    Raises
    ------
    StudyError
        If it is missing, not UTF-8 or not TOML, with the line.
    """
    text = _toml_text(path)
    try:
        content = toml_of(text)
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(path, text, error) from error
    except RecursionError as error:
        en, zh = "is nested too deeply.", "嵌套层数过多。"
        raise StudyError([Fault(en, zh, file=path.name)]) from error
    except ValueError as error:  # a number of thousands of digits
        en, zh = f"holds a value that cannot be read: {error}.", f"含有无法读取的值：{error}。"
        raise StudyError([Fault(en, zh, file=path.name)]) from error
    lines = _lines(text)
    values: dict[str, dict[str, Any]] = {"": {}}
    faults: list[Fault] = []
    for name, value in content.items():
        if name in KEYS and isinstance(value, dict):
            values[name] = {}
            pairs = [(name, key, inner) for key, inner in value.items()]
        else:
            pairs = [("", name, value)]
        for table, key, inner in pairs:
            try:
                if key not in KEYS[table]:
                    raise _unknown(table, key, inner)
                values[table][key] = KEYS[table][key](inner)
            except InputError as error:
                faults.append(_fault(path.name, lines, table, key, error))
    return StudyFile(path, values, tuple(faults), lines)


def stated_lang(file: Path) -> Lang | None:
    """Return the language that a study.toml states, also one that is no TOML; None where it states none."""
    try:
        top = _bytes_of(file).decode("utf-8-sig", errors="replace").split("\n[")[0]
    except (OSError, ValueError):  # the second: a name that no file can have
        return None
    stated = re.search(r"""^\s*lang\s*=\s*["'](zh|en)["']""", top, re.MULTILINE)
    return None if stated is None else "en" if stated[1] == "en" else "zh"


def _no_toml(path: Path, text: str, error: tomllib.TOMLDecodeError) -> StudyError:
    """Return the error of a text that is no TOML, with its line, and with what a Chinese keyboard did there."""
    found = re.search(r"line (\d+)", str(error))
    row = int(found[1]) if found else text.count("\n") + 1
    en, zh = f"is not valid TOML: {error}. Texts need quotes.", f"不是有效的 TOML：{error}。文字须加英文引号。"
    if wide := _full_width_signs(text.split("\n")[row - 1 : row]):
        en = f"holds full-width {wide}: write commas, brackets, equals signs, quotes and digits in ASCII, e.g. "
        en += "minutes = [10, 15]."
        zh = f"写法有误（{wide}）：逗号、括号、等号、引号、数字须用英文半角，如 minutes = [10, 15]。"
    elif found := re.match(r"\s*([^\x00-\x7f\s=\"'#\[]+)\s*=", "".join(text.split("\n")[row - 1 : row])):
        en = f"holds the key {found[1]!r}: keys are English words, e.g. file, minutes, datum."
        zh = f"有中文键名“{found[1]}”：等号左边须用英文键名，如 file、minutes、datum。"
    return StudyError([Fault(en, zh, file=path.name, row=row)])


def _full_width_signs(lines: Sequence[str]) -> str:
    """Return the full-width signs that stand outside texts and comments, each once."""
    bare = (re.sub(r"#.*", "", re.sub(_QUOTED, "", line)) for line in lines)
    return " ".join(dict.fromkeys(sign for line in bare for sign in re.findall(_FULL_WIDTH, line)))


def _toml_text(path: Path) -> str:
    try:
        text = _bytes_of(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        en, zh = "is not in UTF-8. Save it as UTF-8.", "不是 UTF-8 编码，请另存为 UTF-8。"
        raise StudyError([Fault(en, zh, file=path.name)]) from error
    except (OSError, ValueError) as error:  # the second: a name that no file can have
        en = "is not there. A study is a folder with a study.toml, or that file itself."
        zh = "不存在。研究是含有 study.toml 的文件夹，或该文件本身。"
        raise StudyError([Fault(en, zh, file=str(path))]) from error
    if len(text) > MAX_LENGTH:
        en, zh = (
            f"is no study: it is longer than {MAX_LENGTH:,} characters.",
            f"不是研究文件：超过 {MAX_LENGTH:,} 个字符。",
        )
        raise StudyError([Fault(en, zh, file=path.name)])
    return text


def _bytes_of(path: Path) -> bytes:
    """Return the bytes of a file, so many at most that a longer one is told; OSError where it is no plain file."""
    if not path.is_file():  # a pipe or a device may never end
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(4 * MAX_LENGTH + 1)


def _unknown(table: str, key: str, value: object) -> InputError:
    if table and key in KEYS[""]:
        msg = f"stands under [{table}] and belongs to the top of the file, above the first [table]."
        return InputError(msg, zh=f"写在了 [{table}] 下面，应移到文件开头、第一个 [表] 之前。")
    if not table and key in KEYS:
        msg = f"must be a table: write [{key}] on its own line, and its keys below."
        return InputError(msg, zh=f"应为表：请单独写一行 [{key}]，其下写各项。")
    if table in {"", "geocode"} and (_KEY_NAME.fullmatch(key) or _SECRET.search(key)):
        return _key_in_file()
    known = [*KEYS[""], *KEYS] if not table else list(KEYS[table])
    known = [word for word in known if word]
    hint = nearest(key, known)
    what = "table" if isinstance(value, dict) else "key"
    if hint[0]:
        return InputError(f"is no known {what}{hint[0]}?", zh=f"无法识别{hint[1]}？")
    return InputError(
        f"is no known {what}; known are {', '.join(known)}.", zh=f"无法识别；可用：{'、'.join(known)}。"
    )


def _fault(file: str, lines: Mapping[tuple[str, str], int], table: str, key: str, error: InputError) -> Fault:
    row = lines.get((table, key)) or lines.get((key, "")) or lines.get((table, ""))
    column = without_secrets(".".join(part for part in (table, key) if part))
    return Fault(without_secrets(error.en), without_secrets(error.zh), file=file, row=row, column=column)


def _lines(text: str) -> dict[tuple[str, str], int]:
    """Return the line of each key and table header: good enough to point at, TOML itself gives none."""
    lines: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([\w.\-]+)\s*\]+", line):
            table = header[1]
            lines.setdefault((table, ""), number)
        elif pair := re.match(r"\s*[\"']?([^\s=\"'#.]+)[\"']?\s*(?:\.\s*([^\s=.]+)\s*)?=", line):
            lines.setdefault((table, pair[1]) if not pair[2] or table else (pair[1], pair[2]), number)
    return lines
