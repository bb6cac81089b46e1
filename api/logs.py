"""Logs a machine can read: one JSON object a line, without addresses of clients and without what they asked."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from starlette.types import Scope

from .metrics import route_of

logger = logging.getLogger(__name__)
#: what a record carries beside its message
FIELDS = ("method", "route", "status", "ms")


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback is one of its texts."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_as_json() -> None:
    """Let every log of this process go to standard error as JSON, with one line a request."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logger.setLevel(logging.INFO)


def log_request(scope: Scope, status: int, seconds: float) -> None:
    """Log one request: its address without values, no query, no client."""
    told = {"method": scope["method"][:10], "route": route_of(scope), "status": status or 499}
    logger.info("request", extra={**told, "ms": round(1000 * seconds, 1)})
