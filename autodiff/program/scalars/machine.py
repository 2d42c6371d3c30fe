"""Steps on a tape in C: a small machine, whose source is the same for all programs, so that it is compiled once.

It gives the bits of NumPy but for exp, log, tanh and the like, which are those of C's library.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import NUMPY, C
from ..errstate import SILENT

if TYPE_CHECKING:
    from .tape import Step

_OPERATIONS: dict[Any, int] = {f: n for n, f in enumerate((
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.power, np.less, np.less_equal, np.greater,
    np.greater_equal, np.equal, np.not_equal, np.negative, np.absolute, np.sqrt, np.square, np.exp, np.log, np.tanh,
    np.sin, np.cos, np.log1p, np.expm1,
))}  # fmt: skip
"""The numbers of ``machine.c``."""
_DOT = len(_OPERATIONS)
"""That of a sum of products."""
_ERRORS = ("divide", "over", "under", "invalid")


@functools.cache
def _machine() -> Any:
    """The function of C."""
    import ctypes

    from ..c.compiler import library

    text = files(__package__).joinpath("machine.c").read_text()
    function = library(text).run_tape
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    function.restype = ctypes.c_int
    return function


def machine_for(backend: str) -> Any:
    """The function that runs steps in C; None, and a warning if C was asked for, if there is no compiler."""
    from ..c.compiler import CompileError, warn

    if backend == NUMPY:
        return None
    try:
        return _machine()
    except CompileError as error:
        if backend == C or "no C compiler" not in str(error):
            warn(error)
        return None


class Machine:
    """The steps that C can make, as integers."""

    def __init__(self, steps: Sequence[Step], function: Any) -> None:
        self._function = function
        self.at: dict[int, int] = {}
        """Where in C's list a step is, by its place on the tape."""
        code: list[int] = []
        pool: list[Any] = []
        length = 0
        for step in steps:
            number = _number(step)
            if number is None:
                continue
            self.at[step.start] = len(self.at)
            code += (number, step.stop - step.start, step.terms, step.start)
            for operand in (*step.operands, slice(0, 0))[:2]:
                if type(operand) is slice:
                    code += (0, operand.start)
                else:
                    code += (1, length)
                    pool.append(operand)
                    length += len(operand)
        self._code = np.array(code, np.int32)
        self._positions = np.concatenate([np.zeros(0, int), *pool]).astype(np.int32)

    def run(self, cells: Any, first: int, count: int, errors: str) -> None:
        """Make some steps on a tape; FloatingPointError where NumPy would say something, under ``np.errstate``."""
        found = self._function(
            cells.ctypes.data, self._code.ctypes.data + 32 * first, count, self._positions.ctypes.data, errors != SILENT
        )
        if found:
            now = dict(np.geterr())
            if any(found >> bit & 1 and now[kind] != "ignore" for bit, kind in enumerate(_ERRORS)):
                raise FloatingPointError("an error on the tape, which is told by the calls one by one")


def _number(step: Step) -> int | None:
    """The number of an operation in C."""
    operation = step.operation
    if step.products:
        return _DOT
    if operation.ufunc is None:
        return _OPERATIONS[np.power] if operation.power else None
    return _OPERATIONS.get(operation.ufunc)
