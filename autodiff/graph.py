"""The engine: the order of nodes, and the backward pass.

There is no derivative in this file.  A rule is called with the array type of its cotangent.  So the same code computes
numbers (with ndarrays) or a differentiable result (with Tensors, see ``lift``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from . import deadness as deadness  # how zeros by selection go through NumPy's functions
from . import writes
from .arrays import is_plain
from .cotangents import Parts as Parts
from .cotangents import Scattered as Scattered
from .cotangents import fit
from .cotangents import unbroadcast as unbroadcast
from .examples import Examples, every
from .node import CONSTANT as CONSTANT
from .node import DOUBLE as DOUBLE
from .node import FREED
from .node import Edge as Edge
from .node import GraphError as GraphError
from .node import Node as Node
from .node import Several as Several
from .node import is_variable as is_variable
from .node import tick as tick
from .node import variable_node as variable_node
from .rule import Rule, WrittenError, changed, has_changed
from .structural import again, mask, plain, structural, tracking

_age = attrgetter("age")


def topological_order(roots: Iterable[Node], stop: Collection[Node] = ()) -> list[Node]:
    """All nodes that the roots depend on, each once, children before parents.

    Iterative, with one visit per node.  Does not visit the parents of nodes in ``stop``.
    """
    return Walk(roots, stop or None).order


class Walk:
    """The nodes between ``roots`` and ``targets`` (None: all variables), each once, children before parents.

    A node that is older than every target depends on no target, so the search stops there: ``boundary`` are these
    nodes.  ``wanted`` is None if every node of ``order`` depends on a target, otherwise the set of those that do.
    """

    __slots__ = ("boundary", "order", "roots", "targets", "wanted")

    def __init__(
        self, roots: Iterable[Node], targets: Collection[Node] | None = None, floor: int | None = None
    ) -> None:
        waiting = list(dict.fromkeys(roots))  # a stack: neighbours in the graph are neighbours in memory
        self.roots = tuple(waiting)
        self.targets = targets
        self.boundary: set[Node] = set()
        self.wanted: set[Node] | None = None
        order = waiting.copy()
        seen = set(waiting)
        add, push, wait, take = seen.add, order.append, waiting.append, waiting.pop
        if targets is None:
            while waiting:
                for parent in take().parents:
                    if parent not in seen:
                        add(parent)
                        push(parent)
                        wait(parent)
        else:
            if floor is None:
                floor = min(map(_age, targets), default=0)
            blind = False  # whether there is a way that ends at no target
            while waiting:
                node = take()
                if node in targets:
                    continue
                if not node.parents:
                    blind = True
                for parent in node.parents:
                    if parent in seen:
                        continue
                    add(parent)
                    if parent.age < floor:
                        self.boundary.add(parent)
                    else:
                        push(parent)
                        wait(parent)
        order.sort(key=_age, reverse=True)
        self.order = order
        if targets is not None and (blind or self.boundary):
            self.wanted = _leading(order, targets)

    def path(self) -> list[Node]:
        """The nodes whose rules are applied."""
        wanted, targets = self.wanted, self.targets
        if targets is None:
            return self.order
        return [node for node in self.order if node not in targets and (wanted is None or node in wanted)]

    def eager(self) -> list[Node]:
        """The order with each variable right behind the last node that depends on it: its cotangent is whole there."""
        last = {parent: node for node in self.order for parent in node.parents if not parent.parents}
        behind: dict[Node, list[Node]] = {}
        for variable, node in last.items():
            behind.setdefault(node, []).append(variable)
        found = [node for node in self.roots if not node.parents]
        for node in self.order:
            if node.parents:
                found.append(node)
                found += behind.get(node, ())
        return found


def _leading(order: list[Node], targets: Collection[Node]) -> set[Node]:
    """The nodes that depend on a target, and the targets."""
    leading: set[Node] = set()
    for node in reversed(order):
        if node in targets or not leading.isdisjoint(node.parents):
            leading.add(node)
    return leading


def _lifted(
    node: Node, lift: Callable[[Any, Node], Any], wanted: Collection[Node] | None
) -> tuple[tuple[Rule, ...], list[Any]]:
    """The rules of a node and their saved values, with the values that came from nodes tied to them again."""
    primitive, saved = node.primitive, node.saved
    assert primitive is not None
    if saved is None:
        raise GraphError(FREED.format(primitive.name))
    sources = {rule.position: parent for parent, rule in zip(node.parents, node.rules, strict=True)}
    sequence: Any = None
    rules, lifted = [], []
    for rule, parent, packed in zip(node.rules, node.parents, saved, strict=True):
        if rule.watched and (wanted is None or parent in wanted) and has_changed(packed):
            raise WrittenError(rule, packed)
        values = []
        for want, value in zip(rule.wants, rule.unpacked(packed), strict=True):
            if want == primitive.output:
                value = lift(value, node)
            elif want == primitive.sequence:
                if sequence is None:
                    sequence = list(value)
                    for other, parent in zip(node.rules, node.parents, strict=True):
                        sequence[other.element] = lift(value[other.element], parent)
                value = sequence
            elif want in sources:
                value = lift(value, sources[want])
            else:
                value = mask(value)
            values.append(value)
        rules.append(rule.plain)
        lifted.append(rule.plain.packed(tuple(values)))
    return tuple(rules), lifted


_CHANGED = (
    "backward: '{}' saved an array of shape {} that was changed in place afterwards, {}, so its gradient would be "
    "wrong; call backward() before the array is written, or {}"
)
_THROUGH_US = "through a variable (t.data, optimizer.step())", "assign a new array: t.data = t.data - step"
_HANDED_OUT = "through an array that t.data gave out (t.data[i] = ...)", "assign a new array: t.data = new"
_BY_THE_USER = "but not through a variable (a batch buffer filled again, out=, +=)", "pass a copy: array.copy()"

Visit = Callable[[Edge, Any], Any]
Ready = Callable[[Node, Any], object]
_IN_PLACE = frozenset({np.ndarray, Parts})
"""The types of sums that are added to in place: others are small, or make a new one."""


def sweep(
    walk: Walk,
    seeds: dict[Node, Any],
    *,
    visit: Visit | None = None,
    lift: Callable[[Any, Node], Any] | None = None,
    ready: Ready | None = None,
) -> dict[Node, Any]:
    """One pass over the graph, children first; returns the cotangents of variables and targets.

    ``visit(edge, g)`` is called instead of ``edge.pull(g)``, to watch the pass.  ``lift(value, node)`` ties saved
    values to their nodes, which records the operations of the rules.  ``ready(node, g)`` is called for each variable
    when its cotangent is whole, if there are no targets.
    """
    cotangents = dict(seeds)
    take, known, wanted = cotangents.pop, cotangents.get, walk.wanted
    summed: set[Node] = set()  # whose cotangent is an array of our own
    node: Any = None
    rule: Any = None
    contribution = None
    try:  # the loop is whole: a call more for each edge would be felt
        for node in walk.path() if ready is None else walk.eager():
            parents = node.parents
            if not parents:
                if ready is not None:
                    rule = None  # which has no part in an error from there
                    ready(node, cotangents[node])
                continue
            g = take(node)
            if lift is None:
                rules: Any = node.rules
                saved: Any = node.saved
            else:
                rules, saved = _lifted(node, lift, wanted)
            i = 0  # counting is faster than zip, for most nodes have one parent or two
            for parent in parents:
                rule, packed = rules[i], saved[i]
                i += 1
                if wanted is not None and parent not in wanted:
                    continue
                if visit is None:
                    contribution = g if rule.same else rule.apply(g, packed)
                else:
                    contribution = _visited(visit, node, parent, rule, packed, g, lift is None)
                if type(contribution) is not parent.kind and (
                    contribution.shape != parent.shape or contribution.dtype is not parent.dtype
                ):
                    if type(contribution) is Scattered:
                        if _is_added(contribution, parent, cotangents, summed):
                            continue
                        contribution = np.asarray(contribution)
                    contribution = fit(contribution, node, parent, rule)
                total = known(parent)
                if total is None:
                    cotangents[parent] = contribution
                elif type(total) not in _IN_PLACE:
                    cotangents[parent] = total + contribution
                elif parent in summed and type(contribution) is type(total):
                    total += contribution
                else:  # not in place: a rule may have handed its cotangent on as it was, or an array of another kind
                    cotangents[parent] = total + contribution
                    summed.add(parent)
    except GraphError:
        raise
    except Exception as error:
        if node is not None:
            _blame(error, node, rule, contribution)
        raise
    return cotangents


def _visited(visit: Visit, node: Node, parent: Node, rule: Rule, packed: Any, g: Any, plain: bool) -> Any:
    """What ``visit`` makes of an edge; in a ``plain`` pass the saved values must be what they were."""
    if plain and rule.watched and has_changed(packed):
        raise WrittenError(rule, packed)
    return visit(Edge(node, parent, rule, rule.unpacked(packed)), g)


def _is_added(part: Scattered, node: Node, cotangents: dict[Node, Any], summed: set[Node]) -> bool:
    """Add elements at their places into the cotangent of a node; False if that is a foreign array."""
    total, values = cotangents.get(node), part.values
    if total is not None and not (is_plain(total) or isinstance(total, Examples)):
        return False
    blank = total is None
    if node not in summed or not _takes(total, values):
        like = total if isinstance(total, Examples) and _takes(total, values) else values
        if isinstance(like, Examples):  # room of the same kind
            room = np.zeros_like(like, dtype=node.dtype, order="C", shape=node.shape)
        else:  # memory of which only what is written is touched
            room = np.zeros(node.shape, node.dtype)
        if not blank:
            room += total
        cotangents[node] = total = room
        summed.add(node)
    part.add(total, values, blank)
    return True


def _takes(total: Any, values: Any) -> bool:
    """Whether values can be written into a sum."""
    if isinstance(total, Examples):
        return total.takes(values)
    return type(total) is np.ndarray and not isinstance(values, Examples)


def _blame(error: Exception, node: Node, rule: Rule | None, contribution: Any) -> None:
    """Raise the error that explains why a rule failed, or add a note to the original error."""
    if node.saved is None:
        raise GraphError(FREED.format(node.primitive and node.primitive.name)) from None
    if isinstance(error, WrittenError):
        rule, packed = error.args
        array, given_out = changed(packed)
        how = _HANDED_OUT if given_out else _BY_THE_USER
        raise GraphError(_CHANGED.format(rule.primitive, array.shape, *how)) from None
    if rule is None:
        return
    ours: Any = error.__traceback__  # of an error in the rule it goes deeper than the walk
    if isinstance(error, AttributeError) and ours.tb_next is None and not hasattr(contribution, "shape"):
        parent = node.parents[node.rules.index(rule)]
        fit(contribution, node, parent, rule)
    error.add_note(f"in the rule of '{rule.primitive}' for its argument number {rule.position}")


def check_writes(walk: Walk) -> None:
    """Raise GraphError if saved memory was written through a variable afterwards."""
    oldest = next((node.age for node in reversed(walk.order) if node.parents), 0)
    latest, wanted = writes.latest(), walk.wanted
    if latest < oldest:
        return
    written = writes.Written(oldest)
    for node in walk.path():
        if node.age > latest:
            continue
        seen: set[int] = set()  # rules of a long list may all have saved the same
        for parent, rule, packed in zip(node.parents, node.rules, node.saved or (), strict=False):
            if wanted is not None and parent not in wanted:
                continue
            values = [v for v in rule.unpacked(packed) if id(v) not in seen]
            seen.update(map(id, values))
            for value in arrays_of(values):
                if written.since(value, node.age):
                    raise GraphError(_CHANGED.format(rule.primitive, value.shape, *_THROUGH_US))


def arrays_of(values: Any) -> list[Any]:
    """The arrays among saved values, also those in lists and in examples."""
    found: list[Any] = []
    for value in values:
        value = every(value)
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += arrays_of(value)
    return found


def free(order: Iterable[Node]) -> None:
    """Drop the saved values.  The structure stays, so the graph can still be drawn."""
    for node in order:
        if node.parents:
            node.saved = None


def _any_nan(values: Iterable[Any]) -> bool:
    """Whether a gradient contains NaN, found by a dot product with itself: squares of numbers do not cancel.

    The values of a foreign array are not read; they may not be computed yet.
    """
    for value in values:
        if isinstance(value, Examples):
            if value.is_nan():
                return True
            continue
        if isinstance(value, np.ndarray):
            square = np.vdot(value, value)
            if square != square:
                return True
        elif isinstance(value, np.generic) and value != value:
            return True
    return False


def backward(
    seeds: dict[Node, Any],
    walk: Walk,
    *,
    lift: Callable[[Any, Node], Any] | None = None,
    visit: Visit | None = None,
    inner: bool = False,
    ready: Ready | None = None,
) -> dict[Node, Any]:
    """The gradients of the seeded nodes with respect to the targets, or to all variables that they depend on.

    A seed is the cotangent of a node.  ``lift(value, node)`` ties a saved value to its node again, which makes the
    result differentiable.  If a gradient is NaN, the pass is repeated with structural zeros
    (:mod:`autodiff.structural`).  An ``inner`` pass is a part of another one, which does that.  Nothing is freed.
    ``ready`` is that of :func:`sweep`; after a repeated pass it is called again for each variable.
    """
    check_writes(walk)
    with np.errstate(all="ignore"):
        if lift is not None:
            with tracking():
                return sweep(walk, seeds, lift=lift, visit=visit)
        results = sweep(walk, seeds, visit=visit, ready=ready)
        if not inner and _any_nan(results.values()):
            with again():
                results = sweep(walk, {node: structural(seed) for node, seed in seeds.items()}, visit=visit)
            if ready is not None:
                for node, result in results.items():
                    ready(node, plain(result))
    return results
