"""``pullback check``: is the gradient of a function right?  Inputs are drawn from annotations, or from shapes given.

``pullback check model.py::loss --shape 3,4 --shape x=4`` checks ``loss(w, x)`` of ``model.py``, and
``package.module:loss`` names it by module.  Of a model (or its class) the gradient is checked with respect to its
parameters, as they are, and to its inputs, in evaluation mode.  :mod:`autodiff.testing.inputs` says what is drawn for
which annotation.  The exit code is 0 for a correct gradient, 1 for a wrong one, and 2 where nothing can be said.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from . import targets
from .command import CommandError
from .subject import DRAWN, UNUSABLE, Subject, add_arguments, subject_of, validate, values_of

CORRECT, WRONG = 0, 1


EPILOG = f"""\
{DRAWN} A model is checked in evaluation mode, with respect to
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
    add_arguments(parser)
    parser.add_argument("--order", type=int, default=1, help="highest order of derivative to check (default 1)")
    parser.add_argument("--examples", type=int, default=10, help="how many inputs are drawn (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the inputs and of the check (default 0)")


def run(arguments: argparse.Namespace) -> int:
    """Check the gradient at drawn inputs; print the first report that is not "correct", or the last."""
    _validate(arguments)
    with targets.opened(arguments.target, failure=UNUSABLE) as (value, _):
        return _check(subject_of(value, arguments), arguments)


def _check(subject: Subject, arguments: argparse.Namespace) -> int:
    """Check at as many inputs as are asked for."""
    from autodiff import testing  # most commands never need it

    print(f"{arguments.target}: {subject.described}", flush=True)
    reports = []
    raised: list[BaseException] = []
    for n in range(arguments.examples):
        values = values_of(subject, arguments, np.random.default_rng([arguments.seed, n]))
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
    if arguments.examples < 1 or arguments.order < 1:
        raise CommandError("--examples and --order must be at least 1", UNUSABLE)
    validate(arguments)
