"""The yardstick of scalar graphs: automatic differentiation of numbers in plain Python, in one class.

Each operation remembers its arguments and its derivatives by them; one walk, children first, multiplies and adds.
"""

from __future__ import annotations

import math
from typing import Any


class Value:
    """A number that remembers how it was made.

    >>> x = Value(3.0)
    >>> (x * x + x).backward()
    >>> x.grad
    7.0
    """

    __slots__ = ("data", "grad", "parents", "slopes")

    def __init__(self, data: float, parents: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes

    def __add__(self, other: Any) -> Value:
        other = other if type(other) is Value else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Value:
        other = other if type(other) is Value else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power: float) -> Value:
        return Value(self.data**power, (self,), (power * self.data ** (power - 1.0),))

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Any) -> Value:
        return self + -other

    __radd__, __rmul__ = __add__, __mul__

    def exp(self) -> Value:
        """e to this number."""
        y = math.exp(self.data)
        return Value(y, (self,), (y,))

    def log(self) -> Value:
        """The natural logarithm."""
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self) -> Value:
        """max(x, 0)."""
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0.0),))

    def item(self) -> float:
        """The number without its history."""
        return self.data

    def order(self) -> list[Value]:
        """Every number that this one was made of, parents first, without recursion."""
        found: list[Value] = []
        seen = set()
        stack: list[Any] = [self]
        while stack:
            node = stack.pop()
            if node is None:  # all that it needs has been found
                found.append(stack.pop())
            elif node not in seen:
                seen.add(node)
                stack += (node, None)
                stack += node.parents
        return found

    def backward(self) -> None:
        """Add to the ``grad`` of every number the derivative of this one by it."""
        self.grad = 1.0
        for node in reversed(self.order()):
            g = node.grad
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += g * slope
