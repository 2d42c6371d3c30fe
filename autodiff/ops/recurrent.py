"""One step of a recurrence with gates, as one operation: a step has a dozen small ones, and a sequence many steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import example, sample
from ..registering import primitive
from .elementwise import sigmoid

Array = Any


def _quarters(a: Array) -> tuple[Array, Array, Array, Array]:
    """The parts of the last axis for the gates i, f, g and o."""
    n = a.shape[-1] // 4
    return a[..., :n], a[..., n : 2 * n], a[..., 2 * n : 3 * n], a[..., 3 * n :]


def _into_gates(g: Any, c: Array, y: Any) -> Array:
    """The cotangent of the arguments of all gates."""
    i, f, new, o = _quarters(y[2])
    own_i, own_f, own_new, own_o = _quarters(g[2])
    bounded = np.tanh(y[1])
    inner = g[1] + g[0] * o * (1.0 - bounded * bounded)
    parts = [
        (inner * new + own_i) * (i - i * i),
        (inner * c + own_f) * (f - f * f),
        (inner * i + own_new) * (1.0 - new * new),
        (g[0] * bounded + own_o) * (o - o * o),
    ]
    return np.concatenate(parts, axis=-1)


def _into_before(g: Any, y: Any) -> Array:
    """The cotangent of the cell before the step."""
    _, f, _, o = _quarters(y[2])
    bounded = np.tanh(y[1])
    return (g[1] + g[0] * o * (1.0 - bounded * bounded)) * f


@primitive(
    lambda g, c, y: _into_gates(g, c, y),
    lambda g, y: _into_before(g, y),
    examples=[example(sample(8), sample(2)), example(sample(2, 4), sample(2, 1)), example(sample(0, 4), sample(0, 1))],
    errors=[example(sample(2, 4), sample(2, 2)), example(sample(2, 6), sample(2, 2))],
)  # fmt: skip
def lstm_cell(z: Array, c: Array) -> Any:
    """One step of an LSTM: c' = sigmoid(f) c + sigmoid(i) tanh(g), and h' = sigmoid(o) tanh(c').

    z has shape (..., 4 n), the arguments of the gates i, f, g and o one after the other, c (..., n).  Returns h' and
    c', of the shape of c, and the gates, of the shape of z, which the derivative needs.  A primitive because it takes
    half the time of the composition.  Source: F. Gers et al., "Learning to forget: continual prediction with LSTM"
    (2000).

    >>> import numpy as np
    >>> from autodiff import lstm_cell
    >>> h, c, gates = lstm_cell(np.zeros(8), np.ones(2))
    >>> h.round(3).tolist(), c.tolist(), gates.tolist()
    ([0.231, 0.231], [0.5, 0.5], [0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5])
    """
    if z.ndim < 1 or z.shape[:-1] != c.shape[:-1] or z.shape[-1] != 4 * c.shape[-1]:
        raise ValueError(f"lstm_cell: the cell has shape {c.shape}, so z must have four times its last axis: {z.shape}")
    n = c.shape[-1]
    s = sigmoid(z)
    gates = np.concatenate([s[..., : 2 * n], np.tanh(z[..., 2 * n : 3 * n]), s[..., 3 * n :]], axis=-1)
    i, f, new, o = _quarters(gates)
    after = f * c + i * new
    return o * np.tanh(after), after, gates
