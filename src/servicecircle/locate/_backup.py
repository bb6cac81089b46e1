r"""
Backup covering: what the second open option within reach is worth.

.. math::
    z_{il} + u_{il} \le z_{i,l-1} + u_{i,l-1} + \sum_{j: w_{ij} = \omega_{il}} y_j,\quad u_{il} \le z_{il}
    \quad(\text{and } z_{il} \ge y_j \text{ where } w_{ij} \ge \omega_{il})

:math:`u_{il}` says that the second best open option of row *i* reaches its level *l*; the objective is
:math:`\alpha_1 \sum a_i \delta_{il} z_{il} + \alpha_2 \sum a_i \delta_{il} u_{il}`. With worths 0 and 1 this is
BACOP2 of Hogan and ReVelle (1986), Concepts and applications of backup coverage, Management Science 32, 1434-1444.
With seats, the second cover asks for reach only: it takes no seat.
"""

from __future__ import annotations

import numpy as np

from .._validate import IntArray
from ._decay import Levels
from ._siting_form import Draft


def add_covers(
    draft: Draft, levels: Levels, y: IntArray, *, is_first_worth_more: bool
) -> tuple[IntArray, IntArray]:
    """
    Add whether each level is reached once, and twice, and return both columns.

    Where the second cover counts more than the first in this program, an open option must count as a first cover:
    half a first and half a second cover by one option would look better than a full first one.
    """
    z = draft.variables(levels.row.size)
    u = draft.variables(levels.row.size)
    at = np.arange(z.size)
    has = levels.better >= 0
    above = levels.better[has]
    draft.rows(
        np.zeros(z.size),
        (at, z, 1.0),
        (at, u, 1.0),
        (at[has], z[above], -1.0),
        (at[has], u[above], -1.0),
        (levels.pair, y[levels.option], -1.0),
        rule="covers",
        of=at,
    )
    draft.rows(np.zeros(z.size), (at, u, 1.0), (at, z, -1.0))
    if not is_first_worth_more:
        pair = np.arange(levels.pair.size)
        draft.rows(np.zeros(pair.size), (pair, y[levels.option], 1.0), (pair, z[levels.pair], -1.0))
        draft.rows(np.zeros(above.size), (at[: above.size], z[above], 1.0), (at[: above.size], z[has], -1.0))
    return z, u
