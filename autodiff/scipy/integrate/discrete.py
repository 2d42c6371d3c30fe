"""The discrete adjoint: the exact derivative of the steps that were taken, whose sizes are constants.

From the end to the start, the pullback of a step y_(n+1) = s(t_n, y_n, p) gives the cotangents of y_n and of p.  States
are kept at some steps, evenly, never more than twice ``checkpoints`` of them; those between are computed again from
there, a part after the other, and in a part that is still longer than ``checkpoints``, in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...graph import GraphError
from ...structural import plain
from ...tensor import value_of
from .field import Field
from .steps import Pulled, moved, stages
from .tableaus import Tableau

Array = Any


class Tap(NamedTuple):
    """An output: the state in step ``step``, at the part ``x`` of it."""

    step: int
    x: float


class Trace:
    """The steps of a solution: where they began, how long they were, and the states at some of them."""

    def __init__(self, t0: float, y0: Array, checkpoints: int, implicit: bool) -> None:
        self.times: list[float] = [t0]
        self.sizes: list[float] = []
        self.last = y0
        self.stride, self.checkpoints = 1, checkpoints
        self.states: dict[int, Array] = {0: y0}
        self.near: list[Array] | None = [] if implicit else None

    def add(self, t: float, y: Array, near: Array | None) -> None:
        """Note a step that ended at t with the state y."""
        self.sizes.append(t - self.times[-1])
        self.times.append(t)
        if self.near is not None:
            self.near.append(near)
        self.last = y.copy()
        n = len(self.sizes)
        if n % self.stride == 0:
            self.states[n] = self.last
        if self.near is None and len(self.states) > 2 * self.checkpoints:
            self.stride *= 2
            self.states = {k: v for k, v in self.states.items() if k % self.stride == 0}

    def guess(self, n: int) -> Array | None:
        """The stages of an implicit step."""
        return None if self.near is None else self.near[n]


_CHANGED = (
    "{}: the right side computed something else in the backward pass, so the gradient would be that of another "
    "equation: it drew random numbers, or an array or variable that it uses was changed before backward(); "
    "call backward() first"
)


class Sweep:
    """One backward pass over the steps of a trace."""

    def __init__(self, method: Tableau, field: Field, trace: Trace, pulled: Pulled) -> None:
        self.method, self.field, self.trace, self.pulled = method, field, trace, pulled
        self.total: list[Any] = []
        self.alive = self.most = 0
        self.time: Any = 0.0

    def run(self, ends: dict[int, Array], middles: dict[int, Any]) -> Array:
        """The cotangent of the first state.

        ``ends`` are cotangents of the states y_n, ``middles`` functions of the stages of step n that give the
        cotangents of the stages, and take note of what else they need.
        """
        self.pulled.begin(len(self.trace.sizes))
        self.ends, self.middles = ends, middles
        n = len(self.trace.sizes)
        self.cotangent = ends.get(n, np.zeros_like(self.trace.states[0]))
        if not n:
            return self.cotangent
        starts = sorted(k for k in self.trace.states if k < n)
        for start, stop in reversed(list(zip(starts, [*starts[1:], n], strict=True))):
            self._part(start, stop, self.trace.states[start], self.trace.states.get(stop, self.trace.last))
        return self.cotangent

    def _part(self, start: int, stop: int, y: Array, known: Array | None) -> None:
        """Go back over some steps, from a state that is known."""
        stride = 1
        while (stop - start) > stride * self.trace.checkpoints:
            stride *= self.trace.checkpoints
        kept = {start: y}
        for n in range(start, stop - 1):
            y = self._next(n, y)
            if (n + 1 - start) % stride == 0:
                kept[n + 1] = y
        self.alive += len(kept)
        self.most = max(self.most, self.alive)
        starts = sorted(kept)
        for first, last in reversed(list(zip(starts, [*starts[1:], stop], strict=True))):
            state = kept.pop(first)
            if last - first > 1:
                self._part(first, last, state, known)
            else:
                self._back(first, state, known)
            known = state
            self.alive -= 1

    def _next(self, n: int, y: Array) -> Array:
        """The state after step n."""
        trace, field = self.trace, self.field
        given = [field.values[i] for i in field.active]
        k = _arrays(stages(self.method, field, trace.times[n], trace.sizes[n], y, given, False, None))
        return moved(self.method, y, trace.sizes[n], k)

    def _back(self, n: int, y: Array, known: Array | None) -> None:
        """Go back over one step."""
        trace, middle = self.trace, self.middles.get(n)
        seeds = None if middle is None else middle.cotangents(self.field, len(self.method.c), len(y))
        made, end, parts = self.pulled(trace.times[n], trace.sizes[n], y, trace.guess(n), self.cotangent, seeds)
        if known is not None:
            scale = np.max(np.abs(known), initial=0)
            if not np.allclose(end, known, rtol=1e-7, atol=1e-9 * scale, equal_nan=True):
                raise GraphError(_CHANGED.format(self.field.who))
        if middle is not None:
            middle.see(made)
        if self.pulled.timed:
            time = parts.pop()
            self.time = self.time + (0.0 if time is None else time)
        first, *rest = parts
        self.cotangent = 0.0 * y if first is None else first
        for extra in (self.ends.get(n), None if middle is None else middle.start):
            if extra is not None and n < len(trace.sizes):
                self.cotangent = self.cotangent + extra
        self.total = rest if not self.total else [_sum(a, b) for a, b in zip(self.total, rest, strict=True)]


def _sum(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _arrays(values: Sequence[Any]) -> list[Any]:
    return [plain(value_of(v)) for v in values]
