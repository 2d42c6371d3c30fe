"""Checks of the arguments of optimizers, schedules and loops: parameters, numbers, examples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.checks import as_array
from ..layers.module import Module
from ..layers.structure import is_variable
from .frames import array_of_frame
from .structures import is_structure, leaves, mapped

Array = Any


def checked(parameters: Any, who: str, *, empty: bool = False) -> list[Tensor]:
    """The parameters as a list of different variables; an error for anything else names ``who`` got it."""
    if isinstance(parameters, Module):
        raise TypeError(f"{who}: got a module; pass its parameters: model.parameters()")
    if isinstance(parameters, Tensor):
        raise TypeError(f"{who}: got one Tensor; pass a list of parameters: [t]")
    if not isinstance(parameters, Iterable) or isinstance(parameters, str | Mapping):
        raise TypeError(f"{who}: got {_instead_of_parameters(parameters)}")
    found = list(parameters)
    if not found and not empty:
        raise ValueError(
            f"{who}: there are no parameters; a frozen model has none, and an iterator that was used up gives none"
        )
    seen: dict[int, int] = {}
    for i, parameter in enumerate(found):
        if not isinstance(parameter, Tensor):
            why = "model.parameters() gives them without names" if isinstance(parameter, tuple) else ""
            raise TypeError(
                f"{who}: parameter {i} is a {type(parameter).__name__}; only Tensors can be trained{why and f'; {why}'}"
            )
        if not is_variable(parameter):
            raise TypeError(f"{who}: parameter {i} (shape {parameter.shape}) is a result of an operation, no variable")
        if id(parameter) in seen:
            raise ValueError(f"{who}: parameters {seen[id(parameter)]} and {i} are the same Tensor; give it once")
        seen[id(parameter)] = i
    return found


def _instead_of_parameters(given: Any) -> str:
    what = "call it" if callable(given) else "parameters come first, as Tensors"
    return f"a {type(given).__name__}; {what}: model.parameters()"


def in_range(who: str, what: str, value: float, low: float, high: float = math.inf) -> float:
    """A finite number of at least ``low`` and at most ``high``, or an error that names it."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or value == math.inf:
        wanted = f"be a finite number of at least {low:g}" if high == math.inf else f"lie in [{low:g}, {high:g}]"
        raise ValueError(f"{who}: {what} is {value!r}; it must {wanted}")
    return value if isinstance(value, float) and not isinstance(value, np.generic) else float(value)


def array_of_examples(who: str, name: str, data: Any) -> Array:
    """Data whose first axis counts examples; a table of pandas or polars becomes an array."""
    if isinstance(data, Tensor):
        raise TypeError(f"{who}: {name} is a Tensor, and data is not trained; pass its array: {name}.data")
    data = array_of_frame(who, name, data)
    array = as_array(data)
    if isinstance(array, np.ma.MaskedArray | np.matrix):
        raise TypeError(f"{who}: {name} is a {type(array).__name__}, which has rules of its own; pass np.asarray(x)")
    if array.dtype == object:
        raise TypeError(f"{who}: {name} is an array of Python objects; make it one of numbers: np.asarray(x, float)")
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"{who}: {name} holds {array.dtype}, not numbers; np.unique(labels, return_inverse=True) numbers classes"
        )
    if array.ndim == 0:
        raise ValueError(f"{who}: {name} is a single number; it needs a first axis, one entry an example")
    if len(array) == 0:
        raise ValueError(f"{who}: {name} is empty (shape {array.shape}); there is nothing to average over")
    return array


def examples_of(who: str, name: str, data: Any) -> Any:
    """An array of examples, or a dict or tuple of such arrays with equal lengths."""
    if not is_structure(data):
        return array_of_examples(who, name, data)
    found = mapped(lambda part: array_of_examples(who, f"a part of {name}", part), data)
    lengths = [len(part) for part in leaves(found)]
    if not lengths:
        raise ValueError(f"{who}: {name} has no arrays in it")
    if len(set(lengths)) > 1:
        raise ValueError(f"{who}: the parts of {name} have {', '.join(map(str, lengths))} examples; give all as many")
    return found


def pairs_of_examples(who: str, X: Any, Y: Any) -> tuple[Any, Any]:
    if Y is None:
        raise TypeError(f"{who}: Y is missing; give inputs X and targets Y, or a DataLoader of both")
    X, Y = examples_of(who, "X", X), examples_of(who, "Y", Y)
    x, y = next(leaves(X)), next(leaves(Y))
    if len(x) != len(y):
        raise ValueError(
            f"{who}: X has {len(x)} examples (shape {x.shape}) and Y has {len(y)} (shape {y.shape}); "
            "each example needs its target"
        )
    return X, Y


def count_of(who: str, name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{who}: {name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{who}: {name} is {value}; it must be at least {least}")
    return int(value)


def what_is(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
