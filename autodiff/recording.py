"""Recording: from an entry of the table to the function that is called, its method and its operator.

Each entry gets one callable, made for its kind: elementwise functions of one or two arguments, which are the hot path,
functions of one array and options, and everything else.  A callable computes the forward value, keeps what the rules
asked for, and hands back a Tensor.  With no Tensor among its arguments it is the plain function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from .convention import Signature, arranged, spellings
from .examples import every
from .graph import CONSTANT, DOUBLE, Node, tick
from .mode import current, innermost
from .primitive import VARIADIC, Composite, Function, Primitive
from .protocol import WRONG, complain, foreign, has_own_rules
from .rule import Rule, pairs_of, prints_of
from .template import provide, waiting
from .tensor import Tensor, outputs_of, same_tuple, unwrapped, value_of, wrap
from .writes import SMALL, print_of

_new = object.__new__
KEYWORDS = 0x08  # CO_VARKEYWORDS, the bit that says **kwargs


_NUMPYS_OWN = frozenset({np.ndarray, *(np.dtype(code).type for code in "?bhilqefdgFDG")})
"""The types of results that need no second look."""


def _speaks(y: Any) -> bool:
    """Whether an operation's result is NumPy's, or of an array that NumPy's functions can go on with."""
    return isinstance(y, np.generic) or hasattr(y, "__array_function__")


_CONSTANTS = _NUMPYS_OWN | {int, float, complex, bool, list, tuple}
"""The types of constants that need no second look before they meet a Tensor."""


def _checked(primitive: Primitive, parameter: str, constant: Any) -> Any:
    """The constant; TypeError for one that would take part in the operation by rules of its own."""
    odd = foreign(constant)
    if odd is not None:
        raise TypeError(f"{primitive.name}: {parameter} is {odd}")
    return constant.view(np.ndarray) if isinstance(constant, np.memmap) else constant


def _admitted(primitive: Primitive, values: tuple[Any, Any], y: Any) -> Any:
    """A result as NumPy has it; refused if another argument made it something with rules of its own."""
    if type(y) is complex:  # what Python makes of 1j * a double
        return np.complex128(y)
    if isinstance(y, float) or has_own_rules(y) or not _speaks(y):
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
    array = every(value)
    return isinstance(array, np.ndarray) and (node.primitive is None or array.base is not None)


def _broadcasting(primitive: Primitive) -> Callable[..., Any]:
    """The callable of a function that broadcasts, of one argument or two."""
    return waiting(primitive, [primitive.rules[i] for i in range(len(primitive.parameters))])


def _first(primitive: Primitive, rule: Rule) -> Callable[..., Any]:
    """The callable of a function of one array and options, for calls in which nothing else is a Tensor."""
    fully = general(primitive)
    forward, rules, pick = primitive.forward, (rule,), rule.pick
    shapes, output = primitive.shapes, primitive.output
    takes_input, takes_option = 0 in rule.wants, any(0 < want < output for want in rule.wants)
    watching = (rule.watching,)

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if type(x) is not Tensor or innermost() is not None or not x._node.active:
            return fully(x, *args, **kwargs)
        mine = _NOTHING
        for option in (*args, *kwargs.values()) if kwargs else args:
            kind = type(option)
            if kind is Tensor or kind is list or (kind is tuple and not _IS_PLAIN.issuperset(map(type, option))):
                return fully(x, *args, **kwargs)
            if kind is np.ndarray:
                mine = [*mine, (option, print_of(option))]
            elif kind is tuple:
                mine = [*mine, *pairs_of(option)]
        value = x._value
        values = primitive.bind((value, *args), kwargs)
        try:
            y = forward(*values)
        except WRONG as error:
            complain(primitive, values, error)
        if y is value and type(y) is np.ndarray:  # it would look like a result, which is nobody else's
            y = y.view()
        environment = (*values, y, *[(y if k == output else values[k]).shape for k in shapes])
        parents = (x._node,)
        if takes_input and _owned(value, parents[0]):
            mine = [*mine, *pairs_of(value)]
        if mine and takes_option | takes_input:
            return _result(primitive, y, parents, watching, ((pick(environment), mine),))
        return _result(primitive, y, parents, rules, (pick(environment),))

    return call


_NOTHING: list[Any] = []
_IS_PLAIN = frozenset({int, slice, np.ndarray, type(None), type(Ellipsis), np.int64})
"""What an option may be made of without a closer look for Tensors in it."""


