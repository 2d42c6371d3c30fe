"""All batching rules.  Importing this module fills their table; the first call that needs one does that."""

from . import axes, products, shapes
from .families import call

__all__ = ["axes", "call", "products", "shapes"]
