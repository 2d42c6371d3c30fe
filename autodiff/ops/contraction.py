"""einsum: sums of products, along axes that have letters.

The rule of an operand is the einsum of the others with the cotangent.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..convention import spelling
from ..graph import unbroadcast
from ..primitive import example, sample
from ..registering import primitive
from .indexing import scatter_add

Array = Any


def _fit(product: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes that were broadcast."""
    return product if product.shape == shape else unbroadcast(product, shape)


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
    product = summed(",".join([output, *others]) + "->" + "".join(kept), g, *arrays)
    sizes = dict(zip(mine, shape, strict=True))
    # a letter that only this operand has was summed away: its axis comes back by repetition, as does one that is of
    # length 1 in all the others; one that is of length 1 in this operand was repeated, and is summed
    product = np.reshape(product, [product.shape[kept.index(c)] if c in kept else 1 for c in letters])
    lengths = [sizes[c] if n == 1 else n for n, c in zip(product.shape, letters, strict=True)]
    product = _fit(np.broadcast_to(product, lengths), tuple(sizes[c] for c in letters))
    return product if len(letters) == len(mine) else _on_diagonal(product, letters, mine, shape)


_FEW, _PRODUCTS = 2000, 100_000
"""Products of numbers in a product of matrices, and in all: with fewer, NumPy's own loop is faster."""


def _is_of_matrices(terms: list[str], output: str, operands: Any) -> bool:
    """Whether this is a stack of products of matrices that are large enough for ``np.matmul``."""
    sizes: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        if len(set(term)) < len(term) or len(term) != len(operand.shape):
            return False
        if any(sizes.setdefault(c, n) != n for c, n in zip(term, operand.shape, strict=True)):
            return False
    one, other = map(set, terms)
    parts = one - other, other - one, (one & other) - set(output)
    rows, columns, inner = (math.prod(sizes[c] for c in part) for part in parts)
    large = rows * columns * inner >= _FEW and math.prod(sizes.values()) >= _PRODUCTS
    return min(rows, columns, inner) >= 4 and large


def summed(subscripts: str, *operands: Any) -> Array:
    """The einsum; ``optimize`` is NumPy's word for products of matrices."""
    if len(operands) == 2 and all(hasattr(o, "dtype") and o.dtype.char in "fdFD" for o in operands):
        one, other = operands
        if one.size * other.size >= _PRODUCTS and subscripts.count(",") == 1:
            terms, output = _explicit(subscripts, [one.shape, other.shape])
            if _is_of_matrices(terms, output, operands):
                return np.einsum(subscripts, *operands, optimize=True)
    return np.einsum(subscripts, *operands)


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

    Subscripts may be lists of integers after each operand, as in NumPy.  A large stack of products of matrices is
    computed as with ``optimize=True``: ten times as fast, and other in the last bits.
    """
    if any(0 in np.shape(operand) for operand in operands):
        _check_diagonals(subscripts, operands)
    return np.einsum(subscripts, *operands, optimize=optimize) if optimize else summed(subscripts, *operands)
