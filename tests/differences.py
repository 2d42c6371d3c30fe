"""Numerical derivatives and example arrays for the property tests.  Knows NumPy and the table, and no op by name."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autodiff import Tensor
from autodiff.backpropagation import backward
from autodiff.testing.table.samples import Template
from autodiff.testing.table.samples import calls as calls
from autodiff.testing.table.samples import values as values

STEP = 2.0**-13


def layouts(array):
    """The same values, stored in another way."""
    yield "contiguous", array
    if array.ndim >= 2:
        yield "transposed", np.asfortranarray(array)
    if array.ndim >= 1:
        yield "strided", np.repeat(array, 2, axis=-1)[..., ::2]
        yield "reversed", array[::-1].copy()[::-1]


def outputs(result):
    return list(result) if isinstance(result, list | tuple) else [result]


def numpy_function(call: Template, entry):
    """The same call of the plain function, on plain arrays."""
    return call.with_call(entry.function)


def weights(results, rng, dtype):
    """A cotangent for each result: short decimals away from zero, complex for a complex result."""
    made = []
    for result in results:
        shape = np.shape(result)
        parts = [np.asarray(np.round(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape), 2), dtype)]
        if np.iscomplexobj(result):
            parts.append(np.asarray(np.round(rng.uniform(0.5, 1.5, shape), 2), dtype))
        w = np.asarray(parts[0] + 1j * parts[1] if len(parts) == 2 else parts[0])
        w.flags.writeable = False
        made.append(w)
    return made


def dot(values, weights):
    """The real part of the sum of products, in extended precision: what a VJP is the gradient of."""
    wide = [np.asarray(v).astype(np.clongdouble if np.iscomplexobj(v) else np.longdouble) for v in values]
    return sum(np.real(np.sum(v * w)) for v, w in zip(wide, weights, strict=True))


def cotangents(call, arrays, seeds, create=False):
    """The VJP of a call at arrays: one cotangent an array, None where no gradient flows."""
    tensors = [a if isinstance(a, Tensor) else Tensor(a) for a in arrays]
    results = outputs(call(*tensors))
    by_node = {}
    for result, seed in zip(results, seeds, strict=True):
        if isinstance(result, Tensor) and result._node.active:
            by_node[result._node] = by_node[result._node] + seed if result._node in by_node else seed
    if not by_node:
        return [None] * len(tensors)
    found = backward(by_node, {t._node for t in tensors}, retain=True, create=create)
    return [found.get(t._node) for t in tensors]


def total(call, arrays, seeds):
    """The scalar whose gradient the VJP is: sum of seeds times outputs, in extended precision."""
    with np.errstate(all="ignore"):
        results = outputs(call(*arrays))
    return dot(results, seeds)


def slope(function):
    """The derivative of a function of one number at 0: central differences with two Richardson extrapolations."""
    slopes = [(function(h) - function(-h)) / (2 * h) for h in (4 * STEP, 2 * STEP, STEP)]
    coarse = [(4 * b - a) / 3 for a, b in pairwise(slopes)]
    return (16 * coarse[1] - coarse[0]) / 15


def central(function, arrays, i):
    """d function / d arrays[i], element by element.

    For a complex element z = a + ib it is d / da - i d / db, the convention of the engine.
    """
    gradient = np.zeros(arrays[i].shape, np.result_type(arrays[i].dtype, np.float64))
    for index in np.ndindex(arrays[i].shape):

        def along(direction, index=index):
            def at(offset):
                moved = arrays[i].copy()
                moved[index] += offset * direction
                return function([*arrays[:i], moved, *arrays[i + 1 :]])

            return slope(at)

        gradient[index] = along(1.0)
        if np.iscomplexobj(gradient):
            gradient[index] -= 1j * along(1j)
    return gradient


def complex_step(call, arrays, seeds, i):
    """d total / d arrays[i] by the complex step, or None where the function takes no complex numbers."""
    if any(map(np.iscomplexobj, (*arrays, *seeds))):
        return None
    gradient = np.zeros(arrays[i].shape)
    for index in np.ndindex(arrays[i].shape):
        moved = arrays[i].astype(complex)
        moved[index] += 1e-30j
        try:
            results = outputs(call(*arrays[:i], moved, *arrays[i + 1 :]))
        except TypeError:
            return None
        gradient[index] = sum(np.sum(np.imag(r) * s) for r, s in zip(results, seeds, strict=True)) / 1e-30
    return gradient
