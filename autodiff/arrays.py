"""What the engine and the rules ask of an array, in words that any array understands.

An array is an ndarray, or anything that speaks NumPy's two protocols: a Tensor, many examples in one, a Dask array, a
CuPy array.  NumPy's functions are the words.  A few of them cost several times as much as the method or the ufunc's
method of an ndarray, and a training step calls them hundreds of times: these are here, decided by type.

The values of an array that is not NumPy's own may lie on another machine or not be computed yet, so nobody looks at
them without being asked.  Where bad values are an error of an ndarray, they are NaN in such an array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .examples import Examples

Array = Any
OWN = (np.ndarray, np.generic)
"""The types of NumPy's own arrays and numbers, for the places where a call of :func:`is_plain` would be felt."""


def add_up(a: Array, axis: Any = None, keepdims: Any = False, dtype: Any = None) -> Array:
    """``np.sum``, for an ndarray without its Python.

    >>> add_up(np.ones((2, 3)), axis=0).tolist()
    [2.0, 2.0, 2.0]
    """
    if isinstance(a, np.ndarray):
        return np.add.reduce(a, axis=axis, keepdims=keepdims, dtype=dtype)
    return np.sum(a, axis=axis, keepdims=keepdims, dtype=dtype)


def turned(a: Array) -> Array:
    """``np.matrix_transpose``: each matrix of a stack with its last two axes swapped.

    >>> turned(np.ones((4, 2, 3))).shape
    (4, 3, 2)
    """
    return a.mT if isinstance(a, np.ndarray) else np.swapaxes(a, -1, -2)


def cast(a: Array, dtype: Any) -> Array:
    """``np.astype``, which NumPy has not for its scalars, nor Dask for its arrays: theirs is the method.

    >>> cast(np.float64(0.5), np.float32).dtype
    dtype('float32')
    """
    if a.dtype == dtype:
        return a
    return a.astype(dtype) if hasattr(a, "astype") else np.astype(a, dtype)


def as_array(a: Any, dtype: Any = None) -> Array:
    """``np.asarray`` of what is no array yet, an ndarray included; a Tensor or a foreign array as it is.

    >>> as_array([1, 2], float).tolist()
    [1.0, 2.0]
    """
    return np.asarray(a, dtype=dtype) if isinstance(a, np.ndarray) or not hasattr(a, "__array_function__") else a


def to_hold(a: Any, dtype: Any = None) -> Array:
    """An array for a variable: what speaks NumPy as it is, anything else as an ndarray that can be written into.

    >>> to_hold([1, 2], float).tolist()
    [1.0, 2.0]
    """
    if isinstance(a, Examples):
        a = a.as_array()
    if hasattr(a, "__array_function__"):
        return a if dtype is None else cast(a, dtype)
    array = np.asarray(a, dtype=dtype)
    return array if array.flags.writeable else array.copy()  # what another library shows of its own


def is_plain(a: Array) -> bool:
    """Whether it is NumPy's own array or number.

    >>> is_plain(np.ones(2)), is_plain([1.0])
    (True, False)
    """
    return isinstance(a, OWN)


def values_of(a: Array) -> Array:
    """The array behind a Tensor and behind many examples in one."""
    while True:
        if hasattr(type(a), "_node"):
            a = a._value
        elif isinstance(a, Examples):
            a = a.held
        else:
            return a


def is_foreign(a: Array) -> bool:
    """Whether the values are those of an array that is not NumPy's own, and so may be looked at by its owner alone.

    >>> is_foreign(np.ones(2)), is_foreign([1.0])
    (False, False)
    """
    if isinstance(a, OWN):
        return False
    values = values_of(a)
    return hasattr(values, "__array_function__") and not isinstance(values, OWN)


def owned(a: Array, owner: Array) -> Array:
    """An ndarray as an array of the kind of ``owner``, where that is foreign: CuPy computes with nothing else.

    >>> owned(np.eye(2), np.ones(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    held = owner._value if hasattr(type(owner), "_node") else owner
    if isinstance(held, Examples) and is_plain(a):
        a = held.beside(a)
    if not is_foreign(owner) or not is_plain(a):
        return a
    return np.asarray(a, like=values_of(owner))


def unless(bad: Array, value: Array, error: Exception) -> Array:
    """``value``, and the error if something is bad; a foreign array is not looked at, but NaN in that case.

    >>> unless(np.array([False]), 1.0, ValueError("bad"))
    1.0
    """
    if is_foreign(bad):
        return np.where(np.any(bad), np.nan, value)
    if np.any(bad):
        raise error
    return value


def anywhere(condition: Array) -> bool:
    """Whether a condition that speaks of bad values holds for any element; not asked of a foreign array.

    >>> anywhere(np.array([False, True]))
    True
    """
    return not is_foreign(condition) and bool(np.any(condition))
