"""The workers of a server: they take what waits in the store, let a process do it, and keep what comes of it."""

from __future__ import annotations

import logging
import mimetypes
import secrets
import threading
import time
from dataclasses import replace
from typing import NamedTuple

from ..store import Job, JobFile, Note, Store, StoreError
from .children import Child, clear_left_overs, working
from .memory import ran_out
from .stages import BROKE, DONE, STOPPED, TOO_LARGE, TOO_LONG, note_of

logger = logging.getLogger(__name__)

#: seconds between looks at the queue, unless somebody wakes a worker
LOOK_S = 1.0
#: seconds between two looks at whether a job is still wanted, and between two notes of it
_TICK_S = 0.25
#: a worker says so often that it lives; after so long others take it for dead, if they cannot know
_BEAT_S, DEAD_AFTER_S = 5.0, 60.0
#: at the end of the server a job has so long to be written down
_LAST_S = 5.0


class Limits(NamedTuple):
    """How much work a server takes."""

    at_once: int = 1  # jobs that run at a time on this machine
    waiting: int = 20
    minutes: float = 60.0  # of one job
    memory_mb: int = 2048  # of one job
    kept: int = 100  # ended jobs
    kept_days: float = 30.0


class Runner:
    """
    Workers, as many as jobs may run at once.

    Parameters
    ----------
    store
        Where the jobs are.
    study
        The folder of the served study: a job reads it anew.
    limits
        How much may run, how long, and what is kept.
    """

    def __init__(self, store: Store, *, study: str, limits: Limits) -> None:
        self._store = store
        self._study = study
        self._limits = limits
        self._stopping = threading.Event()
        self._wanted = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, args=(secrets.token_hex(8),), daemon=True, name=f"jobs-{n}")
            for n in range(limits.at_once)
        ]

    def start(self) -> None:
        """Clear away what a killed server left, and begin to work."""
        clear_left_overs()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Tell the workers that a job has come, or that one is wanted no more."""
        with self._wanted:
            self._wanted.notify_all()

    def stop(self) -> None:
        """End what runs, and write down that it did not come to its end."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=_LAST_S)

    # ------------------------------------------------------------------------------------------------- one worker
    def _work(self, worker: str) -> None:
        """Do one job after the other, until the server stops."""
        next_tidy = 0.0
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= next_tidy:
                    next_tidy = time.monotonic() + _BEAT_S
                    self._tidy()
                job = self._store.claim(worker, most_running=self._limits.at_once)
            except StoreError:
                logger.exception("the queue of jobs cannot be read")
                job = None
            if job is not None:
                self._do(job, worker)
                continue
            with self._wanted:
                if not self._stopping.is_set():
                    self._wanted.wait(timeout=LOOK_S)

    def _tidy(self) -> None:
        """Fail the jobs of servers that have died, and forget old ones."""
        if n := self._store.bury(after_s=DEAD_AFTER_S):
            logger.warning("%d jobs failed: the server that ran them has ended", n)
        self._store.forget(older_than_s=self._limits.kept_days * 86_400, most_kept=self._limits.kept)

    def _do(self, job: Job, worker: str) -> None:
        """Do a job, and write down how it ended, when the store can be written."""
        logger.info("job %s (%s) begins", job.id, job.process)
        try:
            ended = self._ended(job, worker)
        except StoreError as error:
            logger.exception("job %s: its result cannot be kept", job.id)
            ended = Note(en=error.en, zh=error.zh), "store"
        except Exception:  # a fault of our own must not end the worker
            logger.exception("job %s broke", job.id)
            ended = BROKE, "failed"
        while ended is not None:
            try:
                self._store.fail(job.id, worker, ended[0], problem=ended[1])
                ended = None
            except StoreError:  # full, or busy: it stays ours until it can be told
                logger.exception("job %s: its end cannot be written", job.id)
                if self._stopping.wait(LOOK_S):
                    return  # whoever starts next finds it without a worker
        logger.info("job %s has ended", job.id)

    def _ended(self, job: Job, worker: str) -> tuple[Note, str] | None:
        """Do a job; return why it failed, None if it did not, or is wanted no more."""
        given = {file.name: file.body for file in self._store.job_files(job.id, made=False)}
        study = None if given else self._study
        most_mb = self._limits.memory_mb
        with working(job.process, job.inputs, study=study, files=given, most_mb=most_mb) as child:
            watch = _Watch(self._store, job, worker)
            while True:
                said = child.next_said(timeout_s=_TICK_S)
                if said is None:
                    return self._broken(job, child, watch)
                if "failed" in said:
                    logger.info("job %s: %s", job.id, child.printed())
                    return Note(watch.stage, en=said["en"], zh=said["zh"], found=watch.found), said["failed"]
                if "done" in said:
                    self._keep(job, worker, child, watch)
                    return None
                watch.hear(said)
                if reason := self._stops(child, watch):
                    return reason
                if not watch.is_wanted():
                    logger.info("job %s is wanted no more", job.id)
                    return None

    def _stops(self, child: Child, watch: _Watch) -> tuple[Note, str] | None:
        """Return why a job must end now, None if it may go on."""
        if self._stopping.is_set():
            note, problem = STOPPED, "server-ended"
        elif time.monotonic() - watch.began >= self._limits.minutes * 60:
            note, problem = TOO_LONG, "time-over"
        elif child.memory_mb() >= self._limits.memory_mb:
            note, problem = TOO_LARGE, "memory"
        else:
            return None
        return replace(note, stage=watch.stage, found=watch.found), problem

    def _broken(self, job: Job, child: Child, watch: _Watch) -> tuple[Note, str]:
        """Return why a job ended without a word."""
        printed = child.printed()
        logger.error("job %s broke: %s", job.id, printed)
        note, problem = (TOO_LARGE, "memory") if ran_out(printed) else (BROKE, "failed")
        return replace(note, stage=watch.stage, found=watch.found), problem

    def _keep(self, job: Job, worker: str, child: Child, watch: _Watch) -> None:
        """Keep all that a job has made, at once."""
        files = [JobFile(name, _media_type(name), body) for name, body in child.result()]
        self._store.finish(job.id, worker, files, replace(DONE, found=watch.found))


