"""
A ledger of 100,000 rows read and checked, as CSV and as XLSX; and the workbook of the check.

    python -m benchmarks.ledger [--rows 100000]

One row in a hundred has a fault. Each reader runs in a process of its own; imports are not counted. Beside this
project stand pandas, which reads the cells of the same file and checks nothing, and openpyxl alone.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from .own_process import in_own_process, measured
from .rounds import HEADER, Row, Runner, Taken, line, machine, rotate

VERSIONS = ("numpy", "pandas", "geopandas", "openpyxl", "xlsxwriter")
HEADERS = ("编号", "名称", "地址", "经度", "纬度", "开放时间", "服务设施", "容量", "联系电话", "备注")
N_ROW = 100_000
#: what a row may hold instead of what is right
FAULTS: tuple[dict[str, str], ...] = (
    {"经度": "22.5", "纬度": "113.38"},
    {"经度": "", "纬度": ""},
    {"纬度": "二十二度"},
    {"编号": "S1"},
    {"开放时间": "随缘"},
    {"服务设施": "按摩椅"},
    {"经度": "0", "纬度": "0"},
    {"编号": ""},
)


# -------------------------------------------------------------------------------------------------------- ledgers
def rows_of(n: int, *, seed: int = 7) -> Iterator[list[str]]:
    """Yield the header and `n` rows of stations, one in a hundred with a fault."""
    dice = random.Random(seed)
    yield list(HEADERS)
    offers = ("饮水", "微波炉", "冰箱", "充电", "休息", "卫生间", "雨具", "药品", "WiFi", "打气筒")
    for i in range(n):
        opens, closes = dice.randrange(6, 11), dice.randrange(17, 23)
        row = {
            "编号": f"S{i + 1}",
            "名称": f"{dice.choice('东南西北中')}{dice.choice('城山河街港')}第{i + 1}驿站",
            "地址": f"{dice.choice('兴安和平')}{dice.choice('中东西')}路{dice.randrange(1, 999)}号",
            "经度": f"{113.0 + 0.8 * dice.random():.6f}",
            "纬度": f"{22.2 + 0.8 * dice.random():.6f}",
            "开放时间": f"周一至周{dice.choice('五六日')} {opens}:00-{closes}:{dice.choice(('00', '30'))}",
            "服务设施": "、".join(dice.sample(offers, dice.randrange(1, 6))),
            "容量": str(dice.randrange(4, 40)),
            "联系电话": f"138{dice.randrange(10**8):08d}",
            "备注": dice.choice(("", "", "靠近北门", "请从侧门进")),
        }
        if i % 100 == 50:
            row |= dice.choice(FAULTS)
        yield list(row.values())


def write_study(folder: Path, kind: str, n: int) -> Path:
    """Write a study with one ledger of `n` rows, as `csv` or `xlsx`, and return its folder."""
    folder.mkdir(parents=True)
    (folder / "roads.osm").write_bytes(b"")
    toml = f'name = "台账"\n[network]\nfile = "roads.osm"\n[stations]\nfile = "stations.{kind}"\n'
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    path = folder / f"stations.{kind}"
    if kind == "csv":
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows(rows_of(n))
        return folder
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"strings_to_numbers": True}) as book:
        sheet = book.add_worksheet("驿站")
        for at, row in enumerate(rows_of(n)):
            sheet.write_row(at, 0, row)
    return folder


# ---------------------------------------------------------------------------------------- each in its own process
def checked(folder: Path) -> Callable[[], str]:
    """Return the reading and checking of all files of a study, as a function."""
    import servicecircle as sc

    return lambda: f"{len(sc.check_study(folder, roads=False)):,} faults"


def written(folder: Path) -> Callable[[], str]:
    """Return the same, and the workbook of it."""
    import servicecircle as sc

    def write() -> str:
        check = sc.check_study(folder, roads=False)
        sc.write_check(check, folder / "check.xlsx")
        return f"{len(check):,} faults, {(folder / 'check.xlsx').stat().st_size / 1e6:.1f} MB"

    return write


def by_pandas(folder: Path) -> Callable[[], str]:
    """Pandas: the cells as texts."""
    import pandas as pd

    (file,) = folder.glob("stations.*")
    read = pd.read_csv if file.suffix == ".csv" else pd.read_excel
    return lambda: f"{len(read(file, dtype=str)):,} rows"


def by_openpyxl(folder: Path) -> Callable[[], str]:
    """Openpyxl: the values of the sheet, row by row."""
    from openpyxl import load_workbook

    def read() -> str:
        book = load_workbook(folder / "stations.xlsx", read_only=True)
        return f"{sum(1 for _ in book.worksheets[0].iter_rows(values_only=True)):,} rows"

    return read


WORK = {"checked": checked, "written": written, "pandas": by_pandas, "openpyxl": by_openpyxl}


def ledger(*, n: int, rounds: int, budget_s: float) -> Iterator[list[Row]]:
    """Yield the rows of CSV and XLSX."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("csv", "xlsx"):
            study = write_study(Path(folder) / kind, kind, n)
            peak_mb: dict[str, float] = {}
            names = {"servicecircle, read and checked": "checked", "servicecircle, and the workbook": "written"}
            names |= {"pandas, cells only": "pandas"} | (
                {"openpyxl, cells only": "openpyxl"} if kind == "xlsx" else {}
            )

            def run(name: str, work: str, study: Path = study, peak_mb: dict[str, float] = peak_mb) -> Taken:
                taken, told = in_own_process("-m", "benchmarks.ledger", "--one", work, "--study", str(study))
                peak_mb[name] = float(told["peak_mb"])
                return taken

            runners = [Runner(name, partial(run, name, work)) for name, work in names.items()]
            case = f"ledger of {n:,} rows, {kind.upper()}"
            rows = rotate(case, runners, rounds=rounds, budget_s=budget_s)
            yield [
                replace(row, note="; ".join([f"peak {peak_mb[row.name]:,.0f} MB", row.note][: 1 + bool(row.note)]))
                for row in rows
            ]


def main() -> None:
    """Print a markdown table, or do one piece of work here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=N_ROW)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--study", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        measured(WORK[asked.one](asked.study))
        return
    print(machine(VERSIONS), end="\n\n")
    print(HEADER)
    for some in ledger(n=asked.rows, rounds=asked.rounds, budget_s=120.0):
        print("\n".join(map(line, some)), flush=True)


if __name__ == "__main__":
    main()
