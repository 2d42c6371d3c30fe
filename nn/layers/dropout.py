"""Layers that are random in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..random import Rng, draw, generator
from .checks import probability
from .module import Module

__all__ = ["Dropout", "Dropout2d"]


def dropped(x: Any, p: float, rng: Rng, shape: tuple[int, ...]) -> Any:
    """Elements set to 0 with probability p, and the others divided by 1 - p; ``shape`` is that of what is drawn.

    >>> import numpy as np
    >>> dropped(np.ones((2, 2)), 0.5, 1, (2, 1)).tolist()
    [[0.0, 0.0], [2.0, 2.0]]
    """
    if p == 0:
        return x
    if p == 1:
        return x * 0.0
    kept = draw(generator(rng), "random", shape) >= p
    return x * (kept.astype(x.dtype) * (1.0 / (1.0 - p)))


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
        self.p: float = probability(type(self).__name__, p)
        self.rng: np.random.Generator = generator(rng)

    def forward(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        if getattr(x, "dtype", None) is None or x.dtype.kind not in "fc":
            what = getattr(x, "dtype", type(x).__name__)
            raise TypeError(
                f"{type(self).__name__}: the input is {what}, and what is kept is scaled; pass a floating-point array"
            )
        return dropped(x, self.p, self.rng, self._drawn(np.shape(x)))

    def _drawn(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what is drawn, for an input of this shape."""
        return shape

    def extra_repr(self) -> str:
        return f"{self.p:g}"


class Dropout2d(Dropout):
    """Set whole channels to 0 with probability p in training, and divide the others by 1 - p.

    x has shape (n, channels, height, width), or (channels, height, width).  Source: J. Tompson et al., "Efficient
    object localization using convolutional networks" (2015).

    >>> import numpy as np
    >>> y = Dropout2d(0.5, rng=0)(np.ones((1, 100, 2, 2)))
    >>> sorted(set(y.sum(axis=(2, 3)).ravel().tolist()))
    [0.0, 8.0]
    """

    def _drawn(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) not in (3, 4):
            raise ValueError(f"Dropout2d: the input has shape {shape}; it must be (n, channels, height, width)")
        return (*shape[:-2], 1, 1)
