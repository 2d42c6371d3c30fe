"""An array that stands for one example and computes on all of them.

A :class:`Batched` looks like the array of one example, in shape and number of axes, and holds the examples stacked
along the first axis of ``held``.  It speaks NumPy's two protocols, so rules, forwards and users' code run on it as they
stand.  Here are the ufuncs and indices, whose batching follows from broadcasting; :mod:`.families` has the rest.

Where mappings are nested, ``held`` is itself a Batched of the outer one: an operation is done for the innermost level,
by the same NumPy function on what is held.

It never becomes numbers: whatever needs the values of one example (``float``, ``np.asarray``) raises, and so does a
decision (``if``) on which the examples differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..graph import tick
from ..primitive import Composite, Primitive, listen
from ..tensor import Tensor

Array = Any


class BatchingError(NotImplementedError):
    """A function cannot be mapped by vmap: it needs the numbers of single examples, or has no batching rule."""


class Level:
    """One mapping: how many examples, and when it began.  Inner ones begin later."""

    __slots__ = ("age", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.age = tick()

    def __repr__(self) -> str:
        return f"<mapping over {self.size} examples>"


methods: dict[str, Callable[..., Any]] = {}
"""The functions of the table that are methods too, by name."""


def _note_method(entry: Primitive | Composite) -> None:
    if entry.method is not None:
        methods.setdefault(entry.method, entry.call)


listen(_note_method)


def _refuse(what: str, instead: str) -> BatchingError:
    return BatchingError(
        f"vmap: {what} needs the numbers of one example, and here all examples are computed at once; {instead}"
    )


class Batched(NDArrayOperatorsMixin):
    """One example of ``level``, with all of them in ``held`` along its first axis."""

    __slots__ = ("held", "level")
    __hash__ = None  # type: ignore[assignment]

    held: Array
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
            function = methods[name]
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
        """A decision that all examples take alike, as each would by itself."""
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
        raise _refuse("float()", "stay with np. functions")

    def __int__(self) -> int:
        raise _refuse("int()", "stay with np. functions")

    def __complex__(self) -> complex:
        raise _refuse("complex()", "stay with np. functions")

    def __index__(self) -> int:
        raise _refuse("an index into a plain array or list", "write np.take(array, index, axis=0)")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise _refuse("turning into a plain array", "stay with np. functions, and return the result from the function")

    def item(self) -> Any:
        """Refused: there are many examples."""
        raise _refuse("item()", "return the value from the mapped function")

    def tolist(self) -> Any:
        """Refused: there are many examples."""
        raise _refuse("tolist()", "return the value from the mapped function")

    def __contains__(self, value: Any) -> bool:
        raise _refuse("'in'", "write np.any(array == value)")

    # -- indices ---------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Array:
        level = innermost([self, index])
        assert level is not None
        full, arrange, _ = batched_index(index, self.shape, level)
        return Batched(arrange(spread(self, level)[full]), level)

    def __setitem__(self, index: Any, value: Any) -> None:
        if innermost([index, value]) not in (None, self.level) and self.level is not innermost([self, index, value]):
            raise _refuse("writing an inner example into an outer array", "build the result with np.where or np.stack")
        full, arrange, back = batched_index(index, self.shape, self.level)
        slot = arrange(self.held[full]).shape
        self.held[full] = back(np.broadcast_to(aligned(value, self.level, len(slot) - 1), slot))

    # -- protocols -------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(type(x) is Tensor for x in inputs):
            return NotImplemented
        out = kwargs.pop("out", None)
        if out is not None and not all(o is None or (o is inputs[0] and type(o) is Batched) for o in out):
            raise _refuse("writing into an existing array (out=, array += example)", "write array = array + example")
        # what is left of out= is a += b on a Batched: as with numbers, the name a is bound to a new value
        if method == "__call__":
            return _ufunc_call(ufunc, inputs, kwargs)
        if method == "reduce":
            return _ufunc_reduce(ufunc, *inputs, **kwargs)
        if method == "accumulate":
            level, a = self.level, inputs[0]
            axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
            return Batched(ufunc.accumulate(a.held, axis=shifted(axis, a.ndim), **kwargs), level)
        if method == "at":
            return _ufunc_at(ufunc, *inputs)
        raise BatchingError(f"vmap: np.{ufunc.__name__}.{method} has no batching rule")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(kind, Tensor) for kind in types):
            return NotImplemented
        from .families import call

        return call(function, args, kwargs)


# -- levels ------------------------------------------------------------------------------------------------------


def innermost(values: Any) -> Level | None:
    """The latest mapping that any of the values, or of the members of lists and tuples among them, belongs to."""
    latest: Level | None = None
    for value in values:
        kind = type(value)
        level = value.level if kind is Batched else innermost(value) if kind is tuple or kind is list else None
        if level is not None and (latest is None or level.age > latest.age):
            latest = level
    return latest


def is_of(value: Any, level: Level) -> bool:
    """Whether the value differs between the examples of this mapping."""
    return type(value) is Batched and value.level is level


def spread(value: Array, level: Level) -> Array:
    """All examples of a value along the first axis; a value that is the same for all is repeated, in no memory."""
    if is_of(value, level):
        return value.held
    return np.broadcast_to(value, (level.size, *np.shape(value)))


def aligned(value: Array, level: Level, ndim: int, core: int = 0) -> Array:
    """What a value holds, with axes of length 1 behind the first so that it broadcasts as one example would.

    ``ndim`` counts the axes that broadcast, ``core`` the last ones that do not.
    """
    if not is_of(value, level):
        return value
    held = value.held
    missing = ndim + core - (len(held.shape) - 1)
    return held[(slice(None), *(None,) * missing)] if missing > 0 else held


def wrapped(result: Any, level: Level) -> Any:
    """The results of a function of held arrays as examples again."""
    if isinstance(result, tuple):
        items = [Batched(r, level) for r in result]
        return type(result)(*items) if hasattr(result, "_fields") else tuple(items)
    return Batched(result, level)


def shifted(axis: Any, ndim: int) -> Any:
    """Axes of one example as axes of what is held."""
    if isinstance(axis, tuple | list):
        return tuple(shifted(a, ndim) for a in axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim + 1


# -- ufuncs ------------------------------------------------------------------------------------------------------


def elementwise_call(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Any function that broadcasts its arguments and works on each element by itself."""
    level = innermost(args)
    assert level is not None
    ndim = max(np.ndim(a) for a in args if a is not None)
    return wrapped(function(*[aligned(a, level, ndim) for a in args], **kwargs), level)


