"""What the families of ``scipy.linalg`` share: calls without defaults, vectors as columns, triangles."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from ...arrays import cast, turned
from ...cotangents import unbroadcast
from ...primitive import registry
from ...registering import composite
from ..compiled import compiled, ndarrays_only

Array = Any
Shape = tuple[int, ...]

IN_STACKS = hasattr(linalg.cholesky, "__wrapped__")
"""Whether the installed SciPy computes stacks of matrices with all of its functions: not before 1.16."""


def sparing(
    function: Callable[..., Any], counts: Callable[..., Any] | None = None, *, known_form: bool = True
) -> Callable[..., Any]:
    """A function of SciPy's for all arrays of the engine, whose options are left out where they are the defaults.

    So a recorded program has the call as one writes it.  ``counts`` is that of :func:`.compiled`.  ``known_form`` says
    whether shapes and dtypes of the arguments decide those of the result.
    """
    call: Any = compiled(function, counts)
    call.has_known_form = known_form
    call.never_shares = True
    defaults = {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}

    @functools.wraps(function)
    def spare(*arrays: Any, **options: Any) -> Any:
        found = call(*arrays, **{name: value for name, value in options.items() if not _same(value, defaults[name])})
        return tuple(found) if type(found) is list else found  # of a stack SciPy makes a list

    return spare


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and value == default)


def every_row(a: Any, b: Array, *options: Any, **named: Any) -> Array:
    """How many elements of b each element of a solution depends on: those of its column."""
    total = np.sum(b, axis=-1 if b.ndim == 1 else -2, keepdims=True)
    stack = () if isinstance(a, tuple) else a.shape[:-2]
    return np.broadcast_to(total, np.broadcast_shapes((*stack, *b.shape[-min(b.ndim, 2) :]), b.shape))


def every_element(*args: Any, **named: Any) -> Array:
    """How many elements of the last array each element of a solution depends on: all of its matrix."""
    *others, last = [a for a in args if isinstance(a, np.ndarray)]
    stack = np.broadcast_shapes(last.shape[:-2], *[other.shape[:-2] for other in others])
    return np.broadcast_to(np.sum(last, axis=(-2, -1), keepdims=True), (*stack, *last.shape[-2:]))


def check_square(name: str, parameter: str, a: Any) -> None:
    """Raise unless this is a square matrix, or a stack of them."""
    shape = np.shape(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"{name}: {parameter} has shape {shape}, and must be a square matrix")
    if len(shape) > 2 and not IN_STACKS and name not in ("det", "expm"):
        raise ValueError(
            f"{name}: {parameter} has shape {shape}, and SciPy computes stacks since 1.16; use autodiff.vmap"
        )


def columns(v: Array, shape: Shape) -> Array:
    """Right sides as matrices: a vector, whose ``shape`` has one axis, is a matrix of one column."""
    return v[..., None] if len(shape) == 1 else v


def summed(v: Array, shape: Shape) -> Array:
    """The cotangent of right sides of this ``shape`` from that of the columns."""
    return unbroadcast(v[..., 0] if len(shape) == 1 else v, shape)


def outer(a: Array, b: Array) -> Array:
    """a b^T of matrices of few columns."""
    return a * turned(b) if a.shape[-1] == 1 else a @ turned(b)


def triangle(a: Array, lower: Any, without_diagonal: Any = False) -> Array:
    """The part of each matrix that a function reads, and zeros elsewhere."""
    return np.tril(a, -1 if without_diagonal else 0) if lower else np.triu(a, 1 if without_diagonal else 0)


def in_dtype(v: Array, dtype: Any) -> Array:
    """A cotangent in the dtype of its argument: some of SciPy's functions compute in double precision alone."""
    return cast(np.real(v) if v.dtype.kind == "c" and dtype.kind != "c" else v, dtype)


def for_lapack(a: Any) -> Array:
    """The array in a precision that LAPACK knows: half precision in single, extended in double, integers in double."""
    a = a if hasattr(a, "dtype") else np.asarray(a)
    if a.dtype.char in "fdFD":
        return a
    double = np.complex128 if a.dtype.kind == "c" else np.float64
    return cast(a, np.dtype(np.float32 if a.dtype.char == "e" else double))


def unit(like: Array, *shape: int) -> Array:
    """A matrix with ones on its diagonal, in the precision of another."""
    return np.eye(*shape, dtype=like.dtype)


def composed(function: Callable[..., Any], examples: Any, errors: Any = ()) -> Any:
    """Enter a function of ours, which is written with others, in the table; the callable of its entry."""
    composite(function, examples=examples, errors=errors)(function)
    ndarrays_only.add(function)
    return registry[function].call
