"""Context variables that have another value inside of a block, wherever Ctrl-C interrupts.

An interrupt comes between two instructions of Python: before the first one of ``__enter__`` or ``__exit__``, say, where
nothing can catch it.  It never comes inside of a function that is written in C.  So here both are such functions, and a
variable is set, or set back, in one step.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from operator import attrgetter, methodcaller
from typing import Any

_ask: Any = "{0.done.var.name:.0}".format
"""What asks its first argument whether it is ``done``, ignores an exception's type, value and traceback, and gives an
empty text, which is false, as the result of an ``__exit__`` must be."""


class switched:  # noqa: N801
    """``with switched(variable, value):`` gives the variable another value inside of the block; to be used once.

    Python 3.14 has ``with variable.set(value):`` for this.

    >>> depth = ContextVar("depth", default=0)
    >>> with switched(depth, 1):
    ...     depth.get()
    1
    >>> depth.get()
    0
    """

    __slots__ = ("back", "on")
    __enter__ = property(attrgetter("on"))
    __exit__ = property(partial(partial, _ask))
    done = property(methodcaller("back"))
    """Sets the variable back; the token of that."""

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self.on = partial(variable.set, value)
        self.back = partial(variable.set, variable.get())
