"""NumPy's choice of the dtypes in which a ufunc computes: other libraries have other rules."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .instruction import Value
from .lowering import UFUNCS

_PYTHONS = (int, float, complex)
OPERATORS: dict[Any, np.ufunc] = UFUNCS | {
    operator.pow: np.power, operator.lshift: np.left_shift, operator.rshift: np.right_shift,
}  # fmt: skip
"""The ufunc of an operator."""
IN_PLACE: dict[Any, np.ufunc] = {
    getattr(operator, f"i{function.__name__.strip('_')}"): ufunc
    for function, ufunc in OPERATORS.items()
    if hasattr(operator, f"i{function.__name__.strip('_')}")
}
"""The ufunc of an operator that writes into its left side."""


def kind_of(argument: Any) -> Any:
    """What NumPy looks at to choose a loop: the dtype, or the type of one of Python's numbers."""
    kind = argument.kind if type(argument) is Value else type(argument)
    if kind in _PYTHONS:
        return kind
    if kind is bool:
        return np.dtype(bool)
    return argument.dtype if hasattr(argument, "dtype") else np.asarray(argument).dtype


def loop_of(ufunc: np.ufunc, kinds: tuple[Any, ...], dtype: Any = None) -> tuple[Any, ...]:
    """The dtypes of the operands and of the results in the loop that NumPy takes."""
    wanted = (*kinds, *[None] * ufunc.nout)
    if dtype is None:
        return ufunc.resolve_dtypes(wanted)
    signature = (None,) * ufunc.nin + (np.dtype(dtype),) * ufunc.nout
    return ufunc.resolve_dtypes(wanted, signature=signature, casting="unsafe")
