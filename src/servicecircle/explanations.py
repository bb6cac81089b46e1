"""Explanations: who gains by each suggestion, what is lost without it, and how firmly the choice stands."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, StrArray
from .cases import (
    CUTOFF_MINUTES,
    Case,
    PlanTimes,
    best_choice,
    case_of,
    changed_cases,
    chosen_options,
    covered_by,
    most_changes,
    plan_times,
    riders_covered,
    zones_of_demand,
)
from .errors import InputError
from .model import TOLERANCE, Explanation, Plan
from .suggestions import Gain, lower_median, ranked_gains

#: a substitute loses at most so much of the objective (per cent)
WITHIN_PERCENT = (1, 2, 5)
#: substitutes listed for each suggestion, the best ones
MOST_SUBSTITUTES = 10
#: one model that is solved again may take at least such a part of the time that is left
_MOST_SHARES = 4
#: sums of riders that differ by less than this share are equal
SAME = 1e-9


def explain_plan(plan: Plan, *, draws: int = 20, seed: int = 1, time_limit_s: float | None = 60.0) -> Explanation:
    r"""
    Explain a plan's suggestions: who gains, what is lost without each, what could replace it, and how firm it is.

    With *a* riders, *P* the suggestions, and ``F(P)`` the riders covered at the largest break T by the existing
    facilities and *P*, the loss of leaving `s` out is ``F(P) - F(P \ s)`` where the others stay, and ``F(P) - max
    F(Q)`` where the rest is chosen anew; a substitute `j` loses ``F(P) - F(P \ s + j)``. Every ``max`` is the
    maximal covering model of `choose_sites`, solved and proven again.

    Parameters
    ----------
    plan
        What `suggest` gave: its suggestions cover the most riders (plain maximal covering).
    draws
        How often all riders are changed at random, >= 0.
    seed
        Of the random draws: the same seed gives the same draws.
    time_limit_s
        For all models that are solved again together, at most a quarter of what is left for each; one that is not
        proven by then says so, a loss is then at most what it says, and changes that are left are not tried. None:
        until all are proven.

    Returns
    -------
    explanation
        Riders are at T, added exactly and rounded once; minutes are lower medians over riders to the nearest
        facility, `inf` where none can be reached; a zone or cell may be None.

        `sites`: index id, in rank order; `rank`, `name`, `kind`, `riders_gained`, `minutes_before`, `minutes_after`
        as in `plan.sites`; `lost_others_stay` (nothing takes its place), `lost_one_fewer` (the place is not to be
        had, one fewer of its kind, the rest chosen anew), `lost_replaced` (the place is not to be had, as many as
        asked for, all chosen anew), `is_proven` (the plan and both are), `within_1`, `within_2`, `within_5` (how
        many substitutes lose at most so many per cent of the objective), `n_stays` of `n_changes` in which it is in
        the best choice.

        `zones`, `cells`: a row a suggestion and zone (cell) with riders gained, by rank, then id: `id`, `rank`,
        `zone_id` (`cell_id`, `zone_id`), `riders_gained`, `minutes_before`, `minutes_after`. Gains are over
        disjoint demand points, as in `plan.sites`, and sum to its gains.

        `substitutes`: up to 10 a suggestion, by rank, then loss, then id: `id`, `rank`, `substitute_id`, `name`,
        `kind` (the same), `loss` (riders), `percent` (of the objective, at most 5), `percent_of_gain` (of all that
        is gained), `within` (1, 2 or 5). A place that would serve nobody whom the others do not is none.

        `changes`: a row a change: `change`, `by`, `zone_id`, `riders`, `before` and `kept` (covered by today's
        facilities, and with today's choice), `best` (with the best choice under the change), `bound`, `loss` (best
        - kept), `is_best` (nothing better was found), `is_proven`, `n_stay` and `share_stay` (suggestions that are
        in the best choice), `sites` (ids of that choice). The changes are: `speed`, everybody 10 % slower or faster
        on streets and off them, searched again; `cutoff`, T a minute shorter or longer; `own_limit`, all own limits
        (of shops) a minute shorter or longer; `riders_zone`, the riders of one zone 20 % fewer or more, for up to
        20 zones with the most; `riders_draw`, the riders of each cell times a number drawn evenly from 0.8 to 1.2.
        All riders alike by 20 % would change no choice. Nothing is tried where nothing was asked for.

        `reach`: index zone id, None last; `riders`, `covered` (with the plan), `in_reach` (another candidate would
        cover them), `out_of_reach` (none would). The three sum to the riders.

        `unreachable`: index demand id, points with riders that no facility covers and no candidate can; `riders`,
        `cell_id`, `zone_id`, `nearest_candidate` and `minutes` to it (None and `inf` where no way leads there).

    Raises
    ------
    InputError
        If `draws` or `time_limit_s` is negative, or the suggestions do not cover what the plan's solution says, or
        do not stand in rank order: the plan then follows another model.

    References
    ----------
    Church and ReVelle (1974), The maximal covering location problem, Papers of the Regional Science Association 32,
    101-118.
    """
    if draws < 0:
        msg = f"`draws` must be >= 0, got {draws}."
        raise InputError(msg)
    if time_limit_s is not None and not time_limit_s >= 0:
        msg = f"`time_limit_s` must be >= 0, got {time_limit_s}."
        raise InputError(msg)
    times = plan_times(plan, plan.network, more_s=60.0 * CUTOFF_MINUTES)
    case = case_of(plan, times)
    chosen, gains = _checked_choice(plan, case)
    objective = riders_covered(case, chosen)
    clock = _Clock(time_limit_s, 2 * chosen.size + most_changes(draws))
    substitutes, within = _substitutes(plan, case, chosen, objective)
    lost = _losses(plan, case, chosen, objective, clock)
    changes, stays = _changes(plan, case, times, chosen, draws=draws, seed=seed, clock=clock)
    told = ["rank", "name", "kind", "riders_gained", "minutes_before", "minutes_after"]
    counted = {"n_stays": stays, "n_changes": np.full(len(chosen), len(changes))}
    unreachable = _unreachable(plan, case, times)
    return Explanation(
        objective=objective,
        gained=math.fsum(plan.sites["riders_gained"]),
        sites=_table(plan.sites[told], {**lost, **within, **counted}),
        zones=_gains_by(plan, gains, "zone_id"),
        cells=_gains_by(plan, gains, "cell_id"),
        substitutes=substitutes,
        changes=changes,
        reach=_reach(plan, case, chosen),
        unreachable=unreachable,
    )


def _table(sites: pd.DataFrame, more: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    """Return the columns of `sites`, without its geometry, and some more."""
    return pd.DataFrame({**{str(name): sites[name].array for name in sites}, **more}, index=sites.index)


class _Clock:
    """
    Time for the models that are solved again: for each an equal share of what is left, or more.

    A share too short to prove a model is lost on it, and most need next to nothing: so each may take a quarter.
    """

    def __init__(self, time_limit_s: float | None, n_model: int) -> None:
        self._until = None if time_limit_s is None else time.perf_counter() + time_limit_s
        self._n_left = n_model

    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._until is not None and time.perf_counter() >= self._until

    def share(self) -> float | None:
        """Return the time for the next model."""
        if self._until is None:
            return None
        left = max(self._until - time.perf_counter(), 0.0)
        share = left / min(max(self._n_left, 1), _MOST_SHARES)
        self._n_left -= 1
        return share


def _checked_choice(plan: Plan, case: Case) -> tuple[IntArray, list[Gain]]:
    """Return the options that the suggestions are, and what each gains; only of plain maximal covering."""
    chosen = chosen_options(plan, case.options)
    counted = math.nan if (chosen < 0).any() else riders_covered(case, chosen)
    if abs(counted - plan.solution.objective) <= TOLERANCE * max(1.0, abs(counted)):
        gains = ranked_gains(case.options.covers, np.where(case.is_covered, 0.0, case.weight), np.sort(chosen))
        if [gain.option for gain in gains] == chosen.tolist():
            return chosen, gains
    msg = f"`plan` is none of plain maximal covering: its {chosen.size} suggestions cover {counted} riders, its "
    msg += f"objective is {plan.solution.objective}, and they must stand in rank order."
    raise InputError(msg, zh="只能解释“覆盖骑手最多”的方案：此方案的建议点与其目标值或次序不符。")


# -------------------------------------------------------------------------------------------------------- gains
def _gains_by(plan: Plan, gains: list[Gain], by: str) -> pd.DataFrame:
    """Return the riders gained by each suggestion in each zone or cell, by rank, then id."""
    zone, cell = zones_of_demand(plan), _cells_of_demand(plan)
    key = zone if by == "zone_id" else cell
    before, after = plan.before.times.nearest_seconds, plan.after.times.nearest_seconds
    rows = []
    for rank, (site_id, gain) in enumerate(zip(plan.sites.index, gains, strict=True), 1):
        for own in _grouped(key, gain.rows):
            weight = plan.before.weight[own]
            place = {"zone_id": zone[own[0]]}
            rows.append(
                {
                    "id": site_id,
                    "rank": rank,
                    **(place if by == "zone_id" else {"cell_id": cell[own[0]], **place}),
                    "riders_gained": math.fsum(weight),
                    "minutes_before": lower_median(before[own], weight) / 60,
                    "minutes_after": lower_median(after[own], weight) / 60,
                }
            )
    names = ["zone_id"] if by == "zone_id" else ["cell_id", "zone_id"]
    columns = ["id", "rank", *names, "riders_gained", "minutes_before", "minutes_after"]
    return _frame(rows, columns, texts=("id", *names))


def _grouped(key: StrArray, rows: IntArray) -> list[IntArray]:
    """Return rows by their key, in ascending order of the keys, None last."""
    by_key: dict[object, list[int]] = {}
    for row in rows.tolist():
        by_key.setdefault(key[row], []).append(row)
    return [np.array(by_key[k], dtype=np.int64) for k in sorted(by_key, key=lambda k: (k is None, str(k)))]


def _cells_of_demand(plan: Plan) -> StrArray:
    cell = plan.before.cell_id
    return np.full(len(plan.before.weight), None, dtype=object) if cell is None else cell


# ------------------------------------------------------------------------------------------------------- losses
def _losses(
    plan: Plan, case: Case, chosen: IntArray, objective: float, clock: _Clock
) -> dict[str, FloatArray | BoolArray]:
    """Return what is lost without each suggestion, in three ways, and whether that is proven."""
    options = case.options
    suggested = np.bincount(options.group[chosen], minlength=2)
    columns: dict[str, list[float]] = {"lost_others_stay": [], "lost_one_fewer": [], "lost_replaced": []}
    proven = []
    for k, option in enumerate(chosen.tolist()):
        fewer = suggested.copy()
        fewer[options.group[option]] -= 1
        left, barred = np.delete(chosen, k), int(options.candidate[option])
        alone = riders_covered(case, left)
        if clock.is_over():  # no loss is larger than that with the others as they are
            for values in columns.values():
                values.append(_difference(objective, alone))
            proven.append(False)
            continue
        smaller, _ = best_choice(case, (int(fewer[0]), int(fewer[1])), barred=barred, time_limit_s=clock.share())
        other, _ = best_choice(case, case.counts, barred=barred, time_limit_s=clock.share())
        for name, riders in zip(columns, (alone, smaller.objective, other.objective), strict=True):
            columns[name].append(_difference(objective, riders))
        proven.append({plan.solution.status, smaller.status, other.status} == {"optimal"})
    lost = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return {**lost, "is_proven": np.array(proven, dtype=np.bool_)}


def _difference(more: float, less: float) -> float:
    """Return how much is lost; sums that are equal but for rounding lose nothing."""
    return 0.0 if abs(more - less) <= SAME * max(abs(more), abs(less)) else more - less


# -------------------------------------------------------------------------------------------------- substitutes
def _substitutes(
    plan: Plan, case: Case, chosen: IntArray, objective: float
) -> tuple[pd.DataFrame, dict[str, IntArray]]:
    """Return the best places that could take that of each suggestion, and how many lose so little."""
    options, ids = case.options, plan.candidates.index
    names = plan.candidates["name"] if "name" in plan.candidates.columns else pd.Series(ids, index=ids)
    counts = np.zeros((len(WITHIN_PERCENT), chosen.size), dtype=np.int64)
    gained = math.fsum(plan.sites["riders_gained"])
    rows = []
    for k, option in enumerate(chosen.tolist()):
        rest = np.delete(chosen, k)
        able, loss = _swaps(case, rest, option, objective)
        limits = np.array(WITHIN_PERCENT) / 100 * objective + SAME * objective
        counts[:, k] = (loss[:, None] <= limits).sum(axis=0)
        near = np.flatnonzero(loss <= limits[-1])
        near = near[np.lexsort((able[near], np.round(loss[near] / max(objective, SAME), 9)))][:MOST_SUBSTITUTES]
        for j in able[near].tolist():
            exact = _difference(objective, riders_covered(case, np.append(rest, j)))
            percent = 100 * exact / objective if objective else 0.0
            rows.append(
                {
                    "id": plan.sites.index[k],
                    "rank": k + 1,
                    "substitute_id": ids[options.candidate[j]],
                    "name": names.iloc[options.candidate[j]],
                    "kind": plan.sites["kind"].iloc[k],
                    "loss": exact,
                    "percent": percent,
                    "percent_of_gain": 100 * exact / gained if gained else 0.0,
                    "within": _within(percent),
                }
            )
    columns = ["id", "rank", "substitute_id", "name", "kind", "loss", "percent", "percent_of_gain", "within"]
    frame = _frame(rows, columns, texts=("id", "substitute_id", "name", "kind"))
    return frame, {f"within_{w}": counts[n] for n, w in enumerate(WITHIN_PERCENT)}


def _within(percent: float) -> int:
    """Return the smallest of the listed per cents that a loss stays within."""
    return next((w for w in WITHIN_PERCENT if percent <= w + 100 * SAME), WITHIN_PERCENT[-1])


def _swaps(case: Case, rest: IntArray, option: int, objective: float) -> tuple[IntArray, FloatArray]:
    """
    Return the options that could take the place of `option`, and about how many riders are lost with each.

    They are of its kind, at another place, not at one that the rest uses, and cover somebody else.
    """
    options = case.options
    is_covered = case.is_covered | covered_by(options.covers, rest)
    gain: FloatArray = options.covers.T @ np.where(is_covered, 0.0, case.weight)
    is_free = ~np.isin(options.candidate, options.candidate[np.append(rest, option)])
    able = np.flatnonzero((options.group == options.group[option]) & is_free & (gain > 0))
    return able, objective - math.fsum(case.weight[is_covered]) - gain[able]


# ------------------------------------------------------------------------------------------------------ changes
class _Held(NamedTuple):
    """What became of today's choice under a change."""

    row: dict[str, object]
    stays: FloatArray  # (n_suggestion,) 1 where it is in the best choice


