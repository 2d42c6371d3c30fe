"""The sparse Jacobian of bundle adjustment: 20,000 observations of points by cameras.

The problem is that of ADBench (Srajer, Kukelova and Fitzgibbon, 2018): a camera has a rotation, a centre, a focal
length, a principal point and two coefficients of distortion, 11 numbers; a point has 3, an observation a weight.  The
residuals are the two of the weighted projection, and one of the weight.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from autodiff import jacobian, jit

from .measuring import NOT_INSTALLED, Table, against, installed, number, print_tables, take_turns

CAMERAS, POINTS, OBSERVATIONS = 50, 6_000, 20_000
rng = np.random.default_rng(0)
OF_CAMERA, OF_POINT = rng.integers(0, CAMERAS, OBSERVATIONS), rng.integers(0, POINTS, OBSERVATIONS)
SEEN = rng.normal(size=(OBSERVATIONS, 2))
Arrays = tuple[Any, Any, Any]


def start() -> Arrays:
    """Cameras, points and weights."""
    cameras = rng.normal(size=(CAMERAS, 11)) * 0.1
    cameras[:, 6] = 1.0
    return cameras, rng.normal(size=(POINTS, 3)) + np.array([0.0, 0.0, 5.0]), rng.uniform(0.5, 1.5, OBSERVATIONS)


def rotated(r: Any, x: Any) -> Any:
    """Rodrigues' formula, row by row."""
    angle = np.sqrt(np.sum(r * r, axis=1, keepdims=True))
    cos, sin, axis = np.cos(angle), np.sin(angle), r / angle
    return x * cos + np.cross(axis, x) * sin + axis * np.sum(axis * x, axis=1, keepdims=True) * (1 - cos)


def residuals(cameras: Any, points: Any, weights: Any) -> tuple[Any, Any]:
    """All residuals, with an index for what an observation is of."""
    c = cameras[OF_CAMERA]
    p = rotated(c[:, :3], points[OF_POINT] - c[:, 3:6])
    xy = p[:, :2] / p[:, 2:]
    squared = np.sum(xy * xy, axis=1, keepdims=True)
    bent = xy * (1 + c[:, 9:10] * squared + c[:, 10:11] * squared * squared)
    return weights[:, None] * (bent * c[:, 6:7] + c[:, 7:9] - SEEN), 1 - weights * weights


def by_hand(cameras: Any, points: Any, weights: Any) -> Any:
    """The derivatives of the projections: 15 numbers for each residual, and that of the weight, in a sparse array."""
    c, w = cameras[OF_CAMERA], weights[:, None]
    r, x = c[:, :3], points[OF_POINT] - c[:, 3:6]
    angle = np.sqrt(np.sum(r * r, axis=1, keepdims=True))
    cos, sin, k = np.cos(angle), np.sin(angle), r / angle
    turned, along = np.cross(k, x), np.sum(k * x, axis=1, keepdims=True)
    p = x * cos + turned * sin + k * along * (1 - cos)
    moved = []
    for j in range(3):
        dk = -k * k[:, j : j + 1]
        dk[:, j] += 1.0
        dk /= angle
        around = (turned * cos - x * sin + k * along * sin) * k[:, j : j + 1]
        moved.append(
            around + np.cross(dk, x) * sin + (dk * along + k * np.sum(dk * x, axis=1, keepdims=True)) * (1 - cos)
        )
    by_point = []
    for j, e in enumerate(np.eye(3)):
        by_point.append(e * cos + np.cross(k, e) * sin + k * k[:, j : j + 1] * (1 - cos))
    inner = np.stack([*moved, *[-d for d in by_point], *by_point], axis=1)  # observation, variable, coordinate
    xy = p[:, :2] / p[:, 2:]
    s = np.sum(xy * xy, axis=1, keepdims=True)
    factor = 1 + c[:, 9:10] * s + c[:, 10:11] * s * s
    d_xy = (inner[:, :, :2] - xy[:, None] * inner[:, :, 2:]) / p[:, None, 2:]
    d_s = 2 * np.sum(xy[:, None] * d_xy, axis=2, keepdims=True)
    d_factor = (c[:, 9:10] + 2 * c[:, 10:11] * s)[:, None] * d_s
    focal = c[:, 6:7]
    d = (d_xy * factor[:, None] + xy[:, None] * d_factor) * focal[:, None]
    bent = xy * factor
    block = np.empty((OBSERVATIONS, 2, 14))
    block[:, :, :6], block[:, :, 11:] = np.swapaxes(d[:, :6], 1, 2), np.swapaxes(d[:, 6:], 1, 2)
    block[:, :, 6] = bent
    block[:, :, 7:9] = np.eye(2)
    block[:, :, 9], block[:, :, 10] = xy * s * focal, xy * s * s * focal
    whole = np.concatenate([block * w[:, None], (bent * focal + c[:, 7:9] - SEEN)[:, :, None]], axis=2)
    return scipy.sparse.csr_array((whole.ravel(), INDICES, INDPTR), shape=(2 * OBSERVATIONS, SIZE))


SIZE = 11 * CAMERAS + 3 * POINTS + OBSERVATIONS
_PLACES = np.concatenate(
    [
        11 * OF_CAMERA[:, None] + np.arange(11),
        11 * CAMERAS + 3 * OF_POINT[:, None] + np.arange(3),
        11 * CAMERAS + 3 * POINTS + np.arange(OBSERVATIONS)[:, None],
    ],
    axis=1,
)
INDICES = np.repeat(_PLACES[:, None], 2, axis=1).ravel()
INDPTR = np.arange(2 * OBSERVATIONS + 1) * 15


