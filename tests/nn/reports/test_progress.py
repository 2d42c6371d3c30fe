"""The progress bar: on a terminal a line that fits, anywhere else nothing."""

import io
import os
import pty

import pytest

from nn.reports import progress
from nn.reports.progress import Progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time that passes only when it is told to; a terminal of 80 columns."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return now


def words():
    return "epoch 1/2", "loss 0.5000  accuracy 0.9000  1,000 examples/s"


def test_shows_how_far_it_is(clock):
    stream = Terminal()
    with Progress(4, stream=stream) as bar:
        clock[0] += 3
        bar.update(1, words)
        line = stream.getvalue()
        assert line.startswith("\repoch 1/2 ━")
        assert " 25%  loss 0.5000  accuracy 0.9000" in line
        assert line.endswith("1,000 examples/s  0:09 left")
        assert len(line) - 1 < 80
    assert stream.getvalue() == line + "\r" + " " * (len(line) - 1) + "\r"


def test_is_drawn_ten_times_a_second_at_most(clock):
    stream, asked = Terminal(), []
    with Progress(1000, stream=stream) as bar:
        for i in range(999):
            clock[0] += 0.01
            bar.update(i + 1, lambda: (asked.append(1), words())[1])
    assert 90 <= len(asked) <= 101


def test_a_shorter_line_covers_a_longer_one(clock):
    stream = Terminal()
    bar = Progress(10, stream=stream)
    bar.update(1, lambda: ("a" * 40, ""))
    clock[0] += 1
    start = len(stream.getvalue())
    bar.update(2, lambda: ("b", ""))
    assert len(stream.getvalue()) - start >= start


@pytest.mark.parametrize("columns", [1, 10, 30, 50, 79, 500])
def test_fits_any_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    Progress(4, stream=stream).update(1, words)
    assert len(stream.getvalue().lstrip("\r")) < max(columns, 2)


def test_is_quiet_where_there_is_no_terminal(monkeypatch):
    stream = io.StringIO()
    with Progress(2, stream=stream) as bar:
        bar.update(1, lambda: pytest.fail("asked for words that nobody reads"))
    assert stream.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with Progress(2, stream=stream) as bar:
        bar.update(1, words)
    assert stream.getvalue() == ""


def test_can_be_asked_for_and_refused():
    stream = io.StringIO()
    Progress(2, stream=stream, show=True).update(1, words)
    assert "50%" in stream.getvalue()
    stream = Terminal()
    Progress(2, stream=stream, show=False).update(1, words)
    assert stream.getvalue() == ""


def test_a_terminal_without_the_signs():
    stream = Terminal()
    stream.encoding = "ascii"
    Progress(2, stream=stream).update(1, words)
    assert stream.getvalue().isascii()
    assert "##" in stream.getvalue()


def test_a_terminal_that_goes_away_stops_nothing():
    stream = Terminal()
    with Progress(2, stream=stream) as bar:
        bar.update(1, words)
        stream.close()
        bar.update(2, words)
    assert not bar.shown
    closed = io.StringIO()
    closed.close()
    assert not progress.on_terminal(closed)


def test_nothing_to_do():
    stream = Terminal()
    with Progress(0, stream=stream) as bar:
        bar.update(0, words)
    assert "  0%" in stream.getvalue()


def test_a_real_terminal_tells_its_width():
    controller, terminal = pty.openpty()
    try:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        with os.fdopen(os.dup(terminal), "w", encoding="utf-8") as stream:
            Progress(2, stream=stream).update(1, words)
        line = os.read(controller, 10_000).decode()
        assert line.startswith("\repoch 1/2")
        assert len(line) - 1 < 40
    finally:
        os.close(terminal)
        os.close(controller)
