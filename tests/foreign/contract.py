"""What must be true of every entry of the table with the arrays of another library in the place of NumPy's."""

from __future__ import annotations

import numpy as np

from autodiff import Tensor
from autodiff.backpropagation import backward
from autodiff.primitive import Composite, Primitive, registry
from autodiff.scipy import load
from autodiff.scipy.compiled import ndarrays_only
from autodiff.testing.table.samples import Template
from tests.differences import calls, cotangents, numpy_function, outputs, weights
from tests.foreign.strict import has_ndarray

load()  # all that can be in the table
ENTRIES = [entry for function, entry in registry.items() if function not in ndarrays_only]
COMPILED = [entry for function, entry in registry.items() if function in ndarrays_only]
"""What compiled code of SciPy's computes, for NumPy's arrays alone."""


def same(found, expected, kind, tolerance):
    """One array is of this kind and holds the numbers of the other, which is NumPy's.

    None says that there is no gradient.  Where that depends on values, as on ties, nobody looks, and it is zeros.
    """
    of, plain = kind
    if expected is None:
        assert found is None or not np.any(plain(found))
        return
    assert found is not None
    assert type(found) is type(of(np.zeros(1)))
    assert found.shape == np.shape(expected)
    assert found.dtype == expected.dtype
    scale = np.max(np.abs(expected), initial=1.0) if np.isfinite(expected).all() else 1.0
    assert type(plain(found)) is np.ndarray
    np.testing.assert_allclose(plain(found), expected, rtol=tolerance, atol=tolerance * scale)


def second(call, arrays, seeds, of):
    """The gradient of a weighted sum of the gradients, by the arrays and the cotangents."""
    tensors = [Tensor(of(a)) for a in [*arrays, *seeds]]
    pulled = cotangents(call, tensors[: len(arrays)], tensors[len(arrays) :], create=True)
    directions = weights(arrays, np.random.default_rng(2), np.float64)
    total = sum(np.real(np.sum(c * of(d))) for c, d in zip(pulled, directions, strict=True) if c is not None)
    if not total._node.active:
        return []
    found = backward({total._node: of(np.float64(1.0))}, {t._node for t in tensors})
    return [found.get(t._node) for t in tensors]


def with_constants(call, of):
    """The call with each ndarray among its constants as another array."""

    def converted(value):
        if isinstance(value, np.ndarray) and value.ndim:
            return of(value)
        return type(value)(map(converted, value)) if type(value) in (list, tuple) else value

    return Template(call.call, converted(tuple(call.args)), {k: converted(v) for k, v in call.kwargs.items()})


def has_constants(call):
    """Whether there is an ndarray among the constants of a call."""
    return has_ndarray([*call.args, *call.kwargs.values()])


def check_call(entry, call, kind, rng, constants=False):
    """The value, the gradient and the gradient's gradient of one call are NumPy's, in arrays of this kind.

    ``kind`` is a pair of functions, from an ndarray to an array of the kind and back; ``constants`` are of it too.
    """
    of, _ = kind
    theirs = with_constants(call, of) if constants else call
    arrays = call.arrays(rng)
    try:
        expected = outputs(numpy_function(call, entry)(*arrays))
    except TypeError:
        assert entry.flat  # a bitwise function: made for integers and booleans
        return
    for result, value in zip(outputs(theirs(*[Tensor(of(a)) for a in arrays])), expected, strict=True):
        if isinstance(entry, Composite) and entry.name.startswith("emath"):  # complex, whatever the values are
            value = np.asarray(value, np.complex128)
        if entry.function is np.roots:  # of the kind of eigenvalues, which NumPy makes real by their values since 2.5
            value = np.asarray(value, np.result_type(value, np.linalg.eigvals(np.eye(1))))
        same(result.data, np.asarray(value), kind, 1e-12)
    if isinstance(entry, Primitive) and entry.flat:
        return
    seeds = weights(expected, rng, np.float64)
    found = cotangents(theirs, [Tensor(of(a)) for a in arrays], [of(s) for s in seeds])
    for one, two in zip(found, cotangents(call, arrays, seeds), strict=True):
        same(one, two, kind, 1e-12)
    for one, two in zip(second(theirs, arrays, seeds, of), second(call, arrays, seeds, np.asarray), strict=True):
        same(one, two, kind, 1e-11)


def check(entry, kind, rng, constants=False, made=None):
    """Every call of an entry, or these."""
    with np.errstate(all="ignore"):
        for call in calls(entry) if made is None else made:
            check_call(entry, call, kind, rng, constants)


def train(kind, rng):
    """Steps of a network on arrays of this kind give the losses and the weights that they give on NumPy's."""
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    start = [rng.normal(size=shape) for shape in ((3, 5), (5,), (5, 2))]

    def trained(of):
        first, bias, last = weights = [Tensor(of(w)) for w in start]
        inputs, targets, losses = of(x), of(y), []
        for _ in range(3):
            loss = np.mean((np.tanh(inputs @ first + bias) @ last - targets) ** 2)
            loss.backward()
            losses.append(loss.data)
            for w in weights:
                w.data, w.grad = w.data - 0.1 * w.grad, None
        return [*losses, *[w.data for w in weights]]

    for found, expected in zip(trained(kind[0]), trained(np.asarray), strict=True):
        same(found, expected, kind, 1e-12)
