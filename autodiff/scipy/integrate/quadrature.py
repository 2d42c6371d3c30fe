"""Integrals of functions, and of samples.

An integral of a function is SciPy's; its derivative by a limit is the integrand there, and that by a parameter the
integral of the integrand's derivative, found by the same adaptive method.  Parameters are the arguments of the
integrand and every Tensor that it uses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from scipy import integrate

from ...arrays import as_array
from ...backpropagation import backward
from ...graph import Node, tick
from ...mode import entered
from ...primitive import example, sample
from ...tensor import Tensor, value_of
from ..compiled import composed
from .linking import linked, sources

Array = Any


def _aside(create: bool) -> AbstractContextManager[Any]:
    """Where the integrand is derived: a plain pass may be one for many examples, and there is one integrand."""
    return nullcontext() if create else entered(None)


class _Integral:
    """The integral of a function of a number, whose value is one number or a vector."""

    def __init__(self, f: Callable[[Any], Any], a: Any, b: Any, options: dict[str, Any]) -> None:
        self.f, self.a, self.b, self.options = f, a, b, options
        self.start = tick()
        self.found: dict[Node, None] = {}

    def value(self, x: float) -> Any:
        """The integrand as numbers; the Tensors that it uses are noted."""
        y = self.f(x)
        if isinstance(y, Tensor):
            if y._node.active:
                self.found.update(dict.fromkeys(sources([y._node], self.start)))
            y = value_of(y)
        return y

    def number(self, x: float) -> float:
        """The same as a Python number."""
        y = self.value(x)
        if np.size(y) != 1 or np.iscomplexobj(y):
            raise ValueError(
                f"quad: the integrand gave an array of shape {np.shape(y)}, {np.asarray(y).dtype}; it must give one "
                "real number"
            )
        return float(np.reshape(y, ()))

    def slope(self, nodes: list[Node], create: bool) -> Callable[[float], Any]:
        """The derivative of the integrand by some nodes, as one vector; a Tensor if it is recorded."""

        def derivative(x: Any) -> Any:
            moving = isinstance(x, Tensor) and x._node.active
            x = x * 1.0 if moving else x
            y = self.f(x)
            known: dict[Node, Any] = {}
            if isinstance(y, Tensor) and y._node.active:
                targets = {*nodes, x._node} if moving else set(nodes)
                known = backward({y._node: np.ones(y.shape, y.dtype)}, targets, retain=True, create=create)
                if moving and x._node in known:  # a limit, which may depend on the parameters too: not here
                    by_limit = backward({x._node: known[x._node]}, set(nodes), retain=True, create=create)
                    known.update({n: known[n] - share for n, share in by_limit.items()})
            parts = [known.get(n, np.zeros(n.shape)) for n in nodes]
            return np.concatenate([np.reshape(p, (-1,)) for p in parts])

        return derivative

    def pull(self, nodes: list[Node], known: dict[int, Any], create: bool) -> dict[int, Any]:
        """The cotangents of the limits and of the nodes."""
        g = known[0]
        found: dict[int, Any] = {}
        for limit, sign in ((self.a, -1.0), (self.b, 1.0)):
            if isinstance(limit, Tensor):
                end = limit if create else value_of(limit)
                with _aside(create):
                    edge = self.f(end) if np.isfinite(value_of(limit)) else 0.0
                edge = edge if create else value_of(edge)
                found[len(found)] = np.reshape(sign * g * np.reshape(edge, np.shape(g)), np.shape(limit))
        if nodes:
            with _aside(create):
                of_nodes = _vector_integral(self.slope(nodes, create), self.a, self.b, self.options, create)
            start = 0
            for node in nodes:
                size = int(np.prod(node.shape, dtype=int))
                found[len(found)] = g * np.reshape(of_nodes[start : start + size], node.shape)
                start += size
        return found

    def linked(self, value: Array) -> Any:
        """The value, as a Tensor if it depends on one."""
        limits = [x._node for x in (self.a, self.b) if isinstance(x, Tensor) and x._node.active]
        if len(limits) != sum(isinstance(x, Tensor) for x in (self.a, self.b)):
            self.a, self.b = (x if isinstance(x, Tensor) and x._node.active else value_of(x) for x in (self.a, self.b))
        nodes = list(self.found)
        if not limits and not nodes:
            return value

        def pull(known: dict[int, Any], create: bool) -> dict[int, Any]:
            return self.pull(nodes, known, create)

        return linked("quad", [np.asarray(value)], [*limits, *nodes], pull)[0]


def _vector_integral(f: Callable[[float], Any], a: Any, b: Any, options: dict[str, Any], create: bool) -> Any:
    """The integral of a vector; in a recorded pass a Tensor, whose parameters are found in the same way."""
    if not create:
        ends = float(value_of(a)), float(value_of(b))
        return integrate.quad_vec(lambda x: value_of(f(x)), *ends, **options)[0]
    length = np.size(value_of(f(_between(float(value_of(a)), float(value_of(b))))))
    parts = [quad(lambda x, i=i: f(x)[i], a, b, **options)[0] for i in range(length)]
    return np.stack([part if isinstance(part, Tensor) else np.float64(part) for part in parts])


def _between(a: float, b: float) -> float:
    """A number between two limits, of which one may be infinite."""
    if np.isfinite(a) and np.isfinite(b):
        return (a + b) / 2
    return a + 1.0 if np.isfinite(a) else b - 1.0 if np.isfinite(b) else 0.0


def quad(
    func: Callable[..., Any], a: Any, b: Any, args: Any = (), *, epsabs: float = 1.49e-8, epsrel: float = 1.49e-8,
    limit: int = 50, points: Any = None,
) -> tuple[Any, float]:  # fmt: skip
    """The integral of ``func(x, *args)`` from a to b, and an estimate of its error.  As ``scipy.integrate.quad``.

    Differentiated by the limits, by ``args`` and by every Tensor that ``func`` uses, to any order:
    d/dp of the integral of f is the integral of df/dp, f(b) and -f(a) are the derivatives by the limits, which may be
    infinite.  The tolerances hold for the derivatives too.  Raises ValueError for an integrand that is not one real
    number; other keywords of SciPy's (weights, full_output) are refused.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import integrate
    >>> round(grad(lambda p: integrate.quad(lambda x: np.exp(-p * x), 0.0, np.inf)[0])(2.0), 6)
    -0.25
    """
    args = args if isinstance(args, tuple) else (args,)
    for name, end in (("a", a), ("b", b)):
        if np.ndim(end):
            raise ValueError(f"quad: the limit {name} has shape {np.shape(end)}; it must be one number")
    options = {"epsabs": epsabs, "epsrel": epsrel, "limit": limit}
    if points is not None:
        options["points"] = points
    integral = _Integral(lambda x: func(x, *args), a, b, options)
    value, error = integrate.quad(integral.number, float(value_of(a)), float(value_of(b)), **options)
    return integral.linked(np.float64(value)), error


# -- samples -------------------------------------------------------------------------------------------------------


def _widths(y: Array, x: Any, dx: Any, axis: int) -> Array:
    """The distances between samples, to be multiplied with slices of y along the last axis."""
    if isinstance(dx, str):
        raise ValueError(f"dx={dx!r} is no number")
    if x is None:
        return dx
    x = as_array(x)
    if np.ndim(x) == 1 and np.shape(x)[0] != np.shape(y)[-1]:
        raise ValueError(f"{np.shape(y)[-1]} samples along the axis, and x has {np.shape(x)[0]}")
    return np.diff(x) if np.ndim(x) == 1 else np.diff(np.moveaxis(x, axis, -1))


@composed(
    integrate.trapezoid,
    examples=[example(sample(4), sample(4)), example(sample(3, 2), dx=0.5, axis=0)],
    errors=[example(sample(3), sample(4))],
)
def trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """The integral of samples by the trapezoidal rule.  As ``scipy.integrate.trapezoid``.

    >>> from autodiff.scipy import integrate
    >>> integrate.trapezoid([0.0, 1.0, 2.0]).item()
    2.0
    """
    y = np.moveaxis(as_array(y), axis, -1)
    return np.sum(_widths(y, x, dx, axis) * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)


@composed(
    integrate.cumulative_trapezoid,
    examples=[example(sample(4), sample(4)), example(sample(3, 2), dx=0.5, axis=0, initial=0)],
    errors=[example(sample(3), sample(4)), example(sample(3), initial=2.0)],
)
def cumulative_trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Array:
    """The integrals of samples up to each of them, by the trapezoidal rule; with ``initial=0`` the first is 0.

    As ``scipy.integrate.cumulative_trapezoid``.

    >>> from autodiff.scipy import integrate
    >>> integrate.cumulative_trapezoid([0.0, 1.0, 2.0]).tolist()
    [0.5, 2.0]
    """
    if initial is not None and initial != 0:
        raise ValueError(f"cumulative_trapezoid: initial={initial!r}; it is None or 0")
    y = np.moveaxis(as_array(y), axis, -1)
    if not np.shape(y)[-1]:
        raise ValueError("cumulative_trapezoid: at least one sample is needed")
    sums = np.cumsum(_widths(y, x, dx, axis) * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)
    if initial is not None:
        sums = np.pad(sums, [(0, 0)] * (np.ndim(sums) - 1) + [(1, 0)])
    return np.moveaxis(sums, -1, axis)


def _parabolas(y: Array, h: Any, stop: int) -> Array:
    """Simpson's rule over pairs of intervals, up to the sample ``stop``."""
    one, two, three = y[..., 0 : stop - 1 : 2], y[..., 1:stop:2], y[..., 2 : stop + 1 : 2]
    if np.ndim(h) == 0:
        return np.sum(one + 4.0 * two + three, axis=-1) * (h / 3.0)
    first, second = h[..., 0 : stop - 1 : 2], h[..., 1:stop:2]
    both = first + second
    share = both * both / (first * second)
    return np.sum(both / 6.0 * (one * (2.0 - second / first) + two * share + three * (2.0 - first / second)), axis=-1)


