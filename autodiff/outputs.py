"""Results of operations: a Tensor and its node; for several outputs a Tensor each, and one node for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .examples import is_one
from .graph import CONSTANT, Node, Parts, Several, tick
from .mode import innermost
from .primitive import Primitive
from .rule import Rule
from .tensor import Tensor, provide, wrap

_new = object.__new__


def same_tuple(like: Any, items: list[Any]) -> Any:
    """The items as a tuple of the same kind: a named one stays named."""
    return type(like)(*items) if hasattr(like, "_fields") else tuple(items)


ITEM = Primitive(
    lambda whole, position: whole[position],
    lambda whole, position: whole[position],
    {"whole": None},
    name="item",
    parameters=("whole", "position"),
)
"""One output of an operation that has several.  Its adjoint makes the one cotangent part of all."""
_NOT_AN_ARRAY = ITEM.output + 1
_ITEM_RULES = (Rule("item", lambda g, i, shape, dtype: Parts({i: g}, shape, dtype), 0, (_NOT_AN_ARRAY,) * 3),)


def outputs_of(values: Any, whole: Node) -> Any:
    """A Tensor for each output of one operation."""
    return same_tuple(values, [_output(value, whole, i) for i, value in enumerate(values)])


def _output(value: Any, whole: Node, i: int) -> Tensor:
    """Output number ``i`` of an operation with several outputs."""
    saved = (i, whole.shape, whole.dtype)
    node = Node.make(
        ITEM, value.shape, value.dtype, parents=(whole,), rules=_ITEM_RULES, saved=(saved,),
        active=value.dtype.kind in "fc",
    )  # fmt: skip
    return wrap(value, node)


def result_of(
    primitive: Primitive,
    y: Any,
    parents: tuple[Node, ...],
    rules: tuple[Rule, ...],
    saved: tuple[Any, ...],
    silent: tuple[Node, ...] = (),
) -> Any:
    """The Tensor, or the tuple of Tensors, of a recorded operation."""
    node: Node = _new(Node)
    node.primitive, node.parents, node.rules, node.saved, node.note = primitive, parents, rules, saved, silent
    node.active, node.age = True, tick()
    if isinstance(y, tuple):
        node.kind = None
        node.shape = tuple([v.shape for v in y])
        node.dtype = tuple([v.dtype for v in y])
        return outputs_of(y, node)
    node.kind = np.float64 if type(y) is np.float64 else None
    node.shape = y.shape
    node.dtype = y.dtype
    tensor: Tensor = _new(Tensor)
    tensor._value = y
    tensor._node = node
    return tensor


def flat_node(primitive: Primitive, value: Any, inputs: list[Node]) -> Node:
    """The node of a result without a gradient, recorded for pictures only."""
    inert = tuple(node for node in inputs if node is not CONSTANT)
    return Node.make(primitive, value.shape, value.dtype, note=inert, active=False) if inert else CONSTANT


UNSTACK = Primitive(tuple, tuple, {"x": lambda g: np.stack(list(g))}, name="unstack", parameters=("x",))
"""What an iteration is recorded as: one operation with an output for each element, so that backward is linear."""
_UNSTACK_RULE: Any = UNSTACK.rules[0]


def unstacked(t: Tensor) -> Iterator[Tensor]:
    """The elements along the first axis, one at a time."""
    value, whole = t._value, None  # not born before somebody asks for an element
    one = type(value) is np.ndarray or is_one(value)
    for i in range(value.shape[0]):
        if innermost() is not None or not t._node.active or not one:
            yield t[i]
            continue
        if whole is None:
            shapes, dtypes = Several((value.shape[1:],) * len(value)), Several((value.dtype,) * len(value))
            whole = Node.make(UNSTACK, shapes, dtypes, parents=(t._node,), rules=(_UNSTACK_RULE,), saved=(None,))
        yield _output(value[i], whole, i)


provide(unstacked=unstacked)
