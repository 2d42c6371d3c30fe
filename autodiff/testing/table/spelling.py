"""Calls as Python code: the name of an entry of the table, and the text of its arguments."""

from __future__ import annotations

import sys
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np

from ...primitive import Composite, Primitive

Entry = Primitive | Composite
_PLACES = (("", np), ("linalg.", np.linalg), ("fft.", np.fft))


@lru_cache(maxsize=1024)
def dotted(entry: Entry) -> str | None:
    """NumPy's name of an entry, as "linalg.inv"; None if NumPy does not have the function."""
    for prefix, module in _PLACES:
        for name in (getattr(entry.function, "__name__", entry.name), entry.name):
            if getattr(module, name, None) is entry.function:
                return prefix + name
    return None


def is_indexing(entry: Entry) -> bool:
    """Whether the entry is that of indexing."""
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
    """Whether it is a public function of this library that NumPy does not have."""
    return getattr(sys.modules["autodiff"], entry.name, None) is entry.call
