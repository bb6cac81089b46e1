"""What the answers look like, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"


class Problem(BaseModel):
    """What went wrong, in the one shape that every error has (RFC 9457)."""

    type: str | None = Field(default=None, description="What names the kind of error, where a standard does.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="The kind of error, for programs: `unknown-parameter`, `invalid-value`, ...")
    detail: str = Field(description="What is wrong and what is allowed, for people, in Chinese or English.")
    parameters: list[str] = Field(description="The parameters at fault; empty if it is none of them.")


class FeatureCollection(BaseModel):
    """GeoJSON as RFC 7946 has it: WGS 84, longitude first."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]
