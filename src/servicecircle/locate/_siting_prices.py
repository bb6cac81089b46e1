"""The certificate of a siting question: from the prices of a relaxation's rows, or from a known plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray
from ..model import Certificate
from ._decay import best_two, levels_of
from ._form import Csr
from ._siting_form import Draft, Form, Named, SitingRows
from ._spacing import cliques
from .siting_certificate import SitingCertificate

#: share of all money that costs nothing
_FREE = 1e-12


def priced(form: Form, rows: SitingRows, draft: Draft, price: FloatArray) -> SitingCertificate:
    """Return the certificate of a relaxation, whose rows have these prices in the draft's own unit."""
    paid = [(named, np.maximum(price[named.rows], 0.0) * named.unit) for named in draft.named]
    n_phase, n_scenario, n_zone = len(form.phases), len(form.worth), form.zone_weight.size
    scenario = np.zeros((n_phase, n_scenario))
    floor, worst = np.zeros((n_scenario, n_zone)), np.zeros((n_scenario, n_zone))
    for named, own in paid:
        if named.rule == "scenario":
            scenario[named.phase, named.of] = own
        if named.rule == "floor":
            floor[named.scenario, named.of] = own
        if named.rule == "worst":
            worst[named.scenario, named.of] = own
    is_worst = any(named.rule == "worst" for named, _ in paid)
    total = scenario.sum(axis=1, keepdims=True)
    scenario = np.where(total > 0, scenario / np.where(total > 0, total, 1.0), form.probability)
    worst = _adding_to_one(worst, form) if is_worst else worst[:, :0]
    first, second = np.zeros((2, n_phase, n_scenario, form.weight.size))
    counts = _Counts(form, rows, scenario, floor, worst)
    for t in range(n_phase):
        for s in range(n_scenario):
            own_rows = {named.rule: own for named, own in paid if (named.phase, named.scenario) == (t, s)}
            u, both = _thresholds(counts, own_rows, t, s)
            first[t, s] = np.maximum(_spread(rows, u), _needless(form, rows, s))
            second[t, s] = _spread(rows, both)
    return SitingCertificate(first, second, scenario, floor, worst, _prices(form, paid), _cliques(form))


def granted(
    form: Form, plan: Sequence[BoolArray], gain: FloatArray | None = None, *, is_worst: bool = False
) -> tuple[SitingCertificate, ...]:
    """
    Return certificates that grant every row what it gets of known options, one set a phase.

    `gain`, shape `(n_phase, n_option)`, is what each other option adds at most: the best that counts allow is one
    certificate, the best that money buys another.
    """
    covers = np.array([[best_two(worth, known) for worth in form.worth] for known in plan])
    n_scenario = len(form.worth)
    nothing = np.zeros((n_scenario, form.zone_weight.size))
    worst = _adding_to_one(nothing, form) if is_worst else nothing[:, :0]
    chance = np.tile(form.probability, (len(plan), 1))
    if gain is None and form.robust:  # no plan is better in its worst scenario than all there is in any one
        value = (form.first * covers[:, :, 0] + form.second * covers[:, :, 1]) @ form.weight
        chance = (value == value.min(axis=1, keepdims=True)).astype(np.float64)
        chance /= chance.sum(axis=1, keepdims=True)

    def made(prices: dict[str, FloatArray]) -> SitingCertificate:
        return SitingCertificate(covers[:, :, 0], covers[:, :, 1], chance, nothing, worst, prices)

    if gain is None:
        return (made({}),)
    by_count = np.zeros((len(plan), form.p_min.size))
    by_money = np.zeros(len(plan))
    for t, rule in enumerate(form.phases):
        for k, room in enumerate(rule.room.tolist()):
            own = np.sort(gain[t, form.kind == k])[::-1]
            by_count[t, k] = own[room - 1] if 0 < room < own.size else own[0] if room < own.size else 0.0
        by_money[t] = _price_of_money(gain[t], form.cost, rule.budget + form.given_back)
    return made({"p": by_count}), made({"budget": by_money})


