"""Check-ins in: a log or totals become counts by place, day and hour; whose they were is counted, and forgotten."""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from ._validate import FloatArray, IntArray, some, some_zh
from .checkins import NO_HOUR, CheckIns, checkins_of
from .closures import moment_of
from .columns import amount_of, parse_number
from .errors import Fault, InputError, StudyError
from .headers import SYNONYMS, fold
from .readers import Table, read_table

#: column -> headers that mean it; folded when compared
HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        field: tuple(words.split())
        for field, words in {
            "place": "place place_id station station_id shop_id site facility_id 打卡点 打卡点编号 "
            "打卡地点 签到点 签到地点 点位 驿站 驿站编号 驿站名称 站点 站点编号 站点名称 商铺 商铺编号 "
            "商铺名称 设备点位 地点 名称 name",
            "time": "time when timestamp datetime checkin_time date day 时间 打卡时间 签到时间 扫码时间 领取时间 "
            "日期 打卡日期 签到日期 月份 month",
            "from": "from begin start 开始 开始日期 起 起始日期 开始时间",
            "until": "until end to 结束 结束日期 止 截止日期 结束时间",
            "n": "n count total checkins times bottles 次数 人次 打卡次数 签到次数 打卡人次 领取次数 瓶数 领取瓶数 "
            "数量 合计",
            "person": "person person_id user user_id uid openid open_id rider_id courier_id member_id device_id "
            "hash id_hash 用户 用户编号 用户id 骑手 骑手编号 会员号 微信openid 设备号 手机号 手机 哈希 匿名编号 "
            "扫码人 打卡人 签到人 姓名",
            "id": " ".join(SYNONYMS["id"]),
        }.items()
    }
)
_FIELD_OF = {fold(word): field for field, words in reversed(list(HEADERS.items())) for word in reversed(words)}
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?")
_DAY = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?")
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?")
#: days of check-ins lie between these years
YEARS = (2000, 2100)
#: a total tells of no more days than this
MAX_TOTAL_DAYS = 366


@dataclass(frozen=True, eq=False)
class CheckInReading:
    """Check-ins as read, how many rows the file has, and its faults; no fault shows a cell of the file."""

    checkins: CheckIns | None  # None where no row holds
    rows: int
    faults: tuple[Fault, ...]


def read_checkins(
    path: str | Path, places: gpd.GeoDataFrame, *, place: str | None = None, sheet: str | None = None
) -> CheckIns:
    """
    Read check-ins from a log or a table of totals.

    Parameters
    ----------
    path
        `.csv` or `.xlsx`, columns as `docs/reference/study.md` has them under `[checkins]`.
    places
        Stations and shops: index id, column `name`.
    place
        Id or name of the one place that the file tells of; None: its column says.
    sheet
        Sheet, where there are several.

    Returns
    -------
    checkins
        Counts by place, day and hour, and different people by week. Whose a check-in was is hashed with a salt of
        this call, counted and forgotten.

    Raises
    ------
    StudyError
        With every fault of the file; rows that cannot be counted are left out.
    """
    table = read_table(Path(path), sheet=sheet, is_header=is_checkin_header)
    reading = read_checkin_table(table, places, place=place)
    if reading.checkins is None or any(fault.level == "error" for fault in reading.faults):
        raise StudyError([fault for fault in reading.faults if fault.level == "error"])
    return reading.checkins


def is_checkin_header(header: Sequence[str]) -> bool:
    """Tell whether a row reads as the header of check-ins: a time or a span, and a place or a count."""
    fields = {_FIELD_OF.get(fold(cell)) for cell in header}
    return bool({"time", "from"} & fields) and bool({"place", "n"} & fields)


def read_checkin_table(table: Table, places: gpd.GeoDataFrame, *, place: str | None = None) -> CheckInReading:
    """
    Turn a table into check-ins.

    Parameters
    ----------
    table
        A log, a row a check-in (or `n` of them), or totals, a row a month or a span of days.
    places
        Stations and shops of the study: index id, column `name`; what the column of places names.
    place
        The one place that the whole table tells of; None: its column says.

    Returns
    -------
    reading
        Rows without a time, a count or a known place are left out, and counted. Whose check-in a row is decides
        only how many different people there were in a week: what stands there is hashed with a salt that is made
        anew in each run and kept nowhere, and is gone when this function returns.
    """
    positions = _positions(table)
    lacking = _lacking(table, positions, place)
    faults = [
        fault for fault in table.faults if fault.level == "error" or not _is_of_person(fault, table, positions)
    ]
    if lacking:
        return CheckInReading(None, len(table.rows), (*faults, *lacking))
    begin, days, hour = _spans(table, positions)
    n = _numbers(table, positions)
    ids = _places(table, positions, places, place)
    whole = ~np.isnat(begin) & np.isfinite(n)
    here = ids != ""
    faults += _told_left_out(table, whole, here)
    kept = whole & here
    if not kept.any():
        en, zh = "has no check-in that can be counted.", "没有可计入的打卡记录。"
        return CheckInReading(None, len(table.rows), (*faults, table.fault(en, zh)))
    data = {"place_id": ids, "begin": begin, "days": days, "hour": hour, "n": n}
    faults += _told_twice(table, pd.DataFrame(data)[kept])
    rows = pd.DataFrame(data)[kept].reset_index(drop=True)
    persons = None
    if "person" in positions and (days[kept] == 1).all():
        persons = _persons(np.array(table.columns[positions["person"]], dtype=object)[kept], rows["begin"])
    return CheckInReading(checkins_of(rows, persons), len(table.rows), tuple(faults))


