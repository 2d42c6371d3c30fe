"""gradient_property: a test that checks the gradient of a function at inputs that Hypothesis draws."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from .arrays import tensors
from .calls import arguments, entry_of
from .gradcheck import gradcheck
from .report import GradientError

Function = Callable[..., Any]


def gradient_property(
    *shapes: Any, order: int = 1, max_examples: int = 50, at_kinks: bool = False, **strategies: Any
) -> Callable[[Function], Function]:
    """Turn a function of arrays into a test that its gradient is right wherever Hypothesis looks.

    ``shapes`` are those of the arguments in order (or strategies for the arguments), ``strategies`` the same by name.
    Inputs at which the check cannot say anything (a value outside of the domain) are not counted.  The test raises
    GradientError with the report of the smallest failing input.

    >>> import numpy as np
    >>> from autodiff.testing.property import gradient_property
    >>> @gradient_property((2, 3), (3,))
    ... def test_layer(w, x):
    ...     return np.tanh(w @ x)
    >>> test_layer()
    """

    def decorate(f: Function) -> Function:
        names = list(inspect.signature(f).parameters)
        drawn = {name: _strategy(shape) for name, shape in zip(names, shapes, strict=False)}
        drawn |= {name: _strategy(shape) for name, shape in strategies.items()}
        missing = [name for name in names if name not in drawn]
        if missing:
            raise TypeError(f"gradient_property: no shape is given for {', '.join(missing)}")

        def check(**values: Any) -> None:
            require_correct(f, *[values[name] for name in names], order=order)

        test = settings(max_examples=max_examples, deadline=None, suppress_health_check=list(HealthCheck))(
            given(**drawn)(check)
        )
        test.__name__, test.__doc__, test.__module__ = f.__name__, f.__doc__, f.__module__
        return test

    return decorate


def _strategy(shape: Any) -> Any:
    return (
        shape
        if isinstance(shape, st.SearchStrategy)
        else tensors(tuple(shape) if not isinstance(shape, int) else (shape,))
    )


def require_correct(f: Function, *args: Any, order: int = 1) -> None:
    """Raise GradientError for a wrong gradient; tell Hypothesis to look elsewhere if nothing can be said."""
    try:
        report = gradcheck(f, *args, order=order)
    except np.linalg.LinAlgError:  # a degenerate matrix: there is no derivative, and the function says so
        reject()
    if report.verdict == "wrong":
        raise GradientError(report)
    if not report.correct:
        reject()


def check_entry(function: Function, *, order: int = 1, max_examples: int = 50) -> None:
    """Check everything that can be checked of one registered function, with arguments drawn from its own entry.

    The one line with which a primitive of your own is tested.

    >>> import numpy as np
    >>> from autodiff import elementwise
    >>> from autodiff.testing.property import check_entry
    >>> def gauss(x):
    ...     return np.exp(-x * x)
    >>> check_entry(elementwise(gauss, lambda g, x, y: g * (-2.0 * x * y)), max_examples=5)
    """
    entry = entry_of(function)

    @settings(max_examples=max_examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(arguments(entry))
    def check(call: Any) -> None:
        require_correct(call, *call.arrays, order=order)

    check()
