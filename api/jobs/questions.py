"""What may be asked of a job, checked before it is accepted; and the study that is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import geopandas as gpd
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from servicecircle.errors import InputError
from servicecircle.model import Study
from servicecircle.study_options import with_options

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

    stations: int | None = Field(default=None, ge=0, le=MOST_SITES, description="Stations to suggest.")
    shops: int | None = Field(default=None, ge=0, le=MOST_SITES, description="Partner shops to suggest.")
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

    def asked_of(self, study: Study) -> Study:
        """
        Return the study with all that is asked of it.

        Raises
        ------
        InputError
            If the study does not know an id, or a value is not allowed.
        """
        changed = _with_places(_without(study, self.close), self.add)
        breaks = self.minutes if self.minutes is None or isinstance(self.minutes, list) else [self.minutes]
        given: dict[str, Any] = {
            "minutes": breaks,
            "profile": self.profile,
            "when": self.when,
            "service": [self.service] if isinstance(self.service, str) else self.service,
            "stations": self.stations,
            "shops": self.shops,
            "time_limit_s": self.time_limit_s,
        }
        return with_options(changed, **given)


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
        new = [(n, place) for n, place in enumerate(places, 1) if place.kind == kind]
        if not new:
            continue
        frame = gpd.GeoDataFrame(
            {
                "name": [place.name or f"trial {n}" for n, place in new],
                "kind": kind,
                "minutes": study.shop_minutes if kind == "shop" else float("nan"),
            },
            index=pd.Index([f"trial-{n}" for n, _ in new], dtype="str"),
            geometry=gpd.points_from_xy([p.lon for _, p in new], [p.lat for _, p in new]),
            crs="EPSG:4326",
        )
        old: gpd.GeoDataFrame | None = getattr(study, name)
        both: Any = frame if old is None or old.empty else pd.concat([old, frame])
        values: dict[str, Any] = {name: both}
        changed = replace(changed, **values)
    return changed
