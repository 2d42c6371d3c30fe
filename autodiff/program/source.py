"""Calls, constants and guards as Python's text."""

from __future__ import annotations

import dataclasses
import functools
import operator
import sys
from typing import Any

import numpy as np

from .instruction import OPERATORS, Attribute, Guard, Method, Value
from .naming import Names

AUGMENTED = {
    operator.iadd: "+=", operator.isub: "-=", operator.imul: "*=", operator.itruediv: "/=", operator.ifloordiv: "//=",
    operator.imod: "%=", operator.ipow: "**=", operator.imatmul: "@=", operator.iand: "&=", operator.ior: "|=",
    operator.ixor: "^=", operator.ilshift: "<<=", operator.irshift: ">>=",
}  # fmt: skip
PREFIX = {operator.neg: "-", operator.pos: "+", operator.invert: "~"}
RESERVED = {"np", "base64", "scipy", "float", "bool", "int", "abs", "slice", "complex", "SimpleNamespace"}
"""Names that a text uses itself."""


_WRITTEN = (int, str, bytes, type(None), range, set, frozenset)
"""What is in a text as Python shows it."""
ATOM, POWER, UNARY, PRODUCT, SUM, SHIFT, AND, XOR, OR, COMPARISON = range(10, 0, -1)
"""How tightly an expression holds together: in a tighter one it is in parentheses."""
_LEVELS = {
    "**": POWER, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "+": SUM, "-": SUM,
    "<<": SHIFT, ">>": SHIFT, "&": AND, "^": XOR, "|": OR,
}  # fmt: skip


class Text:
    """A text that stands for itself where a literal is written, and how tightly it holds together."""

    __slots__ = ("level", "text")

    def __init__(self, text: str, level: int = ATOM) -> None:
        self.text, self.level = text, level

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
        (np.lib.stride_tricks, "np.lib.stride_tricks."),
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
    public = module.partition("._")[0] if module else ""  # scipy.linalg for scipy.linalg._basic
    if public != module and getattr(sys.modules.get(public), name, None) is function:
        module = public
    if not module or not name.isidentifier():
        raise ValueError(
            f"source: {function!r} is no function of a module, so no text can name it; write what it does with NumPy's"
        )
    return f"{module}.{name}"


def module_of(function: Any) -> str:
    """The module that a text must import to name a function; empty for NumPy's and for operators."""
    if isinstance(function, Method | Guard) or function in OPERATORS or function in AUGMENTED or function in PREFIX:
        return ""
    if function in (operator.abs, operator.getitem, operator.setitem):
        return ""
    if hasattr(function, "spelled"):
        return str(function.spelled[0])
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
        if value.isnative and value.kind in "fciu" and value.type is getattr(np, value.name, None):
            return f"np.{value.name}"
        return f"np.dtype({value.str!r})" if value.names or not value.isnative else f"np.dtype({value.name!r})"
    if isinstance(value, type):
        return f"np.{value.__name__}" if issubclass(value, np.generic) else value.__name__
    if value is Ellipsis:
        return "..."
    if value is np._NoValue:
        return "np._NoValue"
    if dataclasses.is_dataclass(value):  # whose class may be anywhere
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return f"SimpleNamespace({', '.join(f'{name}={literal(part)}' for name, part in fields.items())})"
    if callable(value):
        return name_of(value)
    if isinstance(value, _WRITTEN):
        return repr(value)
    raise ValueError(
        f"source: a {kind.__name__} is nothing that a text can make; return arrays and numbers, in tuples, lists and "
        "dictionaries"
    )


def _index(index: Any) -> str:
    """What stands between brackets."""
    if type(index) is tuple and index:
        return ", ".join(map(_index, index)) + "," * (len(index) == 1)
    if type(index) is slice:
        ends = ["" if e is None else literal(e) for e in (index.start, index.stop)]
        return ":".join(ends) + (f":{literal(index.step)}" if index.step is not None else "")
    return literal(index)


def _operand(argument: Any, least: int) -> str:
    """An operand, in parentheses if it does not hold together as tightly as it must."""
    text = literal(argument)
    level = argument.level if type(argument) is Text else UNARY if text.startswith("-") else ATOM
    return text if level >= least else f"({text})"


def _owner(argument: Any) -> str:
    """What a method, an attribute or an index is of."""
    return _operand(argument, ATOM)


def expression(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Text:
    """A call as one writes it."""
    if function in OPERATORS:
        sign = OPERATORS[function]
        level = _LEVELS.get(sign, COMPARISON)
        left, right = (level + 1, UNARY) if level == POWER else (level + (level == COMPARISON), level + 1)
        negative = sign != "**" and literal(args[1]).startswith("-")
        return Text(f"{_operand(args[0], left)} {sign} {_operand(args[1], ATOM if negative else right)}", level)
    if function in PREFIX:
        return Text(f"{PREFIX[function]}{_operand(args[0], POWER)}", UNARY)
    if function is operator.abs:
        return Text(f"abs({literal(args[0])})")
    if function is operator.getitem:
        return Text(f"{_owner(args[0])}[{_index(args[1])}]")
    if type(function) is Attribute:
        return Text(f"{_owner(args[0])}.{function.__name__}")
    given = [literal(a) for a in args]
    for name, value in kwargs.items():
        one = name == "out" and type(value) is tuple and len(value) == 1
        given.append(f"{name}={literal(value[0] if one else value)}")
    if hasattr(function, "spelled"):  # what is no function of its library's, but an expression
        return Text(function.spelled[1](*given))
    if type(function) is Method:
        return Text(f"{_owner(args[0])}.{function.__name__}({', '.join(given[1:])})")
    return Text(f"{name_of(function)}({', '.join(given)})")


class Writer:
    """Gives every value a name of its own."""

    def __init__(self, named: dict[Value, str], names: Names) -> None:
        self.named, self.names = named, names

    def text(self, value: Value) -> Text:
        """The name of a value that is there already."""
        return Text(self.named[value])

    def target(self, value: Value, wanted: str = "") -> Text:
        """The name of a value that is being made."""
        name = self.named[value] = self.names.fresh(wanted or value.name or "t")
        return Text(name)


def targets(made: Any) -> str:
    """Several results as what is assigned to."""
    parts = [part.text if type(part) is Text else "_" if part is None else targets(part) for part in made]
    return f"{', '.join(parts)}{',' * (len(parts) == 1)}" if len(parts) else "_"


def guard_text(guard: Guard, value: Text) -> str:
    """A guard as a condition."""
    name, owner, expected = value.text, _owner(value), guard.expected
    if guard.read == "NaN":
        return f"{'' if expected else 'not '}np.isnan({name})"
    if guard.read == "bool":
        return name if expected else _negated(value)
    if guard.read == "bytes":
        return f"{owner}.tobytes() == {expected[0]!r}"
    if guard.read == "form":
        shape, dtype = expected
        return f"np.shape({name}) == {literal(shape)} and np.asarray({name}).dtype == {dtype!r}"
    read = {"item": f"{owner}.item()", "tolist": f"{owner}.tolist()", "value": name}.get(
        guard.read, f"{guard.read}({name})"
    )
    if "nan" in repr(expected):  # which equals nothing
        return f"np.array_equal({read}, {literal(expected)}, equal_nan=True)"
    return f"{read} == {literal(expected)}"


def _negated(value: Text) -> str:
    """That something is false."""
    if value.level == COMPARISON and value.text.count(" == ") == 1 and "(" not in value.text:
        return value.text.replace(" == ", " != ")
    return f"not {value.text}"
