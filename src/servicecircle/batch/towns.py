"""The towns of a batch: every study in a folder, named by its place there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, Lang
from ..study_keys import STUDY_FILE, stated_lang


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
        If there is none.
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
    towns = [Town(one.relative_to(folder).as_posix(), one / STUDY_FILE) for one in found]
    return tuple(sorted(towns, key=lambda town: town.name.split("/")))


def city_of(towns: Path) -> Path | None:
    """Return the study.toml of a city, where a study is named and no folder of studies; else None."""
    if towns.suffix == ".toml":
        return towns
    return towns / STUDY_FILE if (towns / STUDY_FILE).is_file() else None


def lang_of(towns: Sequence[Town]) -> Lang:
    """Return the language of the whole: that of the first town that states one, else Chinese."""
    return next((lang for town in towns if (lang := stated_lang(town.study))), "zh")
