"""The rules of a siting question at prices: what they allow, and the best answer of the options to the rest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SolutionError
from .siting import Phase, Siting
from .siting_certificate import RULES, SitingCertificate

Floats = npt.NDArray[np.float64]
#: rounding of sums, relative to all that is added
ROUNDING = 1e-12
#: share of all money that rounding may add to what is spent
_MONEY = 1e-9


def best_answer(
    siting: Siting, certificate: SitingCertificate, phases: Sequence[Phase], constant: list[float], score: Floats
) -> float:
    """Take each option, in each phase, by its own sum less what the rules ask, within what must be and must not."""
    left = score.copy()
    for name, price in certificate.prices.items():
        constant += _PAID[name](_Paid(siting, certificate, phases, left), np.asarray(price, np.float64))
    lower, upper = _limits(siting, phases)
    if (lower > upper).any():
        return -math.inf
    taken = np.where(left > 0, upper, lower) * left
    rounding = ROUNDING * math.fsum([*np.abs(constant), *np.abs(score).ravel()])
    return math.fsum([*constant, *taken.ravel()]) + rounding


def _limits(siting: Siting, phases: Sequence[Phase]) -> tuple[Floats, Floats]:
    """Return which options are open for sure, and which may be."""
    n, existing, cost = n_option(siting), existing_of(siting), _cost(siting)
    lower, upper = np.zeros((len(phases), n)), np.ones((len(phases), n))
    if siting.max_closed == 0:
        lower[:, existing] = 1.0
    lower[-1, np.asarray(siting.must, np.int64)] = 1.0
    barred = np.zeros(n, np.bool_)
    barred[np.asarray(siting.must_not, np.int64)] = True
    upper[-1, barred] = 0.0
    upper[:, barred & ~existing] = 0.0  # what is opened stays open to the end
    for t, phase in enumerate(phases):
        if phase.budget is not None:
            upper[t, cost > (phase.budget + cost[existing].sum()) * (1 + _MONEY)] = 0.0
    return lower, upper


@dataclass(frozen=True, eq=False)
class _Paid:
    """Where the prices of rules are taken off; each method returns what its rules allow at that price."""

    siting: Siting
    certificate: SitingCertificate
    phases: Sequence[Phase]
    left: Floats  # (n_phase, n_option) changed in place

    def p(self, price: Floats) -> list[float]:
        """At most so many of a kind."""
        kind = self._kind()
        paid = []
        for t, phase in enumerate(self.phases):
            self.left[t] -= price[t, kind]
            paid += [own * count_of(phase.p, k, math.inf) for k, own in enumerate(price[t].tolist()) if own]
        return paid

    def p_min(self, price: Floats) -> list[float]:
        """At least so many of a kind, at the end."""
        self.left[-1] += price[self._kind()]
        return [-own * count_of(self.siting.p_min, k, 0.0) for k, own in enumerate(price.tolist())]

    def budget(self, price: Floats) -> list[float]:
        """Money spent, less what is given back; the price is that of all of it."""
        cost = _cost(self.siting)
        given_back = float(cost[existing_of(self.siting)].sum())
        for t, phase in enumerate(self.phases):
            money = math.inf if phase.budget is None else phase.budget + given_back
            demand(price[t] == 0 or 0 < money < math.inf)
            if price[t]:
                can = cost <= money
                self.left[t, can] -= price[t] * (cost[can] / money)
        return list(map(float, price))

    def existing(self, price: Floats) -> list[float]:
        """Existing options that may be closed."""
        existing = existing_of(self.siting)
        self.left[:, existing] += price[:, None]
        n = int(existing.sum())
        most = n if self.siting.max_closed is None else self.siting.max_closed
        return [own * (most - n) for own in price.tolist()]

    def amenity(self, price: Floats) -> list[float]:
        """Amenities that enough open options offer, at the end."""
        if not price.size:
            return []
        self.left[-1] += np.asarray(self.siting.amenities, np.float64) @ price
        return [-own * float(m) for own, m in zip(price.tolist(), self.siting.amenity_min or (), strict=True)]

    def place(self, price: Floats) -> list[float]:
        """One option of a place."""
        place = np.asarray(self.siting.place, np.int64)
        _, lowest, of = np.unique(place, return_index=True, return_inverse=True)
        self.left[:] -= price[:, lowest[of]]
        return list(map(float, price[:, lowest].ravel()))

    def spacing(self, price: Floats) -> list[float]:
        """One option of each set of which every two stand too near each other; existing ones bind nobody."""
        near = {(min(a, b), max(a, b)) for a, b in _pairs(self.siting).tolist()}
        existing = set(np.flatnonzero(existing_of(self.siting)).tolist())
        for c, clique in enumerate(self.certificate.cliques):
            pairs = {(a, b) for a, b in itertools.combinations(sorted(clique.tolist()), 2)}
            demand(pairs <= near and not any(a in existing and b in existing for a, b in pairs))
            self.left[:, clique] -= price[:, [c]]
        return list(map(float, price.ravel()))

    def growth(self, price: Floats) -> list[float]:
        """Keep what the phase before did."""
        paid = price * np.where(existing_of(self.siting), -1.0, 1.0)
        self.left[:-1] -= paid
        self.left[1:] += paid
        return []

    def avoid(self, price: Floats) -> list[float]:
        """Options that are not all open, at the end."""
        paid = []
        for own, held in zip(price.tolist(), self.siting.avoid, strict=True):
            options = np.unique(np.asarray(held, np.int64))
            self.left[-1, options] -= own
            paid.append(own * (options.size - self.siting.n_other))
        return paid

    def _kind(self) -> npt.NDArray[np.int64]:
        kind = self.siting.kind
        return np.zeros(n_option(self.siting), np.int64) if kind is None else np.asarray(kind, np.int64)


# --------------------------------------------------------------------------------------------------------- arrays
def demand(holds: bool) -> None:
    """
    Go on if something holds.

    Raises
    ------
    SolutionError
        Otherwise.
    """
    if not holds:
        msg = "The certificate does not fit the question."
        raise SolutionError(msg, zh="证明所用的数与问题不符。")


def n_option(siting: Siting) -> int:
    """Return the number of options."""
    known: Any = siting.worth
    return int(np.shape(known)[1])


def existing_of(siting: Siting) -> npt.NDArray[np.bool_]:
    """Return which options stand today."""
    is_existing = np.zeros(n_option(siting), np.bool_)
    is_existing[np.asarray(siting.existing, np.int64)] = True
    return is_existing


def _pairs(siting: Siting) -> npt.NDArray[np.int64]:
    given: npt.ArrayLike = [] if siting.conflicts is None else siting.conflicts
    return np.asarray(given, np.int64).reshape(-1, 2)


def _cost(siting: Siting) -> Floats:
    return np.zeros(n_option(siting)) if siting.cost is None else np.asarray(siting.cost, np.float64)


def count_of(counts: Any, kind: int, missing: float) -> float:  # noqa: ANN401
    """Return the limit of a kind."""
    if counts is None:
        return missing
    each = [counts] if isinstance(counts, int | np.integer) else list(counts)
    return missing if kind >= len(each) or each[kind] is None else float(each[kind])


_PAID: Mapping[str, Callable[[_Paid, Floats], list[float]]] = {name: getattr(_Paid, name) for name in RULES}
