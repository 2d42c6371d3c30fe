"""checkpoint: compute a part of a function again in the backward pass, instead of saving its values.

The part is computed as usual, and its graph is read and dropped.  One node remains, whose rule computes the part again
and applies its pullback.  The variables of the part are found in its graph, arguments and captured ones alike: they are
the nodes that are older than the part.

The graph and its saved values determine a gradient, so a fingerprint of both is kept.  If random numbers were drawn, or
something changed in between, the second computation has another fingerprint.  Then the gradient would be that of
another function, and an error says so.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from ..backpropagation import backward
from ..examples import every
from ..graph import CONSTANT, GraphError, Node, Parts, tick
from ..mode import current, entered, is_recording, living
from ..outputs import outputs_of
from ..primitive import Primitive
from ..rule import Rule
from ..structural import untracked
from ..switching import switched
from ..tensor import Tensor, wrap
from ..tree import flatten
from .calling import check_function, now
from .signatures import Called, Several

Array = Any
P = ParamSpec("P")
R = TypeVar("R")


def _entry(name: str) -> tuple[Primitive, int]:
    """A primitive of the engine, and the position of the value that a rule asks for and that is no argument."""
    entry = Primitive(_identity, _identity, {"inputs": None}, name=name, parameters=("inputs",))
    return entry, entry.output + 1


def _identity(inputs: Any) -> Any:
    return inputs


_CHECKPOINT, _EXTRA = _entry("checkpoint")
_INPUTS, _ = _entry("inputs of checkpoint")
_RECOMPUTE = Rule("checkpoint", lambda g, part: part.pull(g), 0, (_EXTRA,))
_PICK = Rule("inputs of checkpoint", lambda g, i: g[i], 0, (_EXTRA,))


@overload
def checkpoint(f: Several, *, rng: Any = ()) -> Called[Any]: ...
@overload
def checkpoint(f: Callable[P, R], *, rng: Any = ()) -> Callable[P, R]: ...
def checkpoint(f: Callable[P, R], *, rng: Any = ()) -> Callable[P, R]:
    """A function that computes ``f``, saves only the arguments, and computes ``f`` again in the backward pass.

    Memory: a chain of n equal checkpointed parts saves n inputs, and one part at a time; the plain chain saves
    everything.  Time: one more evaluation of ``f``, and reading the saved values twice.

    Arguments may be any nesting.  Variables that ``f`` captures get gradients too.  Works under every transform, to any
    order, and nested.  ``rng`` names the random generators that ``f`` draws from (one or a sequence; those among the
    arguments are found).  They are set back for the second evaluation, so that it draws the same numbers.  The backward
    pass raises GraphError if the second evaluation differs from the first in anything that the gradient depends on.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> layer = checkpoint(lambda x: np.sin(np.sin(x)))
    >>> plain = lambda x: np.sin(np.sin(x))
    >>> grad(lambda x: layer(layer(x)))(1.0) == grad(lambda x: plain(plain(x)))(1.0)
    True
    """
    check_function(f, "checkpoint")
    named = list(rng) if isinstance(rng, tuple | list) else [rng]
    for generator in named:
        if not isinstance(generator, np.random.Generator):
            raise TypeError(
                "checkpoint: rng must be a numpy.random.Generator or a sequence of them, "
                f"got a {type(generator).__name__}"
            )

    @functools.wraps(f)
    def checkpointed(*args: P.args, **kwargs: P.kwargs) -> R:
        if not is_recording():
            return f(*args, **kwargs)
        given = [leaf for a in (*args, *kwargs.values()) for leaf in flatten(a)[0]]
        generators = {id(r): r for r in [*named, *given] if isinstance(r, np.random.Generator)}
        part = _Part(functools.partial(f, *args, **kwargs), list(generators.values()))
        return part.first()  # type: ignore[no-any-return]

    return checkpointed


class _Part:
    """One call of a checkpointed function: its inputs, and its fingerprint."""

    __slots__ = (
        "call", "dtypes", "entrance", "fingerprint", "generators", "indices", "inputs", "mode", "room", "shapes",
        "states", "time",
    )  # fmt: skip

    fingerprint: int
    indices: list[int]
    inputs: tuple[Node, ...]
    room: int
    shapes: Any
    dtypes: Any
    entrance: Node

    def __init__(self, call: Callable[[], Any], generators: Sequence[np.random.Generator]) -> None:
        self.call = call
        self.generators = generators
        self.states = [generator.bit_generator.state for generator in generators]
        self.mode = current()
        self.time = min(now.get(), tick())

    def first(self) -> Any:
        """The result of the function, with one node behind it."""
        start = tick()
        outputs, unflatten = flatten(self.call())
        self.indices = [i for i, o in enumerate(outputs) if _made_since(o, start)]
        made = [outputs[i] for i in self.indices]
        if not made:
            return unflatten(outputs)
        order = _younger([o._node for o in made], start)
        self.fingerprint, self.inputs = _examined(order, [o._node for o in made])
        self.room = len(order) + sum(part.room for part in _parts(order).values())
        if not self.inputs:  # it made its own variables and depends on nothing else
            return unflatten([wrap(o._value, CONSTANT) if i in self.indices else o for i, o in enumerate(outputs)])
        whole = self._node([o._value for o in made])
        around = living(self.mode)
        for i, tensor in zip(self.indices, outputs_of(tuple(o._value for o in made), whole), strict=True):
            if around is not None:
                around.replaced(outputs[i]._node, tensor._node)
            outputs[i] = tensor
        return unflatten(outputs)

    def _node(self, values: Sequence[Array]) -> Node:
        """The node of all outputs: one edge, to a node that stands for all inputs, so that the rule runs once."""
        # the walk compares dtypes by identity first, so the cotangents are built with these very tuples
        self.shapes = tuple(node.shape for node in self.inputs)
        self.dtypes = tuple(node.dtype for node in self.inputs)
        picks, places = (_PICK,) * len(self.inputs), tuple(range(len(self.inputs)))
        inputs = Node.make(_INPUTS, self.shapes, self.dtypes, parents=self.inputs, rules=picks, saved=places)
        self.entrance = inputs
        shapes, dtypes = tuple(v.shape for v in values), tuple(v.dtype for v in values)
        return Node.make(_CHECKPOINT, shapes, dtypes, parents=(inputs,), rules=(_RECOMPUTE,), saved=(self,))

    def pull(self, g: Parts) -> Parts:
        """The cotangents of the inputs: compute the function again, and apply its pullback."""
        create = any(type(part) is Tensor for part in g.known.values())
        made = self._again()
        seeds: dict[Node, Any] = {}
        for i, part in g.known.items():
            seeds[made[i]] = seeds[made[i]] + part if made[i] in seeds else part
        found = backward(seeds, set(self.inputs), retain=True, create=create, inner=True)
        known = {i: found[node] for i, node in enumerate(self.inputs) if node in found}
        return Parts(known, self.shapes, self.dtypes)

    def _again(self) -> list[Node]:
        """The nodes of the outputs, computed again under the conditions of the first time."""
        with self._drawing_as_before(), switched(now, self.time), entered(self.mode):
            start = tick()
            outputs, _ = flatten(self.call())
        if [i for i, o in enumerate(outputs) if _made_since(o, start)] != self.indices:
            raise _differs()
        made = [outputs[i]._node for i in self.indices]
        order = _younger(made, start)
        if _examined(order, made) != (self.fingerprint, self.inputs):  # nodes are equal if they are the same
            raise _differs()
        # A mapping tells by its age whether a node is from outside.  These take the ages that the first ones had.
        age, parts = self.entrance.age - self.room, _parts(order)
        for node in reversed(order):
            age += parts[node].room if node in parts else 0
            node.age = age
            age += 1
        return made

    @contextmanager
    def _drawing_as_before(self) -> Iterator[None]:
        """The generators, in their state at the first evaluation."""
        states = [generator.bit_generator.state for generator in self.generators]
        try:
            for generator, state in zip(self.generators, self.states, strict=True):
                generator.bit_generator.state = state
            with untracked():
                yield
        finally:
            for generator, state in zip(self.generators, states, strict=True):
                generator.bit_generator.state = state


def reopened(node: Node) -> list[Node] | None:
    """The output nodes of the part that a node stands for, computed again; None for an ordinary node."""
    if node.primitive is _INPUTS:  # the way into a part
        return []
    part: _Part | None = node.saved[0] if node.primitive is _CHECKPOINT and node.saved else None
    return None if part is None else part._again()


def _made_since(output: Any, start: int) -> bool:
    return type(output) is Tensor and output._node.active and output._node.age > start


def _differs() -> GraphError:
    return GraphError(
        "checkpoint: the function computed something else the second time, so its gradient would be that of another "
        "function. It drew random numbers (name the generator: checkpoint(f, rng=generator), or draw outside and pass "
        "them in), or an array or variable that it uses was changed before backward(): call backward() first"
    )


# -- fingerprints ------------------------------------------------------------------------------------------------


def _parts(order: Sequence[Node]) -> dict[Node, _Part]:
    """The parts inside a part, by their first nodes."""
    return {node.parents[0]: node.saved[0] for node in order if node.primitive is _CHECKPOINT and node.saved}


def _examined(order: Sequence[Node], roots: Sequence[Node]) -> tuple[int, tuple[Node, ...]]:
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


def _younger(roots: Sequence[Node], start: int) -> list[Node]:
    """The nodes made since ``start``, children first, in an order that depends only on how they were made."""
    queue = list(dict.fromkeys(roots))
    seen = set(queue)
    for node in queue:  # grows while it is walked
        for parent in node.parents:
            if parent.age > start and parent not in seen:
                seen.add(parent)
                queue.append(parent)
    return sorted(queue, key=lambda node: node.age, reverse=True)


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
    if kind is _Part:
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
