"""Audits: a program is run, what it has changed is taken back, and the function itself must do the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tree import flatten
from .exclusion import OccupiedError
from .instruction import EMPTY, same
from .path import Path
from .undoing import copied, put_back

Array = Any


class Audit:
    """What a program does with arguments, and then a function: results, arrays that are written, places."""

    def __init__(self, path: Path, given: Sequence[Any]) -> None:
        self._path, self._given = path, given
        program = path.program
        self.places = [place for slot in program.writes for place in slot.places]
        self._written = [
            holder for n, holder in enumerate((*given, *[s.places[0].read() for s in program.reads]))
            if n in path.changed
        ]  # fmt: skip

    def rehearse(self) -> None:
        """Run the program, keep what it did, and take it back."""
        before = [copied(holder) for holder in self._written]
        held = [place.now for place in self.places]
        try:
            self._outputs = [copied(leaf) for leaf in self._path.replay.exactly(self._given)]
            self._left = self._state()
            self._take_back(before, held)
        except BaseException:
            self._take_back(before, held)
            raise

    def _take_back(self, before: list[Any], held: list[Any]) -> None:
        for holder, value in zip(self._written, before, strict=True):
            put_back(holder, value)
        for place, value in zip(self.places, held, strict=True):
            place.write(value)

    def agrees(self, result: Any, *, rounding: bool = False) -> bool:
        """Whether the function, which was called now, did the same: to the last bit, or but for ``rounding``."""
        leaves = [leaf._value if isinstance(leaf, Tensor) else leaf for leaf in flatten(result)[0]]
        ones, others = [*self._outputs, *self._left], [*leaves, *self._state()]
        alike = _is_near if rounding else _is_same
        return len(ones) == len(others) and all(map(alike, ones, others))

    def _state(self) -> list[Any]:
        """What is in the arrays and in the places now."""
        return [copied(holder) for holder in self._written] + [copied(place.left) for place in self.places]


def _is_same(one: Any, other: Any) -> bool:
    """Whether two results have the same bits; one NaN is as good as another."""
    if isinstance(one, np.ndarray | np.generic):
        if type(one) is not type(other) or one.shape != other.shape or one.dtype != other.dtype:
            return False
        return one.tobytes() == other.tobytes() or bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    if isinstance(one, dict):
        return repr(one) == repr(other)  # the state of a generator
    try:
        return one is other or same(one, other)
    except Exception:  # what cannot be compared
        return False


def _is_near(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or not isinstance(one, np.ndarray | np.inexact | float | complex):
        return _is_same(one, other)
    if np.shape(one) != np.shape(other) or np.result_type(one).kind not in "fc":
        return _is_same(one, other)
    near = float(np.sqrt(np.finfo(np.result_type(one)).eps))
    return bool(np.allclose(one, other, rtol=near, atol=near * float(np.max(np.abs(one), initial=0)), equal_nan=True))


def rehearsed(path: Path, given: Sequence[Any]) -> Audit | None:
    """A program that was run, and all is as before; None if it does not fit, and the function takes another way."""
    if not path.fits():
        return None
    audit = Audit(path, given)
    if any(place.now is EMPTY for place in audit.places):  # which could not be emptied again
        return None
    try:
        audit.rehearse()
    except OccupiedError:
        raise
    except Exception:  # the function itself raises the same, or goes on in another way
        return None
    return audit
