"""Results that have one pullback for all: the engine walks to one node, whose rule is called once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...graph import Node, Parts
from ...outputs import outputs_of
from ...primitive import Primitive
from ...rule import Rule
from ...structural import plain
from ...tensor import Tensor

Array = Any
Pull = Callable[[dict[int, Any], bool], dict[int, Any]]
"""From the cotangents of outputs, and whether the pass is recorded, to those of parents; both by position."""


def _identity(inputs: Any) -> Any:
    return inputs


def _entry(name: str) -> Primitive:
    return Primitive(_identity, _identity, {"inputs": None}, name=name, parameters=("inputs",))


_INPUTS = _entry("inputs")
_EXTRA = _INPUTS.output + 1
_PICK = Rule("inputs", lambda g, i: g[i], 0, (_EXTRA,))
_names: dict[str, tuple[Primitive, Rule]] = {}


def _pulled(g: Parts, pull: Pull, shapes: Any, dtypes: Any) -> Parts:
    """The cotangents of all inputs."""
    create = any(type(part) is Tensor for part in g.known.values())
    known = g.known if create else {i: plain(part) for i, part in g.known.items()}
    return Parts(pull(known, create), shapes, dtypes)


def linked(name: str, values: Sequence[Array], parents: Sequence[Node], pull: Pull) -> tuple[Tensor, ...]:
    """A Tensor for each value, of one operation with these parents."""
    if name not in _names:
        _names[name] = _entry(name), Rule(name, _pulled, 0, (_EXTRA,) * 3)
    entry, rule = _names[name]
    shapes, dtypes = tuple(node.shape for node in parents), tuple(node.dtype for node in parents)
    picks, places = (_PICK,) * len(parents), tuple(range(len(parents)))
    inputs = Node.make(_INPUTS, shapes, dtypes, parents=tuple(parents), rules=picks, saved=places)
    whole = Node.make(
        entry, tuple(v.shape for v in values), tuple(v.dtype for v in values), parents=(inputs,), rules=(rule,),
        saved=((pull, shapes, dtypes),),
    )  # fmt: skip
    return outputs_of(tuple(values), whole)  # type: ignore[no-any-return]


def sources(roots: Sequence[Node], start: int) -> list[Node]:
    """The nodes from before ``start`` that these depend on."""
    found: dict[Node, None] = {}
    waiting = [node for node in roots if node.active]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if node.age <= start:
            found[node] = None
            continue
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return list(found)
