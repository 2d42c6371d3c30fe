"""Parts: a piece of a graph behind one node, which is opened in the backward pass.

A part has one edge, to a node that stands for all of its inputs, so that its rule runs once.  The inputs are found in
the graph of the part, arguments and captured variables alike: they are the nodes that are older than the part.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backpropagation import backward
from ..examples import every
from ..graph import CONSTANT, Node, Parts, tick
from ..mode import Mode, living
from ..outputs import outputs_of
from ..primitive import Primitive
from ..rule import Rule
from ..tensor import Tensor, wrap
from ..tree import flatten

Array = Any


def _identity(inputs: Any) -> Any:
    return inputs


def _entry(name: str) -> Primitive:
    """A primitive of the engine, whose rule asks for a value that is no argument."""
    return Primitive(_identity, _identity, {"inputs": None}, name=name, parameters=("inputs",))


class Kind:
    """What a part is called in errors and pictures: its primitives and its rules."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.primitive, self.entrance = _entry(name), _entry(f"inputs of {name}")
        extra = (self.primitive.output + 1,)
        self.pull = Rule(name, lambda g, part: part.pull(g), 0, extra)
        self.pick = Rule(f"inputs of {name}", lambda g, i: g[i], 0, extra)
        _PARTS.add(self.primitive)
        _ENTRANCES.add(self.entrance)


_PARTS: set[Primitive] = set()
_ENTRANCES: set[Primitive] = set()


class Part:
    """The outputs of one call, with one node behind them; a subclass says what is kept of the graph."""

    __slots__ = ("dtypes", "entrance", "inputs", "room", "shapes")

    inputs: tuple[Node, ...]
    shapes: Any
    dtypes: Any
    entrance: Node
    room: int
    """How many nodes there are inside, at any depth."""

    @property
    def fingerprint(self) -> int:
        """A checksum of the nodes, and of what they saved."""
        raise NotImplementedError

    def examine(self, order: Sequence[Node], made: Sequence[Node], indices: list[int]) -> None:
        """Note the inputs, and what is to be kept; ``indices`` are the places of the made ones among the outputs."""
        raise NotImplementedError

    def opened(self) -> list[Node]:
        """The nodes of the outputs, as the graph inside has them."""
        raise NotImplementedError

    def give_ages(self, age: int) -> None:
        """Give the nodes that are kept the ages from ``age`` on."""

    def one_node(self, kind: Kind, call: Callable[[], Any], mode: Mode | None) -> Any:
        """The result of a call, with one node behind it."""
        start = tick()
        outputs, unflatten = flatten(call())
        indices = [i for i, o in enumerate(outputs) if made_since(o, start)]
        made = [outputs[i] for i in indices]
        if not made:
            return unflatten(outputs)
        nodes = [o._node for o in made]
        self.examine(younger(nodes, start), nodes, indices)
        if not self.inputs:  # it made its own variables and depends on nothing else
            return unflatten([wrap(o._value, CONSTANT) if i in indices else o for i, o in enumerate(outputs)])
        whole = self._node(kind, [o._value for o in made])
        around = living(mode)
        for i, tensor in zip(indices, outputs_of(tuple(o._value for o in made), whole), strict=True):
            if around is not None:
                around.replaced(outputs[i]._node, tensor._node)
            outputs[i] = tensor
        return unflatten(outputs)

    def _node(self, kind: Kind, values: Sequence[Array]) -> Node:
        """The node of all outputs."""
        # the walk compares dtypes by identity first, so the cotangents are built with these very tuples
        self.shapes = tuple(node.shape for node in self.inputs)
        self.dtypes = tuple(node.dtype for node in self.inputs)
        picks, places = (kind.pick,) * len(self.inputs), tuple(range(len(self.inputs)))
        inputs = Node.make(kind.entrance, self.shapes, self.dtypes, parents=self.inputs, rules=picks, saved=places)
        self.entrance = inputs
        shapes, dtypes = tuple(v.shape for v in values), tuple(v.dtype for v in values)
        return Node.make(kind.primitive, shapes, dtypes, parents=(inputs,), rules=(kind.pull,), saved=(self,))

    def pull(self, g: Parts) -> Parts:
        """The cotangents of the inputs: open the part, and apply its pullback."""
        create = any(type(part) is Tensor for part in g.known.values())
        made = self.opened()
        seeds: dict[Node, Any] = {}
        for i, part in g.known.items():
            seeds[made[i]] = seeds[made[i]] + part if made[i] in seeds else part
        found = backward(seeds, set(self.inputs), retain=True, create=create, inner=True)
        known = {i: found[node] for i, node in enumerate(self.inputs) if node in found}
        return Parts(known, self.shapes, self.dtypes)


class Kept(Part):
    """A part that keeps its graph."""

    __slots__ = ("_made", "_order")

    def examine(self, order: Sequence[Node], made: Sequence[Node], indices: list[int]) -> None:
        """Keep the graph."""
        self._order, self._made, self.inputs, self.room = list(order), list(made), older(order), room_of(order)

    def opened(self) -> list[Node]:
        """The nodes of the outputs."""
        return self._made

    @property
    def nodes(self) -> Sequence[Node]:
        """All nodes inside."""
        return self._order

    def give_ages(self, age: int) -> None:
        """Give the nodes the ages from ``age`` on."""
        give_ages(self._order, age)

    @property
    def fingerprint(self) -> int:
        """The checksum, which a part around this one asks for."""
        return examined(self._order, self._made)[0]


