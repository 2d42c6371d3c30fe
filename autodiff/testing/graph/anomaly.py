"""detect_anomaly: the operation, and its line of code, that made the first NaN or infinity."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from ...graph import CONSTANT, Edge, GraphError, Node, Parts, Walk, sweep
from ...mode import entered
from ...primitive import Primitive
from ...structural import again, structural
from ...tensor import Tensor
from ..tracing.examples import is_array, numbers
from ..tracing.trace import Source, Trace, calling_line, operation_node


class AnomalyError(FloatingPointError):
    """A NaN or an infinity that matters.

    ``operation`` is the name of the operation that made it, ``source`` its line of code, ``phase`` "forward" or
    "backward", ``node`` its node.
    """

    def __init__(self, message: str, operation: str, source: Source | None, phase: str, node: Node | None) -> None:
        super().__init__(message + (f"\n  asked for at {source}" if source else ""))
        self.operation: str = operation
        self.source: Source | None = source
        self.phase: str = phase
        self.node: Node | None = node


class _Seen(NamedTuple):
    """A result that is not finite, and whether it is where that began."""

    what: str
    operation: str
    source: Source | None
    first: bool


class detect_anomaly(Trace):  # noqa: N801
    """Raise AnomalyError at the first NaN or infinity that matters, in the forward or the backward pass.

    A context manager; other threads are not affected.  A value on which no result and no gradient depends, as in the
    untaken branch of a ``where``, is no anomaly.  It raises at ``backward`` (and ``grad``, ``vjp``), or at the end of
    the block for a result without a further operation.  Operations under ``no_grad`` are not examined.

    It also compares a checksum of all saved arrays, and raises GraphError if one was changed before the backward pass.
    It takes a few times as long as a plain pass: use it to find a fault.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> from autodiff.testing import AnomalyError, detect_anomaly
    >>> x = Tensor([0.0, 1.0])
    >>> try:
    ...     with detect_anomaly():
    ...         np.sum(np.sqrt(x) * 2.0).backward()
    ... except AnomalyError as error:
    ...     print(error.operation, error.phase)
    sqrt backward
    """

    def __init__(self) -> None:
        super().__init__()
        self.sources: WeakKeyDictionary[Node, Source | None] = WeakKeyDictionary()
        self.bad: WeakKeyDictionary[Node, _Seen] = WeakKeyDictionary()
        self.sums: WeakKeyDictionary[Node, list[int]] = WeakKeyDictionary()
        self.used: WeakSet[Node] = WeakSet()

    # -- forward ---------------------------------------------------------------------------------------------

    def saw(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Examine the values of one operation."""
        node = operation_node(result)
        inputs = _tensors((*args, *kwargs.values()))
        self.used.update(t._node for t in inputs)
        if node is CONSTANT:
            return
        source = self.sources[node] = calling_line()
        self.sums[node] = [_checksum(v) for edge in node.edges for v in edge.saved or ()]
        parts = [r for r in (result if isinstance(result, tuple) else (result,)) if type(r) is Tensor]
        wrong = next((p for p in parts if not _is_finite(p._value)), None)
        if wrong is None:
            return
        first = not any(t._node in self.bad for t in inputs)
        seen = _Seen(_described(primitive, wrong._value, args), primitive.name, source, first)
        for some in {node, *(p._node for p in parts)}:
            self.bad[some] = seen

    def replaced(self, old: Node, new: Node) -> None:
        """Note for the new node the cause of the old one."""
        if old in self.bad:
            self.bad[new] = self.bad[self._first(old)]
        super().replaced(old, new)

    def _first(self, node: Node) -> Node:
        """The first of the operations that made this result not finite."""
        found, waiting, visited = [], [node], {node}
        for current in waiting:
            if self.bad[current].first:
                found.append(current)
            for parent in current.parents:
                if parent in self.bad and parent not in visited:
                    visited.add(parent)
                    waiting.append(parent)
        return min(found or [node], key=lambda n: n.age)

    def _blame(self, node: Node) -> AnomalyError:
        guilty = self._first(node)
        seen = self.bad[guilty]
        return AnomalyError(seen.what, seen.operation, seen.source, "forward", guilty)

    def left(self, *error: Any) -> None:
        """Raise for a non-finite result without a further operation, unless there was another error."""
        if error[:1] == (None,):
            ends = [node for node in self.bad if node not in self.used and node.primitive is not None]
            if ends:
                raise self._blame(min(ends, key=lambda n: n.age))

    # -- backward --------------------------------------------------------------------------------------------

    def backward(self, proceed: Callable[[], Any], seeds: dict[Node, Any], targets: Any) -> Any:
        """A backward pass whose result is examined; if it is not finite, the pass is repeated, slowly."""
        walk = Walk(seeds, targets)
        self._verify(walk.order)
        self.used.update(seeds)
        for node in seeds:
            if node in self.bad:
                raise self._blame(node)
        results = super().backward(proceed, seeds, targets)
        if not all(_is_finite(value) for value in results.values()):
            self._search(walk, seeds)
        return results

    def _search(self, walk: Walk, seeds: dict[Node, Any]) -> None:
        def watched(edge: Edge, g: Any) -> Any:
            contribution = edge.pull(g)
            if _is_finite(g) and not _is_finite(contribution):
                raise self._blame_rule(edge, contribution)
            return contribution

        with np.errstate(all="ignore"), entered(self.enclosing), again():
            values = {n: structural(s._value if type(s) is Tensor else s) for n, s in seeds.items()}
            sweep(walk, values, visit=watched)
        message = "backward: a gradient is not finite, although each contribution to it is: their sum overflows"
        raise AnomalyError(message, "add", None, "backward", None)

    def _blame_rule(self, edge: Edge, contribution: Any) -> AnomalyError:
        node, primitive, name = edge.node, edge.node.primitive, edge.argument
        assert primitive is not None
        saved = ", ".join(_summary(v) for v in edge.saved or () if is_array(v))
        message = (
            f"{primitive.name}: its derivative with respect to '{name}' is {_kinds(numbers(contribution))}, "
            "while what flowed into it was finite" + (f"; it was computed from {saved}" if saved else "")
        )
        return AnomalyError(message, primitive.name, self.sources.get(node), "backward", node)

    def _verify(self, order: list[Node]) -> None:
        """Raise GraphError if saved values have changed."""
        for node in reversed(order):
            before = self.sums.get(node)
            if before is None:
                continue
            saved = [(edge.rule, v) for edge in node.edges for v in edge.saved or ()]
            for (rule, value), checksum in zip(saved, before, strict=False):
                if _checksum(value) != checksum:
                    source = self.sources.get(node)
                    raise GraphError(
                        f"{rule.primitive}: an array of shape {np.shape(value)} that its rule saved was changed in "
                        "place before the backward pass, so its gradient would be wrong; write into a copy"
                        + (f"\n  asked for at {source}" if source else "")
                    )


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if type(value) is Tensor:
            found.append(value)
        elif type(value) in (list, tuple):
            found += _tensors(value)
    return found


