"""Filters that look beyond the border: y_i = sum_k w_k x_(i + k - o), with o = len(w) // 2 + origin.

The transpose is the filter with reversed weights over the cotangent with zeros around it, and what falls beyond the
border is added to the elements that it was taken from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

Array = Any

MODES = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "constant": "constant", "grid-constant": "constant",
    "nearest": "edge", "mirror": "reflect", "wrap": "wrap", "grid-wrap": "wrap",
}  # fmt: skip
"""What lies beyond the border, and NumPy's name of it."""


def _checked(who: str, mode: str) -> str:
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{who}: mode={mode!r}; it is 'reflect', 'constant', 'nearest', 'mirror' or 'wrap'")
    return MODES[mode]


def plain_number(value: Any) -> float:
    """The number in a Tensor, or an array of one element: what decides how many elements a filter has."""
    return float(value.item() if hasattr(value, "item") else value)


# -- along an axis -------------------------------------------------------------------------------------------------

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
    _checked("correlate1d", mode)
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
    _checked("uniform_filter1d", mode)
    return _uniform_filter1d(input, size, axis, None, mode, cval, origin)


def _gaussian(sigma: Any, order: int, radius: int) -> Array:
    """Samples of a Gaussian or its derivative, in the order of a correlation."""
    if order < 0:
        raise ValueError(f"gaussian_filter1d: order={order}; it is not negative")
    variance = sigma * sigma
    x = np.arange(-radius, radius + 1)
    phi = np.exp(-0.5 / variance * x**2)
    phi = phi / np.sum(phi)
    if order:  # the derivative of q exp(-x^2 / 2 s^2) has q' - q x / s^2 for q
        powers = np.arange(order + 1)
        slope = np.diag(powers[1:], 1) + np.diag(np.ones(order) / -variance, -1)
        q = np.eye(1, order + 1)[0]
        for _ in range(order):
            q = np.matmul(slope, q)
        phi = np.matmul(x[:, None] ** powers, q) * phi
    return np.flip(phi)


@of_ndarrays
@composed(
    ndimage.gaussian_filter1d,
    examples=[example(sample(4), 0.6), example(sample(3, 2), 0.5, 0, 1, mode="constant")],
    errors=[example(sample(3), 1.0, order=-1), example(sample(3), 1.0, mode="nowhere"),
            example(sample(3), 1.0, radius=-1)],
)  # fmt: skip
def gaussian_filter1d(
    input: Array, sigma: Any, axis: int = -1, order: int = 0, mode: str = "reflect", cval: Any = 0.0,  # noqa: A002
    truncate: float = 4.0, *, radius: int | None = None,
) -> Array:  # fmt: skip
    """A Gaussian filter along an axis, or its derivative of an ``order``.  As ``scipy.ndimage.gaussian_filter1d``.

    The filter ends ``truncate`` standard deviations from its middle, or at a ``radius``.  Differentiated by ``sigma``
    too, with as many weights as there are.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import ndimage
    >>> round(grad(lambda s: ndimage.gaussian_filter1d(np.eye(7)[3], s)[3])(1.0), 3)
    -0.399
    """
    reach = int(truncate * plain_number(sigma) + 0.5) if radius is None else radius
    if reach < 0 or reach != int(reach):
        raise ValueError(f"gaussian_filter1d: radius={radius}; it is a whole number, not negative")
    return correlate1d(input, _gaussian(sigma, order, int(reach)), axis, mode=mode, cval=cval)


# -- over several axes ---------------------------------------------------------------------------------------------


def _axes(who: str, ndim: int, axes: Any) -> tuple[int, ...]:
    found = tuple(range(ndim)) if axes is None else tuple(int(a) for a in np.atleast_1d(axes))
    for axis in found:
        if not -ndim <= axis < ndim:
            raise np.exceptions.AxisError(axis, ndim)
    found = tuple(axis % ndim for axis in found)
    if len(set(found)) != len(found):
        raise ValueError(f"{who}: axes={axes!r} has an axis twice")
    return found


