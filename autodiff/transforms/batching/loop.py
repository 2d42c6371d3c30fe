"""Functions without a batching rule, computed example by example: as right as a loop, and as slow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .array import Batched, BatchingError, Level, RaggedError, is_of, latest

RAGGED = frozenset(
    {
        np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_values, np.unique_counts, np.unique_inverse,
        np.unique_all, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.trim_zeros, np.compress, np.extract,
    }
)  # fmt: skip
"""Functions whose result has a length that the values decide: refused always, not only where the lengths differ."""


class ByExampleError(Exception):
    """A batching rule raises this for arguments that it does not know: then each example is computed by itself."""


def looped(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """``function(*args, **kwargs)`` for one example after the other, the results stacked."""
    name = getattr(function, "__name__", str(function))
    if function in RAGGED:
        raise RaggedError(
            f"vmap: '{name}' gives results of a length that the values decide, so the examples' results would not make "
            "one array; use np.where, or map by hand: [f(x) for x in xs]"
        )
    level = latest(*args, *kwargs.values())
    if not level.size:
        raise BatchingError(f"vmap: '{name}' is computed example by example, and there are none")
    results = [
        function(*[_one(a, level, i) for a in args], **{k: _one(v, level, i) for k, v in kwargs.items()})
        for i in range(level.size)
    ]
    return _stacked(results, level, name)


def _one(value: Any, level: Level, i: int) -> Any:
    """The value of example ``i``."""
    if is_of(value, level):
        return value.held[i]
    if type(value) is list or type(value) is tuple:
        return type(value)(_one(v, level, i) for v in value)
    return value


def _stacked(results: list[Any], level: Level, name: str) -> Any:
    """The results of all examples as one array of examples."""
    first = results[0]
    if isinstance(first, tuple | list):
        parts = [_stacked(list(part), level, name) for part in zip(*results, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if hasattr(first, "dtype") or isinstance(first, bool | int | float | complex):
        shapes = {np.shape(r) for r in results}
        if len(shapes) > 1:
            raise RaggedError(
                f"vmap: '{name}' gives results of different shapes for different examples: {sorted(shapes)}"
            )
        return Batched(np.stack(results), level)
    if all(r is first or r == first for r in results):  # a type, a name
        return first
    raise BatchingError(f"vmap: '{name}' gives a {type(first).__name__} that differs between the examples")