class _Watch:
    """How far a job is, and whether it is still wanted: written and asked not more often than need be."""

    def __init__(self, store: Store, job: Job, worker: str) -> None:
        self._store, self._job, self._worker = store, job, worker
        self.began = time.monotonic()
        self._next_look, self._next_beat = 0.0, 0.0
        self.stage = ""
        self.found: dict[str, float] = {}
        self._is_new = False

    def hear(self, said: dict[str, object]) -> None:
        """Take in what the job said."""
        if isinstance(stage := said.get("stage"), str):
            self.stage, self._is_new = stage, True
        if isinstance(found := said.get("found"), dict):
            self.found, self._is_new = found, True

    def is_wanted(self) -> bool:
        """Tell whether the job is still this worker's, and write down what is new of it."""
        now = time.monotonic()
        if now < self._next_look:
            return True
        self._next_look = now + _TICK_S
        try:
            if now >= self._next_beat:
                self._next_beat = now + _BEAT_S
                self._store.beat(self._worker)
            if self._is_new:
                self._is_new = False
                return self._store.tell(self._job.id, self._worker, note_of(self.stage, self.found))
            job = self._store.job(self._job.id)
        except StoreError:  # how far it is need not be kept; what comes of it is tried when it is there
            logger.exception("job %s: how far it is cannot be written", self._job.id)
            return True
        return job is not None and job.status == "running" and job.owner == self._worker


def _media_type(name: str) -> str:
    """Return the media type of a file by its name."""
    own = {".geojson": "application/geo+json", ".gpkg": "application/geopackage+sqlite3", ".md": "text/markdown"}
    suffix = name[name.rfind(".") :] if "." in name else ""
    return own.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
