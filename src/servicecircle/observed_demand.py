"""Observed demand: what check-ins say of places, hours and weeks, beside the riders that a plan assumes."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import FloatArray, points_xy
from .checkins import HOURS_A_DAY, NO_HOUR, CheckInFigures, CheckIns
from .coverage import sum_by
from .demand import ROUNDING, RiderSeries, riders_of_depots
from .disclosure import AT_LEAST, LEAST_TOLD, UNDER, Told, told_count, told_counts
from .drink_rules import rate_of_total, stock_out
from .errors import Fault
from .model import Coverage, Grid, Study

#: people who check in at a place work on the streets around it: weight 1/e at this distance, none beyond the second
DECAY_M, REACH_M = 500.0, 1500.0
#: a week below this share of the weeks before it (so many) is a drop
DROP_SHARE, DROP_WEEKS = 0.5, 4
WEEK_DAYS = 7
#: a trend or a rank correlation of fewer is none
LEAST_POINTS = 3


def _is_log(checkins: CheckIns) -> bool:
    """Whether every row tells of one day: then a day without a row is a day without a check-in."""
    return bool((checkins.counts["days"] == 1).all())


def _known_days(checkins: CheckIns) -> int:
    """Return the days that are known of any place: of a log all, of totals those that a row tells of."""
    if _is_log(checkins):
        return checkins.n_days
    spans = checkins.counts[["begin", "days"]].drop_duplicates()
    days = [pd.date_range(begin, periods=int(n)) for begin, n in spans.itertuples(index=False)]
    return len(pd.DatetimeIndex(np.unique(np.concatenate(days))))


def _days_of(checkins: CheckIns) -> pd.Series:
    """Return the days that are known of each place: of a log all, of totals those of the place's own rows."""
    counts = checkins.counts
    if _is_log(checkins):
        places = pd.Index(sorted(set(counts["place_id"])), name="place_id")
        return pd.Series(float(checkins.n_days), index=places)
    return counts.drop_duplicates(["place_id", "begin", "days"]).groupby("place_id")["days"].sum().astype(float)


def daily_rates(checkins: CheckIns, *, hour: int | None = None) -> pd.Series:
    """
    Return check-ins a day by place.

    Parameters
    ----------
    checkins
        Counts. Of a log every place has the days from its first day to its last, those without a check-in too; of
        totals each place has the days that its own rows tell of.
    hour
        Only those in this hour of the day (0 to 23). None: all, also those of which the hour is not known.

    Returns
    -------
    rates
        By `place_id`, ascending; each place of `checkins` has one, which may be 0.
    """
    counts = checkins.counts
    n = counts["n"] if hour is None else counts["n"].where(counts["hour"] == hour, 0.0)
    by_place = n.groupby(counts["place_id"]).sum()
    return (by_place / _days_of(checkins)).rename("per_day")


def riders_of_checkins(
    checkins: CheckIns,
    places: gpd.GeoDataFrame,
    grid: Grid,
    *,
    hour: int | None = None,
    least: float = 0.0,
) -> RiderSeries:
    """
    Riders as they were seen: check-ins a day of each place, spread over the streets around it.

    As `riders_of_depots` spreads a depot's riders, with 500 m for the decay and 1,500 m for the end: an
    assumption, a log does not say where people came from. Check-ins exist only where a place does: streets far
    from every place get nobody, which does not mean that nobody is there.

    Parameters
    ----------
    checkins
        Counts by place.
    places
        Stations and shops, points in any stated CRS, index: id. Those of `checkins` that are not among them, and
        those farther than 1,500 m from every street of the grid, count for nobody.
    grid
        Cells that bear street.
    hour
        Check-ins of this hour of the day only.
    least
        Places with fewer check-ins in all than this count for nobody.

    Returns
    -------
    riders
        By cell, index and order of the grid: check-ins a day.
    """
    own = _placed(checkins, places, grid, least=least)
    rates = daily_rates(checkins, hour=hour).reindex(own.index)
    return riders_of_depots(own.assign(riders=rates.to_numpy(np.float64)), grid, decay_m=DECAY_M, reach_m=REACH_M)


