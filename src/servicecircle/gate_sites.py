"""Gates: at which gates of compounds a thing that couriers fill and residents fetch from serves the most wishes."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from ._validate import BoolArray, FloatArray, IntArray, StrArray, check_points
from .entrances import gates_shut_to
from .errors import InputError
from .locate import mclp
from .locate.siting import Siting
from .locate.solve_siting import solve_siting
from .model import Network
from .params import MAX_SNAP_M
from .snapping import locate_on_edges
from .travel_times import travel_times

WGS84 = "EPSG:4326"
#: residents walk no farther than this, couriers ride no longer
WALK_M, RIDE_MIN = 300.0, 15.0
#: leaves of one gate, and streets that cross a wall side by side, are one (metres)
ONE_GATE_M = 10.0


@dataclass(frozen=True, eq=False)
class GateSites:
    """
    Gates that are proposed, in rank order, and all that were looked at.

    `sites`: index gate id, WGS 84; `rank`, `name`, `area`, `wishes` (people or households that the gate serves,
    each at the nearest proposed gate with room), `walk_min` (mean of those), `walk_max_min`, `walk_max_m`,
    `ride_min` (from the nearest depot; missing without depots). `gates`: every gate with `in_reach` (people within
    the walk), `ride_min` and `why` ("" if it may be proposed; `no walk`: off the streets that are walked, `no
    ride`: no courier gets there in time, `nobody`: no wish within the walk). `wishes`: index wish id; `gate_id` and
    `walk_min`, missing where no proposed gate serves it.
    """

    sites: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame
    wishes: pd.DataFrame
    served: float
    bound: float  # no choice of so many gates serves more
    status: str  # "optimal" where that is proven, else "feasible"


def compound_gates(compounds: gpd.GeoDataFrame, network: Network) -> gpd.GeoDataFrame:
    """
    Return where streets cross the walls of compounds: gates, where no ledger of gates says better.

    Parameters
    ----------
    compounds
        Polygons in any stated CRS, index: id.
    network
        Streets; those that a profile may not use make no gate.

    Returns
    -------
    gates
        Points in WGS 84, columns `name` and `area` (id of the compound); the id is that of the compound and a
        number, west to east. Crossings of one wall within 10 m of each other are one gate. A street that only
        touches the wall, or runs along it, makes one where it does so first.
    """
    own = compounds.geometry.to_crs(network.crs)
    first = network.street_first[network.is_street_admissible]
    lines = np.asarray(network.geometry[first], dtype=object)
    tree = shapely.STRtree(lines)
    rows = []
    for area, shape in zip(own.index, own, strict=True):
        near = np.sort(tree.query(shape.boundary, predicate="intersects"))
        met = shapely.intersection(shape.boundary, lines[near])
        xy = np.array([shapely.get_coordinates(one)[0] for one in shapely.get_parts(met)]).reshape(-1, 2)
        xy = xy[np.lexsort((xy[:, 1], xy[:, 0]))]
        kept: list[FloatArray] = []
        for at in xy:
            if all(np.hypot(*(at - other)) > ONE_GATE_M for other in kept):
                kept.append(at)
        rows += [(f"{area}-{n}", str(area), shapely.Point(at)) for n, at in enumerate(kept, start=1)]
    frame = gpd.GeoDataFrame(
        {"name": "", "area": [area for _, area, _ in rows]},
        index=pd.Index([i for i, _, _ in rows], dtype=object, name="id"),
        geometry=[point for *_, point in rows],
        crs=network.crs,
    )
    return frame.to_crs(WGS84)


def propose_gates(
    wishes: gpd.GeoDataFrame,
    gates: gpd.GeoDataFrame,
    *,
    walk: Network,
    ride: Network,
    depots: gpd.GeoDataFrame | None = None,
    p: int = 1,
    walk_m: float = WALK_M,
    ride_min: float = RIDE_MIN,
    capacity: float | None = None,
    max_snap_m: float = MAX_SNAP_M,
    time_limit_s: float | None = 60.0,
) -> GateSites:
    """
    Propose gates for parcel lockers and the like: both sides must hold, the resident's walk and the courier's ride.

    Parameters
    ----------
    wishes
        Points in any stated CRS, index: id, column `n` (people or households behind each; 1 without it).
    gates
        Points in any stated CRS, index: id, columns `name` and `area` where there are any; and `modes` (通行方式):
        through a gate that names others only, no resident walks, or no courier rides.
    walk, ride
        The streets for residents and for couriers, e.g. profiles `walk` and `ebike`.
    depots
        Where couriers come from, points. None: a gate needs a street of `ride` within `max_snap_m`, no more.
    p
        At most so many gates.
    walk_m
        A resident walks at most so far, from the wish to the gate on the streets (metres, closed).
    ride_min
        A courier rides at most so long, from the nearest depot to the gate (minutes, closed).
    capacity
        People that one gate has room for. None: no limit. A wish goes to one gate as a whole or in parts, as there
        is room.
    max_snap_m
        A point farther than this from every street is not reached (metres).
    time_limit_s
        End the search after so long, with the best choice found and its bound.

    Returns
    -------
    proposal
        The gates that serve the most people, proven where `status` is `"optimal"`. Ties: lower ids first.

    Raises
    ------
    CRSError
        If a frame states no CRS.
    InputError
        If a frame holds something else than points, or a number is out of range.
    """
    _check(p=p, walk_m=walk_m, ride_min=ride_min, capacity=capacity)
    own, doors = check_points(wishes, "wishes").sort_index(), check_points(gates, "gates").sort_index()
    n = own["n"].to_numpy(np.float64) if "n" in own.columns else np.ones(len(own))
    metres_a_second = (walk.profile.speed_kph or 3.6) / 3.6
    cutoff_s = walk_m / metres_a_second
    times = travel_times(walk, own, doors, cutoff_s=cutoff_s, max_snap_m=max_snap_m)
    seconds = _matrix(times.start, times.facility, times.seconds, (len(own), len(doors)))
    seconds[:, gates_shut_to(doors, walk.profile.roads)] = np.inf
    minutes = _ride_minutes(ride, depots, doors, ride_min, max_snap_m)
    minutes[gates_shut_to(doors, ride.profile.roads)] = np.inf
    in_reach = np.asarray((np.isfinite(seconds) * n[:, None]).sum(axis=0)).reshape(-1)
    is_walked = times.facility_at.is_on_network & ~gates_shut_to(doors, walk.profile.roads)
    why = _why(is_walked, minutes, in_reach)
    may = np.flatnonzero(why == "")
    found = _choose(seconds, n, may, p=p, capacity=capacity, time_limit_s=time_limit_s)
    chosen, of_gate, served, bound, status = found
    told = doors[[c for c in ("name", "area") if c in doors.columns] + [doors.geometry.name]].to_crs(WGS84)
    told = told.assign(in_reach=in_reach, ride_min=np.where(np.isfinite(minutes), minutes, np.nan), why=why)
    fetched = _fetched(own.index, doors.index, seconds, of_gate)
    sites = _sites(told, chosen, seconds, of_gate, metres_a_second)
    return GateSites(sites, told, fetched, served, bound, status)


def _check(*, p: int, walk_m: float, ride_min: float, capacity: float | None) -> None:
    if not _is_count(p):
        msg = f"`p` must be a whole number >= 0, got {p!r}."
        raise InputError(msg, zh=f"大门数应为不小于 0 的整数，现为 {p!r}。")
    for name, value in (("walk_m", walk_m), ("ride_min", ride_min), ("capacity", capacity)):
        if value is not None and not (np.isfinite(value) and value > 0):
            msg = f"`{name}` must be above 0, got {value!r}."
            raise InputError(msg, zh=f"{name} 必须大于 0，现为 {value!r}。")


def _is_count(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Integral):
        return False
    return int(value) >= 0


def _matrix(start: IntArray, facility: IntArray, seconds: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return seconds of each pair, inf where there is none."""
    whole = np.full(shape, np.inf)
    whole[np.repeat(np.arange(shape[0]), np.diff(start)), facility] = seconds
    return whole


