"""Nestings of dict, list, tuple, dataclass and registered classes as flat lists of leaves, and back.

None is an empty nesting, so an optional parameter may be absent.  Dictionaries are matched by key, not by order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Unflatten = Callable[[list[Any]], Any]
_containers: list[tuple[type, Callable[[Any], tuple[list[Any], Unflatten]]]] = []


class Branch(NamedTuple):
    """The parts of a container: the path of each child, the children, and a function that makes a new container."""

    names: list[str]
    children: list[Any]
    rebuild: Unflatten


def register_container(kind: type, split: Callable[[Any], tuple[list[Any], Unflatten]]) -> None:
    """Make instances of ``kind`` containers: ``split(x)`` returns the children, and a function that puts new ones in.

    Instances of subclasses are containers too.  If several registered classes fit, the last one is used.

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
    """A copy of a dataclass with other values; ``__post_init__`` does not run."""
    other = _shallow(tree)
    for name, child in zip(names, children, strict=True):
        object.__setattr__(other, name, child)
    return other


def branch_of(tree: Any) -> Branch | None:
    """The parts of a container; None for a leaf."""
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
    """The leaves from left to right, and a function that builds the same nesting from other leaves.

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
    """The path of each leaf, as Python code for error messages, in the order of the leaves.

    >>> places({"w": 1.0, "layers": [2.0, (3.0,)]})
    ["['w']", "['layers'][0]", "['layers'][1][0]"]
    """
    parts = branch_of(tree)
    if parts is None:
        return [path]
    children = zip(parts.names, parts.children, strict=True)
    return [place for name, child in children for place in places(child, path + name)]


def flatten_like(tree: Any, like: Any, who: str, *, repeat: bool = False, path: str = "") -> list[Any]:
    """The leaves of ``tree`` in the order of the leaves of ``like``; both must have the same nesting.

    With ``repeat``, one leaf of ``tree`` may stand for all leaves of a nesting in ``like``.  Raises ValueError whose
    message begins with ``who`` and names the path of the difference.

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