def _placed(checkins: CheckIns, places: gpd.GeoDataFrame, grid: Grid, *, least: float) -> gpd.GeoDataFrame:
    """Return the places whose check-ins count: as many as the least, and with street in reach."""
    total = checkins.counts.groupby("place_id")["n"].sum()
    own = places[places.index.isin(total.index[total >= least])]
    xy = points_xy(own, grid.cells.crs)
    street = grid.cells[["street_x", "street_y"]].to_numpy(np.float64)
    near = [bool((np.hypot(*(street - one).T) <= REACH_M).any()) for one in xy]
    return own[np.array(near, dtype=np.bool_)]


def hour_of_demand(study: Study) -> int | None:
    """Return the hour of which check-ins count; None: all, as no moment is asked for or no hour is known."""
    if study.when is None or study.checkins is None or not (study.checkins.counts["hour"] != NO_HOUR).any():
        return None
    return study.when.minute // 60


def told_of_checkins(study: Study, riders: RiderSeries, file: str) -> list[Fault]:
    """Tell what demand of check-ins is, and what of it is left out."""
    checkins = study.checkins
    if checkins is None:
        return []
    hour = hour_of_demand(study)
    total, here = math.fsum(daily_rates(checkins, hour=hour)), math.fsum(riders)
    en = "Riders are check-ins a day as they were seen"
    zh = "骑手数为观测到的日均打卡次数"
    if hour is not None:
        en, zh = f"{en}, between {hour}:00 and {hour + 1}:00", f"{zh}（{hour}:00—{hour + 1}:00）"
    en += ": they exist only around places that are there, and say nothing of streets without one."
    zh += "：只在已有站点周围才有记录，没有站点的街道不等于没有需求。"
    faults = [Fault(en, zh, file=file, level="warning"), *_told_of_unknown_hours(study, file)]
    if total - here > ROUNDING * max(total, 1.0):
        en = f"{total - here:,.1f} of {total:,.1f} check-ins a day are left out: of places away from the streets"
        en += " that are counted" + (f", or with fewer than {LEAST_TOLD} in all." if study.publish else ".")
        zh = f"日均 {total:,.1f} 次打卡中有 {total - here:,.1f} 次未计入：站点不在统计范围的道路附近"
        zh += f"，或总数不足 {LEAST_TOLD} 次。" if study.publish else "。"
        faults.append(Fault(en, zh, file=file, level="warning"))
    return faults


def _told_of_unknown_hours(study: Study, file: str) -> list[Fault]:
    """Tell of check-ins whose hour is not known, where a moment is asked for."""
    if study.when is None or study.checkins is None:
        return []
    counts = study.checkins.counts
    n, unknown = math.fsum(counts["n"]), math.fsum(counts["n"][counts["hour"] == NO_HOUR])
    if not unknown:
        return []
    if unknown >= n:
        en = "The hours of the check-ins are not known (totals): riders are those of a whole day, not of then."
        zh = "打卡记录只有合计，没有时刻：骑手按全天计，不按所问的时刻计。"
    else:
        en = f"{unknown:,.0f} of {n:,.0f} check-ins have no hour and are left out at the moment that is asked for."
        zh = f"{n:,.0f} 次打卡中有 {unknown:,.0f} 次没有时刻，未计入所问的时刻。"
    return [Fault(en, zh, file=file, level="warning")]


