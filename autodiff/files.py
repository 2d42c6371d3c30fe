"""Files that are written whole or not at all.

``autodiff`` and ``nn`` write every file with :func:`write`.  If something interrupts it (a full disk, Ctrl-C, the end
of the process or of the power), the path holds either the old file or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from typing import Any

ENDING = ".part"
"""How the hidden name of a file ends while it is written: only a process that was killed leaves one behind."""

ABANDONED = 3600.0
"""After so many seconds without a byte, a file with such a name is nobody's: the next write to its path removes it."""


def write(path: str | os.PathLike[str], *parts: str | bytes | memoryview, errors: str = "strict") -> None:
    """Write ``parts``, one after the other, to a file at ``path``; text in UTF-8.

    The parts are written to a hidden file in the same folder, and to the disk.  Then this file replaces the old one and
    takes over its permissions.  A link is followed.  A path that is not a regular file (``/dev/stdout``) is written
    directly.  ``errors`` says how to encode half of a surrogate pair, as in ``str.encode``.  Raises OSError that names
    ``path``.

    >>> import os, tempfile
    >>> from autodiff import files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "greeting.txt")
    ...     files.write(path, "hello ", "world")
    ...     os.listdir(folder), os.path.getsize(path)
    (['greeting.txt'], 11)
    """
    contents = [part.encode("utf-8", errors) if isinstance(part, str) else part for part in parts]
    target = os.path.realpath(path)
    try:
        mode = _mode(target)
        if mode is None:
            _fill(target, "wb", 0o666, contents)
            return
        _replace(target, mode, contents)
    except OSError as error:
        if error.errno is None:
            raise
        # the hidden name would say nothing to a user, and a full disk no name at all
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def expanded(path: str | os.PathLike[str]) -> str:
    """The path with ``~`` and ``~user`` replaced by the home folder.  Raises FileNotFoundError where there is none.

    >>> from autodiff import files
    >>> files.expanded("runs/~1")
    'runs/~1'
    """
    found = os.path.expanduser(os.fspath(path))
    if found.startswith("~") and os.path.dirname(found):
        raise FileNotFoundError(errno.ENOENT, "no home folder is known for the user it begins with", os.fspath(path))
    return found


def _mode(target: str) -> int | None:
    """The permissions for the new file: those of the old one; None if the path is not a regular file."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return 0o666  # the system takes away what the umask says
    if not stat.S_ISREG(found.st_mode):
        return None
    if not os.access(target, os.W_OK):  # renaming does not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    return stat.S_IMODE(found.st_mode)


def _replace(target: str, mode: int, contents: list[Any]) -> None:
    folder, name = os.path.split(target)
    start = f".{name[:100]}."  # a name may be as long as the system allows, and this one is longer
    _remove_abandoned(folder, start)
    draft = os.path.join(folder, f"{start}{os.urandom(6).hex()}{ENDING}")
    try:
        _fill(draft, "xb", mode, contents)
        if os.path.exists(target):
            with contextlib.suppress(OSError):  # without it, fewer may read the file, never more
                os.chmod(draft, mode)
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def _fill(path: str, how: str, mode: int, contents: list[Any]) -> None:
    """Write the file and wait until it is on the disk: otherwise the rename may reach the disk before the contents."""
    with open(path, how, opener=lambda name, flags: os.open(name, flags, mode & 0o777)) as file:
        for part in contents:
            file.write(part)
        file.flush()
        if how == "xb":
            os.fsync(file.fileno())


def _remove_abandoned(folder: str, start: str) -> None:
    """Remove the old hidden files of killed processes; a recent one may belong to another process."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if re.fullmatch(re.escape(start) + "[0-9a-f]{12}" + re.escape(ENDING), entry.name):
                with contextlib.suppress(OSError):
                    if entry.stat().st_mtime < time.time() - ABANDONED:
                        os.unlink(entry.path)
