"""What was computed so far, while a function is captured: a list of instructions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ..switching import switched
from .errstate import ErrorState
from .forms import has_known_form
from .instruction import (
    NOTHING,
    NUMBERS,
    READ,
    Function,
    Guard,
    Instruction,
    Line,
    Method,
    Value,
    mapped,
    values_in,
)  # fmt: skip
from .recorded import CaptureError, Recorded
from .sites import Sites

_OF_SHAPES = frozenset(
    {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj,
     np.isrealobj, np.may_share_memory, np.shares_memory}
)  # fmt: skip
"""Functions whose result depends on no element: what they say holds for every run."""


_now: ContextVar[Recording | bool] = ContextVar("autodiff_recording", default=False)


def is_recorded_now() -> bool:
    """Whether what is done here and now is being recorded."""
    return _now.get() is not False


def current_recording() -> Recording | None:
    """The recording of a function; None if there is none."""
    now = _now.get()
    return now if isinstance(now, Recording) else None


def being_recorded(recording: Recording | bool = True) -> switched:
    """A context in which that is so; in the ``recording``, loops may be rolled."""
    return switched(_now, recording)


class Recording:
    """What was computed so far."""

    def __init__(self, entry: CodeType | None = None) -> None:
        """``entry`` is the code that calls the function: what is above it is not the function's."""
        self.instructions: list[Instruction] = []
        self._append = self.instructions.append
        self.constants: dict[int, tuple[Any, Value]] = {}
        self._copies: dict[Value, Any] = {}
        self.errors = ErrorState()
        self.closed = False
        self.failed = ""
        """The last error of a call: who catches it decides by it."""
        self.fixed: set[Value] = set()
        """What the function reaches and was not handed: it may be a constant of the program, which is checked."""
        self._sites = Sites(entry)
        self._thread = get_ident()

    def _check_thread(self) -> None:
        if get_ident() != self._thread:
            raise CaptureError(
                "recorded array: another thread is recording a function that uses this array, so it stands in its "
                "place for a moment; call the function once before threads share what it uses, or hold a lock"
            )

    def new(self, held: Any, name: str = "") -> Recorded:
        """A recorded array of a value that nothing here has made."""
        return Recorded(held, self, Value.like(held, name))

    def note(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, writes: Any = ()
    ) -> Any:
        """Call a function on what is held, and remember the call; ``writes`` are the arguments that it changes."""
        kwargs = kwargs or {}
        try:
            result = function(*_held(args), **{name: _held(value) for name, value in kwargs.items()})
        except Exception as error:
            self.failed = f"{type(error).__name__}: {error}"
            raise
        if function in _OF_SHAPES or self.closed:
            return result
        self._check_thread()
        taken = made = None
        writes = writes or _filled(function, args, kwargs, result)
        if not writes:
            taken = self._taken(result, args)
            if any(taken is argument for argument in args):
                return taken  # np.real of a real array
            made = _values(taken)
            if self.fixed and self.is_fixed(args, kwargs):
                self.fixed.update(values_in(made))
        elif isinstance(result, tuple):  # of which some may be new
            taken = tuple(self._taken(part, writes) for part in result)
            made = tuple(None if any(array is w for w in writes) else array.value for array in taken)
        elif result is not None:  # what was written, by its own name
            taken = next(array for array in writes if array.held is result)
        line, phase = self._here(taken, sys._getframe(1))
        given = {name: self._named(value) for name, value in kwargs.items()} if kwargs else kwargs
        changed = tuple([array.value for array in writes]) if writes else ()
        self.instructions.append(
            Instruction(function, self._named(args), given, made, changed, line, phase, self.errors.inside())
        )
        self._sites.made(line, made)
        if made is not None and not has_known_form(function, args):
            for value in values_in(made):
                form = READ["form"](value)
                guard = Guard("form", form, line)
                self.instructions.append(
                    Instruction(guard, (value,), line=line, phase=phase, errors=self.errors.inside())
                )
        return taken

    def number(self, function: Function, held: Any, named: tuple[Any, ...], frame: FrameType) -> Any:
        """Call a function of plain numbers, and remember the call: the same as :meth:`note`, and quicker.

        ``held`` are its arguments, ``named`` these with values in the place of recorded numbers.
        """
        try:
            result = function(*held)
        except Exception as error:
            self.failed = f"{type(error).__name__}: {error}"
            raise
        kind = type(result)
        if self.closed:
            return result
        if get_ident() != self._thread:
            self._check_thread()
        if kind not in NUMBERS:
            raise CaptureError(f"capture: a call gave a {kind.__name__}, which no program holds")
        value = Value((), NUMBERS[kind], kind)
        sites = self._sites
        line = sites.here(frame, value)
        self._append(Instruction(function, named, NOTHING, value, (), line, sites.phase, self.errors.inside()))
        if not sites.origins.full:
            sites.made(line, value)
        return Recorded(result, self, value)

    def draw(self, method: Method, generator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Draw from a generator, and remember that: it is another one afterwards."""
        result = method(generator.held, *_held(args), **{name: _held(value) for name, value in kwargs.items()})
        if self.closed:
            return result
        every = (*args, *kwargs.values())
        into = every[:1] if result is None else [array for array in every if _held(array) is result]
        for array in into:
            if type(array) is not Recorded:
                raise CaptureError(
                    f"{method.__name__}: draws into a {type(array).__name__} that is none of the function's arguments "
                    "or results, so a program would not know it; draw a new array, as rng.permutation(x) and "
                    "rng.random(shape) do, or make room with np.zeros_like(x)"
                )
        taken = self._taken(result, every)
        line, phase = self._here(taken, sys._getframe(1))
        given = {name: self._named(value) for name, value in kwargs.items()}
        written = (generator.value, *[a.value for a in into])
        args = (generator.value, *self._named(args))
        made = None if into else _values(taken)
        self.instructions.append(Instruction(method, args, given, made, written, line, phase, self.errors.inside()))
        return taken

    def is_fixed(self, args: Any, kwargs: Any) -> bool:
        """Whether a call depends on what the function reaches, and on nothing that it was handed."""
        operands = values_in([_values(part) for part in (*args, *kwargs.values())])
        return bool(operands) and self.fixed.issuperset(operands)

    def constant_of(self, value: Value) -> Any:
        """The array that a value stands for, if it was not computed here; else None."""
        return self._copies.get(value)

    def copied_constants(self) -> dict[Value, Any]:
        """The arrays that were not computed here, as copies that nobody writes into."""
        for copy in self._copies.values():
            copy.flags.writeable = False
        return self._copies

    def constant(self, array: Any) -> Recorded:
        """An array that was not computed here."""
        return Recorded(array, self, self._constant(np.asarray(array)))

    def decided(self, array: Recorded, read: str) -> Any:
        """A value as it reaches Python, where it may decide what is done next."""
        found = READ[read](array.held)
        if self.closed:
            return found
        self._check_thread()
        line, phase = self._here(None, sys._getframe(1))
        guard = Guard(read, found, line)
        self.instructions.append(
            Instruction(guard, (array.value,), line=line, phase=phase, errors=self.errors.inside())
        )
        return found

    def _here(self, taken: Any, frame: FrameType) -> tuple[Line | None, str]:
        """The user's line that is being executed, and in which section; a result gets the name of his variable."""
        line = self._sites.here(frame, taken.value if type(taken) is Recorded else None)
        return line, self._sites.phase

    @contextmanager
    def aside(self) -> Iterator[None]:
        """For calls that only look at a value: nothing is named after them."""
        self._sites.aside = True
        try:
            yield
        finally:
            self._sites.aside = False

    def end(self) -> None:
        """Remember nothing more."""
        self.closed = True
        self._sites.end()

    def _taken(self, result: Any, args: Any) -> Any:
        """What a call returned, with each array and each number recorded."""
        kind = type(result)
        if isinstance(result, np.ndarray | np.generic):
            same = None
            if kind is not np.bool_:  # of which there are but two
                same = next((a for a in args if type(a) is Recorded and a.held is result), None)
            return self.new(result) if same is None else same
        if isinstance(result, tuple | list):
            parts = [self._taken(part, args) for part in result]
            return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
        if isinstance(result, bool | int | float | complex):
            return self.new(result)
        if result is None:
            return None
        raise CaptureError(f"capture: a call gave a {type(result).__name__}, which no program holds")

    def _named(self, argument: Any) -> Any:
        """An argument with values in the place of recorded arrays and of constant ones."""
        kind = type(argument)
        if kind is Recorded:
            return argument.value
        if isinstance(argument, np.ndarray):
            return self._constant(argument)
        if kind is tuple or kind is list:
            return kind([self._named(part) for part in argument])
        if kind is slice:
            return slice(*map(self._named, (argument.start, argument.stop, argument.step)))
        if kind is dict:
            return {name: self._named(part) for name, part in argument.items()}
        return argument

    def _constant(self, array: Any) -> Value:
        """The value that stands for an array that was not computed here; it is copied, for it may be written."""
        known = self.constants.get(id(array))
        if known is not None and known[0] is array and self._copies[known[1]].tobytes("K") == array.tobytes("K"):
            return known[1]
        value = Value.like(array)
        self._copies[value] = np.array(array, order="K")
        self.constants[id(array)] = array, value  # the array itself, so that no other one gets its identity
        return value


def _filled(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> tuple[Any, ...]:
    """The argument that a call has written into, which it then returns: ``np.clip(x, 0, 1, x)``, ``x.sum(out=y)``."""
    if not isinstance(result, np.ndarray):
        return ()
    for array in (*args[1:], *kwargs.values()):
        if _held(array) is result:
            if type(array) is Recorded:
                return (array,)
            raise CaptureError(
                f"{function.__name__}: writes into an array that is none of the function's arguments or results, so a "
                f"program would not know it (shape {result.shape}); leave out= away"
            )
    return args[:1] if kwargs.get("copy") is False and result is _held(args[0]) else ()


def _held(value: Any) -> Any:
    """What is computed with: the arrays behind recorded ones."""
    kind = type(value)
    if kind is Recorded:
        return value.held
    if kind is tuple:
        return tuple([part.held if type(part) is Recorded else _held(part) for part in value])
    if kind in (list, dict, slice) or isinstance(value, tuple):
        return mapped(lambda r: r.held, value, Recorded)
    return value


def _values(taken: Any) -> Any:
    return taken.value if type(taken) is Recorded else mapped(lambda r: r.value, taken, Recorded)
