"""gradient_property: a test that checks the gradient of a function at inputs that Hypothesis draws."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from .random.arrays import tensors
from .random.calls import arguments
from .table.samples import entry_of
from .verdict.gradcheck import gradcheck
from .verdict.report import GradientError, Report

Function = Callable[..., Any]


def gradient_property(
    *shapes: Any, order: int = 1, max_examples: int = 50, at_kinks: bool = False, **strategies: Any
) -> Callable[[Function], Function]:
    """Turn a function of arrays into a test that its gradient is right wherever Hypothesis looks.

    ``shapes`` are those of the arguments in order (or strategies for the arguments), ``strategies`` the same by name.
    ``order`` is the highest order of derivative, ``at_kinks`` makes whole numbers and zeros frequent, so that elements
    tie.  An argument with a default keeps it unless it has a shape.

    Inputs at which the check cannot say anything (a value outside of the domain) are not counted.  The test raises
    GradientError with the report at the smallest failing input, which Hypothesis names; also if nothing can be said of
    any input, with the reason.  Raises TypeError for an argument without a shape, or a shape without an argument.

    >>> import numpy as np
    >>> from autodiff.testing.property import gradient_property
    >>> @gradient_property((2, 3), (3,))
    ... def test_layer(w, x):
    ...     return np.tanh(w @ x)
    >>> test_layer()
    """

    def decorate(f: Function) -> Function:
        drawn = _strategies(f, shapes, strategies, at_kinks)
        last: list[Report] = []

        def check(**values: Any) -> None:
            require_correct(f, *[values[name] for name in drawn], order=order, said=last)

        # what Hypothesis calls the failing case, which must be a name
        check.__name__ = check.__qualname__ = f.__name__ if f.__name__.isidentifier() else "f"
        search = settings(max_examples=max_examples, deadline=None, suppress_health_check=list(HealthCheck))
        run = search(given(**drawn)(check))

        def test() -> None:
            try:
                run()
            except Unsatisfiable as error:
                raise (GradientError(last[-1]) if last else error) from None

        test.__name__, test.__qualname__, test.__doc__, test.__module__ = (
            f.__name__, f.__qualname__, f.__doc__, f.__module__
        )  # fmt: skip
        return test

    return decorate


def _strategies(f: Function, shapes: Any, by_name: dict[str, Any], at_kinks: bool) -> dict[str, Any]:
    """A strategy for each argument that is drawn, in their order."""
    parameters = inspect.signature(f).parameters
    names = list(parameters)
    unknown = [name for name in by_name if name not in names]
    if len(shapes) > len(names) or unknown:
        extra = ", ".join(unknown) or f"{len(shapes)} shapes"
        raise TypeError(f"gradient_property: {f.__name__} takes {', '.join(names) or 'nothing'}, but {extra} given")
    found = {**dict(zip(names, shapes, strict=False)), **by_name}
    missing = [n for n in names if n not in found and parameters[n].default is inspect.Parameter.empty]
    if missing:
        raise TypeError(f"gradient_property: no shape is given for {', '.join(missing)}")
    drawn = [n for n in names if n in found]
    if drawn != names[: len(drawn)]:
        raise TypeError(f"gradient_property: give a shape for every argument before {drawn[-1]}, which comes after one")
    return {name: _strategy(found[name], at_kinks) for name in drawn}


def _strategy(shape: Any, at_kinks: bool) -> Any:
    if isinstance(shape, st.SearchStrategy):
        return shape
    return tensors((shape,) if isinstance(shape, int) else tuple(shape), at_kinks=at_kinks)


def require_correct(f: Function, *args: Any, order: int = 1, said: list[Report] | None = None) -> None:
    """Raise GradientError for a wrong gradient; tell Hypothesis to look elsewhere if nothing can be said.

    ``said`` collects the reports of those inputs.
    """
    try:
        report = gradcheck(f, *args, order=order)
    except np.linalg.LinAlgError:  # a degenerate matrix: there is no derivative, and the function says so
        reject()
    if report.verdict == "wrong":
        raise GradientError(report)
    if not report.correct:
        if said is not None:
            said.append(report)
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
