"""Images moved, magnified, turned and sheared: values between elements, at places that are mapped linearly."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import ndimage, special

from ...arrays import as_array
from ...primitive import example, sample
from ...tensor import value_of
from ..compiled import composed, of_ndarrays
from .options import each
from .sampling import map_coordinates

Array = Any
Shape = tuple[int, ...]


def _places(shape: Shape) -> list[Array]:
    """For each axis the numbers of the elements along it, with as many axes as there are."""
    return [np.reshape(np.arange(n, dtype=float), [-1 if a == b else 1 for b in range(len(shape))])
            for a, n in enumerate(shape)]  # fmt: skip


def _sampled(x: Array, places: list[Array], shape: Shape, options: dict[str, Any]) -> Array:
    """The values at coordinates, of which each is broadcast to the shape of the result."""
    return map_coordinates(x, np.stack([np.broadcast_to(place, shape) for place in places]), **options)


def _image(who: str, x: Any, least: int = 1) -> Array:
    x = as_array(x)
    if np.ndim(x) < least:
        raise ValueError(f"{who}: an array of shape {np.shape(x)}; it needs {least} axes or more")
    return x


@of_ndarrays
@composed(
    ndimage.shift,
    examples=[example(sample(4), 0.3), example(sample(3, 2), np.array([0.4, -0.7]), order=2, mode="mirror")],
    errors=[example(sample(3), 0.5, order=6), example(sample(3, 2), (1.0,))],
)
def shift(
    input: Array, shift: Any, order: int = 3, mode: str = "constant", cval: Any = 0.0, prefilter: bool = True  # noqa: A002
) -> Array:  # fmt: skip
    """The array moved by ``shift`` elements, one number or one for each axis: y_i = x(i - shift), by splines.

    As ``scipy.ndimage.shift``, whose orders and modes are those of :func:`map_coordinates`.  Differentiated by the
    array and by the shift.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import ndimage
    >>> grad(lambda s: ndimage.shift(np.array([0.0, 1.0, 4.0, 9.0]), s, order=1)[2])(0.5)
    -3.0
    """
    x = _image("shift", input)
    places = _places(np.shape(x))
    moved = [place - by for place, by in zip(places, each("shift", "shift", shift, np.ndim(x)), strict=True)]
    return _sampled(x, moved, np.shape(x), {"order": order, "mode": mode, "cval": cval, "prefilter": prefilter})


@of_ndarrays
@composed(
    ndimage.zoom,
    examples=[example(sample(4), 1.6), example(sample(3, 2), (2.0, 1.5), order=1, mode="nearest", grid_mode=True)],
    errors=[example(sample(3), 2.0, order=6), example(sample(3, 2), (1.0,))],
)
def zoom(
    input: Array, zoom: Any, order: int = 3, mode: str = "constant", cval: Any = 0.0, prefilter: bool = True,  # noqa: A002
    *, grid_mode: bool = False,
) -> Array:  # fmt: skip
    """The array with ``zoom`` times as many elements along the axes, rounded; one number or one for each.

    The first and the last element stay, or with ``grid_mode`` the outer borders of the two.  As ``scipy.ndimage.zoom``.
    Differentiated by the array; the number of elements, and so ``zoom``, has no derivative.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.zoom(np.array([0.0, 1.0, 2.0]), 5 / 3, order=1).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    x = _image("zoom", input)
    factors = [float(factor) for factor in each("zoom", "zoom", zoom, np.ndim(x))]
    if all(factor == 1 for factor in factors) and prefilter:
        return x + 0.0 if np.iscomplexobj(x) or x.dtype.kind == "f" else x
    shape = tuple(round(n * factor) for n, factor in zip(np.shape(x), factors, strict=True))
    half, less = (0.5, 0) if grid_mode else (0.0, 1)
    places = []
    for place, n, many in zip(_places(shape), np.shape(x), shape, strict=True):
        ratio = (n - less) / (many - less) if many != less else 1.0
        places.append((place + half) * ratio - half)
    return _sampled(x, places, shape, {"order": order, "mode": mode, "cval": cval, "prefilter": prefilter})


