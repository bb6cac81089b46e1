"""Reports of trouble as GeoJSON: the members that one may have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field

from servicecircle.errors import visible

KINDS = ("Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
#: in the document; what stands in the coordinates is checked with their kind
_GEOMETRY: dict[str, Any] = {
    "required": ["type", "coordinates"],
    "properties": {"type": {"enum": list(KINDS)}, "coordinates": {"type": "array", "items": {}}},
}
Text = Annotated[str, Field(max_length=200)]


def _is_seen(text: str) -> str:
    """Refuse a text with signs that nobody sees, or that turn others round: it stands in lists and on maps."""
    if visible(text) != text or "\n" in text or "\t" in text:
        msg = "holds control characters, or signs that are not seen"
        raise ValueError(msg)
    return text


Words = Annotated[Text, AfterValidator(_is_seen)]


class TroubleProperties(BaseModel):
    """What a report says beside its place."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    name: Words | None = Field(None, description="Where, in words.")
    modes: Text | Annotated[list[Text], Field(fail_fast=True)] | None = Field(
        None, description="Of `walk`, `ebike`, `drive`. Default: all."
    )
    factor: float | Text | None = Field(
        None, description="Share of the usual speed that is left. Default 0: closed."
    )
    closed: bool | None = Field(None, description="`true`: closed, as `factor` 0.")
    begins: Text | None = Field(None, alias="from", description="A time, of Asia/Shanghai unless it says another.")
    until: Text | None = Field(None, description="A time at which it is open again.")
    radius_m: float | None = Field(None, description="A point needs it.")
    width_m: float | None = Field(None, description="A line needs it.")
    source: Words | None = Field(None, description="Who reported it: an office or a class of people, no person.")


class TroubleFeature(BaseModel):
    """A report of trouble on the road: a point with `radius_m`, a line with `width_m`, or a polygon."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["Feature"]
    id: Annotated[str, Field(min_length=1, max_length=100)] | int | None = None
    geometry: dict[str, Any] = Field(json_schema_extra=_GEOMETRY)
    properties: TroubleProperties | None = None
    bbox: Annotated[list[float], Field(fail_fast=True)] | None = None


class TroubleCollection(BaseModel):
    """Reports of trouble on the road."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["FeatureCollection"]
    features: Annotated[list[TroubleFeature], FailFast()]
    bbox: Annotated[list[float], Field(fail_fast=True)] | None = None
