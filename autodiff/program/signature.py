"""The signature of a call: what two calls have in common that one program fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tree import flatten

_STATIC = (int, str, bytes, type(None), np.generic, np.dtype, type)


def signature_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """The leaves of the arguments, and what two calls have in common that one program fits."""
    if not kwargs:
        parts = []
        for a in args:
            if type(a) is not np.ndarray or a.dtype.kind not in "fciub":
                break
            parts.append((a.shape, a.dtype, a.strides))
        else:  # the commonest case
            return args, tuple(parts)
    leaves, unflatten = flatten((args, kwargs))
    return leaves, _key(leaves, unflatten)


def is_dynamic(leaf: Any) -> bool:
    """Whether an argument may have another value when the program is run again."""
    return type(leaf) in (np.ndarray, float, complex) or isinstance(leaf, np.inexact)


def _key(leaves: list[Any], unflatten: Any) -> Any:
    """What two calls have in common that one program fits; None if an argument says nothing of that."""
    parts: list[Any] = []
    for leaf in leaves:
        kind = type(leaf)
        if kind is np.ndarray:
            if leaf.dtype.kind not in "fciub":
                return None
            parts.append((leaf.shape, leaf.dtype, leaf.strides))
        elif is_dynamic(leaf):
            parts.append(kind)
        elif isinstance(leaf, _STATIC):
            parts.append((kind, leaf))
        elif callable(leaf) or hasattr(leaf, "__dict__"):
            if hasattr(kind, "__array_function__") or hasattr(kind, "__array__"):
                return None
            parts.append((kind, id(leaf)))
        else:
            return None
    return nesting_of(unflatten([Leaf] * len(leaves))), tuple(parts)


class Leaf:
    """What stands for every leaf of a nesting."""


def nesting_of(tree: Any) -> Any:
    """A nesting as something that can be compared and hashed."""
    if tree is Leaf:
        return None
    if isinstance(tree, dict):
        return type(tree), tuple((key, nesting_of(part)) for key, part in tree.items())
    if isinstance(tree, list | tuple):
        return type(tree), tuple(map(nesting_of, tree))
    parts = vars(tree).items() if hasattr(tree, "__dict__") else ()
    return type(tree), tuple((name, nesting_of(part)) for name, part in parts)


SHOWN = 12


def described(leaves: list[Any]) -> str:
    """The arguments in words."""
    words = [f"{x.dtype}{list(x.shape)}" if type(x) is np.ndarray else f"{type(x).__name__}" for x in leaves[:SHOWN]]
    return f"({', '.join(words)}{f' and {len(leaves) - SHOWN:,} more' * (len(leaves) > SHOWN)})"
