"""A graph of ONNX as it grows: nodes, constants, and the sizes that are not known yet."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from ..exporting import LackingError
from ..instruction import Value
from ..naming import Names

Array = Any


class Tensor(NamedTuple):
    """A tensor of the graph; the shape is None where no emitter asks for it."""

    name: str
    dtype: Any
    shape: tuple[int, ...] | None = None


class Size(NamedTuple):
    """So many times the number of examples."""

    times: int


class Builder:
    """Takes nodes and constants, and gives tensors."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.names = Names(set())
        self.others: dict[Value, Value] = {}
        """For each value the same value of a program for another number of examples."""
        self.sizes: tuple[int, int] = (0, 0)
        """The number of examples in both programs."""
        self.counted: tuple[Tensor, int] | None = None
        """An input, and its axis of examples."""
        self.arrays: dict[str, Array] = {}
        """The constants, by name."""
        self._known: dict[Any, Tensor] = {}
        self._prefix = "t"

    # -- parts -----------------------------------------------------------------------------------------------

    def fresh(self, wanted: str) -> str:
        """A name that nothing has."""
        return self.names.fresh(wanted)

    def initializer(self, array: Array, name: str) -> Tensor:
        """A constant with a name of its own."""
        array = np.asarray(array)
        element_type(array.dtype)
        self.arrays[name] = array
        self.initializers.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return Tensor(name, array.dtype, array.shape)

    def constant(self, array: Array, dtype: Any = None) -> Tensor:
        """A constant; the same one is there once."""
        array = np.asarray(array, dtype)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._known:
            self._known[key] = self.initializer(array, self.fresh("c"))
        return self._known[key]

    def ints(self, *numbers: int) -> Tensor:
        """A list of numbers: axes, a shape."""
        return self.constant(np.array(numbers, np.int64))

    def op(
        self, kind: str, *inputs: Tensor | None, dtype: Any = None, shape: tuple[int, ...] | None = None,
        **attributes: Any,
    ) -> Tensor:  # fmt: skip
        """A node with one output; its dtype is that of the first input unless told otherwise."""
        return self.ops(kind, 1, *inputs, dtype=dtype, shape=shape, **attributes)[0]

    def ops(
        self, kind: str, outputs: int, *inputs: Tensor | None, dtype: Any = None,
        shape: tuple[int, ...] | None = None, **attributes: Any,
    ) -> list[Tensor]:  # fmt: skip
        """A node with several outputs."""
        names = [self.fresh(self._prefix) for _ in range(outputs)]
        given = ["" if t is None else t.name for t in inputs]
        self.nodes.append(onnx.helper.make_node(kind, given, names, **attributes))
        first = inputs[0]
        return [Tensor(name, first.dtype if dtype is None and first else dtype, shape) for name in names]

    # -- what is needed everywhere ---------------------------------------------------------------------------

    def cast(self, t: Tensor, dtype: Any) -> Tensor:
        """The tensor in a dtype."""
        dtype = np.dtype(dtype)
        if t.dtype == dtype:
            return t
        return self.op("Cast", t, dtype=dtype, shape=t.shape, to=element_type(dtype))

    def reshape(self, t: Tensor, shape: Sequence[int | Size]) -> Tensor:
        """The tensor in a shape."""
        return self.op("Reshape", t, self.shape(shape), shape=_known(shape), allowzero=1)

    def flat(self, t: Tensor) -> Tensor:
        """All elements in one axis."""
        return self.op("Reshape", t, self.ints(-1))

    def expand(self, t: Tensor, shape: Sequence[int | Size]) -> Tensor:
        """The tensor, broadcast to a shape."""
        if t.shape == tuple(shape):
            return t
        return self.op("Expand", t, self.shape(shape), shape=_known(shape))

    def transpose(self, t: Tensor, axes: Sequence[int]) -> Tensor:
        """The tensor with its axes in another order."""
        if list(axes) == sorted(axes):
            return t
        shape = None if t.shape is None else tuple(t.shape[axis] for axis in axes)
        return self.op("Transpose", t, shape=shape, perm=list(axes))

    # -- sizes -----------------------------------------------------------------------------------------------

    def dims(self, value: Value) -> tuple[int | Size, ...]:
        """The shape of a value, in which some axes are multiples of the number of examples."""
        other = self.others.get(value)
        if other is None:
            return value.shape
        return tuple(self.size(a, b) for a, b in zip(value.shape, other.shape, strict=True))

    def size(self, one: int, other: int) -> int | Size:
        """A size by what it is in both programs."""
        if one == other:
            return one
        times = one // self.sizes[0] if self.sizes[0] else 0
        if (times * self.sizes[0], times * self.sizes[1]) != (one, other):
            raise LackingError(
                f"a size is {one} for {self.sizes[0]} examples and {other} for {self.sizes[1]}, which is no multiple; "
                "export for a fixed number of examples"
            )
        return Size(times)

    def is_fixed(self, *values: Value) -> bool:
        """Whether no size of these depends on the number of examples."""
        return all(type(d) is int for value in values for d in self.dims(value))

    def shape(self, dims: Sequence[int | Size]) -> Tensor:
        """A shape as a tensor."""
        if all(type(d) is not Size for d in dims):
            return self.ints(*dims)  # type: ignore[arg-type]
        parts = [self.times(d) if type(d) is Size else self.ints(d) for d in dims]  # type: ignore[arg-type]
        return self.op("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]

    def times(self, size: Size) -> Tensor:
        """A multiple of the number of examples, as a list of one number."""
        return self.count if size.times == 1 else self.op("Mul", self.count, self.ints(size.times))

    @functools.cached_property
    def count(self) -> Tensor:
        """The number of examples that there will be, as a list of one number."""
        assert self.counted is not None
        given, axis = self.counted
        return self.op("Shape", given, dtype=np.dtype(np.int64), start=axis, end=axis + 1)


def _known(shape: Sequence[int | Size]) -> tuple[int, ...] | None:
    fixed = tuple(d for d in shape if type(d) is not Size)
    return fixed if len(fixed) == len(shape) else None  # type: ignore[return-value]


def element_type(dtype: Any) -> int:
    """ONNX's number of a dtype."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise LackingError(f"ONNX Runtime does not compute in {dtype}; compute in real numbers")
    return int(onnx.helper.np_dtype_to_tensor_dtype(dtype))


def elements(shape: Sequence[int]) -> int:
    """How many elements there are."""
    return math.prod(shape)
