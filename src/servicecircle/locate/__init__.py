"""Location problems on plain arrays, one file a problem; `_form.py` is the form that they share."""

from __future__ import annotations

from .mclp import mclp as mclp
