"""The folder in which compiled libraries are kept: ours alone, for what lies there is executed."""

from __future__ import annotations

import contextlib
import os
import stat

from ...files import expanded


class CompileError(RuntimeError):
    """C could not be compiled or loaded here; the program runs in NumPy."""


def folder() -> str:
    """``$XDG_CACHE_HOME/pullback/c``, or ``~/.cache/pullback/c``; made where it is not there.

    Raises CompileError where it cannot be written, or where somebody else could put a library there.
    """
    try:
        path = os.path.join(os.environ.get("XDG_CACHE_HOME") or expanded("~/.cache"), "pullback", "c")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
    except OSError as error:
        raise CompileError(
            f"the folder for compiled programs cannot be made ({error}); set XDG_CACHE_HOME to another one"
        ) from None
    reason = _danger(path)
    if reason:
        raise CompileError(f"the folder for compiled programs, {path}, is not used: {reason}")
    if not os.access(path, os.W_OK):
        raise CompileError(
            f"the folder for compiled programs, {path}, cannot be written; set XDG_CACHE_HOME to another"
        )
    return path


def _danger(path: str) -> str:
    """Who else could write into the folder, in words; empty if nobody."""
    if not hasattr(os, "getuid"):  # Windows keeps a profile for its user
        return ""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        return "it is a link or a file, not a folder"
    if found.st_uid != os.getuid():
        return f"it belongs to another user ({found.st_uid}); remove it, or set XDG_CACHE_HOME to a folder of your own"
    if stat.S_IMODE(found.st_mode) & 0o077:
        return f"others may enter it (mode {stat.S_IMODE(found.st_mode):o}); chmod 700 it after a look at what is there"
    above = os.path.dirname(os.path.realpath(path))
    while above != os.path.dirname(above):
        mode = os.stat(above).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"everybody may replace it (mode {stat.S_IMODE(mode):o} of {above}); set XDG_CACHE_HOME to another"
        above = os.path.dirname(above)
    return ""


def is_ours(path: str) -> bool:
    """Whether a library in the folder is a file that we have written."""
    found = os.lstat(path)
    return stat.S_ISREG(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
