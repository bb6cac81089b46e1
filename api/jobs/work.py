"""What the process of a job does: reads the study, works it out, writes the files, and tells how far it is."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from servicecircle.closed_plans import plan_during
from servicecircle.closures import Closures
from servicecircle.errors import InfeasibleError, InputError, ServiceCircleError
from servicecircle.explanations import explain_plan
from servicecircle.model import Plan, Study
from servicecircle.pipeline import TIME_LIMIT_S, suggest
from servicecircle.study import load_study
from servicecircle.trouble import with_trouble
from servicecircle.writers import geojson_text, json_text, plan_layers, summary, write_outputs
from servicecircle.zone_work import with_zone_work

from ..stored_closures import read_closures
from .memory import bound_memory
from .questions import QUESTIONS, PlanQuestion
from .uploads import unpack_study

#: seconds between looks at whether the server still lives
_LOOK_S = 0.5
#: seconds between two figures of a search that are told
_TELL_S = 0.2
#: letters of what a job tells of its faults
_TOLD = 20_000
#: runs below the server, which answers meanwhile
_NICE = 5
SUGGESTIONS, SUMMARY, PROOF = "suggestions.geojson", "summary.json", "proof.json"
UPLOAD = "study.zip"
RESULT = "result"

Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    """Do the job that stands on the first line of the input; tell on the output, a line of JSON at a time."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whoever prints does not disturb
    task = json.loads(sys.stdin.readline())
    bound_memory(task["memory_mb"])
    if os.name == "posix":
        threading.Thread(target=_end_with, args=(task["server"],), daemon=True).start()
        os.nice(_NICE)
    tell = _teller(out)
    try:
        closures = read_closures(task["closures"])
        folder = Path(task["folder"])
        do(task["process"], task["inputs"], closures=closures, study=task["study"], folder=folder, tell=tell)
    except ServiceCircleError as error:
        traceback.print_exc()
        problem = "infeasible" if isinstance(error, InfeasibleError) else "invalid-value"
        problem = problem if isinstance(error, InputError) else "failed"
        en, zh = (_without_folder(text, task["folder"])[:_TOLD] for text in (error.en, error.zh))
        tell({"failed": problem, "en": en, "zh": zh})
    else:
        tell({"done": True})


def do(
    process: str,
    inputs: dict[str, Any],
    *,
    closures: Closures | None = None,
    study: str | None,
    folder: Path,
    tell: Tell,
) -> None:
    """
    Do a job in a folder: its files are in `result` at the end.

    Parameters
    ----------
    process
        `suggest` or `plan`.
    inputs
        Of the process's question in `QUESTIONS`.
    closures
        Trouble on the road that the coverage counts, all at once; suggestions are for the open roads.
    study
        The folder of the study, or its study.toml; None: it is in the folder, packed.
    folder
        Where there is room.
    tell
        Called with the stage, and with what was found so far.
    """
    tell({"stage": "roads"})
    read = load_study(
        study if study is not None else unpack_study((folder / UPLOAD).read_bytes(), folder / "study")
    )
    asked = QUESTIONS[process].model_validate(inputs)
    made = suggest(asked.asked_of(read), on_stage=lambda stage: tell({"stage": stage}), on_found=_figures_to(tell))
    best = made.solution
    tell({"found": {"objective": best.objective, "bound": best.bound, "gap": best.gap}})
    if isinstance(asked, PlanQuestion):
        tell({"stage": "explain"})
        made = _explained(made)
    else:
        made = with_trouble(made)
    if closures is not None:
        made = plan_during(made, closures)
    tell({"stage": "write"})
    result = folder / RESULT
    result.mkdir()
    if not isinstance(asked, PlanQuestion):
        _write_suggestions(made, result)
        return
    write_outputs(made, result)
    if asked.proposal:
        from servicecircle.proposal import write_proposal

        write_proposal(made, result)


def _explained(made: Plan) -> Plan:
    """Return the plan with its reasons, its trouble and the work of its zones, as the command `plan` tells them."""
    limit_s = _limit_s(made.study)
    made = replace(made, explanation=explain_plan(made, time_limit_s=limit_s))
    return with_zone_work(with_trouble(made), time_limit_s=limit_s)


def _write_suggestions(made: Plan, result: Path) -> None:
    """Write the suggestions, the figures and their proof."""
    told = summary(made)
    texts = {
        SUGGESTIONS: geojson_text(plan_layers(made)["suggestions"]),
        SUMMARY: json_text(told, indent=2),
        PROOF: json_text(told["solution"], indent=2),
    }
    for name, text in texts.items():
        (result / name).write_text(text, encoding="utf-8", newline="\n")


def _limit_s(study: Study) -> float | None:
    """Return how long the reasons may take; None: until they are proven."""
    limit_s = study.suggest.time_limit_s or TIME_LIMIT_S
    return None if math.isinf(limit_s) else limit_s


def _figures_to(tell: Tell) -> Callable[[float, float], None]:
    """Return who tells objective, bound and gap, not too often, and the last of them when they meet."""
    last_s = -math.inf

    def on_found(objective: float, bound: float) -> None:
        nonlocal last_s
        gap = abs(bound - objective) / max(abs(bound), 1e-12)
        if math.isfinite(gap) and (gap == 0 or time.monotonic() - last_s >= _TELL_S):
            last_s = time.monotonic()
            tell({"found": {"objective": objective, "bound": bound, "gap": gap}})

    return on_found


def _without_folder(text: str, folder: str) -> str:
    """Return a message without the folder of the job: nothing of this machine is told."""
    return text.replace(f"{folder}{os.sep}study{os.sep}", "").replace(folder, "")


def _teller(out: TextIO) -> Tell:
    lock = threading.Lock()

    def tell(said: dict[str, Any]) -> None:
        with lock:
            out.write(json.dumps(said) + "\n")
            out.flush()

    return tell


def _end_with(server: int) -> None:
    """End this process once the server has: killed, it cannot say so."""
    while os.getppid() == server:
        time.sleep(_LOOK_S)
    os._exit(1)
