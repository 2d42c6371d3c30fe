"""What is made of filters and transforms: filters without delay, in sections, the analytic signal, trends removed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import signal

from ...arrays import as_array, cast, owned
from ...primitive import example, sample
from ...registering import primitive
from ..compiled import compiled, composed, of_ndarrays
from .filters import filtered_from, lfilter

Array = Any


def _stable(a: Array) -> Array:
    """Coefficients of a filter whose answer dies out."""
    return a / 9.0 + np.eye(1, a.size)[0]


def _part(x: Array, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Array:
    """Some elements along an axis."""
    here = [slice(None)] * np.ndim(x)
    here[axis] = slice(start, stop, step)
    return x[tuple(here)]


@composed(
    signal.lfilter_zi,
    examples=[example(sample(2), sample(3, make=_stable)), example(sample(3), sample(1, make=_stable))],
    errors=[example(sample(2, 2), sample(2))],
)
def lfilter_zi(b: Array, a: Array) -> Array:
    """The state of a filter that has had ones for ever: the solution of z = A z + B.  As SciPy's function.

    >>> from autodiff.scipy import signal
    >>> signal.lfilter_zi([1.0], [1.0, -0.5]).tolist()
    [1.0]
    """
    b, a = as_array(b), as_array(a)
    if np.ndim(b) != 1 or np.ndim(a) != 1:
        raise ValueError(f"lfilter_zi: b has shape {np.shape(b)}, a {np.shape(a)}; the coefficients are two vectors")
    length = max(np.shape(a)[0], np.shape(b)[0])
    if length < 2:
        raise ValueError("lfilter_zi: b and a have one coefficient each; such a filter has no state")
    b, a = b / a[0], a / a[0]
    a, b = (np.pad(c, (0, length - np.shape(c)[0])) for c in (a, b))
    shift = np.eye(length - 1, dtype=a.dtype) - np.eye(length - 1, k=1, dtype=a.dtype)
    first = np.eye(1, length - 1, dtype=a.dtype)
    back = a[1:, None] * owned(first, a) + owned(shift, a)
    return np.linalg.solve(back, b[1:] - a[1:] * b[0])


def _longer(x: Array, edge: int, axis: int, kind: str | None) -> Array:
    """The array continued at both ends: by its reflection, by that turned round its ends, or by its ends."""
    if not edge or kind is None:
        return x
    first, last = _part(x, axis, 0, 1), _part(x, axis, -1, None)
    before, after = _part(x, axis, edge, 0, -1), _part(x, axis, -2, -(edge + 2), -1)
    if kind == "odd":
        before, after = 2 * first - before, 2 * last - after
    elif kind == "constant":
        before, after = np.repeat(first, edge, axis), np.repeat(last, edge, axis)
    return np.concatenate([before, x, after], axis=axis)


@of_ndarrays
@composed(
    signal.filtfilt,
    examples=[example(sample(2), sample(2, make=_stable), sample(8)),
              example(sample(1), sample(2, make=_stable), sample(3, 2), axis=0, padtype="even", padlen=1)],
    errors=[example(sample(2), sample(2, make=_stable), sample(3)),
            example(sample(2), sample(2, make=_stable), sample(8), method="gust"),
            example(sample(2), sample(2, make=_stable), sample(8), padtype="round")],
)  # fmt: skip
def filtfilt(
    b: Array, a: Array, x: Array, axis: int = -1, padtype: Any = "odd", padlen: int | None = None, method: str = "pad"
) -> Array:
    """A filter forward and backward, so that nothing is delayed, with continued ends.  As ``scipy.signal.filtfilt``.

    ``padtype`` is "odd", "even", "constant" or None, ``padlen`` how far the ends are continued, by default three times
    the number of coefficients.  Gustafsson's method (``method="gust"``) is refused.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.filtfilt([0.5], [1.0, -0.5], np.ones(9)).round(9).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if method != "pad" or padtype not in ("odd", "even", "constant", None):
        raise ValueError(
            f"filtfilt: method={method!r}, padtype={padtype!r}; the method is 'pad', and padtype 'odd', 'even', "
            "'constant' or None"
        )
    b, a, x = np.atleast_1d(as_array(b)), np.atleast_1d(as_array(a)), as_array(x)
    length = np.shape(x)[axis]
    edge = 3 * max(np.shape(a)[0], np.shape(b)[0]) if padlen is None else padlen
    edge = 0 if padtype is None else max(edge, 0)
    if length <= edge:
        raise ValueError(f"filtfilt: x has {length} elements along axis {axis}; it must have more than padlen={edge}")
    longer = np.moveaxis(_longer(x, edge, axis, padtype), axis, -1)
    state, b, a = lfilter_zi(b, a), b / a[0], a[1:] / a[0]
    there, _ = filtered_from(b, a, longer, state * longer[..., :1])
    turned = np.flip(there, -1)
    back, _ = filtered_from(b, a, turned, state * turned[..., :1])
    return np.moveaxis(np.flip(back, -1)[..., edge : edge + length], -1, axis)


def _sections(a: Array) -> Array:
    """Sections whose answers die out; the fourth coefficient is 1."""
    return a / 9.0 * np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0]) + np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])


