"""A store in tables: the same statements for SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, delete, func, insert, select, text, update
from sqlalchemy.engine import Connection

from .errors import ClosuresFullError, QueueFullError, StoreError, told_as_store_errors
from .lives import Life, is_alive, own_life
from .records import LIVE, ClosureReport, Job, JobFile, Note, StoredClosure
from .rows import closure_of, job_of, note_of, note_text
from .tables import CLOSURES_VERSION, SCHEMA_VERSION, make_tables

_VERSION = "schema"
#: why a job ended that nobody runs any more
DIED = Note(
    en="The server that ran this job ended before it was done. Its inputs are kept; ask again.",
    zh="运行此任务的服务器中途结束，任务未完成。输入已保留，请重新提交。",
)


class Backend(NamedTuple):
    """What is different between the databases."""

    engine: Engine
    make_place: Callable[[], None]  # what must be there before a connection
    is_there: Callable[[], bool]  # whether anything was ever written
    prepare: Callable[[Connection], None]  # what must be there before the tables
    take_turn: Callable[[Connection], None]  # wait until no other writes
    now: str  # the clock of the store, seconds since 1970
    has_geometry: bool = False


class SqlStore:
    """See `Store`. Writers take turns, so that what one has read holds until it has written."""

    def __init__(self, backend: Backend, *, study: str) -> None:
        self._backend = backend
        self._engine = backend.engine
        self._study = study
        tables = make_tables(has_geometry=backend.has_geometry)
        self._tables = tables
        self._meta, self._workers = tables.tables["meta"], tables.tables["workers"]
        self._jobs, self._files = tables.tables["jobs"], tables.tables["job_files"]
        self._closures = tables.tables["closures"]
        self._is_ready = False
        self._readying = threading.Lock()

    # ------------------------------------------------------------------------------------------------------- jobs
    def add_job(
        self, process: str, inputs: Mapping[str, Any], *, files: Sequence[JobFile] = (), most_waiting: int
    ) -> Job:
        jobs = self._jobs.c
        with self._writing() as (db, now):
            waiting = db.execute(
                select(func.count()).where(jobs.study == self._study, jobs.status == "accepted")
            ).scalar_one()
            if waiting >= most_waiting:
                raise QueueFullError(waiting)
            job = Job(secrets.token_hex(16), process, inputs, "accepted", Note(), created=now, updated=now)
            row = {
                "id": job.id,
                "study": self._study,
                "process": process,
                "inputs": json.dumps(inputs),
                "status": job.status,
                "note": note_text(job.note),
                "problem": "",
                "created": now,
                "updated": now,
            }
            db.execute(insert(self._jobs), row)
            self._add_files(db, job.id, files, made=False)
        return job

    def job(self, job_id: str) -> Job | None:
        with self._reading() as db:
            row = None if db is None else self._job_row(db, job_id)
        return None if row is None else job_of(row)

    def jobs(self, *, limit: int, offset: int = 0) -> tuple[list[Job], int]:
        jobs = self._jobs.c
        with self._reading() as db:
            if db is None:
                return [], 0
            own = jobs.study == self._study
            page = select(self._jobs).where(own).order_by(jobs.seq.desc()).limit(limit).offset(offset)
            found = [job_of(row) for row in db.execute(page)]
            n_all = db.execute(select(func.count()).select_from(self._jobs).where(own)).scalar_one()
        return found, n_all

    def job_files(self, job_id: str, *, made: bool) -> list[JobFile]:
        files = self._files.c
        with self._reading() as db:
            if db is None:
                return []
            asked = (
                select(files.name, files.media_type, files.body)
                .where(files.job_id == job_id, files.made == int(made))
                .order_by(files.name)
            )
            return [JobFile(row.name, row.media_type, bytes(row.body)) for row in db.execute(asked)]

    def dismiss(self, job_id: str) -> Job | None:
        jobs = self._jobs.c
        if self.job(job_id) is None:
            return None
        with self._writing() as (db, now):
            row = self._job_row(db, job_id)
            if row is None:
                return None
            job = dataclasses.replace(job_of(row), status="dismissed", updated=now)
            if row.status in LIVE:
                job = dataclasses.replace(job, finished=now)
                ended = {"status": "dismissed", "updated": now, "finished": now}
                db.execute(update(self._jobs).where(jobs.id == job_id).values(ended))
            else:
                self._remove_jobs(db, [job_id])
        return job

    # ---------------------------------------------------------------------------------------------------- workers
    def claim(self, worker: str, *, most_running: int) -> Job | None:
        jobs, workers = self._jobs.c, self._workers.c
        waiting = select(self._jobs).where(jobs.study == self._study, jobs.status == "accepted")
        with self._reading() as seen:  # most of the time nothing waits: nobody need take a turn
            if seen is None or seen.execute(waiting.limit(1)).first() is None:
                return None
        with self._writing() as (db, now):
            self._beat(db, worker, now)
            here = select(workers.id).where(workers.machine == own_life().machine)
            mine = (jobs.owner.in_(here)) if own_life().machine else (jobs.owner == worker)
            running = db.execute(select(func.count()).where(jobs.status == "running", mine)).scalar_one()
            row = None if running >= most_running else db.execute(waiting.order_by(jobs.seq).limit(1)).first()
            if row is None:
                return None
            begun: dict[str, Any] = {"status": "running", "owner": worker, "started": now, "updated": now}
            db.execute(update(self._jobs).where(jobs.id == row.id).values(begun))
            return dataclasses.replace(job_of(row), **begun)

    def tell(self, job_id: str, worker: str, note: Note) -> bool:
        with self._writing() as (db, now):
            return self._change(db, job_id, worker, note=note_text(note), updated=now)

    def finish(self, job_id: str, worker: str, files: Sequence[JobFile], note: Note) -> bool:
        with self._writing() as (db, now):
            told = {"status": "successful", "note": note_text(note), "updated": now, "finished": now}
            if not self._change(db, job_id, worker, **told):
                return False
            self._add_files(db, job_id, files, made=True)
            return True

    def fail(self, job_id: str, worker: str, note: Note, *, problem: str) -> bool:
        with self._writing() as (db, now):
            told = {"status": "failed", "note": note_text(note), "updated": now, "finished": now}
            return self._change(db, job_id, worker, problem=problem, **told)

    def beat(self, worker: str) -> None:
        with self._writing() as (db, now):
            self._beat(db, worker, now)

    def bury(self, *, after_s: float) -> int:
        jobs, workers = self._jobs.c, self._workers.c
        if not self._is_there():
            return 0
        with self._writing() as (db, now):
            running = db.execute(
                select(jobs.id, jobs.owner, jobs.note, workers.machine, workers.pid, workers.began, workers.beat)
                .select_from(self._jobs.outerjoin(self._workers, jobs.owner == workers.id))
                .where(jobs.status == "running", jobs.study == self._study)
            ).all()
            dead = [row for row in running if _has_died(row, now=now, after_s=after_s)]
            for row in dead:
                last = note_of(row.note)
                note = dataclasses.replace(DIED, stage=last.stage, progress=last.progress, found=last.found)
                told = {"status": "failed", "note": note_text(note), "updated": now, "finished": now}
                self._change(db, row.id, row.owner, problem="server-ended", **told)
            used = select(jobs.owner).where(jobs.status == "running")
            db.execute(delete(self._workers).where(workers.beat < now - after_s, workers.id.not_in(used)))
        return len(dead)

    def forget(self, *, older_than_s: float, most_kept: int) -> int:
        jobs = self._jobs.c
        if not self._is_there():
            return 0
        with self._writing() as (db, now):
            ended = db.execute(
                select(jobs.id, jobs.finished)
                .where(jobs.study == self._study, jobs.status.not_in(LIVE))
                .order_by(jobs.seq.desc())
            ).all()
            old = [row.id for k, row in enumerate(ended) if k >= most_kept or row.finished < now - older_than_s]
            self._remove_jobs(db, old)
        return len(old)

    # --------------------------------------------------------------------------------------------------- closures
    def add_closure(self, report: ClosureReport, *, most: int | None = None) -> StoredClosure:
        closures = self._closures.c
        with self._writing() as (db, now):
            kept = db.execute(select(func.count()).where(closures.study == self._study)).scalar_one()
            if most is not None and kept >= most:
                raise ClosuresFullError(kept)
            made = StoredClosure(**vars(report), id=secrets.token_hex(8), created=now)
            row: dict[str, Any] = {
                "id": made.id,
                "study": self._study,
                "geojson": json.dumps(made.geometry),
                "starts": made.starts,
                "ends": made.ends,
                "modes": ",".join(made.modes),
                "factor": made.factor,
                "properties": json.dumps(made.properties),
                "created": now,
            }
            if self._backend.has_geometry:
                row["geometry"] = func.ST_SetSRID(func.ST_GeomFromGeoJSON(row["geojson"]), 4326)
            db.execute(insert(self._closures).values(row))
            self._raise_version(db)
        return made

    def closure(self, closure_id: str) -> StoredClosure | None:
        return next((found for found in self._closures_where(closure_id)), None)

    def closures(self) -> list[StoredClosure]:
        return self._closures_where(None)

    def remove_closure(self, closure_id: str) -> bool:
        closures = self._closures.c
        if self.closure(closure_id) is None:
            return False
        with self._writing() as (db, _now):
            own = (closures.id == closure_id, closures.study == self._study)
            if db.execute(delete(self._closures).where(*own)).rowcount == 0:
                return False
            self._raise_version(db)
            return True

    def closures_version(self) -> int:
        with self._reading() as db:
            return 0 if db is None else self._number(db, CLOSURES_VERSION) or 0

    # -------------------------------------------------------------------------------------------------- the whole
    def is_well(self) -> bool:
        try:
            self.closures_version()
        except StoreError:
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()

    # ------------------------------------------------------------------------------------------------- transactions
    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        """Give a connection that sees one moment; None if nothing was ever written."""
        with told_as_store_errors():
            if not self._is_there():
                yield None
                return
            with self._engine.connect() as db, db.begin():
                yield db

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, float]]:
        """Give a connection that no other writes beside, and the time; all is kept at the end, or nothing."""
        with told_as_store_errors():
            self._get_ready()
            with self._turn() as db:
                yield db, float(db.execute(text(self._backend.now)).scalar_one())

    @contextmanager
    def _turn(self) -> Iterator[Connection]:
        with self._engine.connect().execution_options(writes=True) as db, db.begin():
            self._backend.take_turn(db)
            yield db

    def _is_there(self) -> bool:
        """Tell whether there are tables to read, and of a version that can be."""
        if not self._is_ready:
            with told_as_store_errors():
                if not self._backend.is_there():
                    return False
            self._get_ready()
        return True

    def _get_ready(self) -> None:
        """Make what is missing, once; leave alone what a later version made."""
        with self._readying, told_as_store_errors():
            if self._is_ready:
                return
            self._backend.make_place()
            with self._turn() as db:
                self._backend.prepare(db)
                self._tables.create_all(db)
                found = self._number(db, _VERSION)
                if found is None:
                    db.execute(insert(self._meta), {"name": _VERSION, "value": SCHEMA_VERSION})
                elif found > SCHEMA_VERSION:
                    msg = (
                        "The store was made by a later version of servicecircle. Update, or name another `--store`."
                    )
                    raise StoreError(
                        msg, zh="此存储由更新版本的 servicecircle 建立。请升级，或用 --store 另指定一处。"
                    )
            self._is_ready = True

    # ---------------------------------------------------------------------------------------------------- rows
    def _job_row(self, db: Connection, job_id: str) -> Row[Any] | None:
        jobs = self._jobs.c
        return db.execute(select(self._jobs).where(jobs.id == job_id, jobs.study == self._study)).first()

    def _change(self, db: Connection, job_id: str, worker: str, **values: object) -> bool:
        """Change a job that `worker` runs; False if it does not."""
        jobs = self._jobs.c
        own = (jobs.id == job_id, jobs.owner == worker, jobs.status == "running")
        return db.execute(update(self._jobs).where(*own).values(values)).rowcount == 1

    def _add_files(self, db: Connection, job_id: str, files: Sequence[JobFile], *, made: bool) -> None:
        rows = [
            {"job_id": job_id, "made": int(made), "name": f.name, "media_type": f.media_type, "body": f.body}
            for f in files
        ]
        if rows:
            db.execute(insert(self._files), rows)

    def _remove_jobs(self, db: Connection, ids: Sequence[str]) -> None:
        for job_id in ids:
            db.execute(delete(self._files).where(self._files.c.job_id == job_id))
            db.execute(delete(self._jobs).where(self._jobs.c.id == job_id))

    def _beat(self, db: Connection, worker: str, now: float) -> None:
        life = own_life()
        values = {"machine": life.machine, "pid": life.pid, "began": life.began, "beat": now}
        if db.execute(update(self._workers).where(self._workers.c.id == worker).values(values)).rowcount == 0:
            db.execute(insert(self._workers), {"id": worker, **values})

    def _closures_where(self, closure_id: str | None) -> list[StoredClosure]:
        closures = self._closures.c
        columns = [column for column in closures if column.name != "geometry"]  # that is for other programs
        asked = select(*columns).where(closures.study == self._study).order_by(closures.seq)
        if closure_id is not None:
            asked = asked.where(closures.id == closure_id)
        with self._reading() as db:
            return [] if db is None else [closure_of(row) for row in db.execute(asked)]

    def _number(self, db: Connection, name: str) -> int | None:
        value = db.execute(select(self._meta.c.value).where(self._meta.c.name == name)).scalar()
        return None if value is None else int(value)

    def _raise_version(self, db: Connection) -> None:
        value = self._meta.c.value
        if (
            db.execute(
                update(self._meta).where(self._meta.c.name == CLOSURES_VERSION).values(value=value + 1)
            ).rowcount
            == 0
        ):
            db.execute(insert(self._meta), {"name": CLOSURES_VERSION, "value": 1})


def _has_died(row: Row[*tuple[Any, ...]], *, now: float, after_s: float) -> bool:
    """Tell whether the worker of a running job is gone, or has not been heard of for too long."""
    if row.machine is None:
        return True
    lives = is_alive(Life(row.machine, row.pid, row.began))
    return row.beat < now - after_s if lives is None else not lives
