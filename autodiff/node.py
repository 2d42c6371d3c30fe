"""Nodes: what is saved of a recorded operation, its edges, and variables.

The graph points from results to their arguments, and holds no Tensor.  A :class:`Node` knows the nodes of its parents
and the values that its rules ask for.  If no rule asks for an intermediate array, it is freed with the user's variable.
There are no cycles, so reference counting frees the whole graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .primitive import Primitive
from .rule import Rule
from .writes import tick as tick


class GraphError(RuntimeError):
    """A graph was used in a way that has no right answer: it was freed, or changed, or there is none."""


class Node:
    """One recorded operation.

    ``parents`` are the nodes of the inputs that depend on a variable.  ``rules`` has one rule for each of them.
    ``saved`` holds the values that each rule asks for, packed (see :mod:`.rule`); it becomes None when the graph is
    freed.  ``edges`` shows the same by name.  ``kind`` is the type of a NumPy scalar, None for arrays.  ``note`` is
    used by pictures only: the other inputs, or None.  ``active`` is False where no gradient can flow.  A node is
    younger than its parents, so sorting by ``age`` *is* a topological sort.  A variable has no primitive, and it has a
    ``grad``.
    """

    __slots__ = (
        "__weakref__", "active", "age", "dtype", "grad", "kind", "note", "parents", "primitive", "rules", "saved",
        "shape", "witness",
    )  # fmt: skip

    active: bool
    age: int
    dtype: Any
    grad: Any
    kind: Any
    note: Any
    parents: tuple[Node, ...]
    primitive: Primitive | None
    rules: tuple[Rule, ...]
    saved: tuple[Any, ...] | None
    shape: Any
    witness: Node

    @classmethod
    def make(
        cls,
        primitive: Primitive | None,
        shape: Any,
        dtype: Any,
        *,
        parents: tuple[Node, ...] = (),
        rules: tuple[Rule, ...] = (),
        saved: tuple[Any, ...] = (),
        note: Any = None,
        active: bool = True,
    ) -> Node:
        """A new node."""
        node = cls.__new__(cls)
        node.primitive, node.parents, node.rules, node.saved = primitive, parents, rules, saved
        node.shape, node.dtype, node.note, node.active = shape, dtype, note, active
        node.kind = np.float64 if shape == () and dtype is DOUBLE else None
        node.age = tick()
        return node

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges to the inputs that depend on a variable: parent, rule and saved values."""
        saved = self.saved
        return tuple(
            Edge(self, parent, rule, None if saved is None else rule.unpacked(saved[i]))
            for i, (parent, rule) in enumerate(zip(self.parents, self.rules, strict=True))
        )

    def replace(self, function: Callable[[Any], Any]) -> None:
        """Replace each saved value by ``function(value)``."""
        if self.saved is not None:
            self.saved = tuple(
                rule.packed(tuple(map(function, rule.unpacked(packed))))
                for rule, packed in zip(self.rules, self.saved, strict=True)
            )

    @property
    def inert(self) -> tuple[Node, ...]:
        """The inputs through which no gradient flows, as far as a picture needs them."""
        return getattr(self, "note", None) or ()

    def __repr__(self) -> str:
        name = "leaf" if self.primitive is None else self.primitive.name
        return f"<node {name} {self.dtype}{list(self.shape)}>"


DOUBLE = np.dtype(np.float64)


class Edge(NamedTuple):
    """The connection of an operation to one of its inputs; ``saved`` is None after the graph was freed."""

    node: Node
    parent: Node
    rule: Rule
    saved: tuple[Any, ...] | None

    @property
    def argument(self) -> str:
        """The name of the input among the operation's parameters."""
        assert self.node.primitive is not None
        return self.node.primitive.parameters[self.rule.position]

    def pull(self, g: Any) -> Any:
        """The result of the rule for a cotangent of the operation."""
        if self.saved is None:
            raise GraphError(FREED.format(self.rule.primitive))
        return self.rule.function(g, *self.saved)


def variable_node(shape: tuple[int, ...], dtype: Any) -> Node:
    """The node of a variable; its gradient is added to ``grad``."""
    node = Node.make(None, shape, dtype)
    node.grad = None
    return node


def is_variable(node: Node) -> bool:
    """Whether a node is that of a variable.

    All nodes have one class, because Python finds attributes faster if it meets one class only.
    """
    return node.primitive is None and node.active


CONSTANT = Node.make(None, (), None, active=False)
"""The node of everything that is not recorded."""
CONSTANT.age = 0


class Several(tuple[Any, ...]):
    """The shapes, or the dtypes, of the outputs of one operation.

    There may be 100,000 of them, and the backward pass compares each with all.  So identity is compared first.
    """

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other or tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return self is not other and tuple.__ne__(self, other)


FREED = (
    "backward: the graph through '{}' was used and freed by an earlier backward(); "
    "call the first one with retain_graph=True, or compute the loss again"
)
