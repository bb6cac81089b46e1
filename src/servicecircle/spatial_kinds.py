"""What GDAL is given to open: a file of the kind that its name says, never one that points elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

#: how files begin. GDAL looks at their content, not at their name: of a `.gpkg` that holds XML or JSON of certain
#: kinds it would follow the paths and addresses inside
_BEGINS: Mapping[str, bytes] = MappingProxyType({".gpkg": b"SQLite format 3\x00", ".shp": b"\x00\x00\x27\x0a"})
_JSON = frozenset({".geojson", ".json"})


def gdal_source(path: Path) -> Path | str:
    """
    Return what to give GDAL, so that it reads a file as what its name says and opens no other.

    Raises
    ------
    ValueError
        If the file is not of the kind that its name says.
    """
    suffix = path.suffix.lower()
    if suffix in _JSON:
        return f"GeoJSON:{path}"
    begin = _BEGINS.get(suffix)
    with path.open("rb") as stream:
        if begin is None or stream.read(len(begin)) != begin:
            msg = f"its content is not that of a {suffix} file"
            raise ValueError(msg)
    return path
