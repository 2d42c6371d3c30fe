"""Guards in a model, which can raise nothing: results are NaN where one does not hold, or that is an output."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exporting import LackingError
from ..instruction import Guard
from .builder import Builder, Tensor
from .elementwise import where


class Guards:
    """Whether what was decided when the program was recorded is decided so again."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        self._flags: list[Tensor] = []
        self._all: Tensor | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self._flags)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._flags)

    def add(self, guard: Guard, t: Tensor) -> None:
        """One more."""
        if guard.read == "form":
            return
        b = self.b
        if guard.read == "NaN":
            found = b.op("IsNaN", t, dtype=np.dtype(bool))
        elif guard.read == "bool":
            found = b.cast(t, bool)
        else:
            found = self._equal(guard, t)
        if guard.read in ("NaN", "bool") and not guard.expected:
            found = b.op("Not", found)
        self._flags.append(b.op("ReduceMin", b.cast(b.flat(found), np.int32), b.ints(0), keepdims=1))

    def _equal(self, guard: Guard, t: Tensor) -> Tensor:
        expected: Any = guard.expected
        if guard.read == "bytes":
            data, shape, dtype = expected
            expected = np.frombuffer(data, dtype).reshape(shape)
        expected = np.asarray(expected)
        if expected.dtype.kind not in "fiub":
            raise LackingError(f"compares with {guard.expected!r:.40}, which is no number")
        if guard.read == "int" and t.dtype.kind == "f":
            t = self.b.cast(t, np.int64)
        return self.b.op("Equal", t, self.b.constant(expected, t.dtype), dtype=np.dtype(bool))

    def together(self) -> Tensor:
        """One boolean for each."""
        if not self._flags:
            return self.b.constant(np.ones(0, bool))
        return self.b.cast(self.b.op("Concat", *self._flags, axis=0), bool)

    def poisoned(self, t: Tensor) -> Tensor:
        """A result, or NaN if one does not hold."""
        if not self._flags or t.dtype.kind != "f":
            return t
        b = self.b
        if self._all is None:
            every = b.op("ReduceMin", b.op("Concat", *self._flags, axis=0), b.ints(0), keepdims=0)
            self._all = b.cast(every, bool)
        return where(b, self._all, t, b.constant(np.nan, t.dtype))
