"""How kernels are compiled, and how they run where a compiler is not worth waiting for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
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


# ------------------------------------------------------------------------------------------- without a compiler
def in_python(name: str) -> Any:  # noqa: ANN401
    """
    Return a module of kernels whose functions are plain Python: the same numbers, slowly, and at once.

    The module's file is run a second time in a package of its own, in which nothing is compiled.
    """
    package = f"{__package__}._in_python"
    if package not in sys.modules:
        whole, own = ModuleType(package), ModuleType(f"{package}._compiled")
        whole.__path__ = [str(Path(__file__).parent)]
        for decorator in ("compiled", "compiled_unguarded", "inlined"):
            setattr(own, decorator, _as_it_is)
        sys.modules[own.__name__] = own
        sys.modules[package] = whole
    return importlib.import_module(f"{package}.{name}")


def _as_it_is(function: Kernel) -> Kernel:
    return function


def is_compiled(kernel: Any) -> bool:  # noqa: ANN401
    """Whether a kernel can be called without waiting for the compiler: compiled by this process or one before."""
    if not hasattr(kernel, "signatures") or kernel.signatures:
        return True  # where compiling is switched off there is nothing to wait for
    folder, function = kernel.stats.cache_path, kernel.py_func
    if folder is None:
        return False
    source = Path(function.__code__.co_filename)
    name = f"{source.stem}.{function.__qualname__}-{function.__code__.co_firstlineno}.*.nbi"
    made = [index.stat().st_mtime for index in Path(folder).glob(name)]
    return bool(made) and max(made) >= source.stat().st_mtime
