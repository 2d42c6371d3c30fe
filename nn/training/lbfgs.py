"""LBFGS: steps along directions that know the curvature, for problems whose loss is that of all data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from .calls import Calls, is_writable
from .groups import Group, Parameters, State
from .measures import number
from .optimizer import Optimizer, perform
from .wolfe import Point, strong_wolfe

Array = Any


class LBFGS(Optimizer):
    """Quasi-Newton steps, from the changes of the gradient in the last ``history_size`` of them.

    Each ``step(closure)`` makes up to ``max_iter`` iterations p += t d, with d = -H g, H the inverse of the Hessian as
    far as the history tells.  t is ``lr``, or with ``line_search_fn="strong_wolfe"`` a length that satisfies Wolfe's
    conditions, looked for from ``lr`` on; take it.  ``closure`` sets the gradients to None, computes the loss, calls
    ``backward`` and returns the loss; it is called up to ``max_eval`` times (5/4 ``max_iter``), and must give the same
    value for the same parameters: all data, no dropout.  :class:`nn.TrainingStep` makes it itself.

    A step ends early where no element of the gradient exceeds ``tolerance_grad``, or the loss or no parameter changes
    by more than ``tolerance_change``.  It returns the first loss.  Raises FloatingPointError if that, or with a fixed
    length a later one, is not finite; then, and after an interruption, parameters and state are as before.

    Source: D. Liu, J. Nocedal, "On the limited memory BFGS method" (1989); names and defaults are PyTorch's.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([-1.0, 2.0]))
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1.0 - w[0]) ** 2 + 100.0 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(3):
    ...     loss = optimizer.step(closure)
    >>> w.data.round(4).tolist()
    [1.0, 1.0]
    """

    needs_closure = True
    for_any_model = False
    numbers: tuple[str, ...] = ("n_iter", "func_evals", "t", "H_diag", "prev_loss", "ro")
    buffers: tuple[str, ...] = ("d", "old_dirs", "old_stps", "prev_flat_grad")

    def __init__(
        self, parameters: Parameters, lr: float = 1.0, *, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            parameters, lr, max_iter=max_iter, max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad, tolerance_change=tolerance_change, history_size=history_size,
            line_search_fn=line_search_fn,
        )  # fmt: skip

    def check(self, group: Group) -> None:
        if len(self.groups) > 1 or group.params is not self.groups[0].params:
            raise ValueError("LBFGS: it has one group; all parameters change along one direction")
        if any(parameter.dtype.kind == "c" for parameter in group.params):
            raise ValueError("LBFGS: a parameter is complex; give its real and imaginary parts as two parameters")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimise for up to ``max_iter`` iterations; the result is that of the first call of ``closure``."""
        if not callable(closure):
            raise TypeError("LBFGS: step needs a function that computes loss and gradients: optimizer.step(closure)")
        group, calls = self.groups[0], Calls([(int,)])  # not empty, as long as nothing is decided
        before = [parameter.data for parameter in group.params]
        search = _Search(group, closure)
        try:
            search.run()
            self._place(before)
            arrays = [parameter.data for parameter in group.params]  # a number is kept in another array now
            new = list(zip(group.params, arrays, search.arrays(search.x), strict=True))
            calls += [(np.positive, array, values) for _, values, array in new if is_writable(values)]
            calls.append((group.state[0].update, search.state))
            written = [(parameter, values) for parameter, values, _ in new if is_writable(values)]
            perform(calls, written, [entry for entry in new if not is_writable(entry[1])])
        except BaseException:
            if calls:  # they have not been made
                self._place(before)
            raise
        return search.first

    def _place(self, arrays: list[Array]) -> None:
        """Give the parameters these arrays."""
        for parameter, array in zip(self.groups[0].params, arrays, strict=True):
            parameter.data = array

    def _fitted(self, who: str, entries: Mapping[str, Any], parameter: Tensor) -> State:
        total = sum(p.size for p in self.groups[0].params)
        for name in self.buffers:
            if name in entries and np.shape(entries[name])[-1:] != (total,):
                shape = np.shape(entries[name])
                raise ValueError(f"{who}: '{name}' has shape {shape}; the parameters are {total} numbers")
        return {k: np.array(v) if isinstance(v, np.ndarray | list) else v for k, v in entries.items()}


