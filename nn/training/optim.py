"""Optimizers: they change parameters by their gradients.

Each update notes calls of NumPy's ufuncs, which write in place so that no big array is allocated.  A step makes the
calls of all updates in one piece: an interruption finds the parameters as they were before, or as they are after.
The formulas, their names and defaults are those of PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy import add, divide, multiply, positive, sqrt, subtract

from autodiff import Tensor

from .calls import Calls
from .clipping import clip_grad_norm_, clip_grad_value_, in_range
from .optimizer import Array, Optimizer, State

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm_", "clip_grad_value_"]


class SGD(Optimizer):
    """Gradient descent, with momentum, Nesterov's variant, and weight decay.

    g += weight_decay p;  v = momentum v + g (g in the first step);  p -= lr v, or lr (g + momentum v) with nesterov.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0, 2.0]))
    >>> optimizer = SGD([w], lr=0.5)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.tolist()
    [0.0, 0.0]
    """

    options: tuple[str, ...] = ("lr", "momentum", "weight_decay", "nesterov")
    buffers: tuple[str, ...] = ("momentum_buffer",)

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-3, *, momentum: float = 0.0, weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr)
        self.momentum: float = in_range("SGD", "momentum", momentum, 0.0)
        self.weight_decay: float = in_range("SGD", "weight_decay", weight_decay, 0.0)
        self.nesterov: bool = bool(nesterov)
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum above 0")

    def update(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        room = calls.room
        if self.weight_decay:
            gradient = _with_decay(gradient, parameter, self.weight_decay, calls)
        if self.momentum:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = state["momentum_buffer"] = np.empty_like(parameter)
                calls.append((positive, gradient, velocity))
            else:
                calls += (multiply, velocity, self.momentum, velocity), (add, velocity, gradient, velocity)
            if self.nesterov:
                calls += (multiply, velocity, self.momentum, room), (add, room, gradient, room)
                gradient = room
            else:
                gradient = velocity
        calls += (multiply, gradient, self._lr, room), (subtract, parameter, room, parameter)


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square, corrected for their start at 0.

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g²;  p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
    ``weight_decay`` adds weight_decay p to the gradient.  Source: D. Kingma, J. Ba, "Adam" (2015).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0]))
    >>> optimizer = Adam([w], lr=0.1)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(6).tolist()
    [0.9]
    """

    options: tuple[str, ...] = ("lr", "betas", "eps", "weight_decay")
    buffers: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    _decoupled = False

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr)
        who = type(self).__name__
        pair = betas if isinstance(betas, tuple | list) and len(betas) == 2 else ()
        if not pair or not all(isinstance(b, int | float | np.floating) and 0 <= b < 1 for b in pair):
            raise ValueError(f"{who}: betas are {betas!r}; they must be two numbers in [0, 1)")
        self.betas: tuple[float, float] = (float(pair[0]), float(pair[1]))
        self.eps: float = in_range(who, "eps", eps, 0.0)
        self.weight_decay: float = in_range(who, "weight_decay", weight_decay, 0.0)

    def update(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        room, other = calls.room, calls.other
        beta1, beta2 = self.betas
        if self.weight_decay and self._decoupled:
            calls.append((multiply, parameter, 1.0 - self._lr * self.weight_decay, parameter))
        elif self.weight_decay:
            gradient = _with_decay(gradient, parameter, self.weight_decay, calls)
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(parameter), exp_avg_sq=np.zeros_like(parameter))
        state["step"] = step = state["step"] + 1
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        _run_mean(mean, gradient, beta1, calls)
        calls.append((multiply, gradient, gradient, other))
        _run_mean(square, other, beta2, calls)
        calls += (
            (sqrt, square, room),
            (multiply, room, 1.0 / math.sqrt(1.0 - beta2**step), room),
            (add, room, self.eps, room),
            (divide, mean, room, room),
            (multiply, room, self._lr / (1.0 - beta1**step), room),
            (subtract, parameter, room, parameter),
        )


class AdamW(Adam):
    """Adam with weight decay that does not pass through the running means: p *= 1 - lr weight_decay first.

    Source: I. Loshchilov, F. Hutter, "Decoupled weight decay regularization" (2019).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0]))
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(6).tolist()
    [0.85]
    """

    _decoupled = True

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)


class RMSprop(Optimizer):
    """Steps scaled by a running mean of the squared gradient.

    v = alpha v + (1 - alpha) g²;  p -= lr g / (sqrt(v) + eps).  With ``centered`` the square of the running mean of g
    is taken off v; with ``momentum`` b = momentum b + g / (sqrt(v) + eps) and p -= lr b.
    Source: G. Hinton, "Neural networks for machine learning", lecture 6e (2012).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0]))
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(6).tolist()
    [0.9]
    """

    options: tuple[str, ...] = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered")
    buffers: tuple[str, ...] = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-2, *, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr)
        self.alpha: float = in_range("RMSprop", "alpha", alpha, 0.0)
        if alpha > 1:
            raise ValueError(f"RMSprop: alpha is {alpha}; it must lie in [0, 1]")
        self.eps: float = in_range("RMSprop", "eps", eps, 0.0)
        self.weight_decay: float = in_range("RMSprop", "weight_decay", weight_decay, 0.0)
        self.momentum: float = in_range("RMSprop", "momentum", momentum, 0.0)
        self.centered: bool = bool(centered)

    def update(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        room = calls.room
        if self.weight_decay:
            gradient = _with_decay(gradient, parameter, self.weight_decay, calls)
        if "square_avg" not in state:
            state["square_avg"] = np.zeros_like(parameter)
        calls.append((multiply, gradient, gradient, room))
        _run_mean(square := state["square_avg"], room, self.alpha, calls)
        if self.centered:
            if "grad_avg" not in state:
                state["grad_avg"] = np.zeros_like(parameter)
            _run_mean(mean := state["grad_avg"], gradient, self.alpha, calls)
            calls += (multiply, mean, mean, room), (subtract, square, room, room)
            square = room
        calls += (sqrt, square, room), (add, room, self.eps, room), (divide, gradient, room, room)
        if self.momentum:
            change = state.get("momentum_buffer")
            if change is None:
                change = state["momentum_buffer"] = np.empty_like(parameter)
                calls.append((positive, room, change))
            else:
                calls += (multiply, change, self.momentum, change), (add, change, room, change)
        else:
            change = room
        calls += (multiply, change, self._lr, room), (subtract, parameter, room, parameter)


def _with_decay(gradient: Array, parameter: Array, decay: float, calls: Calls) -> Array:
    """gradient + decay parameter, in ``calls.other``."""
    other = calls.other
    calls += (multiply, parameter, decay, other), (add, other, gradient, other)
    return other


def _run_mean(mean: Array, value: Array, decay: float, calls: Calls) -> None:
    """mean = decay mean + (1 - decay) value."""
    room = calls.room
    calls += (multiply, value, 1.0 - decay, room), (multiply, mean, decay, mean), (add, mean, room, mean)
