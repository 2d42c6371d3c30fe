"""Computation graphs that can be read, at ten nodes and at a hundred thousand.

>>> from autodiff import Tensor
>>> from autodiff.draw import draw
>>> x = Tensor(3.0)
>>> print(draw(x * x))
graph
  1 operation, 1 variable with 1 elements, longest path 1
x   variable        () float64
%1  multiply(x, x)  () float64
"""

from .drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
