"""Candidates: what a published rule says of each place, and what has to be checked on site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from .._validate import BoolArray, FloatArray, IntArray, StrArray, check_points, points_xy, some, some_zh
from ..errors import Fault
from ..model import Network
from ..params import SiteRule
from .facts import area_of, is_ground, is_yes
from .frames import number_column, text_column
from .rejects import Reason, joined, reason, rejected_of

#: columns of a ledger that a rule reads
FACTS = ("floor", "area_m2", "street_facing", "dense")
#: a place this near to a street faces it; one farther than the second from every street faces none (metres)
FACING_M, APART_M = 20.0, 50.0
#: classes of road that no place can face: ways inside compounds, and ways for people on foot or on a bicycle
_NO_FRONT = ("service", "cycleway", "track", "path", "footway", "bridleway", "steps", "corridor", "elevator")
#: what is to be checked on site, in English and Chinese
CHECKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ground_floor": ("the floor", "所在楼层"),
        "street_facing": ("whether it faces the street", "是否临街"),
        "min_area": ("the area", "使用面积"),
    }
)


class Judged(NamedTuple):
    """Candidates that a rule lets pass, and those that it does not."""

    frame: gpd.GeoDataFrame
    rejected: gpd.GeoDataFrame


class _Verdict(NamedTuple):
    """What one part of a rule says of each candidate."""

    name: str
    meets: IntArray  # 1 meets, -1 does not, 0 unknown
    told: list[tuple[str, str]]  # the fact, in English and Chinese


def judge_candidates(candidates: gpd.GeoDataFrame, rule: SiteRule, *, network: Network) -> Judged:
    """
    Judge candidate stations by a published rule: which may stay, which may not and why, and what is not known.

    The rule is of stations: what may become a shop only is not judged, and of `both` a shop is left where the rule
    forbids the station. A fact that no file states neither passes nor fails: it is to be checked on site.

    Parameters
    ----------
    candidates
        Points, index id; column `kind` (`station`, `shop` or `both`), and, where known, `name`, `source`, `floor`
        (1 is the ground floor: `1`, `1F`, `一层`, `2楼`, `B1`), `area_m2` (`12`, `约15㎡`), `street_facing` (yes or
        no, 是 or 否), `extent_m` (how far the place may reach from its point).
    rule
        What is asked; `SITE_RULES` has those that ship.
    network
        Its streets are what a place faces. Where `street_facing` does not say, a place within 20 m of a street
        (straight, to the drawn line) faces it, one farther than 50 m from every street faces none, and between them
        it is unknown. `service` and ways for people on foot or on a bicycle are no streets to face; where they
        have a name, it is unknown.

    Returns
    -------
    judged
        `frame`: the candidates that stay, in their order, with `kind` changed from `both` to `shop` where the
        station is forbidden, and a column `to_check` (ids of `CHECKS` with commas, `""` where nothing is to be
        checked). `rejected`: what may not become a station, with the reasons: `name`, `kind` (`station`), `source`,
        `reasons`, `reason_en`, `reason_zh`.

    Raises
    ------
    CRSError
        If `candidates` states no CRS.
    InputError
        If `candidates` holds anything but points with unique ids.
    """
    check_points(candidates, "candidates")
    kind = text_column(candidates, "kind", "both")
    is_judged = kind != "shop"
    verdicts = [v for v in _verdicts(candidates, rule, network) if v is not None]
    fails = np.zeros(len(candidates), dtype=np.bool_)
    for verdict in verdicts:
        fails |= is_judged & (verdict.meets < 0)
    out = candidates[fails]
    rejected = rejected_of(out, "station", [_reasons(verdicts, at) for at in np.flatnonzero(fails).tolist()])
    stays = ~(fails & (kind == "station"))
    frame = candidates.copy()
    frame["kind"] = np.where(fails, "shop", kind)
    frame["to_check"] = _to_check(verdicts, is_judged & ~fails)
    return Judged(frame[stays], joined([rejected]))


def told_of_unknowns(candidates: gpd.GeoDataFrame, rule: SiteRule) -> Iterator[Fault]:
    """Tell of how many candidates a rule asks what no file states."""
    counts = {name: int(_asks(candidates, name).sum()) for name in CHECKS}
    if any(counts.values()):
        en = ", ".join(f"{CHECKS[name][0]} of {n}" for name, n in counts.items() if n)
        zh = "，".join(f"{CHECKS[name][1]} {n} 个" for name, n in counts.items() if n)
        yield Fault(
            f"Rule `{rule.name}`: what no file states is to be checked on site, of {len(candidates)} candidate(s): "
            f"{en}.",
            f"选址规则 {rule.name}：{len(candidates)} 个候选点中，有资料未注明、须现场核实的：{zh}。",
            level="warning",
        )


def told_of_checks(candidates: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Iterator[Fault]:
    """Tell what has to be checked on site before a suggested station can stand there."""
    if "to_check" not in candidates.columns:
        return
    stations = candidates.loc[sites.index[sites["kind"] == "station"]]
    for name, (en, zh) in CHECKS.items():
        own = stations[_asks(stations, name)]
        if len(own):
            yield Fault(
                f"To be checked on site before a station is set up, {en}: {some(own['name'])}.",
                f"设站前须现场核实{zh}：{some_zh(own['name'])}。",
                level="warning",
            )


def _asks(candidates: gpd.GeoDataFrame, name: str) -> BoolArray:
    return np.array([name in asked.split(", ") for asked in candidates["to_check"]], dtype=np.bool_)


def _reasons(verdicts: list[_Verdict], at: int) -> list[Reason]:
    return [reason(v.name, *v.told[at]) for v in verdicts if v.meets[at] < 0]


def _to_check(verdicts: list[_Verdict], is_asked: BoolArray) -> StrArray:
    unknown = [[v.name for v in verdicts if v.meets[at] == 0] if asked else [] for at, asked in enumerate(is_asked)]
    return np.array([", ".join(names) for names in unknown], dtype=object)


# ---------------------------------------------------------------------------------------------------- the parts
def _verdicts(candidates: gpd.GeoDataFrame, rule: SiteRule, network: Network) -> Iterator[_Verdict | None]:
    xy = points_xy(candidates, network.crs)
    yield _ground_floor(candidates) if rule.ground_floor else None
    yield _street_facing(candidates, xy, network) if rule.street_facing else None
    yield _min_area(candidates, rule.min_area_m2) if rule.min_area_m2 > 0 else None


def _signs(answers: list[bool | None]) -> IntArray:
    return np.array([0 if answer is None else 1 if answer else -1 for answer in answers], dtype=np.int64)


def _ground_floor(candidates: gpd.GeoDataFrame) -> _Verdict:
    floor = text_column(candidates, "floor", "")
    return _Verdict("ground_floor", _signs([is_ground(f) for f in floor]), [(f"floor {f}", f"{f}") for f in floor])


def _street_facing(candidates: gpd.GeoDataFrame, xy: FloatArray, network: Network) -> _Verdict:
    stated = _signs([is_yes(text) for text in text_column(candidates, "street_facing", "")])
    is_front = ~np.isin(network.street_class, _NO_FRONT)
    front_m = _metres_to(xy, network, is_front)
    named_m = _metres_to(xy, network, is_front | (network.street_name != ""))
    reach_m = np.nan_to_num(number_column(candidates, "extent_m", 0.0))
    seen = np.where(front_m <= FACING_M, 1, np.where(named_m - reach_m > APART_M, -1, 0))
    told = [
        ("the ledger says so", "台账注明")
        if ledger
        else (f"{m:.0f} m from the next street", f"距最近街道 {m:.0f} 米")
        if np.isfinite(m)
        else ("there is none", "附近没有街道")
        for ledger, m in zip(stated != 0, front_m, strict=True)
    ]
    return _Verdict("street_facing", np.where(stated != 0, stated, seen).astype(np.int64), told)


def _metres_to(xy: FloatArray, network: Network, is_wanted: BoolArray) -> FloatArray:
    """Return straight metres to the nearest admissible street of those wanted, `inf` where there is none."""
    street = np.flatnonzero(network.is_street_admissible & is_wanted)
    metres = np.full(len(xy), np.inf)
    if street.size:
        tree = shapely.STRtree(network.street_geometry[street])
        (at, _), found = tree.query_nearest(shapely.points(xy), return_distance=True, all_matches=False)
        metres[at] = found
    return metres


def _min_area(candidates: gpd.GeoDataFrame, min_m2: float) -> _Verdict:
    area = np.array([area_of(value) for value in text_column(candidates, "area_m2", "")], dtype=np.float64)
    signs = np.where(np.isnan(area), 0, np.where(area >= min_m2, 1, -1)).astype(np.int64)
    told = [(f"{m2:g} of {min_m2:g} m²", f"{m2:g} 平方米，应不小于 {min_m2:g} 平方米") for m2 in area]
    return _Verdict("min_area", signs, told)
