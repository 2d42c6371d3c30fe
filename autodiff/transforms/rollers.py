"""Rolling: what a loop asks while a function is recorded, to be recorded as a loop and not step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol


class Repeated(NamedTuple):
    """What was recorded of a while loop."""

    value: Any
    is_end: bool
    """Whether it is the last value, or that after one step."""


class Roller(Protocol):
    """What records some steps as a loop."""

    def position(self) -> int:
        """How much is recorded so far."""

    def is_recording(self) -> bool:
        """Whether a function is recorded now."""

    def prepared(self, carry: Any) -> Any:
        """The carry with its numbers and constants recorded."""

    def rolled(
        self, f: Callable[..., Any], carry: Any, xs: Any, count: int, reverse: bool, before: slice
    ) -> tuple[Any, Any, bool] | None:
        """The last carry, the stacked ys, and True; what one step makes, and False; or None, if nothing is recorded.

        ``before`` says where the step before is.
        """

    def repeated(
        self,
        test: Callable[[Any], Any],
        body: Callable[[Any], Any],
        before: Any,
        value: Any,
        made: slice,
        most: tuple[int, str] | None,
    ) -> Repeated | None:
        """The steps of a while loop from ``value`` on, or one of them; None, if nothing is recorded.

        ``before`` is the value before the last step, and ``made`` says where that is; ``most`` is how many steps there
        may be, and what is said of more.
        """


rollers: list[Roller] = []
"""The one that is registered, if programs are loaded."""
TRIES = 3
"""Steps after which a carry has found its form, or never will."""


def register_roller(roller: Roller) -> None:
    """Ask it for the steps of a scan, after the first one."""
    rollers[:] = [roller]
