"""Answers to what-ifs: each made once, the latest kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from servicecircle.what_if import what_if
from servicecircle.writers import json_text

from ..dependencies import A_BREAK, asked_of
from ..errors import ParameterError
from ..json_bodies import as_model
from ..kept import Kept
from ..plans import During, Plans
from ..settings import MEGABYTE, Settings
from ..today import Today
from ..trouble_shapes import Here, where_roads_are
from .asked import WhatIfRequest
from .changes import changes_of
from .told import told_of


class Trial(NamedTuple):
    """A question, on the roads of its moment, and the changes that are tried, as text: one of one meaning."""

    during: During
    changes: str


class WhatIfs:
    """
    Answers to what-ifs, by what is asked; the latest are kept.

    Parameters
    ----------
    plans, today
        The served study, and how it stands by question.
    settings
        The limits.
    """

    def __init__(self, plans: Plans, today: Today, settings: Settings) -> None:
        self._plans = plans
        self._today = today
        self._settings = settings
        self._answers = Kept[Trial, bytes](self._make, most=settings.kept_what_ifs_mb * MEGABYTE, weight=len)
        self._heres = Kept[str, Here](self._where, most=8)

    def trial_of(self, said: Any) -> Trial:  # noqa: ANN401
        """
        Return what a body asks.

        Raises
        ------
        ParameterError
            If it holds what is not allowed, or more than that.
        """
        asked = as_model(WhatIfRequest, said)
        self._check_number(asked)
        breaks = None if asked.minutes is None else _breaks(asked.minutes, self._settings)
        question = asked_of(
            self._plans.study, minutes=breaks, profile=asked.profile, when=asked.when, service=asked.service
        )
        changes = asked.model_dump(mode="json", by_alias=True, include={"add", "move", "close", "closures"})
        return Trial(self._today.during(question), json.dumps(changes, ensure_ascii=False, sort_keys=True))

    def make_ready(self, trial: Trial) -> None:
        """Make what changes are tried against, which may take long: waited for before the turn of the answer."""
        self._today.of(trial.during)

    def answer(self, trial: Trial) -> bytes:
        """
        Return the JSON of an answer.

        Raises
        ------
        ParameterError
            If a change is none that can be tried.
        """
        return self._answers(trial)

    def _check_number(self, asked: WhatIfRequest) -> None:
        n_closures = 0 if asked.closures is None else len(asked.closures.features)
        n, most = len(asked.add) + len(asked.move) + len(asked.close) + n_closures, self._settings.max_changes
        if n > most:
            msg = f"The body holds {n} changes; at most {most} are allowed."
            given = {"add": asked.add, "move": asked.move, "close": asked.close, "closures": n_closures}
            names = [name for name, some in given.items() if some]
            raise ParameterError(names, msg, zh=f"共 {n} 项变动，最多 {most} 项。")

    def _where(self, profile: str) -> Here:
        return where_roads_are(self._plans.roads.under(profile).roads.network)

    def _make(self, trial: Trial) -> bytes:
        """Try the changes."""
        asked = WhatIfRequest.model_validate_json(trial.changes)
        question = trial.during.question
        here = self._heres(question.profile)
        plan = self._today.of(trial.during)
        self._plans.go_on()
        changes = changes_of(asked, plan, here, self._settings)
        found = what_if(plan, **changes)
        told = told_of(plan, found, changes, question)
        return json_text(told).encode("utf-8")


def _breaks(minutes: Sequence[float], settings: Settings) -> tuple[float, ...]:
    """Return breaks, each within the limits; their order is checked with the study."""
    most = settings.max_minutes
    if not 1 <= len(minutes) <= settings.max_breaks:
        msg = f"`minutes` holds {len(minutes)} breaks; 1 to {settings.max_breaks} are allowed."
        zh = f"minutes 有 {len(minutes)} 个分钟数，应为 1 至 {settings.max_breaks} 个。"
        raise ParameterError(["minutes"], msg, zh=zh)
    if not all(1 <= m <= most and A_BREAK.fullmatch(repr(float(m))) for m in minutes):
        msg = f"`minutes` must hold numbers from 1 to {most}, at most one decimal each."
        raise ParameterError(["minutes"], msg, zh=f"minutes 应为 1 到 {most} 之间的数字，最多一位小数。")
    return tuple(float(m) for m in minutes)
