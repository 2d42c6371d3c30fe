"""Where a call in a backward pass comes from: the user's line whose derivative it computes, and by what.

A node is made just after the call that computes its value.  So its age says which call that was, among those that were
noted with the time, and that call knows its line and the name of its result.
"""

from __future__ import annotations

from bisect import bisect_left
from types import FrameType
from typing import Any, NamedTuple

from ..graph import Node, sweep
from ..transforms.calling import pull
from ..writes import tick
from .instruction import Line, Value
from .recorded import Recorded

MANY = 20_000
"""Calls of a program; of one with more, which nobody reads as a whole, no more is noted."""
_SWEEP, _PULL = sweep.__code__, pull.__code__


class Origin(NamedTuple):
    """A line of the user's, and the name of a cotangent, if there is one."""

    line: Line | None
    name: str
    parent: Node


class Origins:
    """The calls that were noted so far, by time."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._lines: list[Line | None] = []
        self._values: list[Any] = []
        self._variables: dict[Node, str] = {}
        self._last: dict[Node, Value] = {}
        self._pass: FrameType | None = None
        self.full = False
        """Whether no more is noted."""

    def note(self, line: Line | None, made: Any) -> None:
        """Remember a call, at this time."""
        if self.full:
            return
        self.full = len(self._times) >= MANY
        self._times.append(tick())
        self._lines.append(line)
        self._values.append(made)

    def of(self, frame: FrameType) -> Origin | None:
        """What a pass, whose frame this is, is about to compute."""
        if frame.f_code is not _SWEEP or self.full:
            return None
        if frame is not self._pass:
            self._pass = frame
            self._know(frame)
        here = frame.f_locals
        node, parent = here.get("node"), here.get("parent")
        if not isinstance(node, Node) or not isinstance(parent, Node):
            return None
        position = self._position(node)
        return Origin(self._lines[position] if position >= 0 else None, self._name(parent), parent)

    def _know(self, frame: FrameType | None) -> None:
        """Remember the names of the arguments that are differentiated."""
        while frame is not None and frame.f_code is not _PULL:
            frame = frame.f_back
        for variable in frame.f_locals["variables"] if frame is not None else ():
            value = variable._value
            if type(value) is Recorded and value.value.name:
                self._variables.setdefault(variable._node, value.value.name)

    def _position(self, node: Node) -> int:
        return bisect_left(self._times, node.age) - 1

    def _name(self, node: Node) -> str:
        """The name of the value of a node; empty if it has none."""
        if node.primitive is None:
            return self._variables.get(node, "")
        position = self._position(node)
        made = self._values[position] if position >= 0 else None
        return made.name if type(made) is Value and made.shape == node.shape else ""

    def name(self, value: Value, origin: Origin) -> None:
        """Name a value after the one whose cotangent it is; of several, which are summed up, the last has the name."""
        if not origin.name or value.shape != origin.parent.shape:
            return
        before = self._last.get(origin.parent)
        if before is not None and before is not value:
            before.name = ""
        value.name = f"d_{origin.name}"
        self._last[origin.parent] = value