def _ride_minutes(
    ride: Network, depots: gpd.GeoDataFrame | None, gates: gpd.GeoDataFrame, ride_min: float, max_snap_m: float
) -> FloatArray:
    """Return the minutes of the nearest courier to each gate, inf where none gets there; 0 without depots."""
    at = locate_on_edges(gates, ride, max_m=max_snap_m)
    if depots is None:
        return np.where(at.is_on_network, 0.0, np.inf)
    times = travel_times(ride, depots, gates, cutoff_s=ride_min * 60.0, max_snap_m=max_snap_m)
    minutes = np.full(len(gates), np.inf)
    np.minimum.at(minutes, times.facility, times.seconds / 60.0)
    return minutes


def _why(is_walked: BoolArray, minutes: FloatArray, in_reach: FloatArray) -> StrArray:
    """Return why each gate is not to be proposed, "" where it may be."""
    why = np.full(minutes.size, "", dtype=object)
    why[in_reach <= 0] = "nobody"
    why[~np.isfinite(minutes)] = "no ride"
    why[~is_walked] = "no walk"
    return why


def _choose(
    seconds: FloatArray, n: FloatArray, may: IntArray, *, p: int, capacity: float | None, time_limit_s: float | None
) -> tuple[IntArray, FloatArray, float, float, str]:
    """Return the gates that serve the most, people of each wish by gate, how many, the bound and its status."""
    of_gate = np.zeros(seconds.shape)
    reach = np.isfinite(seconds[:, may])
    if not may.size or p == 0 or not reach.any():
        return np.zeros(0, dtype=np.int64), of_gate, 0.0, 0.0, "optimal"
    if capacity is None:
        found = mclp(reach, n, p, time_limit_s=time_limit_s)
        chosen = found.chosen
        bound, status = found.bound, str(found.status)
    else:
        siting = Siting(
            worth=sparse.csr_array(reach.astype(np.float64)),
            weight=n,
            p=p,
            capacity=np.full(may.size, float(capacity)),
        )
        plan = solve_siting(siting, time_limit_s=time_limit_s)
        chosen, bound, status = plan.chosen, plan.bound, str(plan.status)
    chosen = may[np.sort(chosen)]
    of_gate[:, chosen] = _shared(seconds[:, chosen], n, np.inf if capacity is None else float(capacity))
    chosen = chosen[of_gate[:, chosen].sum(axis=0) > 0]  # one that adds nobody is not proposed
    return chosen, of_gate, float(of_gate.sum()), float(bound), status