def by_jax(arguments: Arrays) -> Callable[[], Any]:
    """Dense blocks, one for each observation: what JAX's users write."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def one(c: Any, point: Any, w: Any, seen: Any) -> Any:
        r, x = c[:3], point - c[3:6]
        angle = jnp.sqrt(jnp.sum(r * r))
        cos, sin, k = jnp.cos(angle), jnp.sin(angle), r / angle
        p = x * cos + jnp.cross(k, x) * sin + k * jnp.sum(k * x) * (1 - cos)
        xy = p[:2] / p[2]
        s = jnp.sum(xy * xy)
        return w * (xy * (1 + c[9] * s + c[10] * s * s) * c[6] + c[7:9] - seen)

    blocks = jax.jit(jax.vmap(jax.jacfwd(one, argnums=(0, 1, 2))))
    seen, cameras, points = jnp.asarray(SEEN), jnp.asarray(OF_CAMERA), jnp.asarray(OF_POINT)
    c, x, w = map(jnp.asarray, arguments)
    return lambda: jax.block_until_ready(blocks(c[cameras], x[points], w, seen))


def by_casadi(arguments: Arrays) -> Callable[[], Any]:
    """The whole Jacobian, whose pattern and colours CasADi finds; in its own virtual machine."""
    import casadi

    cameras, points = casadi.SX.sym("c", CAMERAS, 11), casadi.SX.sym("x", POINTS, 3)
    weights = casadi.SX.sym("w", OBSERVATIONS)
    c, point = cameras[OF_CAMERA.tolist(), :], points[OF_POINT.tolist(), :]
    r, x = [c[:, i] for i in range(3)], [point[:, i] - c[:, 3 + i] for i in range(3)]
    angle = casadi.sqrt(r[0] ** 2 + r[1] ** 2 + r[2] ** 2)
    cos, sin, k = casadi.cos(angle), casadi.sin(angle), [one / angle for one in r]
    along = (k[0] * x[0] + k[1] * x[1] + k[2] * x[2]) * (1 - cos)
    p = [x[i] * cos + (k[i - 2] * x[i - 1] - k[i - 1] * x[i - 2]) * sin + k[i] * along for i in range(3)]
    xy = [p[0] / p[2], p[1] / p[2]]
    s = xy[0] ** 2 + xy[1] ** 2
    factor = (1 + c[:, 9] * s + c[:, 10] * s * s) * c[:, 6]
    found = [weights * (xy[i] * factor + c[:, 7 + i] - SEEN[:, i]) for i in range(2)]
    variables = casadi.vertcat(casadi.vec(cameras), casadi.vec(points), weights)
    derivative = casadi.Function("J", [cameras, points, weights], [casadi.jacobian(casadi.vertcat(*found), variables)])
    given = [casadi.DM(a) for a in arguments]
    return lambda: derivative(*given)


def tables() -> list[Table]:
    """Time of one Jacobian, and of the first one."""
    arguments = start()
    derivative = jacobian(residuals, argnums=(0, 1, 2), sparsity="detect")
    before = time.perf_counter()
    blocks = derivative(*arguments)
    first = {"pullback": time.perf_counter() - before}
    joined = scipy.sparse.hstack(blocks[0]).tocsr()
    truth = by_hand(*arguments)
    if abs(joined - truth).max() > 1e-10 * abs(truth).max():
        raise AssertionError("the Jacobian is not that which was written by hand")
    recorded, compiled = jit(derivative, backend="numpy"), jit(derivative, backend="c")
    contestants: dict[str, Callable[[], Any]] = {
        "NumPy by hand": lambda: by_hand(*arguments),
        "pullback": lambda: derivative(*arguments),
        "pullback, recorded": lambda: recorded(*arguments),
        "pullback, recorded in C": lambda: compiled(*arguments),
    }
    for peer, make in (("JAX", by_jax), ("CasADi", by_casadi)):
        if installed(peer):
            before = time.perf_counter()
            contestants[peer] = make(arguments)
            contestants[peer]()
            first[peer] = time.perf_counter() - before
    timings = take_turns(contestants, rounds=10, seconds=0.01, clock=time.process_time)
    rows = []
    for name in [*contestants, *[peer for peer in ("JAX", "CasADi") if peer not in contestants]]:
        if name not in contestants:
            rows.append([name, NOT_INSTALLED, "", "", ""])
            continue
        best, median = against(timings, "pullback, recorded in C", name)
        begun = f"{first[name]:.2g}" if name in first else ""
        rows.append([name, number(1e3 * timings[name].best), begun, number(best), number(median)])
    about = (
        f"{CAMERAS} cameras, {POINTS:,} points, {OBSERVATIONS:,} observations: {3 * OBSERVATIONS:,} residuals by "
        f"{SIZE:,} variables. pullback computes 15 products, and one that checks them. Milliseconds of the processor "
        "for a Jacobian, the best of the rounds; seconds until there is the first one, with pattern, colours and "
        "compilation; the ratios are the time of the function recorded in C over the row's. JAX's blocks are dense and "
        "written for one observation, by `vmap(jacfwd)`; the one by hand, JAX's and CasADi's leave the residuals of "
        "weights out."
    )
    columns = ["", "ms", "s to the first", "pullback in C takes", "by medians"]
    return [Table("Bundle adjustment: the sparse Jacobian", about, columns, rows)]


if __name__ == "__main__":
    print_tables(tables)
