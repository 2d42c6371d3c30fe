"""Slopes that a convention sets, at points where a function has none.

``abs`` has slope 0 at 0, and elements that tie for a maximum share its slope.  That is a choice for the first
derivative.  The choice has no derivative itself: differentiated as a constant it would make the second derivative of
``abs(x) ** 2`` at 0 a wrong number, 0 in place of 2.  So the rules that choose say so, and there the second derivative
is NaN.  What is chosen consistently on one side of a kink, as by ``relu`` and ``clip``, needs none of this.

Nor is the choice a factor of a second derivative: that of ``abs(x) * z`` by x and z is 1 or -1 beside x = 0, not 0.
So there the derivative by the cotangent that the slope is multiplied by is NaN too (:func:`crossing`).  The trick
behind ``jvp`` differentiates by cotangents for the sake of first derivatives: it says so (:func:`transposing`).
In the other order, by z and then by x, it is the first derivative of ``abs(x)``, which is 0: ``hessian`` and ``hvp``
look at both orders where an operation meets a kink (:func:`meets_kinks`).
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
    """A context: what is pulled back inside is a pullback, by its cotangents, for a derivative of the first order."""
    return switched(_transposing, True)


def conventional(slope: Array, x: Array, smooth: Array) -> Array:
    """The slope as it is, whose derivative by x is NaN where the function is not ``smooth``.

    A zero that a convention sets there is none of selection.
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
    """The cotangent as it is, whose derivative is NaN where it is multiplied by a slope that a convention sets."""
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
    """Whether one of these operations stands for a slope that a convention sets, as far as values can be looked at."""
    for node in nodes:
        if node.primitive in _KINKED:
            for edge in node.edges:
                for smooth in map(every, edge.saved or ()):
                    if isinstance(smooth, np.ndarray | np.generic) and not np.all(smooth):
                        return True
    return False


def across(g: Array, of: tuple[Array, ...], smooth: Callable[[], Array]) -> Array:
    """A cotangent that is multiplied by a slope, a convention where the function is not ``smooth``."""
    return crossing(g, smooth()) if any(isinstance(x, Tensor) for x in of) else g


def by_convention(slope: Array, of: tuple[Array, ...], kink: Callable[[], tuple[Array, Array]]) -> Array:
    """A slope that is a convention at kinks.

    ``kink`` gives a number that changes with all that meets there, and where the function is smooth.  It is asked only
    in a pass that will be differentiated, where one of the arrays ``of`` is a Tensor: plain passes pay nothing.
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
