"""The classical test problems of the field, each written once and naturally, differentiated by five libraries.

The problems are those of F. Srajer, Z. Kukelova, A. Fitzgibbon, "A Benchmark of Selected Algorithmic Differentiation
Tools" (2018), known as ADBench, and of B. Pearlmutter, J. Siskind, "Using Programming Language Theory to Make
Automatic Differentiation Sound and Efficient" (2008).  A problem takes the library's NumPy, and nothing else of it but
how values are placed in an array and how a gradient is taken inside a function.  Results are compared before anything
is timed.  Bundle adjustment, with its sparse Jacobian, has a benchmark of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff

from .measuring import PEERS, Table, installed, number, print_tables, take_turns

Function = Callable[..., Any]
Array = Any


@dataclass
class Library:
    """NumPy's names in a library, and what each spells in its own way."""

    np: Any
    grad: Function
    hvp: Function
    jacobian: Function
    place: Function
    array: Function
    finish: Function = lambda call: call


# -- the problems ------------------------------------------------------------------------------------------------------


def mixture(on: Library, p: Array, x: Array, k: int) -> Array:
    """Minus the log likelihood of a mixture of Gaussians; p has logits, means and roots of inverse covariances."""
    np, d = on.np, x.shape[1]
    logits, means = p[:k], np.reshape(p[k : k + k * d], (k, d))
    logs = np.reshape(p[k + k * d : k + 2 * k * d], (k, d))
    below = np.reshape(p[k + 2 * k * d :], (k, d * (d - 1) // 2))
    roots = on.place((k, d, d), below) + np.exp(logs)[:, :, None] * on.array(EYE[:d, :d])
    z = np.einsum("kij,nkj->nki", roots, x[:, None] - means)
    densities = logits + np.sum(logs, axis=1) - 0.5 * np.sum(z**2, axis=2)
    top = np.max(densities, axis=1)
    total = top + np.log(np.sum(np.exp(densities - top[:, None]), axis=1))
    return len(x) * np.log(np.sum(np.exp(logits))) - np.sum(total)


def k_means(on: Library, c: Array, x: Array) -> Array:
    """The sum of the squared distances of points from the nearest centre."""
    return on.np.sum(on.np.min(on.np.sum((x[:, None] - c) ** 2, axis=2), axis=1))


def hand(on: Library, angles: Array, rest: Array, weights: Array) -> Array:
    """Points on a hand, five fingers of four bones: each bone bends, and points follow several bones."""
    np, (fingers, bones) = on.np, angles.shape
    places, zero, one = [], 0.0 * angles[0, 0], 0.0 * angles[0, 0] + 1.0
    for finger in range(fingers):
        turn, base = on.array(EYE[:3, :3]), on.array(KNUCKLES[finger])
        for bone in range(bones):
            c, s = np.cos(angles[finger, bone]), np.sin(angles[finger, bone])
            turn = turn @ np.reshape(np.stack([c, -s, zero, s, c, zero, zero, zero, one]), (3, 3))
            places.append(base + rest[bone] @ turn)
            base = base + turn[0]
    return np.reshape(np.einsum("bp,bpi->pi", weights, np.stack(places)), (-1,))


def control(on: Library, u: Array) -> Array:
    """The energy of forces on a pendulum, and how far from upright it is in the end: Heun's steps."""
    np, h = on.np, 0.05
    angle, speed = 0.0 * u[0], 0.0 * u[0]
    for i in range(len(u)):
        a = u[i] - np.sin(angle)
        b = u[i] - np.sin(angle + h * speed)
        angle, speed = angle + h * (speed + 0.5 * h * a), speed + 0.5 * h * (a + b)
    return 0.01 * np.sum(u**2) + (angle - math.pi) ** 2 + speed**2


def saddle(on: Library, x: Array) -> Array:
    """The maximum over y, by steps along a gradient inside, of a function whose minimum over x is sought."""

    def f(y: Array, x: Array) -> Array:
        return on.np.sum(x**2) - on.np.sum(y**2) + on.np.sum(on.np.sin(x * y))

    y = 0.0 * x + 0.1
    for _ in range(8):
        y = y + 0.1 * on.grad(f)(y, x)
    return f(y, x)


RNG = np.random.default_rng(0)
EYE = np.eye(16)
KNUCKLES = RNG.normal(size=(5, 3))


# -- the libraries -----------------------------------------------------------------------------------------------------


def below(d: int) -> Any:
    """The places under the diagonal of matrices."""
    i, j = np.tril_indices(d, -1)
    return (slice(None), i, j)


def pullback() -> Library:
    def place(shape: Any, values: Array) -> Array:
        return autodiff.index_update(np.zeros(shape), below(shape[-1]), values)

    def product(f: Function) -> Function:
        return lambda x, v: autodiff.hvp(f, (x,), (v,))[0]

    return Library(np, autodiff.grad, product, autodiff.jacobian, place, np.asarray)


def pullback_jit() -> Library:
    library = pullback()
    library.finish = autodiff.jit
    return library


def of_autograd() -> Library:
    import autograd
    import autograd.numpy as anp

    def place(shape: Any, values: Array) -> Array:  # it has no scatter: a product with a matrix of zeros and ones
        d = shape[-1]
        spread = np.zeros((d * (d - 1) // 2, d, d))
        spread[(np.arange(len(spread)), *below(d)[1:])] = 1.0
        return anp.tensordot(values, spread, 1)

    products = autograd.hessian_vector_product
    return Library(anp, autograd.grad, products, autograd.jacobian, place, np.asarray)


def of_jax() -> Library:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def place(shape: Any, values: Array) -> Array:
        return jnp.zeros(shape).at[below(shape[-1])].set(values)

    def product(f: Function) -> Function:
        return lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1]

    def finish(call: Function) -> Function:
        compiled = jax.jit(call)
        return lambda *args: jax.block_until_ready(compiled(*args))

    return Library(jnp, jax.grad, product, jax.jacfwd, place, jnp.asarray, finish)


def of_torch() -> Library:
    import torch

    from .peer_names import torch_numpy

    torch.set_default_dtype(torch.float64)

    def place(shape: Any, values: Array) -> Array:
        _, i, j = below(shape[-1])
        index = torch.as_tensor(i * shape[-1] + j).expand(shape[0], -1)
        return torch.zeros(shape[0], shape[1] * shape[2]).scatter(1, index, values).reshape(shape)

    def product(f: Function) -> Function:
        return lambda x, v: torch.func.jvp(torch.func.grad(f), (x,), (v,))[1]

    return Library(torch_numpy(), torch.func.grad, product, torch.func.jacfwd, place, torch.as_tensor)


LIBRARIES = {
    "pullback": pullback,
    "pullback, jit": pullback_jit,
    "autograd": of_autograd,
    "JAX": of_jax,
    "PyTorch": of_torch,
}


# -- what is measured --------------------------------------------------------------------------------------------------


def gradient(problem: Function, point: Array, *more: Any) -> tuple[Function, tuple[Any, ...]]:
    arrays = [m for m in more if isinstance(m, np.ndarray)]
    options = [m for m in more if not isinstance(m, np.ndarray)]
    return lambda on: on.grad(lambda p, *data: problem(on, p, *data, *options)), (point, *arrays)


def diagonal(problem: Function, point: Array, x: Array) -> tuple[Function, tuple[Any, ...]]:
    """The Hessian is a diagonal: its product with ones."""
    return lambda on: lambda p, v: on.hvp(lambda q: problem(on, q, on.array(x)))(p, v), (point, np.ones_like(point))


def jacobian(problem: Function, point: Array, *data: Array) -> tuple[Function, tuple[Any, ...]]:
    return lambda on: on.jacobian(lambda p: problem(on, p, *map(on.array, data))), (point,)


def cases(small: bool = False) -> dict[str, tuple[Function, tuple[Any, ...]]]:
    """The problems and their sizes, or ``small`` ones."""
    d, k, n, centre_count, point_count, forces = (3, 4, 20, 3, 40, 6) if small else (10, 25, 1000, 20, 5000, 40)
    x, points = RNG.normal(size=(n, d)), RNG.normal(size=(point_count, 8))
    centres = points[:centre_count] + 0.01 * RNG.normal(size=(centre_count, 8))
    p = 0.3 * RNG.normal(size=k * (1 + 2 * d + d * (d - 1) // 2))
    fingers, bones, followers = (2, 2, 5) if small else (5, 4, 100)
    angles, rest = 0.2 * RNG.normal(size=(fingers, bones)), RNG.normal(size=(bones, followers, 3))
    weights = RNG.random((fingers * bones, followers))
    return {
        f"mixture of {k} Gaussians, {n:,} points: gradient": gradient(mixture, p, x, k),
        f"k-means, {centre_count} centres, {point_count:,} points: gradient": gradient(k_means, centres, points),
        "k-means: diagonal of the Hessian": diagonal(k_means, centres, points),
        f"hand, {fingers * bones} angles, {followers} points: Jacobian": jacobian(hand, angles, rest, weights),
        f"pendulum, {forces} forces: gradient": gradient(control, 0.1 * RNG.normal(size=forces)),
        "saddle, a minimum of maxima: gradient": gradient(saddle, RNG.normal(size=3)),
    }


def k_means_by_hand(c: Array, x: Array) -> Array:
    """The gradient of k-means in NumPy."""
    gaps = x[:, None] - c
    nearest = np.argmin(np.sum(gaps**2, axis=2), axis=1)
    result = np.zeros_like(c)
    np.add.at(result, nearest, -2 * gaps[np.arange(len(x)), nearest])
    return result


def control_by_hand(u: Array) -> Array:
    """The gradient of the pendulum in NumPy's numbers: the steps, and the same backwards."""
    h, angle, speed, path = 0.05, 0.0, 0.0, []
    for force in u.tolist():
        path.append((angle, speed))
        a, b = force - np.sin(angle), force - np.sin(angle + h * speed)
        angle, speed = angle + h * (speed + 0.5 * h * a), speed + 0.5 * h * (a + b)
    found, ga, gs = 0.02 * u, 2 * (angle - np.pi), 2 * speed
    for i in range(len(u) - 1, -1, -1):
        angle, speed = path[i]
        wa, wb = 0.5 * h * (h * ga + gs), 0.5 * h * gs
        found[i] += wa + wb
        inner = wb * np.cos(angle + h * speed)
        ga, gs = ga - wa * np.cos(angle) - inner, gs + h * ga - h * inner
    return found


def by_hand(title: str) -> Function | None:
    """The gradient of a problem written by hand, if it is the gradient that is asked for."""
    found = {"k-means, ": k_means_by_hand, "pendulum, ": control_by_hand}
    return next((written for start, written in found.items() if title.startswith(start)), None)


def contestants(title: str, make: Function, point: tuple[Any, ...]) -> dict[str, Function]:
    """The calls of a problem, which give the same numbers."""
    found: dict[str, Function] = {}
    for name, library in LIBRARIES.items():
        if name not in PEERS or installed(name):
            on = library()
            call, args = on.finish(make(on)), tuple(map(on.array, point))
            found[name] = lambda call=call, args=args: call(*args)
    written = by_hand(title)
    if written is not None:
        found["NumPy by hand"] = lambda: written(*point)
    expected = np.asarray(found["pullback"]())
    for call in found.values():
        np.testing.assert_allclose(np.asarray(call()).reshape(expected.shape), expected, rtol=1e-7, atol=1e-9)
    return found


def tables() -> list[Table]:
    """A row for each problem, a column for each library."""
    columns = ["NumPy by hand", *LIBRARIES]
    rows = []
    for title, (make, point) in cases().items():
        timings = take_turns(contestants(title, make, point), rounds=5, seconds=0.01)
        rows.append([title, *[number(timings[c].best * 1e3) if c in timings else "-" for c in columns]])
    return [
        Table(
            "The classical problems",
            "Milliseconds of a call, the best round, float64. One code for all, with each library's NumPy:\n"
            "JAX compiles it, PyTorch runs it eagerly by torch.func; autograd has no scatter, and places values\n"
            "by a product.",
            ["", *columns],
            rows,
        )
    ]


if __name__ == "__main__":
    print_tables(tables)
