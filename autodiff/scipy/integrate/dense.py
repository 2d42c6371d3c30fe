"""The solution between the steps, as a differentiable function of the time, and when events took place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor import value_of
from .implied import implied
from .marching import Frame
from .solved import Solved

Array = Any


class OdeSolution:
    """y(t), as ``scipy.integrate.OdeSolution``: for a number the shape (n,), for a vector (n, number of times).

    ``ts`` are the times between the steps.  Differentiable by t and by all that the solution depends on; outside of the
    interval the polynomial of the first or last step goes on.
    """

    def __init__(self, solved: Solved, states: Any, stages: Any, ts: Array) -> None:
        self._solved, self._states, self._stages = solved, states, stages
        self.ts = np.asarray(ts)
        self.t_min, self.t_max = float(np.min(self.ts)), float(np.max(self.ts))
        self._frames = solved.frames

    def at(self, t: Any, k: int) -> Any:
        """The polynomial of frame k at one time."""
        frame, solved = self._frames[k], self._solved
        begin = solved.start + (frame.t - solved.trace.times[0])
        weights = solved.method.weights((t - begin) / frame.h if frame.h else 0.0 * t)
        return self._states[k] + frame.h * (weights @ self._stages[k])

    def __call__(self, t: Any) -> Any:
        """The solution at these times."""
        values = np.asarray(value_of(t))
        if values.ndim > 1:
            raise ValueError("`t` must be a float or a 1-D array.")
        forward = self._frames[0].h >= 0
        inner = np.array([f.t + f.h for f in self._frames[:-1]])
        places = np.searchsorted(inner if forward else -inner, values if forward else -values, side="left")
        if not values.ndim:
            return self.at(t, int(places))
        if not values.size:
            return np.zeros((len(self._states[0]), 0))
        return np.stack([self.at(t[i], int(k)) for i, k in enumerate(places)], -1)


def event_time(solution: OdeSolution, k: int, root: float, event: Callable[..., Any]) -> Any:
    """When an event took place: event(t, y(t)) = 0, by the implicit function theorem."""

    def residual(t: Any) -> Any:
        return np.reshape(event(t, solution.at(t, k)), ())

    return implied("event", residual, np.float64(root))


def position(frames: list[Frame], frame: Frame) -> int:
    """The number of a frame."""
    return next(i for i, other in enumerate(frames) if other is frame)
