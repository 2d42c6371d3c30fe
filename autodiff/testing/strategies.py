"""Hypothesis strategies: arrays, axes, indices, layouts, the arguments of any entry of the table, and whole programs.

Values are short decimals.  So a failure is easy to read, and shrinks to numbers that you can check by hand.

>>> from hypothesis import find
>>> from autodiff.testing.strategies import tensors
>>> find(tensors(shape=(2,)), lambda x: True).tolist()
[0.0, 0.0]
"""

from .property import check_entry, gradient_property
from .random.arrays import LAYOUTS, axes, decimals, dtypes, indices, shapes, tensors
from .random.calls import Call, arguments, entries
from .random.program import Program
from .random.programs import programs
from .table.samples import entry_of

__all__ = [
    "LAYOUTS",
    "Call",
    "Program",
    "arguments",
    "axes",
    "check_entry",
    "decimals",
    "dtypes",
    "entries",
    "entry_of",
    "gradient_property",
    "indices",
    "programs",
    "shapes",
    "tensors",
]
