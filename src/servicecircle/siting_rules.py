"""What a planner may ask of a plan beyond counts: worth, money, seats, fairness, spacing, moves and steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias, get_args

from .errors import InputError

Objective = Literal["riders", "backup", "decay", "fair"]
Fair: TypeAlias = float | Literal["worst"]

#: worth of a second facility in reach, where a study asks for backup and says no number
BACKUP_WORTH = 0.5
#: other plans, and points of a curve
MAX_PLANS = 100


@dataclass(frozen=True)
class Step:
    """One earlier step of a plan that grows: at most so many new sites of each kind, and yuan, up to then."""

    stations: int = 0
    shops: int = 0
    budget: float | None = None  # None: no limit of its own


@dataclass(frozen=True, kw_only=True)
class SitingRules:
    """
    What a plan is to be best at, and what it has to keep. The defaults ask for nothing beside the counts.

    Parameters
    ----------
    objective
        `riders`: most riders within the largest break. `decay`: a rider counts by the break within which he is,
        see `worth`. `backup`: a second facility in reach counts too, see `backup`. `fair`: the worst zone first,
        the same as `fair="worst"`.
    worth
        `decay` only: worth of a rider within each break, from 1 down to 0; not given: of n breaks (n - k) / n.
    backup
        Worth of a second facility in reach of a rider, above 0 and at most 1; 0.5 with objective `backup`.
    fair
        Least share of every zone's riders that a plan must cover (0 to 1), or `"worst"`: the zone with the least
        share gets as much as can be, then the total is the best with that.
    budget
        Yuan for all new sites.
    station_cost, shop_cost
        Yuan of a new station or shop whose row in the list of candidates has no `cost`.
    capacity, shop_capacity
        Seats of a station or shop (existing or new) whose ledger does not state them, whole; `inf`: no limit. One
        of them given means that seats count; the other takes the same where it is not given.
    min_spacing_m
        Least straight metres between two new sites, and between a new and an existing one; exactly that is enough.
    move
        At most so many existing facilities may be closed; each makes room for one more new site of its kind.
    keep
        Ids of existing facilities that are not to be moved.
    must, must_not
        Ids of candidates that are in every plan, or in none.
    robust
        While the study's reports of trouble hold ([closures]), the plan is to be good too. 0: best on average over
        open roads and every span of time in which some report holds, all as probable; 1: best in the worst of
        them; between: the mix of both. Floors hold in all of them.
    steps
        Earlier steps of the plan, ascending; the counts that are asked for are the last one. Riders of all steps
        are added up, and a site once opened stays.
    alternatives
        How many other plans to find, next best first.
    curve
        Find the best plan also for 0 to so many new sites (of the kind asked for more; the other in proportion).

    Raises
    ------
    InputError
        If a value is not allowed, or two of them contradict each other; the message says what to change.
    """

    objective: Objective = "riders"
    worth: tuple[float, ...] | None = None
    backup: float | None = None
    fair: Fair | None = None
    budget: float | None = None
    station_cost: float | None = None
    shop_cost: float | None = None
    capacity: float | None = None
    shop_capacity: float | None = None
    min_spacing_m: float | None = None
    move: int = 0
    keep: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    robust: float | None = None
    steps: tuple[Step, ...] = ()
    alternatives: int = 0
    curve: int | None = None

    def __post_init__(self) -> None:
        for name in ("keep", "must", "must_not", "steps", "worth"):
            object.__setattr__(self, name, _as_tuple(name, getattr(self, name)))
        for faults in (_of_values, _inside_lists, faults_between):  # what is no number cannot be compared
            for key, en, zh in faults(self):
                raise _wrong(key, en, zh)
        if self.fair is not None and not isinstance(self.fair, str):
            object.__setattr__(self, "fair", float(self.fair))

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked for beside the counts."""
        return self == SitingRules(station_cost=self.station_cost, shop_cost=self.shop_cost)

    @property
    def has_seats(self) -> bool:
        """Whether seats count."""
        return self.capacity is not None or self.shop_capacity is not None

    @property
    def backup_worth(self) -> float:
        """Worth of a second facility in reach."""
        return self.backup if self.backup is not None else BACKUP_WORTH if self.objective == "backup" else 0.0

    @property
    def floor(self) -> float | None:
        """Least share of every zone; None: none."""
        return self.fair if isinstance(self.fair, float | int) else None

    @property
    def is_worst_first(self) -> bool:
        """Whether the worst zone comes first."""
        return self.objective == "fair" or self.fair == "worst"


