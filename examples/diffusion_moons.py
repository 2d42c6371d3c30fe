"""A diffusion model draws points from two half moons: it learns to take noise away, step by step.

After J. Ho, A. Jain and P. Abbeel, "Denoising diffusion probabilistic models" (2020).  Shows a
model of two inputs and a recorded training step.

    python -m examples.diffusion_moons [--quick]

What to expect: points at a mean distance of 0.063 from the moons, of the data 0.040; 17 seconds.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

import nn
from autodiff import jit, no_grad

STEPS, NOISE, BATCH = 50, 0.05, 256
BETA = np.linspace(1e-3, 0.2, STEPS, dtype=np.float32)  # how much noise is added at each step
KEPT = np.cumprod(1 - BETA)  # the part of the variance that is still the data's

Array = Any
bound = nn.SiLU()


class Denoiser(nn.Module):
    """The noise in a point that noise was added to, t times."""

    def __init__(self, hidden: int, rng: np.random.Generator) -> None:
        self.times = nn.Embedding(STEPS, hidden, rng=rng)
        self.first = nn.Linear(2, hidden, rng=rng)
        self.layers = nn.ModuleList(nn.Linear(hidden, hidden, rng=rng) for _ in range(2))
        self.last = nn.Linear(hidden, 2, rng=rng)

    def forward(self, x: Any, t: Any) -> Any:
        x = self.first(x) + self.times(t)
        for layer in self.layers:
            x = x + layer(bound(x))
        return self.last(bound(x))


def points(n: int, rng: np.random.Generator) -> Array:
    """Points of the moons, moved and scaled to mean 0 and about variance 1."""
    return ((nn.datasets.moons(n, noise=NOISE, rng=rng)[0] - (0.5, 0.25)) / (0.87, 0.5)).astype(np.float32)


def drawn(model: Denoiser, n: int, rng: np.random.Generator) -> Array:
    """New points: noise, from which the predicted noise is taken away."""
    x = rng.standard_normal((n, 2), dtype=np.float32)
    with no_grad():
        for t in reversed(range(STEPS)):
            noise = model(x, np.full(n, t)).data
            x = (x - BETA[t] / np.sqrt(1 - KEPT[t]) * noise) / np.sqrt(1 - BETA[t])
            if t:
                x += np.sqrt(BETA[t]) * rng.standard_normal((n, 2), dtype=np.float32)
    return x


def main(quick: bool = False, picture: str = "diffusion_moons.png") -> float:
    """Train, print how far from the moons new points are, and return the mean of that distance."""
    rng = np.random.default_rng(0)
    hidden, steps = (32, 700) if quick else (128, 8000)
    model = Denoiser(hidden, rng)
    optimizer = nn.optim.Adam(model.parameters(), lr=5e-3 if quick else 2e-3)
    schedule = nn.schedule.CosineAnnealingLR(optimizer, steps)

    @jit
    def step(x: Any, t: Any, noise: Any) -> Any:
        optimizer.zero_grad()
        kept = KEPT[t][:, None]
        loss = nn.mse_loss(model(np.sqrt(kept) * x + np.sqrt(1 - kept) * noise, t), noise)
        loss.backward()
        optimizer.step()
        return loss.data

    data, losses = points(4000, rng), []
    for _ in range(steps):
        x, t = data[rng.integers(0, len(data), BATCH)], rng.integers(0, STEPS, BATCH)
        losses.append(float(step(x, t, rng.standard_normal(x.shape, dtype=np.float32))))
        schedule.step()
    print(f"loss {np.mean(losses[-100:]):.3f} at the end; of a prediction of no noise: 1.000")

    new = drawn(model, 1000, rng) * (0.87, 0.5) + (0.5, 0.25)
    curve = nn.datasets.moons(1000, noise=0.0, rng=rng)[0]
    distance = float(np.linalg.norm(new[:, None] - curve, axis=-1).min(axis=1).mean())
    print(f"mean distance of new points from the moons: {distance:.3f}; of the data about {0.8 * NOISE:.3f}")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        (figure := Figure(figsize=(4, 3))).subplots().plot(*new.T, ".", *curve.T, ",")
        figure.savefig(picture)
    return distance


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
