"""p-median and p-center side by side: build and solve, bound and gap, from one run."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from benchmarks.cities import superblock_city
from benchmarks.rounds import machine
from servicecircle.locate import p_center, p_median
from servicecircle.model import Facilities, Network, Positions
from servicecircle.travel_times import times_between

Floats = npt.NDArray[np.float64]

#: beyond a 15 minute cutoff a rider's trip counts as 30 minutes
CUTOFF_S, UNREACHED_S = 900.0, 1800.0
#: p of the 40 files of OR-Library, by number of nodes
PMED = {
    100: (5, 10, 10, 20, 33),
    200: (5, 10, 20, 40, 67),
    300: (5, 10, 30, 60, 100),
    400: (5, 10, 40, 80, 133),
    500: (5, 10, 50, 100, 167),
    600: (5, 10, 60, 120, 200),
    700: (5, 10, 70, 140),
    800: (5, 10, 80),
    900: (5, 10, 90),
}
HEADER = (
    "| case | who | seconds | ratio | processor | ratio | value | bound | gap |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True)
class Answer:
    """What a solver says."""

    value: float
    bound: float | None  # None: it says none


def main() -> None:
    """Run what is asked for and print markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["peers", "pmed", "large"], help="peers, pmed, large")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each solver (default 60)")
    parser.add_argument("--only", choices=["plane", "city", "center"], help="of the peers' cases this one alone")
    asked = parser.parse_args()
    for what in asked.what:
        if what == "peers":
            _peers(asked.limit, asked.only)
        else:
            {"pmed": _pmed, "large": _large}[what](asked.limit)
    print(f"\n{machine(['numpy', 'scipy', 'numba', 'spopt', 'pulp', 'highspy'])}")


# -------------------------------------------------------------------------------------------------------- cases
def _peers(limit_s: float, only: str | None) -> None:
    print(HEADER)
    rng = np.random.default_rng(1)
    demand, site = rng.random((1000, 2)), rng.random((100, 2))
    metres = np.hypot(*(demand[:, None] - site[None]).transpose(2, 0, 1)) * 10_000
    weight = rng.integers(1, 101, 1000).astype(np.float64)
    if only in (None, "plane"):
        _side_by_side("p-median 1,000 x 100, p = 5, plane", metres, weight, 5, limit_s)
    if only in (None, "city"):
        _side_by_side("p-median 1,000 x 100, p = 5, city", *city(1000, 100), 5, limit_s)
    if only in (None, "center"):
        _center_side_by_side("p-center 100 nodes, p = 5", or_graph(100, seed=1), 5, limit_s)


def _side_by_side(case: str, cost: Any, weight: Floats, p: int, limit_s: float) -> None:  # noqa: ANN401
    is_sparse = sparse.issparse(cost)
    dense = _dense(cost) if is_sparse else cost

    def ours() -> Answer:
        found = p_median(cost, weight, p, unreached_cost=UNREACHED_S if is_sparse else None, time_limit_s=limit_s)
        return Answer(found.objective, found.bound)

    rows = [("servicecircle", ours), *((f"spopt, {s}", f) for s, f in _spopt("PMedian", dense, weight, p, limit_s))]
    _told(case, rows, limit_s)


def _center_side_by_side(case: str, cost: Floats, p: int, limit_s: float) -> None:
    def ours() -> Answer:
        found = p_center(cost, p, time_limit_s=limit_s)
        return Answer(found.objective, found.bound)

    rows = [("servicecircle", ours), *((f"spopt, {s}", f) for s, f in _spopt("PCenter", cost, None, p, limit_s))]
    _told(case, rows, limit_s)


