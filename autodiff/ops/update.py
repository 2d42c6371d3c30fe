"""New arrays that differ from old ones at some positions: ``x[i] = v`` and ``x[i] += v`` for a Tensor.

Nothing is written into: each function returns a new array.  ``t.at[index]`` reads like the assignment it replaces::

    x = x.at[index].set(v)      # x[index] = v
    x = x.at[index].add(v)      # x[index] += v, and an element named twice gets both

If an index names an element twice: ``set`` keeps the value that NumPy's assignment keeps, and only that value gets the
gradient.  ``add`` and ``subtract`` count each value.  The others refuse, because NumPy's result depends on the order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import as_array, cast, is_foreign, owned
from ..graph import unbroadcast
from ..primitive import example, sample
from ..registering import primitive
from ..structural import begin, settled
from ..tensor import Tensor
from .accumulation import add_at, names_once_by_kind
from .indexing import getitem
from .placing import added, names_foreign, place_of, replaced

Array = Any


def _fresh(who: str, x: Array, index: Any, values: Array) -> Array:
    """A copy of ``x`` to write ``values`` into; raise if they do not fit."""
    kind = values.dtype if hasattr(values, "dtype") else np.asarray(values).dtype
    if not np.can_cast(kind, x.dtype, "same_kind"):
        raise TypeError(
            f"{who}: x holds {x.dtype} and the values {kind}, which would be cut to fit; convert x: x.astype({kind})"
        )
    place = np.shape(x[index]) if isinstance(x, np.ndarray) else place_of(index, np.shape(x))
    shape = np.shape(values)
    if len(shape) > len(place) or any(n not in (1, m) for n, m in zip(shape[::-1], place[::-1], strict=False)):
        raise ValueError(
            f"{who}: values of shape {shape} do not fit into x[index] of shape {place} (x has shape {np.shape(x)}); "
            "they must have that shape or broadcast to it"
        )
    # the copy is of the kind of both: where the values stand for many examples, so does it
    return np.where(True, x, np.zeros_like(values, dtype=x.dtype, shape=()))


def _from_place(g: Array, index: Any, x_shape: tuple[int, ...], values_shape: tuple[int, ...]) -> Array:
    """The part of ``g`` at the index; zero for values that another one has overwritten."""
    picked = getitem(g, index)
    if not names_once_by_kind(index):
        positions = np.reshape(np.arange(picked.size), picked.shape)
        last = index_update(np.zeros_like(picked, dtype=np.intp, shape=x_shape), index, positions)
        picked = np.where(owned(getitem(last, index) == owned(positions, last), picked), picked, 0.0)
    return unbroadcast(picked, values_shape)


PLACES = [
    example(sample(3, 4), 1, sample(4)),
    example(sample(3, 4), (slice(None), slice(1, None, 2)), sample(2)),
    example(sample(3, 4), (Ellipsis, -1), sample()),
    example(sample(3, 4), np.array([0, 2, 2]), sample(3, 4)),
    example(sample(3, 4), (np.array([0, 0]), np.array([1, 1])), sample(2)),
    example(sample(3), np.array([True, False, True]), sample(2)),
    example(sample(3, 4), (slice(None), [3, 0]), sample(3, 1)),
    example(sample(3, 4), slice(0, 0), sample(1, 4)),
    example(sample(), (), sample()),
    example(sample(2, 3, 4), (0, slice(None), np.array([1, 2])), sample(2, 3)),
    example(sample(3), np.array([[0, 2], [2, 2]]), sample(2)),
]


@primitive(
    lambda g, index: index_update(g, index, 0.0),
    None,
    lambda g, index, x_shape, values_shape: _from_place(g, index, x_shape, values_shape),
    examples=PLACES, analytic=False,
)  # fmt: skip
def index_update(x: Array, index: Any, values: Array) -> Array:
    """``x`` with ``values`` at ``index``, as a new array: ``x[index] = values`` for a Tensor.

    Any of NumPy's indices.  The values have the shape of ``x[index]`` or broadcast to it, the result has the shape and
    dtype of ``x``.  Raises ValueError if they do not fit, TypeError if their kind does not (fractions into integers).

    >>> from autodiff import grad, index_update
    >>> index_update(np.zeros(3), slice(1, None), 5.0).tolist()
    [0.0, 5.0, 5.0]
    >>> grad(lambda x: np.sum(index_update(x, 0, 5.0) ** 2))(np.array([1.0, 2.0])).tolist()
    [0.0, 4.0]
    """
    result = _fresh("index_update", x, index, values)
    if is_foreign(result) or names_foreign(index):
        return replaced(result, index, values)
    result = begin(result)
    result[index] = values
    return settled(result)


@primitive(
    lambda g: g,
    None,
    lambda g, index, values_shape: unbroadcast(getitem(g, index), values_shape),
    examples=PLACES,
)  # fmt: skip
def index_add(x: Array, index: Any, values: Array) -> Array:
    """``x`` with ``values`` added at ``index``, as a new array; an element named twice gets both (np.add.at).

    Shapes, dtypes and errors as for :func:`index_update`.

    >>> from autodiff import index_add
    >>> index_add(np.zeros(3), np.array([0, 0, 2]), 1.0).tolist()
    [2.0, 0.0, 1.0]
    """
    result = _fresh("index_add", x, index, values)
    if is_foreign(result) or names_foreign(index):
        return result + cast(added(owned(as_array(values), x), index, np.shape(x)), x.dtype)
    if names_once_by_kind(index):
        result[index] = result[index] + values
    else:
        add_at(result, index, values)
    return result


class At:
    """``t.at``: brackets choose positions, and a method says what happens there."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def __getitem__(self, index: Any) -> Place:
        return Place(self._tensor, index)