# -------------------------------------------------------------------------------------------------- the figures
def tell_checkins(study: Study, before: Coverage, places: gpd.GeoDataFrame) -> CheckInFigures | None:
    """
    Tell a study's check-ins by place, hour of the day and week, beside the riders of its plan.

    Parameters
    ----------
    study
        With check-ins; None is returned for one without.
    before
        Coverage by the places that count: the riders of each demand point are those of its nearest place, if it is
        within the largest break.
    places
        Stations and shops, index id, column `name`.

    Returns
    -------
    figures
        `places`: `place_id`, `name`, `n`, `per_day`, `share` (of all check-ins), `riders` (of the plan),
        `rider_share`, `ratio` (share over rider share), `dispersion` (of the days of a log: variance over mean),
        and, with `[checkins] stock`, `stock_out` (chance that a day asks for more). `hours`: `place_id`, `name`,
        `hour` (0 to 23; -1 where not known), `n`, `per_day`. `weeks`: `week` (Monday), `place_id` ("": all), `n`,
        `days` (of the week that are known), `per_day`, `change` (to the week before), `persons` (different people;
        of all only), `is_drop` (below half of the mean of the four full weeks before). Riders are missing where
        check-ins themselves are the demand: they would be held against themselves.
    """
    checkins = study.checkins
    if checkins is None:
        return None
    hide = study.publish
    n, rate = len(checkins), rate_of_total(float(checkins.counts["n"].sum()), _known_days(checkins))
    names = {str(i): str(name) for i, name in zip(places.index, places["name"], strict=True)}
    own = _by_place(study, checkins, before, names)
    told = told_counts(own["n"].tolist(), is_published=hide)
    likeness = _likeness(own)
    weeks = _by_week(checkins, names, only_all=hide)
    is_told = not (hide and n < LEAST_TOLD)
    return CheckInFigures(
        first=checkins.first.date().isoformat(),
        last=checkins.last.date().isoformat(),
        days=checkins.n_days,
        n=_whole(told_count(n, is_published=hide)),
        per_day=rate.per_day if is_told else None,
        low=rate.low if is_told else None,
        high=rate.high if is_told else None,
        trend=None if hide and (weeks["n"] < LEAST_TOLD).any() else _trend(weeks),
        likeness=likeness,
        places=_masked(own, told, ("per_day", "share", "ratio", "dispersion", "stock_out")),
        hours=_told_hours(_by_hour(checkins, names), dict(zip(own["place_id"], told, strict=True)), hide=hide),
        weeks=_told_weeks(weeks, hide=hide),
    )


