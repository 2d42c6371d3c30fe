"""Common parts of the subcommands of ``pullback``."""

from __future__ import annotations

FAILURE = 1
USAGE = 2
INTERRUPTED = 130
UNREAD = 141  # as of a program that is ended because nobody reads its output


def said(error: Exception) -> str:
    """The file and the reason of an error of the system; else its text."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class CommandError(Exception):
    """An error that the user can fix: printed as one line, without a traceback; ``code`` is the exit code."""

    def __init__(self, message: str, code: int = FAILURE) -> None:
        super().__init__(message)
        self.code = code
