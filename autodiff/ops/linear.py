"""Sums of products.

``matmul`` of matrices is its own adjoint, up to transposition.  With vectors it is another operation with other rules,
so there are four entries under one name.  The engine sums over broadcast stacks.  Everything else is written with these
or with ``einsum`` (:mod:`.contraction`).

For complex arguments the rules are transposes, without conjugation; ``vecdot`` and ``vecmat`` conjugate their first
argument, so its cotangent is conjugated too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..arrays import as_array, turned
from ..operands import SparseError, beside
from ..primitive import example, sample
from ..registering import composite, gufunc

Array = Any


# -- matmul, by the number of axes -------------------------------------------------------------------------------


matrices = gufunc(
    lambda a, b: np.matmul(a, b),
    lambda g, b: g @ turned(b),
    lambda g, a: turned(a) @ g,
    signature="(n,k),(k,m)->(n,m)",
    name="matmul",
    forward=np.matmul,
    examples=[example(sample(2, 3), sample(3, 4)), example(sample(2, 1, 2, 3), sample(4, 3, 2)),
              example(sample(2, 0), sample(0, 3)), example(sample(2, 3), sample(4, 3, 2))],
)  # fmt: skip
matrix_vector = gufunc(
    lambda a, b: np.matmul(a, b),
    lambda g, b: g[..., :, None] * b,
    lambda g, a: (g[..., None, :] @ a)[..., 0, :],
    signature="(m,n),(n)->(m)",
    name="matmul",
    forward=np.matmul,
    examples=[example(sample(2, 3), sample(3)), example(sample(4, 2, 3), sample(3))],
)
vector_matrix = gufunc(
    lambda a, b: np.matmul(a, b),
    lambda g, b: (b @ g[..., :, None])[..., 0],
    lambda g, a: a[:, None] * g[..., None, :],
    signature="(n),(n,m)->(m)",
    name="matmul",
    forward=np.matmul,
    examples=[example(sample(3), sample(3, 2)), example(sample(3), sample(4, 3, 2))],
)
vectors = gufunc(
    lambda a, b: np.matmul(a, b),
    lambda g, b: g * b,
    lambda g, a: g * a,
    signature="(n),(n)->()",
    name="matmul",
    forward=np.matmul,
    examples=[example(sample(3), sample(3)), example(sample(0), sample(0))],
)


@composite(
    np.matmul,
    examples=[
        example(sample(2, 3), sample(3, 4)), example(sample(3), sample(3)), example(sample(2, 3), sample(3)),
        example(sample(3), sample(3, 2)), example(sample(2, 1, 2, 3), sample(4, 3, 2)),
    ],
)  # fmt: skip
def matmul(a: Array, b: Array) -> Array:
    """``a @ b``: one primitive for each combination of matrix and vector, so that no rule asks which it is."""
    try:
        rank_a, rank_b = len(a.shape), len(b.shape)
    except AttributeError:  # a list
        rank_a, rank_b = np.ndim(a), np.ndim(b)
    try:
        if rank_b > 1:
            return matrices(a, b) if rank_a > 1 else vector_matrix(a, b)
        return matrix_vector(a, b) if rank_a > 1 else vectors(a, b)
    except SparseError:
        return beside["matmul"](a, b)


gufunc(
    np.vecdot,
    lambda g, b: np.conj(g[..., None] * b),
    lambda g, a: g[..., None] * np.conj(a),
    signature="(n),(n)->()",
    analytic=False,  # it conjugates its first argument
    examples=[example(sample(2, 3), sample(2, 3)), example(sample(3), sample(2, 3))],
)
gufunc(
    np.matvec,
    lambda g, b: g[..., :, None] * b[..., None, :],
    lambda g, a: (g[..., None, :] @ a)[..., 0, :],
    signature="(m,n),(n)->(m)",
    examples=[example(sample(2, 3), sample(3)), example(sample(4, 2, 3), sample(4, 3)),
              example(sample(2, 3), sample(4, 3))],
)  # fmt: skip
gufunc(
    np.vecmat,
    lambda g, b: np.conj((b @ g[..., :, None])[..., 0]),
    lambda g, a: np.conj(a[..., :, None]) * g[..., None, :],
    signature="(n),(n,m)->(m)",
    analytic=False,  # it conjugates its first argument
    examples=[example(sample(2), sample(2, 3)), example(sample(4, 2), sample(4, 2, 3)),
              example(sample(2), sample(4, 2, 3))],
)  # fmt: skip


# -- the rest of the family, written with these ------------------------------------------------------------------


@composite(
    np.tensordot,
    examples=[example(sample(2, 3, 4), sample(3, 4, 2)), example(sample(2, 3), sample(3, 2), axes=1),
              example(sample(2, 3), sample(2, 3), axes=([0, 1], [0, 1])), example(sample(2), sample(3), axes=0)],
)  # fmt: skip
def tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    """Sums of products over pairs of axes, by matmul of arrays that are reshaped to matrices."""
    rank_a, rank_b = np.ndim(a), np.ndim(b)
    if isinstance(axes, int):
        axes = (list(range(rank_a - axes, rank_a)), list(range(axes)))
    left, right = ([x] if isinstance(x, int) else list(x) for x in axes)
    left, right = list(normalize_axis_tuple(left, rank_a)), list(normalize_axis_tuple(right, rank_b))
    shape_a, shape_b = np.shape(a), np.shape(b)
    if [shape_a[i] for i in left] != [shape_b[i] for i in right]:
        raise ValueError(f"tensordot: axes {left} of shape {shape_a} and {right} of {shape_b} differ in length")
    free_a = [i for i in range(rank_a) if i not in left]
    free_b = [i for i in range(rank_b) if i not in right]
    inner = int(np.prod([shape_a[i] for i in left], dtype=int))
    outer_a = int(np.prod([shape_a[i] for i in free_a], dtype=int))
    outer_b = int(np.prod([shape_b[i] for i in free_b], dtype=int))
    matrix_a = np.reshape(np.transpose(a, [*free_a, *left]), (outer_a, inner))
    matrix_b = np.reshape(np.transpose(b, [*right, *free_b]), (inner, outer_b))
    return np.reshape(np.matmul(matrix_a, matrix_b), [*(shape_a[i] for i in free_a), *(shape_b[i] for i in free_b)])


@composite(
    np.dot, method="dot",
    examples=[example(sample(3), sample(3)), example(sample(2, 3), sample(3, 2)), example(sample(2, 3), sample(3)),
              example(sample(2, 3), sample(2, 3, 2)), example(sample(), sample(2))],
)  # fmt: skip
def dot(a: Array, b: Array) -> Array:
    """The sum of products over the last axis of a and the last but one of b; a product if one is a number."""
    rank_a, rank_b = np.ndim(a), np.ndim(b)
    if rank_a == 0 or rank_b == 0:
        return np.multiply(a, b)
    if rank_b <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=([rank_a - 1], [rank_b - 2]))


@composite(
    np.inner,
    examples=[example(sample(3), sample(3)), example(sample(2, 3), sample(4, 3)), example(sample(), sample(2))],
)
def inner(a: Array, b: Array) -> Array:
    """The sum of products over the last axes of both."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=([np.ndim(a) - 1], [np.ndim(b) - 1]))


@composite(np.outer, examples=[example(sample(2), sample(3)), example(sample(2, 2), sample(3))])
def outer(a: Array, b: Array) -> Array:
    """a_i b_j for all elements of each."""
    return np.ravel(as_array(a))[:, None] * np.ravel(as_array(b))