def _wrong(key: str, en: str, zh: str) -> InputError:
    return InputError(f"`{key}` {en}", zh=f"{key} {zh}")


def _as_tuple(name: str, value: Any) -> tuple[Any, ...] | None:  # noqa: ANN401
    """Return a list that a caller gave; only `worth` may be None."""
    if value is None and name == "worth":
        return None
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise _wrong(name, f"must be a list, got {value!r}.", f"应为列表，现为 {value!r}。")
    return tuple(value)


def _is_number(value: object) -> bool:
    """Whether a value is a real number that a float can hold; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _is_count(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= 0


def _of_values(rules: SitingRules) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with each value alone."""
    for name in ("budget", "station_cost", "shop_cost", "capacity", "shop_capacity", "min_spacing_m"):
        value: Any = getattr(rules, name)
        if value is not None and not (_is_number(value) and value >= 0):  # also nan
            yield name, f"must be >= 0, got {value}.", f"不能为负，现为 {value}。"
        elif name.endswith("capacity") and value is not None and not math.isinf(value) and value != int(value):
            yield name, f"must be whole seats, got {value}.", f"应为整数个座位，现为 {value}。"
    for name in ("move", "alternatives", "curve"):
        value = getattr(rules, name)
        if value is not None and not _is_count(value):
            en, zh = f"must be a whole number, 0 or more, got {value!r}.", f"应为不小于 0 的整数，现为 {value!r}。"
            yield name, en, zh
        elif value is not None and name != "move" and value > MAX_PLANS:
            yield name, f"must be at most {MAX_PLANS}, got {value}.", f"不能超过 {MAX_PLANS}，现为 {value}。"
    backup: Any = rules.backup
    if backup is not None and not _is_number(backup):
        yield "backup", f"must be a number, got {rules.backup!r}.", f"应为数字，现为 {rules.backup!r}。"
    yield from _of_words_and_shares(rules)


def _of_words_and_shares(rules: SitingRules) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the aim, and with the shares."""
    robust: Any = rules.robust
    if robust is not None and not (_is_number(robust) and 0 <= robust <= 1):
        yield "robust", f"must be a share from 0 to 1, got {robust!r}.", f"应为 0 到 1 之间的数，现为 {robust!r}。"
    known = get_args(Objective)
    if rules.objective not in known:
        en = f"must be one of {', '.join(known)}, got {rules.objective!r}."
        yield "objective", en, f"只能是 {'、'.join(known)}，现为“{rules.objective}”。"
    fair: Any = rules.fair
    if fair is not None and not _is_number(fair) and not (isinstance(fair, str) and fair == "worst"):
        yield "fair", f'must be a share or "worst", got {fair!r}.', f"应为比例或 worst，现为 {fair!r}。"


def _inside_lists(rules: SitingRules) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with what each list holds."""
    for one in rules.worth or ():
        if not _is_number(one):
            yield "worth", f"must hold numbers, got {one!r}.", f"应为数字列表，现有 {one!r}。"
    for name in ("keep", "must", "must_not"):
        for one in getattr(rules, name):
            if not isinstance(one, str):
                yield name, f"must hold ids, which are text, got {one!r}.", f"应为编号（文本）列表，现有 {one!r}。"
    for step in rules.steps:
        if not _is_step(step):
            en = f"must hold a `Step` each, of whole numbers and a budget, all 0 or more, got {step!r}."
            yield "steps", en, f"的每一期应为 Step，数量为整数，预算与数量均不能为负，现有 {step!r}。"


def _is_step(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, Step) or not (_is_count(value.stations) and _is_count(value.shops)):
        return False
    return value.budget is None or (_is_number(value.budget) and value.budget >= 0)


