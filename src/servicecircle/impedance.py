"""
Impedance: which ways a travel profile may use, in which direction, and how fast.

The rules read OpenStreetMap tags. They are worked out once for each distinct combination of tags, of which a
metropolis has a few hundred, and never way by way. What each rule rests on: `docs/concepts/travel-time.md`.

A *mode tag* (`foot`, `bicycle`, `motor_vehicle`, ...) is stronger than `access`: `access=no` with `foot=yes`
is open on foot.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .params import TravelProfile

#: speed where nothing is signed, by class of road (km/h). Design speeds of CJJ 37-2012 for urban roads: the middle
#: one for trunk (expressways, 100-80-60), the upper ones for primary (60-50-40), secondary (50-40-30) and tertiary
#: (branch roads, 40-30-20); for motorways the middle one of JTG B01-2014 (120-100-80); 30 for streets without a
#: centre line (Road Traffic Safety Regulations, article 45). Links, living streets and service roads: our own
DRIVE_KPH: Mapping[str, float] = {
    "motorway": 100.0,
    "motorway_link": 60.0,
    "trunk": 80.0,
    "trunk_link": 50.0,
    "primary": 60.0,
    "primary_link": 40.0,
    "secondary": 50.0,
    "secondary_link": 40.0,
    "tertiary": 40.0,
    "tertiary_link": 30.0,
    "unclassified": 30.0,
    "residential": 30.0,
    "road": 30.0,
    "living_street": 20.0,
    "service": 20.0,
}
#: ways that only people on foot or on a bicycle use, the most important first
_QUIET = ("track", "cycleway", "pedestrian", "path", "bridleway", "footway", "corridor", "steps", "elevator")
#: values of `highway` that are streets, the most important first; every other value (construction, proposed,
#: abandoned, platform, busway, raceway, ...) is no street
CLASSES: tuple[str, ...] = (*DRIVE_KPH, *_QUIET)
#: what a street counts as where its class is not stated
DEFAULT_CLASS = "residential"

#: an e-bike is never ridden faster (GB 17761-2018)
EBIKE_MAX_KPH = 25.0
#: `maxspeed=none` and `maxspeed=walk` (km/h)
UNLIMITED_KPH = 120.0
WALKING_PACE_KPH = 5.0
#: a signed limit above this is not believed (km/h)
BELIEVED_KPH = 150.0
#: implied limits by the last word of `CN:urban`, `DE:rural`, ... (km/h); urban and rural as article 45 has them
ZONE_KPH: Mapping[str, float] = {
    "urban": 50.0,
    "rural": 70.0,
    "trunk": 80.0,
    "motorway": 120.0,
    "living_street": 20.0,
    "bicycle_road": 30.0,
}

#: the tags that the rules read; readers drop the others
TAG_KEYS: frozenset[str] = frozenset(
    {
        "highway", "access", "vehicle", "motor_vehicle", "motorcar", "motorroad", "foot", "bicycle", "area",
        "junction", "footway", "sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right",
        "cycleway", "cycleway:both", "cycleway:left", "cycleway:right",
        "cycleway:left:oneway", "cycleway:right:oneway",
        "oneway", "oneway:bicycle", "oneway:foot", "maxspeed", "maxspeed:forward", "maxspeed:backward",
    }
)  # fmt: skip

#: values of `access` that close a way to everybody a study plans for
_SHUT = frozenset({"no", "military", "emergency"})
_YES = frozenset({"yes", "designated", "permissive", "official", "destination", "customers", "delivery"})
_RIDE = frozenset({"yes", "designated"})
_NO = frozenset({"no", "none", ""})
_SIDES = ("", ":both", ":left", ":right")
_FORWARD = frozenset({"yes", "true", "1", "1.0", "f", "ft"})
_BACKWARD = frozenset({"-1", "-1.0", "reverse", "t", "tf"})
_TWO_WAY = frozenset({"no", "false", "0", "0.0", "b"})
_AREAS_ON_FOOT = frozenset({"pedestrian", "footway"})

_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?")
_UNIT_KPH: Mapping[str, float] = {"mph": 1.609344, "knots": 1.852}

Tags = Mapping[str, str]


@dataclass(frozen=True)
class WayRule:
    """What a profile makes of one combination of tags."""

    forward_kph: float  # along the way as it is drawn; 0 is closed
    backward_kph: float
    notes: tuple[str, ...] = ()  # what the report counts, see `way_rule`

    @property
    def is_open(self) -> bool:
        """Whether the profile may use the way at all."""
        return self.forward_kph > 0 or self.backward_kph > 0


def way_rule(tags: Tags, profile: TravelProfile, *, admit_trunk: bool = False) -> WayRule:
    """
    Whether, in which direction and how fast a profile uses a way with these tags.

    Parameters
    ----------
    tags
        OpenStreetMap tags of one way; keys outside `TAG_KEYS` are not read. No `highway` at all counts as
        `residential`.
    profile
        Its `roads` chooses the rules, its speeds the result.
    admit_trunk
        Open every `trunk` road to walking and e-bikes, not only those with a footway or a cycleway.

    Returns
    -------
    rule
        km/h in both directions, 0 where closed. `notes` holds what a report counts: why a way is closed
        (`not_street`, `closed_class`, `closed_access`, `closed_tag`, `closed_area`, `trunk_left_out`,
        `speed_zero`), and how it is open (`private`, `pushed`, `oneway`, `class_missing`, `maxspeed_missing`,
        `maxspeed_unreadable`).

    Examples
    --------
    >>> from servicecircle.params import PROFILES
    >>> way_rule({"highway": "residential", "oneway": "yes"}, PROFILES["ebike"])
    WayRule(forward_kph=15.0, backward_kph=0.0, notes=('oneway',))
    """
    notes: list[str] = []
    if "highway" not in tags:
        tags = {**tags, "highway": DEFAULT_CLASS}
        notes.append("class_missing")
    if tags["highway"] not in CLASSES:
        return WayRule(0.0, 0.0, ("not_street",))
    if tags.get("area") == "yes" and (tags["highway"] not in _AREAS_ON_FOOT or profile.roads == "drive"):
        return WayRule(0.0, 0.0, ("closed_area",))
    if tags.get("access") == "private":
        notes.append("private")
    if profile.roads == "walk":
        rule = _walk(tags, profile, admit_trunk=admit_trunk)
    elif profile.roads == "ebike":
        rule = _ebike(tags, profile, admit_trunk=admit_trunk)
    else:
        rule = _drive(tags, profile)
    return WayRule(rule.forward_kph, rule.backward_kph, (*notes, *rule.notes))


# ------------------------------------------------------------------------------------------------ the profiles
def _closed(note: str) -> WayRule:
    return WayRule(0.0, 0.0, (note,))


def _walk(tags: Tags, profile: TravelProfile, *, admit_trunk: bool) -> WayRule:
    """Walk all but motorways, trunk roads without a footway, and what is closed; both directions."""
    foot = tags.get("foot", "")
    if foot == "no":
        return _closed("closed_tag")
    if tags.get("access") in _SHUT and foot not in _YES:
        return _closed("closed_access")
    if _is_motorway(tags) and foot not in _YES:
        return _closed("closed_class")
    if _is_trunk(tags) and not admit_trunk:
        beside = tags.get("footway", "") not in _NO or _has_side(tags, "sidewalk")
        if foot not in _YES and not beside:
            return _closed("trunk_left_out")
    speed = profile.speed_kph or profile.access_kph
    return _one_way(tags.get("oneway:foot", ""), speed, ())


def _ebike(tags: Tags, profile: TravelProfile, *, admit_trunk: bool) -> WayRule:
    """Ride where bicycles may; push, both ways, on footways and behind gates."""
    highway, bicycle = tags["highway"], tags.get("bicycle", "")
    if bicycle == "no":
        return _closed("closed_tag")
    if tags.get("access") in _SHUT and bicycle not in _YES and tags.get("vehicle") not in _YES:
        return _closed("closed_access")
    if highway in {"steps", "elevator"} or (_is_motorway(tags) and bicycle not in _YES):
        return _closed("closed_class")
    if _is_trunk(tags) and not admit_trunk:
        beside = _has_side(tags, "cycleway") or _has_side(tags, "sidewalk")
        if bicycle not in _YES and not beside:
            return _closed("trunk_left_out")
    if _is_pushed(tags):
        return WayRule(profile.push_kph, profile.push_kph, ("pushed",))
    speed = min(profile.speed_kph or EBIKE_MAX_KPH, EBIKE_MAX_KPH)
    return _one_way(_bicycle_oneway(tags), speed, ())


def _is_pushed(tags: Tags) -> bool:
    bicycle = tags.get("bicycle", "")
    if bicycle in _RIDE:
        return False
    on_foot = tags["highway"] in {"footway", "pedestrian", "path", "bridleway", "corridor"}
    gated = tags.get("access") == "private" or bicycle in {"dismount", "private"}
    return on_foot or gated or (tags.get("vehicle") == "no" and bicycle not in _YES)


def _bicycle_oneway(tags: Tags) -> str:
    """Return the one-way rule for bicycles, in the words of `oneway`."""
    own = tags.get("oneway:bicycle", "")
    if own in _TWO_WAY | _FORWARD | _BACKWARD:
        return own
    against = any(tags.get(f"cycleway{side}", "").startswith("opposite") for side in _SIDES)
    lane = any(tags.get(f"cycleway:{side}:oneway", "") in _TWO_WAY | _BACKWARD for side in ("left", "right"))
    return "no" if against or lane else oneway_of(tags)


def _drive(tags: Tags, profile: TravelProfile) -> WayRule:
    """Drive on motor roads at the signed speed, else by class; one-way streets obeyed."""
    highway = tags["highway"]
    own = tags.get("motorcar", tags.get("motor_vehicle", tags.get("vehicle", "")))
    if highway not in DRIVE_KPH:
        return _closed("closed_class")
    if own in {"no", "private", "agricultural", "forestry"}:
        return _closed("closed_tag")
    if tags.get("access") in _SHUT | {"private", "agricultural", "forestry"} and own not in _YES:
        return _closed("closed_access")
    if profile.speed_kph is not None:
        return _one_way(oneway_of(tags), profile.speed_kph, ())
    speeds, notes = [], set()
    for key in ("maxspeed:forward", "maxspeed:backward"):
        stated = tags.get(key, tags.get("maxspeed"))
        speed = parse_maxspeed(stated)
        if speed is None:
            notes.add("maxspeed_missing" if stated is None else "maxspeed_unreadable")
        speeds.append(DRIVE_KPH[highway] if speed is None else speed)
    if max(speeds) == 0:
        return _closed("speed_zero")
    open_way = _one_way(oneway_of(tags), 1.0, tuple(sorted(notes)))
    return WayRule(open_way.forward_kph * speeds[0], open_way.backward_kph * speeds[1], open_way.notes)


def _is_motorway(tags: Tags) -> bool:
    return tags["highway"].startswith("motorway") or tags.get("motorroad") == "yes"


def _is_trunk(tags: Tags) -> bool:
    return tags["highway"].startswith("trunk")


def _has_side(tags: Tags, key: str) -> bool:
    """Whether a sidewalk or cycleway is mapped on any side."""
    return any(tags.get(f"{key}{side}", "no") not in _NO for side in _SIDES)


# ------------------------------------------------------------------------------------------ one-ways and speeds
def oneway_of(tags: Tags) -> str:
    """Return `oneway`, or what a roundabout or a motorway implies where it is silent."""
    stated = tags.get("oneway", "")
    if stated in _FORWARD | _BACKWARD | _TWO_WAY:
        return stated
    implied = tags.get("junction") in {"roundabout", "circular"} or tags["highway"] == "motorway"
    return "yes" if implied else "no"


def _one_way(oneway: str, kph: float, notes: tuple[str, ...]) -> WayRule:
    if oneway in _FORWARD:
        return WayRule(kph, 0.0, (*notes, "oneway"))
    if oneway in _BACKWARD:
        return WayRule(0.0, kph, (*notes, "oneway"))
    return WayRule(kph, kph, notes)


def parse_maxspeed(text: str | None) -> float | None:
    """
    Speed of a `maxspeed` tag in km/h; None where it says nothing that is known.

    Of several values (`50;60`, a value a lane) the lowest counts. Above 150 km/h a number is not believed.

    Examples
    --------
    >>> [parse_maxspeed(t) for t in ("50", "30 mph", "CN:urban", "walk", "none", "50;60", "fast")]
    [50.0, 48.28032, 50.0, 5.0, 120.0, 50.0, None]
    """
    if text is None:
        return None
    parts = [part.strip().lower() for part in re.split(r"[;|,]", text) if part.strip()]
    speeds = [_one_speed(part) for part in parts]
    known = [speed for speed in speeds if speed is not None]
    return min(known) if known else None


def _one_speed(text: str) -> float | None:
    if text in {"none", "unlimited"}:
        return UNLIMITED_KPH
    if text == "walk":
        return WALKING_PACE_KPH
    if zone := re.fullmatch(r"(?:[a-z]{2}:)?(?:zone:?)?(\d+)", text):
        text = zone[1]
    elif ":" in text:
        return ZONE_KPH.get(text.rsplit(":", 1)[1])
    match = _SPEED.fullmatch(text)
    if match is None:
        return None
    speed = float(match[1]) * _UNIT_KPH.get(match[2] or "", 1.0)
    return speed if speed <= BELIEVED_KPH else None


# ------------------------------------------------------------------- tags as graphs and tables carry them
def tag_values(value: object) -> tuple[str, ...]:
    """
    Values of a tag as a graph or a table holds it: text, number, truth, a list of them, or a list as text.

    Sorted, without repetition; nothing (None, nan, blank) gives `()`.

    Examples
    --------
    >>> tag_values("['steps', 'footway']"), tag_values(True), tag_values(40.0), tag_values(None)
    (('footway', 'steps'), ('yes',), ('40',), ())
    """
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)  # reads literals only, runs nothing
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return (str(value),)
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return tuple(sorted({text for item in value for text in tag_values(item)}))
    if isinstance(value, (bool, np.bool_)):
        return ("yes" if value else "no",)
    if isinstance(value, (int, float, np.integer, np.floating)):
        return () if math.isnan(value) else (f"{float(value):g}",)
    text = "" if value is None else str(value).strip()
    if text in {"", "nan", "None", "<NA>", "NaT"}:
        return ()
    return ({"True": "yes", "False": "no"}.get(text, text),)


def joint_rule(tags: Mapping[str, Sequence[str]], profile: TravelProfile, *, admit_trunk: bool = False) -> WayRule:
    """
    Rule of an edge that was merged from several ways, so that a tag may hold several values.

    The edge is open in a direction only if every value leaves it open, and the slowest speed counts: whoever
    uses the edge must pass all of its ways.
    """
    keys = sorted(key for key in tags if tags[key])
    rules = [
        way_rule(dict(zip(keys, values, strict=True)), profile, admit_trunk=admit_trunk)
        for values in itertools.product(*(tags[key] for key in keys))
    ]
    notes = tuple(dict.fromkeys(note for rule in rules for note in rule.notes))
    return WayRule(min(r.forward_kph for r in rules), min(r.backward_kph for r in rules), notes)


def main_class(values: Sequence[str]) -> str:
    """Return the most important of several classes of road, `""` of none."""
    known = [value for value in CLASSES if value in values]
    return known[0] if known else (min(values) if values else "")
