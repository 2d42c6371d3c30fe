"""A program as the text of a NumPy function: it runs without this library, and gives the same bits."""

from __future__ import annotations

import base64
import functools
import linecache
import operator
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from .instruction import OPERATORS, Attribute, Guard, Instruction, Method, Value, mapped
from .naming import Names

if TYPE_CHECKING:
    from .program import Program

LITERAL = 16
"""Constants of at most so many elements are written as numbers."""

_INPLACE = {
    operator.iadd: "+=", operator.isub: "-=", operator.imul: "*=", operator.itruediv: "/=", operator.ifloordiv: "//=",
    operator.imod: "%=", operator.ipow: "**=", operator.imatmul: "@=", operator.iand: "&=", operator.ior: "|=",
    operator.ixor: "^=", operator.ilshift: "<<=", operator.irshift: ">>=",
}  # fmt: skip
PREFIX = {operator.neg: "-", operator.pos: "+", operator.invert: "~"}
RESERVED = {"np", "base64", "scipy", "float", "bool", "int", "abs", "slice", "complex"}
"""Names that a text uses itself."""


_AS_OPERATORS: dict[Any, Any] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.matmul: operator.matmul, np.negative: operator.neg, np.greater: operator.gt, np.less: operator.lt,
    np.greater_equal: operator.ge, np.less_equal: operator.le, np.equal: operator.eq, np.not_equal: operator.ne,
}  # fmt: skip
"""Ufuncs that an operator of arrays calls; ``np.power`` is none: ``x ** 2`` is ``np.square``."""

_DEFAULTS = {"axis": None, "dtype": None, "keepdims": False}
"""What a reduction does if it is told nothing."""

_REDUCTIONS = frozenset({np.sum, np.mean, np.max, np.min, np.prod, np.any, np.all, np.std, np.var})


def tidied(instruction: Instruction) -> Instruction:
    """The same call as one writes it by hand."""
    function, args, kwargs = instruction.function, instruction.args, instruction.kwargs
    if function in _AS_OPERATORS and not kwargs and any(type(a) is Value and a.kind is np.ndarray for a in args):
        return replace(instruction, function=_AS_OPERATORS[function])
    if function in _REDUCTIONS:
        return replace(
            instruction, kwargs={k: v for k, v in kwargs.items() if k not in _DEFAULTS or v is not _DEFAULTS[k]}
        )
    if function is np.swapaxes and len(args) == 3 and type(args[0]) is Value and len(args[0].shape) == 2:
        return replace(instruction, function=Attribute("T"), args=args[:1])
    return instruction


class Text:
    """A text that stands for itself where a literal is written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


@functools.cache
def _names_in_numpy() -> dict[int, str]:
    """NumPy's functions by identity; the shortest name of each."""
    found: dict[int, str] = {}
    for module, prefix in (
        (np.linalg, "np.linalg."),
        (np.fft, "np.fft."),
        (np.lib.scimath, "np.lib.scimath."),
        (np, "np."),
    ):
        for name in dir(module):
            member = getattr(module, name, None) if not name.startswith("_") else None
            if callable(member):
                found[id(member)] = (
                    prefix + getattr(member, "__name__", name)
                    if getattr(module, getattr(member, "__name__", name), None) is member
                    else prefix + name
                )
    return found


def name_of(function: Any) -> str:
    """How one writes a function of NumPy's, or of SciPy's."""
    known = _names_in_numpy().get(id(function))
    if known is not None:
        return known
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{name_of(owner)}.{function.__name__}"
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", getattr(function, "__name__", ""))
    if module is None:  # a ufunc does not know its module
        spaces = ("scipy.special", "scipy.special._ufuncs")  # zeta is _zeta in Python's clothes
        module = next((space for space in spaces if getattr(sys.modules.get(space), name, None) is function), None)
    if not module or not name.isidentifier():
        raise ValueError(f"source: {function!r} is no function that a text can name")
    return f"{module}.{name}"


def module_of(function: Any) -> str:
    """The module that a text must import to name a function; empty for NumPy's and for operators."""
    if isinstance(function, Method | Guard) or function in OPERATORS or function in _INPLACE or function in PREFIX:
        return ""
    if function in (operator.abs, operator.getitem, operator.setitem):
        return ""
    name = name_of(function)
    return "" if name.startswith("np.") else name.rpartition(".")[0]


