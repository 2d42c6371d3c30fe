"""The picture of a finished graph, with the options that were asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backpropagation import backward
from ...graph import CONSTANT, GraphError, Node, tick
from ...tensor import Tensor
from ...transforms.calling import recording
from ..picture.measure import Measure
from ..picture.model import Group, Picture
from .gradients import keep_gradients
from .memory import keep_bytes
from .names import Names
from .options import Options
from .traversal import Records, keep_totals, keep_values, read


def distinct_tensors(value: Any) -> list[Tensor]:
    """The Tensors in a nesting, each once."""
    if isinstance(value, dict | list | tuple):
        parts = value.values() if isinstance(value, dict) else value
        return list(dict.fromkeys(t for part in parts for t in distinct_tensors(part)))
    return [value] if isinstance(value, Tensor) else []


def of_graph(subject: Any, names: Names, options: Options) -> Picture:
    """The picture of the graph of a Tensor, or of several in a nesting."""
    outputs = distinct_tensors(subject)
    if not any(t._node is not CONSTANT for t in outputs):
        raise GraphError(
            "draw: no variable leads to this Tensor, so nothing was recorded; was it made under no_grad(), by "
            "detach(), or from plain arrays? draw(f, *args) records a call of f and draws that"
        )
    return picture_of(outputs, [t._node for t in outputs], names, {}, [Group("root", "")], options, {})


def of_node(node: Node, names: Names, options: Options) -> Picture:
    """The picture of the graph of one node, that of a report."""
    return picture_of([], [node], names, {}, [Group("root", "")], options, {})


def picture_of(
    outputs: list[Tensor],
    roots: list[Node],
    names: Names,
    records: Records,
    groups: list[Group],
    options: Options,
    met: dict[Node, Measure],
) -> Picture:
    """Read the nodes and add what the options ask for; ``met`` are values without a record."""
    forward_end = tick()
    if options.backward:
        roots = roots + _gradient_nodes(outputs, names)
    picture, position = read(roots, names, records, groups, tell_modules=not records)
    picture.outputs = [position[t._node] for t in outputs if t._node in position]
    for node, value in met.items():
        if node in position and picture.boxes[position[node]].value is None:
            picture.boxes[position[node]].value = value
    if options.backward:
        late = len(groups)
        groups.append(Group("pass", "backward pass", "", 0))
        for node, i in position.items():
            if node.age > forward_end and node.primitive is not None:
                picture.boxes[i].group = late
    trouble: BaseException | None = None
    if options.values:
        keep_values(picture, position, names)
    if options.memory:
        keep_bytes(picture, position, names)
    if options.gradients or options.times:
        swept = keep_gradients(picture, position, outputs, options.times)
        trouble = swept.error if swept is not None else None
        if not options.gradients and trouble is None:
            for box in picture.boxes:
                box.gradient = None
                box.state = box.state if box.state in ("nan", "inf") and box.value is not None else ""
    _mark(picture, position, options.marks)
    if not options.times:
        for box in picture.boxes:
            box.forward = box.backward = None
    picture.arrange()
    keep_totals(picture)
    if trouble is not None:
        picture.facts.insert(1, f"backward FAILED: {type(trouble).__name__}: {trouble}")
    return picture


def _mark(picture: Picture, position: dict[Node, int], marks: dict[Node, str]) -> None:
    """Draw these nodes as wrong, with their messages."""
    for node, message in marks.items():
        if node in position:
            box = picture.boxes[position[node]]
            box.state, box.message = "guilty", message
    lost = sum(node not in position for node in marks)
    if lost:
        picture.facts.append(f"mark: {lost:,} of {len(marks):,} marked nodes are not in this graph")


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
