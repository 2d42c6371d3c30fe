"""Nestings of dict, list, tuple, dataclass (and what else is registered) as flat lists of leaves, and back.

None is a nesting with nothing in it, so an optional parameter may be absent.  Dictionaries are matched by key, never
by order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Unflatten = Callable[[list[Any]], Any]
_containers: list[tuple[type, Callable[[Any], tuple[list[Any], Unflatten]]]] = []


class Branch(NamedTuple):
    """A container taken apart: a name for each child (how one would write it), the children, and the way back."""

    names: list[str]
    children: list[Any]
    rebuild: Unflatten


def register_container(kind: type, split: Callable[[Any], tuple[list[Any], Unflatten]]) -> None:
    """Make instances of ``kind`` containers: ``split(x)`` gives the children, and the way from new children to a copy.

    Instances of subclasses are containers too; of several registered kinds, the last one that fits wins.

    >>> from autodiff import grad
    >>> class Line:
    ...     def __init__(self, slope, offset):
    ...         self.slope, self.offset = slope, offset
    >>> register_container(Line, lambda line: ([line.slope, line.offset], lambda children: Line(*children)))
    >>> grad(lambda line: line.slope * 3.0 + line.offset)(Line(2.0, 1.0)).slope
    3.0
    """
    _containers.append((kind, split))


def _shallow(tree: Any) -> Any:
    import copy  # few programs need it, and all would wait for it

    return copy.copy(tree)


def _filled(tree: Any, names: list[str], children: list[Any]) -> Any:
    """A copy of a dataclass with other values in its fields; ``__post_init__`` does not run on them."""
    other = _shallow(tree)
    for name, child in zip(names, children, strict=True):
        object.__setattr__(other, name, child)
    return other


def branch_of(tree: Any) -> Branch | None:
    """A container taken apart; None for a leaf."""
    kind = type(tree)
    if kind is list:
        return Branch([f"[{i}]" for i in range(len(tree))], tree, list)
    if kind is tuple:
        return Branch([f"[{i}]" for i in range(len(tree))], list(tree), tuple)
    if tree is None:
        return Branch([], [], lambda children: None)
    for registered, split in reversed(_containers):
        if isinstance(tree, registered):
            children, rebuild = split(tree)
            return Branch([f"<{i}>" for i in range(len(children))], children, rebuild)
    if isinstance(tree, dict):
        return _split_dict(tree)
    if isinstance(tree, tuple) and hasattr(kind, "_fields"):
        return Branch([f".{name}" for name in kind._fields], list(tree), lambda children: kind(*children))
    fields = None if isinstance(tree, type) else getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        names = list(fields)
        return Branch(
            [f".{name}" for name in names],
            [getattr(tree, name) for name in names],
            lambda children: _filled(tree, names, children),
        )
    return None


def _split_dict(tree: dict[Any, Any]) -> Branch:
    keys = list(tree)

    def rebuild(children: list[Any]) -> Any:
        if type(tree) is dict:
            return dict(zip(keys, children, strict=True))
        other = _shallow(tree)  # an OrderedDict, a defaultdict with its factory
        other.update(zip(keys, children, strict=True))
        return other

    return Branch([f"[{key!r}]" for key in keys], list(tree.values()), rebuild)


def flatten(tree: Any) -> tuple[list[Any], Unflatten]:
    """The leaves from left to right, and the function that builds the same nesting of other leaves.

    >>> leaves, unflatten = flatten({"w": 1.0, "layers": [2.0, (3.0,)], "bias": None})
    >>> leaves, unflatten([4.0, 5.0, 6.0])
    ([1.0, 2.0, 3.0], {'w': 4.0, 'layers': [5.0, (6.0,)], 'bias': None})
    """
    parts = branch_of(tree)
    if parts is None:
        return [tree], lambda leaves: leaves[0]
    rebuild = parts.rebuild
    flat = [flatten(child) for child in parts.children]

    def unflatten(leaves: list[Any]) -> Any:
        start, built = 0, []
        for child_leaves, child_unflatten in flat:
            stop = start + len(child_leaves)
            built.append(child_unflatten(leaves[start:stop]))
            start = stop
        return rebuild(built)

    return [leaf for child_leaves, _ in flat for leaf in child_leaves], unflatten


def places(tree: Any, path: str = "") -> list[str]:
    """How one would write each leaf, in the order of the leaves: where an error message points.

    >>> places({"w": 1.0, "layers": [2.0, (3.0,)]})
    ["['w']", "['layers'][0]", "['layers'][1][0]"]
    """
    parts = branch_of(tree)
    if parts is None:
        return [path]
    children = zip(parts.names, parts.children, strict=True)
    return [place for name, child in children for place in places(child, path + name)]


def flatten_like(tree: Any, like: Any, who: str, *, repeat: bool = False, path: str = "") -> list[Any]:
    """The leaves of ``tree`` in the order of the leaves of ``like``, whose nesting it must have.

    With ``repeat``, a leaf of ``tree`` may stand where ``like`` has a whole nesting, for all of its leaves.
    Raises ValueError that begins with ``who`` and names the place of the difference.

    >>> flatten_like({"b": 2, "a": 1}, {"a": 0.0, "b": 0.0}, "example")
    [1, 2]
    """
    theirs = branch_of(like)
    if theirs is None:
        if branch_of(tree) is not None and tree is not None:
            raise ValueError(f"{who}{_at(path)}: got a {type(tree).__name__} where one array belongs")
        return [tree]
    mine = branch_of(tree)
    if repeat and (mine is None or (tree is None and like is not None)):
        return [tree] * len(flatten(like)[0])
    if mine is None:
        raise ValueError(f"{who}{_at(path)}: got a {type(tree).__name__} where {_named(like, theirs)} belongs")
    if isinstance(like, dict) and isinstance(tree, dict):
        if tree.keys() != like.keys():
            raise ValueError(f"{who}{_at(path)}: the keys are {list(tree)}, they should be {list(like)}")
        children = [tree[key] for key in like]
    else:
        if isinstance(tree, dict) or isinstance(like, dict) or mine.names != theirs.names:
            raise ValueError(f"{who}{_at(path)}: got {_named(tree, mine)} where {_named(like, theirs)} belongs")
        children = mine.children
    return [
        leaf
        for name, child, other in zip(theirs.names, children, theirs.children, strict=True)
        for leaf in flatten_like(child, other, who, repeat=repeat, path=path + name)
    ]


def _at(path: str) -> str:
    return f" at {path}" if path else ""


def _named(tree: Any, parts: Branch) -> str:
    return f"a {type(tree).__name__} of {len(parts.names)}"
