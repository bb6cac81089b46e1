"""Drink rules: scan once, then a bottle a day for some days; how many bottles that takes, and when they run out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

from ._validate import BoolArray, FloatArray, IntArray
from .errors import InputError

#: of an interval
CONFIDENCE = 0.95
MAX_WINDOW_DAYS, MAX_DAYS, MAX_RUNS = 366, 36_600, 1_000_000
MAX_STOCK = 1_000_000
#: fewer bottles a day than this are none
_NONE = 1e-9


@dataclass(frozen=True)
class DrinkRule:
    """
    Who may take a bottle: whoever scans, on that day and the days after it, once a day.

    `window_days` counts the day of the scan (7: that day and the 6 after it). On the day of the scan a bottle is
    taken; on each later day of the window with chance `uptake`, each day and rider by chance of its own.
    """

    window_days: int = 7
    uptake: float = 1.0

    def __post_init__(self) -> None:
        if not _is_whole(self.window_days, MAX_WINDOW_DAYS):
            msg = f"`window_days` must be a whole number from 1 to {MAX_WINDOW_DAYS}, got {self.window_days!r}."
            raise InputError(msg, zh=f"有效天数应为 1 至 {MAX_WINDOW_DAYS} 的整数，现为 {self.window_days!r}。")
        if not _is_number(self.uptake) or not 0 <= self.uptake <= 1:
            msg = f"`uptake` must be a chance from 0 to 1, got {self.uptake!r}."
            raise InputError(msg, zh=f"领取概率应在 0 到 1 之间，现为 {self.uptake!r}。")

    @property
    def bottles_a_scan(self) -> float:
        """Bottles that a scan leads to, on average."""
        return 1.0 + (self.window_days - 1) * float(self.uptake)


@dataclass(frozen=True)
class DailyRate:
    """Check-ins or bottles a day from a total, with the interval in which the true rate lies (95 %)."""

    per_day: float
    low: float
    high: float


@dataclass(frozen=True)
class StockOut:
    """A day with a stock: how often it does not last, and how many bottles are then missing."""

    probability: float  # that more are asked for than there are
    missing: float  # bottles asked for and not there, a day, on average


def rate_of_total(total: float, days: float) -> DailyRate:
    """
    Estimate bottles a day from a total alone, e.g. the 731 of a month.

    Parameters
    ----------
    total
        Bottles, or check-ins, >= 0.
    days
        In so many days, above 0.

    Returns
    -------
    rate
        `total / days`, with the exact interval of a Poisson count. Where days differ more than by chance (weekdays,
        weather) the true interval is wider.

    Raises
    ------
    InputError
        If a number is negative, not finite, or `days` is 0.

    References
    ----------
    Garwood (1936), Biometrika 28, 437-442.

    Examples
    --------
    >>> rate = rate_of_total(731, 30)
    >>> round(rate.per_day, 1), round(rate.low, 1), round(rate.high, 1)
    (24.4, 22.6, 26.2)
    """
    from scipy.stats import chi2

    n, length = _not_negative(total, "total"), _not_negative(days, "days")
    if length == 0:
        msg = "`days` must be above 0."
        raise InputError(msg, zh="天数必须大于 0。")
    tail = (1 - CONFIDENCE) / 2
    low = float(chi2.ppf(tail, 2 * n)) / 2 if n else 0.0
    return DailyRate(n / length, low / length, float(chi2.ppf(1 - tail, 2 * n + 2)) / 2 / length)


def expected_bottles(scans: Sequence[float] | FloatArray, rule: DrinkRule | None = None) -> FloatArray:
    """
    Return the bottles that are asked for on each day, on average.

    Parameters
    ----------
    scans
        New scans on each day, >= 0, shape `(n_day,)`; before the first day nobody has scanned. No day, no bottle.
    rule
        Who may take a bottle; None: a week, and everybody takes one each day.

    Returns
    -------
    bottles
        Shape `(n_day,)`: `b_t = s_t + uptake * sum(s_u for t - window_days < u < t)`. It grows over the first
        window and then is `rule.bottles_a_scan` times the scans of a day, if these do not change.

    Raises
    ------
    InputError
        If scans are negative or not finite.

    Examples
    --------
    >>> expected_bottles([10, 0, 0, 10], DrinkRule(window_days=3, uptake=0.5)).tolist()
    [10.0, 5.0, 5.0, 10.0]
    """
    own = rule or DrinkRule()
    given = np.asarray(scans, dtype=np.float64)
    if given.ndim != 1 or not (np.isfinite(given) & (given >= 0)).all():
        msg = "`scans` must be numbers >= 0, one a day."
        raise InputError(msg, zh="每日扫码数应为不小于 0 的数，每天一个。")
    if not given.size:
        return given
    chance = np.append(1.0, np.full(own.window_days - 1, float(own.uptake)))
    return np.convolve(given, chance)[: given.size]


def stock_out(per_day: float, stock: float, *, dispersion: float = 1.0) -> StockOut:
    """
    Tell how often a stock that is filled up every morning does not last the day.

    Riders scan by chance, independently of each other (a Poisson process), and each later bottle of the window is
    taken by chance too: then the bottles asked for on a day are Poisson, with mean `per_day` (scans a day times
    `DrinkRule.bottles_a_scan`). Where days differ more than that, `dispersion` is their variance over their mean:
    above 1 the day is negative binomial with that mean and variance. A rider who finds none does not come back for
    two the next day: the rule allows one a day.

    Parameters
    ----------
    per_day
        Bottles asked for on an average day, >= 0.
    stock
        Bottles there are in the morning, >= 0; a part of one is none, and more than a million are a million.
    dispersion
        Variance of the bottles of a day over their mean, >= 1.

    Returns
    -------
    out
        The probability that more than `stock` are asked for, and the bottles missing on average.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> round(stock_out(731 / 30, 30).probability, 3)
    0.11
    """
    mean, most = _not_negative(per_day, "per_day"), int(min(_not_negative(stock, "stock"), MAX_STOCK))
    spread = _not_negative(dispersion, "dispersion")
    if spread < 1:
        msg = f"`dispersion` must be 1 or more, got {dispersion!r}."
        raise InputError(msg, zh=f"离散度应不小于 1，现为 {dispersion!r}。")
    if mean < _NONE:
        return StockOut(0.0, 0.0)
    below = np.arange(most + 1)
    day = _day(mean, spread)
    missing = mean - most + float(((most - below) * day.pmf(below)).sum())
    return StockOut(float(day.sf(most)), max(missing, 0.0))


def stock_for(per_day: float, *, most: float = 0.05, dispersion: float = 1.0) -> int:
    """
    Return the smallest stock that does not last the day with a chance of at most `most`.

    Parameters
    ----------
    per_day, dispersion
        As for `stock_out`.
    most
        Chance that is accepted, above 0 and below 1.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> stock_for(731 / 30, most=0.05)
    33
    """
    mean = _not_negative(per_day, "per_day")
    if not 0 < most < 1:
        msg = f"`most` must be a chance above 0 and below 1, got {most!r}."
        raise InputError(msg, zh=f"可接受的断货概率应大于 0、小于 1，现为 {most!r}。")
    stock_out(mean, 0, dispersion=dispersion)
    if mean < _NONE:
        return 0
    day = _day(mean, dispersion)
    guess = int(day.ppf(1 - most))
    while guess and day.sf(guess - 1) <= most:
        guess -= 1
    while day.sf(guess) > most:
        guess += 1
    return guess


def simulate_bottles(
    scans_per_day: float, *, days: int = 30, rule: DrinkRule | None = None, n_run: int = 1000, seed: int = 0
) -> IntArray:
    """
    Play the rule day by day: bottles asked for on each day of each run, from the first day of a new machine on.

    Parameters
    ----------
    scans_per_day
        New scans on an average day, >= 0; each day's are Poisson.
    days, n_run
        How many days, and how many times.
    rule
        Who may take a bottle; None: a week, and everybody takes one each day.
    seed
        The same seed gives the same runs.

    Returns
    -------
    bottles
        Shape `(n_run, days)`; its rows add up to totals of a month, to be held against one that was published.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    own, mean = rule or DrinkRule(), _not_negative(scans_per_day, "scans_per_day")
    for name, value, end in (("days", days, MAX_DAYS), ("n_run", n_run, MAX_RUNS)):
        if not _is_whole(value, end):
            msg = f"`{name}` must be a whole number from 1 to {end}, got {value!r}."
            raise InputError(msg, zh=f"{name} 应为 1 至 {end} 的整数，现为 {value!r}。")
    draw = np.random.default_rng(seed)
    scans = draw.poisson(mean, (n_run, days))
    bottles = scans.astype(np.int64)
    for later in range(1, min(own.window_days, days)):
        bottles[:, later:] += draw.binomial(scans[:, : days - later], float(own.uptake))
    return bottles


