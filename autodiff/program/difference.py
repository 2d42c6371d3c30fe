"""The difference of two programs, in words: what a function does otherwise than when it was recorded."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import numpy as np

from .instruction import Guard, Instruction, Value, same
from .program import Program
from .signature import Leaf, nesting_of


def difference(old: Program, new: Program) -> str | Guard | None:
    """What one program does otherwise than another, in words; None if nothing; the guard if a value decided that."""
    return _Comparison(old, new).difference()


class _Comparison:
    """Two programs side by side, and which values of one are which of the other."""

    def __init__(self, old: Program, new: Program) -> None:
        self.old, self.new = old, new
        self.numbers = _given(old), _given(new)
        self._next = 0

    def difference(self) -> str | Guard | None:
        """The first difference."""
        for position, (one, two) in enumerate(zip(self.old.instructions, self.new.instructions, strict=False)):
            found = self._of_calls(one, two, position)
            if found is not None:
                return found
            for first, second in zip_longest(one.results, two.results):
                self._next += 1
                self.numbers[0][first] = self.numbers[1][second] = self._next
        return self._of_ends()

    def _of_calls(self, one: Instruction, two: Instruction, position: int) -> str | Guard | None:
        where = "" if one.line is None else f" at {one.line.file}:{one.line.number}"
        guard: Any = one.function
        other: Any = two.function
        if isinstance(guard, Guard) and isinstance(other, Guard) and guard.read == other.read:
            if not self.agree(one.args, two.args):
                return f"another value decides{where} than when it was recorded"
            return None if same(guard.expected, other.expected) else guard
        if one.function == two.function and one.errors == two.errors:
            if self.agree(one.args, two.args) and self.agree(one.kwargs, two.kwargs):
                return None
            for x, y in zip(_flat([one.args, one.kwargs]), _flat([two.args, two.kwargs]), strict=False):
                if type(x) is not Value and type(y) is not Value and not _are_equal(x, y):
                    return _changed(f"the number {x!r}{where}", y)
        return f"it does something else{where} than when it was recorded (call {position}), and nothing shows why"

    def _of_ends(self) -> str | None:
        """The difference in what is returned, and left."""
        old, new = self.old, self.new
        if len(old.instructions) != len(new.instructions):
            return f"it makes {len(new.instructions)} calls, and made {len(old.instructions)} when it was recorded"
        if _nesting(old) != _nesting(new):
            return "it returns another nesting than when it was recorded"
        for one, two in zip(old.outputs, new.outputs, strict=True):
            if not self.agree(one, two):
                return self._other("a part of the result", one, two)
        for slot, other in zip_longest(*[sorted(p.writes, key=lambda s: s.places[0].path) for p in (old, new)]):
            if slot is None or other is None or slot.places[0].path != other.places[0].path:
                return "it leaves something in other places than when it was recorded"
            if not self.agree(slot.value, other.value):
                return self._other(f"what it leaves in {slot.places[0].path}", slot.value, other.value)
        return None

    def _other(self, what: str, one: Any, two: Any) -> str:
        first, second = (
            (program.constants.get(value) if type(value) is Value else value)
            for program, value in ((self.old, one), (self.new, two))
        )
        return (
            f"{what} is another value of the program than when it was recorded"
            if first is None or second is None
            else _changed(f"{what}, {first!r:.60}, ", second)
        )

    def agree(self, one: Any, two: Any) -> bool:
        """Whether two arguments are the same: the same value of the program, or constants of the same bits."""
        kind = type(one)
        if kind is not type(two):
            return False
        if kind is Value:
            first, second = self.old.constants.get(one), self.new.constants.get(two)
            if first is None or second is None:
                return first is second and self.numbers[0].get(one, 0) == self.numbers[1].get(two, 0)
            return first.shape == second.shape and _are_equal(first, second)
        if kind is dict:
            return one.keys() == two.keys() and all(self.agree(one[key], two[key]) for key in one)
        if isinstance(one, tuple | list):
            return len(one) == len(two) and all(map(self.agree, one, two))
        if kind is slice:
            return self.agree((one.start, one.stop, one.step), (two.start, two.stop, two.step))
        return _are_equal(one, two)


def _given(program: Program) -> dict[Value, Any]:
    """The values that a program is given, by position and by place."""
    return {v: f"input {n}" for n, v in enumerate(program.inputs)} | {s.value: s.places[0].path for s in program.reads}


def _changed(what: str, now: Any) -> str:
    return (
        f"{what} is a constant of the program, and is {now!r:.60} now; pass it as an argument, or keep it where it is "
        "looked at (in a closure, a global, an attribute)"
    )


def _are_equal(one: Any, two: Any) -> bool:
    """Whether two constants have the same bits."""
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return bool(one.dtype == two.dtype and one.tobytes() == two.tobytes())
    return bool(one == two and repr(one) == repr(two)) or bool(one != one and two != two)


def _nesting(program: Program) -> Any:
    return nesting_of(program.nested([Leaf] * len(program.outputs)))


def _flat(structure: Any) -> list[Any]:
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, tuple | list):
        return [leaf for part in structure for leaf in _flat(part)]
    return [structure]
