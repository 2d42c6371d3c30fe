"""Recursive filters: a_0 y_n = sum_k b_k x_(n - k) - sum_(k > 0) a_k y_(n - k) along an axis.

In terms of convolutions A y = B x.  The transpose of a filter is the filter run from the end to the start: the
cotangent of x is that of y, reversed, filtered and reversed again.  With u, the cotangent filtered so by 1 / A alone,
the cotangent of b_k is sum_n u_n x_(n - k), and that of a_k is -sum_n u_n y_(n - k).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from ...arrays import as_array
from ...primitive import example, sample
from ...registering import primitive
from ..compiled import compiled, composed, of_ndarrays
from .convolutions import fftconvolve

Array = Any
MANY = 64
"""Lags, from which on it is faster to compute all of them by Fourier transforms."""


def lags(u: Array, x: Array, count: int) -> Array:
    """The sums over all but k of u_(n + k) x_n along the last axis, for k < count; u may be the longer."""
    length, longer = x.shape[-1], u.shape[-1]
    if not x.size:
        return np.zeros_like(u, shape=count)
    u, x = np.reshape(u, (-1, longer)), np.reshape(x, (-1, length))
    if count > MANY:
        found = np.sum(fftconvolve(u, np.flip(x, -1), axes=1), axis=0)[length - 1 : length - 1 + count]
    else:
        shares = [(u[:, k : k + length], x[:, : longer - k]) for k in range(min(count, longer))]
        found = np.stack([np.einsum("mn,mn->", *share) for share in shares])
    return found if found.shape[0] == count else np.pad(found, (0, count - found.shape[0]))


def _counts(b: Array, a: Array, x: Array, axis: int = -1, zi: Any = None) -> Any:
    """How many terms each output is the sum of; with feedback, all that came before."""
    feedback = [1.0, -1.0] if np.size(a) > 1 else [1.0]
    return signal.lfilter(b, feedback, x, axis)


_lfilter = compiled(signal.lfilter, _counts)


def _back(g: Array, b: Any, a: Any, axis: int) -> Array:
    """The transposed filter: from the end to the start."""
    return np.flip(filtered(b, a, np.flip(g, axis), axis), axis)


def _poles(g: Array, a: Any, axis: int) -> Array:
    """The cotangent, filtered by 1 / A from the end to the start, the axis last."""
    a = as_array(a)
    return np.moveaxis(_back(g, np.ones_like(a, shape=1), a, axis), axis, -1)


def _last(x: Any, axis: int) -> Array:
    return np.moveaxis(as_array(x), axis, -1)


@of_ndarrays
@primitive(
    lambda g, a, x, b_shape, axis: lags(_poles(g, a, axis), _last(x, axis), b_shape[0]),
    lambda g, a, y, a_shape, axis: -lags(_poles(g, a, axis), _last(y, axis), a_shape[0]),
    lambda g, b, a, axis: _back(g, b, a, axis),
    examples=[
        example(sample(2), sample(3, make=lambda a: a / 9.0 + [1.0, 0.0, 0.0]), sample(4)),
        example(sample(3), sample(1, make=lambda a: a / 9.0 + 1.0), sample(4, 2), axis=0),
    ],
    errors=[example(sample(2), sample(2), sample()), example(sample(1, 2), sample(2), sample(3))],
)  # fmt: skip
def filtered(b: Array, a: Array, x: Array, axis: int = -1) -> Array:
    """The filter from rest: A y = B x.  The rule of x is the filter from the end to the start.

    >>> filtered([1.0], [1.0, -0.5], [1.0, 0.0, 0.0]).tolist()
    [1.0, 0.5, 0.25]
    """
    if np.ndim(b) != 1 or np.ndim(a) != 1:
        raise ValueError(f"lfilter: b has shape {np.shape(b)}, a {np.shape(a)}; the coefficients are two vectors")
    return _lfilter(b, a, x, axis)


def _through(g: Any, a: Array) -> Array:
    """The cotangents of what enters each step, those after the last too: last first.

    The last state is what would come out without feedback if nothing more came in.
    """
    one = np.ones_like(a, shape=1)
    poles = np.concatenate([one, a])
    state = np.flip(g[1], -1)
    fed = a.shape[0]  # so many of what is known come back
    start = filtered(poles, one, state[..., state.shape[-1] - fed :])
    steps = filtered(one, poles, np.concatenate([start, np.flip(g[0], -1)], axis=-1))
    return np.concatenate([state, steps[..., fed:]], axis=-1)


def _of_coefficients(g: Any, a: Array, x: Array, count: int) -> Array:
    return lags(np.flip(_through(g, a), -1), x, count)


@of_ndarrays
@primitive(
    lambda g, a, x, b_shape: _of_coefficients(g, a, x, b_shape[0]),
    lambda g, a, y, a_shape: -_of_coefficients(g, a, y[0], a_shape[0] + 1)[1:],
    lambda g, b, a, x_shape: np.flip(
        filtered(b, np.ones_like(a, shape=1), _through(g, a)), -1
    )[..., : x_shape[-1]],
    lambda g, a, zi_shape: np.flip(_through(g, a), -1)[..., : zi_shape[-1]],
    examples=[
        example(sample(2), sample(2, make=lambda a: a / 9.0), sample(4), sample(2)),
        example(sample(3), sample(1, make=lambda a: a / 9.0), sample(2, 1), sample(2, 2)),
    ],
    errors=[example(sample(2), sample(2), sample(4), sample(1))],
)  # fmt: skip
def filtered_from(b: Array, a: Array, x: Array, zi: Array) -> Any:
    """The filter along the last axis from a state, and the state after it; ``a`` is without a_0, which is 1.

    >>> filtered_from(np.ones(1), np.array([-0.5]), np.zeros(2), np.ones(1))
    (array([1. , 0.5]), array([0.25]))
    """
    state = max(b.shape[0] - 1, a.shape[0])
    if zi.shape != (*x.shape[:-1], state):
        raise ValueError(
            f"lfilter: x has shape {x.shape}, so that zi must have {(*x.shape[:-1], state)}, not {zi.shape}"
        )
    return _lfilter(b, np.concatenate([np.ones_like(a, shape=1), a]), x, -1, zi)


@composed(
    signal.lfilter,
    examples=[
        example(sample(2), sample(3, make=lambda a: a / 9.0 + [1.0, 0.0, 0.0]), sample(4)),
        example(sample(1), sample(2, make=lambda a: a / 9.0 + [2.0, 0.0]), sample(3, 2), 0, sample(1, 2)),
    ],
    errors=[example(sample(2), sample(2), sample()), example(sample(2), sample(2), sample(3), zi=np.zeros(3))],
)  # fmt: skip
def lfilter(b: Array, a: Array, x: Array, axis: int = -1, zi: Any = None) -> Any:
    """The filter a_0 y_n = sum_k b_k x_(n - k) - sum_(k > 0) a_k y_(n - k) along an axis, as ``scipy.signal.lfilter``.

    b and a are vectors, x has any shape.  With a state ``zi`` before the first step, of length max(len(a), len(b)) - 1
    along the axis, it returns y and the state after the last step.  Source: A. Oppenheim and R. Schafer,
    "Discrete-time signal processing" (1989), transposed direct form II.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import signal
    >>> grad(lambda x: signal.lfilter([1.0], [1.0, -0.5], x)[-1])(np.zeros(3)).tolist()
    [0.25, 0.5, 1.0]
    """
    if zi is None:
        return filtered(b, a, x, axis)
    b, a, x, zi = (as_array(array) for array in (b, a, x, zi))
    if np.ndim(b) != 1 or np.ndim(a) != 1 or np.ndim(x) != np.ndim(zi):
        raise ValueError(
            f"lfilter: b has shape {np.shape(b)}, a {np.shape(a)}; x has {np.ndim(x)} axes, zi {np.ndim(zi)}: the "
            "coefficients are two vectors, and zi has as many axes as x"
        )
    x, zi = np.moveaxis(x, axis, -1), np.moveaxis(zi, axis, -1)
    state = max(np.shape(a)[0], np.shape(b)[0]) - 1
    zi = np.broadcast_to(zi, (*np.shape(x)[:-1], state)) if np.shape(zi)[-1] == state else zi
    y, zf = filtered_from(b / a[0], a[1:] / a[0], x, zi)
    return np.moveaxis(y, -1, axis), np.moveaxis(zf, -1, axis)
