"""The right side of an equation as a function of a flat state, and the Tensors that it depends on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...examples import Examples
from ...graph import Node, tick
from ...mode import entered, is_recording, recorded
from ...tensor import Tensor, value_of
from ...transforms.batching import BatchingError
from ...tree import flatten, flatten_like
from .linking import sources

Array = Any


def array_of(value: Any, who: str) -> Any:
    """The array of a value.  Raises BatchingError for the examples of a ``vmap``."""
    value = value_of(value)
    if isinstance(value, Examples):
        raise BatchingError(
            f"{who}: each example of a vmap would take steps of its own; put the examples into the state instead: a y0 "
            "with one more axis (ravelled for solve_ivp), and a right side that computes all of them"
        )
    return value


class State:
    """How a nesting of arrays is laid out as one vector, and back."""

    def __init__(self, y0: Any, who: str) -> None:
        leaves, self.rebuild = flatten(y0)
        self.like, self.who = y0, who
        arrays = [np.asarray(array_of(leaf, who)) for leaf in leaves]
        for array in arrays:
            if array.dtype.kind not in "biufc":
                raise TypeError(
                    f"{who}: y0 holds {array.dtype}; the state is an array of numbers, or a nesting of arrays"
                )
        self.dtype = np.result_type(float, *arrays)
        if self.dtype.kind == "c" and any(a.dtype.kind != "c" for a in arrays):
            raise TypeError(f"{who}: y0 holds real and complex arrays; make all of them complex")
        if self.dtype.itemsize not in (8, 16):
            raise TypeError(f"{who}: y0 holds {self.dtype}, and the steps are computed in double precision")
        self.shapes = [a.shape for a in arrays]
        self.ends = np.cumsum([0, *[a.size for a in arrays]]).tolist()
        self.vector = len(arrays) == 1 and leaves[0] is y0 and arrays[0].ndim == 1
        self.flat = self.packed(leaves)

    def packed(self, leaves: Sequence[Any]) -> Any:
        """The leaves in one vector."""
        if self.vector:
            leaf = leaves[0]
            leaf = leaf if isinstance(leaf, Tensor) else np.asarray(leaf)
            return leaf if leaf.dtype == self.dtype else leaf.astype(self.dtype)
        if not leaves:
            return np.zeros(0)
        flat = np.concatenate([np.ravel(leaf) for leaf in leaves])
        return flat if flat.dtype == self.dtype else flat.astype(self.dtype)

    def unpacked(self, flat: Any, axes: tuple[int, ...] = ()) -> Any:
        """The nesting from vectors along the last axis; ``axes`` are the lengths of those before."""
        if self.vector:
            return flat
        parts = zip(self.shapes, self.ends, self.ends[1:], strict=False)
        return self.rebuild([np.reshape(flat[..., a:b], (*axes, *shape)) for shape, a, b in parts])

    def derivative(self, given: Any) -> Any:
        """What the right side returned, as a vector."""
        if self.vector:
            leaves = [_joined(given)]
        else:
            leaves = [_joined(leaf) for leaf in flatten_like(given, self.like, f"{self.who}: the derivative of y")]
        for leaf, shape in zip(leaves, self.shapes, strict=True):
            if leaf.shape != shape and (leaf.size, shape) != (1, (1,)):
                raise ValueError(
                    f"{self.who}: the function returned the shape {leaf.shape} for a state of shape {shape}; return "
                    "dy/dt, one number for each of y"
                )
            if leaf.dtype.kind == "c" != self.dtype.kind:
                raise TypeError(f"{self.who}: the function returned complex numbers for a real state; make y0 complex")
        return self.packed(
            [
                leaf if leaf.shape == shape else np.reshape(leaf, shape)
                for leaf, shape in zip(leaves, self.shapes, strict=True)
            ]
        )


def _joined(given: Any) -> Any:
    """An array of a list of numbers, some of which may be Tensors."""
    if isinstance(given, list | tuple) and any(isinstance(x, Tensor | Examples) for x in given):
        return np.stack(list(given))
    return given if isinstance(given, Tensor | Examples) else np.asarray(given)


class Field:
    """dy/dt = f(t, y, leaves): a function of the time, the flat state, and the leaves of its arguments.

    ``nodes`` are those of the variables that it has met: among the arguments, and closed over.
    """

    def __init__(self, call: Callable[..., Any], args: tuple[Any, ...], state: State, who: str) -> None:
        self.call, self.state, self.who = call, state, who
        self.args = args
        self.leaves, self._rebuild = flatten(list(args))
        self.values = [array_of(leaf, who) for leaf in self.leaves]
        self.active = [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, Tensor) and leaf._node.active]
        self.closed: dict[Node, None] = {}
        self.follows = is_recording()
        if not self.follows:
            self.active = []

    def __call__(self, t: Any, y: Any, given: Sequence[Any]) -> Any:
        """The derivative, with these arrays or Tensors in the place of the active leaves."""
        values = list(self.values)
        for i, value in zip(self.active, given, strict=True):
            values[i] = value
        return self.state.derivative(self.call(t, self.state.unpacked(y), *self._rebuild(values)))

    def rebuilt(self) -> list[Any]:
        """The arguments as arrays."""
        return self._rebuild(self.values)  # type: ignore[no-any-return]

    def plain(self, t: Any, y: Array) -> Array:
        """The derivative as an array; what it depends on is noted."""
        start = tick()
        with entered(recorded(None)) if self.follows else _NOTHING:
            out = self(t, y, [self.values[i] for i in self.active])
        return self.noted(out, start)

    def noted(self, out: Any, start: int) -> Array:
        """The array of a result; the variables that were met since ``start`` are noted."""
        if isinstance(out, Tensor):
            if out._node.active and self.follows:
                self.closed.update(dict.fromkeys(sources([out._node], start)))
            out = out._value
        return array_of(out, self.who)

    def event(self, function: Callable[..., Any], t: Any, y: Array) -> float:
        """The number that an event function gives."""
        start = tick()
        return float(self.noted(function(t, y, *self._rebuild(self.values)), start))


class _Nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...


_NOTHING = _Nothing()
