"""Does the gradient around x account for how the function changes around x?

The mean of the slopes that a gradient gives along a segment is the slope of the chord, if the gradient is right.  Where
differences settle on a number that is no slope (a function that swings faster than most steps), this tells a bad step
from a wrong gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..thresholds import AGREE, CLEAR_STEPS, NEGLIGIBLE
from .line import Row

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
AT_X = np.linalg.solve(np.vander(NODES, increasing=True).T, np.eye(8)[0])
"""The polynomial through the values at the nodes, taken in the middle of the segment."""
UNSETTLED = "the slopes do not settle on one number; over the finest clear steps f changes as its gradient says"


def accounts(rows: list[Row], error: float, analytic: float, slope: Callable[[float], Any]) -> bool:
    """Whether ``slope(t)``, what the gradient says of the slope at x + t u, accounts for one of the finest clear steps.

    Clear is a step whose noise is small beside the ``error`` in question.  The slopes must run through the one at x, so
    that a gradient wrong at x alone does not pass, and vary little, so that nothing cancels in their mean.
    """
    clear = [row for row in rows if AGREE * row.noise < error / 4]
    return any(_accounts(row, error, analytic, slope) for row in clear[: -1 - CLEAR_STEPS : -1])


def _accounts(row: Row, error: float, analytic: float, slope: Callable[[float], Any]) -> bool:
    slopes = np.array([slope(t * row.step) for t in NODES])
    steady = np.all(np.abs(slopes - analytic) <= abs(analytic) / 2)
    through = abs(AT_X @ slopes - analytic) <= error * NEGLIGIBLE
    return bool(steady and through and abs(WEIGHTS @ slopes / 2 - row.central) <= error / 4)
