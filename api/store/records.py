"""What a store holds: jobs, their files, and reports of closures; frozen, as they were when they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["accepted", "running", "successful", "failed", "dismissed"]
#: jobs that wait or run
LIVE: frozenset[Status] = frozenset({"accepted", "running"})


@dataclass(frozen=True)
class JobFile:
    """A file that came with a job, or that a job made."""

    name: str
    media_type: str
    body: bytes


@dataclass(frozen=True)
class Note:
    """How far a job is, in words for both languages."""

    stage: str = ""
    progress: int = 0  # percent, 0 to 100
    en: str = ""
    zh: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)  # best known, bound and gap so far


@dataclass(frozen=True)
class Job:
    """Work that takes long: waiting, running, or ended. Times are seconds since 1970, of the store's clock."""

    id: str
    process: str
    inputs: Mapping[str, Any]
    status: Status
    note: Note
    created: float
    updated: float
    started: float | None = None
    finished: float | None = None
    owner: str | None = None  # the worker that runs it
    problem: str = ""  # code of what ended it, if it failed


@dataclass(frozen=True)
class ClosureReport:
    """A report of trouble on the road, as it came."""

    geometry: Mapping[str, Any]  # GeoJSON, WGS 84
    starts: str | None = None  # ISO; None: since ever
    ends: str | None = None  # ISO; None: until it is removed
    modes: tuple[str, ...] = ()  # none: all
    factor: float | None = None  # speed that is left; None: closed
    properties: Mapping[str, Any] = field(default_factory=dict)  # whatever else the report says


@dataclass(frozen=True, kw_only=True)
class StoredClosure(ClosureReport):
    """A report of trouble that a store holds."""

    id: str
    created: float
