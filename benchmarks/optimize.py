"""SciPy's searches with exact derivatives: evaluations and time, beside differences and autograd.

Every contestant hands SciPy's own method what it has; a search ends where SciPy says that it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from autodiff import grad
from autodiff.scipy.optimize import minimize

from .measuring import NOT_INSTALLED, Table, Timing, against, installed, number, print_tables, take_turns

VARIABLES = 100
IMAGES, PIXELS, CLASSES = 1000, 1000, 10
Search = Callable[[], Any]


def rosenbrock(module: Any) -> Callable[[Any], Any]:
    """The chained Rosenbrock function."""

    def f(x: Any) -> Any:
        return module.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    return f


def by_newton() -> dict[str, Search]:
    """Newton-CG with exact products, with differences of exact gradients; BFGS with differences of values."""
    start, f = np.full(VARIABLES, 1.2), rosenbrock(np)
    slope = grad(f)
    found: dict[str, Search] = {
        "pullback": lambda: minimize(f, start, method="Newton-CG"),
        "pullback, never recorded": lambda: minimize(f, start, method="Newton-CG", jit=False),
        "SciPy, differences of exact gradients": lambda: scipy.optimize.minimize(
            f, start, jac=slope, method="Newton-CG"
        ),
        "SciPy, BFGS by differences of values": lambda: scipy.optimize.minimize(f, start, method="BFGS"),
    }
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        theirs = rosenbrock(anp)
        first, product = autograd.grad(theirs), autograd.hessian_vector_product(theirs)
        found["autograd"] = lambda: scipy.optimize.minimize(theirs, start, jac=first, hessp=product, method="Newton-CG")
    return found


def by_conjugate_gradients() -> dict[str, Search]:
    """Many steps: it pays to record the objective."""
    start, f = np.full(VARIABLES, -1.2), rosenbrock(np)
    found: dict[str, Search] = {
        "pullback": lambda: minimize(f, start, method="CG"),
        "pullback, never recorded": lambda: minimize(f, start, method="CG", jit=False),
    }
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        both = autograd.value_and_grad(rosenbrock(anp))
        found["autograd"] = lambda: scipy.optimize.minimize(both, start, jac=True, method="CG")
    return found


def logistic(module: Any) -> Callable[[Any], Any]:
    """The loss of a regression of ten classes on images that look like MNIST's, with 10,000 weights."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, IMAGES)
    strokes = rng.random((CLASSES, PIXELS)) < 0.2
    images = strokes[labels] * rng.random((IMAGES, PIXELS)) + 0.5 * (rng.random((IMAGES, PIXELS)) < 0.1)
    wanted = np.eye(CLASSES)[labels]

    def loss(w: Any) -> Any:
        scores = module.matmul(images, module.reshape(w, (PIXELS, CLASSES)))
        total = module.log(module.sum(module.exp(scores), axis=1))
        return module.mean(total - module.sum(scores * wanted, axis=1)) + 1e-4 * module.sum(w**2)

    return loss


def by_lbfgs() -> dict[str, Search]:
    """The regression by L-BFGS-B."""
    start, f = np.zeros(PIXELS * CLASSES), logistic(np)
    found: dict[str, Search] = {
        "pullback": lambda: minimize(f, start, method="L-BFGS-B"),
        "pullback, never recorded": lambda: minimize(f, start, method="L-BFGS-B", jit=False),
    }
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        both = autograd.value_and_grad(logistic(anp))
        found["autograd"] = lambda: scipy.optimize.minimize(both, start, jac=True, method="L-BFGS-B")
    return found


def _rows(contestants: dict[str, Search], timings: dict[str, Timing]) -> list[list[str]]:
    rows = []
    for name, search in contestants.items():
        found = search()
        ratio, of_medians = against(timings, "pullback", name)
        counts = [f"{found.get(count, 0):,}" for count in ("nfev", "njev", "nhev")]
        rows.append([name, *counts, number(timings[name].best * 1e3), f"{ratio:.3g}", f"{of_medians:.3g}"])
    return rows + [["autograd", NOT_INSTALLED, *[""] * 5]] * (not installed("autograd"))


def tables() -> list[Table]:
    """Newton's method on Rosenbrock's function, L-BFGS on a regression."""
    columns = ["", "values", "gradients", "products", "ms", "pullback takes", "by medians"]
    measured = [
        (f"Rosenbrock's function in {VARIABLES} dimensions, Newton-CG", by_newton()),
        (f"Rosenbrock's function in {VARIABLES} dimensions from afar, CG", by_conjugate_gradients()),
        (f"Logistic regression, {IMAGES:,} images, {PIXELS * CLASSES:,} weights, L-BFGS-B", by_lbfgs()),
    ]
    about = (
        "SciPy's counts of evaluations; milliseconds of the processor for the whole search, the best of the rounds; "
        "the ratios are pullback's time over the row's. Each search ends at the same minimum."
    )
    result = []
    for heading, contestants in measured:
        expected = contestants["pullback"]().fun
        for name, search in contestants.items():
            np.testing.assert_allclose(search().fun, expected, rtol=1e-4, atol=1e-5, err_msg=name)
        timings = take_turns(contestants, rounds=9, clock=time.process_time)
        result.append(Table(heading, about, columns, _rows(contestants, timings)))
    return result


if __name__ == "__main__":
    print_tables(tables)
