"""The error function, which NumPy does not have."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..arrays import cast, is_plain, owned
from ..primitive import exactly, example
from ..registering import elementwise

Array = Any

_STEPS = 512  # a unit of x
_END = 6.0  # from where on erf is 1 in double precision
_TERMS = 5  # the next is less than 1e-17 of the result


@functools.cache
def _table(dtype: Any) -> list[Array]:
    """For each multiple r of 1 / 512 the coefficients of erf(r + d) in powers of d.

    They are erf(r) and, with s = 2 exp(-r²) / sqrt(pi), s (-1)^n H_n(r) / (n + 1)! of d^(n + 1), H the Hermite
    polynomials (M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 7.1.19).
    """
    r = np.arange(int(_END) * _STEPS + 1) / _STEPS
    scale = np.array([2.0 / math.sqrt(math.pi) * math.exp(-x * x) for x in r.tolist()])
    before, hermite = np.zeros_like(r), np.ones_like(r)
    rows = [np.array([math.erf(x) for x in r.tolist()])]
    for n in range(_TERMS):
        rows.append((-1) ** n * scale * hermite / math.factorial(n + 1))
        before, hermite = hermite, 2.0 * r * hermite - 2.0 * n * before
    rows[1][0] -= 1.0  # at r = 0 the series is added to d itself, so that only an eighth of it is rounded
    return [row.astype(dtype) for row in rows[: 1 + (_TERMS if dtype == np.float64 else 3)]]


def _at(place: Array, row: Array) -> Array:
    """The entries of a row of the table."""
    if is_plain(place):
        return np.take(row, place, mode="clip")
    return np.reshape(owned(row, place)[np.reshape(place, (-1,))], place.shape)


def erf(x: Array) -> Array:
    """The error function 2 / sqrt(pi) times the integral of exp(-t²) from 0 to x.

    By its Taylor series around the next smaller multiple of 1 / 512, which is within two units in the last place, in
    single and double precision; wider numbers get double precision.  A primitive because no composition computes it.
    Raises TypeError for complex numbers.

    >>> import numpy as np
    >>> from autodiff import erf, grad
    >>> float(erf(0.5)), float(erf(-np.inf))
    (0.5204998778130465, -1.0)
    >>> grad(erf)(0.0)
    1.1283791670955126
    """
    x = x if hasattr(x, "dtype") else np.asarray(x)
    if x.dtype.kind == "c":
        raise TypeError("erf: needs real numbers; for complex ones there is scipy.special.erf")
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    if x.dtype.char not in "fd":  # half precision, integers, and what is wider than double
        return cast(erf(cast(x, np.float32 if dtype.char == "e" else np.float64)), dtype)
    first, *coefficients = _table(dtype)
    size = np.minimum(np.abs(x), _END)
    place = cast(np.fmin(size, _END) * _STEPS, np.intp)  # a NaN has a place, too, and stays NaN in d
    d = size - cast(place, dtype) * (1.0 / _STEPS)
    series = _at(place, coefficients[-1])
    for row in coefficients[-2::-1]:
        series *= d
        series += _at(place, row)
    series *= d
    series += np.where(place == 0, d, _at(place, first))
    return np.copysign(series, x)


erf = elementwise(
    erf,
    lambda g, x: g * (np.exp(-(x * x)) * (2.0 / math.sqrt(math.pi))),
    analytic=False,
    errors=[example(exactly([1.0 + 2.0j]))],
)
