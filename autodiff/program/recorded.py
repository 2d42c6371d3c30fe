"""Recorded arrays: they compute at once, as the arrays that they hold, and note what was computed.

A recorded array speaks NumPy's two protocols.  Put in the place of the arguments of a function, and of the variables
that it uses, it sees the forward pass, the backward pass (rules are plain NumPy) and an optimizer's update: a flat list
of calls.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from ..examples import Examples
from ..graph import sweep
from .forms import has_known_form
from .instruction import (
    BACKWARD,
    FORWARD,
    READ,
    UPDATE,
    Attribute,
    Function,
    Guard,
    Instruction,
    Line,
    Method,
    Value,
    mapped,
    values_in,
)  # fmt: skip
from .naming import stored_name

_HOME = str(Path(__file__).resolve().parent.parent)
_INSIDE = (_HOME, str(Path(_HOME).parent / "nn"), str(Path(np.__file__).resolve().parent), "<__array_function__")
_SWEEP = sweep.__code__

_OF_SHAPES = frozenset(
    {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj,
     np.isrealobj, np.may_share_memory, np.shares_memory}
)  # fmt: skip
"""Functions whose result depends on no element: what they say holds for every run."""

_ARGUMENT = (np.ndarray, np.generic, int, float, complex, list, tuple, str, type(None))
"""What a call may have beside recorded arrays; anything else is asked first."""

_WRITERS = {np.copyto: 0, np.put: 0, np.place: 0, np.putmask: 0, np.put_along_axis: 0, np.fill_diagonal: 0}
_ITEM = Method("item")
_LOOKS = frozenset({"flags", "strides", "nbytes", "itemsize", "base"})
_WRITING_METHODS = frozenset({"sort", "fill", "put", "partition", "setfield", "itemset", "resize", "__setitem__"})


class CaptureError(TypeError):
    """What a function did cannot be recorded; the message says what to write."""


class Recording:
    """What was computed so far."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.constants: dict[int, tuple[Any, Value]] = {}
        self.closed = False
        self.fixed: set[Value] = set()
        """What the function reaches and was not handed: it may be a constant of the program, which is checked."""
        self._phase = FORWARD
        self._named_last: tuple[Any, Value] = (None, Value((), None, float))

    def new(self, held: Any, name: str = "") -> Recorded:
        """A recorded array of a value that nothing here has made."""
        return Recorded(held, self, Value.like(held, name))

    def note(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, writes: Any = ()
    ) -> Any:
        """Call a function on what is held, and remember the call; ``writes`` are the arguments that it changes."""
        kwargs = kwargs or {}
        result = function(*_held(args), **{name: _held(value) for name, value in kwargs.items()})
        if function in _OF_SHAPES or self.closed:
            return result
        taken = made = None
        if not writes:
            taken = self._taken(result, args)
            if any(taken is argument for argument in args):
                return taken  # np.real of a real array
            made = _values(taken)
        elif result is not None:  # what was written, by its own name
            taken = next(array for array in writes if array.held is result)
        line, phase = self._here(taken)
        given = {name: self._named(value) for name, value in kwargs.items()}
        changed = tuple(array.value for array in writes)
        self.instructions.append(
            Instruction(function, self._named(args), given, made, changed, line, phase, _is_quiet())
        )
        if made is not None and not has_known_form(function, args):
            for value in values_in(made):
                form = READ["form"](value)
                guard = Guard("form", form, line)
                self.instructions.append(Instruction(guard, (value,), line=line, phase=phase, quiet=_is_quiet()))
        return taken

    def draw(self, method: Method, generator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Draw from a generator, and remember that: it is another one afterwards."""
        result = method(generator.held, *_held(args), **{name: _held(value) for name, value in kwargs.items()})
        if self.closed:
            return result
        taken = self._taken(result, ())
        line, phase = self._here(taken)
        given = {name: self._named(value) for name, value in kwargs.items()}
        written = (generator.value, *[a.value for a in args if type(a) is Recorded and result is None])
        args = (generator.value, *self._named(args))
        self.instructions.append(Instruction(method, args, given, _values(taken), written, line, phase, _is_quiet()))
        return taken

    def copied_constants(self) -> dict[Value, Any]:
        """The arrays that were not computed here, as copies that nobody writes into."""
        found = {}
        for array, value in self.constants.values():
            copy = found[value] = np.array(array, order="K")
            copy.flags.writeable = False
        return found

    def constant(self, array: Any) -> Recorded:
        """An array that was not computed here."""
        return Recorded(array, self, self._constant(np.asarray(array)))

    def decided(self, array: Recorded, read: str) -> Any:
        """A value as it reaches Python, where it may decide what is done next."""
        line, phase = self._here()
        found = READ[read](array.held)
        guard = Guard(read, found, line)
        self.instructions.append(Instruction(guard, (array.value,), line=line, phase=phase, quiet=_is_quiet()))
        return found

    def _taken(self, result: Any, args: Any) -> Any:
        """What a call returned, with each array and each number recorded."""
        if isinstance(result, np.ndarray | np.generic):
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
        if known is not None and known[0] is array:
            return known[1]
        value = Value.like(array)
        self.constants[id(array)] = array, value  # the array itself, so that no other one gets its identity
        return value

    def _here(self, taken: Any = None) -> tuple[Line | None, str]:
        """The user's line that is being executed, and in which section; a result gets the name of his variable."""
        frame: FrameType | None = sys._getframe(2)
        in_sweep = False
        while frame is not None:
            code = frame.f_code
            if code is _SWEEP:
                in_sweep = True
            elif not code.co_filename.startswith(_INSIDE):
                break
            frame = frame.f_back
        if in_sweep:
            self._phase = BACKWARD
        elif self._phase is BACKWARD:
            self._phase = UPDATE
        if frame is None:
            return None, self._phase
        if type(taken) is Recorded and not taken.value.name:
            self._name(taken.value, frame)
        return Line(frame.f_code.co_filename, frame.f_lineno), self._phase

    def _name(self, value: Value, frame: FrameType) -> None:
        """Name a value after the variable that the running call is assigned to.

        Of the calls that NumPy's function, or ours, is made of, the last one gives what is assigned.
        """
        name, place = stored_name(frame), (frame, frame.f_lasti)
        if name:
            if self._named_last[0] == place:
                self._named_last[1].name = ""
            value.name = name
        self._named_last = place, value


def _held(value: Any) -> Any:
    """What is computed with: the arrays behind recorded ones."""
    kind = type(value)
    if kind is Recorded:
        return value.held
    if kind in (tuple, list, dict, slice) or isinstance(value, tuple):
        return mapped(lambda r: r.held, value, Recorded)
    return value


def _values(taken: Any) -> Any:
    return mapped(lambda r: r.value, taken, Recorded)


def _is_quiet() -> bool:
    return all(how == "ignore" for how in np.geterr().values())


class Recorded(Examples):
    """An array that notes what is computed from it; it looks like the one that it holds."""

    __slots__ = ("recording", "value")
    many = False
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, held: Any, recording: Recording, value: Value) -> None:
        self.held, self.recording, self.value = held, recording, value

    def holding(self, array: Any) -> Recorded:
        """The same number, held with other notes about which of its zeros are zeros of selection."""
        return Recorded(array, self.recording, self.value)

    def __repr__(self) -> str:
        return f"<recorded {self.held!r}>"

    # -- looks -----------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Any:
        """The lengths of the axes."""
        return self.value.shape

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.value.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return int(np.prod(self.value.shape, dtype=int))

    @property
    def data(self) -> Recorded:
        """Itself: the values, without history."""
        return self

    def __len__(self) -> int:
        return len(self.held)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.held, name)  # raises AttributeError as an array does
        if name.startswith("__"):  # what other libraries ask for: the memory itself
            raise AttributeError(f"recorded array: has no {name}")
        if isinstance(found, np.ndarray | np.generic | float | complex):  # T, mT, real, imag
            return self.recording.note(Attribute(name), (self,))
        if callable(found):
            writes = (self,) if name in _WRITING_METHODS else ()
            method = Method(name)
            return lambda *args, **kwargs: self.recording.note(method, (self, *args), kwargs, writes)
        if name in _LOOKS:
            return found
        raise CaptureError(f"capture: '.{name}' of an array is nothing that a program holds; use the np. functions")

    # -- NumPy's protocols -----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not all(isinstance(x, _ARGUMENT) or type(x) is Recorded for x in inputs):
            return NotImplemented
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if method == "at" and len(inputs) == 3:
            inputs = _one_axis(*inputs)
        written = [*kwargs.get("out", ()), *([inputs[0]] if method == "at" else [])]
        return self._call(function, inputs, kwargs, [w for w in written if w is not None])

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(kind is Recorded or issubclass(kind, np.ndarray) for kind in types):
            return NotImplemented
        written = [kwargs["out"]] if kwargs.get("out") is not None else []
        if function in _WRITERS:
            written.append(args[0] if args else next(iter(kwargs.values())))
        return self._call(function, args, kwargs, written)

    def _call(self, function: Function, args: Any, kwargs: dict[str, Any], written: list[Any]) -> Any:
        for array in written:
            if type(array) is not Recorded:
                raise CaptureError(
                    f"{function.__name__}: writes into an array that is none of the function's arguments or results, "
                    f"so a program would not know it (shape {np.shape(array)}); write y = np.{function.__name__}(...) "
                    "without out="
                )
        return self.recording.note(function, tuple(args), kwargs, tuple(written))

    def __getitem__(self, index: Any) -> Any:
        return self.recording.note(operator.getitem, (self, _index(index)))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.recording.note(operator.setitem, (self, _index(index), value), writes=(self,))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.held)))

    # -- values that leave -----------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.dtype.kind in "biu" or self.value in self.recording.fixed:
            self.recording.decided(self, "bytes")  # positions, counts, and what hardly ever changes
            return np.array(self.held, dtype=dtype, copy=copy)
        raise CaptureError(
            f"capture: a plain array was asked for (shape {self.shape}), by np.asarray, by an index into a plain "
            "array, or by a library that is not NumPy; a program would not see what is done with it. Arguments are "
            "arrays already; write np.take(table, i, axis=0) for table[i]"
        )

    def __bool__(self) -> bool:
        return bool(self.recording.decided(self, "bool"))

    def __float__(self) -> float:
        return float(self.recording.decided(self, "float"))

    def __int__(self) -> int:
        return int(self.recording.decided(self, "int"))

    def __complex__(self) -> complex:
        return complex(self.recording.decided(self, "complex"))

    def __index__(self) -> int:
        return operator.index(self.recording.decided(self, "item"))

    def __format__(self, spec: str) -> str:
        return format(self.recording.decided(self, "item"), spec) if not self.shape else repr(self)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.recording.decided(self, "item"), digits)

    def tolist(self) -> Any:
        """The elements as Python numbers: they may decide what is done next."""
        return self.recording.decided(self, "tolist")

    def is_nan(self) -> bool:
        """False, and a check that no element is NaN, which the sum of the squares tells.

        With a NaN the engine computes a gradient another way, which a program does not know.
        """
        if self.recording.decided(np.vdot(self, self), "NaN"):
            raise CaptureError(
                "capture: a gradient is NaN for these arguments, and the engine looks then which zeros it may keep; a "
                "program does not: capture the function with other arguments"
            )
        return False

    def settle(self) -> None:
        """Make sure that no NaN comes out: then zeros by selection have played no part."""
        self.is_nan()

    def beside(self, array: Any) -> Recorded:
        """A plain array as a recorded one, that is a constant of the program."""
        return self.recording.constant(array)

    def as_array(self) -> Any:
        """An array for a variable: of a Python number, NumPy's."""
        return self.recording.note(np.float64, (self,)) if type(self.held) is float else self

    def as_number(self) -> Any:
        """A number of double precision as Python's, which does not widen single precision."""
        if type(self.held) is np.ndarray and not self.shape:
            return self[()].as_number()
        return self.recording.note(_ITEM, (self,)) if type(self.held) is np.float64 else self


