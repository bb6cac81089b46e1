"""Packages that load only when they are used, or that few installations have."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .errors import MissingPackageError


def import_optional(name: str, *, extra: str) -> ModuleType:
    """
    Import a package that only the extra `extra` installs.

    Raises
    ------
    MissingPackageError
        If it is not installed; the message says what to install.
    """
    try:
        return import_module(name)
    except ImportError as error:
        msg = f"`{name}` is needed for this. Install it with: pip install 'servicecircle[{extra}]'"
        zh = f"此功能需要 `{name}`。请安装：pip install 'servicecircle[{extra}]'"
        raise MissingPackageError(msg, zh=zh) from error
