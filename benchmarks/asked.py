"""What is asked of this project's speed, beside what one run measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .rounds import Row

HEADER = "| case | what | asked | by the clock | processor | |\n| --- | --- | ---: | ---: | ---: | --- |"


@dataclass(frozen=True)
class Asked:
    """A figure asked of the rows of a case: a ratio of seconds, or these themselves."""

    case: str  # a piece of the case's name
    own: str  # how the names of the two rows begin
    peer: str  # "": seconds are asked, not a ratio
    figure: float  # so many times as fast at least; or at most so many seconds


ASKED = (
    Asked(": 1,000 circles", "servicecircle", "SciPy", 10),
    Asked(": 1,000 circles", "servicecircle", "pandana", 30),
    Asked(": 1,000 circles", "servicecircle", "OSMnx", 500),
    Asked(": 1,000 circles", "servicecircle", "limit", 1 / 1.25),
    Asked(": 10,000 circles", "servicecircle", "limit", 1 / 0.5),
    Asked(": nearest of", "servicecircle", "SciPy min_only, times", 2),
    Asked(": matrix", "servicecircle", "SciPy", 5),
    Asked(": matrix", "servicecircle", "pandana", 8),
    # of the recipe, the leaner of the two: what was measured first were its buffers and union in arrays. The
    # notebook's own code takes half as long again; its row is printed, and decides nothing
    *(
        Asked(" stations, ", f"servicecircle, {detail}", "OSMnx recipe", figure)
        for detail, figure in (("fine", 30), ("fast", 100), ("fine, on the same", 30), ("fast, on the same", 100))
    ),
    Asked(": reading", "servicecircle, from the file", "", 15),
    Asked(": reading", "servicecircle, from the cache", "", 1),
    Asked("ledger of 100,000", "servicecircle, read and checked", "", 10),
    Asked("start of", "servicecircle, first times, nothing", "", 5),
    Asked("start of", "servicecircle, first times, compiled", "", 1.5),
    Asked("start of", "servicecircle, first circle drawn, nothing", "", 5),
    Asked("start of", "servicecircle, first circle drawn, compiled", "", 1.5),
)
#: how much a pair of node and time may cost in the largest city, as a multiple of the smallest
GROWTH = 2.0
#: ratios are asked of networks this large: in smaller ones every program has little to do
NODES = 100_000


def asked_lines(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table under `HEADER`, for what was measured."""
    return [*(text for case in _cases(rows) for text in _of_case(case)), *_growth(rows)]


def _cases(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each case."""
    return [[row for row in rows if row.case == name] for name in dict.fromkeys(row.case for row in rows)]


def _of_case(rows: Sequence[Row]) -> Iterator[str]:
    for one in ASKED:
        own = next((row for row in rows if one.case in row.case and row.name.startswith(one.own)), None)
        peer = next((row for row in rows if one.peer and row.name.startswith(one.peer)), None)
        if own is None or (one.peer and peer is None):
            continue
        if peer is None:
            taken = (own.seconds, own.cpu_s)
            told = [f"{seconds:.2f} s" for seconds in taken]
            yield _line(own.case, own.name, f"< {one.figure:g} s", told, [s < one.figure for s in taken])
            continue
        times = (peer.ratio / own.ratio, peer.cpu_ratio / own.cpu_ratio)
        holds = [ratio >= one.figure for ratio in times]
        if one.peer == "limit":
            told = [f"{1 / ratio:.2f}" for ratio in times]
            yield _line(own.case, f"of the {peer.name}", f"<= {1 / one.figure:.2f}", told, holds)
        else:
            told = [f"{ratio:.1f} x" for ratio in times]
            yield _line(own.case, f"{own.name}, against {peer.name}", f"{one.figure:g} x", told, holds)


def _growth(rows: Sequence[Row]) -> Iterator[str]:
    """Compare the cost of a pair between the cities."""
    own = [
        row for row in rows if row.pairs and row.case.startswith("city") and row.case.endswith(": 1,000 circles")
    ]
    if len(own) > 1:
        first, last = ((1e9 * row.seconds / row.pairs, 1e9 * row.cpu_s / row.pairs) for row in (own[0], own[-1]))
        what = f"processor ns a pair: {first[1]:.1f}, {last[1]:.1f}"
        case = f"{own[0].case.split(':')[0]} to {own[-1].case}"
        growth = [after / before for before, after in zip(first, last, strict=True)]
        told = [f"{times:.2f} x" for times in growth]
        yield _line(case, what, f"< {GROWTH:g} x", told, [times < GROWTH for times in growth])


def _line(case: str, what: str, asked: str, measured: Sequence[str], holds: Sequence[bool]) -> str:
    """Return a line: what was measured, and whether it holds, by the clock and by processor seconds."""
    remark = {(True, True): "", (False, False): "not met", (True, False): "by the clock"}.get(
        (holds[0], holds[1]), "by processor seconds"
    )
    city = re.match(r"city ([\d,]+):", case)
    if city and asked.endswith("x") and int(city[1].replace(",", "")) < NODES:
        remark = f"asked of {NODES:,} nodes"
    return f"| {case} | {what} | {asked} | {measured[0]} | {measured[1]} | {remark} |"