# ---------------------------------------------------------------------------------------------------- the columns
def _positions(table: Table) -> dict[str, int]:
    """Return the column of each field; a column `id` is of persons where its values repeat and no other is."""
    positions: dict[str, int] = {}
    for at, header in enumerate(table.header):
        if field := _FIELD_OF.get(fold(header)):
            positions.setdefault(field, at)
    row_id = positions.pop("id", None)
    if row_id is not None and "person" not in positions:
        cells = [cell for cell in table.columns[row_id] if cell.strip()]
        if len(set(cells)) < len(cells):
            positions["person"] = row_id
    return positions


def _lacking(table: Table, positions: Mapping[str, int], place: str | None) -> list[Fault]:
    """Return an error for each column that is not there; headers are not shown: they may be a first row."""
    needed = {"time": ("a time or a day", "时间"), "place": ("a place", "打卡点")}
    lacking = [f for f in needed if f not in positions]
    if "from" in positions and "until" in positions and "time" in lacking:
        lacking.remove("time")
    if place is not None and "place" in lacking:
        lacking.remove("place")
    return [
        table.fault(
            f"has no column for {needed[f][0]} ({', '.join(HEADERS[f][:3])}). Name one so; its first row must be "
            "headers." + (' Or state the one place in [checkins]: place = "S1".' if f == "place" else ""),
            f"缺少{needed[f][1]}一列（如 {'、'.join([w for w in HEADERS[f] if not w.isascii()][:3])}），首行须为"
            "表头。" + ('只有一个点位时可在 [checkins] 写 place = "S1"。' if f == "place" else ""),
            column=f,
        )
        for f in lacking
    ]


def _is_of_person(fault: Fault, table: Table, positions: Mapping[str, int]) -> bool:
    return "person" in positions and fault.column == table.header[positions["person"]]


# ------------------------------------------------------------------------------------------------------ the cells
def _spans(table: Table, positions: Mapping[str, int]) -> tuple[npt.NDArray[np.datetime64], IntArray, IntArray]:
    """Return the first day of each row (NaT where it is not understood), its days, and its hour."""
    if "from" in positions and "until" in positions:
        first, last = (_moments(table.columns[positions[f]])[0] for f in ("from", "until"))
        days = (last - first).astype("timedelta64[D]")
        n_days = np.where(np.isnat(days), 0, days.astype(np.int64)) + 1
        first[(n_days < 1) | (n_days > MAX_TOTAL_DAYS)] = np.datetime64("NaT")
        return first, n_days, np.full(first.size, NO_HOUR)
    return _moments(table.columns[positions["time" if "time" in positions else "from"]])


def _moments(cells: Sequence[str]) -> tuple[npt.NDArray[np.datetime64], IntArray, IntArray]:
    """Return day, number of days and hour of cells: plain times all at once, others one by one, equal ones once."""
    own = pd.Series(cells, dtype=object).str.strip()
    is_plain = own.map(lambda cell: _PLAIN.fullmatch(cell) is not None).to_numpy(np.bool_)
    is_plain = is_plain & (own.str[11:13] != "24").to_numpy(np.bool_)  # 24:00 is 0:00 of the next day
    at = np.full(own.size, np.datetime64("NaT"), dtype="datetime64[s]")
    days, has_hour = np.ones(own.size, dtype=np.int64), is_plain.copy()
    if is_plain.any():
        read = pd.to_datetime(own[is_plain], format="ISO8601", errors="coerce")
        at[is_plain] = read.to_numpy("datetime64[s]")
    known = {cell: _moment(cell) for cell in own[~is_plain].unique()}
    for k in np.flatnonzero(~is_plain).tolist():
        at[k], days[k], has_hour[k] = known[own[k]]
    day = at.astype("datetime64[D]")
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970
    day[~np.isnat(day) & ((year < YEARS[0]) | (year > YEARS[1]))] = np.datetime64("NaT")
    hour = (at - day.astype("datetime64[s]")).astype(np.int64) // 3600
    return day.astype("datetime64[us]"), days, np.where(has_hour & ~np.isnat(day), hour, NO_HOUR)


def _moment(cell: str) -> tuple[np.datetime64, int, bool]:
    """Return a moment, in so many days, and whether its hour is known; NaT where it is none."""
    if month := _MONTH.fullmatch(cell):
        year, number = int(month[1]), int(month[2])
        if 1 <= number <= 12 and year >= dt.MINYEAR:  # noqa: PLR2004
            return np.datetime64(f"{year:04d}-{number:02d}-01", "s"), calendar.monthrange(year, number)[1], False
        return np.datetime64("NaT", "s"), 1, False
    try:
        moment = moment_of(cell)
    except InputError:
        return np.datetime64("NaT", "s"), 1, False
    is_day = _DAY.fullmatch(cell) is not None
    return np.datetime64(moment.strftime("%Y-%m-%dT%H:%M:%S"), "s"), 1, not is_day


