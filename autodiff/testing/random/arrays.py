"""Hypothesis strategies for arrays: shapes, dtypes, values, layouts, axes and indices.

Values are short decimals.  So a failure is easy to read, and shrinks to numbers that you can check by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ...primitive import Domain, real

Array = Any
Strategy = st.SearchStrategy[Any]

LAYOUTS = ("contiguous", "transposed", "strided", "reversed", "read-only", "broadcast")
"""Ways to store an array: in C order, in Fortran order, with gaps, with negative strides, not writeable, with strides
of zero (all rows are the first one)."""


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> Strategy:
    """Shapes, () and empty ones included.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import shapes
    >>> find(shapes(), lambda shape: len(shape) == 2)
    (0, 0)
    """
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def dtypes(*, half: bool = False, complex_numbers: bool = False) -> Strategy:
    """The dtypes of gradients: float64 and float32, and float16 or the complex ones if asked for.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import dtypes
    >>> find(dtypes(), lambda dtype: True)
    dtype('float64')
    """
    names = ["float64", "float32", *["float16"] * half, *["complex128", "complex64"] * complex_numbers]
    return st.sampled_from([np.dtype(name) for name in names])


def decimals(domain: Domain = real, at_kinks: bool = False) -> Strategy:
    """Numbers of the domain with at most two decimals: away from its ends and kinks, or also exactly at a kink.

    ``at_kinks`` also makes whole numbers frequent, so that elements tie: these are the kinks of max, sort and similar
    functions.

    >>> from hypothesis import find
    >>> from autodiff.primitive import Domain
    >>> from autodiff.testing.strategies import decimals
    >>> find(decimals(Domain(-1.0, 1.0, (0.5,)), at_kinks=True), lambda x: x > 0.4)
    0.5
    """
    low, high, kinks = domain
    margin = min(0.25, (high - low) / 20)
    first, last = int(np.ceil((low + margin) * 100)), int(np.floor((high - margin) * 100))
    if first > last:
        raise ValueError(f"decimals: the domain ({low}, {high}) has no number with two decimals inside of it; widen it")
    smooth = st.integers(first, last).map(lambda n: n / 100)
    if kinks:
        smooth = smooth.filter(lambda v: all(abs(v - kink) > margin / 2 for kink in kinks))
    if not at_kinks:
        return smooth
    whole = [float(n) for n in range(first // 100, last // 100 + 1) if first <= 100 * n <= last]
    return st.one_of(st.sampled_from([*kinks, *whole]), smooth) if kinks or whole else smooth


def _laid_out(array: Array, layout: str) -> Array:
    """The same values with another memory layout."""
    if layout == "transposed" and array.ndim >= 2:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim >= 1:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "reversed" and array.ndim >= 1:
        return array[::-1].copy()[::-1]
    if layout == "broadcast" and array.ndim >= 1:
        return np.broadcast_to(array[:1].copy(), array.shape)
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
    """Arrays for Tensors: short decimals of ``domain``, with a shape and a dtype (or strategies for them).

    ``at_kinks`` puts some elements exactly on a kink.  ``distinct`` keeps elements apart, so that none tie.
    ``layouts`` are memory layouts, from LAYOUTS. For a complex dtype the real and the imaginary part are drawn.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import tensors
    >>> find(tensors((2, 2)), lambda x: x.sum() > 1).tolist()
    [[0.0, 0.0], [0.0, 1.01]]
    """
    shape = draw(shapes()) if shape is None else draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    dtype = np.dtype(draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype)
    if dtype.kind not in "fc":
        raise TypeError(f"tensors: {dtype} has no gradient; draw float64, float32, float16 or a complex type")
    unknown = set(layouts) - set(LAYOUTS)
    if unknown:
        raise ValueError(f"tensors: no layout is called {', '.join(sorted(unknown))}; there are {', '.join(LAYOUTS)}")
    elements = decimals(domain, at_kinks)

    def part() -> Array:
        return draw(hnp.arrays(np.float64, shape, elements=elements, unique=distinct, fill=st.nothing()))

    values = part() + 1j * part() if dtype.kind == "c" else part()
    return _laid_out(values.astype(dtype), draw(st.sampled_from(list(layouts))))


def axes(rank: int, *, several: bool = True, none: bool = True) -> Strategy:
    """An axis of an array of this rank: None, an integer of either sign, or a tuple of different ones.

    ``several=False`` leaves the tuples out, ``none=False`` leaves None out.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import axes
    >>> find(axes(3), lambda axis: isinstance(axis, tuple))
    (0,)
    """
    if not rank:
        return st.none() if none else st.nothing()
    single = st.integers(-rank, rank - 1)
    kinds: list[Strategy] = [*[st.none()] * none, single]
    if several:
        kinds.append(st.lists(single, min_size=1, max_size=rank, unique_by=lambda i: i % rank).map(tuple))
    return st.one_of(kinds)


def indices(shape: tuple[int, ...]) -> Strategy:
    """Indices of an array of this shape: basic, advanced (with repetition), boolean, negative and empty ones.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import indices
    >>> find(indices((3,)), lambda index: isinstance(index, np.ndarray) and index.size == 2)
    array([0, 0])
    """
    basic = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    boolean = hnp.arrays(bool, shape)
    if not shape or 0 in shape:
        return st.one_of(basic, boolean)
    whole = hnp.arrays(
        np.int64, hnp.array_shapes(max_dims=2, min_side=0, max_side=3), elements=st.integers(-shape[0], shape[0] - 1)
    )
    paired = hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3))
    rows = hnp.arrays(bool, shape[:1])
    return st.one_of(basic, whole, paired, boolean, rows)
