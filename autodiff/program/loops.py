"""Loops of a program: one call whose function runs a program of its own for each step, and the loop back."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .backends import NUMPY
from .difference import difference
from .instruction import FORWARD, Instruction, Value
from .looping import backward_text, forward_text, repeat_text
from .passes import cleaned
from .program import Program
from .replay import Replay
from .scalars import LevelReplay, replay_of

Array = Any


class _Looping:
    """What runs a program of its own for each step."""

    __name__: str
    backend = NUMPY

    def _body(self) -> Program:
        raise NotImplementedError

    @functools.cached_property
    def body(self) -> Program:
        """One step as a program."""
        return self._body()

    @functools.cached_property
    def _run(self) -> Replay | LevelReplay:
        return replay_of(self.body, self.backend)

    def in_backend(self, backend: str) -> _Looping:
        """The same loop, whose steps are run in a backend."""
        made = copy.copy(self)
        made.backend = backend
        vars(made).pop("_run", None)
        return made

    @property
    def calls(self) -> int:
        """How many calls of a step C makes."""
        return self._run.calls_in_c

    def accept(self, visitor: Any, instruction: Instruction) -> Any:
        """Hand itself to what makes something else of loops, which has a method for each kind of them."""
        raise NotImplementedError


class Loop(_Looping):
    """The steps of a scan: ``loop(*carry, *xs, *free)`` is the last carry, the stacked ys, and what steps have saved.

    ``steps`` are the calls of one step, in which ``carry``, ``slices`` and ``free`` are given, and ``left`` and ``ys``
    are made; ``kept`` is what the loop back needs of each step.
    """

    __name__ = "scan"
    is_counted = True
    """Whether the number of steps is known."""

    def __init__(
        self, carry: Sequence[Value], slices: Sequence[Value], free: Sequence[Value], steps: Sequence[Instruction],
        left: Sequence[Value], ys: Sequence[Value], count: int, reverse: bool,
    ) -> None:  # fmt: skip
        self.carry, self.slices, self.free = list(carry), list(slices), list(free)
        self.steps, self.left, self.ys = [replace(i, phase=FORWARD) for i in steps], list(left), list(ys)
        self.count, self.reverse = count, reverse
        self.kept: list[Value] = []
        self.has_back = False
        """Whether there is a loop back, which makes as many steps."""

    def _body(self) -> Program:
        given, outputs = [*self.carry, *self.slices, *self.free], [*self.left, *self.ys, *self.kept]
        return _program(self.__name__, given, self.steps, outputs)

    @property
    def order(self) -> range:
        """The positions, in the order of the steps."""
        return range(self.count - 1, -1, -1) if self.reverse else range(self.count)

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        size, width, run = len(self.carry), len(self.slices), self._run
        now = list(args[:size])
        arrays, free = args[size : size + width], args[size + width :]
        rows: list[Any] = []
        saved: list[Any] = []
        end = size + len(self.ys)
        for i in self.order:
            made = run([*now, *[a[i] for a in arrays], *free])
            now = made[:size]
            rows.append(made[size:end])
            saved.append(made[end:])
        return *now, *stacked(rows, len(self.ys), self.reverse), saved

    def text(self, instruction: Instruction, out: Any) -> str:
        """The loop as statements."""
        return forward_text(self, instruction, out)

    def accept(self, visitor: Any, instruction: Instruction) -> Any:
        """Hand itself over."""
        return visitor.forward(self, instruction)

    def _same(self, other: Any) -> bool:
        mine = (len(self.carry), len(self.ys), self.count, self.reverse)
        theirs = (len(other.carry), len(other.ys), other.count, other.reverse)
        return mine == theirs and difference(self.body, other.body) is None

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is type(self) and self._same(other))

    def __hash__(self) -> int:
        return hash((type(self), self.count, self.reverse, len(self.steps)))


class Repeat(Loop):
    """The steps of a while loop: ``loop(*carry, *free)`` is the last carry, and what steps have saved.

    The first ``size`` of the ``steps`` compute ``holds``, the condition; ``most`` is how many steps there may be, and
    what is said of more.  ``count`` is how many there were when it was recorded.
    """

    __name__ = "while_loop"
    is_counted = False

    def __init__(
        self, carry: Sequence[Value], free: Sequence[Value], steps: Sequence[Instruction], left: Sequence[Value],
        size: int, holds: Value, most: tuple[int, str] | None,
    ) -> None:  # fmt: skip
        super().__init__(carry, (), free, steps, left, (), 0, False)
        self.size, self.holds, self.most = size, holds, most

    @functools.cached_property
    def test(self) -> Program:
        """The condition as a program."""
        return _program("condition", [*self.carry, *self.free], self.steps[: self.size], [self.holds])

    @functools.cached_property
    def _holds(self) -> Replay | LevelReplay:
        return replay_of(self.test)

    def check(self, count: int) -> None:
        """Raise RuntimeError if another step is one too many."""
        if self.most is not None and count >= self.most[0]:
            raise RuntimeError(self.most[1])

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        size, run, holds = len(self.carry), self._run, self._holds
        now, free = list(args[:size]), args[size:]
        saved: list[Any] = []
        while holds([*now, *free])[0]:
            self.check(len(saved))
            made = run([*now, *free])
            now = made[:size]
            saved.append(made[size:])
        return *now, saved

    def text(self, instruction: Instruction, out: Any) -> str:
        """The loop as statements."""
        return repeat_text(self, instruction, out)

    def accept(self, visitor: Any, instruction: Instruction) -> Any:
        """Hand itself over."""
        return visitor.repeat(self, instruction)

    def _same(self, other: Any) -> bool:
        return (
            self.most == other.most
            and difference(self.test, other.test) is None
            and difference(self.body, other.body) is None
        )

    def __hash__(self) -> int:
        return hash((Repeat, len(self.steps)))

    __eq__ = Loop.__eq__


def _program(name: str, given: list[Value], steps: Sequence[Instruction], outputs: list[Value]) -> Program:
    """Some calls as a program of their own."""
    return cleaned(Program(name, tuple(given), given, (), (), {}, steps, outputs, tuple))


def stacked(rows: list[list[Any]], width: int, reverse: bool) -> list[Array]:
    """The results of all steps, along a new first axis, in the order of the slices."""
    rows = rows[::-1] if reverse else rows
    return [np.stack([row[n] for row in rows]) for n in range(width)]


class Back(_Looping):
    """The loop back: ``back(*cotangents of the carry, *sums, *gys, saved, *free)``.

    It gives the cotangents of the first carry, the sums of the cotangents of what the body closes over, and the stacked
    cotangents of the slices.
    """

    __name__ = "scan_back"

    def __init__(
        self, loop: Loop, carry: Sequence[Value], gys: Sequence[Value], used: Sequence[Value], free: Sequence[Value],
        steps: Sequence[Instruction], left: Sequence[Value], dxs: Sequence[Value],
    ) -> None:  # fmt: skip
        self.loop, self.carry, self.gys, self.used, self.free = loop, list(carry), list(gys), list(used), list(free)
        self.steps, self.left, self.dxs = [replace(i, phase=FORWARD) for i in steps], list(left), list(dxs)
        loop.kept += [value for value in used if value not in loop.kept]
        loop.has_back = True

    def _body(self) -> Program:
        given = [*self.carry, *self.gys, *self.used, *self.free]
        return _program(self.__name__, given, self.steps, [*self.left, *self.dxs])

    @property
    def places(self) -> list[int]:
        """Where what is used stands among what the steps have kept."""
        return [self.loop.kept.index(value) for value in self.used]

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        size, run, places = len(self.carry), self._run, self.places
        now, gys = list(args[:size]), args[size : size + len(self.gys)]
        saved, free = args[size + len(gys)], args[size + len(gys) + 1 :]
        rows: list[Any] = []
        order = range(len(saved)) if self.loop.reverse else range(len(saved) - 1, -1, -1)
        for i, kept in zip(order, reversed(saved), strict=True):
            made = run([*now, *[g[i] for g in gys], *[kept[n] for n in places], *free])
            now = made[:size]
            rows.append(made[size:])
        return *now, *stacked(rows, len(self.dxs), not self.loop.reverse)

    def text(self, instruction: Instruction, out: Any) -> str:
        """The loop as statements."""
        return backward_text(self, instruction, out)

    def accept(self, visitor: Any, instruction: Instruction) -> Any:
        """Hand itself over."""
        return visitor.backward(self, instruction)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(other) is Back
            and self.loop == other.loop
            and self.places == other.places
            and difference(self.body, other.body) is None
        )

    def __hash__(self) -> int:
        return hash((Back, len(self.steps), hash(self.loop)))
