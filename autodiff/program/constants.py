"""Constant arrays as expressions."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from .source import literal

LITERAL, LONGEST = 64, 96
"""Arrays of at most so many elements, and so many characters, are written as numbers."""


def array_text(array: np.ndarray[Any, Any]) -> str:
    """An array as an expression, to the last bit: by what makes it, by its numbers if they are few, or by its bytes."""
    native = array.dtype.kind in "fiub" and array.dtype.isnative and array.dtype.itemsize <= 8
    known = _made_by(array) if native and array.size else None
    if known is not None:
        return known
    if 0 < array.size <= LITERAL and native:
        name = "" if array.dtype.kind == "b" or array.dtype == np.float64 else f", dtype=np.{array.dtype.name}"
        text = f"np.array({literal(array.tolist())}{name})"
        if len(text) <= LONGEST:
            return text
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return f'np.frombuffer(base64.b64decode("{data}"), {array.dtype.str!r}).reshape({array.shape})'


def _made_by(array: np.ndarray[Any, Any]) -> str | None:
    """The call of NumPy's that makes it, if it is one of the usual ones."""
    shape = literal(array.shape[0] if array.ndim == 1 else array.shape)
    dtype = {"float64": "", "bool": ", dtype=bool"}.get(array.dtype.name, f", dtype=np.{array.dtype.name}")
    found = []
    if array.size > 1 and array.tobytes() == array.ravel()[:1].tobytes() * array.size:
        number = array.flat[0].item()
        found.append((np.full(array.shape, number, array.dtype), f"np.full({shape}, {literal(number)}{dtype})"))
    if array.ndim == 1 and array.size > 2 and array.dtype == np.intp:
        found.append((np.arange(array.size), f"np.arange({array.size})"))
    if array.ndim == 2 and array.size > 2:
        rows, columns = array.shape
        sizes = f"{rows}" if rows == columns else f"{rows}, {columns}"
        for make, name in ((np.eye, "np.eye"), (np.tri, "np.tri")):
            found.append((make(rows, columns, dtype=array.dtype), f"{name}({sizes}{dtype})"))
    return next((text for made, text in found if made.tobytes() == np.ascontiguousarray(array).tobytes()), None)
