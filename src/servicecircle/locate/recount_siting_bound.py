r"""
The bound of a siting plan, from its certificate and the caller's own arrays.

Nothing here comes from the solver but the numbers of the certificate; whatever these are, they give a bound.
With :math:`u \ge 0`, and :math:`v_{ij}` the worth of option *j* to row *i*:

.. math::
    \max_{j \in S} v_{ij} \le u + \sum_{j \in S} (v_{ij} - u)^+,\qquad
    \max_{j \in S} v_{ij} + \operatorname{second}_{j \in S} v_{ij} \le 2u + \sum_{j \in S} (v_{ij} - u)^+

so that the value of any set is at most a constant plus a sum over its options. With seats the second part of an
option is what its seats are worth to those who gain most by them, a continuous knapsack. Prices of the rules, of
the floors and of the worst scenario add what they allow; each option is then taken or left by its own sum.

References
----------
Geoffrion (1974), Lagrangean relaxation for integer programming, Mathematical Programming Study 2, 82-114;
Cornuejols, Fisher and Nemhauser (1977), Location of bank accounts to optimize float, Management Science 23,
789-810.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ..errors import SolutionError
from ..model import TOLERANCE, Certificate
from .recount_bounds import Covers, covering_bound
from .recount_siting_rules import ROUNDING, best_answer, count_of, demand, existing_of, n_option
from .siting import Phase, Siting
from .siting_certificate import SitingCertificate
from .siting_plan import SitingPlan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Of = Literal["objective", "worst share"]
#: a worst zone that gets less than the best by this share is as good
_FLOOR_SLACK = 1e-8
#: rounding of a bound that is a whole number
_WHOLE = 1e-6
#: dimensions of a table
_TABLE = 2


def siting_bound(
    siting: Siting,
    certificate: SitingCertificate | Certificate,
    *,
    of: Of = "objective",
    floor: npt.ArrayLike | None = None,
    worth: Sequence[npt.ArrayLike] | None = None,
) -> float:
    """
    No plan has a larger objective than this, or none a better worst zone.

    Parameters
    ----------
    siting
        The question, as the caller put it.
    certificate
        Multipliers, from `SitingPlan.certificate`; any give a bound, these a good one. Those of a plain covering
        question are of each row's different worths, best first, one row after the other; scenarios of probability 0
        and rows without riders have none.
    of
        What is bounded.
    floor
        Least share of each zone, or of all, that a plan must give to count; by default that of the question.
    worth
        The caller's own worth of each scenario, as `check_siting` takes it.

    Returns
    -------
    bound
        In riders (or as a share); `inf` where the certificate does not fit the question.

    Examples
    --------
    Whatever is opened, nobody gets more than a worth of 1:

    >>> siting = Siting(worth=[[1, 0], [1, 0], [0, 1]], weight=[5.0, 1.0, 3.0], p=1)
    >>> ones, none = np.ones((1, 1, 3)), np.zeros((1, 0))
    >>> siting_bound(siting, SitingCertificate(ones, ones, np.ones((1, 1)), none, none))
    9.0

    A price of 6 for the only site says more:

    >>> certificate = SitingCertificate(ones - 1, ones, np.ones((1, 1)), none, none, {"p": np.array([[6.0]])})
    >>> siting_bound(siting, certificate)
    6.0
    """
    given = [siting.worth, *siting.others] if worth is None else worth
    if isinstance(certificate, Certificate):
        return _plain_bound(siting, certificate, [sparse.csr_array(_by_column(w)) for w in given])
    matrices = [_by_column(w) for w in given]
    phases = list(siting.phases) or [Phase(siting.p, siting.budget)]
    if of == "worst share" and not _has_zones(siting):
        return 1.0
    try:
        _check_fit(siting, certificate, len(phases), len(matrices))
        share, least = _zone_prices(siting, certificate, of, floor, len(matrices))
        bounds = []
        for is_capped in (False, True) if siting.backup[1] > 0 else (False,):
            constant, score = [-least], np.zeros((len(phases), n_option(siting)))
            for t, s in itertools.product(range(len(phases)), range(len(matrices))):
                first, second = _each_counts(siting, certificate, phases, (t, s), of)
                first = first + (share[s] if t == len(phases) - 1 else 0.0)
                base, own = _covers(
                    siting, certificate, (t, s), matrices[s], first=first, second=second, is_capped=is_capped
                )
                constant.append(base)
                score[t] += own
            bounds.append(best_answer(siting, certificate, phases, constant, score))
        least = min(bounds)
    except SolutionError:
        return math.inf
    is_whole = of == "objective" and math.isfinite(least) and _is_whole(siting, matrices)
    return float(math.floor(least + _WHOLE)) if is_whole else least


def floor_of(siting: Siting, plan: SitingPlan) -> npt.ArrayLike | None:
    """Return the floors that a plan must keep to count against this one: with `fair` as good a worst zone."""
    if not siting.fair:
        return siting.floor
    own = 0.0 if siting.floor is None else np.asarray(siting.floor, np.float64)
    return np.maximum(own, max(plan.worst_share, 0.0) * (1 - _FLOOR_SLACK))


def bound_faults(siting: Siting, plan: SitingPlan, worth: Sequence[npt.ArrayLike] | None) -> Iterator[str]:
    """Yield what is said of the bounds, and not what their certificates give."""
    is_claimed = plan.proof in ("certificate", "relaxation", "counting")
    if plan.certificate is None:
        if is_claimed:
            yield f"its bound is said to be proven ({plan.proof}), and no certificate is told"
        return
    bound = siting_bound(siting, plan.certificate, floor=floor_of(siting, plan), worth=worth)
    for name in ("relaxed_bound", "bound") if is_claimed else ("relaxed_bound",):
        said = getattr(plan, name)
        if not said >= bound - TOLERANCE * abs(bound):
            yield f"`{name}` {said} is said, its certificate gives {bound}"
    if plan.worst_certificate is not None and is_claimed:
        share = siting_bound(siting, plan.worst_certificate, of="worst share", worth=worth)
        if not plan.worst_share_bound >= share - TOLERANCE * abs(share):
            yield f"`worst_share_bound` {plan.worst_share_bound} is said, its certificate gives {share}"


# --------------------------------------------------------------------------------------------------------- riders
def _each_counts(
    siting: Siting, certificate: SitingCertificate, phases: Sequence[Phase], at: tuple[int, int], of: Of
) -> tuple[Floats, float]:
    """Return what a rider counts in one phase and scenario: by row his first cover, his second."""
    t, s = at
    n = np.asarray(siting.weight).size
    if of == "worst share":
        return np.zeros(n), 0.0
    n_scenario = 1 + len(siting.others)
    chance = 1 / n_scenario if siting.probability is None else float(siting.probability[s])
    counts = phases[t].weight * ((1 - siting.robust) * chance + siting.robust * certificate.scenario[t, s])
    return np.full(n, counts * siting.backup[0]), float(counts * siting.backup[1])


def _covers(
    siting: Siting,
    certificate: SitingCertificate,
    at: tuple[int, int],
    matrix: Any,  # noqa: ANN401
    *,
    first: Floats,
    second: float,
    is_capped: bool,
) -> tuple[float, Floats]:
    """
    Return what rows have for granted in one phase and scenario, and what each option adds to it.

    Of a second cover that counts more than the first (or takes no seat, where the first takes one) what is more is
    held to half of both covers, or (`is_capped`) to the second best of all options.
    """
    weight = np.asarray(siting.weight, np.float64)
    u, both = certificate.first[at], certificate.second[at]
    seats = None if siting.capacity is None else np.asarray(siting.capacity, np.float64)
    if seats is not None and np.isfinite(seats).any():
        alone, more = first, np.full(weight.size, second)
        together = np.zeros(weight.size)
    else:
        seats = None
        alone, more = np.maximum(first - second, 0.0), np.maximum(second - first, 0.0)
        together = np.minimum(first, second)
    constant = 0.0
    if is_capped:
        constant = math.fsum(weight * more * _second_best(matrix))
    else:
        together = together + more / 2
    constant += math.fsum(weight * (alone * u + together * 2.0 * both))
    score = np.zeros(matrix.shape[1])
    for j in range(matrix.shape[1]):
        part = slice(matrix.indptr[j], matrix.indptr[j + 1])
        row, value = matrix.indices[part], matrix.data[part]
        gain = alone[row] * np.maximum(value - u[row], 0.0)
        score[j] = _seated(gain, weight[row], None if seats is None else float(seats[j]))
        score[j] += float((weight[row] * together[row] * np.maximum(value - both[row], 0.0)).sum())
    return constant, score


def _plain_bound(siting: Siting, certificate: Certificate, matrices: Sequence[Any]) -> float:
    """
    No plan covers more than this, rows taken apart into their different worths; `inf` for another question.

    Rules that plain covering does not know are left out: without them nothing is worse.
    """
    if (siting.phases and len(siting.phases) > 1) or siting.backup[1] > 0:
        return math.inf
    phase = siting.phases[0] if siting.phases else Phase(siting.p, siting.budget)
    weight, n = np.asarray(siting.weight, np.float64), n_option(siting)
    chance = [1 / len(matrices)] * len(matrices) if siting.probability is None else list(siting.probability)
    barred = np.zeros(n, np.bool_)
    barred[np.asarray(siting.must_not, np.int64)] = True
    parts = [_apart(m, share * weight, ~barred) for m, share in zip(matrices, chance, strict=True) if share > 0]
    size, option, riders = (np.concatenate([part[k] for part in parts]) for k in range(3))
    is_fixed = np.zeros(n, np.bool_)
    is_fixed[np.asarray(siting.must, np.int64)] = True
    is_fixed |= existing_of(siting) & (siting.max_closed == 0)
    kind = np.zeros(n, np.int64) if siting.kind is None else np.asarray(siting.kind, np.int64)
    most = [count_of(phase.p, k, n) for k in range(int(kind.max(initial=0)) + 1)]
    bound = covering_bound(
        Covers(np.concatenate([[0], np.cumsum(size)]), option, n),
        riders,
        np.minimum(np.array(most), n).astype(np.int64),
        certificate,
        fixed=np.flatnonzero(is_fixed),
        kind=kind,
        place=np.arange(n) if siting.place is None else np.asarray(siting.place, np.int64),
    )
    return bound * siting.backup[0] * phase.weight


def _apart(matrix: Any, weight: Floats, may: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:  # noqa: ANN401
    """Take rows apart into their different worths: how many options reach each, which, and what it counts."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((-matrix.data, row))
    order = order[(matrix.data[order] > 0) & (weight[row[order]] > 0)]
    row, value, option = row[order], matrix.data[order], matrix.indices[order].astype(np.int64)
    is_new = np.ones(row.size, np.bool_)
    is_new[1:] = (np.diff(row) != 0) | (np.diff(value) != 0)
    level, first = np.cumsum(is_new) - 1, np.flatnonzero(is_new)
    of, worth = row[first], value[first]
    is_last = np.ones(first.size, np.bool_)
    is_last[:-1] = np.diff(of) != 0
    lower = np.where(is_last, 0.0, np.append(worth[1:], 0.0)[: first.size])
    end = np.searchsorted(of, row, side="right")  # a pair reaches its own level and the lower ones
    n = np.where(may[option], end - level, 0)
    at = np.repeat(level, n) + np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    by_level = np.argsort(at, kind="stable")
    size = np.bincount(at, minlength=first.size)
    return size, np.repeat(option, n)[by_level], weight[of] * (worth - lower)


