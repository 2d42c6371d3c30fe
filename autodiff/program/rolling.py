"""Rolling: a loop that is recorded once, as a loop.

The first step is recorded as it is.  One more is recorded, on what the first one has left: if it leaves the same form
again, it is the body of the loop, and the other steps are computed by it.  If anything speaks against that, what was
recorded is a step as any other, and the loop goes on step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import tick
from ..mode import current
from ..tensor import Tensor
from ..transforms.calling import alias
from ..transforms.rollers import Repeated, register_roller
from ..tree import flatten
from .carried import Carried, is_active, prepared_leaf, recorded_leaf
from .instruction import FORWARD, Guard, Instruction, PathError, Value, values_in
from .loops import Back, Loop, Repeat, stacked
from .recorded import CaptureError, Recorded
from .recording import Recording, current_recording
from .rolled import Rolled
from .tracing import Traced, compute, does_the_same

FEWEST = 3
"""Steps that are worth a loop."""


def _recording() -> Recording | None:
    """The recording that loops are rolled in."""
    recording = current_recording()
    if recording is None or recording.closed or type(recording) is not Recording or current() is not None:
        return None
    return recording


class _Roller:
    """What a loop asks while a function is recorded."""

    def position(self) -> int:
        """How many calls are recorded so far."""
        recording = current_recording()
        return 0 if recording is None else len(recording.instructions)

    def is_recording(self) -> bool:
        """Whether a function is recorded now."""
        return _recording() is not None

    def prepared(self, carry: Any) -> Any:
        """The carry with its numbers and constants recorded."""
        recording = _recording()
        if recording is None:
            return carry
        leaves, unflatten = flatten(carry)
        return unflatten([prepared_leaf(leaf, recording) for leaf in leaves])

    def rolled(self, f: Callable[..., Any], carry: Any, xs: Any, count: int, reverse: bool, before: slice) -> Any:
        """The last carry, the stacked ys, and True; what one step makes, and False; or None."""
        recording = _recording()
        if recording is None or count < FEWEST:
            return None
        carried = Carried(carry, recording)
        scanning = _Scanning(recording, carried, f, xs, count, reverse)
        return scanning.run(recording.instructions[before]) if carried.is_recorded and scanning.is_recorded else None

    def repeated(
        self, test: Callable[[Any], Any], body: Callable[[Any], Any], before: Any, value: Any, made: slice, most: Any
    ) -> Repeated | None:
        """The last value of a while loop, or that after one step; or None."""
        recording = _recording()
        if recording is None:
            return None
        carried = Carried(value, recording)
        return _Repeating(recording, carried, test, body, most).run(before, made) if carried.is_recorded else None


register_roller(_Roller())


class _Rolling:
    """A loop of which one step is recorded."""

    def __init__(self, recording: Recording, carried: Carried) -> None:
        self.recording, self.carried = recording, carried
        self.begin = tick()
        carried.begin()

    def trace(self, call: Callable[[], Any]) -> Any:
        """What a call makes, whose calls are recorded apart."""
        with Traced(self.recording) as self.traced:
            return call()

    def ended(
        self, loop: Loop, start: Carried, whole: Sequence[Any], envs: list[dict[Value, Any]], made: list[Any], held: Any
    ) -> Rolled:
        """The loop as one call of the program; ``held`` is what it gives."""
        self.traced.cut()
        results = [self.recording.new(h) for h in held]
        saved = Value((), None, list, "saved")
        args = (*[g.value for g in start.given], *[w.value for w in whole], *loop.free)
        line = next((i.line for i in self.traced.steps if i.line is not None), None)
        call = Instruction(
            loop, args, {}, (*[r.value for r in results], saved), self.traced.generators, line, FORWARD
        )  # fmt: skip
        self.recording.instructions.append(call)
        return Rolled(self.recording, self.traced, loop, envs, saved, made, results)

    def known(self, loop: Loop, *more: Recorded) -> dict[Value, Any] | None:
        """What is held by the names in the step; None if that is not known of each."""
        known = self.traced.held | {r.value: r.held for r in (*self.carried.names, *more)}
        return known if all(v in known for v in loop.free) else None


class _Scanning(_Rolling):
    """A scan."""

    def __init__(self, recording: Recording, carried: Carried, f: Any, xs: Any, count: int, reverse: bool) -> None:
        self.f, self.count, self.reverse = f, count, reverse
        self.arrays, self.slice_of = flatten(xs)
        self.whole = [recorded_leaf(leaf, recording) for leaf in self.arrays]
        self.is_recorded = all(w is not None for w in self.whole)
        if carried.is_recorded and self.is_recorded:
            super().__init__(recording, carried)

    def run(self, before: list[Instruction]) -> Any:
        """The result of all steps, or of one."""
        at = self.count - 1 if self.reverse else 0
        rows = [
            alias(leaf[at]) if is_active(leaf) else w[at] for leaf, w in zip(self.arrays, self.whole, strict=True)
        ]  # each slice is recorded: that is what one step needs
        slices = [row._value if isinstance(row, Tensor) else row for row in rows]
        if any(type(s) is not Recorded for s in slices):
            return None
        made = self.trace(lambda: self.f(self.carried.value(), self.slice_of(list(rows))))
        found = self._loop(made, slices, before)
        if found is None:
            self.carried.name_at(self.traced.start)
            return *made, False
        loop, envs = found
        left, (ys, unflatten_ys) = flatten(made[0])[0], flatten(made[1])
        stack = [[env[v] for v in loop.ys] for env in envs]
        held = [*[envs[-1][v] for v in loop.left], *stacked(stack, len(loop.ys), self.reverse)]
        part = self.ended(loop, self.carried, self.whole, envs, [*left, *ys], held)
        outputs = part.linked(self.carried, self.carried, self._again, rows, self.arrays, self.begin)
        return self.carried.unflatten(outputs[: len(left)]), unflatten_ys(outputs[len(left) :]), True

    def _loop(self, made: Any, slices: list[Recorded], before: list[Instruction]) -> Any:
        """The loop, and what was held in each step; None if the step is not the body of one."""
        recording, traced, carried = self.recording, self.traced, self.carried
        after, ys = Carried(made[0], recording), [recorded_leaf(leaf, recording) for leaf in flatten(made[1])[0]]
        if not after.is_recorded or any(y is None for y in ys) or not traced.keeps_to_itself():
            return None
        if not after.has_form_of(carried) or not does_the_same(before, traced.steps, recording):
            return None
        outs, loop_ys, rows = [r.value for r in after.given], [y.value for y in ys], [s.value for s in slices]
        free = traced.free({*carried.values, *rows}, [*outs, *loop_ys])
        loop = Loop(carried.values, rows, free, traced.steps, outs, loop_ys, self.count, self.reverse)
        known = self.known(loop, *after.given, *slices, *ys)
        envs = None if known is None else self._others(loop, known)
        return None if envs is None else (loop, envs)

    def _others(self, loop: Loop, known: dict[Value, Any]) -> Any:
        """What was held in each step; None if another step goes another way."""
        envs = [known]
        for i in list(loop.order)[1:]:
            env = dict(known)
            env.update(zip(loop.carry, [envs[-1][v] for v in loop.left], strict=True))
            env.update(zip(loop.slices, [w.held[i] for w in self.whole], strict=True))
            if not _computed(self.traced, self.traced.steps, env, "scan"):
                return None
            envs.append(env)
        return envs

    def _again(self) -> list[Any]:
        """The outputs, computed step by step."""
        carry, ys = self.carried.unflatten(list(self.carried.leaves)), []
        for i in range(self.count)[:: -1 if self.reverse else 1]:
            carry, y = self.f(carry, self.slice_of([a[i] for a in self.arrays]))
            ys.append(flatten(y)[0])
        ys = ys[::-1] if self.reverse else ys
        return [*flatten(carry)[0], *[np.stack(column) for column in zip(*ys, strict=True)]]


class _Repeating(_Rolling):
    """A while loop."""

    def __init__(self, recording: Recording, carried: Carried, test: Any, body: Any, most: Any) -> None:
        self.test, self.body, self.most = test, body, most
        self.size = 0
        """How many calls the condition makes."""
        super().__init__(recording, carried)

    def run(self, before: Any, where: slice) -> Repeated:
        """The value after all steps, or after one."""
        now, made = self.trace(self._step)
        holds = bool(now.held if type(now) is Recorded else now)
        found = self._loop(now, made, before, where) if holds else None
        if found is None:
            return self._one(now, made, holds)
        loop, start, envs, end = found
        self.start = start
        if start is not self.carried:
            self.traced.start = where.start  # the step before is a step of the loop
        part = self.ended(loop, start, (), envs, flatten(made)[0], end)
        outputs = part.linked(self.carried, start, self._again, (), (), self.begin)
        return Repeated(self.carried.unflatten(outputs), True)

    def _one(self, now: Any, made: Any, holds: bool) -> Repeated:
        """The value after a step, whose calls stay in the program; the value itself, if there is to be none."""
        self.carried.name_at(self.traced.start)
        if type(now) is Recorded:
            bool(now)  # which is checked, before the step
            place = self.traced.start + len(self.carried.values) + self.size
            self.recording.instructions.insert(place, self.recording.instructions.pop())
        return Repeated(made if holds else self.carried.value(), not holds)

    def _step(self) -> Any:
        """The condition, and the value after a step if it holds."""
        now = self.test(self.carried.value())
        self.size = len(self.recording.instructions) - self.traced.start
        return now, self.body(self.carried.value()) if (now.held if type(now) is Recorded else now) else None

    def _loop(self, now: Any, made: Any, before: Any, where: slice) -> Any:
        """The loop, where it begins, what was held in each step, and at the end; None if there is none."""
        recording, traced, carried, size = self.recording, self.traced, self.carried, self.size
        after, calls = Carried(made, recording), recording.instructions[where]
        guard = len(calls) - (len(traced.steps) - size) - 1
        if type(now) is not Recorded or not after.is_recorded or not traced.keeps_to_itself() or guard < 0:
            return None
        if not isinstance(calls[guard].function, Guard) or any(i.writes for i in traced.steps[:size]):
            return None
        del calls[guard]
        if not after.has_form_of(carried) or not does_the_same(calls, traced.steps, recording):
            return None
        outs = [r.value for r in after.given]
        free = traced.free(set(carried.values), [*outs, now.value])
        start = self._start(before, calls, free)
        most = self.most if start is carried or self.most is None else (self.most[0] + 1, self.most[1])
        loop = Repeat(carried.values, free, traced.steps, outs, size, now.value, most)
        known = self.known(loop, *after.given, now)
        found = None if known is None else self._envs(loop, known, start)
        return None if found is None else (loop, start, *found)

    def _start(self, before: Any, calls: list[Instruction], free: list[Value]) -> Carried:
        """Where the loop begins: a step before, if that is as the others.

        A gradient of what the body uses and the first step is handed, too, is summed in another order by a loop.
        """
        first = Carried(before, self.recording)
        if len(calls) != len(self.traced.steps) or self.traced.generators or not first.is_recorded:
            return self.carried
        made = {v for i in calls for v in i.results}
        summed = {g.value for g, leaf in zip(first.given, first.leaves, strict=True) if is_active(leaf)}
        is_first = first.has_form_of(self.carried) and not (made | summed).intersection(free)
        return first if is_first else self.carried

    def _envs(self, loop: Repeat, known: dict[Value, Any], start: Carried) -> Any:
        """What was held in each step, and at the end; None if another step goes another way."""
        envs: list[dict[Value, Any]] = []
        now = [g.held for g in start.given]
        while True:
            env = known | dict(zip(loop.carry, now, strict=True))
            is_first = not envs and start is self.carried  # which is computed
            if not is_first and not _computed(self.traced, loop.steps[: self.size], env, "while_loop"):
                return None
            if not env[loop.holds]:
                loop.count = len(envs)
                return envs, now
            loop.check(len(envs))
            if not is_first and not _computed(self.traced, loop.steps[self.size :], env, "while_loop"):
                return None
            envs.append(env)
            now = [env[v] for v in loop.left]

    def _again(self) -> list[Any]:
        """The last value, computed step by step, as often as the condition holds."""
        value = self.start.unflatten(list(self.start.leaves))
        while self.test(value):
            value = self.body(value)
        return flatten(value)[0]


def _computed(traced: Traced, steps: Sequence[Instruction], env: dict[Value, Any], who: str) -> bool:
    """Compute a step; whether it goes the way that was recorded."""
    try:
        compute(steps, env)
    except Exception as error:
        if traced.generators:
            raise CaptureError(
                f"{who}: {type(error).__name__} in a later step: {error}; and its body draws random numbers, so that "
                "it is not recorded step by step"
            ) from None
        if not isinstance(error, PathError):
            raise
        return False
    return True


def check_scopes(recording: Recording) -> None:
    """Raise CaptureError if something that a step of a loop has made is used outside of it."""
    inside: set[Value] = set()
    for i in recording.instructions:
        if isinstance(i.function, Loop | Back):
            inside.update(v for step in i.function.steps for v in step.results)
    if inside and any(v in inside for i in recording.instructions for v in values_in((i.args, i.kwargs))):
        raise CaptureError(
            "scan: the body leaves something outside, which is used after the loop; return it in the carry or as y"
        )
