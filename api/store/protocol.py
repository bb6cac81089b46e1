"""What routes and workers may ask of a store, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .records import ClosureReport, Job, JobFile, Note, StoredClosure


class Store(Protocol):
    """
    Jobs and closures of one study, for many threads and many servers at once.

    What a method has returned from is on the disk, whole; what it raised `StoreError` from has changed nothing.
    Rows of other studies in the same database are not seen.
    """

    # ------------------------------------------------------------------------------------------------------- jobs
    def add_job(
        self, process: str, inputs: Mapping[str, Any], *, files: Sequence[JobFile] = (), most_waiting: int
    ) -> Job:
        """Accept a job with the files that came with it; `QueueFullError` if `most_waiting` wait already."""
        ...

    def job(self, job_id: str) -> Job | None:
        """Return a job, None if there is none of that id."""
        ...

    def jobs(self, *, limit: int, offset: int = 0) -> tuple[list[Job], int]:
        """Return a page of the jobs, the latest first, and how many there are in all."""
        ...

    def job_files(self, job_id: str, *, made: bool) -> list[JobFile]:
        """Return the files that a job has made, or (`made=False`) that came with it, by name."""
        ...

    def dismiss(self, job_id: str) -> Job | None:
        """End a job that waits or runs, forget one that has ended; return it dismissed, None if there is none."""
        ...

    # ---------------------------------------------------------------------------------------------------- workers
    def claim(self, worker: str, *, most_running: int) -> Job | None:
        """Give the job that waits longest to `worker`; None if none waits, or so many run on this machine."""
        ...

    def tell(self, job_id: str, worker: str, note: Note) -> bool:
        """Write down how far a job is; False if it is no longer the worker's to run."""
        ...

    def finish(self, job_id: str, worker: str, files: Sequence[JobFile], note: Note) -> bool:
        """End a job with all its files, or not at all; False if it is no longer the worker's to run."""
        ...

    def fail(self, job_id: str, worker: str, note: Note, *, problem: str) -> bool:
        """End a job without a result; False if it is no longer the worker's to run."""
        ...

    def beat(self, worker: str) -> None:
        """Write down that `worker`, of this process, lives."""
        ...

    def bury(self, *, after_s: float) -> int:
        """Fail the jobs whose worker has died, or has not been heard of for so long; return how many."""
        ...

    def forget(self, *, older_than_s: float, most_kept: int) -> int:
        """Remove jobs that ended so long ago, and of the others all but the latest; return how many."""
        ...

    # --------------------------------------------------------------------------------------------------- closures
    def add_closure(self, report: ClosureReport, *, most: int | None = None) -> StoredClosure:
        """Keep a report of trouble on the road; `ClosuresFullError` if `most` are kept already."""
        ...

    def closure(self, closure_id: str) -> StoredClosure | None:
        """Return a report, None if there is none of that id."""
        ...

    def closures(self) -> list[StoredClosure]:
        """Return all reports, in the order in which they came."""
        ...

    def remove_closure(self, closure_id: str) -> bool:
        """Remove a report; False if there is none of that id."""
        ...

    def closures_version(self) -> int:
        """Return a number that grows with every report that comes or goes; cheap, for caches."""
        ...

    def is_well(self) -> bool:
        """Tell whether the store can be read now."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
