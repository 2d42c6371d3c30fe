"""Recorded arrays: they compute at once, as the arrays that they hold, and note what was computed.

A recorded array speaks NumPy's two protocols.  Put in the place of the arguments of a function, and of the variables
that it uses, it sees the forward pass, the backward pass (rules are plain NumPy) and an optimizer's update: a flat list
of calls.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..coercion import boxed, multiplies_sparse
from ..examples import Examples
from ..operands import beside, is_sparse
from ..tensor import Tensor
from .instruction import NUMBERS, OPERATORS, Attribute, Function, Method, Value

if TYPE_CHECKING:
    from .recording import Recording

_ARGUMENT = (np.ndarray, np.generic, int, float, complex, list, tuple, str, type(None))
"""What a call may have beside recorded arrays; anything else is asked first."""

_WRITERS = frozenset({np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal})
"""Functions that write into their first argument."""
_ITEM = Method("item")
_LOOKS = frozenset({"flags", "strides", "nbytes", "itemsize", "base"})
_WRITING_METHODS = frozenset({"sort", "fill", "put", "partition", "setfield", "itemset", "resize", "__setitem__"})


_ENGINE = str(Path(__file__).resolve().parent.parent)
_OF_PRODUCTS = str(Path("scipy", "sparse", "_base.py"))
"""Where SciPy asks for the class of what a sparse array is multiplied with: an ndarray it would read itself."""
_asking: dict[str, bool] = {}
"""Whether a file is the engine's."""


def _is_engine(frame: Any) -> bool:
    """Whether a running function is the engine's."""
    file = frame.f_code.co_filename
    own = _asking.get(file)
    if own is None:
        own = _asking[file] = file.startswith(_ENGINE) or file.endswith(_OF_PRODUCTS)
    return own


class CaptureError(TypeError):
    """What a function did cannot be recorded; the message says what to write."""


class PassingError(CaptureError):
    """What cannot be recorded now; another call can be."""


