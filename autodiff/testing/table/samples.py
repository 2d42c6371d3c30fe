"""Calls of the entries of the table with short decimals as arrays, the same in every run.

An entry is called as in its examples; an elementwise one with every kind of broadcasting, with values of its domain.
At kinks it is called as its ``kinks`` say, and at the kinks of its domain.  Wrong calls are made from right ones: an
array of another shape, an option that makes no sense, a keyword that does not exist.  NumPy decides whether a call is
wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...primitive import Composite, Domain, Example, Primitive, Sample, registry

Array = Any
Entry = Primitive | Composite

SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((2, 3),), ((),), ((0, 2),)],
    2: [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((2, 0), (1,)), ((), ())],
    3: [((2, 3),) * 3, ((3,), (2, 1), ()), ((), (2, 2), (2,)), ((0,), (1,), ())],
}
"""Shapes that broadcast, for functions of one, two and three arguments."""


def values(shape: tuple[int, ...], domain: Domain, rng: np.random.Generator, dtype: Any = np.float64) -> Array:
    """Short decimals inside the domain, all different, away from its ends and kinks."""
    low, high, kinks = domain
    margin = 0.08 * (high - low)
    pool = np.round(np.linspace(low + margin, high - margin, 4001), 3)
    for kink in kinks:
        pool = pool[np.abs(pool - kink) > 0.1]
    size = int(np.prod(shape))
    # neighbours in the pool are 0.001 apart: choose one of every few, so that no two are nearly tied
    chosen = rng.permutation(len(pool) // 8)[:size] * 8
    if len(chosen) < size:
        raise ValueError(f"values: shape {shape} is too large for different short decimals in ({low}, {high})")
    found: Array = pool[chosen].reshape(shape).astype(dtype)
    return found


def entry_of(function: Any) -> Entry:
    """The entry of a function in the table: of a NumPy function, or of one that you registered."""
    if isinstance(function, Primitive | Composite):
        return function
    found = registry.get(function) or next((e for e in registry.values() if e.call is function), None)
    if found is None:
        name = getattr(function, "__name__", function)
        raise KeyError(f"{name} is not registered; register it with elementwise, gufunc, primitive or composite")
    return found


def _filled(value: Any, arrays: Iterator[Any]) -> Any:
    """An argument with the next of ``arrays`` in each of its places."""
    if isinstance(value, list):
        return [_filled(v, arrays) for v in value]
    return next(arrays) if isinstance(value, Sample) else value


class Template:
    """One call with the arrays taken out of its arguments: a function of arrays alone."""

    def __init__(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.call, self.args, self.kwargs = call, args, kwargs
        self.__qualname__ = getattr(call, "__name__", type(call).__name__)
        lists = [a if isinstance(a, list) else [a] for a in args]
        found = [(k, s) for k, items in enumerate(lists) for s in items if isinstance(s, Sample)]
        self.samples = [s for _, s in found]
        self.positions = [k for k, _ in found]  # which argument each array is

    def arrays(self, rng: np.random.Generator, dtype: Any = np.float64) -> list[Array]:
        """Read-only arrays for its places."""
        found = [values(s.shape, s.domain, rng, dtype) for s in self.samples]
        found = [a if s.make is None else np.asarray(s.make(a)) for a, s in zip(found, self.samples, strict=True)]
        for array in found:
            array.flags.writeable = False
        return found

    def __call__(self, *arrays: Any) -> Any:
        rest = iter(arrays)
        return self.call(*[_filled(a, rest) for a in self.args], **self.kwargs)

    def with_call(self, call: Callable[..., Any]) -> Template:
        """The same call of another function."""
        return Template(call, self.args, self.kwargs)


def calls(entry: Entry) -> list[Template]:
    """The right calls of an entry: its examples, and every kind of broadcasting if it is elementwise."""
    made = [Template(entry.call, example.args, example.kwargs) for example in entry.examples]
    if isinstance(entry, Primitive) and entry.elementwise:
        made += [
            Template(entry.call, tuple(Sample(s, d) for s, d in zip(shapes, entry.domain, strict=True)), {})
            for shapes in SHAPES[len(entry.parameters)]
        ]
    return made


def _touching(domain: Domain, kink: float) -> Sample:
    """Two numbers of a domain, the first of them a kink."""

    def make(drawn: Array) -> Array:
        drawn = drawn.copy()
        drawn[0] = kink
        return drawn

    return Sample((2,), domain, make)


def kink_calls(entry: Entry) -> list[Template]:
    """The calls of an entry at kinks: its ``kinks``, and the kinks of its domain."""
    examples = list(entry.kinks)
    if isinstance(entry, Primitive):
        for number, domain in enumerate(entry.domain):
            for kink in domain.kinks:
                places: list[Any] = [Sample((2,), d) for d in entry.domain]
                places[number] = _touching(domain, kink)
                examples.append(Example(tuple(places), {}))
    return [Template(entry.call, e.args, e.kwargs) for e in examples]


RUBBISH = (99, -99, 2.5, "rubbish", (0, 0))
"""What is put in the place of an option, to see whether it is refused.  Flags are left alone: all of it is true."""


def _reshaped(args: tuple[Any, ...]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The arguments with one of the arrays in a shape that may not fit."""
    for i, argument in enumerate(args):
        if not isinstance(argument, Sample):
            continue
        for shape in ((), (7,), (*argument.shape, 5), argument.shape[1:], tuple(n + 4 for n in argument.shape)):
            if shape != argument.shape:
                other = argument._replace(shape=shape)
                yield f"argument {i} of shape {shape}", (*args[:i], other, *args[i + 1 :])


