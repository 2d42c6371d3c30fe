"""no_grad: computing without recording."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import Any, Self, TypeVar, overload

from .graph import CONSTANT
from .mode import Mode, entered
from .outputs import same_tuple
from .primitive import Primitive
from .protocol import WRONG, complain
from .tensor import Tensor, stripped, wrap

F = TypeVar("F", bound=Callable[..., Any])
_GENERATOR, _COROUTINE, _ASYNCHRONOUS_GENERATOR = 0x20, 0x80, 0x200  # bits in a code object's flags


def detached(value: Any) -> Any:
    """An argument with constants instead of its Tensors."""
    if type(value) is Tensor:
        return wrap(value._value, CONSTANT)
    return type(value)(detached(v) for v in value) if type(value) in (list, tuple) else value


def unrecorded(primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of an operation, as a constant."""
    values = [stripped(a) for a in args]
    try:
        y = primitive.forward(*values, **{k: stripped(v) for k, v in kwargs.items()})
    except WRONG as error:
        complain(primitive, values, error)
    return same_tuple(y, [wrap(v, CONSTANT) for v in y]) if isinstance(y, tuple) else wrap(y, CONSTANT)


class Unrecorded(Mode):
    """A mode in which operations are not recorded."""

    is_recording = False

    def operate(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute the values, in an enclosing ``vmap`` if there is one."""
        outside = self.unwatched()
        if outside is None:
            return unrecorded(primitive, args, kwargs)
        with entered(outside):
            return primitive.call(*map(detached, args), **{k: detached(v) for k, v in kwargs.items()})

    def recorded(self) -> Mode | None:
        """The enclosing mode that records."""
        return None if self.enclosing is None else self.enclosing.recorded()


class no_grad(Unrecorded):  # noqa: N801
    """Compute without recording: results are constants, and nothing is saved.

    A context manager, or a decorator of functions, generators and coroutines.  Other threads and tasks are not
    affected.  ``with no_grad():`` around a ``yield`` in a generator also affects the caller, as any context variable
    does: decorate the generator instead.

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

    def __call__(self, function: F) -> F:
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & _ASYNCHRONOUS_GENERATOR:
            raise TypeError(
                f"no_grad: {function.__name__} is an asynchronous generator, whose caller would run without recording "
                "too; write 'with no_grad():' inside it, around what has no yield"
            )
        if flags & _COROUTINE:
            return _coroutine(function)  # type: ignore[no-any-return]
        return _generator(function) if flags & _GENERATOR else _function(function)  # type: ignore[no-any-return]


def _function(function: Any) -> Any:
    @functools.wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with no_grad():
            return function(*args, **kwargs)

    return decorated


def _coroutine(function: Any) -> Any:
    @functools.wraps(function)
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        with no_grad():
            return await function(*args, **kwargs)

    return decorated


def _generator(function: Any) -> Any:
    """The function, each step of whose generator is not recorded; the caller's code between the steps is."""

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
