"""What the subcommands of ``pullback`` share."""

from __future__ import annotations

from importlib import metadata

FAILURE = 1
USAGE = 2
INTERRUPTED = 130
UNREAD = 141  # as of a program that is ended because nobody reads its output


class CommandError(Exception):
    """Something the user can mend: printed as one line, without a traceback; ``code`` is the exit code."""

    def __init__(self, message: str, code: int = FAILURE) -> None:
        super().__init__(message)
        self.code = code


def version() -> str:
    """The version of the installed distribution."""
    try:
        return metadata.version("pullback")
    except metadata.PackageNotFoundError:
        return "(not installed: running from a source tree)"
