"""What a plan by siting rules gives beside coverage: seats, money, zones, steps, other plans and the curve."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from .siting_rules import SitingRules


@dataclass(frozen=True)
class Seats:
    """Riders by what they find within the largest break; the three add up to all riders."""

    seats: float | None  # in all, None: not counted or without limit
    served: float  # in reach, with a seat (in reach, where seats do not count)
    full: float  # in reach of open facilities that are all full
    unreached: float  # out of reach


@dataclass(frozen=True)
class StepFigures:
    """One step of a plan that grows."""

    sites: tuple[tuple[str, str], ...]  # id and kind of all new sites up to then
    closed: tuple[str, ...]  # ids of existing facilities that are closed by then
    spent: float | None  # yuan up to then, None: not known
    objective: float
    alone: float  # what the best plan for this step alone would give; nan: not found in time
    price: float  # what this step gives up because the plan must grow
    most: float  # the price is at most this, whatever was not proven


@dataclass(frozen=True)
class OtherPlan:
    """Another plan: no plan but those before it is better than its bound."""

    sites: tuple[tuple[str, str], ...]  # id and kind
    objective: float
    bound: float
    gap: float
    less: float  # than the suggested plan
    spent: float | None  # yuan, None: not known


@dataclass(frozen=True)
class CurvePoint:
    """The best plan with so many new sites; None where there is none that keeps the rules."""

    stations: int
    shops: int
    objective: float | None
    bound: float | None
    served: float | None
    status: str


@dataclass(frozen=True)
class TroubleValue:
    """What a robust plan gives in one scenario at its end, by its aim."""

    reports: tuple[str, ...]  # ids of the reports that hold; none: open roads
    probability: float
    before: float  # today's facilities
    after: float  # with the plan


@dataclass(frozen=True, eq=False)
class SitingFigures:
    """What a plan by siting rules gives beside coverage."""

    rules: SitingRules
    before: Seats
    after: Seats
    spent: float | None  # yuan, None: costs are not known
    closed: tuple[str, ...]  # ids of existing facilities that the plan closes
    today: float  # what today's facilities give by the same aim (with steps: in all of them)
    worst_share: float | None  # of all zones, where the worst comes first
    worst_share_bound: float | None  # no plan gives the worst zone more
    zones: pd.DataFrame  # index zone id; riders, share: what the zone gets of them
    steps: tuple[StepFigures, ...] = ()
    alternatives: tuple[OtherPlan, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    scenarios: tuple[TroubleValue, ...] = ()  # open roads first; none where `robust` is not asked for
