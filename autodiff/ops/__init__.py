"""The table, one file a family.  Importing a file registers its functions."""

from .. import tensor as _tensor  # noqa: F401, I001  (first: it listens, and turns each entry into what is called)
from . import composite, elementwise, indexing, linear, reduction, shape

__all__ = ["composite", "elementwise", "indexing", "linear", "reduction", "shape"]
