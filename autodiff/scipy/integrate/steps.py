"""One step of a Runge-Kutta method as a differentiable function, and its pullback."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backpropagation import backward
from ...graph import Node
from ...mode import entered
from ...structural import untracked
from ...tensor import Tensor, value_of
from .field import Field
from .implied import implied
from .tableaus import Tableau

Array = Any

OFTEN = 64
"""Steps after which the pullback of a step is recorded as a program: that takes as long as so many of them."""


def _combined(y: Any, h: float, weights: Array, stages: Sequence[Any]) -> Any:
    """y + h sum_j w_j k_j."""
    for weight, k in zip(weights, stages, strict=False):
        if weight:
            y = y + (h * float(weight)) * k
    return y


def stages(
    method: Tableau, field: Field, t: Any, h: float, y: Any, given: Sequence[Any], full: bool, near: Array
) -> list[Any]:
    """The k_j: those of the step, or with ``full`` all; those of an implicit method lie ``near`` given ones."""
    if method.implicit:
        return _implicit(method, field, t, h, y, given, near)
    found: list[Any] = []
    for i in range(len(method.c) if full else method.main):
        found.append(field(t + float(method.c[i]) * h, _combined(y, h, method.A[i], found), given))
    return found


def _implicit(method: Tableau, field: Field, t: Any, h: float, y: Any, given: Sequence[Any], near: Array) -> list[Any]:
    def residual(k: Any) -> Any:
        parts = [k[i] for i in range(method.main)]
        sides = [
            field(t + float(c) * h, _combined(y, h, a, parts), given) for a, c in zip(method.A, method.c, strict=True)
        ]
        return k - np.stack(sides)

    solved = implied("stages", residual, near)
    return [solved[i] for i in range(method.main)]


def moved(method: Tableau, y: Any, h: float, found: Sequence[Any]) -> Any:
    """The state at the end of the step."""
    return _combined(y, h, method.b, found)


def polished(method: Tableau, field: Field, t: float, h: float, y: Array, near: Array) -> Array:
    """The stages of an implicit method to full precision, by Newton's method from near ones."""
    given = [field.values[i] for i in field.active]
    n, s = len(y), method.main
    for _ in range(8):
        at = [t + float(c) * h for c in method.c]
        points = [y + h * (a @ near) for a in method.A]
        residual = near - np.stack([value_of(field(u, x, given)) for u, x in zip(at, points, strict=True)])
        if not np.all(np.isfinite(residual)):
            break
        slopes = [jacobian(field, u, x) for u, x in zip(at, points, strict=True)]
        matrix = np.eye(s * n) - h * np.block([[method.A[i, j] * slopes[i] for j in range(s)] for i in range(s)])
        change = np.linalg.solve(matrix, residual.ravel()).reshape(s, n)
        near = near - change
        if np.max(np.abs(change), initial=0) <= 1e-13 * np.max(np.abs(near), initial=0):
            break
    return near


def jacobian(field: Field, t: float, y: Array) -> Array:
    """df/dy, row by row."""
    with entered(None), untracked():
        x = Tensor(y)
        out = field(t, x, [field.values[i] for i in field.active])
        rows = []
        for i in range(len(y)):
            seed = np.zeros_like(y)
            seed[i] = 1
            found = {}
            if isinstance(out, Tensor) and out._node.active:
                found = backward({out._node: seed}, {x._node}, retain=True)
            rows.append(found.get(x._node, np.zeros_like(y)))
    return np.stack(rows) if rows else np.zeros((0, 0))


class Pulled:
    """The pullback of the steps of one method and right side, as a function of arrays."""

    def __init__(self, method: Tableau, field: Field, closed: Sequence[Node], timed: bool) -> None:
        self.method, self.field, self.closed, self.timed = method, field, list(closed), timed
        self._step = functools.partial(_pulled, method, field, self.closed, timed)
        self._program: Any = None

    def begin(self, steps: int) -> None:
        """Say how many steps there will be: many are worth a program."""
        if steps >= OFTEN and not self.closed and not self.method.implicit and self._program is None:
            from ...program.jit import jit

            self._program = jit(self._step)

    def __call__(self, t: float, h: float, y: Array, near: Array, end: Array, middle: Array | None) -> Any:
        """For cotangents of the ``end`` and of the stages: the stages, the end, cotangents of t, y, leaves, closed."""
        values = [self.field.values[i] for i in self.field.active]
        step = self._program or self._step
        with entered(None), untracked():
            return step(t, h, y, values, end, middle, near)


def _pulled(
    method: Tableau,
    field: Field,
    closed: list[Node],
    timed: bool,
    t: Any,
    h: Any,
    y: Any,
    values: Any,
    end: Any,
    middle: Any,
    near: Any,
) -> Any:
    time = Tensor(t) if timed else t
    state, given = Tensor(y), [Tensor(v) for v in values]
    found = stages(method, field, time, h, state, given, middle is not None, near)
    last = moved(method, state, h, found)
    seeds: dict[Node, Any] = {last._node: end}
    if middle is not None:
        for i, k in enumerate(found):
            if isinstance(k, Tensor) and k._node.active:
                seeds[k._node] = seeds[k._node] + middle[i] if k._node in seeds else middle[i]
    wanted = [state._node, *[g._node for g in given], *closed]
    wanted = [*wanted, time._node] if timed else wanted
    parts = backward(seeds, set(wanted), retain=True)
    cotangents = [parts.get(node) for node in wanted]
    return [value_of(k) for k in found], last._value, cotangents
