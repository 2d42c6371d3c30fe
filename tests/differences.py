"""Numerical derivatives and example arrays for the property tests.  Knows NumPy and the table, and no op by name."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autodiff import Tensor
from autodiff.primitive import Domain, Primitive, Sample
from autodiff.tensor import backward

STEP = 2.0**-13


def values(shape, domain: Domain, rng, dtype=np.float64):
    """Short decimals inside the domain, all different, away from its ends and kinks."""
    low, high, kinks = domain
    margin = 0.08 * (high - low)
    pool = np.round(np.linspace(low + margin, high - margin, 4001), 3)
    for kink in kinks:
        pool = pool[np.abs(pool - kink) > 0.1]
    size = int(np.prod(shape))
    assert size < len(pool) // 8
    # neighbours in the pool are 0.001 apart: choose one of every few, so that no two are nearly tied
    chosen = rng.permutation(len(pool) // 8)[:size] * 8
    return pool[chosen].reshape(shape).astype(dtype)


def layouts(array):
    """The same values, stored in another way."""
    yield "contiguous", array
    if array.ndim >= 2:
        yield "transposed", np.asfortranarray(array)
    if array.ndim >= 1:
        yield "strided", np.repeat(array, 2, axis=-1)[..., ::2]
        yield "reversed", array[::-1].copy()[::-1]


class Call:
    """One call with the arrays taken out of its arguments: a function of arrays alone."""

    def __init__(self, call, args, kwargs):
        self.call, self.args, self.kwargs = call, args, kwargs
        lists = [a if isinstance(a, list) else [a] for a in args]
        found = [(k, s) for k, items in enumerate(lists) for s in items if isinstance(s, Sample)]
        self.samples = [s for _, s in found]
        self.positions = [k for k, _ in found]  # which argument each array is

    def arrays(self, rng, dtype=np.float64):
        found = [values(s.shape, s.domain, rng, dtype) for s in self.samples]
        found = [a if s.make is None else np.asarray(s.make(a)) for a, s in zip(found, self.samples, strict=True)]
        assert all(np.finfo(a.dtype).dtype == dtype for a in found), "make= must keep the precision"
        for array in found:
            array.flags.writeable = False
        return found

    def __call__(self, *arrays):
        rest = iter(arrays)

        def fill(a):
            if isinstance(a, list):
                return [fill(x) for x in a]
            return next(rest) if isinstance(a, Sample) else a

        return self.call(*[fill(a) for a in self.args], **self.kwargs)

    def with_call(self, call):
        return Call(call, self.args, self.kwargs)


SHAPES = {
    1: [((2, 3),), ((),), ((0, 2),)],
    2: [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((2, 0), (1,)), ((), ())],
}
SHAPES[3] = [((2, 3),) * 3, ((3,), (2, 1), ()), ((), (2, 2), (2,)), ((0,), (1,), ())]


def calls(entry) -> list[Call]:
    """The calls of an entry that the tests make: its examples, and every kind of broadcasting if it broadcasts."""
    made = [Call(entry.call, example.args, example.kwargs) for example in entry.examples]
    if isinstance(entry, Primitive) and entry.elementwise:
        made += [
            Call(entry.call, tuple(Sample(s, d) for s, d in zip(shapes, entry.domain, strict=True)), {})
            for shapes in SHAPES[len(entry.parameters)]
        ]
    return made


def outputs(result):
    return list(result) if isinstance(result, list | tuple) else [result]


def numpy_function(call: Call, entry):
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


def central(function, arrays, i):
    """d function / d arrays[i], element by element: central differences with two Richardson extrapolations.

    For a complex element z = a + ib it is d / da - i d / db, the convention of the engine.
    """
    gradient = np.zeros(arrays[i].shape, np.result_type(arrays[i].dtype, np.float64))
    for index in np.ndindex(arrays[i].shape):

        def slope(direction, index=index):
            def at(offset):
                moved = arrays[i].copy()
                moved[index] += offset * direction
                return function([*arrays[:i], moved, *arrays[i + 1 :]])

            slopes = [(at(h) - at(-h)) / (2 * h) for h in (4 * STEP, 2 * STEP, STEP)]
            coarse = [(4 * b - a) / 3 for a, b in pairwise(slopes)]
            return (16 * coarse[1] - coarse[0]) / 15

        gradient[index] = slope(1.0)
        if np.iscomplexobj(gradient):
            gradient[index] -= 1j * slope(1j)
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
