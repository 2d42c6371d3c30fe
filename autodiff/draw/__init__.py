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
from types import ModuleType

from .drawing import Drawing
from .function import draw

__all__ = ["Drawing", "draw"]


class Draw(ModuleType):
    """The class of this package, which is also the function: an import sets the parent's attribute "draw"."""

    Drawing = Drawing
    draw = staticmethod(draw)
    __call__ = staticmethod(draw)


sys.modules[__name__].__class__ = Draw
