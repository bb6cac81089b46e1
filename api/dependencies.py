"""
What routes are given: the plans, and parameters that are checked before any work begins.

What needs no work is `async`: it answers also when every thread of the pool is at work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Query, Request
from pydantic.json_schema import SkipJsonSchema

from servicecircle.errors import InputError
from servicecircle.model import Study
from servicecircle.params import PROFILES, travel_profile
from servicecircle.study_options import with_options

from .errors import ParameterError
from .plans import Breaks, Plans, Question, question_of
from .settings import Settings
from .store import Store
from .turns import Turns

#: an answer names at most so many unknown parameters
N_NAMED = 5
#: one break: at most one decimal, so that no two breaks share the name of a column
A_BREAK = re.compile(r"[0-9]{1,4}(\.[0-9])?")
MinutesText = Annotated[
    str | SkipJsonSchema[None],
    Query(
        description="Breaks in minutes, ascending, with commas between: `8` or `5,10`. "
        "At most one decimal each. Default: those of the study.",
        examples=["8", "5,10"],
        json_schema_extra={"pattern": f"^{A_BREAK.pattern}(,{A_BREAK.pattern})*$"},
    ),
]
WhenText = Annotated[
    str | SkipJsonSchema[None],
    Query(
        max_length=40,
        description="A moment: only what is open then counts. `Tue 20:30`, `周二 20:30`, `2026-11-24T20:30`, "
        "`Thu 10:00 PH` (a public holiday); `any`: at any time. Default: that of the study.",
        examples=["Tue 20:30"],
    ),
]
ProfileText = Annotated[
    str | SkipJsonSchema[None],
    Query(
        description="How people travel: `walk`, `ebike`, `drive`, or the standard `gb50180` (5, 10 and 15 minutes "
        "only). Default: that of the study.",
        examples=["ebike"],
        json_schema_extra={"enum": list(PROFILES)},
    ),
]
ServiceText = Annotated[
    str | SkipJsonSchema[None],
    Query(
        max_length=400,
        description="Services, with commas between: only places that offer each of them, working, count; `|` "
        "between those of which one is enough; `any`: whatever they offer. Default: those of the study.",
        examples=["hot_water", "hot_water,charging|battery_swap"],
    ),
]


async def get_plans(request: Request) -> Plans:
    """Return the plans of the served study."""
    return cast("Plans", request.app.state.plans)


PlansOfStudy = Annotated[Plans, Depends(get_plans)]


async def get_store(request: Request) -> Store:
    """Return what the server remembers of the served study."""
    return cast("Store", request.app.state.store)


StoreOfStudy = Annotated[Store, Depends(get_store)]


async def get_turns(request: Request) -> Turns:
    """Return where work that takes the processor waits for its turn."""
    return cast("Turns", request.app.state.turns)


TurnsOfServer = Annotated[Turns, Depends(get_turns)]


def get_question(
    request: Request,
    plans: PlansOfStudy,
    *,
    minutes: MinutesText = None,
    profile: ProfileText = None,
    when: WhenText = None,
    service: ServiceText = None,
) -> Question:
    """
    Return what a request asks for; what it leaves out is the study's own.

    Raises
    ------
    ParameterError
        If the breaks are no numbers, too many, out of range, not ascending, or not defined by the profile; if there
        is no such profile; if `when` is no moment, or a service is none.
    """
    breaks = None if minutes is None else _numbers(minutes, cast("Settings", request.app.state.settings))
    services = None if service is None else re.split("[,，]", service)
    return asked_of(plans.study, minutes=breaks, profile=profile, when=when, service=services)


def asked_of(
    study: Study,
    *,
    minutes: Sequence[float] | None,
    profile: str | None,
    when: str | None,
    service: Sequence[str] | None,
) -> Question:
    """
    Return what somebody asks of a study; None is the study's own.

    Raises
    ------
    ParameterError
        If one of them is not allowed; it is named.
    """
    if profile is not None:
        with _naming("profile"):
            travel_profile(profile)
    with _naming("profile" if minutes is None else "minutes"):
        asked = with_options(study, minutes=minutes, profile=profile)
    with _naming("when"):
        asked = with_options(asked, when=when)
    with _naming("service"):
        asked = with_options(asked, service=service)
    return question_of(asked)._replace(
        profile="" if asked.profile.name == study.profile.name else asked.profile.name
    )


@contextmanager
def _naming(parameter: str) -> Iterator[None]:
    """Say of what the engine refuses which parameter of the request is at fault."""
    try:
        yield
    except InputError as error:
        raise ParameterError([parameter], error.en, zh=error.zh) from error


async def refuse_unknown_parameters(request: Request) -> None:
    """
    Check that every parameter is one that the OpenAPI document names for this address, and stands once.

    Raises
    ------
    ParameterError
        Otherwise, with all that are wrong.
    """
    known = _parameters_of(request.app, request.scope["route"].path_format)
    given = [name for name, _ in request.query_params.multi_items()]
    if unknown := [name for name in dict.fromkeys(given) if name not in known]:
        raise _unknown(unknown, known)
    if double := [name for name in dict.fromkeys(given) if given.count(name) > 1]:
        named = ", ".join(double)
        msg = f"Stands more than once: {named}. Give each parameter once; breaks have commas between: `5,10`."
        raise ParameterError(
            double, msg, zh=f"参数重复：{named}。每个参数只写一次，多个分钟数用逗号分隔，如 5,10。"
        )


Asked = Annotated[Question, Depends(get_question)]


def _numbers(text: str, settings: Settings) -> Breaks:
    """Return the numbers of a text with commas between, each within the limits."""
    parts = [part.strip() for part in text.replace("，", ",").split(",")]
    if len(parts) > settings.max_breaks:
        msg = f"`minutes` holds {len(parts)} breaks; at most {settings.max_breaks} are allowed."
        raise ParameterError(
            ["minutes"], msg, zh=f"minutes 有 {len(parts)} 个分钟数，最多 {settings.max_breaks} 个。"
        )
    most = settings.max_minutes
    if not all(A_BREAK.fullmatch(part) and 1 <= float(part) <= most for part in parts):
        came = text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004
        msg = f"`minutes` must hold numbers from 1 to {most}, at most one decimal, as `8` or `5,10`; got {came!r}."
        zh = f"minutes 应为 1 到 {most} 之间的数字，最多一位小数，如 8 或 5,10；现为 {came!r}。"
        raise ParameterError(["minutes"], msg, zh=zh)
    return tuple(float(part) for part in parts)


def _parameters_of(app: FastAPI, path: str) -> list[str]:
    """Return the names of the parameters of an address, from the OpenAPI document."""
    operation = app.openapi()["paths"].get(path, {}).get("get", {})
    return [parameter["name"] for parameter in operation.get("parameters", ())]


def _unknown(unknown: list[str], known: list[str]) -> ParameterError:
    shown = [name[:40] for name in unknown[:N_NAMED]]
    named = ", ".join(f"`{name}`" for name in shown)
    allowed = ", ".join(f"`{name}`" for name in known)
    msg = f"Unknown parameter {named}; " + (
        f"this address takes {allowed}." if known else "this address takes none."
    )
    zh = f"未知参数 {named}；" + (f"此地址的参数有：{allowed}。" if known else "此地址没有参数。")
    return ParameterError(shown, msg, zh=zh, code="unknown-parameter")