def _ufunc_call(ufunc: Any, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if any(type(v) is Batched for v in kwargs.values()):
        raise BatchingError(f"vmap: np.{ufunc.__name__} with a keyword that differs between examples; use np.where")
    if ufunc.signature is None:
        return elementwise_call(ufunc, inputs, kwargs)
    if ufunc is np.matmul:
        return _matmul(*inputs, **kwargs)
    if kwargs.get("axis", -1) != -1 or "axes" in kwargs:
        raise BatchingError(f"vmap: np.{ufunc.__name__} works on the last axes only; move them with np.moveaxis")
    level = innermost(inputs)
    assert level is not None
    if ufunc is np.matvec and np.ndim(inputs[0]) == 2 and type(inputs[0]) is not Batched and np.ndim(inputs[1]) == 1:
        return _matmul(*inputs, **kwargs)
    cores = [len(term.split(",")) if term else 0 for term in ufunc.signature.split("->")[0].strip("()").split("),(")]
    ndim = max(np.ndim(a) - core for a, core in zip(inputs, cores, strict=True))
    arrays = [aligned(a, level, ndim, core) for a, core in zip(inputs, cores, strict=True)]
    return wrapped(ufunc(*arrays, **kwargs), level)


def _matmul(a: Array, b: Array, **kwargs: Any) -> Array:
    """As matrices: a vector gets an axis of length 1 first, and the result loses it."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError(f"matmul: an argument has no axes (shapes {np.shape(a)} and {np.shape(b)}); use a * b")
    level = innermost((a, b))
    assert level is not None
    if np.ndim(b) == 1 and np.ndim(a) == 2 and type(a) is not Batched:  # one product in the place of many small ones
        return Batched(np.matmul(b.held, np.swapaxes(a, -1, -2), **kwargs), level)
    ndim = max(np.ndim(a), np.ndim(b), 2) - 2
    left = a[None, :] if np.ndim(a) == 1 else a
    right = b[:, None] if np.ndim(b) == 1 else b
    if np.ndim(left) == 2 and np.ndim(right) == 2 and type(right) is not Batched and left.held.size:
        held = left.held
        rows = np.matmul(np.reshape(held, (held.shape[0] * held.shape[1], held.shape[2])), right, **kwargs)
        product = np.reshape(rows, (*held.shape[:-1], rows.shape[-1]))
    else:
        product = np.matmul(aligned(left, level, ndim, 2), aligned(right, level, ndim, 2), **kwargs)
    if np.ndim(b) == 1:
        product = product[..., 0]
    if np.ndim(a) == 1:
        product = product[..., 0] if np.ndim(b) == 1 else product[..., 0, :]
    return Batched(product, level)


def _ufunc_reduce(ufunc: Any, a: Array, axis: Any = 0, **kwargs: Any) -> Array:
    where = kwargs.get("where", True)
    level = innermost((a, where))
    assert level is not None
    axes = tuple(range(np.ndim(a))) if axis is None else axis
    if where is not True:
        kwargs["where"] = aligned(where, level, np.ndim(a))
    return Batched(ufunc.reduce(spread(a, level), axis=shifted(axes, np.ndim(a)), **kwargs), level)


def _ufunc_at(ufunc: Any, a: Array, index: Any, *values: Any) -> None:
    """``np.add.at``: writes into ``a``, which must differ between examples already."""
    level = innermost((a, index, *values))
    if level is None or not is_of(a, level):
        raise _refuse(f"np.{ufunc.__name__}.at on an array shared by all examples", "use autodiff.index_add")
    full, arrange, back = batched_index(index, a.shape, level)
    slot = arrange(a.held[full]).shape
    operands = [back(np.broadcast_to(aligned(v, level, len(slot) - 1), slot)) for v in values]
    ufunc.at(a.held, full, *operands)


# -- indices -----------------------------------------------------------------------------------------------------


def _same(array: Array) -> Array:
    return array


Mover = Callable[[Array], Array]


def batched_index(index: Any, shape: tuple[int, ...], level: Level) -> tuple[Any, Mover, Mover]:
    """The index into all examples that means ``index`` in each.

    With it a function that brings the result's axes into order (examples first), and its inverse.
    """
    parts = list(index) if type(index) is tuple else [index]
    parts = [np.asarray(p) if type(p) is list and not any(type(x) is Batched for x in p) else p for p in parts]
    if any(type(p) is list for p in parts):
        raise BatchingError("vmap: an index that is a list of examples' numbers; make it one array with np.stack")
    if any(type(p) is Tensor for p in parts):
        parts = [p._value if type(p) is Tensor else p for p in parts]
    if any(is_of(p, level) for p in parts):
        return _gathering(parts, shape, level)
    arrays = [i for i, p in enumerate(parts) if _is_array(p)]
    if not arrays:
        return (slice(None), *parts), _same, _same
    # among arrays, plain numbers count as arrays: x[0, :, [1, 2]] puts the arrays' axes first
    places = [i for i, p in enumerate(parts) if _is_array(p) or isinstance(p, int | np.integer)]
    if places[-1] - places[0] == len(places) - 1:
        return (slice(None), *parts), _same, _same
    first = len(np.broadcast_shapes(*[s for i in places for s in _index_shapes(parts[i])]))
    return (
        (slice(None), *parts),
        lambda result: np.moveaxis(result, first, 0),
        lambda result: np.moveaxis(result, 0, first),
    )


def _is_array(part: Any) -> bool:
    return isinstance(part, np.ndarray | Batched | bool | np.bool_)


def _is_mask(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype.kind == "b"


def _index_shapes(part: Any) -> list[tuple[int, ...]]:
    if _is_mask(part):
        return [(int(np.count_nonzero(part)),)]
    return [np.shape(part)]


def _gathering(parts: list[Any], shape: tuple[int, ...], level: Level) -> tuple[Any, Mover, Mover]:
    """An index that differs between examples: every example looks into its own row."""
    parts = _expanded(parts, len(shape))
    places = [i for i, p in enumerate(parts) if p is not None and not isinstance(p, slice)]
    ndim = max(np.ndim(parts[i]) for i in places)
    rows = np.arange(level.size).reshape((-1,) + (1,) * ndim)
    full = (rows, *[p if p is None or isinstance(p, slice) else aligned(p, level, ndim) for p in parts])
    before = places[0]
    if before == 0 or places[-1] - before != len(places) - 1:
        return full, _same, _same  # the arrays' axes come first, in one example too
    source, target = tuple(range(1, 1 + ndim)), tuple(range(1 + before, 1 + before + ndim))
    return (
        full,
        lambda result: np.moveaxis(result, source, target),
        lambda result: np.moveaxis(result, target, source),
    )


def _expanded(parts: list[Any], ndim: int) -> list[Any]:
    """The parts of an index without an ellipsis, masks as the positions of their true elements."""
    plain: list[Any] = []
    for part in parts:
        if _is_mask(part):
            if type(part) is Batched:
                raise BatchingError(
                    "vmap: x[mask] with a mask that differs between examples has results of different lengths; "
                    "use np.where(mask, x, 0)"
                )
            plain.extend(np.nonzero(part))
        else:
            plain.append(part)
    used = sum(part is not None and part is not Ellipsis for part in plain)
    if used > ndim:
        raise IndexError(f"getitem: {used} indices for an array of {ndim} axes")
    if not any(part is Ellipsis for part in plain):
        return plain
    place = next(i for i, part in enumerate(plain) if part is Ellipsis)
    return [*plain[:place], *(slice(None),) * (ndim - used), *plain[place + 1 :]]
