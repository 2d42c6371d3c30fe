"""Solutions as Tensors: what solves F(u, p) = 0 depends on p, and its derivative is that of an implicit function.

    du / dp = -(dF / du)^-1 dF / dp

(See M. Blondel et al., "Efficient and modular implicit differentiation", 2022.)  F is evaluated once at the solution.
Its graph leads to the Tensors that it depends on, arguments and captured ones alike: they are the nodes that are older.
One node stands for the solution.  Its rule solves one linear system, with the transposed Jacobian, and pulls what comes
out through the graph of F.  For a derivative of the derivative F is evaluated anew, with the solution as a Tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...backpropagation import backward
from ...examples import every
from ...graph import GraphError, Node, Parts, Walk, tick
from ...mode import Mode, current, entered, is_recording
from ...primitive import Primitive
from ...program.recording import is_recorded_now
from ...rule import Rule
from ...tensor import Tensor, value_of, wrap
from ...transforms import jacobian, jvp, vjp
from ...transforms.calling import alias, close, pull, recording
from ...transforms.jacobians import basis_pulled
from ...transforms.products import is_active
from ...unrecorded import no_grad
from .mapped import not_in_a_program, refuse_examples
from .systems import Condition, solved

Array = Any
Residual = Callable[[Any], Any]


def _entry(name: str) -> Primitive:
    def solution(inputs: Any) -> Any:
        return inputs

    return Primitive(solution, solution, {"inputs": None}, name=name, parameters=("inputs",))


_INPUTS = _entry("parameters")
_EXTRA = _INPUTS.output + 1
_PICK = Rule("parameters", lambda g, i: g[i], 0, (_EXTRA,))


class Kind(NamedTuple):
    """What is solved: the name of the function, and what its rule is."""

    primitive: Primitive
    rule: Rule


_kinds: dict[str, Kind] = {}


def _kind(name: str) -> Kind:
    if name not in _kinds:
        entry = _entry(name)
        rule = Rule(name, lambda g, y, equation: equation.pull(g, y), 0, (entry.output, _EXTRA))
        _kinds[name] = Kind(entry, rule)
    return _kinds[name]


class _Seen(Mode):
    """A mode that keeps what an operation takes of Tensors that are older, or puts others in their place."""

    def __init__(self, start: int, others: Sequence[dict[Node, Tensor]] = ()) -> None:
        self.enclosing = current()
        self.start = start
        self.others = [*others, *_in_force()]
        self.values: dict[Node, Any] = {}

    def operate(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do the operation as outside of this mode."""
        given = [self.taken(a) for a in args]
        by_name = {name: self.taken(value) for name, value in kwargs.items()}
        with self.outside():
            return primitive.call(*given, **by_name)

    def taken(self, value: Any) -> Any:
        """An argument, with what stands in the place of its Tensors."""
        kind = type(value)
        if kind is Tensor:
            for others in self.others:
                value = others.get(value._node, value)
            if value._node.active and value._node.age < self.start:
                self.values[value._node] = value._value
        elif kind is list or kind is tuple:
            return kind([self.taken(part) for part in value])
        return value


def _in_force() -> list[dict[Node, Tensor]]:
    """What stands in the place of Tensors here and now: one solution may be in the equations of another."""
    mode = current()
    while mode is not None and not isinstance(mode, _Seen):
        mode = mode.enclosing
    return [] if mode is None else mode.others


def solution(residual: Residual, u: Array, who: str, condition: Condition) -> Any:
    """The solution ``u`` of ``residual(u) = 0``, a vector: a Tensor if the residual depends on Tensors, else itself."""
    if not is_recording():
        return u
    equation = _Equation(residual, u, who, condition)
    if not equation.inputs:
        return u
    if is_recorded_now():
        raise not_in_a_program(who)
    return equation.tensor()


