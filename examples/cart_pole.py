"""A policy learns to balance a pole on a cart, by trying.

The cart and pole are those of A. Barto, R. Sutton and C. Anderson (1983), written here in NumPy for many carts at once.
The policy gradient is that of R. Williams, "REINFORCE" (1992).  Shows :class:`nn.distributions.Categorical`, and a
gradient of an expectation that is estimated from draws.

    python -m examples.cart_pole [--quick]

What to expect: the pole stands for 489 of 500 steps in the mean of 100 new trials, 21 before the training; 10 seconds.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

import nn
from autodiff import no_grad
from nn.distributions import Categorical

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
LIMIT, ANGLE = 2.4, 12 * np.pi / 180  # beyond these a trial has failed

Array = Any


def moved(state: Array, action: Array) -> Array:
    """The state (position, velocity, angle, angular velocity) of each cart 0.02 s later; action 1 pushes right."""
    x, v, angle, w = state.T
    total = CART + POLE
    push = (np.where(action == 1, FORCE, -FORCE) + POLE * HALF_LENGTH * w**2 * np.sin(angle)) / total
    turn = (GRAVITY * np.sin(angle) - np.cos(angle) * push) / (
        HALF_LENGTH * (4 / 3 - POLE * np.cos(angle) ** 2 / total)
    )
    speed = push - POLE * HALF_LENGTH * turn * np.cos(angle) / total
    return np.stack([x + SECONDS * v, v + SECONDS * speed, angle + SECONDS * w, w + SECONDS * turn], axis=1)


def trials(policy: nn.Module, carts: int, longest: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """The states (steps, carts, 4), the actions, and which of the carts had not failed before each step."""
    state, alive = rng.uniform(-0.05, 0.05, (carts, 4)), np.ones(carts, bool)
    states: list[Array] = []
    actions: list[Array] = []
    lived: list[Array] = []
    while alive.any() and len(states) < longest:
        with no_grad():
            action = Categorical(logits=policy(state)).sample(rng=rng)
        states.append(state)
        actions.append(action)
        lived.append(alive)
        state = moved(state, action)
        alive = alive & (np.abs(state[:, 0]) < LIMIT) & (np.abs(state[:, 2]) < ANGLE)
        state = np.where(alive[:, None], state, 0.0)
    return np.array(states), np.array(actions), np.array(lived)


def main(quick: bool = False, picture: str = "cart_pole.png") -> float:
    """Train, print how long the pole stands, and return the mean number of steps in new trials."""
    rng = np.random.default_rng(0)
    longest, rounds, carts = (200, 12, 16) if quick else (500, 100, 32)
    policy = nn.Sequential(nn.Linear(4, 32, rng=rng), nn.Tanh(), nn.Linear(32, 2, rng=rng))
    optimizer = nn.optim.Adam(policy.parameters(), lr=3e-2 if quick else 1e-2)
    before = trials(policy, 100, longest, rng)[2].sum(axis=0).mean()

    curve = []
    for number in range(rounds):
        states, actions, lived = trials(policy, carts, longest, rng)
        curve.append(lived.sum(axis=0).mean())
        returns = np.zeros((len(lived) + 1, carts))  # 1 for each step, and a later one counts less
        for t in reversed(range(len(lived))):
            returns[t] = lived[t] * (1 + 0.99 * returns[t + 1])
        returns = returns[:-1]
        advantage = (returns - returns[lived].mean()) / (returns[lived].std() + 1e-6)
        optimizer.zero_grad()
        chosen = Categorical(logits=policy(states[lived])).log_prob(actions[lived])
        loss = -np.mean(chosen * advantage[lived].astype(np.float32))
        loss.backward()
        optimizer.step()
        if number % (rounds // 5) == 0:
            print(f"round {number}: the pole stands for {curve[-1]:.0f} steps")

    after = float(trials(policy, 100, longest, rng)[2].sum(axis=0).mean())
    print(f"100 new trials: the pole stands for {after:.0f} of {longest} steps, {before:.0f} before the training")
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        axes = (figure := Figure(figsize=(4, 3), layout="compressed")).subplots()
        axes.plot(curve)
        axes.set(xlabel="round", ylabel="steps")
        figure.savefig(picture)
    return after


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
