"""The functions that fill the table: elementwise, gufunc, primitive, composite.

The library's own operations and those of a user are registered in the same way.  A function is registered once.
``replace=True`` replaces its entry: the ``np.`` call, the method, the operator and ``vmap`` use the new one.  Graphs
that were recorded before keep the old rules, and so does a callable that an earlier registration returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .dispatch import enter
from .domain import Domain as Domain
from .domain import Example as Example
from .domain import real as real
from .primitive import VARIADIC, Composite, Function, Primitive, names_of
from .recording import original

F = TypeVar("F", bound=Function)


_ARGUMENTS = {1: ("x",), 2: ("a", "b")}


def _check_count(function: Function, rules: int) -> None:
    """Raise unless the function takes as many arguments as there are rules."""
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
    replace: bool = False,
) -> F:
    """Register an elementwise function, which broadcasts its arguments.

    There is one rule for each argument, in order; ``None`` for a derivative that is zero everywhere.  The engine sums
    the result of a rule to the argument's shape, so a rule need not handle broadcasting.

    ``domain`` says where the function is smooth (one for all arguments, or one for each).  ``kinks`` are calls at
    points where its slopes to both sides differ (ties).  ``errors`` are calls that must be refused.  ``analytic`` says
    whether it takes complex numbers, which checks its rule to 14 digits.  ``forward`` is a faster equal of
    ``function``.  ``method`` is its name as a method, an empty one for no method; the default is the function's own
    name, if it is free.  ``replace`` replaces the entry of the function.  Raises TypeError for a rule that asks for an
    unknown name, ValueError for a function that is registered already or a method that is taken.

    >>> import numpy as np
    >>> from autodiff import elementwise, grad
    >>> def cube(x):
    ...     return x * x * x
    >>> cube = elementwise(cube, lambda g, x: g * 3 * x * x)
    >>> grad(cube)(2.0)
    12.0
    """
    function = original(function)  # type: ignore[assignment]
    _check_count(function, len(rules))
    if parameters is None:
        parameters = _ARGUMENTS.get(len(rules)) or names_of(function)
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
        method=method,
    )
    enter(entry, replace=replace, suggested=entry.name)
    return entry.call  # type: ignore[return-value]  # it takes Tensors too


def gufunc(
    function: Function,
    *rules: Function | None,
    signature: str,
    examples: Sequence[Example],
    forward: Function | None = None,
    name: str | None = None,
    analytic: bool = True,
    method: str | None = None,
    replace: bool = False,
) -> Function:
    """Register a function of two arguments that works on their last axes and broadcasts over the others.

    ``signature`` is in NumPy's form: ``"(m,n),(n)->(m)"``.  As for an elementwise function, the engine sums the result
    of a rule over the axes that were broadcast.  In rules the arguments are called ``a`` and ``b``.  ``replace`` is as
    for :func:`elementwise`.

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
    function = original(function)
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
        method=method,
    )
    enter(entry, replace=replace)
    return entry.call


def _signature(function: Function) -> tuple[tuple[str, ...], tuple[Any, ...], bool]:
    """The parameters of a function, the defaults of the last of them, and whether one takes any number of arguments.

    Those that are given by name alone come last, after the one that takes all others.
    """
    code, names = function.__code__, names_of(function)
    if not code.co_flags & VARIADIC:
        return names, function.__defaults__ or (), False
    positional, by_name = names[: code.co_argcount], names[code.co_argcount :]
    defaults = tuple((function.__kwdefaults__ or {})[name] for name in by_name)
    return (*positional, code.co_varnames[len(names)], *by_name), defaults, True


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
    replace: bool = False,
) -> Callable[[Function], Function]:
    """Register the decorated function with one rule for each of its first arguments.

    ``implements`` is the NumPy function whose calls with Tensors come here.  The parameters of the decorated function
    are the keywords it accepts; any other is refused.  ``sequence`` names a parameter that takes a list of arrays (its
    rule may ask for ``position``).  ``examples`` are the calls that the property tests make, ``kinks`` those at points
    where the slopes to both sides differ, ``errors`` those that must be refused.  ``replace`` is as for
    :func:`elementwise`.

    >>> import numpy as np
    >>> from autodiff import grad, primitive
    >>> @primitive(lambda g, x, y: g * np.exp(x - y))
    ... def log_total(x):
    ...     return np.log(np.sum(np.exp(x)))
    >>> grad(log_total)(np.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    def register(function: Function) -> Function:
        if implements is None:
            function = original(function)
        parameters, defaults, variadic = _signature(function)
        of = [p for p in parameters if p == sequence] if sequence else list(parameters[: len(rules)])
        entry = Primitive(
            original(implements or function),
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
        enter(entry, replace=replace)
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
    replace: bool = False,
) -> Callable[[F], F]:
    """Register the decorated function, written with differentiable NumPy, for calls of ``implements`` with Tensors.

    ``replace`` replaces the entry in the table, here that of the library:

    >>> import numpy as np
    >>> from autodiff import Tensor, composite
    >>> @composite(np.ptp, replace=True)
    ... def ptp(a, axis=None, keepdims=False):
    ...     return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
    >>> np.ptp(Tensor([1.0, 5.0])).item()
    4.0
    """

    def register(function: F) -> F:
        entry = Composite(original(implements), function, examples, method, kinks, errors)
        enter(entry, replace=replace)
        return function

    return register
