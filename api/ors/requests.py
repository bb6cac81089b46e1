"""What may be asked: the forms of the two requests. What they do not hold is an error; null is as not said."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Len
from pydantic import BaseModel, ConfigDict, FailFast, Field

from ..settings import Settings
from .errors import BAD_VALUE, TOO_LITTLE, TOO_MUCH, UNSUPPORTED, OrsError
from .profiles import METRES, PROFILES

Unit = Literal["m", "km", "mi"]
Number = Annotated[float, Field(allow_inf_nan=False)]
_LON_LAT = [{"type": "number", "minimum": -180, "maximum": 180}, {"type": "number", "minimum": -90, "maximum": 90}]
Location = Annotated[list[Number], Len(2, 2), Field(json_schema_extra={"prefixItems": _LON_LAT})]
#: in the document; `check` and `ranges` tell more than a form can
_NO_MEMBERS: dict[str, Any] = {"maxProperties": 0}
_ABOVE_0 = Field(json_schema_extra={"exclusiveMinimum": 0})
_A_PROFILE: dict[str, Any] = {"enum": [*PROFILES, None]}
#: names in a request are not longer
Text = Annotated[str, Field(max_length=200)]
#: a range below it says nothing (seconds, metres)
LEAST_RANGE = 1.0


class OrsRequest(BaseModel):
    """What both requests have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    locations: Annotated[list[Location], Len(min_length=1), FailFast()] = Field(
        description="Points, longitude first.", examples=[[[113.381, 22.504]]]
    )
    id: Text | None = Field(None, description="Is given back in `metadata`.")
    profile: Text | None = Field(
        None,
        description="Some clients repeat that of the address; it must be the same.",
        json_schema_extra=_A_PROFILE,
    )
    options: dict[str, Any] | None = Field(
        None, description="Must be empty: roads are never avoided.", json_schema_extra=_NO_MEMBERS
    )

    def check(self, profile: str, most_locations: int) -> str:
        """
        Return the package's profile, once what both requests have is allowed.

        Raises
        ------
        OrsError
            Otherwise.
        """
        if profile not in PROFILES or self.profile not in (None, profile):
            came = profile if profile not in PROFILES else str(self.profile)
            names = ", ".join(PROFILES)
            msg = f"Parameter 'profile' has incorrect value of '{came[:40]}'; this server knows {names}"
            msg += "." if profile not in PROFILES else f", and the address says '{profile}'."
            raise OrsError(BAD_VALUE, msg, zh=f"参数 profile 不正确：{came[:40]}。可用的有：{names}。")
        if self.options:
            named = ", ".join(str(name)[:40] for name in list(self.options)[:5])
            msg = f"Parameter 'options': {named} not supported; leave it out or empty."
            raise OrsError(UNSUPPORTED, msg, zh=f"参数 options：不支持 {named}，请留空。")
        if len(self.locations) > most_locations:
            msg = f"Parameter 'locations' holds {len(self.locations)} points; at most {most_locations} are allowed."
            zh = f"参数 locations 有 {len(self.locations)} 个点，最多 {most_locations} 个。"
            raise OrsError(TOO_MUCH, msg, zh=zh)
        for i, (lon, lat) in enumerate(self.locations):
            if abs(lon) > 180 or abs(lat) > 90:  # noqa: PLR2004
                msg = f"Parameter 'locations[{i}]' is no longitude and latitude: [{lon}, {lat}]."
                raise OrsError(BAD_VALUE, msg, zh=f"参数 locations[{i}] 不是经纬度：[{lon}, {lat}]。")
        return PROFILES[profile]

    def said(self, profile: str) -> dict[str, Any]:
        """Return the request as it was said, for `metadata`."""
        return {**self.model_dump(exclude_unset=True), "profile": profile, "profileName": profile}


