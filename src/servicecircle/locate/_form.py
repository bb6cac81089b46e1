"""
The form that every location problem shares: demand rows x site options, sparse.

An *option* is one way to use a place: a station there, or a shop there. Each option belongs to a *group* (its
kind) of which at most `room` may be chosen, and to a *place* that takes at most one of its options. *Rows* are
demand points; `_merge` makes one of those with the same covering set. Problems differ in objective and in what
every row demands, not in form.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray, some
from ..errors import InputError

Csr: TypeAlias = "sparse.csr_array[Any, tuple[int, int]]"
Csc: TypeAlias = "sparse.csc_array[Any]"
#: a dense array, or any SciPy sparse array or matrix, shape `(n_demand, n_site)`
Matrix: TypeAlias = "npt.ArrayLike | sparse.sparray | sparse.spmatrix"
Indices: TypeAlias = "Sequence[int] | npt.NDArray[np.integer[Any]]"

_MATRIX_DIMENSIONS = 2
#: sizes of numbers that can be scaled and added up without leaving what a float holds
SMALLEST, LARGEST = 1e-300, 1e300


@dataclass(frozen=True, eq=False)
class Options:
    """What may be chosen: site options with their group, place and fixed ones."""

    group: IntArray  # (n_option,) group of each option
    room: IntArray  # (n_group,) most options of each group, fixed ones included
    place: IntArray  # (n_option,) a place takes at most one of its options
    fixed: IntArray  # positions that every plan holds, ascending

    @property
    def n(self) -> int:
        """Number of options."""
        return self.group.size

    def open_to(self, is_chosen: BoolArray) -> BoolArray:
        """Return which options a plan may still add: their group has room, their place is free."""
        left = self.room - np.bincount(self.group[is_chosen], minlength=self.room.size)
        is_taken = np.zeros(self.place.max(initial=-1) + 1, dtype=np.bool_)
        is_taken[self.place[is_chosen]] = True
        free: BoolArray = ~is_chosen & (left[self.group] > 0) & ~is_taken[self.place]
        return free

    def faults_of(self, chosen: IntArray) -> list[str]:
        """Return what a plan does that it must not, in words; none if it keeps every rule."""
        faults = []
        if np.unique(chosen).size != chosen.size or (chosen < 0).any() or (chosen >= self.n).any():
            return ["a site is chosen twice, or does not exist"]
        if (np.bincount(self.group[chosen], minlength=self.room.size) > self.room).any():
            faults.append("more sites than allowed")
        if np.unique(self.place[chosen]).size != chosen.size:
            faults.append("two options of one place")
        if not np.isin(self.fixed, chosen).all():
            faults.append("a fixed site is missing")
        return faults


# ------------------------------------------------------------------------------------------------------- checks
def numbers(values: npt.ArrayLike, name: str) -> FloatArray:
    """
    Return `values` as floats, without a copy where they are.

    Raises
    ------
    InputError
        If they are no numbers, or lists of different lengths.
    """
    known = dense(values, name)
    if known.size and known.dtype.kind not in "biuf":
        msg = f"`{name}` must hold numbers only."
        raise InputError(msg, zh=f"`{name}` 只能是数字。")
    return known.astype(np.float64, copy=False)


def number(value: object, name: str) -> float:
    """
    Return `value` as a float.

    Raises
    ------
    InputError
        If it is no number.
    """
    try:
        if isinstance(value, Real):
            return float(value)
    except OverflowError:  # a whole number beyond every float
        pass
    msg = f"`{name}` must be a number, got {value!r}."
    raise InputError(msg, zh=f"`{name}` 必须是数字，现为 {value!r}。")


def dense(values: Any, name: str) -> npt.NDArray[Any]:  # noqa: ANN401 - what NumPy makes an array of
    """
    Return `values` as an array.

    Raises
    ------
    InputError
        If they are lists of different lengths.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        msg = f"`{name}` must hold lists of one length."
        raise InputError(msg, zh=f"`{name}` 中各行的长度必须相同。") from error


def matrix_of(values: Matrix, name: str) -> Any:  # noqa: ANN401 - an array, or any SciPy sparse array or matrix
    """
    Return `values` as they are, if they are a matrix of numbers; lists as an array.

    Raises
    ------
    InputError
        If it is no matrix, or holds no numbers.
    """
    known: Any = values if sparse.issparse(values) else dense(values, name)
    check_shape(known.shape, name)
    if known.shape[0] and known.shape[1] and known.dtype.kind not in "biuf":
        msg = f"`{name}` must hold numbers only."
        raise InputError(msg, zh=f"`{name}` 只能是数字。")
    return known


