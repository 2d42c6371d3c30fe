"""How a call is written in Python: the name of an entry of the table, and the text of its arguments."""

from __future__ import annotations

import sys
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np

from ...primitive import Composite, Primitive
from ...tensor import Tensor

Entry = Primitive | Composite
_PLACES = (("", np), ("linalg.", np.linalg), ("fft.", np.fft))


@lru_cache(maxsize=1024)
def dotted(entry: Entry) -> str | None:
    """Where NumPy has the function of an entry, as "linalg.inv"; None for a function that NumPy does not have."""
    for prefix, module in _PLACES:
        for name in (getattr(entry.function, "__name__", entry.name), entry.name):
            if getattr(module, name, None) is entry.function:
                return prefix + name
    return None


def is_indexing(entry: Entry) -> bool:
    """Whether the entry is what brackets mean."""
    return entry.method == "__getitem__"


def function_in(entry: Entry, numpy: Any) -> Any:
    """The function of an entry in a library with NumPy's names; brackets for indexing."""
    name = dotted(entry)
    if numpy is np:
        return entry.call if name is None else attrgetter(name)(np)
    if is_indexing(entry) and not hasattr(numpy, entry.name):
        return lambda a, index: a[index]
    try:
        return attrgetter(name or entry.name)(numpy)
    except AttributeError:
        where = getattr(numpy, "__name__", type(numpy).__name__)
        raise NotImplementedError(f"program: {where} has no function '{name or entry.name}'") from None


def spelled(entry: Entry, args: list[str], kwargs: dict[str, str]) -> str:
    """The text of a call: ``np.sum(a, axis=0)``, ``a[1:]``, ``relu(a)``."""
    if is_indexing(entry) and len(args) == 2:
        return f"{args[0]}[{args[1]}]"
    name = dotted(entry)
    inside = ", ".join([*args, *[f"{k}={v}" for k, v in kwargs.items()]])
    if name is not None:
        return f"np.{name}({inside})"
    return f"{'autodiff.' * is_public(entry)}{entry.name}({inside})"


def is_public(entry: Entry) -> bool:
    """Whether it is a function of this library that users call, which NumPy does not have."""
    return getattr(sys.modules["autodiff"], entry.name, None) is entry.call


def written(value: Any) -> str:
    """A value as an expression that makes it again, with arrays as ``np.array([...])`` in short decimals.

    >>> written(np.array([0.5, np.inf], np.float32)), written((0, None, np.array([True])))
    ('np.array([0.5, np.inf], np.float32)', '(0, None, np.array([True]))')
    """
    value = value._value if isinstance(value, Tensor) else value
    if isinstance(value, np.ndarray):
        usual = value.dtype in (np.float64, np.complex128, np.bool_, np.intp)
        kind = "" if usual else f", np.{value.dtype.name}"
        if value.size == 0:
            return f"np.zeros({value.shape}{f', np.{value.dtype.name}' if value.dtype != np.float64 else ''})"
        return f"np.array({_decimal(value)}{kind})"
    if isinstance(value, np.generic):  # a number in another precision is one of NumPy's, with a type of its own
        usual = value.dtype in (np.float64, np.complex128, np.bool_, np.intp)
        return written(value.item()) if usual else f"np.{value.dtype.name}({_decimal(np.asarray(value))})"
    if isinstance(value, type):
        return f"np.{value.__name__}" if issubclass(value, np.generic) else value.__name__
    if isinstance(value, np.dtype):
        return f"np.dtype({value.str!r})"
    if isinstance(value, np.ufunc) and getattr(np, name := getattr(value, "__name__", ""), None) is value:
        return f"np.{name}"
    if isinstance(value, float | complex):
        return _number(value)
    if type(value) is list:
        return "[" + ", ".join(map(written, value)) + "]"
    if type(value) is tuple:
        return "(" + ", ".join(map(written, value)) + ("," if len(value) == 1 else "") + ")"
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {written(v)}" for key, v in value.items()) + "}"
    return repr(value)


def _decimal(array: Any) -> str:
    """The elements, each with as few digits as tell it from its neighbours in its own precision."""
    if array.ndim:
        return "[" + ", ".join(_decimal(np.asarray(row)) for row in array) + "]"
    return _number(array[()]) if array.dtype.kind in "fc" else repr(array.item())


def _number(value: Any) -> str:
    """A float or a complex number, of Python's or NumPy's; ``inf`` and ``nan`` are names that only NumPy has.

    >>> _number(-np.inf), _number(np.float32(0.1)), _number(complex(0.5, np.nan))
    ('-np.inf', '0.1', 'complex(0.5, np.nan)')
    """
    if not np.isfinite(value) and isinstance(value, complex | np.complexfloating):
        return f"complex({_number(value.real)}, {_number(value.imag)})"
    if np.isfinite(value):
        return str(value)
    return "np.nan" if np.isnan(value) else "np.inf" if value > 0 else "-np.inf"


def written_index(index: Any) -> str:
    """What stands between brackets: ``0, ::2`` for ``(0, slice(None, None, 2))``."""
    if isinstance(index, tuple):
        return ", ".join(map(_written_part, index)) + ("," if len(index) == 1 else "") if index else "()"
    return _written_part(index)


def _written_part(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if n is None else str(n) for n in (part.start, part.stop, part.step)]
        return ":".join(ends if part.step is not None else ends[:2])
    return "..." if part is Ellipsis else written(part)
