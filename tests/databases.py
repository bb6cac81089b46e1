"""PostgreSQL with PostGIS for the tests: a cluster of their own in a temporary folder, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
POSTGIS = Path("/usr/share/postgresql/15/extension/postgis.control")


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """Start a cluster, give the address of its database, and remove it; the test is skipped where it cannot be."""
    pytest.importorskip("psycopg")
    pytest.importorskip("geoalchemy2")
    if not (PROGRAMS / "initdb").exists() or not POSTGIS.exists():
        pytest.skip("PostgreSQL 15 with PostGIS is not here: apt-get install postgresql-15 postgresql-15-postgis-3")
    is_root = os.getuid() == 0
    if is_root and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and `runuser` is not here")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a short path: that of a socket has 107 characters
    if is_root:
        shutil.chown(folder, "postgres", "postgres")
    user = ["runuser", "-u", "postgres", "--"] if is_root else []

    def run(*command: object) -> None:
        subprocess.run([*user, *map(str, command)], check=True, capture_output=True, cwd=folder)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
    try:
        run(PROGRAMS / "initdb", "-D", folder / "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(PROGRAMS / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-o", options, "-w", "start")
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run(PROGRAMS / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(folder)
