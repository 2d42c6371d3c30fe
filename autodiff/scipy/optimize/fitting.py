"""least_squares and curve_fit, with exact Jacobians, and as Tensors."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize  # type: ignore[import-untyped,unused-ignore]
from scipy.optimize import Bounds, OptimizeResult  # type: ignore[import-untyped,unused-ignore]

from ...program.jit import StaleError
from ...tensor import Tensor, value_of
from ...transforms import jacobian
from ...tree import flatten, flatten_like
from .layout import Layout, detached
from .limits import BESIDE, Limits, Sides
from .mapped import by_example
from .objective import Function, Residuals, vector_of
from .optimality import minimum
from .systems import Condition, condition_of

Array = Any

LOSSES: dict[str, Callable[[Any], Any]] = {
    "linear": lambda z: z,
    "soft_l1": lambda z: 2.0 * (np.sqrt(1.0 + z) - 1.0),
    "huber": lambda z: np.where(value_of(z) <= 1.0, z, 2.0 * np.sqrt(np.maximum(z, 1.0)) - 1.0),
    "cauchy": np.log1p,
    "arctan": np.arctan,
}
"""What is summed in the place of squares, by SciPy's names."""


def least_squares(
    fun: Callable[..., Any],
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    ftol: float | None = 1e-8,
    xtol: float | None = 1e-8,
    gtol: float | None = 1e-8,
    x_scale: Any = 1.0,
    loss: str = "linear",
    f_scale: float = 1.0,
    tr_solver: str | None = None,
    tr_options: dict[str, Any] | None = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    fixed: Any = None,
    jit: bool | None = None,
    solve: str = "auto",
    unconverged: str = "refuse",
) -> OptimizeResult:
    """The smallest sum of squares of ``fun(x, *args)`` over any nesting ``x``: :func:`scipy.optimize.least_squares`.

    min_x  1/2 sum_i rho(f_i(x)^2).  ``fun`` returns residuals in any nesting.  SciPy's methods get the exact Jacobian,
    so ``jac`` is left away ("2-point" and "3-point" take differences).  ``bounds`` are (lower, upper), each a number or
    a nesting as ``x0``.  ``loss`` is one of SciPy's names.  The result is SciPy's, with ``x`` in the nesting of ``x0``;
    ``fun``, ``jac`` and ``grad`` are of vectors.

    If ``fun`` depends on Tensors, ``x`` and ``cost`` are Tensors.  Their derivatives follow from a gradient of zero,
    with the second derivatives of the residuals.  The other keywords are those of :func:`minimize`.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import least_squares
    >>> t = np.array([0.0, 1.0, 2.0])
    >>> decay = lambda p, y: p["a"] * np.exp(-p["k"] * t) - y
    >>> rate = lambda y: least_squares(decay, {"a": 1.0, "k": 0.5}, args=(y,)).x["k"]
    >>> round(rate(np.exp(-t)), 5), np.round(grad(rate)(np.exp(-t)), 3).tolist()
    (1.0, [0.815, -1.711, -1.369])
    """
    if jac is not None and jac not in ("2-point", "3-point"):
        raise TypeError("least_squares: jac is computed from fun, exactly; leave it away, or call scipy.optimize's")
    if loss not in LOSSES:
        raise ValueError(f"least_squares: loss is one of {', '.join(LOSSES)}; minimize takes a loss of your own")
    args = args if isinstance(args, tuple) else (args,)
    condition = condition_of("least_squares", solve, unconverged)
    bound = functools.partial(fun, **kwargs) if kwargs else fun

    def search(given: Any, record: bool | None) -> OptimizeResult:
        layout = Layout(given[0], "least_squares", fixed)
        limits = Limits(_both_sides(bounds, layout), layout)
        function = Function("least_squares", bound, layout, given[1])
        residuals = Residuals(function, record)
        start = layout.start
        inside = (np.clip(start, limits.low, limits.high), (limits.low, limits.high)) if limits.given else (start, None)
        found = scipy.optimize.least_squares(
            residuals.value, inside[0], jac=jac or residuals.matrix, method=method, ftol=ftol, xtol=xtol, gtol=gtol,
            x_scale=x_scale, loss=loss, f_scale=f_scale, tr_solver=tr_solver, tr_options=tr_options or {},
            max_nfev=max_nfev, verbose=verbose, **({"bounds": inside[1]} if inside[1] else {}),
        )  # fmt: skip
        residuals.audit()
        residuals.end()
        result = OptimizeResult(found)
        how = condition._replace(symmetric=True, converged=bool(result.success), said=str(result.message))

        def cost(z: Any) -> Any:
            squares = (function.vector(z) / f_scale) ** 2
            return 0.5 * f_scale**2 * np.sum(LOSSES[loss](squares))

        limits.near = BESIDE
        z = minimum(cost, np.array(found.x, dtype=float), "least_squares", how, limits)
        result.x = layout.result(z)
        if isinstance(z, Tensor) and z._node.active:
            result.cost = cost(z)
        return result

    found = by_example("least_squares", (x0, args), lambda given: _shown(search(given, jit)))
    if found is not None:
        return OptimizeResult(found, message="one search for each example")
    try:
        return search((x0, args), jit)
    except StaleError:
        return search((x0, args), False)


