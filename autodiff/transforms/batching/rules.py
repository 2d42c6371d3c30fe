"""All batching rules.  The first ``vmap`` imports this module; ``import autodiff`` does not."""

from __future__ import annotations

from . import axes, families, indices, products, shapes, ufuncs
from .array import Level, answers

__all__ = ["axes", "begin", "products", "shapes"]  # modules too: importing them fills the table of families

answers.get, answers.put = indices.get, indices.put
answers.ufunc, answers.function = ufuncs.call, families.call


def begin(size: int) -> Level:
    """A new mapping over so many examples.  Every one begins here, so none is without rules."""
    return Level(size)
