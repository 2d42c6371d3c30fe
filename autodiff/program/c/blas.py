"""The matrix product of NumPy's own BLAS, to be called from C: the address of its function, where that is known."""

from __future__ import annotations

import ctypes
import functools
import glob
import os
from typing import NamedTuple

import numpy as np


class Blas(NamedTuple):
    """The addresses of ``cblas_sgemm`` and ``cblas_dgemm``, whose sizes are 64-bit integers."""

    single: int
    double: int


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
