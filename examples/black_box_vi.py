"""Variational inference for any density: a Gaussian is fitted to a funnel by its gradient alone.

After R. Ranganath, S. Gerrish, D. Blei, "Black Box Variational Inference" (2014), with the draws of D. Kingma,
M. Welling, "Auto-Encoding Variational Bayes" (2014), and the example of HIPS autograd.  The bound is an average over
draws mean + deviation * noise, through which gradients pass.

    python -m examples.black_box_vi [--quick]

What to expect: a lower bound of -0.78 for a density whose logarithm of the total is 0; 2 seconds of processor time.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

import nn
from autodiff import Tensor, jit, no_grad


def log_normal(x: Any, log_scale: Any) -> Any:
    """The logarithm of the density of a normal distribution around 0."""
    return -0.5 * (x * np.exp(-log_scale)) ** 2 - log_scale - 0.5 * np.log(2 * np.pi)


def log_density(x: Any) -> Any:
    """The funnel: a standard deviation whose logarithm is uncertain, and a number that has it."""
    return log_normal(x[:, 1], np.log(1.35)) + log_normal(x[:, 0], x[:, 1])


def bound(mean: Any, log_deviation: Any, noise: Any) -> Any:
    """The evidence lower bound, from draws of a Gaussian with independent axes: the mean of log p, and the entropy."""
    draws = mean + np.exp(log_deviation) * noise
    entropy = np.sum(log_deviation) + 0.5 * len(mean) * (1 + np.log(2 * np.pi))
    return np.mean(log_density(draws)) + entropy


def main(quick: bool = False, picture: str = "black_box_vi.png") -> float:
    """Fit, print and return the lower bound, from many draws."""
    rng = np.random.default_rng(0)
    steps, count = (150, 100) if quick else (2000, 2000)
    mean, log_deviation = Tensor(-np.ones(2)), Tensor(np.full(2, -5.0))
    optimizer = nn.optim.Adam([mean, log_deviation], lr=0.1)

    @jit
    def step(noise: Any) -> Any:
        optimizer.zero_grad()
        loss = -bound(mean, log_deviation, noise)
        loss.backward()
        optimizer.step()
        return loss.data

    for number in range(steps):
        loss = step(rng.normal(size=(count, 2)))
        if number % (steps // 5) == 0:
            print(f"step {number}: lower bound {-loss:.3f}")
    with no_grad():
        value: float = bound(mean, log_deviation, rng.normal(size=(20_000, 2))).item()
    print(f"lower bound: {value:.3f}; mean {mean.data.round(2)}, deviations {np.exp(log_deviation.data).round(2)}")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        x = np.stack(np.meshgrid(np.linspace(-2, 2, 100), np.linspace(-4, 2, 100)), axis=-1)
        axes = (figure := Figure(figsize=(4, 4), layout="compressed")).subplots()
        fitted = np.sum(log_normal(x - mean.data, log_deviation.data), axis=-1)
        for values, colour in ((log_density(x.reshape(-1, 2)).reshape(100, 100), "k"), (fitted, "C0")):
            axes.contour(x[..., 0], x[..., 1], np.exp(values), levels=6, colors=colour, linewidths=0.8)
        figure.savefig(picture)
    return value


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
