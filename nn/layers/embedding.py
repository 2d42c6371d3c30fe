"""Tables of vectors, one for each of a number of things."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor, stop_gradient

from ..random import Rng, generator
from . import init
from .checks import as_array, floating, whole
from .module import Module

__all__ = ["Embedding", "one_hot"]

Array = Any


class Embedding(Module):
    """The rows of a table at integer positions: y = weight[x].

    x has any shape of integers from 0 to num_embeddings - 1, y one axis more, of length embedding_dim; ``weight`` is
    (num_embeddings, embedding_dim), and starts with the standard normal distribution.  The row ``padding_idx`` starts
    at 0 and has no gradient.  Raises IndexError for a position that is not in the table.

    >>> import numpy as np
    >>> Embedding(10, 3, rng=0)(np.array([[1, 2, 1]])).shape
    (1, 3, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        self.num_embeddings: int = whole("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim: int = whole("Embedding", "embedding_dim", embedding_dim)
        shape = (self.num_embeddings, self.embedding_dim)
        values = init.normal(shape, rng=generator(rng), dtype=floating("Embedding", dtype))
        if padding_idx is not None:
            if not isinstance(padding_idx, int | np.integer) or not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"Embedding: padding_idx is {padding_idx!r}; there are {num_embeddings} rows")
            padding_idx = int(padding_idx) % self.num_embeddings
            values[padding_idx] = 0
        self.padding_idx: int | None = padding_idx
        self.weight: Tensor = Tensor(values)

    def forward(self, x: Any) -> Any:
        x = positions("Embedding", x, self.num_embeddings)
        y = np.take(self.weight, x, axis=0)
        if self.padding_idx is None:
            return y
        return np.where((x == self.padding_idx)[..., None], stop_gradient(y), y)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


def positions(who: str, x: Any, count: int, what: str = "rows") -> Array:
    """Integers from 0 to count - 1, checked."""
    if isinstance(x, Tensor):
        raise TypeError(f"{who}: the input is a Tensor; positions are a plain integer array")
    x = as_array(x)
    if x.dtype.kind not in "iu" and x.size:
        raise TypeError(f"{who}: positions must be integers, got {x.dtype}; write x.astype(int)")
    if x.size and bool((np.min(x) < 0) | (np.max(x) >= count)):
        raise IndexError(
            f"{who}: positions reach from {x.min()} to {x.max()}, but there are {count} {what} (0 to {count - 1})"
        )
    return x if x.size else x.astype(int)


def one_hot(x: Any, num_classes: int = -1, *, dtype: Any = int) -> Array:
    """1 at the position of each class, 0 elsewhere: x of any shape gets a last axis of length ``num_classes``.

    Without ``num_classes`` there are as many as the largest class needs.  Raises IndexError for a class outside.

    >>> import numpy as np
    >>> one_hot(np.array([0, 2]), 3).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    if num_classes == -1:
        if not np.size(x):
            raise ValueError(f"one_hot: the input is empty (shape {np.shape(x)}), so num_classes must be given")
        num_classes = int(np.max(x)) + 1
    x = positions("one_hot", x, whole("one_hot", "num_classes", num_classes), "classes")
    return (x[..., None] == np.arange(num_classes)).astype(dtype)
