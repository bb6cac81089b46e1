"""
The nouns: what the stages hand to each other. They hold and check; they do not compute.

Everywhere *i* is a demand point, *j* a facility, *k* a directed edge, *s* a street (an edge and its way
back). Arrays inside are write-protected views. Times are seconds, lengths metres, coordinates one projected CRS.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ._validate import (
    BoolArray,
    FloatArray,
    GeometryArray,
    IntArray,
    StrArray,
    points_xy,
    read_only,
    some,
)
from .checkins import CheckInFigures, CheckIns
from .closures import Closures, TroubleFigures
from .confirmed_reports import TrustRule
from .entrances import has_doors, main_positions, with_doors
from .errors import CRSError, Fault, InputError, Lang, NetworkError, SolutionError
from .map_rules import MapRules
from .moments import Moment
from .params import MAX_SNAP_M, SHOP_MINUTES, WAIT_MIN, Direction, TravelProfile
from .rich_display import Shown
from .serving_figures import ServingFigures
from .siting_figures import SitingFigures
from .siting_rules import SitingRules
from .street_intervals import StreetIntervals
from .zone_figures import Assignment, Contacts, ZonePosts, ZoneProposal
from .zone_rules import AssignRule, BalanceRule, ContactRule

#: how far an objective may stand beyond its bound, by rounding
TOLERANCE = 1e-6

Kind = Literal["station", "shop"]


# -------------------------------------------------------------------------------------------------- network
@dataclass(frozen=True)
class NetworkReport:
    """What reading the roads found: counts by name, and warnings."""

    source: str
    counts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Network(Shown):
    """
    Streets of one travel profile as a directed graph, nodes at junctions and ends.

    A *street* is one physical piece of road between two nodes; it has one directed edge for each direction in
    which the profile may use it. `street_edge[s]` names them: column 0 the edge that the street is drawn along,
    from its end *a* to its end *b*; column 1 the way back, -1 where that direction is closed.
    """

    crs: CRS  # projected, metres
    node_xy: FloatArray  # (n_node, 2)
    tail: IntArray  # (n_edge,) node
    head: IntArray  # (n_edge,) node
    seconds: FloatArray  # (n_edge,) impedance, >= 0, finite
    length_m: FloatArray  # (n_edge,) the input's own length, else that of the geometry
    geometry: GeometryArray  # (n_edge,) LineString from tail to head
    way_id: IntArray  # (n_edge,) id in the source, 0 where it has none
    street: IntArray  # (n_edge,) street of each edge
    street_edge: IntArray  # (n_street, 2) edges of each street: ahead (always there), back or -1
    street_name: StrArray  # (n_street,) "" where unnamed
    street_class: StrArray  # (n_street,) value of `highway`, "" where unknown
    part: IntArray  # (n_node,) connected part, direction ignored; 0 is the longest
    part_m: FloatArray  # (n_part,) metres of street in each part, descending
    is_admissible: BoolArray  # (n_edge,) the part has enough street to be snapped to
    profile: TravelProfile
    report: NetworkReport
    intervals: StreetIntervals | None = None  # parts that are slowed or closed; `seconds` are those without them

    def __post_init__(self) -> None:
        if not self.crs.is_projected:
            msg = f"`crs` of a network must be projected, in metres; got {self.crs.name!r} (degrees)."
            raise CRSError(msg)
        n = self.tail.size
        for name in ("head", "seconds", "length_m", "geometry", "way_id", "street", "is_admissible"):
            if getattr(self, name).shape != (n,):
                msg = f"`{name}` has shape {getattr(self, name).shape} for {n} edges."
                raise NetworkError(msg)
        if n == 0:
            msg = "The network has no edge."
            raise NetworkError(msg, zh="路网中没有任何道路。")
        self._check_positions()
        for name in ("seconds", "length_m"):
            bad = ~(np.isfinite(getattr(self, name)) & (getattr(self, name) >= 0))
            if bad.any():
                edges = [f"{k} (way {self.way_id[k]})" for k in np.flatnonzero(bad)]
                msg = f"`{name}` must be finite and >= 0; these edges are not: {some(edges)}."
                raise NetworkError(msg)
        undrawn = np.flatnonzero(self.street_edge[:, 0] < 0)
        if undrawn.size:
            msg = f"These streets have no edge along their geometry: {some(undrawn)}."
            raise NetworkError(msg)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, read_only(value))

    def _check_positions(self) -> None:
        """Raise for a node or street that does not exist: compiled searches do not look."""
        for name, end in (("tail", self.n_node), ("head", self.n_node), ("street", self.n_street)):
            positions = getattr(self, name)
            if positions.min() < 0 or positions.max() >= end:
                msg = f"`{name}` must lie from 0 to {end - 1}, got {positions.min()} to {positions.max()}."
                raise NetworkError(msg)

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return len(self.node_xy)

    @property
    def n_edge(self) -> int:
        """Number of directed edges."""
        return len(self.tail)

    @property
    def n_street(self) -> int:
        """Number of streets."""
        return len(self.street_edge)

    @property
    def street_first(self) -> IntArray:
        """The edge that each street is drawn along, shape `(n_street,)`."""
        return self.street_edge[:, 0]

    @cached_property
    def street_geometry(self) -> GeometryArray:
        """Geometry of each street, shape `(n_street,)`."""
        return read_only(self.geometry[self.street_first])

    @cached_property
    def street_tree(self) -> tuple[shapely.STRtree, IntArray]:
        """Index of the admissible streets' geometries, and the street of each of its rows."""
        street = np.flatnonzero(self.is_street_admissible)
        return shapely.STRtree(self.street_geometry[street]), read_only(street)

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What later stages made of this network alone, by name: kept with it, and gone with it."""
        return {}

    @cached_property
    def is_street_admissible(self) -> BoolArray:
        """Whether a street may be snapped to and reached, shape `(n_street,)`."""
        return read_only(self.is_admissible[self.street_first])


@dataclass(frozen=True, eq=False)
class Doors:
    """
    Where facilities that are more than a point are entered: intervals of streets, shape `(n,)` each.

    A shop street is entered all along its intervals, a district at its gates: intervals without length. The streets
    inside a district are `is_inner`: who is there has arrived, and nobody comes in that way.
    """

    row: IntArray  # position of the facility, ascending
    edge: IntArray  # the one that the street is drawn along
    first: FloatArray  # fraction of the edge's length, from its tail, where the interval begins
    last: FloatArray  # and where it ends
    offset_m: FloatArray  # walk between the street and the place
    is_inner: BoolArray
    xy: FloatArray  # (n, 2) the gate, or the middle of the interval, CRS of the network

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, read_only(value))


@dataclass(frozen=True, eq=False)
class Positions:
    """
    Points as positions on edges, shape `(n,)` each: what snapping gives.

    `edge` is -1 and the rest `nan` for a point off the network. `fraction` is the share of the edge's length
    behind the position, from tail (0) to head (1); exactly 0 or 1 is the junction itself.
    """

    ids: pd.Index
    edge: IntArray
    fraction: FloatArray
    offset_m: FloatArray  # straight line from the point to the position
    xy: FloatArray  # (n, 2) of the points themselves, CRS of the network
    doors: Doors | None = None  # of facilities that are more than a point; their own row stands at the first

    def __post_init__(self) -> None:
        for name in ("edge", "fraction", "offset_m", "xy"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def is_on_network(self) -> BoolArray:
        """Whether each point has a street within reach."""
        return self.edge >= 0


# ----------------------------------------------------------------------------------------------- facilities
@dataclass(frozen=True, eq=False)
class Facilities:
    """
    What serves: stations and shops, existing or proposed.

    A place that is more than a point has what it is entered by in the column `doors`, WGS 84: lines of a shop
    street, gates as points, the outline of an area. A frame of such shapes is taken as well: they become `doors`.
    """

    frame: gpd.GeoDataFrame  # points, any CRS; index: id; columns used: kind, minutes, name, doors, walks_in

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", with_doors(self.frame))
        if "kind" in self.frame.columns:
            odd = set(self.frame["kind"].dropna()) - {"station", "shop"}
            if odd:
                msg = f"`kind` of a facility must be 'station' or 'shop', got {some(sorted(map(str, odd)))}."
                raise InputError(msg)
        if "minutes" in self.frame.columns:
            given = self.frame["minutes"]
            own = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
            bad = given.notna().to_numpy() & (given.map(lambda m: isinstance(m, bool)).to_numpy(bool) | ~(own > 0))
            if bad.any():
                rows = [f"{j} ({value!r})" for j, value in zip(self.frame.index[bad], given[bad], strict=True)]
                msg = f"`minutes` of a facility must be a number above 0, or missing; these are not: {some(rows)}."
                raise InputError(msg)

    @property
    def ids(self) -> pd.Index:
        """Ids, in the frame's order."""
        return self.frame.index

    @property
    def kind(self) -> StrArray:
        """`"station"` or `"shop"`, shape `(n,)`; a frame that does not say holds stations."""
        if "kind" not in self.frame.columns:
            return np.full(len(self.frame), "station", dtype=object)
        return self.frame["kind"].fillna("station").to_numpy(dtype=object)

    @property
    def minutes(self) -> FloatArray:
        """Own limit of each facility in minutes, shape `(n,)`: its own, 5 for a shop, else `inf`."""
        usual = np.where(self.kind == "shop", SHOP_MINUTES, np.inf)
        if "minutes" not in self.frame.columns:
            return usual
        own = pd.to_numeric(self.frame["minutes"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return np.where(np.isnan(own), usual, own)

    @property
    def main(self) -> IntArray:
        """Position of the main station of each (column `parent`: its id or name), its own else, shape `(n,)`."""
        return main_positions(self.frame)

    @property
    def has_doors(self) -> BoolArray:
        """Whether each is more than a point, shape `(n,)`."""
        return has_doors(self.frame)

    def xy(self, crs: CRS) -> FloatArray:
        """Coordinates in `crs`, shape `(n, 2)`."""
        return points_xy(self.frame, crs)


# --------------------------------------------------------------------------------------------- travel times
@dataclass(frozen=True, eq=False)
class TravelTimes:
    """
    Travel times between demand points and facilities, sparse: pairs within the cutoff only.

    The pairs of demand point *i* are `slice(start[i], start[i + 1])` of `facility` and `seconds`, nearest
    first (ties in the order of the facilities' ids).
    """

    demand_ids: pd.Index
    facility_ids: pd.Index
    start: IntArray  # (n_demand + 1,)
    facility: IntArray  # (n_pair,) position of the facility
    seconds: FloatArray  # (n_pair,)
    nearest_facility: IntArray  # (n_demand,) position, -1 where no facility can be reached at all
    nearest_seconds: FloatArray  # (n_demand,) not ended by the cutoff; inf where none
    facility_kind: StrArray  # (n_facility,)
    facility_minutes: FloatArray  # (n_facility,) own limit, inf for none
    demand_at: Positions
    facility_at: Positions
    cutoff_s: float
    direction: Direction
    profile: TravelProfile
    facility_main: IntArray = field(
        default_factory=lambda: np.empty(0, np.int64)
    )  # (n_facility,) see `Facilities.main`

    def __post_init__(self) -> None:
        if self.facility_main.shape != self.facility_kind.shape:  # not told: each is its own
            object.__setattr__(self, "facility_main", np.arange(len(self.facility_ids)))
        if self.start.shape != (len(self.demand_ids) + 1,) or self.start[-1] != self.facility.size:
            msg = f"`start` does not fit {len(self.demand_ids)} demand points and {self.facility.size} pairs."
            raise InputError(msg)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, read_only(value))

    @property
    def nearest(self) -> pd.DataFrame:
        """Nearest facility of each demand point: `facility_id` (None where none) and `seconds` (`inf`)."""
        found = self.nearest_facility >= 0
        ids = np.full(len(self.demand_ids), None, dtype=object)
        ids[found] = self.facility_ids.to_numpy(dtype=object)[self.nearest_facility[found]]
        facility_id = pd.Series(ids, index=self.demand_ids, dtype=object)  # None stays None, not nan
        return pd.DataFrame({"facility_id": facility_id, "seconds": self.nearest_seconds})

    def to_frame(self) -> pd.DataFrame:
        """Return a row a pair: `demand_id`, `facility_id`, `seconds`."""
        demand = np.repeat(np.arange(len(self.demand_ids)), np.diff(self.start))
        return pd.DataFrame(
            {
                "demand_id": self.demand_ids.take(demand),
                "facility_id": self.facility_ids.take(self.facility),
                "seconds": self.seconds,
            }
        )

    def to_array(self) -> FloatArray:
        """Return seconds, shape `(n_demand, n_facility)`, `inf` where not within the cutoff."""
        dense = np.full((len(self.demand_ids), len(self.facility_ids)), np.inf)
        demand = np.repeat(np.arange(len(self.demand_ids)), np.diff(self.start))
        dense[demand, self.facility] = self.seconds
        return dense


# ------------------------------------------------------------------------------------------- grid, coverage
@dataclass(frozen=True, eq=False)
class Grid:
    """
    Planning cells that bear street, in the CRS of the network.

    `cells`: GeoDataFrame, index `cell_id` (str), columns `zone_id` (str or None), `street_m`, geometry.
    """

    cells: gpd.GeoDataFrame
    cell_m: float | None  # side of a square cell, or None
    h3: int | None  # H3 resolution, or None

    def __post_init__(self) -> None:
        if (self.cell_m is None) == (self.h3 is None):
            msg = "A grid has either `cell_m` (square cells) or `h3` (hexagons)."
            raise InputError(msg)


@dataclass(frozen=True, eq=False, repr=False)
class Coverage(Shown):
    """Who is covered at each break: riders on demand points, by travel time, never by polygon."""

    minutes: tuple[float, ...]  # breaks, ascending
    weight: FloatArray  # (n_demand,) riders
    covered: BoolArray  # (n_demand, n_break)
    n_facilities: (
        IntArray  # (n_demand, n_break) facilities in reach, sub-points with their main; 2 or more is backup
    )
    cell_id: StrArray | None  # (n_demand,) planning cell of each demand point
    times: TravelTimes

    def __post_init__(self) -> None:
        shape = (len(self.times.demand_ids), len(self.minutes))
        if self.covered.shape != shape or self.n_facilities.shape != shape:
            msg = f"`covered` has shape {self.covered.shape}, expected {shape}."
            raise InputError(msg)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, read_only(value))


