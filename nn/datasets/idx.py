"""The IDX format: a magic number (type, number of axes), the lengths of the axes, the data, all big-endian.

Nothing in a file is trusted.  At most one byte more is read than the header declares, and a header that declares more
than its file can hold is refused.
"""

from __future__ import annotations

import gzip
import math
import os
import stat
import zlib
from typing import Any, NamedTuple

import numpy as np

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_TIGHTEST = 1032
"""So many bytes can one byte of a gzip file stand for, and no more."""


_PIECE = 1 << 20


class DamagedFileError(ValueError):
    """A file is damaged: cut off, changed, or of another format."""


class Header(NamedTuple):
    """The header of a file; ``name`` is its name in errors."""

    name: str
    raw: bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """The number of bytes of the data.  Python's integers, so that a damaged header cannot overflow."""
        return math.prod(self.shape) * self.dtype.itemsize

    def wrong(self, what: str) -> DamagedFileError:
        """The error for data of another length."""
        return DamagedFileError(
            f"{self.name}: {what}, and its header (shape {self.shape}, {self.dtype.name}) asks for "
            f"{len(self.raw) + self.size:,}; get it again"
        )

    def array(self, data: bytes) -> np.ndarray[Any, Any]:
        """The array of these bytes, in the machine's byte order."""
        return np.frombuffer(data, self.dtype).reshape(self.shape).astype(self.dtype.newbyteorder("="))


def _read_header(file: Any, name: str) -> Header:
    magic = file.read(4)
    if len(magic) < 4:
        raise DamagedFileError(f"{name}: {len(magic)} bytes are too few for an IDX file; get it again")
    kind, axes = magic[2], magic[3]
    if magic[:2] != b"\0\0" or kind not in _TYPES:
        raise DamagedFileError(
            f"{name}: starts with {magic.hex(' ')}, not with the magic number of an IDX file "
            "(00 00, a type, a number of axes); it is a file of another format"
        )
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise DamagedFileError(
            f"{name}: is cut off within its header ({4 + len(lengths)} bytes of {4 + 4 * axes}); get it again"
        )
    shape = tuple(int(n) for n in np.frombuffer(lengths, ">u4"))
    try:
        np.broadcast_to(np.uint8(0), shape)  # takes no memory
    except ValueError as error:
        what = f"shape {shape}" if axes < 10 else f"{axes} axes"
        raise DamagedFileError(f"{name}: its header declares {what}, which no array can have ({error})") from None
    return Header(name, magic + lengths, shape, np.dtype(_TYPES[kind]))


def contents_of(path: str | os.PathLike[str], limit: int | None = None) -> tuple[Header, bytes]:
    """The header of an IDX file, and its data; gzip is recognized by contents, not by name.

    Raises DamagedFileError if the two do not agree, and if they are larger than ``limit`` bytes.
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        packed = file.peek(2)[:2] == _GZIP
        found = os.fstat(file.fileno())
        try:
            with gzip.GzipFile(fileobj=file) if packed else file as stream:
                header = _read_header(stream, name)
                size = len(header.raw) + header.size
                if limit is not None and size > limit:
                    raise header.wrong(f"is larger than any file of this dataset ({limit:,} bytes)")
                if packed and size > _TIGHTEST * found.st_size:
                    raise header.wrong(f"is cut off: {found.st_size:,} bytes of gzip")
                data = _read_at_most(stream, header.size + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DamagedFileError(f"{name}: the gzip file is cut off or damaged ({error}); get it again") from None
    if len(data) < header.size:
        raise header.wrong(f"is cut off: {len(header.raw) + len(data):,} bytes")
    if len(data) > header.size:
        length = (
            f"{found.st_size:,} bytes" if not packed and stat.S_ISREG(found.st_mode) else f"more than {size:,} bytes"
        )
        raise header.wrong(f"has something after its end: {length}")
    return header, data


def _read_at_most(stream: Any, size: int) -> bytes:
    """This number of bytes, or all; memory is allocated for bytes that were read, not for those declared."""
    pieces = []
    while size > 0 and (piece := stream.read(min(size, _PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


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
    header, data = contents_of(path)
    return header.array(data)
