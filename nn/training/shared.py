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
from .statistics import RepeatedError, Statistics, alone
from .update import Done, Search, Update, searched

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

    @property
    def unrecorded(self) -> str:  # type: ignore[override]
        return "BatchNorm's sums are those of all processes" if self.statistics else ""

    def refresh(self) -> None:
        super().refresh()
        self.statistics = Statistics(self.processes, self.model)

    def __call__(self, x: Array, y: Array, counted: int, before: float = 0, whole: bool = True) -> Done:  # type: ignore[override]
        """One step, or a batch of several for one; ``counted`` examples of x count, which is all or none."""
        done = self.differentiated(x, y, counted, before, whole)
        if whole and not done.fault:
            bad = self._changed(before + done.examples)
            if bad:
                return done._replace(fault="gradient", bad=bad)
        return done

    def differentiated(self, x: Array, y: Array, counted: int, before: float = 0, whole: bool = True) -> Done:
        """The loss, and gradients: those of all processes for a ``whole`` step."""
        buckets = self._emptied() if whole else None
        self._ready = buckets.calls if buckets and self._differentiated == self.differentiate else None
        value, outputs, plain = self._differentiated(x, y, counted, not before)
        more = buckets.complete() if buckets else ()
        sums = self.processes.total(np.array([value, counted, *more], np.float64))
        if buckets:
            buckets.receive(sums[2:])
        fault = "plain" if plain else "" if np.isfinite(sums[0]) else "loss"
        if not fault and not before and self._is_apart():
            fault = "apart"
        return Done(fault, float(sums[0] / sums[1]), outputs, examples=float(sums[1]))

    def differentiate(self, x: Array, y: Array, counted: int, first: bool) -> tuple[Any, Array, bool]:
        """The sum of the losses of this process's examples, and the outputs; gradients are added to those there are."""
        if first:
            self.optimizer.zero_grad()
        with self.statistics.of(counted):  # for the backward pass, too, in which checkpoint calculates layers again
            outputs = self.model(x)
            loss = self.loss(outputs, y)
            number(self.who, loss)
            if not isinstance(loss, Tensor):
                return loss * counted, values_of(outputs), True
            weighted = loss * counted
            try:
                weighted.backward(ready=self._ready)
            except RepeatedError:  # there is NaN in them
                for _, parameter in self.parameters:
                    parameter.grad = np.full(parameter.shape, np.nan, parameter.dtype)
        return values_of(weighted), values_of(outputs), False

    def again(self, x: Array, y: Array) -> None:
        with alone():
            super().again(x, y)

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


class SharedSearch(Shared):
    """The same for an optimizer that looks for its step: all processes calculate the same losses."""

    unrecorded = Search.unrecorded

    def __call__(self, x: Array, y: Array, counted: int, before: float = 0, whole: bool = True) -> Done:  # type: ignore[override]
        return searched(self.optimizer, lambda: self._gradients(x, y, counted))

    def _gradients(self, x: Array, y: Array, counted: int) -> Done:
        done = self.differentiated(x, y, counted)
        bad = self._bad()
        if bad and not done.fault:
            done = done._replace(fault="gradient", bad=bad)
        if not done.fault:
            self.average(done.examples)
            self.clip()
        return done


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