# ------------------------------------------------------------------------------------------------- solution
#: how a bound is proven: `certificate`, worked out again without the solver; `relaxation`, in plain arithmetic from
#: the multipliers of HiGHS; `enumeration`, by this package's own search through what these leave; `HiGHS`, on whose
#: word; `counting`, by sums that need no search; `untold`
Proof = Literal["certificate", "relaxation", "enumeration", "HiGHS", "counting", "untold"]


@dataclass(frozen=True, eq=False)
class Certificate:
    """Numbers from which a bound is worked out again without the solver, whatever it did."""

    #: Lagrange multipliers of the demand points, >= 0, in turn: each set leaves fewer sites to the next
    multipliers: FloatArray  # (n_set, n_demand)
    #: of each site the one that serves all that it does, for the bound without it; -1: it counts itself
    stand_in: IntArray | None = None  # (n_site,)
    #: of each set the demand point whose sites are tried one after the other, the next sets are theirs; -1: it is
    #: enough
    branch: IntArray | None = None  # (n_set,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "multipliers", read_only(self.multipliers))
        if self.branch is not None:
            object.__setattr__(self, "branch", read_only(self.branch))
        if self.stand_in is not None:
            object.__setattr__(self, "stand_in", read_only(self.stand_in))


@dataclass(frozen=True, eq=False)
class Solution:
    """What a location model chose, and how good that provably is."""

    chosen: IntArray  # (p,) positions of sites, ascending; fixed ones included
    objective: float  # in the problem's own unit
    bound: float  # no plan can be better
    sense: Literal["max", "min"]
    status: Literal["optimal", "feasible", "infeasible"]
    seconds: float
    proof: Proof = "untold"  # how `bound` is proven
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        ahead = self.objective - self.bound if self.sense == "max" else self.bound - self.objective
        if self.status != "infeasible" and ahead > TOLERANCE * max(1.0, abs(self.bound)):
            msg = f"`objective` {self.objective} is better than `bound` {self.bound}."
            raise SolutionError(msg)
        if self.status == "optimal" and self.gap > TOLERANCE:
            msg = f"`status` is 'optimal' with a gap of {self.gap}."
            raise SolutionError(msg)
        object.__setattr__(self, "chosen", read_only(self.chosen))

    @property
    def gap(self) -> float:
        """Relative gap between objective and bound, 0 when proven, `inf` when nothing is feasible."""
        if self.status == "infeasible":
            return float("inf")
        gap = abs(self.bound - self.objective) / max(abs(self.bound), 1e-12)
        return 0.0 if gap <= TOLERANCE else gap


