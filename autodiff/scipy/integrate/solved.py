"""A solution as one operation: its outputs, and whole steps for events and dense output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backpropagation import backward
from ...graph import Node
from ...structural import untracked
from ...tensor import Tensor, value_of, wrap
from ...transforms.calling import recording
from .continuous import Adjoint
from .discrete import Sweep
from .linking import linked
from .marching import Frame, March
from .steps import Pulled, moved, polished, stages
from .tableaus import Tableau

Array = Any


def _product(g: Array, v: Array) -> float:
    """The cotangent of a factor of v: the real part of sum g v."""
    return float(np.real(np.sum(g * v)))


class Middle:
    """The cotangents of a step's stages, from outputs in the step and from the step as a whole."""

    def __init__(self, solved: Solved, h: float) -> None:
        self.solved, self.h = solved, h
        self.inner: list[tuple[int, float, Array]] = []
        self.start: Any = None
        self.whole: Any = None
        self.slopes: dict[int, float] = {}

    def add(self, i: int, x: float, g: Array) -> None:
        """An output at the part x of the step."""
        self.inner.append((i, x, g))
        self.start = g if self.start is None else self.start + g

    def cotangents(self, field: Any, count: int, n: int) -> Array:
        """The cotangents of the stages, a row each."""
        total = np.zeros((count, n), field.state.dtype) if self.whole is None else self.whole
        if self.inner:
            weights = self.solved.method.weights(np.array([x for _, x, _ in self.inner]))
            total = total + self.h * (weights.T @ np.stack([g for _, _, g in self.inner]))
        return total

    def see(self, made: Sequence[Array]) -> None:
        """The cotangents of the times of outputs, from the stages."""
        for i, x, g in self.inner:
            self.slopes[i] = _product(g, self.solved.method.slopes(x) @ np.stack(made))


