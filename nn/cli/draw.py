"""``pullback draw``: the computation graph of a function, a module or a Tensor in a Python file."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autodiff.draw import Drawing, draw

from .command import USAGE, CommandError

EXAMPLES = """
examples:
  pullback draw model.py::loss --shape 3,4 --shape w=4,2
  pullback draw model.py::network --shape 32,784 -o graph.html -o graph.svg --gradients --memory
  pullback draw package.module:make_loss        a function without arguments that returns a Tensor

A function's inputs are drawn from a normal distribution, with the shapes that are given: in the order of its
parameters, or by name. "()" is the shape of a single number. Parameters with a default keep it.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback draw``."""
    parser.epilog = EXAMPLES
    parser.add_argument("target", help="path.py::name or module:name, of a function, a module, its class or a Tensor")
    parser.add_argument(
        "--shape", action="append", default=[], metavar="[NAME=]N,M,...", help="shape of an input; once for each"
    )
    parser.add_argument("--dtype", default="float64", choices=("float32", "float64"), help="of the inputs (float64)")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs' values (0)")
    parser.add_argument(
        "-o", "--output", action="append", default=[], metavar="FILE",
        help="write the picture, in the format that the ending says (.html, .svg, ...); may be given several times",
    )  # fmt: skip
    parser.add_argument("--depth", type=int, help="open so many levels of groups")
    parser.add_argument("--max-nodes", type=int, default=200, help="draw at most so many boxes (200)")
    parser.add_argument("--hide", action="append", default=[], metavar="OPERATION", help="leave an operation out")
    parser.add_argument("--focus", nargs=2, metavar=("FROM", "TO"), help="only what lies between two names")
    for name, what in (
        ("values", "values of everything"), ("gradients", "gradients"), ("memory", "bytes kept for the backward pass"),
        ("times", "time of each operation"), ("backward", "the backward pass as a graph"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", action="store_true", help=f"show {what}")


def run(arguments: argparse.Namespace) -> int:
    """Draw, print the summary, write the files."""
    subject, namespace = _load(arguments.target)
    inputs = _inputs(subject, arguments) if callable(subject) else []
    options: dict[str, Any] = {
        name: getattr(arguments, name) for name in ("values", "gradients", "memory", "times", "backward")
    }
    try:
        drawing = draw(
            subject, *inputs, depth=arguments.depth, max_nodes=arguments.max_nodes, hide=tuple(arguments.hide),
            focus=tuple(arguments.focus) if arguments.focus else None, title=arguments.target,
            names=None if callable(subject) else namespace, **options,
        )  # fmt: skip
    except Exception as error:
        partial = getattr(error, "drawing", None)
        if isinstance(partial, Drawing):  # what was computed before the failure is what one wants to see
            _show(partial, arguments.output)
        raise CommandError(f"{arguments.target}: {type(error).__name__}: {error}") from error
    _show(drawing, arguments.output)
    return 0


def _show(drawing: Drawing, outputs: list[str]) -> None:
    sys.stdout.write(f"{drawing}\n")
    for name in outputs:
        try:
            path = drawing.save(name)
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            raise CommandError(f"cannot write {name}: {error}") from error
        sys.stdout.write(f"wrote {path}\n")


def _load(target: str) -> tuple[Any, dict[str, Any]]:
    """What ``path.py::name`` or ``module:name`` stands for, and the variables of its file."""
    place, separator, name = target.partition("::") if "::" in target else target.rpartition(":")
    if not separator or not place or not name:
        raise CommandError(f"{target!r} is no target; write path/to/file.py::name or module:name", USAGE)
    try:
        module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    except ModuleNotFoundError as error:
        raise CommandError(f"cannot import {place}: {error}", USAGE) from error
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(f"importing {place} failed: {type(error).__name__}: {error}") from error
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [n for n in vars(module) if not n.startswith("_")]
            raise CommandError(f"{place} has no {name!r}; it has {', '.join(known[:12]) or 'no names'}", USAGE)
        found = getattr(found, part)
    if isinstance(found, type):
        try:
            found = found()
        except Exception as error:
            raise CommandError(
                f"{target} is a class, and {name}() failed: {type(error).__name__}: {error}; "
                "name an instance, or a function that makes one", USAGE,
            ) from error  # fmt: skip
    return found, dict(vars(module))


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise CommandError(f"there is no file {path}", USAGE)
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.resolve().parent))  # a script may import its neighbours
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def _load_module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def _inputs(subject: Any, arguments: argparse.Namespace) -> list[Any]:
    """Random arrays of the shapes asked for, one for each parameter that has no default."""
    called = subject.forward if hasattr(subject, "named_parameters") and hasattr(subject, "forward") else subject
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):  # written in another language: any number of inputs may be right
        parameters = [inspect.Parameter("inputs", inspect.Parameter.VAR_POSITIONAL)]
    named = {}
    ordered = []
    for text in arguments.shape:
        name, equals, shape = text.rpartition("=")
        if equals:
            named[name] = _shape(shape)
        else:
            ordered.append(_shape(shape))
    random = np.random.default_rng(arguments.seed)
    values = []
    missing = []
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            continue
        given = parameter.name in named or ordered
        if not given and parameter.default is not parameter.empty:
            break
        if not given:
            missing.append(parameter.name)
            continue
        shape = named.pop(parameter.name) if parameter.name in named else ordered.pop(0)
        values.append(random.normal(size=shape).astype(arguments.dtype))
    if missing:
        raise CommandError(
            f"give a shape for {', '.join(missing)}: --shape {missing[0]}=3,4 (or () for a number)", USAGE
        )
    left = [*named, *([] if any(p.kind is p.VAR_POSITIONAL for p in parameters) else map(str, ordered))]
    if left:
        raise CommandError(f"{arguments.target} has no parameter for --shape {', '.join(left)}", USAGE)
    return [*values, *(random.normal(size=shape).astype(arguments.dtype) for shape in ordered)]


def _shape(text: str) -> tuple[int, ...]:
    inside = text.strip().removeprefix("(").removesuffix(")")
    try:
        shape = tuple(int(part) for part in inside.split(",") if part.strip())
    except ValueError:
        shape = (-1,)
    if any(n < 0 for n in shape):
        raise CommandError(
            f"{text!r} is no shape; write lengths with commas between, as 3,4, or () for a number", USAGE
        )
    return shape
