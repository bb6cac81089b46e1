"""The question: what may be opened where, at what price, and what counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy.typing as npt

from ._form import Indices, Matrix
from ._siting_checks import form_of
from ._siting_form import Form

#: most open options: of the only kind, or of each kind (None: any number)
Counts = int | Sequence[int | None]


@dataclass(frozen=True)
class Phase:
    """One step of a plan that grows. `p` and `budget` count all that was done up to then; None is no limit."""

    p: Counts | None = None
    budget: float | None = None
    weight: float = 1.0  # of this phase in the objective


@dataclass(frozen=True, eq=False, kw_only=True)
class Siting:
    r"""
    A siting question on plain arrays: demand rows *i*, options *j*, and every rule that a planner may add.

    An option is one way to use a place. The objective is :math:`\sum_i a_i (\alpha_1 v_i + \alpha_2 u_i)`: riders
    times the best worth among open options, and the second best (`backup`). Everything may be combined.

    Parameters
    ----------
    worth
        What a rider of row *i* gets from option *j*, in [0, 1], shape `(n_demand, n_option)`, dense or SciPy
        sparse; 0 is out of reach. A bool matrix is plain covering; `worth_of` makes one from travel times.
    weight
        Riders of each row, finite and >= 0.
    place
        Place of each option: a place takes at most one. All different if not given.
    kind
        Kind of each option (station 0, shop 1), from 0. All one kind if not given.
    p, p_min
        Most and fewest open options, existing and `must` ones included; with several kinds a list, one for each.
        None is no limit. `p_min` holds at the end of all phases.
    cost, budget
        Yuan that opening an option costs, >= 0; closing an existing one gives its cost back. What is spent less
        what is given back is at most the budget.
    capacity
        Riders that each option has seats for, >= 0, `inf` for no limit.
    amenities, amenity_min
        What each option offers, bool, shape `(n_option, n_amenity)`, and how many open options must offer it.
    must, must_not
        Positions of options that every plan holds, or none does.
    existing, max_closed
        Positions of options that stand today. They stay, but for at most `max_closed` (None: any number); one
        closed here and one opened elsewhere is a move.
    conflicts
        Pairs of options that are not both open, shape `(n, 2)`; `pairs_nearer_than` finds those that stand too
        near. A pair of two existing options binds nobody.
    backup
        Value of the first and of the second cover.
    zone, floor, fair
        Zone of each row from 0, -1 for none; the least share of its riders (times worth) that every zone, or each,
        must get in every scenario; and whether the worst zone comes first: then the least share of all zones is
        made as large as can be, and the objective is the best with that.
    others, probability
        Further scenarios (closures): matrices like `worth`; and how probable `worth` and each of them is.
    robust
        0: best on average; 1: best in the worst scenario; between: the mix of both.
    phases
        Steps of a plan that grows; then `p` and `budget` stand in them. Floors, `fair`, `must`, `must_not`, `p_min`
        and amenities hold at the end.
    avoid, n_other
        Sets of options: an answer lacks at least `n_other` of each.

    Raises
    ------
    InputError
        If shapes disagree or a number is not allowed. Rules that contradict each other are no error: `solve_siting`
        answers with the reasons.

    Examples
    --------
    >>> siting = Siting(worth=[[1, 0], [1, 1]], weight=[5.0, 1.0], cost=[300.0, 100.0], budget=350.0)
    >>> siting.form.n
    2
    """

    worth: Matrix
    weight: npt.ArrayLike
    place: Indices | None = None
    kind: Indices | None = None
    p: Counts | None = None
    p_min: Counts | None = None
    cost: npt.ArrayLike | None = None
    budget: float | None = None
    capacity: npt.ArrayLike | None = None
    amenities: npt.ArrayLike | None = None
    amenity_min: Indices | None = None
    must: Indices = ()
    must_not: Indices = ()
    existing: Indices = ()
    max_closed: int | None = 0
    conflicts: npt.ArrayLike | None = None
    backup: tuple[float, float] = (1.0, 0.0)
    zone: Indices | None = None
    floor: npt.ArrayLike | None = None
    fair: bool = False
    others: Sequence[Matrix] = ()
    probability: Sequence[float] | None = None
    robust: float = 0.0
    phases: Sequence[Phase] = ()
    avoid: Sequence[Indices] = ()
    n_other: int = 1
    #: the same, checked and complete, as the solver reads it
    form: Form = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "form", form_of(self))
