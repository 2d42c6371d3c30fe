"""Where the elements of a value lie: a storage, an offset and strides, in elements.  Views are other such places."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from ..instruction import Attribute, Instruction, Method, Value

_METHODS = frozenset({"reshape", "ravel", "swapaxes", "transpose", "squeeze", "diagonal"})
_ATTRIBUTES = frozenset({"T", "mT", "real"})
_FUNCTIONS = frozenset({
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.matrix_transpose, np.squeeze, np.expand_dims,
    np.broadcast_to, np.flip, np.fliplr, np.flipud, np.rot90, np.diagonal, np.atleast_1d, np.atleast_2d, np.asarray,
    np.real,
})  # fmt: skip


class Place(NamedTuple):
    """Where the elements of a value are: ``base`` is the value whose storage it is."""

    base: Value
    offset: int
    strides: tuple[int, ...]


def whole(value: Value) -> Place | None:
    """The place of a value that is a storage of its own; None if its elements lie across each other's bytes."""
    if value.kind is not np.ndarray:
        return Place(value, 0, ())
    size = value.dtype.itemsize
    if any(stride % size for stride in value.strides):
        return None
    return Place(value, 0, tuple(stride // size for stride in value.strides))


def is_view(instruction: Instruction) -> bool:
    """Whether a call may be one that gives other strides to the same elements; see :func:`viewed`."""
    function, args = instruction.function, instruction.args
    result = instruction.result
    if type(result) is not Value or result.kind is not np.ndarray or instruction.writes or not args:
        return False
    if type(args[0]) is not Value or args[0].kind is not np.ndarray or args[0].dtype != result.dtype:
        return False
    if type(function) is Attribute:
        return function.__name__ in _ATTRIBUTES
    if type(function) is Method:
        return function.__name__ in _METHODS
    if function is operator.getitem:
        return is_plain_index(args[1] if type(args[1]) is tuple else (args[1],))
    return function in _FUNCTIONS


def is_plain_index(index: tuple[Any, ...]) -> bool:
    """Whether an index is of whole numbers and slices alone, which choose a view."""
    return all(part is None or part is Ellipsis or type(part) in (int, slice) for part in index) and all(
        type(end) in (int, type(None))
        for part in index
        if type(part) is slice
        for end in (part.start, part.stop, part.step)
    )


def viewed(instruction: Instruction, base: Place) -> Place | None:
    """The place of the result of a call that only looks at the elements of its argument otherwise; None if it copies.

    NumPy is asked, with an array that has the argument's shape and strides, and of which no element is ever read.
    """
    argument: Value = instruction.args[0]
    size = argument.dtype.itemsize
    bytes_ = tuple(stride * size for stride in base.strides)
    room = np.empty(1, argument.dtype)
    model = np.lib.stride_tricks.as_strided(room, argument.shape, bytes_, writeable=False)
    function: Any = instruction.function
    kwargs = dict(instruction.kwargs)
    args = instruction.args[1:]
    if function in (np.ravel, np.reshape) or (type(function) is Method and function.__name__ in ("ravel", "reshape")):
        if not _keeps_order(instruction):
            return None
        function, args, kwargs = np.reshape, (instruction.result.shape,), {"copy": False}
    try:
        found = function(model, *args, **kwargs)
    except ValueError:  # it cannot be without a copy
        return None
    if type(found) is not np.ndarray or found.shape != instruction.result.shape or found.dtype != argument.dtype:
        return None
    if not found.size:
        return Place(base.base, base.offset, tuple(s // size for s in found.strides))
    start = found.__array_interface__["data"][0] - room.__array_interface__["data"][0]
    if start % size or any(stride % size for stride in found.strides):
        return None
    return Place(base.base, base.offset + start // size, tuple(stride // size for stride in found.strides))


def _keeps_order(instruction: Instruction) -> bool:
    """Whether a call of reshape or ravel has the elements in C's order, and need not copy them."""
    function: Any = instruction.function
    kwargs = dict(instruction.kwargs)
    if function is np.reshape or function.__name__ == "ravel":  # the method reshape has lengths in every place
        kwargs |= zip(("order",), instruction.args[2 if function is np.reshape else 1 :], strict=False)
    return kwargs.get("order", "C") == "C" and not kwargs.get("copy") and kwargs.keys() <= {"shape", "order", "copy"}


def broadcast(place: Place, shape: tuple[int, ...], over: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a value of one shape, where an index runs over another: 0 where it is repeated."""
    missing = len(over) - len(shape)
    return (0,) * missing + tuple(
        0 if length == 1 else stride for length, stride in zip(shape, place.strides, strict=True)
    )
