"""Optimizers whose steps are scaled by squares of gradients: the family of Adam, RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from typing import Any

from numpy import add, divide, fmax, multiply, sqrt, subtract

from .calls import Calls
from .decaying import Decaying, buffer, count, descend, run_mean
from .groups import Group, Parameters, State

Array = Any


class Adam(Decaying):
    """Steps scaled by running means of the gradient and of its square, which are corrected for their start at 0.

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g²;  p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
    ``weight_decay`` adds weight_decay p to the gradient, or with ``decoupled_weight_decay`` p *= 1 - lr weight_decay.
    With ``amsgrad`` the largest v so far takes the place of v.  Source: D. Kingma, J. Ba, "Adam" (2015);
    S. Reddi et al., "On the convergence of Adam and beyond" (2018).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0]))
    >>> optimizer = Adam([w], lr=0.1)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(6).tolist()
    [0.9]
    """

    buffers: tuple[str, ...] = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    elementwise = True

    def __init__(
        self, parameters: Parameters, lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False, maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        room, step = calls.room, count(state)
        beta1, beta2 = group.betas
        mean, square = buffer(state, "exp_avg", parameter), buffer(state, "exp_avg_sq", parameter)
        run_mean(mean, gradient, beta1, calls)
        calls.append((multiply, gradient, gradient, room))
        run_mean(square, room, beta2, calls)
        if group.amsgrad:
            largest = buffer(state, "max_exp_avg_sq", parameter)
            calls.append((fmax, largest, square, largest))  # maximum takes no third argument by its place
            square = largest
        calls += (
            (sqrt, square, room),
            (multiply, room, (1.0 - beta2**step) ** -0.5, room),
            (add, room, group.eps, room),
            (divide, mean, room, room),
        )
        descend(parameter, room, group.lr / (1.0 - beta1**step), calls)


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

    elementwise = True

    def __init__(
        self, parameters: Parameters, lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, maximize: bool = False,
    ) -> None:  # fmt: skip
        super(Adam, self).__init__(
            parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize
        )

    def decoupled(self, group: Group) -> bool:
        return True


class NAdam(Decaying):
    """Adam with Nesterov's momentum: a step by the gradient and by the mean that the next step will have.

    mu_t = b1 (1 - 0.96^(t momentum_decay) / 2);  m, v as in Adam;
    p -= lr ((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_(t+1) / (1 - mu_1 ... mu_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps).
    Source: T. Dozat, "Incorporating Nesterov momentum into Adam" (2016).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0]))
    >>> optimizer = NAdam([w], lr=0.1, momentum_decay=0.0)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(3).tolist()
    [0.894]
    """

    buffers: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    numbers: tuple[str, ...] = ("step", "mu_product")
    elementwise = True

    def __init__(
        self, parameters: Parameters, lr: float = 2e-3, *, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0, momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize,
        )  # fmt: skip

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        room, other, step = calls.room, calls.other, count(state)
        beta1, beta2 = group.betas
        mean, square = buffer(state, "exp_avg", parameter), buffer(state, "exp_avg_sq", parameter)
        mu = beta1 * (1.0 - 0.5 * 0.96 ** (step * group.momentum_decay))
        after = beta1 * (1.0 - 0.5 * 0.96 ** ((step + 1) * group.momentum_decay))
        state["mu_product"] = product = state.get("mu_product", 1.0) * mu
        run_mean(mean, gradient, beta1, calls)
        calls.append((multiply, gradient, gradient, room))
        run_mean(square, room, beta2, calls)
        calls += (
            (multiply, gradient, (1.0 - mu) / (1.0 - product), other),
            (multiply, mean, after / (1.0 - product * after), room),
            (add, other, room, other),
            (sqrt, square, room),
            (multiply, room, (1.0 - beta2**step) ** -0.5, room),
            (add, room, group.eps, room),
            (divide, other, room, room),
        )
        descend(parameter, room, group.lr, calls)


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

    buffers: tuple[str, ...] = ("square_avg", "grad_avg", "momentum_buffer")
    elementwise = True

    def __init__(
        self, parameters: Parameters, lr: float = 1e-2, *, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            parameters, lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered,
            maximize=maximize,
        )  # fmt: skip

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        room, square = calls.room, buffer(state, "square_avg", parameter)
        calls.append((multiply, gradient, gradient, room))
        run_mean(square, room, group.alpha, calls)
        if group.centered:
            mean = buffer(state, "grad_avg", parameter)
            run_mean(mean, gradient, group.alpha, calls)
            calls += (multiply, mean, mean, room), (subtract, square, room, room)
            square = room
        calls += (sqrt, square, room), (add, room, group.eps, room), (divide, gradient, room, room)
        change = room
        if group.momentum:
            change = buffer(state, "momentum_buffer", parameter)
            calls += (multiply, change, group.momentum, change), (add, change, room, change)
        descend(parameter, change, group.lr, calls)


class Adagrad(Decaying):
    """Steps scaled by the sum of all squared gradients so far: large for what has rarely changed.

    s += g²;  p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps), with s = initial_accumulator_value at first.
    Source: J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods" (2011).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0]))
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(6).tolist()
    [0.9]
    """

    buffers: tuple[str, ...] = ("sum",)
    elementwise = True

    def __init__(
        self, parameters: Parameters, lr: float = 1e-2, *, lr_decay: float = 0.0, weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0, eps: float = 1e-10, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            parameters, lr, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps, maximize=maximize,
        )  # fmt: skip

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        room, step = calls.room, count(state)
        total = buffer(state, "sum", parameter, group.initial_accumulator_value)
        calls += (
            (multiply, gradient, gradient, room),
            (add, total, room, total),
            (sqrt, total, room),
            (add, room, group.eps, room),
            (divide, gradient, room, room),
        )
        descend(parameter, room, group.lr / (1.0 + (step - 1) * group.lr_decay), calls)


class Adadelta(Decaying):
    """Steps in the unit of the parameter: the gradient, times the ratio of the roots of two running means.

    v = rho v + (1 - rho) g²;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = rho u + (1 - rho) d²;  p -= lr d.
    Source: M. Zeiler, "ADADELTA: an adaptive learning rate method" (2012).

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([1.0]))
    >>> optimizer = Adadelta([w])
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data.round(6).tolist()
    [0.996838]
    """

    buffers: tuple[str, ...] = ("square_avg", "acc_delta")
    elementwise = True

    def __init__(
        self, parameters: Parameters, lr: float = 1.0, *, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0.0, maximize: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> None:
        room, delta = calls.room, calls.other
        square, changes = buffer(state, "square_avg", parameter), buffer(state, "acc_delta", parameter)
        calls.append((multiply, gradient, gradient, room))
        run_mean(square, room, group.rho, calls)
        calls += (
            (add, square, group.eps, room),
            (sqrt, room, room),
            (divide, gradient, room, delta),
            (add, changes, group.eps, room),
            (sqrt, room, room),
            (multiply, delta, room, delta),
            (multiply, delta, delta, room),
        )
        run_mean(changes, room, group.rho, calls)
        descend(parameter, delta, group.lr, calls)
