"""What zones and their posts give: shares, faults of their borders, assigned depots, balanced zones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import pandas as pd

from .zone_rules import AssignBy


@dataclass(frozen=True, eq=False)
class ZonePosts:
    """Zones and the posts at their centres, as `zone_posts` finds them."""

    zones: gpd.GeoDataFrame  # a row a zone, in its CRS; see `zone_posts` for the columns
    shares: pd.DataFrame  # a row a zone and post that is nearest to any of it: riders, street_m, area_m2
    posts: gpd.GeoDataFrame  # a row a post: its zone, and whom it is nearest to
    faults: gpd.GeoDataFrame  # polygons: where zones overlap, where they leave gaps
    teams: pd.DataFrame  # a row a team: its zones, in how many pieces they lie; empty where no ledger names one
    step_m: float  # spacing of the lattice by which area is shared out


@dataclass(frozen=True, eq=False)
class Assignment:
    """Depots and the zones that they are assigned to, as `assign_depots` finds them."""

    rows: pd.DataFrame  # a row a depot, and one more for each further zone of one that is split
    loads: pd.DataFrame  # a row a zone: depots, riders
    by: AssignBy
    limit: float | None  # most riders of a zone; None: no limit
    rider_minutes: float | None  # what all riders together need to their posts; None: by polygon
    bound: float | None  # no assignment within the limit needs less
    status: Literal["optimal", "feasible"] | None

    @property
    def gap(self) -> float | None:
        """Relative gap between `rider_minutes` and `bound`; None: by polygon."""
        if self.rider_minutes is None or self.bound is None:
            return None
        return gap_of(self.rider_minutes, self.bound)


@dataclass(frozen=True, eq=False)
class Contacts:
    """The tables of a service contact workbook, as `contact_table` makes them."""

    depots: pd.DataFrame  # the nearest stations and shops of each depot
    zones: pd.DataFrame  # of each zone, from its post or from the middle of its riders
    places: pd.DataFrame  # every station and shop


@dataclass(frozen=True, eq=False)
class ZoneProposal:
    """Zones made anew of blocks, balanced by riders, as `balance_zones` proposes them."""

    zones: gpd.GeoDataFrame  # a row a zone, index its id; see `balance_zones` for the columns
    blocks: gpd.GeoDataFrame  # a row a block: `today`, `zone_id`, `riders`, `moves`
    moved: gpd.GeoDataFrame  # the blocks that change their zone, most riders first
    tolerance: float
    imbalance: float  # largest share by which a zone's riders lie above or below the mean
    imbalance_today: float
    least_imbalance: float  # no contiguous zones of these blocks are nearer to even than that
    rider_minutes: (
        float  # the objective: minutes to the posts of all riders, and `keep_minutes` of those who change
    )
    bound: float  # no contiguous zones within the tolerance need less
    status: Literal["optimal", "feasible", "out_of_tolerance"]
    proof: Literal["HiGHS", "relaxation"]

    @property
    def gap(self) -> float:
        """Relative gap between `rider_minutes` and `bound`."""
        return gap_of(self.rider_minutes, self.bound)


def gap_of(objective: float, bound: float) -> float:
    """Return the relative gap of an objective that is to be small: up to a millionth is 0; of no bound inf."""
    if math.isinf(bound):
        return math.inf
    gap = abs(objective - bound) / max(abs(bound), 1e-12)
    return 0.0 if gap <= 1e-6 or abs(objective - bound) <= 1e-9 else gap  # noqa: PLR2004
