"""Sparse arrays whose stored values are Tensors: what ``scipy.sparse.csr_array`` is for plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ...ops.update import index_add
from ...program.recorded import Recorded
from ...tree import register_container

Array = Any


class SparseArray:
    """A sparse array by rows whose stored values, ``data``, are a Tensor.

    ``indices`` are the columns of the stored values, and those of row i are at ``indptr[i]:indptr[i + 1]``, as in
    ``scipy.sparse.csr_array``.  A transform takes it as a container of its ``data``.
    """

    __array_ufunc__ = None  # array @ sparse asks the sparse one

    def __init__(self, data: Any, indices: Array, indptr: Array, shape: tuple[int, int]) -> None:
        self.data, self.indices, self.indptr, self.shape = data, indices, indptr, shape
        self.pattern = {(indices.tobytes(), indptr.tobytes()): None}
        """What two arrays have in common that one program fits, as :func:`.nesting_of` compares nestings."""

    def toarray(self) -> Any:
        """The dense array, with zeros where nothing is stored."""
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        places = rows * self.shape[1] + self.indices
        flat = np.zeros_like(self.data, shape=(self.shape[0] * self.shape[1],))
        return np.reshape(index_add(flat, places, self.data), self.shape)


def assembled(data: Any, indices: Array, indptr: Array, shape: tuple[int, int]) -> Any:
    """A sparse array by rows of these stored values: SciPy's, if they are plain numbers."""
    if type(data) is not Recorded and isinstance(data, np.ndarray):
        return sparse.csr_array((data, indices.copy(), indptr.copy()), shape=shape)
    return SparseArray(data, indices, indptr, shape)


def _split(a: Any) -> tuple[list[Any], Any]:
    """The stored values, and the array of other ones."""
    indices, indptr, shape = a.indices, a.indptr, a.shape
    return [a.data], lambda children: assembled(children[0], indices, indptr, shape)


for kind in (SparseArray, sparse.csr_array, sparse.csr_matrix):
    register_container(kind, _split)
