"""Each question of the combined siting model on a made-up town: seconds, objective, bound and gap."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from servicecircle.locate import Phase, Siting, WorthCurve, pairs_nearer_than, solve_siting, worth_of

SIDE_M, WALK_M_S = 5000.0, 1.1


def questions(n_demand: int, n: int, seed: int) -> dict[str, Siting]:
    """Return one question for each model, and one with nearly all at once."""
    rng = np.random.default_rng(seed)
    at, sites = rng.uniform(0, SIDE_M, (n_demand, 2)), rng.uniform(0, SIDE_M, (n, 2))
    seconds = np.abs(at[:, None] - sites[None]).sum(axis=2) / WALK_M_S
    circle, decay = WorthCurve((900,), (1.0,)), WorthCurve((600, 900), (1.0, 0.0), is_stepped=False)
    weight = rng.integers(1, 40, n_demand).astype(float)
    cost, seats = rng.integers(20, 100, n) * 1000.0, rng.integers(200, 1200, n).astype(float)
    zone = (at // (SIDE_M / 5)).astype(int) @ [5, 1]
    closures = [worth_of(seconds * np.where(rng.random(seconds.shape) < 0.2, 1.6, 1.0), circle) for _ in range(4)]
    both = worth_of(np.hstack([seconds, seconds * 1.8]), circle)
    kinds = {"place": [*range(n)] * 2, "kind": [0] * n + [1] * n, "cost": np.r_[cost, cost * 0.3]}
    worth, soft = worth_of(seconds, circle), worth_of(seconds, decay)

    def ask(of: Any = worth, **rules: Any) -> Siting:  # noqa: ANN401
        return Siting(worth=of, weight=weight, **rules)

    return {
        "covering": ask(p=10),
        "decay, linear": ask(soft, p=10),
        "budget": ask(cost=cost, budget=400_000.0),
        "kinds and budget": ask(both, budget=400_000.0, p=[6, 12], **kinds),
        "seats": ask(p=10, capacity=seats),
        "seats and decay": ask(soft, p=10, capacity=seats),
        "backup": ask(p=10, backup=(1.0, 0.5)),
        "floor": ask(p=16, zone=zone, floor=0.3),
        "worst zone first": ask(p=16, zone=zone, fair=True),
        "spacing": ask(p=10, conflicts=pairs_nearer_than(sites, 800.0)),
        "moves": ask(p=12, existing=list(range(8)), max_closed=3),
        "phases": ask(phases=[Phase(2), Phase(5), Phase(10)]),
        "closures, average": ask(p=10, others=closures),
        "closures, worst": ask(p=10, others=closures, robust=1.0),
        "closures, mix": ask(p=10, others=closures, robust=0.5),
        "nearly all": ask(
            soft, p=14, cost=cost, budget=700_000.0, capacity=seats * 2, backup=(1, 0.25), zone=zone, floor=0.1,
            conflicts=pairs_nearer_than(sites, 500.0), existing=[0, 1, 2, 3], max_closed=1, others=closures[:1],
            robust=0.5,
        ),
    }  # fmt: skip


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--options", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for each question")
    given = parser.parse_args()
    print("| question | wall, s | processor, s | objective | bound | gap | |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for name, question in questions(given.rows, given.options, given.seed).items():
        wall, used = time.perf_counter(), time.process_time()
        plan = solve_siting(question, time_limit_s=given.limit)
        wall, used = time.perf_counter() - wall, time.process_time() - used
        told = f"{plan.objective:,.1f} | {plan.bound:,.1f} | {plan.gap:.2%} | {plan.status}"
        print(f"| {name} | {wall:.2f} | {used:.2f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