@of_ndarrays
@composed(
    ndimage.affine_transform,
    examples=[
        example(sample(3, 2), np.array([[0.6, 0.2], [0.1, 0.5]]), np.array([0.1, 0.15]), order=1, mode="nearest"),
        example(sample(4), np.array([0.7]), 0.2, mode="mirror"),
    ],
    errors=[example(sample(3, 2), np.eye(3)[:1]), example(sample(3), np.ones(1), order=6)],
)
def affine_transform(
    input: Array, matrix: Any, offset: Any = 0.0, output_shape: Any = None, order: int = 3, mode: str = "constant",  # noqa: A002
    cval: Any = 0.0, prefilter: bool = True,
) -> Array:  # fmt: skip
    """The array under a linear map of places: y_o = x(matrix o + offset), by splines.

    ``matrix`` is (n, n) for n axes, (n,) for a diagonal one, or (n, n + 1) or (n + 1, n + 1) with the offset in its
    last column.  As ``scipy.ndimage.affine_transform``.  Differentiated by the array, the matrix and the offset.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import ndimage
    >>> x = np.array([0.0, 1.0, 4.0])
    >>> grad(lambda m: ndimage.affine_transform(x, m, order=1)[1])(np.array([0.5])).tolist()
    [1.0]
    """
    x, matrix = _image("affine_transform", input), as_array(matrix)
    n = np.ndim(x)
    if np.shape(matrix) in ((n, n + 1), (n + 1, n + 1)):
        if np.shape(matrix)[0] > n and not np.array_equal(value_of(matrix)[n], np.eye(n + 1)[n]):
            raise ValueError(f"affine_transform: the last row of a matrix of shape {(n + 1, n + 1)} is 0, ..., 0, 1")
        matrix, offset = matrix[:n, :n], matrix[:n, n]
    shape = np.shape(x) if output_shape is None else tuple(int(m) for m in output_shape)
    if np.shape(matrix) not in ((n,), (n, len(shape))):
        raise ValueError(
            f"affine_transform: a matrix of shape {np.shape(matrix)} for an array of shape {np.shape(x)} and a result "
            f"of shape {shape}; it is (axes, axes of the result), (axes,), or has the offset in one more column"
        )
    offsets, places = each("affine_transform", "offset", offset, n), _places(shape)
    coordinates = []
    for i in range(n):
        if np.ndim(matrix) == 1:
            coordinates.append((places[i] + offsets[i] / matrix[i]) * matrix[i])
            continue
        total = offsets[i]
        for j, place in enumerate(places):
            total = total + place * matrix[i, j]
        coordinates.append(total)
    return _sampled(x, coordinates, shape, {"order": order, "mode": mode, "cval": cval, "prefilter": prefilter})


@of_ndarrays
@composed(
    ndimage.rotate,
    examples=[example(sample(3, 2), 25.0, order=1, mode="nearest"), example(sample(2, 3, 2), 50.0, (0, 2), False)],
    errors=[example(sample(3), 10.0), example(sample(3, 2), 10.0, (0, 5))],
)
def rotate(
    input: Array, angle: Any, axes: Any = (1, 0), reshape: bool = True, order: int = 3, mode: str = "constant",  # noqa: A002
    cval: Any = 0.0, prefilter: bool = True,
) -> Array:  # fmt: skip
    """The array turned by ``angle`` degrees in the plane of two axes, by splines in that plane.

    With ``reshape`` the result is as large as the turned array needs.  As ``scipy.ndimage.rotate``.  Differentiated by
    the array and by the angle, at the shape that the result has.

    >>> import numpy as np
    >>> from autodiff.scipy import ndimage
    >>> ndimage.rotate(np.array([[1.0, 2.0], [3.0, 4.0]]), 90.0, order=1).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """
    x = _image("rotate", input, 2)
    n = np.ndim(x)
    if len(axes) != 2 or not all(-n <= axis < n for axis in axes) or axes[0] % n == axes[1] % n:
        raise ValueError(f"rotate: axes={axes!r}; they are two of {n} axes")
    if np.ndim(angle):
        raise ValueError(f"rotate: the angle has shape {np.shape(angle)}; it is one number of degrees")
    first, second = sorted(axis % n for axis in axes)
    c, s = special.cosdg(angle), special.sindg(angle)
    plane = np.shape(x)[first], np.shape(x)[second]
    shape = _bounds(float(value_of(c)), float(value_of(s)), plane) if reshape else plane
    middle = [(m - 1) / 2 for m in shape]
    offset = (plane[0] - 1) / 2 - (c * middle[0] + s * middle[1]), (plane[1] - 1) / 2 - (c * middle[1] - s * middle[0])
    down, along = _places(shape)
    places = [offset[0] + down * c + along * s, offset[1] + down * -s + along * c]
    options = {"order": order, "mode": mode, "cval": cval, "prefilter": prefilter}
    moved = np.moveaxis(x, (first, second), (-2, -1))
    rest = np.shape(moved)[:-2]
    turned = [_sampled(moved[k], places, shape, options) for k in itertools.product(*map(range, rest))]
    if not turned:
        return np.moveaxis(np.zeros((*rest, *shape), x.dtype), (-2, -1), (first, second))
    return np.moveaxis(np.reshape(np.stack(turned), (*rest, *shape)), (-2, -1), (first, second))


def _bounds(c: float, s: float, plane: Shape) -> Shape:
    """The shape of what holds a turned plane."""
    down, along = plane
    bounds = np.array([[c, s], [-s, c]]) @ [[0, 0, down, down], [0, along, 0, along]]
    size = (np.ptp(bounds, axis=1) + 0.5).astype(int)
    return int(size[0]), int(size[1])
