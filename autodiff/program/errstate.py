"""What NumPy does about floating-point errors while a function is recorded: what ``np.errstate`` says inside of it."""

from __future__ import annotations

from contextvars import copy_context
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
        self._token, self._called = _token(), np.geterrcall()
        self.depends = False
        """Whether a block inside changes a part of the state, so that the rest is that around the function."""

    def inside(self) -> str:
        """The arguments of ``np.errstate`` for what is called now; none if no block inside of the function is open."""
        if _token() is self._token:
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


def _token() -> Any:
    """An object that is another one in each block of ``np.errstate``; None outside of all."""
    return next((value for key, value in copy_context().items() if key.name == "numpy.ufunc.extobj"), None)
