"""The table of primitives: NumPy functions and the rules that differentiate them.

A primitive is a function of arrays and, for each argument, a vector-Jacobian product (VJP) rule.  A rule is a
pure function written in ordinary NumPy.  Its first parameter is the cotangent ``g``; every further parameter
asks for a value **by name**:

==================  =========================================================================
name                value
==================  =========================================================================
``g``               the cotangent of the output (always first)
``y``               the output
``x`` / ``a, b``    the argument of a unary / the arguments of a binary elementwise function
a parameter's name  that argument of any other primitive
``<name>_shape``    the shape of that argument (keeps no array alive); ``y_shape`` likewise
``position``        for an argument that is a sequence of arrays: which of them
==================  =========================================================================

What no rule asks for is not kept.  ``None`` in the place of a rule says that the derivative is zero everywhere;
an argument without a rule is no argument to differentiate (an axis, an index), and a Tensor there is refused.

This module knows no Tensor.  :mod:`autodiff.recording` listens to the table and turns each entry into the method,
the operator and the ``np.`` call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .convention import agreed, arranged
from .domain import Domain as Domain
from .domain import Example as Example
from .domain import Sample as Sample
from .domain import exactly as exactly
from .domain import example as example
from .domain import nonzero as nonzero
from .domain import positive as positive
from .domain import real as real
from .domain import sample as sample
from .rule import Rule as Rule

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)
Layout = tuple[tuple[Any, ...], tuple[tuple[int, str], ...]]  # defaults after the positional ones, places of keywords
VARIADIC = 0x04  # CO_VARARGS, the bit in a code object's flags that says *args
EVERY = 1 << 30  # positional arguments


class Primitive:
    """One entry of the table.  ``environment`` names what a rule may ask for, in the order a call provides it."""

    def __init__(
        self,
        function: Function,
        forward: Function,
        rules: dict[str, Function | None],
        *,
        name: str,
        parameters: tuple[str, ...],
        defaults: tuple[Any, ...] = (),
        variadic: bool = False,
        sequence: str | None = None,
        core: tuple[int, ...] | None = None,
        domain: tuple[Domain, ...] = (),
        examples: Sequence[Example] = (),
        kinks: Sequence[Example] = (),
        errors: Sequence[Example] = (),
        analytic: bool = True,
        method: str | None = None,
    ) -> None:
        self.name = name
        self.function = function
        self.forward = forward
        self.parameters = parameters
        self.defaults = defaults
        self.index = {parameter: i for i, parameter in enumerate(parameters)}
        self._layouts: dict[tuple[int | str, ...], Layout] = {}
        self.variadic = variadic
        self.sequence = None if sequence is None else self.index[sequence]
        self.core = core  # of a function that broadcasts: how many of each argument's last axes do not
        self.elementwise = core is not None and not any(core)
        self.domain = domain
        self.examples = tuple(examples)
        self.kinks = tuple(kinks)
        self.errors = tuple(errors)
        self.analytic = analytic
        self.method = method
        self.formulas = dict(rules)

        asked = [n for rule in rules.values() if rule is not None for n in _names(rule)[1:]]
        known = [*parameters, "y"]
        shapes = sorted({n for n in asked if n.endswith("_shape") and n[:-6] in known and n not in parameters})
        self.environment = (*known, *shapes, "position")
        self.shapes = tuple(known.index(n[:-6]) for n in shapes)
        self.output = len(parameters)
        self.rules: dict[int, Rule | None] = {
            self.index[parameter]: None if rule is None else self._rule(rule, parameter)
            for parameter, rule in rules.items()
        }
        self.flat = bool(self.rules) and all(rule is None for rule in self.rules.values())
        self.call: Function = forward  # replaced by the listener that knows Tensors

    def _rule(self, function: Function, parameter: str) -> Rule:
        names = _names(function)
        if not names or names[0] != "g":
            raise TypeError(
                f"{self.name}: the rule for '{parameter}' must take the cotangent 'g' first; it takes {names}"
            )
        for name in names[1:]:
            if name not in self.environment or (name == "position" and self.sequence is None):
                offered = [n for n in self.environment if n != "position" or self.sequence is not None]
                raise TypeError(
                    f"{self.name}: the rule for '{parameter}' asks for '{name}', which a call does not have; "
                    f"it can ask for {', '.join(offered)}, or a name followed by _shape"
                )
        return Rule(self.name, function, self.index[parameter], tuple(self.environment.index(n) for n in names[1:]))

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.parameters)})>"

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arguments of a call in the order of the parameters, defaults filled in."""
        if self.variadic:
            place = len(self.parameters) - 1 - len(self.defaults)
            args = (*args[:place], args[place:])
        layout = self._layouts.get((len(args), *kwargs))
        if layout is None:
            args, kwargs, layout = self._laid_out(args, kwargs)
        defaults, places = layout
        values = [*args, *defaults]
        for place, name in places:
            values[place] = kwargs[name]
        return values

    def _laid_out(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], Layout]:
        """A call as the table has it, and where its arguments go, which is remembered for the next such call."""
        if len(args) > self.agreed or not self.index.keys() >= kwargs.keys():
            args, kwargs = arranged(self, args, kwargs)
        given, parameters = len(args), self.parameters
        if given > len(parameters):
            raise TypeError(f"{self.name}: takes {len(parameters)} arguments, got {given}")
        for name in kwargs:
            if self.index[name] < given:
                raise TypeError(f"{self.name}: got two values for '{name}'")
        first_default = len(parameters) - len(self.defaults)
        missing = [name for name in parameters[given:first_default] if name not in kwargs]
        if missing:
            raise TypeError(f"{self.name}: missing {', '.join(missing)}")
        padded = (None,) * first_default + self.defaults
        layout = (padded[given:], tuple((self.index[name], name) for name in kwargs))
        self._layouts[(given, *kwargs)] = layout
        return args, kwargs, layout

    @functools.cached_property
    def agreed(self) -> int:
        """How many positional arguments mean the same to NumPy: from there on, a call is rearranged."""
        return EVERY if self.variadic else agreed(self.function, self.parameters)


