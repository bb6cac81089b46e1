"""What the files of a study are called, by their role: in a workbook, a notebook, the proposal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .errors import Lang

#: role of a file -> what it is called
ROLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "network": ("路网", "Roads"),
        "stations": ("驿站", "Stations"),
        "shops": ("商铺", "Shops"),
        "streets": ("服务街", "Shop streets"),
        "districts": ("商圈小区", "Districts"),
        "gates": ("出入口", "Gates"),
        "depots": ("骑手站点", "Depots"),
        "posts": ("网格阵地", "Posts"),
        "candidates": ("候选点", "Candidates"),
        "zones": ("网格", "Zones"),
        "area": ("范围", "Area"),
        "population": ("人口", "Population"),
        "compounds": ("小区", "Compounds"),
        "closures": ("路况", "Closures"),
        "checkins": ("打卡", "Check-ins"),
        "wishes": ("心愿", "Wishes"),
        "pickups": ("取餐点", "Pick-up points"),
        "geocoded": ("地址查询结果", "Addresses looked up"),
    }
)


def role_word(role: str, lang: Lang) -> str:
    """Return what a file of a study is called; a role without a word is its own."""
    return ROLES.get(role, (role, role))[lang == "en"]
