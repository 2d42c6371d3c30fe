"""The table, one file a family.  Importing a file registers its functions."""

from ..tensor import Tensor as Tensor  # first: it turns each entry into what is called
from . import complexes, composite, elementwise, indexing, linear, reduction, shape

__all__ = ["complexes", "composite", "elementwise", "indexing", "linear", "reduction", "shape"]
