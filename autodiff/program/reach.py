"""What a function can reach: the places where it keeps variables, arrays, numbers and generators between calls.

A function sees more than its arguments: the cells it closes over, its defaults, the globals that its code names, and
whatever hangs on these, the parameters of a model and the state of an optimizer.
"""

from __future__ import annotations

import functools
import random
from collections import deque
from collections.abc import Iterator
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ..examples import Examples
from ..graph import is_variable
from ..tensor import Tensor
from .children import CACHE, LAYERS, children, is_open, is_ours, put_own
from .places import ELEMENTS, Kept, Place, Reach, Stream

_NUMBERS = (int, float, complex)
_PLAIN = (bool, int, float, complex, str, np.generic)
_OPAQUE = (ModuleType, BuiltinFunctionType, CodeType, str, bytes, bytearray, range, np.generic, np.dtype,
           np.ufunc, np.ndarray, *_NUMBERS)  # fmt: skip


_CONTAINERS = (dict, list, deque, CellType, FunctionType, type)
_Waiting = tuple[str, Any, int]
"""A path, what is there, and whose it is."""


def reached(roots: list[tuple[str, Any]]) -> Reach:
    """The places behind some objects that hold variables, arrays, generators, and numbers of our own objects.

    A variable gives two: its values and its gradient.
    """
    found: list[Place] = []
    kept: list[Kept] = []
    plain: dict[str, Any] = {}
    computed: list[tuple[str, Tensor]] = []
    old: list[Any] = []
    where: dict[int, int] = {}
    alive: dict[int, Any] = {}  # what was seen keeps its identity
    waiting: deque[_Waiting] = deque((path, value, _THEIRS) for path, value in roots)
    while waiting:
        path, value, ours = waiting.popleft()
        if id(value) in where and path[-1:] != "]" and found[where[id(value)]].path[-1:] == "]":
            start = where[id(value)]  # an attribute says more than a place in a list
            found[start : start + 2] = _of_variable(path, value)
        if isinstance(value, _PLAIN):
            plain[path] = value
        elif isinstance(value, np.random.RandomState | random.Random):
            plain[path] = state_of(value)
            old.append(value)
        if id(value) in alive or value is None or isinstance(value, _OPAQUE):
            continue
        alive[id(value)] = value
        if type(value) is Tensor:
            if is_variable(value._node):
                where[id(value)] = len(found)
                found += _of_variable(path, value)
            else:
                computed.append((path, value))
            continue
        ours = _whose(value) or (ours if isinstance(value, list | dict | tuple) else _THEIRS)
        kept += _looked_into(path, value, ours, found, waiting)
    caches = [value for value in alive.values() if isinstance(value, CACHE)]
    return Reach(found, kept, plain, computed, old, caches)


def _looked_into(path: str, value: Any, ours: int, found: list[Place], waiting: deque[_Waiting]) -> Iterator[Kept]:
    """The containers of an object; the places in them are ``found``, and what else hangs on it is ``waiting``."""
    holders: dict[int, tuple[Any, dict[Any, Any], set[Any]]] = {}
    own = value if isinstance(value, dict | list | deque) else vars(value) if _has_attributes(value) else None
    if own is not None:
        holders[id(own)] = own, {}, set()  # an empty one, too: something may be put there
    for name, child, read, write in children(value):
        below = f"{path}{name}" if path else name.lstrip(".")
        container, key = _slot(write)
        _, contents, live = holders.setdefault(id(container), (container, {}, set()))
        contents[key] = child
        if write is not None and is_live(child, ours):
            found.append(Place(below, read, write))
            live.add(key)
        else:
            waiting.append((below, child, ours))
    if isinstance(value, set):
        yield Kept(path, value, {ELEMENTS: frozenset(value)}, frozenset(), whole=False)
    for container, contents, live in holders.values():
        if container is not None:
            yield Kept(path, container, contents, frozenset(live), whole=container is own)


def _has_attributes(value: Any) -> bool:
    """Whether an object keeps its attributes in a dictionary, into which one looks."""
    return is_open(value) and not isinstance(value, FunctionType) and isinstance(getattr(value, "__dict__", None), dict)


def _slot(write: Any) -> tuple[Any, Any]:
    """The container and the key that a way to write leads to, where it is one of Python's own."""
    if write is None or write.func is put_own:
        return None, None
    if not isinstance(write.args[0], _CONTAINERS) and write.func is not object.__setattr__:
        return None, None
    return write.args[:2]  # type: ignore[no-any-return]


def state_of(generator: Any) -> Stream:
    """The state of a generator of random numbers, as something that can be compared."""
    if hasattr(generator, "getstate"):
        return Stream(hash(generator.getstate()))
    kind, key, *rest = generator.get_state()
    return Stream((kind, hash(key.tobytes()), *rest))


_THEIRS, _OURS, _LAYER = 0, 1, 2


def _whose(value: Any) -> int:
    """Whether an object is of a class of ours, or one of the layers, whose integers say how many elements there are."""
    if not is_ours(value):
        return _THEIRS
    modules = {base.__module__ for base in type(value).__mro__}
    return _LAYER if any(m.startswith(_SIZED) for m in modules - _MODULES) else _OURS


_SIZED = (f"{LAYERS}.layers.", f"{LAYERS}.losses.")
_MODULES = {f"{_SIZED[0]}module", f"{_SIZED[0]}structure"}


def is_live(child: Any, whose: int) -> bool:
    """Whether what is in a slot is followed from run to run."""
    if isinstance(child, np.random.Generator | np.inexact | Examples) or (
        type(child) is np.ndarray and child.dtype.kind in "fciub"
    ):
        return True
    return type(child) in ((bool, *_NUMBERS) if whose == _OURS else (bool, float, complex) if whose else ())


def _of_variable(path: str, tensor: Tensor) -> list[Place]:
    """The values and the gradient of a variable; the class's own slots, past all that looks at what is put there."""
    places: list[tuple[str, Any, str]] = [(path, tensor, "_value"), (f"{path}.grad", tensor._node, "grad")]
    return [
        Place(where, functools.partial(getattr, holder, name), functools.partial(setattr, holder, name))
        for where, holder, name in places
    ]
