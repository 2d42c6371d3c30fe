"""The engine: what a recorded operation is, the order to walk the graph in, and the walk.

The graph points one way, from results to what they were made of, and holds no Tensor: a :class:`Node` knows its
parents' nodes and the few values its rules asked for.  An intermediate array that no rule asked for dies with
the user's variable, and without cycles the whole graph dies by reference counting.

Not one derivative stands here.  A rule is called with whatever array type the cotangent has, so the same walk
gives numbers (ndarrays) or a differentiable result (Tensors, see ``lift``).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from .arrays import add_up, cast, owned
from .primitive import Primitive, Rule
from .strong import strong

tick = itertools.count(1).__next__
"""The time of birth of a node.  A node is younger than its parents, so sorting by age *is* a topological sort."""


latest_mutation = 0
"""When any variable was last written in place: a graph that is younger needs no closer look."""


class GraphError(RuntimeError):
    """A graph was used in a way that has no right answer: freed, mutated, or not a graph at all."""


class Node:
    """One recorded operation.

    ``edges`` holds a list ``[parent, rule function, saved values, rule]`` for each input that leads to a variable;
    the saved values become None when the graph is freed.  ``note`` is what only a picture needs: the other
    inputs and options, or None.  ``active`` is False where no gradient can flow.
    """

    __slots__ = ("__weakref__", "active", "age", "dtype", "edges", "note", "primitive", "shape")

    active: bool
    age: int
    dtype: Any
    edges: Any
    note: Any
    primitive: Primitive | None
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        name = "leaf" if self.primitive is None else self.primitive.name
        return f"<node {name} {self.dtype}{list(self.shape)}>"


class Leaf(Node):
    """A variable: where gradients arrive.

    ``mutated_at`` is the time at which ``mutated``, the variable's array, was last written in place.
    """

    __slots__ = ("grad", "mutated", "mutated_at")

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.primitive = None
        self.edges = ()
        self.note = None
        self.shape = shape
        self.dtype = dtype
        self.active = True
        self.age = tick()
        self.grad: Any = None
        self.mutated: Any = None
        self.mutated_at = 0

    def mark_mutated(self, array: Any) -> None:
        """Note that ``array``, which this variable held, has been written in place."""
        global latest_mutation
        self.mutated = array
        self.mutated_at = latest_mutation = tick()


def constant_node() -> Node:
    """The node of everything that is not recorded."""
    node = Node()
    node.primitive, node.edges, node.note, node.shape, node.dtype = None, (), None, (), None
    node.active, node.age = False, 0
    return node


CONSTANT = constant_node()

_age = attrgetter("age")


def topological_order(roots: Iterable[Node], stop: Collection[Node] = ()) -> list[Node]:
    """Every node that the roots depend on, each once, children before parents.

    Iterative, one visit a node.  Does not look behind the nodes in ``stop``.
    """
    order = list(roots)
    seen = set(order)
    add, push = seen.add, order.append
    for node in order:  # grows while it is walked
        if stop and node in stop:
            continue
        for edge in node.edges:
            parent = edge[0]
            if parent not in seen:
                add(parent)
                push(parent)
    order.sort(key=_age, reverse=True)
    return order


class Several(tuple[Any, ...]):
    """The shapes, or the dtypes, of the outputs of one operation.

    There may be 100,000 of them, each compared with all by the walk: so identity is asked first.
    """

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other or tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return self is not other and tuple.__ne__(self, other)


class Parts:
    """The cotangent of an operation with several outputs, as far as it is known: a sequence of one for each.

    Outputs that nobody used have a cotangent of zeros.  Two of them add, so the walk treats it as an array.
    """

    __slots__ = ("dtype", "known", "shape")

    def __init__(self, known: dict[int, Any], shape: Any, dtype: Any) -> None:
        self.known = known
        self.shape = shape
        self.dtype = dtype

    def __add__(self, other: Parts) -> Parts:
        total = Parts(dict(self.known), self.shape, self.dtype)
        total += other
        return total

    def __iadd__(self, other: Parts) -> Parts:
        known = self.known
        for i, part in other.known.items():
            known[i] = known[i] + part if i in known else part
        return self

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, i: int) -> Any:
        if i in self.known:
            return self.known[i]
        zeros = np.zeros(self.shape[i], self.dtype[i])  # raises IndexError past the end, which ends an iteration
        return owned(zeros, next(iter(self.known.values()), None))

    def map(self, function: Callable[[Any], Any]) -> Parts:
        """The same with a function applied to each known part."""
        return Parts({i: function(part) for i, part in self.known.items()}, self.shape, self.dtype)


def unbroadcast(cotangent: Any, shape: tuple[int, ...]) -> Any:
    """The adjoint of broadcasting from ``shape``: sum over what was repeated.

    >>> unbroadcast(np.ones((2, 3)), (3,)).tolist()
    [2.0, 2.0, 2.0]
    """
    have = cotangent.shape
    extra = len(have) - len(shape)
    if have[extra:] == shape:  # only leading axes: a bias
        return add_up(cotangent, axis=0 if extra == 1 else tuple(range(extra)))
    axes = tuple(range(extra)) + tuple(extra + i for i, n in enumerate(shape) if n == 1 and have[extra + i] != 1)
    kept = add_up(cotangent, axis=axes, keepdims=True)
    return np.reshape(kept, shape) if extra else kept


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...], core: int) -> bool:
    """Whether ``shape`` broadcasts to ``to`` along all but the last ``core`` axes."""
    extra = len(to) - len(shape)
    if extra < 0 or to[len(to) - core :] != shape[len(shape) - core :]:
        return False
    if to[extra:] == shape:
        return True
    return all(n in (1, m) for n, m in zip(shape, to[extra:], strict=True))


def _fit(contribution: Any, node: Node, parent: Node, rule: Rule) -> Any:
    """A rule's result in the shape and dtype of the argument it belongs to, or an error that names the rule."""
    primitive: Any = node.primitive
    have: Any = getattr(contribution, "shape", None)
    core: Any = None if primitive.core is None else primitive.core[rule.position]
    batch = None if have is None or core is None else have[: len(have) - core]
    # a rule may leave the sum over what was broadcast to us, but its batch must be the output's
    spread = batch is not None and node.shape[: len(batch)] == batch and (core or have == node.shape)
    if spread and have[1:] == parent.shape and contribution.dtype is parent.dtype:
        # the commonest case by far: a bias added to a batch
        return np.add.reduce(contribution, axis=0) if type(contribution) is np.ndarray else np.sum(contribution, axis=0)
    who = f"{primitive.name}: its rule for '{primitive.parameters[rule.position]}'"
    if have is None:
        raise GraphError(f"{who} returned a {type(contribution).__name__}; return an array of shape {parent.shape}")
    if contribution.shape != parent.shape:
        if not spread or not _broadcasts(parent.shape, have, core):
            raise GraphError(
                f"{who} returned shape {have}, the argument has {parent.shape} "
                f"(output {node.shape}); a rule returns the shape of its argument"
            )
        contribution = unbroadcast(contribution, parent.shape)
    if contribution.dtype is not parent.dtype and contribution.dtype != parent.dtype:
        if contribution.dtype.kind == "c" and parent.dtype.kind != "c":
            contribution = np.real(contribution)  # a real argument moves the output along the real axis only
        contribution = cast(contribution, parent.dtype)
    return contribution


