"""Common parts of layers: checks of their arguments and inputs, the dtype of data, and options in text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__: list[str] = []  # a user calls the layers

Array = Any


def whole(who: str, what: str, value: Any, least: int = 1) -> int:
    """An integer of at least so much."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{who}: {what} is {value!r}; it must be an integer of at least {least}")
    return int(value)


def each(who: str, what: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """One integer for each axis: given as that, or as one for all."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(values) != axes:
        raise ValueError(f"{who}: {what} is {value!r}; give one integer, or {axes} of them")
    return tuple(whole(who, what, v, least) for v in values)


def finite(who: str, what: str, value: Any) -> float:
    """A finite number."""
    if not isinstance(value, int | float | np.floating) or not math.isfinite(value):
        raise ValueError(f"{who}: {what} is {value!r}; it must be a finite number")
    return float(value)


def probability(who: str, value: Any) -> float:
    """A probability of dropping."""
    if not isinstance(value, int | float | np.floating) or not 0 <= value <= 1:
        raise ValueError(f"{who}: p is {value!r}; the probability of dropping must lie in [0, 1]")
    return float(value)


def floating(who: str, dtype: Any) -> Any:
    """The dtype of parameters."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"{who}: dtype is {np.dtype(dtype)}; parameters are floating-point")
    return np.dtype(dtype)


def positive_eps(who: str, value: Any) -> float:
    """What is added to a variance."""
    if finite(who, "eps", value) < 0:
        raise ValueError(f"{who}: eps is {value!r}; it must be 0 or more")
    return float(value)


def check_array(who: str, what: str, values: Any) -> None:
    """Raise TypeError for anything but an array or a Tensor."""
    if not (hasattr(values, "dtype") and hasattr(values, "shape")):
        raise TypeError(f"{who}: the {what} is a {type(values).__name__}; it must be an array or a Tensor")


def as_array(values: Any) -> Any:
    """Any library's array as it is, everything else as an ndarray."""
    return values if hasattr(values, "__array_function__") else np.asarray(values)


def data(who: str, x: Any, parameter: Any) -> Any:
    """An input in the dtype of a parameter, so that a model computes in one dtype whatever it is given.

    Complex numbers stay complex.  Raises TypeError for what is neither an array nor a Tensor.
    """
    wanted = parameter.dtype
    if getattr(x, "dtype", None) is wanted:
        return x
    check_array(who, "input", x)
    return x.astype(wanted) if x.dtype != wanted and x.dtype.kind in "biuf" else x


def described(*first: Any, **options: tuple[Any, Any]) -> str:
    """Arguments of a layer in text: the first ones, then each option (value, default) that is not its default.

    >>> described(3, (2, 2), stride=((2, 1), (1, 1)), bias=(True, True))
    '3, 2, stride=(2, 1)'
    """
    said = [f"{name}={_short(value)}" for name, (value, default) in options.items() if value != default]
    return ", ".join([*map(_short, first), *said])


def _short(value: Any) -> str:
    """One number for a tuple of equal ones."""
    return repr(value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value)
