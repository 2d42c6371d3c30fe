"""Sparse arrays whose stored values are Tensors: what ``scipy.sparse.csr_array`` is for plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ...ops.update import index_add
from ...program.recorded import CaptureError, Recorded
from ...tensor import Tensor
from ...tree import register_container
from .products import product, rows_of

Array = Any


class SparseArray:
    """A sparse array by rows whose stored values, ``data``, are a Tensor.

    ``indices`` are the columns of the stored values, and those of row i are at ``indptr[i]:indptr[i + 1]``, as in
    ``scipy.sparse.csr_array``.  ``A @ x``, ``x @ A``, ``A.T``, products and quotients with numbers, ``toarray``,
    ``sum`` and ``diagonal`` have derivatives by the stored values.  A transform takes it as a container of ``data``.

    >>> from autodiff import grad
    >>> from autodiff.scipy import sparse
    >>> def total(values):
    ...     A = sparse.coo_array((values, ([0, 1], [1, 0])), shape=(2, 2))
    ...     return np.sum(A @ np.array([3.0, 4.0]))
    >>> grad(total)(np.array([1.0, 2.0])).tolist()
    [4.0, 3.0]
    """

    __array_ufunc__ = None  # array @ sparse asks the sparse one
    ndim = 2

    def __init__(self, data: Any, indices: Array, indptr: Array, shape: tuple[int, int]) -> None:
        self.data, self.indices, self.indptr, self.shape = data, indices, indptr, shape
        self.pattern = {(indices.tobytes(), indptr.tobytes()): None}
        """What two arrays have in common that one program fits, as nestings are compared."""

    def __repr__(self) -> str:
        return f"<SparseArray of {self.dtype}, shape {self.shape}, {self.nnz} stored>"

    @property
    def dtype(self) -> Any:
        """The type of the stored values."""
        return self.data.dtype

    @property
    def nnz(self) -> int:
        """How many values are stored."""
        return len(self.indices)

    @property
    def T(self) -> SparseArray:  # noqa: N802
        """The transpose."""
        order = np.argsort(self.indices, kind="stable")
        ends = np.searchsorted(self.indices[order], np.arange(self.shape[1] + 1))
        return SparseArray(self.data[order], rows_of(self.indptr)[order], ends, self.shape[::-1])

    def _with(self, data: Any) -> SparseArray:
        return SparseArray(data, self.indices, self.indptr, self.shape)

    def toarray(self) -> Any:
        """The dense array, with zeros where nothing is stored."""
        places = rows_of(self.indptr) * self.shape[1] + self.indices
        return np.reshape(self._added(places, self.data, self.shape[0] * self.shape[1]), self.shape)

    def _added(self, places: Array, values: Any, size: int) -> Any:
        return index_add(np.zeros_like(self.data, shape=(size,)), places, values)

    def sum(self, axis: int | None = None) -> Any:
        """The sum of all elements, or along an axis."""
        if axis is None:
            return np.sum(self.data)
        if axis not in (0, 1, -1, -2):
            raise ValueError(f"sum: axis {axis} of a sparse array with two")
        along = axis % 2
        return self._added(self.indices if along == 0 else rows_of(self.indptr), self.data, self.shape[1 - along])

    def diagonal(self, k: int = 0) -> Any:
        """The elements (i, i + k)."""
        rows, first = rows_of(self.indptr), max(0, -k)
        chosen = np.flatnonzero(self.indices - rows == k)
        size = max(0, min(self.shape[0] - first, self.shape[1] - max(0, k)))
        return self._added(rows[chosen] - first, self.data[chosen], size)

    def __matmul__(self, x: Any) -> Any:
        return matmul(self, x)

    def __rmatmul__(self, x: Any) -> Any:
        return matmul(x, self)

    def __neg__(self) -> SparseArray:
        return self._with(-self.data)

    def __mul__(self, factor: Any) -> SparseArray:
        """A number times each element, or a dense array of the same shape, element by element."""
        shape = np.shape(factor)
        if not shape:
            return self._with(self.data * factor)
        if np.broadcast_shapes(shape, self.shape) != self.shape:
            raise ValueError(f"multiply: a factor of shape {shape} does not fit a sparse array of shape {self.shape}")
        return self._with(self.data * np.broadcast_to(factor, self.shape)[rows_of(self.indptr), self.indices])

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> SparseArray:
        if np.shape(divisor):
            raise ValueError("divide: a sparse array is divided by a number; write A.toarray() / x")
        return self._with(self.data / divisor)


def is_sparse(value: Any) -> bool:
    """Whether it is a sparse array, SciPy's or one of Tensors."""
    return isinstance(value, SparseArray) or bool(sparse.issparse(value))


