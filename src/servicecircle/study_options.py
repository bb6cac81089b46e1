"""A study with some parameters changed, checked as those of study.toml are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InputError
from .model import Study
from .moments import Moment, of_calendar
from .params import TravelProfile, travel_profile
from .services import fold_services
from .siting_rules import SitingRules, check_with_study
from .study_keys import check_value


def with_options(
    study: Study,
    *,
    minutes: Sequence[float] | None = None,
    profile: str | TravelProfile | None = None,
    direction: str | None = None,
    stations: int | None = None,
    shops: int | None = None,
    spacing_m: float | None = None,
    max_snap_m: float | None = None,
    time_limit_s: float | None = None,
    rules: SitingRules | None = None,
    lang: str | None = None,
    date: str | None = None,
    when: str | Moment | None = None,
    service: Sequence[str] | None = None,
) -> Study:
    """
    Return the study with some parameters changed, checked as those of study.toml are.

    Parameters
    ----------
    study
        As `load_study` gives it; it is not changed.
    minutes, profile, direction, spacing_m, max_snap_m, time_limit_s, lang, date
        As the keys of study.toml; None leaves what the study says.
    rules
        All the rules of the plan beside the counts, in place of the study's; `dataclasses.replace(study.siting,
        ...)` changes some.
    when, service
        As the keys of study.toml; `"any"` and an empty list ask for nothing.
    stations, shops
        How many to suggest; 0 is allowed, and 0 of both gives the coverage only.

    Returns
    -------
    study
        A new study.

    Raises
    ------
    InputError
        If a value is not allowed: a negative count, breaks that do not ascend, an unknown profile, or minutes
        that the profile does not define.
    """
    given = {
        "minutes": minutes,
        "direction": direction,
        "max_snap_m": max_snap_m,
        "lang": lang,
        "date": date,
    }
    changes: dict[str, Any] = {
        key: check_value("", key, value) for key, value in given.items() if value is not None
    }
    if profile is not None:
        changes["profile"] = travel_profile(profile)
    if when is not None:
        changes["when"] = of_calendar(check_value("", "when", when), study.holidays, study.workdays)
    if service is not None:
        changes["service"] = _folded(check_value("", "service", service), study.amenity_words)
    rule = {"stations": stations, "shops": shops, "spacing_m": spacing_m, "time_limit_s": time_limit_s}
    changed = {key: check_value("suggest", key, value) for key, value in rule.items() if value is not None}
    changes["suggest"] = dataclasses.replace(study.suggest, **changed)
    if rules is not None:
        changes["siting"] = rules
    new = dataclasses.replace(study, **changes)
    check_with_study(
        new.siting,
        minutes=new.minutes,
        stations=new.suggest.stations,
        shops=new.suggest.shops,
        has_zones=new.zones is not None,
        has_closures=new.closures is not None,
    )
    for m in new.minutes:
        new.profile.cutoff_s(m)
    return new


def _folded(service: Sequence[str], words: Mapping[str, str]) -> tuple[str, ...]:
    """Return services as codes; what is wrong names the key."""
    try:
        return fold_services(service, words=words)
    except InputError as error:
        msg = f"`service` {error.en}"
        raise InputError(msg, zh=f"service {error.zh}") from error
