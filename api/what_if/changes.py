"""The changes of a body as the engine takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from servicecircle.closures import WGS84
from servicecircle.model import Plan

from ..errors import ParameterError
from ..settings import Settings
from ..trouble_shapes import Here, closures_in
from .asked import Added, Moved, WhatIfRequest


def changes_of(asked: WhatIfRequest, plan: Plan, here: Here, settings: Settings) -> dict[str, Any]:
    """Return the changes as the engine takes them; the member at fault is named."""
    is_open = set(map(str, plan.facilities.index))
    sides: tuple[tuple[str, Sequence[Added | Moved]], ...] = (("add", asked.add), ("move", asked.move))
    for name, places in sides:
        for k, place in enumerate(places):
            here.check(place.lon, place.lat, f"{name}.{k}")
    added = _added_ids(asked.add, is_open)
    _check_ids("add", added, known=is_open, wanted=False)
    _check_ids("move", [one.id for one in asked.move], known=is_open, wanted=True)
    _check_ids("close", asked.close, known=is_open, wanted=True)
    if both := [own for own in asked.close if own in {one.id for one in asked.move}]:
        msg = f"`{both[0]}` cannot both move and close."
        raise ParameterError(["move", "close"], msg, zh=f"“{both[0]}”不能既移动又关闭。")
    add = _points(added, asked.add)
    if add is not None:
        add["kind"] = [one.kind for one in asked.add]
        add["name"] = [one.name or own for one, own in zip(asked.add, added, strict=True)]
        add["minutes"] = np.array([np.nan if one.minutes is None else one.minutes for one in asked.add])
    return {
        "add": add,
        "move": _points([one.id for one in asked.move], asked.move),
        "close": asked.close,
        "closures": closures_in(asked.closures, here, settings),
    }


def _points(ids: Sequence[str], places: Sequence[Added | Moved]) -> gpd.GeoDataFrame | None:
    if not places:
        return None
    points = gpd.points_from_xy([one.lon for one in places], [one.lat for one in places])
    return gpd.GeoDataFrame(index=pd.Index(list(ids), dtype=object), geometry=points, crs=WGS84)


def _added_ids(places: Sequence[Added], is_open: set[str]) -> list[str]:
    """Return the id of each new place; who has none gets one that nobody else has."""
    taken = is_open | {one.id for one in places if one.id is not None}
    free = (name for k in range(1, len(places) + len(taken) + 1) if (name := f"new-{k}") not in taken)
    return [next(free) if one.id is None else one.id for one in places]


def _check_ids(name: str, ids: Sequence[str], *, known: set[str], wanted: bool) -> None:
    """Refuse ids that stand twice, or are open where they must not be, or the other way round."""
    wrong = [own for own in ids if (own in known) is not wanted]
    if wrong and wanted:
        msg = f"`{name}` names no open station or shop: {wrong[0]!r}."
        raise ParameterError([name], msg, zh=f"{name} 中的编号“{wrong[0]}”不是正在开放的驿站或商铺。")
    if wrong:
        msg = f"`{name}` names a station or shop that is open already: {wrong[0]!r}. Give it an id of its own."
        raise ParameterError([name], msg, zh=f"{name} 中的编号“{wrong[0]}”已在使用，请另取编号。")
    if double := [own for k, own in enumerate(ids) if own in ids[:k]]:
        msg = f"`{name}` names {double[0]!r} more than once."
        raise ParameterError([name], msg, zh=f"{name} 中的编号“{double[0]}”重复。")