def _options(entry: Entry, given: int) -> list[str]:
    """The names of the parameters that come after those given by position, without flags."""
    function = entry.forward if isinstance(entry, Primitive) else inspect.unwrap(entry.call)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a ufunc of SciPy's
        return []
    is_variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    free = [p for i, p in enumerate(named) if p.kind is p.KEYWORD_ONLY or (i >= given and not is_variadic)]
    return [p.name for p in free if not isinstance(p.default, bool)]


def mutations(entry: Entry) -> Iterator[tuple[str, Template]]:
    """Right calls with one change, and the change in words: many of them are wrong."""
    for call in calls(entry)[:3]:
        for what, args in _reshaped(call.args):
            yield what, Template(entry.call, args, call.kwargs)
        for i, argument in enumerate(call.args):
            for value in () if isinstance(argument, Sample | list | np.ndarray | bool) else RUBBISH:
                yield f"argument {i} = {value!r}", call_with(call, args=(*call.args[:i], value, *call.args[i + 1 :]))
        for name in _options(entry, len(call.args)):
            for value in RUBBISH:
                yield f"{name}={value!r}", call_with(call, kwargs={**call.kwargs, name: value})
        yield "a keyword that does not exist", call_with(call, kwargs={**call.kwargs, "rubbish": 1})
        if Template(call.call, call.args[:-1], {}).samples:  # without an array, it is NumPy that is called
            yield "an argument too few", call_with(call, args=call.args[:-1])
        yield "many arguments too many", call_with(call, args=(*call.args, *[None] * 12))


def call_with(call: Template, args: tuple[Any, ...] | None = None, kwargs: dict[str, Any] | None = None) -> Template:
    """The call with other arguments."""
    return Template(call.call, call.args if args is None else args, call.kwargs if kwargs is None else kwargs)


def error_calls(entry: Entry) -> list[Template]:
    """Calls that are refused whatever NumPy does: with ``out=``, and the ``errors`` of the entry."""
    return [
        *[call_with(call, kwargs={**call.kwargs, "out": np.zeros(3)}) for call in calls(entry)[:1]],
        *[Template(entry.call, e.args, e.kwargs) for e in entry.errors],
    ]
