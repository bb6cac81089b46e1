"""Forms of a name: how else one place is called in Chinese ledgers, so that its names can be compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from .chinese import simplified

_SEPARATORS = re.compile(r"[\s·・•‧\-‐-―_、,.。:;'\"“”‘’/\\|~+&#*!?]+")
_BRACKET = re.compile(r"[(\[{【〔「『《〈<]([^()\[\]{}【】〔〕「」『』《》〈〉<>]*)[)\]}】〕」』》〉>]")
#: what a bracket says that tells no place apart
_MAIN = re.compile(r"(?:总站|总店|主站|主店|本站|本店|总部|本部)$")
#: a bracket that names one of several: a number, a letter, a direction
_ONE_OF_SEVERAL = re.compile(
    r"\d+(?:店|站|点|柜|仓|室|区|期|库)?|[a-z]|[甲乙丙丁戊己庚辛]|.?[东南西北前后左右](?:门|区|侧|店|站|院|厅)?"
)
_NUMERALS = "〇零一二三四五六七八九十百两"
_NUMBERED = re.compile(rf"第?([0-9{_NUMERALS}]+)号?(分?店|分?站|驿站|网?点|柜|仓)")
#: province, city, district or county at the beginning; words that only look like one stay
_REGION = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,6}?(?:省|自治区))?"
    r"(?:[\u4e00-\u9fff]{2,6}?(?<![超城夜早晚菜集门都股花闹上书楼])(?:市|地区|自治州|盟)(?![场民政区中直集立属口郊里心]))?"
    r"(?:[\u4e00-\u9fff]{2,6}?(?<![小社园校景厂片湖库林矿山住宅街社新开发])(?:区|县|旗)(?![委政域间长民]))?"
)
#: subdistrict, town, community or village at the beginning
_LOCALITY = re.compile(
    r"^\w{2,8}?(?:街道办事处|街道办|街道|办事处|镇政府|镇|乡|社区居委会|社区|村委会|村)(?!街道|办事处|社区|居委会|委会)(?=\w.)"
)
_KIND = r"(?:驿站|服务站|休息站|休憩站|补给站|加油站|爱心站|之家|爱心角|服务点)"
#: who a station is for, or who runs it
_FOR_WHOM = (
    r"(?:户外劳动者|新就业形态劳动者|新就业群体|外卖骑手|快递小哥|外卖小哥|环卫工人|环卫工|劳动者|司机|骑手|小哥|职工|"
    r"工会|爱心|暖心|暖蜂|红色|便民|公益)"
)
_ADJECTIVES = re.compile(rf"{_FOR_WHOM}+(?={_KIND}$)")
_GENERIC = re.compile(rf"{_FOR_WHOM}*{_KIND}")
#: forms of one name at most
_MAX_FORMS = 16
#: of a name that is compared
_MAX_LENGTH = 80


class NameForms(NamedTuple):
    """A name as it is compared, and shorter forms that another row may have as its own."""

    own: str  # "" where nothing is left of the name
    others: frozenset[str]


@lru_cache(maxsize=20_000)
def forms_of(name: str) -> NameForms:
    """
    Return the forms of a name.

    Two rows are perhaps one place if the own form of one is any form of the other, so that two branches, which each
    shorten to the name of the chain, are not taken for one. Width, case, Traditional characters, blanks,
    punctuation, province, city and district, and a bracket such as `总站` do not matter; numbers in branches are
    compared as numbers. Shorter forms leave out a bracket (but one that names one of several), the subdistrict or
    community in front, and for whom a station is.

    Examples
    --------
    >>> forms_of("翠花驿站（总站）").own == forms_of("翠花驿站").own
    True
    >>> forms_of("翠花驿站").own in forms_of("南阳街道翠花爱心驿站").others
    True
    >>> forms_of("粥铺(一号店)").own == forms_of("粥铺（1号店）").own, forms_of("粥铺二号店").others
    (True, frozenset())
    """
    text = simplified(unicodedata.normalize("NFKC", name[:_MAX_LENGTH]).casefold())
    inner = [_plain(found) for found in _BRACKET.findall(text)] if _BRACKET.search(text) else []
    outside = _without_region(_plain(_BRACKET.sub("", text)))
    told = tuple(part for part in inner if part and not _MAIN.match(part))
    if not outside and told:
        outside, told = _without_region(told[0]), told[1:]
    own = _joined(outside, told) or _plain(text)
    return NameForms(own, frozenset(_shorter(outside, told) - {own, ""}))


def _plain(text: str) -> str:
    plain = _SEPARATORS.sub("", text)
    return _NUMBERED.sub(lambda found: f"{_number(found[1])}{found[2]}", plain)


def _number(text: str) -> str:
    """Return a number in digits; of what is no number in words, digit by digit."""
    if text.isdigit() and text.isascii():
        return text.lstrip("0") or "0"
    digits = {word: value for value, word in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
    if not set(text) <= {*digits, "十"} or text.count("十") > 1:
        return text
    if "十" not in text:
        return "".join(str(digits[char]) for char in text)
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        return text
    return str(10 * digits.get(tens, 1) + digits.get(ones, 0))


def _without_region(text: str) -> str:
    """Return a name without province, city and district, unless little is left."""
    rest = text[_REGION.match(text).end() :]  # type: ignore[union-attr]  # it matches the empty text too
    return rest if len(rest) >= 2 else text  # noqa: PLR2004


def _joined(outside: str, told: tuple[str, ...]) -> str:
    return outside + "".join(f"({part})" for part in told)


def _shorter(outside: str, told: tuple[str, ...]) -> set[str]:
    """Return every form that leaves something out, step by step."""
    seen = {(outside, told)}
    ahead = [(outside, told)]
    while ahead and len(seen) < _MAX_FORMS:
        name, inner = ahead.pop()
        for step in _steps(name, inner):
            if step not in seen:
                seen.add(step)
                ahead.append(step)
    return {_joined(name, inner) for name, inner in seen}


def _steps(name: str, inner: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    steps: list[tuple[str, tuple[str, ...]]] = []
    if inner and not any(_ONE_OF_SEVERAL.fullmatch(part) for part in inner):
        steps.append((name, ()))
        if len(inner) == 1 and _GENERIC.fullmatch(name):  # 工会驿站(某银行) is 某银行工会驿站
            place = _without_region(inner[0])
            steps += [(place if place.endswith(name) else place + name, ())]
    if found := _LOCALITY.match(name):
        steps.append((name[found.end() :], inner))
    if found := _ADJECTIVES.search(name):
        steps.append((name[: found.start()] + name[found.end() :], inner))
    if (main := _MAIN.search(name)) and re.search("[站店]$", name[: main.start()]):
        steps.append((name[: main.start()], inner))
    return steps
