"""``pullback derive``: the gradient of a function as NumPy source, which needs no other library.

``pullback derive model.py::loss --shape x=3`` prints a function that computes the gradient of ``loss`` with respect to
its floating-point arguments, for arguments of these shapes.  Of a function that returns an array it is the pullback:
a function of the arguments and of a cotangent ``g`` of the result.  Of a model it is that with respect to its
parameters, in evaluation mode.  What the function decides, the text checks with ``assert``.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from autodiff import CaptureError, Tensor, capture, files, grad, hessian, no_grad, value_and_grad, vjp

from ..layers.copying import split
from . import targets
from .command import CommandError
from .subject import DRAWN, UNUSABLE, Subject, add_arguments, subject_of, validate, values_of

Function = Callable[..., Any]
_rebuild: ContextVar[Function] = ContextVar("rebuild")
"""A copy of the model with other parameters: of the model itself, which a closure would hold, nothing is recorded."""
EXAMPLES = f"""\
{DRAWN} A model is derived in evaluation mode.

Of a function that returns a single number, the text computes the gradient. Of one that
returns an array it takes a cotangent g of it, too: the vector-Jacobian product. A text is
for arguments of these shapes. What the function decides by values is decided as for the
values that were drawn, and the text checks it.

examples:
  pullback derive model.py::loss --shape x=3
  pullback derive model.py::loss --shape w=3,4 --shape x=4 --wrt w --value -o loss_gradient.py
  pullback derive package.module:energy --shape 5 --order 2
  pullback derive model.py::Network --shape 32,784
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback derive``."""
    parser.epilog = EXAMPLES
    add_arguments(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the values at which it is derived (default 0)")
    parser.add_argument(
        "--wrt", action="append", default=[], metavar="NAME", help="with respect to this argument; once for each"
    )
    parser.add_argument("--order", type=int, default=1, choices=(1, 2), help="2 for the Hessian (default 1)")
    parser.add_argument("--value", action="store_true", help="compute the function's value, too")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the text to a file")


def run(arguments: argparse.Namespace) -> int:
    """Derive, and print the text or write it."""
    validate(arguments)
    with targets.opened(arguments.target, failure=UNUSABLE) as (value, _):
        text = _derived(subject_of(value, arguments), arguments)
    if arguments.output is None:
        sys.stdout.write(text)
        return 0
    try:
        files.write(arguments.output, text)
    except OSError as error:
        raise CommandError(f"cannot write {arguments.output}: {error}") from error
    sys.stdout.write(f"wrote {arguments.output}\n")
    return 0


def _derived(subject: Subject, arguments: argparse.Namespace) -> str:
    """The text of the derivative."""
    values = values_of(subject, arguments, np.random.default_rng(arguments.seed))
    function, names, values = _flat(subject, [value if value is subject.model else _number(value) for value in values])
    chosen = _chosen(names, values, subject, arguments)
    try:
        with np.errstate(all="ignore"):
            derivative, values = _derivative(function, values, names, chosen, arguments)
            return str(capture(derivative, *values).source())
    except CommandError:
        raise
    except CaptureError as error:
        raise CommandError(f"{arguments.target} cannot be derived: {error}", UNUSABLE) from error
    except (Exception, SystemExit) as error:
        raise CommandError(f"{arguments.target} raised {type(error).__name__}: {error}", UNUSABLE) from error


def _flat(subject: Subject, values: list[Any]) -> tuple[Function, list[str], list[Any]]:
    """A function of arrays with their names; of a model, its parameters come first."""
    if subject.model is None:
        return subject.function, subject.names, values
    model, *inputs = values
    parameters, rebuild = split(model)
    count, function = len(parameters), subject.function
    _rebuild.set(rebuild)

    def of_arrays(*arrays: Any) -> Any:
        return function(_rebuild.get()(list(arrays[:count])), *arrays[count:])

    of_arrays.__name__ = subject.function.__name__
    return of_arrays, [*map(_word, subject.parameters), *subject.names], [*parameters, *inputs]


def _number(value: Any) -> Any:
    """A single number as Python has it, in a nesting too."""
    if isinstance(value, dict):
        return {key: _number(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_number, value))
    if isinstance(value, np.ndarray) and not value.ndim:
        return value.item() if value.dtype.char in "dD" else value[()]
    return value


def _word(path: str) -> str:
    """A parameter's path as a name."""
    word = re.sub(r"\W+", "_", path)
    return f"layers_{word}" if word[0].isdigit() else word


def _chosen(names: list[str], values: list[Any], subject: Subject, arguments: argparse.Namespace) -> list[int]:
    """The positions of the arguments with respect to which it is derived."""
    unknown = [name for name in arguments.wrt if name not in names]
    if unknown:
        raise CommandError(
            f"there is no argument for --wrt {unknown[0]}; there are {', '.join(names) or 'none'}", UNUSABLE
        )
    if arguments.wrt:
        return [names.index(name) for name in dict.fromkeys(arguments.wrt)]
    count = len(values) - len(subject.names) if subject.model is not None else len(values)
    if not count:
        raise CommandError(
            f"{arguments.target} has no argument to derive by; give one a shape: --shape x=3,4", UNUSABLE
        )
    return list(range(count))


def _derivative(
    function: Function, values: list[Any], names: list[str], chosen: list[int], arguments: argparse.Namespace
) -> tuple[Function, list[Any]]:
    """The function that is recorded, and its arguments."""
    with no_grad():
        result = function(*values)
    result = result.data if isinstance(result, Tensor) else result
    number = np.ndim(result) == 0 and not isinstance(result, dict)
    name = getattr(function, "__name__", "function")
    name = name if name.isidentifier() else "function"
    argnums = chosen[0] if len(chosen) == 1 else tuple(chosen)
    if arguments.order == 2:
        if not number:
            raise CommandError(
                f"the Hessian is of a single number, and {arguments.target} returns {_kind(result)}", UNUSABLE
            )
        slope = hessian(function, argnums)
        made = _called(f"{name}_hessian", names, (lambda *x: (function(*x), slope(*x))) if arguments.value else slope)
        return made, values
    if number:
        slope = (value_and_grad if arguments.value else grad)(function, argnums)
        return _called(f"{name}_gradient", names, slope), values
    if not isinstance(result, np.ndarray):
        raise CommandError(
            f"{arguments.target} returns {_kind(result)}; return a single number, or one array", UNUSABLE
        )

    def pulled(*args: Any) -> Any:
        *given, g = args

        def of_chosen(*parts: Any) -> Any:
            inside = list(given)
            for position, part in zip(chosen, parts, strict=True):
                inside[position] = part
            return function(*inside)

        y, pull = vjp(of_chosen, *[given[i] for i in chosen])
        gradients = pull(g)
        gradients = gradients[0] if len(chosen) == 1 else gradients
        return (y, gradients) if arguments.value else gradients

    cotangent = "g" if "g" not in names else "cotangent"
    return _called(f"{name}_pullback", [*names, cotangent], pulled), [*values, np.ones_like(result)]


def _called(name: str, names: list[str], function: Function) -> Function:
    """A function by another name, with names for its arguments."""

    def derived(*args: Any) -> Any:
        return function(*args)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    derived.__name__ = derived.__qualname__ = name
    if all(name.isidentifier() for name in names) and len(set(names)) == len(names):
        parameters = [inspect.Parameter(name, kind) for name in names]
        derived.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return derived


def _kind(result: Any) -> str:
    return f"an array of shape {result.shape}" if isinstance(result, np.ndarray) else f"a {type(result).__name__}"
