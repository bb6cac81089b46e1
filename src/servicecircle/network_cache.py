"""
The cache of networks beside a road file, so that it is not read twice with the same rules.

`roads.osm.pbf` has its networks in the folder `roads.osm.pbf.sc-cache`, a file for each profile and set of options.
Such a file is used only if its name is that of the road file's very bytes, of the rules, and of the program that
would read them; what is in it is checked by `network_files`. Else the road file is read, and the file written anew.
Who may write beside the road file may also change the road file: the checks keep damage out, not them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from pyproj import CRS

from .model import Network
from .network_files import FORMAT, UnusableError, load_network, packed_network
from .params import TravelProfile
from .program_digest import program_digest
from .whole_files import make_folder, write_text, write_whole

logger = logging.getLogger(__name__)

#: smaller road files are read in about half a second or less: not worth a folder
MIN_BYTES = 500_000
#: networks kept beside a road file; of more, the oldest goes
MAX_KEPT = 8
#: packages that have a say in what is read from a road file
_READERS = ("geopandas", "networkx", "numpy", "osmium", "pandas", "pyarrow", "pyogrio", "pyproj", "shapely")
_FOLDER, _SUFFIX = ".sc-cache", ".network"
#: files that are cleared away; others that somebody put there stay
_OWN_NAME = re.compile(rf"[0-9a-f]{{32}}-[0-9a-f]{{16}}{re.escape(_SUFFIX)}")
_ANY_WRITE = 0o222
_CHUNK = 2**20


def cache_folder(path: str | Path) -> Path:
    """
    Return the folder in which the networks of a road file are kept, be it there or not.

    Examples
    --------
    >>> cache_folder("roads.osm.pbf").name
    'roads.osm.pbf.sc-cache'
    """
    file = Path(path)
    return file.with_name(f"{file.name}{_FOLDER}")


def cached_network(
    path: str | Path, profile: TravelProfile, options: Mapping[str, object], read: Callable[[], Network]
) -> Network:
    """
    Return the network that `read` gives: from the cache beside `path` if it is there; if not, it is read and kept.

    Parameters
    ----------
    path
        The road file. One of less than `MIN_BYTES` is read and not kept.
    profile, options
        What `read` reads it with: numbers, texts, flags, None or `CRS`.
    read
        Reads the road file.

    Returns
    -------
    network
        The same from the cache as from the road file, with its report and warnings. Where nothing can be kept (a
        read-only folder, a full disk), it is read each time, and nobody is told.
    """
    stamp = _stamp(path)
    if stamp is None:
        return read()
    file = cache_folder(path) / f"{stamp}-{_rules(profile, options)}{_SUFFIX}"
    try:
        return load_network(file, profile)
    except FileNotFoundError:
        pass
    except (OSError, UnusableError) as error:
        logger.info("`%s` is not used: %s.", file, error)
    network = read()
    if _stamp(path) == stamp:  # else the road file changed while it was read
        _keep(network, file)
    return network


def _keep(network: Network, file: Path) -> None:
    """Write a network into the cache if that can be done, and clear away what is out of date there."""
    beside = file.parent.parent
    try:
        if not beside.stat().st_mode & _ANY_WRITE:  # nobody is to write there: neither are we, even if we could
            return
        pieces = packed_network(network)
        write_text(make_folder(file.parent) / ".gitignore", "*\n")  # no part of anyone's work
        write_whole(file, partial(_write, pieces))
        stamp = file.name.split("-", maxsplit=1)[0]
        own = [other for other in file.parent.glob(f"*{_SUFFIX}") if _OWN_NAME.fullmatch(other.name)]
        kept = sorted(own, key=lambda other: other.stat().st_mtime_ns, reverse=True)
        of_now = [other for other in kept if other.name.startswith(f"{stamp}-")]
        for old in {*kept} - {*of_now[:MAX_KEPT]}:
            old.unlink(missing_ok=True)
    except (OSError, UnusableError) as error:
        logger.info("`%s` is not kept: %s.", file, error)


def _write(pieces: list[bytes], path: Path) -> None:
    with path.open("wb") as stream:
        stream.writelines(pieces)


# ------------------------------------------------------------------------------------------------ names of files
def _stamp(path: str | Path) -> str | None:
    """Return a hash of a road file, its name and this program; None if the file is small or cannot be read."""
    file = Path(path)
    found = hashlib.blake2b(_program(), digest_size=16)
    try:
        if file.stat().st_size < MIN_BYTES:
            return None
        for part in (file, *_beside(file)):
            found.update(f"\n{part.name} {part.stat().st_size}\n".encode("utf-8", "surrogateescape"))
            with part.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    found.update(chunk)
    except OSError:
        return None
    return found.hexdigest()


def _beside(file: Path) -> list[Path]:
    """Return what is read along with a road file: the rest of a Shapefile, what SQLite has yet to store."""
    if file.suffix.lower() == ".shp":
        of_stem = [other for other in file.parent.iterdir() if other.name.startswith(f"{file.stem}.")]
        return sorted(other for other in of_stem if other != file and other.is_file())
    if file.suffix.lower() == ".gpkg":
        return [other for end in ("-wal", "-journal") if (other := file.with_name(file.name + end)).is_file()]
    return []


@cache
def _program() -> bytes:
    """Return a digest of this package's own code, and of the versions of those that read and project."""
    return program_digest(Path(__file__).parent.glob("*.py"), _READERS, form=FORMAT)


def _rules(profile: TravelProfile, options: Mapping[str, object]) -> str:
    """Return a hash of a profile and of options."""
    told = {
        "profile": {**vars(profile), "cutoffs_s": list(profile.cutoffs_s.items())},
        "options": {name: value.to_wkt() if isinstance(value, CRS) else value for name, value in options.items()},
    }
    return hashlib.blake2b(json.dumps(told, default=repr).encode(), digest_size=8).hexdigest()
