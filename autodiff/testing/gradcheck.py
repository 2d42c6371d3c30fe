"""gradcheck: is the gradient of this function, at this point, the slope of its values?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..transforms import vjp
from ..tree import flatten
from .complexplane import COMPLEX_STEP
from .explanation import explanation
from .precision import compare_precision
from .preflight import examine_arguments, examine_function
from .problem import Input, Problem, UnusableError
from .purity import REMEMBERS, describe, examine_rules, is_repeatable, refused_to_write
from .report import GradientError, Report, reproducer
from .search import separate_kinks, sweep, together
from .slopes import norm, scrutinise
from .verdict import RESOLVED, Comparison, Finding

Array = Any
Function = Callable[..., Any]


def gradcheck(
    f: Function,
    *args: Any,
    order: int = 1,
    rng: int | np.random.Generator | None = None,
    tolerance: float | None = None,
    gradient: Function | None = None,
) -> Report:
    """Compare the gradient of ``f`` at ``args`` with slopes of its values: correct, wrong, or inconclusive and why.

    For random weights v and directions u it compares u^T (grad <v, f>) with d/dt <v, f(x + t u)> at t = 0, found from
    steps over many decades, by extrapolation, and by the complex step where ``f`` takes complex numbers.  The error of
    each numerical slope is estimated, not assumed; wrong means several times that error, confirmed in a single
    element.  At a kink any value between the slopes to the left and to the right is correct.

    ``args`` are arrays or nestings of them; ``f`` returns arrays of any shape.  Of complex arguments and outputs the
    real and imaginary parts are numbers of their own, each with its weight; the gradient with respect to a + ib is
    dL/da - i dL/db, as ``autodiff.grad`` gives it.  ``order`` checks derivatives up to that order.  ``rng`` is a seed
    or a generator (default: seed 0).  ``tolerance`` is a relative error to allow beyond the estimated one; none is
    needed.  ``gradient`` is a gradient of your own for a function that returns one number: it takes the same arguments
    and returns what ``autodiff.grad`` would, for every floating-point argument.

    What ``f`` raises is not caught.

    >>> import numpy as np
    >>> from autodiff.testing import gradcheck
    >>> gradcheck(np.tanh, np.array([0.5, -1.0])).verdict
    'correct'
    >>> gradcheck(lambda x: x**2, 3.0, gradient=lambda x: 2.02 * x).verdict
    'wrong'
    """
    if order < 1:
        raise ValueError(f"gradcheck: order must be 1 or more, got {order}")
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
    sizes = [_size(getattr(v, "_value", v)) for v in values]

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
    """The verdict: on the rules as functions, on the slopes in double precision, on the precision given."""
    problem, seen = comparison.problem, (comparison.weights, comparison.gradient)
    fault = examine_rules(problem, *seen)
    if fault is None:
        report = _judge(comparison, facts)
        if not is_repeatable(problem, *seen):  # two passes may have been equal by chance
            fault = {"verdict": "inconclusive", "reason": REMEMBERS}
        elif report.correct:
            fault = compare_precision(problem, *seen, comparison.rng)
        if fault is None:
            return report
    return Report(**fault, evaluations=problem.evaluations, directions=len(comparison.findings), **facts)


def _judge(comparison: Comparison, facts: dict[str, Any]) -> Report:
    """The verdict in double precision."""
    problem = comparison.problem
    if not problem.size or not comparison.base.size:
        return Report("correct", notes=["nothing to compare: the arguments or the outputs are empty"], **facts)
    members = np.flatnonzero(comparison.finite)
    if len(members) < problem.size:
        report = _judge_not_finite(comparison, facts)
        if report is not None:
            return report
    fault = sweep(comparison, members) if len(members) else None
    if fault is not None and fault.found.kink is not None:
        members, at_kinks = separate_kinks(comparison, members)
        for kink in comparison.kinks:
            if kink.wrong:
                return _wrong(comparison, kink, facts)
        fault = together(comparison, at_kinks)
        if fault is not None:
            return _wrong_together(comparison, fault, facts)
        comparison.resolution[:] = np.inf
        comparison.findings = [x for x in comparison.findings if x.found.kink is None]
        fault = sweep(comparison, members) if len(members) else None
        if fault is not None and fault.found.kink is not None:
            return _inconclusive(comparison, fault, "kinks lie too close together to be told apart", facts)
    if fault is not None and fault.found.reason:
        return _inconclusive(comparison, fault, fault.found.reason, facts)
    if fault is not None and not fault.single:
        reason = (
            "the slopes along a direction disagree with the gradient, but no single element does by more than its error"
        )
        return _inconclusive(comparison, fault, reason, facts)
    if fault is not None:
        return _wrong(comparison, fault, facts)
    return _correct(comparison, members, facts)


def _judge_not_finite(comparison: Comparison, facts: dict[str, Any]) -> Report | None:
    """Gradients that are NaN or infinite: wrong where the function has a slope."""
    for flat in np.flatnonzero(~comparison.finite)[:4]:
        u = comparison.direction(np.array([flat]))
        line = comparison.line(u)
        finding = Finding(u, 0.0, scrutinise(line), 0.0, line)
        if finding.found.reason:
            value = comparison.gradient[flat]
            reason = f"the gradient is {value} and the function has no finite slope there ({finding.found.reason})"
            return _inconclusive(comparison, finding, reason, facts, int(flat))
        bad = finding._replace(analytic=float("nan"))
        return _wrong(comparison, bad, facts)
    return None


def _steps(finding: Finding) -> list[tuple[float, float, float, float]]:
    return [(row.step, row.left, row.right, row.central) for row in finding.line.table]


def _counts(comparison: Comparison) -> dict[str, Any]:
    return {
        "evaluations": comparison.problem.evaluations,
        "directions": len(comparison.findings),
        "notes": comparison.notes,
        "kinks": [_kink_text(comparison, k) for k in comparison.kinks if k.found.kink is not None],
    }


def _place(comparison: Comparison, flat: int) -> dict[str, Any]:
    place = comparison.problem.input_of(flat)
    return {"argument": place.name_of(flat), "index": place.index_of(flat)}


def _method(finding: Finding) -> str:
    if finding.found.kink is not None:
        return "one-sided slopes"
    return "the complex step" if finding.found.step == COMPLEX_STEP else "central differences, extrapolated"


def _per_unit(comparison: Comparison, finding: Finding) -> tuple[int, float, str]:
    """The element, its component, and the output that the values belong to (divided by that output's weight)."""
    flat = int(np.flatnonzero(finding.direction)[0])
    unit = float(finding.direction[flat])
    if comparison.base.size == 1:
        return flat, unit, ""
    changed = np.flatnonzero(finding.line.sensitive())
    if len(changed) == 1:
        return flat, unit * float(comparison.weights[changed[0]]), f"output element {int(changed[0])}"
    return flat, unit, f"a random combination of {comparison.base.size} outputs"


def _kink_text(comparison: Comparison, finding: Finding) -> str:
    flat, unit, _ = _per_unit(comparison, finding)
    place = comparison.problem.input_of(flat)
    assert finding.found.kink is not None
    low, high = sorted(end / unit for end in finding.found.kink)
    index = str(list(place.index_of(flat))) if place.shape else ""
    size = max(abs(low), abs(high))
    value = _plain(finding.analytic / unit, size)
    return f"{place.name_of(flat)}{index}: {value} in [{_plain(low, size)}, {_plain(high, size)}]"


def _plain(value: float, size: float) -> str:
    """Six digits, and no trace of rounding errors around zero."""
    return f"{float(f'{value:.6g}') if abs(value) > 1e-9 * size else 0.0:g}"


def _wrong(comparison: Comparison, finding: Finding, facts: dict[str, Any]) -> Report:
    flat, unit, output = _per_unit(comparison, finding)
    analytic = float(comparison.gradient[flat]) * float(finding.direction[flat]) / unit
    numeric = finding.found.value / unit
    reason = explanation(comparison, finding, flat, analytic, numeric)
    if finding.found.kink is not None:
        low, high = sorted(end / unit for end in finding.found.kink)
        size = max(abs(low), abs(high))
        reason = f"the value is outside of the slopes at this kink, [{_plain(low, size)}, {_plain(high, size)}]"
    return Report(
        "wrong", reason, analytic=analytic, numeric=numeric, error=abs(finding.error / unit),
        bound=abs(finding.found.bound / unit), method=_method(finding), output=output, steps=_steps_of(finding, unit),
        **_place(comparison, flat), **_counts(comparison), **facts,
    )  # fmt: skip


def _wrong_together(comparison: Comparison, finding: Finding, facts: dict[str, Any]) -> Report:
    low, high = finding.found.kink or (finding.found.value, finding.found.value)
    slopes = f"{finding.found.value:.6g}" if low == high else f"between {low:.6g} and {high:.6g}"
    count = int(np.count_nonzero(finding.direction))
    reason = f"at a kink of {count} elements that move together, the slope is {slopes}; the gradient says otherwise"
    return Report(
        "wrong", reason, analytic=finding.analytic, numeric=finding.found.value, error=finding.error,
        bound=finding.found.bound, method=_method(finding), output="the sum of these elements' slopes",
        steps=_steps(finding), **_place(comparison, int(np.flatnonzero(finding.direction)[0])), **_counts(comparison),
        **facts,
    )  # fmt: skip


def _steps_of(finding: Finding, unit: float) -> list[tuple[float, float, float, float]]:
    size = abs(float(finding.direction[np.flatnonzero(finding.direction)[0]]))
    sides = [(r.right, r.left) if unit < 0 else (r.left, r.right) for r in finding.line.table]
    return [
        (row.step * size, a / unit, b / unit, row.central / unit)
        for row, (a, b) in zip(finding.line.table, sides, strict=True)
    ]


def _inconclusive(
    comparison: Comparison, finding: Finding, reason: str, facts: dict[str, Any], flat: int | None = None
) -> Report:
    place = {} if flat is None else _place(comparison, flat)
    return Report("inconclusive", reason, steps=_steps(finding), **place, **_counts(comparison), **facts)


def _unresolved(comparison: Comparison, place: Input, members: Array) -> tuple[float, str]:
    """The smallest fault that would show in every element of an array that matters; or why that cannot be said."""
    mine = members[(members >= place.start) & (members < place.stop)]
    weight = np.abs(comparison.safe[mine] * comparison.scales[mine])
    total, resolution = norm(weight), comparison.resolution[mine]
    open_ones = (resolution > RESOLVED) & (weight > 0)
    seen = ~open_ones & (weight > 0)
    if comparison.tolerance or not open_ones.any():
        return float(np.max(resolution[seen], initial=0.0)), ""
    if norm(weight[open_ones]) > RESOLVED * total:
        vanishing = open_ones & comparison.vanishing()[mine]
        open_ones &= ~vanishing
        if vanishing.any():
            count = int(vanishing.sum())
            comparison.notes.append(f"{count} elements of {place.path} are zero up to the rounding of the gradient")
    small = int(open_ones.sum())
    if norm(weight[open_ones]) > RESOLVED * total:
        return 0.0, (
            f"noise floor: in {small} of {len(mine)} elements of {place.path} a fault of 1 % would hide in the "
            f"rounding of f (it would show from a factor of {1 + float(np.min(resolution)):.2g} on); "
            "subtract a constant, or rescale"
        )
    if small:
        comparison.notes.append(f"{small} elements of {place.path} are too small beside the rest to be resolved")
    return float(np.max(resolution[seen], initial=0.0)), ""


def _correct(comparison: Comparison, members: Array, facts: dict[str, Any]) -> Report:
    """Correct, if every element that carries weight was resolved."""
    worst = 0.0
    for place in comparison.problem.inputs:
        resolution, reason = _unresolved(comparison, place, members)
        if reason:
            return _inconclusive(comparison, comparison.findings[0], reason, facts)
        worst = max(worst, resolution)
    shown = max(comparison.findings, key=lambda x: x.error / (x.limit + 1e-300), default=None)
    numbers: dict[str, Any] = {}
    if shown is not None and (worst or not comparison.safe.any()):  # nothing is relative to a rounding error
        size = norm(comparison.safe * shown.direction) or 1.0
        numbers = {"error": shown.error / size, "bound": shown.found.bound / size, "method": _method(shown)}
    steps = _steps(shown) if shown is not None else []
    return Report("correct", resolution=worst or None, steps=steps, **numbers, **_counts(comparison), **facts)
