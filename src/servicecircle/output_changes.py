"""What changed between two result folders: features by their stable ids, with tombstones of those that are gone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import shapely

from ._validate import some, some_zh
from .errors import InputError
from .spatial_kinds import gdal_source

if TYPE_CHECKING:
    import geopandas as gpd

#: columns of each layer of plan.gpkg that name a feature; layers without a stable id (gaps, ground) are left out
KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "facilities": ("id",),
        "suggestions": ("id",),
        "candidates": ("id",),
        "depots": ("id",),
        "zones": ("id",),
        "circles": ("facility_id", "minutes"),
        "coverage": ("cell_id",),
        "closures": ("closure_id",),
    }
)
#: coordinates nearer than this are the same: of degrees (1 cm), and of metres
SAME_DEG, SAME_M = 1e-7, 0.01
#: numbers that differ by less than this share are the same
SAME_SHARE = 1e-9
Properties: TypeAlias = dict[str, Any]


def compare_outputs(old: str | Path, new: str | Path, *, layers: Sequence[str] | None = None) -> dict[str, Any]:
    """
    Tell what changed from one result folder to a later one, feature by feature.

    Parameters
    ----------
    old, new
        Folders that `write_outputs` wrote: `summary.json` and `plan.gpkg` are read.
    layers
        Which layers of plan.gpkg, of those in `KEYS`. None: all.

    Returns
    -------
    changes
        As JSON holds it, the same at every run. `old` and `new`: `study` and `date` (of the study, None where it
        states none). `n`: by layer, how many were `added`, `changed` and `removed`, and how many are the `same`.
        `layers`: of each the features, by ascending id, with `id`, `is_deleted`, `updated_at` (the date of the new
        study) and `properties`. One that changed has `fields`, the old and the new value of each that differs, and
        `is_moved`; one that was removed is a tombstone: `is_deleted` is true, and its last properties are told.

    Raises
    ------
    InputError
        If a folder holds no results, or there is no such layer.
    """
    wanted = _layers(layers)
    sides = [_Side.read(Path(folder), wanted, name) for folder, name in ((old, "old"), (new, "new"))]
    changes = {
        layer: _compare(sides[0].features(layer), sides[1].features(layer), sides[1].date) for layer in wanted
    }
    return {
        "old": {"study": sides[0].study, "date": sides[0].date},
        "new": {"study": sides[1].study, "date": sides[1].date},
        "n": {
            layer: {kind: len(rows) for kind, rows in found.items()}
            | {"same": len(sides[1].features(layer)) - len(found["added"]) - len(found["changed"])}
            for layer, found in changes.items()
        },
        "layers": changes,
    }


def changes_text(changes: Mapping[str, Any]) -> str:
    """Return changes as the text of a JSON file."""
    return json.dumps(changes, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _layers(layers: Sequence[str] | None) -> list[str]:
    if layers is None:
        return list(KEYS)
    unknown = [layer for layer in layers if layer not in KEYS]
    if isinstance(layers, str) or unknown:
        msg = (
            f"`layers` names {layers if isinstance(layers, str) else unknown[0]!r}; layers are {some(list(KEYS))}."
        )
        raise InputError(msg, zh=f"layers 中有未知的图层，可用：{some_zh(list(KEYS))}。")
    return [layer for layer in KEYS if layer in layers]


# ------------------------------------------------------------------------------------------------------- a folder
@dataclass(frozen=True, eq=False)
class _Side:
    """A result folder as read."""

    study: str
    date: str | None
    by_layer: Mapping[str, Mapping[str, list[tuple[Properties, Any]]]]

    def features(self, layer: str) -> Mapping[str, list[tuple[Properties, Any]]]:
        return self.by_layer.get(layer, {})

    @classmethod
    def read(cls, folder: Path, layers: Sequence[str], name: str) -> _Side:
        import geopandas as gpd
        import pyogrio

        file, figures = folder / "plan.gpkg", folder / "summary.json"
        if not (file.is_file() and figures.is_file()):
            msg = f"`{name}` {folder.name!r} is no folder of results: it needs summary.json and plan.gpkg."
            raise InputError(msg, zh=f"“{folder.name}”不是结果文件夹：缺少 summary.json 或 plan.gpkg。")
        try:
            said = json.loads(figures.read_text(encoding="utf-8"))
            present = [str(layer) for layer, _ in pyogrio.list_layers(gdal_source(file))]
            frames = {layer: gpd.read_file(gdal_source(file), layer=layer) for layer in layers if layer in present}
        except (ValueError, pyogrio.errors.DataSourceError) as error:
            msg = f"the results in {folder.name!r} cannot be read: {error}."
            raise InputError(msg, zh=f"“{folder.name}”中的结果无法读取：{error}。") from error
        by_layer = {layer: _by_id(frame, KEYS[layer]) for layer, frame in frames.items()}
        return cls(str(said.get("study", "")), said.get("date"), by_layer)


def _by_id(frame: gpd.GeoDataFrame, keys: Sequence[str]) -> dict[str, list[tuple[Properties, Any]]]:
    """Return the parts of each feature by its id, ascending; most have one part."""
    tolerance = SAME_DEG if frame.crs is not None and frame.crs.is_geographic else SAME_M
    names = [str(column) for column in frame.columns if column != frame.geometry.name]
    shapes = shapely.set_precision(frame.geometry.to_numpy(), tolerance, mode="pointwise")
    shapes = shapely.normalize(shapes)
    found: dict[str, list[tuple[Properties, Any]]] = {}
    rows = zip(*(frame[name].tolist() for name in names), shapes, strict=True)
    for *values, shape in rows:
        own = {name: _plain(value) for name, value in zip(names, values, strict=True)}
        found.setdefault(":".join(_text(own[key]) for key in keys), []).append((own, shape))
    return {
        own: sorted(
            parts, key=lambda part: (json.dumps(part[0], sort_keys=True), shapely.to_wkb(part[1], hex=True))
        )
        for own, parts in sorted(found.items())
    }


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a value as JSON has it."""
    if value is None or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _text(value: Any) -> str:  # noqa: ANN401
    return f"{value:g}" if isinstance(value, float) else str(value)


