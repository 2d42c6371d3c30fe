"""``scipy.sparse``, differentiated: products and solutions by stored values, and sparse Jacobians.

``csr_array`` and ``coo_array`` take Tensors as stored values; ``matmul`` multiplies a sparse array of SciPy's and a
Tensor.
"""

from __future__ import annotations

from . import linalg as linalg
from .arrays import SparseArray, coo_array, csr_array, matmul

__all__ = ["SparseArray", "coo_array", "csr_array", "linalg", "matmul"]
