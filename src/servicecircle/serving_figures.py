"""What follows from hours and services: who does not count, the week by hour, the night, each amenity by zone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import FloatArray, read_only
from .errors import InputError

HOURS = 168
#: the night, minutes of the day: from the first into the next day until the second
NIGHT = (22 * 60, 6 * 60)


@dataclass(frozen=True, eq=False)
class WeekCoverage:
    """
    Riders covered in each hour of a week, Monday 0:00 first: the mean over the hour's minutes.

    A place whose hours are not known counts as open in `covered` and as closed in `at_least`; so the riders covered
    lie between the two. `holiday` is an hour of a day on which a public holiday falls.
    """

    minutes: tuple[float, ...]  # breaks, ascending
    riders: float  # in all
    covered: FloatArray  # (168, n_break)
    at_least: FloatArray  # (168, n_break)
    holiday: FloatArray  # (168, n_break)
    holiday_at_least: FloatArray  # (168, n_break)
    n_open: FloatArray  # (168,) places open, those with unknown hours included
    night: NightCoverage
    monday: dt.date | None = None  # of the week that is shown; None: a usual week

    def __post_init__(self) -> None:
        for name in ("covered", "at_least", "holiday", "holiday_at_least"):
            array = getattr(self, name)
            if array.shape != (HOURS, len(self.minutes)):
                msg = f"`{name}` has shape {array.shape}, expected {(HOURS, len(self.minutes))}."
                raise InputError(msg)
            object.__setattr__(self, name, read_only(array))
        object.__setattr__(self, "n_open", read_only(self.n_open))

    @property
    def rider_hours_share(self) -> dict[str, float | None]:
        """Share of the rider-hours of a week that are covered, by break; None where there is no rider."""
        if not self.riders > 0:
            return {f"{t:g}": None for t in self.minutes}
        means = np.minimum(self.covered.mean(axis=0) / self.riders, 1.0)
        return {f"{t:g}": float(share) for t, share in zip(self.minutes, means, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """
        Return a row an hour, index `hour_of_week` (0 is Monday 0:00 to 1:00).

        Columns `weekday` (0 is Monday), `date` (only where one week of the calendar is shown), `hour`, `n_open`,
        and for each break T `covered_T`, `at_least_T`, `holiday_T`, `holiday_at_least_T` (riders).
        """
        hour = np.arange(HOURS)
        columns: dict[str, object] = {"weekday": hour // 24, "hour": hour % 24, "n_open": self.n_open}
        if self.monday is not None:
            dates = [(self.monday + dt.timedelta(day)).isoformat() for day in range(7)]
            columns = {"weekday": columns["weekday"], "date": np.repeat(dates, 24)} | columns
        for b, t in enumerate(self.minutes):
            for name in ("covered", "at_least", "holiday", "holiday_at_least"):
                columns[f"{name}_{t:g}"] = getattr(self, name)[:, b]
        return pd.DataFrame(columns, index=pd.Index(hour, name="hour_of_week"))


@dataclass(frozen=True, eq=False)
class NightCoverage:
    """
    Places known to be open all through the night, every night, and who depends on each, at the largest break.

    `places`: index facility id; `riders` in its reach; `only_riders`, whom no other place known to be open all
    night reaches; `only_at_least`, whom also no place of unknown hours reaches.
    """

    minutes: float  # the break
    places: pd.DataFrame
    covered: float  # riders whom some of them reach
    n_unknown: int  # places of which it is not known whether they are open at night


@dataclass(frozen=True, eq=False)
class ServingFigures:
    """
    What hours and services change in a plan.

    `left_out`: stations and shops that stand and do not count, WGS 84, with the columns of their ledger, `why`
    (`closed`, `without`, `broken`, `stale` or `unstated`, see `serving.py`) and `riders_gained`: what the
    first of them to count would add at the largest break. `amenities`: see `cover_amenities`.
    """

    left_out: gpd.GeoDataFrame
    unknown: tuple[str, ...]  # ids that count as open, though their hours then are not known
    at_least: dict[str, float]  # by break: riders covered without those
    week: WeekCoverage | None  # None: nobody states hours
    amenities: pd.DataFrame