def _lifted(node: Node, edge: list[Any], lift: Callable[[Any, Node], Any]) -> list[Any]:
    """The saved values of an edge, those that came from nodes tied to them again."""
    rule: Rule = edge[3]
    primitive = node.primitive
    assert primitive is not None
    values = []
    for want, value in zip(rule.wants, edge[2], strict=True):
        if want == primitive.output:
            value = lift(value, node)
        elif want < primitive.output:
            for parent, _, _, other in node.edges:
                if other.position == want:
                    if want != primitive.sequence:
                        value = lift(value, parent)
                    else:
                        value = list(value)
                        value[other.element] = lift(value[other.element], parent)
        values.append(value)
    return values


_FREED = (
    "backward: the graph through '{}' was used and freed by an earlier backward(); "
    "call the first one with retain_graph=True, or compute the loss again"
)


def _sweep(
    order: list[Node], seeds: dict[Node, Any], pull: Callable[[Node, list[Any], Any], Any] | None
) -> dict[Node, Any]:
    """One pass over the graph, children first; what is left at the end are the cotangents of nodes not in ``order``,
    and of leaves.  ``pull(node, edge, g)`` takes the place of calling the rule; None from it is no contribution."""
    cotangents = dict(seeds)
    take = cotangents.pop
    summed: set[Node] = set()  # whose cotangent is an array of our own
    node: Any = None
    edge: Any = None
    contribution = None
    try:
        for node in order:
            edges = node.edges
            if edges:
                g = take(node)
                for edge in edges:
                    parent, function, saved, rule = edge
                    if pull is None:  # unpacking costs more than these two questions
                        if not saved:
                            contribution = function(g)
                        elif len(saved) == 1:
                            contribution = function(g, saved[0])
                        else:
                            contribution = function(g, *saved)
                    else:
                        contribution = pull(node, edge, g)
                        if contribution is None:
                            continue
                    if contribution.shape != parent.shape or contribution.dtype is not parent.dtype:
                        contribution = _fit(contribution, node, parent, rule)
                    if parent in cotangents:
                        total = cotangents[parent]
                        if parent in summed:
                            total += contribution
                        else:  # not in place: a rule may have handed its cotangent on as it was
                            total = total + contribution
                            summed.add(parent)
                        cotangents[parent] = total
                    else:
                        cotangents[parent] = contribution
    except GraphError:
        raise
    except Exception as error:
        if edge is not None:
            _blame(error, node, edge, contribution)
        raise
    return cotangents


