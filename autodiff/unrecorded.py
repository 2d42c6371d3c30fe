"""no_grad: computing without recording."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextlib import ContextDecorator
from typing import Any

from .mode import Mode, _state
from .primitive import Primitive
from .tensor import detached, unrecorded

_GENERATOR, _COROUTINE, _ASYNCHRONOUS_GENERATOR = 0x20, 0x80, 0x200  # bits in a code object's flags


class Unrecorded(Mode):
    """The mode of :class:`no_grad`: what is computed has no history."""

    records = False  # type: ignore[assignment]

    def __call__(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute the values, in the mode around this one."""
        if self.enclosing is None:
            return unrecorded(primitive, args, kwargs)
        with self.outside():
            return primitive.call(*map(detached, args), **{k: detached(v) for k, v in kwargs.items()})

    def recorded(self) -> Mode | None:
        """What is around it, which records."""
        return None if self.enclosing is None else self.enclosing.recorded()


def _without(mode: Mode | None) -> Mode | None:
    """A mode without the innermost no_grad in it: by number, since suspended generators are closed in any order."""
    if mode is None or type(mode) is Unrecorded:
        return None if mode is None else mode.enclosing
    return mode.inside(_without(mode.enclosing))


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

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """``@no_grad`` without brackets is ``@no_grad()``."""
        mode = super().__new__(cls)
        mode._entered = []  # one for each time that it is open: several threads may share it
        return mode if function is None else mode(function)

    def __enter__(self) -> None:
        before = _state.get()
        try:
            self._entered.append(True)
            _state.set(Unrecorded(before))
            return
        except BaseException:  # Ctrl-C in between
            _state.set(before)
            raise

    def __exit__(self, *exception: object) -> None:
        try:
            self._entered.pop()
        finally:
            _state.set(_without(_state.get()))

    def __del__(self) -> None:
        while self._entered:  # Ctrl-C came before the first instruction of __exit__
            self.__exit__()

    def __call__(self, function: Any) -> Any:
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & _ASYNCHRONOUS_GENERATOR:
            raise TypeError(
                f"no_grad: {function.__name__} is an asynchronous generator, whose caller would run without recording "
                "too; write 'with no_grad():' inside it, around what has no yield"
            )
        if flags & _COROUTINE:
            return _coroutine(function)
        return _generator(function) if flags & _GENERATOR else super().__call__(function)


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
