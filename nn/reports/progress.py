"""A progress line on a terminal; nothing if the stream is not a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

REFRESH = 0.1
"""Seconds between two drawings of the line: fast enough to live, too slow to cost anything."""


def on_terminal(stream: TextIO) -> bool:
    """Whether a line can be overwritten on this stream."""
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # a closed stream
        return False


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Progress:
    """A progress bar of ``total`` units, drawn on ``stream`` (default: standard error) if that is a terminal.

    Of a ``total`` of None, which is not known, the units are counted.

    ``show`` True or False overrides that.  A context manager: the line is removed when the block is left, for whatever
    reason.
    """

    def __init__(self, total: int | None, *, stream: TextIO | None = None, show: bool | None = None) -> None:
        self.total = None if total is None else max(total, 1)
        self.stream = sys.stderr if stream is None else stream
        self.shown = on_terminal(self.stream) if show is None else show
        self.started = time.perf_counter()
        self._next = self.started
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.clear()

    def update(self, done: int, describe: Callable[[], tuple[str, str]]) -> None:
        """Show that ``done`` units are done; ``describe`` (texts around the bar) is called only when it is drawn."""
        if not self.shown:
            return
        now = time.perf_counter()
        if now < self._next and (self.total is None or done < self.total):
            return
        self._next = now + REFRESH
        before, after = describe()
        if self.total is None:
            self._draw(f"{before} step {done:,}  {after}"[: self._columns() - 1])
            return
        left = (now - self.started) * (self.total - done) / done if done else 0.0
        self._draw(self._line(done / self.total, before, f"{after}  {_duration(left)} left"))

    def clear(self) -> None:
        """Remove the line, so that something else can be printed."""
        if self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError, AttributeError):
            return shutil.get_terminal_size().columns

    def _line(self, share: float, before: str, after: str) -> str:
        columns = self._columns() - 1  # a full line would wrap
        percent = f"{int(100 * share + 1e-9):3d}%"
        room = min(columns - len(before) - len(percent) - len(after) - 4, 40)
        if room < 5:
            return f"{before} {percent} {after}"[:columns]
        full = int(room * share + 1e-9)
        bar = self._signs()[0] * full + self._signs()[1] * (room - full)
        return f"{before} {bar} {percent}  {after}"

    def _signs(self) -> tuple[str, str]:
        try:
            "━┄".encode(getattr(self.stream, "encoding", None) or "ascii")
        except (UnicodeError, LookupError):
            return "#", "."
        return "━", "┄"

    def _draw(self, line: str) -> None:
        self._write("\r" + line + " " * (self._width - len(line)))
        self._width = len(line)

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # the terminal has gone; the job has not
            self.shown = False
            self._width = 0