def literal(value: Any) -> str:
    """A constant as one writes it, to the last bit."""
    kind = type(value)
    if kind is Text:
        return str(value.text)
    if kind is slice:
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if kind is list:
        return f"[{', '.join(map(literal, value))}]"
    if kind is dict:
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if kind is float:
        return repr(value) if np.isfinite(value) else "np.nan" if value != value else f"{'-' * (value < 0)}np.inf"
    if kind is complex:
        return f"complex({literal(value.real)}, {literal(value.imag)})"
    if isinstance(value, np.generic):
        return f"np.{value.dtype.name}({literal(value.item())})" if value.dtype.name != "bool" else f"np.bool_({value})"
    if isinstance(value, np.dtype):
        return f"np.dtype({value.str!r})" if value.names or not value.isnative else f"np.dtype({value.name!r})"
    if isinstance(value, type):
        return f"np.{value.__name__}" if issubclass(value, np.generic) else value.__name__
    if value is Ellipsis:
        return "..."
    if value is np._NoValue:
        return "np._NoValue"
    if callable(value):
        return name_of(value)
    return repr(value)


def array_text(array: np.ndarray[Any, Any]) -> str:
    """An array as an expression: its numbers if they are few, its bytes if they are many."""
    if array.ndim == 1 and array.dtype == np.intp and array.size > 2 and np.array_equal(array, np.arange(array.size)):
        return f"np.arange({array.size})"
    name = array.dtype.name
    if array.dtype.kind in "fiu" and array.size > 1 and array.tobytes() == array.ravel()[:1].tobytes() * array.size:
        return f"np.full({array.shape}, {literal(array.flat[0].item())}, dtype=np.{name})"
    if 0 < array.size <= LITERAL and array.dtype.kind in "fiub" and array.dtype.isnative:
        return f"np.array({literal(array.tolist())}{'' if array.dtype.kind == 'b' else f', dtype=np.{name}'})"
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return f'np.frombuffer(base64.b64decode("{data}"), {array.dtype.str!r}).reshape({array.shape})'


def _index(index: Any) -> str:
    """What stands between brackets."""
    if type(index) is tuple and index:
        return ", ".join(map(_index, index)) + "," * (len(index) == 1)
    if type(index) is slice:
        ends = ["" if e is None else literal(e) for e in (index.start, index.stop)]
        return ":".join(ends) + (f":{literal(index.step)}" if index.step is not None else "")
    return literal(index)


def _operand(argument: Any) -> str:
    """An argument of an operator: a negative number is in parentheses."""
    text = literal(argument)
    return f"({text})" if text.startswith("-") else text


