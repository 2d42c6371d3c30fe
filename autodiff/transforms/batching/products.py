"""Products, and functions of matrices.  NumPy computes these for stacks of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops.contraction import summed
from .array import Batched, aligned, is_of, latest, shifted, wrapped
from .families import flat, handles, only_first
from .loop import ByExampleError

Array = Any


@handles(np.einsum)
def _einsum(function: Any, subscripts: Any, *operands: Array, **kwargs: Any) -> Array:
    if not isinstance(subscripts, str):
        raise ByExampleError
    level = latest(*operands)
    subscripts = subscripts.replace(" ", "")
    left, arrow, output = subscripts.partition("->")
    if not arrow:
        letters = sorted(set(left) - set(".,"))
        output = ("..." if "..." in left else "") + "".join(c for c in letters if left.count(c) == 1)
    examples = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in subscripts)
    terms = [examples + term if is_of(o, level) else term for term, o in zip(left.split(","), operands, strict=True)]
    held = [o.held if is_of(o, level) else o for o in operands]
    sums = np.einsum if kwargs else summed
    return Batched(sums(",".join(terms) + "->" + examples + output, *held, **kwargs), level)


@handles(np.cross)
def _cross(function: Any, a: Array, b: Array, *args: Any, **kwargs: Any) -> Array:
    if args or kwargs:
        raise ByExampleError
    level = latest(a, b)
    ndim = max(np.ndim(a), np.ndim(b))
    return Batched(np.cross(aligned(a, level, ndim), aligned(b, level, ndim)), level)


@handles(
    np.linalg.inv, np.linalg.pinv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.qr, np.linalg.svd,
    np.linalg.svdvals, np.linalg.eig, np.linalg.eigvals, np.linalg.eigh, np.linalg.eigvalsh, np.linalg.matrix_power,
    np.linalg.matrix_norm, np.linalg.matrix_rank, np.linalg.cond,
)  # fmt: skip
def _of_matrices(function: Any, a: Array, *rest: Any, **kwargs: Any) -> Any:
    """A function of matrices, which NumPy computes for stacks."""
    only_first(a.level, *rest, *kwargs.values())
    return wrapped(function(a.held, *rest, **kwargs), a.level)


@handles(np.linalg.solve)
def _solve(function: Any, a: Array, b: Array) -> Array:
    level = latest(a, b)
    columns = b[:, None] if np.ndim(b) == 1 else b
    ndim = max(np.ndim(a), np.ndim(columns)) - 2
    solution = Batched(np.linalg.solve(aligned(a, level, ndim, 2), aligned(columns, level, ndim, 2)), level)
    return solution[..., 0] if np.ndim(b) == 1 else solution


@handles(np.linalg.norm)
def _norm(function: Any, x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002
    if axis is None:
        if ord is None and x.ndim != 2:
            lengths = np.linalg.norm(flat(x).held, axis=1)
            return Batched(np.reshape(lengths, (x.level.size,) + (1,) * x.ndim) if keepdims else lengths, x.level)
        axis = tuple(range(x.ndim)) if x.ndim == 2 else 0
    return Batched(np.linalg.norm(x.held, ord, shifted(axis, x.ndim), keepdims), x.level)


@handles(np.linalg.vector_norm)
def _vector_norm(function: Any, x: Array, /, *, axis: Any = None, keepdims: bool = False, **kwargs: Any) -> Array:
    axes = tuple(range(x.ndim)) if axis is None else axis
    return Batched(np.linalg.vector_norm(x.held, axis=shifted(axes, x.ndim), keepdims=keepdims, **kwargs), x.level)
