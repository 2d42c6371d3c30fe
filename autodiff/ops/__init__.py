"""The table, one file a family.  Importing a file registers its functions."""

from .. import recording as recording  # first: it turns each entry into what is called
from ..dialects import absences
from ..tensor import Tensor
from . import (
    arranging,
    complexes,
    composite,
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
    norms,
    polynomials,
    products,
    reduction,
    rounding,
    scimath,
    selection,
    shape,
    softmax,
    sorting,
    special,
    statistics,
)

__all__ = [
    "arranging",
    "complexes",
    "composite",
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
    "norms",
    "polynomials",
    "products",
    "reduction",
    "rounding",
    "scimath",
    "selection",
    "shape",
    "softmax",
    "sorting",
    "special",
    "statistics",
]

for _absent in absences():
    if not hasattr(Tensor, _absent.name):
        setattr(Tensor, _absent.name, _absent)
