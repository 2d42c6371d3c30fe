"""Filters along an axis: y_i = sum_k w_k x_(i + k - o), with o = len(w) // 2 + origin.

The transpose is the filter with reversed weights over the cotangent with zeros around it, and what falls beyond the
border is added to the elements that it was taken from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from ...arrays import as_array
from ...ops.complexes import conjugate
from ...primitive import example, sample
from ...registering import primitive
from ..borders import extended, folded
from ..compiled import compiled, composed, of_ndarrays
from ..signal.convolutions import turned_round
from .options import MODES, checked

Array = Any

Filter = Callable[[Array, int], Array]
"""A filter along an axis with zeros beyond the border, of an array and an origin."""


def _around(ndim: int, axis: int, width: tuple[int, int]) -> list[tuple[int, int]]:
    widths = [(0, 0)] * ndim
    widths[axis] = width
    return widths


def _back(g: Array, reversed_filter: Filter, size: int, axis: int, mode: str, origin: int) -> Array:
    """The transpose of a filter of ``size`` weights; ``reversed_filter`` has them in the reverse order."""
    before = size // 2 + origin
    opposite = size - 1 - before - size // 2
    kind = MODES[mode]
    if kind == "constant" or size == 1 or not g.size:
        return reversed_filter(g, opposite)
    widths = _around(g.ndim, axis, (before, size - 1 - before))
    return folded(reversed_filter(np.pad(g, widths), opposite), widths, [kind] * g.ndim)


def _of_weights(g: Array, x: Any, size: int, axis: int, mode: str, cval: Any, origin: int) -> Array:
    """For each weight the sum of the cotangent times the elements that it was multiplied by."""
    return conjugate(_weighted(g, as_array(x), size, axis, mode, cval, origin))


def _weighted(g: Array, x: Array, size: int, axis: int, mode: str, cval: Any, origin: int) -> Array:
    before = size // 2 + origin
    length = g.shape[axis]
    if not g.size:
        return np.zeros_like(g, shape=size)
    g, x = np.moveaxis(g, axis, -1), np.moveaxis(x, axis, -1)
    shares = []
    if MODES[mode] == "constant" and cval == 0:  # what is beyond the border adds nothing
        for shift in range(-before, size - before):
            mine, theirs = slice(max(-shift, 0), max(length - shift, 0)), slice(max(shift, 0), max(length + shift, 0))
            shares.append((g[..., mine], x[..., theirs]))
    else:
        wide = extended(x, _around(g.ndim, -1, (before, size - 1 - before)), [MODES[mode]] * g.ndim, cval)
        shares = [(g, wide[..., k : k + length]) for k in range(size)]
    return np.stack([np.einsum("n,n->", np.reshape(a, -1), np.reshape(b, -1)) for a, b in shares])


def _counts1d(x: Array, weights: Array, axis: int, output: Any, mode: str, cval: Any, origin: int) -> Array:
    return ndimage.correlate1d(x, weights, axis, None, mode, 0.0, origin)


_correlate1d = compiled(ndimage.correlate1d, _counts1d)


@primitive(
    lambda g, weights, axis, mode, origin: _back(
        g, lambda a, o: correlate1d(a, np.flip(as_array(weights)), axis, mode="constant", origin=o),
        np.shape(weights)[0], axis, mode, origin,
    ),
    lambda g, input, weights_shape, axis, mode, cval, origin: _of_weights(  # noqa: A006
        g, input, weights_shape[0], axis, mode, cval, origin),
    implements=ndimage.correlate1d,
    examples=[example(sample(4), sample(3), mode="mirror"), example(sample(3, 2), sample(2), 0, mode="constant"),
              example(sample(2, 3), sample(4), mode="wrap", origin=1)],
    errors=[example(sample(3), sample(2, 2)), example(sample(3), sample(2), mode="nowhere")],
    analytic=False,
)  # fmt: skip
def correlate1d(
    input: Array, weights: Array, axis: int = -1, mode: str = "reflect", cval: Any = 0.0, origin: int = 0  # noqa: A002
) -> Array:  # fmt: skip
    """A filter along an axis: y_i = sum_k w_k x_(i + k - o), with o = len(w) // 2 + origin.

    ``mode`` is "reflect" (d c b a | a b c d), "mirror" (d c b | a b c d), "nearest", "wrap", or "constant" with
    ``cval``.  As ``scipy.ndimage.correlate1d``.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import ndimage
    >>> grad(lambda x: ndimage.correlate1d(x, [1.0, 2.0, 4.0])[0])(np.zeros(3)).tolist()
    [3.0, 4.0, 0.0]
    """
    checked("correlate1d", mode)
    return _correlate1d(input, weights, axis, None, mode, cval, origin)


@of_ndarrays
@composed(
    ndimage.convolve1d,
    examples=[example(sample(4), sample(2), mode="nearest"), example(sample(3, 2), sample(3), 0)],
)
def convolve1d(
    input: Array, weights: Array, axis: int = -1, mode: str = "reflect", cval: Any = 0.0, origin: int = 0  # noqa: A002
) -> Array:  # fmt: skip
    """:func:`correlate1d` with the weights in the reverse order.  As ``scipy.ndimage.convolve1d``.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.convolve1d(np.array([0.0, 1.0, 0.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    even = np.shape(weights)[0] % 2 == 0
    return correlate1d(input, turned_round(as_array(weights)), axis, mode=mode, cval=cval, origin=-origin - even)


_uniform_filter1d = compiled(
    ndimage.uniform_filter1d,
    lambda x, size, axis, output, mode, cval, origin: ndimage.correlate1d(
        x, np.ones(size), axis, None, mode, 0.0, origin
    ),
)


@primitive(
    lambda g, size, axis, mode, origin: _back(
        g, lambda a, o: uniform_filter1d(a, size, axis, mode="constant", origin=o), size, axis, mode, origin
    ),
    implements=ndimage.uniform_filter1d,
    examples=[example(sample(4), 3), example(sample(3, 2), 2, 0, mode="wrap")],
    errors=[example(sample(3), 0), example(sample(3), 2, mode="nowhere")],
    analytic=False,
)
def uniform_filter1d(
    input: Array, size: int, axis: int = -1, mode: str = "reflect", cval: Any = 0.0, origin: int = 0  # noqa: A002
) -> Array:  # fmt: skip
    """The mean of ``size`` neighbours along an axis, with the modes of :func:`correlate1d`.  As SciPy's function.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.uniform_filter1d(np.array([0.0, 3.0, 0.0, 0.0]), 3).tolist()
    [1.0, 1.0, 1.0, 0.0]
    """
    checked("uniform_filter1d", mode)
    return _uniform_filter1d(input, size, axis, None, mode, cval, origin)
