"""All rules for functions of many examples: importing this fills their table, which the first such call does."""

from . import axes, products, shapes
from .families import call

__all__ = ["axes", "call", "products", "shapes"]
