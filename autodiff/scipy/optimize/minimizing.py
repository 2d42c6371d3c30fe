"""minimize and minimize_scalar: SciPy's methods with exact derivatives, and minima that are differentiated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.optimize  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import OptimizeResult  # type: ignore[import-untyped,unused-ignore]

from ...mode import is_recording
from ...program.jit import StaleError
from ...tensor import Tensor, value_of
from ...tree import flatten
from .layout import Layout, detached
from .limits import BESIDE, Constraint, Limits, constraints_of
from .mapped import by_example
from .objective import Function, Objective
from .optimality import minimum
from .progress import Watch
from .systems import Condition, condition_of

USES = {
    "nelder-mead": "", "powell": "", "cobyla": "", "cobyqa": "", "cg": "jac", "bfgs": "jac", "l-bfgs-b": "jac",
    "tnc": "jac", "slsqp": "jac", "newton-cg": "hessp", "trust-ncg": "hessp", "trust-krylov": "hessp",
    "trust-constr": "hessp", "dogleg": "hess", "trust-exact": "hess",
}  # fmt: skip
"""What each method is handed, beside the value; with second derivatives the gradient too."""
BOUNDED = frozenset(
    {"nelder-mead", "powell", "l-bfgs-b", "tnc", "slsqp", "cobyla", "cobyqa", "trust-constr", "custom"}
)  # fmt: skip
BARRIER = frozenset({"trust-constr", "cobyla", "cobyqa", "custom"})
"""Methods that may end beside a bound that holds the minimum."""
CONSTRAINED = frozenset({"cobyla", "cobyqa", "slsqp", "trust-constr", "custom"})


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
    *,
    fixed: Any = None,
    progress: bool = False,
    jit: bool | None = None,
    solve: str = "auto",
    unconverged: str = "refuse",
) -> OptimizeResult:
    """The minimum of ``fun(x, *args)`` over ``x``, any nesting of arrays: :func:`scipy.optimize.minimize`.

    SciPy's ``method`` gets the exact derivatives that it uses, in double precision, so ``jac``, ``hess`` and ``hessp``
    are left away: a gradient for BFGS, CG, L-BFGS-B, TNC and SLSQP, products with the Hessian for Newton-CG, trust-ncg,
    trust-krylov and trust-constr, the Hessian for dogleg and trust-exact, nothing for Nelder-Mead, Powell, COBYLA and
    COBYQA.  ``jac="2-point"`` or ``"3-point"`` takes SciPy's differences instead.

    ``bounds`` are SciPy's, or a nesting as ``x0`` with a pair (low, high) for each array.  ``constraints`` are SciPy's
    objects and dictionaries, whose functions take the nesting; their derivatives are exact too.  ``fixed`` is a nesting
    of True and False as ``x0`` (one may stand for a part, an array for the elements of one): True is not varied.
    ``callback`` gets the nesting.  ``progress`` writes a line for each iteration.  ``jit`` records the objective:
    always (True), never (False), or if that is measured to be faster (None).

    The result is SciPy's, with ``x`` and ``jac`` in the nesting of ``x0``, and each array in its dtype; ``hess_inv`` is
    of the vector of all numbers.

    If ``fun`` depends on Tensors, as ``args`` or otherwise, ``x`` and ``fun`` of the result are Tensors.  The
    derivative follows from the equations that the minimum satisfies: with the gradient zero, dx/dp = -(d²f/dx²)^-1
    d²f/dx dp; where bounds or constraints hold it, from those of Karush, Kuhn and Tucker.  ``solve`` says how the
    linear system is solved: "dense", "iterative" (products alone), "auto" (by size) or "lstsq" (the shortest change,
    where it is singular).  Raises GraphError, when the derivative is taken, if the system is singular, or ``x`` is not
    near enough to the minimum; ``unconverged="allow"`` differentiates all the same.  ``x0`` has no influence on a
    derivative.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import minimize
    >>> found = minimize(lambda p: (p["a"] - 1.0) ** 2 + np.sum((p["b"] - p["a"]) ** 2), {"a": 0.0, "b": np.zeros(2)})
    >>> {name: np.round(value, 6).tolist() for name, value in found.x.items()}
    {'a': 1.0, 'b': [1.0, 1.0]}
    >>> shrunk = lambda c: minimize(lambda x, c: (x - 3.0) ** 2 + c * x**2, 0.0, args=(c,)).x  # 3 / (1 + c)
    >>> round(grad(shrunk)(1.0), 6)
    -0.75
    """
    _refuse_derivatives(jac, hess, hessp)
    args = args if isinstance(args, tuple) else (args,)
    condition = condition_of("minimize", solve, unconverged)
    settings: dict[str, Any] = {
        "method": method, "jac": jac, "tol": tol, "callback": callback, "options": options, "progress": progress,
    }  # fmt: skip

    def search(given: Any, record: bool | None) -> OptimizeResult:
        start, more = given
        layout = Layout(start, "minimize", fixed)
        limits = Limits(bounds, layout)
        return _searched(fun, layout, more, limits, constraints_of(constraints, layout), settings, condition, record)

    found = by_example("minimize", (x0, args), lambda given: _shown(search(given, jit)))
    if found is not None:
        return OptimizeResult(found, message="one search for each example")
    try:
        return search((x0, args), jit)
    except StaleError:  # a program that was wrong: the search begins again without
        return search((x0, args), False)


def _refuse_derivatives(jac: Any, hess: Any, hessp: Any) -> None:
    """Raise TypeError for derivatives that are computed here."""
    differences = isinstance(jac, str) and jac in ("2-point", "3-point")
    for name, given in (("jac", None if differences else jac), ("hess", hess), ("hessp", hessp)):
        if given is not None:
            also = "; fun returns the value alone" if given is True else ""
            raise TypeError(
                f"minimize: {name} is computed from fun, exactly; leave it away{also}. With derivatives of your own "
                "call scipy.optimize.minimize; jac='2-point' takes differences"
            )


def _shown(found: OptimizeResult) -> dict[str, Any]:
    """What examples have in common: the minimum and its value."""
    return {"x": found.x, "fun": found.fun, "success": np.asarray(float(found.success))}


def _searched(
    fun: Callable[..., Any],
    layout: Layout,
    args: Sequence[Any],
    limits: Limits,
    constraints: Sequence[Constraint],
    settings: dict[str, Any],
    condition: Condition,
    record: bool | None,
) -> OptimizeResult:
    """One search, and what is behind its result."""
    method = _method(settings["method"], limits, constraints)
    use = "" if isinstance(settings["jac"], str) else USES.get(method, "hessp")
    function = Function(layout.who, fun, layout, args, "the objective")
    objective = Objective(function, record, derivatives=bool(use))
    watch = Watch(layout.who, layout, settings["callback"], settings["progress"])
    watch.value = objective.value
    derivatives: dict[str, Any] = {"jac": objective.gradient} if use else {}
    if isinstance(settings["jac"], str):
        derivatives["jac"] = settings["jac"]
    if use == "hessp":
        derivatives["hessp"] = objective.product
    if use == "hess":
        derivatives["hess"] = objective.matrix
    start = np.clip(layout.start, limits.low, limits.high) if limits.given else layout.start
    try:
        found = scipy.optimize.minimize(
            objective.value, start, method=method if method != "custom" else settings["method"],
            bounds=limits.for_scipy(), constraints=[c.for_scipy(method) for c in constraints], tol=settings["tol"],
            callback=watch.for_scipy(method), options=settings["options"], **derivatives,
        )  # fmt: skip
        objective.audit()
    finally:
        watch.end()
        objective.end()
        for one in constraints:
            one.end()
    result = OptimizeResult(found)
    _note_nan(result)
    if method in BARRIER:
        limits.near = BESIDE
    condition = condition._replace(symmetric=True, converged=bool(result.success), said=str(result.get("message", "")))
    _differentiable(result, found.x, function, bool(use), condition, limits, constraints)
    if np.shape(result.get("jac")) == (layout.size,):
        result.jac = layout.like(result.jac)
    return result


def _method(method: Any, limits: Limits, constraints: Sequence[Constraint]) -> str:
    """The name of the method: SciPy's own choice if none is given."""
    if method is None:
        return "slsqp" if constraints else "l-bfgs-b" if limits.given else "bfgs"
    name = "custom" if callable(method) else str(method).lower()
    if name not in USES and name != "custom":
        raise ValueError(f"minimize: there is no method {method!r}; there are {', '.join(sorted(USES))}")
    if limits.given and name not in BOUNDED:
        raise ValueError(f"minimize: {method} takes no bounds; L-BFGS-B does, and {', '.join(sorted(BOUNDED))}")
    if constraints and name not in CONSTRAINED:
        raise ValueError(f"minimize: {method} takes no constraints; SLSQP, trust-constr, COBYLA and COBYQA do")
    return name


