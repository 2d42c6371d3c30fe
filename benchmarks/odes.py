"""Ordinary differential equations: the solution and its gradient, beside HIPS autograd and jax.experimental.ode.

    python -m benchmarks.odes

Lotka and Volterra's equations with 100 outputs, and a neural right side (2-50-2, 64 examples); tolerances 1e-6.
Seconds of processor time, the best of a few runs, the first run of each apart: it compiles or records.  Peers that are
not installed are left out.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff
from autodiff.scipy import integrate

Array = Any
TIMES = np.linspace(0.0, 10.0, 100)
RATES = np.array([1.5, 1.0, 3.0, 1.0])
START = np.array([1.0, 2.0])
TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}
ROUNDS = 3


def prey_in(xp: Any) -> Callable[..., Any]:
    """The equations, written with one library's functions."""

    def prey(y: Array, t: Array, p: Array) -> Array:
        meet = y[0] * y[1]
        return xp.stack([p[0] * y[0] - p[1] * meet, p[3] * meet - p[2] * y[1]])

    return prey


def net_in(xp: Any) -> Callable[..., Any]:
    """A small network on a state of 64 points in a plane, one vector."""

    def net(y: Array, t: Array, w: Array) -> Array:
        a, b = xp.reshape(w[:100], (2, 50)), xp.reshape(w[100:], (50, 2))
        return xp.reshape(xp.tanh(xp.reshape(y, (64, 2)) @ a) @ b, (128,))

    return net


def problems() -> dict[str, tuple[Callable[..., Any], Array, Array, Array]]:
    """Right side by library, first state, times and parameters."""
    rng = np.random.default_rng(0)
    weights, points = rng.normal(size=200) / 5, rng.normal(size=128)
    return {
        "Lotka-Volterra": (prey_in, START, TIMES, RATES),
        "neural": (net_in, points, np.linspace(0.0, 1.0, 10), weights),
    }


def peers() -> dict[str, Callable[..., Any]]:
    """For each library a function of a problem that gives a function of the parameters: their gradient."""

    def ours(adjoint: str, method: str) -> Callable[..., Any]:
        def make(f: Any, y0: Array, t: Array) -> Any:
            side = f(np)
            options: Any = {"adjoint": adjoint, "method": method, **TOLERANCE}
            return autodiff.grad(lambda p: np.sum(integrate.odeint(side, y0, t, (p,), **options) ** 2))

        return make

    found = {
        "pullback, discrete, DOP853": ours("discrete", "DOP853"),
        "pullback, discrete, RK45": ours("discrete", "RK45"),
        "pullback, continuous, DOP853": ours("continuous", "DOP853"),
    }
    with contextlib.suppress(ImportError):
        found["HIPS autograd"] = _autograd(
            importlib.import_module("autograd"), importlib.import_module("autograd.scipy.integrate").odeint
        )
    try:
        jax = importlib.import_module("jax")
        ode = importlib.import_module("jax.experimental.ode").odeint
    except ImportError:
        return found
    jax.config.update("jax_enable_x64", True)
    found["jax"] = _jax(jax, ode, lambda f: f)
    found["jax, jit"] = _jax(jax, ode, jax.jit)
    return found


def _autograd(library: Any, odeint: Any) -> Callable[..., Any]:
    def make(f: Any, y0: Array, t: Array) -> Any:
        numpy = importlib.import_module("autograd.numpy")
        side, pack = f(numpy), importlib.import_module("autograd.builtins").tuple
        return library.grad(lambda p: numpy.sum(odeint(side, y0, t, pack((p,)), **TOLERANCE) ** 2))

    return make


def _jax(jax: Any, odeint: Any, wrap: Any) -> Callable[..., Any]:
    def make(f: Any, y0: Array, t: Array) -> Any:
        numpy = jax.numpy
        side = f(numpy)
        gradient = wrap(
            jax.grad(lambda p: numpy.sum(odeint(side, numpy.asarray(y0), numpy.asarray(t), p, **TOLERANCE) ** 2))
        )
        return lambda p: np.asarray(gradient(p))

    return make


def main() -> None:
    """Print the table."""
    for name, (f, y0, t, p) in problems().items():
        reference = None
        for peer, make in peers().items():
            gradient = make(f, y0, t)
            seconds = []
            for _ in range(ROUNDS + 1):
                start = time.process_time()
                g = gradient(p)
                seconds.append(time.process_time() - start)
            reference = g if reference is None else reference
            off = np.max(np.abs(g - reference)) / np.max(np.abs(reference))
            print(
                f"{name:16}{peer:32}first {seconds[0]:8.3f} s   then {min(seconds[1:]):8.3f} s   difference {off:.0e}"
            )


if __name__ == "__main__":
    main()
