"""Slopes that a convention sets, at points where a function has none.

``abs`` has slope 0 at 0, and elements that tie for a maximum share its slope.  That is a choice for the first
derivative.  The choice has no derivative itself: differentiated as a constant it would make the second derivative of
``abs(x) ** 2`` at 0 a wrong number, 0 in place of 2.  So the rules that choose say so, and there the second derivative
is NaN.  What is chosen consistently on one side of a kink, as by ``relu`` and ``clip``, needs none of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..primitive import positive, real
from ..registering import elementwise
from ..structural import revived
from ..tensor import Tensor

Array = Any


def conventional(slope: Array, x: Array, smooth: Array) -> Array:
    """The slope as it is, whose derivative by x is NaN where the function is not ``smooth``.

    A zero that a convention sets there is none of selection.
    """
    shape = np.broadcast_shapes(np.shape(slope), np.shape(x), np.shape(smooth))
    return revived(np.positive(slope if np.shape(slope) == shape else np.broadcast_to(slope, shape)), smooth)


conventional = elementwise(
    conventional,
    lambda g: g,
    lambda g, smooth: np.where(smooth, 0.0, g) * np.where(smooth, 0.0, np.nan).astype(g.dtype),
    None,
    parameters=("slope", "x", "smooth"),
    domain=(real, real, positive),
    method="",
)


def by_convention(slope: Array, of: tuple[Array, ...], kink: Callable[[], tuple[Array, Array]]) -> Array:
    """A slope that is a convention at kinks.

    ``kink`` gives a number that changes with all that meets there, and where the function is smooth.  It is asked only
    in a pass that will be differentiated, where one of the arrays ``of`` is a Tensor: plain passes pay nothing.
    """
    if not any(isinstance(x, Tensor) for x in of):
        return slope
    return conventional(slope, *kink())
