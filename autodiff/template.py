"""Callables of functions that broadcast, generated from a template.

These callables are the hot path.  They differ in the values that their rules ask for, so one source is generated for
each such pattern.  It is compiled at the first call of such a callable, and replaces its code.  To read one::

    from autodiff.template import source
    print(source(((1,), (0,)), "{} * {}"))  # of multiply, whose rules ask for the other factor
"""

from __future__ import annotations

import builtins
import functools
import linecache
import operator
import os
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any

Wants = tuple[tuple[int, ...], ...]
"""For each argument, the places of what its rule asks for: arguments first, then the result."""

_TEXT = """
def make({names}):
    def call({arguments}):
        nonlocal {names}
{unwrap}
        mode = mode_of()
        if mode is not None:
            return mode.perform(primitive, ({arguments},), {{}})
        try:
            y = {forward}
        except WRONG as error:
            complain(primitive, ({values},), error)
        if type(y) is float64{alone}:
{numbers}
            node.kind = float64
            node.shape = ()
            node.dtype = DOUBLE
        else:
            if type(y) in NUMPYS_OWN:
                if {same}:
                    y = y.view()
{owners}
            else:
                y = admitted(primitive, ({values},), y)
{slowly}
{arrays}
            node.kind = float64 if type(y) is float64 else None
            node.shape = y.shape
            node.dtype = y.dtype
        node.primitive = primitive
        node.active = True
        node.age = tick()
        result = new(Tensor)
        result._value = y
        result._node = node
        return result

    return call
"""

_UNWRAP_ONE = """
        if type(x) is not Tensor:
            return forward(x)
        vx = x._value
        nx = x._node
"""
_UNWRAP_TWO = """
        if type(a) is Tensor:
            va = a._value
            na = a._node
            if type(b) is Tensor:
                vb = b._value
                nb = b._node
            else:
                vb = b
                nb = CONSTANT
                if type(b) not in CONSTANTS:
                    vb = checked(primitive, "b", b)
        elif type(b) is Tensor:
            va = a
            na = CONSTANT
            vb = b._value
            nb = b._node
            if type(a) not in CONSTANTS:
                va = checked(primitive, "a", a)
        else:
            return forward(a, b)
"""
_WHO = {1: ("x",), 2: ("a", "b")}
_CASES = {
    1: (("nx.active", "x"),),
    2: (("na.active and nb.active", "ab"), ("na.active", "a"), ("nb.active", "b")),
}


_SYMBOLS: dict[Any, str] = {
    operator.add: "{} + {}", operator.sub: "{} - {}", operator.mul: "{} * {}", operator.truediv: "{} / {}",
    operator.neg: "-{}",
}  # fmt: skip


def source(wants: Wants, forward: str = "forward({}, {})") -> str:
    """The source of the callable for rules that ask for these values, inside a function whose parameters it uses."""
    who = _WHO[len(wants)]
    asked = dict(zip(who, wants, strict=True))
    owned = [n for i, n in enumerate(who) if any(i in w for w in wants)]
    return _TEXT.format(
        names=", ".join(_waits(len(who)).co_freevars),
        forward=forward.format(*[f"v{n}" for n in who]),
        arguments=", ".join(who),
        values=", ".join(f"v{n}" for n in who),
        unwrap=(_UNWRAP_ONE if len(who) == 1 else _UNWRAP_TWO).strip("\n"),
        numbers=_cases(asked, owned=()),
        same=" or ".join(f"y is v{n}" for n in who),  # it would look like a result, which is nobody else's
        alone="".join(f" and type(v{n}) is not ndarray" for n in owned),
        owners=_lines("mine_{0} = type(v{0}) is ndarray and (n{0}.primitive is None or v{0}.base is not None)", owned),
        slowly=_lines("mine_{0} = owned(v{0}, n{0})", owned),
        arrays=_cases(asked, owned=owned),
    )


def _lines(line: str, names: list[str]) -> str:
    return "\n".join(" " * 16 + (line.format(name) if name else "pass") for name in names or [""])


