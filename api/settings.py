"""Settings of the server: environment variables `SERVICECIRCLE_*`, read when an application is made."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from servicecircle.errors import InputError

PREFIX = "SERVICECIRCLE_"
MEGABYTE = 1_000_000
#: a key that is shorter can be guessed
MIN_KEY = 16
ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?")
ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~\-]+)+")

AtLeast1 = Annotated[int, Field(ge=1)]
AtLeast0 = Annotated[int, Field(ge=0)]
Texts = Annotated[tuple[str, ...], NoDecode]

#: what a value must be, by the kind of error that pydantic finds: in English, in Chinese
_MUST_BE = {
    "int_parsing": ("a whole number", "整数"),
    "int_from_float": ("a whole number", "整数"),
    "float_parsing": ("a number", "数字"),
    "bool_parsing": ("`true` or `false`", " true 或 false"),
    "path_type": ("a path", "路径"),
    "literal_error": ("`plain` or `json`", " plain 或 json"),
}


def _n_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """
    What a server may be told from outside; a field `name` is the variable `SERVICECIRCLE_NAME`.

    A variable that is empty counts as not set. What is given by name goes before the environment.

    Raises
    ------
    InputError
        If a value is not allowed; the message names the variables.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    study: Path | None = None  # folder of the study, or its study.toml
    store: str | None = Field(None, repr=False)  # where jobs and closures are kept; None: beside the study
    max_minutes: AtLeast1 = 60  # the largest break that a request may ask for
    max_breaks: AtLeast1 = 4  # how many breaks one request may ask for
    kept_plans_mb: AtLeast1 = 256  # megabytes of plans of other questions than the study's own that are kept
    kept_maps_mb: AtLeast1 = 32  # megabytes of their maps that are kept, and of their pictures
    jobs_at_once: AtLeast1 = 1  # jobs that run at a time on one machine
    jobs_waiting: AtLeast1 = 20  # jobs that may wait
    job_minutes: AtLeast1 = 60  # how long a job may run
    job_memory_mb: AtLeast1 = 2048  # megabytes of memory of one job
    jobs_kept: AtLeast0 = 100  # jobs that have ended, with their results
    jobs_kept_days: AtLeast1 = 30  # how long these are kept
    max_upload_mb: AtLeast1 = 100  # of a packed study, and of any other body of a job
    kept_todays_mb: AtLeast1 = 256  # megabytes of how the study stands, without suggestions, that are kept
    kept_what_ifs_mb: AtLeast1 = 32  # megabytes of answers of `POST /what-if` that are kept
    max_changes: AtLeast1 = 50  # changes that one `POST /what-if` may try
    max_closures: AtLeast1 = 200  # reports from the street that are kept
    max_points: AtLeast1 = 1000  # points of all closures of one request
    max_closure_km: AtLeast1 = 20  # length of a line or outline of a closure
    max_locations: AtLeast1 = 20  # how many locations one request for isochrones may hold
    max_matrix_locations: AtLeast1 = 100  # how many locations one request for a matrix may hold
    max_ranges: AtLeast1 = 10  # how many isochrones of one location a request may ask for
    max_range_m: AtLeast1 = 50_000  # the largest distance that a request for isochrones may ask for, metres
    api_key: SecretStr | None = None  # for everything that writes; None: one is made at start
    key_for_reads: bool = False  # whether reading needs the key too
    max_body_mb: AtLeast1 = 1  # megabytes of the body of a request, but for jobs
    max_bodies_mb: AtLeast1 = 256  # megabytes of all bodies that each worker holds at once
    budget_s: AtLeast1 = 120  # seconds until an answer must begin
    works_at_once: AtLeast1 = Field(default_factory=_n_cores)  # what-ifs, isochrones, matrices that are computed
    works_waiting: AtLeast0 = 32  # how many of them may wait besides
    plans_waiting: AtLeast1 = 20  # requests that may wait for plans that are not yet made
    requests_per_minute: AtLeast0 = 1200  # of one client, each worker counts for itself; 0: as many as it likes
    max_connections: AtLeast1 = 1000  # of each worker at once; more are answered with 503
    origins: Texts = ()  # other sites whose pages may ask, `https://office.example`; "*": every site
    proxies: Texts = ()  # addresses of proxies whose X-Forwarded-For and -Proto are believed
    root_path: str = ""  # the prefix below which a proxy shows the server, `/circles`
    log: Literal["plain", "json"] = "plain"  # json: one line a request too

    def __init__(self, **given: Any) -> None:  # noqa: ANN401
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise _not_allowed(error) from error

    @field_validator("*", mode="before")
    @classmethod
    def _without_blanks(cls, value: object) -> object:
        """Return what a person typed, without the blanks around it."""
        return value.strip() if isinstance(value, str) else value

    @field_validator("origins", "proxies", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Return what stands between commas."""
        return tuple(part for part in re.split(r"[,，\s]+", value) if part) if isinstance(value, str) else value

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no browser sends as an origin."""
        if not all(one == "*" or ORIGIN.fullmatch(one) for one in origins):
            msg = "origins with commas between, as `https://office.example`"
            raise _TextError(msg, "以逗号分隔的来源，如 https://office.example")
        return origins

    @field_validator("proxies")
    @classmethod
    def _are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no address or network."""
        for one in proxies:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                msg = "IP addresses or networks with commas between, as `127.0.0.1,10.0.0.0/8`"
                raise _TextError(msg, "以逗号分隔的 IP 地址或网段，如 127.0.0.1,10.0.0.0/8") from error
        return proxies

    @field_validator("root_path")
    @classmethod
    def _is_prefix(cls, path: str) -> str:
        """Refuse what is no prefix of an address; a slash at its end is left out."""
        if path.rstrip("/") and not ROOT_PATH.fullmatch(path.rstrip("/")):
            msg = "a path as `/circles`"
            raise _TextError(msg, "路径，如 /circles")
        return path.rstrip("/")

    @field_validator("api_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse a key that can be guessed, or that no header can hold."""
        text = "" if key is None else key.get_secret_value()
        if key is not None and (len(text) < MIN_KEY or not text.isascii() or not text.isprintable() or " " in text):
            msg = f"at least {MIN_KEY} letters, digits or signs, without blanks"
            raise _TextError(msg, f"至少 {MIN_KEY} 个字母、数字或符号，不含空格")
        return key


class _TextError(ValueError):
    """What a value must be, in English and Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


def _not_allowed(error: ValidationError) -> InputError:
    """Return one message for all that pydantic found; a key is not repeated."""
    faults = error.errors()
    lines = [_told(fault) for fault in faults]
    return InputError(" ".join(en for en, _ in lines), zh="".join(zh for _, zh in lines))


def _told(fault: Any) -> tuple[str, str]:  # noqa: ANN401
    """Return the sentence on one setting, in English and Chinese."""
    name = PREFIX + str(fault["loc"][0] if fault["loc"] else "").upper()
    if fault["type"] == "extra_forbidden":
        return f"`{name}` is no setting.", f"没有 {name} 这项设置。"
    inner = fault.get("ctx", {}).get("error")
    en, zh = _MUST_BE.get(fault["type"], (fault["msg"], fault["msg"]))
    if isinstance(inner, _TextError):
        en, zh = str(inner), inner.zh
    elif fault["type"] in {"greater_than_equal", "int_parsing", "int_from_float"}:
        least = _least(str(fault["loc"][0]))
        en, zh = f"a whole number, at least {least}", f"不小于 {least} 的整数"
    got = "" if name.endswith("KEY") else f", got {str(fault['input'])[:60]!r}"
    got_zh = "" if name.endswith("KEY") else f"，现为 {str(fault['input'])[:60]!r}"
    return f"`{name}` must be {en}{got}.", f"环境变量 {name} 应为{zh}{got_zh}。"


def _least(name: str) -> int:
    """Return the least that a whole number may be."""
    return next((m.ge for m in Settings.model_fields[name].metadata if hasattr(m, "ge")), 0)
