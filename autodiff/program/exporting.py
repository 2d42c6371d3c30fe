"""Exports: what a program of another library lacks is refused, with the function, the line and the way out."""

from __future__ import annotations

import importlib
import linecache
from typing import TYPE_CHECKING, Any, NoReturn

from .instruction import Attribute, Instruction, Line, Method
from .source import name_of

if TYPE_CHECKING:
    from .program import Program


class ExportError(TypeError):
    """What a program does has no counterpart in the library that it is exported to; the message says what to write."""


class LackingError(Exception):
    """The other library has not what is asked for; becomes an ExportError, where the instruction is known."""


LACKING = "{} has no such function; write it with functions that it has, or leave this part of the computation in NumPy"


def imported(module: str, verb: str) -> Any:
    """A library that is an extra of this one."""
    try:
        return importlib.import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise ImportError(
            f"{verb}: needs {name}, which is not installed; install it with pip install 'pullback[{name}]'"
        ) from None


def check_places(program: Program) -> None:
    """Raise PathError if what must be as it was recorded is something else now: train or eval, what was not there."""
    for slot in program.checks:
        slot.check()


def called(function: Any) -> str:
    """How one writes a function in a message."""
    if type(function) is Attribute:
        return f".{function.__name__}"
    if type(function) is Method:
        return f".{function.__name__}()"
    try:
        return name_of(function)
    except ValueError:
        return str(getattr(function, "__name__", function))


def where(line: Line | None) -> str:
    """A line of the user's program, and what stands there."""
    if line is None:
        return ""
    said = linecache.getline(line.file, line.number).strip()
    return f" at {line.file}:{line.number}{f' ({said:.80})' if said else ''}"


def refuse(verb: str, instruction: Instruction, reason: str) -> NoReturn:
    """Raise ExportError for an instruction."""
    raise ExportError(f"{verb}: {called(instruction.function)}{where(instruction.line)}: {reason}")
