"""Changes: whether a plan's choice is still the best where speed, limits or riders are others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from ._validate import FloatArray, IntArray
from .cases import Best, Case, Choice, PlanTimes, Value, at_speed, case_of, plan_times, zones_of_demand
from .model import Plan
from .ruled_cases import RuledCase, ruled_case_of
from .solve_time import SolveTime

Change = Literal["speed", "cutoff", "own_limit", "riders_all", "riders_zone", "riders_draw"]
#: the question of a plan, with or without rules
AnyCase: TypeAlias = Case | RuledCase

#: how much faster and slower everybody travels
SPEED_SHARE = 0.1
#: how much longer and shorter a limit is (minutes)
CUTOFF_MINUTES = 1.0
#: how many more and fewer riders there are
RIDERS_SHARE = 0.2
#: zones whose riders are changed in turn: those with the most
MOST_ZONES = 20
#: sums of riders that differ by less than this share are equal
SAME = 1e-9
#: worst shares that differ by less are equal: the solver keeps a share that was reached to this
SHARES_ALIKE = 1e-6


class ChangedCase(NamedTuple):
    """A case under one change; it is made when it is asked for."""

    change: Change
    by: float  # share, minutes, or the number of the draw
    zone_id: object
    made: Callable[[], AnyCase]


class Held(NamedTuple):
    """What became of today's choice under a change."""

    row: dict[str, object]
    stays: FloatArray  # (n_suggestion,) 1 where it is in the best choice


# ---------------------------------------------------------------------------------------------- the questions
def question_at(plan: Plan, times: PlanTimes, *, cutoff_more_s: float = 0.0, own_more_s: float = 0.0) -> AnyCase:
    """Return the question of a plan, with its rules, at some times, its limits changed so much."""
    if plan.siting is None:
        return case_of(plan, times, cutoff_more_s=cutoff_more_s, own_more_s=own_more_s)
    return ruled_case_of(plan, plan.siting, times, cutoff_more_s=cutoff_more_s, own_more_s=own_more_s)


def changed_cases(plan: Plan, case: AnyCase, times: PlanTimes, *, draws: int, seed: int) -> list[ChangedCase]:
    """
    Return a plan's question under each change, in a fixed order.

    `times` must reach `CUTOFF_MINUTES` beyond the largest break.
    """
    return [*_by_speed(plan), *_by_limits(plan, times), *_by_riders(plan, case, draws=draws, seed=seed)]


def _by_speed(plan: Plan) -> Iterator[ChangedCase]:
    def at(factor: float) -> AnyCase:
        return question_at(plan, plan_times(plan, at_speed(plan.network, factor)))

    for by in (-SPEED_SHARE, SPEED_SHARE):
        yield ChangedCase("speed", by, None, partial(at, 1 + by))


def _by_limits(plan: Plan, times: PlanTimes) -> Iterator[ChangedCase]:
    by_limit: Mapping[Change, float] = {"cutoff": plan.before.minutes[-1], "own_limit": _least_own_minutes(plan)}
    for change, least in by_limit.items():
        for by in (-CUTOFF_MINUTES, CUTOFF_MINUTES):
            if least + by > 0 and math.isfinite(least):
                more = {"cutoff_more_s" if change == "cutoff" else "own_more_s": 60.0 * by}
                yield ChangedCase(change, by, None, partial(question_at, plan, times, **more))


def _by_riders(plan: Plan, case: AnyCase, *, draws: int, seed: int) -> Iterator[ChangedCase]:
    def times_some(factor: float, rows: IntArray) -> AnyCase:
        weight = case.weight.copy()
        weight[rows] *= factor
        return case.with_weight(weight)

    def drawn(number: int) -> AnyCase:
        return case.with_weight(case.weight * _drawn_factor(plan, number, seed))

    both = (-RIDERS_SHARE, RIDERS_SHARE)
    every = np.arange(case.weight.size)
    if case.has_seats:  # else all riders alike change no choice
        yield from (ChangedCase("riders_all", by, None, partial(times_some, 1 + by, every)) for by in both)
    for zone, rows in _zones_in_turn(plan):
        yield from (ChangedCase("riders_zone", by, zone, partial(times_some, 1 + by, rows)) for by in both)
    for number in range(1, draws + 1):
        yield ChangedCase("riders_draw", float(number), None, partial(drawn, number))


def _least_own_minutes(plan: Plan) -> float:
    """Return the least own limit of anything existing or suggested, `inf` where nothing has one."""
    own: list[float] = plan.before.times.facility_minutes.tolist()
    return min([*own, plan.study.shop_minutes if plan.study.suggest.shops else math.inf])


