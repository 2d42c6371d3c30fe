"""Sums of products.

``matmul`` of matrices is its own adjoint up to transposition; with vectors it *is* ``vecdot``, ``matvec`` or ``vecmat``, and
these three are closed under differentiation.  Everything else here is written with them or with ``einsum``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import unbroadcast
from ..primitive import composite, example, primitive, sample
from .indexing import scatter_add

Array = Any


def _t(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def _fit(product: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the stack axes that were broadcast."""
    return product if product.shape == shape else unbroadcast(product, shape)


def _left(g: Array, b: Array, a_shape: tuple[int, ...]) -> Array:
    if len(a_shape) == 1:
        return _fit(g[..., None] * b if b.ndim == 1 else np.matvec(b, g), a_shape)
    if b.ndim == 1:
        return _fit(g[..., None] * b, a_shape)
    return _fit(np.matmul(g, _t(b)), a_shape)


def _right(g: Array, a: Array, b_shape: tuple[int, ...]) -> Array:
    if len(b_shape) == 1:
        return _fit(g[..., None] * a if a.ndim == 1 else np.vecmat(g, a), b_shape)
    if a.ndim == 1:
        return _fit(a[:, None] * g[..., None, :], b_shape)
    return _fit(np.matmul(_t(a), g), b_shape)


@primitive(
    lambda g, b, a_shape: _left(g, b, a_shape),
    lambda g, a, b_shape: _right(g, a, b_shape),
    implements=np.matmul,
    examples=[
        example(sample(2, 3), sample(3, 4)), example(sample(3), sample(3)), example(sample(2, 3), sample(3)),
        example(sample(3), sample(3, 2)), example(sample(2, 1, 2, 3), sample(4, 3, 2)),
        example(sample(4, 2, 3), sample(3)), example(sample(3), sample(4, 3, 2)), example(sample(2, 0), sample(0, 3)),
    ],
)  # fmt: skip
def matmul(a: Array, b: Array) -> Array:
    return np.matmul(a, b)


@primitive(
    lambda g, b, a_shape, axis: _fit(np.expand_dims(g, axis) * b, a_shape),
    lambda g, a, b_shape, axis: _fit(np.expand_dims(g, axis) * a, b_shape),
    implements=np.vecdot, analytic=False,  # it conjugates its first argument
    examples=[example(sample(2, 3), sample(2, 3)), example(sample(3), sample(2, 3))],
)  # fmt: skip
def vecdot(a: Array, b: Array, axis: int = -1) -> Array:
    if axis != -1:
        raise ValueError("vecdot: only axis=-1 is differentiated; move the axis with np.moveaxis first")
    return np.vecdot(a, b)


@primitive(
    lambda g, b, a_shape: _fit(g[..., :, None] * b[..., None, :], a_shape),
    lambda g, a, b_shape: _fit(np.vecmat(g, a), b_shape),
    implements=np.matvec,
    examples=[example(sample(2, 3), sample(3)), example(sample(4, 2, 3), sample(4, 3)), example(sample(2, 3), sample(4, 3))],
)  # fmt: skip
def matvec(a: Array, b: Array) -> Array:
    return np.matvec(a, b)


@primitive(
    lambda g, b, a_shape: _fit(np.matvec(b, g), a_shape),
    lambda g, a, b_shape: _fit(a[..., :, None] * g[..., None, :], b_shape),
    implements=np.vecmat, analytic=False,  # it conjugates its first argument
    examples=[example(sample(2), sample(2, 3)), example(sample(4, 2), sample(4, 2, 3)), example(sample(2), sample(4, 2, 3))],
)  # fmt: skip
def vecmat(a: Array, b: Array) -> Array:
    return np.vecmat(a, b)


# -- einsum ------------------------------------------------------------------------------------------------------


def _explicit(subscripts: str, shapes: Any) -> tuple[list[str], str]:
    """The terms and the output of a subscript string, the ellipsis spelled out with capital letters."""
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
    # a letter that only this operand has was summed away: its axis comes back by repetition
    product = np.reshape(product, [product.shape[kept.index(c)] if c in kept else 1 for c in letters])
    lengths = [product.shape[i] if c in kept else sizes[c] for i, c in enumerate(letters)]
    product = _fit(np.broadcast_to(product, lengths), tuple(sizes[c] for c in letters))
    return product if len(letters) == len(mine) else _on_diagonal(product, letters, mine, shape)


def _on_diagonal(values: Array, letters: str, mine: str, shape: tuple[int, ...]) -> Array:
    """Place ``values`` where a term names a letter twice (``ii``): on the diagonal, zero elsewhere."""
    rank = len(letters)
    grid = {
        c: np.arange(values.shape[i]).reshape((-1,) + (1,) * (rank - 1 - i)) for i, c in enumerate(letters)
    }
    return scatter_add(values, tuple(grid[c] for c in mine), shape)


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
    if not isinstance(subscripts, str):
        raise TypeError("einsum: write the subscripts as a string, 'ij,jk->ik'")
    return np.einsum(subscripts, *operands, optimize=optimize)


# -- the rest of the family, written with these ------------------------------------------------------------------


@composite(
    np.tensordot,
    examples=[example(sample(2, 3, 4), sample(3, 4, 2)), example(sample(2, 3), sample(3, 2), axes=1),
              example(sample(2, 3), sample(2, 3), axes=([0, 1], [0, 1])), example(sample(2), sample(3), axes=0)],
)  # fmt: skip
def tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    rank_a, rank_b = np.ndim(a), np.ndim(b)
    if isinstance(axes, int):
        axes = (list(range(rank_a - axes, rank_a)), list(range(axes)))
    left, right = ([x] if isinstance(x, int) else list(x) for x in axes)
    left, right = [i % rank_a for i in left], [i % rank_b for i in right]
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
    rank_a, rank_b = np.ndim(a), np.ndim(b)
    if rank_a == 0 or rank_b == 0:
        return np.multiply(a, b)
    if rank_b <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=([rank_a - 1], [rank_b - 2]))


@composite(
    np.inner, examples=[example(sample(3), sample(3)), example(sample(2, 3), sample(4, 3)), example(sample(), sample(2))]
)
def inner(a: Array, b: Array) -> Array:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=([np.ndim(a) - 1], [np.ndim(b) - 1]))


@composite(np.outer, examples=[example(sample(2), sample(3)), example(sample(2, 2), sample(3))])
def outer(a: Array, b: Array) -> Array:
    return np.ravel(a)[:, None] * np.ravel(b)
