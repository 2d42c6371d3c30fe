"""Turning a mode on and off, so that Ctrl-C at any instruction of it leaves no mode on.

An interrupt may come before the first instruction of ``__exit__``, where nothing can catch it.  So a mode does not rely
on being turned off: what a ``with`` statement holds as its ``__exit__`` dies with the block, however the block is left,
and a mode whose ``__exit__`` is dead is over.  It does nothing from then on, and the next operation takes it off.
"""

from __future__ import annotations

import copy
import functools
import weakref
from contextvars import ContextVar
from typing import Any

from ..tensor import _state

_opening: ContextVar[Any] = ContextVar("autodiff_mode_that_a_with_statement_is_about_to_enter", default=None)


class _Exit:
    """The ``__exit__`` of a mode: a ``with`` statement asks for it once, before it enters."""

    def __get__(self, mode: Any, kind: Any = None) -> Any:
        if mode is None:  # of the class, as ExitStack asks for it
            return lambda mode, *error: mode.__exit__(*error)
        opened = mode.around(None)
        # not a closure: an interrupted call of it would live on in the traceback, and the block with it
        leave = functools.partial(_leave, mode, opened)
        opened.block = weakref.ref(leave)
        _opening.set(opened)
        return leave


def _leave(mode: Any, opened: Any, *error: Any) -> None:
    """Turn the mode off that was entered, or the last one of this object where ``__exit__`` is called by hand."""
    if not opened.entered:
        opened = _state.get()
        while opened is not None and getattr(opened, "original", None) is not mode:
            opened = getattr(opened, "enclosing", None)
        if opened is None:
            return
    _state.set(opened.enclosing)
    opened.block = None  # it was left as it should be: what computes something again may still ask this mode
    mode.left(*error)


class Block:
    """A mode that is turned on by ``with``.

    Each block has a copy of its own, so that blocks may nest, and threads share a mode.  What the copies have in common
    they hold in dictionaries and lists.
    """

    enclosing: Any = None
    original: Any = None
    entered = False
    block: weakref.ref[Any] | None = None

    def around(self, enclosing: Any) -> Any:
        """The same mode, inside of another one."""
        mode = copy.copy(self)
        mode.original, mode.enclosing = self if self.original is None else self.original, enclosing
        return mode

    @property
    def over(self) -> bool:
        """Whether the block was left, though nobody could say so."""
        return self.block is not None and self.block() is None

    def left(self, *error: Any) -> None:
        """What is to be done after the mode was turned off: ``error`` is what ``__exit__`` is given."""

    def __enter__(self) -> Any:
        opened = _opening.get()
        if opened is None or opened.original is not self or opened.entered or opened.over:  # called by hand
            opened = self.around(None)
        _opening.set(None)
        opened.enclosing, opened.entered = _state.get(), True
        _state.set(opened)
        return self

    __exit__ = _Exit()
