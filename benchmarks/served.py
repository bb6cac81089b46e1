"""A server in a process of its own, and what the system tells of that process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Server(NamedTuple):
    """A server that answers."""

    address: str
    pid: int

    def cpu_s(self) -> float:
        """Return the processor seconds that it has taken."""
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the memory that it holds."""
        return next(int(line.split()[1]) for line in self._read("status").splitlines() if "VmRSS" in line) / 1024

    def _read(self, name: str) -> str:
        return Path(f"/proc/{self.pid}/{name}").read_text(encoding="utf-8")


@contextmanager
def served(study: str, *, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Serve a study as the command line does, with a store of its own if `environment` says so; end it after."""
    command = [sys.executable, "-c", "from servicecircle.cli import main; main()", "serve", study, "--port", "0"]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
    )
    try:
        assert server.stdout is not None
        told = ""
        while "Ctrl-C" not in told:
            line = server.stdout.readline()
            if not line:
                sys.exit("the server did not start")
            told += line
        yield Server(re.findall(r"(http://[\w.:\[\]]+)", told)[0], server.pid)
    finally:
        server.terminate()
        server.wait()
