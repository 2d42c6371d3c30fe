"""The other methods of ufuncs: what NumPy's give on plain arrays, of many elements, of one, of none."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from autodiff import Tensor, grad
from autodiff.primitive import Primitive, registry

UFUNCS = [
    e.function
    for e in registry.values()
    if isinstance(e.function, np.ufunc) and getattr(np, e.name, None) is e.function  # SciPy's have other habits
    if e.function.signature is None and "dd->d" in e.function.types
]
LOGICAL = [np.logical_and, np.logical_or]
ARRAYS = [
    np.array([]), np.array([-2.5]), np.array([-2.5, 3.0]), np.array([1.0, 2.0, 4.0]), np.zeros((0, 2)),
    np.zeros((2, 0)), np.array([[-1.0, 2.0]]), np.array(-3.0),
]  # fmt: skip
OPTIONS = [
    {}, {"initial": 2.0}, {"initial": -2.0}, {"initial": None}, {"keepdims": True}, {"axis": -1}, {"axis": None},
    {"axis": -1, "initial": 1.5, "keepdims": True},
]  # fmt: skip


def attempt(call):
    try:
        with np.errstate(all="ignore"):
            return call()
    except (TypeError, ValueError) as error:  # an AxisError is one
        return error


def folded(ufunc, x, axis=0, initial=np._NoValue, keepdims=False):
    """The reduction as NumPy defines it, step by step: NumPy's own loops of power and arctan2 leave out steps."""
    parts = [x] if x.ndim == 0 else list(np.moveaxis(x, 0 if axis is None else axis, 0))
    start = ufunc.identity if initial is np._NoValue else initial
    with np.errstate(all="ignore"):
        if start is not None:
            parts.insert(0, np.full(x.shape[:axis] if x.ndim < 2 else np.delete(x.shape, axis or 0), start)[()])
        result = functools.reduce(ufunc, parts)
    return np.expand_dims(result, axis or 0) if keepdims and x.ndim else result


@pytest.mark.parametrize("ufunc", [*UFUNCS, *LOGICAL], ids=lambda u: u.__name__)
def test_a_reduction_is_numpys(ufunc):
    for x in ARRAYS:
        for options in OPTIONS:
            expected = attempt(lambda x=x, options=options: ufunc.reduce(x, **options))
            found = attempt(lambda x=x, options=options: ufunc.reduce(Tensor(x), **options))
            if isinstance(expected, Exception):
                assert isinstance(found, Exception), (x, options)
                continue
            assert isinstance(found, Tensor), (x, options, found)
            if ufunc in (np.power, np.float_power, np.arctan2):
                expected = np.asarray(folded(ufunc, x, **options))
            assert found.dtype == np.asarray(expected).dtype
            np.testing.assert_allclose(found.data, expected, rtol=1e-15, err_msg=f"{x} {options}")
            assert found.shape == np.shape(expected)


@pytest.mark.parametrize("ufunc", [*UFUNCS, *LOGICAL], ids=lambda u: u.__name__)
def test_a_running_reduction_is_numpys(ufunc):
    for x in ARRAYS[:-1]:
        for axis in (0, -1):
            expected = attempt(lambda x=x, axis=axis: ufunc.accumulate(x, axis=axis))
            found = ufunc.accumulate(Tensor(x), axis=axis)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found.data, expected)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda u: u.__name__)
def test_a_reduction_of_one_or_none_has_a_gradient(ufunc):
    if registry[ufunc].flat if isinstance(registry[ufunc], Primitive) else False:
        return
    for x in (np.array([1.5]), np.zeros(0)):
        found = grad(lambda x: ufunc.reduce(x, initial=2.0))(x)
        slopes = [
            (folded(ufunc, x + d, initial=2.0) - folded(ufunc, x - d, initial=2.0)) / 2e-6
            for d in 1e-6 * np.eye(len(x))
        ]
        np.testing.assert_allclose(found, np.array(slopes), rtol=1e-7)


def test_the_hypotenuse_of_one_number_is_its_size():
    assert np.hypot.reduce(Tensor([-3.0])).item() == 3.0
    assert grad(np.hypot.reduce)(np.array([-3.0])).tolist() == [-1.0]
    assert np.hypot.reduce(Tensor(np.zeros(0)), initial=2.0).item() == 2.0
