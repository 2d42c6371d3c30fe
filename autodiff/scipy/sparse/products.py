"""Products with sparse arrays, and solutions of sparse equations, as functions of the stored values too.

A sparse array is its stored values, their columns, and where each row ends: plain arrays, which are recorded and mapped
as any others.  The cotangents are such products and solutions themselves, and gathers, so there is any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from ...primitive import Primitive
from ...recording import callable_of
from ...transforms.batching import Batched, is_of
from ...transforms.batching.families import handles
from ...transforms.batching.loop import ByExampleError

Array = Any
Function = Callable[..., Any]


def _operation(function: Function, name: str, by_values: Function, by_dense: Function) -> Any:
    """An operation whose first two arguments have a derivative."""
    parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
    rules: dict[str, Function | None] = dict(zip(parameters, (by_values, by_dense), strict=False))
    entry = Primitive(function, function, rules, name=name, parameters=parameters)
    entry.call = callable_of(entry)
    function.has_known_form = True  # type: ignore[attr-defined]
    return entry.call


def _answered(function: Function, data: Array, dense: Array, *rest: Any) -> Any:
    """The answer of an argument that computes by NumPy's protocol (recorded, of many examples), or None."""
    for argument in (data, dense):
        kind = type(argument)
        if kind is not np.ndarray and hasattr(kind, "__array_function__"):
            return argument.__array_function__(function, (kind,), (data, dense, *rest), {})
    return None


def rows_of(indptr: Array) -> Array:
    """The row of each stored value."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _pairs(left: Array, right: Array, indices: Array, indptr: Array, transposed: bool) -> Array:
    """left_i right_j for each stored value, summed over columns."""
    here, there = (indices, rows_of(indptr)) if transposed else (rows_of(indptr), indices)
    products = np.take(left, here, axis=0) * np.take(right, there, axis=0)
    return products if len(right.shape) == 1 else np.sum(products, axis=-1)


def _spelled(data: str, x: str, indices: str, indptr: str, shape: str, transposed: str) -> str:
    turned = ".T" if transposed == "True" else ""
    return f"(scipy.sparse.csr_array(({data}, {indices}, {indptr}), shape={shape}){turned} @ ({x}))"


def multiplied(data: Array, x: Array, indices: Array, indptr: Array, shape: tuple[int, int], transposed: bool) -> Array:
    """A x, or Aᵀ x, for A = csr_array((data, indices, indptr), shape) and a vector or a matrix x."""
    answer = _answered(multiplied, data, x, indices, indptr, shape, transposed)
    if answer is not None:
        return answer
    matrix = sparse.csr_array((data, indices, indptr), shape=shape)
    return (matrix.T if transposed else matrix) @ x


multiplied.spelled = ("scipy.sparse", _spelled)  # type: ignore[attr-defined]  # in the text of a program


product: Function = _operation(
    multiplied,
    "sparse_matmul",
    lambda g, x, indices, indptr, transposed: _pairs(g, x, indices, indptr, transposed),
    lambda g, data, indices, indptr, shape, transposed: product(data, g, indices, indptr, shape, not transposed),
)


class Factors:
    """The last factors of a matrix: the backward pass solves with those of the forward pass."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self._last: tuple[Array, Any] | None = None

    def __eq__(self, other: object) -> bool:
        return type(other) is Factors  # it decides nothing

    def __repr__(self) -> str:
        return "Factors()"

    def of(self, data: Array, indices: Array, indptr: Array) -> Any:
        """The factors of Aᵀ, which has by columns what A has by rows."""
        last = self._last
        if last is not None and last[0].dtype == data.dtype and np.array_equal(last[0], data):
            return last[1]
        size = len(indptr) - 1
        values = data if data.dtype.char in "fdFD" else data.astype(float)
        try:
            factors = splu(sparse.csc_array((values, indices, indptr), shape=(size, size)))
        except RuntimeError as error:
            raise np.linalg.LinAlgError(
                f"spsolve: {error} (shape {(size, size)}); add a multiple of eye_array, or use least squares"
            ) from None
        self._last = np.array(data), factors
        return factors


def solved(data: Array, b: Array, indices: Array, indptr: Array, factors: Factors, transposed: bool) -> Array:
    """The solution x of A x = b, or of Aᵀ x = b."""
    answer = _answered(solved, data, b, indices, indptr, factors, transposed)
    if answer is not None:
        return answer
    dtype = np.result_type(data, b)
    if not b.size:
        return np.zeros(b.shape, dtype)
    known, how = factors.of(data, indices, indptr), "N" if transposed else "T"
    if dtype.kind == "c" and data.dtype.kind != "c":
        real, imaginary = (np.ascontiguousarray(part, data.dtype) for part in (b.real, b.imag))
        return (known.solve(real, how) + 1j * known.solve(imaginary, how)).astype(dtype)
    if data.dtype.kind not in "fc":
        data = data.astype(float)
    return known.solve(np.ascontiguousarray(b, data.dtype), how).astype(dtype)


solution: Function = _operation(
    solved,
    "sparse_solve",
    lambda g, data, y, indices, indptr, factors, transposed: (
        -_pairs(solution(data, g, indices, indptr, factors, not transposed), y, indices, indptr, transposed)
    ),
    lambda g, data, indices, indptr, factors, transposed: solution(data, g, indices, indptr, factors, not transposed),
)


@handles(multiplied, solved)
def _of_all(function: Function, data: Array, x: Array, *rest: Any) -> Array:
    """Examples of vectors are the columns of a matrix."""
    if type(x) is not Batched or x.ndim != 1 or is_of(data, x.level):
        raise ByExampleError
    return Batched(np.transpose(function(data, np.transpose(x.held), *rest)), x.level)
