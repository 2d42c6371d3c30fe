"""The scalar graphs in CasADi: an expression of symbols, its gradient, and CasADi's virtual machine for both."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


class Symbol:
    """An expression of CasADi with the methods of a number that the benchmarks use."""

    def __init__(self, expression: Any) -> None:
        self.data = expression

    def __add__(self, other: Any) -> Symbol:
        return Symbol(self.data + _data(other))

    def __mul__(self, other: Any) -> Symbol:
        return Symbol(self.data * _data(other))

    def __sub__(self, other: Any) -> Symbol:
        return Symbol(self.data - _data(other))

    def __neg__(self) -> Symbol:
        return Symbol(-self.data)

    def __pow__(self, power: float) -> Symbol:
        return Symbol(self.data**power)

    __radd__, __rmul__ = __add__, __mul__

    def exp(self) -> Symbol:
        """e to this number."""
        from casadi import exp

        return Symbol(exp(self.data))

    def log(self) -> Symbol:
        """The natural logarithm."""
        from casadi import log

        return Symbol(log(self.data))

    def relu(self) -> Symbol:
        """max(x, 0)."""
        from casadi import fmax

        return Symbol(fmax(self.data, 0))

    def item(self) -> Any:
        """The number itself."""
        return self


def _data(number: Any) -> Any:
    return number.data if isinstance(number, Symbol) else number


def largest(numbers: Iterable[Symbol]) -> Symbol:
    """The largest of some numbers."""
    from casadi import fmax

    return Symbol(functools.reduce(fmax, [number.data for number in numbers]))


def variable(_: float) -> Symbol:
    """A number that is not known yet."""
    from casadi import SX

    return Symbol(SX.sym("w"))


class Machine:
    """A loss and its gradient by some symbols, run by CasADi's virtual machine; with a rate, these learn."""

    def __init__(self, loss: Symbol, symbols: Sequence[Symbol], values: Sequence[float], rate: float = 0.0) -> None:
        from casadi import Function, gradient, vertcat

        weights = vertcat(*[symbol.data for symbol in symbols])
        slopes = gradient(loss.data, weights)
        made = weights - rate * slopes if rate else slopes
        self._function = Function("step", [weights], [loss.data, made])
        self._learns = bool(rate)
        self.weights = np.array(values, float)
        self.made, self._loss = np.zeros(len(values)), np.zeros(1)
        self._buffer, self._run = self._function.buffer()
        self._buffer.set_arg(0, memoryview(self.weights))
        self._buffer.set_res(0, memoryview(self._loss))
        self._buffer.set_res(1, memoryview(self.made))

    @property
    def instructions(self) -> int:
        """How many instructions the machine has."""
        return int(self._function.n_instructions())

    def step(self) -> float:
        """The loss; the gradient, or the new weights, are in ``made``."""
        self._run()
        if self._learns:
            self.weights[:] = self.made
        return float(self._loss[0])
