"""What a program is made of: values that have names, and calls of NumPy's functions that make them.

An instruction is one call.  Its arguments are values, constants, and tuples, lists, dictionaries and slices of these;
its result is a value, or a tuple of them.  A program has no control flow: what a function decided when it was recorded
is decided (see :class:`Guard`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Function = Callable[..., Any]


class Value:
    """One value of a program: its shape, its dtype, and the name that the user gave it, if any.

    ``kind`` is the type of what is there when the program runs: ``np.ndarray``, a NumPy scalar's, or ``float``;
    ``strides`` say how an array lay in memory, which the last bits of a product depend on.
    """

    __slots__ = ("dtype", "kind", "name", "shape", "strides")

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, kind: type, name: str = "", strides: tuple[int, ...] = ()
    ) -> None:
        self.shape: tuple[int, ...] = shape
        self.dtype: Any = dtype
        self.kind: type = kind
        self.name: str = name
        self.strides: tuple[int, ...] = strides

    @classmethod
    def like(cls, array: Any, name: str = "") -> Value:
        """The value that an array, or a number, is an instance of."""
        kind = type(array)
        if isinstance(array, np.ndarray):
            return cls(array.shape, array.dtype, np.ndarray, name, array.strides)
        if isinstance(array, np.generic):
            return cls((), array.dtype, kind, name)
        return cls((), np.dtype(kind), kind, name)

    @property
    def form(self) -> tuple[Any, ...]:
        """What must be the same for a program to run on another one."""
        return self.shape, self.dtype, self.kind

    @property
    def in_order(self) -> bool:
        """Whether the elements lie one after the other, in C's order."""
        shape, size = self.shape, self.dtype.itemsize
        return not self.nbytes or self.strides == tuple(size * math.prod(shape[n:]) for n in range(1, len(shape) + 1))

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return int(self.dtype.itemsize) * math.prod(self.shape)

    def __repr__(self) -> str:
        return f"<{self.name or 'value'} {self.dtype}{list(self.shape)}>"


_KINDS: tuple[Any, ...] = (float, complex, bool, int, *(np.dtype(code).type for code in "?bhilqBHILQefdgFDG"))
NUMBERS: dict[type, Any] = {kind: np.dtype(kind) for kind in _KINDS}
"""The types of numbers, and their dtypes."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the user's program."""

    file: str
    number: int


OPERATORS: dict[Any, str] = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.floordiv: "//",
    operator.mod: "%", operator.pow: "**", operator.matmul: "@", operator.and_: "&", operator.or_: "|",
    operator.xor: "^", operator.lshift: "<<", operator.rshift: ">>", operator.eq: "==", operator.ne: "!=",
    operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=",
}  # fmt: skip
"""What stands between two operands."""

NOTHING: dict[str, Any] = {}
"""The keywords of a call that has none, of all such calls."""
FORWARD, BACKWARD, UPDATE = "forward", "backward", "update"


