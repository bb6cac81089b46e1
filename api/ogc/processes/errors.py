"""Errors as OGC API - Processes names them: the one shape, and a `type` that programs of the standard know."""

from __future__ import annotations

from http import HTTPStatus

from servicecircle.errors import ServiceCircleError

_TYPES = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
#: who asks for what has no address of the standard
_PLAIN = "about:blank"
#: kinds of the standard, by their codes here
_KNOWN = frozenset({"no-such-process", "no-such-job", "result-not-ready"})


class ProcessError(ServiceCircleError):
    """A process or a job is not there, or has no result to give."""

    def __init__(self, status: HTTPStatus, code: str, message: str, *, zh: str) -> None:
        super().__init__(message, zh=zh)
        self.status = status
        self.code = code

    @property
    def type(self) -> str:
        """What names the kind of error for programs."""
        return f"{_TYPES}/{self.code}" if self.code in _KNOWN else _PLAIN


def no_such_process(name: str) -> ProcessError:
    """Return the error for a process that there is none of."""
    msg = f"There is no process {name[:40]!r}; there are `suggest` and `plan`."
    return ProcessError(
        HTTPStatus.NOT_FOUND, "no-such-process", msg, zh=f"没有名为 {name[:40]} 的过程，现有 suggest 和 plan。"
    )


def no_such_job(job_id: str) -> ProcessError:
    """Return the error for a job that there is none of, or none any more."""
    return ProcessError(
        HTTPStatus.NOT_FOUND,
        "no-such-job",
        f"There is no job {job_id[:40]!r}: it may have been removed.",
        zh=f"没有编号为 {job_id[:40]} 的任务，可能已被删除。",
    )


def result_not_ready(progress: int) -> ProcessError:
    """Return the error for the result of a job that has not ended."""
    return ProcessError(
        HTTPStatus.NOT_FOUND,
        "result-not-ready",
        f"The job has not ended ({progress} %): ask again later.",
        zh=f"任务尚未完成（{progress}%），请稍后再取结果。",
    )


def was_dismissed() -> ProcessError:
    """Return the error for the result of a job that somebody dismissed."""
    msg = "The job was dismissed: it has no result."
    return ProcessError(HTTPStatus.GONE, "dismissed", msg, zh="任务已被取消，没有结果。")


def no_such_file(name: str) -> ProcessError:
    """Return the error for a file that a job has not made."""
    msg = f"The job has made no file {name[:80]!r}; its result lists those there are."
    return ProcessError(HTTPStatus.NOT_FOUND, "not-found", msg, zh=f"任务结果中没有文件 {name[:80]}，见结果列表。")


def has_failed(code: str, en: str, zh: str) -> ProcessError:
    """Return the error of a job that failed: that which ended it."""
    is_asked_for = code in {"invalid-value", "infeasible"}
    status = HTTPStatus.BAD_REQUEST if is_asked_for else HTTPStatus.INTERNAL_SERVER_ERROR
    return ProcessError(status, code, en, zh=zh)
