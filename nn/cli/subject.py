"""What a command differentiates: a function of drawn arguments, or a model; the inputs by annotations and shapes."""

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

UNUSABLE = 2
"""The exit code where a target is of no use."""

DRAWN = """\
What is drawn for a parameter, by its annotation:
  float, complex                      a number
  np.ndarray, NDArray[...], Tensor    an array; give its shape: --shape x=3,4
  Annotated[np.ndarray, "3,n"]        an array of that shape (n is 2, the next letter 3, ...)
  list[A], tuple[A, B], dict[str, A]  several of them
Shapes without a name are for the parameters in their order. A parameter with a default
keeps it, unless it has a --shape."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the target, the shapes, and the options that say what is drawn."""
    targets.add_arguments(parser, what="a function, a module or its class")
    parser.add_argument(
        "--dtype", default="float64", choices=["float64", "float32", "float16"], help="of the arguments"
    )
    parser.add_argument("--low", type=float, default=-2.0, help="smallest value that is drawn (default -2)")
    parser.add_argument("--high", type=float, default=2.0, help="largest value that is drawn (default 2)")


def validate(arguments: argparse.Namespace) -> None:
    """Raise CommandError for limits or a seed that make no sense."""
    if arguments.seed < 0:
        raise CommandError(f"--seed {arguments.seed} must be at least 0", UNUSABLE)
    if not arguments.low < arguments.high:
        raise CommandError(f"--low {arguments.low} must be less than --high {arguments.high}", UNUSABLE)


class Subject(NamedTuple):
    """The object to differentiate: a function of drawn arguments, and of a model first, if it is one.

    ``described`` describes each argument, ``names`` are those of the drawn ones, ``parameters`` the paths of the
    model's.
    """

    function: Function
    model: Module | None
    plans: list[Any]
    described: str
    names: list[str]
    parameters: list[str]


def subject_of(value: Any, arguments: argparse.Namespace) -> Subject:
    """The function that a target names, or a model as a function of its parameters and inputs."""
    if not callable(value):
        raise CommandError(f"{arguments.target} is a {type(value).__name__}, not a function", UNUSABLE)
    called = value.forward if isinstance(value, Module) else value
    if any(
        kind(called) for kind in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    ):
        raise CommandError(f"{arguments.target} is a coroutine or a generator; name a function that returns", UNUSABLE)
    try:
        positional, keywords = plans(called, _given(called, arguments.shape))
    except InputError as error:
        way_out = f", or give --shape {error.parameter}=3,4" if error.parameter else ""
        raise CommandError(f"{error}{way_out}", UNUSABLE) from error
    every, wanted = {**positional, **keywords}, drawn_of(positional, keywords)
    words = ", ".join(f"{name} {described(plan)}" for name, plan in every.items()) or "no arguments"
    if not isinstance(value, Module):
        function = of_drawn(value, positional, keywords)
        return Subject(function, None, list(wanted.values()), words, list(wanted), [])
    model = in_dtype(value, arguments.dtype).eval()
    count = sum(parameter.size for parameter in value.parameters())
    paths = [path for path, _ in value.named_parameters()]
    words = f"{type(value).__name__} with {count:,} parameters in evaluation mode, {words}"
    return Subject(_of_model(model, positional, keywords), model, list(wanted.values()), words, list(wanted), paths)


def values_of(subject: Subject, arguments: argparse.Namespace, rng: np.random.Generator) -> list[Any]:
    """The arguments at which the function is differentiated: the model first, then the drawn ones."""
    try:
        values = [drawn(plan, arguments.low, arguments.high, arguments.dtype, rng) for plan in subject.plans]
    except (ValueError, OverflowError, MemoryError) as error:
        raise CommandError(f"no such arguments can be drawn: {error}", UNUSABLE) from error
    return values if subject.model is None else [subject.model, *values]


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


def _of_model(model: Module, positional: Plans, keywords: Plans) -> Function:
    """A model as a function of itself and of drawn arguments, named like the model's class."""

    def called(model: Module, *values: Any) -> Any:
        return of_drawn(model.forward, positional, keywords)(*values)

    called.__name__ = called.__qualname__ = type(model).__name__
    return called
