"""The functions of ``np.emath``, whose results are complex where needed: sqrt(-1) = i.

As in NumPy, the values decide whether a result is complex.  The derivative is that of the function which was computed.
The values of a foreign array are not read, so its results are always complex.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import cast, is_foreign
from ..primitive import Domain, example, sample
from ..registering import composite
from ..tensor import Tensor

Array = Any

_NEGATIVE, _POSITIVE = Domain(-4.0, -0.5), Domain(0.5, 4.0)
_BEYOND, _BELOW, _WITHIN = Domain(1.25, 4.0), Domain(-4.0, -1.25), Domain(-0.75, 0.75)


def _widened(x: Any, outside: Callable[[Any], Any]) -> Any:
    """The argument, converted to complex if the function is not real for one of its elements."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    values = x.data if isinstance(x, Tensor) else x
    if x.dtype.kind == "c" or not (is_foreign(values) or np.any(outside(values))):
        return x
    return cast(x, np.complex64 if x.dtype == np.float32 else np.complex128)


def _negative(values: Any) -> Any:
    return values < 0


def _beyond(values: Any) -> Any:
    return np.abs(values) > 1


def _register(function: Any, plain: Any, outside: Callable[[Any], Any], *domains: Domain) -> None:
    def extended(x: Array) -> Array:
        return plain(_widened(x, outside))

    extended.__name__ = f"emath_{function.__name__}"
    extended.__doc__ = f"np.{plain.__name__}, complex where it must be."
    composite(function, examples=[example(sample(3, domain=domain)) for domain in domains])(extended)


for _name in ("sqrt", "log", "log2", "log10"):
    _register(getattr(np.emath, _name), getattr(np, _name), _negative, _NEGATIVE, _POSITIVE)
for _name in ("arcsin", "arccos", "arctanh"):
    _register(getattr(np.emath, _name), getattr(np, _name), _beyond, _BEYOND, _BELOW, _WITHIN)


@composite(np.emath.logn, examples=[example(3.0, sample(3, domain=d)) for d in (_NEGATIVE, _POSITIVE)])
def emath_logn(n: Array, x: Array) -> Array:
    """log(x) / log(n), complex if needed."""
    return np.log(_widened(x, _negative)) / np.log(_widened(n, _negative))


@composite(np.emath.power, examples=[example(sample(3, domain=d), sample(3)) for d in (_NEGATIVE, _POSITIVE)])
def emath_power(x: Array, p: Array) -> Array:
    """x^p, complex if needed."""
    return np.power(_widened(x, _negative), p)
