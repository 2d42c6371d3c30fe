"""Dtypes: those of the program, in JAX."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ..instruction import Value


def canonical(value: Any) -> Any:
    """The dtype that JAX has for a value: without its option for 64 bits, of half the size."""
    return jax.dtypes.canonicalize_dtype(value.dtype)


def is_double(value: Value) -> bool:
    """Whether it is an array of double precision; Python's numbers are of any."""
    return value.kind not in (float, complex) and value.dtype in (np.float64, np.complex128)
