"""Closures: reports of trouble on the road, where, for whom, how bad, and from when until when."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import BoolArray, IntArray, some, some_zh
from .errors import CRSError, Fault, InputError
from .headers import without_numbers
from .params import Roads

WGS84 = "EPSG:4326"
#: Asia/Shanghai: what a time without a zone is in
CHINA = dt.timezone(dt.timedelta(hours=8))
MODES: tuple[Roads, ...] = ("walk", "ebike", "drive")
#: a report reaches no farther than this from its point or line (metres)
MAX_REACH_M = 20_000.0
#: slower than this share of the usual speed is closed: write 0
MIN_FACTOR = 0.01
COLUMNS = ("name", "modes", "factor", "from", "until", "radius_m", "width_m", "source", "geometry")

_NAMES: Mapping[str, tuple[Roads, ...]] = MappingProxyType(
    {
        "walk foot pedestrian 步行 行人 人行 走路": ("walk",),
        "ebike e-bike bike 电动车 电动自行车 电单车 电瓶车 自行车 非机动车 骑行": ("ebike",),
        "drive car motor 驾车 汽车 机动车 小汽车 车辆": ("drive",),
        "all 全部 所有 均受影响": MODES,
    }
)
_WORDS = {word: modes for words, modes in _NAMES.items() for word in words.split()}
_CLOSED_WORDS = frozenset({"closed", "close", "封闭", "中断", "禁行", "不通", "断交"})
_MIDNIGHT = re.compile(r"([\sT])24:00(?::00(?:\.0+)?)?(?![\d:.])")
_ONLY_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{4}年\d{1,2}月\d{1,2}日?")


# ------------------------------------------------------------------------------------------------------ the noun
@dataclass(frozen=True, eq=False)
class Closures:
    """
    Reports of trouble: a point with `radius_m`, a line with `width_m`, or a polygon, in any stated CRS; index: id.

    Columns that may be left out: `modes` (of `walk`, `ebike`, `drive`; all), `factor` (of the usual speed; 0 is
    closed, the default), `from` and `until` (times, Asia/Shanghai unless they say otherwise; `until` itself is open
    again; missing: always), `name`, `source`. The frame that is kept is in WGS 84 with all of these.
    """

    frame: gpd.GeoDataFrame

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", _checked(self.frame))

    def __len__(self) -> int:
        """Return how many reports there are."""
        return len(self.frame)

    def at(self, when: str | dt.datetime) -> Closures:
        """Return those that hold at a moment: `from <= when < until`."""
        moment = moment_of(when)
        begun = self.frame["from"].isna() | (self.frame["from"] <= moment)
        return self.rows(np.asarray(begun & (self.frame["until"].isna() | (self.frame["until"] > moment))))

    def of_mode(self, roads: Roads) -> Closures:
        """Return those that concern a mode of travel."""
        concerned = np.array([roads in modes for modes in self.frame["modes"]], dtype=bool)
        return self.rows(concerned)

    def rows(self, which: BoolArray | IntArray) -> Closures:
        """Return some of the reports, by a mask or by their positions."""
        own = object.__new__(Closures)  # checked already
        object.__setattr__(own, "frame", self.frame[which] if which.dtype == bool else self.frame.iloc[which])
        return own

    def windows(self) -> list[tuple[pd.Timestamp | None, pd.Timestamp | None, Closures]]:
        """Return the spans of time between which nothing changes, in order, with what holds in each."""
        ends = pd.concat([self.frame["from"], self.frame["until"]]).dropna()
        moments: list[pd.Timestamp] = sorted(set(ends.tolist()))
        if not moments:
            return [(None, None, self)]
        spans = [(None, moments[0]), *zip(moments, [*moments[1:], None], strict=True)]
        early = self.rows(self.frame["from"].isna().to_numpy(bool))
        return [(begin, end, self.at(begin) if begin is not None else early) for begin, end in spans]


@dataclass(frozen=True, eq=False)
class TroubleFigures:
    """
    What reports of trouble do to a plan's coverage, window by window; columns as `tell_closures` has them.

    Riders cut off are covered before the trouble, and not during it.
    """

    windows: pd.DataFrame  # a row a span of time in which nothing changes, in order
    zones: pd.DataFrame  # a row a window with trouble and zone
    cells: pd.DataFrame  # a row a window with trouble and planning cell whose coverage changes
    streets: gpd.GeoDataFrame  # the parts of streets that each report covers, CRS of the network
    warnings: tuple[Fault, ...] = ()
    counted: Fault | None = None  # which reports the plan's own coverage counts; None: it is of the open roads


def _checked(frame: Any) -> gpd.GeoDataFrame:  # noqa: ANN401
    """Return the frame with every column, in WGS 84."""
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = f"`closures` must be a GeoDataFrame, got {type(frame).__name__}."
        raise InputError(msg)
    if frame.crs is None:
        msg = "`closures` states no CRS. Set it: closures.set_crs('EPSG:4326') for longitude and latitude."
        raise CRSError(msg)
    if not frame.index.is_unique:
        double = frame.index[frame.index.duplicated()].unique()
        msg = f"`closures` has the same id more than once: {some(double)}."
        raise InputError(msg, zh=f"路况报告的编号重复：{some_zh(double)}。")
    n = len(frame)

    def column(name: str, default: object) -> list[Any]:
        return list(frame[name]) if name in frame.columns else [default] * n

    rows = zip(*(column(name, None) for name in COLUMNS[:-1]), frame.geometry, strict=True)
    reports, told = [], []
    for own, row in zip(frame.index, rows, strict=True):
        report, faults = checked_report(dict(zip(COLUMNS, row, strict=True)))
        reports.append(report)
        told += [(own, name, fault) for name, fault in faults]
    if told:
        own, name, fault = told[0]
        more = f" ({len(told) - 1} more fault(s))" if len(told) > 1 else ""
        msg = f"`{name}` of closure {own!r} {fault.en}{more}"
        raise InputError(msg, zh=f"路况报告“{own}”的 {name} {fault.zh}")
    data: dict[str, Any] = {name: [report[name] for report in reports] for name in COLUMNS[:-1]}
    for name in ("from", "until"):
        data[name] = pd.Series(data[name], index=frame.index, dtype=pd.DatetimeTZDtype("us", CHINA))
    for name in ("factor", "radius_m", "width_m"):
        data[name] = np.array(data[name], dtype=np.float64)
    shapes = frame.geometry.to_crs(WGS84)
    return gpd.GeoDataFrame(data, index=frame.index, geometry=np.asarray(shapes.array, dtype=object), crs=WGS84)


def as_closures(reports: Closures | gpd.GeoDataFrame) -> Closures:
    """Return reports as `Closures`, checked."""
    return reports if isinstance(reports, Closures) else Closures(reports)


# ------------------------------------------------------------------------------------------------- a single report
def checked_report(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Fault]]]:
    """Return what a report says, as values, and its faults by column; what is at fault stays as if missing."""
    report: dict[str, Any] = {
        name: "" if _is_blank(row[name]) else without_numbers(str(row[name])) for name in ("name", "source")
    }
    report["geometry"] = row["geometry"]
    faults: list[tuple[str, Fault]] = []
    usual = {
        "modes": MODES,
        "factor": 0.0,
        "from": pd.NaT,
        "until": pd.NaT,
        "radius_m": math.nan,
        "width_m": math.nan,
    }
    for name, default in usual.items():
        report[name] = default
        if _is_blank(row[name]):
            continue
        try:
            report[name] = _READ[name](row[name])
        except InputError as error:
            faults.append((name, Fault(without_numbers(error.en), without_numbers(error.zh))))
    if not faults and report["from"] >= report["until"]:  # false where one is missing
        en, zh = "must be after `from`. Exchange them, or correct one.", "应晚于开始时间，请核对。"
        faults.append(("until", Fault(en, zh)))
    told = {name for name, _ in faults}
    return report, [*faults, *((name, fault) for name, fault in _shape_faults(report) if name not in told)]


def _shape_faults(report: Mapping[str, Any]) -> Iterable[tuple[str, Fault]]:
    """Return what a geometry lacks: a point its radius, a line its width."""
    shape = report["geometry"]
    if shape is None or shape.is_empty:
        yield "geometry", Fault("is missing. Draw a point, a line or a polygon.", "缺少图形，请画出点、线或面。")
        return
    kind = shape.geom_type
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        yield "geometry", Fault("has coordinates that are not finite.", "坐标不是有效数字。")
    elif kind == "Point" and math.isnan(report["radius_m"]):
        en = "is missing: a point needs the radius of the trouble in metres, e.g. 15."
        yield "radius_m", Fault(en, "缺失：点需要写明影响半径（米），如 15。")
    elif kind in {"LineString", "MultiLineString"} and math.isnan(report["width_m"]):
        en = "is missing: a line needs the width of the trouble in metres, e.g. 10."
        yield "width_m", Fault(en, "缺失：线需要写明影响宽度（米），如 10。")
    elif kind not in {"Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}:
        yield (
            "geometry",
            Fault(f"is a {kind}: draw a point, a line or a polygon.", f"图形类型是 {kind}，应为点、线或面。"),
        )
    elif not shape.is_valid:
        en = f"is not valid ({shapely.is_valid_reason(shape)}). Draw its outline anew."
        yield "geometry", Fault(en, f"图形无效（{shapely.is_valid_reason(shape)}），请重新绘制边界。")


def _is_blank(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def modes_of(value: str | Sequence[str]) -> tuple[Roads, ...]:
    """
    Return the modes that a text or a list names, in the order of `MODES`.

    Raises
    ------
    InputError
        If a word is no mode.
    """
    words = re.split(r"[,;/、，；\s+]+", value.strip(" []")) if isinstance(value, str) else list(value)
    found: set[Roads] = set()
    for word in words:
        known = _WORDS.get(str(word).strip(" \"'").lower())
        if known is None:
            msg = f"names {str(word)!r}; modes are {', '.join(MODES)}."
            raise InputError(msg, zh=f"中的“{word}”无法识别，可写：步行、电动车、机动车。")
        found.update(known)
    return tuple(mode for mode in MODES if mode in found)


def factor_of(value: str | float) -> float:
    """
    Return the share of the usual speed that a report leaves: 0 closed, 0.5 half, 1 all; `50%` is read.

    Raises
    ------
    InputError
        If it is no number from 0 to 1, or above 0 and so small that nobody gets on.
    """
    text = str(value).strip().lower()
    if text in _CLOSED_WORDS:
        return 0.0
    try:
        number = float(text.removesuffix("%").removesuffix("％")) / (100.0 if text.endswith(("%", "％")) else 1.0)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1 or isinstance(value, bool):
        msg = f"must be a share of the usual speed from 0 (closed) to 1, got {value!r}."
        raise InputError(msg, zh=f"应为速度系数 0（封闭）至 1，现为 {value}。")
    if 0 < number < MIN_FACTOR:
        msg = f"is {number:g}, slower than {MIN_FACTOR:g} of the usual speed. Write 0 for closed."
        raise InputError(msg, zh=f"为 {number:g}，过小；封闭请写 0。")
    return number


def moment_of(value: str | dt.date, *, is_end: bool = False) -> pd.Timestamp:
    """
    Return a moment as time of Asia/Shanghai, which it is in unless it states another zone.

    A date without a time is its beginning, and with `is_end` the end of that day; `24:00` is the end of its day,
    0:00 of the next one.

    Raises
    ------
    InputError
        If it is no date or time.

    Examples
    --------
    >>> moment_of("2026-08-01 09:00").isoformat(), moment_of("2026-08-01T01:00Z").isoformat()
    ('2026-08-01T09:00:00+08:00', '2026-08-01T09:00:00+08:00')
    >>> moment_of("2026-08-01", is_end=True).isoformat()
    '2026-08-02T00:00:00+08:00'
    """
    is_date = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    text = str(value).strip() if not isinstance(value, dt.datetime) else value.isoformat()
    is_date = is_date or _ONLY_DATE.fullmatch(text) is not None
    plain = re.sub("[年月]", "-", text).replace("日", " ").replace("/", "-").replace("：", ":").strip()
    plain, is_next = _MIDNIGHT.subn(r"\g<1>00:00", plain)
    plain = re.sub(r"(?<!\d)(\d)(?=[-:\s]|$)", r"0\1", plain)  # 2026-8-1 9:00
    try:
        read = dt.datetime.fromisoformat(re.sub(r"\s+", " ", plain))
        aware = read if read.tzinfo is not None else read.replace(tzinfo=CHINA)
        moment = _days_later(aware, int(is_next or (is_date and is_end)))
    except (ValueError, OverflowError) as error:
        msg = f"must be a time, e.g. 2026-08-01 09:00; got {str(value)[:40]!r}."
        raise InputError(msg, zh=f"应为时间，如 2026-08-01 09:00，现为“{str(value)[:40]}”。") from error
    return pd.Timestamp(moment).as_unit("us")


def _days_later(moment: dt.datetime, n: int) -> dt.datetime:
    """Return a moment in Asia/Shanghai, days later; beyond the last year there is, 长期有效, its last second."""
    try:
        return moment.astimezone(CHINA) + dt.timedelta(days=n)
    except OverflowError:
        if moment.year < dt.MAXYEAR:
            raise
        return dt.datetime(dt.MAXYEAR, 12, 31, 23, 59, 59, tzinfo=CHINA)


def metres_of(value: str | float) -> float:
    """
    Return metres above 0.

    Raises
    ------
    InputError
        If it is no number above 0, or above `MAX_REACH_M`.
    """
    try:
        number = float(str(value).strip().removesuffix("米").removesuffix("m"))
    except ValueError:
        number = math.nan
    if not 0 < number <= MAX_REACH_M or isinstance(value, bool):
        msg = f"must be metres above 0, at most {MAX_REACH_M:g}; got {value!r}."
        raise InputError(msg, zh=f"应为大于 0、不超过 {MAX_REACH_M:g} 的米数，现为 {value}。")
    return number


_READ: Mapping[str, Any] = MappingProxyType(
    {
        "modes": modes_of,
        "factor": factor_of,
        "from": moment_of,
        "until": lambda value: moment_of(value, is_end=True),
        "radius_m": metres_of,
        "width_m": metres_of,
    }
)
