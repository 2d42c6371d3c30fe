"""The backward pass of Tensors: from an output and its seed to gradients, recorded or plain.

The loop over nodes, and the sums of cotangents, are in :mod:`.graph`, which does not use Tensor.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from . import graph, mode
from .arrays import cast, is_foreign
from .collector import rarely
from .conversion import made_by
from .examples import Examples, every
from .graph import CONSTANT, Edge, GraphError, Node, Walk, is_variable
from .outputs import outputs_of
from .structural import plain, structural
from .tensor import Tensor, provide, scalar, wrap

LARGE = 1000
"""Operations of a graph through which the garbage collector is not to go while it is walked."""
_AS_USUAL = nullcontext()


def seed_of(output: Tensor, gradient: Any) -> Any:
    """The seed of a backward pass, checked."""
    value = output._value
    if gradient is None:
        if value.size != 1:
            raise GraphError(
                f"backward: this Tensor has shape {value.shape}, and only a single number has a gradient; "
                "reduce it first (np.sum(t), np.mean(t)), or say which combination: t.backward(gradient=array)"
            )
        if value.dtype.kind == "c":
            raise GraphError(
                "backward: this Tensor is complex, and only a real number has a gradient; "
                "take np.real(t), np.imag(t) or np.abs(t) of it, or pass gradient="
            )
        return value.dtype.type(1) if isinstance(every(value), np.generic) else np.ones_like(value)[()]
    given = gradient._value if isinstance(gradient, Tensor) else gradient
    given = given if hasattr(given, "__array_function__") else np.asarray(given)
    if given.shape != value.shape:
        raise ValueError(f"backward: the gradient has shape {given.shape}, the Tensor {value.shape}")
    if given.dtype != value.dtype:
        if given.dtype.kind not in "biufc" or (given.dtype.kind == "c" and value.dtype.kind != "c"):
            raise TypeError(f"backward: the gradient is {given.dtype}, the Tensor {value.dtype}")
        if isinstance(gradient, Tensor):
            return gradient.astype(value.dtype)
        given = cast(given, value.dtype)
    return gradient if isinstance(gradient, Tensor) else scalar(given)


def _lift(value: Any, node: Node) -> Any:
    return outputs_of(value, node) if isinstance(value, tuple) else wrap(value, node)


def _left(value: Any, node: Node) -> Any:
    return value


def backward(
    seeds: dict[Node, Any],
    targets: Any = None,
    *,
    retain: bool = False,
    create: bool = False,
    along: bool = False,
    walk: Walk | None = None,
    visit: graph.Visit | None = None,
    inner: bool = False,
    ready: graph.Ready | None = None,
) -> Any:
    """Gradients by node: arrays with no other owner, or Tensors of a graph if ``create``.

    ``along`` says that the graph need only lead to the seeds, and to no variable, which makes it shorter.  ``walk`` is
    one over the same seeds and targets that was made before; ``visit`` and ``ready`` are those of :func:`.graph.sweep`.
    An ``inner`` pass is a part of another one: its seeds and results are cotangents of that pass, unchanged.
    """
    if walk is None or seeds.keys() != set(walk.roots):
        walk = Walk(seeds, targets)
    around = mode.current()
    if around is not None:
        visit = visit or around.visiting()
    with rarely() if len(walk.order) > LARGE else _AS_USUAL:
        if around is None and not create:  # what training does
            results = _computed(seeds, walk, visit, inner, ready)
        else:
            proceed = (
                functools.partial(_recorded, seeds, walk, visit, along, inner)
                if create
                else functools.partial(_computed, seeds, walk, visit, inner, ready)
            )
            results = proceed() if around is None else around.backward(proceed, seeds, targets)
        if not (retain or create):
            graph.free(walk.order)
    return results


def _recorded(seeds: dict[Node, Any], walk: Walk, visit: Any, along: bool, inner: bool) -> Any:
    """A backward pass that is recorded."""
    given = {n: s if type(s) is Tensor or inner else wrap(structural(s), CONSTANT) for n, s in seeds.items()}
    results = graph.backward(given, walk, lift=_left if along else _lift, visit=visit or _linear, inner=inner)
    for node, result in results.items():
        if type(result) is not Tensor:  # a rule that returned an array of constants
            result = results[node] = wrap(result, CONSTANT)
        if not inner:
            result._value = plain(result._value)
            if isinstance(result._value, Examples):
                result._value.settle()
    return results


def _linear(edge: Edge, g: Any) -> Any:
    """The result of a rule; zero if it does not depend on the cotangent, because a rule is linear in it."""
    pulled = edge.pull(g)
    if type(g) is Tensor and g._node.active and not (type(pulled) is Tensor and pulled._node.active):
        values = every(pulled._value if type(pulled) is Tensor else pulled)
        if isinstance(values, np.ndarray | np.generic) and np.any(np.nan_to_num(values)):
            raise GraphError(
                f"{edge.rule.primitive}: its rule for '{edge.argument}' took the numbers out of the cotangent (tolist, "
                "item, a loop over them) and lost how they depend on it; write it with np. functions"
            )
    return pulled


def _computed(seeds: dict[Node, Any], walk: Walk, visit: Any, inner: bool, ready: graph.Ready | None) -> Any:
    """A backward pass on arrays."""
    values = {n: s._value if type(s) is Tensor else s for n, s in seeds.items()}
    results = graph.backward(values, walk, visit=visit, inner=inner, ready=ready)
    if inner:
        return results
    mine = set(map(id, values.values()))
    for node, value in results.items():
        if type(value) is not np.ndarray:
            if not isinstance(value, np.ndarray | Examples):
                if is_foreign(value):
                    if getattr(value, "base", None) is not None or id(value) in mine:
                        value = results[node] = np.positive(value)
                    mine.add(id(value))
                continue
            value = results[node] = plain(value)
        if isinstance(value, np.ndarray):
            # a rule may hand its cotangent on, or a view of it: two variables must not share one array
            if value.base is not None or id(value) in mine:
                value = results[node] = value.copy()
            mine.add(id(value))
            if not value.shape:
                results[node] = value[()]
    return results


def accumulate(output: Tensor, gradient: Any, retain_graph: bool, create_graph: bool, ready: Any) -> None:
    """The work of :meth:`.Tensor.backward`."""
    node = output._node
    if not node.active:
        raise GraphError(
            f"backward: no variable leads to this Tensor (it is {made_by(node)}); was it made under no_grad() "
            "or from plain arrays only?"
            if node.primitive is None
            else f"backward: no gradient flows through this Tensor (it is {node.primitive.name}): what leads to it "
            "has a derivative of zero everywhere, as comparisons, rounding and stop_gradient have"
        )
    tell = None if ready is None else _telling(ready, create_graph)
    seeds = {node: seed_of(output, gradient)}
    results = backward(seeds, retain=retain_graph or create_graph, create=create_graph, ready=tell)
    for leaf, value in results.items():
        leaf.grad = value if leaf.grad is None else leaf.grad + value


def _telling(ready: Mapping[Tensor, Callable[[Any], object]], create: bool) -> graph.Ready:
    """What calls the functions that wait for the gradients of variables."""
    if create:
        raise ValueError("backward: ready is for gradients that are arrays; leave out create_graph")
    for variable, call in ready.items():
        if not (type(variable) is Tensor and is_variable(variable._node) and callable(call)):
            raise TypeError("backward: ready has a function for each of some variables: {w: function}")
    calls = {variable._node: call for variable, call in ready.items()}

    def tell(node: Node, gradient: Any) -> None:
        if node in calls:
            calls[node](gradient)

    return tell


provide(accumulate=accumulate)
