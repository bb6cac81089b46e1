"""Figures and texts of the panel: what is covered, how good the plan provably is, and with what parameters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import params
from ..coverage import totals
from ..gaps import riders_scattered
from ..model import Coverage, Plan
from ..services import told_services
from ..tiers import tier_totals
from . import numbers, palette
from .shown_riders import Shown, shown_riders
from .siting import rules_proof, siting_rows
from .words import Words

#: the standard whose distances are printed beside a profile's own
STANDARD = params.PROFILES["gb50180"]
#: ways that come from OpenStreetMap have ids in the millions; made-up towns and tables count from 0
OSM_WAY_ID = 1_000_000
METRES_PER_KM = 1000.0
#: riders that differ by less are the same
SAME = 1e-9
SECONDS_PER_HOUR = 3600.0


def shown_gaps(plan: Plan) -> tuple[int, int]:
    """Return the riders in gaps, and those elsewhere who are not covered either, as whole numbers that add up."""
    riders = math.fsum(plan.gaps["riders"])
    scattered = riders_scattered(plan.before, plan.grid, plan.gaps)
    today = shown_riders(plan.before)
    in_gaps, elsewhere = numbers.apportioned([riders, scattered], today.riders - today.within[-1])
    return in_gaps, elsewhere


def shown_tiers(coverage: Coverage, k: int) -> tuple[int, int]:
    """Return the riders of core and belt at a break as whole numbers that add up to those covered."""
    key, told = f"{coverage.minutes[k]:g}", tier_totals(coverage)
    core, belt = numbers.apportioned(
        [told["core"]["covered"][key], told["belt"]["covered"][key]], shown_riders(coverage).within[k]
    )
    return core, belt


def _tier_line(plan: Plan, k: int, words: Words) -> str:
    """Return core and belt at a break in a line, before and with the suggestions; "" where there is no partner."""
    if what_serves(plan) != "station_or_shop":
        return ""
    core, belt = shown_tiers(plan.before, k)
    line = words("tiers", core=numbers.whole(core), belt=numbers.whole(belt))
    if len(plan.sites):
        core, belt = shown_tiers(plan.after, k)
        line += words("tiers_after", core=numbers.whole(core), belt=numbers.whole(belt))
    return line


# ------------------------------------------------------------------------------------------------- headline
def headline(plan: Plan, words: Words) -> dict[str, Any]:
    """Return, for before and after and each break, everything that the panel says at its head."""
    shown = {"before": shown_riders(plan.before), "after": shown_riders(plan.after)}
    return {
        mode: [_figure(plan, words, shown, mode, k) for k in range(len(plan.study.minutes))]
        for mode in ("before", "after")
    }


def _figure(plan: Plan, words: Words, shown: dict[str, Shown], mode: str, k: int) -> dict[str, Any]:
    key = f"{plan.study.minutes[k]:g}"
    told, today = totals(plan.after if mode == "after" else plan.before), totals(plan.before)
    mine = shown[mode]
    figure = {
        "title": _kpi_title(plan, words, plan.study.minutes[k]),
        "share": numbers.share(told["covered"][key], told["riders"]),
        "riders": words(
            "of_riders",
            part=numbers.whole(mine.within[k]),
            total=numbers.headline_riders(mine.riders, words.lang),
        ),
        "parts": _parts(plan.study.minutes, mine, words),
    }
    if mode == "after":
        figure["change"] = words("gain", n=numbers.change(mine.within[k] - shown["before"].within[k]))
        figure["was"] = words("was", share=numbers.share(today["covered"][key], today["riders"]))
    return figure


def _kpi_title(plan: Plan, words: Words, minutes: float) -> str:
    profile = plan.study.profile
    if profile.cutoffs_s:
        limit = words("limit_m", m=f"{minutes:g}", d=words("metres", n=f"{_metres(profile, minutes):g}"))
    else:
        limit = words("limit", m=f"{minutes:g}")
    return words(f"kpi.{plan.study.direction}.{profile.roads}", limit=limit, what=words(what_serves(plan)))


def _parts(minutes: Sequence[float], shown: Shown, words: Words) -> list[dict[str, Any]]:
    tints = palette.circle_tints(len(minutes))[::-1]  # the smallest break first
    names = [words("part_within", b=f"{minutes[0]:g}")]
    names += [words("part_between", a=f"{a:g}", b=f"{b:g}") for a, b in itertools.pairwise(minutes)]
    names.append(words("part_beyond", a=f"{minutes[-1]:g}"))
    colours = [*tints, palette.COLOURS["missed"]]
    return [
        {"name": name, "n": n, "told": numbers.whole(n), "colour": colour}
        for name, n, colour in zip(names, shown.parts, colours, strict=True)
    ]


def what_serves(plan: Plan) -> str:
    """Return the word for what serves: stations, or stations and shops."""
    kinds: set[str] = set()
    for frame in (plan.facilities, plan.sites):
        if len(frame):
            kinds |= set(frame["kind"].dropna()) if "kind" in frame.columns else {"station"}
    if kinds == {"shop"}:
        return "shop_only"
    return "station_or_shop" if "shop" in kinds else "station"


# -------------------------------------------------------------------------------------------------- proof
def proof(plan: Plan, words: Words) -> str:
    """Return how good the suggestions provably are."""
    solution = plan.solution
    if plan.unmet is not None:
        reasons = [reason.told(words.lang) for reason in plan.unmet.reasons]
        return (
            words("infeasible")
            + ("：" if words.lang == "zh" else ": ")
            + ("" if words.lang == "zh" else " ").join(reasons)
        )
    if not len(plan.sites):
        return words("infeasible") if solution.status == "infeasible" else words("suggested_none")
    if solution.status == "infeasible":
        return words("infeasible")
    if plan.siting is not None:
        return rules_proof(plan, words.lang)
    if solution.status == "optimal" and solution.gap == 0:
        return words("proof", combination=_combination(plan, words))
    return words(
        "best_known",
        best=numbers.riders(solution.objective, words.lang),
        bound=numbers.riders(solution.bound, words.lang),
        gap=numbers.share(solution.gap, 1.0),
    )


def _combination(plan: Plan, words: Words) -> str:
    shops = int((plan.sites["kind"] == "shop").sum()) if "kind" in plan.sites.columns else 0
    stations = len(plan.sites) - shops
    if stations and shops:
        return words("combination.both", stations=stations, shops=shops)
    return words("combination.shops" if shops else "combination.stations", n=len(plan.sites))


def whole_gains(plan: Plan) -> list[int]:
    """
    Return what each suggestion adds at the largest break as whole riders; 0 for one that adds less than 1.

    They and `small_gains` add up to what the headline says: covered after minus covered before (where a plan closes
    facilities: minus covered by those that stay).
    """
    exact, small, shown, _ = _gains(plan)
    whole = iter(shown)
    return [0 if is_small else next(whole) for _, is_small in zip(exact, small, strict=True)]


def small_gains(plan: Plan, words: Words) -> list[str]:
    """Return the words and the number of several suggestions that add less than 1 rider each; empty for fewer."""
    exact, small, _, together = _gains(plan)
    n = sum(small)
    if n < 2:  # noqa: PLR2004
        return []
    told = numbers.gain(together, sum(g for g, is_small in zip(exact, small, strict=True) if is_small))
    return [words("gain_rest" if n < len(small) else "gain_rest_all", n=n), words("gain", n=told)]


def _gains(plan: Plan) -> tuple[list[float], list[bool], list[int], int]:
    """Return each gain, which are under 1, the others as whole numbers, and those under 1 together as one."""
    if not len(plan.sites):
        return [], [], [], 0
    exact = [0.0 if numbers.is_missing(value) else float(value) for value in plan.sites["riders_gained"]]
    small = [gain < 1 - SAME for gain in exact]
    large = [gain for gain, is_small in zip(exact, small, strict=True) if not is_small]
    rest = [sum(exact) - sum(large)] if any(small) else []
    total = shown_riders(plan.after).within[-1] - shown_riders(plan.before).within[-1]
    if plan.siting is not None and plan.siting.closed:  # gains are counted against those that stay
        total = int(np.floor(sum(exact) + 0.5))
    whole = numbers.apportioned([*large, *rest], total)
    return exact, small, whole[: len(large)], whole[-1] if rest else 0


# --------------------------------------------------------------------------------------------- parameters
def _metres(profile: params.TravelProfile, minutes: float) -> float:
    """Return how far one gets in `minutes`, to 10 m; nan where the speed is that of the road."""
    if profile.speed_kph is None:
        return float("nan")
    metres = profile.cutoff_s(minutes) / SECONDS_PER_HOUR * profile.speed_kph * METRES_PER_KM
    return float(10 * round(metres / 10))


def parameters(plan: Plan, words: Words, riders: int) -> list[list[str]]:
    """Return the parameters as rows of a term and its text; a text without a term stands for itself."""
    study, profile = plan.study, plan.study.profile
    travel = words(f"travel.{profile.roads}")
    if profile.speed_kph is None:
        travel = words("p.speed_by_road", way=travel)
    else:
        travel = words("p.speed", way=travel, speed=f"{profile.speed_kph:g}")
    if "shop" in what_serves(plan):
        travel += words("p.shop", m=f"{study.shop_minutes:g}")
    what = words(f"what.{what_serves(plan)}")
    return [
        *asked_rows(plan, words),
        [words("p.travel"), travel],
        [words("p.minutes"), _limits(plan, words)],
        [words("p.direction"), words(f"p.{study.direction}", what=what)],
        *short_tiers(plan, words),
        [words("p.riders"), _told_riders(plan, riders, words)],
        ["", words("p.counts")],
        *siting_rows(plan, words.lang),
    ]


def _told_riders(plan: Plan, riders: int, words: Words) -> str:
    told = numbers.riders(riders, words.lang)
    if plan.study.demand_source == "uniform":
        told += words("p.riders_even")
    elif count_mark(plan):
        told += words("p.riders_about")
    return told + words("p.riders_at", **_cell_words(plan, words))


def count_mark(plan: Plan) -> str:
    """
    Return what the ledger of riders says of its counts.

    Returns
    -------
    mark
        "" where all are exact; `at_least` ("170余") or `under` ("近百") where all that are not are of that kind;
        else `about`.
    """
    study = plan.study
    ledger = {"depots": study.depots, "population": study.population}.get(study.demand_source)
    if ledger is None or "riders_mark" not in ledger:
        return ""
    marks = set(ledger["riders_mark"].dropna()) - {""}
    return "" if not marks else str(marks.pop()) if len(marks) == 1 else "about"


def tier_rows(plan: Plan, words: Words) -> list[list[str]]:
    """Return core and belt at each break; nothing where there is no partner."""
    lines = [_tier_line(plan, k, words) for k in range(len(plan.study.minutes))]
    return [
        [words("p.tiers", m=f"{minutes:g}"), line]
        for minutes, line in zip(plan.study.minutes, lines, strict=True)
        if line
    ]


def short_tiers(plan: Plan, words: Words) -> list[list[str]]:
    """Return core and belt at the largest break in one line of the panel; nothing where there is no partner."""
    if what_serves(plan) != "station_or_shop":
        return []
    coverages = [plan.before, *([plan.after] if len(plan.sites) else [])]
    tiers = zip(*(shown_tiers(coverage, len(plan.study.minutes) - 1) for coverage in coverages), strict=True)
    core, belt = (" → ".join(map(numbers.whole, tier)) for tier in tiers)
    return [[words("p.tiers", m=f"{plan.study.minutes[-1]:g}"), words("tiers_short", core=core, belt=belt)]]


def asked(plan: Plan, words: Words) -> list[str]:
    """Return the moment and the services that are asked for, in as few words as can be."""
    study = plan.study
    moment = [] if study.when is None else [study.when.told(words.lang)]
    return [*moment, *([told_services(study.service, words.lang)] if study.service else [])]


def asked_rows(plan: Plan, words: Words) -> list[list[str]]:
    """Return the moment and the services that a place must have to count, and what is not known of it."""
    study = plan.study
    rows = [] if study.when is None else [[words("p.when"), study.when.told(words.lang) + _unknown(plan, words)]]
    return [*rows, *([[words("p.service"), told_services(study.service, words.lang)]] if study.service else [])]


def _unknown(plan: Plan, words: Words) -> str:
    """Return how many places count although it is not known whether they are open then, and what hangs on them."""
    if plan.serving is None or not plan.serving.unknown:
        return ""
    key = f"{plan.study.minutes[-1]:g}"
    least = numbers.told_riders(plan.serving.at_least[key], words.lang)
    return words("when_unknown", n=len(plan.serving.unknown), riders=least, m=key)


def _limits(plan: Plan, words: Words) -> str:
    """Return the breaks, how far they lead, and the distances of the standard where it defines them."""
    study, profile = plan.study, plan.study.profile
    minutes = "/".join(f"{m:g}" for m in study.minutes)
    own = "/".join(f"{_metres(profile, m):g}" for m in study.minutes if profile.speed_kph is not None)
    known = [m for m in study.minutes if m in STANDARD.cutoffs_s]
    told = words("p.minutes_m", m=minutes, d=own) if own else words("minutes", m=minutes)
    if profile.cutoffs_s:
        return told + words("p.standard_used")
    if not known:
        return told
    of = "" if len(known) == len(study.minutes) else words("p.standard_of", m="/".join(f"{m:g}" for m in known))
    return told + words("p.standard", of=of, d="/".join(f"{STANDARD.cutoffs_s[m]:g}" for m in known))


def _cell_words(plan: Plan, words: Words) -> dict[str, str]:
    cells = (
        words("p.square", n=f"{plan.grid.cell_m:g}")
        if plan.grid.cell_m is not None
        else words("cells.h3", n=plan.grid.h3)
    )
    return {"cells": cells, "d": numbers.distance(plan.study.max_snap_m, words.lang)}


# ------------------------------------------------------------------------------------------------ sources
def sources(plan: Plan, words: Words) -> tuple[str, str]:
    """Return where streets come from, as the foot of the panel and the attribution on the map say it."""
    study = plan.study
    is_osm = study.network_place is not None or bool((plan.network.way_id >= OSM_WAY_ID).any())
    foot, short = "", []
    if is_osm:
        foot += words("source_osm", osm=words("osm"))
        short.append(words("osm_short"))
    elif study.network_file is not None and not study.is_invented:
        foot += words("source_file", file=study.network_file.name)
    if study.is_invented:
        foot += words("source_invented" if is_osm else "source_all_invented")
        short.append(words("attribution_invented" if is_osm else "attribution_all_invented"))
    stated = _stated_of_map(plan, words)
    foot += "".join(f"{told}。" if words.lang == "zh" else f"{told}. " for told in stated)
    between = "｜" if words.lang == "zh" else " | "
    return foot.strip(), between.join([*short, *stated])


def _stated_of_map(plan: Plan, words: Words) -> list[str]:
    """Return what the study states of its map: the source of the base, and the number of its approval."""
    rules = plan.study.map_rules
    told = [words("base_source", source=rules.base_source)] if rules.base_source else []
    return [*told, *([words("approval", n=rules.approval)] if rules.approval else [])]