def covered(form: Form, rows: SitingRows, keep: IntArray, told: Certificate) -> Certificate:
    """
    Return the certificate of plain covering for the demand as it came.

    `told` is of the levels of every merged row, best first, and of the options `keep`; scenarios of probability 0
    and rows without riders have none. What a merged row pays its rows pay by their weights.
    """
    paid, at = [], 0
    for worth, own, probability in zip(form.worth, rows.worth, form.probability, strict=True):
        if probability == 0:
            continue
        merged, levels = levels_of(own), levels_of(worth)
        price = told.multipliers[0, at : at + merged.row.size]
        at += merged.row.size
        rank = np.arange(levels.row.size) - np.searchsorted(levels.row, levels.row)
        live = np.flatnonzero(form.weight[levels.row] > 0)
        weight, row = form.weight[levels.row[live]], rows.row_of[levels.row[live]]
        part = weight / rows.weight[row] * price[np.searchsorted(merged.row, row) + rank[live]]
        paid.append(np.clip(part, 0.0, probability * weight * levels.step[live]))
    stand_in = None
    if told.stand_in is not None:
        stand_in = np.full(form.n, -1)
        has = told.stand_in >= 0
        stand_in[keep[has]] = keep[told.stand_in[has]]
    return Certificate(np.concatenate([np.zeros(0), *paid])[None, :], stand_in)


def _price_of_money(gain: FloatArray, cost: FloatArray, money: float) -> float:
    """Return what all the money would buy at the price of the last yuan, the best first; 0 if it pays for all."""
    if not 0 < money < np.inf:
        return 0.0
    share = np.minimum(cost, money) / money
    dear = (share > _FREE) & (gain > 0) & (cost <= money)
    if share[dear].sum() <= 1:
        return 0.0
    each = gain[dear] / share[dear]
    order = np.argsort(-each, kind="stable")
    last = int(np.searchsorted(np.cumsum(share[dear][order]), 1.0, side="right"))
    return float(each[order][min(last, order.size - 1)])


# ----------------------------------------------------------------------------------------------------------- rows
@dataclass(frozen=True, eq=False)
class _Counts:
    """What a rider counts for, by the prices."""

    form: Form
    rows: SitingRows
    scenario: FloatArray
    floor: FloatArray
    worst: FloatArray

    def first(self, t: int, s: int) -> FloatArray:
        """His first cover, by row."""
        form, zone = self.form, self.rows.zone
        result = np.full(self.rows.weight.size, self._each(t, s) * form.first)
        if t == len(form.phases) - 1 and form.zone_weight.size:
            price = self.floor[s] + (self.worst[s] if self.worst.size else 0.0)
            share = np.divide(price, form.zone_weight, out=np.zeros_like(price), where=form.zone_weight > 0)
            result += np.append(share, 0.0)[zone]
        return result

    def second(self, t: int, s: int) -> float:
        """His second cover."""
        return self._each(t, s) * self.form.second

    def _each(self, t: int, s: int) -> float:
        if self.worst.size:
            return 0.0
        share = (1 - self.form.robust) * self.form.probability[s] + self.form.robust * self.scenario[t, s]
        return float(self.form.phases[t].weight * share)


