"""Batches that are more than one array: tuples and dicts of arrays, to any depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

Array = Any


def is_structure(data: Any) -> bool:
    """Whether data is a dict, or a tuple of arrays or of structures: not a tuple of numbers, which is an array."""
    if isinstance(data, Mapping):
        return True
    if not isinstance(data, tuple) or not data:
        return False
    return isinstance(data[0], np.ndarray) or hasattr(data[0], "to_numpy") or is_structure(data[0])


def leaves(tree: Any) -> Iterator[Any]:
    """The arrays of a structure, in order."""
    if isinstance(tree, Mapping):
        for part in tree.values():
            yield from leaves(part)
    elif isinstance(tree, tuple):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The structure with ``function`` of each array, and of those in the same place of others."""
    if isinstance(tree, Mapping):
        return {key: mapped(function, part, *(other[key] for other in others)) for key, part in tree.items()}
    if isinstance(tree, tuple):
        parts = [mapped(function, part, *(other[i] for other in others)) for i, part in enumerate(tree)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return function(tree, *others)


def examples_in(tree: Any) -> int:
    """How many examples a batch has."""
    return len(next(leaves(tree)))


def share(count: int, rank: int, size: int) -> tuple[int, int, int]:
    """The part of ``count`` examples that one of ``size`` processes takes: first, end, and how many of them count.

    Where there are too few for all, it is the first one, which does not count.
    """
    start, stop = rank * count // size, (rank + 1) * count // size
    return (start, stop, stop - start) if start < stop else (0, 1, 0)


def part_of(batch: Any, rank: int, size: int) -> tuple[Any, int]:
    """That part of a batch, and how many of its examples count."""
    start, stop, counted = share(examples_in(batch), rank, size)
    return mapped(lambda array: array[start:stop], batch), counted


def stacked(examples: list[Any]) -> Any:
    """Examples of equal structure and shapes as one batch."""

    def stack(*parts: Any) -> Array:
        arrays = [np.asarray(part) for part in parts]
        if any(array.shape != arrays[0].shape for array in arrays):
            shapes = list(dict.fromkeys(str(array.shape) for array in arrays))
            raise ValueError(
                f"DataLoader: examples of one batch have the shapes {', '.join(shapes[:3])}; pad them to one, or give "
                "collate=, a function of a list of examples"
            )
        return np.stack(arrays)

    return mapped(stack, *examples)


def joined(parts: list[Any]) -> Any:
    """Batches one after the other."""
    if len(parts) == 1:
        return parts[0]
    return mapped(lambda *arrays: np.concatenate(arrays), *parts)
