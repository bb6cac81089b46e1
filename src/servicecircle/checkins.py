"""Check-ins: how many there were by place, day and hour. No person is in them, nor anything that stands for one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._validate import some
from .errors import InputError

#: the hour of a check-in of which only the day is known
NO_HOUR = -1
HOURS_A_DAY = 24
_COUNTS = ("place_id", "begin", "days", "hour", "n")
_PERSONS = ("week", "persons")


# ------------------------------------------------------------------------------------------------------ the nouns
@dataclass(frozen=True, eq=False)
class CheckIns:
    """
    Observed check-ins, counted.

    `counts` has a row a place, first day, number of days and hour: `place_id`, `begin` (a day), `days` (1 for a row
    of a log, more for a total of a month), `hour` (0 to 23, -1 not known), `n`. `persons` has a row a week (its
    Monday): how many different people checked in, where the log tells people apart; else it is empty.
    """

    counts: pd.DataFrame
    persons: pd.DataFrame

    def __post_init__(self) -> None:
        for name, columns in (("counts", _COUNTS), ("persons", _PERSONS)):
            missing = [c for c in columns if c not in getattr(self, name).columns]
            if missing:
                msg = f"`{name}` of check-ins has no column {some(missing)}."
                raise InputError(msg)
        counts = self.counts
        n, days, hour = (counts[c].to_numpy(np.float64) for c in ("n", "days", "hour"))
        if not ((np.isfinite(n) & (n >= 0)).all() and (days >= 1).all() and np.isin(hour, range(-1, 24)).all()):
            msg = "`counts` of check-ins must have `n` >= 0, `days` >= 1 and `hour` from -1 to 23."
            raise InputError(msg)
        if not pd.api.types.is_datetime64_any_dtype(counts["begin"].dtype):
            msg = f"`begin` of check-ins must be days, got {counts['begin'].dtype}."
            raise InputError(msg)

    def __len__(self) -> int:
        """Return how many check-ins there are."""
        return int(self.counts["n"].sum())

    @property
    def first(self) -> pd.Timestamp:
        """The first day that they tell of."""
        day: pd.Timestamp = self.counts["begin"].min()
        return day

    @property
    def last(self) -> pd.Timestamp:
        """The last day that they tell of."""
        ends = self.counts["begin"] + pd.to_timedelta(self.counts["days"] - 1, unit="D")
        day: pd.Timestamp = ends.max()
        return day

    @property
    def n_days(self) -> int:
        """Days from the first to the last, both counted."""
        return int((self.last - self.first).days) + 1


@dataclass(frozen=True, eq=False)
class CheckInFigures:
    """
    Check-ins beside what a plan's riders would give; columns as `tell_checkins` has them.

    Counts under 5 are text (`<5`) where the study is to be published, and what follows from them is missing.
    """

    first: str  # the first day, ISO 8601
    last: str
    days: int
    n: float | str
    per_day: float | None
    low: float | None  # of the rate a day: 95 %
    high: float | None
    trend: float | None  # check-ins a day that each full week adds; None: fewer than three full weeks
    likeness: float | None  # rank correlation of check-ins and riders over places; None: fewer than three places
    places: pd.DataFrame  # a row a place
    hours: pd.DataFrame  # a row a place and hour of the day
    weeks: pd.DataFrame  # a row a week, and unless it is to be published a row a week and place


def checkins_of(rows: pd.DataFrame, persons: pd.DataFrame | None = None) -> CheckIns:
    """Return check-ins of rows `place_id`, `begin`, `days`, `hour`, `n`: equal ones added, in order."""
    keys = ["place_id", "begin", "days", "hour"]
    counts = rows.groupby(keys, sort=True)["n"].sum().reset_index()
    none = pd.DataFrame({"week": pd.Series(dtype="datetime64[us]"), "persons": pd.Series(dtype=np.int64)})
    return CheckIns(counts[list(_COUNTS)], none if persons is None else persons)
