"""``pullback check``: is the gradient of a function right?  Inputs are drawn from annotations, or from shapes given.

``pullback check model.py::loss --shape w=3,4 --shape x=4`` checks ``loss(w, x)`` of ``model.py``, and
``package.module:loss`` names it by module.  :mod:`nn.cli.inputs` says what is drawn for which annotation.  The exit
code is 0 for a correct gradient, 1 for a wrong one, and 2 where nothing can be said.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .command import CommandError
from .inputs import InputError, Kept, described, drawn, plans

CORRECT, WRONG, UNUSABLE = 0, 1, 2
Function = Callable[..., Any]


EPILOG = """\
What is drawn for a parameter, by its annotation:
  float, complex                      a number
  np.ndarray, NDArray[...], Tensor    an array; give its shape: --shape x=3,4
  Annotated[np.ndarray, "3,n"]        an array of that shape (n is 2, the next letter 3, ...)
  list[A], tuple[A, B], dict[str, A]  several of them
A parameter with a default keeps it, unless it has a --shape.

exit codes:
  0  the gradient is correct
  1  it is wrong; the report says where
  2  nothing can be said: the function cannot be used, or no input told

examples:
  pullback check model.py::loss --shape w=3,4 --shape x=4
  pullback check package.module:loss --order 2 --low 0.1 --high 5
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback check``."""
    parser.epilog = EPILOG
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
    from autodiff import testing  # most commands never need it

    _validate(arguments)
    f = _found(arguments.target)
    given = _shapes_given(arguments.shape)
    try:
        positional, keywords = plans(f, given)
    except InputError as error:
        raise CommandError(str(error), UNUSABLE) from error
    wanted = [plan for plan in (*positional, *keywords.values()) if not isinstance(plan, Kept)]
    called = f if wanted == positional else _of_what_is_drawn(f, positional, keywords)
    print(f"{arguments.target}: {_summary(f, given, positional, keywords)}", flush=True)
    reports = []
    raised: list[BaseException] = []
    for n in range(arguments.examples):
        rng = np.random.default_rng([arguments.seed, n])
        try:
            values = [drawn(plan, arguments.low, arguments.high, arguments.dtype, rng) for plan in wanted]
        except (ValueError, OverflowError, MemoryError) as error:
            raise CommandError(f"no such arguments can be drawn: {error}", UNUSABLE) from error
        try:
            report = testing.gradcheck(called, *values, order=arguments.order, rng=arguments.seed + n)
        except (Exception, SystemExit) as error:  # the domain of f may end among the inputs
            raised.append(error)
            continue
        if report.verdict == "wrong":
            print(report)
            return WRONG
        reports.append(report)
    if not reports:
        what = f"{type(raised[0]).__name__}: {raised[0]}"
        raise CommandError(f"{arguments.target} raised {what}", UNUSABLE) from raised[0]
    if all(report.correct and not report.directions for report in reports):
        print(reports[0])
        print("nothing was compared")
        return UNUSABLE
    doubtful = [report for report in reports if not report.correct]
    if len(doubtful) == len(reports):
        print(doubtful[0])
        return UNUSABLE
    print(next(report for report in reversed(reports) if report.correct))
    said = f"{len(reports) - len(doubtful)} of {arguments.examples} inputs: correct"
    said += f"; at {len(doubtful)} nothing can be said: {doubtful[0].reason}" if doubtful else ""
    print(said + (f"; at {len(raised)} it raised {type(raised[0]).__name__}: {raised[0]}" if raised else ""))
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
    if path.is_dir() and not place.isidentifier():  # a package is a folder too
        raise CommandError(f"{place} is a directory; name a file: {place.rstrip('/')}/file.py::function", UNUSABLE)
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
    except (Exception, SystemExit) as error:
        raise CommandError(f"{place} cannot be imported: {type(error).__name__}: {error}", UNUSABLE) from error
    return module


def _parsed(text: str) -> tuple[str, tuple[int, ...]]:
    name, equals, sizes = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        shape = tuple(int(n) for n in sizes.split(",") if n.strip())
        if any(n < 0 for n in shape):
            raise ValueError
        return name, shape
    except ValueError:
        raise CommandError(f"--shape {text}: write NAME=SHAPE, as x=3,4", UNUSABLE) from None


def _shapes_given(texts: list[str]) -> dict[str, tuple[int, ...]]:
    given: dict[str, tuple[int, ...]] = {}
    for name, shape in map(_parsed, texts):
        if name in given:
            raise CommandError(f"--shape {name}= is given twice", UNUSABLE)
        given[name] = shape
    return given


def _of_what_is_drawn(f: Function, positional: list[Any], keywords: dict[str, Any]) -> Function:
    """The function of the drawn arguments alone: defaults stay as they stand, keyword-only ones come last."""

    @functools.wraps(f)
    def called(*values: Any) -> Any:
        rest = iter(values)
        args = [plan.value if isinstance(plan, Kept) else next(rest) for plan in positional]
        kwargs = {name: plan.value if isinstance(plan, Kept) else next(rest) for name, plan in keywords.items()}
        return f(*args, **kwargs)

    return called


def _summary(f: Function, given: dict[str, Any], positional: list[Any], keywords: dict[str, Any]) -> str:
    """Every parameter and what it gets."""
    try:
        kinds = inspect.signature(f).parameters.items()
        names = [name for name, p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        names = list(given)
    pairs = [*zip(names, positional, strict=True), *keywords.items()]
    return ", ".join(f"{name} {described(plan)}" for name, plan in pairs) or "no arguments"
