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
from .graph import CONSTANT, DOUBLE, Node, tick
from .primitive import VARIADIC, Composite, Primitive, listen
from .protocol import WRONG, complain
from .rule import Rule
from .tensor import Tensor, _mode, outputs_of, same_tuple, unwrapped, wrap

_new = object.__new__
KEYWORDS = 0x08  # CO_VARKEYWORDS, the bit that says **kwargs


_NUMPYS_OWN = frozenset({np.ndarray, *(np.dtype(code).type for code in "?bhilqefdgFDG")})
"""The types of results that need no second look."""


def _admitted(primitive: Primitive, values: tuple[Any, Any], y: Any) -> Any:
    """A result as NumPy has it; refused if another argument made it something with rules of its own."""
    if type(y) is complex:  # what Python makes of 1j * a double
        return np.complex128(y)
    if isinstance(y, np.ma.MaskedArray | np.matrix | float):
        odd = next((v for v in values if type(v) not in _NUMPYS_OWN), y)
        raise TypeError(
            f"{primitive.name}: an argument is a {type(odd).__name__}, which has rules of its own; "
            "pass np.asarray(x, dtype=float), and np.where for masks"
        )
    return y


def _flat_node(primitive: Primitive, value: Any, inputs: list[Node]) -> Node:
    """The node of a result through which no gradient flows: recorded for pictures alone."""
    inert = tuple(node for node in inputs if node is not CONSTANT)
    return Node.make(primitive, value.shape, value.dtype, note=inert, active=False) if inert else CONSTANT


def _owned(value: Any, node: Node) -> bool:
    """Whether an argument is an array that the user may hold: a constant, a variable's, a view."""
    return type(value) is np.ndarray and (node.primitive is None or value.base is not None)


_TEMPLATE = """
def {name}({parameters}):
{unwrap}
    mode = _mode()
    if mode is not None:
        return mode.perform(primitive, ({parameters},), {{}})
    try:
        y = forward({values})
    except WRONG as error:
        complain(primitive, ({values},), error)
    if type(y) not in NUMPYS_OWN:
        y = admitted(primitive, ({values},), y)
    result = new(Tensor)
    result._value = y
{record}
    else:
        result._node = flat_node(primitive, y, [{nodes}])
        return result
    result._node = node = new(Node)
    node.primitive = primitive
    node.active = True
    node.parents = parents
    node.age = tick()
    if type(y) is float64:
        node.kind = float64
        node.shape = ()
        node.dtype = DOUBLE
    else:
        node.kind = None
        node.shape = y.shape
        node.dtype = y.dtype
{watch}
    node.rules = rules
    node.saved = saved
    return result
"""
"""The callable of a function that broadcasts, of one argument or two: what a hand would write for each of them."""


def _broadcasting(primitive: Primitive) -> Callable[..., Any]:
    """A callable from the template, with what the rules ask for written out."""
    names = ("x", "a", "b")[: 1] if len(primitive.parameters) == 1 else ("a", "b")
    known = (*names, "y")
    rules = [primitive.rules[i] for i in range(len(names))]
    assert all(rule is not None for rule in rules)

    def packed(rule: Any) -> str:
        wanted = [f"v{known[w]}" if w < len(names) else "y" for w in rule.wants]
        return "None" if not wanted else wanted[0] if len(wanted) == 1 else f"({', '.join(wanted)})"

    lines, namespace = [], {f"r{n}": rule for n, rule in zip(names, rules, strict=True)}
    if len(names) == 1:
        unwrap = "    if type(x) is not Tensor:\n        return forward(x)\n    vx = x._value\n    nx = x._node"
        choices = [("nx.active", ["x"])]
    else:
        lines = [
            "    if type(a) is Tensor:", "        va = a._value", "        na = a._node",
            "        if type(b) is Tensor:", "            vb = b._value", "            nb = b._node",
            "        else:", "            vb = b", "            nb = CONSTANT",
            "    elif type(b) is Tensor:", "        va = a", "        na = CONSTANT", "        vb = b._value",
            "        nb = b._node", "    else:", "        return forward(a, b)",
        ]  # fmt: skip
        unwrap = "\n".join(lines)
        choices = [("na.active and nb.active", ["a", "b"]), ("na.active", ["a"]), ("nb.active", ["b"])]
    record = []
    for i, (condition, active) in enumerate(choices):
        tag = "".join(active)
        namespace[f"rules_{tag}"] = tuple(namespace[f"r{n}"] for n in active)
        record.append(f"    {'el' * (i > 0)}if {condition}:")
        record.append(f"        parents = ({', '.join(f'n{n}' for n in active)},)")
        record.append(f"        rules = rules_{tag}")
        record.append(f"        saved = ({', '.join(packed(namespace[f'r{n}']) for n in active)},)")
    wanted = sorted({known[w] for rule in rules for w in rule.wants if w < len(names)})  # type: ignore[union-attr]
    watch = ""
    if wanted:
        owned = " or ".join(
            f"(type(v{n}) is ndarray and (n{n}.primitive is None or v{n}.base is not None))" for n in wanted
        )
        values = ", ".join(f"v{n}" for n in names)
        watch = f"        if {owned}:\n            rules, saved = watched(rules, ({values}, y))"
    source = _TEMPLATE.format(
        name="call", parameters=", ".join(names), unwrap=unwrap, values=", ".join(f"v{n}" for n in names),
        nodes=", ".join(f"n{n}" for n in names), record="\n".join(record), watch=watch,
    )  # fmt: skip
    namespace |= {
        "primitive": primitive, "forward": primitive.forward, "Tensor": Tensor, "Node": Node, "CONSTANT": CONSTANT,
        "_mode": _mode, "WRONG": WRONG, "complain": complain, "NUMPYS_OWN": _NUMPYS_OWN, "admitted": _admitted,
        "new": _new, "flat_node": _flat_node, "tick": tick, "float64": np.float64, "DOUBLE": DOUBLE,
        "ndarray": np.ndarray, "watched": _watched, "__name__": __name__,
    }  # fmt: skip
    exec(compile(source, f"<recording of {primitive.name}>", "exec"), namespace)
    return namespace["call"]  # type: ignore[no-any-return]


