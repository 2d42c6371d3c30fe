"""One step of a recurrence with gates, as one operation: a step has a dozen small ones, and a sequence many steps."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..arrays import owned
from ..primitive import example, sample
from ..registering import primitive

Array = Any


def _quarters(a: Array) -> tuple[Array, Array, Array, Array]:
    """The parts of the last axis for the gates i, f, g and o."""
    n = a.shape[-1] // 4
    return a[..., :n], a[..., n : 2 * n], a[..., 2 * n : 3 * n], a[..., 3 * n :]


@functools.lru_cache(maxsize=64)
def _halves(n: int, of_sigmoid: float, of_tanh: float, dtype: Any) -> Array:
    """One number for the gates i, f and o, and another one for g."""
    values = np.repeat([of_sigmoid, of_sigmoid, of_tanh, of_sigmoid], n).astype(dtype)
    values.flags.writeable = False
    return values


def _inner(g: Any, y: Any) -> Array:
    """The cotangent of the new cell, by all ways."""
    o, bounded = _quarters(y[2])[3], y[3]
    return g[1] + (g[0] * o + g[3]) * (1.0 - bounded * bounded)


def _into_gates(g: Any, c: Array, y: Any) -> Array:
    """The cotangent of the arguments of all gates."""
    i, f, new, o = _quarters(y[2])
    own_i, own_f, own_new, own_o = _quarters(g[2])
    inner = _inner(g, y)
    parts = [
        (inner * new + own_i) * (i - i * i),
        (inner * c + own_f) * (f - f * f),
        (inner * i + own_new) * (1.0 - new * new),
        (g[0] * y[3] + own_o) * (o - o * o),
    ]
    return np.concatenate(parts, axis=-1)


@primitive(
    lambda g, c, y: _into_gates(g, c, y),
    lambda g, y: _inner(g, y) * _quarters(y[2])[1],
    examples=[example(sample(8), sample(2)), example(sample(2, 4), sample(2, 1)), example(sample(0, 4), sample(0, 1))],
    errors=[example(sample(2, 4), sample(2, 2)), example(sample(2, 6), sample(2, 2))],
)  # fmt: skip
def lstm_cell(z: Array, c: Array) -> Any:
    """One step of an LSTM: c' = sigmoid(f) c + sigmoid(i) tanh(g), and h' = sigmoid(o) tanh(c').

    z has shape (..., 4 n), the arguments of the gates i, f, g and o one after the other, c (..., n).  Returns h' and
    c', of the shape of c, and what the derivative needs: the gates, of the shape of z, and tanh(c').  The sigmoid is (1
    + tanh(z / 2)) / 2, so that one tanh makes all gates: its error is that of 1, not of a small sigmoid.  A primitive
    because it takes half the time of the composition.  Source: F. Gers et al., "Learning to forget: continual
    prediction with LSTM" (2000).

    >>> import numpy as np
    >>> from autodiff import lstm_cell
    >>> h, c, gates, _ = lstm_cell(np.zeros(8), np.ones(2))
    >>> h.round(3).tolist(), c.tolist(), gates.tolist()
    ([0.231, 0.231], [0.5, 0.5], [0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5])
    """
    if z.ndim < 1 or z.shape[:-1] != c.shape[:-1] or z.shape[-1] != 4 * c.shape[-1]:
        raise ValueError(f"lstm_cell: the cell has shape {c.shape}, so z must have four times its last axis: {z.shape}")
    n = c.shape[-1]
    share, shift = (owned(_halves(n, 0.5, of_tanh, z.dtype), z) for of_tanh in (1.0, 0.0))
    gates = np.tanh(z * share) * share + shift
    i, f, new, o = _quarters(gates)
    after = f * c + i * new
    bounded = np.tanh(after)
    return o * bounded, after, gates, bounded
