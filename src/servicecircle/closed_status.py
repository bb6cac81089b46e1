"""Status: which words of a ledger say that a place is closed for good."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ._validate import BoolArray
from .chinese import simplified

#: how the `status` of a facility begins that serves nobody; nor does what is only planned or being built
CLOSED = (
    *(
        "停用",
        "停业",
        "停止",
        "关闭",
        "关停",
        "关门",
        "歇业",
        "倒闭",
        "暂停",
        "暂不开放",
        "撤销",
        "撤并",
        "拆除",
        "注销",
        "装修",
    ),
    *(
        "整修",
        "改造",
        "在建",
        "拟建",
        "待建",
        "筹建",
        "规划",
        "建设中",
        "未开放",
        "未启用",
        "未投用",
        "closed",
        "inactive",
        "planned",
    ),
)
_WORDS = "|".join(rf"{word}\b" if word.isascii() else word for word in CLOSED)
_CLOSED = re.compile(rf"(?:已经?|现|目前|正在?|临时)?(?:{_WORDS})")
#: what says that the trouble is over: the place is open again
_OVER = re.compile("完成|完毕|结束|完工|竣工|恢复|重新开|已开放|reopened|open again|finished")
#: what takes that back: it is not over yet
_NOT_YET = re.compile("未|尚|待|预计|计划|将|前|后|until|not ")


def is_closed(frame: pd.DataFrame) -> BoolArray:
    """Whether a facility's status says that it serves nobody."""
    if "status" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    status = frame["status"].fillna("").astype(str).map(simplified).str.strip().str.casefold()
    return np.array([_says_closed(one) for one in status], dtype=bool)


def _says_closed(status: str) -> bool:
    """Whether a text begins with a word that closes, and does not say that this is over."""
    found = _CLOSED.match(status)
    if found is None:
        return False
    rest = status[found.end() :]
    return not (_OVER.search(rest) and not _NOT_YET.search(rest))
