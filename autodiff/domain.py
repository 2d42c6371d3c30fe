"""Domains and examples: where a function is smooth, and calls to test it with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Domain(NamedTuple):
    """Where a function is smooth: an open interval without the points in ``kinks``."""

    low: float = -4.0
    high: float = 4.0
    kinks: tuple[float, ...] = ()


real = Domain()
positive = Domain(0.0, 4.0)
nonzero = Domain(kinks=(0.0,))


class Sample(NamedTuple):
    """A placeholder for an array in an example: its shape and its domain.

    ``make`` converts an array of such values to what the function needs, such as a complex or a well-conditioned one.
    """

    shape: tuple[int, ...]
    domain: Domain = real
    make: Callable[..., Any] | None = None


class Example(NamedTuple):
    """One call of a function, with a :class:`Sample` instead of each array."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def sample(*shape: int, domain: Domain = real, make: Callable[..., Any] | None = None) -> Sample:
    """A placeholder for an array of this shape, with values from ``domain``; ``make(values)`` replaces them."""
    return Sample(shape, domain, make)


def exactly(values: Any) -> Sample:
    """A placeholder for exactly these values: a kink of a function, or values that it must refuse.

    Real numbers are cast to the precision that is tested.

    >>> from autodiff import exactly, example
    >>> example(exactly([0.5, 0.5])).args[0].shape
    (2,)
    """
    array = np.asarray(values)

    def make(drawn: Any) -> Any:
        return array.astype(drawn.dtype) if array.dtype.kind == "f" else array.copy()

    return Sample(array.shape, real, make)


def example(*args: Any, **kwargs: Any) -> Example:
    """One call that the property tests make with every kind of array.

    >>> example(sample(2, 3), axis=0).kwargs
    {'axis': 0}
    """
    return Example(args, kwargs)
