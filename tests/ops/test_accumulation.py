"""Adding at positions: the bits of a loop in the order of the index, for any index, dtype and layout, mapped or not."""

from __future__ import annotations

import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autodiff import grad, index_add, jacobian, vmap
from autodiff.ops import accumulation
from autodiff.ops.accumulation import add_at, names_once
from autodiff.ops.indexing import scatter_add

DTYPES = [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128]


def one_by_one(total, index, values):
    """The definition: a Python loop over what the index names, in its order; of halves, rounded at the end alone."""
    result = np.array(total, order="C", dtype=np.float32 if total.dtype == np.float16 else None)
    positions = np.arange(result.size).reshape(result.shape)[index]
    flat = result.reshape(-1)
    for position, value in zip(positions.flat, np.broadcast_to(values, positions.shape).flat, strict=True):
        flat[position] = flat[position] + value
    with np.errstate(over="ignore"):
        return result.astype(total.dtype)


@st.composite
def places(draw):
    """A shape and an index into it: of one array or several, between slices, integers, None and an Ellipsis."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5))
    arrays = hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=30)
    common = draw(arrays)
    parts = []
    for n in shape[: draw(st.integers(1, len(shape)))]:
        kind = draw(st.sampled_from(["array", "list", "once", "mask", "slice", "integer", "new"]))
        if kind == "array":
            parts.append(draw(hnp.arrays(np.intp, common, elements=st.integers(-n, n - 1))))
        elif kind == "list":
            parts.append(draw(st.lists(st.integers(-n, n - 1), min_size=common[-1], max_size=common[-1])))
        elif kind == "once" and n >= common[-1]:
            parts.append(np.array(draw(st.permutations(range(n))))[: common[-1]])
        elif kind == "mask" and common[-1] <= n:
            parts.append(np.arange(n) < common[-1])
        elif kind == "integer":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "new":
            parts.extend([None, slice(None)])
        else:
            parts.append(slice(draw(st.integers(0, n)), None, draw(st.sampled_from([1, 2, -1]))))
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return shape, tuple(parts) if len(parts) > 1 or draw(st.booleans()) else parts[0]


def numbers(rng, shape, dtype):
    """Numbers of very different sizes, so that another order of summation has other bits."""
    found = rng.normal(size=shape) * 10.0 ** rng.integers(-2, 3, shape)
    if np.dtype(dtype).kind == "c":
        found = found + 1j * rng.normal(size=shape)
    return found.astype(dtype)


@given(places(), st.sampled_from(DTYPES), st.sampled_from(["whole", "broadcast", "strided"]), st.booleans())
def test_the_bits_of_a_loop(place, dtype, layout, fortran):
    shape, index = place
    rng = np.random.default_rng(0)
    slot = np.zeros(shape)[index].shape
    values = numbers(rng, slot[-1:] if layout == "broadcast" and slot else slot, dtype)
    if layout == "strided":
        values = np.array(values.T).T
    total = np.array(numbers(rng, shape, dtype), order="F" if fortran else "C")
    expected = one_by_one(total, index, values)
    with np.errstate(over="ignore"):
        found = total.copy(order="K")
        add_at(found, index, values)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(index_add(total, index, values), expected)
        if layout != "broadcast":
            np.testing.assert_array_equal(scatter_add(values, index, shape), one_by_one(total * 0, index, values))


@given(places())
def test_what_is_said_to_name_once_names_once(place):
    shape, index = place
    positions = np.arange(np.prod(shape)).reshape(shape)[index]
    is_once = np.unique(positions).size == positions.size
    for values in (np.zeros(10), np.zeros(100)):
        assert is_once or not names_once(index, shape, values)
    if np.prod(shape) <= 4000:
        assert names_once(index, shape, np.zeros(100)) == is_once


@given(places(), st.sampled_from(DTYPES), st.integers(1, 4))
def test_mapped_it_has_the_bits_of_a_loop_over_the_examples(place, dtype, count):
    shape, index = place
    values = numbers(np.random.default_rng(1), (count, *np.zeros(shape)[index].shape), dtype)
    with np.errstate(over="ignore"):
        found = vmap(lambda v: scatter_add(v, index, shape))(values)
        expected = np.stack([scatter_add(v, index, shape) for v in values])
    np.testing.assert_array_equal(found, expected)


@given(st.sampled_from(DTYPES), st.data())
def test_an_index_of_each_example_s_own(dtype, data):
    index = data.draw(hnp.arrays(np.intp, (3, 40), elements=st.integers(-5, 4)))
    values = numbers(np.random.default_rng(2), (3, 40, 2), dtype)
    found = vmap(lambda v, i: scatter_add(v, i, (5, 2)))(values, index)
    expected = np.stack([one_by_one(np.zeros((5, 2), dtype), i, v) for i, v in zip(index, values, strict=True)])
    np.testing.assert_array_equal(found, expected)


def test_what_does_not_fit_is_refused():
    for values in (np.zeros((2, 4)), np.zeros(3), np.zeros((100, 2))):
        with pytest.raises(ValueError, match="broadcast|shape"):
            add_at(np.zeros((5, 5)), (slice(None), np.arange(100) % 5), values)
    with pytest.raises(IndexError):
        add_at(np.zeros((5, 5)), np.arange(100), np.ones((100, 5)))
    with pytest.raises(TypeError, match="convert x"):
        index_add(np.zeros((5, 5)), np.arange(100) % 5, np.ones((100, 5)) * 1j)


@pytest.fixture
def axes(monkeypatch):
    """How many axes the arrays have that NumPy's own add.at is called with."""
    seen = []

    class Add:
        outer = np.add.outer

        @staticmethod
        def at(total, index, values):
            if type(total) is np.ndarray:  # and not many examples, which come back here as an array
                seen.append(total.ndim)
            np.add.at(total, index, values)

    proxy = types.SimpleNamespace(**{name: getattr(np, name) for name in dir(np) if not name.startswith("_")})
    proxy.add = Add
    monkeypatch.setattr(accumulation, "np", proxy)
    return seen


def test_many_values_go_through_numpy_s_fast_loop(axes):
    twice = np.arange(100) % 30
    x, m = np.arange(40.0), np.ones((30, 20))
    grad(lambda m: np.sum(m[twice] ** 2))(m)
    grad(lambda m: np.sum(m[:, twice % 20] ** 2))(m)
    index_add(m, twice, 1.0)
    jacobian(lambda x: np.sin(x[twice]))(x)
    assert axes == [1, 1, 1, 1]


def test_an_index_that_names_nothing_twice_needs_no_add_at(axes):
    once = np.random.default_rng(0).permutation(40)[:30]
    grad(lambda m: np.sum(m[once] ** 2))(np.ones((40, 20)))
    jacobian(lambda x: np.sin(x[once]))(np.arange(40.0))
    assert axes == []


def test_an_empty_list_names_nothing_in_each_example():
    found = vmap(grad(lambda v: np.sum(v[[]]) + np.sum(v**2)))(np.ones((2, 3)))
    np.testing.assert_array_equal(found, np.full((2, 3), 2.0))
