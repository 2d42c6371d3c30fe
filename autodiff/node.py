"""What a recorded operation is: a node, its edges, and a variable.

The graph points one way, from results to what they were made of, and holds no Tensor: a :class:`Node` knows its
parents' nodes and the few values its rules asked for.  An intermediate array that no rule asked for dies with
the user's variable, and without cycles the whole graph dies by reference counting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .primitive import Primitive
from .rule import Rule
from .writes import tick as tick


class GraphError(RuntimeError):
    """A graph was used in a way that has no right answer: freed, mutated, or not a graph at all."""


class Node:
    """One recorded operation.

    ``parents`` are the nodes of those inputs that lead to a variable, ``rules`` has one rule for each of them, and
    ``saved`` what that rule asked for, packed (see :mod:`.rule`); ``saved`` becomes None when the graph is freed.
    ``edges`` is the same by name.  ``kind`` is the type of a NumPy scalar, None for arrays.  ``note`` is what only a
    picture needs: the other inputs, or None.  ``active`` is False where no gradient can flow.  A node is younger than
    its parents, so sorting by ``age`` *is* a topological sort.  A variable has no primitive, and a ``grad``.
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
        """A node born now."""
        node = cls.__new__(cls)
        node.primitive, node.parents, node.rules, node.saved = primitive, parents, rules, saved
        node.shape, node.dtype, node.note, node.active = shape, dtype, note, active
        node.kind = np.float64 if shape == () and dtype is DOUBLE else None
        node.age = tick()
        return node

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The inputs that lead to a variable: parent, rule and what the rule saved."""
        saved = self.saved
        return tuple(
            Edge(self, parent, rule, None if saved is None else rule.unpacked(saved[i]))
            for i, (parent, rule) in enumerate(zip(self.parents, self.rules, strict=True))
        )

    def replace(self, function: Callable[[Any], Any]) -> None:
        """Put ``function(value)`` in the place of each value that a rule has saved."""
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
    """How an operation depends on one of its inputs; ``saved`` is None when the graph was freed."""

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
        """What the rule gives for a cotangent of the operation."""
        if self.saved is None:
            raise GraphError(FREED.format(self.rule.primitive))
        return self.rule.function(g, *self.saved)


def variable_node(shape: tuple[int, ...], dtype: Any) -> Node:
    """A variable: where gradients arrive, in ``grad``."""
    node = Node.make(None, shape, dtype)
    node.grad = None
    return node


def is_variable(node: Node) -> bool:
    """Whether a node is no operation, and gradients arrive there.

    Nodes are all of one class, since Python looks attributes up faster where it meets one class only.
    """
    return node.primitive is None and node.active


CONSTANT = Node.make(None, (), None, active=False)
"""The node of everything that is not recorded."""
CONSTANT.age = 0


class Several(tuple[Any, ...]):
    """The shapes, or the dtypes, of the outputs of one operation.

    There may be 100,000 of them, each compared with all by the walk: so identity is asked first.
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
