"""Explanations: who gains by each suggestion, what is lost without it, and how firmly the choice stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ._validate import FloatArray
from .cases import Best, Choice, Swaps, Value, chosen_of, plan_times
from .changes import (
    CUTOFF_MINUTES,
    SAME,
    SHARES_ALIKE,
    AnyCase,
    changed_cases,
    difference,
    firmness_of,
    frame_of,
    is_better,
    question_at,
)
from .errors import InputError
from .explanation_tables import gains_by, reach_of, unreachable_of
from .model import TOLERANCE, Explanation, Plan
from .solve_time import SolveTime
from .suggestions import Gain

#: a substitute loses at most so much of the objective (per cent)
WITHIN_PERCENT = (1, 2, 5)
#: substitutes listed for each suggestion, the best ones
MOST_SUBSTITUTES = 10
#: part of the time for what is lost without each suggestion, and then for substitutes where seats count
_LOSSES, _SUBSTITUTES = 0.4, 0.3

Columns = Mapping[str, Any]


def explain_plan(plan: Plan, *, draws: int = 20, seed: int = 1, time_limit_s: float | None = 60.0) -> Explanation:
    r"""
    Explain a plan's suggestions: who gains, what is lost without each, what could replace it, and how firm it is.

    With *a* riders, *P* the suggestions, and ``F(P)`` the riders covered at the largest break T by the existing
    facilities and *P*, the loss of leaving `s` out is ``F(P) - F(P \ s)`` where the others stay, and ``F(P) - max
    F(Q)`` where the rest is chosen anew; a substitute `j` loses ``F(P) - F(P \ s + j)``. Every ``max`` is the
    model of `choose_sites`, solved and proven again. Of a plan by rules it is the plan's own model with all its
    rules, and ``F`` what its aim counts (riders with a seat, worth by time, all steps together).

    Parameters
    ----------
    plan
        What `suggest` gave, with or without rules.
    draws
        How often all riders are changed at random, >= 0.
    seed
        Of the random draws: the same seed gives the same draws.
    time_limit_s
        For all models that are solved again together, two fifths of it for losses; for each at most an eighth of
        what is left. One that is not proven by then says so, a loss is then at most what it says, and changes that
        are left are not tried. None: until all are proven. Ctrl-C ends the time at once (`is_interrupted`).

    Returns
    -------
    explanation
        Riders are at T, added exactly and rounded once; minutes are lower medians over riders to the nearest
        facility, `inf` where none can be reached; a zone or cell may be None.

        `sites`: index id, in rank order; `rank`, `name`, `kind`, `riders_gained`, `minutes_before`, `minutes_after`
        as in `plan.sites`; `lost_others_stay` (nothing takes its place), `lost_one_fewer` (the place is not to be
        had, one fewer of its kind, the rest chosen anew), `lost_replaced` (the place is not to be had, as many as
        asked for, all chosen anew), nan where no plan keeps the rules then; `share_others_stay`, `share_one_fewer`,
        `share_replaced` (the least share of all zones then, where the worst comes first, else nan), `needed_by`
        (`must` where that rule wants it: no loss is told; `fair` where leaving it out breaks that rule),
        `is_proven` (the plan and both are), `within_1`, `within_2`, `within_5` (how many substitutes lose at most
        so many per cent of the objective, and of the least share where it comes first), `tried_all` (whether every
        place was tried: not where seats count and the time was up), `n_stays` of `n_changes` in which it is in the
        best choice.

        `zones`, `cells`: a row a suggestion and zone (cell) with riders gained, by rank, then id: `id`, `rank`,
        `zone_id` (`cell_id`, `zone_id`), `riders_gained`, `minutes_before`, `minutes_after`. Gains are over
        disjoint demand points, as in `plan.sites`, and sum to its gains.

        `substitutes`: up to 10 a suggestion, by rank, then loss, then id: `id`, `rank`, `substitute_id`, `name`,
        `kind` (the same), `loss` (riders), `percent` (of the objective, at most 5), `percent_of_gain` (of all that
        is gained), `share` (least share of all zones then, where the worst comes first), `within` (1, 2 or 5). A
        place that would serve nobody whom the others do not, or break a rule, is none.

        `changes`: a row a change: `change`, `by`, `zone_id`, `riders`, `before` and `kept` (covered by today's
        facilities, and with today's choice; nan: it breaks `fair` then), `best` (with the best choice under the
        change; nan: none keeps the rules), `bound`, `loss` (best - kept), `kept_share`, `best_share` (least share
        of all zones, where the worst comes first), `is_best` (nothing better was found), `is_proven`, `n_stay` and
        `share_stay` (suggestions that are in the best choice), `sites` (ids of that choice). The changes are:
        `speed`, everybody 10 % slower or faster on streets and off them, searched again; `cutoff`, T a minute
        shorter or longer; `own_limit`, all own limits (of shops) a minute shorter or longer; `riders_all`, all
        riders 20 % fewer or more, where seats count (else it would change no choice); `riders_zone`, the riders of
        one zone 20 % fewer or more, for up to 20 zones with the most; `riders_draw`, the riders of each cell times
        a number drawn evenly from 0.8 to 1.2. Nothing is tried where nothing was asked for; `n_left` were not tried
        in time.

        `reach`: index zone id, None last; `riders`, `covered` (with the plan, seat or not), `in_reach` (another
        candidate that is not forbidden, or a closed facility, would cover them), `out_of_reach` (none would). The
        three sum to the riders.

        `unreachable`: index demand id, points with riders that no facility covers and no candidate can; `riders`,
        `cell_id`, `zone_id`, `nearest_candidate` and `minutes` to it (None and `inf` where no way leads there).

    Raises
    ------
    InputError
        If `draws` or `time_limit_s` is negative, or the plan is not as it was made: its suggestions do not give
        what its solution says, or do not stand in rank order.

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
    with SolveTime(time_limit_s) as clock:
        times = plan_times(plan, plan.network, more_s=60.0 * CUTOFF_MINUTES)
        case = question_at(plan, times)
        choice, gains = _checked_choice(plan, case)
        value, before = case.value(choice), case.before()
        gained = math.fsum(plan.sites["riders_gained"]) if plan.siting is None else value.total - before
        lost = _losses(plan, case, choice, value, clock)
        substitutes, within = _substitutes(plan, case, choice, gained=gained, clock=clock)
        changes = changed_cases(plan, case, times, draws=draws, seed=seed)
        firm = firmness_of(plan, case, choice, changes, clock)
    told = ["rank", "name", "kind", "riders_gained", "minutes_before", "minutes_after"]
    counted = {"n_stays": firm.n_stays, "n_changes": np.full(firm.n_stays.size, len(firm.changes))}
    return Explanation(
        objective=value.total,
        gained=gained,
        sites=_table(plan.sites[told], {**lost, **within, **counted}),
        zones=gains_by(plan, gains, "zone_id"),
        cells=gains_by(plan, gains, "cell_id"),
        substitutes=substitutes,
        changes=firm.changes,
        reach=reach_of(plan, case, choice),
        unreachable=unreachable_of(plan, case, times),
        n_left=firm.n_left,
        is_interrupted=clock.is_stopped,
    )


