"""Settings of the server: environment variables `SERVICECIRCLE_*`, read when an application is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from servicecircle.errors import InputError

PREFIX = "SERVICECIRCLE_"


@dataclass(frozen=True)
class Settings:
    """What a server may be told from outside; a field `name` is the variable `SERVICECIRCLE_NAME`."""

    study: Path | None = None  # folder of the study, or its study.toml
    store: str | None = None  # where jobs and closures are kept; None: beside the study
    max_minutes: int = 60  # the largest break that a request may ask for
    max_breaks: int = 4  # how many breaks one request may ask for
    kept_plans: int = 8  # plans of other breaks than the study's own that are kept

    def __post_init__(self) -> None:
        for name in ("max_minutes", "max_breaks", "kept_plans"):
            if getattr(self, name) < 1:
                raise _not_allowed(PREFIX + name.upper(), str(getattr(self, name)))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """
        Return the settings that the environment states; what it does not state has its default.

        Raises
        ------
        InputError
            If a number is no whole number above 0.
        """
        said = os.environ if environment is None else environment
        study = said.get(PREFIX + "STUDY", "").strip()
        default = cls()
        return cls(
            study=Path(study) if study else None,
            store=said.get(PREFIX + "STORE", "").strip() or None,
            max_minutes=_whole_number(said, "MAX_MINUTES", default.max_minutes),
            max_breaks=_whole_number(said, "MAX_BREAKS", default.max_breaks),
            kept_plans=_whole_number(said, "KEPT_PLANS", default.kept_plans),
        )


def _whole_number(said: Mapping[str, str], name: str, default: int) -> int:
    """Return a variable as a whole number, or the default where it is not set or empty."""
    text = said.get(PREFIX + name, "").strip()
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise _not_allowed(PREFIX + name, text) from error


def _not_allowed(variable: str, text: str) -> InputError:
    return InputError(
        f"`{variable}` must be a whole number above 0, got {text!r}.",
        zh=f"环境变量 {variable} 应为大于 0 的整数，现为 {text!r}。",
    )