def _is_whole(siting: Siting, matrices: Sequence[Any]) -> bool:
    """Whether every plan's objective is a whole number."""
    weight = np.asarray(siting.weight, np.float64)
    is_alone = len(matrices) == 1 and not siting.phases and siting.capacity is None
    is_plain = all(part == round(part) for part in siting.backup)
    return is_alone and is_plain and bool((weight == np.round(weight)).all() and (matrices[0].data == 1).all())


def _second_best(matrix: Any) -> Floats:  # noqa: ANN401
    """Second best worth of all options, by row."""
    first, second = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[0])
    for j in range(matrix.shape[1]):
        part = slice(matrix.indptr[j], matrix.indptr[j + 1])
        row, value = matrix.indices[part], matrix.data[part]
        second[row] = np.maximum(second[row], np.minimum(first[row], value))
        first[row] = np.maximum(first[row], value)
    return second


def _seated(gain: Floats, riders: Floats, seats: float | None) -> float:
    """Most that the seats of one option give to riders who gain so much each."""
    if seats is None or seats >= riders.sum():
        return float((gain * riders).sum())
    order = np.argsort(-gain, kind="stable")
    taken = np.minimum(riders[order], np.maximum(seats - (np.cumsum(riders[order]) - riders[order]), 0.0))
    return float((gain[order] * taken).sum())


