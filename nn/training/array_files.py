"""Several .npy files as one array, of which no more than what is asked for is in memory."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["ArrayFiles"]

Array = Any
OPEN = 32
"""So many files are open at a time: a process may have about a thousand."""


class ArrayFiles:
    """The arrays of several ``.npy`` files, one after the other along the first axis.

    ``shape`` and ``dtype`` are those of the whole, ``len`` counts examples.  ``files[2:5]`` and ``files[[7, 3]]`` read
    those examples.  Raises ValueError that names the file whose examples have another shape or dtype, or that is no
    such file.

    >>> import os, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = [os.path.join(folder, f"{i}.npy") for i in range(2)]
    ...     np.save(paths[0], np.arange(3))
    ...     np.save(paths[1], np.arange(3, 5))
    ...     x = ArrayFiles(paths)
    ...     print(len(x), x[1:4], x[[4, 0]])
    5 [1 2 3] [4 0]
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        if isinstance(paths, str | os.PathLike):
            raise TypeError("ArrayFiles: got one path; pass a list of paths")
        self.paths: list[str] = [os.path.expanduser(os.fspath(path)) for path in paths]
        if not self.paths:
            raise ValueError("ArrayFiles: there are no files")
        heads = [_head(path) for path in self.paths]
        self.dtype: Any
        shape, self.dtype = heads[0]
        for path, (other, dtype) in zip(self.paths, heads, strict=True):
            if other[1:] != shape[1:] or dtype != self.dtype:
                raise ValueError(
                    f"ArrayFiles: examples of {path} have shape {other[1:]} and dtype {dtype}, those of "
                    f"{self.paths[0]} {shape[1:]} and {self.dtype}"
                )
        self._starts = np.cumsum([0, *(head[0][0] for head in heads)])
        self.shape: tuple[int, ...] = (int(self._starts[-1]), *shape[1:])
        self._open: OrderedDict[int, Array] = OrderedDict()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Array:
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        chosen = np.asarray(index)
        return self.take(chosen[None])[0] if chosen.ndim == 0 else self.take(chosen)

    def take(self, indices: Any, axis: int = 0) -> Array:
        """The examples at these positions, in this order, as a new array; each file is read once."""
        chosen = np.asarray(indices)
        if axis != 0 or chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            if chosen.size or axis != 0 or chosen.ndim != 1:
                raise IndexError("ArrayFiles: examples are chosen by a slice, a number, or a list of numbers")
            chosen = chosen.astype(int)
        if chosen.size and not (-len(self) <= chosen.min() and chosen.max() < len(self)):
            raise IndexError(f"ArrayFiles: example {chosen.max()} of {len(self)}")
        chosen = np.where(chosen < 0, chosen + len(self), chosen)
        found = np.empty((len(chosen), *self.shape[1:]), self.dtype)
        files = np.searchsorted(self._starts, chosen, side="right") - 1
        for number in np.unique(files):
            here = np.flatnonzero(files == number)
            found[here] = self._array(int(number))[chosen[here] - self._starts[number]]
        return found

    def _array(self, number: int) -> Array:
        """The array of a file, mapped."""
        array = self._open.pop(number, None)
        if array is None:
            while len(self._open) >= OPEN:
                self._open.popitem(last=False)
            array = np.load(self.paths[number], mmap_mode="r", allow_pickle=False)
        self._open[number] = array
        return array

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_open": OrderedDict()}

    def __repr__(self) -> str:
        return f"ArrayFiles({len(self.paths)} files, shape {self.shape}, {self.dtype})"


def _head(path: str) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype of the array in a file, of which nothing else is read."""
    with open(path, "rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
        except ValueError as error:
            raise ValueError(f"ArrayFiles: {path} is no .npy file ({error})") from None
        if dtype.hasobject:
            raise ValueError(f"ArrayFiles: {path} holds Python objects, which are not read")
        if not shape:
            raise ValueError(f"ArrayFiles: {path} holds a single number; it needs a first axis, one entry an example")
        size, there = dtype.itemsize, os.fstat(file.fileno()).st_size - file.tell()
        for length in shape:
            size *= length
        if there < size:
            raise ValueError(f"ArrayFiles: {path} is damaged: {there} of {size} bytes are there")
    return shape, dtype