def _zones_in_turn(plan: Plan) -> list[tuple[object, IntArray]]:
    """Return the zones with the most riders, by id, with their demand points; none that holds all riders."""
    zone = zones_of_demand(plan)
    weight = plan.before.weight
    total = math.fsum(weight)
    rows = {z: np.flatnonzero(zone == z) for z in {z for z in zone.tolist() if z is not None}}
    riders = {z: math.fsum(weight[own]) for z, own in rows.items()}
    some = [z for z in sorted(rows, key=lambda z: (-riders[z], str(z))) if 0 < riders[z] < total]
    return [(z, rows[z]) for z in sorted(some[:MOST_ZONES], key=str)]


def _drawn_factor(plan: Plan, number: int, seed: int) -> FloatArray:
    """Return factors of the n-th draw for the riders of every demand point, one a cell (a point without cells)."""
    cell = plan.before.cell_id
    ids = plan.demand.index.to_numpy(dtype=object) if cell is None else cell
    names, at = np.unique(ids.astype(str), return_inverse=True)
    random = np.random.default_rng([seed, number])
    factor: FloatArray = (1 - RIDERS_SHARE + 2 * RIDERS_SHARE * random.random(names.size))[at]
    return factor


# ------------------------------------------------------------------------------------------------ the answers
class Firmness(NamedTuple):
    """How firmly a choice stands."""

    changes: pd.DataFrame  # a row a change that was tried
    n_stays: IntArray  # (n_suggestion,) changes in which it is in the best choice
    n_left: int  # changes that were not tried: the time was up


def firmness_of(
    plan: Plan, case: AnyCase, choice: Choice, changes: Sequence[ChangedCase], clock: SolveTime
) -> Firmness:
    """Return whether the choice is still the best under each change, and in how many each suggestion stays."""
    columns = ["change", "by", "zone_id", "riders", "before", "kept", "best", "bound", "loss", "kept_share"]
    columns += ["best_share", "is_best", "is_proven", "n_stay", "share_stay", "sites"]
    held: list[Held] = []
    asked = changes if case.wants_more else ()
    clock.begin(len(asked))
    with clock.at_work():
        for change, by, zone_id, made in asked:
            if clock.is_over():
                break
            outcome = _held(plan, made(), choice, clock.share())
            held.append(Held({"change": change, "by": by, "zone_id": zone_id, **outcome.row}, outcome.stays))
    stays = np.sum([one.stays for one in held], axis=0) if held else np.zeros(choice.options.size)
    frame = frame_of([one.row for one in held], columns, texts=("change", "zone_id", "sites"))
    return Firmness(frame, stays.astype(np.int64), len(asked) - len(held))


def _held(plan: Plan, case: AnyCase, choice: Choice, time_limit_s: float | None) -> Held:
    """Solve a changed case, and compare its best choice with today's."""
    kept = case.value(choice)
    best = case.best(time_limit_s=time_limit_s)
    is_best = not is_better(best.value, kept) and not math.isnan(kept.total)
    if is_best:  # today's choice is as good as any that was found
        best = Best(kept, best.bound, best.is_proven, choice.options)
    loss = difference(best.value.total, kept.total)
    stays = np.isin(choice.options, best.options)
    at = case.options.candidate
    row: dict[str, object] = {
        "riders": math.fsum(case.weight),
        "before": case.before(),
        "kept": kept.total,
        "best": best.value.total,
        "bound": best.value.total if best.is_proven else max(best.bound, best.value.total),
        "loss": 0.0 if is_best else loss,
        "kept_share": kept.worst_share,
        "best_share": best.value.worst_share,
        "is_best": is_best,
        "is_proven": best.is_proven,
        "n_stay": int(stays.sum()),
        "share_stay": float(stays.mean()) if choice.options.size else 1.0,
        "sites": tuple(plan.candidates.index[at[best.options]]),
    }
    return Held(row, stays.astype(np.float64))


def is_better(one: Value, other: Value) -> bool:
    """Whether one choice is better than another: the worst share first, where it counts; sums but for rounding."""
    if math.isnan(one.total) or math.isnan(other.total):
        return math.isnan(other.total) and not math.isnan(one.total)
    if not math.isnan(one.worst_share) and abs(one.worst_share - other.worst_share) > SHARES_ALIKE:
        return one.worst_share > other.worst_share
    return difference(one.total, other.total) > 0


def difference(more: float, less: float) -> float:
    """Return how much is lost; sums that are equal but for rounding lose nothing."""
    return 0.0 if abs(more - less) <= SAME * max(abs(more), abs(less)) else more - less


def frame_of(rows: Sequence[Mapping[str, Any]], columns: list[str], *, texts: tuple[str, ...]) -> pd.DataFrame:
    """Return rows as a frame with all columns; texts (and None) stay what they are."""
    made = {
        name: pd.Series([row[name] for row in rows], dtype=object if name in texts or not rows else None)
        for name in columns
    }
    return pd.DataFrame(made, columns=columns)
