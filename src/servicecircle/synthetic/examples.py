"""The example studies of `data/`, written anew from their seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from ..errors import InputError
from . import daning, jianning, jinyu, shuiposi
from .clerks import write_bytes
from .ledgers import Ledgers, make_ledgers
from .town import Town, make_town
from .towns import TOWNS
from .writing import write_study, write_town

_Write: TypeAlias = Callable[[Town, Ledgers, Path], None]
#: the towns that have ledgers of their own kind: study.toml, and what writes the ledgers
_OWN: Mapping[str, tuple[str, _Write]] = MappingProxyType(
    {
        "daning": (daning.STUDY, daning.write_ledgers),
        "jianning": (jianning.STUDY, jianning.write_ledgers),
        "jinyu": (jinyu.STUDY, jinyu.write_ledgers),
        "shuiposi": (shuiposi.STUDY, shuiposi.write_ledgers),
    }
)


def write_example(name: str, folder: str | Path) -> Path:
    """
    Write an example study as it stands in `data/`.

    Parameters
    ----------
    name
        One of the towns of `TOWNS`.
    folder
        Made where it is missing; files of the study's names are replaced.

    Returns
    -------
    folder
        That was written: the same bytes on every run.

    Raises
    ------
    InputError
        If there is no such town.
    OutputError
        If a file cannot be written.
    """
    if name not in TOWNS:
        msg = f"There is no town {name!r}; there are: {', '.join(TOWNS)}."
        raise InputError(msg, zh=f"没有名为“{name}”的示例镇；现有：{'、'.join(TOWNS)}。")
    folder = Path(folder)
    plan = TOWNS[name]
    town = make_town(plan.seed, plan.rule)
    if name not in _OWN:
        return write_study(town, folder, name=plan.title, office=plan.office)
    study, write_ledgers = _OWN[name]
    write_town(town, folder)
    write_ledgers(town, make_ledgers(town), folder)
    write_bytes(folder / "study.toml", study.format(title=plan.title, office=plan.office).encode("utf-8"))
    return folder
