"""What travels with the package: the example studies, and the HTTP application."""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module, metadata
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import InputError

_PACKAGE = Path(__file__).resolve().parent
#: a checkout, where the package stands in `src/`
_CHECKOUT = _PACKAGE.parents[1]


def package_version() -> str:
    """Return the version of the installed package, or of the checkout."""
    project = _CHECKOUT / "pyproject.toml"
    if project.is_file() and (_CHECKOUT / "src" / "servicecircle") == _PACKAGE:
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version("servicecircle")


def example_names() -> list[str]:
    """Return the names of the example studies."""
    return sorted(file.parent.name for file in _examples().glob("*/study.toml"))


def example_folder(name: str) -> Path:
    """
    Return the folder of an example study, from the installed package or from a checkout.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    known = example_names()
    if name not in known:
        msg = f"There is no example study {name!r}; there are: {', '.join(known)}."
        raise InputError(msg, zh=f"没有名为“{name}”的示例；现有：{'、'.join(known)}。")
    return _examples() / name


def api_module(name: str) -> ModuleType:
    """Return a module of the HTTP application, from the installed package or from a checkout."""
    if not (_PACKAGE / "api").is_dir() and "servicecircle.api" not in sys.modules:
        folder = _CHECKOUT / "api"
        spec = spec_from_file_location(
            "servicecircle.api", folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:  # pragma: no cover - only if the checkout is torn apart
            msg = f"No HTTP application in {folder}."
            raise ImportError(msg)
        package = module_from_spec(spec)
        sys.modules["servicecircle.api"] = package
        spec.loader.exec_module(package)
    return import_module(f"servicecircle.api.{name}")


def _examples() -> Path:
    """Folder of the example studies."""
    installed = _PACKAGE / "_examples"
    return installed if installed.is_dir() else _CHECKOUT / "data"


def application() -> Any:  # noqa: ANN401
    """Return the application that the environment describes, for an ASGI server; see `serve`."""
    return api_module("main").create_app()


def connection(**given: Any) -> Any:  # noqa: ANN401
    """Return a connection for uvicorn; see `serve`."""
    return api_module("connections").Connection(**given)