# ---------------------------------------------------------------------------------------------------- study
@dataclass(frozen=True)
class InputFile:
    """A file that a study rests on."""

    role: str  # network, stations, shops, ...
    file: str  # as named in study.toml
    rows: int | None  # rows of data; None where rows have no meaning
    sha256: str
    datum: str | None  # wgs84, gcj02, bd09, mixed (row by row); None where it has none
    sheet: str | None = None  # sheet or layer, where the file has several
    #: row of each id, as Excel counts: the header is row 1
    row_of: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    is_datum_stated: bool = False  # by study.toml, by headers, or row by row


@dataclass(frozen=True)
class SuggestRule:
    """How many sites to suggest, how far apart generated candidates stand, and how long to search."""

    stations: int = 2
    shops: int = 0
    spacing_m: float = 200.0
    time_limit_s: float | None = None  # of each search; None: the usual one


@dataclass(frozen=True, eq=False, repr=False)
class Study(Shown):
    """
    All inputs of one plan, read and checked. Every frame is in WGS 84 and has the id (str) as its index.

    Facility frames (`stations`, `shops`): columns `name`, `kind`, `minutes` (own limit or nan), and, where the
    file has them, `address`, `hours`, `amenities`, `capacity`, `status` and whatever else it had. `depots`: `name`,
    `riders`. `streets`, `districts`: as shops, with `form` and, where the ledger draws them, `doors`; a street by
    its name has `street`, `from_street` and `to_street` instead, and no place. `posts`: `name`, and `zone` where
    the file says whose each is. `pickups`: `name`, `orders` (a day) and their
    hours. `zones`: `name`, polygons. `candidates`: `name`, `kind` (station, shop, both), and,
    where the file has them, `floor`, `area_m2`,
    `street_facing`, `dense`. Frames that the study does not name are None.
    """

    name: str
    folder: Path
    profile: TravelProfile
    minutes: tuple[float, ...]
    direction: Direction = "to"
    lang: Lang = "zh"
    crs: CRS | None = None  # None: the UTM zone of the data
    date: str = ""  # ISO date that is printed; never the clock
    office: str = ""  # who made it
    is_invented: bool = False  # sample data: said on the map
    publish: bool = False  # observed counts under 5 are not told
    max_snap_m: float = MAX_SNAP_M
    network_file: Path | None = None
    network_place: str | None = None
    network_crs: CRS | None = None
    admit_trunk: bool = False  # walk and e-bike may use every trunk road
    network_cache: bool = True  # keep what is read of the road file beside it
    area: gpd.GeoDataFrame | None = None
    stations: gpd.GeoDataFrame | None = None
    shops: gpd.GeoDataFrame | None = None
    streets: gpd.GeoDataFrame | None = None  # shop streets: partners, served all along
    districts: gpd.GeoDataFrame | None = None  # areas: partners, entered at their gates
    depots: gpd.GeoDataFrame | None = None
    posts: gpd.GeoDataFrame | None = None  # the centres of zones
    candidates: gpd.GeoDataFrame | None = None
    zones: gpd.GeoDataFrame | None = None
    population: gpd.GeoDataFrame | None = None  # points or polygons with `riders`
    closures: Closures | None = None  # reports of trouble on the road
    trust: TrustRule | None = None  # which of them hold; None: every one
    checkins: CheckIns | None = None  # observed, by place, day and hour
    checkin_stock: float | None = None  # bottles that a place has in the morning
    wishes: gpd.GeoDataFrame | None = None  # points with `text`, `services`, `n`, see `wishes.py`
    gates: gpd.GeoDataFrame | None = (
        None  # points with `area`: the compound, district, station or shop they lead into
    )
    compounds: gpd.GeoDataFrame | None = None  # polygons
    holidays: tuple[dt.date, ...] = ()  # public holidays, for moments that are dates
    workdays: tuple[dt.date, ...] = ()  # weekend days that are worked in exchange (调休), for the same
    demand_source: Literal["depots", "population", "checkins", "wishes", "pickups", "uniform"] = "uniform"
    pickups: gpd.GeoDataFrame | None = None  # where riders wait for orders
    wait_minutes: float = WAIT_MIN  # how long, at each
    pickup_share: float = 0.0  # of the riders of depots who do
    shop_minutes: float = SHOP_MINUTES
    when: Moment | None = None  # only what is open then counts; None: whatever its hours
    service: tuple[str, ...] = ()  # a place counts if each works there; `a|b`: one of them is enough
    amenity_words: Mapping[str, str] = field(
        default_factory=dict, compare=False
    )  # the study's own, with their codes
    cell_m: float | None = 100.0
    h3: int | None = None
    suggest: SuggestRule = field(default_factory=SuggestRule)
    siting: SitingRules = field(default_factory=SitingRules)  # what is asked for beside the counts
    candidate_sources: tuple[str, ...] = ()  # of `CANDIDATE_SOURCES`; none: the own list, else corners and shops
    site_rule: str = "none"  # a key of `SITE_RULES`
    assign: AssignRule | None = None  # None: depots are not assigned to zones
    balance: BalanceRule | None = None  # None: no balanced zones are proposed
    contacts: ContactRule | None = None  # None: no contact table is made
    map_rules: MapRules = field(default_factory=MapRules)  # what the map says of itself, and shows
    inputs: tuple[InputFile, ...] = ()
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True, eq=False)
class Land:
    """Ground that the map draws under and between the streets."""

    frame: gpd.GeoDataFrame  # WGS 84 polygons, `kind`: water, green, pitch, campus, building


