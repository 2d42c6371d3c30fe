"""NumPy's calling conventions, where they go beyond what a rule needs.

A function in the table names the parameters that it is differentiated with.  NumPy's function of that name may have
more of them, in another order, as in ``np.max(a, axis, out, keepdims)``.  A call that is written for NumPy becomes one
for the table here: positional arguments get NumPy's names, what only repeats NumPy's default is dropped, and what would
change the result without a derivative is refused.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .dialects import keyword as of_pytorch


@functools.cache
def _theirs(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of NumPy's function; none for one that does not tell."""
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def _positional(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, parameter in _theirs(function).items() if parameter.kind in kinds]


def agreed(function: Callable[..., Any], parameters: Sequence[str]) -> int:
    """How many of the first ``parameters`` stand in NumPy's order, under its name for them or another.

    >>> import numpy as np
    >>> agreed(np.max, ["a", "axis", "keepdims"])
    2
    """
    names = _positional(function)
    if not names:  # NumPy's function does not tell
        return len(parameters)
    count = 0
    for ours, theirs in zip(parameters, names, strict=False):
        if ours != theirs and (ours in _theirs(function) or theirs in parameters):
            break
        count += 1
    return count


def arranged(entry: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call of NumPy's function as those of its entry in the table.

    Raises TypeError for an argument that the entry does not have, unless it is NumPy's default.

    >>> import numpy as np
    >>> from autodiff.primitive import registry
    >>> arranged(registry[np.ptp], ([1.0], 0, None, True), {})
    (([1.0], 0), {'keepdims': True})
    """
    name, parameters, same = entry.name, entry.parameters, entry.agreed
    theirs, names = _theirs(entry.function), _positional(entry.function)
    if names and len(args) > len(names):
        raise TypeError(f"{name}: takes {len(names)} positional arguments, got {len(args)}")
    surplus = dict(zip(names[same:], args[same:], strict=False))
    twice = [key for key in kwargs if key in names[: len(args)]]
    if twice:
        raise TypeError(f"{name}: got two values for '{twice[0]}'")
    arguments = {}
    for key, value in {**surplus, **kwargs}.items():
        if key in parameters:
            arguments[key] = value
        elif key in names[:same]:  # another name for the same place
            arguments[parameters[names.index(key)]] = value
        elif key not in theirs or not _is_default(value, theirs[key].default):
            _refuse(name, key, parameters)
    return args[:same], arguments


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and isinstance(value, str | int) and value == default)


def _refuse(name: str, keyword: str, parameters: Sequence[str]) -> None:
    """Raise for an argument that is not differentiated: swallowing it would give a gradient of another function."""
    if keyword == "out":
        raise TypeError(
            f"{name}: out= would write a Tensor's values into an existing array and lose its gradient; "
            f"use what {name} returns"
        )
    of_pytorch(name, keyword, parameters)
    raise TypeError(
        f"{name}: the keyword '{keyword}' is not differentiated here and would change the result; "
        f"supported: {', '.join(parameters)}"
    )
