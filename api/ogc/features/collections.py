"""The collections: what each holds, and by which properties it can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from servicecircle.errors import Lang
from servicecircle.model import Plan
from servicecircle.writers import (
    Feature,
    circle_features,
    closure_features,
    coverage_features,
    gap_features,
    suggestion_features,
)

from ..links import Link, link
from ..parts import Part
from .rows import place_features, zone_features

#: a value of a property in a request is compared as one of these
PropertyKind = Literal["string", "number"]
_CLASSES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"


@dataclass(frozen=True)
class Collection:
    """A layer of the coverage map."""

    id: str
    title: Mapping[Lang, str]
    description: Mapping[Lang, str]
    properties: Mapping[str, PropertyKind]  # those that can be asked for by name
    features: Callable[[Plan], list[Feature]]
    key: Callable[[Feature], str]  # what tells features apart
    is_timed: bool = False  # holds from `from` until `until`


def _property(*names: str) -> Callable[[Feature], str]:
    """Return how to make an id of properties, with `@` between."""
    return lambda feature: "@".join(_told(feature["properties"][name]) for name in names)


def _told(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_PLACE: Mapping[str, PropertyKind] = {
    "id": "string",
    "name": "string",
    "address": "string",
    "hours": "string",
    "services": "string",
    "capacity": "string",
    "own_minutes": "number",
}
_EVERY = (
    Collection(
        "stations",
        {"zh": "驿站", "en": "Stations"},
        {
            "zh": "现有驿站，及各时限内服务的骑手数。",
            "en": "Today's stations, with the riders that each reaches.",
        },
        _PLACE,
        lambda plan: place_features(plan, "station"),
        _property("id"),
    ),
    Collection(
        "shops",
        {"zh": "友好商户", "en": "Partner shops"},
        {
            "zh": "现有友好商户，及各时限内服务的骑手数。",
            "en": "Today's partner shops, with the riders that each reaches.",
        },
        _PLACE,
        lambda plan: place_features(plan, "shop"),
        _property("id"),
    ),
    Collection(
        "zones",
        {"zh": "网格", "en": "Zones"},
        {"zh": "各网格的覆盖情况：现状与采纳建议之后。", "en": "Coverage by zone, today and with the suggestions."},
        {"zone_id": "string", "name": "string"},
        zone_features,
        _property("zone_id"),
    ),
    Collection(
        "cells",
        {"zh": "规划单元", "en": "Planning cells"},
        {
            "zh": "每个单元的骑手、现状覆盖与采纳建议之后的覆盖。",
            "en": "Riders of each cell, and who of them is covered, today and with the suggestions.",
        },
        {"cell_id": "string", "zone_id": "string", "nearest_id": "string"},
        coverage_features,
        _property("cell_id"),
    ),
    Collection(
        "circles",
        {"zh": "服务圈", "en": "Service circles"},
        {
            "zh": "每处驿站、商户（含建议）在每个时限内可达的范围。",
            "en": "What is reached within each break of each station and shop, suggested ones too.",
        },
        {"facility_id": "string", "kind": "string", "minutes": "number"},
        circle_features,
        _property("facility_id", "minutes"),
    ),
    Collection(
        "gaps",
        {"zh": "缺口", "en": "Gaps"},
        {
            "zh": "最大时限内无处可去的片区，从重到轻。",
            "en": "Where nobody serves at the largest break, worst first.",
        },
        {
            "rank": "number",
            "reason": "string",
            "nearest_id": "string",
            "zone_id": "string",
        },
        gap_features,
        _property("rank"),
    ),
    Collection(
        "suggestions",
        {"zh": "建议点位", "en": "Suggestions"},
        {"zh": "建议新开的点位，按先后次序。", "en": "Where to open next, best first."},
        {"rank": "number", "id": "string", "name": "string", "kind": "string"},
        suggestion_features,
        _property("id"),
    ),
    Collection(
        "closures",
        {"zh": "路况报告", "en": "Closures"},
        {
            "zh": "路况报告所涉及的路段，及起止时间。",
            "en": "The parts of streets that reports of trouble cover, and from when until when.",
        },
        {"closure_id": "string", "name": "string", "street": "string", "source": "string"},
        lambda plan: [] if plan.trouble is None else closure_features(plan.trouble),
        _property("closure_id"),
        is_timed=True,
    ),
)
#: all of them, by id, in the order in which they are listed
COLLECTIONS: Mapping[str, Collection] = MappingProxyType({one.id: one for one in _EVERY})


def _links(root: str, lang: Lang) -> list[Link]:
    title = {"zh": "数据集", "en": "The collections"}[lang]
    return [link(f"{root}/collections", "data", title=title)]


#: what is said of all this on the landing page
FEATURES = Part(tuple(_CLASSES + name for name in ("core", "oas30", "geojson")), _links)
