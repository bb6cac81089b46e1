"""The tables of a GeoPackage in which QGIS keeps styles and projects."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME
)
"""
_PROJECTS = "CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"
_CONTENTS = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) "
    "VALUES ('layer_styles', 'attributes', 'layer_styles', ?)"
)


def read_columns(file: Path, table: str) -> tuple[str, ...]:
    """Return the columns of a layer as QGIS counts them: with the row's number, without the geometry."""
    with closing(sqlite3.connect(file)) as connection:
        quoted = table.replace('"', '""')
        rows = connection.execute(f'PRAGMA table_info("{quoted}")').fetchall()
        found = connection.execute("SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (table,))
        geometry = {name for (name,) in found}
    return tuple(name for _, name, *_ in rows if name not in geometry)


def write_styles(
    file: Path, styles: Mapping[str, tuple[str, str]], project: tuple[str, bytes], *, date: str
) -> None:
    """
    Put the default style of each table, and one project, into a GeoPackage.

    Parameters
    ----------
    file
        GeoPackage whose tables stand.
    styles
        Table -> name of the style, and the style as QML.
    project
        Its name and its bytes (.qgz).
    date
        ISO date that stands in the file for the time of the change.
    """
    moment = f"{date}T00:00:00.000Z"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(_STYLES)
        connection.execute(_CONTENTS, (moment,))
        connection.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
            "styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
            "VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', NULL, ?)",
            [(table, name, text, moment) for table, (name, text) in styles.items()],
        )
        connection.execute(_PROJECTS)
        name, content = project
        metadata = json.dumps({"last_modified_time": moment, "last_modified_user": "servicecircle"})
        connection.execute("INSERT INTO qgis_projects VALUES (?, ?, ?)", (name, metadata, content.hex()))
