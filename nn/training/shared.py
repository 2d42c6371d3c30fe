"""A training step that several processes make together, each with its part of the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.structure import values_of
from .buckets import Buckets
from .measures import number
from .processes import Processes
from .update import Done, Update

Array = Any


class Shared(Update):
    """The step of all processes: the loss is the mean over their examples, the gradient is that of this mean.

    What is decided (whether all is finite) is decided by sums over the processes, so that each does the same.
    Gradients are sent while the backward pass goes on.  A recorded one gives them at its end: the communication is
    between two calculations that are recorded, of the gradients, and of the update.
    """

    def __init__(self, processes: Processes, *parts: Any) -> None:
        self.processes = processes
        super().__init__(*parts)
        self._differentiated: Callable[..., Any] = self.differentiate
        self._changed: Callable[..., Any] = self.change
        self._buckets: Buckets | None = None
        self._ready: Any = None

    def __call__(self, x: Array, y: Array, counted: int, before: float = 0, whole: bool = True) -> Done:  # type: ignore[override]
        """One step, or a batch of several for one; ``counted`` examples of x count, which is all or none."""
        buckets = self._emptied() if whole else None
        self._ready = buckets.calls if buckets and self._differentiated == self.differentiate else None
        value, outputs, plain = self._differentiated(x, y, counted, not before)
        more = buckets.complete() if buckets else ()
        sums = self.processes.total(np.array([value, counted, *more], np.float64))
        if buckets:
            buckets.receive(sums[2:])
        done = Done("", float(sums[0] / sums[1]), outputs, examples=float(sums[1]))
        if plain or not np.isfinite(sums[0]):
            return done._replace(fault="plain" if plain else "loss")
        if not before and self._is_apart():
            return done._replace(fault="apart")
        if whole:
            bad = self._changed(before + done.examples)
            if bad:
                return done._replace(fault="gradient", bad=bad)
        return done

    def differentiate(self, x: Array, y: Array, counted: int, first: bool) -> tuple[Any, Array, bool]:
        """The sum of the losses of this process's examples, and the outputs; gradients are added to those there are."""
        if first:
            self.optimizer.zero_grad()
        outputs = self.model(x)
        loss = self.loss(outputs, y)
        number(self.who, loss)
        if not isinstance(loss, Tensor):
            return loss * counted, values_of(outputs), True
        weighted = loss * counted
        weighted.backward(ready=self._ready)
        return values_of(weighted), values_of(outputs), False

    def change(self, examples: float) -> tuple[str, ...]:
        """The update by the gradients of all processes, sums over so many examples; or the names of bad ones."""
        bad = self._bad()
        if not bad:
            super().finish(examples)
        return bad

    def finish(self, examples: float = 0) -> None:
        buckets = self._emptied()
        buckets.receive(self.processes.total(buckets.complete()))
        super().finish(examples)

    def recorded(self) -> Any:
        return _Recorded(self)

    def _emptied(self) -> Buckets:
        """Empty buckets for the parameters that the model has."""
        if self._buckets is None or self._buckets.named is not self.parameters:
            self._buckets = Buckets(self.processes, self.parameters)
        self._buckets.begin()
        return self._buckets


class _Recorded:
    """The step with both calculations recorded."""

    def __init__(self, update: Shared) -> None:
        from autodiff import jit  # which few programs need

        self.update = update
        self.parts: list[Any] = [jit(update.differentiate), jit(update.change)]
        update._differentiated, update._changed = self.parts

    def __call__(self, *args: Any) -> Done:
        return self.update(*args)

    def explain(self) -> str:
        return "\n".join(str(part.explain()) for part in self.parts)

    def release(self) -> None:
        for part in self.parts:
            part.release()