# ----------------------------------------------------------------------------------------------------- plan
@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a plan's suggestions were chosen, and how firmly; see `explanations.py` for every column. Riders at T."""

    objective: float  # riders covered with the suggestions (with rules: by their aim): that of the solution
    gained: float  # of these, by the suggestions (with rules: more than today's facilities give alone)
    sites: pd.DataFrame  # a row a suggestion, in rank order: gain, minutes, loss if dropped, substitutes, firmness
    zones: pd.DataFrame  # riders gained by suggestion and zone
    cells: pd.DataFrame  # riders gained by suggestion and planning cell
    substitutes: pd.DataFrame  # the places that could take that of a suggestion, least loss first
    changes: pd.DataFrame  # a row a change of speed, cutoff or riders: is the choice still the best?
    reach: pd.DataFrame  # riders by zone: covered, in reach of another candidate, out of reach of all
    unreachable: pd.DataFrame  # demand points that no candidate can serve, with the nearest
    n_left: int = 0  # changes that were not tried: the time was up
    is_interrupted: bool = False  # Ctrl-C ended the time


@dataclass(frozen=True, eq=False)
class Unmet:
    """Why no plan keeps all that is asked for, and the riders whom no candidate can reach."""

    reasons: tuple[Fault, ...]
    #: index demand id; riders, cell_id, zone_id, nearest_candidate (None: no way leads there), minutes to it
    out_of_reach: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Shown):
    """A study worked out: who is covered, where the gaps are, what is suggested, and how good that is."""

    study: Study  # with the parameters that were used
    network: Network
    grid: Grid
    demand: gpd.GeoDataFrame  # index id; weight, cell_id, zone_id; CRS of the network
    facilities: gpd.GeoDataFrame  # existing stations and shops that are open, WGS 84
    candidates: gpd.GeoDataFrame  # WGS 84; kind station, shop or both; to_check, where a site rule is asked
    sites: gpd.GeoDataFrame  # suggestions in rank order, WGS 84, see `suggestions.py`
    solution: Solution
    before: Coverage
    after: Coverage
    gaps: gpd.GeoDataFrame  # today, worst first, CRS of the network, see `gaps.py`
    gaps_after: gpd.GeoDataFrame
    circles: gpd.GeoDataFrame  # one area a facility (existing and suggested) and break, CRS of the network
    circles_before: gpd.GeoDataFrame  # merged, one row a break
    circles_after: gpd.GeoDataFrame
    land: Land | None = None
    rejected: gpd.GeoDataFrame | None = None  # candidates that are left out or serve nobody, WGS 84, with reasons
    siting: SitingFigures | None = None  # None: nothing was asked for beside the counts
    serving: ServingFigures | None = None  # who does not count, the week by hour, amenities by zone
    warnings: tuple[Fault, ...] = ()
    explanation: Explanation | None = None  # what `explain_plan` says of it, for the map and the files
    checkins: CheckInFigures | None = None  # check-ins beside the riders
    wishes: pd.DataFrame | None = None  # a row a wish and service, see `tell_wishes`
    trouble: TroubleFigures | None = None  # what `tell_closures` says of reports of trouble, for the files
    posts: ZonePosts | None = None  # this and the next three: what `with_zone_work` makes of the study's zones
    proposal: ZoneProposal | None = None
    assignment: Assignment | None = None
    contacts: Contacts | None = None
    unmet: Unmet | None = None  # set where no plan keeps the rules: then nothing is suggested
    is_interrupted: bool = False  # Ctrl-C ended the search for its suggestions, or for other plans

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What later stages made of this plan alone, by name: kept with it, and gone with it."""
        return {}