def _changes(
    plan: Plan, case: Case, times: PlanTimes, chosen: IntArray, *, draws: int, seed: int, clock: _Clock
) -> tuple[pd.DataFrame, IntArray]:
    """Return whether the choice is still the best under each change, and in how many each suggestion stays."""
    columns = ["change", "by", "zone_id", "riders", "before", "kept", "best", "bound", "loss", "is_best"]
    columns += ["is_proven", "n_stay", "share_stay", "sites"]
    held = []
    if sum(case.counts):
        for change, by, zone_id, changed in changed_cases(plan, case, times, draws=draws, seed=seed):
            if clock.is_over():
                break
            outcome = _held(plan, changed, chosen, clock.share())
            held.append(_Held({"change": change, "by": by, "zone_id": zone_id, **outcome.row}, outcome.stays))
    stays = np.sum([one.stays for one in held], axis=0) if held else np.zeros(chosen.size)
    return _frame([one.row for one in held], columns, texts=("change", "zone_id", "sites")), stays.astype(np.int64)


def _held(plan: Plan, case: Case, chosen: IntArray, time_limit_s: float | None) -> _Held:
    """Solve a changed case, and compare its best choice with today's."""
    kept = riders_covered(case, chosen)
    best, options = best_choice(case, case.counts, time_limit_s=time_limit_s)
    loss = max(_difference(best.objective, kept), 0.0)
    if loss == 0:  # today's choice is as good as any that was found
        options = chosen
    stays = np.isin(chosen, options)
    row: dict[str, object] = {
        "riders": math.fsum(case.weight),
        "before": math.fsum(case.weight[case.is_covered]),
        "kept": kept,
        "best": max(best.objective, kept),
        "bound": max(best.bound, kept),
        "loss": loss,
        "is_best": loss == 0,
        "is_proven": best.status == "optimal",
        "n_stay": int(stays.sum()),
        "share_stay": float(stays.mean()) if chosen.size else 1.0,
        "sites": tuple(plan.candidates.index[case.options.candidate[options]]),
    }
    return _Held(row, stays.astype(np.float64))


