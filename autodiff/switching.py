"""Context variables with another value inside a block, safe against Ctrl-C at any instruction.

An interrupt comes between two instructions of Python, for example before the first one of ``__enter__`` or
``__exit__``, where no code can catch it.  It never comes inside a function written in C. Here both methods are such
functions, so a variable is set, or set back, in one step.
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
    """``with switched(variable, value):`` gives the variable another value inside the block; use each object once.

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
