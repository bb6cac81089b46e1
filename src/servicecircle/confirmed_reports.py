"""Trust in reports: one by an office holds, one by riders or residents holds once others confirm it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import BoolArray
from .closures import MAX_REACH_M, Closures, as_closures
from .errors import InputError

#: words in `source` of those whose report holds alone
OFFICIAL = (
    "交警", "公安", "派出所", "城管", "应急", "消防", "气象", "市政", "水务", "园林", "街道办", "居委", "村委",
    "社区工作", "网格员", "网格长", "热线", "police", "office", "official", "hotline",
)  # fmt: skip
MAX_CONFIRM = 100
#: a week
MAX_WITHIN_MINUTES = 10_080.0


@dataclass(frozen=True)
class TrustRule:
    """When a report holds: made by an office, or confirmed by others near in place and time."""

    confirm: int = 2  # reports of one trouble that are needed, itself among them
    within_m: float = 100.0
    within_minutes: float = 60.0
    official: tuple[str, ...] = OFFICIAL

    def __post_init__(self) -> None:
        count: object = self.confirm
        if isinstance(count, bool) or not isinstance(count, Integral) or not 1 <= int(count) <= MAX_CONFIRM:
            msg = f"`confirm` must be a number of reports, 1 to {MAX_CONFIRM}, got {self.confirm!r}."
            raise InputError(msg, zh=f"confirm 应为 1 到 {MAX_CONFIRM} 的报告数，现为 {self.confirm!r}。")
        for name, largest in (("within_m", MAX_REACH_M), ("within_minutes", MAX_WITHIN_MINUTES)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= largest:
                msg = f"`{name}` must be a number from 0 to {largest:g}, got {value!r}."
                raise InputError(msg, zh=f"{name} 应为 0 到 {largest:g} 的数，现为 {value!r}。")
        words: tuple[object, ...] = self.official
        if not all(isinstance(word, str) and word.strip() for word in words):
            msg = "`official` must be words of `source`, none of them blank."
            raise InputError(msg, zh="official 应为来源中的词，不能为空。")


@dataclass(frozen=True, eq=False)
class ConfirmedReports:
    """
    Reports sorted by trust.

    `log`: a row a report, in their order; `is_official`; `n_reports`: different reports of the same trouble, itself
    included; `confirmed_by`: the ids of the others; `is_confirmed`. Nothing of it is about a person.
    """

    confirmed: Closures
    unconfirmed: Closures
    log: pd.DataFrame


def confirm_reports(
    closures: Closures | gpd.GeoDataFrame,
    *,
    confirm: int = 2,
    within_m: float = 100.0,
    within_minutes: float = 60.0,
    official: Sequence[str] | None = None,
) -> ConfirmedReports:
    """
    Tell which reports of trouble hold: those of an office, and those that others confirm.

    Two reports are of one trouble if they lie within `within_m` of each other, begin within `within_minutes`, and
    concern a common mode. Reports of one source, place and beginning are one report told twice. A report near one
    of an office is confirmed by it; one that does not say when it began is confirmed by an office only, its own.

    Parameters
    ----------
    closures
        Reports of trouble; `source` says who reported, an office or a class (骑手, 居民), never a person.
    confirm
        So many different reports of one trouble are enough, itself among them; 1: every report holds.
    within_m, within_minutes
        How far apart two reports of one trouble lie, and begin.
    official
        Words in `source` of those whose report holds alone. None: those of usual offices.

    Returns
    -------
    reports
        Those that hold, those that do not, and the log of all.

    Raises
    ------
    InputError
        If a number is out of range, or a report is at fault.
    """
    if isinstance(official, str):
        msg = f"`official` must be a list of words, got {official!r}."
        raise InputError(msg, zh=f"official 应为词的列表，现为 {official!r}。")
    words = OFFICIAL if official is None else tuple(official)
    return confirmed_by_rule(as_closures(closures), TrustRule(confirm, within_m, within_minutes, words))


def _office_pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Return what finds an office: whole words of English, no Chinese word that is denied or a fan's."""
    parts = [
        rf"\b{re.escape(word.casefold())}\b" if word.isascii() else rf"(?<![非前原假]){re.escape(word)}(?!爱好|迷)"
        for word in words
    ]
    return re.compile("|".join(parts) or r"(?!)")


def confirmed_by_rule(closures: Closures, rule: TrustRule) -> ConfirmedReports:
    """Return `confirm_reports` by a rule that is checked already."""
    frame = closures.frame
    ids = frame.index.astype(str).tolist()
    is_office = _office_pattern(rule.official)
    is_official = np.array(
        [is_office.search(source.casefold()) is not None for source in frame["source"]], dtype=bool
    )
    others = _others(frame, rule)
    keys = list(zip(frame["source"], shapely.to_wkb(frame.geometry.to_numpy()), frame["from"], strict=True))
    n = [len({keys[at], *(keys[k] for k in near)}) for at, near in enumerate(others)]
    by_office = np.array([any(is_official[k] for k in near) for near in others], dtype=bool)
    holds: BoolArray = is_official | by_office | (np.array(n, dtype=np.int64) >= rule.confirm)
    log = pd.DataFrame(
        {
            "source": frame["source"].tolist(),
            "is_official": is_official,
            "n_reports": n,
            "confirmed_by": [tuple(ids[k] for k in near) for near in others],
            "is_confirmed": holds,
        },
        index=frame.index,
    )
    return ConfirmedReports(closures.rows(holds), closures.rows(~holds), log)


def _others(frame: gpd.GeoDataFrame, rule: TrustRule) -> list[list[int]]:
    """Return of each report the positions of the others that are of the same trouble, ascending."""
    if frame.empty:
        return []
    shapes = frame.geometry.to_crs(frame.estimate_utm_crs()).to_numpy()
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="dwithin", distance=rule.within_m)
    begun = frame["from"].tolist()
    modes = [set(own) for own in frame["modes"]]
    limit = dt.timedelta(minutes=rule.within_minutes)
    near: list[list[int]] = [[] for _ in begun]
    for a, b in sorted(zip(one.tolist(), other.tolist(), strict=True)):
        is_known = not (pd.isna(begun[a]) or pd.isna(begun[b]))
        if a != b and is_known and abs(begun[a] - begun[b]) <= limit and modes[a] & modes[b]:
            near[a].append(b)
    return near
