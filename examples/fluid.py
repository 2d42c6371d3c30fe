"""The initial velocities of a fluid, found so that its smoke forms a ring at the end.

After J. Stam, "Real-Time Fluid Dynamics for Games" (2003), and the example of HIPS autograd.  Each step moves the
velocities and the smoke along the velocities, and then makes the flow nearly incompressible.  The simulation is plain
NumPy with indices that depend on the velocities; its gradient is one call, recorded once and replayed.

    python -m examples.fluid [--quick]

What to expect: the distance from the ring falls to 6.3% of its first value; 11 seconds of processor time.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np
from scipy.optimize import minimize

from autodiff import jit, value_and_grad


def project(vx: Any, vy: Any, sweeps: int = 10) -> tuple[Any, Any]:
    """The velocities less the gradient of a pressure, which a few sweeps of Jacobi's method find."""
    divergence = -0.5 * (np.roll(vx, -1, 0) - np.roll(vx, 1, 0) + np.roll(vy, -1, 1) - np.roll(vy, 1, 1))
    p = np.zeros(vx.shape)
    for _ in range(sweeps):
        p = (divergence + np.roll(p, 1, 0) + np.roll(p, -1, 0) + np.roll(p, 1, 1) + np.roll(p, -1, 1)) / 4
    vx = vx - 0.5 * (np.roll(p, -1, 0) - np.roll(p, 1, 0))
    vy = vy - 0.5 * (np.roll(p, -1, 1) - np.roll(p, 1, 1))
    return vx, vy


def advect(f: Any, vx: Any, vy: Any) -> Any:
    """The field one step later: each cell takes what the velocities bring there, between four cells."""
    rows, columns = f.shape
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    x, y = i - vx, j - vy
    top, left = np.floor(x).astype(int), np.floor(y).astype(int)
    down, right = x - top, y - left
    i, j, below, beside = top % rows, left % columns, (top + 1) % rows, (left + 1) % columns
    return (1 - down) * ((1 - right) * f[i, j] + right * f[i, beside]) + down * (
        (1 - right) * f[below, j] + right * f[below, beside]
    )


def simulate(vx: Any, vy: Any, smoke: Any, steps: int) -> Any:
    """The smoke after some steps."""
    for _ in range(steps):
        vx, vy = project(advect(vx, vx, vy), advect(vy, vx, vy))
        smoke = advect(smoke, vx, vy)
    return smoke


def pictures(size: int) -> tuple[Any, Any]:
    """The smoke at first, a disc, and at the end, a ring with as much of it."""
    i, j = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    r = np.hypot(i - size / 2 + 0.5, j - size / 2 + 0.5) / size
    disc, ring = 1.0 * (r < 0.25), 1.0 * ((r > 0.2) & (r < 0.35))
    return disc, ring * np.sum(disc) / np.sum(ring)


def main(quick: bool = False, picture: str = "fluid.png") -> float:
    """Find the velocities, print and return the distance from the ring, as a part of the distance at first."""
    size, steps, iterations = (16, 6, 8) if quick else (40, 30, 100)
    smoke, target = pictures(size)

    def distance(v: Any) -> Any:
        vx, vy = np.reshape(v, (2, size, size))
        return np.mean((simulate(vx, vy, smoke, steps) - target) ** 2)

    step = jit(value_and_grad(distance))
    start = np.zeros(2 * size * size)
    found = minimize(step, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    first = float(distance(start))
    print(f"mean square distance from the ring: {first:.4f} at first, {found.fun:.4f} after {found.nfev} gradients")
    left = float(found.fun) / first
    print(f"what is left: {left:.1%}")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        vx, vy = np.reshape(found.x, (2, size, size))
        axes = (figure := Figure(figsize=(8, 2.4), layout="compressed")).subplots(1, 4)
        for axis, count in zip(axes, (0, steps // 3, 2 * steps // 3, steps), strict=True):
            axis.imshow(simulate(vx, vy, smoke, count), cmap="gray_r")
            axis.set_axis_off()
        figure.savefig(picture)
    return left


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
