"""Backward passes that can be watched: from a flat vector of weights, rule by rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Node, topological_order
from ..tensor import ITEM, Tensor, backward
from ..transforms.calling import recording
from ..tree import flatten
from .examples import is_array, numbers
from .problem import Problem, cotangents
from .trace import Trace

Array = Any
Watch = Callable[[Any, Any, Any], Any]


def watched_pass(
    problem: Problem, weights: Array, watch: Watch, look_at: Callable[[Any], Any] | None = None, dtype: Any = None
) -> tuple[list[Array], Array]:
    """The outputs and the gradient by a pass in which ``watch(rule, node, edge)`` stands in the place of each rule.

    ``look_at`` sees each operation's node first.  ``dtype`` "given" is the arguments' own precision.  What a checkpoint
    computes again is watched as well.
    """
    tensors = [Tensor(a) for a in problem.arrays(problem.x, dtype)]
    outputs, seeds = seeded(problem, tensors, weights)
    with np.errstate(all="ignore"), recording(), _Watched(watch, look_at):
        return outputs, gradient_of(problem, tensors, seeds, create=False)


class _Watched(Trace):
    """A mode in whose backward passes another function stands in the place of each rule."""

    watches_backward = True

    def __init__(self, watch: Watch, look_at: Callable[[Any], Any] | None) -> None:
        super().__init__()
        self._watch, self._look_at = watch, look_at

    def saw(self, primitive: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Operations are left alone."""

    def backward(self, seeds: dict[Node, Any], targets: Any, retain: bool, create: bool) -> Any:
        """A pass through the rules' substitutes."""
        for node in topological_order(seeds, targets or ()):
            if self._look_at is not None:
                self._look_at(node)
            for edge in node.edges:
                if node.primitive is not ITEM:
                    edge[1] = self._watch(edge[1], node, edge)
        return graph.backward({node: _value_of(seed) for node, seed in seeds.items()}, targets, retain=retain)


def _value_of(seed: Any) -> Any:
    """The array of a Tensor; what is none as it is."""
    return seed._value if type(seed) is Tensor else seed


def seeded(problem: Problem, tensors: list[Tensor], weights: Array) -> tuple[list[Array], dict[Any, Any]]:
    """The outputs for these arguments, and the cotangents of their nodes."""
    with np.errstate(all="ignore"), recording():
        leaves, _ = flatten(problem.call(list(tensors)))
    kept = [o for o in leaves if np.asarray(getattr(o, "_value", o)).dtype.kind in "fc"]
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
    return problem.flat([getattr(part, "_value", part) for part in parts])


def values_in(args: Any) -> list[Any]:
    """The numbers of the arrays among arguments, and of Tensors."""
    found: list[Any] = []
    for value in args:
        if type(value) is Tensor or is_array(value):
            found.append(numbers(value))
        elif type(value) in (list, tuple):
            found += values_in(value)
    return found
