"""``pullback check``: is the gradient of a function right?  Inputs are drawn from annotations, or from shapes given.

``pullback check model.py::loss --shape w=3,4 --shape x=4`` checks ``loss(w, x)`` of ``model.py``, and
``package.module:loss`` names it by module.  A parameter with a default keeps it unless it has a shape; one that is
annotated ``float`` is a single number.  The exit code is 0 for a correct gradient, 1 for a wrong one, and 2 where
nothing can be said.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .command import CommandError

CORRECT, WRONG, UNUSABLE = 0, 1, 2
Function = Callable[..., Any]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback check``."""
    parser.add_argument("target", help="path/to/file.py::function or module:function")
    parser.add_argument(
        "--shape", action="append", default=[], metavar="NAME=SHAPE",
        help="shape of an argument, as x=3,4 (x= for a single number); may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--dtype", default="float64", choices=["float64", "float32", "float16"], help="of the arguments"
    )
    parser.add_argument("--low", type=float, default=-2.0, help="smallest value that is drawn (default -2)")
    parser.add_argument("--high", type=float, default=2.0, help="largest value that is drawn (default 2)")
    parser.add_argument("--order", type=int, default=1, help="highest order of derivative to check (default 1)")
    parser.add_argument("--examples", type=int, default=10, help="how many inputs are drawn (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the inputs and of the check (default 0)")


def run(arguments: argparse.Namespace) -> int:
    """Check the gradient at drawn inputs; print the first report that is not "correct", or the last."""
    from autodiff.testing import gradcheck

    _validate(arguments)
    f = _found(arguments.target)
    shapes = _shapes(f, dict(map(_parsed, arguments.shape)))
    print(f"{arguments.target}: {', '.join(f'{n} {s if s is not None else d!r}' for n, (s, d) in shapes.items())}")
    reports = []
    for n in range(arguments.examples):
        rng = np.random.default_rng([arguments.seed, n])
        values = [_drawn(shape, default, arguments, rng) for shape, default in shapes.values()]
        try:
            report = gradcheck(f, *values, order=arguments.order, rng=arguments.seed + n)
        except Exception as error:
            raise CommandError(f"{arguments.target} raised {type(error).__name__}: {error}", UNUSABLE) from error
        if report.verdict == "wrong":
            print(report)
            return WRONG
        reports.append(report)
    doubtful = [report for report in reports if not report.correct]
    if len(doubtful) == len(reports):
        print(doubtful[0])
        return UNUSABLE
    print(next(report for report in reversed(reports) if report.correct))
    said = f"{len(reports) - len(doubtful)} of {len(reports)} inputs: correct"
    print(said + (f"; at {len(doubtful)} nothing can be said: {doubtful[0].reason}" if doubtful else ""))
    return CORRECT


def _validate(arguments: argparse.Namespace) -> None:
    if arguments.examples < 1 or arguments.order < 1 or arguments.seed < 0:
        raise CommandError("--examples and --order must be at least 1, --seed at least 0", UNUSABLE)
    if not arguments.low < arguments.high:
        raise CommandError(f"--low {arguments.low} must be less than --high {arguments.high}", UNUSABLE)


def _found(target: str) -> Function:
    """The function that a target names."""
    place, separator, name = target.partition("::")
    if not separator:
        place, separator, name = target.rpartition(":")
    if not (place and name):
        raise CommandError(
            f"'{target}' names no function; write path/to/file.py::function or module:function", UNUSABLE
        )
    try:
        found: Any = _module(place)
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        raise CommandError(f"{place} has no function '{name}'", UNUSABLE) from None
    if not callable(found):
        raise CommandError(f"{target} is a {type(found).__name__}, not a function", UNUSABLE)
    return found  # type: ignore[no-any-return]


def _module(place: str) -> Any:
    """The module of a file or of a dotted name."""
    path = Path(place)
    if path.suffix == ".py" and not path.is_file():
        raise CommandError(f"{place}: no such file", UNUSABLE)
    try:
        if path.suffix != ".py":
            sys.path.insert(0, "")
            return importlib.import_module(place)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(path.parent))
        sys.modules.setdefault(path.stem, module)
        spec.loader.exec_module(module)
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(f"{place} cannot be imported: {type(error).__name__}: {error}", UNUSABLE) from error
    return module


def _parsed(text: str) -> tuple[str, tuple[int, ...]]:
    name, equals, sizes = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        return name, tuple(int(n) for n in sizes.split(",") if n.strip())
    except ValueError:
        raise CommandError(f"--shape {text}: write NAME=SHAPE, as x=3,4", UNUSABLE) from None


def _shapes(f: Function, given: dict[str, tuple[int, ...]]) -> dict[str, tuple[tuple[int, ...] | None, Any]]:
    """For each parameter its shape, or None and the default that it keeps."""
    try:
        parameters = inspect.signature(f).parameters
    except (TypeError, ValueError):
        parameters = {}  # type: ignore[assignment]
        if not given:
            raise CommandError("the function has no signature; give a --shape for each argument", UNUSABLE) from None
    found: dict[str, tuple[tuple[int, ...] | None, Any]] = {}
    for name, parameter in parameters.items():
        if name in given:
            found[name] = (given[name], None)
        elif parameter.default is not parameter.empty:
            found[name] = (None, parameter.default)
        elif parameter.annotation in (float, "float"):
            found[name] = ((), None)
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        else:
            raise CommandError(f"no shape is known for '{name}'; give one: --shape {name}=3,4", UNUSABLE)
    unknown = set(given) - set(parameters)
    if parameters and unknown:
        raise CommandError(f"the function has no argument {', '.join(sorted(unknown))}", UNUSABLE)
    return found or {name: (shape, None) for name, shape in given.items()}


def _drawn(shape: tuple[int, ...] | None, default: Any, arguments: argparse.Namespace, rng: Any) -> Any:
    """Short decimals between the limits, or the default."""
    if shape is None:
        return default
    values = np.round(rng.uniform(arguments.low, arguments.high, shape), 3)
    return np.asarray(values).astype(arguments.dtype)