def _watched(rules: tuple[Rule, ...], environment: tuple[Any, ...]) -> tuple[tuple[Rule, ...], tuple[Any, ...]]:
    """The rules, and what they keep, in a call with arrays of the user's."""
    watching = tuple([rule.watching for rule in rules])
    return watching, tuple([rule.pick(environment) for rule in watching])


def _first(primitive: Primitive, rule: Rule) -> Callable[..., Any]:
    """The callable of a function of one array and options, for calls in which nothing else is a Tensor."""
    general = _general(primitive)
    forward, rules = primitive.forward, (rule,)
    shapes, output = primitive.shapes, primitive.output
    takes_input = 0 in rule.wants

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if type(x) is not Tensor or _mode() is not None or not x._node.active:
            return general(x, *args, **kwargs)
        mine = False
        for option in (*args, *kwargs.values()) if kwargs else args:
            kind = type(option)
            if kind is Tensor or kind is list or (kind is tuple and not _IS_PLAIN.issuperset(map(type, option))):
                return general(x, *args, **kwargs)
            mine = mine or kind is tuple or kind is np.ndarray
        value = x._value
        values = primitive.bind((value, *args), kwargs)
        try:
            y = forward(*values)
        except WRONG as error:
            complain(primitive, values, error)
        environment = (*values, y, *[(y if k == output else values[k]).shape for k in shapes])
        parents = (x._node,)
        if mine or (takes_input and _owned(value, parents[0])):
            return _result(primitive, y, parents, *_watched(rules, environment))
        return _result(primitive, y, parents, rules, (rule.pick(environment),))

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
            return mode.perform(primitive, args, kwargs)
        try:
            y = forward(values)
        except WRONG as error:
            complain(primitive, values, error)
        environment = (*values, y, *[_shape(y if k == primitive.output else values[k], k == sequence) for k in shapes])
        parents: list[Node] = []
        silent: list[Node] = []
        used: list[Rule] = []
        saved: list[Any] = []
        inner = {i for i, element, parent in found if element is None and not _owned(values[i], parent)}
        for i, element, parent in found:
            rule = rules.get(i)
            if parent.active and element is not None and (i != sequence or element < 0):
                raise TypeError(
                    f"{primitive.name}: '{primitive.parameters[i]}' is a list with Tensors in it; "
                    "make it one Tensor with np.stack"
                )
            if not parent.active or rule is None:
                silent.append(parent)
                continue
            rule = rule if element is None else rule.of(element)
            if any(w < primitive.output and w not in inner and _is_array(values[w]) for w in rule.wants):
                rule = rule.watching
            parents.append(parent)
            used.append(rule)
            saved.append(rule.pick(environment if element is None else (*environment, element)))
        if parents:
            return _result(primitive, y, tuple(parents), tuple(used), tuple(saved), tuple(silent))
        if isinstance(y, tuple):
            return same_tuple(y, [wrap(v, CONSTANT) for v in y])
        return wrap(y, _flat_node(primitive, y, [parent for _, _, parent in found]))

    return call


def _is_array(value: Any) -> bool:
    """Whether a value is an array, or a sequence with one."""
    return type(value) is np.ndarray or (type(value) in (list, tuple) and any(map(_is_array, value)))


def _result(
    primitive: Primitive,
    y: Any,
    parents: tuple[Node, ...],
    rules: tuple[Rule, ...],
    saved: tuple[Any, ...],
    silent: tuple[Node, ...] = (),
) -> Any:
    """The Tensor, or the tuple of them, that a recorded operation gives."""
    several = isinstance(y, tuple)
    shape = tuple(v.shape for v in y) if several else y.shape
    dtype = tuple(v.dtype for v in y) if several else y.dtype
    node = Node.make(primitive, shape, dtype, parents=parents, rules=rules, saved=saved, note=silent)
    return outputs_of(y, node) if several else wrap(y, node)


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


def _asks_for_no_shape(rules: list[Any]) -> bool:
    return all(want <= len(rules) for rule in rules for want in rule.wants)


def _install(entry: Primitive | Composite) -> None:
    """Give an entry of the table its callable, its method and its operator."""
    if isinstance(entry, Composite):
        entry.call = _composed(entry)
    if isinstance(entry, Primitive):
        rules = [entry.rules.get(i) for i in range(len(entry.parameters))]
        if entry.core is not None and len(rules) < 3 and None not in rules and _asks_for_no_shape(rules):
            entry.call = _broadcasting(entry)
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
