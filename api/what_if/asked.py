"""What a body may ask: its members."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field

from ..trouble_models import TroubleCollection

Id = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    """Takes no member that it does not know, and no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Added(_Strict):
    """A new station or shop."""

    id: Id | None = Field(None, description="Of no station or shop that is open. Default: `new-1`, `new-2`, ...")
    kind: Literal["station", "shop"] = "station"
    lon: Number = Field(examples=[113.362])
    lat: Number = Field(examples=[22.481])
    name: Text | None = None
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="Its own limit. Default: none of a station, that of the study of a shop."
    )


class Moved(_Strict):
    """An open station or shop at another place."""

    id: Id
    lon: Number
    lat: Number


class WhatIfRequest(_Strict):
    """Changes to the stations, shops and roads of today; what is left out is as the study has it."""

    add: Annotated[list[Added], FailFast()] = []
    move: Annotated[list[Moved], FailFast()] = []
    close: Annotated[list[Id], FailFast()] = Field([], description="Ids of open stations and shops.")
    closures: TroubleCollection | None = Field(None, description="Trouble on the road, all at once.")
    minutes: Annotated[list[Number], Field(fail_fast=True)] | None = Field(
        None, description="Breaks, ascending.", examples=[[10, 15]]
    )
    profile: Text | None = None
    when: Text | None = None
    service: Annotated[list[Text], Field(fail_fast=True)] | None = None
