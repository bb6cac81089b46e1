r"""
Plans of single location problems, counted again from the caller's own arrays, and their bounds from certificates.

Nothing here comes from a solver but the numbers of the certificate; whatever these are, what they give is a bound,
by weak duality:

.. math::
    \text{covering} \le \sum_i (a_i - \lambda_i) + \max_{y} \sum_j y_j \sum_{i \in R_j} \lambda_i,\qquad
    \text{sites} \ge \sum_i \lambda_i - \sum_j \Big(\sum_{i \in R_j} \lambda_i - 1\Big)^+,\qquad
    \text{cost} \ge \sum_i u_i + \min_{y} \sum_j y_j \sum_i \min(a_i c_{ij} - u_i, 0)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ..errors import SolutionError
from ..model import Certificate, Solution

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Covers(NamedTuple):
    """The sites that cover each row, one row after the other."""

    start: npt.NDArray[Any]  # (n_row + 1,)
    option: npt.NDArray[Any]  # (n_pair,)
    n: int  # sites


class Costs(NamedTuple):
    """The finite costs of each row, one row after the other."""

    start: npt.NDArray[Any]
    site: npt.NDArray[Any]
    cost: Floats
    n: int


#: figures are counted to this, bounds kept to it, relative
_EXACT = 1e-9
#: rounding of a bound that is a whole number: of covering and counts, of costs
_WHOLE, _WHOLE_COST = 1e-6, 1e-4
#: sums of whole numbers up to here are exact
_MOST = 2.0**53
#: pairs, and cells of a table, that are looked at together
_BLOCK = 1 << 23


# ------------------------------------------------------------------------------------------------------ the plans
def check_mclp(
    covers: Any,  # noqa: ANN401 - dense, or any SciPy sparse array or matrix
    weight: npt.ArrayLike,
    p: int | Sequence[int],
    solution: Solution,
    *,
    fixed: Sequence[int] | Ints | None = None,
    group: Sequence[int] | Ints | None = None,
    place: Sequence[int] | Ints | None = None,
) -> None:
    """
    Check a solution of `mclp`: its sites, its objective, and its bound as far as the certificate goes.

    Parameters
    ----------
    covers, weight, p, fixed, group, place
        What `mclp` was asked.
    solution
        What it answered.

    Raises
    ------
    SolutionError
        If anything is not as the solution says: also a bound better than its certificate, where `proof` says
        `"certificate"`.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from servicecircle.locate import mclp
    >>> covers, weight = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]]), [5.0, 1.0, 3.0]
    >>> solution = mclp(covers, weight, 1)
    >>> check_mclp(covers, weight, 1, solution)
    >>> check_mclp(covers, weight, 1, replace(solution, objective=9.0, bound=9.0))
    Traceback (most recent call last):
    ...
    servicecircle.errors.SolutionError: The solution does not hold: objective 9.0 is said, 6.0 is counted.
    """
    pairs = _pairs(covers)
    n = pairs.n
    a, kind = np.asarray(weight, np.float64), _whole(group, np.zeros(n, np.int64))
    places, held = _whole(place, np.arange(n)), _whole(fixed, np.zeros(0, np.int64))
    room = np.minimum(np.atleast_1d(np.asarray(p)), n).astype(np.int64)
    faults = list(site_faults(solution, n, held))
    if not faults:
        if (np.bincount(kind[solution.chosen], minlength=room.size) > room).any():
            faults.append("more sites than allowed")
        if np.unique(places[solution.chosen]).size < solution.chosen.size:
            faults.append("two options of one place")
        counted = math.fsum(a[_n_of(pairs, solution.chosen) > 0])
        faults.extend(figure_faults(solution, counted))
        bound = covering_bound(pairs, a, room, solution.certificate, fixed=held, kind=kind, place=places)
        faults.extend(_bound_faults(solution, bound))
    refuse(faults)


def check_lscp(covers: Any, solution: Solution, *, fixed: Sequence[int] | Ints | None = None) -> None:  # noqa: ANN401
    """
    Check a solution of `lscp`: that every demand point is covered, and the bound as far as the certificate goes.

    Parameters
    ----------
    covers, fixed
        What `lscp` was asked.
    solution
        What it answered.

    Raises
    ------
    SolutionError
        As `check_mclp`; infeasible where every point can be covered, too.

    Examples
    --------
    >>> from servicecircle.locate import lscp
    >>> covers = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]])
    >>> check_lscp(covers, lscp(covers))
    """
    pairs = _pairs(covers)
    held = _whole(fixed, np.zeros(0, np.int64))
    if solution.status == "infeasible":
        refuse([] if (np.diff(pairs.start) == 0).any() else ["every demand point can be covered"])
        return
    faults = list(site_faults(solution, pairs.n, held))
    if not faults:
        n_open = int((_n_of(pairs, solution.chosen) == 0).sum())
        faults.extend([f"{n_open} demand points are not covered"] if n_open else [])
        faults.extend(figure_faults(solution, float(solution.chosen.size)))
        faults.extend(_bound_faults(solution, set_bound(pairs, solution.certificate, fixed=held)))
    refuse(faults)


def check_p_median(
    cost: Any,  # noqa: ANN401 - dense, or any SciPy sparse array or matrix
    weight: npt.ArrayLike,
    p: int,
    solution: Solution,
    *,
    fixed: Sequence[int] | Ints | None = None,
    unreached_cost: float | None = None,
) -> None:
    """
    Check a solution of `p_median`: its sites, its objective, and its bound as far as the certificate goes.

    Parameters
    ----------
    cost, weight, p, fixed, unreached_cost
        What `p_median` was asked.
    solution
        What it answered; infeasible ones are not looked into.

    Raises
    ------
    SolutionError
        As `check_mclp`.

    Examples
    --------
    >>> from servicecircle.locate import p_median
    >>> cost, weight = np.array([[0.0, 4.0], [3.0, 1.0], [9.0, 2.0]]), [1.0, 1.0, 1.0]
    >>> check_p_median(cost, weight, 1, p_median(cost, weight, 1))
    """
    if solution.status == "infeasible":
        return
    costs = costs_of(cost)
    start, site, value, n = costs
    a, held = np.asarray(weight, np.float64), _whole(fixed, np.zeros(0, np.int64))
    far = np.inf if unreached_cost is None else float(unreached_cost)
    faults = list(site_faults(solution, n, held))
    if not faults:
        if solution.chosen.size > p:
            faults.append("more sites than allowed")
        least = np.full(a.size, far)
        is_open = np.isin(site, solution.chosen)
        np.minimum.at(least, np.repeat(np.arange(a.size), np.diff(start))[is_open], value[is_open])
        counted = math.fsum(a * least) if a.size else 0.0
        faults.extend(figure_faults(solution, counted))
        bound = median_bound(costs, a, min(p, n), solution, fixed=held, far=far)
        faults.extend(_bound_faults(solution, bound))
    refuse(faults)


def site_faults(solution: Solution, n: int, held: Ints) -> Iterator[str]:
    """Yield what is wrong with the sites of a solution."""
    chosen = solution.chosen
    if (np.diff(chosen) <= 0).any() or (chosen < 0).any() or (chosen >= n).any():
        yield "a site is told twice, out of order, or does not exist"
    if not np.isin(held, chosen).all():
        yield "a fixed site is missing"


def figure_faults(solution: Solution, counted: float) -> Iterator[str]:
    """Yield that the objective is not what is counted."""
    if not abs(solution.objective - counted) <= _EXACT * max(abs(counted), abs(solution.objective)):
        yield f"objective {solution.objective} is said, {counted} is counted"


def _bound_faults(solution: Solution, bound: float) -> Iterator[str]:
    if solution.proof == "certificate" and not is_as_good(bound, solution.bound, sense=solution.sense):
        yield f"the bound {solution.bound} is said, its certificate gives {bound}"


def refuse(faults: list[str]) -> None:
    """
    Refuse a solution with faults.

    Raises
    ------
    SolutionError
        If there is any.
    """
    if faults:
        msg = f"The solution does not hold: {'; '.join(faults)}."
        raise SolutionError(msg, zh=f"方案与复核结果不符，已拒绝：{'；'.join(faults)}。")


def is_as_good(certified: float, claimed: float, *, sense: str) -> bool:
    """Whether a certificate gives all of a bound that is claimed."""
    ahead = certified - claimed if sense == "max" else claimed - certified
    return certified == claimed or ahead <= _EXACT * abs(claimed)


# ----------------------------------------------------------------------------------------------------- the bounds
def covering_bound(
    pairs: Covers,
    weight: Floats,
    room: Ints,
    certificate: Certificate | None,
    *,
    fixed: Ints,
    kind: Ints,
    place: Ints,
) -> float:
    """No plan covers more than this, by the certificate; `inf` where that is none."""
    start, option, n = pairs
    if certificate is None or certificate.multipliers.shape != (1, weight.size):
        return math.inf
    price, stand_in = certificate.multipliers[0], certificate.stand_in
    if not ((price >= 0) & (price <= weight)).all():
        return math.inf
    is_fixed, out = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    is_fixed[fixed] = True
    left = room - np.bincount(kind[fixed], minlength=room.size)
    barred = is_fixed | np.isin(place, place[fixed]) | (left[kind] <= 0)
    if stand_in is not None:
        out = stand_in >= 0
        if not _may_stand_in(out, stand_in, kind, place, barred):
            return math.inf
    score, base = np.zeros(n), []
    for row, own in _blocks(start, n if out.any() else 0):
        size, names = np.diff(start[row.start : row.stop + 1]), option[own]
        at = np.repeat(np.arange(size.size), size)
        is_covered = np.zeros(size.size, np.bool_)
        is_covered[at[is_fixed[names]]] = True
        if stand_in is not None and out.any() and not _stands_in(at, names, ~is_covered, out, stand_in):
            return math.inf
        live = np.where(is_covered, 0.0, price[row])
        score += np.bincount(names, live[at], minlength=n)
        base.append(float((weight[row] - live).sum()))
    out |= barred
    best = [np.sort(score[~out & (kind == k)])[::-1][:m].sum() for k, m in enumerate(left.tolist())]
    bound = math.fsum([*base, *best])
    is_whole = bool((weight == np.round(weight)).all()) and bound < _MOST
    return float(np.floor(bound * (1 + 1e-11) + _WHOLE)) if is_whole else bound


def _may_stand_in(out: Flags, stand_in: Ints, kind: Ints, place: Ints, barred: Flags) -> bool:
    """Whether each option that is left out has one in its stead: that stays, of its kind, in no other's way."""
    one, at = stand_in[out], np.unique(place, return_inverse=True)[1]
    if (one >= out.size).any():
        return False
    is_alone = np.bincount(at[~barred], minlength=int(at.max(initial=0)) + 1)[at] <= 1
    is_free = (place[one] == place[out]) | is_alone[one]
    return bool((~out[one] & ~barred[one] & (kind[one] == kind[out]) & is_free).all())


