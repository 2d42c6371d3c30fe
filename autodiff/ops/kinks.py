"""Slopes by convention, at points where a function has none.

``abs`` has slope 0 at 0, and elements that tie for a maximum share its slope.  That is a convention for the first
derivative.  A convention has no derivative itself: as a constant, it would make the second derivative of ``abs(x) **
2`` at 0 a wrong number, 0 instead of 2.  So the rules mark such slopes, and the second derivative is NaN there.  A
slope that continues the function on one side of the kink, as in ``relu`` and ``clip``, needs none of this.

The convention is not a factor of a second derivative either: the derivative of ``abs(x) * z`` by x and z is 1 or -1
beside x = 0, and not 0.  So the derivative with respect to the cotangent that multiplies such a slope is NaN there too
(:func:`crossing`).  ``jvp`` differentiates with respect to cotangents to find first derivatives; it says so by
:func:`transposing`.  In the other order, by z and then by x, it is the first derivative of ``abs(x)``, which is 0.  So
``hessian`` and ``hvp`` compute both orders if an operation meets a kink (:func:`meets_kinks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..arrays import cast
from ..examples import every
from ..node import Node
from ..primitive import positive, real, registry
from ..recording import original
from ..registering import elementwise
from ..structural import revived
from ..switching import switched
from ..tensor import Tensor

Array = Any

_transposing: ContextVar[bool] = ContextVar("autodiff_transposing", default=False)


def transposing() -> switched:
    """A context: the pass inside differentiates a pullback with respect to cotangents, for a first derivative."""
    return switched(_transposing, True)


def conventional(slope: Array, x: Array, smooth: Array) -> Array:
    """The slope unchanged; its derivative with respect to x is NaN where the function is not ``smooth``.

    A zero by convention is not structural.
    """
    shape = np.broadcast_shapes(np.shape(slope), np.shape(x), np.shape(smooth))
    return revived(np.positive(slope if np.shape(slope) == shape else np.broadcast_to(slope, shape)), smooth)


conventional = elementwise(
    conventional,
    lambda g: g,
    lambda g, smooth: np.where(smooth, 0.0, g) * cast(np.where(smooth, 0.0, np.nan), g.dtype),
    None,
    parameters=("slope", "x", "smooth"),
    domain=(real, real, positive),
    method="",
)


def crossing(to: Array, smooth: Array) -> Array:
    """The cotangent unchanged; its derivative is NaN where it is multiplied by a slope by convention."""
    if smooth.dtype.kind not in "biufc":  # only the rule looks at the values
        raise TypeError("smooth says where a function is smooth, by truth values or numbers")
    shape = np.broadcast_shapes(np.shape(to), np.shape(smooth))
    return np.positive(to if np.shape(to) == shape else np.broadcast_to(to, shape))


def _crossed(g: Array, smooth: Array) -> Array:
    return crossing(g, smooth) if _transposing.get() else g * cast(np.where(smooth, 1.0, np.nan), g.dtype)


crossing = elementwise(
    crossing,
    lambda g, smooth: _crossed(g, smooth),
    None,
    parameters=("to", "smooth"),
    domain=(real, positive),
    method="",
)


_KINKED = [registry[original(function)] for function in (conventional, crossing)]


def meets_kinks(nodes: Iterable[Node]) -> bool:
    """Whether one of these operations is a slope by convention, as far as values can be read."""
    for node in nodes:
        if node.primitive in _KINKED:
            for edge in node.edges:
                for smooth in map(every, edge.saved or ()):
                    if isinstance(smooth, np.ndarray | np.generic) and not np.all(smooth):
                        return True
    return False


def across(g: Array, of: tuple[Array, ...], smooth: Callable[[], Array]) -> Array:
    """A cotangent that is multiplied by a slope, which is a convention where the function is not ``smooth``."""
    return crossing(g, smooth()) if any(isinstance(x, Tensor) for x in of) else g


def by_convention(slope: Array, of: tuple[Array, ...], kink: Callable[[], tuple[Array, Array]]) -> Array:
    """A slope that is a convention at kinks.

    ``kink`` returns a number that changes with all values that meet there, and where the function is smooth.  It is
    called only in a recorded pass, where one of the arrays ``of`` is a Tensor.  Plain passes pay nothing.
    """
    if not any(isinstance(x, Tensor) for x in of):
        return slope
    return conventional(slope, *kink())


def direction(x: Array) -> Array:
    """The derivative of abs: the sign of a real x, conj(x) / |x| of a complex one, 0 by convention at 0."""
    return by_convention(unit(x), (x,), lambda: (x, x != 0))


def along(g: Array, x: Array) -> Array:
    """``g`` times the derivative of abs."""
    return across(g, (x,), lambda: x != 0) * direction(x)


def unit(x: Array) -> Array:
    """The sign of a real x, conj(x) / |x| of a complex one, 0 at 0."""
    if x.dtype.kind != "c":
        return np.sign(x)
    length = np.abs(x)
    return np.conjugate(x) / np.where(length == 0, 1.0, length)
