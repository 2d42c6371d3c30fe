"""A function that is called many times: recorded when a program of it is faster, as it stands otherwise."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from ...arrays import OWN
from ...examples import Examples
from ...mode import current
from ...program.instruction import PathError
from ...program.jit import Jit, StaleError
from ...program.recorded import CaptureError
from ...program.recording import is_recorded_now
from ...tensor import value_of
from ...unrecorded import no_grad
from .mapped import not_in_a_program

PLAIN = 100
"""Calls as it stands, before it is known that there are enough of them to pay for recording."""
WARM, TIMED = 4, 6
"""Calls of the program before it is timed (it is recorded twice, and audited), and while it is."""


class Measured:
    """``plain``, replaced by a program of ``function`` once there is one that is faster.

    Both must give the same, ``function`` written so that it can be recorded.  ``record`` is True to record at once,
    False to record never, None to measure.
    """

    def __init__(self, who: str, plain: Callable[..., Any], function: Callable[..., Any], record: bool | None) -> None:
        self.who = who
        self.plain = plain
        self.function = function
        self.record = record
        self.calls = 0
        self.best = float("inf")
        self.times: list[float] = []
        self.program: Jit[..., Any] | None = None
        self.last: tuple[tuple[Any, ...], Any] | None = None

    def __call__(self, *args: Any) -> Any:
        """The result, in the way that is the faster one."""
        if self.record is False or current() is not None or is_recorded_now():
            return self._plainly(args)
        self.calls += 1
        if self.program is None:
            if self.record is None and self.calls <= PLAIN:
                start = perf_counter()
                result = self._plainly(args)
                self.best = min(self.best, perf_counter() - start)
                if _is_foreign(result):
                    self.record = False
                return result
            self.program, self.calls = Jit(no_grad(self.function)), 0
        return self._recorded(args)

    def audit(self) -> None:
        """Raise StaleError unless the last result of the program is that of the function, called once more."""
        if self.last is None:
            return
        args, result = self.last
        pairs = zip(_parts(result), _parts(self._plainly(args)), strict=True)
        if not all(np.array_equal(value_of(one), value_of(other), equal_nan=True) for one, other in pairs):
            raise StaleError(
                f"{self.who}: the function gives something else than its program, which is not audited yet"
            )

    def _plainly(self, args: tuple[Any, ...]) -> Any:
        with no_grad():
            result = self.plain(*args)
        if is_recorded_now():  # by a program around the search, which closes over what is recorded
            values = map(value_of, _parts(result))
            if any(isinstance(value, Examples) and not value.many for value in values):
                raise not_in_a_program(self.who)
        return result

    def _recorded(self, args: tuple[Any, ...]) -> Any:
        program = self.program
        assert program is not None
        start = perf_counter()
        try:
            result = program(*args)
        except (PathError, CaptureError):
            self.record = False
            return self._plainly(args)
        if _is_foreign(result):
            self.record = False
            return self._plainly(args)
        self.last = args, result
        if self.record is None and self.calls > WARM:
            self.times.append(perf_counter() - start)
            if len(self.times) == TIMED:
                self.record = min(self.times) < 0.9 * self.best
        return result


def _is_foreign(result: Any) -> bool:
    """Whether another library computes it, and may not have done so yet: nothing could be timed, or audited."""
    return not all(isinstance(value_of(part), (*OWN, int, float)) for part in _parts(result))


def _parts(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)