# -------------------------------------------------------------------------------------------------------- reach
def _reach(plan: Plan, case: Case, chosen: IntArray) -> pd.DataFrame:
    """Return the riders of each zone: covered with the plan, in reach of another candidate, out of reach."""
    is_covered = case.is_covered | covered_by(case.options.covers, chosen)
    can_be = np.diff(case.options.covers.indptr) > 0
    parts = {"covered": is_covered, "in_reach": ~is_covered & can_be, "out_of_reach": ~is_covered & ~can_be}
    zone = zones_of_demand(plan)
    groups = _grouped(zone, np.arange(zone.size))
    table = {"riders": [math.fsum(case.weight[rows]) for rows in groups]}
    for name, which in parts.items():
        table[name] = [math.fsum(case.weight[rows[which[rows]]]) for rows in groups]
    index = pd.Index([zone[rows[0]] for rows in groups], dtype=object, name="zone_id")
    return pd.DataFrame(table, index=index, dtype=np.float64)


def _unreachable(plan: Plan, case: Case, times: PlanTimes) -> pd.DataFrame:
    """Return the demand points with riders that nothing existing covers and no candidate can."""
    can_be = np.diff(case.options.covers.indptr) > 0
    rows = np.flatnonzero(~case.is_covered & ~can_be & (case.weight > 0))
    nearest = times.candidates.nearest
    return pd.DataFrame(
        {
            "riders": case.weight[rows],
            "cell_id": _cells_of_demand(plan)[rows],
            "zone_id": zones_of_demand(plan)[rows],
            "nearest_candidate": nearest["facility_id"].to_numpy(dtype=object)[rows],
            "minutes": nearest["seconds"].to_numpy(np.float64)[rows] / 60,
        },
        index=plan.demand.index[rows],
    )


def _frame(rows: list[dict[str, object]], columns: list[str], *, texts: tuple[str, ...]) -> pd.DataFrame:
    """Return rows as a frame with all columns; texts (and None) stay what they are."""
    made = {
        name: pd.Series([row[name] for row in rows], dtype=object if name in texts or not rows else None)
        for name in columns
    }
    return pd.DataFrame(made, columns=columns)
