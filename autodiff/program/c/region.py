"""A region at run time: one call of C in the place of many of NumPy's."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..instruction import Elsewhere, Guard, Instruction, PathError, Value
from ..passes.buffers import LARGE
from ..pool import Recycled
from .blas import blas
from .compiler import CompileError
from .elements import TYPES
from .nests import Kernel, Nest, Places
from .operations import Product
from .prelude import prelude
from .storage import ALIGNED, Storage, is_array
from .text import FunctionText

LONG = 50_000
"""Elements; a call that computes more of them lets other threads run."""
_ENTRY = """
/* Called by Python with a tuple of arrays and floats: where their contents are, by NumPy's and Python's ABI. */
#define ITEM(k) (((char **)((char *)given + {tuple}))[k])
#define ARRAY(type, k) (*(type **)(ITEM(k) + {data}))
#define NUMBER(k) (*(double *)(ITEM(k) + {float}))
#define FLAGS(k) (*(int *)(ITEM(k) + {flags}))

/* Whether one of the first arrays, which are written, shares bytes with another one. */
__attribute__((unused)) static int share(int written, int count, char *const *from, char *const *to)
{{
    int found = 0;
    for (int k = 0; k < written; k++)
        for (int n = 0; n < count; n++)
            found |= (n != k) & (from[k] < to[n]) & (from[n] < to[k]);
    return found;
}}
"""


@functools.cache
def offsets() -> dict[str, int]:
    """Where a tuple has its items, a float its number, and an array its data and its flags.

    Raises CompileError if this Python, or this NumPy, has them somewhere else.
    """
    try:
        head = object.__basicsize__
        found = {"tuple": tuple.__basicsize__, "data": head, "float": float.__basicsize__ - 8, "flags": head + 48}
        array, number = np.arange(3.0), 1.25
        array.flags.writeable = False
        pair = array, number
        items = (ctypes.c_void_p * 2).from_address(id(pair) + found["tuple"])
        right = (
            list(items) == [id(array), id(number)]
            and ctypes.c_void_p.from_address(id(array) + found["data"]).value == array.ctypes.data
            and ctypes.c_double.from_address(id(number) + found["float"]).value == number
            and ctypes.c_int.from_address(id(array) + found["flags"]).value == array.flags.num
        )
    except (AttributeError, ValueError):
        right = False
    if not right or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise CompileError("this Python keeps its objects otherwise in memory than C is told")
    return found


def head(text: str, *, entry: bool) -> str:
    """What stands before the functions of regions: what they call, and how Python calls them."""
    return prelude(text) + (_ENTRY.format(**offsets()) if entry else "")


class Region:
    """Calls that C makes at once: ``region(*operands)`` is the tuple of what others need of it."""

    never_shares = True

    def __init__(
        self, name: str, kernels: list[Kernel], places: Places, constants: dict[Value, Any], storage: Storage
    ) -> None:
        self.__name__ = name
        self.storage = storage
        self.calls = 0
        self.instructions: tuple[Instruction, ...] = ()
        """The calls that it makes, for a picture."""
        writer = FunctionText(name, kernels, places, constants, storage)
        self.text = "\n".join(writer.lines()) + "\n"
        self.guards: list[Guard] = [check.guard for check in writer.checks]
        self.constants = [constants[v] for v in writer.given]
        self.names = writer.named
        self.operands: list[Value] = [*storage.parameters]
        self.results: list[Value] = [*storage.results]
        self.entry = self._entry(writer.given)
        self.uses_blas = "gemm_f" in self.text
        self.work = sum(map(_work, kernels))
        self.run_in_c: Callable[..., Any] | None = None
        """What calls C, once it is compiled."""

    def __call__(self, *operands: Any) -> Any:
        assert self.run_in_c is not None
        return self.run_in_c(*operands)

    # -- what Python calls ---------------------------------------------------------------------------------------

    def _entry(self, given: Sequence[Value]) -> str:
        """The function that takes a tuple apart."""
        arguments, checks = [], []
        ranges: dict[bool, list[tuple[int, Value]]] = {True: [], False: []}
        values = [*self.operands, *given, *self.results]
        for k, value in enumerate(values):
            if not is_array(value) and value not in self.results:
                arguments.append(f"NUMBER({k})")
                continue
            arguments.append(f"ARRAY({TYPES[value.dtype]}, {k})")
            if value in self.operands:
                written = value in self.storage.written
                checks.append(f"(FLAGS({k}) & {0x500 if written else 0x100}) != {0x500 if written else 0x100}")
                ranges[written].append((k, value))
        test = [f"    if ({check}) return -1;" for check in checks]
        given_arrays = [*ranges[True], *ranges[False]]
        if ranges[True] and len(given_arrays) > 1:
            for name, end in (("from", 0), ("to", 1)):
                parts = ", ".join(f"ARRAY(char, {k}) + {_extent(value)[end]}" for k, value in given_arrays)
                test.append(f"    char *const {name}[] = {{{parts}}};")
            test.append(f"    if (share({len(ranges[True])}, {len(given_arrays)}, from, to)) return -1;")
        room = ["room"] * bool(self.storage.size)
        return "\n".join([
            f"int call_{self.__name__}(void *given{', char *room' * bool(room)}) {{", "    (void)given;", *test,
            f"    return {self.__name__}({', '.join([*arguments, *room])});", "}", "",
        ])  # fmt: skip

    def bind(self, library: ctypes.CDLL) -> None:
        """Make the call; a short one keeps Python's lock."""
        found = blas()
        if self.uses_blas and found is not None:
            library.use_blas(ctypes.c_void_p(found.single), ctypes.c_void_p(found.double))
        kind = ctypes.CFUNCTYPE if self.work > LONG else ctypes.PYFUNCTYPE
        address = ctypes.cast(getattr(library, f"call_{self.__name__}"), ctypes.c_void_p).value
        assert address is not None
        room = [ctypes.c_void_p] * bool(self.storage.size)
        self.run_in_c = self._called(kind(ctypes.c_int, ctypes.py_object, *room)(address))

    def _called(self, function: Any) -> Callable[..., Any]:
        """A function of Python that makes room and results, calls C, and says what went wrong."""
        names = [f"x{n}" for n in range(len(self.operands))]
        made = [f"y{n}" for n in range(len(self.results))]
        known: dict[str, Any] = {
            "function": function, "failed": self._failed, "room": _Rooms(self.storage.size), "empty": np.empty,
            "number": _number, **{f"c{n}": c for n, c in enumerate(self.constants)},
        }  # fmt: skip
        lines = [f"def call({', '.join(names)}):"]
        for value, name in zip(self.operands, names, strict=True):
            if not is_array(value) and value.kind is not float:
                lines.append(f"    {name} = number({name})")
        returned, given_away = [], []
        for n, value in enumerate(self.results):
            known[f"s{n}"], known[f"d{n}"] = value.shape, value.dtype
            order = _order(value)
            if order is None and value.nbytes >= LARGE:  # new memory is slow, page by page
                recycled = Recycled(functools.partial(np.empty, value.shape, value.dtype))
                known[f"take{n}"], known[f"give{n}"] = recycled.take, recycled.give
                lines.append(f"    y{n} = take{n}()")
                given_away.append(f"    give{n}(y{n})")
            else:
                known[f"make{n}"] = order
                lines.append(f"    y{n} = empty(s{n}, d{n})" if order is None else f"    y{n} = make{n}()")
            returned.append(_taken(f"y{n}", value))
        given = ", ".join([*names, *[f"c{n}" for n in range(len(self.constants))], *made])
        if self.storage.size:
            lines += ["    try:", "        r = room.pop()", "    except IndexError:", "        r = room.made()"]
        lines += [f"    code = function(({given}{',' * bool(given)}){', r[1]' if self.storage.size else ''})"]
        lines += ["    room.append(r)"] * bool(self.storage.size)
        lines += given_away
        lines += ["    if code: failed(code)", f"    return {', '.join(returned)}{',' * (len(returned) == 1)}"]
        exec(compile("\n".join(lines) + "\n", f"<region {self.__name__}>", "exec"), known)
        return known["call"]  # type: ignore[no-any-return]

    def _failed(self, code: int) -> None:
        if code < 0:
            raise Elsewhere
        guard = self.guards[code - 1]
        raise PathError(guard, not guard.expected)


