"""Sums of products.

``matmul`` of matrices is its own adjoint, up to transposition.  With vectors it is another operation with other rules,
so there are four entries under one name.  The engine sums over broadcast stacks.  Everything else is written with these
or with ``einsum``.

For complex arguments the rules are transposes, without conjugation; ``vecdot`` and ``vecmat`` conjugate their first
argument, so its cotangent is conjugated too.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..arrays import as_array, turned
from ..convention import spelling
from ..graph import unbroadcast
from ..operands import SparseError, beside
from ..primitive import example, sample
from ..registering import composite, gufunc, primitive
from .indexing import scatter_add

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


def _fit(product: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes that were broadcast."""
    return product if product.shape == shape else unbroadcast(product, shape)


# -- einsum ------------------------------------------------------------------------------------------------------


def _explicit(subscripts: str, shapes: Any) -> tuple[list[str], str]:
    """The terms and the output of a subscript string, with the ellipsis replaced by capital letters."""
    subscripts = subscripts.replace(" ", "")
    left, arrow, output = subscripts.partition("->")
    terms = left.split(",")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in subscripts]
    depth = 0
    for term, shape in zip(terms, shapes, strict=True):
        if "..." in term:
            rank = len(shape) - (len(term) - 3)
            depth = rank if rank > depth else depth
    batch = "".join(spare[:depth])
    full = []
    for term, shape in zip(terms, shapes, strict=True):
        rank = len(shape) - (len(term) - 3)
        full.append(term.replace("...", batch[depth - rank :] if rank else ""))
    if arrow:
        return full, output.replace("...", batch)
    letters = sorted(set(left) - set(".,"))
    return full, batch + "".join(c for c in letters if left.count(c) == 1)


def _einsum_rule(g: Array, subscripts: str, operands: Any, operands_shape: Any, position: int) -> Array:
    """The cotangent of one operand: the einsum of the others and ``g``, back to the operand's letters."""
    terms, output = _explicit(subscripts, operands_shape)
    mine, shape = terms[position], operands_shape[position]
    others = [t for i, t in enumerate(terms) if i != position]
    arrays = [o for i, o in enumerate(operands) if i != position]
    letters = "".join(dict.fromkeys(mine))
    kept = [c for c in letters if c in output or any(c in t for t in others)]
    product = np.einsum(",".join([output, *others]) + "->" + "".join(kept), g, *arrays)
    sizes = dict(zip(mine, shape, strict=True))
    # a letter that only this operand has was summed away: its axis comes back by repetition, as does one that is of
    # length 1 in all the others; one that is of length 1 in this operand was repeated, and is summed
    product = np.reshape(product, [product.shape[kept.index(c)] if c in kept else 1 for c in letters])
    lengths = [sizes[c] if n == 1 else n for n, c in zip(product.shape, letters, strict=True)]
    product = _fit(np.broadcast_to(product, lengths), tuple(sizes[c] for c in letters))
    return product if len(letters) == len(mine) else _on_diagonal(product, letters, mine, shape)


def _on_diagonal(values: Array, letters: str, mine: str, shape: tuple[int, ...]) -> Array:
    """Place ``values`` on the diagonal if a term names a letter twice (``ii``), with zeros elsewhere."""
    if 0 in values.shape:
        return np.zeros_like(values, shape=shape)
    rank = len(letters)
    grid = {c: np.arange(values.shape[i]).reshape((-1,) + (1,) * (rank - 1 - i)) for i, c in enumerate(letters)}
    return scatter_add(values, tuple(grid[c] for c in mine), shape)


def _check_diagonals(subscripts: str, operands: Any) -> None:
    """Refuse the diagonal of an array with axes of length 0 and of other lengths: NumPy would read beyond its end."""
    terms = subscripts.replace(" ", "").partition("->")[0].split(",")
    for term, shape in zip(terms, map(np.shape, operands), strict=False):
        sizes = dict(zip(term, shape, strict=False))
        if "." not in term and len(term) == len(shape) and tuple(sizes[c] for c in term) != shape:
            raise ValueError(f"einsum: '{term}' names axes of different lengths by one letter, shape {shape}")


def _spelled(labels: Any) -> str:
    """Subscripts as letters; NumPy takes lists of integers below 52, and an Ellipsis."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    try:
        return "".join("..." if label is Ellipsis else letters[operator.index(label)] for label in labels)
    except (TypeError, IndexError):
        raise TypeError(f"einsum: {labels!r} are no subscripts; use integers from 0 to 51, or a string") from None


@spelling(np.einsum)
def _einsum(of_letters: Any, *operands: Any, **kwargs: Any) -> Array:
    """Either spelling: ``einsum("ij,j", a, b)`` or ``einsum(a, [0, 1], b, [1])``."""
    if operands and not isinstance(operands[0], str):
        arrays, labels = operands[: len(operands) // 2 * 2 : 2], operands[1::2]
        output = f"->{_spelled(operands[-1])}" if len(operands) % 2 else ""
        operands = (",".join(map(_spelled, labels)) + output, *arrays)
    return of_letters(*operands, **kwargs)


@primitive(
    lambda g, subscripts, operands, operands_shape, position: _einsum_rule(
        g, subscripts, operands, operands_shape, position
    ),
    implements=np.einsum, sequence="operands",
    examples=[
        example("ij,jk->ik", sample(2, 3), sample(3, 4)), example("ij,jk", sample(2, 3), sample(3, 4)),
        example("ij->", sample(2, 3)), example("ii->i", sample(3, 3)), example("ii", sample(3, 3)),
        example("i,i->i", sample(3), sample(3)), example("...ij,...jk->...ik", sample(2, 2, 3), sample(1, 3, 2)),
        example("ij,kj,k->i", sample(2, 3), sample(4, 3), sample(4)), example("i,j->ij", sample(2), sample(3)),
        example("ij->j", sample(2, 3)), example("i,i->", sample(0), sample(0)), example("iij->ij", sample(2, 2, 3)),
        example("i...,j->j...", sample(2, 3), sample(4)),
    ],
)  # fmt: skip
def einsum(subscripts: str, *operands: Array, optimize: Any = False) -> Array:
    """The sum of products that ``subscripts`` names.  Its rule is the einsum of the other operands with the cotangent.

    Subscripts may be lists of integers after each operand, as in NumPy.
    """
    if any(0 in np.shape(operand) for operand in operands):
        _check_diagonals(subscripts, operands)
    return np.einsum(subscripts, *operands, optimize=optimize)


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
