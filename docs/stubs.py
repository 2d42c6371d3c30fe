"""What a type checker and an editor know of the methods and operators that the table gives a Tensor.

They come into being while the program starts, so nothing stands in the source for a checker to read.  This writes it:
``autodiff/methods.pyi``, one line a method, from the signature that ``inspect.signature`` shows.
"""

from __future__ import annotations

import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import autodiff
from autodiff import Tensor
from autodiff.convention import Signature
from autodiff.primitive import Composite, Primitive

FILE = Path(autodiff.__file__).with_name("methods.pyi")
WIDTH = 120
HEAD = '''"""The methods and operators of a Tensor, for type checkers.  Written by `python -m docs`; do not edit."""

from types import EllipsisType
from typing import Any, Literal, Protocol, SupportsIndex, TypeAlias

from numpy.typing import DTypeLike

from .ops.update import At
from .tensor import Tensor

class HasArray(Protocol):
    """An array or a NumPy number of any library."""
    def __array__(self) -> Any: ...

Axis: TypeAlias = SupportsIndex | tuple[SupportsIndex, ...] | None
Operand: TypeAlias = Tensor | complex | HasArray | list[Any] | tuple[Any, ...]
Index: TypeAlias = Tensor | SupportsIndex | slice | EllipsisType | HasArray | list[Any] | tuple[Any, ...] | None

class Methods:
'''
TYPES = {
    "a_max": "Operand | None", "a_min": "Operand | None", "axis": "Axis", "correction": "float | None", "ddof": "float",
    "dtype": "DTypeLike | None", "index": "Index", "indices": "Operand", "initial": "Operand | None",
    "keepdims": "bool", "kind": "str | None", "max": "Operand | None", "min": "Operand | None",
    "mode": 'Literal["raise", "wrap", "clip"]', "order": 'Literal["C", "F", "A", "K"]', "repeats": "Operand",
    "stable": "bool | None", "where": "Operand",
}  # fmt: skip
"""What a parameter takes, where the function in the table does not say it more narrowly."""


def written(parameter: inspect.Parameter, entry: Primitive | Composite) -> str:
    """A parameter with its type and default, as in a stub."""
    name, default = parameter.name, parameter.default
    if name not in entry.parameters and default is None:  # it keeps its place in NumPy's order
        kind = "None"
    else:
        said = entry.definition if isinstance(entry, Composite) else inspect.unwrap(entry.forward)
        said = str(getattr(said, "__annotations__", {}).get(name, "Any"))
        names = {part.strip() for part in said.split("|")}
        kind = said if names <= {*vars(builtins), "None"} else TYPES.get(name, "Operand")
        kind = kind.replace("int", "SupportsIndex")
    if default is inspect.Parameter.empty:
        return f"{name}: {kind}"
    if isinstance(default, str):
        return f'{name}: {kind} = "{default}"'
    return f"{name}: {kind} = {default if isinstance(default, bool | int | None) else '...'}"


def docstring(text: str) -> str:
    """A sentence as a docstring, in as many lines as it needs."""
    return textwrap.fill(f'"""{text}"""', WIDTH - 8)


def line(name: str, parameters: list[str], says: str) -> str:
    """One method, set as the formatter sets it."""
    head, tail = f"    def {name}(", f") -> Tensor:{' ...' if not says else ''}"
    text = f"{head}{', '.join(['self', *parameters])}{tail}"
    if len(text) > WIDTH:
        text = "".join([head, "\n", *(f"        {part},\n" for part in ["self", *parameters]), f"    {tail}"])
    return text + (f"\n{textwrap.indent(docstring(says), ' ' * 8)}" if says else "") + "\n"


def method(name: str, signature: Signature, says: str) -> str:
    """A method with the parameters that come after the Tensor itself."""
    _, *parameters = signature.parameters.values()
    found: list[str] = []
    for i, parameter in enumerate(parameters):
        kind = parameter.kind
        if kind is inspect.Parameter.KEYWORD_ONLY and all(p.kind is not kind for p in parameters[:i]):
            found.append("*")
        found.append(written(parameter, signature.entry))
        following = parameters[i + 1].kind if i + 1 < len(parameters) else None
        if kind is inspect.Parameter.POSITIONAL_ONLY and following is not kind:
            found.append("/")
    return line(name, found, says)


def operator(name: str, entry: Primitive | Composite) -> Iterator[str]:
    """An operator as Python calls it, and the one that it calls when the Tensor stands on the right."""
    if name in ("__getitem__", "__round__"):
        yield line(name, ["index: Index"] if name == "__getitem__" else ["decimals: SupportsIndex = 0"], "")
        return
    other = [] if len(entry.parameters) == 1 else ["other: Operand"]
    text = line(name, other, "")
    if name in ("__eq__", "__ne__"):  # object takes and returns something else
        text = text.replace("...\n", "...  # type: ignore[override]\n")
    yield text
    if f"__r{name[2:]}" in vars(Tensor):
        yield line(f"__r{name[2:]}", other, "")


def stub(spelled: Callable[[Primitive | Composite], str], meaning: Callable[[Primitive | Composite], str]) -> str:
    """The file: what the table added to Tensor, operators first, and with each method what an editor shows of it."""
    made = {name: getattr(value, "__signature__", None) for name, value in vars(Tensor).items()}
    added = {name: signature for name, signature in made.items() if isinstance(signature, Signature)}
    text = [HEAD]
    for name in sorted(added):
        if name.startswith("__"):
            text += operator(name, added[name].entry)
    for name in sorted(added):
        function = spelled(added[name].entry)
        if not name.startswith("__") and not function.endswith("internal"):
            text.append(method(name, added[name], meaning(added[name].entry) or f"As `{function}`."))
    for name, value in vars(Tensor).items():
        if isinstance(value, property) and value.fget.__module__ != Tensor.__module__:
            returned = value.fget.__annotations__["return"]
            text.append(f'    @property\n    def {name}(self) -> {returned}:\n        """{inspect.getdoc(value)}"""\n')
    return "".join(text)
