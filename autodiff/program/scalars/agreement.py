"""Whether a function gives the same bits for an array as for its elements one by one, on this machine.

NumPy computes the exponential of an array with the vector instructions of the processor.  Whether it does so for a
single number, and in the same way at each position of an array, depends on the function, on NumPy's version, and on the
processor.  What IEEE defines to the last bit agrees always; of the rest, some thousand values are compared, once.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

EXACT: dict[Any, np.ufunc] = {
    operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply, operator.truediv: np.divide,
    operator.neg: np.negative, operator.abs: np.absolute, operator.lt: np.less, operator.le: np.less_equal,
    operator.gt: np.greater, operator.ge: np.greater_equal, operator.eq: np.equal, operator.ne: np.not_equal,
    **{f: f for f in (np.add, np.subtract, np.multiply, np.divide, np.negative, np.absolute, np.less, np.less_equal,
                      np.greater, np.greater_equal, np.equal, np.not_equal, np.logical_and, np.logical_or,
                      np.logical_not, np.logical_xor, np.isnan, np.isfinite, np.isinf)},
}  # fmt: skip
"""Functions that IEEE defines to the last bit, and the ufunc that computes them for arrays."""

COMPARED: dict[Any, np.ufunc] = {operator.pow: np.power}
"""Other operators, and their ufuncs."""

NEUTRAL: dict[Any, float] = {np.add: -0.0, np.maximum: -np.inf, np.minimum: np.inf}
"""Functions that are often called one after the other on the result so far; with this number it stays as it is."""

_SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, np.inf, -np.inf, np.nan, 1e-310, 1e300, -1e300, 710.0, -745.0)
_RANDOM = 3000
_LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33)


def ufunc_of(function: Any) -> np.ufunc | None:
    """The ufunc that computes a function of numbers for arrays, to the last bit; None if there is none."""
    found = EXACT.get(function)
    if found is not None:
        return found
    ufunc = COMPARED.get(function, function)
    if not isinstance(ufunc, np.ufunc) or not is_of_doubles(ufunc):
        return None
    return ufunc if agrees(function, ufunc) else None


def is_of_doubles(ufunc: np.ufunc) -> bool:
    """Whether a ufunc takes one or two doubles, element by element, and makes one number of them."""
    if ufunc.signature is not None or ufunc.nout != 1 or ufunc.nin > 2:
        return False
    return any(types in ufunc.types for types in ("d" * ufunc.nin + end for end in ("->d", "->?")))


@functools.cache
def agrees(function: Callable[..., Any], ufunc: np.ufunc) -> bool:
    """Whether both give the same bits: for special values, and for some thousand others in arrays of many lengths.

    >>> import numpy as np
    >>> agrees(np.sqrt, np.sqrt)
    True
    """
    rng = np.random.default_rng(0)
    special = [*itertools.product(_SPECIAL, repeat=ufunc.nin), *rng.choice(_SPECIAL[:4], (_RANDOM // 3, ufunc.nin))]
    sizes = 10.0 ** rng.uniform(-3, 2.5, (_RANDOM, ufunc.nin))
    values = np.concatenate([np.array(special), sizes * rng.choice([1, -1], sizes.shape)])
    rng.shuffle(values)
    columns = [np.ascontiguousarray(column) for column in values.T]
    with np.errstate(all="ignore"):
        try:
            alone = np.array([function(*numbers) for numbers in zip(*columns, strict=True)], float)
        except (ArithmeticError, TypeError, ValueError):
            return False
        together = np.empty(len(values))
        ufunc(*columns, out=together)
        parts, start = np.empty(len(values)), 0
        for length in itertools.cycle(_LENGTHS):
            end = start + length
            ufunc(*[column[start:end] for column in columns], out=parts[start:end])
            start = end
            if start >= len(values):
                break
    return _same(alone, together) and _same(alone, parts)


@functools.cache
def in_order(ufunc: np.ufunc) -> bool:
    """Whether ``reduce`` along the first axis of a matrix is one call after the other, to the last bit.

    It begins with a number that changes nothing: NumPy's own sum of negative zeros is positive.

    >>> import numpy as np
    >>> in_order(np.add)
    True
    """
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for terms, columns in itertools.product((3, 4, 8, 9, 33), (2, 3, 7, 8, 16, 100)):
            numbers = rng.normal(size=(terms, columns)) * 10.0 ** rng.uniform(-3, 3, (terms, columns))
            special = rng.random((terms, columns)) < 0.1
            numbers[special] = rng.choice(_SPECIAL, int(special.sum()))
            zeros = rng.random(columns) < 0.5  # of both signs, of which one must come out
            numbers[:, zeros] = rng.choice([0.0, -0.0], (terms, int(zeros.sum())))
            total = numbers[0].copy()
            for row in numbers[1:]:
                total = ufunc(total, row)
            if not _same(total, ufunc.reduce(numbers, 0, initial=NEUTRAL[ufunc])):
                return False
            if not _same(total[:1], ufunc.accumulate(np.ascontiguousarray(numbers[:, 0]))[-1:]):
                return False
    return True


def _same(one: Any, other: Any) -> bool:
    """Whether the bits are the same; NaN is NaN."""
    nan = np.isnan(one)
    return bool(np.array_equal(nan, np.isnan(other)) and one[~nan].tobytes() == other[~nan].tobytes())
