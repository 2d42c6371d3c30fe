"""Checks of what optimizers, schedules and loops are given: parameters, and numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.module import Module
from ..layers.structure import is_variable


def checked(parameters: Any, who: str, *, empty: bool = False) -> list[Tensor]:
    """The parameters as a list of different variables; the error for anything else names ``who`` was given it."""
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


def in_range(who: str, what: str, value: float, low: float) -> float:
    """A finite number of at least ``low``, or an error that names it."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not low <= value < math.inf:
        raise ValueError(f"{who}: {what} is {value!r}; it must be a finite number of at least {low:g}")
    return float(value)
