"""Teams of zones as ledgers name them: organisations, told apart from persons."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from .errors import Fault
from .headers import SURNAMES, without_numbers
from .readers import Table

#: what parts the teams in one cell
_BETWEEN = re.compile(r"[、，,;；/\n]+")
#: a word that an organisation is called by
_ORGANISATION = re.compile(
    "[队组所会社站局办院部团处科室](?![长员计工])|中心|公司|联盟|专班|支部|党委|单位|物业|学校|企业|银行|商会|[0-9A-Za-z一-鿿]号$"
    r"|(?i:\b(?:teams?|groups?|offices?|cent(?:er|re)|units?|squads?|crews?|stations?|brigades?|committees?"
    r"|associations?|volunteers|services?|police|clinics?|company)\b)"
)
#: a text as short as a person's name that begins with a surname
_SHORT = re.compile(rf"[{SURNAMES}][\u4e00-\u9fff]{{1,2}}")
_SHORT_TEAM = re.compile(r"[\u4e00-\u9fff]{2}[队组所站社]")
#: what a person is called by who works for an organisation, and a person's name behind it
_TITLE = "(?:[队组所会社站局院部团处科室][长员]|主任|书记|负责人|联系人|社工|会计|民警|网格员|经理|专员)"
_TITLED = re.compile(rf"{_TITLE}\s*[{SURNAMES}][\u4e00-\u9fff]{{1,2}}(?<![队组所站社])$")
#: a name behind a team's, in brackets or after a blank
_BRACKETS = re.compile(r"\s*[（(]([^（()）]*)[)）]")
_BEHIND = re.compile(rf"\s+[{SURNAMES}][\u4e00-\u9fff]{{1,2}}{_TITLE}?$")


def teams_in(text: str) -> tuple[str, ...]:
    """
    Return the teams that a cell names, each once.

    Examples
    --------
    >>> teams_in("东网格服务队、平安巡查队,东网格服务队")
    ('东网格服务队', '平安巡查队')
    """
    return tuple(dict.fromkeys(part for part in (one.strip() for one in _BETWEEN.split(text)) if part))


def is_organisation(name: str) -> bool:
    """
    Tell whether a name is that of an organisation: it has a word of one, and does not read as a person's name.

    Examples
    --------
    >>> [is_organisation(name) for name in ("东网格服务队", "张三", "李会", "金宇队", "Zhang San", "Team 2")]
    [True, False, False, True, False, True]
    """
    if _TITLED.search(name) or (_SHORT.fullmatch(name) and not _SHORT_TEAM.fullmatch(name)):
        return False
    return _ORGANISATION.search(name) is not None


def organisations(table: Table, position: int, rows: Sequence[str]) -> tuple[list[str], list[Fault]]:
    """Return the cells of a column of teams without persons, and a warning that counts what was left out."""
    told, out = [], []
    for row, cell in zip(table.rows.tolist(), rows, strict=True):
        every = [_alone(name) for name in teams_in(without_numbers(cell))]
        kept = [name for name in every if is_organisation(name)]
        told.append("、".join(kept))
        if len(kept) < len(every):
            out.append(int(row))
    if not out:
        return told, []
    en = (
        f"{len(out)} cell(s) name no organisation and were not read there, as they may hold a person's name: write "
    )
    en += f'what the team is called, e.g. "东网格服务队"; or `keep = ["{table.header[position]}"]`.'
    zh = f"{len(out)} 处不是单位或队伍的名称（可能是人名），未读入：请写队伍名称，如“东网格服务队”；"
    zh += f'确需保留请写 keep = ["{table.header[position]}"]。'
    return told, [dataclasses.replace(table.warning(en, zh, column=table.header[position]), rows=tuple(out))]


def _alone(name: str) -> str:
    """Return a team's name without the person that stands behind it."""
    plain = _BRACKETS.sub(lambda found: found[0] if is_organisation(found[1].strip()) else "", name)
    return _BEHIND.sub("", plain.strip())