def _work(kernel: Kernel) -> int:
    """About how many elements a kernel computes."""
    if isinstance(kernel, Nest):
        return len(kernel.steps) * math.prod(kernel.shape)
    return math.prod(kernel.left.shape) * kernel.right.shape[-1] // 16 if isinstance(kernel, Product) else 0


class _Rooms(list[Any]):
    """Room for intermediate arrays that no call is using now: the memory, and its address."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def made(self) -> tuple[Any, int]:
        """More of it."""
        memory = np.empty(self.size + ALIGNED, np.uint8)
        address = memory.ctypes.data
        return memory, address + (-address) % ALIGNED


def _number(value: Any) -> float:
    """A number as C is given it; a whole one that a double does not hold is computed with elsewhere."""
    if isinstance(value, int | np.integer) and not -(2**53) <= value <= 2**53:
        raise Elsewhere
    return float(value)


def _taken(name: str, value: Value) -> str:
    """A result as NumPy would have returned it."""
    if value.kind is np.ndarray:
        return name
    return f"{name}.item()" if value.kind in (int, float, bool) else f"{name}[()]"


def _order(value: Value) -> Callable[[], Any] | None:
    """How to make an array whose axes do not lie in C's order; None for one whose do."""
    if value.kind is not np.ndarray or value.strides == np.empty(value.shape, value.dtype).strides or not value.nbytes:
        return None
    order = sorted(range(len(value.shape)), key=lambda axis: -abs(value.strides[axis]))
    shape = [value.shape[axis] for axis in order]
    back = np.argsort(order)
    return lambda: np.empty(shape, value.dtype).transpose(back)


def _extent(value: Value) -> tuple[int, int]:
    """The bytes that an array covers, from where its data begins."""
    ends = [(length - 1) * stride for length, stride in zip(value.shape, value.strides, strict=True) if length]
    return sum(e for e in ends if e < 0), sum(e for e in ends if e > 0) + int(value.dtype.itemsize)
