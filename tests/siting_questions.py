"""Siting questions with every mix of rules, and their best answer by brute force over every subset."""

import itertools
import math

import numpy as np
from every_subset import RULES
from hypothesis import strategies as st
from scipy.optimize import linprog

from servicecircle.locate import Phase, Siting, WorthCurve, worth_of

CLOSE = 1e-6


# ------------------------------------------------------------------------------------------------------ the oracle
def limits(p, unlimited):
    each = p if isinstance(p, list) else [p]
    return [unlimited if k is None else k for k in [*each, None][:2]]


def keeps_the_rules(q: Siting, chosen: set, phase: Phase, *, is_last: bool) -> bool:
    n = np.shape(q.worth)[1]
    kind = [0] * n if q.kind is None else list(q.kind)
    place = list(range(n)) if q.place is None else list(q.place)
    existing = set(q.existing)
    cost = [0.0] * n if q.cost is None else list(q.cost)
    count = [sum(kind[j] == k for j in chosen) for k in range(2)]
    spent = sum(cost[j] for j in chosen - existing) - sum(cost[j] for j in existing - chosen)
    pairs = [set(map(int, pair)) for pair in ([] if q.conflicts is None else q.conflicts)]
    holds = all(c <= limit for c, limit in zip(count, limits(phase.p, math.inf), strict=True))
    holds &= phase.budget is None or spent <= phase.budget + 1e-9
    holds &= len({place[j] for j in chosen}) == len(chosen)
    holds &= q.max_closed is None or len(existing - chosen) <= q.max_closed
    holds &= not any(pair <= chosen and not pair <= existing for pair in pairs)
    if is_last:
        holds &= q.p_min is None or all(c >= k for c, k in zip(count, limits(q.p_min, 0), strict=True))
        holds &= set(q.must) <= chosen and not set(q.must_not) & chosen
        if q.amenities is not None:
            holds &= all(sum(q.amenities[j][b] for j in chosen) >= m for b, m in enumerate(q.amenity_min))
        holds &= all(len(set(held) - chosen) >= q.n_other for held in q.avoid)
    return holds


def first_cover(q: Siting, w, chosen, floor):
    """Largest sum of a_i w_ij over the assignment, and what is needed for a floor; None where it cannot be held."""
    a = np.asarray(q.weight, float)
    n = w.shape[1]
    capacity = np.full(n, np.inf) if q.capacity is None else np.asarray(q.capacity, float)
    pairs = [(i, j) for i in range(len(a)) for j in sorted(chosen) if w[i, j] > 0 and a[i] > 0]
    zones = (
        [] if q.zone is None else [g for g in sorted(set(q.zone)) if g >= 0 and a[np.array(q.zone) == g].sum() > 0]
    )
    floors = np.zeros(len(zones)) if floor is None else np.broadcast_to(floor, (max(q.zone) + 1,))[zones]
    total = np.array([a[np.array(q.zone) == g].sum() for g in zones])
    if not np.isfinite(capacity).any():
        v = w[:, sorted(chosen)].max(axis=1, initial=0)
        got = np.array([(a * v)[np.array(q.zone) == g].sum() for g in zones])
        share = got / total if zones else np.zeros(0)
        return ((a * v).sum(), min(share, default=1.0)) if (share >= floors - CLOSE).all() else None
    if not pairs:
        return (0.0, 0.0 if zones else 1.0) if (floors <= 0).all() else None
    row, lim, low = [], [], len(pairs) + 1
    for i in range(len(a)):
        row.append([*(float(k == i) for k, _ in pairs), 0.0])
        lim.append(a[i])
    for j in sorted(chosen):
        if np.isfinite(capacity[j]):
            row.append([*(float(m == j) for _, m in pairs), 0.0])
            lim.append(capacity[j])
    for g, f, t in zip(zones, floors, total, strict=True):
        share = [-w[i, j] * (q.zone[i] == g) for i, j in pairs]
        row.append([*share, 0.0])
        lim.append(-f * t + 1e-9)
        row.append([*share, t])
        lim.append(0.0)
    gain = [-w[i, j] for i, j in pairs]
    best = linprog([*gain, 0.0], A_ub=row, b_ub=lim, bounds=[(0, None)] * (low - 1) + [(0, 1)])
    if best.status == 2:
        return None
    worst = linprog([0.0] * (low - 1) + [-1.0], A_ub=row, b_ub=lim, bounds=[(0, None)] * (low - 1) + [(0, 1)])
    return -best.fun, -worst.fun if zones else 1.0


def value_of(q: Siting, chosen, floor, *, is_last: bool):
    """Value of a phase and least share of all zones; None where a floor cannot be held."""
    a = np.asarray(q.weight, float)
    values, worst = [], 1.0
    for matrix in [q.worth, *q.others]:
        w = np.asarray(matrix, float)
        got = first_cover(q, w, chosen, floor if is_last else None)
        if got is None:
            return None
        second = np.sort(np.pad(w[:, sorted(chosen)], ((0, 0), (2, 0))), axis=1)[:, -2]
        values.append(q.backup[0] * got[0] + q.backup[1] * (a * second).sum())
        worst = min(worst, got[1])
    chance = [1 / len(values)] * len(values) if q.probability is None else q.probability
    return (1 - q.robust) * np.dot(chance, values) + q.robust * min(values), worst


