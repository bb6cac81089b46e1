"""What one of OGC's standards adds to the landing page."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from servicecircle.errors import Lang

from .links import Link


class Part(NamedTuple):
    """The conformance classes of a standard, and its links."""

    conforms_to: tuple[str, ...]
    #: from the address of the landing page, and the language of titles
    links: Callable[[str, Lang], list[Link]]
