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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from ..graph import GraphError, Node, tick
from ..mode import current, entered, is_recording
from ..structural import untracked
from ..switching import switched
from ..tree import flatten
from .calling import check_function, now
from .parts import Kind, Part, examined, give_ages, made_since, room_of, younger
from .parts import reopened as reopened
from .signatures import Called, Several

P = ParamSpec("P")
R = TypeVar("R")


_CHECKPOINT = Kind("checkpoint")


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
    named = generators_of(rng, "checkpoint")

    @functools.wraps(f)
    def checkpointed(*args: P.args, **kwargs: P.kwargs) -> R:
        if not is_recording():
            return f(*args, **kwargs)
        given = [leaf for a in (*args, *kwargs.values()) for leaf in flatten(a)[0]]
        generators = {id(r): r for r in [*named, *given] if isinstance(r, np.random.Generator)}
        part = _Part(functools.partial(f, *args, **kwargs), list(generators.values()))
        return part.first()  # type: ignore[no-any-return]

    return checkpointed


def generators_of(rng: Any, who: str) -> list[np.random.Generator]:
    """The generators that are named: one, or a sequence of them."""
    named = list(rng) if isinstance(rng, tuple | list) else [rng]
    for generator in named:
        if not isinstance(generator, np.random.Generator):
            raise TypeError(
                f"{who}: rng must be a numpy.random.Generator or a sequence of them, got a {type(generator).__name__}"
            )
    return named


class _Part(Part):
    """One call of a checkpointed function: its inputs, and its fingerprint."""

    __slots__ = ("_print", "call", "generators", "indices", "mode", "states", "time")

    indices: list[int]

    def __init__(self, call: Callable[[], Any], generators: Sequence[np.random.Generator]) -> None:
        self.call = call
        self.generators = generators
        self.states = [generator.bit_generator.state for generator in generators]
        self.mode = current()
        self.time = min(now.get(), tick())

    def first(self) -> Any:
        """The result of the function, with one node behind it."""
        return self.one_node(_CHECKPOINT, self.call, self.mode)

    def examine(self, order: Sequence[Node], made: Sequence[Node], indices: list[int]) -> None:
        """Note the fingerprint and the inputs of the part; the graph is dropped."""
        self.indices = indices
        self._print, self.inputs = examined(order, made)
        self.room = room_of(order)

    @property
    def fingerprint(self) -> int:
        """The checksum of the first time."""
        return self._print

    def opened(self) -> list[Node]:
        """The nodes of the outputs, computed again."""
        return self._again()

    def _again(self) -> list[Node]:
        """The nodes of the outputs, computed again under the conditions of the first time."""
        with self._drawing_as_before(), switched(now, self.time), entered(self.mode):
            start = tick()
            outputs, _ = flatten(self.call())
        if [i for i, o in enumerate(outputs) if made_since(o, start)] != self.indices:
            raise _differs()
        made = [outputs[i]._node for i in self.indices]
        order = younger(made, start)
        if examined(order, made) != (self._print, self.inputs):  # nodes are equal if they are the same
            raise _differs()
        # A mapping tells by its age whether a node is from outside.  These take the ages that the first ones had.
        give_ages(order, self.entrance.age - self.room)
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


def _differs() -> GraphError:
    return GraphError(
        "checkpoint: the function computed something else the second time, so its gradient would be that of another "
        "function. It drew random numbers (name the generator: checkpoint(f, rng=generator), or draw outside and pass "
        "them in), or an array or variable that it uses was changed before backward(): call backward() first"
    )
