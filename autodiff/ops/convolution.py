"""Convolution over any number of axes, as networks mean it: the correlation of many channels with many filters.

Three functions are linear in both of their arguments, and the derivatives of each are the other two: the convolution
``y`` of ``x`` with filters ``w``, its adjoint in ``x``, and its adjoint in ``w``.  So no further rule is needed at any
order.

Windows are copied into the rows or columns of a matrix, and a product of matrices does the rest (K. Chellapilla et al.,
"High performance convolutional neural networks for document processing", 2006).  With few channels the examples are
multiplied one by one, and the long axis is that of places; with many channels, the channels are moved to the end, and
all examples make one matrix.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..arrays import add_up, turned
from ..primitive import Sample, example, sample
from ..registering import primitive
from .unfolding import Grid, Sizes, gathered, grid, unfolded, windows

Array = Any
MANY = 16
"""Channels, from which on it is faster to have them last (measured on AVX2 and AVX-512, kernels of 3 by 3)."""


def _checked(who: str, x: Sizes, w: Sizes, groups: int) -> int:
    """The number of groups, after a look at the shapes of inputs and filters."""
    groups = operator.index(groups)
    if len(w) < 3 or len(x) != len(w):
        raise ValueError(
            f"{who}: the input has shape {x}, the filters {w}; they need (examples, channels, *sizes) and (out, in / "
            "groups, *kernel), with as many axes"
        )
    if groups < 1 or w[0] % groups or x[1] != w[1] * groups:
        raise ValueError(
            f"{who}: the input of shape {x} has {x[1]} channels; {w[0]} filters of shape {w} in {groups} "
            f"group{'s'[: groups != 1]} take {w[1] * groups}"
        )
    return groups


def _is_wide(channels: int, groups: int) -> bool:
    return groups == 1 and channels >= MANY


def _columns(x: Array, where: Grid, groups: int) -> Array:
    """The windows of each example and group as the columns of a matrix: (n, groups, channels kernel, places)."""
    found = unfolded(x, where)  # (n, channels, *kernel, *places)
    kernel, places = found.shape[2 : 2 + where.axes], found.shape[2 + where.axes :]
    size = int(np.prod(kernel, dtype=int)) * (x.shape[1] // groups)
    return np.reshape(found, (x.shape[0], groups, size, int(np.prod(places, dtype=int))))


def _rows(x: Array, where: Grid) -> Array:
    """The windows of all examples as the rows of a matrix: (n places, kernel channels)."""
    axes = where.axes
    found = windows(np.moveaxis(x, 1, -1), where, 1)  # (n, *places, channels, *kernel)
    found = np.moveaxis(found, 1 + axes, -1)
    count = int(np.prod(found.shape[: 1 + axes], dtype=int))
    return np.reshape(found, (count, int(np.prod(found.shape[1 + axes :], dtype=int))))


def _as_rows(g: Array) -> Array:
    """Outputs (n, channels, *places) as (n places, channels)."""
    count = g.shape[0] * int(np.prod(g.shape[2:], dtype=int))
    return np.reshape(np.moveaxis(g, 1, -1), (count, g.shape[1]))


def _per_group(g: Array, groups: int) -> Array:
    """Outputs (n, channels, *places) as (n, groups, channels / groups, places)."""
    places = int(np.prod(g.shape[2:], dtype=int))
    return np.reshape(g, (g.shape[0], groups, g.shape[1] // groups, places))


def _filters(w: Array, groups: int) -> Array:
    """Filters as a stack of matrices, one for each group: (groups, out / groups, in / groups kernel)."""
    out = w.shape[0] // groups
    return np.reshape(w, (groups, out, int(np.prod(w.shape[1:], dtype=int))))


_EXAMPLES: list[tuple[Sample, Sizes, dict[str, Any]]] = [
    (sample(2, 2, 4, 3), (3, 2, 2, 2), {}),
    (sample(2, 3, 6), (2, 3, 3), {"stride": 2, "padding": 1}),
    (sample(1, 4, 5), (2, 2, 2), {"dilation": 2, "groups": 2}),
    (sample(1, 2, 3, 4), (2, 1, 2, 2), {"stride": (1, 2), "padding": 1, "groups": 2}),
    (sample(2, 16, 4), (2, 16, 3), {"padding": ((1, 0),)}),
    (sample(1, 16, 3, 3), (1, 16, 2, 2), {"stride": (2, 1)}),
    (sample(0, 2, 4), (3, 2, 2), {}),
    (sample(1, 1, 2, 3, 2), (1, 1, 1, 2, 2), {}),
]
"""Inputs, the shapes of filters, options."""


def _outputs(x: Sample, w: Sizes, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Sample:
    """The result of such a convolution."""
    places = grid("convolution", x.shape[2:], w[2:], stride, padding, dilation).places(x.shape[2:])
    return sample(x.shape[0], w[0], *places)


@primitive(
    lambda g, w, x_shape, stride, padding, dilation, groups: convolution_transpose(
        g, w, x_shape[2:], stride, padding, dilation, groups
    ),
    lambda g, x, w_shape, stride, padding, dilation, groups: convolution_filters(
        x, g, w_shape[2:], stride, padding, dilation, groups
    ),
    examples=[example(x, sample(*w), **options) for x, w, options in _EXAMPLES],
    errors=[example(sample(2, 3, 4), sample(2, 2, 2)), example(sample(2, 4), sample(1, 2, 2)),
            example(sample(1, 1, 2), sample(1, 1, 3)), example(sample(1, 4, 4), sample(3, 2, 2), groups=2)],
)  # fmt: skip
def convolution(x: Array, w: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Array:
    """Many channels and many filters: y[n, o, p] = sum_ck w[o, c, k] x[n, c, p stride + k dilation - padding].

    x has shape (examples, in, *sizes), w (out, in / groups, *kernel), y (examples, out, *places); an axis has
    (size + padding - dilation (kernel - 1) - 1) // stride + 1 places.  ``stride``, ``padding`` and ``dilation`` are one
    integer for all axes or one for each; ``padding`` may also have pairs (before, after).  With ``groups``, each group
    of filters sees its part of the channels.  Raises ValueError for shapes that do not fit.
    A primitive because a composition keeps every window, and takes twice the time.

    >>> import numpy as np
    >>> from autodiff import convolution
    >>> convolution(np.arange(4.0).reshape(1, 1, 4), np.ones((1, 1, 2))).tolist()
    [[[1.0, 3.0, 5.0]]]
    """
    groups = _checked("convolution", x.shape, w.shape, groups)
    where = grid("convolution", x.shape[2:], w.shape[2:], stride, padding, dilation)
    places = where.places(x.shape[2:])
    if _is_wide(x.shape[1], groups):
        filters = np.reshape(np.moveaxis(w, (0, 1), (-1, -2)), (-1, w.shape[0]))
        rows = np.matmul(_rows(x, where), filters)
        return np.moveaxis(np.reshape(rows, (x.shape[0], *places, w.shape[0])), -1, 1)
    y = np.matmul(_filters(w, groups), _columns(x, where, groups))
    return np.reshape(y, (x.shape[0], w.shape[0], *places))


@primitive(
    lambda g, w, stride, padding, dilation, groups: convolution(g, w, stride, padding, dilation, groups),
    lambda g, x, w_shape, stride, padding, dilation, groups: convolution_filters(
        g, x, w_shape[2:], stride, padding, dilation, groups
    ),
    examples=[example(_outputs(x, w, **options), sample(*w), x.shape[2:], **options) for x, w, options in _EXAMPLES],
    errors=[example(sample(1, 2, 3), sample(2, 1, 2), (5,)), example(sample(1, 1, 3), sample(2, 1, 2), (4,))],
)  # fmt: skip
def convolution_transpose(
    x: Array, w: Array, sizes: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Array:
    """The adjoint of :func:`convolution` in its input: each element of x adds its multiple of a filter to the result.

    x has shape (examples, out, *places), w (out, in / groups, *kernel), the result (examples, in, *sizes).  ``sizes``
    are arguments because several of them have the same number of places.  Raises ValueError for shapes that do not fit.

    >>> import numpy as np
    >>> from autodiff import convolution_transpose
    >>> convolution_transpose(np.ones((1, 1, 2)), np.array([[[1.0, 2.0]]]), (3,)).tolist()
    [[[1.0, 3.0, 2.0]]]
    """
    who = "convolution_transpose"
    groups, sizes = operator.index(groups), tuple(map(operator.index, sizes))
    channels = w.shape[1] * groups
    where = grid(who, sizes, w.shape[2:], stride, padding, dilation)
    wanted = (*x.shape[:1], w.shape[0], *where.places(sizes))
    if x.shape != wanted or len(sizes) != where.axes or groups < 1 or w.shape[0] % groups:
        raise ValueError(
            f"{who}: filters of shape {w.shape} in {groups} group{'s'[: groups != 1]} make {sizes} of {wanted}, the "
            f"input has shape {x.shape}"
        )
    if _is_wide(channels, groups):
        rows = _as_rows(x)
        kernels = np.moveaxis(w, 1, -1)  # (out, *kernel, in)

        def part(tap: Sizes) -> Array:
            product = np.matmul(rows, kernels[(slice(None), *tap)])
            return np.reshape(product, (x.shape[0], *x.shape[2:], channels))

        return np.moveaxis(gathered(part, where, (x.shape[0], *sizes, channels), 1), -1, 1)
    grouped = _per_group(x, groups)
    filters: Array = np.reshape(w, (groups, w.shape[0] // groups, *w.shape[1:]))
    whole = (slice(None),) * 3

    def part_of_groups(tap: Sizes) -> Array:
        product = np.matmul(turned(filters[(*whole, *tap)]), grouped)
        return np.reshape(product, (x.shape[0], channels, *x.shape[2:]))

    return gathered(part_of_groups, where, (x.shape[0], channels, *sizes), 2)


@primitive(
    lambda g, z, x_shape, stride, padding, dilation, groups: convolution_transpose(
        z, g, x_shape[2:], stride, padding, dilation, groups
    ),
    lambda g, x, stride, padding, dilation, groups: convolution(x, g, stride, padding, dilation, groups),
    examples=[example(x, _outputs(x, w, **options), w[2:], **options) for x, w, options in _EXAMPLES],
    errors=[example(sample(1, 2, 4), sample(1, 2, 4), (2,)), example(sample(1, 3, 4), sample(1, 2, 3), (2,), groups=2)],
)  # fmt: skip
def convolution_filters(
    x: Array, z: Array, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Array:
    """The adjoint of :func:`convolution` in its filters: sums over examples and places of x times z.

    x has shape (examples, in, *sizes), z (examples, out, *places), the result (out, in / groups, *kernel).  Raises
    ValueError for shapes that do not fit.

    >>> import numpy as np
    >>> convolution_filters(np.ones((1, 1, 3)), np.ones((1, 1, 2)), (2,)).tolist()
    [[[2.0, 2.0]]]
    """
    who = "convolution_filters"
    groups, kernel = operator.index(groups), tuple(kernel)
    where = grid(who, x.shape[2:], kernel, stride, padding, dilation)
    wanted = (x.shape[0], z.shape[1], *where.places(x.shape[2:]))
    if z.shape != wanted or groups < 1 or x.shape[1] % groups or z.shape[1] % groups:
        raise ValueError(
            f"{who}: an input of shape {x.shape} has outputs {wanted} for a kernel of {kernel} in {groups} "
            f"group{'s'[: groups != 1]}, not {z.shape}"
        )
    if _is_wide(x.shape[1], groups):
        found = np.matmul(turned(_as_rows(z)), _rows(x, where))
        return np.moveaxis(np.reshape(found, (z.shape[1], *kernel, x.shape[1])), -1, 1)
    each = np.matmul(_per_group(z, groups), turned(_columns(x, where, groups)))
    return np.reshape(add_up(each, axis=0), (z.shape[1], x.shape[1] // groups, *kernel))
