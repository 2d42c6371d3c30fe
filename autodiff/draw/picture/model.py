"""The contents of a picture as plain data: boxes, and the groups around them.

This module uses no Tensor and no file format.  A :class:`Picture` keeps no array alive: values and gradients are
measured when the picture is made, and only a :class:`Measure` of each stays.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .measure import Measure

SPAN = " … "
"""Between the names of the first and the last block of a repeat."""

OPERATION, VARIABLE, INPUT = "operation", "variable", "input"
COMPOSITE = "composite"
REDUCTION, PART = "reduction", "part"
FOUND = ("repeat", "block", "more", REDUCTION, PART)
"""The kinds of groups that are found in a picture, and not told by what was called."""


@dataclass(slots=True)
class Together:
    """The totals of several equal boxes or groups, of which one is drawn: sums and ranges.

    ``gradients`` are the smallest and the largest root mean square, ``reached`` says how many have a gradient,
    ``affected`` how many are in the worst ``state``.
    """

    copies: int
    value: Measure | None = None
    gradient: Measure | None = None
    gradients: tuple[float, float] | None = None
    reached: int = 0
    state: str = ""
    affected: int = 0
    kept: int = 0
    forward: float = 0.0
    backward: float = 0.0


@dataclass(slots=True)
class Box:
    """One operation, or one array that is not the result of an operation.

    ``parents`` are positions in the list of the picture, ``unseen`` is the number of parents that are left out.
    ``shape`` is None if an operation failed before it had one.  ``whole`` says that the label is all of a call, with a
    dot for each parent; ``arguments`` are then their names there, or dots.
    """

    kind: str
    operation: str
    shape: Any
    dtype: str
    parents: list[int] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    name: str = ""
    label: str = ""
    group: int = 0
    line: str = ""
    active: bool = True
    unseen: int = 0
    value: Measure | None = None
    gradient: Measure | None = None
    kept: int | None = None
    forward: float | None = None
    backward: float | None = None
    state: str = ""
    message: str = ""
    together: Together | None = None
    whole: bool = False

    @property
    def call(self) -> str:
        """What the operation does, with its operands where they have short names."""
        return filled(self.label, self.arguments) if self.whole else self.label

    @property
    def gradients(self) -> tuple[float, float] | None:
        """The root mean square of its gradient, twice, as groups have the smallest and the largest of several."""
        return None if self.gradient is None else (self.gradient.typical, self.gradient.typical)

    @property
    def title(self) -> str:
        """The first line of the box."""
        if self.kind != OPERATION:
            return self.name or self.kind
        return f"{self.name} = {self.call}" if self.name else self.call

    @property
    def type(self) -> str:
        """Shape and element type."""
        return f"{shape_text(self.shape)} {self.dtype}" if self.shape is not None else ""

    @property
    def size(self) -> int:
        """How many elements the array has."""
        single = self.shape is not None and all(isinstance(n, int) for n in self.shape)
        return int(np.prod(self.shape, dtype=np.int64)) if single else 0


def filled(label: str, names: Iterable[str]) -> str:
    """A label with names in the place of its dots.

    >>> filled("· @ ·", ["x", "w"])
    'x @ w'
    """
    text, *parts = label.split("·")
    for name, part in itertools.zip_longest([*names][: len(parts)], parts, fillvalue="·"):
        text += name + part
    return text


def shape_text(shape: Any) -> str:
    """A shape as Python writes it; several for an operation with several outputs."""
    return str(tuple(shape)) if not shape or isinstance(shape[0], int) else " ".join(str(tuple(s)) for s in shape)


@dataclass(slots=True)
class Group:
    """Boxes that belong together.  ``children`` are ``("box" or "group", position)`` in the order of computation.

    ``kind`` is "root", "module", "function", "composite" (a function of NumPy's that is written with others), "pass"
    (the backward pass), "repeat" (children that are all alike),
    "block" (one of them, where it is no group already), "reduction" (a sum of numbers, written as many operations),
    "part" (of a long sequence), or "more" (what a limit left out).  ``result`` is the box that a reduction ends in.
    """

    kind: str
    name: str
    type: str = ""
    parent: int = -1
    children: list[tuple[str, int]] = field(default_factory=list)
    operations: int = 0
    parameters: int = 0
    kept: int = 0
    forward: float = 0.0
    backward: float = 0.0
    state: str = ""
    open: bool = False
    copies: int = 0
    result: int = -1
    gradients: tuple[float, float] | None = None  # the smallest and the largest root mean square of its parameters
    together: Together | None = None

    @property
    def of_leaves(self) -> bool:
        """Whether this repeats a number that no operation makes."""
        return self.kind == "repeat" and not self.operations

    @property
    def title(self) -> str:
        """The first line of the group."""
        if self.kind == "repeat":
            return f"{self.name} × {self.copies:,}"
        if self.kind == "more":
            return f"… {self.operations:,} more"
        return f"{self.name}: {self.type}" if self.name and self.type else self.name or self.type

    @property
    def subtitle(self) -> str:
        """The second line: how much there is inside."""
        if self.kind == "more":
            return ""
        if self.kind == "module" and not self.operations and not self.parameters:
            return f"{len(self.children):,} arrays and numbers"
        if self.of_leaves:
            return f"{self.parameters:,} parameters" if self.parameters else f"{self.copies:,} numbers"
        text = f"{self.operations:,} operation{'s' * (self.operations != 1)}"
        return f"{text}, {self.parameters:,} parameters" if self.parameters else text


@dataclass(slots=True)
class Picture:
    """Boxes, parents before children, and a tree of groups; group 0 is the whole picture.

    ``facts`` are lines for the reader: totals, and things that could not be shown, with the reason.
    """

    boxes: list[Box]
    groups: list[Group]
    title: str = "graph"
    facts: list[str] = field(default_factory=list)
    formulas: dict[str, dict[str, str]] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)

    def members(self, child: tuple[str, int]) -> list[int]:
        """The boxes in a child of a group, itself a box or a group, in the order of the children."""
        found: list[int] = []
        todo = [child]
        while todo:
            what, i = todo.pop()
            if what == "box":
                found.append(i)
            else:
                todo.extend(reversed(self.groups[i].children))
        return found

    def arrange(self) -> None:
        """Make boxes and groups the children of their groups, and compute the totals of each group.

        A variable or an input is put into the innermost group with all its users, just before the first.
        """
        boxes, groups = self.boxes, self.groups
        for group in groups:
            group.children = []
        seen = {0}
        for i, box in enumerate(boxes):
            chain = []
            g = box.group
            while g not in seen:
                seen.add(g)
                chain.append(g)
                g = groups[g].parent
            for g in reversed(chain):
                groups[groups[g].parent].children.append(("group", g))
            groups[box.group].children.append(("box", i))
        self.total()

    def total(self) -> None:
        """Add up operations, parameters, bytes and times of every group, from the inside out."""
        for group in self.groups:
            group.operations = group.parameters = group.kept = 0
            group.forward = group.backward = 0.0
            group.state, group.gradients = "", None
        for g in reversed(self.preorder()):
            group = self.groups[g]
            for what, i in group.children:
                if what == "group":
                    inner = self.groups[i]
                    group.operations += inner.operations
                    group.parameters += inner.parameters
                    group.kept += inner.kept
                    group.forward += inner.forward
                    group.backward += inner.backward
                    group.state = worst(group.state, inner.state) if inner.state else group.state
                    found = inner.gradients
                else:
                    box = self.boxes[i]
                    group.operations += box.kind == OPERATION
                    group.parameters += box.size if box.kind == VARIABLE else 0
                    group.kept += box.kept or 0
                    group.forward += box.forward or 0.0
                    group.backward += box.backward or 0.0
                    group.state = worst(group.state, box.state) if box.state else group.state
                    found = box.gradients if box.kind == VARIABLE else None
                group.gradients = span(group.gradients, found)

    def preorder(self) -> list[int]:
        """Every group, outer before inner."""
        order = [0]
        for g in order:  # grows while it is walked
            order.extend(i for what, i in self.groups[g].children if what == "group")
        return order

    def front(self, g: int) -> int:
        """The group whose children an open group shows: of a repeat the first of its blocks, else itself."""
        group = self.groups[g]
        return group.children[0][1] if group.kind == "repeat" and group.children else g

    @property
    def operations(self) -> int:
        """How many operations there are."""
        return sum(box.kind == OPERATION for box in self.boxes)

    @property
    def depth(self) -> int:
        """The number of operations on the longest path."""
        depths: list[int] = []
        for box in self.boxes:
            depths.append(max((depths[p] for p in box.parents), default=0) + (box.kind == OPERATION))
        return max(depths, default=0)


SEVERITY = ("", "dead", "vanishing", "exploding", "changed", "removed", "added", "inf", "nan", "guilty", "failed")
"""States of a box; the last ones win where a group shows the worst of its boxes."""

MEANING = {
    "dead": "its gradient is exactly zero",
    "vanishing": "its gradient is a million times smaller than the largest",
    "exploding": "its gradient is over a million times larger than the smallest, and above 1,000",
    "inf": "a value or a gradient is infinite",
    "nan": "a value or a gradient is not a number",
    "guilty": "its derivative is wrong",
    "failed": "failed here",
    "added": "only in the second",
    "removed": "only in the first",
    "changed": "in both, but not the same",
}


def span(a: tuple[float, float] | None, b: tuple[float, float] | None) -> tuple[float, float] | None:
    """The range that holds both."""
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), max(a[1], b[1])


def worst(a: str, b: str) -> str:
    """The more important state."""
    return a if SEVERITY.index(a) >= SEVERITY.index(b) else b


def amount(count: float, units: tuple[str, ...] = ("B", "kB", "MB", "GB", "TB"), step: float = 1000.0) -> str:
    """A number of bytes as text.

    >>> amount(512), amount(1_500_000)
    ('512 B', '1.5 MB')
    """
    i = 0
    while abs(count) >= step and i < len(units) - 1:
        count /= step
        i += 1
    return f"{count:.0f} {units[i]}" if i == 0 or count >= 100 else f"{count:.3g} {units[i]}"


def seconds(time: float) -> str:
    """A time as text.

    >>> seconds(0.0000123), seconds(2.5)
    ('12.3 µs', '2.5 s')
    """
    return f"{time:.3g} s" if time >= 1 else f"{time * 1e3:.3g} ms" if time >= 1e-3 else f"{time * 1e6:.3g} µs"
