"""The table of primitives: NumPy functions and the rules that differentiate them.

A primitive is a function of arrays with a vector-Jacobian product (VJP) rule for each argument.  A rule is a pure
function written in ordinary NumPy.  Its first parameter is the cotangent ``g``; every further parameter asks for a
value **by name**:

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

A value that no rule asks for is not saved.  ``None`` instead of a rule means that the derivative is zero everywhere.
An argument without a rule cannot be differentiated (an axis, an index), and a Tensor there is refused.

This module does not use Tensor. :mod:`.registering` fills the table, :mod:`.recording` makes the callable of each
entry, and :mod:`.dispatch` adds its method and its operator.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

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
Layout = tuple[tuple[Any, ...], tuple[tuple[int, str], ...]]  # defaults after the positional ones, places of keywords
VARIADIC = 0x04  # CO_VARARGS, the bit in a code object's flags that says *args
EVERY = 1 << 30  # positional arguments


class Primitive:
    """One entry of the table; ``environment`` has the names that a rule may ask for, in the order of a call."""

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
        self.index: dict[str, int] = {parameter: i for i, parameter in enumerate(parameters)}
        self._layouts: dict[tuple[int | str, ...], Layout] = {}
        self.variadic = variadic
        self.sequence: int | None = None if sequence is None else self.index[sequence]
        self.core = core  # of a function that broadcasts: how many of each argument's last axes do not
        self.elementwise: bool = core is not None and not any(core)
        self.domain = domain
        self.examples: tuple[Example, ...] = tuple(examples)
        self.kinks: tuple[Example, ...] = tuple(kinks)
        self.errors: tuple[Example, ...] = tuple(errors)
        self.analytic = analytic
        self.method = method
        self.formulas: dict[str, Function | None] = dict(rules)

        asked = {parameter: names_of(rule) for parameter, rule in rules.items() if rule is not None}
        self.environment: tuple[str, ...]
        self.shapes: tuple[int, ...]
        self.environment, self.shapes = self._offered(asked)
        self.output: int = len(parameters)
        self.rules: dict[int, Rule | None] = {
            self.index[parameter]: None if rule is None else self._rule(rule, parameter, asked[parameter])
            for parameter, rule in rules.items()
        }
        self.flat: bool = bool(self.rules) and all(rule is None for rule in self.rules.values())
        self.call: Function = forward  # replaced by one that knows Tensors

    def _offered(self, asked: dict[str, tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The names of what a call has for its rules, and of which values it notes the shape."""
        known = [*self.parameters, "y"]
        wanted = {n for names in asked.values() for n in names if n[-6:] == "_shape" and n[:-6] in known}
        shapes = sorted(wanted - self.index.keys())
        return (*known, *shapes, "position"), tuple(known.index(n[:-6]) for n in shapes)

    def _rule(self, function: Function, parameter: str, names: tuple[str, ...]) -> Rule:
        if not names or names[0] != "g":
            raise TypeError(
                f"{self.name}: the rule for '{parameter}' must take the cotangent 'g' first; it takes {names}"
            )
        places = {name: i for i, name in enumerate(self.environment)}
        for name in names[1:]:
            if name in ("y", "y_shape") and "y" in self.index:
                raise TypeError(
                    f"{self.name}: the rule for '{parameter}' asks for '{name}': of the output, or of the parameter "
                    "'y' of the function? give the parameter another name"
                )
            if name not in places or (name == "position" and self.sequence is None):
                offered = [n for n in self.environment if n != "position" or self.sequence is not None]
                raise TypeError(
                    f"{self.name}: the rule for '{parameter}' asks for '{name}', which a call does not have; "
                    f"it can ask for {', '.join(offered)}, or a name followed by _shape"
                )
        return Rule(self.name, function, self.index[parameter], tuple([places[n] for n in names[1:]]))

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.parameters)})>"

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arguments of a call in the order of the parameters, with defaults."""
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
        """A call in the form of the table, and the positions of its arguments, cached for calls of the same form."""
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
        """The number of positional arguments that mean the same for NumPy; a call with more is rearranged."""
        return EVERY if self.variadic else agreed(self.function, self.parameters)


class Composite:
    """A NumPy function written with differentiable ones, which needs no rule."""

    def __init__(
        self,
        function: Function,
        call: Function,
        examples: Sequence[Example],
        method: str | None,
        kinks: Sequence[Example] = (),
        errors: Sequence[Example] = (),
    ) -> None:
        self.name: str = call.__name__
        self.function = function
        self.parameters: tuple[str, ...] = names_of(call)
        self._positional = call.__code__.co_argcount
        self.definition = call
        self.call: Function = call  # replaced by the callable that says who it is
        self.examples: tuple[Example, ...] = tuple(examples)
        self.kinks: tuple[Example, ...] = tuple(kinks)
        self.errors: tuple[Example, ...] = tuple(errors)
        self.method = method

    @functools.cached_property
    def agreed(self) -> int:
        """The number of positional arguments that mean the same for NumPy."""
        return agreed(self.function, self.parameters[: self._positional])


registry: dict[Function, Primitive | Composite] = {}
"""Every differentiable function, by the function object (np.true_divide *is* np.divide)."""

refusals: dict[Function, str] = {}
"""Functions that have no derivative, and what to write in their place."""

late: list[Primitive | Composite] = []
"""What was registered inside of :func:`lasting`."""


@contextmanager
def lasting() -> Iterator[None]:
    """What the block registers belongs to the library, whenever that is: no end of a test takes it back."""
    before = len(registry)
    yield
    late.extend([*registry.values()][before:])


_suppliers: list[Callable[[Function], None]] = []


def supplier(late: Callable[[Function], None]) -> Callable[[Function], None]:
    """Call ``late`` with each function that is not in the table; it may then register that function."""
    _suppliers.append(late)
    return late


def supplied(function: Function) -> Any:
    """The entry of a function from one of the suppliers, or None."""
    for late in _suppliers:
        late(function)
    return registry.get(function)


def refuse(function: Function, reason: str) -> None:
    """Refuse Tensors in calls of ``function``; the reason says what to write, and completes "name: reason"."""
    refusals[function] = reason


def names_of(function: Function) -> tuple[str, ...]:
    """The names of the parameters of a function written in Python, without those that take any number of arguments."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
