"""Conditions of loops and branches: one boolean, or one for each example."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..examples import Examples
from ..tensor import Tensor
from ..tree import flatten


def one_truth(who: str, what: str, found: Any) -> Any:
    """A condition, checked: one boolean or number."""
    value = found._value if isinstance(found, Tensor) else found
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is None and not isinstance(value, bool | int | float):
        raise TypeError(f"{who}: {what} must be one boolean, got a {type(value).__name__}")
    if np.ndim(value):
        raise TypeError(
            f"{who}: {what} must be one boolean, got shape {np.shape(value)}; take np.all(...) or np.any(...) of it"
        )
    return value


def many(value: Any) -> Any:
    """The conditions of all examples as one array; None if there is but one."""
    if not (isinstance(value, Examples) and value.many):
        return None
    while isinstance(value, Examples) and value.many:
        value = value.held
    return value


def chosen(condition: Any, one: Any, other: Any) -> Any:
    """For each example, one nesting where the condition holds, and the other where it does not."""
    leaves, unflatten = flatten(one)
    return unflatten(
        [a if a is b else np.where(condition, a, b) for a, b in zip(leaves, flatten(other)[0], strict=True)]
    )
