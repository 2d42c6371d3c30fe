"""Targets of a command: the named object, and the shapes of its inputs.

A target is ``path/to/file.py::name`` or ``package.module:name``, of a function, a module, its class, or a Tensor.  A
shape is ``3,4``, for the parameters in their order, or ``x=3,4`` for one of them; ``()`` and ``x=`` are single numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from .command import FAILURE, USAGE, CommandError
from .options import Shape, shape

Sizes = tuple[int, ...]
Parameters = Sequence[inspect.Parameter]


class Target(NamedTuple):
    """The target: the object, and the variables of its file or module."""

    value: Any
    variables: dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser, *, what: str) -> None:
    """Add the target and ``--shape``; ``what`` are the kinds of objects that the command takes."""
    parser.add_argument("target", help=f"path/to/file.py::name or module:name, of {what}")
    parser.add_argument(
        "--shape", action="append", default=[], type=shape, metavar="[NAME=]N,M,...",
        help="shape of an input, as 3,4 or x=3,4; () is a single number; once for each",
    )  # fmt: skip


# -- targets -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(target: str, *, failure: int = FAILURE) -> Iterator[Target]:
    """The target; if it is a class, an instance.  Files beside its file can be imported until the block ends.

    Raises CommandError if it is not found, and, with the code ``failure``, if the module raises an error.
    """
    place, separator, name = target.partition("::") if "::" in target else target.rpartition(":")
    if not (separator and place and name):
        raise CommandError(f"{target!r} is no target; write path/to/file.py::name or module:name", USAGE)
    path = Path(place) if place.endswith(".py") else None
    if path is None and Path(place).is_dir() and not place.isidentifier():  # a package is a folder too
        folder = place.rstrip("/")
        raise CommandError(f"{place} is a directory; name a file: {folder}/file.py::name", USAGE)
    if path is not None and not path.is_file():
        raise CommandError(f"there is no file {path}", USAGE)
    with _importable(path.resolve().parent if path else Path.cwd()), contextlib.ExitStack() as until:
        try:
            module = until.enter_context(_executed(path)) if path else importlib.import_module(place)
        except ModuleNotFoundError as error:
            raise CommandError(f"cannot import {place}: {error}", USAGE) from error
        except (Exception, SystemExit) as error:
            raise CommandError(f"importing {place} failed: {type(error).__name__}: {error}", failure) from error
        yield Target(_instance(target, name, _found(module, place, name)), dict(vars(module)))


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Puts the folder on Python's path, also for imports in functions that are called later."""
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # a program may have taken it away itself
            sys.path.remove(entry)


@contextlib.contextmanager
def _executed(path: Path) -> Iterator[ModuleType]:
    """The module of a file; it can be imported by its name, unless another module has that name."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules.setdefault(path.stem, module)
    try:
        specification.loader.exec_module(module)
        yield module
    finally:
        if sys.modules.get(path.stem) is module:
            del sys.modules[path.stem]


def _found(module: ModuleType, place: str, name: str) -> Any:
    """The attribute of a module for a dotted name."""
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [n for n in vars(module) if not n.startswith("_")]
            raise CommandError(f"{place} has no {name!r}; it has {', '.join(known[:12]) or 'no names'}", USAGE)
        found = getattr(found, part)
    return found


def _instance(target: str, name: str, found: Any) -> Any:
    """The object itself, or an instance of a class."""
    if not isinstance(found, type):
        return found
    try:
        return found()
    except Exception as error:
        raise CommandError(
            f"{target} is a class, and {name}() failed: {type(error).__name__}: {error}; "
            "name an instance, or a function that makes one", USAGE,
        ) from error  # fmt: skip


# -- shapes --------------------------------------------------------------------------------------------------------


def assigned(parameters: Parameters, shapes: Sequence[Shape]) -> tuple[dict[str, Sizes], list[Sizes]]:
    """The shape of each parameter, named shapes first, and the shapes for ``*args``.

    Raises CommandError for a name that no parameter has, for a name that is given twice, and for more shapes than
    parameters.
    """
    kinds = {p.name: p.kind for p in parameters}
    by_name: dict[str, Sizes] = {}
    for name, sizes in shapes:
        if name in by_name:
            raise CommandError(f"--shape {name}= is given twice", USAGE)
        if kinds.get(name) in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise CommandError(f"'{name}' stands for any number of arguments, which have no names in --shape", USAGE)
        if name and name not in kinds:
            raise CommandError(f"there is no parameter for --shape {name}; there are {', '.join(kinds)}", USAGE)
        if name:
            by_name[name] = sizes
    ordered = [sizes for name, sizes in shapes if not name]
    for p in parameters:
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in by_name and ordered:
            by_name[p.name] = ordered.pop(0)
    if ordered and inspect.Parameter.VAR_POSITIONAL not in kinds.values():
        left = ", ".join(str(sizes) for sizes in ordered)
        raise CommandError(f"there is no parameter for --shape {left}; there are {', '.join(kinds) or 'none'}", USAGE)
    return by_name, ordered
