"""Parts of the formulas of distributions, written so that no intermediate result overflows or cancels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

Array = Any

GONE = 800.0
"""exp(-GONE) is 0 in every precision."""


def bounded_exp(x: Array) -> Array:
    """exp(x), whose slope is 0 where the value is, also where x is -inf or has an infinite slope.

    >>> bounded_exp(np.array([0.0, -np.inf])).tolist()
    [1.0, 0.0]
    """
    return np.exp(np.where(x < -GONE, -GONE, x))


def log_one_less_exp(t: Array) -> Array:
    """log(1 - exp(-u)) for u = exp(t), with all digits near both ends: from t = -inf on.

    Source: M. Maechler, "Accurately computing log(1 - exp(-|a|))" (2012).

    >>> log_one_less_exp(np.array([-2000.0, -1.0])).round(4).tolist()
    [-2000.0, -1.1783]
    """
    near = t < math.log(math.log(2.0))
    small = np.where(near, t, -1.0)
    large = np.exp(np.where(near | (t > math.log(GONE)), math.log(GONE), t))
    return np.where(near, small + np.log(special.exprel(-np.exp(small))), np.log1p(-np.exp(-large)))


def finite(log_density: Callable[..., Any]) -> Callable[..., Any]:
    """The logarithm of a density on the whole line, -inf with the derivative 0 at its ends.

    >>> finite(lambda z: -np.log(np.hypot(1.0, z)))(np.array([0.0, np.inf])).tolist()
    [-0.0, -inf]
    """

    def whole(z: Array, *shapes: Array) -> Array:
        end = np.isinf(z)
        return np.where(end, -math.inf, log_density(np.where(end, 0.0, z), *shapes))

    return whole
