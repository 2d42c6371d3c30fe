"""What is seen of a search while it runs: the user's callback, with the nesting, and a line for each iteration."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from scipy.optimize import OptimizeResult  # type: ignore[import-untyped,unused-ignore]

from .layout import Layout

OLD = frozenset({"tnc", "slsqp", "cobyla"})
"""Methods that call back with the vector alone, in some version of SciPy."""


class Watch:
    """SciPy's callback: it calls the user's own with the nesting, and writes a line if asked to."""

    def __init__(self, who: str, layout: Layout, callback: Callable[..., Any] | None, progress: bool) -> None:
        self.who, self.layout, self.callback, self.progress = who, layout, callback, progress
        self.iterations = 0
        self.by_name = callback is not None and _takes_result(callback)
        self.value: Callable[[Any], float] | None = None

    def for_scipy(self, method: str) -> Callable[..., Any] | None:
        """A function of the form that the method calls; None if nobody watches."""
        if self.callback is None and not self.progress:
            return None
        if method == "trust-constr":
            return lambda xk, state: self._called(xk, state)
        if method in OLD or not method:
            return lambda xk, *more: self._called(xk, None)

        def watched(intermediate_result: OptimizeResult) -> Any:
            return self._called(intermediate_result.x, intermediate_result)

        return watched

    def _called(self, z: Any, state: Any) -> Any:
        self.iterations += 1
        value = state.get("fun") if state is not None else self.value(z) if self.value is not None else None
        if self.progress:
            self._write(value)
        if self.callback is None:
            return None
        x = self.layout.result(z)
        if not self.by_name:
            return self.callback(x)
        seen = OptimizeResult(state or {})
        seen.x, seen.fun = x, value
        return self.callback(intermediate_result=seen)

    def _write(self, value: Any) -> None:
        shown = "" if value is None else f", value {float(value):.8g}"
        last = "\n" if not sys.stderr.isatty() else ""
        sys.stderr.write(f"\r{self.who}: iteration {self.iterations}{shown}   {last}")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line of progress."""
        if self.progress and self.iterations and sys.stderr.isatty():
            sys.stderr.write("\n")
        self.callback = self.value = None


def _takes_result(callback: Callable[..., Any]) -> bool:
    """Whether it asks for SciPy's result by name."""
    try:
        return set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        return False
