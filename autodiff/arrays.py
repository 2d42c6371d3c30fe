"""The operations on arrays that the engine and the rules need, for any kind of array.

An array is an ndarray, or anything that implements NumPy's two protocols: a Tensor, the examples of a ``vmap``, a Dask
array, a CuPy array.  NumPy's functions work on all of them.  A few of these functions cost several times as much as the
method of an ndarray, and a training step calls them hundreds of times.  They are here, and choose by type.

The values of a foreign array, one that is not NumPy's, may be on another machine, or not computed yet.  So no function
reads them unless the caller asks for that.  Where bad values of an ndarray are an error, the result for a foreign array
is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .examples import Examples

Array = Any
OWN = (np.ndarray, np.generic)
"""The types of NumPy's own arrays and numbers, for the places where a call of :func:`is_plain` would be felt."""


def add_up(a: Array, axis: Any = None, keepdims: Any = False, dtype: Any = None) -> Array:
    """``np.sum``; for an ndarray without the Python code of NumPy's function.

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
    """``np.astype``, also for NumPy's scalars and for Dask arrays, which have only the method.

    >>> cast(np.float64(0.5), np.float32).dtype
    dtype('float32')
    """
    if a.dtype == dtype:
        return a
    return a.astype(dtype) if hasattr(a, "astype") else np.astype(a, dtype)


def as_array(a: Any, dtype: Any = None) -> Array:
    """``np.asarray`` for anything but a Tensor or a foreign array, which are returned unchanged.

    Raises TypeError for a sparse array, of which NumPy makes one Python object.

    >>> as_array([1, 2], float).tolist()
    [1.0, 2.0]
    """
    if not isinstance(a, np.ndarray) and hasattr(a, "__array_function__"):
        return a
    array = np.asarray(a, dtype=dtype)
    if array.dtype.kind == "O" and hasattr(type(a), "toarray"):
        raise TypeError(f"a {type(a).__name__} is sparse: write x.toarray()")
    return array


def to_hold(a: Any, dtype: Any = None) -> Array:
    """The array that a variable holds: a foreign array unchanged, anything else as a writeable ndarray.

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
    """Whether the value is an array or a number of NumPy.

    >>> is_plain(np.ones(2)), is_plain([1.0])
    (True, False)
    """
    return isinstance(a, OWN)


def values_of(a: Array) -> Array:
    """The array in a Tensor, and the array of all examples in an array of examples."""
    while True:
        if hasattr(type(a), "_node"):
            a = a._value
        elif isinstance(a, Examples):
            a = a.held
        else:
            return a


def is_foreign(a: Array) -> bool:
    """Whether this is an array that is not NumPy's, whose values must not be read.

    >>> is_foreign(np.ones(2)), is_foreign([1.0])
    (False, False)
    """
    if isinstance(a, OWN):
        return False
    values = values_of(a)
    return hasattr(values, "__array_function__") and not isinstance(values, OWN)


def owned(a: Array, owner: Array) -> Array:
    """An ndarray, converted to the type of ``owner`` if that is foreign: CuPy computes with its own arrays only.

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
    """``value``; the error if any element is ``bad``, or NaN if the array is foreign.

    >>> unless(np.array([False]), 1.0, ValueError("bad"))
    1.0
    """
    if is_foreign(bad):
        return np.where(np.any(bad), np.nan, value)
    if np.any(bad):
        raise error
    return value


def anywhere(condition: Array) -> bool:
    """Whether a condition for bad values holds for any element; False for a foreign array.

    >>> anywhere(np.array([False, True]))
    True
    """
    return not is_foreign(condition) and bool(np.any(condition))
