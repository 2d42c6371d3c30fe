"""The table, one file a family.  Importing a file registers its functions."""

from .. import tensor as _tensor  # listens to the table: what is registered below becomes callable with Tensors
from . import complexes, composite, elementwise, fft, indexing, linear, reduction, shape

__all__ = ["complexes", "composite", "elementwise", "fft", "indexing", "linear", "reduction", "shape"]
_ = _tensor
