"""Recording: from an entry of the table to the function that is called, its method and its operator.

Each entry gets one callable, made for its kind: elementwise functions of one or two arguments, which are the hot path,
functions of one array and options, and everything else.  A callable computes the forward value, keeps what the rules
asked for, and hands back a Tensor.  With no Tensor among its arguments it is the plain function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .convention import arranged
from .graph import CONSTANT, Node, tick
from .primitive import VARIADIC, Composite, Primitive, Rule, listen
from .protocol import WRONG, complain
from .tensor import Tensor, _mode, outputs_of, same_tuple, unwrapped, wrap

_new = object.__new__
KEYWORDS = 0x08  # CO_VARKEYWORDS, the bit that says **kwargs


_NUMPYS_OWN = frozenset({np.ndarray, *(np.dtype(code).type for code in "?bhilqefdgFDG")})
"""The types of results that need no second look."""


def _speaks(y: Any) -> bool:
    """Whether an operation's result is NumPy's, or of an array that NumPy's functions can go on with."""
    return isinstance(y, np.generic) or hasattr(y, "__array_function__")


def _admitted(primitive: Primitive, values: tuple[Any, Any], y: Any) -> Any:
    """A result as NumPy has it; refused if another argument made it something with rules of its own."""
    if type(y) is complex:  # what Python makes of 1j * a double
        return np.complex128(y)
    if isinstance(y, np.ma.MaskedArray | np.matrix | float) or not _speaks(y):
        odd = next((v for v in values if type(v) not in _NUMPYS_OWN), y)
        raise TypeError(
            f"{primitive.name}: an argument is a {type(odd).__name__}, which has rules of its own; "
            "pass np.asarray(x, dtype=float), and np.where for masks"
        )
    return y


def _flat_node(primitive: Primitive, value: Any, inputs: list[Node]) -> Node:
    """The node of a result through which no gradient flows: recorded for pictures alone."""
    if not any(node is not CONSTANT for node in inputs):
        return CONSTANT
    node: Node = Node()
    node.primitive, node.edges, node.active = primitive, (), False
    node.note = tuple(n for n in inputs if n is not CONSTANT)
    node.shape, node.dtype, node.age = value.shape, value.dtype, tick()
    return node


def _unary(primitive: Primitive, rule: Rule) -> Callable[[Any], Any]:
    """The callable of an elementwise function of one argument."""
    forward, function, pick = primitive.forward, rule.function, rule.pick

    def call(x: Any) -> Any:
        if type(x) is not Tensor:
            return forward(x)
        mode = _mode()
        if mode is not None:
            return mode(primitive, (x,), {})
        parent = x._node
        value = x._value
        try:
            y = forward(value)
        except WRONG as error:
            complain(primitive, (value,), error)
        result: Tensor = _new(Tensor)
        result._value = y
        if parent.active:
            result._node = node = Node()
            node.primitive = primitive
            node.edges = ([parent, function, pick((value, y)), rule],)
            node.active = True
            node.shape = y.shape
            node.dtype = y.dtype
            node.age = tick()
        else:
            result._node = _flat_node(primitive, y, [parent])
        return result

    return call


def _binary(primitive: Primitive, rule_a: Rule | None, rule_b: Rule | None) -> Callable[[Any, Any], Any]:
    """The callable of an elementwise function of two arguments."""
    if rule_a is None or rule_b is None or max((*rule_a.wants, *rule_b.wants), default=0) > primitive.output:
        return _general(primitive)  # a rule that asks for a shape
    forward = primitive.forward
    function_a, pick_a = rule_a.function, rule_a.pick if rule_a.wants else None
    function_b, pick_b = rule_b.function, rule_b.pick if rule_b.wants else None

    def call(a: Any, b: Any) -> Any:
        if type(a) is Tensor:
            value_a, parent_a = a._value, a._node
        else:
            value_a, parent_a = a, CONSTANT
        if type(b) is Tensor:
            value_b, parent_b = b._value, b._node
        else:
            value_b, parent_b = b, CONSTANT
            if type(a) is not Tensor:
                return forward(a, b)
        mode = _mode()
        if mode is not None:
            return mode(primitive, (a, b), {})
        try:
            y = forward(value_a, value_b)
        except WRONG as error:
            complain(primitive, (value_a, value_b), error)
        if type(y) not in _NUMPYS_OWN:
            y = _admitted(primitive, (value_a, value_b), y)
        result: Tensor = _new(Tensor)
        result._value = y
        if parent_a.active:
            environment = (value_a, value_b, y)
            if parent_b.active:
                edges: Any = (
                    [parent_a, function_a, pick_a(environment) if pick_a else (), rule_a],
                    [parent_b, function_b, pick_b(environment) if pick_b else (), rule_b],
                )
            else:
                edges = ([parent_a, function_a, pick_a(environment) if pick_a else (), rule_a],)
        elif parent_b.active:
            edges = ([parent_b, function_b, pick_b((value_a, value_b, y)) if pick_b else (), rule_b],)
        else:
            result._node = _flat_node(primitive, y, [parent_a, parent_b])
            return result
        result._node = node = Node()
        node.primitive = primitive
        node.edges = edges
        node.active = True
        node.shape = y.shape
        node.dtype = y.dtype
        node.age = tick()
        return result

    return call