def _note_nan(result: OptimizeResult) -> None:
    """A search that ended at NaN has not succeeded, whatever the method says."""
    if np.isnan(result.get("fun", 0.0)) and result.success:
        result.success = False
        result.message = "The objective is NaN at the last point."


def _differentiable(
    result: OptimizeResult,
    z: Any,
    function: Function,
    derivatives: bool,
    condition: Condition,
    limits: Limits | None = None,
    constraints: Sequence[Constraint] = (),
) -> None:
    """Put the minimum into the result, in the user's nesting; as Tensors if it depends on Tensors."""
    layout = function.layout
    whole: Any = np.asarray(z, dtype=float)
    if is_recording() and np.all(np.isfinite(whole)):
        try:
            whole = minimum(function.total, whole, layout.who, condition, limits, constraints)
        except Exception:
            # a function that only takes numbers, for a method that needs no more; a Tensor that it closes over would
            # have been refused before
            if derivatives or _is_given_tensors((function.args, layout.given)):
                raise
    result.x = layout.result(whole)
    if isinstance(whole, Tensor) and whole._node.active:
        result.fun = function.total(whole)
    elif "fun" in result:
        result.fun = float(np.ravel(value_of(result.fun))[0])


def _is_given_tensors(tree: Any) -> bool:
    return any(isinstance(leaf, Tensor) and leaf._node.active for leaf in flatten(tree)[0])


