"""Rolling: a scan that is recorded once, as a loop.

The first step is recorded as it is.  One more is recorded, on what the first one has left: if it leaves the same form
again, it is the body of the loop, and the other steps are computed by it.  If anything speaks against that, what was
recorded is a step as any other, and the loop goes on step by step.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..backpropagation import backward
from ..graph import Node, Parts, tick
from ..mode import current
from ..outputs import outputs_of
from ..tensor import Tensor, wrap
from ..transforms.calling import alias
from ..transforms.loops import register_roller
from ..transforms.parts import Kind, Part, younger
from ..tree import flatten
from .instruction import FORWARD, NUMBERS, Instruction, PathError, Value, values_in
from .loops import Back, Loop, stacked
from .recorded import CaptureError, Recorded
from .recording import Recording, current_recording
from .tracing import Traced, compute, does_the_same

_SCAN = Kind("scan")
FEWEST = 3
"""Steps that are worth a loop."""


def _recorded(leaf: Any, recording: Recording) -> Any:
    """A leaf as a recorded array, or None."""
    value = leaf._value if isinstance(leaf, Tensor) else leaf
    if type(value) is Recorded:
        return value if value.recording is recording else None
    return recording.constant(value) if type(value) is np.ndarray and value.dtype.kind in "fciub" else None


def _fresh(array: Recorded) -> Recorded:
    """The same array under another name: the body of a loop may use what the first carry is, too."""
    return Recorded(array.held, array.recording, Value.like(array.held, array.value.name))


def _active(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf._node.active


def _form(value: Value) -> Any:
    return value.shape, value.dtype, value.kind, value.strides


def _recording() -> Recording | None:
    """The recording that loops are rolled in."""
    recording = current_recording()
    if recording is None or recording.closed or type(recording) is not Recording or current() is not None:
        return None
    return recording


class _Roller:
    """What a scan asks while a function is recorded."""

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
        return unflatten([_carried(leaf, recording) for leaf in leaves])

    def rolled(self, f: Callable[..., Any], carry: Any, xs: Any, count: int, reverse: bool, before: slice) -> Any:
        """The last carry, the stacked ys, and True; what one step makes, and False; or None."""
        recording = _recording()
        if recording is None or count < FEWEST:
            return None
        step = recording.instructions[before]
        leaves, unflatten = flatten(carry)
        arrays, slice_of = flatten(xs)
        given = [_recorded(leaf, recording) for leaf in leaves]
        whole = [_recorded(leaf, recording) for leaf in arrays]
        if any(part is None for part in (*given, *whole)):
            return None
        rolling = _Rolling(recording, f, count, reverse)
        return rolling.run(leaves, unflatten, given, arrays, slice_of, whole, step)


register_roller(_Roller())


def _carried(leaf: Any, recording: Recording) -> Any:
    """A leaf of the first carry, recorded if it is a number or a plain array."""
    if type(leaf) in NUMBERS and type(leaf) not in (bool, np.bool_):
        return recording.note(operator.pos, (leaf,))
    recorded = None if isinstance(leaf, Tensor) else _recorded(leaf, recording)
    return leaf if recorded is None else recorded


class _Rolling:
    def __init__(self, recording: Recording, f: Any, count: int, reverse: bool) -> None:
        self.recording, self.f, self.count, self.reverse = recording, f, count, reverse

    def _one(self, made: Any, traced: Traced, given: list[Recorded], formal: list[Value]) -> Any:
        """What one step has made, whose calls stay in the program."""
        named = [
            Instruction(np.asarray if value.kind is np.ndarray else operator.pos, (g.value,), {}, value)
            for g, value in zip(given, formal, strict=True)
        ]
        self.recording.instructions[traced.start : traced.start] = named
        return *made, False

    def run(
        self,
        leaves: list[Any],
        unflatten: Any,
        given: list[Any],
        arrays: list[Any],
        slice_of: Any,
        whole: list[Any],
        before: list[Instruction],
    ) -> Any:
        """The result of all steps, or of one."""
        recording, at = self.recording, self.count - 1 if self.reverse else 0
        names = [_fresh(g) for g in given]
        inside = [
            wrap(name, alias(leaf)._node) if _active(leaf) else name for leaf, name in zip(leaves, names, strict=True)
        ]
        rows = [
            alias(leaf[at]) if _active(leaf) else w[at] for leaf, w in zip(arrays, whole, strict=True)
        ]  # each slice is recorded: that is what one step needs
        slices = [row._value if isinstance(row, Tensor) else row for row in rows]
        if any(type(s) is not Recorded for s in slices):
            return None
        begin = tick()
        with Traced(recording) as traced:
            made = self.f(unflatten(list(inside)), slice_of(list(rows)))
        left, ys = flatten(made[0])[0], flatten(made[1])
        formal = [name.value for name in names]
        after, y_values = ([_recorded(leaf, recording) for leaf in part] for part in (left, ys[0]))
        if any(r is None for r in (*after, *y_values)) or not traced.keeps_to_itself():
            return self._one(made, traced, given, formal)
        same = all(
            _form(r.value) == _form(v) and _active(leaf) == _active(before)
            for r, v, leaf, before in zip(after, formal, left, leaves, strict=True)
        )
        if not same or not does_the_same(before, traced.steps, recording):
            return self._one(made, traced, given, formal)
        loop_ys = [y.value for y in y_values]
        outs = [r.value for r in after]
        free = traced.free({*formal, *[s.value for s in slices]}, [*outs, *loop_ys])
        loop = Loop(formal, [s.value for s in slices], free, traced.steps, outs, loop_ys, self.count, self.reverse)
        known = traced.held | {v: y.held for v, y in zip(loop_ys, y_values, strict=True)}
        known |= {r.value: r.held for r in (*after, *names, *slices)}
        if any(v not in known for v in free):
            return self._one(made, traced, given, formal)
        envs = self._others(traced, loop, known, whole)
        if envs is None:
            return self._one(made, traced, given, formal)
        traced.cut()
        rows_held = [[env[v] for v in loop_ys] for env in envs]
        held = [envs[-1][v] for v in outs], stacked(rows_held, len(loop_ys), self.reverse)
        results = [recording.new(h) for part in held for h in part]
        saved = Value((), None, list, "saved")
        args = (*[g.value for g in given], *[w.value for w in whole], *free)
        result = (*[r.value for r in results], saved)
        line = next((i.line for i in traced.steps if i.line is not None), None)
        recording.instructions.append(Instruction(loop, args, {}, result, traced.generators, line, FORWARD))
        part = _Rolled(self, traced, loop, envs, saved, leaves, unflatten, arrays, slice_of)
        outputs = part.linked([*left, *ys[0]], results, inside, rows, begin)
        return unflatten(outputs[: len(left)]), ys[1](outputs[len(left) :]), True

    def _others(self, traced: Traced, loop: Loop, known: dict[Value, Any], whole: list[Any]) -> Any:
        """What was held in each step; None if another step goes another way."""
        envs = [known]
        for i in list(loop.order)[1:]:
            env = dict(known)
            env.update(zip(loop.carry, [envs[-1][v] for v in loop.left], strict=True))
            env.update(zip(loop.slices, [w.held[i] for w in whole], strict=True))
            try:
                compute(traced.steps, env)
            except Exception as error:
                if traced.generators:
                    raise CaptureError(
                        f"scan: {type(error).__name__} in a later step: {error}; and its body draws random numbers, "
                        "so that it is not recorded step by step"
                    ) from None
                if not isinstance(error, PathError):
                    raise
                return None
            envs.append(env)
        return envs


class _Rolled(Part):
    """The loop as a part of the graph: its rule is the loop back."""

    __slots__ = ("arrays", "envs", "indices", "leaves", "loop", "made", "rolling", "saved", "slice_of", "stops",
                 "traced", "unflatten", "width")  # fmt: skip

    def __init__(
        self, rolling: _Rolling, traced: Traced, loop: Loop, envs: Any, saved: Value, leaves: Any, unflatten: Any,
        arrays: Any, slice_of: Any,
    ) -> None:  # fmt: skip
        self.rolling, self.traced, self.loop, self.envs, self.saved = rolling, traced, loop, envs, saved
        self.leaves, self.unflatten, self.arrays, self.slice_of = leaves, unflatten, arrays, slice_of
        self.room = 0

    @property
    def fingerprint(self) -> int:
        """Nothing is drawn or changed while a program is recorded that is not in it."""
        return len(self.traced.steps)

    def linked(self, made: list[Any], results: list[Recorded], inside: list[Any], rows: list[Any], since: int) -> Any:
        """The results, with one node behind those that have a gradient."""
        self.indices = [i for i, leaf in enumerate(made) if _active(leaf)]
        self.made = [made[i]._node for i in self.indices]
        if not self.made:
            return list(results)
        formal = [t._node if _active(t) else None for t in (*inside, *rows)]
        known = {node for node in formal if node is not None}
        order = [node for node in younger(self.made, since) if node not in known and node.age > since]
        mine = {*order, *known}
        outside = [p for node in order for p in node.parents if p not in mine]
        closed = list(dict.fromkeys(outside + [n for n in self.made if n not in mine]))
        ways = [node for node in formal if node is not None]
        self.stops = [*ways, *closed]
        self.width = sum(node is not None for node in formal[: len(inside)]), len(ways)
        sources = [t._node for t in (*self.leaves, *self.arrays) if _active(t)]
        self.inputs = (*sources, *closed)
        whole = self._node(_SCAN, [results[i] for i in self.indices])
        outputs: list[Any] = list(results)
        for i, tensor in zip(self.indices, outputs_of(tuple(results[i] for i in self.indices), whole), strict=True):
            outputs[i] = tensor
        return outputs

    def opened(self) -> list[Node]:
        """The outputs, computed step by step."""
        if self.traced.generators:
            raise CaptureError("scan: a second derivative of a loop that draws random numbers is not recorded")
        carry, ys = self.unflatten(list(self.leaves)), []
        for i in self.loop.order:
            x = self.slice_of([a[i] for a in self.arrays])
            carry, y = self.rolling.f(carry, x)
            ys.append(flatten(y)[0])
        ys = ys[::-1] if self.loop.reverse else ys
        outputs = [*flatten(carry)[0], *[np.stack(column) for column in zip(*ys, strict=True)]]
        return [outputs[i]._node for i in self.indices]

    def pull(self, g: Parts) -> Parts:
        """The loop back, as one call."""
        if any(type(part) is Tensor for part in g.known.values()):
            return super().pull(g)
        recording, size = self.rolling.recording, len(self.loop.carry)
        shapes = [node.shape for node in self.made]
        for i in range(len(self.indices)):  # an output that nobody has used
            if i not in g.known:
                count = () if self.indices[i] < size else (self.loop.count,)
                g.known[i] = recording.constant(np.zeros((*count, *shapes[i]), self.made[i].dtype))
        given = [_recorded(g.known[i], recording) for i in range(len(self.indices))]
        inner = [n for n, i in enumerate(self.indices) if i < size]
        outer = [n for n, i in enumerate(self.indices) if i >= size]
        at = (self.loop.order)[-1]
        cotangents = [_fresh(given[n]) for n in inner]
        gys = [given[n][at] for n in outer]
        closed = self.stops[self.width[1] :]
        sums = [recording.constant(np.full(node.shape, -0.0, node.dtype)) for node in closed]
        with Traced(recording) as traced:
            seeds: dict[Node, Any] = {}
            pairs = [(self.made[n], c) for n, c in zip((*inner, *outer), (*cotangents, *gys), strict=True)]
            for node, part in (*zip(closed, sums, strict=True), *pairs):
                seeds[node] = seeds[node] + part if node in seeds else part
            found = backward(seeds, set(self.stops), retain=True, inner=True)
        results = self._back(traced, found, cotangents, sums, gys, given, inner, outer)
        known = {i: r for i, r in enumerate(results) if r is not None}
        return Parts(known, self.shapes, self.dtypes)

    def _back(
        self,
        traced: Traced,
        found: Any,
        cotangents: list[Any],
        sums: list[Any],
        gys: list[Any],
        given: list[Any],
        inner: list[int],
        outer: list[int],
    ) -> Any:
        recording, loop, whole = self.rolling.recording, self.loop, [given[n] for n in outer]
        ways = self.stops[: self.width[1]]

        def result(node: Node) -> Any:
            r = found.get(node)
            return recording.constant(np.zeros(node.shape, node.dtype)) if r is None else _recorded(r, recording)

        carry = [result(node) for node in ways[: self.width[0]]]
        dxs = [result(node) for node in ways[self.width[0] :]]
        totals = [result(node) for node in self.stops[self.width[1] :]]
        traced.cut()
        now = [r.value for r in (*cotangents, *sums)]
        left, rows = [r.value for r in (*carry, *totals)], [r.value for r in dxs]
        outside = traced.free({*now, *[g.value for g in gys]}, [*left, *rows])
        inside = {*self.traced.made, *loop.carry, *loop.slices} - set(loop.free)
        used = [v for v in outside if v in inside]
        free = [v for v in outside if v not in inside]
        errors = {i.errors for i in traced.steps}
        around = errors.pop() if len(errors) == 1 else ""
        steps = [replace(i, errors="") for i in traced.steps] if around else traced.steps
        back = Back(loop, now, [g.value for g in gys], used, free, steps, left, rows)
        held = traced.held | {r.value: r.held for r in (*carry, *totals, *dxs)}
        env = {v: r.held for v, r in zip(now, (*cotangents, *sums), strict=True)}
        stack = []
        for i, step in zip(reversed(loop.order), reversed(self.envs), strict=True):
            env = held | {v: step[v] for v in used} | {v: env[v] for v in now}
            env.update((g.value, w.held[i]) for g, w in zip(gys, whole, strict=True))
            compute(traced.steps, env)
            stack.append([env[v] for v in rows])
            env = dict(zip(now, [env[v] for v in left], strict=True))
        results = [recording.new(env[v]) for v in now]
        results += [recording.new(h) for h in stacked(stack, len(rows), not loop.reverse)]
        first = [*[given[n] for n in inner], *sums]
        args = (*[r.value for r in (*first, *whole)], self.saved, *free)
        phase = traced.steps[0].phase if traced.steps else "backward"
        line = next((i.line for i in traced.steps if i.line is not None), None)
        made = Instruction(back, args, {}, tuple([r.value for r in results]), (), line, phase, around)
        recording.instructions.append(made)
        size, total = len(carry), len(carry) + len(totals)
        return [*results[:size], *results[total:], *results[size:total]]


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