def _first(primitive: Primitive, rule: Rule) -> Callable[..., Any]:
    """The callable of a function of one array and options, for calls in which nothing else is a Tensor."""
    general = _general(primitive)
    forward, function, pick = primitive.forward, rule.function, rule.pick
    shapes, output = primitive.shapes, primitive.output

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if type(x) is not Tensor or _mode() is not None or not x._node.active:
            return general(x, *args, **kwargs)
        for option in (*args, *kwargs.values()) if kwargs else args:
            kind = type(option)
            if kind is Tensor or kind is list or (kind is tuple and not _IS_PLAIN.issuperset(map(type, option))):
                return general(x, *args, **kwargs)
        values = primitive.bind((x._value, *args), kwargs)
        try:
            y = forward(*values)
        except WRONG as error:
            complain(primitive, values, error)
        environment = (*values, y, *[(y if k == output else values[k]).shape for k in shapes])
        return _result(primitive, y, ([x._node, function, pick(environment), rule],))

    return call


_IS_PLAIN = frozenset({int, slice, np.ndarray, type(None), type(Ellipsis), np.int64})
"""What an option may be made of without a closer look for Tensors in it."""


def _general(primitive: Primitive) -> Callable[..., Any]:
    """The callable of any other primitive."""
    rules, sequence, shapes = primitive.rules, primitive.sequence, primitive.shapes
    place = len(primitive.parameters) - 1 - len(primitive.defaults)

    def forward(values: list[Any]) -> Any:
        if primitive.variadic:
            keywords = dict(zip(primitive.parameters[place + 1 :], values[place + 1 :], strict=True))
            return primitive.forward(*values[:place], *values[place], **keywords)
        return primitive.forward(*values)

    def call(*args: Any, **kwargs: Any) -> Any:
        values = primitive.bind(args, kwargs)
        if sequence is not None and type(values[sequence]) is Tensor:  # its rows are the arrays
            if not values[sequence].shape:
                raise TypeError(f"{primitive.name}: needs a list of arrays, got a Tensor that is one number")
            values[sequence] = list(values[sequence])
        found: list[tuple[int, int | None, Node]] = []
        for i, value in enumerate(values):
            if type(value) is Tensor:
                found.append((i, None, value._node))
                values[i] = value._value
            elif type(value) is tuple or type(value) is list:
                nodes: list[tuple[int | None, Node]] = []
                values[i] = unwrapped(value, nodes)
                found.extend((i, element, node) for element, node in nodes)
        if not found:
            try:
                return forward(values)
            except WRONG as error:
                complain(primitive, values, error)
        for i, _, parent in found:
            if parent.active and i not in rules:
                raise TypeError(
                    f"{primitive.name}: '{primitive.parameters[i]}' is not an argument to differentiate, and a Tensor "
                    f"that leads to a variable was given there; pass its values: t.data, or stop_gradient(t)"
                )
        mode = _mode()
        if mode is not None:
            return mode(primitive, args, kwargs)
        try:
            y = forward(values)
        except WRONG as error:
            complain(primitive, values, error)
        environment = (*values, y, *[_shape(y if k == primitive.output else values[k], k == sequence) for k in shapes])
        edges = []
        silent = []
        for i, element, parent in found:
            if not parent.active:
                silent.append(parent)
                continue
            rule = rules[i]
            if element is not None and (i != sequence or element < 0):
                raise TypeError(
                    f"{primitive.name}: '{primitive.parameters[i]}' is a list with Tensors in it; "
                    "make it one Tensor with np.stack"
                )
            if rule is None:
                silent.append(parent)
            elif element is None:
                edges.append([parent, rule.function, rule.pick(environment), rule])
            else:
                rule = rule.of(element)
                edges.append([parent, rule.function, rule.pick((*environment, element)), rule])
        if edges:
            return _result(primitive, y, tuple(edges), tuple(silent))
        if isinstance(y, tuple):
            return same_tuple(y, [wrap(v, CONSTANT) for v in y])
        return wrap(y, _flat_node(primitive, y, [parent for _, _, parent in found]))

    return call


