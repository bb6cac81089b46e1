"""The answer: what is opened, what it gives, and how good that provably is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._validate import FloatArray, IntArray, read_only
from ..errors import SolutionError
from ..model import TOLERANCE, Certificate, Proof
from ._form import Csr
from .siting_certificate import SitingCertificate

Status = Literal["optimal", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True)
class Reason:
    """Why there is no plan: one rule that stands in the way."""

    rule: str  # p, p_min, budget, place, must, must_not, existing, amenity, spacing, floor, avoid
    en: str
    zh: str
    #: what would do, all else as it is: for p the number of open options, for budget yuan, for floor the share that
    #: every zone can get; nan where it is not known
    least: float = float("nan")


@dataclass(frozen=True, eq=False)
class ScenarioFigures:
    """What one scenario gives in one phase, row by row."""

    objective: float
    worth: (
        FloatArray  # (n_demand,) first cover: the best worth in reach; with seats, what its riders get on average
    )
    second: FloatArray  # (n_demand,) second best worth in reach
    served: FloatArray  # (n_demand,) riders with a seat (without seats: in reach)
    full: FloatArray  # (n_demand,) riders in reach of an open option, without a seat
    unreached: FloatArray  # (n_demand,) riders out of reach; the three add up to the weight
    zone_share: FloatArray  # (n_zone,) worth for each rider of the zone, nan where nobody is
    assignment: Csr | None  # (n_demand, n_option) riders; None without limits of seats

    def __post_init__(self) -> None:
        for name in ("worth", "second", "served", "full", "unreached", "zone_share"):
            object.__setattr__(self, name, read_only(getattr(self, name)))


@dataclass(frozen=True, eq=False)
class PhasePlan:
    """What is open in one phase."""

    chosen: IntArray  # positions of open options, ascending
    cost: float  # yuan spent up to then, less what was given back
    objective: float
    scenarios: tuple[ScenarioFigures, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "chosen", read_only(self.chosen))


@dataclass(frozen=True, eq=False)
class SitingPlan:
    """What `solve_siting` chose, and how good that provably is."""

    status: Status  # unknown: the time was up before any plan was found
    chosen: IntArray  # positions of the options open at the end, ascending
    opened: IntArray  # of these the new ones
    closed: IntArray  # existing options that are closed
    objective: float  # of all phases, in riders; -inf without a plan
    bound: float  # no plan has a larger objective (with `fair`: none with as good a worst zone)
    worst_share: float  # least share of all zones at the end; nan unless asked for with `fair`
    worst_share_bound: float  # no plan has a larger one
    phases: tuple[PhasePlan, ...]
    reasons: tuple[Reason, ...]  # why it is infeasible
    seconds: float
    proof: Proof = "untold"  # how `bound` is proven
    #: the bound without HiGHS's word, as the certificate gives it; nan without one
    relaxed_bound: float = float("nan")
    certificate: SitingCertificate | Certificate | None = (
        None  # of `relaxed_bound`; of `bound` but where `proof` is HiGHS
    )
    worst_certificate: SitingCertificate | Certificate | None = None  # the same of `worst_share_bound`

    def __post_init__(self) -> None:
        if self.status in ("optimal", "feasible") and self.objective - self.bound > TOLERANCE * abs(self.bound):
            msg = f"`objective` {self.objective} is better than `bound` {self.bound}."
            raise SolutionError(msg, zh=f"方案的目标值 {self.objective} 优于上界 {self.bound}，已拒绝。")
        if self.status == "optimal" and self.gap > 0:
            msg = f"`status` is 'optimal' with a gap of {self.gap}."
            raise SolutionError(msg, zh=f"差距为 {self.gap}，不能称为最优，已拒绝。")
        for name in ("chosen", "opened", "closed"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def gap(self) -> float:
        """Relative gap of the objective, or of the worst share if larger; 0: proven, `inf`: without a plan."""
        if not self.phases:
            return float("inf")
        gaps = [(self.bound - self.objective) / max(abs(self.bound), 1e-12)]
        if not np.isnan(self.worst_share):
            gaps.append((self.worst_share_bound - self.worst_share) / max(self.worst_share_bound, 1e-12))
        return max(0.0, *(gap if gap > TOLERANCE else 0.0 for gap in gaps))
