"""What NumPy does about floating-point errors while a function is recorded: what ``np.errstate`` says inside of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from types import MethodWrapperType
from typing import Any

import numpy as np

from .recorded import CaptureError

SILENT = 'all="ignore"'
"""The arguments of ``np.errstate`` under which NumPy says nothing."""


class ErrorState:
    """The state around a function, and what a block inside of it has made of it.

    >>> import numpy as np
    >>> state = ErrorState()
    >>> with np.errstate(divide="raise", over="warn", under="ignore", invalid="warn"):
    ...     state.inside()
    'divide="raise", over="warn", under="ignore", invalid="warn"'
    >>> state.inside()
    ''
    """

    def __init__(self) -> None:
        self.around = np.geterr()
        self._token, self._called = token(), np.geterrcall()
        self._last, self._text = self._token, ""
        self.depends = False
        """Whether a block inside changes a part of the state, so that the rest is that around the function."""

    def inside(self) -> str:
        """The arguments of ``np.errstate`` for what is called now; none if no block inside of the function is open."""
        now = _get(None)
        if now is not self._last:  # hardly ever
            self._text = self._said(now)
            self._last = now
        return self._text

    def _said(self, block: Any) -> str:
        """The arguments for a block that has just been met."""
        if block is self._token:
            return ""
        now: dict[str, Any] = dict(np.geterr())
        if set(now.values()) == {"ignore"}:
            return SILENT
        called = np.geterrcall()
        if type(called) is MethodWrapperType:  # an optimizer notes what it meets, and says it at the end of the step
            return ""
        if called is not self._called:
            raise CaptureError(
                "capture: np.errstate(call=...) inside of the function calls a function of Python, which is no part of "
                "a program; set it around the function"
            )
        self.depends = True
        return ", ".join(f'{kind}="{how}"' for kind, how in now.items())


def keywords(errors: str) -> dict[str, Any]:
    """The arguments of ``np.errstate`` from their text.

    >>> keywords('divide="raise", over="warn"')
    {'divide': 'raise', 'over': 'warn'}
    """
    pairs = (part.split("=") for part in errors.split(", ") if part)
    return {kind: how.strip('"') for kind, how in pairs}


def _variable() -> ContextVar[Any]:
    """NumPy's context variable: it has a value in a block, at the latest."""
    with np.errstate(all="ignore"):
        return next(variable for variable in copy_context() if variable.name == "numpy.ufunc.extobj")


_get = _variable().get


token: Callable[[], Any] = functools.partial(_get, None)
"""An object that is another one in each block of ``np.errstate``; None outside of all."""


def is_asked_to_act() -> bool:
    """Whether NumPy does more about an error than to warn: raise it, print it, call somebody."""
    return not {"ignore", "warn"}.issuperset(np.geterr().values())
