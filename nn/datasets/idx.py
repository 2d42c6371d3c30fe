"""The IDX format: a magic number that says type and number of axes, their lengths, then the data, big-endian."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from typing import Any

import numpy as np

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


class DamagedFileError(ValueError):
    """A file is not what its name says: cut off, changed, or of another format."""


def unpacked(path: str | os.PathLike[str]) -> bytes:
    """The contents of a file, unpacked if it is a gzip file, whatever its name.

    Raises DamagedFileError if the packed file is cut off or changed.
    """
    with open(path, "rb") as file:
        contents = file.read()
    if not contents.startswith(_GZIP):
        return contents
    try:
        return gzip.decompress(contents)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedFileError(f"{path}: the gzip file is cut off or damaged ({error}); get it again") from None


def parse_idx(contents: bytes, name: str) -> np.ndarray[Any, Any]:
    """The array in the bytes of an unpacked IDX file; ``name`` is what to call it in an error."""
    if len(contents) < 4:
        raise DamagedFileError(f"{name}: {len(contents)} bytes are too few for an IDX file; get it again")
    zeros, kind, axes = contents[:2], contents[2], contents[3]
    if zeros != b"\0\0" or kind not in _TYPES:
        raise DamagedFileError(
            f"{name}: starts with {contents[:4].hex(' ')}, not with the magic number of an IDX file "
            "(00 00, a type, a number of axes); it is a file of another format"
        )
    start = 4 + 4 * axes
    if len(contents) < start:
        raise DamagedFileError(f"{name}: is cut off within its header ({len(contents)} bytes of {start}); get it again")
    shape = tuple(int(n) for n in np.frombuffer(contents, ">u4", axes, 4))
    dtype = np.dtype(_TYPES[kind])
    expected = start + math.prod(shape) * dtype.itemsize  # Python's integers: a damaged header cannot overflow
    if len(contents) != expected:
        what = "is cut off" if len(contents) < expected else "has something after its end"
        raise DamagedFileError(
            f"{name}: {what}: {len(contents):,} bytes, and its header (shape {shape}, {dtype.name}) asks for "
            f"{expected:,}; get it again"
        )
    return np.frombuffer(contents, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def read_idx(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """The array in an IDX file, gzip or not, in the machine's byte order.

    Raises DamagedFileError, with the file's name and what is wrong with it.

    >>> import os, tempfile
    >>> from nn.datasets import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels")
    ...     with open(path, "wb") as file:
    ...         _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path).tolist()
    [5, 0, 4]
    """
    return parse_idx(unpacked(path), os.fspath(path))
