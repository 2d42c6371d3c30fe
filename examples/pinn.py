"""A network solves a partial differential equation: its derivatives are in the loss.

After M. Raissi, P. Perdikaris and G. Karniadakis, "Physics-informed neural networks" (2019).  Burgers' equation,
u_t + u u_x = nu u_xx for 0 < t < 1 and -1 < x < 1, begins with u = -sin(pi x) and keeps u = 0 at both ends.  The
solution becomes steep at x = 0.  Shows :func:`autodiff.jvp` inside itself: second derivatives with
gradients.

    python -m examples.pinn [--quick]

What to expect: a relative error of 0.15% against the exact solution; 12 seconds of processor time.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np

import nn
from autodiff import jit, jvp, no_grad

NU = 0.1 / np.pi


def exact(t: Any, x: Any) -> Any:
    """The solution by J. Cole's and E. Hopf's formula: two integrals, by Gauss' and Hermite's rule."""
    nodes, weights = np.polynomial.hermite.hermgauss(80)
    y = x[:, None] - nodes * np.sqrt(4 * NU * t[:, None])
    f = weights * np.exp(-np.cos(np.pi * y) / (2 * np.pi * NU))
    return -np.sum(f * np.sin(np.pi * y), axis=1) / np.sum(f, axis=1)


class Solution(nn.Module):
    """u(t, x): a network, made so that the initial values and those at the ends hold whatever the network says."""

    def __init__(self, hidden: int, rng: np.random.Generator) -> None:
        sizes = [2, hidden, hidden, hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b, rng=rng) for a, b in pairwise(sizes))
        self.last = nn.Linear(hidden, 1, rng=rng)

    def forward(self, t: Any, x: Any) -> Any:
        z = np.stack([2 * t - 1, x], axis=1)
        for layer in self.layers:
            z = np.tanh(layer(z))
        return t * (1 - x * x) * self.last(z)[:, 0] - np.sin(np.pi * x)


def residual(u: Solution, t: Any, x: Any) -> Any:
    """u_t + u u_x - nu u_xx at points: 0 for the solution."""
    one = np.ones_like(t)

    u_x, u_xx = jvp(lambda x: jvp(lambda x: u(t, x), (x,), (one,))[1], (x,), (one,))
    value, u_t = jvp(lambda t: u(t, x), (t,), (one,))
    return u_t + value * u_x - NU * u_xx


def main(quick: bool = False, picture: str = "pinn.png") -> float:
    """Train, print the error against the exact solution, and return it: of the root mean square, relative."""
    rng = np.random.default_rng(0)
    hidden, steps, count = (16, 400, 128) if quick else (32, 5000, 512)
    u = Solution(hidden, rng)
    optimizer = nn.optim.Adam(u.parameters(), lr=1e-2 if quick else 5e-3)
    schedule = nn.schedule.CosineAnnealingLR(optimizer, steps)

    @jit
    def step(t: Any, x: Any) -> Any:
        optimizer.zero_grad()
        loss = np.mean(residual(u, t, x) ** 2)
        loss.backward()
        optimizer.step()
        return loss.data

    for number in range(steps):
        loss = step(rng.random(count, dtype=np.float32), rng.uniform(-1, 1, count).astype(np.float32))
        schedule.step()
        if number % (steps // 5) == 0:
            print(f"step {number}: mean square of the residual {loss:.5f}")

    t, x = (a.ravel() for a in np.meshgrid([0.25, 0.5, 0.75, 1.0], np.linspace(-1, 1, 101), indexing="ij"))
    with no_grad():
        found, true = u(t.astype(np.float32), x.astype(np.float32)).data, exact(t, x)
    error = float(np.sqrt(np.mean((found - true) ** 2) / np.mean(true**2)))
    print(f"relative error of the solution: {error:.3%}")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        axes = (figure := Figure(figsize=(4, 3), layout="compressed")).subplots()
        axes.plot(x.reshape(4, -1).T, true.reshape(4, -1).T, "k", linewidth=0.5)
        axes.plot(x.reshape(4, -1).T, found.reshape(4, -1).T, "--")
        figure.savefig(picture)
    return error


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