@dataclass(slots=True, eq=False)
class Instruction:
    """``result = function(*args, **kwargs)``, which writes into the values ``writes``.

    ``line`` is the user's line that asked for it, ``phase`` the section of the program, and ``errors`` are the
    arguments of the ``np.errstate`` around it inside of the function; none, if there was none.  Nobody changes one:
    it is not declared frozen because that makes it three times as slow to make, and a program may have a million.
    """

    function: Function
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    result: Any = None
    writes: tuple[Value, ...] = ()
    line: Line | None = None
    phase: str = FORWARD
    errors: str = ""

    @property
    def operands(self) -> Sequence[Value]:
        """The values among the arguments, in their order; one that is there twice comes twice."""
        found: list[Value] = []
        for part in self.args:
            _collect(part, found)
        for part in self.kwargs.values():
            _collect(part, found)
        return found

    @property
    def results(self) -> Sequence[Value]:
        """The values that it makes."""
        result = self.result
        return (result,) if type(result) is Value else values_in(result)

    def map(self, change: Callable[[Value], Any]) -> Instruction:
        """The same call of other operands."""
        kwargs = self.kwargs
        return Instruction(
            self.function,
            tuple([change(part) if type(part) is Value else mapped(change, part) for part in self.args]),
            {name: mapped(change, value) for name, value in kwargs.items()} if kwargs else kwargs,
            self.result,
            tuple([change(value) for value in self.writes]) if self.writes else (),
            self.line,
            self.phase,
            self.errors,
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """A check that a value is what it was when it decided something: ``read(value) == expected``."""

    read: str
    expected: Any
    line: Line | None

    __name__ = "guard"

    def __hash__(self) -> int:
        return hash((self.read, repr(self.expected)))  # which may be a list

    def described(self) -> str:
        """What is checked, in words."""
        where = "" if self.line is None else f" at {self.line.file}:{self.line.number}"
        return f"{self.read}{where} is {self.expected!r:.60}"

    def __call__(self, value: Any) -> None:
        found = READ[self.read](value)
        if not same(found, self.expected):
            raise PathError(self, found)


READ: dict[str, Function] = {
    "bool": bool,
    "float": float,
    "int": int,
    "complex": complex,
    "item": lambda value: value.item() if isinstance(value, np.ndarray | np.generic) else value,
    "tolist": lambda value: value.tolist(),
    "value": lambda value: value,
    "bytes": lambda value: (value.tobytes(), *READ["form"](value)),
    "form": lambda value: (tuple(np.shape(value)), np.dtype(getattr(value, "dtype", type(value))).str),
    "NaN": lambda value: bool(value != value),
}
"""In how many ways a value reaches Python."""


def same(one: Any, other: Any) -> bool:
    """Whether two numbers, or nested lists of them, are the same; NaN is NaN, and 0.0 is not -0.0."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is not type(other):
        return False
    return bool((one == other and (one != 0 or repr(one) == repr(other))) or (one != one and other != other))


class Empty:
    """What is in a place that is not there, or is None: a key that a dictionary lacks, a variable's gradient."""

    def __repr__(self) -> str:
        return "nothing"


EMPTY = Empty()


class Elsewhere(Exception):  # noqa: N818 - nothing is wrong
    """What is given does not lie in memory as C needs it; nothing has been written, and NumPy shall do it."""


class PathError(RuntimeError):
    """A value decided something when the program was recorded, and now it is another one."""

    def __init__(self, guard: Guard, found: Any) -> None:
        self.guard: Guard = guard
        self.found: Any = found
        if guard.expected is EMPTY:
            super().__init__(
                f"program: {guard.read} was not there when the program was recorded, and is there now, so the function "
                f"may go on from it; call the function once before it is captured, or set {guard.read} to None before "
                "it is looked at"
            )
            return
        where = "" if guard.line is None else f" at {guard.line.file}:{guard.line.number}"
        super().__init__(
            f"program: {guard.read}{where} gave {guard.expected!r:.60} when it was recorded, and gives {found!r:.60} "
            "now, so the function may take another way; capture it again with these arguments, or decide with "
            "np.where, np.maximum and the like, which a program holds"
        )


def values_in(structure: Any) -> list[Value]:
    """The values in a structure, in order."""
    found: list[Value] = []
    _collect(structure, found)
    return found


def _collect(structure: Any, found: list[Value]) -> None:
    """Append the values in a structure.  A program of a million calls is gone through a dozen times."""
    kind = type(structure)
    if kind is Value:
        found.append(structure)
    elif kind in _ATOMS:
        return
    elif kind is slice:
        for part in (structure.start, structure.stop, structure.step):
            _collect(part, found)
    elif isinstance(structure, tuple | list):
        for part in structure:
            _collect(part, found)
    elif kind is dict:
        for part in structure.values():
            _collect(part, found)


_ATOMS = frozenset({int, float, bool, str, type(None)})
"""What is nearly always in a structure, and has no parts."""


def mapped(change: Callable[[Any], Any], structure: Any, kind: type = Value) -> Any:
    """The structure with ``change(value)`` in the place of each of its values; itself if it has none."""
    if type(structure) is kind:
        return change(structure)
    if type(structure) in _ATOMS:
        return structure
    if isinstance(structure, tuple | list):
        if type(structure) not in (tuple, list) and not hasattr(structure, "_fields"):
            return structure  # another library's sequence
        parts = [mapped(change, part, kind) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    if type(structure) is dict:
        return {key: mapped(change, part, kind) for key, part in structure.items()}
    if type(structure) is slice:
        ends = (structure.start, structure.stop, structure.step)
        return slice(*[mapped(change, end, kind) for end in ends])
    return structure


class Method:
    """A method of an array, as a function: ``Method("sum")(a, axis=0)`` is ``a.sum(axis=0)``."""

    __slots__ = ("__name__",)

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, array: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(array, self.__name__)(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return type(other) is Method and other.__name__ == self.__name__

    def __hash__(self) -> int:
        return hash((Method, self.__name__))

    def __repr__(self) -> str:
        return f"ndarray.{self.__name__}"


class Attribute(Method):
    """An attribute of an array that is an array: ``Attribute("T")(a)`` is ``a.T``."""

    __slots__ = ()

    def __call__(self, array: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(array, self.__name__)

    def __eq__(self, other: object) -> bool:
        return type(other) is Attribute and other.__name__ == self.__name__

    def __hash__(self) -> int:
        return hash((Attribute, self.__name__))
