"""Location problems on plain arrays, one file a problem; `_form.py` is the form that they share."""

from __future__ import annotations

from .lscp import lscp as lscp
from .lscp import uncoverable as uncoverable
from .mclp import mclp as mclp
from .p_center import p_center as p_center
from .p_median import p_median as p_median
