"""Scalar graphs: the demo that micrograd is known for, where every number is a node.

An MLP 2-16-16-1 with ReLU on 100 points of two moons, hinge loss with an L2 term, one step of gradient descent.
The network is written once, over whatever makes a number; the garbage collector is on for everybody.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

from autodiff import Tensor, relu

from .measuring import NOT_INSTALLED, Table, Timing, against, installed, number, print_tables, take_turns, verdict

POINTS, LAYERS, RATE, WEIGHT_DECAY = 100, (2, 16, 16, 1), 0.05, 1e-4
Number = Callable[[float], Any]


def moons(rng: random.Random) -> list[tuple[list[float], float]]:
    """Points on two interleaved half circles, with noise, labelled 1 and -1."""
    points = []
    for i in range(POINTS):
        angle, upper = math.pi * rng.random(), i % 2 == 0
        x, y = (math.cos(angle), math.sin(angle)) if upper else (1 - math.cos(angle), 0.5 - math.sin(angle))
        points.append(([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)], 1.0 if upper else -1.0))
    return points


class Network:
    """Layers of neurons, each a list of weights and a bias, all of them numbers made by ``of``."""

    def __init__(self, of: Number, rectify: Callable[[Any], Any], rng: random.Random) -> None:
        self.rectify = rectify
        self.layers = [
            [([of(rng.uniform(-1, 1)) for _ in range(inputs)], of(0.0)) for _ in range(outputs)]
            for inputs, outputs in itertools.pairwise(LAYERS)
        ]
        self.parameters = [p for layer in self.layers for weights, bias in layer for p in (*weights, bias)]

    def __call__(self, x: list[Any]) -> Any:
        for layer in self.layers:
            outputs = [sum((w * xi for w, xi in zip(weights, x, strict=True)), bias) for weights, bias in layer]
            x = outputs if layer is self.layers[-1] else [self.rectify(o) for o in outputs]
        return x[0]


def loss_of(network: Network, points: list[tuple[list[float], float]], of: Number) -> Any:
    """The mean hinge loss over the points, and the squares of the parameters."""
    scores = [network([of(v) for v in x]) for x, _ in points]
    losses = [network.rectify(1 + -label * score) for (_, label), score in zip(points, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses)) + WEIGHT_DECAY * sum(p * p for p in network.parameters)


def training(of: Number, rectify: Callable[[Any], Any], no_gradient: Any) -> tuple[Callable[[], float], Network]:
    """A function that makes one step and returns the loss before it, and the network that it trains."""
    network = Network(of, rectify, random.Random(1))
    points = moons(random.Random(0))

    def step() -> float:
        loss = loss_of(network, points, of)
        for p in network.parameters:
            p.grad = no_gradient
        loss.backward()
        for p in network.parameters:
            p.data = p.data - RATE * p.grad
        return float(loss.data)

    return step, network


def row(name: str, timings: dict[str, Timing]) -> list[str]:
    """One library in the table."""
    if name not in timings:
        return [name, NOT_INSTALLED, "", "", ""]
    if name == "pullback":
        return [name, number(timings[name].best * 1e3), "1", "1", ""]
    ratio, of_medians = against(timings, "pullback", name)
    best = number(timings[name].best * 1e3)
    return [name, best, f"{ratio:.3g}", f"{of_medians:.3g}", f"1: {verdict(ratio, 1.0)}"]


def tables() -> list[Table]:
    """The step beside micrograd's, after both have made the same three steps."""
    contestants: dict[str, tuple[Callable[[], float], Network]] = {"pullback": training(Tensor, relu, None)}
    if installed("micrograd"):
        from micrograd.engine import Value

        contestants["micrograd"] = training(Value, lambda v: v.relu(), 0)
    for _ in range(3):
        losses = [step() for step, _ in contestants.values()]
        assert max(losses) - min(losses) <= 1e-9 * max(losses), losses
    parameters = [[float(p.data) for p in network.parameters] for _, network in contestants.values()]
    for values in zip(*parameters, strict=True):
        assert max(values) - min(values) <= 1e-9, values
    timings = take_turns({name: step for name, (step, _) in contestants.items()}, rounds=12, seconds=0.3, freeze=False)
    return [
        Table(
            "Scalar graphs: an MLP 2-16-16-1 on 100 moons points, every number a node",
            "One training step (hinge loss, L2, gradient descent) with the garbage collector on; milliseconds, best\n"
            "of the rounds. The ratios are pullback's time over the row's, by best rounds and by medians.",
            ["", "ms per step", "pullback takes", "by medians", "at most"],
            [row("pullback", timings), row("micrograd", timings)],
        )
    ]


if __name__ == "__main__":
    print_tables(tables)