def _zone_prices(
    siting: Siting, certificate: SitingCertificate, of: Of, floor: npt.ArrayLike | None, n_scenario: int
) -> tuple[Floats, float]:
    """
    Return what a rider of each row counts by the prices of zones, by scenario, and what the floors take of it.

    Raises
    ------
    SolutionError
        If the prices are not those of the question.
    """
    weight = np.asarray(siting.weight, np.float64)
    share = np.zeros((n_scenario, weight.size))
    price = certificate.floor
    if of == "worst share":
        demand(abs(certificate.worst.sum() - 1.0) <= ROUNDING * certificate.worst.size)
        price = price + certificate.worst
    if siting.zone is None or not price.size:
        return share, 0.0
    zone = np.asarray(siting.zone, np.int64)
    total = np.bincount(zone[zone >= 0], weight[zone >= 0], minlength=price.shape[1])
    demand(total.size == price.shape[1] and not price[:, total <= 0].any())
    asked = siting.floor if floor is None else floor
    floors = np.broadcast_to(np.asarray(0.0 if asked is None else asked, np.float64), total.shape)
    each = np.divide(price, total, out=np.zeros_like(price), where=total > 0)
    share[:, zone >= 0] = each[:, zone[zone >= 0]]
    return share, float((certificate.floor * floors).sum())


