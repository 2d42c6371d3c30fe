"""A training step that several processes make together, each with its part of the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.structure import values_of
from .measures import number
from .processes import Processes
from .update import Done, Update

Array = Any

BUCKET = 4 << 20
"""About so many bytes of gradients are summed at once: few calls, and no second copy of all gradients."""


class Shared(Update):
    """The step of all processes: the loss is the mean over their examples, the gradient is that of this mean.

    What is decided (whether all is finite) is decided by sums over the processes, so that each does the same.  The
    communication is between two calculations that can be recorded: of the gradients, and of the update.
    """

    def __init__(self, processes: Processes, *parts: Any) -> None:
        self.processes = processes
        super().__init__(*parts)
        self._differentiated: Callable[..., Any] = self.differentiate
        self._changed: Callable[..., Any] = self.change

    def __call__(self, x: Array, y: Array, counted: int, before: float = 0, whole: bool = True) -> Done:  # type: ignore[override]
        """One step, or a batch of several for one; ``counted`` examples of x count, which is all or none."""
        value, outputs, plain = self._differentiated(x, y, counted, not before)
        sums = self.processes.total(np.array([value, counted], np.float64))
        done = Done("", float(sums[0] / sums[1]), outputs, examples=float(sums[1]))
        if plain or not np.isfinite(sums[0]):
            return done._replace(fault="plain" if plain else "loss")
        if not before and self._is_apart():
            return done._replace(fault="apart")
        if whole:
            self._sum()
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
        weighted.backward()
        return values_of(weighted), values_of(outputs), False

    def change(self, examples: float) -> tuple[str, ...]:
        """The update by the gradients of all processes, sums over so many examples; or the names of bad ones."""
        bad = self._bad()
        if not bad:
            super().finish(examples)
        return bad

    def finish(self, examples: float = 0) -> None:
        self._sum()
        super().finish(examples)

    def recorded(self) -> Any:
        return _Recorded(self)

    def _sum(self) -> None:
        """The gradients of all processes in the place of those of this one, bucket by bucket."""
        for bucket in self._buckets():
            gradients = [parameter.grad for parameter in bucket]
            flat = self.processes.total(np.concatenate([np.ravel(gradient) for gradient in gradients]))
            start = 0
            for parameter, gradient in zip(bucket, gradients, strict=True):
                parameter.grad = np.reshape(flat[start : start + gradient.size], gradient.shape)
                start += gradient.size

    def _buckets(self) -> list[list[Tensor]]:
        """The parameters that have gradients, in groups of one dtype and about one size."""
        groups: list[list[Tensor]] = []
        room, dtype = 0, None
        for _, parameter in self.parameters:
            gradient = parameter.grad
            if gradient is None:
                continue
            if not groups or gradient.dtype != dtype or room < 0:
                groups.append([])
                room, dtype = BUCKET, gradient.dtype
            groups[-1].append(parameter)
            room -= gradient.size * gradient.dtype.itemsize
        return groups


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