class Solved:
    """What a solution depends on, and its pullback.  ``y0``, ``t0`` and ``times`` are Tensors or arrays."""

    def __init__(self, march: March, y0: Any, t0: Any, times: Any, adjoint: str, tolerances: dict[str, Any]) -> None:
        self.march, self.field, self.trace = march, march.field, march.trace
        self._method = march.method
        self.first, self.start, self.times = y0, t0, times
        self.adjoint, self.tolerances = adjoint, tolerances
        self.leaves = [self.field.leaves[i] for i in self.field.active]
        known = [_active(y0), _active(t0), _active(times), *[leaf._node for leaf in self.leaves]]
        self.closed = [node for node in self.field.closed if node not in known]
        self.slots = [*known, *self.closed]
        self.parents = list(dict.fromkeys(node for node in self.slots if node is not None))
        self.timed = known[1] is not None or known[2] is not None
        self.last_sweep: Sweep | None = None

    @property
    def method(self) -> Tableau:
        """The table of the steps; the continuous adjoint needs none, and there is none for BDF and LSODA."""
        assert self._method is not None
        return self._method

    def outputs(self) -> tuple[Any, ...]:
        """The outputs, the states at the beginnings of frames, and their stages."""
        n = self.trace.states[0].size
        self.values = np.stack(self.march.values) if self.march.values else np.zeros((0, n), self.field.state.dtype)
        self.frames = self.march.frames if self.adjoint == "discrete" else []
        arrays = [self.values]
        if self.frames:
            arrays += [np.stack([f.y for f in self.frames]), np.stack([self.stages_of(f) for f in self.frames])]
        return linked(self.field.who, arrays, self.parents, self.pull)

    def stages_of(self, frame: Frame) -> Array:
        """All stages of a step, computed again."""
        given = [self.field.values[i] for i in self.field.active]
        near = self._near(frame.step, frame.y)
        if near is not None:
            return near
        found = stages(self.method, self.field, frame.t, frame.h, frame.y, given, True, None)
        return np.stack([value_of(k) for k in found])

    def _near(self, n: int, y: Array) -> Any:
        near = self.trace.guess(n)
        if near is None:
            return None
        return polished(self.method, self.field, self.trace.times[n], self.trace.sizes[n], y, near)

    # -- pullbacks -------------------------------------------------------------------------------------------

    def pull(self, g: dict[int, Any], create: bool) -> dict[int, Any]:
        """The cotangents of the parents."""
        if create:
            return self._recorded(g)
        parts = Adjoint(self).parts(g[0]) if self.adjoint == "continuous" else self._swept(g)
        found: dict[int, Any] = {}
        for node, part in zip(self.slots, parts, strict=True):
            if node is not None and part is not None:
                i = self.parents.index(node)
                found[i] = found[i] + part if i in found else np.asarray(part)[()]
        return found

    def _swept(self, g: dict[int, Any]) -> list[Any]:
        """The cotangents in the order of ``slots``, by the discrete adjoint."""
        ends: dict[int, Any] = {}
        middles: dict[int, Middle] = {}
        slopes = np.zeros(len(self.march.taps))

        def middle(n: int) -> Middle:
            return middles.setdefault(n, Middle(self, self.trace.sizes[n]))

        for i, (tap, part) in enumerate(zip(self.march.taps, g.get(0, ()), strict=False)):
            if tap.x:
                middle(tap.step).add(i, tap.x, part)
            else:
                ends[tap.step] = ends[tap.step] + part if tap.step in ends else part
                if self.timed:
                    slopes[i] = _product(part, self.field.plain(self.trace.times[tap.step], self.values[i]))
        for k, frame in enumerate(self.frames):
            if 1 in g:
                middle(frame.step).start = g[1][k]
            if 2 in g:
                middle(frame.step).whole = g[2][k]
        sweep = Sweep(self.method, self.field, self.trace, Pulled(self.method, self.field, self.closed, self.timed))
        first = sweep.run(ends, middles)
        for one in middles.values():
            for i, slope in one.slopes.items():
                slopes[i] = slope
        self.last_sweep = sweep
        rest = sweep.total or [None] * (len(self.slots) - 3)
        return [first, sweep.time - np.sum(slopes), slopes, *rest]

    def _recorded(self, g: dict[int, Any]) -> dict[int, Any]:
        """The same, as operations that are recorded: the steps are taken again, with their sizes."""
        if self.adjoint == "continuous":
            raise TypeError(
                f"{self.field.who}: the continuous adjoint gives first derivatives; write adjoint='discrete' for others"
            )
        with recording(), untracked():
            made = self._again(g)
            seeds: dict[Node, Any] = {}
            for i, part in g.items():
                if isinstance(made[i], Tensor) and made[i]._node.active:
                    seeds[made[i]._node] = part
            found = backward(seeds, set(self.parents), retain=True, create=True, inner=True) if seeds else {}
        return {i: found[node] for i, node in enumerate(self.parents) if node in found}

    def _again(self, g: dict[int, Any]) -> list[Any]:
        """The outputs, as a differentiable function of everything."""
        trace, method, full = self.trace, self.method, self.timed or bool(self.frames)
        inside = {tap.step for tap in self.march.taps if tap.x}
        y, given = _same(self.first), [_same(leaf) for leaf in self.leaves]
        start, times = _same(self.start), _same(self.times)
        states, found, begins = [y], [], []
        for n, h in enumerate(trace.sizes):
            t = start + (trace.times[n] - trace.times[0])
            near = self._near(n, value_of(y))
            k = stages(method, self.field, t, h, y, given, full or n in inside, near)
            y = moved(method, y, h, k)
            states.append(y)
            found.append(k)
            begins.append(t)
        outputs = []
        for i, (step, x) in enumerate(self.march.taps):
            n = step if x or not step else step - 1
            if not (x or self.timed) or not trace.sizes:
                outputs.append(states[step])
                continue
            h = trace.sizes[n]
            part = (times[i] - begins[n]) / h if h else 1.0
            outputs.append(states[n] + h * (method.weights(part) @ np.stack(found[n])))
        made = [np.stack(outputs) if outputs else 0.0]
        if self.frames:
            steps = [frame.step for frame in self.frames]
            made += [np.stack([states[n] for n in steps]), np.stack([np.stack(found[n]) for n in steps])]
        return made


def _active(value: Any) -> Node | None:
    return value._node if isinstance(value, Tensor) and value._node.active else None


def _same(value: Any) -> Any:
    """A Tensor on the same node: what the backward pass records leads there."""
    return wrap(value._value, value._node) if isinstance(value, Tensor) else value
