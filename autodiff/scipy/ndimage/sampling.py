"""Values between the elements of an array, by B-splines: sums of products of coefficients and weights of places.

The coefficients are the array through a recursive filter along each axis, which is symmetric up to the weights of the
ends.  Source: P. Thevenaz et al., "Interpolation revisited" (2000).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from ...arrays import as_array, cast
from ...ops.indexing import scatter_add
from ...primitive import example, sample
from ...registering import primitive
from ..borders import folded
from ..compiled import compiled, composed, of_ndarrays

Array = Any
Shape = tuple[int, ...]

MODES = ("reflect", "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "grid-wrap", "wrap")
PADDED = 12
"""SciPy continues an array by so many elements, where a spline has no end condition for a mode."""

SHORT = 64
"""Reflected, SciPy's filter begins with a sum that it cuts off, so that on a short axis it is not symmetric."""


def _checked(who: str, order: int, mode: str) -> None:
    if mode not in MODES:
        raise ValueError(f"{who}: mode={mode!r}; it is one of {', '.join(map(repr, MODES))}")
    if not isinstance(order, int | np.integer) or not 0 <= order <= 5:
        raise ValueError(f"{who}: order={order!r}; the order of a spline is a whole number from 0 to 5")


# -- coefficients --------------------------------------------------------------------------------------------------


def _ends(length: int, axis: int, ndim: int, dtype: Any) -> Array:
    """What the elements count: an end, which a mirror shows once, half of the others."""
    share = np.ones(length, np.finfo(dtype).dtype)
    share[[0, -1]] = 0.5
    return share.reshape((-1,) + (1,) * (ndim - 1 - axis % ndim))


def _filter_back(g: Array, order: int, axis: int, mode: str) -> Array:
    """The transpose of the filter along an axis."""
    length = g.shape[axis]
    if mode in ("reflect", "grid-mirror", "nearest") and 1 < length < SHORT:
        matrix = ndimage.spline_filter1d(np.eye(length), order, 0, mode=mode)
        return np.moveaxis(np.matmul(np.moveaxis(g, axis, -1), matrix), -1, axis)
    if mode in ("reflect", "grid-mirror", "grid-wrap", "nearest") or length < 2:
        return spline_filter1d(g, order, axis, mode=mode)
    share = _ends(length, axis, g.ndim, g.dtype)
    return share * spline_filter1d(g / share, order, axis, mode=mode)


def _counts(x: Array, order: int, axis: int, *rest: Any) -> Array:
    """Each coefficient depends on all elements along the axis."""
    return np.broadcast_to(np.sum(x, axis=axis, keepdims=True), x.shape) if order > 1 else x


_spline_filter1d = compiled(ndimage.spline_filter1d, _counts)


@primitive(
    lambda g, order, axis, mode: _filter_back(g, order, axis, mode),
    implements=ndimage.spline_filter1d,
    examples=[example(sample(4)), example(sample(3, 2), 2, 0, mode="reflect"), example(sample(5), 5, mode="grid-wrap")],
    errors=[example(sample(3), 6), example(sample(3), mode="nowhere")],
    analytic=False,
)
def spline_filter1d(input: Array, order: int = 3, axis: int = -1, mode: str = "mirror") -> Array:  # noqa: A002
    """The coefficients of the spline through the elements along an axis, in double precision.  As SciPy's function.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.spline_filter1d(np.array([0.0, 1.0, 0.0])).round(9).tolist()
    [-1.0, 2.0, -1.0]
    """
    _checked("spline_filter1d", order, mode)
    return _spline_filter1d(input, order, axis, np.complex128 if input.dtype.kind == "c" else np.float64, mode)


