"""Computation graphs that can be read, at ten nodes and at a hundred thousand.

The module is callable: ``autodiff.draw`` is the package of this name, and the function.

>>> import autodiff.draw
>>> from autodiff import Tensor
>>> x = Tensor(3.0)
>>> print(autodiff.draw(x * x))
graph
  1 operation, 1 variable with 1 element, longest path 1
x   variable        () float64
%1  multiply(x, x)  () float64
"""

import sys

from . import module
from .drawing import Drawing
from .function import draw

__all__ = ["Drawing", "draw"]

sys.modules[__name__].__class__ = module.Draw
