"""Arithmetic in which an exact zero wins: 0 * inf = 0 and 0 * nan = 0.

A cotangent of exactly zero says that the output does not depend on this element, so no local derivative, however
infinite, may bring it back.  IEEE arithmetic says NaN instead, and that is how ``where(x > 0, log(x), 0)`` has a NaN
gradient at 0 elsewhere.  A rule knows nothing of this: it is handed a cotangent of this type, and its own products
come out right.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def strong(g: Any) -> Any:
    """View a cotangent as one whose zeros win.

    >>> with np.errstate(invalid="ignore"):
    ...     np.multiply(strong(np.array([0.0, 1.0])), np.inf).tolist()
    [0.0, inf]
    """
    if hasattr(g, "held"):  # many examples in one
        return g.holding(strong(g.held))
    return np.asarray(g).view(StrongZero) if isinstance(g, np.ndarray | np.generic) else g


def plain(value: Any) -> Any:
    """The same value as an ordinary array."""
    if hasattr(value, "held"):
        return value.holding(plain(value.held))
    return value.view(np.ndarray)[()] if isinstance(value, StrongZero) else value


_PRODUCTS = (np.multiply, np.divide)
_CONTRACTIONS = (np.matmul, np.vecdot, np.matvec, np.vecmat)


class StrongZero(np.ndarray):
    """A cotangent in the second look at a gradient that came out NaN."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        arrays = [x.view(np.ndarray) if isinstance(x, StrongZero) else x for x in inputs]
        if any(hasattr(type(x), "_node") or hasattr(type(x), "held") for x in arrays):
            return NotImplemented  # a Tensor, or many examples in one: it takes over
        if "out" in kwargs:
            kwargs["out"] = tuple(x.view(np.ndarray) if isinstance(x, StrongZero) else x for x in kwargs["out"])
        result = getattr(ufunc, method)(*arrays, **kwargs)
        if method == "__call__":
            if ufunc in _PRODUCTS:
                for x, array in zip(inputs[: 1 if ufunc is np.divide else 2], arrays, strict=False):
                    if isinstance(x, StrongZero):
                        result = np.where(array == 0, 0.0, result).astype(result.dtype, copy=False)
            elif ufunc in _CONTRACTIONS and np.isnan(result).any():
                result = _contract(ufunc, arrays, [isinstance(x, StrongZero) for x in inputs], result)
        if isinstance(result, np.ndarray | np.generic):
            return np.asarray(result).view(StrongZero)
        return result


def _contract(ufunc: Any, arrays: list[Any], is_strong: list[bool], result: Any) -> Any:
    """A sum of products, without those products that a strong zero has a part in."""
    a, b = arrays
    bad_a, bad_b = ~np.isfinite(a), ~np.isfinite(b)
    finite = ufunc(np.where(bad_a, 0, a), np.where(bad_b, 0, b))
    # how many products with a non-finite factor are left once the strong zeros have removed theirs
    counts_a = (a != 0) * 1.0 if is_strong[0] else np.ones_like(bad_a, dtype=float)
    counts_b = (b != 0) * 1.0 if is_strong[1] else np.ones_like(bad_b, dtype=float)
    left = ufunc(bad_a * 1.0, counts_b) + ufunc(counts_a, bad_b * 1.0)
    return np.where(left == 0, finite, result).astype(result.dtype, copy=False)
