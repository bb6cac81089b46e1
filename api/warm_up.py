"""Before the first visitor: each kind of question is asked once, so that nobody waits for what all need."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from fastapi import FastAPI

from servicecircle.errors import ServiceCircleError

from .memory import kept_small
from .ors.isochrones import isochrones
from .ors.matrix import matrix
from .ors.profiles import PROFILES
from .ors.requests import IsochronesRequest, MatrixRequest
from .plans import Plans, question_of

#: metres around a place that a closure takes, seconds that an isochrone reaches
_CLOSED_M, _RANGE_S = 30, 300


@contextmanager
def warmed_up(app: FastAPI) -> Iterator[None]:
    """
    Make a process ready that does nothing but serve an application, which has its plans.

    What questions need is compiled and kept. What is there by now stays, so that the collector of garbage does not
    look through it again: with all of a study in memory that takes longer than most answers. Memory is kept
    small. Outside of the main thread, where others own the process, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with kept_small():
        for ask in questions(app):
            with suppress(ServiceCircleError):  # a visitor is told why, should she ask the same
                ask()
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()


def questions(app: FastAPI) -> list[Callable[[], object]]:
    """Return how to ask each kind of question about a place of the study."""
    state, settings = app.state, app.state.settings
    plans: Plans = state.plans
    lon, lat = _place(plans)
    own = plans.study.profile.name
    profile = next((name for name, ours in PROFILES.items() if ours == own), next(iter(PROFILES)))
    closed = {"type": "Point", "coordinates": [lon, lat]}
    closure = {"type": "Feature", "geometry": closed, "properties": {"radius_m": _CLOSED_M}}

    def try_changes(**changes: Any) -> None:  # noqa: ANN401
        state.what_ifs.answer(state.what_ifs.trial_of(changes))

    def draw() -> None:
        said = {"locations": [[lon, lat]], "range": [_RANGE_S], "attributes": ["total_pop"]}
        isochrones(state.ors, plans, settings, profile, IsochronesRequest.model_validate(said))

    def measure() -> None:
        asked = MatrixRequest.model_validate({"locations": [[lon, lat], [lon, lat]]})
        matrix(state.ors, plans, settings, profile, asked)

    return [
        lambda: try_changes(add=[{"lon": lon, "lat": lat}]),
        lambda: try_changes(closures={"type": "FeatureCollection", "features": [closure]}),
        draw,
        measure,
    ]


def _place(plans: Plans) -> tuple[float, float]:
    """Return longitude and latitude of the first demand point."""
    first = plans.plan(question_of(plans.study)).demand.iloc[:1].to_crs(4326)
    west, south, *_ = first.total_bounds.tolist()
    return west, south