def _cases(asked: dict[str, tuple[int, ...]], owned: Any) -> str:
    """What is recorded, by which arguments depend on a variable; ``owned`` arrays may be the user's."""
    who, lines = list(asked), []
    for k, (condition, case) in enumerate(_CASES[len(who)]):
        rules, saved, watches = [], [], False
        for n in case:
            names = [f"v{who[w]}" if w < len(who) else "y" for w in asked[n]]
            packed = "None" if not names else names[0] if len(names) == 1 else f"({', '.join(names)})"
            mine = " or ".join(f"mine_{who[w]}" for w in asked[n] if w < len(who) and who[w] in owned)
            watches = watches or bool(mine)
            rules.append(f"(w_{n} if {mine} else r_{n})" if mine else f"r_{n}")
            if mine:
                prints = f"prints_of({packed})"
                if len(names) == 1:  # the commonest, without a call
                    prints = (
                        f"{packed}.tobytes() if type({packed}) is ndarray and {packed}.nbytes <= SMALL else {prints}"
                    )
                packed = f"(({packed}, {prints}) if {mine} else {packed})"
            saved.append(packed)
        lines += [
            f"{'el' * (k > 0)}if {condition}:",
            "    node = new(Node)",
            f"    node.parents = ({', '.join(f'n{n}' for n in case)},)",
            f"    node.rules = {'(' + ', '.join(rules) + ',)' if watches else f'rules_{case}'}",
            f"    node.saved = ({', '.join(saved)},)",
        ]
    nodes = ", ".join(f"n{n}" for n in who)
    lines += ["else:", f"    return wrap(y, flat_node(primitive, y, [{nodes}]))"]
    return "\n".join(" " * 12 + line for line in lines)


# a warning of NumPy's imports a module from here, for which Python 3.13 asks for the builtins
_globals: dict[str, Any] = {"__name__": "autodiff.recording", "__builtins__": builtins}


def provide(**names: Any) -> None:
    """Set the names that the source uses: classes and functions of the engine."""
    _globals.update(names)


def _waiting_one(call: Any, forward: Any, primitive: Any, r_x: Any, rules_x: Any, w_x: Any) -> Any:
    def waits(x: Any) -> Any:
        nonlocal forward, primitive, r_x, rules_x, w_x
        return write(call)(x)

    return waits


def _waiting_two(
    call: Any, forward: Any, primitive: Any, r_a: Any, r_b: Any, rules_a: Any, rules_ab: Any, rules_b: Any, w_a: Any,
    w_b: Any,
) -> Any:  # fmt: skip
    def waits(a: Any, b: Any) -> Any:
        nonlocal forward, primitive, r_a, r_b, rules_a, rules_ab, rules_b, w_a, w_b
        return write(call)(a, b)

    return waits


def _waits(arguments: int) -> Any:
    """The code of a callable before its first call; it has the names of the final code."""
    whole: Any = _waiting_one if arguments == 1 else _waiting_two
    return next(constant for constant in whole.__code__.co_consts if isinstance(constant, CodeType))


def waiting(primitive: Any, rules: list[Any]) -> Callable[..., Any]:
    """The callable of a primitive of one or two arguments; its source is generated at the first call."""
    rule = dict(zip(_WHO[len(rules)], rules, strict=True))
    values = {"primitive": primitive, "forward": primitive.forward}
    for n in rule:
        values |= {f"r_{n}": rule[n], f"w_{n}": rule[n].watching}
    for _, case in _CASES[len(rules)]:
        values[f"rules_{case}"] = tuple(rule[n] for n in case)
    code = _waits(len(rules))
    cells = {name: CellType(values.get(name)) for name in code.co_freevars}
    call = FunctionType(code, _globals, primitive.name, None, tuple(cells.values()))
    cells["call"].cell_contents = call
    return call


def write(call: Any) -> Callable[..., Any]:
    """Give a waiting callable its code, which is the same for all whose rules ask for the same values."""
    cells = dict(zip(call.__code__.co_freevars, call.__closure__, strict=True))
    wants = tuple(cells[f"r_{n}"].cell_contents.wants for n in _WHO[call.__code__.co_argcount])
    usual = "forward({}, {})" if len(wants) == 2 else "forward({})"
    code = written(wants, _SYMBOLS.get(cells["forward"].cell_contents, usual))  # of an operator, its symbol
    assert code.co_freevars == call.__code__.co_freevars
    call.__code__ = code
    return call  # type: ignore[no-any-return]


_globals["write"] = write


@functools.cache
def written(wants: Wants, forward: str) -> CodeType:
    """The code of callables whose rules ask for these values."""
    text = source(wants, forward)
    name = os.path.join(os.path.dirname(__file__), f"<{forward.format('a', 'b')}, whose rules ask for {wants}>")
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name  # so that tracebacks show its lines
    module = compile(text, name, "exec")
    make = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    return next(constant for constant in make.co_consts if isinstance(constant, CodeType))
