"""Layers that are random in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..random import Rng, draw, generator
from .module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """Set each element to 0 with probability p in training, and divide the others by 1 - p.

    In evaluation (``model.eval()``) it is the identity; the expected output is the same in both modes.  The random
    generator is an argument of the constructor.  Source: N. Srivastava et al., "Dropout" (2014).

    >>> import numpy as np
    >>> layer = Dropout(0.5, rng=0)
    >>> sorted(set(layer(np.ones(100)).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(np.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        if not isinstance(p, int | float | np.floating) or not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is {p!r}; the probability of dropping must lie in [0, 1]")
        self.p: float = float(p)
        self.rng: np.random.Generator = generator(rng)

    def forward(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        if getattr(x, "dtype", None) is None or x.dtype.kind not in "fc":
            what = getattr(x, "dtype", type(x).__name__)
            raise TypeError(f"Dropout: the input is {what}, and what is kept is scaled; pass a floating-point array")
        if self.p == 1:
            return x * 0.0
        kept = draw(self.rng, "random", np.shape(x)) >= self.p
        return x * (kept.astype(x.dtype) * (1.0 / (1.0 - self.p)))

    def extra_repr(self) -> str:
        return f"{self.p:g}"