class _Search:
    """The iterations of one step, over all parameters as one vector; ``state`` is that after them."""

    def __init__(self, group: Group, closure: Callable[[], Any]) -> None:
        self.group, self.closure = group, closure
        self.state: State = dict(group.state[0])
        values = [parameter.data for parameter in group.params]
        self.dtype = np.result_type(*values)
        self.x: Array = np.concatenate([np.ravel(v) for v in values], dtype=self.dtype)
        self.first: Any = None
        self.calls = 0

    def arrays(self, x: Array) -> list[Array]:
        """A vector as one new array for each parameter."""
        ends = np.cumsum([parameter.size for parameter in self.group.params])[:-1]
        parts = zip(np.split(x, ends), self.group.params, strict=True)
        return [part.reshape(p.shape).astype(p.dtype) for part, p in parts]

    def evaluate(self) -> tuple[float, Array]:
        """The loss and the gradient at the present parameters."""
        self.calls += 1
        loss = self.closure()
        self.first = loss if self.calls == 1 else self.first
        flat = [
            np.zeros(p.size) if p.grad is None else np.ravel(p.grad.data if type(p.grad) is Tensor else p.grad)
            for p in self.group.params
        ]
        return number("LBFGS", loss), np.concatenate(flat, dtype=self.dtype)

    def at(self, x: Array) -> tuple[float, Array]:
        """The loss and the gradient at a vector."""
        for parameter, array in zip(self.group.params, self.arrays(x), strict=True):
            parameter.data = array
        return self.evaluate()

    def run(self) -> None:
        """Go on to a minimum, or to the end of what is allowed."""
        group, state = self.group, self.state
        loss, gradient = self.evaluate()
        self._must_be_finite(loss, gradient)
        state["n_iter"] = state.get("n_iter", 0)
        flat = _largest(gradient) <= group.tolerance_grad
        for iteration in range(1, group.max_iter + 1):
            if flat:
                break
            state["n_iter"] += 1
            before = loss
            direction = self._direction(gradient)
            slope = float(gradient @ direction)
            state |= {"d": direction, "prev_flat_grad": gradient, "prev_loss": loss}
            t = group.lr * (min(1.0, 1.0 / float(np.sum(np.abs(gradient)))) if state["n_iter"] == 1 else 1.0)
            state["t"] = t
            if slope > -group.tolerance_change:
                break
            last = iteration == group.max_iter
            loss, gradient, state["t"] = self._moved(Point(0.0, loss, gradient, slope), direction, t, last)
            flat = _largest(gradient) <= group.tolerance_grad
            if self.calls >= group.max_eval or _largest(direction) * abs(state["t"]) <= group.tolerance_change:
                break
            if abs(loss - before) < group.tolerance_change:
                break
        state["func_evals"] = state.get("func_evals", 0) + self.calls

    def _moved(self, start: Point, direction: Array, t: float, last: bool) -> tuple[float, Array, float]:
        """The loss and the gradient after a step along the direction, and its length."""
        x, group = self.x, self.group
        if group.line_search_fn is None:
            self.x = x + t * direction
            if last:  # nobody will ask
                return start.value, start.gradient, t
            loss, gradient = self.at(self.x)
            self._must_be_finite(loss, gradient)
            return loss, gradient, t

        def evaluate(t: float) -> Point:
            loss, gradient = self.at(x + t * direction)
            return Point(t, loss, gradient, float(gradient @ direction))

        limit = max(group.max_eval - self.calls, 0)
        found, _ = strong_wolfe(evaluate, start, t, _largest(direction), group.tolerance_change, limit)
        self.x = x + found.t * direction
        return found.value, found.gradient, found.t

    def _direction(self, gradient: Array) -> Array:
        """-H g, by the history, to which the last change is added if the function curves upwards along it."""
        state = self.state
        if state["n_iter"] == 1:
            empty = np.empty((0, gradient.size), gradient.dtype)
            state |= {"old_dirs": empty, "old_stps": empty, "ro": np.empty(0), "H_diag": 1.0}
            return -gradient
        y, s = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = float(y @ s)
        if curvature > 1e-10:
            kept = slice(1 - self.group.history_size or len(state["ro"]), None)
            state["old_dirs"] = np.concatenate([state["old_dirs"][kept], y[None]])
            state["old_stps"] = np.concatenate([state["old_stps"][kept], s[None]])
            state["ro"] = np.append(state["ro"][kept], 1.0 / curvature)
            state["H_diag"] = curvature / float(y @ y)
        q, scales = -gradient, []
        history = list(zip(state["old_dirs"], state["old_stps"], state["ro"].tolist(), strict=True))
        for y, s, r in reversed(history):
            scales.append(float(s @ q) * r)
            q = q - scales[-1] * y
        q = q * state["H_diag"]
        for (y, s, r), scale in zip(history, reversed(scales), strict=True):
            q = q + s * (scale - float(y @ q) * r)
        return q

    def _must_be_finite(self, loss: float, gradient: Array) -> None:
        if not math.isfinite(loss) or not np.all(np.isfinite(gradient)):
            what = f"the loss is {loss}" if not math.isfinite(loss) else "the gradient is not finite"
            raise FloatingPointError(
                f"LBFGS: {what} at call {self.calls} of the closure; the parameters are as before the step. "
                "Take line_search_fn='strong_wolfe', a smaller lr, or look at the data"
            )


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))