@of_ndarrays
@composed(ndimage.spline_filter, examples=[example(sample(3, 2))], errors=[example(sample(3), 1)])
def spline_filter(input: Array, order: int = 3, mode: str = "mirror") -> Array:  # noqa: A002
    """:func:`spline_filter1d` along all axes.  As ``scipy.ndimage.spline_filter``.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.spline_filter(np.ones((2, 3))).round(9).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if order < 2:
        raise ValueError(f"spline_filter: order={order}; splines of order 0 and 1 need no filter")
    y = as_array(input)
    for axis in range(np.ndim(y)):
        y = spline_filter1d(y, order, axis, mode=mode)
    return y


def _padding(order: int, mode: str, prefilter: bool) -> int:
    return PADDED if prefilter and order > 1 and mode in ("nearest", "grid-constant") else 0


def _coefficients(x: Array, order: int, mode: str, cval: Any, prefilter: bool) -> Array:
    """What the weights are multiplied by."""
    width = _padding(order, mode, prefilter)
    if width:
        x = np.pad(x, width, mode="edge") if mode == "nearest" else np.pad(x, width, constant_values=cval)
    return spline_filter(x, order, mode=mode) if prefilter and order > 1 else x


def _coefficients_back(g: Array, order: int, mode: str, prefilter: bool) -> Array:
    if not prefilter or order < 2:
        return g
    for axis in range(g.ndim):
        g = _filter_back(g, order, axis, mode)
    width = _padding(order, mode, prefilter)
    return folded(g, [(width, width)] * g.ndim, ["edge" if mode == "nearest" else "constant"] * g.ndim)


# -- weights -------------------------------------------------------------------------------------------------------


def _splines(t: Array, order: int) -> list[Array]:
    """The weights of the ``order`` + 1 places around a point that is t behind a knot, 0 <= t < 1."""
    weights: list[Any] = [1.0 + 0.0 * t]
    for k in range(1, order + 1):
        wide = [0.0, *weights, 0.0]
        weights = [((t + (k - j)) * wide[j] + (1.0 - t + j) * wide[j + 1]) / k for j in range(k + 1)]
    return weights


def _slopes(t: Array, order: int) -> list[Array]:
    """The derivatives of the weights: differences of those of the order below."""
    if order == 0:
        return [0.0 * t]
    wide = [0.0, *_splines(t, order - 1), 0.0]
    return [wide[j] - wide[j + 1] for j in range(order + 1)]


def _mapped(places: Array, length: int, mode: str) -> Array:
    """Places beyond the border as those of which they show the coefficient."""
    if mode == "grid-wrap":
        return places % length
    if mode in ("reflect", "grid-mirror"):
        places = places % (2 * length)
        return np.where(places < length, places, 2 * length - 1 - places)
    if mode in ("grid-constant", "nearest"):
        return np.clip(places, 0, length - 1)
    if length == 1:
        return places * 0
    places = places % (2 * length - 2)
    return np.where(places < length, places, 2 * length - 2 - places)


def _moved(x: Array, length: int, mode: str) -> Array:
    """Coordinates as those in the array that they stand for."""
    if mode == "wrap" and length > 1:
        return np.where((x < 0) | (x > length - 1), x - (length - 1) * np.floor(x / (length - 1)), x)
    return x


class Net:
    """The places around each point, and their weights; ``derived`` is the axis along which the weights are derived."""

    def __init__(self, x: Array, shape: Shape, order: int, mode: str, width: int, derived: int | None = None) -> None:
        self.shape = shape
        self.inside: Any = None  # which points have a value of the array's
        flat: Any = 0
        weights: Any = 1.0
        for axis, length in enumerate(shape):
            here = np.reshape(x[axis], (-1,)) + width
            if mode == "constant":
                within = (here >= 0) & (here <= length - 1)
                self.inside = within if self.inside is None else self.inside & within
            moved = _moved(here, length, mode)
            moved = moved if order % 2 else moved + 0.5
            knot = np.floor(moved)
            of_axis = (_slopes if axis == derived else _splines)(moved - knot, order)
            raw = np.astype(knot, np.int64) - order // 2 + np.arange(order + 1)[:, None]
            mine = np.stack(of_axis)
            if mode == "grid-constant":  # beyond the border there is no element
                mine = mine * ((raw >= 0) & (raw < length))
            places = _mapped(raw, length, mode)
            flat = flat * length + places if axis == 0 else (flat[:, None] * length + places).reshape(-1, mine.shape[1])
            weights = mine if axis == 0 else np.reshape(weights[:, None] * mine, (-1, mine.shape[1]))
        self.flat, self.weights = flat, weights

    def values(self, c: Array) -> Array:
        """The sum of the coefficients around each point, weighted."""
        around = np.take_along_axis(np.reshape(c, (-1,)), np.reshape(self.flat, (-1,)), 0)
        found = np.sum(np.reshape(around, self.flat.shape) * self.weights, axis=0)
        return found if self.inside is None else np.where(self.inside, found, 0.0)

    def spread(self, g: Array) -> Array:
        """The transpose: what each point gives to the coefficients around it."""
        g = g if self.inside is None else np.where(self.inside, g, 0.0)
        given = np.reshape(g * self.weights, (-1,))
        size = int(np.prod(self.shape, dtype=int))
        return np.reshape(scatter_add(given, np.reshape(self.flat, (-1,)), (size,)), self.shape)


def _net(coordinates: Any, shape: Shape, order: int, mode: str, prefilter: bool, derived: int | None = None) -> Net:
    width = _padding(order, mode, prefilter)
    return Net(
        cast(as_array(coordinates), np.float64), tuple(n + 2 * width for n in shape), order, mode, width, derived
    )


def _of_input(g: Array, coordinates: Any, shape: Shape, order: int, mode: str, prefilter: bool) -> Array:
    if not g.size or 0 in shape:
        return np.zeros_like(g, shape=shape)
    found = _net(coordinates, shape, order, mode, prefilter).spread(np.reshape(g, (-1,)))
    return cast(_coefficients_back(found, order, mode, prefilter), g.dtype)


def _of_coordinates(
    g: Array, x: Any, coordinates: Any, order: int, mode: str, cval: Any, prefilter: bool
) -> Array:  # fmt: skip
    coordinates = as_array(coordinates)
    if not g.size or order == 0:
        return np.zeros_like(g, shape=coordinates.shape)
    x = as_array(x)
    c = _coefficients(x, order, mode, cval, prefilter)
    c = c - cval if mode == "grid-constant" else c
    slopes = [_net(coordinates, x.shape, order, mode, prefilter, axis).values(c) for axis in range(x.ndim)]
    found = np.stack([g * np.reshape(slope, g.shape) for slope in slopes])
    return found if found.dtype.kind == "c" else cast(found, coordinates.dtype)


_map_coordinates = compiled(ndimage.map_coordinates)


def _inside(low: float, high: float) -> Any:
    return lambda a: low + (high - low) * (a + 4.0) / 8.0


@primitive(
    lambda g, coordinates, input_shape, order, mode, prefilter: _of_input(
        g, coordinates, input_shape, order, mode, prefilter
    ),
    lambda g, input, coordinates, order, mode, cval, prefilter: _of_coordinates(  # noqa: A006
        g, input, coordinates, order, mode, cval, prefilter
    ),
    implements=ndimage.map_coordinates,
    examples=[
        example(sample(4), sample(1, 3, make=_inside(0.1, 2.9)), order=1),
        example(sample(3, 2), sample(2, 3, make=_inside(-0.9, 1.8)), mode="mirror"),
        example(sample(4), sample(1, 3, make=_inside(-2.0, 5.0)), order=2, mode="grid-wrap"),
    ],
    errors=[example(sample(3), sample(2, 3)), example(sample(3), sample(1, 2), order=6),
            example(sample(3), sample(1, 2), mode="nowhere")],
    analytic=False,
)  # fmt: skip
def map_coordinates(
    input: Array, coordinates: Array, order: int = 3, mode: str = "constant", cval: Any = 0.0,  # noqa: A002
    prefilter: bool = True,
) -> Array:  # fmt: skip
    """Values at places between the elements, by splines of ``order`` 0 to 5: y_m at coordinates[:, m].

    ``coordinates`` has shape (axes of the array, ...), the result (...).  Beyond the border the modes are SciPy's.
    Differentiated by the array and by the coordinates; of order 0 the slope is zero, of order 1 at an element it is
    that to the next one.  As ``scipy.ndimage.map_coordinates``.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import ndimage
    >>> grad(lambda p: ndimage.map_coordinates(np.array([0.0, 1.0, 4.0]), p[:, None], order=1)[0])(np.array([1.5]))
    array([3.])
    """
    _checked("map_coordinates", order, mode)
    if np.ndim(coordinates) < 1 or np.shape(coordinates)[0] != np.ndim(input):
        raise ValueError(
            f"map_coordinates: coordinates have shape {np.shape(coordinates)}; the first axis must have one element "
            f"for each of the array's {np.ndim(input)} axes"
        )
    return _map_coordinates(input, coordinates, None, order, mode, cval, prefilter)
