"""A digest of the program: what it made is made anew by another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

import pyproj
import shapely


def program_digest(modules: Iterable[Path], packages: Sequence[str], *, form: bytes) -> bytes:
    """
    Return a digest of this package's own code, and of the versions of what it works with.

    Parameters
    ----------
    modules
        Files of code, in any order.
    packages
        Names of installed packages; one without records counts as unknown.
    form
        What names the form of that which is made.
    """
    found = hashlib.blake2b(form)
    found.update(f"{pyproj.proj_version_str} {shapely.geos_version_string}\n".encode())
    for name in packages:
        found.update(f"{name} {_version(name)}\n".encode())
    for module in sorted(modules):
        found.update(module.read_bytes())
    return found.digest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # put into one program, without its records
        return "unknown"
