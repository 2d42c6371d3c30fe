"""Matrices that are made of vectors and of blocks: Toeplitz, circulant, Hankel, block diagonal.

Each element of the vector stands along a diagonal, so its cotangent is the sum along it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from ...cotangents import unbroadcast
from ...ops.complexes import conjugate, to_complex
from ...primitive import example, sample
from ...registering import primitive
from .parts import sparing

Array = Any
Shape = tuple[int, ...]

_toeplitz, _circulant, _hankel = sparing(linalg.toeplitz), sparing(linalg.circulant), sparing(linalg.hankel)
_block_diag = sparing(linalg.block_diag)


def antidiagonal_sums(a: Array) -> Array:
    """The sums of a_ij over i + j = 0, 1, ..., of each matrix: its rows, each shifted by one more, added up.

    >>> antidiagonal_sums(np.ones((2, 3))).tolist()
    [1.0, 2.0, 2.0, 1.0]
    """
    *stack, m, n = a.shape
    if 0 in (m, n):
        return np.zeros_like(a, shape=(*stack, max(m + n - 1, 0)))
    wide = np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, m)])
    flat = np.reshape(wide, (*stack, m * (m + n)))[..., : m * (m + n - 1)]
    return np.sum(np.reshape(flat, (*stack, m, m + n - 1)), axis=-2)


def _down(g: Array) -> Array:
    """The sums along the diagonals that begin in the first column."""
    return np.flip(antidiagonal_sums(np.flip(g, axis=-2))[..., : g.shape[-2]], axis=-1)


def _right(g: Array) -> Array:
    """The sums along the diagonals that begin in the first row, and 0 for that which begins in the corner."""
    sums = antidiagonal_sums(np.flip(g, axis=-2))[..., g.shape[-2] :]
    return _after_zero(sums, g.shape[-1])


def _after_zero(sums: Array, length: int) -> Array:
    """The sums after a zero, if there is anything at all."""
    return np.pad(sums, [(0, 0)] * (sums.ndim - 1) + [(min(1, length), 0)])


def _fitted(sums: Array, shape: Shape) -> Array:
    """The cotangent of a vector, of a stack of them, or of an array that SciPy takes for a vector."""
    return np.reshape(sums, shape) if sums.ndim == 1 else unbroadcast(sums, shape)


def _toeplitz_column(g: Array, c_shape: Shape, r: Any) -> Array:
    return _fitted(_down(g) + conjugate(_right(g)) if r is None else _down(g), c_shape)


@primitive(
    lambda g, c_shape, r: _toeplitz_column(g, c_shape, r),
    lambda g, r_shape: _fitted(_right(g), r_shape),
    implements=linalg.toeplitz,
    analytic=False,
    examples=[example(sample(3, make=to_complex)), example(sample(3), sample(2)), example(sample(0))],
)
def toeplitz(c: Array, r: Any = None) -> Array:
    """The matrix with the first column ``c`` and the first row ``r``, constant along diagonals.

    r[0] is not used.  The default of ``r`` is the conjugate of ``c``.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import toeplitz
    >>> grad(lambda c: np.sum(toeplitz(c)))(np.ones(3)).tolist()
    [3.0, 4.0, 2.0]
    """
    return _toeplitz(*((c,) if r is None else (c, r)))


def _circulant_rule(g: Array, c_shape: Shape) -> Array:
    if 0 in g.shape:
        return np.zeros_like(g, shape=c_shape)
    around = _right(g)
    return _fitted(_down(g) + np.concatenate([around[..., :1], np.flip(around[..., 1:], axis=-1)], axis=-1), c_shape)


@primitive(
    lambda g, c_shape: _circulant_rule(g, c_shape),
    implements=linalg.circulant,
    examples=[example(sample(3)), example(sample(2, 3))],
)
def circulant(c: Array) -> Array:
    """The matrix whose columns are ``c``, each turned by one more element: y_ij = c_(i - j)."""
    return _circulant(c)


@primitive(
    lambda g, c_shape: np.reshape(antidiagonal_sums(g)[: g.shape[0]], c_shape),
    lambda g, r_shape: np.reshape(_last_row(g), r_shape),
    implements=linalg.hankel,
    examples=[example(sample(3)), example(sample(3), sample(2))],
)
def hankel(c: Array, r: Any = None) -> Array:
    """The matrix with the first column ``c`` and the last row ``r``, constant along antidiagonals.

    r[0] is not used.  The default of ``r`` is zeros.
    """
    return _hankel(*((c,) if r is None else (c, r)))


def _last_row(g: Array) -> Array:
    """The sums along the antidiagonals that end in the last row, and 0 for that which ends in the corner."""
    return _after_zero(antidiagonal_sums(g)[g.shape[0] :], g.shape[1])


def _block_rule(g: Array, arrs_shape: Any, position: int) -> Array:
    """The block of the cotangent."""
    sizes = [_matrix(shape) for shape in arrs_shape]
    down, along = (sum(size[axis] for size in sizes[:position]) for axis in (-2, -1))
    rows, width = sizes[position][-2:]
    return unbroadcast_block(g[..., down : down + rows, along : along + width], arrs_shape[position])


def unbroadcast_block(block: Array, shape: Shape) -> Array:
    """The cotangent of a number, a vector, or a matrix or stack, from that of the block which it is."""
    return np.reshape(block, shape) if block.ndim == 2 else unbroadcast(block, shape)


def _matrix(shape: Shape) -> Shape:
    """The shape of an array as a block."""
    return (1,) * (2 - len(shape)) + tuple(shape)


@primitive(
    lambda g, arrs_shape, position: _block_rule(g, arrs_shape, position),
    implements=linalg.block_diag,
    sequence="arrs",
    examples=[example(sample(2, 2), sample(3), sample()), example(sample(1, 0), sample(2, 2))],
)
def block_diag(*arrs: Array) -> Array:
    """The matrix with these blocks along its diagonal and zeros elsewhere; a vector is a row, a number a block of one.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import block_diag
    >>> grad(lambda t: np.sum(block_diag(t, np.ones((2, 2))) ** 2))(3.0)
    6.0
    """
    return _block_diag(*arrs)