@of_ndarrays
@composed(
    examples=[example(sample(2, 6, make=_sections), sample(4)),
              example(sample(1, 6, make=_sections), sample(2, 2), 0, sample(1, 2, 2))],
    errors=[example(sample(2, 5), sample(4)),
            example(sample(1, 6, make=_sections), sample(3), zi=np.zeros((1, 3)))],
)  # fmt: skip
def sosfilt(sos: Array, x: Array, axis: int = -1, zi: Any = None) -> Any:
    """A filter in sections of second order, one after the other: rows b_0, b_1, b_2, 1, a_1, a_2.  As SciPy's function.

    With states ``zi`` of shape (sections, ..., 2, ...) it returns y and the states after the last step.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.sosfilt(np.array([[1.0, 1.0, 0.0, 1.0, -0.5, 0.0]]), np.array([1.0, 0.0, 0.0])).tolist()
    [1.0, 1.5, 0.75]
    """
    sos, x = as_array(sos), as_array(x)
    if np.ndim(sos) != 2 or np.shape(sos)[1] != 6:
        raise ValueError(f"sosfilt: sos has shape {np.shape(sos)}; each section is a row of 6 coefficients")
    if zi is not None:
        wanted = list(np.shape(x))
        wanted[axis] = 2
        if np.shape(zi) != (np.shape(sos)[0], *wanted):
            raise ValueError(f"sosfilt: zi has shape {np.shape(zi)}; it must be {(np.shape(sos)[0], *wanted)}")
    states = []
    for i in range(np.shape(sos)[0]):
        if zi is None:
            x = lfilter(sos[i, :3], sos[i, 3:], x, axis)
        else:
            x, state = lfilter(sos[i, :3], sos[i, 3:], x, axis, zi[i])
            states.append(state)
    return x if zi is None else (x, np.stack(states))


_hilbert = compiled(signal.hilbert)


def _share(size: int, axis: int, ndim: int) -> Array:
    """How often the analytic signal has each frequency: the positive ones twice, the negative ones never."""
    place = np.arange(size)
    share = np.where(place == 0, 1.0, np.where(2 * place < size, 2.0, np.where(2 * place == size, 1.0, 0.0)))
    return share.reshape((-1,) + (1,) * (ndim - 1 - axis % ndim))


def _hilbert_rule(g: Array, shape: tuple[int, ...], axis: int) -> Array:
    """The transpose: the matrices of both transforms are symmetric, and share is diagonal."""
    size = g.shape[axis]
    spectrum = np.fft.ifft(g, axis=axis)
    found = np.fft.fft(spectrum * _share(size, axis, g.ndim).astype(spectrum.real.dtype), axis=axis)
    kept = _part(found, axis, 0, shape[axis])
    missing = [(0, 0)] * g.ndim
    missing[axis] = (0, max(shape[axis] - size, 0))
    return np.pad(kept, missing)


@primitive(
    lambda g, x_shape, axis: _hilbert_rule(g, x_shape, axis),
    implements=signal.hilbert,
    examples=[example(sample(5)), example(sample(2, 3), 2), example(sample(4, 1), 6, axis=0)],
    errors=[example(sample(3), 0)],
    analytic=False,
)
def hilbert(x: Array, N: int | None = None, axis: int = -1) -> Array:
    """The analytic signal: x + i times its Hilbert transform, which has no negative frequencies.  As SciPy's function.

    ``N`` is the number of components of the Fourier transform.  x is real.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.hilbert(np.array([1.0, 0.0, -1.0, 0.0])).round(9).tolist()
    [(1+0j), 1j, (-1+0j), -1j]
    """
    return _hilbert(x, N, axis)


def _levelled(x: Array) -> Array:
    """The array without its straight line of least squares along the first axis."""
    size = x.shape[0]
    line = np.stack([np.arange(1.0, size + 1.0) / size, np.ones(size)], axis=1)
    line = line.astype(np.finfo(x.dtype).dtype)
    known, line = owned(np.linalg.pinv(line), x), owned(line, x)
    flat = np.reshape(x, (size, -1))
    return np.reshape(flat - np.matmul(line, np.matmul(known, flat)), x.shape)


@composed(
    examples=[example(sample(5)), example(sample(3, 2), 0, "constant"), example(sample(7), bp=(3,))],
    errors=[example(sample(4), type="square"), example(sample(4), bp=9)],
)
def detrend(data: Array, axis: int = -1, type: str = "linear", bp: Any = 0) -> Array:  # noqa: A002
    """The array without its line of least squares (``type`` "linear"), or its mean ("constant"), along an axis.

    ``bp`` are places between which each piece has a line of its own.  As SciPy's function.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.detrend(np.array([1.0, 2.0, 4.0]), type="constant").round(2).tolist()
    [-1.33, -0.33, 1.67]
    """
    if type not in ("linear", "l", "constant", "c"):
        raise ValueError(f"detrend: type={type!r}; it is 'linear' or 'constant'")
    data = as_array(data)
    if type in ("constant", "c"):
        return data - np.mean(data, axis=axis, keepdims=True)
    moved = np.moveaxis(data if data.dtype.char in "dfDF" else cast(data, np.float64), axis, 0)
    ends = np.unique([0, *np.atleast_1d(bp), np.shape(moved)[0]])
    if ends[-1] > np.shape(moved)[0] or ends[0] < 0:
        raise ValueError(f"detrend: bp={bp!r}; the places are between 0 and the length, {np.shape(moved)[0]}")
    pieces = [_levelled(moved[start:stop]) for start, stop in itertools.pairwise(map(int, ends))]
    return np.moveaxis(np.concatenate(pieces), 0, axis)
