"""Modes: what happens to operations on Tensors in place of being recorded, and what a mode must answer.

A mode belongs to a thread and to an asynchronous task: others are not affected.  Modes nest; each knows the one around
it (``enclosing``, None outside of all), and whoever does an operation on behalf of a mode does it :meth:`~Mode.outside`.
Nobody probes a mode for attributes: what it may be asked stands here, with the answer that passes the question on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

from .primitive import Primitive

_state: ContextVar[Mode | None] = ContextVar("autodiff_mode", default=None)
current = _state.get
"""The mode that operations go to, or None: then they are recorded."""


@contextmanager
def entered(mode: Mode | None) -> Iterator[None]:
    """What is done inside is done in this mode, and the one before comes back whatever happens."""
    before = _state.get()
    try:
        _state.set(mode)
        yield
    finally:
        _state.set(before)


def is_recording() -> bool:
    """Whether an operation that is done here and now remembers what it was done to."""
    mode = _state.get()
    return mode is None or mode.records


class Mode:
    """What stands in the place of recording.  A context manager, or passed to :func:`entered`.

    What is entered is a twin with the mode that it is entered in around it: what a mode gathers, it gathers in
    containers, which twins share.
    """

    def __init__(self, enclosing: Mode | None = None) -> None:
        self.enclosing = enclosing
        self._open: list[Any] = []

    def __call__(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do one operation, in the place of ``primitive.call``."""
        raise NotImplementedError

    @property
    def records(self) -> bool:
        """Whether operations leave a history: as around this mode, unless it says otherwise."""
        return self.enclosing is None or self.enclosing.records

    def recorded(self) -> Mode | None:
        """The mode that does the same and records: what a transform computes its function in."""
        return self if self.records else self.inside(recorded(self.enclosing))

    def inside(self, enclosing: Mode | None) -> Mode:
        """This mode with another one around it."""
        twin = copy.copy(self)
        twin.enclosing, twin._open = enclosing, []
        return twin

    def backward(self, proceed: Callable[[], Any], seeds: dict[Any, Any], targets: Any) -> Any:
        """Make a backward pass, by ``proceed()``, which frees nothing; the result are the gradients."""
        return proceed() if self.enclosing is None else self.enclosing.backward(proceed, seeds, targets)

    def outside(self) -> Any:
        """A context in which operations go to the mode around this one."""
        return entered(self.enclosing)

    def __enter__(self) -> Self:
        # a suspended generator: should Ctrl-C come in between, it is closed with us, and brings the mode before back
        self._open.append(entered(self.inside(_state.get())))
        self._open[-1].__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.pop().__exit__(None, None, None)


def recorded(mode: Mode | None) -> Mode | None:
    """The mode in which the same things are done, and everything is recorded."""
    return None if mode is None else mode.recorded()
