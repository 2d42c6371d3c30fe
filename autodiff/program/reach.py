"""What a function can reach: the places where it keeps variables, arrays, numbers and generators between calls.

A function sees more than its arguments: the cells it closes over, its defaults, the globals that its code names, and
whatever hangs on these, the parameters of a model and the state of an optimizer.  A :class:`Place` is one such slot,
which can be read and written.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections import deque
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..examples import Examples
from ..graph import is_variable
from ..tensor import Tensor

Read = Callable[[], Any]
Write = Callable[[Any], None]
Child = tuple[str, Any, Read, Write | None]

_LAYERS = "nn"
_ENGINE = ("autodiff", "numpy")
_CLOSED = sys.stdlib_module_names | set(_ENGINE)
"""The packages into whose objects nobody looks."""
_NUMBERS = (int, float, complex)
_OPAQUE = (type, ModuleType, BuiltinFunctionType, CodeType, str, bytes, bytearray, range, np.generic, np.dtype,
           np.ufunc, np.ndarray, *_NUMBERS)  # fmt: skip


class Place(NamedTuple):
    """One slot: how one would write it, and the ways to read it and to write it."""

    path: str
    read: Read
    write: Write

    @property
    def name(self) -> str:
        """The last word of the path that says something."""
        words = [word for word in self.path.replace("]", "").replace("[", ".").split(".") if not word.isdigit()]
        return words[-1].strip("'\"_") if words else "t"


class Kept(NamedTuple):
    """A container that a function reaches: a dictionary, a list, the cell of a closure, the globals of a module."""

    path: str
    container: Any
    contents: dict[Any, Any]
    """What was in it, by key, position, or name."""
    live: frozenset[Any]
    """The keys of places, whose contents may change."""
    whole: bool
    """Whether these are all contents: of a module, they are those that the function names."""


class Reach(NamedTuple):
    """What is behind a function."""

    places: list[Place]
    kept: list[Kept]


def reached(roots: list[tuple[str, Any]]) -> Reach:
    """The places behind some objects that hold variables, arrays, generators, and numbers of our own objects.

    A variable gives two: its values and its gradient.
    """
    found: list[Place] = []
    kept: list[Kept] = []
    where: dict[int, int] = {}
    alive: dict[int, Any] = {}  # what was seen keeps its identity
    waiting: deque[tuple[str, Any, bool]] = deque((path, value, False) for path, value in roots)
    while waiting:
        path, value, ours = waiting.popleft()
        if id(value) in where and path[-1:] != "]" and found[where[id(value)]].path[-1:] == "]":
            start = where[id(value)]  # an attribute says more than a place in a list
            found[start : start + 2] = _of_variable(path, value)
        if id(value) in alive or value is None or isinstance(value, _OPAQUE):
            continue
        alive[id(value)] = value
        if type(value) is Tensor:
            if is_variable(value._node):
                where[id(value)] = len(found)
                found += _of_variable(path, value)
            continue
        ours = is_ours(value) or (ours and isinstance(value, list | dict | tuple))
        holders: dict[int, tuple[Any, dict[Any, Any], set[Any]]] = {}
        own = value if isinstance(value, dict | list | deque) else getattr(value, "__dict__", None)
        if isinstance(own, dict | list | deque) and not isinstance(value, FunctionType):
            holders[id(own)] = own, {}, set()  # an empty one, too: something may be put there
        for name, child, read, write in _children(value):
            below = f"{path}{name}" if path else name.lstrip(".")
            container, key = _slot(write)
            _, contents, live = holders.setdefault(id(container), (container, {}, set()))
            contents[key] = child
            if write is not None and is_live(child, ours):
                found.append(Place(below, read, write))
                live.add(key)
            else:
                waiting.append((below, child, ours))
        for container, contents, live in holders.values():
            if container is not None:
                kept.append(Kept(path, container, contents, frozenset(live), whole=container is own))
    return Reach(found, kept)


def _slot(write: Any) -> tuple[Any, Any]:
    """The container and the key that a way to write leads to."""
    if write is None or write.func in (object.__setattr__, _put_into):
        return None, None
    return write.args[:2]  # type: ignore[no-any-return]


def is_ours(value: Any) -> bool:
    """Whether an object is a layer, an optimizer or the like, or of a class made from one: its numbers may change."""
    return any(base.__module__.partition(".")[0] == _LAYERS for base in type(value).__mro__[:-1])


def is_live(child: Any, ours: bool) -> bool:
    """Whether what is in a slot is followed from run to run."""
    if isinstance(child, np.random.Generator | Examples) or (type(child) is np.ndarray and child.dtype.kind in "fciub"):
        return True
    return ours and type(child) in _NUMBERS


def _of_variable(path: str, tensor: Tensor) -> list[Place]:
    """The values and the gradient of a variable; the class's own slots, past all that looks at what is put there."""
    places: list[tuple[str, Any, str]] = [(path, tensor, "_value"), (f"{path}.grad", tensor._node, "grad")]
    return [
        Place(where, functools.partial(getattr, holder, name), functools.partial(setattr, holder, name))
        for where, holder, name in places
    ]