def brute_force(q: Siting):
    """Best objective (and worst share) over every nested sequence of subsets; None if there is none."""
    n = np.shape(q.worth)[1]
    phases = list(q.phases) or [Phase(q.p, q.budget)]
    existing = set(q.existing)
    subsets = [set(c) for r in range(n + 1) for c in itertools.combinations(range(n), r)]
    lists = [
        [s for s in subsets if keeps_the_rules(q, s, f, is_last=t == len(phases) - 1)] for t, f in enumerate(phases)
    ]

    def search(floor):
        known = [
            [(s, v) for s in found if (v := value_of(q, s, floor, is_last=t == len(phases) - 1)) is not None]
            for t, found in enumerate(lists)
        ]
        best = [(v[0] * phases[0].weight, v[1], s) for s, v in known[0]]
        for phase, found in zip(phases[1:], known[1:], strict=True):
            grown = []
            for s, v in found:
                before = [b for b, _, e in best if (e - existing) <= s and (s & existing) <= e]
                if before:
                    grown.append((max(before) + phase.weight * v[0], v[1], s))
            best = grown
        return best

    best = search(q.floor)
    if not best:
        return None
    if not q.fair:
        return max(b for b, _, _ in best), math.nan
    worst = max(w for _, w, _ in best)
    own = np.zeros(max(q.zone) + 1) if q.floor is None else np.broadcast_to(q.floor, (max(q.zone) + 1,))
    return max(b for b, _, _ in search(np.maximum(own, worst * (1 - 1e-8)))), worst


# --------------------------------------------------------------------------------------------------- the questions
WORTHS = {"plain": [0, 0, 1], "steps": [0, 0, 0.5, 1], "any": [0, 0.125, 0.25, 0.5, 0.75, 1]}


@st.composite
def questions(draw, n_most=6, rules=None):  # noqa: C901, PLR0912, PLR0915 (one draw after the other)
    chosen = set(draw(st.lists(st.sampled_from(RULES), max_size=6, unique=True)) if rules is None else rules)
    n_demand, n = draw(st.integers(1, 6)), draw(st.integers(1, 4 if "phases" in chosen else n_most))
    worths = st.sampled_from(WORTHS[draw(st.sampled_from(sorted(WORTHS)))])
    whole = st.integers

    def several(values, size):
        return draw(st.lists(values, min_size=size, max_size=size))

    def matrix():
        return np.array(several(worths, n_demand * n), float).reshape(n_demand, n)

    def positions(most=2):
        return draw(st.lists(whole(0, n - 1), max_size=most, unique=True))

    has = chosen.__contains__
    given: dict = {"worth": matrix(), "weight": [float(a) for a in several(whole(0, 5), n_demand)]}
    if has("places"):
        given["place"] = several(whole(0, 3), n)
    if has("kinds"):
        given["kind"] = [0, *several(whole(0, 1), n - 1)] if n == 1 else [0, 1, *several(whole(0, 1), n - 2)]
    n_kind = max(given.get("kind", [0])) + 1

    def counts(most):
        each = several(st.one_of(st.none(), whole(0, most)), n_kind)
        return each if n_kind > 1 else each[0]

    if has("p"):
        given["p"] = counts(3)
    if has("p_min"):
        given["p_min"] = counts(2)
    if has("budget") or has("close_all"):
        given["cost"] = [float(c) for c in several(whole(0, 5), n)]
        given["budget"] = float(draw(whole(0, 9)))
    if has("capacity"):
        given["capacity"] = several(st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, math.inf]), n)
    if has("amenities"):
        given["amenities"] = np.array(several(st.booleans(), 2 * n)).reshape(n, 2)
        given["amenity_min"] = several(whole(0, 1), 2)
    if has("must"):
        given["must"] = positions()
    if has("must_not"):
        given["must_not"] = positions()
    if has("existing") or has("close_all"):
        given["existing"] = positions(3)
        given["max_closed"] = None if has("close_all") else draw(whole(0, 2))
    if has("conflicts"):
        pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
        given["conflicts"] = draw(st.lists(st.sampled_from(pairs), max_size=6)) if pairs else None
    if has("backup") or has("second_more"):
        given["backup"] = (0.25, 1.0) if has("second_more") else (1.0, draw(st.sampled_from([0.25, 1.0])))
    if has("zones") or has("floor") or has("floors") or has("fair"):
        given["zone"] = several(whole(-1, 2), n_demand)
        n_zone = max(given["zone"]) + 1
        if has("floors"):
            given["floor"] = several(st.sampled_from([0.0, 0.25, 0.5, 0.9]), n_zone)
        elif has("floor"):
            given["floor"] = draw(st.sampled_from([0.25, 0.5, 0.8]))
        given["fair"] = has("fair")
    if has("closures"):
        given["others"] = [matrix() for _ in range(draw(whole(1, 2)))]
        if draw(st.booleans()):
            given["probability"] = [0.5, 0.5] if len(given["others"]) == 1 else [0.5, 0.25, 0.25]
        given["robust"] = 1.0 if has("robust") else 0.5 if has("mix") else 0.0
    if has("phases"):
        limits = [(given.get("p"), given.get("budget"))]
        given.pop("p", None), given.pop("budget", None)
        steps = [Phase(counts(2), draw(st.one_of(st.none(), whole(0, 6))), draw(st.sampled_from([0.5, 1.0])))]
        given["phases"] = [*steps, Phase(*limits[0])]
    if has("avoid"):
        given["avoid"] = [positions(3) or [0]]
        given["n_other"] = 1
    return Siting(**given)


# ---------------------------------------------------------------------------------------------------------- a town
def town(n_demand, n_site, seed=3):
    rng = np.random.default_rng(seed)
    at, sites = rng.uniform(0, 5000, (n_demand, 2)), rng.uniform(0, 5000, (n_site, 2))
    metres = np.abs(at[:, None] - sites[None]).sum(axis=2)
    worth = worth_of(metres, WorthCurve((600, 1000), (1.0, 0.0), is_stepped=False))
    zone = (at // 1700).astype(int) @ [3, 1]
    return Siting(worth=worth, weight=rng.integers(1, 40, n_demand).astype(float), zone=zone, p=6)
