"""Registration of the ufuncs of ``scipy.special``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import unbroadcast
from ...primitive import Domain, example, real, sample
from ...registering import elementwise, primitive

Array = Any

unit = Domain(0.0, 1.0)
symmetric = Domain(-1.0, 1.0)
away = Domain(0.5, 4.0)


def ufunc(function: Any, *rules: Any, domain: Any = real, parameters: Any = None) -> None:
    """Register a ufunc with a rule for each argument."""
    elementwise(function, *rules, domain=domain, parameters=parameters, method="", analytic=False)


def in_last(function: Any, rule: Any, *orders: float, domain: Domain = real) -> None:
    """Register a ufunc with a rule for its last argument only: ``rule(g, x, orders)``.

    ``orders`` are values of the other arguments for the examples.
    """
    name = function.__name__

    def refused(g: Array) -> Array:
        raise TypeError(f"{name}: only its last argument is differentiated; pass the values of the others: t.data")

    def pulled(g: Array, x: Array, v: Any) -> Array:
        return unbroadcast(rule(g, x, v), x.shape)

    last: Any = {
        1: lambda g, b, a: pulled(g, b, (a,)),
        2: lambda g, c, a, b: pulled(g, c, (a, b)),
        3: lambda g, d, a, b, c: pulled(g, d, (a, b, c)),
    }[len(orders)]
    forward: Any = {
        1: lambda a, b: function(a, b),
        2: lambda a, b, c: function(a, b, c),
        3: lambda a, b, c, d: function(a, b, c, d),
    }[len(orders)]
    columns = [np.array([[v], [v + 1.0]]) for v in orders]
    primitive(
        *[lambda g: refused(g) for _ in orders],
        last,
        implements=function,
        name=name,
        analytic=False,
        examples=[
            example(*orders, sample(2, 3, domain=domain)),
            example(*orders, sample(domain=domain)),
            example(*columns, sample(3, domain=domain)),
        ],
    )(forward)


def several(function: Any, rule: Any, domain: Domain = real) -> None:
    """Register a ufunc of one argument with several outputs: ``rule(g, x, y)``, ``g`` and ``y`` one for each."""
    primitive(
        lambda g, x, y: rule(g, x, y),
        implements=function,
        name=function.__name__,
        analytic=False,
        examples=[example(sample(2, 3, domain=domain)), example(sample(domain=domain))],
    )(lambda x: function(x))
