"""How far a job is, in percent and in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from servicecircle.report import STAGE_WORDS

from ..store import Note

#: where each stage begins, in percent: shares of what a study of a town takes
BEGINS: Mapping[str, int] = MappingProxyType(
    {"roads": 5, "grid": 15, "times": 25, "candidates": 35, "choose": 45, "circles": 75, "explain": 85, "write": 95}
)
WAITING = Note(en="Waiting.", zh="排队中。")
DONE = Note(progress=100, en="Done.", zh="已完成。")
STOPPED = Note(
    en="The server was stopped before the job was done. Its inputs are kept; ask again.",
    zh="服务器停止，任务未完成。输入已保留，请重新提交。",
)
TOO_LONG = Note(
    en="The job took longer than the server allows, and was ended. Ask for less, or for a shorter `time_limit_s`.",
    zh="任务超过服务器允许的时间，已终止。请减少要求，或缩短 time_limit_s。",
)
TOO_LARGE = Note(
    en="The job took more memory than the server allows, and was ended. Ask for less: larger cells, fewer roads.",
    zh="任务占用的内存超过服务器允许的上限，已终止。请减少要求，例如用更大的格子、更小的路网文件。",
)
BROKE = Note(
    en="The job ended without a result; the server's log says why.", zh="任务未得出结果即结束，原因见服务器日志。"
)


def note_of(stage: str, found: Mapping[str, Any]) -> Note:
    """Return the note of a stage, with what was found so far."""
    en, zh = STAGE_WORDS["en"].get(stage, stage), STAGE_WORDS["zh"].get(stage, stage)
    progress = BEGINS.get(stage, 0)
    if stage == "choose" and found:  # the search: as far as its gap has closed
        progress += round((BEGINS["circles"] - progress) * (1 - min(float(found["gap"]), 1.0)))
    return Note(stage, progress, f"{en}.", f"{zh}。", found)
