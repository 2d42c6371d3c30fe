"""A mixture of Gaussians, fitted by Newton's method to points in three curved arms.

The logarithm of the likelihood is one expression; its gradient and its products with the Hessian come from autodiff, so
that neither EM nor a bound is needed.  The example of HIPS autograd, with a penalty on sharp components.

    python -m examples.mixture [--quick]

What to expect: log likelihood -1.25 a point; one Gaussian gives -3.56; 3 seconds of processor time.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

from autodiff import logsumexp
from autodiff.scipy.optimize import minimize


def pinwheel(arms: int, count: int, rng: np.random.Generator) -> Any:
    """Points in arms that are bent by their distance from the centre."""
    points = rng.normal(size=(arms * count, 2)) * [0.3, 0.05] + [1.0, 0.0]
    angle = np.repeat(2 * np.pi * np.arange(arms) / arms, count) + 0.4 * np.exp(points[:, 0])
    turned = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return 2 * np.einsum("ti,jit->tj", points, np.array(turned))


def log_densities(p: Any, x: Any) -> Any:
    """The logarithm of weight times density, a column for each component; "roots" are of the inverse covariances."""
    d = x.shape[1]
    roots = np.tril(p["roots"], -1) + np.exp(p["log scales"])[:, :, None] * np.eye(d)
    z = np.einsum("kij,tkj->tki", roots, x[:, None] - p["means"])
    weights = p["logits"] - logsumexp(p["logits"])
    return weights + np.sum(p["log scales"], axis=1) - 0.5 * np.sum(z**2, axis=2) - 0.5 * d * np.log(2 * np.pi)


def log_likelihood(p: Any, x: Any) -> Any:
    """Of a point, on average."""
    return np.mean(logsumexp(log_densities(p, x), axis=1))


def loss(p: Any, x: Any) -> Any:
    """Minus the logarithm of the likelihood, and a penalty that keeps components from shrinking to one point."""
    return -log_likelihood(p, x) + 1e-3 * np.sum(np.exp(p["log scales"]) ** 2) / len(p["logits"])


def main(quick: bool = False, picture: str = "mixture.png") -> float:
    """Fit, print and return the log likelihood of a point."""
    rng = np.random.default_rng(1)
    components, count, iterations = (4, 20, 15) if quick else (10, 100, 100)
    x = pinwheel(3, count, rng)
    start = {
        "logits": np.zeros(components),
        "means": x[rng.choice(len(x), components, replace=False)],
        "log scales": np.zeros((components, 2)),
        "roots": np.zeros((components, 2, 2)),
    }
    found = minimize(loss, start, args=(x,), method="Newton-CG", options={"maxiter": iterations})
    value = float(log_likelihood(found.x, x))
    covariance = np.cov(x.T)
    single = -0.5 * np.linalg.slogdet(2 * np.pi * np.e * covariance)[1]
    print(
        f"log likelihood of a point: {log_likelihood(start, x):.2f} at first, {value:.2f} after {found.nit} iterations"
    )
    print(f"one Gaussian: {single:.2f}")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        side = np.linspace(-4.5, 4.5, 120)
        grid = np.stack(np.meshgrid(side, side), axis=-1)
        density = logsumexp(log_densities(found.x, grid.reshape(-1, 2)), axis=1).reshape(120, 120)
        axes = (figure := Figure(figsize=(4, 4), layout="compressed")).subplots()
        axes.contourf(side, side, np.exp(density), levels=20, cmap="Blues")
        axes.plot(*x.T, "k.", markersize=2)
        figure.savefig(picture)
    return value


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
