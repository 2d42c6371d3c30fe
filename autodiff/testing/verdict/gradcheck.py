"""gradcheck: is the gradient of this function, at this point, the slope of its values?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor import Tensor, value_of
from ...transforms import vjp
from ...tree import flatten
from ..problem import Problem, UnusableError
from ..rounding.precision import compare_precision
from ..rules.purity import REMEMBERS, describe, examine_rules, is_repeatable, refused_to_write
from ..slopes.comparison import Comparison
from ..thresholds import AGAIN
from .decision import judge
from .keywords import check_arguments, noted, refuse_keywords
from .preconditions import examine_arguments, examine_function
from .report import GradientError, Report
from .reproducer import reproducer

Array = Any
Function = Callable[..., Any]


def gradcheck(
    f: Function,
    *args: Any,
    order: int = 1,
    rng: int | np.random.Generator | None = None,
    tolerance: float | None = None,
    gradient: Function | None = None,
    **unknown: Any,
) -> Report:
    """Compare the gradient of ``f`` at ``args`` with slopes of its values: correct, wrong, or inconclusive and why.

    For random weights v and directions u it compares u^T (grad <v, f>) with d/dt <v, f(x + t u)> at t = 0.  The latter
    is computed from many steps, by extrapolation, and by the complex step if ``f`` takes complex numbers.  The error of
    each numeric slope is estimated, not assumed.  *Wrong* means a difference of several times that error, confirmed in
    a single element.  At a kink any value between the slopes to the left and to the right is correct.

    ``args`` are arrays or nestings of them; ``f`` returns arrays of any shape.  The real and imaginary parts of complex
    arguments and outputs are checked separately, each with its weight; the gradient with respect to a + ib is dL/da - i
    dL/db, as ``autodiff.grad`` returns it.  ``order`` checks derivatives up to that order.  ``rng`` is a seed or a
    generator (default: seed 0).  ``tolerance`` allows a relative error beyond the estimated one; none is needed.
    ``gradient`` is your own gradient of a function that returns one number: it takes the same arguments, and returns
    what ``autodiff.grad`` would, for every floating-point argument.

    An exception of ``f`` is not caught.

    >>> import numpy as np
    >>> from autodiff.testing import gradcheck
    >>> gradcheck(np.tanh, np.array([0.5, -1.0])).verdict
    'correct'
    >>> gradcheck(lambda x: x**2, 3.0, gradient=lambda x: 2.02 * x).verdict
    'wrong'
    """
    refuse_keywords("gradcheck", unknown, "order, rng, tolerance and gradient")
    check_arguments("gradcheck", f, args)
    if order < 1:
        raise ValueError(f"gradcheck: order must be 1 or more, got {order}")
    if order > 1 and gradient is not None:
        raise ValueError("gradcheck: gradient= gives the first derivative alone; leave out order=, or gradient=")
    report: Report | None = None
    function = f
    for level in range(1, order + 1):
        function = f if level == 1 else _gradient_function(function, args)
        report = _check(f, function, args, level, rng, tolerance, gradient if level == 1 else None)
        if not report.correct:
            break
    assert report is not None
    return report


def assert_gradcheck(f: Function, *args: Any, **options: Any) -> Report:
    """As :func:`gradcheck`; raises GradientError, with the report, unless the verdict is "correct".

    >>> from autodiff.testing import assert_gradcheck
    >>> assert_gradcheck(lambda x: x * x, 3.0).verdict
    'correct'
    """
    report = gradcheck(f, *args, **options)
    if not report.correct:
        raise GradientError(report)
    return report


def _gradient_function(f: Function, args: tuple[Any, ...]) -> Function:
    """J^T v, the pullback of cotangents v + v f / 4 size, as a function of the same arguments."""
    problem = Problem(f, args)
    with np.errstate(all="ignore"):
        values, _ = flatten(problem.call([Tensor(a) for a in problem.arrays(problem.x)]))
    sizes = [_size(value_of(v)) for v in values]

    def gradient(*moved: Any) -> Any:
        leaves, _ = flatten(moved)
        result, pull = vjp(problem.call, [leaves[place.number] for place in problem.inputs])
        rng = np.random.default_rng(12345)
        outputs, unflatten = flatten(result)
        weights = []
        for o, size in zip(outputs, sizes, strict=True):
            dtype: Any = getattr(o, "dtype", np.dtype(float))
            part = rng.integers(5, 9, np.shape(o)) / 8.0
            part = part - 1j * rng.integers(5, 9, np.shape(o)) / 8.0 if dtype.kind == "c" else part
            part = np.asarray(part, dtype=dtype)
            # cotangents that change with x, so that what the rules make of them is differentiated as well
            weights.append(part * (o * (0.25 / size) + 1.0) if dtype.kind in "fc" else part)
        (found,) = pull(unflatten(weights))
        return found

    gradient.__name__ = gradient.__qualname__ = getattr(f, "__name__", "f")
    gradient.__module__ = ""
    return gradient


def _size(values: Any) -> float:
    """The largest magnitude, at least 1."""
    top = float(np.max(np.abs(values), initial=1.0))
    return top if np.isfinite(top) else 1.0


def _check(
    original: Function,
    f: Function,
    args: tuple[Any, ...],
    level: int,
    rng: int | np.random.Generator | None,
    tolerance: float | None,
    gradient: Function | None,
) -> Report:
    seed = int(rng.integers(2**31)) if isinstance(rng, np.random.Generator) else int(rng or 0)
    generator = np.random.default_rng(seed)
    problem = Problem(f, args, gradient)
    name = getattr(original, "__qualname__", None) or type(original).__name__
    facts: dict[str, Any] = {"function": name, "order": level, "seed": seed}
    with np.errstate(all="ignore"):  # steps may leave the domain
        try:
            examine_arguments(problem)
            with noted("gradcheck", original, args):
                base, pull = examine_function(problem)
        except UnusableError as error:
            return Report("inconclusive", str(error), evaluations=problem.evaluations, **facts)
        try:
            comparison = Comparison(problem, base, pull, generator, tolerance)
        except ValueError as error:
            if not refused_to_write(error):
                raise
            return Report("wrong", f"a rule writes into what it is given ({describe(error)})", **facts)
        report = _examined(comparison, facts)
    if not report.correct:
        object.__setattr__(report, "code", reproducer(original, args, level, seed, tolerance, gradient))
    return report


def _examined(comparison: Comparison, facts: dict[str, Any]) -> Report:
    """The verdict on the rules as functions, on the slopes in double precision, and on the given precision."""
    problem, seen = comparison.problem, (comparison.weights, comparison.gradient)
    fault = examine_rules(problem, *seen)
    if fault is None:
        report = judge(comparison, facts)
        if not all(is_repeatable(problem, *seen) for _ in range(AGAIN)):  # two passes may be equal by chance
            fault = {"verdict": "inconclusive", "reason": REMEMBERS}
        elif report.correct:
            fault = compare_precision(problem, *seen, comparison.rng)
        if fault is None:
            return report
    return Report(**fault, evaluations=problem.evaluations, directions=len(comparison.findings), **facts)
