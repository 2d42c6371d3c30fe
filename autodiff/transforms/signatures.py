"""What a type checker is told of functions whose parameters have several types."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

R = TypeVar("R", covariant=True)


class Reduction(Protocol):
    """A function along axes, as ``np.sum``: of its signatures mypy would keep the first, which may be that of lists."""

    def __call__(self, a: Any, /, *, axis: None, out: None) -> Any: ...


class Called(Protocol[R]):
    """What a transform makes of them, which takes any arguments.

    A Callable would not do: where both overloads of a transform fit, mypy makes of two Callables one without types.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> R: ...


Several: TypeAlias = np.ufunc | Reduction
"""Functions of NumPy's whose parameters a transform does not keep."""