def faults_between(rules: SitingRules) -> list[tuple[str, str, str]]:
    """Return what contradicts what: the key at fault, and what is wrong, in English and Chinese."""
    found = [*_of_worth(rules), *_of_lists(rules)]
    if rules.keep and not rules.move:
        found.append(
            ("keep", "only counts where existing sites may move: give `move`.", "仅在允许迁移时有效：请给出 move。")
        )
    if rules.steps and rules.curve is not None:
        en = "is of a plan in one step: take out `steps` or `curve`."
        found.append(("curve", en, "只适用于一次建成的方案：请删去 steps 或 curve。"))
    if rules.steps and any(_shrinks(a, b) for a, b in itertools.pairwise(rules.steps)):
        found.append(("steps", "must not shrink from one to the next.", "各期的数量和预算不能逐期减少。"))
    return found


def _of_worth(rules: SitingRules) -> list[tuple[str, str, str]]:
    found = []
    if rules.worth is not None and rules.objective != "decay":
        en = "only counts with `objective` decay: set that, or take `worth` out."
        found.append(("worth", en, "仅在 objective 为 decay 时有效：请改 objective，或删去 worth。"))
    worth = (1.0,) if rules.worth is None else rules.worth or (0.0,)
    if not all(0 <= w <= 1 for w in worth) or any(b > a for a, b in itertools.pairwise(worth)) or worth[0] == 0:
        en, zh = f"must go from 1 down to 0, got {list(worth)}.", f"应为从 1 到 0 不上升的数，现为 {list(worth)}。"
        found.append(("worth", en, zh))
    if rules.backup is not None and not 0 < rules.backup <= 1:
        en, zh = (
            f"must be above 0 and at most 1, got {rules.backup}.",
            f"应大于 0 且不超过 1，现为 {rules.backup}。",
        )
        found.append(("backup", en, zh))
    if rules.floor is not None and not 0 <= rules.floor <= 1:
        en = f'must be a share from 0 to 1, or "worst", got {rules.fair}.'
        found.append(("fair", en, f"应为 0 到 1 之间的比例，或 worst，现为 {rules.fair}。"))
    if rules.floor is not None and rules.objective == "fair":
        en = "as a share and `objective` fair are two rules: keep one."
        found.append(("fair", en, "的保底比例与 objective 为 fair 只能取一个。"))
    return found


def _of_lists(rules: SitingRules) -> list[tuple[str, str, str]]:
    both = [one for one in rules.must if one in rules.must_not]
    if not both:
        return []
    return [
        (
            "must",
            f"and `must_not` both name {both[0]!r}: keep one.",
            f"与 must_not 都列出了“{both[0]}”，请保留一处。",
        )
    ]


def _shrinks(a: Step, b: Step) -> bool:
    less = a.budget is not None and b.budget is not None and a.budget > b.budget
    return a.stations > b.stations or a.shops > b.shops or less


def rules_of(stated: Mapping[str, Any]) -> SitingRules:
    """Return the rules among the keys of `[suggest]`."""
    known = {field.name for field in fields(SitingRules)}
    return SitingRules(**{key: value for key, value in stated.items() if key in known})


def check_with_study(
    rules: SitingRules,
    *,
    minutes: Sequence[float],
    stations: int,
    shops: int,
    has_zones: bool,
    has_closures: bool,
) -> None:
    """
    Check the rules against the rest of a study.

    Raises
    ------
    InputError
        If they do not fit; the message begins with the key and says what to change.
    """
    if (rules.fair is not None or rules.is_worst_first) and not has_zones:
        key = "fair" if rules.fair is not None else "objective"
        raise _wrong(key, "needs zones: add [zones] with a `file`.", "需要网格或社区：请添加 [zones] file。")
    if rules.robust is not None and not has_closures:
        en, zh = "needs reports of trouble: add [closures] with a `file`.", "需要路况报告：请添加 [closures] file。"
        raise _wrong(key="robust", en=en, zh=zh)
    if rules.worth is not None and len(rules.worth) != len(minutes):
        en = f"must hold a number for each of the {len(minutes)} breaks, got {len(rules.worth)}."
        zh = f"应为每个时间各给一个数（共 {len(minutes)} 个），现有 {len(rules.worth)} 个。"
        raise _wrong(key="worth", en=en, zh=zh)
    last = Step(stations, shops, rules.budget)
    if rules.steps and _shrinks(rules.steps[-1], last):
        en = f"ends above what is asked for in the end ({stations} stations, {shops} shops, the budget)."
        zh = f"的最后一期超过了最终要求（{stations} 个驿站、{shops} 家商铺及预算）。"
        raise _wrong(key="steps", en=en, zh=zh)
