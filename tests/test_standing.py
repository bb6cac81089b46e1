"""Standing coverage: sums that changes are added to exactly."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from servicecircle.standing import exact_parts

numbers = st.lists(st.floats(-1e12, 1e12), max_size=30)


@given(numbers)
def test_parts_have_exactly_the_sum_and_are_few(values: list[float]) -> None:
    parts = exact_parts(values)
    assert sum(map(Fraction, parts)) == sum(map(Fraction, values))
    assert len(parts) <= 40


@given(numbers, numbers, numbers)
def test_a_change_to_the_parts_is_rounded_as_the_sum_of_all(
    stays: list[float], goes: list[float], comes: list[float]
) -> None:
    changed = math.fsum([*exact_parts([*stays, *goes]), *(-x for x in goes), *comes])
    assert changed == math.fsum([*stays, *comes])
