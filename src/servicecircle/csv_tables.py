"""A plan's tables as CSV that Excel opens: the week by hour, and each amenity by zone."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

import pandas as pd

from .cells import starts_formula
from .model import Facilities, Plan
from .moments import weekday_name
from .services import service_name
from .tiers import partner_gains, roll_up
from .wishes import wish_words

#: Excel takes a file with it for UTF-8
BOM = "\ufeff"


def week_csv(plan: Plan) -> str | None:
    """Return the week by hour, a row an hour; None where nobody states hours."""
    week = None if plan.serving is None else plan.serving.week
    if week is None:
        return None
    frame = week.to_frame().reset_index()
    frame["weekday"] = [weekday_name(day, plan.study.lang) for day in frame["weekday"]]
    return csv_text(frame.columns, frame.itertuples(index=False))


def amenities_csv(plan: Plan) -> str | None:
    """Return riders by amenity and zone, a row a pair; None where no place says what it offers."""
    if plan.serving is None or plan.serving.amenities.empty:
        return None
    frame = plan.serving.amenities.copy()
    zones = plan.study.zones
    names = {} if zones is None or "name" not in zones.columns else zones["name"].to_dict()
    frame.insert(1, "name", [service_name(code, plan.study.lang) for code in frame["amenity"]])
    frame.insert(3, "zone_name", [names.get(zone) for zone in frame["zone_id"]])
    return csv_text(frame.columns, frame.itertuples(index=False))


def partners_csv(plan: Plan) -> str | None:
    """Return what each shop, shop street and district brings today, a row each; None without any."""
    rows = partner_gains(plan.before)
    if rows.empty:
        return None
    frame = plan.facilities.reindex(rows.index)
    form = frame["form"].fillna("point") if "form" in frame.columns else "point"
    rows.insert(0, "name", frame["name"].to_numpy(dtype=object))
    rows.insert(1, "form", form)
    return csv_text(["id", *rows.columns], rows.itertuples())


def main_stations_csv(plan: Plan) -> str | None:
    """Return main stations with their sub-points added up, a row each; None without any."""
    rows = roll_up(plan.before, Facilities(plan.facilities))
    if rows.empty:
        return None
    rows["points"] = [", ".join(points) for points in rows["points"]]
    return csv_text(["id", *rows.columns], rows.itertuples())


def checkin_tables(plan: Plan) -> dict[str, str | None]:
    """Return the tables of check-ins by the name of their file; None of each without check-ins."""
    names = ("checkins_by_place.csv", "checkins_by_hour.csv", "checkins_by_week.csv")
    if plan.checkins is None:
        return dict.fromkeys(names)
    frames = (plan.checkins.places, plan.checkins.hours, plan.checkins.weeks)
    return {
        name: csv_text(frame.columns, frame.itertuples(index=False))
        for name, frame in zip(names, frames, strict=True)
    }


def wishes_csv(plan: Plan) -> str | None:
    """Return a row a wish and service; None without wishes, and where the study is to be published."""
    if plan.wishes is None or plan.study.publish:
        return None
    frame = plan.wishes.copy()
    frame.insert(3, "service_name", wish_words(frame, plan.study.lang))
    return csv_text(frame.columns, frame.itertuples(index=False))


def closures_csv(plan: Plan) -> str | None:
    """Return a row a window for all riders, and one a zone while there is trouble; None without reports."""
    trouble = plan.trouble
    if trouble is None:
        return None
    windows = trouble.windows.assign(window=range(len(trouble.windows)))
    windows["closures"] = [", ".join(ids) for ids in windows["closures"]]
    breaks = [c.removeprefix("cut_off_") for c in windows.columns if c.startswith("cut_off_")]
    whole = windows.assign(zone_id="", name="全部" if plan.study.lang == "zh" else "all").rename(
        columns={f"covered_{t}": f"during_{t}" for t in breaks}
    )
    for t in breaks:
        whole[f"before_{t}"] = whole[f"during_{t}"] + whole[f"cut_off_{t}"]
    times = ["window", "begin", "end", "closures"]
    zones = trouble.zones.merge(windows[times], on="window", how="left")
    columns = [*times, "zone_id", "name", "riders"]
    columns += [f"{what}_{t}" for t in breaks for what in ("before", "during", "cut_off")]
    rows = pd.concat([frame[columns] for frame in (whole, zones) if len(frame)], ignore_index=True)
    rows = rows.sort_values("window", kind="stable", ignore_index=True)
    return csv_text(rows.columns, rows.itertuples(index=False))


def zone_posts_csv(plan: Plan) -> str | None:
    """Return a row a zone: its posts, what share of it is nearest to them, what is wrong; None without posts."""
    if plan.posts is None:
        return None
    frame = pd.DataFrame(plan.posts.zones.drop(columns="geometry")).reset_index(names="zone_id")
    return csv_text(frame.columns, frame.itertuples(index=False))


def zone_teams_csv(plan: Plan) -> str | None:
    """Return a row a team in charge of zones; None where no ledger names one."""
    if plan.posts is None or plan.posts.teams.empty:
        return None
    return csv_text(plan.posts.teams.columns, plan.posts.teams.itertuples(index=False))


def zone_shares_csv(plan: Plan) -> str | None:
    """Return a row a zone and post that is nearest to some of it; None without posts."""
    if plan.posts is None:
        return None
    frame = plan.posts.shares.copy()
    posts, zones = plan.posts.posts["name"].to_dict(), plan.posts.zones["name"].to_dict()
    frame.insert(1, "zone_name", [zones[i] for i in frame["zone_id"]])
    frame.insert(3, "post_name", [posts.get(i, "") for i in frame["post_id"]])
    return csv_text(frame.columns, frame.itertuples(index=False))


def zone_balance_csv(plan: Plan) -> str | None:
    """Return a row a proposed zone, beside what it is today; None where no balanced zones are asked for."""
    if plan.proposal is None:
        return None
    frame = pd.DataFrame(plan.proposal.zones.drop(columns="geometry")).reset_index(names="zone_id")
    return csv_text(frame.columns, frame.itertuples(index=False))


def moved_blocks_csv(plan: Plan) -> str | None:
    """Return a row a block that changes its zone, most riders first; None where no balanced zones are asked for."""
    if plan.proposal is None:
        return None
    moved, names = plan.proposal.moved, plan.proposal.zones["name"].to_dict()
    at = moved.geometry.representative_point().to_crs("EPSG:4326")
    frame = pd.DataFrame(moved.drop(columns="geometry")).reset_index(names="block_id")
    for column in ("from", "to"):
        own = [names[i] for i in frame[f"{column}_zone"]]
        frame.insert(list(frame.columns).index(f"{column}_zone") + 1, f"{column}_name", own)
    frame = frame.assign(lon=at.x.round(6).to_numpy(), lat=at.y.round(6).to_numpy())
    return csv_text(frame.columns, frame.itertuples(index=False))


def assignment_csv(plan: Plan) -> str | None:
    """Return a row a depot (and zone, where it is split), with the reason; None where depots are not assigned."""
    if plan.assignment is None:
        return None
    other = "en" if plan.study.lang == "zh" else "zh"
    frame = plan.assignment.rows.rename(columns={f"reason_{plan.study.lang}": "why"})
    frame = frame.drop(columns=[f"reason_{other}", *(["riders"] if plan.study.publish else [])])
    if plan.study.publish:  # the number of riders of a depot is an observed count
        frame.loc[frame["reason"].isin(["limit", "part"]), "why"] = ""
    return csv_text(frame.columns, frame.itertuples(index=False))


def infeasible_csv(plan: Plan) -> str | None:
    """Return the demand points that no candidate reaches, most riders first; None where a plan keeps the rules."""
    if plan.unmet is None:
        return None
    frame = plan.unmet.out_of_reach
    at = plan.demand.loc[frame.index].to_crs("EPSG:4326").geometry
    zones = plan.study.zones
    names = {} if zones is None or "name" not in zones.columns else zones["name"].to_dict()
    frame = frame.assign(
        demand_id=frame.index.astype(str),
        zone_name=pd.Series([names.get(zone) for zone in frame["zone_id"]], index=frame.index, dtype=object),
        lon=at.x.round(7).to_numpy(),
        lat=at.y.round(7).to_numpy(),
    ).reset_index(drop=True)
    frame = frame.sort_values(["riders", "demand_id"], ascending=[False, True], kind="stable")
    columns = [
        "demand_id",
        "cell_id",
        "zone_id",
        "zone_name",
        "lon",
        "lat",
        "riders",
        "nearest_candidate",
        "minutes",
    ]
    return csv_text(columns, frame[columns].itertuples(index=False))


def csv_text(header: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    r"""
    Return a table as CSV for Excel: with a byte order mark, no text of it a formula, missing values empty.

    Examples
    --------
    >>> csv_text(["id", "riders"], [("=1+1", 2.0), ("a,b", float("nan"))])
    '\ufeffid,riders\r\n\'=1+1,2\r\n"a,b",\r\n'
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return BOM + stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if starts_formula(value) else value
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return int(value) if isinstance(value, float) and value.is_integer() else value