def _each(who: str, name: str, value: Any, count: int) -> list[Any]:
    """One value for each axis."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{who}: {name} has {len(value)} elements, one for each of {count} axes is needed")
    return [value[i] for i in range(count)]


@of_ndarrays
@composed(
    ndimage.gaussian_filter,
    examples=[example(sample(3, 2), 0.4), example(sample(2, 3), (0.3, 0.5), order=(0, 1), mode="wrap")],
    errors=[example(sample(3, 2), (1.0,)), example(sample(3), 1.0, axes=3)],
)
def gaussian_filter(
    input: Array, sigma: Any, order: Any = 0, mode: Any = "reflect", cval: Any = 0.0, truncate: float = 4.0,  # noqa: A002
    *, radius: Any = None, axes: Any = None,
) -> Array:  # fmt: skip
    """Gaussian filters along the axes, one after the other.  As ``scipy.ndimage.gaussian_filter``.

    ``sigma``, ``order``, ``mode`` and ``radius`` are one for all axes or one for each.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.gaussian_filter(np.eye(3), 0.5).round(2).tolist()
    [[0.81, 0.18, 0.01], [0.18, 0.64, 0.18], [0.01, 0.18, 0.81]]
    """
    who = "gaussian_filter"
    input = as_array(input)  # noqa: A001
    where = _axes(who, np.ndim(input), axes)
    options = [_each(who, *pair, len(where)) for pair in
               (("sigma", sigma), ("order", order), ("mode", mode), ("radius", radius))]  # fmt: skip
    y = input
    for axis, width, derivative, kind, reach in zip(where, *options, strict=True):
        if plain_number(width) > 1e-15:
            y = gaussian_filter1d(y, width, axis, derivative, mode=kind, cval=cval, truncate=truncate, radius=reach)
    return y


@of_ndarrays
@composed(
    ndimage.uniform_filter,
    examples=[example(sample(3, 2), 2), example(sample(2, 3), (1, 3), mode="constant", cval=1.0)],
    errors=[example(sample(3, 2), (1,)), example(sample(3), 0)],
)
def uniform_filter(
    input: Array, size: Any = 3, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None  # noqa: A002
) -> Array:  # fmt: skip
    """Means of neighbours along the axes, one after the other.  As ``scipy.ndimage.uniform_filter``.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.uniform_filter(np.eye(2) * 9.0, 3).round(9).tolist()
    [[5.0, 4.0], [4.0, 5.0]]
    """
    who = "uniform_filter"
    input = as_array(input)  # noqa: A001
    where = _axes(who, np.ndim(input), axes)
    options = [_each(who, *pair, len(where)) for pair in (("size", size), ("mode", mode), ("origin", origin))]
    y = input
    for axis, count, kind, shift in zip(where, *options, strict=True):
        if count != 1:
            y = uniform_filter1d(y, count, axis, mode=kind, cval=cval, origin=shift)
    return y


# -- any weights ---------------------------------------------------------------------------------------------------


def _before(sizes: Sequence[int], origin: Any) -> list[int]:
    origins = _each("correlate", "origin", origin, len(sizes))
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
    _checked("correlate", mode)
    return _correlate(input, weights, None, mode, cval, origin)


def _along(who: str, input: Array, weights: Array, origin: Any, axes: Any) -> tuple[Array, Any]:  # noqa: A002
    """Weights and origins for all axes, of those for some."""
    where = _axes(who, np.ndim(input), axes)
    if np.ndim(weights) != len(where):
        raise ValueError(f"{who}: weights of shape {np.shape(weights)} for {len(where)} axes; they need as many axes")
    order = np.argsort(where)
    origins = _each(who, "origin", origin, len(where))
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
    origins = _each("convolve", "origin", origin, np.ndim(weights))
    turned = [-shift - (size % 2 == 0) for shift, size in zip(origins, np.shape(weights), strict=True)]
    return _correlated(input, turned_round(weights), mode=mode, cval=cval, origin=turned)
