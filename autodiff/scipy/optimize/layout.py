"""A nesting of arrays as one vector of double precision, as SciPy's methods want it, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops.update import index_update
from ...tensor import Tensor, value_of
from ...transforms.calling import number
from ...tree import branch_of, flatten, flatten_like, places

Array = Any


class Layout:
    """Where the numbers of a nesting stand in a vector; ``fixed`` ones stand in none.

    A leaf is computed with in double precision, and has its own dtype in the result.
    """

    def __init__(self, x0: Any, who: str, fixed: Any = None) -> None:
        if _is_row_of_numbers(x0):  # SciPy's own way to write an array
            x0 = np.asarray(x0, dtype=float)
        self.who = who
        self.nesting = x0
        self.given, self.unflatten = flatten(x0)
        self.places = places(x0)
        self.arrays = [_as_double(leaf, f"{who}: x0{at}") for leaf, at in zip(self.given, self.places, strict=True)]
        self.dtypes = [_dtype_of(leaf) for leaf in self.given]
        self.free = self._free(fixed)
        counts = [int(np.count_nonzero(free)) for free in self.free]
        ends = np.cumsum(counts, dtype=int).tolist()
        self.slices = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
        self.size = sum(counts)
        if not self.size:
            what = "everything in x0 is fixed" if any(a.size for a in self.arrays) else "x0 has no numbers in it"
            raise ValueError(f"{who}: {what}, so there is nothing to vary")

    def _free(self, fixed: Any) -> list[Array]:
        """Which numbers of each leaf vary."""
        if fixed is None:
            return [np.ones(array.shape, bool) for array in self.arrays]
        free = []
        leaves = flatten_like(fixed, self.nesting, f"{self.who}: fixed", repeat=True)
        for leaf, array, place in zip(leaves, self.arrays, self.places, strict=True):
            held = np.asarray(False if leaf is None else leaf)
            if held.dtype != bool or held.shape not in ((), array.shape):
                raise TypeError(
                    f"{self.who}: fixed{place} must be True, False or an array of them of shape {array.shape}, got "
                    f"{held.dtype} of shape {held.shape}"
                )
            free.append(~np.broadcast_to(held, array.shape))
        return free

    @property
    def start(self) -> Array:
        """The numbers of x0 that vary."""
        return self.vector(self.arrays)

    def vector(self, leaves: list[Any]) -> Array:
        """The numbers that vary, of leaves of the same shapes."""
        pairs = zip(leaves, self.free, strict=True)
        return np.concatenate([np.asarray(leaf, dtype=float)[free] for leaf, free in pairs], axis=None)

    def tree(self, z: Any) -> Any:
        """The nesting with these numbers in it; differentiable by ``z``, and by Tensors that are fixed."""
        return self.unflatten([self._leaf(i, z) for i in range(len(self.given))])

    def _leaf(self, i: int, z: Any) -> Any:
        array, free, part = self.arrays[i], self.free[i], self.slices[i]
        if part.stop == part.start:
            return self.given[i] if isinstance(self.given[i], Tensor) else array
        if part.stop - part.start == array.size:
            if len(self.given) == 1 and array.shape == (self.size,):
                return z if isinstance(z, Tensor) else np.array(z)
            return np.reshape(z[part], array.shape) if array.shape else z[part.start]
        base = self.given[i] if isinstance(self.given[i], Tensor) else array
        return index_update(base, free, z[part])

    def result(self, z: Any) -> Any:
        """The nesting for the user: each leaf in its own dtype."""
        leaves = flatten(self.tree(z))[0]
        return self.unflatten([_in_dtype(leaf, dtype) for leaf, dtype in zip(leaves, self.dtypes, strict=True)])

    def like(self, vector: Any) -> Any:
        """A vector as the nesting, zero where numbers are fixed: a gradient, say."""
        leaves = []
        for array, free, part in zip(self.arrays, self.free, self.slices, strict=True):
            leaf = np.zeros(array.shape)
            leaf[free] = vector[part]
            leaves.append(number(leaf))
        return self.unflatten(leaves)


def detached(tree: Any) -> Any:
    """A nesting with arrays in the place of its Tensors."""
    if branch_of(tree) is None:
        return value_of(tree)
    leaves, unflatten = flatten(tree)
    return unflatten([value_of(leaf) for leaf in leaves]) if any(isinstance(x, Tensor) for x in leaves) else tree


def _is_row_of_numbers(x0: Any) -> bool:
    return type(x0) in (list, tuple) and bool(x0) and all(isinstance(x, int | float | np.number) for x in x0)


def _as_double(leaf: Any, where: str) -> Array:
    """The numbers of a leaf, as a new array."""
    value = value_of(leaf)
    known = isinstance(value, np.ndarray | np.generic | int | float | complex)
    if not known and (isinstance(value, str) or not hasattr(value, "__array__")):
        raise TypeError(f"{where} is a {type(leaf).__name__}; give arrays and numbers, in any nesting")
    array = np.asarray(value)
    if array.dtype.kind == "c":
        raise TypeError(f"{where} is complex; vary its real and its imaginary part: {{'re': ..., 'im': ...}}")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{where} is an array of {array.dtype}; give floating-point numbers")
    return np.array(array, dtype=float)


def _dtype_of(leaf: Any) -> Any:
    dtype = getattr(value_of(leaf), "dtype", None)
    return dtype if dtype is not None and dtype.kind == "f" else np.dtype(float)


def _in_dtype(leaf: Any, dtype: Any) -> Any:
    if isinstance(leaf, Tensor):
        return leaf if leaf.dtype == dtype else leaf.astype(dtype)
    return number(np.asarray(leaf, dtype=dtype))
