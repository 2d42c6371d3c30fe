"""Texts: the one that comes with the package, and those in files.

Shakespeare's sonnets and where they come from are beside this module: ``sonnets.txt`` and ``sonnets-LICENSE.txt``.
"""

from __future__ import annotations

import os
from importlib import resources

from autodiff import files


def sonnets() -> str:
    """The 154 sonnets of William Shakespeare (1609; public domain): 95,609 characters, 62 different ones.

    >>> from nn import datasets
    >>> print(datasets.sonnets()[:46])
    I
    <BLANKLINE>
    From fairest creatures we desire increase,
    <BLANKLINE>
    """
    return resources.files(__package__).joinpath("sonnets.txt").read_text(encoding="utf-8")


def read_text(path: str | os.PathLike[str]) -> str:
    """The text in a UTF-8 file, with ``\\n`` at the ends of its lines.

    Raises ValueError that names the file and the first byte that is no text.

    >>> import os, tempfile
    >>> from nn.datasets import read_text
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "book.txt")
    ...     with open(path, "wb") as file:
    ...         _ = file.write(b"one\\r\\ntwo")
    ...     read_text(path)
    'one\\ntwo'
    """
    with open(files.expanded(path), "rb") as file:
        contents = file.read()
    return decoded(os.fspath(path), contents)


def decoded(name: str, contents: bytes) -> str:
    """The text of these bytes; ``name`` is that of their file in errors."""
    try:
        text = contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{name}: byte {error.start:,} (line {line:,}) is {contents[error.start]:#04x}, which is not UTF-8; "
            "save the file as UTF-8"
        ) from None
    if "\0" in text:
        raise ValueError(f"{name}: holds the byte 0 and is no text; it is a file of another format")
    return text.replace("\r\n", "\n").replace("\r", "\n")
