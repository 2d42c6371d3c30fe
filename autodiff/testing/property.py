"""gradient_property: a test that checks the gradient of a function at inputs that Hypothesis draws."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

try:
    from hypothesis import HealthCheck, Phase, given, reject, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException, Unsatisfiable
except ModuleNotFoundError:
    raise ImportError(
        "gradient_property: Hypothesis draws the inputs, and is missing; pip install hypothesis"
    ) from None

from .inputs import Drawn, InputError, Kept, drawn_of, of_drawn, plans
from .random.arrays import tensors
from .random.calls import arguments
from .table.samples import entry_of
from .verdict.gradcheck import gradcheck
from .verdict.report import GradientError, Report

Function = Callable[..., Any]
PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)
"""What Hypothesis does: all but its explanation, which would name lines of the checker."""


def gradient_property(
    *shapes: Any, order: int = 1, max_examples: int | None = None, at_kinks: bool = False, **strategies: Any
) -> Any:
    """Turn a function of arrays into a test that its gradient is right wherever Hypothesis looks.

    ``@gradient_property`` alone draws the arguments from their annotations, as ``pullback check`` does.  Otherwise
    ``shapes`` are those of the arguments in order (or strategies for the arguments), ``strategies`` the same by name.
    An argument with a default keeps it unless it has a shape.  ``order`` is the highest order of derivative,
    ``max_examples`` how many inputs are drawn (default: as Hypothesis's profile says).  ``at_kinks`` makes whole
    numbers and zeros frequent, so that elements tie.

    The result is the test when it is called without arguments, and the function when it is called with some.  pytest
    collects it under any name.  The test raises GradientError with the report at the smallest wrong input, which
    Hypothesis names.  An input at which the check is inconclusive does not count; if no input counts, the test raises
    GradientError with the reason.  Raises TypeError for a shape without an argument; the test raises it for an
    argument without a shape.

    >>> import numpy as np
    >>> from typing import Annotated
    >>> from autodiff.testing.property import gradient_property
    >>> @gradient_property((2, 3), (3,))
    ... def test_layer(w, x):
    ...     return np.tanh(w @ x)
    >>> test_layer()
    >>> @gradient_property
    ... def energy(x: Annotated[np.ndarray, "3"], scale: float):
    ...     return np.sum(x * x) * scale
    >>> energy()
    """
    options: dict[str, Any] = {"order": order, "max_examples": max_examples, "at_kinks": at_kinks}
    if len(shapes) == 1 and callable(shapes[0]) and not isinstance(shapes[0], st.SearchStrategy):
        return test_of(GradientProperty(shapes[0], (), strategies, **options))
    return lambda f: test_of(GradientProperty(f, shapes, strategies, **options))


def test_of(claim: GradientProperty) -> Function:
    """The function of a property; without arguments, its test."""
    f = claim.function

    @functools.wraps(f)
    def test(*args: Any, **values: Any) -> Any:
        if len(args) == claim.is_method and not values:
            return claim.check(*args)
        return f(*args, **values)

    marked: Any = test
    marked.gradient_property = claim
    marked.__signature__ = claim.signature()
    marked.__test__ = True  # pytest collects it whatever its name
    return test


class GradientProperty:
    """The claim that the gradient of a function is right, and how to draw the inputs that test it.

    ``lenient`` goes on with the next input where the function raises, as ``pullback check`` does.
    """

    def __init__(
        self,
        function: Function,
        shapes: tuple[Any, ...] = (),
        strategies: dict[str, Any] | None = None,
        *,
        order: int = 1,
        max_examples: int | None = None,
        at_kinks: bool = False,
        lenient: bool = False,
    ) -> None:
        self.function, self.order, self.max_examples = function, order, max_examples
        self.at_kinks, self.lenient = at_kinks, lenient
        names = list(inspect.signature(function).parameters)
        self.is_method = names[:1] == ["self"]
        names = names[self.is_method :]
        by_name = strategies or {}
        unknown = [name for name in by_name if name not in names]
        if len(shapes) > len(names) or unknown:
            extra, takes = ", ".join(unknown) or f"{len(shapes)} shapes", ", ".join(names) or "nothing"
            raise TypeError(f"gradient_property: {function.__name__} takes {takes}, but {extra} given")
        found = {**dict(zip(names, shapes, strict=False)), **by_name}
        self.given = {name: _plan(shape) for name, shape in found.items()}

    def signature(self, names: Iterable[str] = ()) -> inspect.Signature:
        """The parameters that the caller of the test fills: ``self`` of a method, and those of ``names``."""
        parameters = inspect.signature(self.function).parameters.values()
        filled = {*names, *["self"] * self.is_method}
        return inspect.Signature([p.replace(default=p.empty) for p in parameters if p.name in filled])

    def check(self, *held: Any, **values: Any) -> None:
        """Check at inputs that Hypothesis draws; ``held`` is the object of a method, ``values`` are not drawn.

        Raises GradientError, or InputError for an argument that nothing can be drawn for.
        """
        f = self.function.__get__(*held) if held else self.function
        try:
            positional, keywords = plans(f, {**self.given, **{name: Kept(v) for name, v in values.items()}})
        except InputError as error:
            raise InputError(f"gradient_property: {f.__name__}: {error}", error.parameter) from None
        drawn = {name: _strategy(plan, self.at_kinks) for name, plan in drawn_of(positional, keywords).items()}
        if not drawn:
            raise InputError(f"gradient_property: {f.__name__} has no argument to draw; annotate one, or give a shape")
        self._search(of_drawn(f, positional, keywords), drawn)

    def _search(self, f: Function, drawn: dict[str, Any]) -> None:
        """Let Hypothesis look for an input with a wrong gradient."""
        said: list[Report] = []
        raised: list[BaseException] = []

        def check(**values: Any) -> None:
            try:
                report = require_correct(f, *[values[name] for name in drawn], order=self.order, said=said)
            except (GradientError, HypothesisException):
                raise
            except (Exception, SystemExit) as error:
                if not self.lenient:
                    raise
                raised.append(error)
                reject()
            if not report.directions:
                said.append(dataclasses.replace(report, verdict="inconclusive", reason="nothing was compared"))
                reject()

        # what Hypothesis calls the failing case, which must be a name
        check.__name__ = check.__qualname__ = f.__name__ if f.__name__.isidentifier() else "f"
        options: dict[str, Any] = {} if self.max_examples is None else {"max_examples": self.max_examples}
        search = settings(
            deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False, phases=PHASES, **options
        )
        try:
            search(given(**drawn)(check))()
        except Unsatisfiable as error:
            if said:
                raise GradientError(said[-1]) from None
            if raised:
                raised[-1].add_note(f"no input could be checked: {f.__name__} raised, here at the last of them")
                raise raised[-1] from None
            raise error from None


def _plan(shape: Any) -> Any:
    """What a decorator was given for an argument: a strategy, or a shape."""
    if isinstance(shape, st.SearchStrategy):
        return shape
    return Drawn((shape,) if isinstance(shape, int) else tuple(shape))


def _strategy(plan: Any, at_kinks: bool) -> Any:
    """Values for a plan."""
    if isinstance(plan, st.SearchStrategy):
        return plan
    if isinstance(plan, Drawn):
        return tensors(plan.shape, plan.dtype or np.float64, at_kinks=at_kinks)
    if isinstance(plan, dict):
        return st.fixed_dictionaries({key: _strategy(part, at_kinks) for key, part in plan.items()})
    parts = st.tuples(*[_strategy(part, at_kinks) for part in plan])
    return parts.map(list) if isinstance(plan, list) else parts


def require_correct(f: Function, *args: Any, order: int = 1, said: list[Report] | None = None) -> Report:
    """Raise GradientError for a wrong gradient; reject the input if the check is inconclusive; else return the report.

    ``said`` collects the reports of rejected inputs.
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
    return report


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
