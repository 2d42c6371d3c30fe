"""Optimizers: they change parameters by their gradients.

Each update notes calls of NumPy's ufuncs, which write in place, so no large array is allocated.  A step makes the calls
of all updates as one unit: after an interruption, the parameters are either as before or as after the step.  The
formulas, their names and defaults are those of PyTorch.

To add one, write its class and put its name into ``__all__``: ``pullback train`` offers it too.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy import add, divide, multiply, sqrt, subtract

from autodiff import Tensor

from .calls import Calls
from .checks import in_range
from .clipping import clip_grad_norm_, clip_grad_value_
from .optimizer import Array, Optimizer, State

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm_", "clip_grad_value_"]


class Decaying(Optimizer):
    """An optimizer with weight decay; ``change`` has the formula without it.

    g += weight_decay p, or with ``decoupled`` p *= 1 - lr weight_decay.
    """

    decoupled = False

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(parameters, lr)
        self.weight_decay: float = in_range(type(self).__name__, "weight_decay", weight_decay, 0.0)

    def update(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        if self.weight_decay and self.decoupled:
            calls.append((multiply, parameter, 1.0 - self._lr * self.weight_decay, parameter))
        elif self.weight_decay:
            decayed = calls.other
            calls += (multiply, parameter, self.weight_decay, decayed), (add, decayed, gradient, decayed)
            gradient = decayed
        self.change(parameter, gradient, state, calls)

    def change(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        """As ``update``, for a gradient with weight decay; only ``calls.room`` is free to compute in."""
        raise NotImplementedError


class SGD(Decaying):
    """Gradient descent, with momentum, Nesterov's variant, and weight decay.

    g += weight_decay p;  v = momentum v + g;  p -= lr v, or lr (g + momentum v) with nesterov.

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
        super().__init__(parameters, lr, weight_decay)
        self.momentum: float = in_range("SGD", "momentum", momentum, 0.0)
        self.nesterov: bool = bool(nesterov)
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov needs a momentum above 0")

    def change(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        room = calls.room
        if self.momentum:
            velocity = _buffer(state, "momentum_buffer", parameter)
            calls += (multiply, velocity, self.momentum, velocity), (add, velocity, gradient, velocity)
            if self.nesterov:
                calls += (multiply, velocity, self.momentum, room), (add, room, gradient, room)
                gradient = room
            else:
                gradient = velocity
        calls += (multiply, gradient, self._lr, room), (subtract, parameter, room, parameter)


class Adam(Decaying):
    """Steps scaled by running means of the gradient and of its square, which are corrected for their start at 0.

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
    elementwise = True

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, weight_decay)
        who = type(self).__name__
        pair = betas if isinstance(betas, tuple | list) and len(betas) == 2 else ()
        if not pair or not all(isinstance(b, int | float | np.floating) and 0 <= b < 1 for b in pair):
            raise ValueError(f"{who}: betas are {betas!r}; they must be two numbers in [0, 1)")
        self.betas: tuple[float, float] = (float(pair[0]), float(pair[1]))
        self.eps: float = in_range(who, "eps", eps, 0.0)

    def change(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        room = calls.room
        beta1, beta2 = self.betas
        state["step"] = step = state.get("step", 0) + 1
        mean, square = _buffer(state, "exp_avg", parameter), _buffer(state, "exp_avg_sq", parameter)
        _run_mean(mean, gradient, beta1, calls)
        calls.append((multiply, gradient, gradient, room))
        _run_mean(square, room, beta2, calls)
        calls += (
            (sqrt, square, room),
            (multiply, room, (1.0 - beta2**step) ** -0.5, room),
            (add, room, self.eps, room),
            (divide, mean, room, room),
            (multiply, room, self._lr / (1.0 - beta1**step), room),
            (subtract, parameter, room, parameter),
        )


class AdamW(Adam):
    """Adam with weight decay that is not part of the running means: p *= 1 - lr weight_decay first.

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

    decoupled = True
    elementwise = True

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)


class RMSprop(Decaying):
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
    elementwise = True

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 1e-2, *, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, weight_decay)
        self.alpha: float = in_range("RMSprop", "alpha", alpha, 0.0)
        if alpha > 1:
            raise ValueError(f"RMSprop: alpha is {alpha}; it must lie in [0, 1]")
        self.eps: float = in_range("RMSprop", "eps", eps, 0.0)
        self.momentum: float = in_range("RMSprop", "momentum", momentum, 0.0)
        self.centered: bool = bool(centered)

    def change(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> None:
        room, square = calls.room, _buffer(state, "square_avg", parameter)
        calls.append((multiply, gradient, gradient, room))
        _run_mean(square, room, self.alpha, calls)
        if self.centered:
            mean = _buffer(state, "grad_avg", parameter)
            _run_mean(mean, gradient, self.alpha, calls)
            calls += (multiply, mean, mean, room), (subtract, square, room, room)
            square = room
        calls += (sqrt, square, room), (add, room, self.eps, room), (divide, gradient, room, room)
        if self.momentum:
            change = _buffer(state, "momentum_buffer", parameter)
            calls += (multiply, change, self.momentum, change), (add, change, room, change)
        else:
            change = room
        calls += (multiply, change, self._lr, room), (subtract, parameter, room, parameter)


def _buffer(state: State, name: str, parameter: Array) -> Array:
    """The array of this name in the state of a parameter; all 0 in the first step."""
    array = state.get(name)
    if array is None:
        array = state[name] = np.zeros_like(parameter)
    return array


def _run_mean(mean: Array, value: Array, decay: float, calls: Calls) -> None:
    """mean = decay mean + (1 - decay) value; the value may be in ``calls.room``."""
    room = calls.room
    calls += (multiply, value, 1.0 - decay, room), (multiply, mean, decay, mean), (add, mean, room, mean)
