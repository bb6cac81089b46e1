"""Many studies in one run: a folder of them, or one city cut into its zones."""

from __future__ import annotations

from .many import Batch as Batch
from .many import plan_many as plan_many