def _is_finite(value: Any) -> bool:
    if isinstance(value, Parts):
        return all(_is_finite(part) for part in value.known.values())
    array = numbers(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _checksum(value: Any) -> int:
    if type(value) in (list, tuple):  # the operands of einsum, the arrays of an index
        return zlib.crc32(b",".join(str(_checksum(v)).encode() for v in value))
    value = numbers(value) if is_array(value) else value
    if isinstance(value, np.ndarray) and value.dtype != object:
        return zlib.crc32(np.ascontiguousarray(value).view(np.uint8).data) if value.size else 0
    return 0


def _kinds(array: Any) -> str:
    """The kinds of non-finite values, and how many there are."""
    nan, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    parts = [f"{name} in {count} of {array.size}" for name, count in (("NaN", nan), ("infinite", infinite)) if count]
    return " and ".join(parts) + " elements"


def _summary(value: Any) -> str:
    array = numbers(value)
    text = f"{array.dtype} {array.shape}"
    if array.size and array.dtype.kind == "f":
        with np.errstate(all="ignore"):
            text += f" from {np.min(array):.4g} to {np.max(array):.4g}"
    return text


def _described(primitive: Primitive, result: Any, args: tuple[Any, ...]) -> str:
    arrays = [numbers(a) for a in args if isinstance(a, Tensor | np.ndarray | np.generic | float)]
    finite = all(_is_finite(a) for a in arrays)
    given = ", ".join(_summary(a) for a in arrays)
    cause = f"from finite arguments: {given}" if finite else f"because an argument is not finite already: {given}"
    return f"{primitive.name}: its result is {_kinds(numbers(result))}, {cause}"