def _index(index: Any) -> Any:
    """An index whose slices have plain numbers as ends, as NumPy wants them."""
    if type(index) is slice:
        return slice(*[e if e is None else operator.index(e) for e in (index.start, index.stop, index.step)])
    return tuple(map(_index, index)) if type(index) is tuple else index


def _one_axis(total: Any, index: Any, values: Any) -> tuple[Any, Any, Any]:
    """The arguments of ``ufunc.at``, with one axis each where the array has one: NumPy 2.4 reads beyond the values."""
    if len(total.shape) == 1 and hasattr(index, "ndim") and index.ndim > 1 and index.dtype.kind in "iu":
        return total, np.ravel(index), np.ravel(np.broadcast_to(values, index.shape))
    return total, index, values


def _operators() -> None:
    """Give a recorded array the operators of an array, each noted as itself."""

    def binary(operation: Function) -> tuple[Callable[..., Any], Callable[..., Any]]:
        def forward(self: Recorded, other: Any) -> Any:
            if not isinstance(other, _ARGUMENT) and type(other) is not Recorded:
                return NotImplemented
            return self.recording.note(operation, (self, other))

        def reflected(self: Recorded, other: Any) -> Any:
            if not isinstance(other, _ARGUMENT):
                return NotImplemented
            return self.recording.note(operation, (other, self))

        return forward, reflected

    def inplace(operation: Function, other_way: Function) -> Callable[..., Any]:
        def written(self: Recorded, other: Any) -> Any:
            if not isinstance(self.held, np.ndarray):  # a number does not change
                return other_way(self, other)
            return self.recording.note(operation, (self, other), writes=(self,))

        return written

    def unary(operation: Function) -> Callable[..., Any]:
        return lambda self: self.recording.note(operation, (self,))

    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift",
                 "rshift"):  # fmt: skip
        bare = name.rstrip("_")
        forward, reflected = binary(getattr(operator, name))
        setattr(Recorded, f"__{bare}__", forward)
        setattr(Recorded, f"__r{bare}__", reflected)
        setattr(Recorded, f"__i{bare}__", inplace(getattr(operator, f"i{bare}"), forward))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Recorded, f"__{name}__", binary(getattr(operator, name))[0])
    for name in ("neg", "pos", "abs", "invert"):
        setattr(Recorded, f"__{name}__", unary(getattr(operator, name)))


_operators()