def _stands_in(at: Ints, names: npt.NDArray[Any], is_live: Flags, out: Flags, stand_in: Ints) -> bool:
    """Whether those in the stead of others cover all that these do, in some rows."""
    covers = np.zeros((is_live.size, out.size), np.bool_)
    covers[at, names] = True
    asked = is_live[at] & out[names]
    return bool(covers[at[asked], stand_in[names[asked]]].all())


def set_bound(pairs: Covers, certificate: Certificate | None, *, fixed: Ints) -> float:
    """No plan has fewer sites than this, by the certificate; parts that share no site are rounded up one by one."""
    start, option, n = pairs
    if certificate is None or certificate.multipliers.shape != (1, start.size - 1):
        return 0.0
    price = np.maximum(certificate.multipliers[0], 0.0)
    row = np.repeat(np.arange(price.size), np.diff(start))
    price[row[np.isin(option, fixed)]] = 0.0
    live = price[row] > 0
    row, column = row[live], np.asarray(option[live], np.int64)
    size = price.size + n
    graph = sparse.coo_array((np.ones(row.size, np.int8), (row, price.size + column)), shape=(size, size))
    n_part, part = connected_components(graph, directed=False)
    total = np.bincount(part[: price.size], price, minlength=n_part)
    score = np.bincount(column, price[row], minlength=n)
    over = np.bincount(part[price.size :], np.maximum(score - 1.0, 0.0), minlength=n_part)
    most = np.ones(n_part)
    np.maximum.at(most, part[price.size :], score)
    least = np.ceil(np.maximum(total - over, total / most) - _WHOLE)
    return float(np.unique(fixed).size + np.maximum(least, 0.0).sum())


