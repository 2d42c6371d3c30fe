"""A recurrence with gates: one step as one operation, and all steps of a sequence.

A step has a dozen small operations, and a sequence many steps.  Over a whole sequence the products that give the
gradient of the weights are one, and nothing is noted between the steps.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..arrays import owned, turned
from ..cotangents import Parts
from ..examples import is_one
from ..primitive import example, sample
from ..registering import primitive

Array = Any


def _quarters(a: Array) -> tuple[Array, Array, Array, Array]:
    """The parts of the last axis for the gates i, f, g and o."""
    n = a.shape[-1] // 4
    return a[..., :n], a[..., n : 2 * n], a[..., 2 * n : 3 * n], a[..., 3 * n :]


@functools.lru_cache(maxsize=64)
def _halves(n: int, of_sigmoid: float, of_tanh: float, dtype: Any) -> Array:
    """One number for the gates i, f and o, and another one for g; in double precision beside whole numbers."""
    values = np.repeat([of_sigmoid, of_sigmoid, of_tanh, of_sigmoid], n)
    values = values.astype(dtype) if dtype.kind in "fc" else values
    values.flags.writeable = False
    return values


def _inner(g: Any, y: Any) -> Array:
    """The cotangent of the new cell, by all ways."""
    o, bounded = _quarters(y[2])[3], y[3]
    return g[1] + (g[0] * o + g[3]) * (1.0 - bounded * bounded)


def _into_gates(g: Any, inner: Array, c: Array, y: Any) -> Array:
    """The cotangent of the arguments of all gates; ``inner`` is that of the new cell."""
    i, f, new, o = _quarters(y[2])
    own_i, own_f, own_new, own_o = _quarters(g[2])
    parts = [
        (inner * new + own_i) * (i - i * i),
        (inner * c + own_f) * (f - f * f),
        (inner * i + own_new) * (1.0 - new * new),
        (g[0] * y[3] + own_o) * (o - o * o),
    ]
    return np.concatenate(parts, axis=-1)


@primitive(
    lambda g, c, y: _into_gates(g, _inner(g, y), c, y),
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


def _unpacked(packed: Array, length: int, width: int) -> tuple[Array, Array, Array, Array]:
    """The four arrays that follow each other: arguments of gates, weights, and the states h and c before all steps."""
    weights = 4 * width * width
    n = (packed.shape[0] - weights) // (2 * width * (2 * length + 1))
    rows, state = 4 * length * n * width, n * width
    z = np.reshape(packed[:rows], (length, n, 4 * width))
    weight = np.reshape(packed[rows : rows + weights], (width, 4 * width))
    h, c = packed[rows + weights : rows + weights + state], packed[rows + weights + state :]
    return z, weight, np.reshape(h, (n, width)), np.reshape(c, (n, width))


def _flat(*arrays: Array) -> Array:
    """Arrays one after the other."""
    return np.concatenate([np.reshape(a, (-1,)) for a in arrays])


def _through_time(g: Any, packed: Array, y: Any, length: int, width: int) -> Array:
    """The cotangent of all that is packed: from the last element to the first."""
    _, weight, *start = _unpacked(packed, length, width)
    h, c, gates, bounded = y
    before, c_before = (np.concatenate([a[None], b[:-1]]) for a, b in zip(start, (h, c), strict=True))
    back = turned(weight) + 0.0  # in rows of its own, which is faster to multiply with
    known = g.known if isinstance(g, Parts) else dict(enumerate(g))
    if known.keys() <= {0, 1} and all(isinstance(a, np.ndarray) or is_one(a) for a in (packed, *known.values())):
        return _through_arrays(known.get(0), known.get(1), packed, before, c_before, gates, bounded, back)
    into = [g[k] for k in range(4)]
    dz: list[Any] = [None] * length
    dh: Any = None  # not 0.0, beside which a structural zero would be forgotten
    dc: Any = None
    for t in reversed(range(length)):
        of_h, of_c, *others = (part[t] for part in into)
        of = (of_h, of_c, *others) if dh is None else (of_h + dh, of_c + dc, *others)
        now = h[t], c[t], gates[t], bounded[t]
        inner = _inner(of, now)
        dz[t] = _into_gates(of, inner, c_before[t], now)
        dc = inner * _quarters(gates[t])[1]
        dh = np.matmul(dz[t], back)
    of_z = np.stack(dz)
    of_weight = np.matmul(turned(np.reshape(before, (-1, width))), np.reshape(of_z, (-1, 4 * width)))
    return _flat(of_z, of_weight, dh, dc)


def _through_arrays(
    g: Array | None, g_c: Array | None, packed: Array, before: Array, c_before: Array, gates: Array, bounded: Array,
    back: Array,
) -> Array:  # fmt: skip
    """The same where only the outputs h, or c, are used: each number is written where it is wanted."""
    length, _, width = bounded.shape
    result = np.empty_like(packed)
    steps, of_weight, of_h, of_c = _unpacked(result, length, width)
    inner, part = np.empty_like(before[0]), np.empty_like(before[0])
    dh, dc = np.zeros_like(before[0]), np.zeros_like(before[0])
    for t in reversed(range(length)):
        i, f, new, o = _quarters(gates[t])
        into_i, into_f, into_new, into_o = _quarters(steps[t])
        np.multiply(gates[t], gates[t], out=steps[t])
        np.subtract(1.0, into_new, out=into_new)
        np.subtract(i, into_i, out=into_i)
        np.subtract(f, into_f, out=into_f)
        np.subtract(o, into_o, out=into_o)
        if g is not None:
            np.add(g[t], dh, out=dh)
        if g_c is not None:
            np.add(g_c[t], dc, out=dc)
        np.multiply(bounded[t], bounded[t], out=inner)
        np.subtract(1.0, inner, out=inner)
        np.multiply(inner, o, out=inner)
        np.multiply(inner, dh, out=inner)
        np.add(inner, dc, out=inner)
        for into, first, second in ((into_i, inner, new), (into_f, inner, c_before[t]), (into_new, inner, i),
                                    (into_o, dh, bounded[t])):  # fmt: skip
            np.multiply(first, second, out=part)
            np.multiply(into, part, out=into)
        np.multiply(inner, f, out=dc)
        np.matmul(steps[t], back, out=dh)
    np.matmul(np.reshape(before, (-1, width)).T, np.reshape(steps, (-1, 4 * width)), out=of_weight)
    of_h[...], of_c[...] = dh, dc
    return result


@primitive(
    lambda g, packed, y, length, width: _through_time(g, packed, y, length, width),
    examples=[example(sample(56), 2, 2), example(sample(30), 6, 1), example(sample(16), 1, 1)],
    errors=[example(sample(57), 2, 2), example(sample(16), 2, 2), example(sample(2, 8), 1, 1)],
)  # fmt: skip
def lstm_packed(packed: Array, length: int, width: int) -> Any:
    """``length`` steps of :func:`lstm_cell`, from one array of all that they depend on, as :func:`autodiff.lstm` packs.

    These follow each other: the arguments of the gates (length, n, 4 width), the weights by which the state h is
    multiplied (width, 4 width), and the states h and c at the beginning (n, width).  Returns h and c after each step,
    (length, n, width), and what the derivative needs: the gates, (length, n, 4 width), and tanh(c).  Raises ValueError
    for a number of elements that does not fit.  A primitive because it takes three quarters of the time of its steps.

    >>> import numpy as np
    >>> from autodiff import lstm_packed
    >>> z, weight, h, c = np.zeros(24), np.zeros(16), np.zeros(2), np.ones(2)
    >>> h, c, gates, _ = lstm_packed(np.concatenate([z, weight, h, c]), 3, 2)
    >>> h.shape, c[:, 0, 0].tolist(), gates.shape
    ((3, 1, 2), [0.5, 0.25, 0.125], (3, 1, 8))
    """
    size, each = packed.size - 4 * width * width, 2 * width * (2 * length + 1)
    if packed.ndim != 1 or length < 1 or width < 1 or size < each or size % each:
        raise ValueError(
            f"lstm_packed: {packed.shape} numbers are not {length} steps of width {width} and their weights"
        )
    z, weight, h, c = _unpacked(packed, length, width)
    share, shift = (owned(_halves(width, 0.5, of_tanh, packed.dtype), packed) for of_tanh in (1.0, 0.0))
    if isinstance(packed, np.ndarray):
        return _over_arrays(z, weight, h, c, share, shift)
    made: list[tuple[Array, ...]] = []
    for t in range(length):
        gates = np.tanh((z[t] + np.matmul(h, weight)) * share) * share + shift
        i, f, new, o = _quarters(gates)
        c = f * c + i * new
        bounded = np.tanh(c)
        h = o * bounded
        made.append((h, c, gates, bounded))
    return tuple(np.stack(list(parts)) for parts in zip(*made, strict=True))


def _over_arrays(z: Array, weight: Array, h: Array, c: Array, share: Array, shift: Array) -> tuple[Array, ...]:
    """The same, each number where it is wanted."""
    shape = (z.shape[0], *h.shape)
    hs, cs, bounded = (np.empty_like(share, shape=shape) for _ in range(3))
    gates, added = np.empty_like(share, shape=z.shape), np.empty_like(share, shape=h.shape)
    for t, now in enumerate(gates):
        np.matmul(h, weight, out=now)
        np.add(z[t], now, out=now)
        np.multiply(now, share, out=now)
        np.tanh(now, out=now)
        np.multiply(now, share, out=now)
        np.add(now, shift, out=now)
        i, f, new, o = _quarters(now)
        np.multiply(f, c, out=cs[t])
        np.multiply(i, new, out=added)
        c = np.add(cs[t], added, out=cs[t])
        np.tanh(c, out=bounded[t])
        h = np.multiply(o, bounded[t], out=hs[t])
    return hs, cs, gates, bounded


def lstm(z: Any, weight: Any, h: Any, c: Any) -> tuple[Any, Any]:
    """All steps of an LSTM over a sequence: for each t, h, c = lstm_cell(z[t] + h @ weight, c).

    z has shape (length, n, 4 width), ``weight`` (width, 4 width), h and c, the states before the first step, (n,
    width).  Returns h and c after each step, (length, n, width).  Raises ValueError for shapes that do not fit.

    >>> import numpy as np
    >>> from autodiff import lstm
    >>> h, c = lstm(np.zeros((3, 1, 8)), np.zeros((2, 8)), np.zeros((1, 2)), np.ones((1, 2)))
    >>> h[:, 0, 0].round(3).tolist(), c[:, 0, 0].tolist()
    ([0.231, 0.122, 0.062], [0.5, 0.25, 0.125])
    """
    shapes = [np.shape(a) for a in (z, weight, h, c)]
    length, n, wide = shapes[0] if len(shapes[0]) == 3 else (0, 0, 0)
    width = wide // 4
    if not length * n * width or shapes[1:] != [(width, 4 * width), (n, width), (n, width)]:
        raise ValueError(
            f"lstm: z has shape {shapes[0]}, weight {shapes[1]}, h {shapes[2]} and c {shapes[3]}; they must be "
            "(length, n, 4 width), (width, 4 width), (n, width) and (n, width), and not empty"
        )
    states = lstm_packed(_flat(z, weight, h, c), length, width)
    return states[0], states[1]
