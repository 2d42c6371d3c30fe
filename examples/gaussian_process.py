"""Gaussian process regression: the kernel's parameters maximise the marginal likelihood.

After C. Rasmussen, C. Williams, "Gaussian Processes for Machine Learning" (2006), and the example of HIPS autograd.
Ten measured points each in two stretches of a curve, with noise; the process says how sure it is between them.  Shows
:func:`autodiff.scipy.optimize.minimize` over a dict of parameters.

    python -m examples.gaussian_process [--quick]

What to expect: root mean square error 0.031 between the points measured; 1 seconds of processor time.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

from autodiff.scipy.optimize import minimize


def kernel(p: Any, x: Any, z: Any) -> Any:
    """Covariances of the process at x and at z: scale² exp(-|x - z|² / 2 length²)."""
    gaps = (x[:, None] - z) / np.exp(p["log length"])
    return np.exp(2 * p["log scale"] - 0.5 * gaps**2)


def with_noise(p: Any, x: Any) -> Any:
    """Covariances of what is measured at x."""
    return kernel(p, x, x) + np.exp(2 * p["log noise"]) * np.eye(len(x))


def surprise(p: Any, x: Any, y: Any) -> Any:
    """Minus the logarithm of the marginal likelihood."""
    root = np.linalg.cholesky(with_noise(p, x))
    z = np.linalg.solve(root, y - p["mean"])
    return 0.5 * np.sum(z**2) + np.sum(np.log(np.diag(root))) + 0.5 * len(y) * np.log(2 * np.pi)


def predict(p: Any, x: Any, y: Any, at: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of the process at other points."""
    across = kernel(p, x, at)
    weights = np.linalg.solve(with_noise(p, x), across)
    variance = np.exp(2 * p["log scale"]) - np.sum(weights * across, axis=0)
    return p["mean"] + weights.T @ (y - p["mean"]), np.sqrt(np.maximum(variance, 0.0))


def curve(x: Any) -> Any:
    """What is measured."""
    return np.cos(2 * x + 4) / 2


def main(quick: bool = False, picture: str = "gaussian_process.png") -> float:
    """Fit, print the parameters, and return the root mean square error of the mean in both stretches."""
    rng = np.random.default_rng(0)
    count = 10 if quick else 20
    x = np.concatenate([np.linspace(-2, -0.5, count // 2), np.linspace(1, 2, count // 2)])
    y = curve(x) + 0.05 * rng.normal(size=count)

    start = {"mean": 0.0, "log noise": -1.0, "log scale": 0.0, "log length": 0.0}
    found = minimize(surprise, start, args=(x, y), method="L-BFGS-B")
    p = found.x
    print(
        f"log marginal likelihood: {-surprise(start, x, y):.2f} at first, {-found.fun:.2f} after {found.nit} iterations"
    )
    print(", ".join(f"{name[4:]} {np.exp(p[name]):.3f}" for name in start if name != "mean"))

    stretches = np.concatenate([np.linspace(-2, -0.5, 50), np.linspace(1, 2, 50)])
    error = float(np.sqrt(np.mean((predict(p, x, y, stretches)[0] - curve(stretches)) ** 2)))
    print(f"root mean square error: {error:.3f}")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        at = np.linspace(-4, 4, 200)
        mean, sd = predict(p, x, y, at)
        axes = (figure := Figure(figsize=(5, 3), layout="compressed")).subplots()
        axes.fill_between(at, mean - 2 * sd, mean + 2 * sd, alpha=0.2)
        axes.plot(at, mean, at, curve(at), "k:", x, y, "k.")
        figure.savefig(picture)
    return error


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
