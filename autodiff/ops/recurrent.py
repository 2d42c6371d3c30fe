"""One step of a recurrence with gates, as one operation: a step has a dozen small ones, and a sequence many steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import example, sample
from ..registering import primitive
from .elementwise import sigmoid

Array = Any


def _gates(z: Array) -> tuple[Array, Array, Array, Array]:
    """sigmoid(i), sigmoid(f), tanh(g) and sigmoid(o), of which z has the arguments in its last axis."""
    n = z.shape[-1] // 4
    s = sigmoid(z)
    return s[..., :n], s[..., n : 2 * n], np.tanh(z[..., 2 * n : 3 * n]), s[..., 3 * n :]


def _into_cell(g: Any, o: Array, after: Array) -> Array:
    """The cotangent of the new cell, by both ways."""
    bounded = np.tanh(after)
    return g[1] + g[0] * o * (1.0 - bounded * bounded)


def _into_gates(g: Any, z: Array, c: Array, y: Any) -> Array:
    """The cotangent of the arguments of all gates."""
    i, f, new, o = _gates(z)
    inner = _into_cell(g, o, y[1])
    parts = [
        inner * new * (i * (1.0 - i)),
        inner * c * (f * (1.0 - f)),
        inner * i * (1.0 - new * new),
        g[0] * np.tanh(y[1]) * (o * (1.0 - o)),
    ]
    return np.concatenate(parts, axis=-1)


def _into_before(g: Any, z: Array, y: Any) -> Array:
    """The cotangent of the cell before the step."""
    _, f, _, o = _gates(z)
    return _into_cell(g, o, y[1]) * f


@primitive(
    lambda g, z, c, y: _into_gates(g, z, c, y),
    lambda g, z, y: _into_before(g, z, y),
    examples=[example(sample(8), sample(2)), example(sample(2, 4), sample(2, 1)), example(sample(0, 4), sample(0, 1))],
    errors=[example(sample(2, 4), sample(2, 2)), example(sample(2, 6), sample(2, 2))],
)  # fmt: skip
def lstm_cell(z: Array, c: Array) -> Any:
    """One step of an LSTM: c' = sigmoid(f) c + sigmoid(i) tanh(g), and h' = sigmoid(o) tanh(c').

    z has shape (..., 4 n), the arguments of the gates i, f, g and o one after the other, c (..., n).  Returns h' and
    c', of the shape of c.  A primitive because it takes half the time of the composition.  Source: F. Gers et al.,
    "Learning to forget: continual prediction with LSTM" (2000).

    >>> import numpy as np
    >>> from autodiff import lstm_cell
    >>> h, c = lstm_cell(np.zeros(8), np.ones(2))
    >>> h.round(3).tolist(), c.tolist()
    ([0.231, 0.231], [0.5, 0.5])
    """
    if z.ndim < 1 or z.shape[:-1] != c.shape[:-1] or z.shape[-1] != 4 * c.shape[-1]:
        raise ValueError(f"lstm_cell: the cell has shape {c.shape}, so z must have four times its last axis: {z.shape}")
    i, f, new, o = _gates(z)
    after = f * c + i * new
    return o * np.tanh(after), after
