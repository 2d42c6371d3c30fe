"""What a picture should show beyond operations, shapes and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...graph import Node
from ...tensor import Tensor


@dataclass
class Options:
    """What a picture should show beyond operations, shapes and names."""

    values: bool = False
    gradients: bool = False
    memory: bool = False
    times: bool = False
    backward: bool = False
    constants: bool = False
    marks: dict[Node, str] = field(default_factory=dict)


def marks(subject: Any) -> dict[Node, str]:
    """The nodes to mark: a Tensor, a node, several of them, a dict of messages, or a report that names one."""
    if subject is None:
        return {}
    if isinstance(subject, Tensor):
        return {subject._node: ""}
    if isinstance(subject, Node):
        return {subject: ""}
    if isinstance(subject, Mapping):
        return {(t._node if isinstance(t, Tensor) else t): str(message) for t, message in subject.items()}
    node = getattr(subject, "node", None)
    if isinstance(node, Node):
        return {node: str(getattr(subject, "message", "") or "")}
    if isinstance(subject, Iterable):
        return {node: message for part in subject for node, message in marks(part).items()}
    raise TypeError(f"draw: mark={type(subject).__name__} names no node; give a Tensor, or {{tensor: message}}")
