"""Parts of a graph that are one node, as scan is: what is inside is drawn, in a frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...graph import Node
from ...outputs import ITEM
from ...transforms.parts import Kept, part_of
from ..picture.model import Group


class Opening:
    """The nodes that are drawn in the place of the outputs of parts; ``parts`` are those that were opened."""

    def __init__(self) -> None:
        self.parts: dict[Node, Kept] = {}
        self.replaced: dict[Node, Node] = {}

    def through(self, node: Node) -> Node:
        """The node inside that an output of a part is; any other node as it is."""
        inner = node
        while inner.primitive is ITEM and inner.parents and inner.saved:
            whole = inner.parents[0]
            part = part_of(whole)
            if not isinstance(part, Kept):
                break
            self.parts.setdefault(whole, part)
            inner = part.opened()[inner.saved[0][0]]
        if inner is not node:
            self.replaced[node] = inner
        return inner

    def _inside(self, part: Kept) -> Iterator[Node]:
        """The nodes of a part, and of the parts in it."""
        for node in part.nodes:
            if node in self.parts:
                yield from self._inside(self.parts[node])
            else:
                yield node

    def frame(self, group_of: dict[Node, int], groups: list[Group]) -> None:
        """Put what is inside of each part into a group of its own; those around it come first."""
        for whole, part in sorted(self.parts.items(), key=lambda item: -item[0].age):
            nodes = [node for node in self._inside(part) if node in group_of]
            if not nodes:
                continue
            around = _common({group_of[node] for node in nodes}, groups)
            number = len(groups)
            name: Any = whole.primitive
            groups.append(Group("function", name.name, "", around))
            for node in nodes:
                top = group_of[node]
                if top == around:
                    group_of[node] = number
                    continue
                while groups[top].parent not in (around, number):
                    top = groups[top].parent
                groups[top].parent = number


def _common(found: set[int], groups: list[Group]) -> int:
    """The innermost group around all of these."""
    paths = []
    for group in found:
        path = [group]
        while path[-1] > 0:
            path.append(groups[path[-1]].parent)
        paths.append(path[::-1])
    last = 0
    for level in zip(*paths, strict=False):
        if len(set(level)) > 1:
            break
        last = level[0]
    return last
