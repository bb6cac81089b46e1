"""One run of HiGHS: arrays in, arrays out. As a script, a process of its own, killed by whoever waits no longer."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

#: seconds between looks at whether anybody still waits
_LOOK_S = 0.5


def solve(given: dict[str, Any]) -> dict[str, Any]:
    """
    Solve a program; `nan` and empty arrays for what HiGHS does not say.

    One without whole numbers has upper limits of rows only; what these are worth is told as `price`.
    """
    matrix = sparse.csr_array((given["data"], given["indices"], given["indptr"]), shape=tuple(given["shape"]))
    limit_s = float(given["time_limit_s"])
    options: Any = {} if np.isinf(limit_s) else {"time_limit": max(limit_s, 0.0)}
    price = np.zeros(0)
    result: Any
    if given["is_whole"].any():
        result = milp(
            given["cost"],
            integrality=given["is_whole"].astype(np.int64),
            bounds=Bounds(given["lower"], given["upper"]),
            constraints=LinearConstraint(matrix, given["row_lower"], given["row_upper"]) if matrix.shape[0] else (),
            options=options | {"mip_rel_gap": float(given["gap"])},
        )
        bound = result.mip_dual_bound
    else:
        call: Any = linprog
        bounds = np.stack([given["lower"], given["upper"]], axis=1)
        result = call(given["cost"], A_ub=matrix, b_ub=given["row_upper"], bounds=bounds, options=options)
        bound = result.fun if result.status == 0 else None
        price = np.zeros(0) if result.status else np.maximum(-np.asarray(result.ineqlin.marginals), 0.0)
    return {
        "status": int(result.status),
        "message": str(result.message),
        "x": np.zeros(0) if result.x is None else np.asarray(result.x, np.float64),
        "fun": np.nan if result.fun is None else float(result.fun),
        "bound": np.nan if bound is None else float(bound),
        "price": price,
    }


def _end_with(parent: int) -> None:
    """End this process once `parent` has: killed, it cannot say so. HiGHS lets other threads run."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


def _answer_channel() -> int:
    """Return where the answer goes. What HiGHS prints, from C and past its options, goes to the errors instead."""
    channel = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return channel


def main() -> None:
    """Read a program, solve it in what is left of its time, write the answer."""
    channel = _answer_channel()
    if os.name == "posix":  # elsewhere the number of a parent says nothing of its life
        threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    given = dict(np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False))
    given["time_limit_s"] -= max(time.time() - given.pop("sent_at"), 0.0)  # this process took time to start
    out = io.BytesIO()
    np.savez(out, **solve(given))
    with os.fdopen(channel, "wb") as answer:
        answer.write(out.getvalue())


if __name__ == "__main__":
    main()