def _thresholds(counts: _Counts, paid: dict[str, FloatArray], t: int, s: int) -> tuple[FloatArray, FloatArray]:
    """Return up to which worth each row's first cover, and both together, are taken for granted."""
    form, rows = counts.form, counts.rows
    a, b = counts.first(t, s), counts.second(t, s)
    levels = levels_of(rows.worth[s])
    n = rows.weight.size
    is_last = np.append(np.diff(levels.row) != 0, True)[: levels.row.size]

    def granted_of(price: FloatArray, each: FloatArray, less: FloatArray) -> FloatArray:
        """Return the sum of the parts of steps that options are not paid for; `each` is a rider's, by row."""
        of_level = np.maximum(price - np.where(is_last, 0.0, np.append(price[1:], 0.0)[: price.size]), 0.0)
        most = (each * rows.weight)[levels.row] * levels.step
        over = np.maximum(of_level - (less * rows.weight)[levels.row] * levels.step, 0.0)
        part = np.divide(np.minimum(over, most), most, out=np.zeros_like(most), where=most > 0)
        return np.bincount(levels.row, levels.step * (1.0 - part), minlength=n).astype(np.float64)

    nothing = np.zeros(n)
    u, both = nothing, nothing
    if "covers" in paid:
        seated = form.has_seats
        low = np.full(n, b / 2) if seated else np.minimum(b, (a + b) / 2)
        both = granted_of(paid["covers"], low, nothing)
        u = nothing if seated else granted_of(paid["covers"], np.maximum(a - b, 0.0), low)
    if "cover" in paid:
        u = granted_of(paid["cover"], a, nothing)
    if "pool" in paid:
        u = np.maximum(u - np.divide(paid["pool"][0], a, out=np.zeros(n), where=a > 0), 0.0)
    if "seat" in paid:
        riders = a * rows.weight
        u = np.divide(paid["seat"], riders, out=np.zeros(n), where=riders > 0)
    return u, both


def _spread(rows: SitingRows, each: FloatArray) -> FloatArray:
    """Return the numbers of merged rows for the demand as it came."""
    return np.append(each, 0.0)[rows.row_of]


def _needless(form: Form, rows: SitingRows, s: int) -> FloatArray:
    """Return the best worth of each row's pairs that no best assignment needs: they are taken for granted."""
    worth = form.worth[s]
    if not form.has_seats:
        return np.zeros(worth.shape[0])
    live = np.flatnonzero(rows.row_of >= 0)
    kept: Csr = sparse.csr_array((worth.shape[0], worth.shape[1]))
    if live.size:
        pick = sparse.csr_array(
            (np.ones(live.size), (live, rows.row_of[live])), shape=(worth.shape[0], rows.weight.size)
        )
        kept = sparse.csr_array(pick @ rows.worth[s])
    left = sparse.csr_array(worth - kept)
    top = left.max(axis=1)
    return np.maximum(np.asarray(top.todense() if sparse.issparse(top) else top, np.float64).ravel(), 0.0)


# ---------------------------------------------------------------------------------------------------------- rules
def _prices(form: Form, paid: Sequence[tuple[Named, FloatArray]]) -> dict[str, FloatArray]:
    """Return the prices of the rules, those that are all 0 left out."""
    n_phase, last = len(form.phases), len(form.phases) - 1
    prices = {
        "p": np.zeros((n_phase, form.p_min.size)),
        "p_min": np.zeros(form.p_min.size),
        "budget": np.zeros(n_phase),
        "existing": np.zeros(n_phase),
        "amenity": np.zeros(form.amenity_min.size),
        "place": np.zeros((n_phase, form.n)),
        "spacing": np.zeros((n_phase, len(_cliques(form)))),
        "growth": np.zeros((last, form.n)),
        "avoid": np.zeros(len(form.avoid)),
    }
    for named, own in paid:
        if named.rule in ("p", "place", "spacing"):
            prices[named.rule][named.phase, named.of] = own
        elif named.rule in ("p_min", "amenity", "avoid"):
            prices[named.rule][named.of] = own
        elif named.rule in ("budget", "existing"):
            prices[named.rule][named.phase] = own[0]
        elif named.rule == "growth":
            prices["growth"][named.phase - 1] = own
    return {name: price for name, price in prices.items() if price.any()}


def _cliques(form: Form) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(clique, np.int64) for clique in cliques(form.conflicts, form.n))


def _adding_to_one(worst: FloatArray, form: Form) -> FloatArray:
    """Return shares of zones in the worst one that add up to 1."""
    total = float(worst.sum())
    if total > 0:
        return np.asarray(worst / total, np.float64)
    even: FloatArray = np.tile((form.zone_weight > 0).astype(np.float64), (worst.shape[0], 1))
    return np.asarray(even / max(float(even.sum()), 1.0), np.float64)
