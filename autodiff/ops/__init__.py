"""The table of operations, one file for each family.  Importing a file registers its functions."""

from ..collector import rarely
from ..dialects import absences
from ..tensor import Tensor

with rarely():  # what the table is made of stays, and the collector would walk through it again and again
    from . import (
        arranging,
        complexes,
        composite,
        contraction,
        convolution,
        cumulative,
        decompositions,
        elementwise,
        erf,
        fft,
        files,
        indexing,
        kinks,
        linalg,
        linear,
        linear_maps,
        norms,
        polynomials,
        pooling,
        products,
        recurrent,
        reduction,
        rounding,
        scimath,
        selection,
        shape,
        softmax,
        sorting,
        special,
        statistics,
        unfolding,
    )

__all__ = [
    "arranging",
    "complexes",
    "composite",
    "contraction",
    "convolution",
    "cumulative",
    "decompositions",
    "elementwise",
    "erf",
    "fft",
    "files",
    "indexing",
    "kinks",
    "linalg",
    "linear",
    "linear_maps",
    "norms",
    "polynomials",
    "pooling",
    "products",
    "recurrent",
    "reduction",
    "rounding",
    "scimath",
    "selection",
    "shape",
    "softmax",
    "sorting",
    "special",
    "statistics",
    "unfolding",
]

_known = frozenset(dir(Tensor))
for _absent in absences():
    if _absent.name not in _known:
        setattr(Tensor, _absent.name, _absent)
