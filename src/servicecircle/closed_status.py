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
_CLOSED = re.compile(rf"(?:已经?|现|目前|正在?|临时)?(?:{'|'.join(CLOSED)})")


def is_closed(frame: pd.DataFrame) -> BoolArray:
    """Whether a facility's status says that it serves nobody."""
    if "status" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    status = frame["status"].fillna("").astype(str).map(simplified).str.strip().str.casefold()
    return np.array([_CLOSED.match(one) is not None for one in status], dtype=bool)
