"""Scans: a loop over slices, or over numbers, step by step or a few steps at a time."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..mode import current, is_recording
from ..unrecorded import no_grad
from .carries import Carry, Slices, Stack, joined
from .checkpointing import checkpoint as checkpointed
from .parts import Kept, Kind
from .rollers import TRIES, rollers


class Counting(Slices):
    """The numbers from one to another in the place of slices."""

    def __init__(self, first: int, last: int) -> None:
        self.leaves, self.length, self.first = [], last - first, first

    def part(self, start: int, stop: int) -> list[Any]:
        """What says where a part begins."""
        return [start]

    def steps(self, leaves: Any) -> Callable[[int], Any]:
        """The number at a position of a part."""
        start = self.first + leaves[0]
        return lambda i: start + i


class Scan:
    """A loop over slices."""

    def __init__(
        self, who: str, function: str, kind: Kind, f: Callable[[Any, Any], Any], slices: Slices, reverse: bool
    ) -> None:
        self.who, self.function, self.kind = who, function, kind
        self.f, self.slices, self.reverse = f, slices, reverse

    def run(self, init: Any, checkpoint: Any, generators: list[Any]) -> Any:
        """The last carry, and the stacked ys."""
        count = self.slices.length
        size = segment(self.who, checkpoint, count)
        if not count:
            return init, self._none(init)
        call = functools.partial(self._whole, init, size, generators)
        return Kept().one_node(self.kind, call, current()) if is_recording() else call()

    def _none(self, init: Any) -> Any:
        """The ys of no steps."""
        stack = Stack(self.who)
        if type(self.slices) is Counting:
            return None
        with no_grad(), np.errstate(all="ignore"):
            stack.add(self._step(init, self.slices.example(), 0, Carry(self.who, self.function, init))[1], 0)
        return stack.nothing()

    def _whole(self, init: Any, size: int | None, generators: list[Any]) -> Any:
        count = self.slices.length
        carry = Carry(self.who, self.function, init)
        if size is None:
            return self._some(carry, init, self.slices.part(0, count), 0, count)
        bounds = [(n, min(n + size, count)) for n in range(0, count, size)]
        found = []
        for start, stop in reversed(bounds) if self.reverse else bounds:
            some = functools.partial(self._some, carry)
            init, ys = checkpointed(some, rng=generators)(init, self.slices.part(start, stop), start, stop)
            found.append(ys)
        return init, joined(found, self.reverse)

    def _some(self, carry: Carry, value: Any, leaves: list[Any], start: int, stop: int) -> Any:
        """Some of the steps."""
        at, stack = self.slices.steps(leaves), Stack(self.who)
        positions = range(stop - start)
        marks: list[int] = []
        if rollers:
            value = rollers[0].prepared(value)
        for n, i in enumerate(reversed(positions) if self.reverse else positions):
            rolled = None
            if rollers and n <= TRIES:
                marks.append(rollers[0].position())
                rolled = (
                    self._rolled(carry, value, leaves, start, range(i, stop - start), slice(*marks[-2:])) if n else None
                )
            if rolled is None:
                value, y = self._step(value, at(i), start + i, carry)
            else:
                value, y, done = rolled
                if done:
                    return value, joined([stack.stacked(self.reverse), y], self.reverse)
            stack.add(y, start + i)
        return value, stack.stacked(self.reverse)

    def _rolled(self, carry: Carry, value: Any, leaves: list[Any], start: int, rest: range, before: slice) -> Any:
        """The rest of the steps, recorded as a loop; one step and False, or None, if that is not done."""
        if type(self.slices) is not Slices:
            return None
        i = rest.start
        xs = [leaf[: i + 1] if self.reverse else leaf[i:] for leaf in leaves]
        step = functools.partial(self._step, step=start + i, carry=carry)
        count = i + 1 if self.reverse else len(rest)
        return rollers[0].rolled(step, value, self.slices.nested(xs), count, self.reverse, before)

    def _step(self, value: Any, x: Any, step: int, carry: Carry) -> Any:
        """One step."""
        try:
            made = self.f(value, x)
        except Exception as error:
            error.add_note(f"in step {step} of {self.who} (of {self.slices.length}, counted from 0)")
            raise
        if not (isinstance(made, tuple) and len(made) == 2):
            raise TypeError(f"{self.who}: f must return a pair, (carry, y); it returned a {type(made).__name__}")
        return carry.taken(made[0], step), made[1]


def segment(who: str, checkpoint: Any, count: int) -> int | None:
    """How many steps are computed again at a time; None if all are kept."""
    if checkpoint is None or checkpoint is False:
        return None
    if checkpoint is True:
        return max(1, math.isqrt(count))
    if isinstance(checkpoint, int | np.integer) and checkpoint > 0:
        return int(checkpoint)
    raise TypeError(f"{who}: checkpoint must be True, False, or a number of steps from 1 on; got {checkpoint!r:.60}")