def _table(sites: pd.DataFrame, more: Columns) -> pd.DataFrame:
    """Return the columns of `sites`, without its geometry, and some more."""
    return pd.DataFrame({**{str(name): sites[name].array for name in sites}, **more}, index=sites.index)


def _checked_choice(plan: Plan, case: AnyCase) -> tuple[Choice, list[Gain]]:
    """Return the options that the suggestions are, and what each gains; only of a plan as it was made."""
    choice = chosen_of(plan, case.options)
    counted = math.nan if (choice.options < 0).any() else case.value(choice).total
    if abs(counted - plan.solution.objective) <= TOLERANCE * max(1.0, abs(counted)):
        gains = case.ranked(choice)
        if [gain.option for gain in gains] == choice.options.tolist():
            return choice, gains
    msg = f"`plan` is not as it was made: its {choice.options.size} suggestions give {counted} by its own model, "
    msg += f"its objective is {plan.solution.objective}, and they must stand in rank order."
    raise InputError(msg, zh="方案与求解时不一致，无法解释：其建议点与目标值或次序不符。")


# ------------------------------------------------------------------------------------------------------- losses
#: the three ways to go without a suggestion
_WAYS = ("others_stay", "one_fewer", "replaced")


def _losses(plan: Plan, case: AnyCase, choice: Choice, value: Value, clock: SolveTime) -> Columns:
    """Return what is lost without each suggestion, in three ways, what rule wants it, and if that is proven."""
    clock.begin(2 * choice.options.size, part=_LOSSES)
    columns: dict[str, list[Any]] = {f"{what}_{way}": [] for what in ("lost", "share") for way in _WAYS}
    needed, proven = [], []
    for k, option in enumerate(choice.options.tolist()):
        rule = case.needs(option)
        ways, is_proven = ([Value(math.nan)] * 3, True) if rule else _without(case, choice, k, clock)
        for way, then in zip(_WAYS, ways, strict=True):
            columns[f"lost_{way}"].append(difference(value.total, then.total))
            columns[f"share_{way}"].append(then.worst_share)
        needed.append(rule or ("fair" if math.isnan(ways[0].total) else None))
        proven.append(is_proven and plan.solution.status == "optimal")
    lost = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return {
        **lost,
        "needed_by": pd.Series(needed, index=plan.sites.index, dtype=object),
        "is_proven": np.array(proven, dtype=np.bool_),
    }


