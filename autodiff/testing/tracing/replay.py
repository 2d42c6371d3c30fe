"""Whether the graph of a function contains all that the function does with its arguments.

The operations of one call are repeated in order at another point.  Values from outside of the graph (``.data``,
``.item()``, ``stop_gradient``, ``no_grad``) keep their old value.  If the result differs from that of the function, a
detached part explains a wrong gradient, and not a rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Node
from ...primitive import Primitive
from ...tensor import Tensor
from ...tree import flatten
from ..problem import Problem
from .examples import numbers
from .trace import Trace

Array = Any
STEP = 2.0**-12


class _UnseenError(Exception):
    """A value whose origin is not known."""


class _Log(Trace):
    """Every operation of a call, with its arguments and results."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Primitive, tuple[Any, ...], dict[str, Any], Any]] = []

    def saw(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Keep one operation."""
        self.steps.append((primitive, args, kwargs, result))


def _replaced(value: Any, known: dict[Node, Array]) -> Any:
    """An argument with its Tensors replaced by their values at the other point."""
    if type(value) is Tensor:
        if value._node in known:  # a rule gets what it saved as another Tensor of the same node
            return known[value._node]
        if value._node.primitive is not None and value._node.active:
            raise _UnseenError  # a variable that is none of the arguments stays what it is
        return value._value
    return type(value)([_replaced(v, known) for v in value]) if type(value) in (list, tuple) else value


def _replayed(problem: Problem, x: Array, moved: Array) -> Array:
    """The outputs at ``moved`` by the operations that were recorded at ``x``."""
    tensors = [Tensor(a) for a in problem.arrays(x)]
    with _Log() as log:
        outputs = flatten(problem.call(list(tensors)))[0]
    known = {t._node: a for t, a in zip(tensors, problem.arrays(moved), strict=True)}
    for primitive, args, kwargs, result in log.steps:
        if primitive.flat:  # its derivative is said to be zero: so it stays
            continue
        again = primitive.call(*_replaced(args, known), **_replaced_in(kwargs, known))
        parts = zip(result, again, strict=True) if isinstance(result, tuple) else [(result, again)]
        known.update((old._node, new) for old, new in parts if old._node.active)
    found = [np.ravel(numbers(_replaced(o, known))) for o in outputs if numbers(o).dtype.kind in "fc"]
    return np.concatenate(found)


def _replaced_in(kwargs: dict[str, Any], known: dict[Node, Array]) -> dict[str, Any]:
    return {name: _replaced(value, known) for name, value in kwargs.items()}


def leaves_the_graph(problem: Problem, direction: Array) -> bool:
    """Whether the function depends on its arguments in ways that its graph does not contain.

    False also where that is not known, as for complex functions.
    """
    if not problem.real or problem.given_gradient is not None:
        return False
    moved = problem.x + STEP * direction
    try:
        with np.errstate(all="ignore"):
            before, after = problem.value(problem.x), problem.value(moved)
            replayed = _replayed(problem, problem.x, moved)
    except Exception:  # whatever happened, it is not known
        return False
    change = float(np.max(np.abs(after - before), initial=0.0))
    return replayed.shape == after.shape and float(np.max(np.abs(replayed - after), initial=0.0)) > 1e-6 * change
