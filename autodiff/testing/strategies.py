"""Hypothesis strategies: arrays, axes, indices, layouts, the arguments of any entry of the table, and whole programs.

Values are short decimals, so that a failure reads well and shrinks to numbers that one can check by hand.

>>> from hypothesis import find
>>> from autodiff.testing.strategies import tensors
>>> find(tensors(shape=(2,)), lambda x: True).tolist()
[0.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ..primitive import Composite, Domain, Primitive, Sample, real, registry

Array = Any
Strategy = st.SearchStrategy[Any]

LAYOUTS = ("contiguous", "transposed", "strided", "reversed", "read-only")


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> Strategy:
    """Shapes, from () on, with empty ones among them."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def dtypes() -> Strategy:
    """The floating-point types that gradients are computed in."""
    return st.sampled_from([np.float64, np.float32])


def decimals(domain: Domain = real, at_kinks: bool = False) -> Strategy:
    """Numbers of the domain with at most two decimals: away from its ends and kinks, or exactly at a kink as well."""
    low, high, kinks = domain
    margin = min(0.25, (high - low) / 20)
    first, last = int(np.ceil((low + margin) * 100)), int(np.floor((high - margin) * 100))
    smooth = st.integers(first, last).map(lambda n: n / 100)
    smooth = smooth.filter(lambda v: all(abs(v - kink) > margin / 2 for kink in kinks))
    return st.one_of(smooth, st.sampled_from(kinks)) if at_kinks and kinks else smooth


def _laid_out(array: Array, layout: str) -> Array:
    """The same values, stored in another way."""
    if layout == "transposed" and array.ndim >= 2:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim >= 1:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "reversed" and array.ndim >= 1:
        return array[::-1].copy()[::-1]
    if layout == "read-only":
        array.flags.writeable = False
    return array


@st.composite
def tensors(
    draw: Any,
    shape: Any = None,
    dtype: Any = np.float64,
    domain: Domain = real,
    *,
    at_kinks: bool = False,
    distinct: bool = False,
    layouts: Sequence[str] = ("contiguous",),
) -> Array:
    """Arrays to make Tensors of: short decimals of ``domain``, of a shape (or a strategy for one) and a dtype.

    ``at_kinks`` puts some elements exactly on a kink; ``distinct`` keeps them apart, so that no two are tied;
    ``layouts`` are the ways to store them, of LAYOUTS.
    """
    shape = draw(shapes()) if shape is None else draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    dtype = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
    values = draw(hnp.arrays(np.float64, shape, elements=decimals(domain, at_kinks), unique=distinct))
    return _laid_out(values.astype(dtype), draw(st.sampled_from(list(layouts))))


def axes(rank: int, *, several: bool = True) -> Strategy:
    """An axis of an array of this rank: None, an integer of either sign, or a tuple of distinct ones."""
    if not rank:
        return st.none()
    single = st.integers(-rank, rank - 1)
    if not several:
        return single
    many = st.lists(st.integers(0, rank - 1), min_size=1, unique=True).map(tuple)
    return st.one_of(st.none(), single, many)


def indices(shape: tuple[int, ...]) -> Strategy:
    """Indices of an array of this shape: basic, advanced (with repetition), boolean, negative and empty ones."""
    basic = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    boolean = hnp.arrays(bool, shape)
    if not shape or 0 in shape:
        return st.one_of(basic, boolean)
    whole = hnp.arrays(
        np.int64, hnp.array_shapes(max_dims=2, min_side=0, max_side=3), elements=st.integers(-shape[0], shape[0] - 1)
    )
    paired = hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3))
    return st.one_of(basic, whole, paired, boolean)


def _table() -> list[Primitive | Composite]:
    return [e for e in registry.values() if isinstance(e, Composite) or not e.flat]


def entries() -> Strategy:
    """The differentiable entries of the table, yours included."""
    return st.sampled_from(_table())


class Call:
    """One call of an entry: ``call(*arrays)`` makes it with these in the place of its arrays."""

    def __init__(
        self, entry: Primitive | Composite, args: tuple[Any, ...], kwargs: dict[str, Any], arrays: list[Array]
    ) -> None:
        self.entry, self.args, self.kwargs, self.arrays = entry, args, kwargs, arrays

    def __call__(self, *arrays: Any) -> Any:
        rest = iter(arrays)

        def filled(value: Any) -> Any:
            if isinstance(value, Sample):
                return next(rest)
            return [filled(v) for v in value] if isinstance(value, list) else value

        return self.entry.call(*[filled(a) for a in self.args], **{k: filled(v) for k, v in self.kwargs.items()})

    def __repr__(self) -> str:
        rest = iter(self.arrays)

        def text(value: Any) -> str:
            if isinstance(value, Sample):
                array = next(rest)
                return f"{array.dtype.name}{array.tolist()}"
            return "[" + ", ".join(map(text, value)) + "]" if isinstance(value, list) else repr(value)

        parts = [text(a) for a in self.args] + [f"{k}={text(v)}" for k, v in self.kwargs.items()]
        return f"{self.entry.name}({', '.join(parts)})"


def _samples(args: Any) -> list[Sample]:
    return [s for a in args for s in (_samples(a) if isinstance(a, list) else [a]) if isinstance(s, Sample)]


@st.composite
def arguments(
    draw: Any,
    entry: Primitive | Composite,
    *,
    dtype: Any = np.float64,
    at_kinks: bool = False,
    layouts: Sequence[str] = ("contiguous",),
) -> Call:
    """A legal call of an entry: mutually broadcastable shapes for an elementwise one, one of its examples otherwise.

    Values come from the entry's domain: away from its kinks, or exactly at them too.
    """
    if isinstance(entry, Primitive) and entry.elementwise:
        count = len(entry.parameters)
        drawn = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3))
        args: tuple[Any, ...] = tuple(Sample(s, d) for s, d in zip(drawn.input_shapes, entry.domain, strict=True))
        kwargs: dict[str, Any] = {}
    else:
        chosen = draw(st.sampled_from(list(entry.examples)))
        args, kwargs = chosen.args, chosen.kwargs
    samples = _samples((*args, *kwargs.values()))
    arrays = [
        draw(tensors(s.shape, dtype, s.domain, at_kinks=at_kinks, distinct=not at_kinks, layouts=layouts))
        for s in samples
    ]
    arrays = [a if s.make is None else np.asarray(s.make(a)) for a, s in zip(arrays, samples, strict=True)]
    return Call(entry, args, kwargs, arrays)


def entry_of(function: Callable[..., Any]) -> Primitive | Composite:
    """The entry of the table for a function: np.tanh, or one of your own that you registered."""
    found = registry.get(function) or next((e for e in registry.values() if e.call is function), None)
    if found is None:
        raise KeyError(
            f"arguments: {getattr(function, '__name__', function)!s} is not registered; see autodiff.primitive"
        )
    return found
