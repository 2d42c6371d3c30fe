"""Optimizers whose steps are not scaled by squares of gradients: SGD, Lion, Muon."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import add, multiply, positive, sign, subtract

from .calls import Calls
from .decaying import Decaying, buffer, descend, run_mean
from .groups import Group, Parameters, State

Array = Any


class SGD(Decaying):
    """Gradient descent, with momentum, Nesterov's variant, and weight decay.

    g += weight_decay p;  v = momentum v + (1 - dampening) g;  p -= lr v, or lr (g + momentum v) with nesterov.
    The first v is g.  With ``maximize`` g is the negative gradient.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0, 2.0]))
    >>> optimizer = SGD([w], lr=0.5)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.tolist()
    [0.0, 0.0]
    """

    buffers: tuple[str, ...] = ("momentum_buffer",)

    def __init__(
        self, parameters: Parameters, lr: float = 1e-3, *, momentum: float = 0.0, dampening: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            parameters, lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov,
            maximize=maximize,
        )  # fmt: skip

    def check(self, group: Group) -> None:
        if group.nesterov and not group.momentum:
            raise ValueError("SGD: nesterov needs a momentum above 0")
        if group.nesterov and group.dampening:
            raise ValueError("SGD: nesterov goes without dampening; leave dampening at 0")

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        room = calls.room
        if group.momentum:
            first = "momentum_buffer" not in state
            velocity, new = buffer(state, "momentum_buffer", parameter), gradient
            calls.append((multiply, velocity, group.momentum, velocity))
            if group.dampening and not first:
                calls.append((multiply, gradient, 1.0 - group.dampening, room))
                new = room
            calls.append((add, velocity, new, velocity))
            if group.nesterov:
                calls += (multiply, velocity, group.momentum, room), (add, room, gradient, room)
                gradient = room
            else:
                gradient = velocity
        descend(parameter, gradient, group.lr, calls)


class Lion(Decaying):
    """Steps of one size in each element: the sign of a mean of the gradient and its running mean.

    p *= 1 - lr weight_decay;  p -= lr sign(b1 m + (1 - b1) g);  m = b2 m + (1 - b2) g.
    The step is larger than Adam's, so take a third to a tenth of its ``lr``, and the inverse for ``weight_decay``.
    Source: X. Chen et al., "Symbolic discovery of optimization algorithms" (2023).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0, -2.0]))
    >>> optimizer = Lion([w], lr=0.25)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.tolist()
    [0.75, -1.75]
    """

    buffers: tuple[str, ...] = ("exp_avg",)
    elementwise = True

    def __init__(
        self, parameters: Parameters, lr: float = 1e-4, *, betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, betas=betas, weight_decay=weight_decay, maximize=maximize)

    def decoupled(self, group: Group) -> bool:
        return True

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        room, mean = calls.room, buffer(state, "exp_avg", parameter)
        beta1, beta2 = group.betas
        calls += (
            (subtract, gradient, mean, room),
            (multiply, room, 1.0 - beta1, room),
            (add, mean, room, room),
            (sign, room, room),
        )
        descend(parameter, room, group.lr, calls)
        run_mean(mean, gradient, beta2, calls)


class Muon(Decaying):
    """Momentum whose matrix is made nearly orthogonal: all directions of a weight matrix change by the same amount.

    m = momentum m + (1 - momentum) g;  u = m, or with nesterov (1 - momentum) g + momentum m;
    p *= 1 - lr weight_decay;  p -= lr r O(u), with O the product U V' of the singular vectors of u, approximated by
    ``ns_steps`` Newton-Schulz steps X = a X + (b A + c A A) X, A = X X', from X = u / max(norm(u), eps).
    r is sqrt(max(1, rows / columns)), or with ``adjust_lr_fn="match_rms_adamw"`` 0.2 sqrt(max(rows, columns)), with
    which learning rates of AdamW suit.  As in PyTorch, but in the dtype of the parameter and not in bfloat16; and rows
    are PyTorch's, the outputs: our matrices are (in, out), so r takes the number of columns for that of rows.

    It is for matrices: give what has other numbers of axes, and tables of embeddings, to another optimizer.

    Source: K. Jordan, "Muon: an optimizer for hidden layers in neural networks" (2024).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.zeros((2, 2)))
    >>> optimizer = Muon([w], lr=1.0)
    >>> np.sum(w * np.diag([100.0, 1.0])).backward()
    >>> optimizer.step()
    >>> bool(np.all(np.abs(-np.diag(w.data) - 1.0) < 0.5))
    True
    """

    buffers: tuple[str, ...] = ("momentum_buffer",)
    for_any_model = False

    def __init__(
        self, parameters: Parameters, lr: float = 1e-3, *, weight_decay: float = 0.1, momentum: float = 0.95,
        nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            parameters, lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov,
            ns_coefficients=ns_coefficients, eps=eps, ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn, maximize=maximize,
        )  # fmt: skip

    def check(self, group: Group) -> None:
        for i, parameter in enumerate(group.params):
            if parameter.ndim != 2 or parameter.dtype.kind != "f":
                raise ValueError(
                    f"Muon: parameter {i} has shape {parameter.shape} and dtype {parameter.dtype}; Muon is for real "
                    "matrices: give the other parameters to AdamW, and both optimizers to optim.Joint"
                )

    def decoupled(self, group: Group) -> bool:
        return True

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        velocity = buffer(state, "momentum_buffer", parameter)
        momentum = group.momentum
        new = velocity + (gradient - velocity) * (1.0 - momentum)
        direction = gradient + (new - gradient) * momentum if group.nesterov else new
        columns, rows = parameter.shape
        scale = math.sqrt(max(1.0, rows / max(columns, 1)))
        if group.adjust_lr_fn == "match_rms_adamw":
            scale = 0.2 * math.sqrt(max(rows, columns))
        calls.append((positive, new, velocity))
        descend(parameter, orthogonal(direction, group), group.lr * scale, calls)


def orthogonal(x: Array, group: Group) -> Array:
    """A matrix with the singular vectors of x (m, n), and singular values near 1: Newton-Schulz."""
    a, b, c = group.ns_coefficients
    tall = x.shape[0] > x.shape[1]
    x = np.swapaxes(x, 0, 1) if tall else x
    flat = np.ravel(x)
    x = x / np.maximum(np.sqrt(np.vdot(flat, flat)), group.eps)
    for _ in range(group.ns_steps):
        square = x @ np.swapaxes(x, 0, 1)
        x = a * x + (b * square + c * (square @ square)) @ x
    return np.swapaxes(x, 0, 1) if tall else x
