"""Small parts of a text of C."""

from __future__ import annotations

from typing import Any

import numpy as np

from .elements import cast

OUTSIDE = -1
"""What the function returns if an index is out of bounds."""


def bracketed(text: str) -> str:
    """A number as an operand: a negative one in parentheses."""
    return f"({text})" if text.startswith("-") else text


def cast_expression(text: str, have: Any, want: Any) -> str:
    """A whole expression as another dtype."""
    return text if have == want else cast(f"({text})", have, want)


def is_uniform(array: Any) -> bool:
    """Whether all elements of a constant are the same bits."""
    return bool(array.size) and array.tobytes() == array.ravel()[:1].tobytes() * array.size


def is_counting(array: Any) -> bool:
    """Whether a constant is 0, 1, 2, ..."""
    return bool(array.ndim == 1 and array.dtype.kind in "iu" and np.array_equal(array, np.arange(array.size)))