def _blame(error: Exception, node: Node, edge: list[Any], contribution: Any) -> None:
    """Raise what a failure of the walk at ``edge`` means, or note at the error where it happened."""
    parent, _, saved, rule = edge
    if saved is None:
        raise GraphError(_FREED.format(rule.primitive)) from None
    ours: Any = error.__traceback__  # of an error in the rule it goes deeper than the walk
    if isinstance(error, AttributeError) and ours.tb_next is None and not hasattr(contribution, "shape"):
        _fit(contribution, node, parent, rule)
    error.add_note(f"in the rule of '{rule.primitive}' for its argument number {rule.position}")


def _needed(order: list[Node], targets: Collection[Node]) -> set[Node]:
    """The nodes between the roots and the targets, both included."""
    needed: set[Node] = set()
    for node in reversed(order):
        if node in targets or any(edge[0] in needed for edge in node.edges):
            needed.add(node)
    return needed


def _check_mutation(order: list[Node]) -> None:
    """Raise if an operation saved a variable's array that was written in place afterwards."""
    oldest = next((node.age for node in reversed(order) if node.edges), 0)
    if latest_mutation < oldest:
        return
    leaves = [node for node in order if type(node) is Leaf and node.mutated_at]
    for leaf in leaves:
        for node in order:
            if node.age > leaf.mutated_at:
                continue
            for edge in node.edges:
                for value in edge[2] or ():
                    if isinstance(value, np.ndarray) and np.may_share_memory(value, leaf.mutated):
                        raise GraphError(
                            f"backward: '{edge[3].primitive}' saved an array of shape {value.shape} that was changed "
                            f"in place afterwards, so its gradient would be wrong; call backward() before the update, "
                            f"or assign a new array: t.data = t.data - step"
                        )


def free(order: Iterable[Node]) -> None:
    """Drop what the rules saved.  The structure stays, so that the graph can still be drawn."""
    for node in order:
        for edge in node.edges:
            edge[2] = None


def _any_nan(values: Iterable[Any]) -> bool:
    """Whether a gradient holds a NaN, at the price of a dot product each: squares of numbers do not cancel."""
    for value in values:
        if isinstance(value, np.ndarray):
            square = np.vdot(value, value)
            if square != square:
                return True
        elif hasattr(value, "held"):  # many examples in one
            if _any_nan((value.held,)):
                return True
        elif isinstance(value, np.generic | float | complex) and value != value:
            return True  # and nobody looks at the values of a foreign array, which may not be computed yet
    return False


def backward(
    seeds: dict[Node, Any],
    targets: Collection[Node] | None = None,
    *,
    retain: bool = False,
    lift: Callable[[Any, Node], Any] | None = None,
    strengthen: Callable[[Any], Any] = strong,
    value_of: Callable[[Any], Any] | None = None,
) -> dict[Node, Any]:
    """The gradients of the seeded nodes with respect to ``targets`` (default: every leaf that they depend on).

    A seed is the cotangent of a node.  ``lift(value, node)`` ties a saved value to its node again, which makes the
    result differentiable; then ``strengthen`` and ``value_of`` are those of the lifted type.  If a gradient comes
    out NaN, the pass is made once more in the arithmetic of :mod:`autodiff.strong`, where a cotangent of exactly
    zero wins over an infinite derivative.  Frees the graph unless ``retain``; if anything fails, nothing is freed.
    """
    order = topological_order(seeds, targets or ())
    needed = None
    if targets is not None:
        needed = _needed(order, targets)
        order = [node for node in order if node in needed and node not in targets]
    with np.errstate(all="ignore"):
        plain = lift is None and needed is None
        results = _sweep(order, seeds, None if plain else _pull(needed, lift, None))
        values = results.values()
        if _any_nan(values if value_of is None else map(value_of, values)):
            results = _sweep(order, seeds, _pull(needed, lift, strengthen))
    _check_mutation(order)
    if not retain:
        free(order)
    return results


def _pull(
    needed: set[Node] | None, lift: Callable[[Any, Node], Any] | None, strengthen: Callable[[Any], Any] | None
) -> Callable[[Node, list[Any], Any], Any]:
    """What the walk does at an edge when it is not simply to call the rule."""

    def pull(node: Node, edge: list[Any], g: Any) -> Any:
        if needed is not None and edge[0] not in needed:
            return None
        if strengthen is not None:
            g = g.map(strengthen) if isinstance(g, Parts) else strengthen(g)
        contribution = edge[1](g, *(edge[2] if lift is None or edge[2] is None else _lifted(node, edge, lift)))
        if contribution is None:  # of a rule that forgot to return; from here None would mean that nobody needs it
            _fit(contribution, node, edge[0], edge[3])
        return contribution

    return pull