class Composite:
    """A NumPy function written with differentiable ones: it needs no rule of its own."""

    def __init__(
        self,
        function: Function,
        call: Function,
        examples: Sequence[Example],
        method: str | None,
        kinks: Sequence[Example] = (),
        errors: Sequence[Example] = (),
    ) -> None:
        self.name = call.__name__
        self.function = function
        self.parameters = _names(call)
        self._positional = call.__code__.co_argcount
        self.call = call
        self.examples = tuple(examples)
        self.kinks = tuple(kinks)
        self.errors = tuple(errors)
        self.method = method

    @functools.cached_property
    def agreed(self) -> int:
        """How many positional arguments mean the same to NumPy."""
        return agreed(self.function, self.parameters[: self._positional])


registry: dict[Function, Primitive | Composite] = {}
"""Every differentiable function, by the function object (np.true_divide *is* np.divide)."""

refusals: dict[Function, str] = {}
"""Functions that have no derivative, and what to write in their place."""

_listeners: list[Callable[[Any], None]] = []


_suppliers: list[Callable[[Function], None]] = []


def supplier(late: Callable[[Function], None]) -> Callable[[Function], None]:
    """Call ``late`` with every function that is not in the table: it may register it then, and what it needs."""
    _suppliers.append(late)
    return late


def supplied(function: Function) -> Any:
    """The entry of a function that the suppliers may know, or None."""
    for late in _suppliers:
        late(function)
    return registry.get(function)


def refuse(function: Function, reason: str) -> None:
    """Say why ``function`` takes no Tensor and what to write; the reason completes "name: reason"."""
    refusals[function] = reason


