"""Correlations and convolutions with weights along all axes: y_i = sum_k w_k x_(i + k - o)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ...arrays import as_array
from ...ops.complexes import conjugate
from ...primitive import example, sample
from ...registering import primitive
from ..borders import extended, folded
from ..compiled import compiled, composed, of_ndarrays
from ..signal.convolutions import convolve as full_convolution
from ..signal.convolutions import turned_round
from .options import MODES, axes_of, checked, each

Array = Any


def _before(sizes: Sequence[int], origin: Any) -> list[int]:
    origins = each("correlate", "origin", origin, len(sizes))
    return [size // 2 + shift for size, shift in zip(sizes, origins, strict=True)]


def _widths(sizes: Sequence[int], origin: Any) -> list[tuple[int, int]]:
    return [(b, size - 1 - b) for b, size in zip(_before(sizes, origin), sizes, strict=True)]


def _of_image(g: Array, weights: Array, mode: str, origin: Any) -> Array:
    if not g.size:
        return g
    sizes = np.shape(weights)
    return folded(full_convolution(g, weights), _widths(sizes, origin), [MODES[mode]] * len(sizes))


def _of_kernel(g: Array, x: Any, sizes: tuple[int, ...], mode: str, cval: Any, origin: Any) -> Array:
    return conjugate(_products(g, as_array(x), sizes, mode, cval, origin))


def _products(g: Array, x: Array, sizes: tuple[int, ...], mode: str, cval: Any, origin: Any) -> Array:
    if not g.size:
        return np.zeros_like(g, shape=sizes)
    if not sizes:
        return g * x
    widths = _widths(sizes, origin)
    if MODES[mode] != "constant" or cval != 0:
        wide = extended(x, widths, [MODES[mode]] * len(sizes), cval)
        return full_convolution(wide, np.flip(g), "valid")
    whole = full_convolution(x, np.flip(g))  # of all shifts: from as far before as the array is long
    missing = [(max(b - n + 1, 0), max(a - n + 1, 0)) for (b, a), n in zip(widths, g.shape, strict=True)]
    starts = [n - 1 - b + m for (b, _), n, (m, _) in zip(widths, g.shape, missing, strict=True)]
    places = tuple(slice(s, s + size) for s, size in zip(starts, sizes, strict=True))
    return np.pad(whole, missing)[places]


_correlate = compiled(
    ndimage.correlate,
    lambda x, weights, output, mode, cval, origin: ndimage.correlate(x, weights, None, mode, 0.0, origin),
)


@primitive(
    lambda g, weights, mode, origin: _of_image(g, conjugate(as_array(weights)), mode, origin),
    lambda g, input, weights_shape, mode, cval, origin: _of_kernel(  # noqa: A006
        g, input, weights_shape, mode, cval, origin),
    implements=ndimage.correlate, name="correlate",
    examples=[example(sample(3, 2), sample(2, 2), mode="mirror"), example(sample(3), sample(2), mode="constant"),
              example(sample(2, 2), sample(2, 3), mode="wrap", origin=(0, 1)),
              example(sample(2, 2), sample(1, 3), mode="constant", cval=2.0)],
    errors=[example(sample(3, 2), sample(2)), example(sample(3), sample(2), mode="nowhere")],
    analytic=False,
)  # fmt: skip
def _correlated(
    input: Array, weights: Array, mode: str = "reflect", cval: Any = 0.0, origin: Any = 0  # noqa: A002
) -> Array:  # fmt: skip
    """The correlation with weights of as many axes: y_i = sum_k w_k x_(i + k - o), with o = size // 2 + origin."""
    checked("correlate", mode)
    return _correlate(input, weights, None, mode, cval, origin)


def _along(who: str, input: Array, weights: Array, origin: Any, axes: Any) -> tuple[Array, Any]:  # noqa: A002
    """Weights and origins for all axes, of those for some."""
    where = axes_of(who, np.ndim(input), axes)
    if np.ndim(weights) != len(where):
        raise ValueError(f"{who}: weights of shape {np.shape(weights)} for {len(where)} axes; they need as many axes")
    order = np.argsort(where)
    origins = each(who, "origin", origin, len(where))
    wide = np.reshape(np.transpose(weights, order), [
        np.shape(weights)[where.index(i)] if i in where else 1 for i in range(np.ndim(input))
    ])  # fmt: skip
    return wide, [origins[where.index(i)] if i in where else 0 for i in range(np.ndim(input))]


def correlate(
    input: Any, weights: Any, mode: str = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None  # noqa: A002
) -> Array:  # fmt: skip
    """The correlation with weights: y_i = sum_k w_k x_(i + k - o), with o = size // 2 + origin.

    The weights have as many axes as the array, or as ``axes`` names.  The modes are those of :func:`correlate1d`.  As
    ``scipy.ndimage.correlate``.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import ndimage
    >>> grad(lambda w: ndimage.correlate(np.eye(3), w)[1, 1])(np.zeros((3, 3))).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    input, weights = as_array(input), as_array(weights)  # noqa: A001
    if axes is not None:
        weights, origin = _along("correlate", input, weights, origin, axes)
    return _correlated(input, weights, mode=mode, cval=cval, origin=origin)


@of_ndarrays
@composed(
    ndimage.convolve,
    examples=[example(sample(3, 2), sample(2, 2)), example(sample(3), sample(3), mode="nearest")],
    errors=[example(sample(3, 2), sample(2)), example(sample(3), sample(2), mode="nowhere")],
)
def convolve(
    input: Array, weights: Array, mode: str = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None  # noqa: A002
) -> Array:  # fmt: skip
    """:func:`correlate` with the weights in the reverse order.  As ``scipy.ndimage.convolve``.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.convolve(np.array([0.0, 1.0, 0.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    input, weights = as_array(input), as_array(weights)  # noqa: A001
    if axes is not None:
        weights, origin = _along("convolve", input, weights, origin, axes)
    origins = each("convolve", "origin", origin, np.ndim(weights))
    turned = [-shift - (size % 2 == 0) for shift, size in zip(origins, np.shape(weights), strict=True)]
    return _correlated(input, turned_round(weights), mode=mode, cval=cval, origin=turned)
