"""Maximal covering and set covering beside spopt (CBC, HiGHS) and plain HiGHS: build, solve, gap; and at scale."""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import locate_cases as cases
from benchmarks.locate_cases import Instance
from servicecircle.locate import lscp, mclp


@dataclass(frozen=True)
class Answer:
    """What a solver gives; nan where it says nothing."""

    value: float
    bound: float
    build_s: float = 0.0


def ours(instance: Instance, limit_s: float | None, *, is_set: bool) -> Answer:
    """Return this project's answer, from the coverage matrix on."""
    if is_set:
        solution = lscp(instance.covers, time_limit_s=limit_s)
    else:
        solution = mclp(instance.covers, instance.weight, instance.p, time_limit_s=limit_s)
    return Answer(solution.objective, solution.bound)


def plain_highs(instance: Instance, limit_s: float | None, *, is_set: bool) -> Answer:
    """Return the textbook model's answer by scipy.optimize.milp (HiGHS)."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    began = time.process_time()
    covers = instance.covers.astype(np.float64)
    n_row, n = covers.shape
    options = {} if limit_s is None else {"time_limit": limit_s}
    if is_set:
        cost, rule = np.ones(n), LinearConstraint(covers, 1.0, np.inf)
        is_whole = np.ones(n)
    else:
        cost = np.concatenate([np.zeros(n), -instance.weight])
        count = sparse.hstack([sparse.csr_array(np.ones((1, n))), sparse.csr_array((1, n_row))])
        rows = sparse.vstack([sparse.hstack([-covers, sparse.eye_array(n_row)]), count], format="csr")
        rule = LinearConstraint(rows, -np.inf, np.append(np.zeros(n_row), instance.p))
        is_whole = np.append(np.ones(n), np.zeros(n_row))
    build_s = time.process_time() - began
    found = milp(cost, integrality=is_whole, bounds=Bounds(0, 1), constraints=rule, options=options)
    sign = 1.0 if is_set else -1.0
    value = np.nan if found.fun is None else sign * found.fun
    bound = np.nan if found.mip_dual_bound is None else sign * found.mip_dual_bound
    return Answer(value, bound, build_s)


def spopt(solver: str) -> Callable[..., Answer]:
    """Return spopt's answer by a solver of PuLP."""

    def run(instance: Instance, limit_s: float | None, *, is_set: bool) -> Answer:
        import pulp
        from spopt.locate import LSCP, MCLP

        began = time.process_time()
        cost = np.where(instance.covers.toarray(), 1.0, 9.0)
        if is_set:
            model: Any = LSCP.from_cost_matrix(cost, 2.0)
        else:
            model = MCLP.from_cost_matrix(cost, instance.weight, 2.0, instance.p)
        build_s = time.process_time() - began
        own = pulp.PULP_CBC_CMD if solver == "CBC" else pulp.HiGHS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.solve(own(msg=False, timeLimit=limit_s))
        return Answer(float(model.problem.objective.value()), np.nan, build_s)

    return run


def measured(run: Callable[..., Answer], instance: Instance, limit_s: float | None, *, is_set: bool) -> list[str]:
    """Return a row of the table: clock, processor (children too), of it the build, value, bound, gap."""
    clock, cpu = time.perf_counter(), _cpu_s()
    answer = run(instance, limit_s, is_set=is_set)
    took, cpu_s = time.perf_counter() - clock, _cpu_s() - cpu
    gap = abs(answer.bound - answer.value) / max(abs(answer.bound), 1e-12)
    said = ["?", "?"] if np.isnan(answer.bound) else [f"{answer.bound:,.0f}", f"{gap:.2%}"]
    return [f"{took:.3f}", f"{cpu_s:.3f}", f"{answer.build_s:.3f}", f"{answer.value:,.0f}", *said]


def _cpu_s() -> float:
    """Processor seconds of this process and of those that it waited for (CBC is one)."""
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + child.ru_utime + child.ru_stime


def compare(kind: str, instance: Instance, *, limit_s: float | None, peer_limit_s: float, with_peers: bool) -> None:
    """Print a row for each solver; ours has run once before, since the first run compiles."""
    is_set = kind == "set"
    runs: list[tuple[str, Callable[..., Answer], float | None]] = [("servicecircle", ours, limit_s)]
    ours(instance, 1.0, is_set=is_set)
    if with_peers:
        runs.append(("plain HiGHS (SciPy)", plain_highs, peer_limit_s))
        runs += [(f"spopt + {solver}", spopt(solver), peer_limit_s) for solver in ("CBC", "HiGHS")]
    for name, run, limit in runs:
        try:
            cells = measured(run, instance, limit, is_set=is_set)
        except ImportError as error:
            cells = [f"not installed: {error.name}", *[""] * 5]
        told = "" if limit is None else f" ({limit:g} s)"
        print(f"| {kind} covering: {instance.name} | {name}{told} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print one markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", action="store_true", help="the large rows too: minutes, and some 4 GB")
    parser.add_argument("--no-peers", action="store_true", help="this project alone")
    parser.add_argument("--only", choices=["random", "city"], help="these instances alone")
    parser.add_argument(
        "--peer-limit", type=float, default=60.0, help="seconds for each peer (default %(default)s)"
    )
    asked = parser.parse_args()
    print("| case | who (limit) | clock s | processor s | build s | value | bound | gap |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    peers = {"with_peers": not asked.no_peers, "peer_limit_s": asked.peer_limit}
    for name, make in (("random", cases.random_discs), ("city", cases.city_times)):
        if asked.only not in (None, name):
            continue
        instance = make("500 x 5k")
        compare("maximal", instance, limit_s=None, **peers)
        compare("set", cases.covering_all(instance), limit_s=asked.peer_limit, **peers)
    if asked.scale:
        peers["with_peers"] = False
        city = cases.city_times("2k x 50k")
        for limit_s in (10.0, 60.0):
            compare("maximal", city, limit_s=limit_s, **peers)
        compare("set", cases.covering_all(city), limit_s=30.0, **peers)
        compare("maximal", cases.random_discs("2k x 50k"), limit_s=60.0, **peers)
        compare("maximal", cases.city_times("5k x 200k"), limit_s=45.0, **peers)
        compare("maximal", cases.square(10_000_000), limit_s=None, **peers)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory of the whole run: {peak_mb:,.0f} MB")


if __name__ == "__main__":
    main()
