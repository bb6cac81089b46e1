"""Numbers from which the bound of a siting plan is worked out again without the solver, whatever it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .._validate import FloatArray, IntArray, read_only

#: rules with prices, and what each price belongs to; T phases, K kinds, J options
RULES = MappingProxyType(
    {
        "p": "(T, K)",
        "p_min": "(K,), at the end",
        "budget": "(T,), of all the money",
        "existing": "(T,)",
        "amenity": "(n_amenity,), at the end",
        "place": "(T, J) by option, of the place's lowest option",
        "spacing": "(T, n_clique)",
        "growth": "(T - 1, J)",
        "avoid": "(n_avoid,), at the end",
    }
)


@dataclass(frozen=True, eq=False)
class SitingCertificate:
    """Lagrange multipliers of a siting question: any that are not negative give a bound, `siting_bound` which."""

    first: (
        FloatArray  # (n_phase, n_scenario, n_demand) worth up to which a row's own first cover is taken for granted
    )
    second: FloatArray  # the same of its first and second cover together
    scenario: FloatArray  # (n_phase, n_scenario) what each scenario counts as the worst; each phase adds up to 1
    floor: FloatArray  # (n_scenario, n_zone) price of what a zone gets above its floor, at the end
    worst: FloatArray  # (n_scenario, n_zone) what each zone counts as the worst: adds up to 1; no zone if not asked
    prices: Mapping[str, FloatArray] = field(default_factory=dict)  # of the rules, by their names in `RULES`
    cliques: tuple[IntArray, ...] = ()  # options of which every two stand too near each other

    def __post_init__(self) -> None:
        for name in ("first", "second", "scenario", "floor", "worst"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        prices = {name: read_only(price) for name, price in self.prices.items()}
        object.__setattr__(self, "prices", MappingProxyType(prices))
        object.__setattr__(self, "cliques", tuple(read_only(clique) for clique in self.cliques))
