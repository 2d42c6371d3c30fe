"""An array that looks like one example and computes on all of them.

A :class:`Batched` has the shape of one example.  ``held`` has all examples along its first axis.  A Batched implements
NumPy's two protocols, so rules, forward functions and users' code run on it without a change.  :mod:`.ufuncs`,
:mod:`.indices` and :mod:`.families` define how, and :mod:`.rules` registers them here.

If ``vmap`` is nested, ``held`` is a Batched of the outer one.  An operation is done for the innermost level, by the
same NumPy function on ``held``.

It is never converted to numbers.  A function that needs the values of one example (``float``, ``np.asarray``) raises.
So does a decision (``if``) on which the examples differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ...dispatch import methods
from ...examples import Examples
from ...graph import tick
from ...tensor import Tensor

Array = Any


class BatchingError(NotImplementedError):
    """A function cannot be mapped by vmap: it needs the values of single examples, or has no batching rule."""


class RaggedError(BatchingError):
    """The length of the result depends on values, so the results of the examples do not form one array."""


class Level:
    """One ``vmap``: the number of examples, and when it began.  An inner one begins later."""

    __slots__ = ("age", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.age = tick()

    def __repr__(self) -> str:
        return f"<mapping over {self.size} examples>"


class Answers:
    """How NumPy computes on examples: functions of modules that import this one, as they need :class:`Batched`."""

    get: Callable[[Batched, Any], Array]
    put: Callable[[Batched, Any, Any], None]
    ufunc: Callable[[Any, str, Sequence[Any], dict[str, Any]], Any]
    function: Callable[[Any, Any, Any], Any]


answers = Answers()
"""Filled by :mod:`.rules`, before there is the first :class:`Level`."""


def refused(what: str, instead: str) -> BatchingError:
    """The error for a function that cannot compute all examples at once, with what to do instead."""
    return BatchingError(
        f"vmap: {what} needs the numbers of one example, and here all examples are computed at once; {instead}"
    )


class Batched(NDArrayOperatorsMixin, Examples):
    """One example of ``level``; ``held`` has all of them along its first axis."""

    __slots__ = ("level",)
    __hash__ = None  # type: ignore[assignment]

    level: Level

    def __init__(self, held: Array, level: Level) -> None:
        if type(held) is Batched and held.level.age >= level.age:
            raise BatchingError(
                "vmap: an array of an inner mapping was used in an outer one; return it from the inner function instead"
            )
        self.held = held
        self.level = level

    def holding(self, array: Array) -> Batched:
        """The same with other values."""
        return Batched(array, self.level)

    def takes(self, values: Any) -> bool:
        """Whether values are the same for all examples, or examples of this level or of one around it."""
        return type(values) is not Batched or values.level.age <= self.level.age

    # -- looks -----------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.held.shape[1:]  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.held.dtype

    @property
    def ndim(self) -> int:
        """How many axes one example has."""
        return len(self.held.shape) - 1

    @property
    def size(self) -> int:
        """How many elements one example has."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    @property
    def T(self) -> Array:  # noqa: N802
        """The axes of each example in reverse order."""
        return np.transpose(self)

    @property
    def mT(self) -> Array:  # noqa: N802
        """The last two axes of each example swapped."""
        return np.swapaxes(self, -1, -2)

    @property
    def data(self) -> Array:
        """Itself: the values, without history."""
        return self

    @property
    def real(self) -> Array:
        """The real part."""
        return Batched(self.held.real, self.level)

    @property
    def imag(self) -> Array:
        """The imaginary part."""
        return Batched(self.held.imag, self.level)

    def __repr__(self) -> str:
        return f"<one of {self.level.size} examples of shape {self.shape}, {self.dtype}>"

    def __getattr__(self, name: str) -> Any:
        if name in methods:
            function = methods[name].call
            return lambda *args, **kwargs: function(self, *args, **kwargs)
        raise AttributeError(
            f"vmap: an array of one example has no '{name}'; use the np. function, or return it from the function"
        )

    def reshape(self, *shape: Any) -> Array:
        """The same elements in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Array:
        """The axes in another order."""
        return np.transpose(self, None if not axes else axes[0] if len(axes) == 1 else axes)

    def flatten(self) -> Array:
        """The elements in one axis."""
        return np.ravel(self)

    def astype(self, dtype: Any, copy: bool = True) -> Array:
        """The elements in another type."""
        return Batched(self.held.astype(dtype), self.level)

    def copy(self) -> Array:
        """The same values in memory of their own."""
        return Batched(np.array(self.held) if isinstance(self.held, np.ndarray) else self.held.copy(), self.level)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a 0-d array has no length")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    # -- never numbers ---------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        """A decision on which all examples agree, as each would decide by itself."""
        if self.size != 1:
            raise ValueError(f"bool: the truth of an array of shape {self.shape} is ambiguous; use np.all or np.any")
        values = self.held
        while type(values) is Batched:
            values = values.held
        if values.size and (values.all() or not values.any()):
            return bool(values.all())
        raise BatchingError(
            "vmap: a decision (if, while, and, or) on which the examples differ, while all are computed at once; "
            "choose element by element: np.where(condition, a, b)"
        )

    def __float__(self) -> float:
        raise refused("float()", "stay with np. functions")

    def __int__(self) -> int:
        raise refused("int()", "stay with np. functions")

    def __complex__(self) -> complex:
        raise refused("complex()", "stay with np. functions")

    def __index__(self) -> int:
        raise refused("an index into a plain array or list", "write Tensor(array)[index]")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise refused(
            "turning into a plain array (or indexing one)",
            "stay with np. functions, write Tensor(array)[index], and return the result from the function",
        )

    def item(self) -> Any:
        """Refused: there are many examples."""
        raise refused("item()", "return the value from the mapped function")

    def tolist(self) -> Any:
        """Refused: there are many examples."""
        raise refused("tolist()", "return the value from the mapped function")

    def __contains__(self, value: Any) -> bool:
        raise refused("'in'", "write np.any(array == value)")

    # -- indices ---------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Array:
        return answers.get(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        answers.put(self, index, value)

    # -- protocols -------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(type(x) is Tensor for x in inputs):
            return NotImplemented
        out = kwargs.pop("out", None)
        if out is not None and not all(o is None or (o is inputs[0] and type(o) is Batched) for o in out):
            raise refused("writing into an existing array (out=, array += example)", "write array = array + example")
        # what is left of out= is a += b on a Batched: as with numbers, the name a is bound to a new value
        return answers.ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(kind, Tensor) for kind in types):
            return NotImplemented
        return answers.function(function, args, kwargs)


# -- levels ------------------------------------------------------------------------------------------------------


def innermost(values: Any) -> Level | None:
    """The latest ``vmap`` to which any of the values belongs, or any member of a list or tuple among them."""
    latest: Level | None = None
    for value in values:
        kind = type(value)
        level = value.level if kind is Batched else innermost(value) if kind is tuple or kind is list else None
        if level is not None and (latest is None or level.age > latest.age):
            latest = level
    return latest


def latest(*values: Any) -> Level:
    """The innermost level of these values, at least one of which is an example."""
    level = innermost(values)
    assert level is not None
    return level


def is_of(value: Any, level: Level) -> bool:
    """Whether the value differs between the examples of this level."""
    return type(value) is Batched and value.level is level


def spread(value: Array, level: Level) -> Array:
    """All examples of a value along the first axis.  A value that is the same for all is repeated without memory."""
    if is_of(value, level):
        return value.held
    return np.broadcast_to(value, (level.size, *np.shape(value)))


def aligned(value: Array, level: Level, ndim: int, core: int = 0) -> Array:
    """The array of all examples, with axes of length 1 after the first, so that it broadcasts as one example does.

    ``ndim`` is the number of axes that broadcast, ``core`` the number of last axes that do not.
    """
    if not is_of(value, level):
        return value
    held = value.held
    missing = ndim + core - (len(held.shape) - 1)
    return held[(slice(None), *(None,) * missing)] if missing > 0 else held


def wrapped(result: Any, level: Level) -> Any:
    """The results of a function of ``held`` arrays, as examples."""
    if isinstance(result, tuple):
        items = [Batched(r, level) for r in result]
        return type(result)(*items) if hasattr(result, "_fields") else tuple(items)
    return Batched(result, level)


def shifted(axis: Any, ndim: int) -> Any:
    """Axes of one example as axes of ``held``."""
    if isinstance(axis, tuple | list):
        return tuple(shifted(a, ndim) for a in axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim + 1
