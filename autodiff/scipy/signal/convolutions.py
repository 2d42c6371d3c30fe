"""Convolutions over all axes, or over some of them: direct, by Fourier transforms, or block by block.

The full convolution of a and v is y_n = sum_k a_k v_(n - k), and a mode cuts y.  So the cotangent of a is the cotangent
of y, with zeros where the mode cut, convolved with the reversed v, as far as the windows fit ("valid").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import signal

from ...arrays import as_array
from ...cotangents import unbroadcast
from ...ops.complexes import conjugate, to_complex
from ...primitive import example, sample
from ...registering import primitive
from ..compiled import compiled

Array = Any
Shape = tuple[int, ...]


def turned_round(v: Array) -> Array:
    """The array that a correlation convolves with: reversed along all axes, and conjugated."""
    return np.flip(conjugate(v))


def uncut(g: Array, full: Shape) -> Array:
    """The cotangent of a full convolution, of which the middle was kept."""
    if g.shape == full:
        return g
    before = [(n - kept) // 2 for n, kept in zip(full, g.shape, strict=True)]
    return np.pad(g, [(b, n - kept - b) for b, n, kept in zip(before, full, g.shape, strict=True)])


def _full(a: Shape, v: Shape, axes: Sequence[int]) -> Shape:
    """The shape of the full convolution; the other axes broadcast."""
    return tuple(n + m - 1 if i in axes else max(n, m) for i, (n, m) in enumerate(zip(a, v, strict=True)))


def _without(g: Array, shape: Shape, other: Any, method: str) -> Array:
    """The cotangent of one array, given the other."""
    other = as_array(other)
    if 0 in shape or 0 in other.shape:
        return np.zeros_like(g, shape=shape)
    full = _full(shape, other.shape, range(len(shape)))
    return convolve(uncut(g, full), np.flip(other), "valid", method)


def _without_along(along: Any, g: Array, shape: Shape, other: Any, axes: Any) -> Array:
    """The same for a convolution along some axes; the others broadcast, so the cotangent is summed over them."""
    other = as_array(other)
    if 0 in shape or 0 in other.shape:
        return np.zeros_like(g, shape=shape)
    if axes is None or not shape:  # SciPy multiplies numbers whatever the axes are
        kept = tuple(range(len(shape)))
    else:
        kept = tuple(int(axis) % len(shape) for axis in np.atleast_1d(axes))
    full = _full(shape, other.shape, kept)
    found = along(uncut(g, full), np.flip(other, kept), "valid", None if axes is None else kept)
    return unbroadcast(found, shape)


_convolve = compiled(signal.convolve, signal.convolve)
_correlate = compiled(signal.correlate, lambda in1, in2, *rest: signal.convolve(in1, np.flip(in2), *rest))
_fftconvolve = compiled(signal.fftconvolve, signal.fftconvolve)
_oaconvolve = compiled(signal.oaconvolve, signal.fftconvolve)

_EXAMPLES = [
    example(sample(4), sample(3), "same"),
    example(sample(2, 3), sample(2, 2), method="direct"),
    example(sample(2), sample(4), "valid", "fft"),
    example(sample(3, make=to_complex), sample(2, make=to_complex)),
]
_ERRORS = [
    example(sample(2, 3), sample(3)),
    example(sample(2, 3), sample(3, 2), "valid"),
    example(sample(3), sample(2), "middle"),
    example(sample(3), sample(2), method="fastest"),
]


@primitive(
    lambda g, in2, in1_shape, method: _without(g, in1_shape, in2, method),
    lambda g, in1, in2_shape, method: _without(g, in2_shape, in1, method),
    implements=signal.convolve, examples=_EXAMPLES, errors=_ERRORS, analytic=False,
)  # fmt: skip
def convolve(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """The convolution of two arrays with as many axes: y_n = sum_k in1_k in2_(n - k), cut as ``mode`` says.

    ``mode`` is "full", "same" (as large as ``in1``, from the middle) or "valid" (no term is missing); ``method`` is
    "direct", "fft", or "auto" for the faster.  As ``scipy.signal.convolve``, whose errors it raises.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import signal
    >>> grad(lambda x: np.sum(signal.convolve(x, np.array([1.0, 2.0]), "valid")))(np.zeros(4)).tolist()
    [2.0, 3.0, 3.0, 1.0]
    """
    return _convolve(in1, in2, mode, method)


@primitive(
    lambda g, in2, in1_shape, method: _without(g, in1_shape, turned_round(as_array(in2)), method),
    lambda g, in1, in2_shape, method: turned_round(_without(g, in2_shape, in1, method)),
    implements=signal.correlate, examples=_EXAMPLES, errors=_ERRORS, analytic=False,
)  # fmt: skip
def correlate(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """The correlation of two arrays: y_n = sum_k in1_(n + k) conj(in2_k), cut as ``mode`` says.

    As ``scipy.signal.correlate``: the convolution with the reversed conjugate of ``in2``.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]), "valid").tolist()
    [2.0, 3.0]
    """
    return _correlate(in1, in2, mode, method)


_ALONG = [
    example(sample(4), sample(3), "same"),
    example(sample(2, 3), sample(1, 2), axes=1),
    example(sample(2, 3, 2), sample(2, 2, 2), "valid", axes=(0, -2)),
    example(sample(3, make=to_complex), sample(2)),
]
_ALONG_ERRORS = [example(sample(2, 3), sample(3, 2), axes=1), example(sample(2, 3), sample(2, 3), axes=2)]


@primitive(
    lambda g, in2, in1_shape, axes: _without_along(fftconvolve, g, in1_shape, in2, axes),
    lambda g, in1, in2_shape, axes: _without_along(fftconvolve, g, in2_shape, in1, axes),
    implements=signal.fftconvolve, examples=_ALONG, errors=[*_ERRORS[:3], *_ALONG_ERRORS], analytic=False,
)  # fmt: skip
def fftconvolve(in1: Array, in2: Array, mode: str = "full", axes: Any = None) -> Array:
    """:func:`convolve` by Fourier transforms, over the given axes; the others broadcast.  As SciPy's function.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.fftconvolve(np.ones((2, 3)), np.ones((1, 2)), "valid", axes=1).round(9).tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """
    return _fftconvolve(in1, in2, mode, axes)


@primitive(
    lambda g, in2, in1_shape, axes: _without_along(oaconvolve, g, in1_shape, in2, axes),
    lambda g, in1, in2_shape, axes: _without_along(oaconvolve, g, in2_shape, in1, axes),
    implements=signal.oaconvolve, examples=_ALONG[:3], errors=[*_ERRORS[:3], *_ALONG_ERRORS], analytic=False,
)  # fmt: skip
def oaconvolve(in1: Array, in2: Array, mode: str = "full", axes: Any = None) -> Array:
    """:func:`fftconvolve` of a long and a short array, block by block (overlap-add).  As SciPy's function.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.oaconvolve(np.ones(4), np.ones(2), "same").round(9).tolist()
    [1.0, 2.0, 2.0, 2.0]
    """
    return _oaconvolve(in1, in2, mode, axes)
