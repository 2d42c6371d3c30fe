"""Gradients on their way to all processes, in buckets: the first ones travel while others are still computed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autodiff import Tensor

from .processes import Processes

Array = Any

SIZE = 1 << 20
"""About so many bytes of gradients are summed at once: far more than what a message costs by itself."""


class Buckets:
    """The sums over all processes of the gradients of the parameters of a model.

    A backward pass finds the gradients of the last layers first, so the buckets begin with the last parameters.  They
    are sent in this order by every process, each as soon as it and those before it are full, whatever order the
    gradients come in: MPI matches messages by their order.
    """

    def __init__(self, processes: Processes, named: list[tuple[str, Tensor]]) -> None:
        self.processes = processes
        self.named = named
        variables = self.variables = [variable for _, variable in named]
        self.places: list[tuple[int, int]] = []
        """The bucket of each variable, and where it begins in there."""
        self.lengths: list[tuple[int, Any]] = []
        """How many numbers each bucket has, and of which dtype."""
        places: dict[int, tuple[int, int]] = {}
        for i in reversed(range(len(variables))):
            dtype = _summed(variables[i].dtype)
            if not self.lengths or self.lengths[-1][1] != dtype or self.lengths[-1][0] * dtype.itemsize >= SIZE:
                self.lengths.append((0, dtype))
            length = self.lengths[-1][0]
            places[i] = len(self.lengths) - 1, length
            self.lengths[-1] = length + variables[i].size, dtype
        self.places = [places[i] for i in range(len(variables))]
        self.calls: dict[Tensor, Callable[[Array], None]] = {v: partial(self._take, i) for i, v in enumerate(variables)}
        """What is to be told of each gradient: for ``backward(ready=...)``."""
        self._flat: list[Array] = []
        self._missing: list[set[int]] = []
        self._requests: list[Any] = []
        self._late = False

    def begin(self) -> None:
        """Empty buckets, for the next backward pass."""
        self._flat = [np.empty(length, dtype) for length, dtype in self.lengths]
        self._missing = [set() for _ in self.lengths]
        for i, (bucket, _) in enumerate(self.places):
            self._missing[bucket].add(i)
        self._requests = []
        self._late = False

    def _take(self, i: int, gradient: Array) -> None:
        """Put the gradient of a variable, and what it has already, where it belongs, and send what is full."""
        bucket = self.places[i][0]
        if bucket < len(self._requests):
            self._late = True  # a repeated pass: what was sent is not the gradient
            return
        held = self.variables[i].grad
        self._put(i, gradient if held is None else held + gradient)
        while len(self._requests) < len(self._flat) and not self._missing[len(self._requests)]:
            self._requests.append(self.processes.start(self._flat[len(self._requests)]))
        for request in self._requests:
            request.Test()  # most libraries go on with a message in their calls alone

    def _put(self, i: int, gradient: Array) -> None:
        bucket, start = self.places[i]
        self._flat[bucket][start : start + self.variables[i].size] = np.ravel(gradient)
        self._missing[bucket].discard(i)

    def complete(self) -> Array:
        """Send what was not sent: gradients that were not told, and zeros for variables that have none.

        Returns numbers that are to be summed, for :meth:`receive`.
        """
        for bucket in range(len(self._requests), len(self._flat)):
            for i in sorted(self._missing[bucket]):
                gradient = self.variables[i].grad
                self._put(i, 0 if gradient is None else gradient)
            self._requests.append(self.processes.start(self._flat[bucket]))
        return np.array([self._late, *(variable.grad is not None for variable in self.variables)], np.float64)

    def receive(self, sums: Array) -> None:
        """Give the variables the sums, where any process has a gradient; ``sums`` are of what ``complete`` returned."""
        self.wait()
        if sums[0]:
            self.begin()
            self.complete()
            self.wait()
        for variable, (bucket, start), found in zip(self.variables, self.places, sums[1:], strict=True):
            if found:
                part = self._flat[bucket][start : start + variable.size]
                variable.grad = np.reshape(part, variable.shape).astype(variable.dtype, copy=False)
        self._flat = []

    def wait(self) -> None:
        """Until all that was sent has come."""
        for request in self._requests:
            self.processes.wait(request)


def _summed(dtype: Any) -> Any:
    """The dtype in which gradients are summed: MPI has no numbers of 16 bits."""
    return np.dtype(np.float32) if dtype == np.float16 else np.dtype(dtype)
