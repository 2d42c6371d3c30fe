"""Second derivatives: Hessians and their products with vectors, beside JAX and autograd.

Every function is written once, for any module that looks like NumPy, and all must agree before they are timed.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import grad, hessian, hvp, vmap
from nn import datasets

from .measuring import NOT_INSTALLED, Table, Timing, against, installed, number, print_tables, take_turns

Contestants = dict[str, Callable[[], Any]]
VARIABLES = 50
SIZES = (64, 128, 10)


def rosenbrock(module: Any) -> Callable[[Any], Any]:
    """The chained Rosenbrock function, whose Hessian has three diagonals."""

    def f(x: Any) -> Any:
        return module.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    return f


def coupled(module: Any) -> Callable[[Any], Any]:
    """log(sum(exp(A tanh(x)))), whose Hessian is full."""
    matrix = np.random.default_rng(1).normal(size=(VARIABLES, VARIABLES)) / VARIABLES**0.5

    def f(x: Any) -> Any:
        return module.log(module.sum(module.exp(module.matmul(matrix, module.tanh(x)))))

    return f


def full_hessian(function: Callable[[Any], Callable[[Any], Any]]) -> Contestants:
    """The Hessian at one point, by each library that is here."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, VARIABLES)
    ours, by_row = hessian(function(np)), hessian(function(np), vectorize=False)
    found: Contestants = {"pullback": lambda: ours(x), "pullback, row by row": lambda: by_row(x)}
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        theirs = autograd.hessian(function(anp))
        found["autograd"] = lambda: theirs(x)
    if installed("JAX"):
        jax = _jax()
        eager = jax.hessian(function(jax.numpy))
        compiled = jax.jit(eager)
        found["JAX, not compiled"] = lambda: eager(x).block_until_ready()
        found["JAX, compiled"] = lambda: compiled(x).block_until_ready()
    return found


def _jax() -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def digits_loss(module: Any, batch: int) -> tuple[Callable[[Any], Any], list[Any], list[Any]]:
    """The cross-entropy of a network on handwritten digits, its parameters, and a direction."""
    rng = np.random.default_rng(0)
    images, labels = datasets.digits()
    images = np.asarray(images, dtype=np.float64).reshape(len(images), -1)[:batch]
    wanted = np.eye(SIZES[-1])[np.asarray(labels)[:batch]]
    shapes = [s for a, b in itertools.pairwise(SIZES) for s in ((a, b), (b,))]
    parameters = [rng.normal(size=s) * 0.1 for s in shapes]
    direction = [rng.normal(size=s) for s in shapes]

    def loss(p: Any) -> Any:
        scores = module.matmul(module.tanh(module.matmul(images, p[0]) + p[1]), p[2]) + p[3]
        total = module.log(module.sum(module.exp(scores), axis=1))
        return module.mean(total - module.sum(scores * wanted, axis=1))

    return loss, parameters, direction


def products(batch: int) -> Contestants:
    """The Hessian of the network's loss times a vector, by each library that is here."""
    loss, parameters, direction = digits_loss(np, batch)
    gradient = grad(loss)
    found: Contestants = {
        "one gradient, pullback": lambda: gradient(parameters),
        "pullback": lambda: hvp(loss, (parameters,), (direction,))[0],
    }
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        first = autograd.grad(digits_loss(anp, batch)[0])
        theirs = autograd.grad(lambda p: sum(anp.sum(a * b) for a, b in zip(first(p), direction, strict=True)))
        found["autograd"] = lambda: theirs(parameters)
    if installed("JAX"):
        jax = _jax()
        slope = jax.grad(digits_loss(jax.numpy, batch)[0])

        def product(p: Any, v: Any) -> Any:
            return jax.jvp(slope, (p,), (v,))[1]

        compiled = jax.jit(product)
        found["JAX, not compiled"] = lambda: jax.block_until_ready(product(parameters, direction))
        found["JAX, compiled"] = lambda: jax.block_until_ready(compiled(parameters, direction))
    return found


def per_example(batch: int) -> Contestants:
    """The gradient of each example's loss by the first layer's weights: mapped, and by a loop."""
    _, parameters, _ = digits_loss(np, batch)
    images, labels = datasets.digits()
    images = np.asarray(images, dtype=np.float64).reshape(len(images), -1)[:batch]
    labels = np.asarray(labels)[:batch]

    def loss(module: Any) -> Callable[[Any, Any, Any], Any]:
        def f(p: Any, x: Any, label: Any) -> Any:
            scores = module.matmul(module.tanh(module.matmul(x, p[0]) + p[1]), p[2]) + p[3]
            return module.log(module.sum(module.exp(scores))) - scores[label]

        return f

    slope = grad(loss(np))
    mapped = vmap(slope, in_axes=(None, 0, 0))
    found: Contestants = {
        "pullback": lambda: mapped(parameters, images, labels)[0],
        "pullback, a loop": lambda: np.stack([slope(parameters, x, y)[0] for x, y in zip(images, labels, strict=True)]),
    }
    if installed("JAX"):
        jax = _jax()
        theirs = jax.vmap(jax.grad(loss(jax.numpy)), in_axes=(None, 0, 0))
        compiled = jax.jit(theirs)
        found["JAX, not compiled"] = lambda: theirs(parameters, images, labels)[0].block_until_ready()
        found["JAX, compiled"] = lambda: compiled(parameters, images, labels)[0].block_until_ready()
    return found


def _agree(contestants: Contestants) -> None:
    """Nobody is timed who computes something else."""
    expected = contestants["pullback"]()
    for name, call in contestants.items():
        if name.startswith("one gradient"):
            continue
        found = call()
        pairs = zip(found, expected, strict=True) if isinstance(expected, list) else [(found, expected)]
        for one, two in pairs:
            np.testing.assert_allclose(np.asarray(one), two, rtol=1e-8, atol=1e-10, err_msg=name)


def _rows(timings: dict[str, Timing]) -> list[list[str]]:
    rows = []
    for name, timing in timings.items():
        ratio, of_medians = against(timings, "pullback", name)
        rows.append([name, number(timing.best * 1e3), f"{ratio:.3g}", f"{of_medians:.3g}"])
    rows += [[peer, NOT_INSTALLED, "", ""] for peer in ("autograd", "JAX") if not installed(peer)]
    return rows


def tables() -> list[Table]:
    """Hessians of two functions, Hessian-vector products on two batches, per-example gradients."""
    warnings.simplefilter("ignore")
    network = "-".join(map(str, SIZES))
    measured = [
        (f"Hessian, {VARIABLES} variables: the chained Rosenbrock function", full_hessian(rosenbrock)),
        (f"Hessian, {VARIABLES} variables: log(sum(exp(A tanh(x))))", full_hessian(coupled)),
        (f"Hessian times vector, {network} network on 64 digits", products(64)),
        (f"Hessian times vector, {network} network on 1,797 digits", products(1797)),
        (f"Gradients of each of 64 examples, {network} network", per_example(64)),
    ]
    result = []
    for heading, contestants in measured:
        _agree(contestants)
        about = "Milliseconds, float64, the best of the rounds; the ratios are pullback's time over the row's."
        columns = ["", "ms", "pullback takes", "by medians"]
        result.append(Table(heading, about, columns, _rows(take_turns(contestants, rounds=9))))
    return result


if __name__ == "__main__":
    print_tables(tables)