def _shown(found: OptimizeResult) -> dict[str, Any]:
    return {"x": found.x, "cost": found.cost}


def _both_sides(bounds: Any, layout: Layout) -> Any:
    """(lower, upper), each for all of x0, as what :class:`Limits` takes; None if they bound nothing."""
    if isinstance(bounds, Bounds):
        return bounds
    try:
        lower, upper = bounds
    except (TypeError, ValueError):
        raise ValueError(f"{layout.who}: bounds are a pair (lower, upper), each a number or a nesting as x0") from None
    if all(np.ndim(side) == 0 and not isinstance(side, Tensor) and np.isinf(side) for side in _numbers((lower, upper))):
        return None
    rows = [np.asarray(side) if _is_row(side, layout) else side for side in (lower, upper)]
    sides = [flatten_like(side, layout.nesting, f"{layout.who}: bounds", repeat=True) for side in rows]
    return layout.unflatten([Sides(low, high) for low, high in zip(*sides, strict=True)])


def _numbers(sides: Any) -> list[Any]:
    return [np.inf if side is None else side for side in flatten(sides)[0]]


def _is_row(side: Any, layout: Layout) -> bool:
    return isinstance(side, list | tuple) and isinstance(layout.nesting, np.ndarray)


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Any = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    solve: str = "auto",
    unconverged: str = "refuse",
    **kwargs: Any,
) -> Any:
    """Parameters ``p`` with which ``f(xdata, *p)`` is nearest to ``ydata``: :func:`scipy.optimize.curve_fit`.

    min_p  sum_i ((f(x_i, p) - y_i) / sigma_i)^2.  Returns ``popt`` and ``pcov`` as SciPy does, ``pcov`` from the exact
    Jacobian; ``jac`` is left away.  If ``p0`` is a nesting that is no row of numbers, ``f`` takes it as one argument,
    ``popt`` has its form, and ``pcov`` is of the vector of all numbers.

    Tensors may be ``ydata``, ``xdata``, ``sigma``, and what ``f`` closes over: ``popt`` and ``pcov`` are Tensors then.
    ``solve`` and ``unconverged`` are those of :func:`minimize`.

    >>> import numpy as np
    >>> from autodiff import jacobian
    >>> from autodiff.scipy.optimize import curve_fit
    >>> x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 3.1, 4.9, 7.0])
    >>> line = lambda y: curve_fit(lambda x, a, b: a + b * x, x, y)[0]
    >>> np.round(line(y), 4).tolist(), np.round(jacobian(line)(y)[1], 4).tolist()
    ([1.03, 1.98], [-0.3, -0.1, 0.1, 0.3])
    """
    if jac is not None:
        raise TypeError("curve_fit: jac is computed from f, exactly; leave it away, or call scipy.optimize.curve_fit")
    fit = _Fit(f, p0, bounds, condition_of("curve_fit", solve, unconverged), absolute_sigma)
    options = {"check_finite": check_finite, "method": method, "nan_policy": nan_policy, **kwargs}

    def search(data: Any) -> Any:
        return fit.found(data, options)

    each = by_example("curve_fit", (xdata, ydata, sigma), lambda data: search(data)[:2])
    if each is not None:
        return tuple(each)
    found = search((xdata, ydata, sigma))
    return found if full_output else found[:2]


