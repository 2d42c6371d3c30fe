"""``pullback check``: is the gradient of a function right?  Inputs are drawn from annotations, or from shapes given.

``pullback check model.py::loss --shape 3,4 --shape x=4`` checks ``loss(w, x)`` of ``model.py``, and
``package.module:loss`` names it by module.  Of a model (or its class) the gradient is checked with respect to its
parameters, as they are, and to its inputs, in evaluation mode.  :mod:`autodiff.testing.inputs` says what is drawn for
which annotation.  The exit code is 0 for a correct gradient, 1 for a wrong one, and 2 where nothing can be said.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autodiff.testing.inputs import Drawn, Function, InputError, Plans, described, drawn, drawn_of, of_drawn, plans

from ..layers.copying import in_dtype
from ..layers.module import Module
from . import targets
from .command import CommandError
from .options import Shape

CORRECT, WRONG, UNUSABLE = 0, 1, 2


EPILOG = """\
What is drawn for a parameter, by its annotation:
  float, complex                      a number
  np.ndarray, NDArray[...], Tensor    an array; give its shape: --shape x=3,4
  Annotated[np.ndarray, "3,n"]        an array of that shape (n is 2, the next letter 3, ...)
  list[A], tuple[A, B], dict[str, A]  several of them
Shapes without a name are for the parameters in their order. A parameter with a default
keeps it, unless it has a --shape. A model is checked in evaluation mode, with respect to
its parameters, as they are, and to its inputs.

exit codes:
  0  the gradient is correct
  1  it is wrong; the report says where
  2  nothing can be said: the function cannot be used, or no input told

examples:
  pullback check model.py::loss --shape 3,4 --shape x=4
  pullback check model.py::Network --shape 32,784
  pullback check package.module:loss --order 2 --low 0.1 --high 5
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback check``."""
    parser.epilog = EPILOG
    targets.add_arguments(parser, what="a function, a module or its class")
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
    _validate(arguments)
    with targets.opened(arguments.target, failure=UNUSABLE) as (value, _):
        return _check(_subject(value, arguments), arguments)


class Subject(NamedTuple):
    """The object to check: a function of drawn arguments, and of a model first, if it is one.

    ``described`` describes each argument.
    """

    function: Function
    model: Module | None
    plans: list[Any]
    described: str


def _subject(value: Any, arguments: argparse.Namespace) -> Subject:
    """The function that a target names, or a model as a function of its parameters and inputs."""
    if not callable(value):
        raise CommandError(f"{arguments.target} is a {type(value).__name__}, not a function", UNUSABLE)
    called = value.forward if isinstance(value, Module) else value
    try:
        positional, keywords = plans(called, _given(called, arguments.shape))
    except InputError as error:
        way_out = f", or give --shape {error.parameter}=3,4" if error.parameter else ""
        raise CommandError(f"{error}{way_out}", UNUSABLE) from error
    every, wanted = {**positional, **keywords}, list(drawn_of(positional, keywords).values())
    words = ", ".join(f"{name} {described(plan)}" for name, plan in every.items()) or "no arguments"
    if not isinstance(value, Module):
        return Subject(of_drawn(value, positional, keywords), None, wanted, words)
    model = in_dtype(value, arguments.dtype).eval()
    count = sum(parameter.size for parameter in value.parameters())
    words = f"{type(value).__name__} with {count:,} parameters in evaluation mode, {words}"
    return Subject(_of_model(model, positional, keywords), model, wanted, words)


def _given(called: Function, shapes: Sequence[Shape]) -> dict[str, Drawn]:
    """The shapes by the names of the parameters; in their order if the function has no signature."""
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        return {name or f"argument {i}": Drawn(sizes) for i, (name, sizes) in enumerate(shapes)}
    by_name, left = targets.assigned(parameters, shapes)
    if left:
        raise CommandError("the function takes any number of arguments; wrap it in one that names them", UNUSABLE)
    return {name: Drawn(sizes) for name, sizes in by_name.items()}


def _check(subject: Subject, arguments: argparse.Namespace) -> int:
    """Check at as many inputs as are asked for."""
    from autodiff import testing  # most commands never need it

    print(f"{arguments.target}: {subject.described}", flush=True)
    reports = []
    raised: list[BaseException] = []
    for n in range(arguments.examples):
        values = _values(subject, arguments, np.random.default_rng([arguments.seed, n]))
        try:
            report = testing.gradcheck(subject.function, *values, order=arguments.order, rng=arguments.seed + n)
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
    return _verdict(reports, raised)


def _values(subject: Subject, arguments: argparse.Namespace, rng: np.random.Generator) -> list[Any]:
    """The arguments at which the gradient is checked: the model first, then the drawn ones."""
    try:
        values = [drawn(plan, arguments.low, arguments.high, arguments.dtype, rng) for plan in subject.plans]
    except (ValueError, OverflowError, MemoryError) as error:
        raise CommandError(f"no such arguments can be drawn: {error}", UNUSABLE) from error
    return values if subject.model is None else [subject.model, *values]


def _verdict(reports: list[Any], raised: list[BaseException]) -> int:
    """Print the common verdict of reports, none of which is *wrong*."""
    if all(report.correct and not report.directions for report in reports):
        print(reports[0])
        print("nothing was compared")
        return UNUSABLE
    doubtful = [report for report in reports if not report.correct]
    if len(doubtful) == len(reports):
        print(doubtful[0])
        return UNUSABLE
    print(next(report for report in reversed(reports) if report.correct))
    said = f"{len(reports) - len(doubtful)} of {len(reports) + len(raised)} inputs: correct"
    said += f"; at {len(doubtful)} nothing can be said: {doubtful[0].reason}" if doubtful else ""
    print(said + (f"; at {len(raised)} it raised {type(raised[0]).__name__}: {raised[0]}" if raised else ""))
    return CORRECT


def _validate(arguments: argparse.Namespace) -> None:
    if arguments.examples < 1 or arguments.order < 1 or arguments.seed < 0:
        raise CommandError("--examples and --order must be at least 1, --seed at least 0", UNUSABLE)
    if not arguments.low < arguments.high:
        raise CommandError(f"--low {arguments.low} must be less than --high {arguments.high}", UNUSABLE)


def _of_model(model: Module, positional: Plans, keywords: Plans) -> Function:
    """A model as a function of itself and of drawn arguments, named like the model's class."""

    def called(model: Module, *values: Any) -> Any:
        return of_drawn(model.forward, positional, keywords)(*values)

    called.__name__ = called.__qualname__ = type(model).__name__
    return called
