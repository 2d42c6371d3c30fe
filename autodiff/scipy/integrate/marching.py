"""The way forward: SciPy's solvers take the steps, on arrays, and what the derivative needs of them is noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import integrate

from .discrete import Tap, Trace
from .field import Field
from .tableaus import tabled
from .tsit5 import Tsit5

Array = Any
SOLVERS = {name: getattr(integrate, name) for name in ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")}
SOLVERS["Tsit5"] = Tsit5
_EPS = np.finfo(float).eps


class Frame:
    """A step that is kept whole: its number, its beginning, its size, the state there and the polynomial."""

    def __init__(self, step: int, t: float, h: float, y: Array, polynomial: Any) -> None:
        self.step, self.t, self.h, self.y, self.polynomial = step, t, h, y, polynomial


class Root:
    """An event: which of them, when, the state then, and the step in which it was."""

    def __init__(self, event: int, t: float, y: Array, frame: Frame) -> None:
        self.event, self.t, self.y, self.frame = event, t, y, frame


class Events:
    """The event functions, and what they have found so far."""

    def __init__(self, functions: Sequence[Callable[..., Any]], field: Field, t: float, y: Array) -> None:
        self.functions, self.field = functions, field
        self.limits = [_limit(getattr(f, "terminal", None)) for f in functions]
        self.directions = [float(getattr(f, "direction", 0)) for f in functions]
        self.counts = [0] * len(functions)
        self.values = self._at(t, y)
        self.roots: list[Root] = []

    def _at(self, t: float, y: Array) -> list[float]:
        return [self.field.event(f, t, y) for f in self.functions]

    def happened(self, t: float, y: Array) -> list[int]:
        """The events that took place in the step that ended here."""
        before, self.values = self.values, self._at(t, y)
        found = []
        for i, (old, new, direction) in enumerate(zip(before, self.values, self.directions, strict=True)):
            up, down = old <= 0 <= new, old >= 0 >= new
            if (up and direction >= 0) or (down and direction <= 0):
                found.append(i)
        return found

    def locate(self, found: Sequence[int], frame: Frame, t: float) -> bool:
        """Note where they took place, in order; True if one of them ends the solution."""
        from scipy.optimize import brentq

        roots = []
        for i in found:
            function = self.functions[i]
            u = brentq(
                lambda u, function=function: self.field.event(function, u, frame.polynomial(u)), frame.t, t,
                xtol=4 * _EPS, rtol=4 * _EPS,
            )  # fmt: skip
            roots.append((u, i))
            self.counts[i] += 1
        ends = [i for i in found if self.counts[i] >= self.limits[i]]
        if ends:
            roots.sort(key=lambda root: root[0], reverse=bool(t < frame.t))
            last = next(k for k, (_, i) in enumerate(roots) if i in ends)
            roots = roots[: last + 1]
        self.roots += [Root(i, u, frame.polynomial(u), frame) for u, i in roots]
        return bool(ends)


def _limit(terminal: Any) -> float:
    if terminal is None or terminal == 0:
        return np.inf
    if int(terminal) == terminal and terminal > 0:
        return int(terminal)
    raise ValueError("The `terminal` attribute of each event must be a boolean or positive integer.")


class March:
    """A solution on arrays: outputs at ``times`` with ``values`` and ``taps``, events, frames, and SciPy's account."""

    def __init__(
        self, field: Field, y0: Array, span: tuple[float, float], method: Any, wanted: Array | None,
        events: Sequence[Any] | None, dense: bool, checkpoints: int, options: dict[str, Any], most: float = np.inf,
    ) -> None:  # fmt: skip
        t0, t1 = span
        self.field, self.wanted = field, wanted
        self.solver = SOLVERS[method](field.plain, t0, y0, t1, **options)
        self.name, self.method = method, tabled(method)
        implicit = self.method is not None and self.method.implicit
        self.trace = Trace(t0, np.array(y0), checkpoints, implicit)
        self.events = None if events is None else Events(events, field, t0, y0)
        self.frames: list[Frame] = []
        self.times: list[float] = [] if wanted is not None else [t0]
        self.values: list[Array] = [] if wanted is not None else [y0]
        self.taps: list[Tap] = [] if wanted is not None else [Tap(0, 0.0)]
        self.status: int | None = None
        self.message: str | None = None
        self.terminal: Root | None = None
        self.given, since = 0, 0
        if not np.isfinite(getattr(self.solver, "h_abs", 0.0)) and np.size(y0):  # SciPy would try for ever
            self.status, self.message = -1, "The right side is not finite at the first time."
        while self.status is None:
            seen = self.given
            self._step(dense, implicit)
            since = since + 1 if self.given == seen else 0
            if since > most:
                self.status, self.message = -1, f"{since} steps were taken between two outputs"

    def _step(self, dense: bool, implicit: bool) -> None:
        solver = self.solver
        message = solver.step()
        if solver.status == "failed":
            self.status, self.message = -1, message
            return
        self.status = 0 if solver.status == "finished" else None
        t_old, t, y = float(solver.t_old), float(solver.t), solver.y
        n, h = len(self.trace.sizes), t - t_old
        polynomial: Any = solver.dense_output() if implicit or dense else None
        near = None
        if implicit and self.method is not None:
            y_old = polynomial(t_old)
            z = np.stack([polynomial(t_old + float(c) * h) - y_old for c in self.method.c])
            near = np.linalg.solve(self.method.A, z) / h if h else np.stack([self.field.plain(t, y)] * 3)
        self.trace.add(t, y, near)
        frame = None
        if dense:
            frame = Frame(n, t_old, h, polynomial(t_old), polynomial)
            self.frames.append(frame)
        if self.events is not None:
            found = self.events.happened(t, y)
            if found:
                polynomial = polynomial or solver.dense_output()
                if frame is None:
                    frame = Frame(n, t_old, h, polynomial(t_old), polynomial)
                    self.frames.append(frame)
                if self.events.locate(found, frame, t):
                    self.status, self.terminal = 1, self.events.roots[-1]
                    t, y = self.terminal.t, self.terminal.y
        self._out(n, t_old, h, t, y, polynomial)

    def _out(self, n: int, t_old: float, h: float, t: float, y: Array, polynomial: Any) -> None:
        """Note the outputs in the step that ended at t."""
        if self.wanted is None:
            if self.terminal is None:
                self.times.append(t)
                self.values.append(y)
                self.taps.append(Tap(n + 1, 0.0))
            return
        first = self.given
        sign = 1 if self.solver.direction >= 0 else -1
        while self.given < len(self.wanted) and sign * self.wanted[self.given] <= sign * t:
            self.given += 1
        if self.given == first:
            return
        polynomial = polynomial or self.solver.dense_output()
        for u in self.wanted[first : self.given]:
            x = (u - t_old) / h if h else 1.0
            self.times.append(float(u))
            self.taps.append(Tap(n + 1, 0.0) if x == 1 else Tap(n, float(x)))
            self.values.append(self.solver.y if x == 1 and self.terminal is None else polynomial(u))
