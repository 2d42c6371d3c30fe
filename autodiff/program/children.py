"""What hangs on an object: attributes, elements, what a function closes over, and the globals that its code names."""

from __future__ import annotations

import contextlib
import functools
import operator
import sys
import weakref
from collections import deque
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from .naming import once_for_each
from .places import Read, Write

Child = tuple[str, Any, Read, Write | None]

LAYERS = "nn"
_ENGINE = ("autodiff", "numpy")
_CLOSED = sys.stdlib_module_names | set(_ENGINE)
"""The packages into whose objects nobody looks."""
_NUMBERS = (int, float, complex)
CACHE = type(functools.lru_cache(lambda: None))
"""A function that keeps its results."""


def children(value: Any) -> Iterator[Child]:
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
    elif isinstance(value, CACHE):
        yield "", value.__wrapped__, _nothing, None
    elif isinstance(value, weakref.ref):
        yield "", value(), _nothing, None
    elif isinstance(value, MethodType):
        yield "", value.__self__, _nothing, None
        yield "", value.__func__, _nothing, None
    elif isinstance(value, functools.partial):
        yield "", value.func, _nothing, None
        read, write = functools.partial(getattr, value, "args"), functools.partial(_put_arguments, value)
        yield from _of_tuple("", value.args, read, write)
        yield from children(value.keywords)
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
    elif isinstance(value, staticmethod | classmethod):
        yield "", value.__func__, _nothing, None
    elif isinstance(value, property):
        for function in (value.fget, value.fset):
            yield "", function, _nothing, None
    elif isinstance(value, type):
        yield from _of_class(value)
    elif package_of(type(value)) == "autodiff" and "__wrapped__" in getattr(value, "__dict__", ()):
        yield "", value.__wrapped__, _nothing, None  # jit(f)
    elif is_open(value):
        yield from _attributes(value)


def is_open(value: Any) -> bool:
    """Whether one looks into an object: at its attributes."""
    kind = type(value)
    return package_of(kind) not in _CLOSED or kind.__name__ in ("SimpleNamespace", "Namespace")


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
    if module in _ENGINE or module == LAYERS:
        return
    for name in ("__code__", "__defaults__"):
        read, write = functools.partial(getattr, function, name), functools.partial(setattr, function, name)
        yield f".{name}", read(), read, write
    for name, child in list(vars(function).items()):
        space = vars(function)
        yield f".{name}", child, functools.partial(_item, space, name), functools.partial(_put, space, name)
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
    return package not in _CLOSED and package != LAYERS


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
                    write = functools.partial(put_own, held, name, child)
                    yield f".{name}", child, functools.partial(getattr, value, name), write
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                write = functools.partial(object.__setattr__, value, name)
                yield f".{name}", getattr(value, name), functools.partial(getattr, value, name), write


def package_of(kind: type) -> str:
    """The package that a class is from; a class written in C may say so in another way."""
    return str(kind.__module__).partition(".")[0]


def is_ours(value: Any) -> bool:
    """Whether an object is a layer, an optimizer or the like, or of a class made from one: its numbers may change."""
    return any(package_of(base) == LAYERS for base in type(value).__mro__[:-1])


def _nothing() -> None:
    """What has no way to it."""


_item = operator.getitem
_put = operator.setitem


def put_own(held: dict[str, Any], name: str, default: Any, value: Any) -> None:
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
