"""What a function can reach: the places where it keeps variables, arrays, numbers and generators between calls.

A function sees more than its arguments: the cells it closes over, its defaults, the globals that its code names, and
whatever hangs on these, the parameters of a model and the state of an optimizer.  A :class:`Place` is one such slot,
which can be read and written.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..examples import Examples
from ..graph import Node, is_variable
from ..tensor import Tensor
from .instruction import EMPTY
from .naming import once_for_each

Read = Callable[[], Any]
Write = Callable[[Any], None]
Child = tuple[str, Any, Read, Write | None]

_LAYERS = "nn"
_ENGINE = ("autodiff", "numpy")
_CLOSED = sys.stdlib_module_names | set(_ENGINE)
"""The packages into whose objects nobody looks."""
_NUMBERS = (int, float, complex)
_PLAIN = (bool, int, float, complex, str, np.generic)
_OPAQUE = (ModuleType, BuiltinFunctionType, CodeType, str, bytes, bytearray, range, np.generic, np.dtype,
           np.ufunc, np.ndarray, *_NUMBERS)  # fmt: skip


_CONTAINERS = (dict, list, deque, CellType)


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

    @property
    def now(self) -> Any:
        """What is in the place; ``EMPTY`` if the place is gone."""
        try:
            return self.read()
        except (LookupError, AttributeError, TypeError, ValueError):
            return EMPTY

    @property
    def node(self) -> Node | None:
        """The variable, if this is the place of its gradient."""
        holder = self.read.args[0] if isinstance(self.read, functools.partial) and self.read.args else None
        return holder if isinstance(holder, Node) else None


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


class Stream(str):
    """The state of a generator of the old kind."""

    __slots__ = ()


class Reach(NamedTuple):
    """What is behind a function."""

    places: list[Place]
    kept: list[Kept]
    plain: dict[str, Any]
    """Numbers and texts, and the states of generators of the old kind, by their paths."""
    computed: list[tuple[str, Tensor]]
    """Tensors that are no variables, and their paths."""


def reached(roots: list[tuple[str, Any]]) -> Reach:
    """The places behind some objects that hold variables, arrays, generators, and numbers of our own objects.

    A variable gives two: its values and its gradient.
    """
    found: list[Place] = []
    kept: list[Kept] = []
    plain: dict[str, Any] = {}
    computed: list[tuple[str, Tensor]] = []
    where: dict[int, int] = {}
    alive: dict[int, Any] = {}  # what was seen keeps its identity
    waiting: deque[tuple[str, Any, int]] = deque((path, value, _THEIRS) for path, value in roots)
    while waiting:
        path, value, ours = waiting.popleft()
        if id(value) in where and path[-1:] != "]" and found[where[id(value)]].path[-1:] == "]":
            start = where[id(value)]  # an attribute says more than a place in a list
            found[start : start + 2] = _of_variable(path, value)
        if isinstance(value, _PLAIN):
            plain[path] = value
        elif isinstance(value, np.random.RandomState | random.Random):
            plain[path] = state_of(value)
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
    return Reach(found, kept, plain, computed)


def _slot(write: Any) -> tuple[Any, Any]:
    """The container and the key that a way to write leads to, where it is one of Python's own."""
    if write is None or write.func is _put_own or not isinstance(write.args[0], _CONTAINERS):
        return None, None
    return write.args[:2]  # type: ignore[no-any-return]


def state_of(generator: Any) -> Stream:
    """The state of a generator of random numbers, as something that can be compared."""
    if hasattr(generator, "getstate"):
        return Stream(hash(generator.getstate()))
    kind, key, *rest = generator.get_state()
    return Stream((kind, hash(key.tobytes()), *rest))


def _package(kind: type) -> str:
    """The package that a class is from; a class written in C may say so in another way."""
    return str(kind.__module__).partition(".")[0]


def is_ours(value: Any) -> bool:
    """Whether an object is a layer, an optimizer or the like, or of a class made from one: its numbers may change."""
    return any(_package(base) == _LAYERS for base in type(value).__mro__[:-1])


_THEIRS, _OURS, _LAYER = 0, 1, 2


def _whose(value: Any) -> int:
    """Whether an object is of a class of ours, or one of the layers, whose integers say how many elements there are."""
    if not is_ours(value):
        return _THEIRS
    modules = {base.__module__ for base in type(value).__mro__}
    return _LAYER if any(m.startswith(_SIZED) for m in modules - _MODULES) else _OURS


_SIZED = f"{_LAYERS}.layers."
_MODULES = {f"{_SIZED}module", f"{_SIZED}structure"}


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


def _children(value: Any) -> Iterator[Child]:
    """What hangs on an object: a name, what is there, and how to read and to write it; of tuples, what is in them."""
    for name, child, read, write in _slots(value):
        yield name, child, read, write
        if isinstance(child, tuple) and write is not None:
            yield from _of_tuple(name, child, read, write)


