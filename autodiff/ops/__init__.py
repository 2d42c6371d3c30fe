"""The table, one file a family.  Importing a file registers its functions."""

from .. import recording as recording  # first: it turns each entry into what is called
from . import complexes, composite, cumulative, decompositions, elementwise, fft, indexing, linalg, linear, norms, reduction, shape, sorting

__all__ = [
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
    "reduction",
    "shape",
    "sorting",
]