def _without(case: AnyCase, choice: Choice, k: int, clock: SolveTime) -> tuple[list[Value], bool]:
    """Return what is best without a suggestion: others as they are, one fewer, as many; and if that is proven."""
    found = [case.value(choice.without(k))]
    is_proven = True
    for is_fewer in (True, False):

        def solve(is_fewer: bool = is_fewer) -> Best:
            return case.best_without(choice, k, is_fewer=is_fewer, time_limit_s=clock.share())

        best = _in_time(solve, clock)
        is_proven &= best is not None and best.is_proven
        known = found[-1]  # is allowed here too: no loss is larger
        found.append(known if best is None or not is_better(best.value, known) else best.value)
    return found, is_proven


def _in_time(solve: Callable[[], Best], clock: SolveTime) -> Best | None:
    """Return what was solved, None where no time is left; Ctrl-C ends the time."""
    best = None
    if not clock.is_over():
        with clock.at_work():
            best = solve()
    return best


# -------------------------------------------------------------------------------------------------- substitutes
def _substitutes(
    plan: Plan, case: AnyCase, choice: Choice, *, gained: float, clock: SolveTime
) -> tuple[pd.DataFrame, Columns]:
    """Return the best places that could take that of each suggestion, and how many lose so little."""
    value = case.value(choice)
    ids, at = plan.candidates.index, case.options.candidate
    names = plan.candidates["name"] if "name" in plan.candidates.columns else pd.Series(ids, index=ids)
    counts = np.zeros((len(WITHIN_PERCENT), choice.options.size), dtype=np.int64)
    is_complete = np.ones(choice.options.size, dtype=np.bool_)
    clock.begin(choice.options.size, part=_SUBSTITUTES if case.has_seats else 1.0)
    rows: list[dict[str, object]] = []
    for k in range(choice.options.size):
        swaps = _swaps_in_time(case, choice, k, clock)
        is_complete[k] = swaps.is_complete
        within = _within(swaps.total, swaps.worst_share, value)
        counts[:, k] = [(within <= w).sum() for w in WITHIN_PERCENT]
        near = np.flatnonzero(np.isfinite(within))
        loss = np.round((value.total - swaps.total[near]) / max(value.total, SAME), 9)
        near = near[np.lexsort((swaps.options[near], loss))][:MOST_SUBSTITUTES]
        for j in swaps.options[near].tolist():
            then = case.value(choice.swapped(k, j))
            exact = difference(value.total, then.total)
            rows.append(
                {
                    "id": plan.sites.index[k],
                    "rank": k + 1,
                    "substitute_id": ids[at[j]],
                    "name": names.iloc[at[j]],
                    "kind": plan.sites["kind"].iloc[k],
                    "loss": exact,
                    "percent": 100 * exact / value.total if value.total else 0.0,
                    "percent_of_gain": 100 * exact / gained if gained else 0.0,
                    "share": then.worst_share,
                    "within": int(_within(np.array([then.total]), np.array([then.worst_share]), value)[0]),
                }
            )
    columns = [
        "id",
        "rank",
        "substitute_id",
        "name",
        "kind",
        "loss",
        "percent",
        "percent_of_gain",
        "share",
        "within",
    ]
    frame = frame_of(rows, columns, texts=("id", "substitute_id", "name", "kind"))
    return frame, {**{f"within_{w}": counts[n] for n, w in enumerate(WITHIN_PERCENT)}, "tried_all": is_complete}


def _swaps_in_time(case: AnyCase, choice: Choice, k: int, clock: SolveTime) -> Swaps:
    """Return the swaps of a suggestion; where seats count, those that are tried in time. Ctrl-C ends the time."""
    none = np.zeros(0)
    swaps = Swaps(none.astype(np.int64), none, none, is_complete=False)
    with clock.at_work():
        swaps = case.swaps(choice, k, time_limit_s=0.0 if clock.is_over() else clock.share())
    return swaps


def _within(total: FloatArray, share: FloatArray, value: Value) -> FloatArray:
    """Return the smallest listed per cent that losses of riders and of the worst share stay within; else inf."""
    percent = np.array(WITHIN_PERCENT, dtype=np.float64)
    allowed = percent / 100 + SAME
    is_in = (value.total - total)[:, None] <= allowed * value.total
    if not math.isnan(value.worst_share):
        is_in &= (value.worst_share - share)[:, None] <= allowed * value.worst_share + SHARES_ALIKE
    within: FloatArray = np.where(is_in, percent, np.inf).min(axis=1, initial=np.inf)
    return within
