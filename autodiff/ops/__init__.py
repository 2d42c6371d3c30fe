"""The table, one file a family.  Importing a file registers its functions."""

from . import composite, elementwise, indexing, linear, reduction, shape

__all__ = ["composite", "elementwise", "indexing", "linear", "reduction", "shape"]
