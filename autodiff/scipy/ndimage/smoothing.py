"""Gaussian filters and means of neighbours, along one axis or along several, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from ...arrays import as_array
from ...primitive import example, sample
from ..compiled import composed, of_ndarrays
from .along import correlate1d, uniform_filter1d
from .options import axes_of, each, plain_number

Array = Any


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
    where = axes_of(who, np.ndim(input), axes)
    options = [each(who, *pair, len(where)) for pair in
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
    where = axes_of(who, np.ndim(input), axes)
    options = [each(who, *pair, len(where)) for pair in (("size", size), ("mode", mode), ("origin", origin))]
    y = input
    for axis, count, kind, shift in zip(where, *options, strict=True):
        if count != 1:
            y = uniform_filter1d(y, count, axis, mode=kind, cval=cval, origin=shift)
    return y
