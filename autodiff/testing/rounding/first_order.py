"""The error of a function's values by the rounding of its operations, to first order.

The result of each operation has a relative error of one unit of its precision.  The effect on the output is this error
times the cotangent of the result.  So one backward pass gives the error of the whole function.

Source: M. Iri, "Simultaneous computation of functions, partial derivatives and estimates of rounding errors", 1984.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...graph import Edge, Parts
from ...tensor import value_of
from ..problem import Problem
from ..thresholds import EPSILON
from ..tracing.backward import watched_pass
from ..tracing.examples import numbers
from ..tracing.trace import Trace, operation_node
from ..vectors import norm

Array = Any


class _Results(Trace):
    """The outputs of each operation."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[Any, list[Any]] = {}

    def saw(self, primitive: Any, args: Any, kwargs: Any, result: Any) -> None:
        parts = result if isinstance(result, tuple) else (result,)
        self.of[operation_node(result)] = [value_of(part) for part in parts]


class Rounding(NamedTuple):
    """The rounding error of <weights, F>, and whether single precision or less takes part."""

    size: float
    narrow: bool


def rounding_inside(problem: Problem, weights: Array) -> Rounding | None:
    """The norm, over all operations, of result times cotangent times precision; None of a function without Tensors.

    It is zero where no operation has a derivative.
    """
    sizes: dict[Any, float] = {}
    results = _Results()

    def weighed(function: Any, edge: Edge, g: Any, saved: Any) -> Any:
        values = results.of.get(edge.node)
        if values is not None and edge.node not in sizes:
            sizes[edge.node] = _weight(g, values)
        return function(g, *saved)

    try:
        with results:
            watched_pass(problem, weights, weighed)
    except Exception:
        if problem.given_gradient is None:  # f may be a function of arrays alone, where its gradient is given
            raise
        return None
    if not results.of:
        return None
    kinds = [v.dtype for values in results.of.values() for v in values]
    narrow = any(kind.kind in "fc" and np.finfo(kind).eps > EPSILON for kind in kinds)
    return Rounding(norm(np.array([size for size in sizes.values() if np.isfinite(size)])), narrow)


def _weight(g: Any, values: list[Any]) -> float:
    """The rounding of an operation's results times their cotangents."""
    units = [float(np.finfo(v.dtype).eps) if v.dtype.kind in "fc" else 0.0 for v in values]
    pairs = g.known.items() if isinstance(g, Parts) else [(0, g)]
    return norm(np.array([units[i] * norm(np.abs(np.ravel(numbers(part * values[i])))) for i, part in pairs]))
