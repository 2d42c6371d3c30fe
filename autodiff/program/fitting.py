"""Whether arrays are of the shapes and dtypes that a program was captured for, asked by one expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .instruction import Value

MANY = 64
"""Arguments; for more it is not worth a text of its own."""


def quick_look(inputs: Sequence[Value]) -> Callable[[tuple[Any, ...]], bool]:
    """A function that is True for arguments that surely fit, one array for each input.

    What it is not sure of, as of a subclass or of another object for the same dtype, has to be looked at closely.

    >>> fits = quick_look([Value((3,), np.dtype(np.float64), np.ndarray)])
    >>> fits((np.ones(3),)), fits((np.ones(4),)), fits((2.0,)), fits(())
    (True, False, False, False)
    """
    if len(inputs) > MANY or any(value.kind is not np.ndarray for value in inputs):
        return lambda args: False
    known: dict[str, Any] = {"ndarray": np.ndarray}
    conditions = [f"len(args) == {len(inputs)}"]
    for n, value in enumerate(inputs):
        known[f"d{n}"] = value.dtype
        conditions.append(f"type(args[{n}]) is ndarray and args[{n}].shape == {tuple(map(int, value.shape))}")
        conditions.append(f"args[{n}].dtype is d{n}")
    found: Callable[[tuple[Any, ...]], bool] = eval(f"lambda args: {' and '.join(conditions)}", known)
    return found
