"""Typed cells as text: numbers as they are shown, leading zeros among them, dates in ISO order."""

from __future__ import annotations

import datetime as dt
import json
import math
import re

import numpy as np
import pandas as pd

#: zeros that a number is filled up to, with fixed text around them: `0000`, `"S"000`
_ZEROS = re.compile(r'((?:"[^"]*"|\\.|[-/ ])*)(0+)((?:"[^"]*"|\\.)*)(?:_.)?(?:;.*)?')
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
#: what a spreadsheet takes for the start of a formula, full-width forms too
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
#: whole numbers above this are shown with an exponent
_MAX_WHOLE = 1e17


def cell_text(value: object, number_format: str = "") -> str:
    """
    Return the text of a typed cell: no trailing `.0`, ISO dates, "" for nothing.

    Examples
    --------
    >>> cell_text(7, "000"), cell_text(7.0, '"S"000'), cell_text(3.0), cell_text(113.5), cell_text(None)
    ('007', 'S007', '3', '113.5', '')
    """
    if isinstance(value, str):
        return value
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float, np.integer, np.floating)):
        return _number_text(value.item() if isinstance(value, np.generic) else value, number_format)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else str(value)


def _number_text(value: float, number_format: str) -> str:
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if not value.is_integer() or abs(value) > _MAX_WHOLE:
            return repr(value)
        value = int(value)
    if value < 0 or number_format in {"", "0"} or (shown := _ZEROS.fullmatch(number_format)) is None:
        return str(value)
    before, after = (_LITERAL.sub(lambda found: found[1] or found[2] or "", shown[part]) for part in (1, 3))
    return f"{before}{str(value).zfill(len(shown[2]))}{after}"


def starts_formula(text: str) -> bool:
    """
    Tell whether a spreadsheet may take a text for a formula.

    Examples
    --------
    >>> starts_formula("=1+1"), starts_formula(" ＠x"), starts_formula("门 =1")
    (True, True, False)
    """
    return text.lstrip(" \u3000").startswith(FORMULA_SIGNS)