# --------------------------------------------------------------------------------------------------- the changes
def _compare(
    old: Mapping[str, list[tuple[Properties, Any]]],
    new: Mapping[str, list[tuple[Properties, Any]]],
    date: str | None,
) -> dict[str, list[Properties]]:
    """Return what was added, changed and removed, by id."""

    def told(own: str, *, is_deleted: bool, parts: list[tuple[Properties, Any]]) -> Properties:
        return {"id": own, "is_deleted": is_deleted, "updated_at": date, "properties": parts[0][0]}

    changed = []
    for own in sorted(old.keys() & new.keys()):
        fields, is_moved = _differences(old[own], new[own])
        if fields or is_moved:
            changed.append({**told(own, is_deleted=False, parts=new[own]), "fields": fields, "is_moved": is_moved})
    return {
        "added": [told(own, is_deleted=False, parts=new[own]) for own in sorted(new.keys() - old.keys())],
        "changed": changed,
        "removed": [told(own, is_deleted=True, parts=old[own]) for own in sorted(old.keys() - new.keys())],
    }


def _differences(
    old: list[tuple[Properties, Any]], new: list[tuple[Properties, Any]]
) -> tuple[dict[str, list[Any]], bool]:
    """Return the fields that differ, with both values, and whether the shape does; of parts the first that does."""
    fields: dict[str, list[Any]] = {}
    for (before, _), (after, _) in zip(old, new, strict=False):
        for name in sorted(before.keys() | after.keys()):
            if not _is_same(before.get(name), after.get(name)):
                fields.setdefault(name, [before.get(name), after.get(name)])
    shapes = [[shapely.to_wkb(shape, hex=True) for _, shape in side] for side in (old, new)]
    return fields, sorted(shapes[0]) != sorted(shapes[1])


def _is_same(before: Any, after: Any) -> bool:  # noqa: ANN401
    numbers = [
        value for value in (before, after) if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    if len(numbers) == 2:  # noqa: PLR2004
        return math.isclose(before, after, rel_tol=SAME_SHARE, abs_tol=SAME_SHARE)
    return bool(before == after)
