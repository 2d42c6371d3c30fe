"""Nestings of dict, list, tuple, dataclass (and what else is registered) as flat lists of leaves, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Unflatten = Callable[[list[Any]], Any]
_containers: list[tuple[type, Callable[[Any], tuple[list[Any], Unflatten]]]] = []


def register_container(kind: type, split: Callable[[Any], tuple[list[Any], Unflatten]]) -> None:
    """Make instances of ``kind`` containers: ``split(x)`` gives the children, and a function from new children to a copy."""
    _containers.append((kind, split))


def _split(tree: Any) -> tuple[list[Any], Unflatten] | None:
    """The children of a container and the way back; None for a leaf."""
    kind = type(tree)
    if kind is list:
        return tree, list
    if kind is tuple:
        return list(tree), tuple
    if kind is dict:
        return list(tree.values()), lambda children: dict(zip(tree, children, strict=True))
    if isinstance(tree, tuple) and hasattr(kind, "_fields"):
        return list(tree), lambda children: kind(*children)
    for registered, split in _containers:
        if isinstance(tree, registered):
            return split(tree)
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        return [getattr(tree, name) for name in fields], lambda children: kind(**dict(zip(fields, children, strict=True)))
    return None


def flatten(tree: Any) -> tuple[list[Any], Unflatten]:
    """The leaves from left to right, and the function that builds the same nesting of other leaves.

    >>> leaves, unflatten = flatten({"w": 1.0, "layers": [2.0, (3.0,)]})
    >>> leaves, unflatten([4.0, 5.0, 6.0])
    ([1.0, 2.0, 3.0], {'w': 4.0, 'layers': [5.0, (6.0,)]})
    """
    parts = _split(tree)
    if parts is None:
        return [tree], lambda leaves: leaves[0]
    children, rebuild = parts
    flat = [flatten(child) for child in children]

    def unflatten(leaves: list[Any]) -> Any:
        rest, built = leaves, []
        for child_leaves, child_unflatten in flat:
            built.append(child_unflatten(rest[: len(child_leaves)]))
            rest = rest[len(child_leaves) :]
        return rebuild(built)

    return [leaf for child_leaves, _ in flat for leaf in child_leaves], unflatten