def _by_place(study: Study, checkins: CheckIns, before: Coverage, names: dict[str, str]) -> pd.DataFrame:
    rates = daily_rates(checkins)
    n = checkins.counts.groupby("place_id")["n"].sum().reindex(rates.index)
    frame = pd.DataFrame({"place_id": rates.index, "n": n.to_numpy(), "per_day": rates.to_numpy()})
    frame.insert(1, "name", [names.get(i, "") for i in frame["place_id"]])
    frame["share"] = _shares(frame["per_day"].to_numpy(np.float64))
    frame["riders"] = np.nan
    if study.demand_source != "checkins":
        frame["riders"] = _nearest_riders(before).reindex(frame["place_id"], fill_value=0.0).to_numpy()
    frame["rider_share"] = _shares(frame["riders"].to_numpy(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = frame["share"] / frame["rider_share"]
    frame["ratio"] = ratio.where(np.isfinite(ratio))
    frame["dispersion"] = _dispersions(checkins).reindex(frame["place_id"]).to_numpy()
    if study.checkin_stock is not None:
        spread = frame["dispersion"].fillna(1.0).clip(lower=1.0)
        stock = study.checkin_stock
        pairs = zip(frame["per_day"], spread, strict=True)
        frame["stock_out"] = [stock_out(mean, stock, dispersion=wide).probability for mean, wide in pairs]
    return frame


def _shares(values: FloatArray) -> FloatArray:
    total = math.fsum(values.tolist())
    return values / total if total > 0 else np.full(values.size, np.nan)


def _nearest_riders(before: Coverage) -> pd.Series:
    """Return the riders whose nearest place is each facility, of those who are covered at the largest break."""
    times = before.times
    own = before.covered[:, -1] & (times.nearest_facility >= 0)
    riders = sum_by(times.nearest_facility[own], before.weight[own], len(times.facility_ids))
    return pd.Series(riders, index=times.facility_ids.astype(str))


def _dispersions(checkins: CheckIns) -> pd.Series:
    """Return the variance of each place's days over their mean; missing for totals and for fewer than two days."""
    counts = checkins.counts
    if (counts["days"] > 1).any() or checkins.n_days < 2:  # noqa: PLR2004
        return pd.Series(dtype=np.float64)
    by_day = counts.pivot_table(index="place_id", columns="begin", values="n", aggfunc="sum", fill_value=0.0)
    every = pd.date_range(checkins.first, checkins.last, freq="D")
    days = by_day.reindex(columns=every, fill_value=0.0)
    mean = days.mean(axis=1)
    return (days.var(axis=1) / mean).where(mean > 0)


def _likeness(places: pd.DataFrame) -> float | None:
    """Return Spearman's rank correlation of check-ins and riders over places."""
    if places["riders"].isna().any() or len(places) < LEAST_POINTS:
        return None
    one, other = places["per_day"].rank(), places["riders"].rank()
    if one.nunique() < 2 or other.nunique() < 2:  # noqa: PLR2004
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _by_hour(checkins: CheckIns, names: dict[str, str]) -> pd.DataFrame:
    counts = checkins.counts
    table = counts.pivot_table(index="place_id", columns="hour", values="n", aggfunc="sum", fill_value=0.0)
    some_unknown = [NO_HOUR] if NO_HOUR in table.columns else []
    table = table.reindex(columns=[*some_unknown, *range(HOURS_A_DAY)], fill_value=0.0)
    rows = _long(table, "hour")
    rows["per_day"] = rows["n"] / _days_of(checkins).reindex(rows["place_id"]).to_numpy(np.float64)
    rows.insert(1, "name", [names.get(i, "") for i in rows["place_id"]])
    return rows


def _long(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table by place and something else as a row a pair, in the order of both."""
    return pd.DataFrame(
        {
            "place_id": np.repeat(table.index.to_numpy(), len(table.columns)),
            name: np.tile(table.columns.to_numpy(), len(table)),
            "n": table.to_numpy(np.float64).reshape(-1),
        }
    )


def _by_week(checkins: CheckIns, names: dict[str, str], *, only_all: bool) -> pd.DataFrame:
    """Return counts by week, of all places and of each; only days of a log, and totals that lie in one week."""
    counts = checkins.counts
    week = counts["begin"] - pd.to_timedelta(counts["begin"].dt.day_of_week, unit="D")
    lies_in = counts["begin"].dt.day_of_week + counts["days"] <= WEEK_DAYS
    own = counts.assign(week=week)[lies_in]
    everyone = own.assign(place_id="")
    frame = everyone if only_all else pd.concat([everyone, own])
    if frame.empty:
        columns = ["week", "place_id", "name", "n", "days", "per_day", "change", "persons", "is_drop"]
        return pd.DataFrame(columns=columns)
    every = pd.date_range(own["week"].min(), own["week"].max(), freq="7D")
    table = frame.pivot_table(index="place_id", columns="week", values="n", aggfunc="sum").reindex(columns=every)
    rows = _long(table.fillna(0.0) if _is_log(checkins) else table, "week").dropna(subset="n")
    before = (checkins.first - rows["week"]).dt.days.clip(lower=0)
    after = (rows["week"] + pd.Timedelta(days=WEEK_DAYS - 1) - checkins.last).dt.days.clip(lower=0)
    rows["days"] = WEEK_DAYS - before - after
    rows["per_day"] = rows["n"] / rows["days"]
    rows.insert(1, "name", [names.get(i, "") for i in rows["place_id"]])
    last = rows.groupby("place_id")["per_day"].shift()
    rows["change"] = (rows["per_day"] / last - 1).where((last > 0) & _is_of_the_same(rows, own))
    persons = (
        checkins.persons.set_index("week")["persons"] if len(checkins.persons) else pd.Series(dtype=np.float64)
    )
    rows["persons"] = persons.reindex(rows["week"]).to_numpy(np.float64)
    rows.loc[rows["place_id"] != "", "persons"] = np.nan
    rows["is_drop"] = _drops(rows) & _is_of_the_same(rows, own)
    rows["week"] = rows["week"].dt.date.astype(str)
    return rows[["week", "place_id", "name", "n", "days", "per_day", "change", "persons", "is_drop"]]


def _is_of_the_same(rows: pd.DataFrame, own: pd.DataFrame) -> pd.Series:
    """Whether a week tells of the week after that of the row before, and all places together of as many places."""
    follows = rows["week"].sub(rows.groupby("place_id")["week"].shift()) == pd.Timedelta(days=WEEK_DAYS)
    if (own["days"] == 1).all():
        return follows
    n_places = rows["week"].map(own.groupby("week")["place_id"].nunique())
    return follows & ((rows["place_id"] != "") | (n_places == n_places.groupby(rows["place_id"]).shift()))


def _drops(rows: pd.DataFrame) -> pd.Series:
    """Tell which full weeks lie below half of the mean of the four full weeks before them."""
    full = rows["per_day"].where(rows["days"] == WEEK_DAYS)
    before = full.groupby(rows["place_id"]).transform(
        lambda own: own.shift().rolling(DROP_WEEKS, min_periods=DROP_WEEKS).mean()
    )
    return (full < DROP_SHARE * before).fillna(value=False)


def _trend(weeks: pd.DataFrame) -> float | None:
    """Return what each full week adds to the check-ins of a day, all places together: least squares."""
    own = weeks[(weeks["place_id"] == "") & (weeks["days"] == WEEK_DAYS)] if len(weeks) else weeks
    if len(own) < LEAST_POINTS:
        return None
    slope, _ = np.polyfit(np.arange(len(own)), own["per_day"].to_numpy(np.float64), 1)
    return float(slope)


# --------------------------------------------------------------------------------------------- what may be told
def _whole(count: Any) -> float | str:  # noqa: ANN401
    return count if isinstance(count, str) else float(count)


def _masked(frame: pd.DataFrame, told: list[Told], follows: tuple[str, ...]) -> pd.DataFrame:
    """Return a frame with counts as they are told; what follows from one that is not told is missing."""
    hidden = np.array([isinstance(one, str) for one in told], dtype=np.bool_)
    own = frame.copy()
    if hidden.any():
        own["n"] = pd.Series(told, index=own.index, dtype=object)
        for name in [c for c in follows if c in own.columns]:
            own[name] = own[name].astype(object).where(~hidden, None)
    return own


def _told_hours(hours: pd.DataFrame, of_place: dict[str, Told], *, hide: bool) -> pd.DataFrame:
    """Hide hours of fewer than 5; all hours of a place whose own count is not told: they would add up to it."""
    if not hide:
        return hours
    told: list[Told] = []
    for place, own in hours.groupby("place_id", sort=False)["n"]:
        counts = own.tolist()
        if isinstance(of_place[str(place)], str):
            told += [UNDER if count < LEAST_TOLD else AT_LEAST for count in counts]
        else:
            told += told_counts(counts, is_published=True)
    return _masked(hours, told, ("per_day",))


def _told_weeks(weeks: pd.DataFrame, *, hide: bool) -> pd.DataFrame:
    """Hide weeks of fewer than 5 check-ins or people, and what changes from or to them."""
    if not hide or weeks.empty:
        return weeks
    told = told_counts(weeks["n"].tolist(), is_published=True)
    hidden = np.array([isinstance(one, str) for one in told], dtype=np.bool_)
    own = _masked(weeks, told, ("per_day", "change"))
    after_hidden = np.append(False, hidden[:-1])
    own["change"] = own["change"].astype(object).where(~(hidden | after_hidden), None)
    persons = [told_count(None if math.isnan(p) else p, is_published=True) for p in weeks["persons"]]
    own["persons"] = pd.Series(persons, index=own.index, dtype=object)
    own.loc[hidden, "persons"] = None
    return own
