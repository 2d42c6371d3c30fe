"""Matrices of few diagonals in LAPACK's form: row u + i - j, column j, of an array of bands has the element a_ij.

All functions are sums of products and shifts, without a loop over rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import owned
from ...ops.complexes import conjugate
from ...structural import chosen

Array = Any


def shifted(v: Array, upper: int, lower: int) -> Array:
    """The rows of a matrix beside each diagonal, and zeros beyond its ends: y_(r j) = v_(j + r - upper).

    >>> shifted(np.array([[1.0], [2.0]]), 1, 0)[..., 0].tolist()
    [[0.0, 1.0], [1.0, 2.0]]
    """
    n = v.shape[0]
    places = np.arange(lower + upper + 1)[:, None] + np.arange(n)
    return np.take(np.pad(v, [(upper, lower), (0, 0)]), places, axis=0)


def inside(like: Array, lower: int, upper: int) -> Array:
    """1 for the bands' elements, and 0 in the corners that stand for none."""
    n = like.shape[0]
    rows = np.arange(-upper, lower + 1)[:, None] + np.arange(n)
    return chosen(owned(((rows >= 0) & (rows < n)).astype(np.finfo(like.dtype).dtype), like))


def products(p: Array, v: Array, lower: int, upper: int) -> Array:
    """The bands of p v^T, of two matrices of columns."""
    return np.sum(shifted(p, upper, lower) * v, axis=-1) * inside(p, lower, upper)


def turned_bands(ab: Array, lower: int, upper: int) -> Array:
    """The bands of the transpose, which has ``upper`` diagonals below the main one; unused elements become zeros.

    >>> turned_bands(np.array([[9.0, 2.0], [1.0, 4.0], [3.0, 9.0]]), 1, 1).tolist()
    [[0.0, 3.0], [1.0, 4.0], [2.0, 0.0]]
    """
    n, rows = ab.shape[1], lower + upper + 1
    wide = np.reshape(np.pad(np.flip(ab, axis=0), [(0, 0), (lower, upper)]), (-1,))
    return np.reshape(np.pad(wide, (0, rows)), (rows, n + rows))[:, :n]  # each row begins one earlier than the last


def cornered(ab: Array, lower: Any) -> Array:
    """The bands of a triangle with zeros in the corner that stands for no element."""
    rows, n = ab.shape
    beyond = np.arange(rows)[:, None] + np.arange(n)
    return np.where(beyond < n if lower else beyond >= rows - 1, ab, 0.0)


def of_lower(ab: Array, lower: Any) -> Array:
    """The lower triangle of a Hermitian matrix, or the lower factor of l l^H, from either form."""
    return ab if lower or not ab.shape[0] else conjugate(turned_bands(ab, 0, ab.shape[0] - 1))


def from_lower(ab: Array, lower: Any) -> Array:
    """The inverse of :func:`of_lower`."""
    return ab if lower or not ab.shape[0] else conjugate(turned_bands(ab, ab.shape[0] - 1, 0))


def halved(g: Array) -> Array:
    """Of bands of a lower triangle, the main diagonal times 1/2."""
    return g * np.where(np.arange(g.shape[0]) == 0, 0.5, 1.0).astype(np.finfo(g.dtype).dtype)[:, None]


def twice(p: Array, v: Array, below: int) -> Array:
    """The lower bands of the cotangent p v^T of a Hermitian matrix, whose elements stand for two off the diagonal."""
    return halved(products(p, v, below, 0) + conjugate(products(v, p, below, 0)))


# -- blocks along the diagonal -----------------------------------------------------------------------------------


def blocks_of(ab: Array, size: int) -> Array:
    """Of a lower matrix, the columns of each block and the rows that they reach: (blocks, size + bands, size).

    ``size`` divides the number of columns.
    """
    below, n = ab.shape[0] - 1, ab.shape[1]
    columns = np.reshape(ab.T, (n // size, size, below + 1))
    wide = np.reshape(np.pad(columns, [(0, 0), (0, 0), (0, size)]), (n // size, -1))
    return np.swapaxes(np.reshape(wide[:, : size * (size + below)], (n // size, size, size + below)), -1, -2)


def bands_of(blocks: Array, below: int) -> Array:
    """The inverse of :func:`blocks_of`; what is outside of the bands is left out."""
    count, _, size = blocks.shape
    flat = np.reshape(np.swapaxes(blocks, -1, -2), (count, size * (size + below)))
    columns = np.reshape(np.pad(flat, [(0, 0), (0, size)]), (count * size, size + below + 1))
    return columns[:, : below + 1].T
