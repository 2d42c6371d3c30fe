"""``pullback draw``: the computation graph of a function, a module or a Tensor in a Python file."""

from __future__ import annotations

import argparse
import inspect
import sys
from typing import Any

import numpy as np

from autodiff.draw import Drawing, draw

from . import targets
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
    targets.add_arguments(parser, what="a function, a module, its class or a Tensor")
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
    with targets.opened(arguments.target) as (subject, variables):
        _draw(subject, variables, arguments)
    return 0


def _draw(subject: Any, variables: dict[str, Any], arguments: argparse.Namespace) -> None:
    kept = not arguments.shape and bool(getattr(subject, "programs", None))  # by jit, which has recorded a call
    inputs = _inputs(subject, arguments) if callable(subject) and not kept else []
    options: dict[str, Any] = {
        name: getattr(arguments, name) for name in ("values", "gradients", "memory", "times", "backward")
    }
    try:
        drawing = draw(
            subject, *inputs, depth=arguments.depth, max_nodes=arguments.max_nodes, hide=tuple(arguments.hide),
            focus=tuple(arguments.focus) if arguments.focus else None, title=arguments.target,
            names=None if callable(subject) else variables, **options,
        )  # fmt: skip
    except Exception as error:
        partial = getattr(error, "drawing", None)
        if isinstance(partial, Drawing):  # what was computed before the failure is what one wants to see
            _show(partial, arguments.output)
        raise CommandError(f"{arguments.target}: {type(error).__name__}: {error}") from error
    _show(drawing, arguments.output)


def _show(drawing: Drawing, outputs: list[str]) -> None:
    sys.stdout.write(f"{drawing}\n")
    for name in outputs:
        try:
            path = drawing.save(name)
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            raise CommandError(f"cannot write {name}: {error}") from error
        sys.stdout.write(f"wrote {path}\n")


def _inputs(subject: Any, arguments: argparse.Namespace) -> list[Any]:
    """Random arrays of the given shapes, one for each parameter without a default."""
    called = subject.forward if hasattr(subject, "named_parameters") and hasattr(subject, "forward") else subject
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):  # written in another language: any number of inputs may be right
        parameters = [inspect.Parameter("inputs", inspect.Parameter.VAR_POSITIONAL)]
    parameters = [p for p in parameters if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]  # inputs have no names
    by_name, others = targets.assigned(parameters, arguments.shape)
    wanted = [p for p in parameters if p.kind is not p.VAR_POSITIONAL]
    while wanted and wanted[-1].name not in by_name and wanted[-1].default is not inspect.Parameter.empty:
        wanted.pop()  # what comes last keeps its default
    if missing := [p.name for p in wanted if p.name not in by_name]:
        raise CommandError(
            f"give a shape for {', '.join(missing)}: --shape {missing[0]}=3,4 (or () for a number)", USAGE
        )
    random = np.random.default_rng(arguments.seed)
    shapes = [*(by_name[p.name] for p in wanted), *others]
    return [random.normal(size=shape).astype(arguments.dtype) for shape in shapes]
