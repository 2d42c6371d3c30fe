"""What was begun is finished: after Ctrl-C in the part of a run that changes things, the rest of it is done first.

A program computes, and then changes arrays in place.  An exception between two of these changes, as that of a signal
handler, would leave a part of a step.  Copies of all that changes would cost time in each run; so it is looked, when it
has come to that, which statement was made last, and those after it are made.
"""

from __future__ import annotations

import dis
import functools
import re
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, TracebackType
from typing import Any, NamedTuple

import numpy as np

_CALLS = ("CALL", "CALL_KW", "CALL_FUNCTION_EX")
_AROUND = re.compile(r"(try:|finally:|with errstate|before = errors\.set|errors\.reset)")
_LOOP = re.compile(r"for (\w+) in range\((\w+), (\w+), (\w+)\):")
_ASSIGNED = re.compile(r"[^()]+ = ")


class _Loop(NamedTuple):
    """A loop over some rows after the other."""

    line: int
    variable: str
    stop: int
    step: int
    body: list[tuple[int, str]]

    def text(self, start: int) -> Iterator[str]:
        """The loop from a row on."""
        yield f"for {self.variable} in range({start}, {self.stop}, {self.step}):"
        yield from (f"    {statement}" for _, statement in self.body)


class Finish:
    """The statements of a function from the first on that changes something: ``first`` is its line."""

    def __init__(self, code: CodeType, lines: list[str], first: int, known: dict[str, Any]) -> None:
        self._code, self._first, self._known = code, first, known
        self._parts = list(_parts(lines))

    def __call__(self, error: BaseException) -> bool:
        """Make the statements that an exception has cut off; whether it came so late that there were such."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code is not self._code:
            trace = trace.tb_next
        if trace is None or trace.tb_lineno < self._first:
            return False
        names = dict(trace.tb_frame.f_locals)
        with np.errstate(all="ignore"):
            exec("\n".join(self._rest(trace, names)), self._known, names)
        return True

    def _rest(self, trace: TracebackType, names: dict[str, Any]) -> Iterator[str]:
        """The statements that were not made."""
        line = trace.tb_lineno - self._first

        def left(statements: list[tuple[int, str]]) -> Iterator[str]:
            for number, text in statements:
                if number > line or (number == line and not self._is_made(trace, text)):
                    yield text

        for part in self._parts:
            if not isinstance(part, _Loop):
                yield from left([part])
            elif part.line > line or (part.line == line and part.variable not in names):
                yield from part.text(0)
            elif part.line <= line <= part.body[-1][0]:
                if part.line < line:
                    yield from left(part.body)
                yield from part.text(names[part.variable] + part.step)

    def _is_made(self, trace: TracebackType, text: str) -> bool:
        """Whether the statement that the exception points to has done what it does.

        A signal is handled after a call.  A value that was computed, and not yet assigned, is computed again.  So is
        what a function of Python was about to do, which may be done twice.
        """
        if _ASSIGNED.match(text) or (trace.tb_next is not None and not self._is_of_c(text.partition("(")[0])):
            return False
        calls = [
            i.offset for i in dis.get_instructions(self._code)
            if i.opname in _CALLS and i.positions is not None and i.positions.lineno == trace.tb_lineno
        ]  # fmt: skip
        return bool(calls) and trace.tb_lasti >= calls[-1]

    def _is_of_c(self, name: str) -> bool:
        """Whether what is called by this name is no function of Python: then only a handler has a frame below."""
        first, *attributes = name.split(".")
        called = functools.reduce(getattr, attributes, self._known.get(first))
        return isinstance(called, np.ufunc | BuiltinFunctionType)


def _parts(lines: list[str]) -> Iterator[_Loop | tuple[int, str]]:
    """The statements and loops, by line, without what is around them."""
    loop, depth = None, 0
    for number, line in enumerate(lines):
        text = line.lstrip()
        if loop is not None and len(line) - len(text) > depth:
            loop.body.append((number, text))
            continue
        if loop is not None:
            yield loop
            loop = None
        found = _LOOP.match(text)
        if found:
            variable, _, stop, step = found.groups()
            loop, depth = _Loop(number, variable, int(stop), int(step), []), len(line) - len(text)
        elif not _AROUND.match(text) and not text.startswith("return"):
            yield number, text
    if loop is not None:
        yield loop