class _Equation:
    """F(u, p) = 0 at its solution: the graph of F there, and what of it is older."""

    __slots__ = ("condition", "dtypes", "inputs", "made", "others", "residual", "shapes", "tested", "u", "values",
                 "who", "x")  # fmt: skip

    def __init__(self, residual: Residual, u: Array, who: str, condition: Condition) -> None:
        self.residual, self.u, self.who = residual, u, who
        self.condition, self.tested = condition, False
        with recording():
            start = tick()
            self.x = Tensor(np.array(u))
            seen = _Seen(start)
            self.others = seen.others
            with entered(seen):
                self.made = residual(self.x)
        close([self.x])
        found = _older(self.made, self.x, start) if is_active(self.made) else set()
        missing = [node for node in found if node not in seen.values]
        if missing:
            raise GraphError(f"{who}: the function returns a Tensor from outside as it is; compute with it, or copy it")
        refuse_examples(who, self.made)
        if found and np.shape(self.made) != u.shape:
            raise ValueError(
                f"{who}: {np.size(self.made)} equations for {len(u)} unknowns have no solution that is a function of "
                "Tensors; give as many of one as of the other, or take least_squares"
            )
        self.inputs = tuple(sorted(found, key=lambda node: node.age))
        self.values = [seen.values[node] for node in self.inputs]
        self.shapes = tuple(node.shape for node in self.inputs)
        self.dtypes = tuple(node.dtype for node in self.inputs)

    def tensor(self) -> Tensor:
        """The solution as a Tensor."""
        picks, places = (_PICK,) * len(self.inputs), tuple(range(len(self.inputs)))
        inputs = Node.make(_INPUTS, self.shapes, self.dtypes, parents=self.inputs, rules=picks, saved=places)
        kind = _kind(self.who)
        saved = ((self.u, self),)
        node = Node.make(kind.primitive, self.u.shape, self.u.dtype, parents=(inputs,), rules=(kind.rule,), saved=saved)
        return wrap(self.u, node)

    # -- the rule ----------------------------------------------------------------------------------------------------

    def pull(self, g: Any, y: Any) -> Parts:
        """The cotangents of the inputs: -(dF / dp)^T (dF / du)^-T g."""
        if not self.tested:
            self.condition.check(self._jacobian, self._along, self.made._value, self.u, self.who)
            self.tested = True
        if type(y) is Tensor:
            return self._recorded(g, y)
        create = type(g) is Tensor
        v = solved(self.condition, self.who, g, self._jacobian, self._product, solution)
        seeds = {self.made._node: -v}
        found = backward(seeds, set(self.inputs), retain=True, create=create, along=create, inner=True)
        return self._parts([found.get(node) for node in self.inputs])

    def _jacobian(self) -> Array:
        """dF / du at the solution, a row for each equation."""
        with recording():
            return basis_pulled(self.made, [self.x], False, None, None)[0]

    def _product(self, w: Any) -> Any:
        """(dF / du)^T w."""
        recorded = type(w) is Tensor
        with recording():
            found = backward({self.made._node: w}, {self.x._node}, retain=True, create=recorded, along=recorded)
        return found[self.x._node]

    def _along(self, w: Any) -> Any:
        """(dF / du) w."""
        if self.condition.symmetric:
            return self._product(w)
        with no_grad():
            return value_of(jvp(self.residual, (self.u,), (w,))[1])

    def _recorded(self, g: Any, y: Tensor) -> Parts:
        """The same as a function of the solution and of the inputs, so that it can be differentiated."""

        def matrix() -> Any:
            return jacobian(self.residual)(y)

        def product(w: Any) -> Any:
            return vjp(self.residual, y)[1](w)[0]

        v = solved(self.condition, self.who, g, matrix, product, solution)
        others = {node: alias(wrap(value, node)) for node, value in zip(self.inputs, self.values, strict=True)}
        u = alias(y)
        start = tick()
        with entered(_Seen(start, [*self.others, others])):
            made = self.residual(u)
        outside = _older(made, None, start) - {u._node} - {t._node for t in others.values()}
        if outside or not np.array_equal(every(made._value), every(self.made._value), equal_nan=True):
            raise GraphError(
                f"{self.who}: the function computed something else the second time; it, or what it uses, was changed "
                "after the solution was found, so the derivative of that would be that of another function"
            )
        found = pull([made], [-v], list(others.values()), True)
        return self._parts(found)

    def _parts(self, found: Any) -> Parts:
        return Parts({i: part for i, part in enumerate(found) if part is not None}, self.shapes, self.dtypes)


def _older(made: Tensor, x: Tensor | None, start: int) -> set[Node]:
    """The nodes from before ``start`` that a result is made of directly."""
    walk = Walk([made._node], set() if x is None else {x._node}, start)
    return {node for node in walk.boundary if node.active} | ({made._node} if made._node.age < start else set())
