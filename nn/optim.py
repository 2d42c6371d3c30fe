"""Optimizers: they change parameters by their gradients.

Each update is a function of (parameter, gradient, state), written with NumPy's ufuncs.  With ``out`` and ``scratch`` it
writes in place, so that a step allocates no big array; without, it mutates nothing and returns the new values.
The formulas, their names and defaults are those of PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from .clipping import checked, clip_grad_norm_, clip_grad_value_, in_range

Array = Any
Out = Array | None
State = dict[str, Any]
Scratch = tuple[Array | None, Array | None]
NO_SCRATCH: Scratch = (None, None)

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm_", "clip_grad_value_"]


class Optimizer:
    """The common part of all optimizers: a list of variables, one state each, and the learning rate ``lr``.

    A parameter whose ``.grad`` is None is left alone.  A subclass defines ``update``.  Raises ValueError for no or
    repeated parameters and for options out of range, TypeError for what is not a variable.
    """

    options: tuple[str, ...] = ("lr",)
    """The attributes that belong to the state of the optimizer: keywords of its constructor."""

    buffers: tuple[str, ...] = ()
    """The entries of a parameter's state that are arrays like it."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters: list[Tensor] = checked(parameters, type(self).__name__)
        self.lr = lr
        self.state: list[dict[str, Any]] = [{} for _ in self.parameters]
        self._scratch: list[tuple[Array, Array] | None] = [None] * len(self.parameters)

    @property
    def lr(self) -> float:
        """The learning rate; schedulers change it."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._lr = in_range(type(self).__name__, "lr", value, 0.0)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient by it."""
        for i, parameter in enumerate(self.parameters):
            gradient = parameter.grad
            if gradient is None:
                continue
            if type(gradient) is Tensor:
                gradient = gradient.data
            values = parameter.data
            if type(values) is np.ndarray and values.flags.writeable:
                scratch = self._scratch[i] or self._make_scratch(i, values)
                # assigning the array itself tells the variable that it was written in place
                parameter.data = self.update(values, gradient, self.state[i], values, scratch)
            else:
                parameter.data = self.update(values, gradient, self.state[i])

    def update(
        self, parameter: Array, gradient: Array, state: State, out: Out = None, scratch: Scratch = NO_SCRATCH
    ) -> Array:
        """The new values of one parameter; its entries in ``state`` are replaced, or written to if ``out`` is given.

        ``scratch`` is two arrays like the parameter, to compute in.
        """
        raise NotImplementedError

    def _make_scratch(self, i: int, values: Array) -> tuple[Array, Array]:
        """Room to compute in, shared by all parameters of one dtype: as large as the largest of them."""
        size = max(p.size for p in self.parameters if p.dtype == values.dtype)
        flat = next((s for s in self._scratch if s is not None and s[0].dtype == values.dtype), None)
        room = np.empty((2, size), values.dtype) if flat is None else flat[0].base
        first, second = (row[: values.size].reshape(values.shape) for row in room)
        self._scratch[i] = pair = (first, second)
        return pair

    # -- state -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The options and a copy of the state of each parameter, in their order."""
        return {
            "optimizer": type(self).__name__,
            "options": {name: getattr(self, name) for name in self.options},
            "state": [{k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in s.items()} for s in self.state],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state_dict`` of an optimizer of the same class over parameters of the same shapes.

        Raises ValueError if it does not fit; then nothing has been loaded.
        """
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping) or set(state) != {"optimizer", "options", "state"}:
            raise ValueError(f"{who}: expected the three entries 'optimizer', 'options' and 'state' of a state_dict")
        if state["optimizer"] != type(self).__name__:
            raise ValueError(f"{who}: the state is of {state['optimizer']}")
        if set(state["options"]) != set(self.options):
            raise ValueError(f"{who}: options {sorted(state['options'])}, expected {sorted(self.options)}")
        of_each = list(state["state"] or ())
        if len(of_each) != len(self.parameters):
            raise ValueError(f"{who}: state of {len(of_each)} parameters, this has {len(self.parameters)}")
        type(self)(self.parameters, **state["options"])  # complains of options that are out of range
        pairs = zip(of_each, self.parameters, strict=True)
        loaded = [self._fitted(f"{who}: parameter {i}", *pair) for i, pair in enumerate(pairs)]
        for name, value in state["options"].items():
            setattr(self, name, value)
        self.state = loaded

    def _fitted(self, who: str, entries: Mapping[str, Any], parameter: Tensor) -> State:
        """A copy of the state of one parameter, if it fits."""
        if entries and not set(self.buffers).issuperset(set(entries) - {"step"}):
            raise ValueError(f"{who} has the entries {sorted(entries)}; of this optimizer are {list(self.buffers)}")
        for name, value in entries.items():
            if name in self.buffers and np.shape(value) != parameter.shape:
                raise ValueError(f"{who}: '{name}' has shape {np.shape(value)}, the parameter {parameter.shape}")
        return {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in entries.items()}

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={getattr(self, name)}" for name in self.options)
        return f"{type(self).__name__}({len(self.parameters)} parameters, {options})"


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

    def update(
        self, parameter: Array, gradient: Array, state: State, out: Out = None, scratch: Scratch = NO_SCRATCH
    ) -> Array:
        room, other = scratch
        if self.weight_decay:
            gradient = np.add(np.multiply(parameter, self.weight_decay, out=other), gradient, out=other)
        if self.momentum:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = np.array(gradient)
            else:
                kept = None if out is None else velocity
                velocity = np.add(np.multiply(velocity, self.momentum, out=kept), gradient, out=kept)
            state["momentum_buffer"] = velocity
            if self.nesterov:
                gradient = np.add(np.multiply(velocity, self.momentum, out=room), gradient, out=room)
            else:
                gradient = velocity
        return np.subtract(parameter, np.multiply(gradient, self._lr, out=room), out=out)


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

    def update(
        self, parameter: Array, gradient: Array, state: State, out: Out = None, scratch: Scratch = NO_SCRATCH
    ) -> Array:
        room, other = scratch
        beta1, beta2 = self.betas
        if self.weight_decay and self._decoupled:
            parameter = np.multiply(parameter, 1.0 - self._lr * self.weight_decay, out=out)
        elif self.weight_decay:
            gradient = np.add(np.multiply(parameter, self.weight_decay, out=other), gradient, out=other)
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(parameter), exp_avg_sq=np.zeros_like(parameter))
        state["step"] = step = state["step"] + 1
        state["exp_avg"] = mean = _running(state["exp_avg"], gradient, beta1, out, room)
        squared = np.multiply(gradient, gradient, out=other)
        state["exp_avg_sq"] = square = _running(state["exp_avg_sq"], squared, beta2, out, room)
        scale = np.sqrt(square, out=room)
        scale = np.multiply(scale, 1.0 / math.sqrt(1.0 - beta2**step), out=room)
        scale = np.add(scale, self.eps, out=room)
        change = np.divide(mean, scale, out=room)
        change = np.multiply(change, self._lr / (1.0 - beta1**step), out=room)
        return np.subtract(parameter, change, out=out)


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

    def update(
        self, parameter: Array, gradient: Array, state: State, out: Out = None, scratch: Scratch = NO_SCRATCH
    ) -> Array:
        room, other = scratch
        if self.weight_decay:
            gradient = np.add(np.multiply(parameter, self.weight_decay, out=other), gradient, out=other)
        square = state.get("square_avg")
        square = np.zeros_like(parameter) if square is None else square
        state["square_avg"] = square = _running_square(square, gradient, self.alpha, out, room)
        if self.centered:
            mean = state.get("grad_avg")
            mean = np.zeros_like(parameter) if mean is None else mean
            state["grad_avg"] = mean = _running(mean, gradient, self.alpha, out, room)
            square = np.subtract(square, np.multiply(mean, mean, out=room), out=room)
        scale = np.add(np.sqrt(square, out=room), self.eps, out=room)
        change = np.divide(gradient, scale, out=room)
        if self.momentum:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = np.array(change)
            else:
                kept = None if out is None else buffer
                buffer = np.add(np.multiply(buffer, self.momentum, out=kept), change, out=kept)
            state["momentum_buffer"] = change = buffer
        return np.subtract(parameter, np.multiply(change, self._lr, out=room), out=out)


def _running(mean: Array, value: Array, decay: float, out: Array | None, room: Array | None) -> Array:
    """decay mean + (1 - decay) value, written into ``mean`` if ``out`` is given."""
    kept = None if out is None else mean
    part = np.multiply(value, 1.0 - decay, out=room)
    return np.add(np.multiply(mean, decay, out=kept), part, out=kept)


def _running_square(mean: Array, value: Array, decay: float, out: Array | None, room: Array | None) -> Array:
    return _running(mean, np.multiply(value, value, out=room), decay, out, room)