# --------------------------------------------------------------------------------------------------------- arrays
def _check_fit(siting: Siting, certificate: SitingCertificate, n_phase: int, n_scenario: int) -> None:
    """
    Check that a certificate has the shape of the question, and nothing in it is negative.

    Raises
    ------
    SolutionError
        Otherwise.
    """
    n, weight = n_option(siting), np.asarray(siting.weight)
    rows = (n_phase, n_scenario, weight.size)
    demand(certificate.first.shape == rows and certificate.second.shape == rows)
    demand(certificate.scenario.shape == (n_phase, n_scenario))
    demand(certificate.floor.ndim == certificate.worst.ndim == _TABLE)
    demand(certificate.floor.shape[0] == certificate.worst.shape[0] == n_scenario)
    shapes: dict[str, tuple[int, ...]] = {
        "p": (n_phase, -1),
        "p_min": (-1,),
        "budget": (n_phase,),
        "existing": (n_phase,),
        "amenity": (np.size([] if siting.amenity_min is None else siting.amenity_min),),
        "place": (n_phase, n if siting.place is not None else 0),
        "spacing": (n_phase, len(certificate.cliques)),
        "growth": (n_phase - 1, n),
        "avoid": (len(siting.avoid),),
    }
    most_kind = 0 if siting.kind is None else int(np.max(siting.kind, initial=0))
    for name, price in certificate.prices.items():
        shape = shapes.get(name)
        demand(shape is not None and price.ndim == len(shape))
        demand(all(a in (b, -1) or b == -1 for a, b in zip(shape or (), price.shape, strict=True)))
        demand(name not in ("p", "p_min") or price.shape[-1] > most_kind)
        demand(bool((np.asarray(price) >= 0).all() and np.isfinite(price).all()))
    numbers: Floats
    for numbers in (getattr(certificate, name) for name in ("first", "second", "scenario", "floor", "worst")):
        demand(bool((numbers >= 0).all() and np.isfinite(numbers).all()))
    demand(bool((np.abs(certificate.scenario.sum(axis=1) - 1.0) <= ROUNDING * n_scenario).all()))


def _by_column(matrix: Any) -> Any:  # noqa: ANN401
    given: Any = matrix if sparse.issparse(matrix) else np.asarray(matrix, np.float64)
    return sparse.csc_array(given).astype(np.float64)


def _has_zones(siting: Siting) -> bool:
    """Whether anybody is in a zone."""
    if siting.zone is None:
        return False
    return bool((np.asarray(siting.weight, np.float64)[np.asarray(siting.zone) >= 0] > 0).any())
