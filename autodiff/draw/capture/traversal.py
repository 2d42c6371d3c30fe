"""A picture of nodes: each node is visited once, without recursion, in linear time."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...examples import every
from ...graph import CONSTANT, Node
from ..picture.measure import measure
from ..picture.model import INPUT, OPERATION, VARIABLE, Box, Group, Picture, seconds
from .modules import FACT, by_parameters
from .names import Names
from .opening import Opening
from .tracer import Record, brief

Records = dict[Node, Record]


def before(roots: Iterable[Node], records: Records, opening: Opening) -> list[Node]:
    """Every node that the roots depend on, parents first, also those without a gradient."""
    through = opening.through
    order = [node for node in dict.fromkeys(map(through, roots)) if node is not CONSTANT]
    seen = set(order)
    for node in order:  # grows while it is walked
        record = records.get(node)
        parents = record.parents if record is not None else []
        for parent in map(through, (*parents, *node.parents, *node.inert)):
            if parent not in seen and parent is not CONSTANT:
                seen.add(parent)
                order.append(parent)
    order.sort(key=lambda node: node.age)
    return order


def _late_leaves(order: list[Node], parents: dict[Node, list[Node]]) -> list[Node]:
    """The same order, with each variable or input moved to just before its first use."""
    result: list[Node] = []
    placed: set[Node] = set()
    for node in order:
        if parents[node] or node.primitive is not None:
            for parent in parents[node]:
                if parent not in placed:
                    placed.add(parent)
                    result.append(parent)
            placed.add(node)
            result.append(node)
    result.extend(node for node in order if node not in placed)
    return result


def _saved_label(node: Node) -> str:
    """The operation with the constants and options that its rules saved, and "…" for the others."""
    primitive = node.primitive
    assert primitive is not None
    if primitive.elementwise and len(primitive.parameters) == 1:
        return primitive.name  # nothing but its argument, and there may be a hundred thousand
    known: dict[int, Any] = {}
    led = {rule.position for rule in node.rules}
    for _, _, rule, saved in node.edges:
        known.update(
            (want, value)
            for want, value in zip(rule.wants, saved or (), strict=False)
            if want < primitive.output and want not in led and want != primitive.sequence
        )
    whole = not primitive.elementwise or len(led) == len(primitive.parameters)
    if primitive.sequence is not None or (whole and not known):
        return primitive.name
    unknown = "·" if node.inert else "…"
    shown = []
    first_default = len(primitive.parameters) - len(primitive.defaults)
    for i, name in enumerate(primitive.parameters):
        if i >= first_default:
            default = primitive.defaults[i - first_default]
            if i in known and not (type(known[i]) is type(default) and known[i] == default):
                shown.append(f"{name}={brief(known[i])}")
        elif i in known:
            shown.append(brief(known[i]))
        elif primitive.elementwise or i in led:
            shown.append("·" if i in led else unknown)
    if not any(s != "·" for s in shown):
        return primitive.name
    if shown[0] == "·" and shown.count("·") == 1 and "=" in shown[-1] and len(shown) > 1 and "=" in shown[1]:
        shown.pop(0)
    return f"{primitive.name}({', '.join(shown)})"


@functools.cache
def dtype_text(dtype: Any) -> str:
    """A dtype as it is written in a box; several for an operation with several outputs.

    >>> dtype_text((np.dtype("float32"), np.dtype(bool)))
    'float32 bool'
    """
    return " ".join(map(str, dtype)) if isinstance(dtype, tuple) else str(dtype)


def read(
    roots: Iterable[Node], names: Names, records: Records, groups: list[Group], *, tell_modules: bool
) -> tuple[Picture, dict[Node, int]]:
    """The picture of everything that the roots depend on, and the position of each node in it.

    ``tell_modules`` finds the modules from their parameters, because their calls were not seen.
    """
    opening = Opening()
    order = before(roots, records, opening)
    for outer, inner in opening.replaced.items():
        if outer in names.of:
            names.of.setdefault(inner, names.of[outer])
    parents: dict[Node, list[Node]] = {}
    arguments: dict[Node, list[str]] = {}
    for node in order:
        record = records.get(node)
        if record is not None:
            parents[node], arguments[node] = [opening.through(p) for p in record.parents], record.arguments
        else:
            inert = node.inert
            parents[node] = [opening.through(p) for p in (*node.parents, *inert) if p is not CONSTANT]
            arguments[node] = [edge.argument for edge in node.edges] + [""] * len(inert)
    modules = {} if not tell_modules or not names.homes else by_parameters(order, parents, names, groups)
    order = _late_leaves(order, parents)
    position = {node: i for i, node in enumerate(order)}
    boxes = []
    for node in order:
        record = records.get(node)
        kind = OPERATION if node.primitive is not None else VARIABLE if node.active else INPUT
        box = Box(kind, node.primitive.name if node.primitive else "", node.shape, dtype_text(node.dtype))
        box.parents = [position[p] for p in parents[node]]
        box.arguments = arguments[node]
        box.name = names.of.get(node, "")
        box.active = bool(node.active)
        if record is not None:
            box.label, box.line, box.value = record.label, record.line, record.value
            box.group = modules.get(node, record.group)
            box.forward = record.forward
        elif node.primitive is not None:
            box.label = _saved_label(node)
            box.group = modules.get(node, 0) if tell_modules else _group_of_item(node, records)
        boxes.append(box)
    if opening.parts:
        group_of = {node: box.group for node, box in zip(order, boxes, strict=True) if node.primitive is not None}
        opening.frame(group_of, groups)
        for node, group in group_of.items():
            boxes[position[node]].group = group
        position.update((outer, position[inner]) for outer, inner in opening.replaced.items() if inner in position)
    picture = Picture(boxes, groups, facts=[FACT] if modules else [])
    place_leaves(picture, {position[node] for node in names.arguments if node in position})
    return picture, position


def _group_of_item(node: Node, records: Records) -> int:
    """The group of one output of an operation with several: that of the operation."""
    record = records.get(node.parents[0]) if node.parents else None
    return record.group if record is not None else 0


def place_leaves(picture: Picture, outside: set[int]) -> None:
    """Put variables and inputs into the innermost group with all their users; call arguments stay ``outside``."""
    boxes, groups = picture.boxes, picture.groups
    depth = [0] * len(groups)
    for g in range(1, len(groups)):
        around = g
        while around > 0:
            depth[g], around = depth[g] + 1, groups[around].parent
    home: dict[int, int] = {}
    for box in boxes:
        for p in box.parents:
            if boxes[p].kind == OPERATION:
                continue
            a, b = home.get(p, box.group), box.group
            while a != b:
                if depth[a] < depth[b]:
                    b = groups[b].parent
                else:
                    a = groups[a].parent
            home[p] = a
    for p, g in home.items():
        boxes[p].group = g if p not in outside else 0


# -- values and gradients ------------------------------------------------------------------------------------------


def keep_values(picture: Picture, position: dict[Node, int], names: Names) -> None:
    """Note the known values: those of named variables and inputs, and the saved values of a finished graph."""
    boxes = picture.boxes
    for node, tensor in names.tensors.items():
        if node in position and boxes[position[node]].value is None:
            boxes[position[node]].value = measure(tensor._value, cells=True)
    for node, i in position.items():
        for edge in node.edges:
            rule, primitive = edge.rule, node.primitive
            assert primitive is not None
            for want, value in zip(rule.wants, edge.saved or (), strict=False):
                if not isinstance(every(value), np.ndarray | np.generic):
                    continue
                if want == primitive.output:
                    target = i
                else:
                    target = next(
                        (position[e.parent] for e in node.edges if e.rule.position == want and e.rule.element is None),
                        -1,
                    )
                if target >= 0 and boxes[target].value is None and boxes[target].shape == value.shape:
                    boxes[target].value = measure(value, cells=True)
    missing = sum(box.value is None for box in boxes)
    if missing:
        picture.facts.append(
            f"values: {missing:,} of {len(boxes):,} were not kept by any rule; draw(f, *args) records them all"
        )
    for box in boxes:
        if box.value is not None and box.value.state:
            box.state = box.value.state


def keep_totals(picture: Picture) -> None:
    """Add the lines of every picture: its size, and the times."""
    variables = [b for b in picture.boxes if b.kind == VARIABLE]
    counts = [
        counted(picture.operations, "operation"),
        f"{counted(len(variables), 'variable')} with {counted(sum(b.size for b in variables), 'element')}",
        f"longest path {picture.depth:,}",
    ]
    picture.facts.insert(0, ", ".join(counts))
    forward = sum(b.forward or 0.0 for b in picture.boxes)
    backward = sum(b.backward or 0.0 for b in picture.boxes)
    if forward or backward:
        text = f"forward {seconds(forward)}" + (f", backward {seconds(backward)}" if backward else "")
        picture.facts.append(f"time: {text}")


def counted(number: int, what: str) -> str:
    """A number of things, in words.

    >>> counted(1, "call"), counted(2000, "call")
    ('1 call', '2,000 calls')
    """
    return f"{number:,} {what}{'s' * (number != 1)}"
