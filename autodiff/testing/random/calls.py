"""Calls of the entries of the table, drawn by Hypothesis: shapes, values, axes and indices that form a valid call.

An elementwise entry gets any shapes that broadcast, with values from its domain.  Every other entry is called as in one
of its examples, with other sizes (equal sizes stay equal, so arrays still fit) and other options (``axis``,
``keepdims``, an index...).  NumPy decides whether a call is valid; if it is not, the example is used unchanged.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ...primitive import Composite, Domain, Example, Primitive, Sample, registry
from ..literals import written, written_index
from ..table.samples import Entry, entry_of
from ..table.spelling import is_indexing, spelled
from .arrays import axes, indices, tensors

Array = Any
Strategy = st.SearchStrategy[Any]


def slots(values: Any) -> list[Sample]:
    """The places for arrays among the arguments of an example, in order."""
    return [s for v in values for s in (slots(v) if isinstance(v, list) else [v]) if isinstance(s, Sample)]


def filled(value: Any, rest: Any) -> Any:
    """An argument with the next arrays of ``rest`` at its places for arrays."""
    if isinstance(value, Sample):
        return next(rest)
    return [filled(v, rest) for v in value] if isinstance(value, list) else value


class Call:
    """One call of an entry: ``call(*arrays)`` makes it with these arrays.

    Its ``repr`` is the call as Python code.
    """

    def __init__(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any], arrays: list[Array]) -> None:
        self.entry, self.args, self.kwargs, self.arrays = entry, args, kwargs, arrays

    def __call__(self, *arrays: Any) -> Any:
        rest = iter(arrays)
        args = [filled(a, rest) for a in self.args]
        return self.entry.call(*args, **{k: filled(v, rest) for k, v in self.kwargs.items()})

    def __repr__(self) -> str:
        rest = iter(self.arrays)
        args, kwargs = texts(self.entry, self.args, self.kwargs, lambda: written(next(rest)))
        return spelled(self.entry, args, kwargs)


def texts(
    entry: Entry, args: Sequence[Any], kwargs: dict[str, Any], array: Callable[[], str]
) -> tuple[list[str], dict[str, str]]:
    """The arguments of a call as texts; ``array()`` gives the text of each array."""

    def text(value: Any) -> str:
        if isinstance(value, Sample):
            return array()
        return "[" + ", ".join(map(text, value)) + "]" if isinstance(value, list) else written(value)

    if is_indexing(entry):
        return [text(args[0]), written_index(args[1])], {}
    return [text(a) for a in args], {k: text(v) for k, v in kwargs.items()}


# -- what is legal -----------------------------------------------------------------------------------------------


def pattern(sample: Sample) -> Array:
    """Numbers for one place: all different, inside the domain, away from its kinks."""
    low, high, kinks = sample.domain
    low = max([low, *[k for k in kinks if low < k < high]])
    size = int(np.prod(sample.shape))
    values = low + (high - low) * (0.1 + 0.8 * ((np.arange(size) * 0.6180339887 + 0.3) % 1.0))
    return made(values.reshape(sample.shape), sample)


def made(values: Array, sample: Sample) -> Array:
    """The argument of the function, made from drawn numbers."""
    return values if sample.make is None else np.asarray(sample.make(values))


def attempt(entry: Entry, example: Example, arrays: Sequence[Array]) -> Any:
    """The result of a call on arrays; None if NumPy refuses or warns, or if nothing is finite."""
    rest = iter(arrays)
    args = [filled(a, rest) for a in example.args]
    kwargs = {k: filled(v, rest) for k, v in example.kwargs.items()}
    function = entry.forward if isinstance(entry, Primitive) else entry.function
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = function(*args, **kwargs)
    except Exception:  # whatever it is that NumPy says, it says no
        return None
    for value in result if isinstance(result, list | tuple) else [result]:
        value = np.asarray(value)
        if value.dtype.kind not in "fciub" or not np.isfinite(value).all():
            return None
    return result


@lru_cache(maxsize=1024)
def parameters_of(entry: Entry) -> tuple[str, ...]:
    """The names of the parameters in order; none if a function takes any number of arrays."""
    if isinstance(entry, Primitive):
        return () if entry.variadic else entry.parameters
    found = inspect.signature(inspect.unwrap(entry.call)).parameters.values()
    return () if any(p.kind is p.VAR_POSITIONAL for p in found) else tuple(p.name for p in found)


def _option(name: str, shape: tuple[int, ...], entry: Entry) -> Strategy | None:
    """Values for an option of this name, for an array of this shape."""
    rank = len(shape)
    if name == "axis":
        several = any(isinstance(e.kwargs.get("axis"), tuple) for e in entry.examples)
        return axes(rank, several=several)
    if name == "keepdims":
        return st.booleans()
    if name == "index":
        return indices(shape)
    if name == "axes":
        return st.permutations(range(rank)).map(tuple) if rank else None
    if name == "shape":
        return st.one_of(st.permutations(shape).map(tuple), st.sampled_from([(-1,), (1, *shape), (2, *shape)]))
    if name in ("shift", "k", "offset"):
        return st.integers(-2, 2)
    return None


@st.composite
def varied(draw: Any, entry: Entry, example: Example) -> Example:
    """The example with new options for arrays of its shapes; the caller tests whether the call is valid."""
    places = slots((*example.args, *example.kwargs.values()))
    names = parameters_of(entry)
    args, kwargs = list(example.args), dict(example.kwargs)
    for name in names if places else ():
        option = _option(name, places[0].shape, entry)
        position = names.index(name)
        if option is None or (position < len(args) and slots([args[position]])):
            continue
        if position < len(args):
            args[position] = draw(option)
        elif name in kwargs or draw(st.booleans()):
            kwargs[name] = draw(option)
    return Example(tuple(args), kwargs)


def with_shapes(example: Example, shapes: Sequence[tuple[int, ...]]) -> Example:
    """The example with arrays of other shapes."""
    rest = iter(shapes)

    def replaced(value: Any) -> Any:
        if isinstance(value, Sample):
            return value._replace(shape=next(rest))
        return [replaced(v) for v in value] if isinstance(value, list) else value

    args = tuple(replaced(a) for a in example.args)
    return Example(args, {k: replaced(v) for k, v in example.kwargs.items()})


def legal(entry: Entry, example: Example) -> Any:
    """The result of the example on suitable numbers; None if the call is not valid."""
    try:
        arrays = [pattern(s) for s in slots((*example.args, *example.kwargs.values()))]
    except Exception:  # make= does not take this shape
        return None
    return attempt(entry, example, arrays)


# -- the public strategies ---------------------------------------------------------------------------------------


def entries() -> Strategy:
    """The differentiable entries of the table, also your own.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import entries
    >>> find(entries(), lambda entry: entry.name == "tanh")
    <primitive tanh(x)>
    """
    return st.sampled_from([e for e in registry.values() if isinstance(e, Composite) or not e.flat])


def _broadcasting(entry: Primitive) -> Strategy:
    """Samples of mutually broadcastable shapes for a function with a signature."""
    domains = entry.domain or (Domain(),) * len(entry.parameters)
    assert entry.core is not None
    drawn = hnp.mutually_broadcastable_shapes(
        num_shapes=len(entry.parameters), max_dims=3, min_side=0, max_side=3
    )  # fmt: skip
    return drawn.map(
        lambda found: Example(tuple(Sample(s, d) for s, d in zip(found.input_shapes, domains, strict=True)), {})
    )


@st.composite
def _example_of(draw: Any, entry: Entry) -> Example:
    """A valid call of an entry that is not elementwise."""
    example = draw(st.sampled_from(list(entry.examples)))
    places = slots((*example.args, *example.kwargs.values()))
    sizes = {n: draw(st.integers(0, 3)) for n in sorted({n for s in places for n in s.shape if n > 1})}
    extra: tuple[int, ...] = ()
    if isinstance(entry, Primitive) and entry.core is not None and draw(st.booleans()):
        extra = draw(hnp.array_shapes(min_dims=0, max_dims=1, max_side=3))  # one more axis of the stack
    shapes = [tuple(sizes.get(n, n) for n in s.shape) for s in places]
    if extra and places:
        shapes[0] = (*extra, *shapes[0])
    resized = with_shapes(example, shapes)
    other = draw(varied(entry, resized))
    return next((e for e in (other, resized) if legal(entry, e) is not None), example)


@st.composite
def arguments(
    draw: Any,
    function: Any,
    *,
    dtype: Any = np.float64,
    at_kinks: bool = False,
    layouts: Sequence[str] = ("contiguous",),
) -> Call:
    """A valid call of a registered function, as a :class:`Call`: ``call(*call.arrays)`` makes it.

    ``function`` is a NumPy function, one that you registered, or an entry of the table.  Shapes broadcast with each
    other.  A function that is not elementwise gets the shapes of its examples, with other sizes and axes.  Values come
    from the domain: away from kinks, or with ``at_kinks`` also exactly at them, and tied.  Raises KeyError for a
    function that is not registered.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import arguments
    >>> call = find(arguments(np.add), lambda call: call(*call.arrays).shape == (2,))
    >>> sorted(a.shape for a in call.arrays)
    [(), (2,)]
    """
    entry = entry_of(function)
    elementwise = isinstance(entry, Primitive) and entry.elementwise
    chosen = draw(_broadcasting(entry) if elementwise else _example_of(entry))  # type: ignore[arg-type]
    arrays = []
    for place in slots((*chosen.args, *chosen.kwargs.values())):
        values = tensors(
            place.shape, dtype, place.domain, at_kinks=at_kinks, distinct=not at_kinks, layouts=layouts
        )  # fmt: skip
        arrays.append(made(draw(values), place))
    return Call(entry, chosen.args, chosen.kwargs, arrays)
