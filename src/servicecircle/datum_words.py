"""The datums of a study's files in words: what `check` prints, a notebook shows and the workbook holds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import pandas as pd

from .datum import DATUMS, TITLES, Datum
from .datum_detection import MIN_NAMES, NEAR_NAME_M
from .errors import Lang, visible
from .html_tables import html_table

#: headers of `datum_cells`
DATUM_HEADERS: Mapping[Lang, tuple[str, ...]] = MappingProxyType(
    {
        "zh": ("文件", "读作", "依据", "与地图对照", "数据"),
        "en": ("File", "Read as", "By", "The map says", "Figures"),
    }
)
_SAYS: Mapping[Lang, Mapping[bool, str]] = MappingProxyType(
    {
        "zh": {True: "已写明", False: "没有写明"},
        "en": {True: "stated", False: "not stated"},
    }
)
_CANNOT: Mapping[Lang, str] = MappingProxyType({"zh": "无法判断", "en": "cannot tell"})
_TITLE: Mapping[Lang, str] = MappingProxyType({"zh": "坐标系", "en": "Datums"})


#: columns of words that stay on one line
N_SHORT = 4


def datum_cells(datums: pd.DataFrame, lang: Lang) -> list[tuple[str, ...]]:
    """Return a row of words a file: file, read in, what says so, what the map says, and its figures."""
    return [
        (
            str(row["file"]),
            TITLES[cast("Datum", row["datum"])],
            _SAYS[lang][bool(row["stated"])],
            _title(str(row["verdict"]), lang),
            _figures(row, lang),
        )
        for row in datums.to_dict("records")
    ]


def datum_lines(datums: pd.DataFrame, lang: Lang, *, width: int | None = None) -> list[str]:
    """
    Return the datums of the files as a table under a title; nothing where none is known.

    Parameters
    ----------
    width
        Columns of the terminal, into which long texts are folded; None: a file a line, however long.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if datums.empty:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="", pad_edge=False)
    for k, header in enumerate(DATUM_HEADERS[lang]):
        table.add_column(header, no_wrap=k < N_SHORT, overflow="fold")
    for cells in datum_cells(datums, lang):
        table.add_row(*(Text(visible(" ".join(cell.split()))) for cell in cells))
    console = Console(width=width or 100_000, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(table)
    return [
        f"{_TITLE[lang]}{'：' if lang == 'zh' else ':'}",
        *(line.rstrip() for line in capture.get().splitlines()),
    ]


def datum_html(datums: pd.DataFrame, lang: Lang) -> str:
    """Return the datums of the files as an HTML table for a notebook, every text escaped."""
    if datums.empty:
        return ""
    return f"<p>{_TITLE[lang]}</p>{html_table(DATUM_HEADERS[lang], datum_cells(datums, lang))}"


def _title(verdict: str, lang: Lang) -> str:
    return _CANNOT[lang] if verdict == "cannot tell" else TITLES[cast("Datum", verdict)]


def _figures(row: dict[Hashable, Any], lang: Lang) -> str:
    """Return how many names stand near, and how far streets are, in each datum; only what there is."""
    zh = lang == "zh"
    told = []
    if row["n_names"]:
        near = [f"{TITLES[d]} {row[f'near_{d}']}" for d in DATUMS]
        en = f"of {row['n_names']} names on the map too, within {NEAR_NAME_M:g} m: {', '.join(near)}"
        told.append(f"同名地点 {row['n_names']} 个，{NEAR_NAME_M:g} 米以内 {'、'.join(near)}" if zh else en)
    elif row["n_points"] >= MIN_NAMES:
        told.append("没有同名地点" if zh else "no name on the map too")
    else:
        told.append(f"只有 {row['n_points']} 个点位" if zh else f"{row['n_points']} points only")
    if np.isfinite([row[f"streets_m_{d}"] for d in DATUMS]).all():
        far = [f"{TITLES[d]} {row[f'streets_m_{d}']:.0f}" for d in DATUMS]
        told.append(f"到道路平均 {'、'.join(far)} 米" if zh else f"mean metres to a street {', '.join(far)}")
    return ("；" if zh else "; ").join(told)
