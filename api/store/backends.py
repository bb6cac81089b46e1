"""Where a store stands: one SQLite file, or a database of PostgreSQL with PostGIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from servicecircle.errors import InputError, MissingPackageError

from .protocol import Store
from .sql_store import Backend, SqlStore

#: beside the study, if nobody says where
STORE_NAME = Path(".servicecircle") / "store.sqlite"
#: so long a writer waits for another
BUSY_S = 10.0
#: the schema of PostgreSQL that holds the tables
SCHEMA = "servicecircle"
#: writers of PostgreSQL wait for each other at this number, as those of SQLite do at its file
_TURN = 7_305_114_290
_POSTGRES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


def usual_place(folder: Path) -> Path:
    """Return the file of the store of a study, if nobody says another place."""
    return folder / STORE_NAME


def open_store(where: str | Path, *, study: str) -> Store:
    """
    Return the store at a place; nothing is written before it is needed.

    Parameters
    ----------
    where
        A file for SQLite, made with its folder as the first row comes; or `postgresql://USER@HOST/DATABASE`.
    study
        Name of the study whose rows these are; those of other studies stay unseen.

    Raises
    ------
    InputError
        If the address is none of PostgreSQL.
    MissingPackageError
        If it is one, and the extra `postgis` is not installed.
    """
    text_of = str(where)
    if "://" not in text_of:
        return SqlStore(_sqlite(Path(text_of).expanduser()), study=study)
    try:
        url = make_url(text_of)
    except (ArgumentError, ValueError) as error:
        raise _no_address() from error
    if url.drivername not in _POSTGRES:
        raise _no_address()
    return SqlStore(_postgres(url.set(drivername="postgresql+psycopg")), study=study)


def _sqlite(path: Path) -> Backend:
    """Return one file that several programs may read while one writes, and that a crash leaves whole."""
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.isolation_level = None  # transactions begin as `_begin` says
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def make_place() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)

    return Backend(
        engine,
        make_place=make_place,
        is_there=path.is_file,
        prepare=lambda _connection: None,
        take_turn=lambda _connection: None,
        now="SELECT (julianday('now') - 2440587.5) * 86400.0",
    )


def _postgres(url: URL) -> Backend:
    """Return a schema of its own in a database that has PostGIS, or may have it."""
    try:
        import geoalchemy2
        import psycopg
    except ImportError as error:
        msg = "`--store postgresql://...` needs the extra `postgis`: pip install 'servicecircle[postgis]'."
        raise MissingPackageError(
            msg, zh="--store postgresql://… 需要安装 postgis 扩展：pip install 'servicecircle[postgis]'。"
        ) from error
    del geoalchemy2, psycopg
    engine = create_engine(
        url, pool_pre_ping=True, connect_args={"connect_timeout": int(BUSY_S)}
    ).execution_options(schema_translate_map={None: SCHEMA})

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(BUSY_S * 1000)}")
        connection.commit()

    def take_turn(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})

    def prepare(connection: Connection) -> None:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS postgis")

    return Backend(
        engine,
        make_place=lambda: None,
        is_there=lambda: _has_tables(engine),
        prepare=prepare,
        take_turn=take_turn,
        now="SELECT extract(epoch FROM clock_timestamp())",
        has_geometry=True,
    )


def _has_tables(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT to_regclass(:n)"), {"n": f"{SCHEMA}.meta"}).scalar())


def _no_address() -> InputError:
    return InputError(
        "`--store` must be a file, or `postgresql://USER@HOST/DATABASE`.",
        zh="--store 应为一个文件，或 postgresql://用户@主机/数据库。",
    )