def _result(primitive: Primitive, y: Any, edges: Any, silent: tuple[Node, ...] = ()) -> Any:
    """The Tensor, or the tuple of them, that a recorded operation gives."""
    node = Node()
    node.primitive = primitive
    node.edges = edges
    node.note = silent
    node.active = True
    node.age = tick()
    if isinstance(y, tuple):
        node.shape = tuple(v.shape for v in y)
        node.dtype = tuple(v.dtype for v in y)
        return outputs_of(y, node)
    node.shape = y.shape
    node.dtype = y.dtype
    result: Tensor = _new(Tensor)
    result._value = y
    result._node = node
    return result


def _shape(value: Any, is_sequence: bool) -> Any:
    return [np.shape(v) for v in value] if is_sequence else np.shape(value)


# -- deriving everything from the table --------------------------------------------------------------------------

OPERATORS = {
    np.add: "add", np.subtract: "sub", np.multiply: "mul", np.divide: "truediv", np.power: "pow",
    np.remainder: "mod", np.floor_divide: "floordiv", np.matmul: "matmul",
    np.bitwise_and: "and", np.bitwise_or: "or", np.bitwise_xor: "xor",
}  # fmt: skip
COMPARISONS = {
    np.equal: "eq", np.not_equal: "ne", np.less: "lt", np.less_equal: "le", np.greater: "gt",
    np.greater_equal: "ge", np.negative: "neg", np.positive: "pos", np.absolute: "abs", np.invert: "invert",
    np.round: "round",
}  # fmt: skip
ALIASES = {np.conjugate: "conj"}
"""Further names of methods."""


def _composed(entry: Composite) -> Callable[..., Any]:
    """The callable of a composite, which takes NumPy's arguments and says who it is when they do not fit."""
    function, known = entry.call, frozenset(entry.parameters)
    takes_any = bool(function.__code__.co_flags & (VARIADIC | KEYWORDS))

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not takes_any and (
            (kwargs and not known.issuperset(kwargs)) or (len(args) > 2 and len(args) > entry.agreed)
        ):
            args, kwargs = arranged(entry, args, kwargs)
        try:
            return function(*args, **kwargs)
        except WRONG as error:
            complain(entry, [getattr(a, "_value", a) for a in args], error)

    return call


def _install(entry: Primitive | Composite) -> None:
    """Give an entry of the table its callable, its method and its operator."""
    if isinstance(entry, Composite):
        entry.call = _composed(entry)
    if isinstance(entry, Primitive):
        rules = [entry.rules.get(i) for i in range(len(entry.parameters))]
        if entry.elementwise and len(rules) == 1 and rules[0] is not None:
            entry.call = _unary(entry, rules[0])
        elif entry.core is not None and len(rules) == 2:
            entry.call = _binary(entry, *rules)
        elif list(entry.rules) == [0] and rules[0] is not None and entry.sequence is None and not entry.variadic:
            entry.call = _first(entry, rules[0])
        else:
            entry.call = _general(entry)
        entry.call.__name__ = entry.call.__qualname__ = entry.name
        entry.call.__doc__ = entry.function.__doc__
    call, function = entry.call, entry.function
    if entry.method is not None and entry.method not in Tensor.__dict__:
        setattr(Tensor, entry.method, call)
    if function in ALIASES:
        setattr(Tensor, ALIASES[function], call)
    if function in OPERATORS:
        setattr(Tensor, f"__{OPERATORS[function]}__", call)
        setattr(Tensor, f"__r{OPERATORS[function]}__", lambda self, other: call(other, self))
    if function in COMPARISONS:
        setattr(Tensor, f"__{COMPARISONS[function]}__", call)


listen(_install)
