"""Pictures of computation graphs, readable with ten nodes and with a hundred thousand.

``autodiff.draw`` is this package and also the function ``draw``: the package is callable.

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
