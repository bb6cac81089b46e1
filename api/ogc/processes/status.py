"""A job as the standard tells it: status, progress, what was found so far, and its result."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from servicecircle.errors import Lang

from ...store import LIVE, Job, JobFile
from ..links import GEOJSON, JSON, Link, link
from .descriptions import FOLDER, PROCESSES, ZIP

_RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"
#: of every file in a packed result: it says nothing
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def status_info(job: Job, root: str, lang: Lang) -> dict[str, Any]:
    """Return what is known of a job; times are of the server's clock, UTC."""
    own = f"{root}/jobs/{job.id}"
    links: list[Link] = [link(own, "self"), link(f"{root}/processes/{job.process}", "up")]
    if job.status == "successful":
        links.append(link(f"{own}/results", _RESULTS))
    times = {"created": job.created, "started": job.started, "finished": job.finished, "updated": job.updated}
    return {
        "processID": job.process,
        "type": "process",
        "jobID": job.id,
        "status": job.status,
        "message": job.note.zh if lang == "zh" else job.note.en,
        "progress": job.note.progress,
        **{name: _told(seconds) for name, seconds in times.items() if seconds is not None},
        **({"stage": job.note.stage} if job.note.stage else {}),
        **({"found": dict(job.note.found)} if job.note.found else {}),
        **({"code": job.problem} if job.problem else {}),
        "inputs": job.inputs["inputs"],
        **({"closures": [one["id"] for one in held]} if (held := job.inputs.get("closures")) else {}),
        "links": links,
    }


def results(job: Job, files: Sequence[JobFile], root: str) -> dict[str, Any]:
    """Return the outputs that were asked for, JSON as it is, others by their address; and all files."""
    process, own = PROCESSES[job.process], f"{root}/jobs/{job.id}/results"
    by_name = {file.name: file for file in files}
    made: dict[str, Any] = {}
    for name, output in process.outputs.items():
        if name not in (job.inputs.get("outputs") or process.outputs):
            continue
        file = by_name.get(output.file)
        if file is not None and output.media_type in {JSON, GEOJSON}:
            made[name] = {"value": json.loads(file.body), "mediaType": output.media_type}
        elif file is not None or output.file == FOLDER:
            made[name] = link(f"{own}/{output.file}", "item", media_type=output.media_type)
    listed = [link(f"{own}/{file.name}", "item", media_type=file.media_type, title=file.name) for file in files]
    return {**made, "files": {"value": listed, "mediaType": JSON}}


def packed(files: Sequence[JobFile]) -> JobFile:
    """Return files in one, the same bytes every time."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, _NO_DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, file.body)
    return JobFile(FOLDER, ZIP, stream.getvalue())


def is_over(job: Job) -> bool:
    """Tell whether a job has ended."""
    return job.status not in LIVE


def _told(seconds: float) -> str:
    return (
        dt.datetime.fromtimestamp(round(seconds, 3), dt.UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
