"""A region as a function of C that one can read: loops, with the user's lines as comments."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from typing import Any

from ..instruction import Value
from ..naming import Names
from .elements import FLOATS, TYPES, cast, local_type, number
from .loops import NestText
from .nests import Kernel, Nest, Places
from .operations import Check, Each, Fold, Operation, Pick, Product
from .storage import Storage, is_array
from .views import Place
from .words import WORDS
from .writing import bracketed, cast_expression, is_counting, is_uniform

TABLE = 16
"""Constants of at most so many elements are written into the text."""


class FunctionText:
    """Writes one region."""

    def __init__(
        self, name: str, kernels: list[Kernel], places: Places, constants: dict[Value, Any], storage: Storage
    ) -> None:
        self.name, self.kernels, self.places, self.storage = name, kernels, places, storage
        self.constants = constants
        self.names = Names({*WORDS, name})
        self.named: dict[Value, str] = {}
        self._beside: dict[tuple[Value, str], str] = {}
        self.checks: list[Check] = []
        self.given = [v for v in constants if self._is_large(v)]
        self._line: Any = None

    def _is_large(self, value: Value) -> bool:
        array = self.constants[value]
        return not (array.size <= TABLE or is_uniform(array) or is_counting(array))

    # -- the whole -----------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The function."""
        storage = self.storage
        for value in [*storage.parameters, *self.given, *storage.results]:
            self.name_of(value)
        head = [self._parameter(v) for v in [*storage.parameters, *self.given]]
        head += [f"{TYPES[v.dtype]} *restrict {self.named[v]}" for v in storage.results]
        head += ["char *restrict room"] * bool(storage.size)
        body = list(self._body())
        tables = [self._table(v) for v in self.constants if v in self.named and v not in self.given]
        rooms = [
            f"{TYPES[v.dtype]} *restrict {self.name_of(v)} = ({TYPES[v.dtype]} *)(room + {offset});"
            for v, offset in [*storage.kept.items(), *storage.rows.items()]
        ]
        picks = any(isinstance(step, Pick) for k in self.kernels if isinstance(k, Nest) for step, _ in k.steps)
        tables = [*tables, *["int outside = 0;"] * picks]
        signature = f"int {self.name}({', '.join(head) or 'void'})"
        return [*_wrapped(signature), "{", *[f"    {line}" for line in [*tables, *rooms, *body, "return 0;"]], "}"]

    def _parameter(self, value: Value) -> str:
        if not is_array(value):
            return f"double {self.named[value]}"
        const = "" if value in self.storage.written else "const "
        return f"{const}{TYPES[value.dtype]} *restrict {self.named[value]}"

    def _table(self, value: Value) -> str:
        array = self.constants[value]
        numbers = ", ".join(number(x, value.dtype) for x in self._in_memory(value).tolist())
        return f"static const {TYPES[value.dtype]} {self.named[value]}[{max(array.size, 1)}] = {{{numbers}}};"

    def _in_memory(self, value: Value) -> Any:
        """The elements of a constant in the order in which they lie."""
        array = self.constants[value]
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        return array.transpose(order).ravel()

    def _body(self) -> Iterator[str]:
        for kernel in self.kernels:
            yield from self._comment(kernel)
            if isinstance(kernel, Check):
                self.checks.append(kernel)
                bad = kernel.bad.format(self._local(kernel.operand))
                yield f"if ({bad}) return {len(self.checks)};"
            elif isinstance(kernel, Product):
                yield self._product(kernel)
            elif kernel.shape == ():
                for step, _ in kernel.steps:
                    yield from self._single(step)
            else:
                yield from NestText(self, kernel).lines()

    def _comment(self, kernel: Kernel) -> Iterator[str]:
        steps = [s for s, _ in kernel.steps] if isinstance(kernel, Nest) else [kernel]
        for step in steps:
            instruction = step.instruction
            if instruction is None or instruction.line is None or instruction.line == self._line:
                continue
            self._line = instruction.line
            said = linecache.getline(self._line.file, self._line.number).strip().replace("*/", "* /")
            if said:
                yield f"/* {said.encode('ascii', 'replace').decode()} */"

    # -- names and elements --------------------------------------------------------------------------------------

    def name_of(self, value: Value) -> str:
        """The name of a value; it gets one when it is first asked for."""
        if value not in self.named:
            self.named[value] = self.names.fresh(value.name or "t")
        return self.named[value]

    def beside(self, value: Value, word: str) -> str:
        """The name of a variable that helps to make a value."""
        if (value, word) not in self._beside:
            self._beside[value, word] = self.names.fresh(f"{self.name_of(value)}_{word}")
        return self._beside[value, word]

    def is_local(self, base: Value) -> bool:
        """Whether a value is in a variable."""
        storage = self.storage
        in_memory = base in storage.kept or base in storage.rows or base in self.constants
        return not in_memory and base not in storage.results and not (base in storage.parameters and is_array(base))

    def in_memory(self, value: Value) -> bool:
        """Whether a value that is made here has memory, too."""
        return value in self.storage.kept or value in self.storage.results

    def literal(self, base: Value, dtype: Any) -> str | None:
        """A constant that is the same everywhere, as a number."""
        array = self.constants.get(base)
        if array is None or not is_uniform(array):
            return None
        return bracketed(cast(number(array.flat[0].item(), base.dtype), base.dtype, dtype))

    def _local(self, operand: Value) -> str:
        """A value without axes."""
        base = self.places[operand].base
        found = self.literal(base, base.dtype)
        if found is not None:
            return found
        if base.shape == () and (self.is_local(base) or base in self.storage.results):
            return self.name_of(base) + ("_" if base in self.storage.results else "")
        return f"{self.name_of(base)}[{self.places[operand].offset}]"

    def typed(self, operand: Any, text: str, want: Any) -> str:
        """An operand as one of the loop's dtype."""
        value = self.places[operand].base if type(operand) is Value else None
        have = operand.dtype if value is None or is_array(value) or value not in self.storage.parameters else FLOATS[1]
        return cast(text, have, want)

    def expression(self, step: Each, texts: list[str]) -> str:
        """What an operation computes of its operands, as the dtype of its result."""
        return cast_expression(step.text.format(*texts), step.made, step.result.dtype)

    def _single(self, step: Operation) -> Iterator[str]:
        """An operation without loops."""
        assert isinstance(step, Each | Fold)
        result = step.result
        if isinstance(step, Fold):
            texts = [self.typed(o, self._local(o), step.loop) for o in step.operands]
            text = " * ".join(texts)
            if step.how in ("any", "all", "nan"):
                text = f"{text} != {text if step.how == 'nan' else 0}"
        else:
            texts = [
                bracketed(number(o, loop)) if type(o) is not Value else self.typed(o, self._local(o), loop)
                for o, loop in zip(step.operands, step.loops, strict=True)
            ]
            text = self.expression(step, texts)
        base = self.places[result].base
        if base in self.storage.written:
            yield f"{self.name_of(base)}[{self.places[result].offset}] = {text};"
            return
        final = self.in_memory(base)
        name = self.name_of(base) + "_" * final
        yield f"const {local_type(result.dtype)} {name} = {text};"
        if final:
            yield f"{self.name_of(base)}[0] = {name};"

    def _product(self, step: Product) -> str:
        (m, k), (_, n) = _matrix(step.left.shape, left=True), _matrix(step.right.shape, left=False)
        a, b, c = (self.places[v] for v in (step.left, step.right, step.result))
        steps_a = (0, *a.strides) if len(step.left.shape) == 1 else a.strides
        steps_b = (*b.strides, 0) if len(step.right.shape) == 1 else b.strides
        steps_c = _result_strides(step, c)
        t = "f32" if step.result.dtype == FLOATS[0] else "f64"
        name = "matmul" if m * n * k <= self.storage.limit else "gemm"
        pointers = [self._pointer(p) for p in (a, b, c)]
        sizes = ", ".join(map(str, (m, n, k)))
        x, y, z = (f"{p}, {s[0]}, {s[1]}" for p, s in zip(pointers, (steps_a, steps_b, steps_c), strict=True))
        return f"{name}_{t}({sizes}, {x}, {y}, {z});"

    def _pointer(self, place: Place) -> str:
        name = self.name_of(place.base)
        return f"{name} + {place.offset}" if place.offset else name


def _matrix(shape: tuple[int, ...], *, left: bool) -> tuple[int, ...]:
    if len(shape) == 2:
        return shape
    return (1, *shape) if left else (*shape, 1)


def _result_strides(step: Product, place: Place) -> tuple[int, int]:
    """Of the rows and the columns of a product, one of which a vector lacks."""
    if len(step.left.shape) == 1:
        return 0, place.strides[0]
    return (place.strides[0], 0) if len(step.right.shape) == 1 else place.strides  # type: ignore[return-value]


def _wrapped(signature: str) -> list[str]:
    """A signature on lines that are not too long."""
    if len(signature) <= 110:
        return [signature]
    head, _, rest = signature.partition("(")
    lines, line = [f"{head}("], "   "
    for part in rest[:-1].split(", "):
        if len(line) + len(part) > 108:
            lines.append(line)
            line = "   "
        line += f" {part},"
    return [*lines, f"{line[:-1]})"]
