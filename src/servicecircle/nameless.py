"""Ledgers of places without a column of names: told, with the column that may be it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import Fault
from .headers import field_of, fold, is_personal, stated_datum
from .tables import Table

#: what the header of a column of names may hold, folded; the surer first
_LIKELY = (re.compile("名称|名字|title|name"), re.compile("驿站|站|店|商家|商户|餐|阵地|中心|网点|网格|社区|街|门"))
#: headers about something else of a place
_OTHER = re.compile("所属|上级|类|级|数|量|时|期|况|状态|址|位置|企业|品牌|公司|平台|备注|说明|id$")
#: longest name
_N_LONGEST = 40


def told_nameless(table: Table, positions: Mapping[str, int]) -> list[Fault]:
    """
    Return one warning where no column is known as names, and another may be it; nothing else can be advised.

    Parameters
    ----------
    table
        As read.
    positions
        Field -> column, as `match_headers` gives it.
    """
    header = None if "name" in positions else _likely_name(table, positions)
    if header is None:
        return []
    en = (
        f"has no column of names that is known: maps and tables show ids instead. If it is {header!r}, write "
        f'columns = {{ name = "{header}" }} under its table in study.toml.'
    )
    zh = (
        f"没有可识别的名称列，地图和表中只能显示编号。如果“{header}”就是名称，请在 study.toml 的该文件下写 "
        f'columns = {{ name = "{header}" }}。'
    )
    return [table.warning(en, zh, column=header)]


def _likely_name(table: Table, positions: Mapping[str, int]) -> str | None:
    """Return the header of an unknown column that may hold names: short texts that mostly differ."""
    known = set(positions.values())
    others = [at for at, header in enumerate(table.header) if at not in known and not _is_of_another(header)]
    for likely in _LIKELY:
        for at in others:
            if likely.search(fold(table.header[at])) and _may_be_names(table.header[at], table.columns[at]):
                return table.header[at]
    return None


def _is_of_another(header: str) -> bool:
    return bool(field_of(header) or stated_datum(header) or _OTHER.search(fold(header)))


def _may_be_names(header: str, cells: tuple[str, ...]) -> bool:
    filled = [text for cell in cells if (text := cell.strip())]
    if not filled or is_personal(header, cells):
        return False
    are_words = all(len(text) <= _N_LONGEST and re.search("[^\\W\\d_]", text) for text in filled)
    return are_words and 2 * len(set(filled)) > len(filled) and 2 * len(filled) > len(cells)