def general(primitive: Primitive) -> Callable[..., Any]:
    """The callable of any other primitive."""
    rules, sequence, shapes = primitive.rules, primitive.sequence, primitive.shapes
    place = len(primitive.parameters) - 1 - len(primitive.defaults)
    asked = {w for rule in rules.values() if rule is not None for w in rule.wants if w < primitive.output}
    broadcasts = primitive.core is not None

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
        unsure: list[int] = []
        for i, value in enumerate(values):
            if type(value) is Tensor:
                found.append((i, None, value._node))
                values[i] = value._value
            elif type(value) is tuple or type(value) is list:
                nodes: list[tuple[int | None, Node]] = []
                values[i] = unwrapped(value, nodes)
                found.extend((i, element, node) for element, node in nodes)
            elif broadcasts and type(value) not in _CONSTANTS:
                unsure.append(i)
        if not found:
            try:
                return forward(values)
            except WRONG as error:
                complain(primitive, values, error)
        for i in unsure:
            values[i] = _checked(primitive, primitive.parameters[i], values[i])
        for i, _, parent in found:
            if parent.active and i not in rules:
                if sequence is not None and i > sequence:
                    raise TypeError(
                        f"{primitive.name}: takes one list of arrays, and got several arrays; "
                        f"write {primitive.name}([t, u])"
                    )
                two = "np.maximum or np.minimum compare two arrays, or " if primitive.name in ("max", "min") else ""
                raise TypeError(
                    f"{primitive.name}: '{primitive.parameters[i]}' is not an argument to differentiate, and a Tensor "
                    f"that leads to a variable was given there; {two}pass its values: t.data, or stop_gradient(t)"
                )
        mode = innermost()
        if mode is not None:
            return mode.perform(primitive, args, kwargs)
        try:
            y = forward(values)
        except WRONG as error:
            complain(primitive, values, error)
        if type(y) is np.ndarray and any(y is value for value in values):
            y = y.view()
        environment = (*values, y, *[_shape(y if k == primitive.output else values[k], k == sequence) for k in shapes])
        parents: list[Node] = []
        silent: list[Node] = []
        used: list[Rule] = []
        saved: list[Any] = []
        inner = {id(every(v)) for v in _results(found, values)}
        prints = {w: [p for p in pairs_of(values[w]) if id(p[0]) not in inner] for w in asked}
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
            rule, kept = rule.keep(environment if element is None else (*environment, element), prints)
            parents.append(parent)
            used.append(rule)
            saved.append(kept)
        if parents:
            return _result(primitive, y, tuple(parents), tuple(used), tuple(saved), tuple(silent))
        if isinstance(y, tuple):
            return same_tuple(y, [wrap(v, CONSTANT) for v in y])
        return wrap(y, _flat_node(primitive, y, [parent for _, _, parent in found]))

    return call


def _results(found: list[tuple[int, int | None, Node]], values: Sequence[Any]) -> Iterator[Any]:
    """The values of Tensors that the user cannot hold: results of operations."""
    for i, element, parent in found:
        if element is None or element >= 0:
            value = values[i] if element is None else values[i][element]
            if not _owned(value, parent):
                yield value


def _result(
    primitive: Primitive,
    y: Any,
    parents: tuple[Node, ...],
    rules: tuple[Rule, ...],
    saved: tuple[Any, ...],
    silent: tuple[Node, ...] = (),
) -> Any:
    """The Tensor, or the tuple of them, that a recorded operation gives."""
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
    result: Tensor = _new(Tensor)
    result._value = y
    result._node = node
    return result


def _shape(value: Any, is_sequence: bool) -> Any:
    return [np.shape(v) for v in value] if is_sequence else np.shape(value)


def _composed(entry: Composite) -> Callable[..., Any]:
    """The callable of a composite, which takes NumPy's arguments and says who it is when they do not fit."""
    function, known = entry.definition, frozenset(entry.parameters)
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
            complain(entry, [value_of(a) for a in args], error)
        except NotImplementedError as error:
            mode = current()
            otherwise = None if mode is None else mode.otherwise(error, args, kwargs)
            if otherwise is None:
                raise
        return otherwise(function, args, kwargs)

    return call


def _asks_for_no_shape(rules: list[Any]) -> bool:
    return all(want <= len(rules) for rule in rules for want in rule.wants)


def original(function: Function) -> Function:
    """The function itself, if this is the callable that was made of its entry: ``autodiff.relu``, for one."""
    known = vars(function).get("__signature__") if type(function) is FunctionType else None
    entry = getattr(known, "entry", None)
    return function if entry is None or entry.call is not function else entry.function


def callable_of(entry: Primitive | Composite) -> Function:
    """The callable of an entry, made for its kind."""
    call: Any
    if isinstance(entry, Composite):
        call = _composed(entry)
    else:
        rules = [entry.rules.get(i) for i in range(len(entry.parameters))]
        if entry.core is not None and len(rules) < 3 and None not in rules and _asks_for_no_shape(rules):
            call = _broadcasting(entry)
        elif list(entry.rules) == [0] and rules[0] is not None and entry.sequence is None and not entry.variadic:
            call = _first(entry, rules[0])
        else:
            call = general(entry)
        call.__name__ = call.__qualname__ = entry.name
        call.__doc__ = entry.function.__doc__
    spelling = spellings.get(entry.function)
    if spelling is not None:
        call = _spelled(spelling, call)
    call.__signature__ = Signature.of(entry)
    return call  # type: ignore[no-any-return]


def _spelled(spelling: Function, plain: Function) -> Function:
    """The callable of a function that NumPy lets us call in further ways."""

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        return spelling(plain, *args, **kwargs)

    return call


provide(
    CONSTANT=CONSTANT, CONSTANTS=_CONSTANTS, DOUBLE=DOUBLE, NUMPYS_OWN=_NUMPYS_OWN, Node=Node, Tensor=Tensor,
    WRONG=WRONG, admitted=_admitted, checked=_checked, complain=complain, flat_node=_flat_node, float64=np.float64,
    mode_of=innermost, ndarray=np.ndarray, new=_new, owned=_owned, prints_of=prints_of, SMALL=SMALL, tick=tick,
    wrap=wrap,
)  # fmt: skip