def check_shape(shape: tuple[int, ...], name: str) -> None:
    """Raise unless `shape` is that of a matrix."""
    if len(shape) != _MATRIX_DIMENSIONS:
        msg = f"`{name}` must have the shape (n_demand, n_site), got {shape}."
        raise InputError(msg)


def check_size(values: FloatArray, name: str) -> None:
    """
    Check that numbers can be multiplied and added without leaving what a float holds; `inf` may stand for no limit.

    Raises
    ------
    InputError
        If one is neither 0 nor from 1e-300 to 1e300.
    """
    size = np.abs(values)
    bad = ((size > 0) & (size < SMALLEST)) | ((size > LARGEST) & (size < np.inf))
    if bad.any():
        msg = f"`{name}` holds {values[bad][0]:g}; a number must be 0, or from 1e-300 to 1e300."
        raise InputError(msg, zh=f"`{name}` 中有 {values[bad][0]:g}；数值只能是 0，或在 1e-300 到 1e300 之间。")


def check_weight(weight: npt.ArrayLike, n_demand: int) -> FloatArray:
    """
    Return `weight` as floats.

    Raises
    ------
    InputError
        If its shape is not `(n_demand,)`, or a weight is negative, not finite or too small, or their sum too large.
    """
    array = numbers(weight, "weight")
    if array.shape != (n_demand,):
        msg = f"`weight` has the shape {array.shape} for {n_demand} demand points."
        raise InputError(msg)
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        msg = f"`weight` must be finite and >= 0; these rows are not: {some(np.flatnonzero(bad))}."
        raise InputError(msg)
    with np.errstate(over="ignore"):
        if not array.sum() <= LARGEST:
            msg = "`weight` adds up to more than a number can hold (1e300)."
            raise InputError(msg, zh="权重之和超过了数值的上限（1e300）。")
    check_size(array, "weight")
    return array


def check_options(
    n: int,
    p: int | Sequence[int],
    *,
    fixed: Indices | None,
    group: Indices | None = None,
    place: Indices | None = None,
) -> Options:
    """
    Return the site options, checked.

    Raises
    ------
    InputError
        If a count is negative or no whole number, a position does not exist, shapes disagree, or the fixed sites
        alone break the rules.
    """
    each = [_count(k) for k in (list(p) if isinstance(p, Sequence | np.ndarray) and np.ndim(p) else [p])]
    if not each or (group is None and len(each) > 1):
        msg = f"`p` must hold one count for each kind, got {p!r}."
        raise InputError(msg, zh=f"`p` 须为每类设施各给一个数量，现为 {p!r}。")
    room = np.array([min(count, n) for count in each], dtype=np.int64)
    groups = np.zeros(n, np.int64) if group is None else _positions(group, room.size, "group", n)
    places = np.arange(n) if place is None else _positions(place, None, "place", n)
    held = _positions([] if fixed is None else fixed, n, "fixed", None)
    options = Options(groups, room, np.unique(places, return_inverse=True)[1].astype(np.int64), np.unique(held))
    faults = options.faults_of(options.fixed)
    if faults:
        msg = f"`fixed` breaks the rules of `p`, which counts the fixed sites: {'; '.join(faults)}."
        raise InputError(msg)
    return options


def check_limits(time_limit_s: float | None, gap: float) -> float:
    """
    Return the time limit in seconds, `inf` for none.

    Raises
    ------
    InputError
        If it or `gap` is negative or no number.
    """
    limit = np.inf if time_limit_s is None else number(time_limit_s, "time_limit_s")
    if not limit >= 0:
        msg = f"`time_limit_s` must be >= 0, got {time_limit_s}."
        raise InputError(msg)
    if not 0 <= number(gap, "gap") < np.inf:
        msg = f"`gap` must be >= 0 and finite, got {gap}."
        raise InputError(msg)
    return limit


def _count(value: object) -> int:
    try:
        count = operator.index(value)  # type: ignore[arg-type]
    except TypeError as error:
        msg = f"`p` must be a whole number, got {value!r}."
        raise InputError(msg, zh=f"选址数量必须是整数，现为 {value!r}。") from error
    if count < 0:
        msg = f"`p` must be >= 0, got {count}."
        raise InputError(msg, zh=f"选址数量不能为负，现为 {count}。")
    return count


def _positions(values: Indices, end: int | None, name: str, n: int | None) -> IntArray:
    array = dense(values, name)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer) or (n is not None and array.size != n):
        msg = f"`{name}` must hold whole numbers, {'one for each site' if n is not None else 'positions of sites'}."
        raise InputError(msg)
    bad = (array < 0) | (array >= (np.iinfo(np.int64).max if end is None else end))
    if bad.any():
        msg = f"`{name}` must lie from 0 to below {end}; got {some(array[bad])}."
        raise InputError(msg)
    return array.astype(np.int64)