def part_of(node: Node) -> Part | None:
    """The part that a node stands for; None for an ordinary node, and if the graph is freed."""
    return node.saved[0] if node.primitive in _PARTS and node.saved else None


def reopened(node: Node) -> list[Node] | None:
    """The output nodes of the part that a node stands for; None for an ordinary node."""
    if node.primitive in _ENTRANCES:  # the way into a part
        return []
    part = part_of(node)
    return None if part is None else part.opened()


def made_since(output: Any, start: int) -> bool:
    """Whether an output is a Tensor that was computed since then, and has a gradient."""
    return type(output) is Tensor and output._node.active and output._node.age > start


def younger(roots: Sequence[Node], start: int) -> list[Node]:
    """The nodes made since ``start``, children first, in an order that depends only on how they were made."""
    queue = list(dict.fromkeys(roots))
    seen = set(queue)
    for node in queue:  # grows while it is walked
        for parent in node.parents:
            if parent.age > start and parent not in seen:
                seen.add(parent)
                queue.append(parent)
    return sorted(queue, key=lambda node: node.age, reverse=True)


def older(order: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes outside of the part that those in it depend on."""
    inside = set(order)
    return tuple(dict.fromkeys(parent for node in order for parent in node.parents if parent not in inside))


# -- ages --------------------------------------------------------------------------------------------------------


def _parts(order: Sequence[Node]) -> dict[Node, Part]:
    """The parts inside a part, by their first nodes."""
    found = {node: part_of(node) for node in order}
    return {node.parents[0]: part for node, part in found.items() if part is not None}


def room_of(order: Sequence[Node]) -> int:
    """How many nodes there are, with those inside of parts."""
    return len(order) + sum(part.room for part in _parts(order).values())


def give_ages(order: Sequence[Node], age: int) -> None:
    """Give the nodes of a part the ages from ``age`` on, in their order; those inside of parts come before these."""
    parts = _parts(order)
    for node in reversed(order):
        if node in parts:
            parts[node].give_ages(age)
            age += parts[node].room
        node.age = age
        age += 1


# -- fingerprints ------------------------------------------------------------------------------------------------


def examined(order: Sequence[Node], roots: Sequence[Node]) -> tuple[int, tuple[Node, ...]]:
    """The fingerprint of the nodes of a part, and the older nodes they depend on."""
    place = {node: i for i, node in enumerate(order)}
    inputs: dict[Node, int] = {}
    known: dict[int, int] = {}  # one array is saved by several rules: what one made and the next one took
    total = _mixed(0, [place.get(root, -1) for root in roots], known)
    for node in order:
        name = "leaf" if node.primitive is None else node.primitive.name
        total = _mixed(total, (name, node.shape), known)
        for _, parent, rule, saved in node.edges:
            where = place[parent] if parent in place else -1 - inputs.setdefault(parent, len(inputs))
            total = _mixed(total, (where, rule.position, rule.element), known)
            total = _mixed(total, saved, known)
    return total, tuple(inputs)


def _mixed(total: int, value: Any, known: dict[int, int]) -> int:
    """A running checksum, updated with a saved value; ``known`` are checksums of arrays that came before."""
    value = every(value)
    kind = type(value)
    if kind is tuple or kind is list:
        for item in value:
            total = _mixed(total, item, known)
        return zlib.crc32(b"%d" % len(value), total)
    if isinstance(value, np.ndarray):
        if id(value) not in known:
            known[id(value)] = _of_array(value)
        return zlib.crc32(b"%d" % known[id(value)], total)
    if isinstance(value, np.generic):
        return zlib.crc32(value.tobytes(), total)
    if isinstance(value, Part):
        return zlib.crc32(b"%d" % value.fingerprint, total)
    if value is None or isinstance(value, int | float | complex | str | slice | np.dtype):
        return zlib.crc32(repr(value).encode(), total)
    return zlib.crc32(kind.__name__.encode(), total)


_WIDTH = 1024


def _of_array(array: np.ndarray[Any, Any]) -> int:
    """A checksum of an array's elements and their order, at the speed of reading it.

    Small arrays are read byte by byte.  For large ones it uses sums along rows and columns of the bytes as integers,
    which wrap around, and so depend on every bit.
    """
    total = zlib.crc32(f"{array.dtype}{array.shape}".encode())
    if array.nbytes <= 4096 or array.dtype.hasobject:
        return zlib.crc32(array.tobytes(), total)
    raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = raw.size // (8 * _WIDTH) * (8 * _WIDTH)
    table = raw[:whole].view(np.uint64).reshape(-1, _WIDTH)
    total = zlib.crc32(np.add.reduce(table, axis=0).tobytes(), total)
    total = zlib.crc32(np.add.reduce(table, axis=1).tobytes(), total)
    return zlib.crc32(raw[whole:].tobytes(), total)
