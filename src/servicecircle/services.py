"""Services: what a planner asks a place to offer, in her words, as codes of amenities."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from .amenities import AMENITIES, fold_amenities
from .errors import InputError, Lang

#: words for "whatever it offers": no service is asked for
ANY = frozenset({"any", "不限"})
#: at most so many services in one question
MOST = 20
_OR = re.compile(r"\s*[|｜]\s*|\s*或(?:者)?\s*|\s+or\s+", re.IGNORECASE)


def fold_services(texts: Sequence[str], *, words: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """
    Return services as codes of amenities.

    A place offers them if it has **each** of the list, working. A member of the list may name several with `|` or
    或 between them, of which one is enough.

    Parameters
    ----------
    texts
        `热水`, `hot water`, `hot_water`, `充电|换电`. The word `any` (不限) alone asks for nothing.
    words
        The study's own words and their codes, as for `fold_amenities`.

    Returns
    -------
    services
        One text a member, codes with `|` between them, none twice: `("hot_water", "battery_swap|charging")`.

    Raises
    ------
    InputError
        If a member names no amenity that is known, or several without `|`.

    Examples
    --------
    >>> fold_services(["热水", "phone charging 或 换电"]), fold_services(["不限"])
    (('hot_water', 'battery_swap|charging'), ())
    """
    members = [text.strip() for text in texts]
    if len(members) == 1 and members[0].casefold() in ANY:
        return ()
    if len(members) > MOST:
        msg = f"must name at most {MOST} services, got {len(members)}."
        raise InputError(msg, zh=f"至多写 {MOST} 项服务，现有 {len(members)} 项。")
    folded = (sorted({_code(part, member, words or {}) for part in _OR.split(member)}) for member in members)
    return tuple(dict.fromkeys("|".join(codes) for codes in folded))


def _code(part: str, member: str, words: Mapping[str, str]) -> str:
    """Return the code of one word."""
    own = set(words.values())
    if part in own:
        return part
    found = fold_amenities(part, words=words)
    codes = found.working
    if len(codes) == 1 and not (found.broken or found.absent or found.not_understood):
        return codes[0]
    if len(codes) > 1:
        msg = f"names several services in {member!r}: list each, or put `|` between those of which one is enough."
        zh = f"的“{member}”含有多项服务：请分开列出，或在任选其一的之间写“|”。"
        raise InputError(msg, zh=zh)
    near = difflib.get_close_matches(part.casefold(), _known(words), n=1)
    hint = (f"; did you mean {near[0]!r}?", f"，是否为“{near[0]}”？") if near else (".", "。")
    en = f"knows no service {member!r}{hint[0]}"
    if not near:
        en += " Write e.g. 热水, hot water or hot_water; the page 'Hours and amenities' lists them."
    raise InputError(en, zh=f"没有服务“{member}”{hint[1]}{'' if near else '可写如“热水”“充电”“换电”。'}")


def _known(words: Mapping[str, str]) -> list[str]:
    return [*words, *words.values(), *(word for a in AMENITIES.values() for word in (a.code, a.en, a.zh))]


def service_name(code: str, lang: Lang) -> str:
    """Return the name of an amenity by its code; the code itself, where it is a study's own."""
    amenity = AMENITIES.get(code)
    return code if amenity is None else amenity.zh if lang == "zh" else amenity.en


def told_services(services: Sequence[str], lang: Lang) -> str:
    """
    Return services in words.

    Examples
    --------
    >>> told_services(["hot_water", "battery_swap|charging"], "en")
    'hot water and (battery swap or phone charging)'
    >>> told_services(["hot_water", "battery_swap|charging"], "zh")
    '热水＋换电或充电'
    """
    between, either = ("＋", "或") if lang == "zh" else (" and ", " or ")
    members = [either.join(service_name(code, lang) for code in one.split("|")) for one in services]
    if lang == "en" and len(members) > 1:
        members = [f"({told})" if either in told else told for told in members]
    return between.join(members)
