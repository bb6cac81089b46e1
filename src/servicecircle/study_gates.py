"""The gates of a study: which of them to propose for a service that its wishes ask for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import geopandas as gpd

from .candidates import gate_candidates
from .errors import InputError
from .gate_sites import RIDE_MIN, WALK_M, GateSites, compound_gates, propose_gates
from .model import Study
from .params import travel_profile
from .pipeline import TIME_LIMIT_S, read_roads
from .services import fold_services
from .wishes import wishes_for


def suggest_gates(
    study: Study,
    service: str | Sequence[str] = "parcel_locker",
    *,
    gates: int = 1,
    walk_m: float = WALK_M,
    ride_min: float = RIDE_MIN,
    capacity: float | None = None,
    time_limit_s: float | None = None,
) -> GateSites:
    """
    Propose gates of a study's compounds for parcel lockers, or another thing that its wishes ask for.

    Parameters
    ----------
    study
        With wishes. Gates are those of `[gates]` (of them, where some lead into a compound that a wish or
        `[compounds]` names, only these); else where streets cross the walls of `[compounds]`; else those of the
        road file. Couriers ride from the depots, by e-bike; residents walk.
    service
        What is asked for, as for a study's `service`.
    gates
        At most so many.
    walk_m, ride_min, capacity
        As for `propose_gates`.
    time_limit_s
        As for `suggest`; None: as the study says, 60 s unless it does.

    Returns
    -------
    proposal
        As `propose_gates`.

    Raises
    ------
    InputError
        If the study has no wish for the service, or no gate, or a number is out of range.
    """
    codes = fold_services([service] if isinstance(service, str) else service, words=study.amenity_words)
    own = None if study.wishes is None else wishes_for(study.wishes, codes)
    if own is None or own.empty:
        msg = "The study has no wish for this service: add [wishes], or words for it in [amenities]."
        raise InputError(msg, zh="研究中没有提出该服务的心愿：请添加 [wishes]，或在 [amenities] 中补充词语。")
    walk, places, _ = read_roads(dataclasses.replace(study, profile=travel_profile("walk")))
    ride, _, _ = read_roads(dataclasses.replace(study, profile=travel_profile("ebike")))
    doors = None if study.gates is None else _of_compounds(study.gates, study)
    if doors is None and study.compounds is not None:
        doors = compound_gates(study.compounds, walk)
    if doors is None and places is not None:
        doors = gate_candidates(places, walk)
    if doors is None or doors.empty:
        msg = "The study has no gate: add [gates], or [compounds] whose walls streets cross."
        raise InputError(msg, zh="研究中没有大门：请添加 [gates]，或添加有道路穿过边界的 [compounds]。")
    return propose_gates(
        own,
        doors,
        walk=walk,
        ride=ride,
        depots=study.depots,
        p=gates,
        walk_m=walk_m,
        ride_min=ride_min,
        capacity=capacity,
        max_snap_m=study.max_snap_m,
        time_limit_s=time_limit_s or study.suggest.time_limit_s or TIME_LIMIT_S,
    )


def _of_compounds(gates: gpd.GeoDataFrame, study: Study) -> gpd.GeoDataFrame:
    """Return the gates that lead into compounds of the study; all where none is known to."""
    if "area" not in gates.columns:
        return gates
    known: set[str] = set()
    if study.wishes is not None:
        known |= set(study.wishes["area"])
    if study.compounds is not None:
        known |= {*study.compounds.index.astype(str), *study.compounds["name"].astype(str)}
    own = gates["area"].isin(known - {""})
    return gates[own] if own.any() else gates
