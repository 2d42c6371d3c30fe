"""Backward passes from a flat vector of weights, in which each rule can be watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backpropagation import backward
from ...graph import Edge, Visit
from ...outputs import ITEM
from ...tensor import Tensor, value_of
from ...transforms.calling import recording
from ...tree import flatten
from ..problem import Problem, cotangents
from .examples import is_array, numbers
from .trace import Trace

Array = Any
Watch = Callable[[Any, Edge, Any, Any], Any]


def watched_pass(problem: Problem, weights: Array, watch: Watch, dtype: Any = None) -> tuple[list[Array], Array]:
    """The outputs and the gradient by a pass in which ``watch(rule, edge, g, saved)`` replaces ``rule(g, *saved)``.

    ``dtype`` "given" is the arguments' own precision.  The rules inside of a checkpoint are replaced as well.
    """
    tensors = [Tensor(a) for a in problem.arrays(problem.x, dtype)]
    outputs, seeds = seeded(problem, tensors, weights)
    with np.errstate(all="ignore"), recording(), _Watched(watch):
        return outputs, gradient_of(problem, tensors, seeds, create=False)


class _Watched(Trace):
    """A mode in whose backward passes another function replaces each rule."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def saw(self, primitive: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Do nothing with an operation."""

    def visiting(self) -> Visit:
        """The function that replaces the rules."""
        watch = self._watch

        def visit(edge: Edge, g: Any) -> Any:
            if edge.node.primitive is ITEM:
                return edge.pull(g)
            return watch(edge.rule.function, edge, g, edge.saved or ())

        return visit


def seeded(problem: Problem, tensors: list[Tensor], weights: Array) -> tuple[list[Array], dict[Any, Any]]:
    """The outputs for these arguments, and the cotangents of their nodes."""
    with np.errstate(all="ignore"), recording():
        leaves, _ = flatten(problem.call(list(tensors)))
    kept = [o for o in leaves if np.asarray(value_of(o)).dtype.kind in "fc"]
    outputs = problem.outputs(kept)
    seeds: dict[Any, Any] = {}
    for output, cotangent in zip(kept, cotangents(weights, outputs), strict=True):
        if isinstance(output, Tensor) and output._node.active:
            seed = Tensor(cotangent)
            seeds[output._node] = seeds[output._node] + seed if output._node in seeds else seed
    return outputs, seeds


def gradient_of(problem: Problem, tensors: list[Tensor], seeds: dict[Any, Any], create: bool) -> Array:
    """The gradient by a backward pass from these cotangents, recorded itself if ``create``."""
    if not create:
        seeds = {node: seed._value for node, seed in seeds.items()}
    targets = {t._node for t in tensors}
    with recording():
        found = backward(seeds, targets, retain=True, create=create) if seeds else {}
    parts = [found[t._node] if t._node in found else np.zeros(t.shape, t.dtype) for t in tensors]
    return problem.flat([value_of(part) for part in parts])


def values_in(args: Any) -> list[Any]:
    """The numbers of the arrays among arguments, and of Tensors."""
    found: list[Any] = []
    for value in args:
        if type(value) is Tensor or is_array(value):
            found.append(numbers(value))
        elif type(value) in (list, tuple):
            found += values_in(value)
    return found
