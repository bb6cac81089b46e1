"""One run of HiGHS as a process of its own: arrays in, arrays out; killed by whoever waits no longer."""

from __future__ import annotations

import io
import sys

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp


def main() -> None:
    """Read a program, solve it, write what HiGHS says; `nan` and no vector for what it does not."""
    given = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
    matrix = sparse.csr_array((given["data"], given["indices"], given["indptr"]), shape=tuple(given["shape"]))
    result = milp(
        given["cost"],
        integrality=given["is_whole"].astype(np.int64),
        bounds=Bounds(given["lower"], np.ones(given["cost"].size)),
        constraints=LinearConstraint(matrix, given["row_lower"], given["row_upper"]),
        options={"mip_rel_gap": float(given["gap"]), "time_limit": float(given["time_limit_s"])},
    )
    out = io.BytesIO()
    np.savez(
        out,
        status=result.status,
        message=str(result.message),
        x=np.zeros(0) if result.x is None else result.x,
        fun=np.nan if result.fun is None else result.fun,
        mip_dual_bound=np.nan if result.mip_dual_bound is None else result.mip_dual_bound,
    )
    sys.stdout.buffer.write(out.getvalue())


if __name__ == "__main__":
    main()
