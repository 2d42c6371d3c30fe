"""Two networks compete, and one learns to draw points from a distribution: eight clusters on a circle.

After I. Goodfellow et al., "Generative adversarial nets" (2014).  A generator that has collapsed draws one cluster, so
the result says how many it draws.  Shows two optimizers, and a gradient that reaches one network through the other.

    python -m examples.gan [--quick]

What to expect: eight clusters, 92% of the points near a centre (of the data 98.9%); 25 seconds.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

import nn
from autodiff import jit, no_grad

NOISE, SPREAD = 8, 0.1
ANGLES = np.arange(8) * (np.pi / 4)
CENTRES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)

Array = Any


def clusters(n: int, rng: np.random.Generator) -> Array:
    """Points around eight centres on a circle of radius 1."""
    points = CENTRES[rng.integers(0, 8, n)] + SPREAD * rng.standard_normal((n, 2))
    return points.astype(np.float32)


def network(inputs: int, hidden: int, outputs: int, rng: np.random.Generator) -> nn.Sequential:
    """Two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, hidden, rng=rng), nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden, rng=rng), nn.LeakyReLU(0.2),
        nn.Linear(hidden, outputs, rng=rng),
    )  # fmt: skip


def main(quick: bool = False, picture: str = "gan.png") -> float:
    """Train, print how many clusters are drawn and how well; the part of the points in one, each at most an eighth."""
    rng = np.random.default_rng(0)
    hidden, batch, steps = (64, 128, 500) if quick else (128, 256, 5000)
    generator, critic = network(NOISE, hidden, 2, rng), network(2, hidden, 1, rng)
    rate = 4e-3 if quick else 1e-3
    of_generator = nn.optim.Adam(generator.parameters(), lr=rate, betas=(0.0, 0.9))
    of_critic = nn.optim.Adam(critic.parameters(), lr=rate, betas=(0.0, 0.9))
    schedules = [nn.schedule.CosineAnnealingLR(o, steps) for o in (of_generator, of_critic)]
    judged = nn.binary_cross_entropy_with_logits
    yes, no = np.ones((batch, 1), np.float32), np.zeros((batch, 1), np.float32)

    @jit
    def step(real: Any, z: Any) -> Any:
        of_critic.zero_grad()
        made = generator(z)
        critic_loss = judged(critic(real), yes) + judged(critic(made.data), no)  # an array: no gradient for its maker
        critic_loss.backward()
        of_critic.step()
        of_generator.zero_grad()
        generator_loss = judged(critic(made), yes)
        generator_loss.backward()
        of_generator.step()
        return critic_loss.data, generator_loss.data

    for number in range(steps):
        losses = step(clusters(batch, rng), rng.standard_normal((batch, NOISE), dtype=np.float32))
        for schedule in schedules:
            schedule.step()
        if number % (steps // 5) == 0:
            print(f"step {number}: loss of the critic {losses[0]:.3f}, of the generator {losses[1]:.3f}")

    with no_grad():
        points = generator(rng.standard_normal((2000, NOISE), dtype=np.float32)).data
    distances = np.linalg.norm(points[:, None] - CENTRES, axis=-1)
    near = distances.min(axis=1) < 3 * SPREAD
    drawn = np.bincount(distances.argmin(axis=1)[near], minlength=8)
    print(f"points within three standard deviations of a centre: {near.mean():.1%}; of the data 98.9%")
    print(f"clusters with at least a twentieth of the points: {np.sum(drawn >= 100)} of 8; points in each: {drawn}")
    save(picture, clusters(2000, rng), points)
    return float(np.minimum(drawn, 250).sum() / 2000)  # a generator of one cluster reaches an eighth


def save(picture: str, real: Array, made: Array) -> None:
    """The points of the data and those of the generator."""
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 3), layout="compressed")
        for axes, points, title in zip(figure.subplots(1, 2), (real, made), ("data", "generator"), strict=True):
            axes.plot(*points.T, ".", markersize=2)
            axes.set(title=title, xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
        figure.savefig(picture)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