def _children(value: Any) -> Iterator[Child]:
    """What hangs on an object: a name, what is there, and how to read and to write it."""
    if isinstance(value, dict):
        for key, child in list(value.items()):
            yield f"[{key!r}]", child, functools.partial(_item, value, key), functools.partial(_put, value, key)
    elif isinstance(value, list | deque):
        for i, child in enumerate(list(value)):
            yield f"[{i}]", child, functools.partial(_item, value, i), functools.partial(_put, value, i)
    elif isinstance(value, tuple | set | frozenset):
        for i, child in enumerate(value):
            yield f"[{i}]", child, functools.partial(_item, value, i), None
    elif isinstance(value, MethodType):
        yield "", value.__self__, _nothing, None
        yield "", value.__func__, _nothing, None
    elif isinstance(value, functools.partial):
        yield "", value.func, _nothing, None
        yield from _children(value.args)
        yield from _children(value.keywords)
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
    elif type(value).__module__.partition(".")[0] not in _CLOSED:
        yield from _attributes(value)


def _of_function(function: FunctionType) -> Iterator[Child]:
    """The cells, the defaults, and the globals that a function's code names."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            child = cell.cell_contents
        except ValueError:  # it is not filled yet
            continue
        yield f".{name}", child, functools.partial(getattr, cell, "cell_contents"), functools.partial(
            setattr, cell, "cell_contents"
        )  # fmt: skip
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    for name, child in (*zip(names, defaults, strict=True), *(function.__kwdefaults__ or {}).items()):
        yield f".{name}", child, _nothing, None
    module = (function.__module__ or "").partition(".")[0]
    if module in _ENGINE or module == _LAYERS:
        return
    for name in _named_globals(function.__code__):
        if name in function.__globals__:
            space = function.__globals__
            yield f".{name}", space[name], functools.partial(_item, space, name), functools.partial(_put, space, name)


@functools.cache
def _named_globals(code: CodeType) -> tuple[str, ...]:
    """The names that a function's code, and that of the functions in it, looks up outside."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= dict.fromkeys(_named_globals(constant))
    return tuple(names)


def _attributes(value: Any) -> Iterator[Child]:
    """The attributes of an object, in its dictionary and in its slots."""
    held = getattr(value, "__dict__", None)
    if isinstance(held, dict):
        for name, child in list(held.items()):
            write = functools.partial(_put, held, name)
            yield f".{name}", child, functools.partial(_item, held, name), write
            if type(child) is tuple and is_ours(value) and any(type(part) in _NUMBERS for part in child):
                for i, part in enumerate(child):
                    yield f".{name}[{i}]", part, functools.partial(_item_of, held, name, i), functools.partial(
                        _put_into, held, name, i
                    )  # fmt: skip
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                write = functools.partial(object.__setattr__, value, name)
                yield f".{name}", getattr(value, name), functools.partial(getattr, value, name), write


def _nothing() -> None:
    """What has no way to it."""


_item = operator.getitem
_put = operator.setitem


def _item_of(space: Any, name: str, i: int) -> Any:
    return space[name][i]


def _put_into(space: Any, name: str, i: int, part: Any) -> None:
    """Put a tuple with another element in the place of one: a pair of betas, say."""
    whole = space[name]
    space[name] = (*whole[:i], part, *whole[i + 1 :])
