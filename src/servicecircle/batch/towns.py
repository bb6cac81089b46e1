"""The towns of a batch: every study in a folder, named by its place there."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, Lang
from ..study_keys import STUDY_FILE, stated_lang

#: signs that turn the direction of the text behind them
_TURNS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


@dataclass(frozen=True)
class Town:
    """One study of a batch."""

    name: str  # where its folder stands in that of the batch, with `/` between
    study: Path  # its study.toml


def find_towns(folder: Path) -> tuple[Town, ...]:
    """
    Return every study in a folder and the folders below, by name; hidden folders and links are not looked into.

    Raises
    ------
    InputError
        If there is none, or the name of a folder holds what no table can.
    """
    found = []
    for place, inner, files in os.walk(folder):
        if STUDY_FILE in files:
            inner.clear()  # a study has no other below
            found.append(Path(place))
        inner[:] = [name for name in inner if not name.startswith(".")]
    if not found:
        msg = f"`{folder}` holds no study: a batch is a folder with a folder for each study, with its {STUDY_FILE}."
        raise InputError(msg, zh=f"{folder} 中没有研究：批量文件夹下应为每个研究各设一个含 {STUDY_FILE} 的文件夹。")
    for one in found:
        _check_name(one.relative_to(folder).as_posix())
    towns = [Town(one.relative_to(folder).as_posix(), one / STUDY_FILE) for one in found]
    return tuple(sorted(towns, key=lambda town: town.name.split("/")))


def _check_name(name: str) -> None:
    """
    Refuse a name that is no text, or does not stay as it is in a line.

    Raises
    ------
    InputError
        If it is not UTF-8 (that of an old archive), or holds a line break or a sign that turns text round.
    """
    if any(unicodedata.category(sign) in {"Cc", "Cs"} or sign in _TURNS for sign in name):
        told = ascii(name)
        msg = f"The folder {told} has a name that is not UTF-8, or holds control characters: rename it."
        raise InputError(msg, zh=f"文件夹 {told} 的名称不是 UTF-8，或含控制字符：请改名。")


def city_of(towns: Path) -> Path | None:
    """Return the study.toml of a city, where a study is named and no folder of studies; else None."""
    if towns.suffix == ".toml":
        return towns
    return towns / STUDY_FILE if (towns / STUDY_FILE).is_file() else None


def lang_of(towns: Sequence[Town]) -> Lang:
    """Return the language of the whole: that of the first town that states one, else Chinese."""
    return next((lang for town in towns if (lang := stated_lang(town.study))), "zh")
