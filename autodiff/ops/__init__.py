"""The table, one file a family.  Importing a file registers its functions."""

from .. import recording as recording  # first: it turns each entry into what is called
from . import arranging, complexes, composite, cumulative, decompositions, elementwise, fft, indexing, linalg, linear, norms, polynomials, products, reduction, rounding, selection, shape, sorting, special, statistics

__all__ = [
    "arranging",
    "complexes",
    "composite",
    "cumulative",
    "decompositions",
    "elementwise",
    "fft",
    "indexing",
    "linalg",
    "linear",
    "norms",
    "polynomials",
    "products",
    "reduction",
    "rounding",
    "selection",
    "shape",
    "sorting",
    "special",
    "statistics",
]
