"""The least that an array can be: NumPy's two protocols, operators, indexing, and four attributes.

It has no method of ndarray's, takes part in ufuncs by calling them and in no other way (``np.add.reduce`` is refused),
is never written into, and never turns into an ndarray, a number or a truth value by itself.  What runs on it runs on
any array that speaks NumPy.
"""

from __future__ import annotations

import numpy as np

WRITERS = frozenset({np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal})
"""Functions that write into their argument."""
MAKERS = frozenset({np.asarray, np.array})
"""Functions that make an ndarray of their argument, or with ``like=`` a strict array."""


def plain(value):
    """The ndarrays behind strict arrays, in lists and tuples too."""
    if isinstance(value, Strict):
        return value._held
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


def wrapped(value, kind):
    """What NumPy returned, its arrays made strict."""
    if isinstance(value, np.ndarray | np.generic):
        return kind(value)
    if isinstance(value, list):
        return [wrapped(v, kind) for v in value]
    if isinstance(value, tuple):
        parts = [wrapped(v, kind) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def has_ndarray(value):
    """Whether an ndarray of at least one axis is among the arguments of a call."""
    if isinstance(value, list | tuple):
        return any(map(has_ndarray, value))
    return isinstance(value, np.ndarray) and value.ndim > 0


class Strict:
    """An array that speaks NumPy's protocols and can do nothing else."""

    __slots__ = ("_held", "dtype", "ndim", "shape", "size")
    __hash__ = None
    __iter__ = None

    def __init__(self, values):
        self._held = np.asarray(values)
        self._held = self._held.view()
        self._held.flags.writeable = False
        self.shape, self.dtype = self._held.shape, self._held.dtype
        self.ndim, self.size = self._held.ndim, self._held.size

    def __repr__(self):
        return f"{type(self).__name__}({self._held!r})"

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__":
            raise TypeError(f"np.{ufunc.__name__}.{method} was called on a strict array")
        if kwargs.keys() - {"dtype"}:
            raise TypeError(f"np.{ufunc.__name__} was called with {', '.join(kwargs)} on a strict array")
        if not all(isinstance(x, Strict | np.ndarray | np.generic | bool | int | float | complex) for x in inputs):
            return NotImplemented
        return wrapped(ufunc(*map(plain, inputs), **kwargs), type(self))

    def __array_function__(self, function, types, args, kwargs):
        if function in WRITERS or "out" in kwargs or (function in MAKERS and isinstance(args[0], Strict)):
            raise TypeError(f"np.{function.__name__} was called on a strict array")
        if not all(issubclass(t, Strict | np.ndarray) for t in types):
            return NotImplemented
        return wrapped(function(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()}), type(self))

    def __getitem__(self, index):
        return wrapped(self._held[plain(index)], type(self))

    def _refused(self, *_, **__):
        raise TypeError("a strict array was asked for its values")

    __array__ = __bool__ = __float__ = __int__ = __complex__ = __index__ = __len__ = _refused


def _operator(ufunc):
    return lambda self, other: ufunc(self, other)


def _reflected(ufunc):
    return lambda self, other: ufunc(other, self)


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "mod": np.remainder, "floordiv": np.floor_divide, "matmul": np.matmul, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor,
}.items():  # fmt: skip
    setattr(Strict, f"__{_name}__", _operator(_ufunc))
    setattr(Strict, f"__r{_name}__", _reflected(_ufunc))
for _name, _ufunc in {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
}.items():  # fmt: skip
    setattr(Strict, f"__{_name}__", _operator(_ufunc))
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Strict, f"__{_name}__", lambda self, ufunc=_ufunc: ufunc(self))


class Jealous(Strict):
    """A strict array that takes no ndarray beside it, as CuPy's: only ``like=`` makes one of its kind, and an index."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if has_ndarray(inputs):
            raise TypeError(f"an ndarray was given to np.{ufunc.__name__} beside a jealous array")
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        if has_ndarray(args) and function not in MAKERS:
            raise TypeError(f"an ndarray was given to np.{function.__name__} beside a jealous array")
        return super().__array_function__(function, types, args, kwargs)