@composed(
    integrate.simpson,
    examples=[example(sample(5), dx=0.5), example(sample(4), np.array([0.0, 1.0, 1.5, 2.5])),
              example(sample(3, 2), axis=0)],
    errors=[example(sample(3), np.zeros(4))],
)  # fmt: skip
def simpson(y: Array, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Array:
    """The integral of samples by Simpson's rule, with Cartwright's last interval if their number is even.

    As ``scipy.integrate.simpson``.

    >>> from autodiff.scipy import integrate
    >>> integrate.simpson([0.0, 1.0, 4.0]).round(9).item()
    2.666666667
    """
    y = np.moveaxis(as_array(y), axis, -1)
    count = np.shape(y)[-1]
    h = _widths(y, x, dx, axis)
    if np.ndim(h) and np.shape(h)[-1] != count - 1:
        raise ValueError(f"simpson: {count} samples along the axis, and x has {np.shape(h)[-1] + 1}")
    if count < 3:
        step = h if np.ndim(h) == 0 else h[..., 0] if count == 2 else 0.0
        return 0.5 * step * (y[..., 0] + y[..., 1]) if count == 2 else 0.0 * np.sum(y, axis=-1)
    if count % 2:
        return _parabolas(y, h, count - 1)
    # numbers of NumPy's, so that float32 becomes float64, as it does in SciPy for an even number of samples
    first, last = (np.float64(h),) * 2 if np.ndim(h) == 0 else (h[..., -2], h[..., -1])
    alpha = (2 * last**2 + 3 * first * last) / (6 * (last + first))
    beta = (last**2 + 3 * first * last) / (6 * first)
    eta = last**3 / (6 * first * (first + last))
    return _parabolas(y, h, count - 2) + alpha * y[..., -1] + beta * y[..., -2] - eta * y[..., -3]
