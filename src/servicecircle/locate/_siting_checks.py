"""What a siting question must hold to have a meaning; each fault is told in one message."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray, some
from ..errors import InputError
from ._form import LARGEST, Csr, Indices, Matrix, check_size, check_weight, dense, matrix_of, number, numbers
from ._siting_form import Form, PhaseRule

if TYPE_CHECKING:
    from .siting import Counts, Phase, Siting

_PAIR = 2
_SUM_SLACK = 1e-9


def form_of(siting: Siting) -> Form:
    """
    Return a siting question as arrays, checked.

    Raises
    ------
    InputError
        If shapes disagree or a number is not allowed.
    """
    worth = tuple(_worth(w, name) for w, name in [(siting.worth, "worth"), *((w, "others") for w in siting.others)])
    n_demand, n = worth[0].shape
    for other in worth[1:]:
        if other.shape != worth[0].shape:
            msg = f"`others` must have the shape of `worth`, {worth[0].shape}, got {other.shape}."
            raise InputError(msg, zh=f"各情景矩阵的形状必须都是 {worth[0].shape}，现有 {other.shape}。")
    kind = np.zeros(n, np.int64) if siting.kind is None else _positions(siting.kind, None, "kind", n)
    n_kind = int(kind.max(initial=0)) + 1
    cost = _numbers(siting.cost, n, "cost", 0.0, np.inf)
    is_existing = _mask(siting.existing, n, "existing")
    zone, zone_weight, floor = _zones(siting, check_weight(siting.weight, n_demand))
    amenities, amenity_min = _amenities(siting, n)
    first, second = _backup(siting.backup)
    n_kind = max([n_kind, *(_n_of(p) for p in (siting.p, siting.p_min, *(f.p for f in siting.phases)))])
    phases = _phases(siting, n, n_kind)
    weight = check_weight(siting.weight, n_demand)
    _check_total(weight, (first + second) * sum(phase.weight for phase in phases), cost)
    return Form(
        worth=worth,
        probability=_probability(siting.probability, len(worth)),
        robust=_share(siting.robust, "robust"),
        weight=weight.copy(),
        place=np.arange(n) if siting.place is None else _positions(siting.place, None, "place", n).copy(),
        kind=kind.copy(),
        cost=cost,
        capacity=_numbers(siting.capacity, n, "capacity", np.inf, np.inf, may_be_inf=True),
        amenities=amenities,
        amenity_min=amenity_min,
        p_min=_room(siting.p_min, n_kind, "p_min", 0),
        is_must=_mask(siting.must, n, "must"),
        is_not=_mask(siting.must_not, n, "must_not"),
        is_existing=is_existing,
        max_closed=int(is_existing.sum()) if siting.max_closed is None else _whole(siting.max_closed, "max_closed"),
        conflicts=_conflicts(siting.conflicts, n, is_existing),
        first=first,
        second=second,
        zone=zone,
        zone_weight=zone_weight,
        floor=floor,
        is_fair=bool(siting.fair),
        phases=phases,
        avoid=tuple(np.unique(_positions(held, n, "avoid", None)) for held in siting.avoid),
        n_other=_whole(siting.n_other, "n_other", least=1),
    )


def _check_total(weight: FloatArray, value: float, cost: FloatArray) -> None:
    """Check that the largest objective that there may be is a number, and all costs together."""
    with np.errstate(over="ignore"):
        most = max(float(weight.sum() * value), float(cost.sum()))
    if not most <= LARGEST:
        msg = "Riders times what they count for, or all costs together, are more than a number can hold (1e300)."
        raise InputError(msg, zh="人数与价值之积，或各项费用之和，超过了数值的上限（1e300）。")


def _worth(matrix: Matrix, name: str) -> Csr:
    result: Csr = sparse.csr_array(matrix_of(matrix, name)).astype(np.float64)
    if result.nnz and not ((result.data >= 0) & (result.data <= 1)).all():
        msg = f"`{name}` must lie in [0, 1]; make it from travel times with `worth_of`."
        raise InputError(msg, zh="价值矩阵的数必须在 0 到 1 之间；可用 worth_of 由出行时间生成。")
    result = result.copy()
    if not result.has_canonical_format:
        n_stored = result.nnz
        result.sum_duplicates()
        if result.nnz < n_stored:
            msg = f"`{name}` has a pair more than once."
            raise InputError(msg, zh="价值矩阵中同一对出现了多次。")
    result.eliminate_zeros()
    result.sort_indices()
    check_size(result.data, name)
    return result


def _numbers(
    values: npt.ArrayLike | None, n: int, name: str, default: float, most: float, *, may_be_inf: bool = False
) -> FloatArray:
    if values is None:
        return np.full(n, default)
    array = numbers(values, name).copy()
    if array.shape != (n,):
        msg = f"`{name}` has the shape {array.shape} for {n} options."
        raise InputError(msg, zh=f"`{name}` 的形状是 {array.shape}，而选项有 {n} 个。")
    bad = ~((array >= 0) & (array <= most) & (may_be_inf | np.isfinite(array)))
    if bad.any():
        also = "" if may_be_inf else " and finite"
        msg = f"`{name}` must be >= 0{also}; these are not: {some(np.flatnonzero(bad))}."
        raise InputError(msg, zh=f"`{name}` 必须是不小于 0 的数；这些不是：{some(np.flatnonzero(bad))}。")
    check_size(array, name)
    return array


def _positions(values: npt.ArrayLike, end: int | None, name: str, n: int | None) -> IntArray:
    """Whole numbers from 0 to below `end`; `n` of them, if given."""
    array = dense(values, name)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer) or (n is not None and array.size != n):
        msg = f"`{name}` must hold whole numbers{'' if n is None else f', {n} of them'}."
        raise InputError(msg, zh=f"`{name}` 须为{'' if n is None else f' {n} 个'}整数。")
    most = np.iinfo(np.int64).max if end is None else end
    bad = (array < 0) | (array >= most)
    if bad.any():
        said = ">= 0" if end is None else f"from 0 to below {end}"
        msg = f"`{name}` must be {said}; got {some(array[bad])}."
        raise InputError(msg, zh=f"`{name}` 超出范围：{some(array[bad])}。")
    return array.astype(np.int64)


def _mask(positions: Indices, n: int, name: str) -> BoolArray:
    result = np.zeros(n, dtype=np.bool_)
    result[_positions(positions, n, name, None)] = True
    return result


def _whole(value: object, name: str, *, least: int = 0) -> int:
    try:
        count = operator.index(value)  # type: ignore[arg-type]
    except TypeError as error:
        msg = f"`{name}` must be a whole number, got {value!r}."
        raise InputError(msg, zh=f"`{name}` 必须是整数，现为 {value!r}。") from error
    if count < least:
        msg = f"`{name}` must be >= {least}, got {count}."
        raise InputError(msg, zh=f"`{name}` 不能小于 {least}，现为 {count}。")
    return count


def _n_of(counts: Counts | None) -> int:
    return len(counts) if isinstance(counts, list | tuple | np.ndarray) else 1


def _room(counts: Counts | None, n_kind: int, name: str, default: int) -> IntArray:
    if counts is None:
        return np.full(n_kind, default)
    each = list(counts) if isinstance(counts, list | tuple | np.ndarray) else [counts]
    if len(each) != n_kind:
        msg = f"`{name}` must hold one count for each of the {n_kind} kinds, got {counts!r}."
        raise InputError(msg, zh=f"`{name}` 须为 {n_kind} 类设施各给一个数量，现为 {counts!r}。")
    # more than a number of machine size can hold is as many as there are
    return np.array([default if c is None else min(_whole(c, name), 2**62) for c in each], dtype=np.int64)


def _phases(siting: Siting, n: int, n_kind: int) -> tuple[PhaseRule, ...]:
    if not siting.phases:
        return (PhaseRule(_room(siting.p, n_kind, "p", n), _budget(siting.budget), 1.0),)
    if siting.p is not None or siting.budget is not None:
        msg = "`p` and `budget` stand in `phases` where there are any."
        raise InputError(msg, zh="分期时，数量和预算写在各期里。")
    return tuple(_phase(phase, n, n_kind) for phase in siting.phases)


def _phase(phase: Phase, n: int, n_kind: int) -> PhaseRule:
    if not 0 <= number(phase.weight, "weight") < np.inf:
        msg = f"`weight` of a phase must be finite and >= 0, got {phase.weight}."
        raise InputError(msg, zh=f"各期的权重必须是不小于 0 的数，现为 {phase.weight}。")
    return PhaseRule(_room(phase.p, n_kind, "p", n), _budget(phase.budget), float(phase.weight))


def _budget(budget: float | None) -> float:
    if budget is None:
        return float(np.inf)
    if not number(budget, "budget") >= 0:
        msg = f"`budget` must be >= 0, got {budget}."
        raise InputError(msg, zh=f"预算不能为负，现为 {budget}。")
    return float(budget)


def _amenities(siting: Siting, n: int) -> tuple[BoolArray, IntArray]:
    if siting.amenities is None:
        if siting.amenity_min is not None:
            msg = "`amenity_min` needs `amenities`."
            raise InputError(msg, zh="给出了设施服务的数量要求，却没有说明哪些选项提供。")
        return np.zeros((n, 0), dtype=np.bool_), np.zeros(0, dtype=np.int64)
    offered = dense(siting.amenities, "amenities").copy()
    if offered.ndim != _PAIR or offered.shape[0] != n or not np.isin(offered, (0, 1)).all():
        msg = f"`amenities` must hold true and false, shape (n_option, n_amenity), got the shape {offered.shape}."
        raise InputError(msg, zh="各选项提供的服务须为真或假，形状为 (n_option, n_amenity)。")
    least = np.zeros(offered.shape[1], np.int64)
    if siting.amenity_min is not None:
        least = _positions(siting.amenity_min, None, "amenity_min", None)
        if least.size != offered.shape[1]:
            msg = f"`amenity_min` has {least.size} entries for {offered.shape[1]} amenities."
            raise InputError(msg, zh=f"服务有 {offered.shape[1]} 种，数量要求却有 {least.size} 个。")
    return offered.astype(np.bool_), least


def _backup(backup: tuple[float, float]) -> tuple[float, float]:
    values = numbers(backup, "backup")
    if values.shape != (_PAIR,) or not np.isfinite(values).all() or (values < 0).any():
        msg = f"`backup` must hold the value of the first and of the second cover, each >= 0, got {backup!r}."
        raise InputError(msg, zh=f"第一重与第二重覆盖的价值须为两个不小于 0 的数，现为 {backup!r}。")
    return float(values[0]), float(values[1])


def _share(value: float, name: str) -> float:
    if not 0 <= number(value, name) <= 1:
        msg = f"`{name}` must lie in [0, 1], got {value}."
        raise InputError(msg, zh=f"`{name}` 必须在 0 到 1 之间，现为 {value}。")
    return float(value)


def _probability(probability: npt.ArrayLike | None, n: int) -> FloatArray:
    if probability is None:
        return np.full(n, 1.0 / n)
    array = numbers(probability, "probability").copy()
    if array.shape != (n,) or not (array >= 0).all() or not abs(array.sum() - 1) <= _SUM_SLACK:
        msg = f"`probability` must hold {n} numbers >= 0 that add up to 1 (`worth` first), got {probability!r}."
        raise InputError(msg, zh=f"情景概率须为 {n} 个不小于 0 的数，合计为 1，现为 {probability!r}。")
    return array


def _conflicts(pairs: npt.ArrayLike | None, n: int, is_existing: BoolArray) -> IntArray:
    array = np.zeros((0, _PAIR), np.int64) if pairs is None else dense(pairs, "conflicts")
    if array.size == 0:
        return np.zeros((0, _PAIR), np.int64)
    if array.ndim != _PAIR or array.shape[1] != _PAIR:
        msg = f"`conflicts` must hold pairs, shape (n, 2), got the shape {array.shape}."
        raise InputError(msg, zh="间距冲突须为成对的选项，形状为 (n, 2)。")
    found = np.sort(_positions(array.ravel(), n, "conflicts", None).reshape(-1, _PAIR), axis=1)
    if (found[:, 0] == found[:, 1]).any():
        msg = "`conflicts` sets an option against itself."
        raise InputError(msg, zh="间距冲突中有选项与自己成对。")
    return np.unique(found[~is_existing[found].all(axis=1)], axis=0)


def _zones(siting: Siting, weight: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    if siting.zone is None:
        if siting.floor is not None or siting.fair:
            msg = "`floor` and `fair` need `zone`."
            raise InputError(msg, zh="保底与公平都需要说明每个需求点属于哪个网格。")
        return np.full(weight.size, -1), np.zeros(0), np.zeros(0)
    return check_zones(siting.zone, 0.0 if siting.floor is None else siting.floor, weight)


def check_zones(zone: Indices, floor: npt.ArrayLike, weight: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """
    Return zone of each row, weight and floor of each zone.

    Raises
    ------
    InputError
        If a zone is no whole number >= -1, or a floor is no share, or there are fewer floors than zones.
    """
    given = dense(zone, "zone")
    zone_of = _positions(np.where(given == -1, 0, given), None, "zone", weight.size) - (given == -1)
    n_zone = int(zone_of.max(initial=-1)) + 1
    least = numbers(floor, "floor").copy()
    if least.ndim > 1 or (least.ndim and least.size < n_zone) or not ((least >= 0) & (least <= 1)).all():
        msg = f"`floor` must be a share in [0, 1], or one for each of {n_zone} zones, got {floor!r}."
        raise InputError(msg, zh=f"保底须是 0 到 1 之间的比例，或为 {n_zone} 个网格各给一个，现为 {floor!r}。")
    least = np.full(n_zone, float(least)) if least.ndim == 0 else least
    return zone_of, _sums(zone_of, weight, least.size), least


def _sums(zone: IntArray, weight: FloatArray, n_zone: int) -> FloatArray:
    """Weight of each zone, added in ascending order: the same for any order of rows."""
    keep = zone >= 0
    order = np.lexsort((weight[keep], zone[keep]))
    total: FloatArray = np.bincount(zone[keep][order], weight[keep][order], minlength=n_zone).astype(np.float64)
    return total