def _shared(seconds: FloatArray, n: FloatArray, capacity: float) -> FloatArray:
    """Return the people of each wish by gate: as many as can be served, by the least walk in all."""
    n_wish, n_gate = seconds.shape
    out = np.zeros(seconds.shape)
    if np.isinf(capacity):
        nearest = np.argmin(seconds, axis=1)
        is_near = np.isfinite(seconds[np.arange(n_wish), nearest])
        out[np.flatnonzero(is_near), nearest[is_near]] = n[is_near]
        return out
    from scipy.optimize import linprog

    wish, gate = np.nonzero(np.isfinite(seconds))
    ones = np.ones(wish.size)
    pair = np.arange(wish.size)
    rows = sparse.vstack(
        [
            sparse.csr_array((ones, (wish, pair)), shape=(n_wish, wish.size)),
            sparse.csr_array((ones, (gate, pair)), shape=(n_gate, wish.size)),
        ]
    )
    walk = seconds[wish, gate]
    far = 1.0 + 2.0 * float(walk.max(initial=0.0))  # serving one more is worth any walk
    limit = np.append(n, np.full(n_gate, capacity))
    found = linprog(walk - far, A_ub=rows, b_ub=limit, bounds=(0, None))  # type: ignore[call-overload]
    out[wish, gate] = np.where(found.x > 1e-9, found.x, 0.0)  # noqa: PLR2004
    return out


def _fetched(wish_ids: pd.Index, gate_ids: pd.Index, seconds: FloatArray, of_gate: FloatArray) -> pd.DataFrame:
    """Return the gate at which most of each wish is served, and the walk to it."""
    if not of_gate.size:
        return pd.DataFrame(
            {"gate_id": pd.Series(dtype=object), "walk_min": pd.Series(dtype=float)}, index=wish_ids
        )
    most = np.argmax(of_gate, axis=1)
    served = of_gate.sum(axis=1) > 0
    walk = np.where(served, seconds[np.arange(len(most)), most] / 60.0, np.nan)
    names = [
        gate_ids[j] if is_served else None for j, is_served in zip(most.tolist(), served.tolist(), strict=True)
    ]
    return pd.DataFrame(
        {"gate_id": pd.Series(names, index=wish_ids, dtype=object), "walk_min": walk}, index=wish_ids
    )


def _sites(
    gates: gpd.GeoDataFrame,
    chosen: IntArray,
    seconds: FloatArray,
    of_gate: FloatArray,
    metres_a_second: float,
) -> gpd.GeoDataFrame:
    """Return the chosen gates, most people first, with both sides' minutes."""
    rows = []
    for j in chosen.tolist():
        people = of_gate[:, j]
        own = people > 0
        walk = seconds[own, j]
        mean = float((walk * people[own]).sum() / people[own].sum()) if own.any() else np.nan
        most = float(walk.max()) if own.any() else np.nan
        rows.append((float(people.sum()), mean / 60.0, most / 60.0, most * metres_a_second))
    columns = ["wishes", "walk_min", "walk_max_min", "walk_max_m"]
    frame = pd.DataFrame(rows, columns=columns, index=gates.index[chosen])
    order = np.lexsort((np.arange(len(frame)), -frame["wishes"].to_numpy(np.float64)))
    sites = gates.iloc[chosen].drop(columns=["in_reach", "why"]).join(frame).iloc[order]
    sites.insert(0, "rank", np.arange(1, len(sites) + 1))
    return sites
