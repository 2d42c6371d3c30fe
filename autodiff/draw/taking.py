"""Taking a picture: of a finished graph, of a call while it runs, or of what an exception carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from ..backpropagation import backward
from ..coercion import taught
from ..examples import Examples, every
from ..graph import CONSTANT, GraphError, Node, tick
from ..tensor import Tensor, wrap
from ..transforms.calling import recording
from ..tree import flatten
from .failure import carry, so_far
from .gradients import keep_gradients
from .measure import Measure
from .memory import keep_bytes
from .naming import Names, is_module
from .picture import Group, Picture
from .reading import Records, keep_totals, keep_values, read
from .watching import Watch


@dataclass
class Wishes:
    """What a picture should show beyond operations, shapes and names."""

    values: bool = False
    gradients: bool = False
    memory: bool = False
    times: bool = False
    backward: bool = False
    marks: dict[Node, str] = field(default_factory=dict)


def _tensors(value: Any) -> list[Tensor]:
    """The Tensors in a nesting, each once."""
    if isinstance(value, dict | list | tuple):
        parts = value.values() if isinstance(value, dict) else value
        return list(dict.fromkeys(t for part in parts for t in _tensors(part)))
    return [value] if isinstance(value, Tensor) else []


def of_graph(subject: Any, names: Names, wishes: Wishes) -> Picture:
    """The picture of the graph that leads to a Tensor, or to several in a nesting."""
    outputs = _tensors(subject)
    if not any(t._node is not CONSTANT for t in outputs):
        raise GraphError(
            "draw: no variable leads to this Tensor, so nothing was recorded; was it made under no_grad(), by "
            "detach(), or from plain arrays? draw(f, *args) records a call of f and draws that"
        )
    return _developed(outputs, [t._node for t in outputs], names, {}, [Group("root", "")], wishes, {})


def of_node(node: Node, names: Names, wishes: Wishes) -> Picture:
    """The picture of what leads to one node, that of a report."""
    return _developed([], [node], names, {}, [Group("root", "")], wishes, {})


def _developed(
    outputs: list[Tensor],
    roots: list[Node],
    names: Names,
    records: Records,
    groups: list[Group],
    wishes: Wishes,
    met: dict[Node, Measure],
) -> Picture:
    """Read the nodes and add what was wished for; ``met`` are values that no record holds."""
    forward_end = tick()
    if wishes.backward:
        roots = roots + _gradient_nodes(outputs, names)
    picture, position = read(roots, names, records, groups, tell_modules=not records)
    picture.outputs = [position[t._node] for t in outputs if t._node in position]
    for node, value in met.items():
        if node in position and picture.boxes[position[node]].value is None:
            picture.boxes[position[node]].value = value
    if wishes.backward:
        late = len(groups)
        groups.append(Group("pass", "backward pass", "", 0))
        for node, i in position.items():
            if node.age > forward_end and node.primitive is not None:
                picture.boxes[i].group = late
    trouble: BaseException | None = None
    if wishes.values:
        keep_values(picture, position, names)
    if wishes.memory:
        keep_bytes(picture, position, names)
    if wishes.gradients or wishes.times:
        swept = keep_gradients(picture, position, outputs, wishes.times)
        trouble = swept.error if swept is not None else None
        if not wishes.gradients and trouble is None:
            for box in picture.boxes:
                box.gradient = None
                box.state = box.state if box.state in ("nan", "inf") and box.value is not None else ""
    for node, message in wishes.marks.items():
        if node in position:
            box = picture.boxes[position[node]]
            box.state, box.message = "guilty", message
    lost = sum(node not in position for node in wishes.marks)
    if lost:
        picture.facts.append(f"mark: {lost:,} of {len(wishes.marks):,} marked nodes are not in this graph")
    if not wishes.times:
        for box in picture.boxes:
            box.forward = box.backward = None
    picture.arrange()
    keep_totals(picture)
    if trouble is not None:
        picture.facts.insert(1, f"backward FAILED: {type(trouble).__name__}: {trouble}")
    return picture


def _gradient_nodes(outputs: list[Tensor], names: Names) -> list[Node]:
    """The nodes of the gradients, made by a differentiable backward pass."""
    active = [t for t in outputs if t._node.active]
    if not active:
        raise GraphError("draw: no variable leads to the output, so there is no backward pass to draw")
    seeds = {t._node: np.ones_like(t._value)[()] for t in active}
    found = []
    with recording():
        gradients = backward(seeds, retain=True, create=True)
    for leaf, gradient in gradients.items():
        if isinstance(gradient, Tensor) and gradient._node is not CONSTANT:
            names.of.setdefault(gradient._node, f"∂/∂{names.of.get(leaf, 'variable')}")
            found.append(gradient._node)
    return found


# -- a call --------------------------------------------------------------------------------------------------------


def of_call(
    function: Callable[..., Any], args: tuple[Any, ...], names: Names, wishes: Wishes, frame: FrameType | None = None
) -> Picture:
    """The picture of one call: of a module, whose arguments are inputs, or of a function, whose are variables.

    If the call fails, the exception goes on its way with the graph so far in ``.drawing``.
    """
    module = is_module(function)
    if module:
        names.add_module("", function)
    arguments = _wrapped(function, args, names, variables=not module)
    names.add_function(function)
    if frame is not None:
        names.add_frame(frame)
    title = type(function).__name__ if module else getattr(function, "__name__", type(function).__name__)
    watch = Watch(names, values=wishes.values, own_name=title)
    try:
        with recording(), watch:
            result = function(*arguments)
    except Exception as error:
        shown = taught(error) or error
        try:
            picture = so_far(watch, names, shown)
            picture.title = title
            carry(shown, picture)
            if shown is error:
                raise
            raise shown from None
        finally:  # its traceback holds this frame
            del shown
    outputs = _tensors(result)
    if wishes.values:
        watch.meet(outputs)
    if not any(t._node is not CONSTANT for t in outputs):
        raise GraphError(
            f"draw: {title} returned {_kind(result)}; it must return a Tensor, or a nesting with one, "
            "that was computed from its arguments"
        )
    for k, t in enumerate(outputs):
        names.of.setdefault(t._node, "output" if len(outputs) == 1 else f"output {k}")
    picture = _developed(outputs, [t._node for t in outputs], names, watch.of, watch.groups, wishes, watch.met)
    picture.title = title
    return picture


def _kind(value: Any) -> str:
    return "a Tensor that is a constant" if isinstance(value, Tensor) else f"a value of type {type(value).__name__}"


def _wrapped(function: Any, args: tuple[Any, ...], names: Names, *, variables: bool) -> list[Any]:
    """The arguments with Tensors in the place of floating-point arrays and numbers, each with a name."""
    kind = type(function)
    candidates = [function, getattr(kind, "forward", None), kind.__dict__.get("__call__")]
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
    """A node that can be drawn and that no gradient flows to: data."""
    return Node.make(None, value.shape, value.dtype, active=False)


# -- marks ---------------------------------------------------------------------------------------------------------


def marks(subject: Any) -> dict[Node, str]:
    """Nodes to mark: a Tensor, a node, several, a mapping from them to messages, or a report that names one."""
    if subject is None:
        return {}
    if isinstance(subject, Tensor):
        return {subject._node: ""}
    if isinstance(subject, Node):
        return {subject: ""}
    if isinstance(subject, Mapping):
        return {(t._node if isinstance(t, Tensor) else t): str(message) for t, message in subject.items()}
    node = getattr(subject, "node", None)
    if isinstance(node, Node):
        return {node: str(getattr(subject, "message", "") or "")}
    if isinstance(subject, Iterable):
        return {node: message for part in subject for node, message in marks(part).items()}
    raise TypeError(f"draw: mark={type(subject).__name__} names no node; give a Tensor, or {{tensor: message}}")