class Recorded(Examples):
    """An array that notes what is computed from it; it looks like the one that it holds."""

    __slots__ = ("recording", "value")
    many = False
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, held: Any, recording: Recording, value: Value) -> None:
        self.held, self.recording, self.value = held, recording, value

    @property
    def __class__(self) -> Any:
        """For ``isinstance`` outside of the engine, the type of what it stands for; in it, its own."""
        return Recorded if _is_engine(sys._getframe(1)) else self.value.kind

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError("recorded array: has the class that it has")

    def holding(self, array: Any) -> Recorded:
        """The same number, held with other notes about which of its zeros are zeros of selection."""
        return Recorded(array, self.recording, self.value)

    def __repr__(self) -> str:
        """As the array's for who asks outside of the engine, where the text may decide something."""
        return f"<recorded {self.held!r}>" if _is_engine(sys._getframe(1)) else repr(self._text())

    def __str__(self) -> str:
        return str(self.recording.decided(self, "item") if not self.shape else self._text())

    def _text(self) -> Any:
        """What is held, where it leaves as a text."""
        self.recording.decided(self, "bytes")
        return self.held

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
        if method == "__call__" and not kwargs and ufunc.nout == 1:
            made = _of_numbers(ufunc, inputs, sys._getframe(1))
            if made is not _NONE:
                return made
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
        if multiplies_sparse():
            return boxed(self)
        raise CaptureError(
            f"capture: a plain array was asked for (shape {self.shape}), by np.asarray, by an index into a plain "
            "array, by room[i] = x where room is a plain array, or by a library that is not NumPy; a program would not "
            "see what is done with it. Arguments are arrays already; write np.take(table, i, axis=0) for table[i], and "
            "make room with np.zeros_like(x, shape=...)"
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

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return other // self, other % self

    def __format__(self, spec: str) -> str:
        return format(self.recording.decided(self, "item") if not self.shape else self._text(), spec)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.recording.decided(self, "item"), digits)

    def tolist(self) -> Any:
        """The elements as Python numbers: they may decide what is done next."""
        return self.recording.decided(self, "tolist")

    def is_nan(self) -> bool:
        """False, and a check that no element is NaN, which the sum of the squares tells.

        With a NaN the engine computes a gradient another way, which a program does not know.
        """
        square: Any = self
        if type(self.held) not in NUMBERS:
            with self.recording.aside():
                square = np.vdot(self, self)
        if self.recording.decided(square, "NaN"):
            raise PassingError(
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

    def takes(self, values: Any) -> bool:
        """Whether it is one array that is written."""
        return not isinstance(values, Examples) or type(values) is Recorded

    def given_out(self) -> Any:
        """An array of no axes in the place of a number of NumPy's."""
        return self.recording.note(np.asarray, (self,)) if isinstance(self.held, np.generic) else self

    def as_array(self) -> Any:
        """An array for a variable: of a Python number, NumPy's."""
        return self.recording.note(np.float64, (self,)) if type(self.held) is float else self

    def as_number(self) -> Any:
        """A number of double precision as Python's, which does not widen single precision."""
        if type(self.held) is np.ndarray and not self.shape:
            return self[()].as_number()
        if type(self.held) is not np.float64:
            return self
        with self.recording.aside():
            return self.recording.note(_ITEM, (self,))


def _index(index: Any) -> Any:
    """An index whose slices have plain numbers as ends, as NumPy wants them, and whose positions are arrays."""
    if type(index) is Tensor:
        return index._value
    if type(index) is slice:
        return slice(*[e if e is None else operator.index(e) for e in (index.start, index.stop, index.step)])
    return tuple(map(_index, index)) if type(index) is tuple else index


def _one_axis(total: Any, index: Any, values: Any) -> tuple[Any, Any, Any]:
    """The arguments of ``ufunc.at``, with one axis each where the array has one: NumPy 2.4 reads beyond the values."""
    one = index[0] if type(index) is tuple and len(index) == 1 else index
    if len(total.shape) == 1 and hasattr(one, "ndim") and one.ndim > 1 and one.dtype.kind in "iu":
        return total, np.ravel(one), np.ravel(np.broadcast_to(values, one.shape))
    return total, index, values


_NONE = object()


def _of_numbers(function: Function, args: Any, frame: Any) -> Any:
    """The result of a function of plain numbers, noted; ``_NONE`` if an argument is none."""
    held, named = [], []
    recording: Any = None
    for x in args:
        if type(x) is Recorded:
            recording, number, name = x.recording, x.held, x.value
        else:
            number = name = x
        if type(number) not in NUMBERS:
            return _NONE
        held.append(number)
        named.append(name)
    return recording.number(function, held, tuple(named), frame)


def _binary(operation: Function) -> tuple[Function, Function]:
    """An operator and its reflection, noted as itself."""
    frame_of = sys._getframe

    def forward(self: Recorded, other: Any) -> Any:
        held = self.held
        if type(held) in NUMBERS:  # every number is a node: these are the calls that count
            if type(other) is Recorded:
                if type(other.held) in NUMBERS:
                    named = (self.value, other.value)
                    return self.recording.number(operation, (held, other.held), named, frame_of(1))
            elif type(other) in NUMBERS:
                return self.recording.number(operation, (held, other), (self.value, other), frame_of(1))
        if not isinstance(other, _ARGUMENT) and type(other) is not Recorded:
            return _with_sparse(operation, self, other)
        return self.recording.note(operation, (self, other))

    def reflected(self: Recorded, other: Any) -> Any:
        if type(other) in NUMBERS and type(self.held) in NUMBERS:
            return self.recording.number(operation, (other, self.held), (other, self.value), frame_of(1))
        if isinstance(other, _ARGUMENT):
            return self.recording.note(operation, (other, self))
        return _with_sparse(operation, other, self)

    return forward, reflected


def _with_sparse(operation: Function, a: Any, b: Any) -> Any:
    """The product with a sparse array; other libraries' arrays answer themselves."""
    if operation is operator.matmul and (is_sparse(a) or is_sparse(b)):
        return beside["matmul"](a, b)
    return NotImplemented


def _in_place(operation: Function, otherwise: Function) -> Function:
    """An operator that writes into its left side; a number does not change, and its name gets another one."""

    def written(self: Recorded, other: Any) -> Any:
        if not isinstance(self.held, np.ndarray):
            return otherwise(self, other)
        return self.recording.note(operation, (self, other), writes=(self,))

    return written


def _unary(operation: Function) -> Function:
    def noted(self: Recorded) -> Any:
        if type(self.held) in NUMBERS:
            return self.recording.number(operation, (self.held,), (self.value,), sys._getframe(1))
        return self.recording.note(operation, (self,))

    return noted


def _give_operators() -> None:
    """Give a recorded array the operators of an array."""
    for operation in OPERATORS:
        name = operation.__name__.strip("_")
        forward, reflected = _binary(operation)
        setattr(Recorded, f"__{name}__", forward)
        if hasattr(operator, f"i{name}"):
            setattr(Recorded, f"__r{name}__", reflected)
            setattr(Recorded, f"__i{name}__", _in_place(getattr(operator, f"i{name}"), forward))
    for operation in (operator.neg, operator.pos, operator.abs, operator.invert):
        setattr(Recorded, f"__{operation.__name__}__", _unary(operation))


_give_operators()
