"""The continuous adjoint: the adjoint equation, solved backward with a tolerance of its own, in constant memory.

With a = dL/dy(t): da/dt = - a^T df/dy, and the cotangent of a parameter is the integral of a^T df/dp.  The state is
solved backward beside them, from each output to the one before, and begins each time at the output's own value.  The
result is the derivative of the exact solution, up to the tolerances of both passes, and not of the steps taken.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...backpropagation import backward
from ...mode import entered
from ...structural import untracked
from ...tensor import Tensor

if TYPE_CHECKING:
    from .solved import Solved

Array = Any


class Adjoint:
    """The backward pass of one solution."""

    def __init__(self, solved: Solved) -> None:
        self.solved, self.field = solved, solved.field
        self.n = solved.trace.states[0].size
        self.values = [self.field.values[i] for i in self.field.active]
        self.shapes = [np.shape(v) for v in self.values] + [node.shape for node in solved.closed]
        self.real = [np.result_type(v).kind != "c" for v in self.values]
        self.real += [np.dtype(node.dtype).kind != "c" for node in solved.closed]
        self.sizes = [int(np.prod(shape)) for shape in self.shapes]

    def pulled(self, t: Any, y: Array, a: Array) -> tuple[Array, Array, list[Any]]:
        """f, and the cotangents of y, t, leaves and closed variables, for the cotangent of f."""
        with entered(None), untracked():
            time, state, given = Tensor(float(t)), Tensor(y), [Tensor(v) for v in self.values]
            out = self.field(time, state, given)
            if not (isinstance(out, Tensor) and out._node.active):
                return out, np.zeros_like(y), [0.0] * (1 + len(self.sizes))
            wanted = [state._node, time._node, *[v._node for v in given], *self.solved.closed]
            found = backward({out._node: np.array(a)}, set(wanted), retain=True)
            first, *rest = [found.get(node) for node in wanted]
        return out._value, np.zeros_like(y) if first is None else first, [0.0 if r is None else r for r in rest]

    def _side(self, t: float, z: Array) -> Array:
        n = self.n
        f, by_y, rest = self.pulled(t, z[:n], z[n : 2 * n])
        sizes = [1, *self.sizes]
        flat = [np.broadcast_to(np.ravel(r), size) for r, size in zip(rest, sizes, strict=True)]
        return np.concatenate([f, -by_y, *[-part for part in flat]])

    def parts(self, g: Array) -> list[Any]:
        """The cotangents in the order of the solution's slots."""
        solved, n = self.solved, self.n
        march, trace = solved.march, solved.trace
        slopes = np.zeros(len(march.times))
        total = np.zeros(1 + sum(self.sizes), solved.field.state.dtype)
        a = np.zeros(n, solved.field.state.dtype)
        y, now = a, None
        from .marching import SOLVERS

        options = dict(solved.tolerances)
        for i in range(len(march.times) - 1, -2, -1):
            to = march.times[i] if i >= 0 else trace.times[0]
            if now is not None and now != to:
                z = np.concatenate([y, a, total])
                solver = SOLVERS[march.name](self._side, now, z, to, **options)
                while solver.status == "running":
                    message = solver.step()
                if solver.status == "failed":
                    raise RuntimeError(
                        f"{self.field.who}: the adjoint equation cannot be solved backward ({message}); an equation "
                        "that forgets its state has no way back: write adjoint='discrete'"
                    )
                a, total = solver.y[n : 2 * n], solver.y[2 * n :]
            now = to
            if i < 0:
                break
            y = solved.values[i]
            a = a + g[i]
            if solved.timed:
                slopes[i] = float(np.real(np.sum(g[i] * self.field.plain(to, y))))
        start = -float(np.real(np.sum(a * self.field.plain(trace.times[0], trace.states[0])))) if solved.timed else 0.0
        ends = np.cumsum([1, *self.sizes]).tolist()
        rest = [
            (part.real if real else part).reshape(shape)
            for part, real, shape in zip([total[i:j] for i, j in pairwise(ends)], self.real, self.shapes, strict=True)
        ]
        return [a, start, slopes, *rest]
