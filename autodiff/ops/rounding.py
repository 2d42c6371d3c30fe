"""Rounding, parts of numbers, and evenly spaced numbers.

Rounding changes in steps.  So round, fix and the whole part of modf have derivative zero, and the fraction has
derivative one.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..arrays import anywhere, as_array, cast, is_foreign, owned
from ..primitive import Domain, example, nonzero, refuse, sample
from ..registering import composite, elementwise, primitive
from ..tensor import Tensor

Array = Any

fractions = Domain(0.0, 1.0)


@primitive(
    None, implements=np.round, method="round", examples=[example(sample(2, 3)), example(sample(), 1)], analytic=False
)
def round(a: Array, decimals: int = 0) -> Array:  # noqa: A001
    """To ``decimals`` digits: constant between jumps."""
    return np.round(a, decimals)


@primitive(None, implements=np.around, examples=[example(sample(2, 3)), example(sample(), decimals=1)], analytic=False)
def around(a: Array, decimals: int = 0) -> Array:
    """As round."""
    return np.round(a, decimals)


elementwise(np.spacing, None, analytic=False)


@primitive(None, implements=np.fix, examples=[example(sample(2, 3))], analytic=False)
def fix(x: Array) -> Array:
    """Towards zero: constant between jumps."""
    return np.trunc(x)  # a ufunc, which any array has; ``fix`` is deprecated since NumPy 2.5


@primitive(
    lambda g: g[0],
    implements=np.modf,
    examples=[example(sample(3, domain=fractions)), example(sample())],
    analytic=False,
)
def modf(x: Array) -> Any:
    """The fraction and the whole part."""
    return np.modf(x)


def _unit(y: Any) -> Any:
    """2 to the power -exponent, in the precision of the mantissa."""
    mantissa, exponent = y
    values = mantissa.data if isinstance(mantissa, Tensor) else mantissa
    exponent = exponent.data if isinstance(exponent, Tensor) else exponent
    return np.ldexp(np.ones_like(values), -exponent)


@primitive(
    lambda g, y: g[0] * _unit(y), implements=np.frexp, examples=[example(sample(3, domain=nonzero))], analytic=False
)
def frexp(x: Array) -> Any:
    """Mantissa and exponent: x = mantissa 2^exponent."""
    return np.frexp(x)


@composite(np.ldexp, examples=[example(sample(3), np.array([1, -2, 3])), example(sample(2, 1), 2)])
def ldexp(x1: Array, x2: Any) -> Array:
    """x1 2^x2 for whole numbers x2."""
    if isinstance(x2, Tensor):
        raise TypeError("ldexp: the exponents are whole numbers and not differentiated; write x1 * np.exp2(x2)")
    return x1 * np.ldexp(np.ones((), x1.dtype), x2)


@composite(np.divmod, examples=[example(sample(3, domain=Domain(1.0, 3.0)), sample(3, domain=Domain(4.0, 6.0)))])
def divmod(x1: Array, x2: Array) -> Any:  # noqa: A001
    """The quotient, rounded down, and the remainder."""
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


# -- evenly spaced numbers ---------------------------------------------------------------------------------------


@composite(np.linspace, examples=[
    example(sample(), sample(), 5), example(sample(2), 3.0, num=3, endpoint=False), example(0.0, sample(2), 1),
    example(sample(2), sample(2), 3, axis=1), example(sample(), sample(), 0),
])  # fmt: skip
def linspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, retstep: bool = False, *, axis: int = 0
) -> Any:
    """``num`` numbers from start to stop, at equal distances."""
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"linspace: num is {num}; it counts the numbers and cannot be negative")
    parts = num - 1 if endpoint else num
    rank = max(np.ndim(start), np.ndim(stop))
    wide = np.result_type(*[a.dtype if isinstance(a, Tensor) or is_foreign(a) else a for a in (start, stop)], 1.0)
    start, stop = (as_array(a, wide) for a in (start, stop))
    distance = stop - start
    shares = (np.arange(num) / max(parts, 1)).astype(wide).reshape((-1,) + (1,) * rank)
    result = owned(shares, distance) * distance + start
    if endpoint and num > 1:
        result = np.concatenate(
            [result[:-1], owned(np.broadcast_to(stop, np.shape(result[-1:])), distance) + np.zeros_like(result[-1:])]
        )
    result = np.moveaxis(result, 0, axis)
    return (result, distance / parts if parts else np.nan * distance) if retstep else result


@composite(np.logspace, examples=[example(sample(), sample(), 4), example(sample(), 1.0, 3, base=2.0)])
def logspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, base: Any = 10.0, *, axis: int = 0
) -> Array:
    """Powers of ``base`` with evenly spaced exponents."""
    return np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))


_positive = Domain(1.0, 4.0)


@composite(
    np.geomspace,
    examples=[
        example(sample(domain=_positive), sample(domain=_positive), 4),
        example(sample(domain=_positive), 8.0, 3, endpoint=False),
    ],
)
def geomspace(start: Array, stop: Array, num: int = 50, endpoint: bool = True, *, axis: int = 0) -> Array:
    """``num`` positive numbers from start to stop, at equal ratios."""
    for end in (start, stop):
        values = end.data if isinstance(end, Tensor) else as_array(end)
        if anywhere(values <= 0):
            raise ValueError(
                "geomspace: both ends must be positive here; for negative ones take it of -start and -stop"
            )
    # NumPy computes these in double precision
    start, stop = (
        cast(a, np.result_type(a.dtype, np.float64)) if isinstance(a, Tensor) or is_foreign(a) else a
        for a in (start, stop)
    )
    return np.power(10.0, np.linspace(np.log10(start), np.log10(stop), num, endpoint, axis=axis))


# -- Bessel function ---------------------------------------------------------------------------------------------

_ANGLES = (np.arange(256) + 0.5) * (np.pi / 256)


def _i1(x: Array) -> Array:
    """The Bessel function I1 = I0': the mean of cos(t) exp(x cos(t)) over half a turn.

    The rectangle rule with 256 angles is exact to double precision, as long as I1 does not overflow (|x| < 713).
    """
    cosines = owned(np.cos(_ANGLES).astype(x.dtype), x)
    return np.mean(cosines * np.exp(x[..., None] * cosines), axis=-1)


@primitive(
    lambda g, x: g * _i1(x),
    implements=np.i0,
    analytic=False,
    examples=[
        example(sample(2, 3)),
        example(sample()),
        example(sample(2, domain=Domain(7.0, 12.0))),
        example(sample(0)),
    ],
)
def i0(x: Array) -> Array:
    """The Bessel function I0; I0' = I1."""
    return np.i0(x)


refuse(np.nextafter, "steps from one floating-point number to the next, which has no derivative; use values: t.data")
