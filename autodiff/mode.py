"""Modes: what happens to operations on Tensors in place of being recorded.

A mode belongs to a thread and to an asynchronous task: others are not affected.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any, Self, TypeVar, overload

from .tensor import _mode, _state, _unrecorded

F = TypeVar("F", bound=Callable[..., Any])
_outer: ContextVar[tuple[Any, ...]] = ContextVar("autodiff_outer_modes", default=())
"""The modes outside of each no_grad that is open.  Kept here and not in the object, which several threads may share,
and by number and not by name, since two suspended generators may be closed in any order."""

_GENERATOR, _COROUTINE, _ASYNCHRONOUS_GENERATOR = 0x20, 0x80, 0x200  # bits in a code object's flags


class no_grad(ContextDecorator):  # noqa: N801
    """Compute without recording: results are constants and keep nothing alive.

    A context manager or a decorator, of generators and coroutines too; other threads and tasks are not affected.
    In a generator a ``with no_grad():`` around a ``yield`` holds for the caller as well, as with any context variable:
    decorate the generator instead.

    >>> from autodiff import Tensor
    >>> x = Tensor(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y
    Tensor(4., float64, a constant)
    """

    @overload
    def __new__(cls) -> Self: ...
    @overload
    def __new__(cls, function: F) -> F: ...  # type: ignore[misc]
    def __new__(cls, function: Any = None) -> Any:
        """``@no_grad`` without brackets is ``@no_grad()``."""
        mode = super().__new__(cls)
        return mode if function is None else mode(function)

    def __enter__(self) -> None:
        _outer.set((*_outer.get(), _mode()))
        _state.set(_unrecorded)

    def __exit__(self, *exception: object) -> None:
        if outer := _outer.get():
            _outer.set(outer[:-1])
            _state.set(outer[-1])

    def __call__(self, function: F) -> F:
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & _ASYNCHRONOUS_GENERATOR:
            raise TypeError(
                f"no_grad: {function.__name__} is an asynchronous generator, whose caller would run without recording "
                "too; write 'with no_grad():' inside it, around what has no yield"
            )
        if flags & _COROUTINE:
            return _coroutine(function)  # type: ignore[no-any-return]
        if flags & _GENERATOR:
            return _generator(function)  # type: ignore[no-any-return]
        return super().__call__(function)


def _coroutine(function: Any) -> Any:
    @functools.wraps(function)
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        with no_grad():
            return await function(*args, **kwargs)

    return decorated


def _generator(function: Any) -> Any:
    """The function with every step of its generator, but not what its caller does between them, without recording."""

    @functools.wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        running = function(*args, **kwargs)
        resume: Callable[[Any], Any] = running.send
        given: Any = None
        while True:
            try:
                with no_grad():
                    made = resume(given)
            except StopIteration as stop:
                return stop.value
            try:
                given, resume = (yield made), running.send
            except GeneratorExit:
                running.close()
                raise
            except BaseException as error:
                given, resume = error, running.throw

    return decorated