class Place:
    """Some positions of a Tensor.  Every method returns a new Tensor of the same shape; the old one does not change.

    >>> x = Tensor([1.0, 2.0, 3.0])
    >>> x.at[0].set(5.0).tolist(), x.at[1:].multiply(10.0).tolist(), x.tolist()
    ([5.0, 2.0, 3.0], [1.0, 20.0, 30.0], [1.0, 2.0, 3.0])
    """

    __slots__ = ("_index", "_tensor")

    def __init__(self, tensor: Tensor, index: Any) -> None:
        self._tensor = tensor
        self._index = index

    def get(self) -> Tensor:
        """``x[index]``."""
        return self._tensor[self._index]

    def set(self, values: Any) -> Tensor:
        """x[index] = values."""
        return index_update(self._tensor, self._index, values)  # type: ignore[no-any-return]

    def add(self, values: Any) -> Tensor:
        """x[index] += values; an element named twice gets both."""
        return index_add(self._tensor, self._index, values)  # type: ignore[no-any-return]

    def subtract(self, values: Any) -> Tensor:
        """x[index] -= values; an element named twice loses both."""
        return index_add(self._tensor, self._index, -values)  # type: ignore[no-any-return]

    def multiply(self, values: Any) -> Tensor:
        """x[index] *= values."""
        return self._changed("multiply", lambda x: x * values)

    def divide(self, values: Any) -> Tensor:
        """x[index] /= values."""
        return self._changed("divide", lambda x: x / values)

    def power(self, values: Any) -> Tensor:
        """x[index] **= values."""
        return self._changed("power", lambda x: x**values)

    def max(self, values: Any) -> Tensor:
        """x[index] = np.maximum(x[index], values)."""
        return self._changed("max", lambda x: np.maximum(x, values))

    def min(self, values: Any) -> Tensor:
        """x[index] = np.minimum(x[index], values)."""
        return self._changed("min", lambda x: np.minimum(x, values))

    def apply(self, function: Callable[[Any], Any]) -> Tensor:
        """x[index] = function(x[index])."""
        return self._changed("apply", function)

    def _changed(self, who: str, function: Callable[[Any], Any]) -> Tensor:
        if not names_once_by_kind(self._index):
            shape = self._tensor.shape
            positions = np.reshape(np.arange(self._tensor.size), shape)[self._index]
            if np.unique(positions).size != positions.size:
                raise ValueError(
                    f"at[].{who}: the index names an element of the Tensor (shape {shape}) twice, and what happens "
                    "to it then depends on the order; do it in two steps"
                )
        return self.set(function(self.get()))


def _at(self: Tensor) -> At:
    """Positions to change in a new Tensor: ``x.at[index].set(v)`` means ``x[index] = v``."""
    return At(self)


setattr(Tensor, "at", property(_at))  # noqa: B010 (as every method that comes from the table)
