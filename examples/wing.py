"""The shape of a wing in a wind, found by the gradient of its lift and its drag through a simulation.

The wind blows to the right through a grid; each cell of a square in it is solid in part, and that part is what is
sought.  After the fluids of J. Stam (2003) and the example of HIPS autograd.  Twenty sweeps of Jacobi's method in each
step make the flow nearly incompressible, and keep it out of the wing.

    python -m examples.wing [--quick]

What to expect: lift over drag 0.50, where the square at first has 0.00; 21 seconds of processor time.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np
from scipy.optimize import minimize

from autodiff import jit, sigmoid, value_and_grad


def neighbours(f: Any) -> Any:
    """The sum of the four cells around each."""
    return np.roll(f, 1, 0) + np.roll(f, -1, 0) + np.roll(f, 1, 1) + np.roll(f, -1, 1)


def slopes(f: Any) -> tuple[Any, Any]:
    """Differences to the right and downwards, the grid being a torus."""
    return 0.5 * (np.roll(f, -1, 1) - np.roll(f, 1, 1)), 0.5 * (np.roll(f, -1, 0) - np.roll(f, 1, 0))


def continued(f: Any, solid: Any) -> Any:
    """The field, with the mean of the open cells around in the place of what is solid."""
    return f * (1 - solid) + solid * neighbours(f * (1 - solid)) / (neighbours(1 - solid) + 1e-3)


def project(vx: Any, vy: Any, solid: Any, sweeps: int) -> tuple[Any, Any]:
    """The velocities less the gradient of a pressure, and none where it is solid."""
    divergence = continued(-slopes(vx)[0] - slopes(vy)[1], solid)
    p = np.zeros(vx.shape)
    for _ in range(sweeps):
        p = continued((divergence + neighbours(p)) / 4, solid)
    px, py = slopes(p)
    return (vx - px) * (1 - solid), (vy - py) * (1 - solid)


def advect(f: Any, vx: Any, vy: Any) -> Any:
    """The field one step later: each cell takes what the velocities bring there, between four cells."""
    rows, columns = f.shape
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    y, x = i - vy, j - vx
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = y - top, x - left
    i, j, below, beside = top % rows, left % columns, (top + 1) % rows, (left + 1) % columns
    return (1 - down) * ((1 - right) * f[i, j] + right * f[i, beside]) + down * (
        (1 - right) * f[below, j] + right * f[below, beside]
    )


def main(quick: bool = False, picture: str = "wing.png") -> float:
    """Find the shape, print and return its lift over its drag."""
    rows, columns, steps, sweeps, iterations = (16, 24, 3, 8, 4) if quick else (40, 60, 10, 20, 20)
    square = (slice(rows // 4, 3 * rows // 4), slice(rows // 4, 3 * rows // 4))
    allowed, start = np.zeros((rows, columns)), np.full((rows, columns), -2.0)
    allowed[square] = 1.0
    start[3 * rows // 8 : 5 * rows // 8, 3 * rows // 8 : 5 * rows // 8] = 0.0
    wind = np.ones((rows, columns))

    def flow(shape: Any) -> tuple[Any, Any, Any]:
        """The part of each cell that is solid, and the velocities at the end."""
        solid = sigmoid(2 * np.reshape(shape, (rows, columns))) * allowed
        vx, vy = project(wind, np.zeros((rows, columns)), solid, sweeps)
        for _ in range(steps):
            vx, vy = project(advect(vx, vx, vy), advect(vy, vx, vy), solid, sweeps)
        return solid, vx, vy

    def loss(shape: Any) -> Any:
        _, vx, vy = flow(shape)
        return -np.mean(vy) / np.mean(wind - vx)

    found = minimize(jit(value_and_grad(loss)), start.ravel(), jac=True, method="CG", options={"maxiter": iterations})
    print(f"lift over drag: {-loss(start):.3f} at first, {-found.fun:.3f} after {found.nfev} gradients")
    solid, vx, vy = flow(found.x)
    print(f"the wing fills {np.sum(solid) / np.sum(allowed):.0%} of the square where it may be")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        axes = (figure := Figure(figsize=(6, 4), layout="compressed")).subplots()
        axes.imshow(solid, cmap="gray_r")
        axes.quiver(vx[::2, ::2], -vy[::2, ::2], color="C0") if quick else axes.streamplot(
            np.arange(columns), np.arange(rows), vx, vy, color="C0", linewidth=0.6, arrowsize=0.6
        )
        figure.savefig(picture)
    return -float(found.fun)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
