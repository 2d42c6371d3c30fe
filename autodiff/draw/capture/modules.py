"""The modules of a finished graph, found from its parameters.

A graph does not record which modules made it.  But an operation that uses a parameter belongs to the module of the
parameter.  So do the operations between two such operations.  Operations before the first parameter of a module, or
after its last, cannot be assigned; ``draw(model, x)`` sees the calls themselves.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple, TypeVar

from ...graph import Node
from ..picture.model import Group
from .names import Names

T = TypeVar("T")
Chain = tuple[int, ...]  # groups, the outermost first

FACT = "modules: told by the parameters that operations take; draw(model, x) sees every call"


def by_parameters(
    order: list[Node], parents: dict[Node, list[Node]], names: Names, groups: list[Group]
) -> dict[Node, int]:
    """The innermost group of each operation inside a module; makes the groups.

    ``order`` is that of the computation.
    """
    operations = [node for node in order if node.primitive is not None]
    chains = _of_owners(operations, parents, names, groups)
    if chains:
        _between(operations, parents, chains)
    return {node: chain[-1] for node, chain in chains.items() if chain}


def _of_owners(
    operations: list[Node], parents: dict[Node, list[Node]], names: Names, groups: list[Group]
) -> dict[Node, Chain]:
    """The groups around each operation that uses a parameter: a new group for each call of a module.

    A parameter that is used again means another call of the outermost module whose parameters have all been used.
    While a network has not used its last layer, it is the same call, and its cell is called again.
    """
    chains: dict[Node, Chain] = {}
    stack: list[_Call] = []
    taken = {p for node in operations for p in parents[node] if p in names.homes}
    sizes = Counter(path for p in taken for path in names.homes[p])
    for node in operations:
        used = [p for p in dict.fromkeys(parents[node]) if p in names.homes]
        if not used:
            continue
        path = _common([names.homes[p] for p in used])
        same = len(_common([path, tuple(call.path for call in stack)]))
        if same and not stack[same - 1].used.isdisjoint(used):
            whole = (k for k in range(same) if len(stack[k].used) == sizes[path[k]])
            same = next(whole, same)
        del stack[same:]
        for name in path[same:]:
            groups.append(Group("module", name, names.kinds[name], stack[-1].group if stack else 0))
            stack.append(_Call(name, len(groups) - 1, set()))
        for call in stack:
            call.used.update(used)
        chains[node] = tuple(call.group for call in stack)
    return chains


class _Call(NamedTuple):
    """One call of a module: its path, its group, and the parameters used so far."""

    path: str
    group: int
    used: set[Node]


def _between(operations: list[Node], parents: dict[Node, list[Node]], chains: dict[Node, Chain]) -> None:
    """Add the operations between those of one module, in time and on a path."""
    users: dict[Node, list[Node]] = {}
    for node in operations:
        for parent in parents[node]:
            users.setdefault(parent, []).append(node)
    following: Chain = ()
    nexts: list[Chain] = []
    for node in reversed(operations):
        following = chains.get(node, following)
        nexts.append(following)
    open_ones = []
    last: Chain = ()
    for node, following in zip(operations, reversed(nexts), strict=True):
        if node in chains:
            last = chains[node]
            continue
        chain = _common([last, following])
        chains[node] = _longest([_common([chain, chains.get(p, ())]) for p in parents[node]])
        open_ones.append(node)
    for node in reversed(open_ones):
        chains[node] = _longest([_common([chains[node], chains.get(u, ())]) for u in users.get(node, ())])


def _common(chains: list[tuple[T, ...]]) -> tuple[T, ...]:
    """The common beginning of all chains."""
    first, *others = chains
    length = min(map(len, chains))
    for other in others:
        length = next((k for k in range(length) if first[k] != other[k]), length)
    return first[:length]


def _longest(chains: list[Chain]) -> Chain:
    return max(chains, key=len, default=())
