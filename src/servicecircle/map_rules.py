"""Rules for maps that leave the office: approval number, source, watermark, boundaries, online base map."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .errors import InputError

#: an online base map that the page may offer, off until its reader switches it on
BaseMap = Literal["osm", "tianditu", "gaode"]
BASE_MAPS: tuple[BaseMap, ...] = ("osm", "tianditu", "gaode")
#: the longest approval number or source
MAX_TEXT = 80
#: boundaries that a warning names
MOST_NAMED = 3
#: how names of administrative divisions, and of the communities below them, end
_ADMINISTRATIVE = re.compile("(?:省|市|区|县|旗|州|盟|镇|乡|街道|街道办事处|社区|村|居委会|村委会)$")


@dataclass(frozen=True)
class MapRules:
    """What a study's map and figures say of their base map, and what they show."""

    approval: str = ""  # 审图号, the number under which a map was approved
    base_source: str = ""  # where the base map comes from
    watermark: bool = False  # 内部使用 across the map and the figures
    boundaries: bool = True  # the map has the zones' boundaries as a layer, off at first
    base: BaseMap | None = None  # online base map that the page offers; None: it asks no host for anything

    def __post_init__(self) -> None:
        if self.base is not None and self.base not in BASE_MAPS:
            msg = f"`base` must be one of {', '.join(BASE_MAPS)}, got {self.base!r}."
            raise InputError(msg, zh=f"base 应为 {'、'.join(BASE_MAPS)} 之一，现为 {self.base!r}。")
        for name in ("approval", "base_source"):
            if len(getattr(self, name)) > MAX_TEXT:
                msg = f"`{name}` must be a text of at most {MAX_TEXT} characters."
                raise InputError(msg, zh=f"{name} 应为至多 {MAX_TEXT} 个字的文字。")


def boundary_warning(rules: MapRules, names: Sequence[str], *, is_published: bool) -> tuple[str, str] | None:
    """
    Return what to tell a study that is to be published with boundaries on its map, in English and Chinese.

    Parameters
    ----------
    rules
        Of the study's map.
    names
        Of its zones.
    is_published
        Whether the study asks for publication.

    Returns
    -------
    told
        None where the map is not for the public, has no boundaries, or states its approval number. Zones whose
        names end like those of administrative divisions (街道, 社区, 区 ...) are named.
    """
    if not is_published or not rules.boundaries or rules.approval or not names:
        return None
    divisions = [name for name in names if _ADMINISTRATIVE.search(name.strip())]
    en = f"is true, and the map holds the boundaries of {len(names)} zone(s)"
    zh = f"为 true，而地图含 {len(names)} 个网格的边界"
    if divisions:
        shown = divisions[:MOST_NAMED]
        en += f", {len(divisions)} of them with names of administrative divisions ({', '.join(shown)})"
        zh += f"，其中 {len(divisions)} 个是行政区划或社区的名称（{'、'.join(shown)}）"
    en += ". A public map with administrative boundaries needs review first: state its number as `approval` in "
    en += "[map], or leave them out with `boundaries = false`. This is no legal advice."
    zh += "。对外公开的地图画有行政区域界线的，须先送审：审核后在 [map] 写明审图号 approval，"
    zh += "或写 boundaries = false 不画边界。本提醒不是法律意见。"
    return en, zh
