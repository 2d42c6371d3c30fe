"""Checks of operands beside a Tensor, and of the owner of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .examples import Examples, every
from .graph import Node
from .primitive import Primitive
from .protocol import foreign, has_own_rules

NUMPYS_OWN = frozenset({np.ndarray, *(np.dtype(code).type for code in "?bhilqefdgFDG")})
"""The types of results that need no second look."""


def _speaks(y: Any) -> bool:
    """Whether the result of an operation is an array that NumPy's functions accept."""
    return isinstance(y, np.generic) or hasattr(y, "__array_function__")


CONSTANTS = NUMPYS_OWN | {int, float, complex, bool}
"""The types of constants that need no second look before they meet a Tensor."""


class SparseError(TypeError):
    """A sparse array beside a Tensor, in an operation that is none of its own."""


beside: dict[str, Callable[[Any, Any], Any]] = {}
"""What multiplies a sparse array and a dense one, "matmul": set by the package itself, as that needs SciPy."""


def is_sparse(value: Any) -> bool:
    """Whether this is a sparse array or matrix."""
    return hasattr(type(value), "toarray")


def checked(primitive: Primitive, parameter: str, constant: Any) -> Any:
    """The constant, an array if it is a list of numbers; TypeError for one with operations of its own."""
    if type(constant) is list or type(constant) is tuple:
        return array_of_list(constant)
    odd = foreign(constant)
    if odd is not None:
        kind = SparseError if is_sparse(constant) else TypeError
        raise kind(f"{primitive.name}: {parameter} is {odd}")
    return constant.view(np.ndarray) if isinstance(constant, np.memmap) else constant


def array_of_list(numbers: Any) -> Any:
    """The array of a list of numbers, as rules compute with arrays; what is none is left to the operation to refuse."""
    try:
        array = np.asarray(numbers)
    except ValueError:  # no rectangle
        return numbers
    return array if array.dtype.kind in "biufc" else numbers


def admitted(primitive: Primitive, values: tuple[Any, Any], y: Any) -> Any:
    """A result of NumPy's type; refused if another argument made it an object with operations of its own."""
    if issubclass(type(y), Examples):
        return y
    if type(y) is complex:  # what Python makes of 1j * a double
        return np.complex128(y)
    if isinstance(y, float) or has_own_rules(y) or not _speaks(y):
        odd = next((v for v in values if type(v) not in NUMPYS_OWN), y)
        raise TypeError(
            f"{primitive.name}: an argument is a {type(odd).__name__}, which has rules of its own; "
            "pass np.asarray(x, dtype=float), and np.where for masks"
        )
    return y


def owned(value: Any, node: Node) -> bool:
    """Whether an argument is an array that the user may hold: a constant, that of a variable, a view."""
    array = every(value)
    return isinstance(array, np.ndarray) and (node.primitive is None or array.base is not None)
