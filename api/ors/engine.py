"""What every answer tells of the engine, and of the request that it answers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import servicecircle

from ..plans import Plans

ATTRIBUTION = "servicecircle"


def engine_info(plans: Plans) -> dict[str, Any]:
    """Return the version, when it was installed, and the date of the road file (null where there is none)."""
    study = plans.study
    try:
        stated = version("servicecircle")
    except PackageNotFoundError:
        stated = "0"
    return {
        "version": stated,
        "build_date": _date_of(Path(servicecircle.__file__)),
        "graph_date": _date_of(study.network_file),
    }


def metadata(plans: Plans, service: str, query: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says of itself; the `id` of the request stands in it, where it has one."""
    own = {} if query.get("id") is None else {"id": query["id"]}
    return {
        "attribution": f"{ATTRIBUTION} | {plans.study.name}",
        "service": service,
        "timestamp": round(time.time() * 1000),
        "query": query,
        **own,
        "engine": engine_info(plans),
        "system_message": "",
    }


def _date_of(file: Path | None) -> str | None:
    """Return the date of a file in UTC, as openrouteservice writes it."""
    try:
        changed = None if file is None else Path(file).stat().st_mtime
    except OSError:
        return None
    return None if changed is None else datetime.fromtimestamp(changed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
