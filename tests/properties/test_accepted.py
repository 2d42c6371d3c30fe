"""What the forward pass of a function accepts, its backward pass accepts too: any shape, dtype and layout."""

from __future__ import annotations

import warnings

import numpy as np

from autodiff import Tensor
from autodiff.primitive import Composite, Primitive, registry
from autodiff.protocol import WRONG
from autodiff.scipy import load
from autodiff.testing.table.samples import calls
from tests.blocks import of_each
from tests.differences import cotangents, outputs
from tests.testing.seeds import is_deep

load()
ENTRIES = [
    e
    for e in registry.values()
    if not (isinstance(e, Primitive) and (e.flat or (e.core and any(e.core))))  # of matmul each takes other ranks
]
SHAPES = [(), (0,), (1,), (3,), (0, 3), (3, 0), (1, 1), (2, 3), (3, 3)]
DTYPES = [np.float16, np.float32, np.longdouble, np.complex64, np.complex128]
OPTIONS = [{"axis": 0}, {"axis": -1}, {"axis": None}, {"axis": (0,)}, {"axis": ()}, {"keepdims": True}]


def arrays(call, shape, dtype, rng):
    """Arrays of one shape for each place, from the middle of its domain."""
    made = []
    for sample in call.samples:
        low, high, _ = sample.domain
        x = rng.uniform(low + 0.1 * (high - low), high - 0.1 * (high - low), shape).astype(dtype)
        x = np.repeat(x, 2, axis=-1)[..., ::2] if shape else x  # not contiguous
        x.flags.writeable = False
        made.append(x)
    return made


def variants(call):
    """Shapes, dtypes and options to try a call with."""
    for shape in SHAPES:
        yield shape, np.float64, {}
        for options in OPTIONS:
            if not options.keys() & call.kwargs.keys():
                yield shape, np.float64, options
    for dtype in DTYPES:
        for shape in ((), (3,), (3, 3)):
            yield shape, dtype, {}


def gone(call, given):
    """The cotangents of a call, or None where NumPy or our forward pass refuses it."""
    try:
        results = outputs(call(*[Tensor(x) for x in given]))
    except (*WRONG, np.linalg.LinAlgError, ZeroDivisionError, NotImplementedError):
        return None
    return cotangents(call, given, [np.ones(r.shape, r.dtype) for r in results])


def is_refusal(entry, error):
    """Whether a rule says that there is no derivative: of a singular matrix, of psi at complex numbers."""
    return isinstance(error, np.linalg.LinAlgError) or (
        isinstance(error, TypeError) and str(error).startswith(f"{entry.name}: ")
    )


@of_each("entry", ENTRIES)
def test_what_goes_forward_goes_backward(entry, rng):
    """Each variant with one of three calls, if there are as many."""
    made = calls(entry)
    for number, call in enumerate(made):
        every = list(variants(call))
        for shape, dtype, options in every if is_deep() else every[number % 3 :: min(len(made), 3)]:
            given = arrays(call, shape, dtype, rng)
            tried = type(call)(entry.call, call.args, {**call.kwargs, **options})
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    found = gone(tried, given)
                except Exception as error:
                    if is_refusal(entry, error):
                        continue
                    raise AssertionError(f"{shape} {np.dtype(dtype)} {tried.kwargs}: {error}") from error
            for x, g in zip(given, found or [], strict=bool(found)):
                assert g is None or (g.shape, g.dtype) == (x.shape, x.dtype), (shape, dtype, options)


def test_the_kinds_of_entries_are_known():
    assert all(isinstance(e, Primitive | Composite) for e in ENTRIES)
