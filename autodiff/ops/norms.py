"""Norms of vectors and matrices, in all of NumPy's orders, and the condition number.

Every norm has derivative 0 at 0.  A vector norm has derivative 0 with respect to an element that is 0; second
derivatives there are NaN if the function has none.  If several elements, columns or singular values tie for the
largest, they share the derivative equally.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..arrays import add_up, cast
from ..primitive import exactly, example, nonzero, positive, sample
from ..registering import composite, elementwise, primitive
from .complexes import conjugate, to_complex
from .decompositions import spread_out
from .kinks import across, by_convention, unit
from .precision import wide
from .reduction import spread

Array = Any


def _inverse(y: Array) -> Array:
    """1 / y, and 0 by convention where y is 0."""
    y, zero = wide(y), y == 0
    return by_convention(np.where(zero, 0.0, 1.0 / np.where(zero, 1.0, y)), (y,), lambda: (y, ~zero))


def _off_zero(g: Array, y: Array) -> Array:
    return across(g, (y,), lambda: y != 0)


def root(x: Array) -> Array:
    """sqrt(x), with derivative 0 at 0.

    >>> from autodiff import grad
    >>> float(grad(root)(4.0)), float(grad(root)(0.0))
    (0.25, 0.0)
    """
    return np.sqrt(x)


root = elementwise(root, lambda g, y: _off_zero(g, y) * (0.5 * _inverse(y)), domain=positive, method="", analytic=False)


@primitive(  # of no numbers it is 0 whatever happens, which is no kink
    lambda g, x, y, axis: spread(g if 0 in x.shape else _off_zero(g, y) * _inverse(y), x.shape, axis) * conjugate(x),
    examples=[example(sample(2, 3)), example(sample(2, 3), axis=1), example(sample(2, 3), axis=(0, 1), keepdims=True),
              example(sample()), example(sample(0)), example(sample(3, make=to_complex))],
    kinks=[example(exactly([0.0, 0.0]))],
    analytic=False,
)  # fmt: skip
def length(x: Array, axis: Any = None, keepdims: Any = False) -> Array:
    """sqrt(sum(|x|²)): the Euclidean norm.  A primitive because the square root has no derivative at 0.

    >>> float(length(np.array([3.0, 4.0])))
    5.0
    """
    return np.sqrt(add_up(np.real(conjugate(x) * x), axis=axis, keepdims=keepdims))


def _power_rule(g: Array, x: Array, y: Array, order: float, axis: Any) -> Array:
    """g (|x| / y)^(order - 1) times the direction of x, 0 where x or the norm is 0."""
    y = spread(y, x.shape, axis)
    zero = (y == 0) | (x == 0)
    size = np.where(zero, 1.0, np.abs(x)) / np.where(zero, 1.0, y)
    slope = np.where(zero, 0.0, size ** (order - 1.0)) * unit(x)
    slope = by_convention(slope, (x,), lambda: (x, (y != 0) if order > 2 else ~zero))
    slope = by_convention(slope, (x,), lambda: (y, (y != 0) if order >= 1 else ~zero))
    # the slope goes to 0 with one of several elements, if the order is more than 1
    return across(spread(g, x.shape, axis), (x,), lambda: (y != 0) if order > 1 else ~zero) * slope


@primitive(
    lambda g, x, y, order, axis: _power_rule(g, x, y, order, axis),
    examples=[example(sample(2, 3, domain=nonzero), 3), example(sample(2, 3, domain=nonzero), 1.5, axis=1),
              example(sample(3, domain=nonzero), 0.5, keepdims=True), example(sample(2, domain=nonzero), -2.0),
              example(sample(2, make=to_complex), 3.0)],
    kinks=[example(exactly([0.0, 0.0]), 3)],
    analytic=False,
)  # fmt: skip
def power_norm(x: Array, order: float, axis: Any = None, keepdims: Any = False) -> Array:
    """sum(|x|^order)^(1 / order).  A primitive because the root has no derivative at 0.

    >>> round(float(power_norm(np.array([3.0, 4.0]), 3)), 3)
    4.498
    """
    total = add_up(np.abs(x) ** order, axis=axis, keepdims=keepdims)
    return total ** (1.0 / order)


def _vector_norm(x: Array, ord: Any, axis: Any, keepdims: bool) -> Array:  # noqa: A002
    if axis is not None:
        normalize_axis_tuple(axis, np.ndim(x))  # a reduction takes axis 0 of a single number
    if ord is None or ord == 2:
        return length(x, axis=axis, keepdims=keepdims)
    if isinstance(ord, str):
        raise ValueError(f"norm: the order '{ord}' is for matrices; a vector's is a number")
    if ord == np.inf:
        largest = np.max if np.size(x) else np.sum  # of no numbers: 0, as NumPy has it
        return largest(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(cast(x != 0, np.abs(x).dtype), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    return power_norm(x, ord, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Array:  # noqa: A002
    rank = np.ndim(x)
    row, column = normalize_axis_tuple(axes, rank, allow_duplicate=True)
    if row == column:
        raise ValueError(f"norm: the axes {axes} of a matrix must differ")
    if ord in (None, "fro", "f"):
        return length(x, axis=(row, column), keepdims=keepdims)
    largest = np.sum if 0 in (np.shape(x)[row], np.shape(x)[column]) else np.max  # of no numbers: 0, as NumPy has it
    if ord in (2, -2, "nuc"):
        s = np.linalg.svd(np.moveaxis(x, (row, column), (-2, -1)), compute_uv=False)
        result = np.sum(s, axis=-1) if ord == "nuc" else largest(s, axis=-1) if ord == 2 else np.min(s, axis=-1)
        return np.expand_dims(result, tuple(sorted((row, column)))) if keepdims else result
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError(f"norm: {ord!r} is no order of a matrix norm; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    sums = np.sum(np.abs(x), axis=row if ord in (1, -1) else column, keepdims=True)
    result = (largest if ord > 0 else np.min)(sums, axis=(row, column), keepdims=True)
    return result if keepdims else np.squeeze(result, axis=(row, column))


VECTORS = [
    example(sample(3)),
    example(sample(2, 3), axis=0),
    example(sample(2, 3, domain=nonzero), 3, axis=-1, keepdims=True),
    example(sample(3, domain=nonzero), 1),
    example(sample(4, domain=nonzero), np.inf),
    example(sample(4, domain=nonzero), -np.inf),
]
MATRICES = [
    example(sample(2, 3, make=spread_out), order) for order in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
]


_ORIGIN = [example(exactly([0.0, 0.0]))]


@composite(np.linalg.norm, kinks=[*_ORIGIN, example(exactly([0.0, 1.0]), 1)], examples=[
    *VECTORS, *MATRICES, example(sample(2, 2, 3, make=spread_out), 2, axis=(1, 2), keepdims=True),
    example(sample(2, 2, 3)), example(sample(2, 3, 2), 1, axis=(2, 0)),
])  # fmt: skip
def norm(x: Array, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Array:  # noqa: A002
    """A norm of a vector, of a matrix, or of all elements if neither an order nor axes are given."""
    if axis is None:
        rank = np.ndim(x)
        if ord is None:
            return length(x, keepdims=keepdims)
        if rank not in (1, 2):
            raise ValueError(
                f"norm: order {ord!r} needs a vector or a matrix, got shape {np.shape(x)}; say which axis="
            )
        axis = 0 if rank == 1 else (0, 1)
    axes = axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm: axis={axis} names {len(axes)} axes; a norm is over one (a vector) or two (a matrix)")
    return _matrix_norm(x, ord, axes, keepdims)


def _by_keyword(examples: Any) -> list[Any]:
    """The same calls with the order as a keyword."""
    return [
        e._replace(args=e.args[:1], kwargs={**e.kwargs, **dict(zip(["ord"], e.args[1:], strict=False))})
        for e in examples
    ]


@composite(np.linalg.vector_norm, kinks=_ORIGIN, examples=[
    *_by_keyword(VECTORS), example(sample(2, 3), ord=2), example(sample(2, 3, 2), axis=(0, 2)),
])  # fmt: skip
def vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:  # noqa: A002
    """A vector norm over any axes, those of all elements by default."""
    return _vector_norm(x, ord, axis, keepdims)


@composite(np.linalg.matrix_norm, examples=[example(sample(2, 2, 3)), *_by_keyword(MATRICES[1:])])
def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:  # noqa: A002
    """A norm of each matrix of a stack."""
    return _matrix_norm(x, ord, (-2, -1), keepdims)


@composite(
    np.linalg.cond, examples=[example(sample(3, 3, make=spread_out), p) for p in (None, 2, -2, 1, "fro", np.inf)]
)
def cond(x: Array, p: Any = None) -> Array:
    """The condition number |x| |x^-1|; in the order 2 the largest singular value over the smallest."""
    if p in (None, 2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return _matrix_norm(x, p, (-2, -1), False) * _matrix_norm(np.linalg.inv(x), p, (-2, -1), False)
