"""The tables, the same in SQLite and PostgreSQL; there the closures have a geometry besides, for QGIS."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

#: grows with every change of a table; a store of a later version is not touched
SCHEMA_VERSION = 1
CLOSURES_VERSION = "closures"


def make_tables(*, has_geometry: bool) -> MetaData:
    """Return the tables; with a column of PostGIS where there is one."""
    tables = MetaData()
    Table("meta", tables, Column("name", String(80), primary_key=True), Column("value", Integer, nullable=False))
    Table(
        "workers",
        tables,
        Column("id", String(80), primary_key=True),
        Column("machine", String(120), nullable=False),
        Column("pid", Integer, nullable=False),
        Column("began", String(40), nullable=False),
        Column("beat", Float(53), nullable=False),
    )
    Table(
        "jobs",
        tables,
        Column("seq", Integer, primary_key=True, autoincrement=True),
        Column("id", String(80), nullable=False, unique=True),
        Column("study", Text, nullable=False),
        Column("process", String(80), nullable=False),
        Column("inputs", Text, nullable=False),
        Column("status", String(20), nullable=False),
        Column("note", Text, nullable=False),
        Column("problem", String(80), nullable=False, default=""),
        Column("owner", String(80)),
        Column("created", Float(53), nullable=False),
        Column("updated", Float(53), nullable=False),
        Column("started", Float(53)),
        Column("finished", Float(53)),
        Index("jobs_by_status", "study", "status"),
        sqlite_autoincrement=True,
    )
    Table(
        "job_files",
        tables,
        Column("job_id", String(80), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        Column("made", Integer, nullable=False),
        Column("name", Text, nullable=False),
        Column("media_type", String(120), nullable=False),
        Column("body", LargeBinary, nullable=False),
        PrimaryKeyConstraint("job_id", "made", "name"),
    )
    closures = Table(
        "closures",
        tables,
        Column("seq", Integer, primary_key=True, autoincrement=True),
        Column("id", String(80), nullable=False, unique=True),
        Column("study", Text, nullable=False),
        Column("geojson", Text, nullable=False),
        Column("starts", Text),
        Column("ends", Text),
        Column("modes", Text, nullable=False),
        Column("factor", Float(53)),
        Column("properties", Text, nullable=False),
        Column("created", Float(53), nullable=False),
        sqlite_autoincrement=True,
    )
    if has_geometry:
        from geoalchemy2 import Geometry

        closures.append_column(Column("geometry", Geometry("GEOMETRY", srid=4326)))
    return tables