def _of_tuple(name: str, parts: tuple[Any, ...], read: Read, write: Write) -> Iterator[Child]:
    """The elements of a tuple, which is replaced by another one where an element is written."""
    for i, part in enumerate(parts):
        place = f"{name}[{i}]", functools.partial(_part, read, i), functools.partial(_put_part, read, write, i)
        yield place[0], part, place[1], place[2]
        if isinstance(part, tuple):
            yield from _of_tuple(place[0], part, place[1], place[2])


def _slots(value: Any) -> Iterator[Child]:
    """What hangs on an object itself."""
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
        read, write = functools.partial(getattr, value, "args"), functools.partial(_put_arguments, value)
        yield from _of_tuple("", value.args, read, write)
        yield from _children(value.keywords)
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
    elif isinstance(value, staticmethod | classmethod):
        yield "", value.__func__, _nothing, None
    elif isinstance(value, property):
        for function in (value.fget, value.fset):
            yield "", function, _nothing, None
    elif isinstance(value, type):
        yield from _of_class(value)
    elif _package(type(value)) == "autodiff" and "__wrapped__" in getattr(value, "__dict__", ()):
        yield "", value.__wrapped__, _nothing, None  # jit(f)
    elif _package(type(value)) not in _CLOSED:
        yield from _attributes(value)


def _closed_over(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The variables that a function closes over; not those that are not filled yet."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):
            yield name, cell.cell_contents


def _of_function(function: FunctionType) -> Iterator[Child]:
    """The cells, the defaults, and the globals that a function's code names."""
    for name, child in _closed_over(function):
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
        read, write = (
            functools.partial(getattr, cell, "cell_contents"),
            functools.partial(setattr, cell, "cell_contents"),
        )
        yield f".{name}", child, read, write
    defaults, read = function.__defaults__, functools.partial(getattr, function, "__defaults__")
    if defaults:
        write = functools.partial(setattr, function, "__defaults__")
        names = function.__code__.co_varnames[: function.__code__.co_argcount][-len(defaults) :]
        for i, (name, child) in enumerate(zip(names, defaults, strict=True)):
            yield f".{name}", child, functools.partial(_part, read, i), functools.partial(_put_part, read, write, i)
    keywords = function.__kwdefaults__ or {}
    for name, child in list(keywords.items()):
        yield f".{name}", child, functools.partial(_item, keywords, name), functools.partial(_put, keywords, name)
    module = (function.__module__ or "").partition(".")[0]
    if module in _ENGINE or module == _LAYERS:
        return
    names = _named_globals(function.__code__)
    yield from _of_names(function.__globals__, names, "")
    modules = {name: function.__globals__.get(name) for name in names}
    for name, child in [*modules.items(), *_closed_over(function)]:
        if isinstance(child, ModuleType) and _is_open(child.__name__):
            yield from _of_names(vars(child), names, f".{name}")


def _of_names(space: dict[str, Any], names: tuple[str, ...], path: str) -> Iterator[Child]:
    """What has one of these names in a module."""
    for name in names:
        if name in space:
            yield f"{path}.{name}", space[name], functools.partial(_item, space, name), functools.partial(
                _put, space, name
            )  # fmt: skip


def _of_class(kind: type) -> Iterator[Child]:
    """The attributes of a class, and the functions in it, if it is the user's."""
    if not _is_open(kind.__module__):
        return
    for name, child in list(vars(kind).items()):
        if not name.startswith("__") or isinstance(child, FunctionType):
            yield f".{name}", child, functools.partial(_item, vars(kind), name), functools.partial(setattr, kind, name)
    for base in kind.__bases__:
        yield "", base, _nothing, None


def _is_open(module: str) -> bool:
    """Whether a module is the user's."""
    package = module.partition(".")[0]
    return package not in _CLOSED and package != _LAYERS


@once_for_each
def _named_globals(code: CodeType) -> tuple[str, ...]:
    """The names that a function's code, and that of the functions in it, looks up outside."""
    names = dict.fromkeys(filter(str.isidentifier, code.co_names))  # pytest puts in others
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
    yield "", type(value), _nothing, None
    if isinstance(held, dict) and is_ours(value):
        for kind in type(value).__mro__:
            for name, child in vars(kind).items():
                if type(child) in (bool, *_NUMBERS) and name[:2] != "__" and getattr(value, name) is child:
                    write = functools.partial(_put_own, held, name, child)
                    yield f".{name}", child, functools.partial(getattr, value, name), write
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


def _put_own(held: dict[str, Any], name: str, default: Any, value: Any) -> None:
    """Give an object an attribute of its own, where it has not that of its class."""
    if value is default:
        held.pop(name, None)
    else:
        held[name] = value


def _put_arguments(partial: functools.partial[Any], args: tuple[Any, ...]) -> None:
    """Give a partial function other arguments."""
    partial.__setstate__((partial.func, args, partial.keywords, vars(partial)))  # type: ignore[attr-defined]


def _part(read: Read, i: int) -> Any:
    return read()[i]


def _put_part(read: Read, write: Write, i: int, part: Any) -> None:
    """Put a tuple with another element in the place of one: a pair of betas, say."""
    whole = read()
    parts = (*whole[:i], part, *whole[i + 1 :])
    write(type(whole)(*parts) if hasattr(whole, "_fields") else parts)
