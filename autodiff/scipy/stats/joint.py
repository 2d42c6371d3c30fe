"""What the distributions of vectors share: SciPy's other methods, and the form that holds the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

Array = Any


class Joint:
    """A distribution of vectors by its name in SciPy; ``methods`` take Tensors, other methods are SciPy's."""

    name: str
    methods: tuple[str, ...]

    def __getattr__(self, name: str) -> Any:
        """A method without a derivative, of SciPy's object."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(getattr(stats, self.name), name)

    def __repr__(self) -> str:
        return f"autodiff.scipy.stats.{self.name}"


class Held:
    """A distribution of vectors with its parameters: ``dirichlet(alpha).logpdf(x)``."""

    def __init__(self, distribution: Joint, parameters: dict[str, Any]) -> None:
        self.dist, self.parameters = distribution, parameters

    def __getattr__(self, name: str) -> Any:
        """A method with the parameters filled in; one without a derivative is SciPy's."""
        if name.startswith("__") or "parameters" not in self.__dict__:
            raise AttributeError(name)
        if name not in self.dist.methods:
            return getattr(getattr(stats, self.dist.name)(**self.parameters), name)
        return lambda *x: getattr(self.dist, name)(*x, **self.parameters)

    def __repr__(self) -> str:
        return f"{self.dist!r}({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"


def number(value: Any) -> Any:
    """An array without axes as a number, as SciPy returns it; another value unchanged.

    >>> number(np.array(1.5)), number(np.ones(1)).shape
    (np.float64(1.5), (1,))
    """
    return value[()] if type(value) is np.ndarray and not value.shape else value
