"""Values as Python expressions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor


def written(value: Any) -> str:
    """A value as a Python expression, with arrays as ``np.array([...])`` in short decimals.

    >>> written(np.array([0.5, np.inf], np.float32)), written((0, None, np.array([True])))
    ('np.array([0.5, np.inf], np.float32)', '(0, None, np.array([True]))')
    """
    value = value._value if isinstance(value, Tensor) else value
    if isinstance(value, np.ndarray):
        usual = value.dtype in (np.float64, np.complex128, np.bool_, np.intp)
        kind = "" if usual else f", np.{value.dtype.name}"
        if value.size == 0:
            return f"np.zeros({value.shape}{f', np.{value.dtype.name}' if value.dtype != np.float64 else ''})"
        return f"np.array({_decimal(value)}{kind})"
    if isinstance(value, np.generic):  # a number in another precision is one of NumPy's, with a type of its own
        usual = value.dtype in (np.float64, np.complex128, np.bool_, np.intp)
        return written(value.item()) if usual else f"np.{value.dtype.name}({_decimal(np.asarray(value))})"
    if isinstance(value, type):
        return f"np.{value.__name__}" if issubclass(value, np.generic) else value.__name__
    if isinstance(value, np.dtype):
        return f"np.dtype({value.str!r})"
    if isinstance(value, np.ufunc) and getattr(np, name := getattr(value, "__name__", ""), None) is value:
        return f"np.{name}"
    if isinstance(value, float | complex):
        return _number(value)
    if type(value) is list:
        return "[" + ", ".join(map(written, value)) + "]"
    if type(value) is tuple:
        return "(" + ", ".join(map(written, value)) + ("," if len(value) == 1 else "") + ")"
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {written(v)}" for key, v in value.items()) + "}"
    return repr(value)


def _decimal(array: Any) -> str:
    """The elements, each with the fewest digits that identify it in its own precision."""
    if array.ndim:
        return "[" + ", ".join(_decimal(np.asarray(row)) for row in array) + "]"
    return _number(array[()]) if array.dtype.kind in "fc" else repr(array.item())


def _number(value: Any) -> str:
    """A float or a complex number of Python or NumPy; ``inf`` and ``nan`` are written as NumPy's names.

    >>> _number(-np.inf), _number(np.float32(0.1)), _number(complex(0.5, np.nan))
    ('-np.inf', '0.1', 'complex(0.5, np.nan)')
    """
    if not np.isfinite(value) and isinstance(value, complex | np.complexfloating):
        return f"complex({_number(value.real)}, {_number(value.imag)})"
    if np.isfinite(value):
        return str(value)
    return "np.nan" if np.isnan(value) else "np.inf" if value > 0 else "-np.inf"


def written_index(index: Any) -> str:
    """The text between brackets: ``0, ::2`` for ``(0, slice(None, None, 2))``."""
    if isinstance(index, tuple):
        return ", ".join(map(_written_part, index)) + ("," if len(index) == 1 else "") if index else "()"
    return _written_part(index)


def _written_part(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if n is None else str(n) for n in (part.start, part.stop, part.step)]
        return ":".join(ends if part.step is not None else ends[:2])
    return "..." if part is Ellipsis else written(part)
