"""The combined siting model against every subset of up to 15 options, with every mix of all rules."""

import pytest
from every_subset import RULES, EverySubset, TooManyProgramsError, question_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_siting import brute_force

from servicecircle.locate import Siting, solve_siting


def agrees_with_every_subset(q: Siting) -> None:
    try:
        best = EverySubset(q).best()
    except TooManyProgramsError:
        assume(False)
    plan = solve_siting(q)
    if best is None:
        assert plan.status == "infeasible"
        assert plan.reasons
        return
    assert (plan.status, plan.gap, plan.bound) == ("optimal", 0, plan.objective)
    assert plan.objective == pytest.approx(best[0], rel=1e-6, abs=1e-7)
    if q.fair:
        assert plan.worst_share == pytest.approx(best[1], abs=1e-6)


#: few rules leave much to choose, all of them little
some_rules = st.one_of(st.frozensets(st.sampled_from(RULES), max_size=k) for k in (4, 8, len(RULES)))
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_rules, st.integers(2, 6), seeds)
def test_both_oracles_agree(rules: frozenset[str], n: int, seed: int) -> None:
    q = question_of(rules, n, seed)  # the other looks at one subset after the other
    one, other = EverySubset(q).best(), brute_force(q)
    assert (one is None) == (other is None)
    if one is not None:
        assert one == pytest.approx(other, abs=1e-6, nan_ok=True)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_rules, st.integers(9, 15), seeds)
def test_every_mix_of_rules_is_answered_as_by_every_subset(rules: frozenset[str], n: int, seed: int) -> None:
    agrees_with_every_subset(question_of(rules, n, seed))