def listen(listener: Callable[[Any], None]) -> None:
    """Call ``listener`` with every entry, those already registered and those to come."""
    for entry in list(registry.values()):
        listener(entry)
    _listeners.append(listener)


def _register(entry: Any) -> None:
    if not _listeners:  # the callable that the verbs return would let Tensors through unrecorded
        raise RuntimeError(f"{entry.name}: registered before autodiff.recording was imported; import autodiff first")
    registry[entry.function] = entry
    for listener in _listeners:
        listener(entry)


def _names(function: Function) -> tuple[str, ...]:
    code = function.__code__
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


_ARGUMENTS = {1: ("x",), 2: ("a", "b")}


def _check_count(function: Function, rules: int) -> None:
    """Raise unless a function can be called with as many arguments as there are rules."""
    code = getattr(function, "__code__", None)
    most = getattr(function, "nin", code and code.co_argcount)  # of a ufunc, or written in Python
    if most is None or (code is not None and code.co_flags & VARIADIC):
        return
    least = most - len(getattr(function, "__defaults__", None) or ())
    if not least <= rules <= most:
        raise TypeError(
            f"{function.__name__}: takes {most} argument{'s'[: most != 1]}, but there are {rules} rules; "
            "give one rule an argument, in order, and None for one whose derivative is zero everywhere"
        )


def elementwise(
    function: F,
    *rules: Function | None,
    domain: Domain | tuple[Domain, ...] = real,
    parameters: tuple[str, ...] | None = None,
    forward: Function | None = None,
    name: str | None = None,
    analytic: bool = True,
    method: str | None = None,
    examples: Sequence[Example] = (),
    kinks: Sequence[Example] = (),
    errors: Sequence[Example] = (),
) -> F:
    """Register a function that broadcasts its arguments and works on each element by itself.

    One rule an argument, in order; ``None`` for a derivative that is zero everywhere.  The engine sums the
    result of a rule back to the argument's shape, so a rule never thinks of broadcasting.

    ``domain`` says where the function is smooth (one for all arguments or one each), ``kinks`` are calls at points
    where its slopes to both sides differ (ties), ``errors`` calls that it must refuse, ``analytic`` whether it can be
    evaluated at complex points to check its rule to 14 digits, ``forward`` a faster equal of
    ``function``, ``method`` its name as a method, an empty one for none.  Raises TypeError for a rule that asks for an
    unknown name.

    >>> import numpy as np
    >>> from autodiff import elementwise, grad
    >>> def cube(x):
    ...     return x * x * x
    >>> cube = elementwise(cube, lambda g, x: g * 3 * x * x)
    >>> grad(cube)(2.0)
    12.0
    """
    _check_count(function, len(rules))
    if parameters is None:
        parameters = _ARGUMENTS.get(len(rules)) or _names(function)
    if len(rules) != len(parameters):
        raise TypeError(f"{function.__name__}: {len(parameters)} parameters but {len(rules)} rules; give one each")
    domains = (domain,) * len(rules) if isinstance(domain, Domain) else domain
    entry = Primitive(
        function,
        forward or function,
        dict(zip(parameters, rules, strict=True)),
        name=name or function.__name__,
        parameters=parameters,
        core=(0,) * len(parameters),
        domain=domains,
        examples=examples,
        kinks=kinks,
        errors=errors,
        analytic=analytic and not any(d.kinks for d in domains),
        method=(name or function.__name__) if method is None else method or None,
    )
    _register(entry)
    return entry.call  # type: ignore[return-value]  # it takes Tensors too