def _by_rows(who: str, a: Any) -> Any:
    """The array by rows; one whose stored values are being recorded is rearranged as numbers are."""
    if a.format == "csr" or type(getattr(a, "data", None)) is not Recorded:
        return a.tocsr()
    if a.format not in ("csc", "coo"):
        raise CaptureError(f"{who}: a {type(a).__name__} cannot be recorded; write A = A.tocsr() before it is captured")
    numbers = np.arange(1, a.data.shape[0] + 1)
    if a.format == "csc":
        numbered = sparse.csc_array((numbers, a.indices, a.indptr), shape=a.shape).tocsr()
    else:
        numbered = sparse.coo_array((numbers, a.coords), shape=a.shape).tocsr()
        if numbered.nnz < len(numbers):
            raise CaptureError(f"{who}: values stored twice cannot be recorded; write A.sum_duplicates() before")
    return SparseArray(a.data[numbered.data - 1], numbered.indices, numbered.indptr, a.shape)


def parts_of(who: str, a: Any) -> tuple[Any, Array, Array, tuple[int, int]]:
    """Stored values, columns, ends of rows and shape of any sparse array with two axes."""
    if sparse.issparse(a):
        if len(a.shape) != 2:
            raise ValueError(f"{who}: a sparse array has two axes here, got shape {a.shape}; write A.reshape(1, -1)")
        a = _by_rows(who, a)
    elif not isinstance(a, SparseArray):
        raise TypeError(f"{who}: needs a sparse array, got a {type(a).__name__}; write scipy.sparse.csr_array(A)")
    return a.data, a.indices, a.indptr, a.shape


def matmul(a: Any, b: Any) -> Any:
    """The product ``a @ b`` of a sparse array of any format and a dense one, by the sparse array's stored values too.

    The dense one is a vector or a matrix.  Raises ValueError for shapes that do not fit.

    >>> from scipy.sparse import csr_array
    >>> from autodiff import grad
    >>> A = csr_array(np.array([[0.0, 2.0], [1.0, 0.0]]))
    >>> grad(lambda x: np.sum(matmul(A, x) ** 2))(np.ones(2)).tolist()
    [2.0, 8.0]
    """
    if is_sparse(a) == is_sparse(b):
        raise TypeError(
            "matmul: one of the two is sparse and the other dense; for two sparse arrays of plain numbers write A @ B, "
            "for Tensors A @ B.toarray()"
        )
    matrix, x = (a, b) if is_sparse(a) else (b, a)
    data, indices, indptr, shape = parts_of("matmul", matrix)
    x = x if hasattr(x, "__array_function__") else np.asarray(x)
    before = np.shape(x)
    length, at = (shape[1], 0) if matrix is a else (shape[0], -1)
    if len(before) not in (1, 2) or before[at] != length:
        shapes = (shape, before) if matrix is a else (before, shape)
        raise ValueError(f"matmul: shapes {shapes[0]} and {shapes[1]} do not fit; a vector or a matrix is multiplied")
    if matrix is a:
        return product(data, x, indices, indptr, shape, False)
    found = product(data, x if len(before) == 1 else np.transpose(x), indices, indptr, shape, True)
    return found if len(before) == 1 else np.transpose(found)


def assembled(data: Any, indices: Array, indptr: Array, shape: tuple[int, int]) -> Any:
    """A sparse array by rows of these stored values: SciPy's, if they are plain numbers."""
    if type(data) is not Recorded and isinstance(data, np.ndarray):
        return sparse.csr_array((data, indices.copy(), indptr.copy()), shape=shape)
    return SparseArray(data, indices, indptr, shape)


def csr_array(arg: Any, shape: tuple[int, int] | None = None) -> Any:
    """``scipy.sparse.csr_array``; of ``(data, indices, indptr)`` or ``(data, (row, col))`` whose data may be a Tensor.

    Of plain arrays it is SciPy's own, of a Tensor a :class:`SparseArray`.  Values that are stored twice are added.
    """
    if not isinstance(arg, tuple) or not isinstance(arg[0], Tensor):
        return sparse.csr_array(arg, shape=shape)
    data, ones = arg[0], np.ones(np.shape(arg[0]))
    form: Any
    if len(arg) == 3:
        form = sparse.csr_array((ones, *arg[1:]), shape=shape)
        form.check_format(full_check=True)
        rows, columns = rows_of(form.indptr), form.indices
    else:
        form = sparse.coo_array((ones, arg[1]), shape=shape)
        rows, columns = form.coords
    height, width = form.shape
    places, back = np.unique(rows.astype(np.intp) * width + columns, return_inverse=True)
    in_order = np.array_equal(back, np.arange(len(back)))
    values = data if in_order else index_add(np.zeros_like(data, shape=(len(places),)), back, data)
    ends = np.searchsorted(places, np.arange(height + 1) * width)
    return SparseArray(values, places % max(width, 1), ends, (height, width))


def coo_array(arg: Any, shape: tuple[int, int] | None = None) -> Any:
    """``scipy.sparse.coo_array``; of ``(data, (row, col))`` whose data may be a Tensor: see :func:`csr_array`."""
    if isinstance(arg, tuple) and isinstance(arg[0], Tensor):
        return csr_array(arg, shape)
    return sparse.coo_array(arg, shape=shape)


def _split(a: Any) -> tuple[list[Any], Any]:
    """The stored values, and the array of other ones."""
    indices, indptr, shape = a.indices, a.indptr, a.shape
    return [a.data], lambda children: assembled(children[0], indices, indptr, shape)


for kind in (SparseArray, sparse.csr_array, sparse.csr_matrix):
    register_container(kind, _split)
