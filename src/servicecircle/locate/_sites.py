r"""
Which options may be open together.

.. math::
    \sum_{j \in P_l} y_j \le 1,\quad  \underline p_k \le \sum_{j \in K_k} y_j \le p_k,\quad
    \sum_{j \notin E} c_j y_j - \sum_{j \in E} c_j (1 - y_j) \le B,\quad  \sum_{j \in E} (1 - y_j) \le m

with *E* the existing options: closing one gives back its cost; closed here and opened elsewhere is a move.
Counts of each kind as in Church and ReVelle (1974); relocation with at most *m* moves as in Wang, Batta, Badhury
and Rump (2003), Budget constrained location problem with opening and closing of facilities, Computers & Operations
Research 30, 2047-2069.
"""

from __future__ import annotations

import numpy as np

from .._validate import BoolArray, IntArray
from ._siting_form import Draft, Form, PhaseRule

#: share of all money that rounding may add to what is spent
ROUNDING = 1e-9
#: the families of rules, as reasons name them
RULES = ("p", "p_min", "budget", "place", "must", "must_not", "existing", "amenity", "spacing", "floor", "avoid")


def add_sites(draft: Draft, form: Form, rule: PhaseRule, *, is_last: bool, skip: frozenset[str]) -> IntArray:
    """Add the options of one phase with their rules, and return their columns; rules in `skip` are left out."""
    y = draft.variables(form.n, is_whole=True)
    if "place" not in skip:
        for members in _places(form):
            draft.row(1.0, y[members], rule="place", of=int(members[0]))
    n_of_kind = np.bincount(form.kind, minlength=rule.room.size)
    for k in np.flatnonzero(rule.room < n_of_kind) if "p" not in skip else ():
        draft.row(float(rule.room[k]), y[form.kind == k], rule="p", of=int(k))
    money = rule.budget + form.given_back
    if money < form.cost.sum() and "budget" not in skip:  # else it pays for all
        is_dear = form.cost > money * (1 + ROUNDING)
        draft.row(0.0, y[is_dear])
        dearest = float(form.cost[~is_dear].max(initial=0.0))
        if dearest > 0:
            draft.row(
                money / dearest, y[~is_dear], form.cost[~is_dear] / dearest, rule="budget", unit=money / dearest
            )
    _add_existing(draft, form, y, skip)
    if is_last:
        _add_ends(draft, form, y, skip)
    return y


def _places(form: Form) -> list[IntArray]:
    """Options of every place that has several."""
    order = np.argsort(form.place, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(form.place[order])) + 1)
    return [part for part in parts if part.size > 1]


def _add_existing(draft: Draft, form: Form, y: IntArray, skip: frozenset[str]) -> None:
    existing = y[form.is_existing]
    if "existing" in skip or existing.size <= form.max_closed:
        return
    if form.max_closed == 0:
        draft.lower[existing] = 1.0
    else:
        draft.row(form.max_closed - existing.size, existing, -1.0, rule="existing")


def _add_ends(draft: Draft, form: Form, y: IntArray, skip: frozenset[str]) -> None:
    """Rules that hold at the end only."""
    for k in np.flatnonzero(form.p_min > 0) if "p_min" not in skip else ():
        draft.row(-float(form.p_min[k]), y[form.kind == k], -1.0, rule="p_min", of=int(k))
    for b in np.flatnonzero(form.amenity_min > 0) if "amenity" not in skip else ():
        draft.row(-float(form.amenity_min[b]), y[form.amenities[:, b]], -1.0, rule="amenity", of=int(b))
    if "must" not in skip:
        draft.lower[y[form.is_must]] = 1.0
    if "must_not" not in skip:
        draft.row(0.0, y[form.is_not])
    for a, held in enumerate(form.avoid) if "avoid" not in skip else ():
        draft.row(float(held.size - form.n_other), y[held], rule="avoid", of=a)


def faults_of(form: Form, is_open: BoolArray, rule: PhaseRule, *, is_last: bool) -> list[str]:
    """Return the rules that a phase of a plan breaks, by their names in `RULES`."""
    count = np.bincount(form.kind[is_open], minlength=rule.room.size)
    closed = form.is_existing & ~is_open
    a, b = form.conflicts.T
    broken = {
        "p": (count > rule.room).any(),
        "place": np.unique(form.place[is_open]).size < int(is_open.sum()),
        "budget": form.cost_of(is_open) > rule.budget + ROUNDING * (rule.budget + form.given_back),
        "existing": int(closed.sum()) > form.max_closed,
        "spacing": (is_open[a] & is_open[b]).any(),
    }
    if is_last:
        broken |= {
            "p_min": (count < form.p_min).any(),
            "amenity": (form.amenities[is_open].sum(axis=0) < form.amenity_min).any(),
            "must": (form.is_must & ~is_open).any(),
            "must_not": (form.is_not & is_open).any(),
            "avoid": any(int(is_open[held].sum()) > held.size - form.n_other for held in form.avoid),
        }
    return [name for name, is_broken in broken.items() if is_broken]
