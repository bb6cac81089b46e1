"""A study checked whole: its files, then how they lie on the roads; the faults as a table and as a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from .check_sheets import write_check_sheets
from .datum_checks import DatumCheck, datum_frame
from .datum_words import datum_cells, datum_html
from .errors import Fault, InputError, Lang
from .pipeline import lay_on_roads
from .report import fault_html
from .sheet_copies import SheetCopy
from .study import read_study


class StudyCheck(list[Fault]):
    """
    The faults of a study, errors and warnings, file by file; a notebook shows them as a table.

    `sheets` holds a copy of each ledger as it was read, without persons' data, for `write_check`; `datums` is a
    frame with a row a file of points: in which datum it was read, who says so, what the map says, and its figures.
    """

    def __init__(
        self,
        faults: Iterable[Fault],
        *,
        sheets: Iterable[SheetCopy] = (),
        datums: Sequence[DatumCheck] = (),
        lang: Lang = "zh",
    ) -> None:
        super().__init__(faults)
        self.sheets = tuple(sheets)
        self.datums: pd.DataFrame = datum_frame(datums)
        self.lang: Lang = lang

    @property
    def is_right(self) -> bool:
        """Whether no fault is an error: the study can be planned."""
        return not any(fault.level == "error" for fault in self)

    def _repr_html_(self) -> str:
        return fault_html(self, self.lang) + datum_html(self.datums, self.lang)


def check_study(path: str | Path, *, roads: bool = True, lang: Lang | None = None) -> StudyCheck:
    """
    Read a study as `load_study` does, and return every fault: errors and warnings, file by file.

    Parameters
    ----------
    path
        The folder of the study, or its study.toml.
    roads
        Whether a study without an error is laid on its roads too, as `check_on_roads` does; its files'
        datums are told then.
    lang
        Language of what is shown; None: that of the study.

    Returns
    -------
    faults
        A list that a notebook shows as a table, and that `write_check` writes as a workbook. Empty if nothing is
        wrong or doubtful. An error has `level` `"error"`: the study cannot be loaded.
    """
    read = read_study(path)
    faults = list(read.faults)
    datums: list[DatumCheck] = []
    if roads and read.study is not None:
        laid = lay_on_roads(read.study)
        faults, datums = faults + laid.faults, laid.datums
    return StudyCheck(dict.fromkeys(faults), sheets=read.sheets, datums=datums, lang=lang or read.lang)


def write_check(check: StudyCheck, path: str | Path) -> Path:
    """
    Write the faults of a study as a workbook, with a copy of each ledger whose cells in trouble are coloured.

    Parameters
    ----------
    check
        What `check_study` gave.
    path
        A file that ends in `.xlsx`; folders above it are made.

    Returns
    -------
    path
        The workbook: a sheet with a row a fault (level, file, sheet, row, column, what is wrong, the fix), one with
        the datums of the files where they are known, and one a ledger, without the columns of persons, where each
        cell in trouble is filled and has a comment. All cells are texts; the same study gives the same bytes.

    Raises
    ------
    InputError
        If `path` does not end in `.xlsx`.
    OutputError
        If it cannot be written; what stood there before is unchanged.
    """
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        msg = f"`path` {target.name!r} must end in .xlsx."
        raise InputError(msg, zh=f"文件名“{target.name}”须以 .xlsx 结尾。")
    return write_check_sheets(check, check.sheets, target, check.lang, datums=datum_cells(check.datums, check.lang))