def gufunc(
    function: Function,
    *rules: Function | None,
    signature: str,
    examples: Sequence[Example],
    forward: Function | None = None,
    name: str | None = None,
    analytic: bool = True,
) -> Function:
    """Register a function of two arguments that works on their last axes and broadcasts over the others.

    ``signature`` is NumPy's: ``"(m,n),(n)->(m)"``.  As for an elementwise function, the engine sums a rule's result
    over the axes that were broadcast.  The rules' names are ``a`` and ``b``.

    >>> import numpy as np
    >>> from autodiff import gufunc, grad, example, sample
    >>> def weighted(a, b):
    ...     return np.sum(a * b, axis=-1)
    >>> weighted = gufunc(
    ...     weighted, lambda g, b: g[..., None] * b, lambda g, a: g[..., None] * a,
    ...     signature="(n),(n)->()", examples=[example(sample(2, 3), sample(3))],
    ... )
    >>> grad(lambda w: np.sum(weighted(np.ones((4, 2)), w)))(np.zeros(2)).tolist()
    [4.0, 4.0]
    """
    terms = signature.replace(" ", "").partition("->")[0].strip("()").split("),(")
    entry = Primitive(
        function,
        forward or function,
        dict(zip(("a", "b"), rules, strict=True)),
        name=name or function.__name__,
        parameters=("a", "b"),
        core=tuple(len(term.split(",")) if term else 0 for term in terms),
        examples=examples,
        analytic=analytic,
    )
    _register(entry)
    return entry.call


def primitive(
    *rules: Function | None,
    implements: Function | None = None,
    examples: Sequence[Example] = (),
    kinks: Sequence[Example] = (),
    errors: Sequence[Example] = (),
    sequence: str | None = None,
    method: str | None = None,
    name: str | None = None,
    analytic: bool = True,
) -> Callable[[Function], Function]:
    """Register the decorated function with one rule for each of its first arguments.

    ``implements`` is the NumPy function whose calls come here; the parameters of the decorated function are
    the keywords it accepts, and any other is refused.  ``sequence`` names a parameter that takes a list of
    arrays (its rule may ask for ``position``).  ``examples`` are the calls that the property tests make, ``kinks``
    those at points where the slopes to both sides differ, ``errors`` those that the function must refuse.

    >>> import numpy as np
    >>> from autodiff import grad, primitive
    >>> @primitive(lambda g, x, y: g * np.exp(x - y))
    ... def log_total(x):
    ...     return np.log(np.sum(np.exp(x)))
    >>> grad(log_total)(np.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    def register(function: Function) -> Function:
        code = function.__code__
        variadic = bool(code.co_flags & VARIADIC)
        parameters = _names(function)
        if variadic:  # the names after the positional ones: keyword-only, then the variadic one
            positional = parameters[: code.co_argcount]
            keyword_only = parameters[code.co_argcount :]
            parameters = (*positional, code.co_varnames[len(parameters)], *keyword_only)
            defaults = tuple((function.__kwdefaults__ or {})[k] for k in keyword_only)
        else:
            defaults = function.__defaults__ or ()
        of = [p for p in parameters if p == sequence] if sequence else list(parameters[: len(rules)])
        entry = Primitive(
            implements or function,
            function,
            dict(zip(of, rules, strict=True)),
            name=name or function.__name__,
            parameters=parameters,
            defaults=defaults,
            variadic=variadic,
            sequence=sequence,
            examples=examples,
            kinks=kinks,
            errors=errors,
            analytic=analytic,
            method=method,
        )
        _register(entry)
        call = entry.call
        call.__doc__ = function.__doc__ or entry.function.__doc__
        return call

    return register


def composite(
    implements: Function,
    *,
    examples: Sequence[Example] = (),
    kinks: Sequence[Example] = (),
    errors: Sequence[Example] = (),
    method: str | None = None,
) -> Callable[[F], F]:
    """Register the decorated function, written with differentiable NumPy, as what ``implements`` means on Tensors.

    >>> import numpy as np
    >>> from autodiff import Tensor, composite
    >>> @composite(np.ptp)
    ... def ptp(a, axis=None):
    ...     return np.max(a, axis=axis) - np.min(a, axis=axis)
    >>> np.ptp(Tensor([1.0, 5.0])).item()
    4.0
    """

    def register(function: F) -> F:
        _register(Composite(implements, function, examples, method, kinks, errors))
        return function

    return register
