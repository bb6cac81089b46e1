"""Rows of the tables as records, and the texts in them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from sqlalchemy import Row

from .records import Job, Note, Status, StoredClosure


def job_of(row: Row[Any]) -> Job:
    """Return a job from its row."""
    status: Status = row.status
    return Job(
        id=row.id,
        process=row.process,
        inputs=json.loads(row.inputs),
        status=status,
        note=note_of(row.note),
        created=row.created,
        updated=row.updated,
        started=row.started,
        finished=row.finished,
        owner=row.owner,
        problem=row.problem,
    )


def closure_of(row: Row[Any]) -> StoredClosure:
    """Return a report from its row."""
    return StoredClosure(
        id=row.id,
        geometry=json.loads(row.geojson),
        starts=row.starts,
        ends=row.ends,
        modes=tuple(row.modes.split(",")) if row.modes else (),
        factor=row.factor,
        properties=json.loads(row.properties),
        created=row.created,
    )


def note_text(note: Note) -> str:
    """Return a note as it is written."""
    return json.dumps(dataclasses.asdict(note))


def note_of(written: str) -> Note:
    """Return a note that was written."""
    return Note(**json.loads(written))
