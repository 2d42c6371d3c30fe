"""Where a call comes from: the user's line, the variable that takes the result, and the section of the program."""

from __future__ import annotations

from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from .. import backpropagation, graph
from .instruction import BACKWARD, FORWARD, UPDATE, Line, Value
from .naming import RETURNED, stored_name
from .origin import Origins

_HOME = str(Path(__file__).resolve().parent.parent)
_LAYERS = str(Path(_HOME).parent / "nn")
_INSIDE = (_HOME, _LAYERS, str(Path(np.__file__).resolve().parent), "<__array_function__")
_BACKWARD = frozenset({graph.sweep.__code__, graph.backward.__code__, backpropagation.backward.__code__})
_OURS, _SWEEP, _USERS, _ENTRY = range(4)


class Sites:
    """The user's lines, while a function is recorded.

    A program may have a million calls, so what is known of a line, and of a backward pass, is looked up once.
    """

    def __init__(self, entry: CodeType | None = None) -> None:
        self._entry = entry
        self.origins = Origins()
        self.phase = FORWARD
        """The section of the call that was looked at last."""
        self.aside = False
        """Whether a call is a check, whose value is no part of what is assigned."""
        self._kinds: dict[int, int] = {}
        self._codes: list[CodeType] = []  # which keep their identities
        self._lines: dict[tuple[int, int], tuple[Line, str]] = {}
        self._last: tuple[Any, Any] = (None, None)
        self._pass: FrameType | None = None
        self._of_pass: tuple[Line | None, str, Any] = (None, "", None)

    def here(self, frame: FrameType | None, value: Value | None = None) -> Line | None:
        """The user's line that a frame was called from; a value gets the name of the variable that it is assigned to.

        Of the calls that NumPy's function, or ours, is made of, the last one gives what is assigned.
        """
        last = self._pass
        if (
            last is not None and self.origins.full and not self._of_pass[1]
            and (frame is last or (frame is not None and frame.f_back is last))
        ):  # fmt: skip
            return self._of_pass[0]  # a long backward pass of numbers
        below, sweep = frame, None
        kinds = self._kinds
        while frame is not None:
            code = frame.f_code
            kind = kinds.get(id(code))
            if kind is None:
                kind = self._kind(code)
            if kind >= _USERS:
                frame = frame if kind == _USERS else None
                break
            if kind == _SWEEP and sweep is None:
                if frame is self._pass:  # the backward pass of the last call
                    line, name, below = self._of_pass
                    if name and value is not None:
                        self._name(value, name, below)
                    return self._origin(frame, line, value)
                sweep = frame
            below, frame = frame, frame.f_back
        if sweep is not None:
            self.phase = BACKWARD
        elif self.phase is BACKWARD:
            self.phase = UPDATE
        if below is frame:  # a call of its own, in a frame of the user's
            below = None
        line, name = (None, "") if frame is None else self._line(frame)
        if name is RETURNED:
            name, below = ("", below) if self.origins.full else self._taker(frame)
        self._pass, self._of_pass = sweep, (line, name, below)
        if value is not None and frame is not None:
            self._name(value, name, below)
        return line if sweep is None else self._origin(sweep, line, value)

    def made(self, line: Line | None, value: Any) -> None:
        """Remember which line made a value."""
        if not self.origins.full:
            self.origins.note(line, value)

    def _origin(self, sweep: FrameType, line: Line | None, value: Value | None) -> Line | None:
        """The line whose derivative a backward pass computes; a value gets its name after what it is a cotangent of."""
        origin = self.origins.of(sweep)
        if origin is None:
            return line
        if value is not None and not value.name:
            self.origins.name(value, origin)
        return origin.line or line

    def end(self) -> None:
        """Let go of the frames."""
        self._pass, self._of_pass, self._last = None, (None, "", None), (None, None)
        self.origins = Origins()

    def _kind(self, code: CodeType) -> int:
        inside = code.co_filename.startswith(_INSIDE)
        kind = _ENTRY if code is self._entry else _SWEEP if code in _BACKWARD else _OURS if inside else _USERS
        self._codes.append(code)
        self._kinds[id(code)] = kind
        return kind

    def _line(self, frame: FrameType) -> tuple[Line, str]:
        """The line of the user's that a frame is at, and the variable that its result is assigned to."""
        key = id(frame.f_code), frame.f_lasti
        found = self._lines.get(key)
        if found is None:
            found = self._lines[key] = Line(frame.f_code.co_filename, frame.f_lineno), stored_name(frame)
        return found

    def _taker(self, frame: FrameType | None) -> tuple[str, FrameType | None]:
        """The variable that is bound to what a frame of the user's returns, and the frame that its call has made.

        Between them there may be layers, which return what ``forward`` returns, and other functions of the user's.
        """
        below, name = frame, RETURNED
        while frame is not None and name is RETURNED:
            below, frame = frame, frame.f_back
            while frame is not None and frame.f_code.co_filename.startswith(_LAYERS):
                below, frame = frame, frame.f_back
            if frame is None:
                return "", below
            kind = self._kinds.get(id(frame.f_code))
            if (self._kind(frame.f_code) if kind is None else kind) != _USERS:
                return "", below
            name = self._line(frame)[1]
        return name, below

    def _name(self, value: Value, name: str, below: Any) -> None:
        """Name a value after a variable that the running call, ``below``, is assigned to."""
        if value.name or not name or self.aside:
            return
        if below is not None and self._last[0] is below:
            self._last[1].name = ""
        value.name = name
        self._last = below, value