def median_bound(
    costs: Costs,
    weight: Floats,
    p: int,
    solution: Solution,
    *,
    fixed: Ints,
    far: float,
) -> float:
    """
    No plan costs less than this, by the certificate of a solution: its bound, or what the certificate gives of it.

    One set of multipliers after the other: each gives a bound, and leaves out the sites that no plan holds which
    costs less than the bound claimed, or keeps those that every such plan holds.
    """
    (start, site, cost, n), certificate, claimed = costs, solution.certificate, solution.bound
    if certificate is None or certificate.multipliers.ndim != 2 or certificate.multipliers.shape[1] != weight.size:  # noqa: PLR2004
        return 0.0
    row = np.repeat(np.arange(weight.size), np.diff(start))
    value = weight[row] * cost
    top = weight * far if np.isfinite(far) else np.full(weight.size, np.inf)
    is_whole = bool((value == np.round(value)).all() and (top == np.round(top)).all()) and claimed < _MOST
    enough = claimed - 1 + _WHOLE_COST if is_whole else claimed - _EXACT * abs(claimed)
    may, must, best = np.ones(n, np.bool_), np.zeros(n, np.bool_), 0.0
    must[fixed] = True
    for multiplier in certificate.multipliers:
        u = np.minimum(np.maximum(multiplier, 0.0), top)
        keep = may[site]
        saved = np.bincount(site[keep], np.minimum(value[keep] - u[row[keep]], 0.0), minlength=n)
        free = np.flatnonzero(may & ~must)
        order = free[np.argsort(saved[free], kind="stable")]
        n_more = p - int(must.sum())
        if n_more < 0 or n_more > order.size:
            return claimed  # what is left holds no plan that costs less
        bound = float(u.sum() + saved[must].sum() + saved[order[:n_more]].sum())
        best = max(best, bound)
        if best >= enough:
            return claimed
        taken, others = order[:n_more], order[n_more:]
        if taken.size and others.size:
            may[others[bound + saved[others] - saved[taken[-1]] >= enough]] = False
            must[taken[bound + saved[others[0]] - saved[taken] >= enough]] = True
    free = np.flatnonzero(may & ~must)
    n_more = p - int(must.sum())
    if n_more in (0, free.size):  # what is left is one plan
        is_open = must.copy()
        is_open[free] = n_more > 0
        least = top.copy()
        np.minimum.at(least, row[is_open[site]], value[is_open[site]])
        best = max(best, min(float(least.sum()), claimed))
    return float(np.ceil(best - _WHOLE_COST)) if is_whole else best


