"""The number of bytes that a graph saves for its backward pass."""

from __future__ import annotations

import sys
from typing import Any

from ...examples import every
from ...graph import Node
from ..picture.model import Picture, amount
from .names import Names, root


class _Counter:
    """Sizes of objects, each counted once.  Arrays that the caller holds too are counted separately."""

    def __init__(self, owned: set[int]) -> None:
        self._owned = owned
        self._seen: set[int] = set()
        self.shared = 0

    def size(self, value: Any) -> int:
        """The bytes of an object and its parts, as far as no other holder was found."""
        total = 0
        todo = [value]
        while todo:
            one = root(every(todo.pop()))
            if id(one) in self._seen or _is_common(one):
                continue
            self._seen.add(id(one))
            if id(one) in self._owned:
                self.shared += one.nbytes
                continue
            total += sys.getsizeof(one)
            if isinstance(one, tuple | list):
                todo.extend(one)
        return total

    def of_node(self, node: Node) -> int:
        """The bytes of one operation and its saved values."""
        parts = (node, node.age, node.parents, node.saved)
        return sum(map(sys.getsizeof, parts)) + self.size(node.shape) + sum(map(self.size, node.saved or ()))


def _is_common(value: Any) -> bool:
    """Whether the interpreter shares one object of this value in the whole program."""
    if isinstance(value, int):
        return -5 <= value <= 256
    return value is None or isinstance(value, str) or (isinstance(value, tuple) and not value) or callable(value)


def keep_bytes(picture: Picture, position: dict[Node, int], names: Names) -> None:
    """Note how many bytes each node saves for the backward pass: arrays, each once, and Python's objects.

    Arrays that the caller holds too (parameters, data) are counted separately, because freeing the graph does not free
    them.
    """
    counter = _Counter(names.owned)
    total = 0
    for node, i in position.items():
        kept = picture.boxes[i].kept = counter.of_node(node) if node.parents else 0
        total += kept
    picture.facts.append(f"kept for backward: {amount(total)}, and {amount(counter.shared)} that you hold anyway")
    if any(node.saved is None for node in position):
        picture.facts.append(
            "the graph was freed by backward(): its arrays are gone; draw it before, or retain_graph=True"
        )