def replay_rule(
    person: npt.NDArray[np.generic], day: IntArray, rule: DrinkRule | None = None
) -> tuple[BoolArray, BoolArray]:
    """
    Hold a log against the rule: which check-ins are scans that open a window, and which get a bottle.

    Parameters
    ----------
    person
        Whose check-in each is, shape `(n,)`: anything that can be compared; it is not kept.
    day
        The day of each, as a whole number, shape `(n,)`.
    rule
        Who may take a bottle; only its `window_days` matters. None: a week.

    Returns
    -------
    is_scan, gets_bottle
        Shape `(n,)` each. A person's first check-in, and the first after a window has ended, is a scan. The first
        of a person on a day gets a bottle (of equals, the first row), the others of that day none.

    Raises
    ------
    InputError
        If the shapes disagree.

    Examples
    --------
    >>> scan, bottle = replay_rule(np.array(["a", "a", "a", "a"]), np.array([0, 0, 6, 7]))
    >>> scan.tolist(), bottle.tolist()
    ([True, False, False, True], [True, False, True, True])
    """
    own = rule or DrinkRule()
    people, days = np.unique(np.asarray(person), return_inverse=True)[1].reshape(-1), np.asarray(day)
    if people.shape != days.shape or days.ndim != 1 or not np.issubdtype(days.dtype, np.integer):
        msg = f"`person` and `day` must be as long as each other, days whole; got {people.shape} and {days.shape}."
        raise InputError(msg)
    order = np.lexsort((days, people))
    is_scan, gets_bottle = np.zeros(days.size, dtype=np.bool_), np.zeros(days.size, dtype=np.bool_)
    whose, begun, last = -1, 0, 0
    for at in order.tolist():
        today = int(days[at])
        is_new = people[at] != whose
        if is_new or today - begun >= own.window_days:
            is_scan[at], begun = True, today
        gets_bottle[at] = is_new or today != last
        whose, last = int(people[at]), today
    return is_scan, gets_bottle


def _day(mean: float, dispersion: float):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Return the distribution of the bottles of a day."""
    from scipy.stats import nbinom, poisson

    if dispersion - 1 < _NONE:
        return poisson(mean)
    return nbinom(mean / (dispersion - 1), 1 / dispersion)


def _is_whole(value: object, end: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, Integral):
        return False
    return 1 <= int(value) <= end


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _not_negative(value: float, name: str) -> float:
    if not _is_number(value) or not np.isfinite(value) or value < 0:
        msg = f"`{name}` must be a number >= 0, got {value!r}."
        raise InputError(msg, zh=f"{name} 应为不小于 0 的数，现为 {value!r}。")
    return float(value)
