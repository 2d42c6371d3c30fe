"""The matrix product of NumPy's own BLAS, to be called from C: the address of its function, where that is known."""

from __future__ import annotations

import ctypes
import functools
import glob
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Blas(NamedTuple):
    """The addresses of ``cblas_sgemm`` and ``cblas_dgemm``, whose sizes are 64-bit integers."""

    single: int
    double: int


def is_for_blas(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether BLAS can be told how a matrix lies: the elements of a row, or of a column, side by side, and no others.

    The rows of a sliding window overlap.
    """
    (rows, columns), (down, along) = shape, strides
    return (rows == 1 or down >= columns) if along == 1 else down == 1 and (columns == 1 or along >= rows)


@functools.cache
def blas() -> Blas | None:
    """That of the OpenBLAS which NumPy's packages carry; None where there is no such one: then NumPy multiplies."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(np.__file__)))
    for path in sorted(glob.glob(os.path.join(root, "numpy.libs", "libscipy_openblas64_*"))):
        try:
            library = ctypes.CDLL(path)
            names = [f"scipy_cblas_{kind}gemm64_" for kind in "sd"]
            addresses = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in names]
        except (OSError, AttributeError):
            continue
        if all(addresses):
            return Blas(*map(int, filter(None, addresses)))
    return None
