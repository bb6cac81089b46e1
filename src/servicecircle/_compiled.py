"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as nb

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile a kernel when it is first called; what is compiled is kept where there is a folder to keep it in."""
    return _compiled(function)


def compiled_unguarded(function: Kernel) -> Kernel:
    """Compile as `compiled` does, without a check of every division: one by 0 gives `inf` or `nan`."""
    return _compiled(function, error_model="numpy")


def inlined(function: Kernel) -> Kernel:
    """Compile as `compiled_unguarded` does, into its callers: for a short function with many arguments."""
    return _compiled(function, error_model="numpy", forceinline=True)


def _compiled(function: Kernel, **options: Any) -> Kernel:  # noqa: ANN401
    try:
        return cast("Kernel", nb.njit(nogil=True, cache=True, **options)(function))
    except RuntimeError:  # no folder that can be written
        return cast("Kernel", nb.njit(nogil=True, **options)(function))