def minimize_scalar(
    fun: Callable[..., Any],
    bracket: Any = None,
    bounds: Any = None,
    args: Any = (),
    method: str | None = None,
    tol: float | None = None,
    options: dict[str, Any] | None = None,
    *,
    unconverged: str = "refuse",
) -> OptimizeResult:
    """The minimum of ``fun(x, *args)`` over one number: :func:`scipy.optimize.minimize_scalar`.

    SciPy's methods (brent, golden, bounded) take no derivatives.  The result is SciPy's; if ``fun`` depends on Tensors,
    ``x`` and ``fun`` of it are Tensors: dx/dp = -(d²f/dx dp) / (d²f/dx²), or that of a bound which holds x.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import minimize_scalar
    >>> lowest = lambda c: minimize_scalar(lambda x, c: np.exp(x) - c * x, args=(c,)).x  # log(c)
    >>> round(lowest(2.0), 5), round(grad(lowest)(2.0), 5)
    (0.69315, 0.5)
    """
    who = "minimize_scalar"
    args = args if isinstance(args, tuple) else (args,)
    condition = condition_of(who, "auto", unconverged)

    def search(args: Any) -> OptimizeResult:
        function = Function(who, fun, Layout(0.0, who), args, "the objective")
        objective = Objective(function, False, derivatives=False)
        plain = None if bounds is None else [float(value_of(side)) for side in bounds]
        found = scipy.optimize.minimize_scalar(
            lambda x: objective.value(np.array([float(x)])), bracket=detached(bracket), bounds=plain, method=method,
            tol=tol, options=options,
        )  # fmt: skip
        objective.end()
        result = OptimizeResult(found)
        how = condition._replace(
            symmetric=True, converged=bool(result.get("success", True)), said=str(result.get("message", ""))
        )
        limits = Limits(None if bounds is None else tuple(bounds), function.layout)
        limits.near = BESIDE
        _differentiable(result, np.array([float(found.x)]), function, False, how, limits)
        return result

    found = by_example(who, args, lambda args: {"x": (one := search(args)).x, "fun": one.fun})
    return search(args) if found is None else OptimizeResult(found, message="one search for each example")
