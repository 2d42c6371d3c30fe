"""A recorded loop as a part of the graph, whose rule is the loop back, as one call of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..backpropagation import backward
from ..graph import Node, Parts
from ..outputs import outputs_of
from ..tensor import Tensor
from ..transforms.parts import Kind, Part, younger
from .carried import Carried, is_active, prepared_leaf, recorded_leaf, renamed
from .instruction import Instruction, Value
from .loops import Back, Loop, Repeat, stacked
from .recorded import CaptureError, Recorded
from .recording import Recording
from .tracing import Traced, compute

_KINDS = {Loop: Kind("scan"), Repeat: Kind("while_loop")}


class Rolled(Part):
    """The loop behind one node: ``made`` are the leaves that a step has left, ``results`` those of the loop."""

    __slots__ = ("again", "envs", "indices", "loop", "made", "outputs", "recording", "results", "saved", "stops",
                 "traced", "width")  # fmt: skip

    def __init__(
        self, recording: Recording, traced: Traced, loop: Loop, envs: Any, saved: Value, made: list[Any],
        results: list[Recorded],
    ) -> None:  # fmt: skip
        self.recording, self.traced, self.loop, self.envs, self.saved = recording, traced, loop, envs, saved
        self.outputs, self.results, self.room = made, results, 0

    @property
    def fingerprint(self) -> int:
        """Nothing is drawn or changed while a program is recorded that is not in it."""
        return len(self.traced.steps)

    def linked(
        self, carried: Carried, start: Carried, again: Callable[[], list[Any]], rows: Any, arrays: Any, since: int
    ) -> list[Any]:
        """The results, with one node behind those that have a gradient.

        ``carried`` and ``rows`` stand for the carry and the slices in the step that was recorded, ``start`` and
        ``arrays`` are those of the loop; ``again`` computes the outputs step by step.
        """
        self.again = again
        self.indices = [i for i, leaf in enumerate(self.outputs) if is_active(leaf)]
        self.made = [self.outputs[i]._node for i in self.indices]
        if not self.made:
            return list(self.results)
        formal = [t._node if is_active(t) else None for t in (*carried.inside, *rows)]
        ways = [node for node in formal if node is not None]
        known = set(ways)
        order = [node for node in younger(self.made, since) if node not in known and node.age > since]
        mine = {*order, *known}
        outside = [p for node in order for p in node.parents if p not in mine]
        closed = list(dict.fromkeys(outside + [n for n in self.made if n not in mine]))
        self.stops = [*ways, *closed]
        self.width = sum(node is not None for node in formal[: len(carried.inside)]), len(ways)
        sources = [t._node for t in (*start.leaves, *arrays) if is_active(t)]
        self.inputs = (*sources, *closed)
        values = [self.results[i] for i in self.indices]
        whole = self._node(_KINDS[type(self.loop)], values)
        outputs: list[Any] = list(self.results)
        for i, tensor in zip(self.indices, outputs_of(tuple(values), whole), strict=True):
            outputs[i] = tensor
        return outputs

    def opened(self) -> list[Node]:
        """The outputs, computed step by step."""
        if self.traced.generators:
            raise CaptureError(
                f"{self.loop.__name__}: a second derivative of a loop that draws random numbers is not recorded"
            )
        outputs = self.again()
        return [outputs[i]._node for i in self.indices]

    def pull(self, g: Parts) -> Parts:
        """The loop back, as one call."""
        if any(type(part) is Tensor for part in g.known.values()):
            return super().pull(g)
        given = [self._cotangent(g, i) for i in range(len(self.indices))]
        size = len(self.loop.carry)
        inner = [n for n, i in enumerate(self.indices) if i < size]
        outer = [n for n, i in enumerate(self.indices) if i >= size]
        closed = self.stops[self.width[1] :]
        sums = [self.recording.constant(np.full(node.shape, -0.0, node.dtype)) for node in closed]
        step = _StepBack(self, [given[n] for n in inner], [given[n] for n in outer], sums)
        seeds: dict[Node, Any] = {}
        with Traced(self.recording) as step.traced:
            pairs = [(self.made[n], c) for n, c in zip((*inner, *outer), (*step.cotangents, *step.gys), strict=True)]
            for node, part in (*zip(closed, sums, strict=True), *pairs):
                seeds[node] = seeds[node] + part if node in seeds else part
            found = backward(seeds, set(self.stops), retain=True, inner=True)
        known = {i: r for i, r in enumerate(step.results(found)) if r is not None}
        return Parts(known, self.shapes, self.dtypes)

    def _cotangent(self, g: Parts, i: int) -> Recorded:
        """The cotangent of an output; zeros if nobody has used it."""
        if i not in g.known:
            node, is_carry = self.made[i], self.indices[i] < len(self.loop.carry)
            count = () if is_carry else (self.loop.count,)
            g.known[i] = self.recording.constant(np.zeros((*count, *node.shape), node.dtype))
        return recorded_leaf(prepared_leaf(g.known[i], self.recording), self.recording)  # type: ignore[no-any-return]


class _StepBack:
    """One step of the loop back: ``first`` are the cotangents of the last carry, ``whole`` those of the ys."""

    traced: Traced

    def __init__(self, part: Rolled, first: list[Recorded], whole: list[Recorded], sums: list[Recorded]) -> None:
        self.part, self.first, self.whole, self.sums = part, first, whole, sums
        self.cotangents = [renamed(r) for r in first]
        self.gys = [w[part.loop.order[-1]] for w in whole]

    def results(self, found: dict[Node, Any]) -> list[Any]:
        """The loop back as a call of the program: the cotangents of the carry, of the slices, and the sums."""
        part, recording, traced = self.part, self.part.recording, self.traced
        stops, (size, width) = part.stops, part.width

        def result(node: Node) -> Any:
            r = found.get(node)
            return recording.constant(np.zeros(node.shape, node.dtype)) if r is None else recorded_leaf(r, recording)

        carry, dxs, totals = (list(map(result, nodes)) for nodes in (stops[:size], stops[size:width], stops[width:]))
        traced.cut()
        back, around = self._loop([r.value for r in (*carry, *totals)], [r.value for r in dxs])
        known = traced.held | {r.value: r.held for r in (*carry, *totals, *dxs)}
        results = [recording.new(held) for held in self._held(back, known)]
        args = (*[r.value for r in (*self.first, *self.sums, *self.whole)], part.saved, *back.free)
        phase = traced.steps[0].phase if traced.steps else "backward"
        line = next((i.line for i in traced.steps if i.line is not None), None)
        made = Instruction(back, args, {}, tuple([r.value for r in results]), (), line, phase, around)
        recording.instructions.append(made)
        end = len(carry) + len(totals)
        return [*results[: len(carry)], *results[end:], *results[len(carry) : end]]

    def _loop(self, left: list[Value], rows: list[Value]) -> tuple[Back, str]:
        """The loop back, and the ``np.errstate`` around all of it."""
        part, traced, loop = self.part, self.traced, self.part.loop
        now, gys = [r.value for r in (*self.cotangents, *self.sums)], [g.value for g in self.gys]
        outside = traced.free({*now, *gys}, [*left, *rows])
        inside = {*part.traced.made, *loop.carry, *loop.slices} - set(loop.free)
        used, free = [v for v in outside if v in inside], [v for v in outside if v not in inside]
        errors = {i.errors for i in traced.steps}
        around = errors.pop() if len(errors) == 1 else ""
        steps = [replace(i, errors="") for i in traced.steps] if around else traced.steps
        return Back(loop, now, gys, used, free, steps, left, rows), around

    def _held(self, back: Back, known: dict[Value, Any]) -> list[Any]:
        """What the loop back gives, computed step by step."""
        loop, stack = self.part.loop, []
        now = [r.held for r in (*self.first, *self.sums)]
        for i, step in zip(reversed(loop.order), reversed(self.part.envs), strict=True):
            env = known | {v: step[v] for v in back.used} | dict(zip(back.carry, now, strict=True))
            env.update((v, w.held[i]) for v, w in zip(back.gys, self.whole, strict=True))
            compute(self.traced.steps, env)
            stack.append([env[v] for v in back.dxs])
            now = [env[v] for v in back.left]
        return [*now, *stacked(stack, len(back.dxs), not loop.reverse)]
