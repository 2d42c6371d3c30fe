"""Arrays that do not speak NumPy's protocols: a variable is a copy as an ndarray, and as a constant they are refused.

JAX's arrays are such arrays.  A class of the tests has what matters of them: ``__array__``, a view that cannot be
written into, and arithmetic of its own in half of the precision.  Where JAX is installed, its own arrays are tried too.
"""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np
import pytest

import autodiff
from autodiff import Tensor
from autodiff.primitive import Primitive
from tests.blocks import of_each
from tests.differences import calls, cotangents, numpy_function, outputs, weights
from tests.foreign.contract import COMPILED, ENTRIES


class Elsewhere:
    """An array of a library with rules of its own."""

    __array_priority__ = 100

    def __init__(self, values):
        self._values = np.array(values, np.float32)
        self._values.flags.writeable = False
        self.dtype, self.shape, self.ndim = self._values.dtype, self._values.shape, self._values.ndim

    def __array__(self, dtype=None, copy=None):
        return self._values if dtype is None else self._values.astype(dtype)

    def __jax_array__(self):
        raise AssertionError("nobody asks for JAX")

    def _computed(self, other):
        return Elsewhere(self._values) if isinstance(other, np.ndarray | float) else NotImplemented

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _computed
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = _computed


KINDS = {"of the tests": Elsewhere}
if importlib.util.find_spec("jax") is not None:
    jnp = importlib.import_module("jax.numpy")
    KINDS["of JAX"] = lambda values: jnp.asarray(values, np.float32)


def kinds():
    return pytest.mark.parametrize("of", KINDS.values(), ids=KINDS)


@kinds()
@of_each("entry", [*ENTRIES, *COMPILED])
def test_a_variable_is_a_copy_as_an_ndarray(entry, of, rng):
    """Values and gradients are those of the same numbers in an ndarray, to the last bit."""
    with np.errstate(all="ignore"):
        for call in calls(entry):
            arrays = [a for a in call.arrays(rng, np.float32) if a.dtype == np.float32]
            if len(arrays) < len(call.samples):  # complex ones
                continue
            try:
                expected = outputs(numpy_function(call, entry)(*arrays))
            except TypeError:
                continue
            found = outputs(call(*[Tensor(of(a)) for a in arrays]))
            for one, two in zip(found, outputs(call(*map(Tensor, arrays))), strict=True):
                np.testing.assert_array_equal(one.data, two.data)
                assert one.dtype == two.dtype
            if isinstance(entry, Primitive) and entry.flat:
                continue
            seeds = [
                w.astype(np.asarray(r).dtype) for w, r in zip(weights(expected, rng, np.float32), expected, strict=True)
            ]
            pulled = cotangents(call, [Tensor(of(a)) for a in arrays], seeds)
            for one, two in zip(pulled, cotangents(call, arrays, seeds), strict=True):
                assert type(one) is type(two)
                np.testing.assert_array_equal(one, two)


@kinds()
def test_a_variable_can_be_written_into(of):
    t = Tensor(of([1.0, 2.0]))
    assert type(t.data) is np.ndarray
    t.data -= 0.5
    assert t.data.tolist() == [0.5, 1.5]
    t.data = of([3.0, 4.0])
    t.data -= 0.5
    assert t.data.tolist() == [2.5, 3.5]


@kinds()
def test_transforms_return_ndarrays(of):
    x = of([1.0, 2.0])
    assert type(autodiff.grad(lambda x: np.sum(x * x))(x)) is np.ndarray
    y, pull = autodiff.vjp(np.square, x)
    assert type(y) is np.ndarray
    assert pull(of([1.0, 1.0]))[0].tolist() == [2.0, 4.0]
    assert autodiff.hessian(lambda x: np.sum(x**3))(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]


@kinds()
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("operator", ["__add__", "__sub__", "__mul__", "__truediv__", "__pow__"])
def test_a_constant_that_computes_by_its_own_rules_is_refused(of, operator, swapped):
    """Its arithmetic would be done in its own precision, and nobody would notice."""
    t, constant = Tensor([1.0, 2.0]), of([1.0, 2.0])
    operator = operator.replace("__", "__r", 1) if swapped else operator
    with pytest.raises(TypeError, match=r"which has rules of its own; pass np\.asarray"):
        getattr(t, operator)(constant)


@kinds()
def test_as_an_ndarray_a_constant_keeps_the_precision(of):
    t = Tensor([1 / 3, 2 / 3])
    np.sum(t * np.asarray(of([1.0, 2.0]))).backward()
    assert (t.grad.dtype, t.grad.tolist()) == (np.float64, [1.0, 2.0])
