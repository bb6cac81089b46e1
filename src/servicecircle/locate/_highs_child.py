"""One run of HiGHS as a process of its own: arrays in, arrays out; killed by whoever waits no longer."""

from __future__ import annotations

import io
import os
import sys
import threading
import time

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

#: seconds between looks at whether anybody still waits
_LOOK_S = 0.5


def _end_with(parent: int) -> None:
    """End this process once `parent` has: killed, it cannot say so. HiGHS lets other threads run."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


def main() -> None:
    """Read a program, solve it, write what HiGHS says; `nan` and no vector for what it does not."""
    if os.name == "posix":  # elsewhere the number of a parent says nothing of its life
        threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
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
