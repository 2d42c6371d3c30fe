"""Limits on gradients, before an optimizer uses them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autodiff import Tensor

from .calls import is_writable
from .checks import checked, in_range

Array = Any


def clip_grad_norm_(parameters: Iterable[Tensor] | Tensor, max_norm: float, norm_type: float = 2.0) -> float:
    """Scale all gradients together so that their common norm, as of one vector, is at most ``max_norm``.

    Returns the norm before scaling.  ``norm_type`` is p of the p-norm; ``inf`` means the largest magnitude.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([3.0, 4.0]))
    >>> (np.sum(w * w) * 0.5).backward()
    >>> clip_grad_norm_([w], 1.0)
    5.0
    >>> w.grad.round(3).tolist()
    [0.6, 0.8]
    """
    max_norm = in_range("clip_grad_norm_", "max_norm", max_norm, 0.0)
    if not isinstance(norm_type, int | float) or not norm_type > 0:
        raise ValueError(f"clip_grad_norm_: norm_type is {norm_type!r}; it must be positive (or inf)")
    owners = _with_gradients("clip_grad_norm_", parameters)
    norms = [_norm(p.grad, norm_type) for p in owners]
    total = _norm(np.stack(norms), norm_type).item() if norms else 0.0
    factor = max_norm / (total + 1e-6)
    if not factor >= 1.0:
        for parameter in owners:
            gradient = parameter.grad
            parameter.grad = np.multiply(gradient, factor, out=gradient if is_writable(gradient) else None)
    return total


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Limit every element of every gradient to [-clip_value, clip_value].

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> w = Tensor(np.array([3.0, -0.25]))
    >>> (np.sum(w * w) * 0.5).backward()
    >>> clip_grad_value_([w], 1.0)
    >>> w.grad.tolist()
    [1.0, -0.25]
    """
    clip_value = in_range("clip_grad_value_", "clip_value", clip_value, 0.0)
    for parameter in _with_gradients("clip_grad_value_", parameters):
        gradient = parameter.grad
        parameter.grad = np.clip(gradient, -clip_value, clip_value, out=gradient if is_writable(gradient) else None)


def _norm(gradient: Array, p: float) -> Any:
    """The p-norm of all elements in float64, so that squares of float32 numbers neither overflow nor vanish.

    A number of NumPy's, and computed by its functions alone: so a program can hold it.
    """
    flat = np.ravel(gradient)
    if p == 2.0:
        square = np.real(np.vdot(flat, flat)).item()
        if 1e-30 < square < math.inf:
            return np.sqrt(square)
    if not flat.size:
        return np.float64(0.0)
    magnitudes = np.abs(flat).astype(np.float64)
    top = np.max(magnitudes)
    if math.isinf(p) or not top or not np.isfinite(top):
        return top
    return top * np.sum((magnitudes / top) ** p) ** (1.0 / p)


def _with_gradients(who: str, parameters: Iterable[Tensor] | Tensor) -> list[Tensor]:
    owners = [parameters] if isinstance(parameters, Tensor) else checked(parameters, who, empty=True)
    return [p for p in owners if p.grad is not None]
