"""The picture of a call while it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from ...coercion import taught
from ...examples import Examples, every
from ...graph import CONSTANT, GraphError, Node
from ...tensor import Tensor, wrap
from ...transforms.calling import recording
from ...tree import flatten
from ..picture.model import Picture
from .failure import carry, so_far
from .graph import distinct_tensors, picture_of
from .names import Names, is_module
from .options import Options
from .tracer import Tracer


def of_call(
    function: Callable[..., Any], args: tuple[Any, ...], names: Names, options: Options, frame: FrameType | None = None
) -> Picture:
    """The picture of one call.  The arguments of a module are inputs, those of a function variables.

    If the call raises, the exception gets the graph so far in ``.drawing``, and is raised again.
    """
    module = is_module(function)
    if module:
        names.add_module("", function)
    arguments = _wrapped(function, args, names, variables=not module)
    names.add_function(function)
    if not module:
        names.add_all(getattr(getattr(function, "__self__", None), "__dict__", {}))
    if frame is not None:
        names.add_frame(frame)
    title = type(function).__name__ if module else getattr(function, "__name__", type(function).__name__)
    tracer = Tracer(names, values=options.values, constants=options.constants, own_name=title)
    try:
        with recording(), tracer:
            result = function(*arguments)
    except Exception as error:
        shown = taught(error) or error
        try:
            picture = so_far(tracer, names, shown)
            picture.title = title
            carry(shown, picture)
            if shown is error:
                raise
            raise shown from None
        finally:  # its traceback holds this frame
            del shown
    outputs = distinct_tensors(result)
    if options.values:
        tracer.meet(outputs)
    if not any(t._node is not CONSTANT for t in outputs):
        raise GraphError(
            f"draw: {title} returned {_kind(result)}; it must return a Tensor, or a nesting with one, "
            "that was computed from its arguments"
        )
    for k, t in enumerate(outputs):
        names.of.setdefault(t._node, "output" if len(outputs) == 1 else f"output {k}")
    for node, name in tracer.own_names.items():
        names.of.setdefault(node, name)
    picture = picture_of(outputs, [t._node for t in outputs], names, tracer.of, tracer.groups, options, tracer.met)
    picture.title = title
    return picture


def _kind(value: Any) -> str:
    return "a Tensor that is a constant" if isinstance(value, Tensor) else f"a value of type {type(value).__name__}"


def _wrapped(function: Any, args: tuple[Any, ...], names: Names, *, variables: bool) -> list[Any]:
    """The arguments with Tensors instead of floating-point arrays and numbers, each with a name."""
    kind = type(function)
    candidates = [inspect.unwrap(function), getattr(kind, "forward", None), kind.__dict__.get("__call__")]
    code = next((c.__code__ for c in candidates[is_module(function) :] if hasattr(c, "__code__")), None)
    called = code.co_varnames[: code.co_argcount] if code is not None else ()
    called = called[1:] if called[:1] == ("self",) else called
    result = []
    for k, argument in enumerate(args):
        name = called[k] if k < len(called) else f"input {k}"
        if is_module(argument):
            names.add_module(name, argument)
            result.append(argument)
            continue
        names.add(name, argument)  # arrays of integers, which stay what they are
        leaves, unflatten = flatten(argument)
        wrapped = []
        for leaf in leaves:
            if isinstance(leaf, Tensor) and leaf._node is CONSTANT:
                leaf = leaf._value
            array = np.asarray(leaf) if isinstance(leaf, float) else every(leaf)
            if isinstance(array, np.ndarray | np.generic) and array.dtype.kind in "fc":
                names.own(array)
                value: Any = leaf if isinstance(leaf, Examples) else np.asarray(leaf)
                leaf = Tensor(value) if variables else wrap(value[()], _input_node(value))
            if isinstance(leaf, Tensor):
                names.arguments.add(leaf._node)
            wrapped.append(leaf)
        made = unflatten(wrapped)
        if len(leaves) > 1:
            names.add(name, made)  # p['weight'] for an entry of a dict; other nestings have no such names
        for j, leaf in enumerate(wrapped):
            if isinstance(leaf, Tensor):
                names.add(name if len(leaves) == 1 else f"{name}[{j}]", leaf)
        result.append(made)
    return result


def _input_node(value: Any) -> Node:
    """The node of data, which can be drawn and has no gradient."""
    return Node.make(None, value.shape, value.dtype, active=False)