class _Fit:
    """A model, and how it is fitted."""

    def __init__(self, f: Any, p0: Any, bounds: Any, condition: Condition, absolute: bool) -> None:
        self.f, self.p0, self.bounds, self.condition, self.absolute = f, p0, bounds, condition, absolute
        row = p0 is None or np.ndim(p0) == 1 if isinstance(p0, list | tuple | np.ndarray | None) else np.ndim(p0) == 0
        self.nested = isinstance(p0, dict) or not row

    def model(self, x: Any, p: Any, layout: Layout | None) -> Any:
        """The values of the model, as one vector, for the vector of the parameters."""
        if self.nested and layout is not None:
            made = self.f(x, layout.tree(p))
        else:
            made = self.f(x, *[p[i] for i in range(len(p))])
        return vector_of(made, "curve_fit", "the model")

    def found(self, data: Any, options: dict[str, Any]) -> Any:
        """popt, pcov, and what SciPy tells beside."""
        xdata, ydata, sigma = data
        layout = Layout(self.p0, "curve_fit") if self.nested else None
        if isinstance(xdata, list | tuple):  # as SciPy does
            xdata = np.stack(xdata) if any(isinstance(x, Tensor) for x in xdata) else np.asarray(xdata, dtype=float)
        x = detached(xdata)
        lent = [self.model]  # taken back at the end: SciPy's functions keep what they called until a collection

        def plain(x: Any, *p: Any) -> Any:
            return np.asarray(value_of(lent[0](x, np.asarray(p, dtype=float), layout)))

        def slopes(x: Any, *p: Any) -> Any:
            matrix = jacobian(lambda p: lent[0](x, p, layout))(np.asarray(p, dtype=float))
            return np.asarray(value_of(matrix))

        with contextlib.suppress(TypeError, ValueError):  # SciPy counts the parameters by it
            plain.__signature__ = inspect.signature(self.f)  # type: ignore[attr-defined]

        start = self.p0 if layout is None else layout.start
        limits = _limits(self.bounds, layout)
        popt, pcov, *more = scipy.optimize.curve_fit(
            plain, x, np.ravel(value_of(ydata)), p0=detached(start), sigma=_plain(sigma, ydata),
            bounds=limits or self.bounds, absolute_sigma=self.absolute, jac=slopes, full_output=True, **options,
        )  # fmt: skip
        lent.clear()
        return self._result(popt, pcov, xdata, ydata, sigma, layout, options) + tuple(more)

    def _result(self, popt: Any, pcov: Any, xdata: Any, ydata: Any, sigma: Any, layout: Any, options: Any) -> Any:
        y = np.reshape(ydata, (-1,)) if isinstance(ydata, Tensor) else np.ravel(np.asarray(ydata))

        def weighted(p: Any) -> Any:
            return _weighted(self.model(xdata, p, layout) - y, sigma)

        numbers = Layout(np.array(popt), "curve_fit")
        limits = Limits(_both_sides(_limits(self.bounds, layout) or self.bounds, numbers), numbers)
        limits.near = BESIDE
        how = self.condition._replace(symmetric=True)
        p = minimum(lambda p: 0.5 * np.sum(weighted(p) ** 2), np.array(popt, dtype=float), "curve_fit", how, limits)
        if isinstance(p, Tensor) and p._node.active:
            if options["nan_policy"] is not None:
                raise TypeError("curve_fit: with Tensors leave out what is NaN before: keep = np.isfinite(y), y[keep]")
            if np.all(np.isfinite(pcov)):
                J = jacobian(weighted)(p)
                pcov = np.linalg.inv(J.T @ J)
                if not self.absolute:
                    pcov = pcov * (np.sum(weighted(p) ** 2) / (len(y) - len(popt)))
        return (p if layout is None else layout.result(p)), pcov


def _limits(bounds: Any, layout: Layout | None) -> Any:
    """(lower, upper) as vectors, of a nesting of them; None where they are vectors already."""
    if layout is None or isinstance(bounds, Bounds):
        return None
    limits = Limits(_both_sides(bounds, layout), layout)
    return limits.low, limits.high


def _plain(sigma: Any, ydata: Any) -> Any:
    """The standard deviations as arrays; one for each value, for which SciPy scales a Jacobian."""
    if sigma is None:
        return None
    array = np.asarray(value_of(sigma), dtype=float)
    return array if array.ndim else np.full(np.size(value_of(ydata)), array)


def _weighted(residuals: Any, sigma: Any) -> Any:
    """Residuals by their standard deviations, or by their covariance."""
    if sigma is None:
        return residuals
    ndim = np.ndim(value_of(sigma))
    if ndim < 2:
        return residuals / sigma
    return np.linalg.solve(np.linalg.cholesky(sigma), residuals)
