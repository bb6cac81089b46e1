"""The oracle of the combined siting model: every rule and value of all subsets of options at once, in NumPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.optimize import linprog

from servicecircle.locate import Phase, Siting

CLOSE = 1e-6
#: subsets of seats and floors whose program is solved, at most; more than that is no answer
MOST_PROGRAMS = 1500


class TooManyProgramsError(Exception):
    """Seats and floors together leave too many subsets to look at."""


class EverySubset:
    """All subsets of the options of a question: row `s` of `is_open` holds option *j* if bit *j* of `s` is set."""

    def __init__(self, q: Siting) -> None:
        self.q, self.n = q, np.shape(q.worth)[1]
        self.is_open = (np.arange(2**self.n)[:, None] >> np.arange(self.n) & 1).astype(bool)
        self.worths = [np.asarray(w, float) for w in (q.worth, *q.others)]
        chance = [1 / len(self.worths)] * len(self.worths)
        self.chance = np.array(chance if q.probability is None else q.probability)
        self.weight = np.asarray(q.weight, float)
        self.seats = np.full(self.n, np.inf) if q.capacity is None else np.asarray(q.capacity, float)
        self.phases = list(q.phases) or [Phase(q.p, q.budget)]
        self.existing = np.isin(np.arange(self.n), list(q.existing))
        zone = np.full(self.weight.size, -1) if q.zone is None else np.asarray(q.zone)
        self.zones = [zone == g for g in range(zone.max() + 1) if self.weight[zone == g].sum() > 0]
        every = np.zeros(zone.max() + 1) if q.floor is None else np.broadcast_to(q.floor, (zone.max() + 1,))
        self.floor = np.array([every[g] for g in range(zone.max() + 1) if self.weight[zone == g].sum() > 0])
        self.n_program = 0

    # ---------------------------------------------------------------------------------------------------- rules
    def keeps(self, phase: Phase, *, is_last: bool) -> np.ndarray:
        """Return which subsets may be open in a phase."""
        q, on = self.q, self.is_open
        kind = np.zeros(self.n, int) if q.kind is None else np.asarray(q.kind)
        place = np.arange(self.n) if q.place is None else np.asarray(q.place)
        cost = np.zeros(self.n) if q.cost is None else np.asarray(q.cost, float)
        count = np.stack([on[:, kind == k].sum(axis=1) for k in range(2)], axis=1)
        holds = (count <= _limits(phase.p, math.inf)).all(axis=1)
        if phase.budget is not None:
            holds &= on @ cost - cost[self.existing].sum() <= phase.budget + 1e-9
        for one in np.unique(place):
            holds &= on[:, place == one].sum(axis=1) <= 1
        if q.max_closed is not None:
            holds &= (~on[:, self.existing]).sum(axis=1) <= q.max_closed
        for a, b in [] if q.conflicts is None else q.conflicts:
            if not (self.existing[a] and self.existing[b]):
                holds &= ~(on[:, a] & on[:, b])
        return holds & self._keeps_ends(count) if is_last else holds

    def _keeps_ends(self, count: np.ndarray) -> np.ndarray:
        q, on = self.q, self.is_open
        holds = (count >= _limits(q.p_min, 0)).all(axis=1)
        holds &= on[:, list(q.must)].all(axis=1) & ~on[:, list(q.must_not)].any(axis=1)
        if q.amenities is not None:
            holds &= (on.astype(int) @ np.asarray(q.amenities).astype(int) >= q.amenity_min).all(axis=1)
        for held in q.avoid:
            holds &= (~on[:, list(set(held))]).sum(axis=1) >= q.n_other
        return holds

    # ---------------------------------------------------------------------------------------------------- values
    def best_two(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the best and the second best worth of each row in each subset, shape `(2^n, n_demand)`."""
        first = np.zeros((1, w.shape[0]))
        second = first
        for j in range(self.n):
            own = w[:, j]
            second = np.concatenate([second, np.maximum(second, np.minimum(first, own))])
            first = np.concatenate([first, np.maximum(first, own)])
        return first, second

    def seated(self, w: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """
        Return the most worth that each subset seats, by the dual of the transport problem.

        The dual is the least of a.pi + seats.mu with pi_i + mu_j >= w_ij. Its vertices are multiples of what all
        worths are multiples of (the matrix is totally unimodular), so that trying these for pi is enough.
        """
        on = self.is_open.astype(float)
        dear = weight.sum() + 1.0  # what no limit counts for
        seats = np.minimum(self.seats, dear)
        best = np.full(len(on), np.inf)
        used = np.flatnonzero(weight > 0)
        unit = 1.0 / _denominator(w)
        levels = np.arange(0.0, 1.0 + unit / 2, unit)
        prices = np.array(list(itertools.product(levels, repeat=used.size)))
        for price in np.array_split(prices, max(1, len(prices) // 100)):
            own = np.maximum(w[used][None] - price[:, :, None], 0.0).max(axis=1, initial=0.0)
            own[:, np.isinf(self.seats)] *= 1e6  # a seat without a limit is worth nothing
            best = np.minimum(best, (on @ (own * seats).T + price @ weight[used]).min(axis=1))
        return best

    def most(self, *, is_last: bool) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return value and least share of each scenario; with seats and floors together they are upper bounds."""
        q, has_seats = self.q, bool(np.isfinite(self.seats).any())
        values, shares = [], []
        for w in self.worths:
            first, second = self.best_two(w)
            got = self.seated(w, self.weight) if has_seats else first @ self.weight
            values.append(q.backup[0] * got + q.backup[1] * (second @ self.weight))
            share = np.ones((len(first), len(self.zones) + 1))
            for k, inside in enumerate(self.zones if is_last else ()):
                own = np.where(inside, self.weight, 0.0)
                share[:, k] = (self.seated(w, own) if has_seats else first @ own) / own.sum()
            shares.append(share)
        return values, shares

    def mixed(self, values: list[np.ndarray]) -> np.ndarray:
        average = np.tensordot(self.chance, np.array(values), axes=1)
        return (1 - self.q.robust) * average + self.q.robust * np.min(values, axis=0)

    # ---------------------------------------------------------------------------------------------------- answer
    def best(self) -> tuple[float, float] | None:
        """Return the best objective, and the best worst share where it comes first; None if there is no plan."""
        before = self._before()
        weight = self.phases[-1].weight
        values, shares = self.most(is_last=True)
        can = np.isfinite(before) & self.keeps(self.phases[-1], is_last=True)
        has_programs = bool(np.isfinite(self.seats).any()) and bool(self.zones)

        def search(total: np.ndarray, floor: np.ndarray, aim: int) -> float:
            may = can & np.all([(s[:, :-1] >= floor - CLOSE).all(axis=1) for s in shares], axis=0)
            total = np.where(may, total, -np.inf)
            if not has_programs or (aim == 0 and not floor.any()):
                return float(total.max())
            return self._by_programs(total, floor, aim, before)

        total = before + weight * self.mixed(values)
        if not self.q.fair:
            best = search(total, self.floor, 0)
            return (best, math.nan) if np.isfinite(best) else None
        worst = search(np.min([s.min(axis=1) for s in shares], axis=0), self.floor, 1)
        if not np.isfinite(worst):
            return None
        return search(total, np.maximum(self.floor, worst * (1 - 1e-8)), 0), worst

    def _before(self) -> np.ndarray:
        """Return what all phases but the last give at most, where they grow into each subset; -inf: they cannot."""
        best = np.zeros(2**self.n)
        for phase in self.phases[:-1]:
            own = self.mixed(self.most(is_last=False)[0])
            best = np.where(self.keeps(phase, is_last=False), best + phase.weight * own, -np.inf)
            changed = best[np.arange(best.size) ^ int((self.existing << np.arange(self.n)).sum())]
            for j in range(self.n):  # what has changed once stays so
                pairs = changed.reshape(-1, 2, 2**j)
                pairs[:, 1] = np.maximum(pairs[:, 0], pairs[:, 1])
            best = changed[np.arange(best.size) ^ int((self.existing << np.arange(self.n)).sum())]
        return best

    def _by_programs(self, total: np.ndarray, floor: np.ndarray, aim: int, before: np.ndarray) -> float:
        """Solve the seats of the subset that may be best, until it is: what it misses, its subsets miss too."""
        total, is_exact = total.copy(), np.zeros(total.size, bool)
        while True:
            s = int(np.argmax(total + 1e-12 * self.is_open.sum(axis=1)))
            if not np.isfinite(total[s]) or is_exact[s]:
                return float(total[s])
            self.n_program += len(self.worths)
            if self.n_program > MOST_PROGRAMS:
                raise TooManyProgramsError
            own = [self._program(w, s, floor, aim) for w in self.worths]
            inside = (np.arange(total.size) & ~s) == 0
            if any(one is None for one in own):
                total[inside] = -np.inf
            elif aim:
                total[inside] = np.minimum(total[inside], min(own))
                is_exact[s] = True
            else:
                second = [m[s] for m in self._seconds]
                values = [np.array([self.q.backup[0] * a + b]) for a, b in zip(own, second, strict=True)]
                total[s] = before[s] + self.phases[-1].weight * self.mixed(values)[0]
                is_exact[s] = True

    @property
    def _seconds(self) -> list[np.ndarray]:
        return [self.q.backup[1] * (self.best_two(w)[1] @ self.weight) for w in self.worths]

    def _program(self, w: np.ndarray, s: int, floor: np.ndarray, aim: int) -> float | None:
        """Return the most worth (or the largest worst share) that a subset seats with its floors kept."""
        row, column = np.nonzero((w > 0) & self.is_open[s] & (self.weight > 0)[:, None])
        n = row.size + 1
        lines, limits = [], []
        for i in np.unique(row):
            lines.append(np.append(row == i, False).astype(float))
            limits.append(self.weight[i])
        for j in np.unique(column[np.isfinite(self.seats[column])]):
            lines.append(np.append(column == j, False).astype(float))
            limits.append(self.seats[j])
        for inside, least in zip(self.zones, floor, strict=True):
            got = np.append(-w[row, column] * inside[row], 0.0)
            lines.append(got)
            limits.append(-least * self.weight[inside].sum() + 1e-9)
            lines.append(got + np.append(np.zeros(n - 1), self.weight[inside].sum()))
            limits.append(0.0)
        gain = np.append(np.zeros(n - 1), -1.0) if aim else np.append(-w[row, column], 0.0)
        found = linprog(gain, A_ub=np.array(lines), b_ub=limits, bounds=[(0, None)] * (n - 1) + [(0, 1)])
        return None if found.status else -found.fun


def _limits(p: object, unlimited: float) -> list[float]:
    each = p if isinstance(p, list) else [p]
    return [unlimited if k is None else k for k in [*each, None][:2]]


def _denominator(w: np.ndarray) -> int:
    return next(d for d in (1, 2, 4, 8) if np.allclose(w * d, np.round(w * d)))


#: all that a planner may add
RULES = [
    "places",
    "kinds",
    "p",
    "p_min",
    "budget",
    "capacity",
    "amenities",
    "must",
    "must_not",
    "existing",
    "close_all",
    "conflicts",
    "backup",
    "second_more",
    "zones",
    "floor",
    "floors",
    "fair",
    "closures",
    "robust",
    "mix",
    "phases",
    "avoid",
]


def question_of(rules: frozenset[str], n: int, seed: int) -> Siting:  # noqa: C901, PLR0912 (one draw after the other)
    """Draw a question with such rules and so many options."""
    rng, has = np.random.default_rng(seed), rules.__contains__
    levels = [[0, 0, 1], [0, 0, 0.5, 1], [0, 0, 0.25, 0.5, 0.75, 1]][int(rng.integers(3))]
    n_demand = int(rng.integers(1, {3: 8, 4: 6, 6: 4}[len(levels)] if has("capacity") else 8))

    def matrix() -> np.ndarray:
        return rng.choice(levels, (n_demand, n)).astype(float)

    def positions(most: int) -> list[int]:
        return rng.permutation(n)[: rng.integers(most + 1)].tolist()

    given: dict = {"worth": matrix(), "weight": rng.integers(0, 6, n_demand).astype(float)}
    if has("places"):
        given["place"] = rng.integers(0, n, n)
    if has("kinds"):
        given["kind"] = [0, 1, *rng.integers(0, 2, n - 2).tolist()]
    n_kind = 2 if has("kinds") else 1

    def counts(most: int) -> list[int | None]:
        return [None if rng.random() < 0.3 else int(k) for k in rng.integers(0, most + 1, n_kind)]

    if has("p"):
        given["p"] = counts(5)
    if has("p_min"):
        given["p_min"] = counts(2)
    if has("budget") or has("close_all"):
        given |= {"cost": rng.integers(0, 6, n).astype(float), "budget": float(rng.integers(0, 14))}
    if has("capacity"):
        given["capacity"] = rng.choice([0.0, 1.0, 2.0, 3.0, 5.0, math.inf], n)
    if has("amenities"):
        given |= {"amenities": rng.random((n, 2)) < 0.5, "amenity_min": rng.integers(0, 3, 2).tolist()}
    given["must"] = positions(2) if has("must") else ()
    given["must_not"] = positions(3) if has("must_not") else ()
    if has("existing") or has("close_all"):
        given |= {"existing": positions(4), "max_closed": None if has("close_all") else int(rng.integers(3))}
    if has("conflicts"):
        pairs = rng.integers(0, n, (int(rng.integers(1, 16)), 2))
        given["conflicts"] = pairs[pairs[:, 0] != pairs[:, 1]]
    if has("backup") or has("second_more"):
        given["backup"] = (0.25, 1.0) if has("second_more") else (1.0, float(rng.choice([0.25, 1.0])))
    if has("zones") or has("floor") or has("floors") or has("fair"):
        given |= {"zone": rng.integers(-1, 3, n_demand), "fair": has("fair")}
        n_zone = int(given["zone"].max()) + 1
        if has("floors"):
            given["floor"] = rng.choice([0.0, 0.25, 0.5, 0.9], n_zone)
        elif has("floor"):
            given["floor"] = float(rng.choice([0.25, 0.5, 0.8]))
    if has("closures"):
        given["others"] = [matrix() for _ in range(int(rng.integers(1, 3)))]
        if rng.random() < 0.5:
            given["probability"] = [0.5, 0.5] if len(given["others"]) == 1 else [0.5, 0.25, 0.25]
        given["robust"] = 1.0 if has("robust") else 0.5 if has("mix") else 0.0
    if has("phases"):
        steps = [Phase(counts(3), float(rng.integers(0, 9)) if rng.random() < 0.5 else None, 0.5)]
        given["phases"] = [*steps, Phase(given.pop("p", None), given.pop("budget", None))]
    if has("avoid"):
        given["avoid"] = [positions(4) or [0] for _ in range(int(rng.integers(1, 3)))]
    return Siting(**given)