def expression(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """A call as one writes it."""
    if function in OPERATORS:
        return f"{_operand(args[0])} {OPERATORS[function]} {_operand(args[1])}"
    if function in PREFIX:
        return f"{PREFIX[function]}{_operand(args[0])}"
    if function is operator.abs:
        return f"abs({literal(args[0])})"
    if function is operator.getitem:
        return f"{literal(args[0])}[{_index(args[1])}]"
    if type(function) is Attribute:
        return f"{literal(args[0])}.{function.__name__}"
    given = [literal(a) for a in args]
    for name, value in kwargs.items():
        one = name == "out" and type(value) is tuple and len(value) == 1
        given.append(f"{name}={literal(value[0] if one else value)}")
    if type(function) is Method:
        return f"{given[0]}.{function.__name__}({', '.join(given[1:])})"
    return f"{name_of(function)}({', '.join(given)})"


class Writer:
    """Writes instructions as statements; every value has a name of its own."""

    def __init__(self, named: dict[Value, str], names: Names) -> None:
        self.named, self.names = named, names

    def text(self, value: Value) -> Text:
        """The name of a value that is there already."""
        return Text(self.named[value])

    def target(self, value: Value) -> Text:
        """The name of a value that is being made."""
        name = self.named[value] = self.names.fresh(value.name or "t")
        return Text(name)

    def statement(self, instruction: Instruction) -> str:
        """One instruction."""
        instruction = tidied(instruction)
        function = instruction.function
        args = mapped(self.text, instruction.args)
        kwargs = mapped(self.text, instruction.kwargs)
        if isinstance(function, Guard):
            return f"assert {guard_text(function, literal(args[0]))}"
        if function is operator.setitem:
            return f"{literal(args[0])}[{_index(args[1])}] = {literal(args[2])}"
        if function in _INPLACE:
            return f"{literal(args[0])} {_INPLACE[function]} {literal(args[1])}"
        text = expression(function, args, kwargs)
        made = mapped(self.target, instruction.result)
        if instruction.result is None:
            return text
        return f"{made.text if type(made) is Text else targets(made)} = {text}"


def targets(made: Any) -> str:
    """Several results as what is assigned to."""
    parts = [part.text if type(part) is Text else "_" if part is None else targets(part) for part in made]
    return f"{', '.join(parts)}{',' * (len(parts) == 1)}" if len(parts) else "_"


def guard_text(guard: Guard, name: str) -> str:
    """A guard as a condition."""
    if guard.read == "NaN":
        return f"{name} {'!=' if guard.expected else '=='} {name}"
    if guard.read == "bool":
        return f"bool({name})" if guard.expected else f"not bool({name})"
    if guard.read == "bytes":
        return f"{name}.tobytes() == {guard.expected[0]!r}"
    if guard.read == "form":
        shape, dtype = guard.expected
        return f"{name}.shape == {literal(shape)} and {name}.dtype.str == {dtype!r}"
    read = {"item": f"{name}.item()", "tolist": f"{name}.tolist()", "value": name}.get(
        guard.read, f"{guard.read}({name})"
    )
    return f"{read} == {literal(guard.expected)}"


def body(instructions: list[Instruction], writer: Writer, *, comments: bool = True) -> Iterator[str]:
    """The statements, in sections, under a comment with the user's line where that changes."""
    line = None
    for phase, section in groupby(instructions, key=lambda i: i.phase):
        if comments:
            yield f"# -- {phase} --"
        for errors, block in groupby(section, key=lambda i: i.errors):
            indent = ""
            if errors:
                yield f"with np.errstate({errors}):"
                indent = "    "
            for instruction in block:
                if comments and instruction.line != line and instruction.line is not None:
                    line = instruction.line
                    said = linecache.getline(line.file, line.number).strip()
                    if said and phase == "forward":
                        yield f"{indent}# {said}"
                yield indent + writer.statement(instruction)


def text_of(program: Program) -> str:
    """A program as the text of a module with one function in it."""
    names = Names(RESERVED | {program.name})
    writer = Writer({}, names)
    for value in program.inputs:
        writer.target(value)
    parameters = [mapped(writer.text, argument) for argument in program.arguments]
    head = [p.text if type(p) is Text else names.fresh(f"a{i}") for i, p in enumerate(parameters)]
    state = [writer.target(slot.value).text for slot in program.reads]
    constants = [f"{writer.target(value).text} = {array_text(array)}" for value, array in program.constants.items()]
    statements = [line for name, p in zip(head, parameters, strict=True) for line in _unpacked(name, p)]
    statements += [*constants, *body(list(program.instructions), writer)]
    result = literal(program.nested([writer.text(o) if type(o) is Value else o for o in program.outputs]))
    left = [
        f"{slot.places[0].path!r}: {literal(writer.text(slot.value) if type(slot.value) is Value else slot.value)}"
        for slot in program.writes
    ]
    statements.append(f"return {result}, {{{', '.join(left)}}}" if left else f"return {result}")
    modules = sorted({"numpy as np", *filter(None, (module_of(i.function) for i in program.instructions))})
    lines = [
        *["import base64"] * any("base64." in line for line in constants),
        *[""] * any("base64." in line for line in constants),
        *[f"import {module}" for module in modules],
        "",
        "",
        f"def {program.name}({', '.join([*head, *['*'] * bool(state), *state])}):",
        *[f"    {line}" for line in statements],
    ]
    return "\n".join(lines) + "\n"


def _unpacked(name: str, parameter: Any) -> list[str]:
    """The statements that take an argument apart."""
    if type(parameter) is Text:
        return []
    if isinstance(parameter, dict):
        return [line for key, part in parameter.items() for line in _assigned(f"{name}[{key!r}]", part)]
    if isinstance(parameter, list | tuple):
        fields = getattr(parameter, "_fields", None)
        places = [f"{name}.{fields[i]}" if fields else f"{name}[{i}]" for i in range(len(parameter))]
        return [line for place, part in zip(places, parameter, strict=True) for line in _assigned(place, part)]
    return []


def _assigned(place: str, part: Any) -> list[str]:
    return [f"{part.text} = {place}"] if type(part) is Text else _unpacked(place, part)
