"""A network is the right-hand side of a differential equation, and learns it from one trajectory.

After R. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, "Neural Ordinary Differential Equations" (2018), and the
example of HIPS autograd: a spiral, dy/dt = A y³, is measured at thirty times.  The solver is four lines of NumPy, those
of Runge and Kutta of fourth order; the gradient is that of its steps.

    python -m examples.neural_ode [--quick]

What to expect: mean distance from the spiral 0.07; 4 seconds of processor time.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

import nn
from autodiff import jit, no_grad

A = np.array([[-0.1, 2.0], [-2.0, -0.1]])


def spiral(y: Any) -> Any:
    """The right-hand side that is to be learned."""
    return y**3 @ A


def solved(f: Any, y: Any, t: Any, parts: int = 1) -> Any:
    """The solution of dy/dt = f(y) at the times t, from y at the first of them, in ``parts`` steps between two."""
    path = [y]
    for h in np.repeat(np.diff(t) / parts, parts).tolist():
        a = f(y)
        b = f(y + h / 2 * a)
        c = f(y + h / 2 * b)
        y = y + h / 6 * (a + 2 * b + 2 * c + f(y + h * c))
        path.append(y)
    return np.stack(path[::parts])


def main(quick: bool = False, picture: str = "neural_ode.png") -> float:
    """Train, print and return the mean distance from the trajectory."""
    rng = np.random.default_rng(0)
    hidden, steps, times = (30, 500, 8) if quick else (150, 1000, 30)
    t, start = np.linspace(0.0, 1.5, times), np.array([2.0, 0.0], np.float32)
    true = solved(spiral, start, t, parts=50)

    network = nn.Sequential(nn.Linear(2, hidden, rng=rng), nn.Tanh(), nn.Linear(hidden, 2, rng=rng))
    optimizer = nn.optim.Adam(network.parameters(), lr=1e-2)
    schedule = nn.schedule.CosineAnnealingLR(optimizer, steps)

    @jit
    def step() -> Any:
        optimizer.zero_grad()
        loss = np.mean(np.abs(solved(network, start, t) - true))
        loss.backward()
        optimizer.step()
        return loss.data

    for number in range(steps):
        loss = step()
        schedule.step()
        if number % (steps // 5) == 0:
            print(f"step {number}: mean distance {loss:.4f}")
    with no_grad():
        found = solved(network, start, t).data
    error = float(np.mean(np.abs(found - true)))
    print(f"mean distance: {error:.4f}")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        axes = (figure := Figure(figsize=(4, 4), layout="compressed")).subplots()
        axes.plot(*true.T, "k.", *found.T, "C0")
        figure.savefig(picture)
    return error


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
