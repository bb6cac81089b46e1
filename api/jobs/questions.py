"""What may be asked of a job, checked before it is accepted; and the study that is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast

import geopandas as gpd
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from servicecircle.candidates.studies import usual_sources
from servicecircle.errors import InputError
from servicecircle.model import Study
from servicecircle.study_options import with_options

from ..trouble_models import TroubleCollection

#: at most so many trial places, and so many that are taken to be closed
MOST_PLACES = 100
#: at most so many suggestions of a kind
MOST_SITES = 1000
MOST_BREAKS = 20
MOST_SERVICES = 50
#: an hour
MOST_SECONDS = 3600.0

Words = Annotated[str, Field(min_length=1, max_length=400)]


class Strict(BaseModel):
    """What is not known is refused, and so is what is no number."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class TrialPlace(Strict):
    """A station or shop that is not there yet."""

    kind: Literal["station", "shop"] = "station"
    lon: float = Field(ge=-180, le=180, description="WGS 84.")
    lat: float = Field(ge=-90, le=90, description="WGS 84.")
    name: str | None = Field(default=None, min_length=1, max_length=80)


class Question(Strict):
    """What to suggest, and for which study; what is left out is the study's own."""

    stations: int | None = Field(default=None, ge=0, le=MOST_SITES, description="Stations to choose.")
    shops: int | None = Field(default=None, ge=0, le=MOST_SITES, description="Partner shops to choose.")
    minutes: float | Annotated[list[float], Field(fail_fast=True)] | None = Field(
        default=None, description="Breaks, ascending.", examples=[[10, 15]]
    )
    profile: str | None = Field(default=None, max_length=40, examples=["walk"])
    when: str | None = Field(default=None, max_length=40, examples=["Tue 20:30"])
    service: Words | Annotated[list[Words], Field(max_length=MOST_SERVICES)] | None = Field(
        default=None, description="Services of which a place must offer each.", examples=[["hot_water"]]
    )
    time_limit_s: float | None = Field(
        default=None, gt=0, le=MOST_SECONDS, description="End the search after this time, with the best found."
    )
    add: list[TrialPlace] = Field(
        default=[], max_length=MOST_PLACES, description="Stations and shops that are taken to be there."
    )
    close: list[Words] = Field(
        default=[], max_length=MOST_SITES, description="Ids of stations and shops that are taken to be closed."
    )
    propose: list[TrialPlace] = Field(
        default=[],
        max_length=MOST_PLACES,
        description="Places that the plan suggests; it chooses others only where counts ask for them.",
    )
    closures: TroubleCollection | None = Field(
        default=None, description="Trouble on the road that is taken to hold, as of `POST /what-if`."
    )

    def asked_of(self, study: Study) -> Study:
        """
        Return the study with all that is asked of it.

        Raises
        ------
        InputError
            If the study does not know an id, or a value is not allowed.
        """
        changed = _with_places(_without(study, self.close), self.add)
        none = 0 if self.propose else None
        breaks = self.minutes if self.minutes is None or isinstance(self.minutes, list) else [self.minutes]
        given: dict[str, Any] = {
            "minutes": breaks,
            "profile": self.profile,
            "when": self.when,
            "service": [self.service] if isinstance(self.service, str) else self.service,
            "stations": none if self.stations is None else self.stations,
            "shops": none if self.shops is None else self.shops,
            "time_limit_s": self.time_limit_s,
        }
        return _with_proposed(with_options(changed, **given), self.propose)


class PlanQuestion(Question):
    """What a whole plan is asked for."""

    proposal: bool = Field(default=False, description="Write the proposal too: proposal.docx and proposal.html.")


#: by process
QUESTIONS: Mapping[str, type[Question]] = MappingProxyType({"suggest": Question, "plan": PlanQuestion})


def _without(study: Study, ids: Sequence[str]) -> Study:
    """Return the study without some stations and shops."""
    frames = {"stations": study.stations, "shops": study.shops}
    known = {str(one) for frame in frames.values() if frame is not None for one in frame.index}
    if unknown := [one for one in ids if one not in known][:5]:
        msg = f"`close` names {', '.join(map(repr, unknown))}, which is no station or shop of the study."
        raise InputError(msg, zh=f"close 中的 {'、'.join(unknown)} 不是研究中的驿站或商铺。")
    left: dict[str, Any] = {
        name: frame[~frame.index.isin(list(ids))] for name, frame in frames.items() if frame is not None
    }
    return replace(study, **left) if ids else study


def _with_places(study: Study, places: Sequence[TrialPlace]) -> Study:
    """Return the study with trial places among its stations and shops: open at any time, with ids of their own."""
    changed = study
    for kind, name in (("station", "stations"), ("shop", "shops")):
        new = _frame(places, "trial", kind)
        if new.empty:
            continue
        new["minutes"] = study.shop_minutes if kind == "shop" else float("nan")
        values: dict[str, Any] = {name: _joined(getattr(study, name), new)}
        changed = replace(changed, **values)
    return changed


def _with_proposed(study: Study, places: Sequence[TrialPlace]) -> Study:
    """Return the study with places that its plan must have, beside as many as it suggests itself."""
    if not places:
        return study
    suggest, own = study.suggest, study.candidates
    n_stations = sum(place.kind == "station" for place in places)
    new = _frame(places, "proposed")
    return replace(
        study,
        candidates=_joined(own, new),
        candidate_sources=_sources(study),
        suggest=replace(
            suggest, stations=suggest.stations + n_stations, shops=suggest.shops + len(places) - n_stations
        ),
        siting=replace(study.siting, must=(*study.siting.must, *new.index)),
    )


def _sources(study: Study) -> tuple[str, ...]:
    """Return where the study's own suggestions come from, its list among them: proposed places stand there."""
    if study.candidate_sources:
        return tuple(dict.fromkeys(("study", *study.candidate_sources)))
    return usual_sources(study)


def _frame(places: Sequence[TrialPlace], prefix: str, kind: str | None = None) -> gpd.GeoDataFrame:
    """Return places of a kind, or all, with an id and a name each."""
    some = [(n, place) for n, place in enumerate(places, 1) if kind in {None, place.kind}]
    return gpd.GeoDataFrame(
        {"name": [place.name or f"{prefix} {n}" for n, place in some], "kind": [place.kind for _, place in some]},
        index=pd.Index([f"{prefix}-{n}" for n, _ in some], dtype="str"),
        geometry=gpd.points_from_xy([place.lon for _, place in some], [place.lat for _, place in some]),
        crs="EPSG:4326",
    )


def _joined(own: gpd.GeoDataFrame | None, new: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return new places behind those of the study."""
    if own is None or own.empty:
        return new
    crs: Any = own.crs
    frames: list[Any] = [own, new.to_crs(crs)]
    return cast("gpd.GeoDataFrame", pd.concat(frames))
