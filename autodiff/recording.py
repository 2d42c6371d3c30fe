"""Recording: the callable, the method and the operator of an entry of the table.

Each entry gets one callable, made for its kind: elementwise functions of one or two arguments, which are the hot path;
functions of one array and options; and all others.  A callable computes the value, saves the values that rules ask for,
and returns a Tensor.  If no argument is a Tensor, it is the plain function.
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
from .operands import CONSTANTS, NUMPYS_OWN, admitted, array_of_list, checked, owned
from .outputs import flat_node, result_of, same_tuple
from .primitive import VARIADIC, Composite, Function, Primitive
from .protocol import WRONG, complain
from .rule import Rule, pairs_of, prints_of
from .template import provide, waiting
from .tensor import Tensor, unwrapped, value_of, wrap
from .writes import SMALL, print_of

_new = object.__new__
KEYWORDS = 0x08  # CO_VARKEYWORDS, the bit that says **kwargs


def _broadcasting(primitive: Primitive) -> Callable[..., Any]:
    """The callable of a function of one or two arguments that broadcasts."""
    return waiting(primitive, [primitive.rules[i] for i in range(len(primitive.parameters))])


def _first(primitive: Primitive, rule: Rule) -> Callable[..., Any]:
    """The callable of a function of one array and options, for calls with no other Tensor."""
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
        if takes_input and owned(value, parents[0]):
            mine = [*mine, *pairs_of(value)]
        if mine and takes_option | takes_input:
            return result_of(primitive, y, parents, watching, ((pick(environment), mine),))
        return result_of(primitive, y, parents, rules, (pick(environment),))

    return call


_NOTHING: list[Any] = []
_IS_PLAIN = frozenset({int, slice, np.ndarray, type(None), type(Ellipsis), np.int64})
"""What an option may be made of without a closer look for Tensors in it."""


Found = list[tuple[int, int | None, Node]]
"""The Tensors among the arguments: place of the argument, place in it if it is a list, node."""


def general(primitive: Primitive) -> Callable[..., Any]:
    """The callable of any other primitive."""
    rules, sequence, broadcasts = primitive.rules, primitive.sequence, primitive.core is not None
    compute, link = _computing(primitive), _linking(primitive)

    def call(*args: Any, **kwargs: Any) -> Any:
        values = primitive.bind(args, kwargs)
        if sequence is not None and type(values[sequence]) is Tensor:
            values[sequence] = _rows(primitive, values[sequence])
        found = _taken_out(values)
        if not found:
            return compute(values)
        _check(primitive, values, broadcasts)
        for i, _, parent in found:
            if parent.active and i not in rules:
                raise _no_variable(primitive, i)
        mode = innermost()
        if mode is not None:
            return mode.perform(primitive, args, kwargs)
        y = compute(values)
        if type(y) is np.ndarray:
            if y.dtype.kind == "O":
                complain(primitive, values, TypeError("an argument is no array of numbers"))
            if any(y is value for value in values):
                y = y.view()
        parents, used, saved, silent = link(found, values, y)
        if parents:
            return result_of(primitive, y, tuple(parents), tuple(used), tuple(saved), tuple(silent))
        if isinstance(y, tuple):
            return same_tuple(y, [wrap(v, CONSTANT) for v in y])
        return wrap(y, flat_node(primitive, y, [parent for _, _, parent in found]))

    return call


def _computing(primitive: Primitive) -> Callable[[list[Any]], Any]:
    """A function that computes the value from the list of all arguments."""
    forward, variadic = primitive.forward, primitive.variadic
    place = len(primitive.parameters) - 1 - len(primitive.defaults)
    keywords = primitive.parameters[place + 1 :]

    def compute(values: list[Any]) -> Any:
        try:
            if not variadic:
                return forward(*values)
            options = dict(zip(keywords, values[place + 1 :], strict=True))
            return forward(*values[:place], *values[place], **options)
        except WRONG as error:
            complain(primitive, values, error)

    return compute


def _rows(primitive: Primitive, array: Tensor) -> list[Any]:
    """A Tensor instead of a list of arrays: its rows are the arrays."""
    if not array.shape:
        raise TypeError(f"{primitive.name}: needs a list of arrays, got a Tensor that is one number")
    return list(array)


def _taken_out(values: list[Any]) -> Found:
    """The Tensors among the arguments, which are replaced by their arrays."""
    found: Found = []
    for i, value in enumerate(values):
        if type(value) is Tensor:
            found.append((i, None, value._node))
            values[i] = value._value
        elif type(value) is tuple or type(value) is list:
            nodes: list[tuple[int | None, Node]] = []
            values[i] = unwrapped(value, nodes)
            found.extend((i, element, node) for element, node in nodes)
    return found


def _check(primitive: Primitive, values: list[Any], broadcasts: bool) -> None:
    """Make arrays of lists of numbers; of what broadcasts, refuse a constant with operations of its own."""
    if broadcasts:
        for i, value in enumerate(values):
            if type(value) not in CONSTANTS:
                values[i] = checked(primitive, primitive.parameters[i], value)
        return
    for i, rule in primitive.rules.items():
        if rule is not None and i != primitive.sequence and type(values[i]) in (list, tuple):
            values[i] = array_of_list(values[i])


def _no_variable(primitive: Primitive, i: int) -> TypeError:
    """The error for a Tensor that depends on a variable, for an argument without a derivative."""
    if primitive.sequence is not None and i > primitive.sequence:
        return TypeError(
            f"{primitive.name}: takes one list of arrays, and got several arrays; write {primitive.name}([t, u])"
        )
    two = "np.maximum or np.minimum compare two arrays, or " if primitive.name in ("max", "min") else ""
    return TypeError(
        f"{primitive.name}: '{primitive.parameters[i]}' is not an argument to differentiate, and a Tensor "
        f"that leads to a variable was given there; {two}pass its values: t.data, or stop_gradient(t)"
    )


Linked = tuple[list[Node], list[Rule], list[Any], list[Node]]
"""Parents, the rule for each of them and what it saved; and the nodes through which no gradient flows."""


def _linking(primitive: Primitive) -> Callable[[Found, list[Any], Any], Linked]:
    """A function that links a result to the Tensors among the arguments."""
    rules, sequence, shapes, output = primitive.rules, primitive.sequence, primitive.shapes, primitive.output
    asked = {w for rule in rules.values() if rule is not None for w in rule.wants if w < output}

    def link(found: Found, values: list[Any], y: Any) -> Linked:
        environment = (*values, y, *[_shape(y if k == output else values[k], k == sequence) for k in shapes])
        linked: Linked = ([], [], [], [])
        parents, used, saved, silent = linked
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
        return linked

    return link


def _results(found: Found, values: Sequence[Any]) -> Iterator[Any]:
    """The values of Tensors that the user cannot hold: results of operations."""
    for i, element, parent in found:
        if element is None or element >= 0:
            value = values[i] if element is None else values[i][element]
            if not owned(value, parent):
                yield value


def _shape(value: Any, is_sequence: bool) -> Any:
    return [np.shape(v) for v in value] if is_sequence else np.shape(value)


def _composed(entry: Composite) -> Callable[..., Any]:
    """The callable of a composite, which takes NumPy's arguments, and names itself in an error if they do not fit."""
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
    """The original function, if this is the callable of an entry, such as ``autodiff.relu``."""
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
    """The callable of a function that NumPy allows to be called in more ways."""

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        return spelling(plain, *args, **kwargs)

    return call


provide(
    CONSTANT=CONSTANT, CONSTANTS=CONSTANTS, DOUBLE=DOUBLE, NUMPYS_OWN=NUMPYS_OWN, Node=Node, Tensor=Tensor,
    WRONG=WRONG, admitted=admitted, checked=checked, complain=complain, flat_node=flat_node, float64=np.float64,
    mode_of=innermost, ndarray=np.ndarray, new=_new, owned=owned, prints_of=prints_of, SMALL=SMALL, tick=tick,
    wrap=wrap,
)  # fmt: skip