def _numbers(table: Table, positions: Mapping[str, int]) -> FloatArray:
    """Return how many check-ins each row is, nan where that is not understood; 1 where no column says."""
    if "n" not in positions:
        return np.ones(len(table.rows))
    cells = table.columns[positions["n"]]
    known = {cell: parse_number(cell) for cell in set(cells)}
    n = np.array([amount_of(cell) if (value := known[cell]) is None else value for cell in cells], dtype=np.float64)
    return np.where(n >= 0, n, np.nan)


def _places(
    table: Table, positions: Mapping[str, int], places: gpd.GeoDataFrame, place: str | None
) -> npt.NDArray[np.object_]:
    """Return the id of each row's place, "" where it is not known: by id, else by a name that one place has."""
    ids = [str(i) for i in places.index]
    names = pd.Series([fold(str(name)) for name in places["name"]], index=ids, dtype=object)
    single = names[(names != "") & ~names.duplicated(keep=False)]
    of_name = dict(zip(single, single.index, strict=True))
    known = {fold(i): i for i in ids}
    if place is not None:
        own = place if place in set(ids) else known.get(fold(place)) or of_name.get(fold(place), "")
        return np.full(len(table.rows), own, dtype=object)
    found: dict[str, str] = {i: i for i in ids}
    cells = table.columns[positions["place"]]
    for cell in set(cells) - set(found):
        found[cell] = known.get(fold(cell)) or of_name.get(fold(cell), "")
    return np.array([found[cell] for cell in cells], dtype=object)


def _persons(cells: npt.NDArray[np.object_], day: pd.Series) -> pd.DataFrame:
    """Return how many different people there were in each week; blank cells are nobody that is known."""
    salt = secrets.token_bytes(32)  # of this run; with it goes what could tell whose a hash is
    token = np.array(
        [
            int.from_bytes(hashlib.blake2b(cell.strip().encode(), key=salt, digest_size=8).digest())
            for cell in cells
        ],
        dtype=np.uint64,
    )
    is_told = np.array([bool(cell.strip()) for cell in cells], dtype=np.bool_)
    seen = pd.DataFrame({"week": week_of(day), "token": token})[is_told]
    persons = seen.drop_duplicates().groupby("week", as_index=False, sort=True).size()
    return persons.rename(columns={"size": "persons"})


def week_of(day: pd.Series) -> pd.Series:
    """Return the Monday of each day's week."""
    monday: pd.Series = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
    return monday


# --------------------------------------------------------------------------------------------------------- words
def _told_left_out(table: Table, whole: npt.NDArray[np.bool_], here: npt.NDArray[np.bool_]) -> list[Fault]:
    """Tell how many rows are left out, and why; what stands in them is not shown."""
    faults = []
    sorts = (
        (~whole, "no time or count that is understood", "时间或数量无法识别"),
        (whole & ~here, "no station or shop of the study as their place", "打卡点不在驿站或商铺台账中"),
    )
    for is_out, en, zh in sorts:
        if is_out.any():
            rows = table.rows[is_out].tolist()
            told = table.warning(
                f"{len(rows)} of {len(table.rows)} rows have {en} and are left out: rows {some(rows)}.",
                f"{len(table.rows)} 行中有 {len(rows)} 行{zh}，未计入，行号：{some_zh(rows)}。",
            )
            faults.append(replace(told, rows=tuple(rows[:100])))
    return faults


def _told_twice(table: Table, rows: pd.DataFrame) -> list[Fault]:
    """Tell which totals of a place tell of days that other rows of it tell of too: both count."""
    if not (rows["days"] > 1).any():
        return []
    first = rows["begin"].to_numpy("datetime64[D]").astype(np.int64)
    days, place = rows["days"].to_numpy(np.int64), rows["place_id"].to_numpy(dtype=object)
    at = rows.index.to_numpy(np.int64)
    twice: set[int] = set()
    longest: dict[str, int] = {}  # of each place the row so far that tells of the latest day
    for k in np.lexsort((days, first)).tolist():
        other = longest.setdefault(place[k], k)
        if other != k and first[k] < first[other] + days[other] and max(days[k], days[other]) > 1:
            twice |= {int(at[other]), int(at[k])}
        if first[k] + days[k] >= first[other] + days[other]:
            longest[place[k]] = k
    if not twice:
        return []
    numbers = [int(table.rows[at]) for at in sorted(twice)]
    en = f"{len(numbers)} rows tell of days that another row of the same place tells of too; both count. Leave out"
    zh = f"有 {len(numbers)} 行与同一点位的另一行日期重叠，两者都计入，人次可能重复；如为重复统计，请删去其一。"
    told = table.warning(
        f"{en} one if it counts the same: rows {some(numbers)}.", f"{zh}行号：{some_zh(numbers)}。"
    )
    return [replace(told, rows=tuple(numbers[:100]))]
