"""Roots and fixed points of functions of any nesting, with exact Jacobians, and as Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import OptimizeResult, RootResults  # type: ignore[import-untyped,unused-ignore]

from ...program.jit import StaleError
from ...tensor import value_of
from ...transforms import grad
from ...unrecorded import no_grad
from .layout import Layout, detached
from .mapped import by_example, refuse_examples
from .objective import Function, Residuals, vector_of
from .progress import Watch
from .solutions import solution
from .systems import Condition, condition_of

Array = Any
WITH_JACOBIAN = frozenset({"hybr", "lm"})
"""The methods of ``root`` that use a Jacobian."""


def root(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    jac: Any = None,
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
    """A root of ``fun(x, *args)``, f(x) = 0, over any nesting ``x``: :func:`scipy.optimize.root`.

    ``fun`` returns as many numbers as vary, in any nesting.  The methods hybr and lm get the exact Jacobian, so ``jac``
    is left away.  The result is SciPy's, with ``x`` in the nesting of ``x0``; ``fun`` and ``fjac`` are of vectors.

    If ``fun`` depends on Tensors, ``x`` of the result is made of Tensors: dx/dp = -(df/dx)^-1 df/dp.  The other
    keywords are those of :func:`minimize`.

    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import root
    >>> circle = lambda p, r: {"on it": p["x"] ** 2 + p["y"] ** 2 - r**2, "diagonal": p["x"] - p["y"]}
    >>> x = lambda r: root(circle, {"x": 1.0, "y": 0.5}, args=(r,)).x["x"]
    >>> round(x(2.0), 6), round(grad(x)(2.0), 6)
    (1.414214, 0.707107)
    """
    if jac is not None:
        raise TypeError("root: jac is computed from fun, exactly; leave it away, or call scipy.optimize.root")
    args = args if isinstance(args, tuple) else (args,)
    condition = condition_of("root", solve, unconverged)

    def search(given: Any, record: bool | None) -> OptimizeResult:
        layout = Layout(given[0], "root", fixed)
        function = Function("root", fun, layout, given[1])
        lent = Residuals(function, record)
        watch = Watch("root", layout, callback, progress)
        watch.value = lambda z: float(np.linalg.norm(lent.value(z)))
        derivative = {"jac": lent.matrix} if method in WITH_JACOBIAN else {}
        watched = None if method in WITH_JACOBIAN else watch.for_scipy("")
        try:
            found = scipy.optimize.root(
                lent.value, layout.start, method=method, tol=tol, callback=watched, options=options, **derivative
            )
            lent.audit()
        finally:
            watch.end()
            lent.end()
        result = OptimizeResult(found)
        how = condition._replace(converged=bool(result.success), said=str(result.message))
        result.x = layout.result(solution(function.vector, np.array(found.x, dtype=float), "root", how))
        return result

    found = by_example("root", (x0, args), lambda given: {"x": search(given, jit).x})
    if found is not None:
        return OptimizeResult(found, message="one search for each example")
    try:
        return search((x0, args), jit)
    except StaleError:
        return search((x0, args), False)


def fixed_point(
    func: Callable[..., Any],
    x0: Any,
    args: Any = (),
    xtol: float = 1e-8,
    maxiter: int = 500,
    method: str = "del2",
    *,
    jit: bool | None = None,
    solve: str = "auto",
    unconverged: str = "refuse",
) -> Any:
    """A fixed point of ``func(x, *args)``, x = f(x), over any nesting ``x``: :func:`scipy.optimize.fixed_point`.

    Returns ``x``, in the nesting of ``x0``.  If ``func`` depends on Tensors, it is made of Tensors:
    dx/dp = (1 - df/dx)^-1 df/dp.  Raises RuntimeError if there is none after ``maxiter`` iterations.  The keywords
    ``jit``, ``solve`` and ``unconverged`` are those of :func:`minimize`.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import fixed_point
    >>> sqrt = lambda a: fixed_point(lambda x, a: 0.5 * (x + a / x), 1.0, args=(a,))
    >>> round(sqrt(2.0), 6), round(grad(sqrt)(2.0), 6), round(grad(grad(sqrt))(2.0), 6)
    (1.414214, 0.353553, -0.088388)
    """
    args = args if isinstance(args, tuple) else (args,)
    condition = condition_of("fixed_point", solve, unconverged)

    def search(given: Any, record: bool | None) -> Any:
        layout = Layout(given[0], "fixed_point")
        function = Function("fixed_point", func, layout, given[1])
        lent = Residuals(function, record)
        found = scipy.optimize.fixed_point(lent.value, layout.start, xtol=xtol, maxiter=maxiter, method=method)
        lent.audit()
        return layout.result(
            solution(lambda u: u - function.vector(u), np.array(found, dtype=float), "fixed_point", condition)
        )

    found = by_example("fixed_point", (x0, args), lambda given: search(given, jit))
    if found is not None:
        return found
    try:
        return search((x0, args), jit)
    except StaleError:
        return search((x0, args), False)


def root_scalar(
    f: Callable[..., Any],
    args: Any = (),
    method: str | None = None,
    bracket: Any = None,
    fprime: Any = None,
    fprime2: Any = None,
    x0: Any = None,
    x1: Any = None,
    xtol: float | None = None,
    rtol: float | None = None,
    maxiter: int | None = None,
    options: dict[str, Any] | None = None,
    *,
    unconverged: str = "refuse",
) -> RootResults:
    """A root of ``f(x, *args)`` of one number: :func:`scipy.optimize.root_scalar`.

    Newton's and Halley's methods get exact derivatives, so ``fprime`` and ``fprime2`` are left away; with ``x0`` alone
    the method is Newton's.  The result is SciPy's; ``root`` is a Tensor if ``f`` depends on Tensors.

    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import root_scalar
    >>> cube = lambda a: root_scalar(lambda x, a: x**3 - a, args=(a,), x0=1.0).root
    >>> round(cube(8.0), 6), round(grad(cube)(8.0), 6)
    (2.0, 0.083333)
    """
    if fprime is not None or fprime2 is not None:
        raise TypeError("root_scalar: fprime and fprime2 are computed from f, exactly; leave them away")
    condition = condition_of("root_scalar", "auto", unconverged)
    args = args if isinstance(args, tuple) else (args,)
    if method is None and bracket is None and x1 is None and x0 is not None:
        method = "newton"
    given = {"bracket": bracket, "x0": x0, "x1": x1, "xtol": xtol, "rtol": rtol, "maxiter": maxiter, "options": options}

    def search(args: Any) -> RootResults:
        value = _of_one_number("root_scalar", f, detached(args))
        settings: dict[str, Any] = {name: detached(setting) for name, setting in given.items()}
        if method in ("newton", "halley"):
            settings["fprime"] = lambda x: float(grad(value.recorded)(float(x)))
        if method == "halley":
            settings["fprime2"] = lambda x: float(grad(grad(value.recorded))(float(x)))
        with no_grad():
            found = scipy.optimize.root_scalar(value, method=method, **settings)
        value.end()
        how = condition._replace(converged=bool(found.converged), said=str(found.flag))
        found.root = _number_solution("root_scalar", f, args, found.root, how)
        return found

    each = by_example("root_scalar", args, lambda args: search(args).root)
    if each is None:
        return search(args)
    return RootResults(each, 0, 0, 0, method or "")


def brentq(
    f: Callable[..., Any],
    a: Any,
    b: Any,
    args: Any = (),
    xtol: float = 2e-12,
    rtol: float = 8.881784197001252e-16,
    maxiter: int = 100,
    full_output: bool = False,
    disp: bool = True,
) -> Any:
    """A root of ``f(x, *args)`` between ``a`` and ``b``, where f has two signs: :func:`scipy.optimize.brentq`.

    A Tensor if ``f`` depends on Tensors: dx/dp = -(df/dp) / (df/dx).

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import brentq
    >>> kepler = lambda e: brentq(lambda E, e: E - e * np.sin(E) - 1.0, 0.0, 3.0, args=(e,))
    >>> round(kepler(0.5), 6), round(grad(kepler)(0.5), 6)
    (1.498701, 1.034667)
    """
    args = args if isinstance(args, tuple) else (args,)

    def search(args: Any) -> Any:
        value = _of_one_number("brentq", f, detached(args))
        with no_grad():
            _, found = scipy.optimize.brentq(
                value, float(value_of(a)), float(value_of(b)), xtol=xtol, rtol=rtol, maxiter=maxiter,
                full_output=True, disp=disp,
            )  # fmt: skip
        value.end()
        how = Condition(converged=bool(found.converged), said=str(found.flag))
        found.root = _number_solution("brentq", f, args, found.root, how)
        return found

    each = by_example("brentq", args, lambda args: search(args).root)
    if each is not None:
        return each
    found = search(args)
    return (found.root, found) if full_output else found.root


class _of_one_number:  # noqa: N801
    """A function of one number, which returns one number."""

    def __init__(self, who: str, f: Callable[..., Any], args: Any) -> None:
        self.who, self.f, self.args = who, f, args

    def recorded(self, x: Any) -> Any:
        """The value, as it comes."""
        made = vector_of(self.f(x, *self.args), self.who, "the function")
        if made.shape != (1,):
            raise ValueError(f"{self.who}: the function must return one number, got {len(made)}; root takes more")
        return made[0]

    def __call__(self, x: Any) -> float:
        made = self.recorded(x)
        refuse_examples(self.who, made)
        value = float(value_of(made))
        if np.isnan(value):
            raise ValueError(f"{self.who}: the function is NaN at {float(x)!r}; look for the root where it is a number")
        return value

    def end(self) -> None:
        """Let go of everything: SciPy's functions keep what they called until the garbage collector comes."""
        vars(self).clear()


def _number_solution(who: str, f: Callable[..., Any], args: Any, root: Any, condition: Condition) -> Any:
    found = solution(
        lambda u: np.reshape(_of_one_number(who, f, args).recorded(u[0]), (1,)), np.array([float(root)]), who, condition
    )
    return found[0] if not isinstance(found, np.ndarray) else float(found[0])