class IsochronesRequest(OrsRequest):
    """The places that are reached from points, or from which points are reached."""

    range: Annotated[list[Annotated[Number, _ABOVE_0]], Len(min_length=1), FailFast()] = Field(
        description="Seconds; with `range_type` distance lengths in `units`.", examples=[[300, 600]]
    )
    range_type: Literal["time", "distance"] | None = Field(None, description="Default time.")
    interval: Number | None = Field(None, description="Cuts a single range into steps of this width.")
    units: Unit | None = Field(None, description="Of `range`, with `range_type` distance. Default m.")
    area_units: Unit | None = Field(None, description="Areas are in its square. Default m.")
    location_type: Literal["start", "destination"] | None = Field(
        None, description="Whether the ways begin or end at the locations. Default start."
    )
    attributes: Annotated[list[Literal["area", "reachfactor", "total_pop"]], Field(fail_fast=True)] | None = Field(
        None, description="`total_pop` counts the riders of the study, by travel time."
    )
    intersections: bool | None = Field(None, description="Adds where the areas of two locations overlap.")
    smoothing: Annotated[Number, Ge(0), Le(100)] | None = Field(
        None, description="Accepted, without effect: areas are exact."
    )

    @property
    def is_distance(self) -> bool:
        """Whether ranges are lengths."""
        return self.range_type == "distance"

    @property
    def direction(self) -> Literal["to", "from"]:
        """The package's direction: from a start, to a destination."""
        return "to" if self.location_type == "destination" else "from"

    def ranges(self, settings: Settings) -> list[float]:
        """
        Return the ranges, ascending, in seconds or metres.

        Raises
        ------
        OrsError
            If one is too large, too small, or stands twice, or if there are too many.
        """
        scale = METRES[self.units or "m"] if self.is_distance else 1.0
        most = float(settings.max_range_m if self.is_distance else 60 * settings.max_minutes)
        unit, zh_unit = ("m", "米") if self.is_distance else ("s", "秒")
        asked = sorted(value * scale for value in self.range)
        if asked[-1] > most:
            msg = f"Parameter 'range' is {asked[-1]:g} {unit}; at most {most:g} {unit} are allowed."
            zh = f"参数 range 为 {asked[-1]:g} {zh_unit}，最多 {most:g} {zh_unit}。"
            raise OrsError(TOO_MUCH, msg, zh=zh)
        if asked[0] < LEAST_RANGE:
            msg = f"Parameter 'range' is {asked[0]:g} {unit}; it must be at least {LEAST_RANGE:g} {unit}."
            zh = f"参数 range 为 {asked[0]:g} {zh_unit}，至少应为 {LEAST_RANGE:g} {zh_unit}。"
            raise OrsError(TOO_LITTLE, msg, zh=zh)
        if len(asked) == 1 and self.interval is not None:
            asked = _steps(asked[0], self.interval * scale, settings.max_ranges)
        if len(asked) > settings.max_ranges:
            msg = f"Parameter 'range' holds {len(asked)} values; at most {settings.max_ranges} are allowed."
            zh = f"参数 range 有 {len(asked)} 个值，最多 {settings.max_ranges} 个。"
            raise OrsError(TOO_MUCH, msg, zh=zh)
        if len({f"{value:.5g}" for value in asked}) < len(asked):
            msg = "Parameter 'range' holds the same value twice; values must differ in their first five digits."
            raise OrsError(BAD_VALUE, msg, zh="参数 range 中有重复的值（前五位数字须不同）。")
        return asked


class MatrixRequest(OrsRequest):
    """The time and the length of the quickest ways between points."""

    sources: Annotated[list[int | Text], Field(fail_fast=True)] | Text | None = Field(
        None, description="Positions in `locations`, from 0. Default all.", examples=[["0"]]
    )
    destinations: Annotated[list[int | Text], Field(fail_fast=True)] | Text | None = Field(
        None, description="As `sources`."
    )
    metrics: Annotated[list[Literal["duration", "distance"]], Field(fail_fast=True)] | None = Field(
        None, description="Default duration."
    )
    resolve_locations: bool | None = Field(None, description="Adds the name of the street of each point.")
    units: Unit | None = Field(None, description="Of distances. Default m.")
    optimized: bool | None = Field(None, description="Accepted, without effect: ways are exact.")

    def rows(self, name: Literal["sources", "destinations"]) -> list[int]:
        """
        Return the positions of sources or destinations.

        Raises
        ------
        OrsError
            If one is no position in `locations`.
        """
        said, n = getattr(self, name), len(self.locations)
        if said in (None, "all", ["all"]):
            return list(range(n))
        parts = said.split(",") if isinstance(said, str) else said
        positions = [_position(part) for part in parts]
        if not positions or len(positions) > n or not all(0 <= k < n for k in positions):
            msg = f"Parameter '{name}' must hold positions from 0 to {n - 1}, at most {n} of them, or \"all\"."
            raise OrsError(BAD_VALUE, msg, zh=f'参数 {name} 应为 0 到 {n - 1} 的序号，最多 {n} 个，或 "all"。')
        return positions


def _position(part: int | str) -> int:
    """Return a position; -1 where it is none."""
    if isinstance(part, int):
        return part
    text = part.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004


def _steps(last: float, step: float, most: int) -> list[float]:
    """Return the multiples of a step below a range, and the range."""
    if step > last:
        msg = f"Parameter 'interval' is {step:g}; it must not be above 'range', {last:g}."
        raise OrsError(TOO_MUCH, msg, zh=f"参数 interval 为 {step:g}，不能大于 range {last:g}。")
    if step <= 0 or last > step * most:
        msg = f"Parameter 'interval' must cut 'range' into {most} parts at most, got {step:g} for {last:g}."
        zh = f"参数 interval 最多把 range 分成 {most} 段，现为 {step:g}（range {last:g}）。"
        raise OrsError(TOO_LITTLE, msg, zh=zh)
    return [step * k for k in range(1, math.ceil(last / step))] + [last]