def _pmed(limit_s: float) -> None:
    print("\n| graph | p | p-median | gap | processor | p-center | gap | processor |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    number = 0
    for n, many in PMED.items():
        for p in many:
            number += 1
            cost = or_graph(n, seed=number)
            cells = []
            for run in (
                lambda c=cost, n=n, p=p: p_median(c, np.ones(n), p, time_limit_s=limit_s),
                lambda c=cost, p=p: p_center(c, p, time_limit_s=limit_s),
            ):
                begun = _processor_s()
                found = run()
                cells += [f"{found.objective:g}", f"{found.gap:.3%}", f"{_processor_s() - begun:.2f} s"]
            print(f"| {n} nodes | {p} | {' | '.join(cells)} |", flush=True)


def _large(limit_s: float) -> None:
    cost, weight = city(50_000, 2_000)
    print(f"\np-median 50,000 x 2,000, p = 20, {cost.nnz:,} pairs within 15 minutes, {UNREACHED_S:g} s beyond\n")
    print("| limit | seconds | processor | value | bound | gap |\n| ---: | ---: | ---: | ---: | ---: | ---: |")
    for limit in sorted({1.0, 5.0, 10.0, limit_s}):
        clock, begun = time.perf_counter(), time.process_time()
        found = p_median(cost, weight, 20, unreached_cost=UNREACHED_S, time_limit_s=limit)
        seconds, used = time.perf_counter() - clock, time.process_time() - begun
        print(
            f"| {limit:g} s | {seconds:.2f} | {used:.2f} | {found.objective:,.0f} | {found.bound:,.0f} "
            f"| {found.gap:.2%} |",
            flush=True,
        )


def _told(case: str, rows: list[tuple[str, Callable[[], Answer]]], limit_s: float) -> None:
    """
    Warm up, run each once (the first five times, its median counts), print.

    What did not finish within the limit has taken at least that long: its ratios are lower bounds.
    """
    rows[0][1]()
    base: tuple[float, float] | None = None
    for k, (who, run) in enumerate(rows):
        taken = []
        for _ in range(1 if k else 5):
            clock, begun = time.perf_counter(), _processor_s()
            answer = run()
            taken.append((_processor_s() - begun, time.perf_counter() - clock))
        used, seconds = sorted(taken)[len(taken) // 2]
        base = base or (seconds, used)
        is_cut = k > 0 and (seconds >= limit_s or np.isnan(answer.value))
        sign, told = ("> ", f"{who}, did not finish in {limit_s:g} s") if is_cut else ("", who)
        bound = "none" if answer.bound is None else f"{answer.bound:,.3f}"
        gap = "none" if answer.bound is None else f"{abs(answer.value - answer.bound) / abs(answer.bound):.2%}"
        print(
            f"| {case} | {told} | {seconds:.4f} | {sign}{seconds / base[0]:,.0f} | {used:.4f} "
            f"| {sign}{used / base[1]:,.0f} | {answer.value:,.3f} | {bound} | {gap} |",
            flush=True,
        )


def _processor_s() -> float:
    """Processor seconds of this process and of those that it waited for (CBC, and HiGHS where it runs apart)."""
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + child.ru_utime + child.ru_stime


# -------------------------------------------------------------------------------------------------------- peers
def _spopt(
    model: str, cost: Floats, weight: Floats | None, p: int, limit_s: float
) -> Iterator[tuple[str, Callable[[], Answer]]]:
    """Yield spopt's model with each of its free solvers; build and solve. It says no bound."""
    try:
        kind = getattr(importlib.import_module("spopt.locate"), model)
        pulp = importlib.import_module("pulp")
    except ImportError:
        return
    given = [cost, p] if weight is None else [cost, weight, p]
    makers = {
        "CBC": lambda: pulp.PULP_CBC_CMD(msg=False, timeLimit=limit_s),
        "HiGHS": lambda: pulp.HiGHS(msg=False, timeLimit=limit_s),
    }
    for name, make in makers.items():
        if not make().available():
            continue

        def run(make: Callable[[], Any] = make) -> Answer:
            built = kind.from_cost_matrix(*given)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    built.solve(make())
            except RuntimeError:  # spopt's word for a time limit without an answer
                return Answer(np.nan, None)
            return Answer(float(pulp.value(built.problem.objective)), None)

        yield name, run


def _dense(cost: Any) -> Floats:  # noqa: ANN401
    dense = np.full(cost.shape, UNREACHED_S)
    pairs = cost.tocoo()
    dense[pairs.coords] = pairs.data
    return dense


# ---------------------------------------------------------------------------------------------------- instances
def or_graph(n: int, *, seed: int) -> Floats:
    """Return shortest paths in a graph of the shape of OR-Library's: n * n / 50 edges of lengths 1 to 100."""
    rng = np.random.default_rng(seed)
    m = n * n // 50 - (n - 1)
    a = np.concatenate([np.arange(1, n), rng.integers(0, n, m)])
    b = np.concatenate([[rng.integers(0, i) for i in range(1, n)], rng.integers(0, n, m)])
    length = np.zeros((n, n))
    length[a, b] = length[b, a] = rng.integers(1, 101, a.size)
    np.fill_diagonal(length, 0)
    return shortest_path(length, directed=False)


def city(n_demand: int, n_site: int, *, n_junction: int = 100_000) -> tuple[Any, Floats]:
    """Return seconds by e-bike to sites on the streets of a made-up city, up to 15 minutes, and weights."""
    rng = np.random.default_rng(1)
    network = superblock_city(n_junction)
    sites, demand = _on_streets(network, n_site, rng), _on_streets(network, n_demand, rng)
    served_by = Facilities(gpd.GeoDataFrame(geometry=gpd.points_from_xy(*sites.xy.T), crs=network.crs))
    times = times_between(network, demand, served_by, sites, limit_ms=int(CUTOFF_S * 1000), direction="to")
    cost = sparse.csr_array(
        (times.seconds, times.facility.astype(np.int64), times.start.astype(np.int64)),
        shape=(n_demand, n_site),
    )
    return cost.sorted_indices(), rng.integers(1, 101, n_demand).astype(np.float64)


def _on_streets(network: Network, n: int, rng: np.random.Generator) -> Positions:
    length = network.length_m
    edge, fraction = rng.choice(length.size, n, p=length / length.sum()), rng.random(n)
    a, b = network.node_xy[network.tail[edge]], network.node_xy[network.head[edge]]
    xy = a + fraction[:, None] * (b - a)
    return Positions(ids=pd.RangeIndex(n), edge=edge, fraction=fraction, offset_m=np.zeros(n), xy=xy)


if __name__ == "__main__":
    main()
