"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as nb

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile a kernel when it is first called; what is compiled is kept where there is a folder to keep it in."""
    try:
        return cast("Kernel", nb.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder that can be written
        return cast("Kernel", nb.njit(nogil=True)(function))