# ----------------------------------------------------------------------------------------------------- the arrays
def _pairs(covers: Any) -> Covers:  # noqa: ANN401
    matrix = sparse.csr_array(covers)
    if (matrix.data == 0).any():
        matrix = sparse.csr_array(sparse.coo_array(matrix.astype(np.bool_)))
        matrix.eliminate_zeros()
    return Covers(matrix.indptr.astype(np.int64), matrix.indices, int(matrix.shape[1]))


def costs_of(cost: Any) -> Costs:  # noqa: ANN401
    """Return the finite costs row by row."""
    if sparse.issparse(cost):
        known: Any = cost
        pairs = known.tocoo()
        order = np.argsort(pairs.coords[0], kind="stable")
        row, site = pairs.coords[0][order], pairs.coords[1][order]
        value = np.asarray(pairs.data, np.float64)[order]
    else:
        table = np.asarray(cost, np.float64)
        row, site = np.nonzero(np.ones(table.shape, np.bool_))
        value = table.ravel()
    finite = np.isfinite(value)
    n_row, n = np.shape(cost)
    start = np.concatenate([[0], np.cumsum(np.bincount(row[finite], minlength=n_row))])
    return Costs(start, site[finite], value[finite], int(n))


def _whole(values: Sequence[int] | Ints | None, default: Ints) -> Ints:
    return default if values is None else np.asarray(values, np.int64)


def _n_of(pairs: Covers, chosen: Ints) -> Ints:
    """How many chosen options each row has."""
    start, option, n = pairs
    is_open = np.zeros(n, np.bool_)
    is_open[chosen] = True
    count = np.zeros(start.size - 1, np.int64)
    for row, own in _blocks(start, 0):
        total = np.concatenate([[0], np.cumsum(is_open[option[own]])])
        count[row] = np.diff(total[start[row.start : row.stop + 1] - start[row.start]])
    return count


def _blocks(start: npt.NDArray[Any], n_cell: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows, and their pairs, of about so many pairs (or cells of a table with `n_cell` columns) at once."""
    n_row, first = start.size - 1, 0
    most = max(1, _BLOCK // n_cell) if n_cell else n_row
    while first < n_row:
        last = int(np.searchsorted(start, start[first] + _BLOCK, side="right")) - 1
        last = min(max(last, first + 1), first + most, n_row)
        yield slice(first, last), slice(int(start[first]), int(start[last]))
        first = last
