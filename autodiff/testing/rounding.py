"""How large are the numbers that are rounded inside of a function?

Each operation's result is rounded by a unit of its own size; what that does to the output is the cotangent of the
result times this.  So one backward pass tells how far rounding may move the values of the whole function.

Source: M. Iri, "Simultaneous computation of functions, partial derivatives and estimates of rounding errors", 1984.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Parts, topological_order
from ..tensor import ITEM, Tensor
from .line import norm
from .precision import gradient_of, seeded
from .problem import Problem
from .trace import Trace, operation_node

Array = Any


class _Results(Trace):
    """What each operation gave, as a list of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[Any, list[Any]] = {}

    def saw(self, primitive: Any, args: Any, kwargs: Any, result: Any) -> None:
        parts = result if isinstance(result, tuple) else (result,)
        self.of[operation_node(result)] = [getattr(part, "_value", part) for part in parts]


def size_inside(problem: Problem, weights: Array) -> float:
    """The norm, over all operations, of result times cotangent: times the precision, the rounding of <weights, F>."""
    if problem.given_gradient is not None:
        return 0.0
    tensors = [Tensor(a) for a in problem.arrays(problem.x)]
    with _Results() as results:
        _, seeds = seeded(problem, tensors, weights)
    sizes: dict[Any, float] = {}
    for node in topological_order(seeds, {t._node for t in tensors}):
        if node in results.of and node.primitive is not ITEM:
            for edge in node.edges:
                edge[1] = _weighed(edge[1], node, results.of[node], sizes)
    with np.errstate(all="ignore"):
        gradient_of(problem, tensors, seeds, create=False)
    return norm(np.array([size for size in sizes.values() if np.isfinite(size)]))


def _weighed(function: Any, node: Any, values: list[Any], sizes: dict[Any, float]) -> Any:
    """A rule, and a look at the size of its operation's result times the cotangent."""

    def weighed(g: Any, *saved: Any) -> Any:
        if node not in sizes:
            pairs = g.known.items() if isinstance(g, Parts) else [(0, g)]
            sizes[node] = norm(np.array([norm(np.abs(np.ravel(part * values[i]))) for i, part in pairs]))
        return function(g, *saved)

    return weighed
