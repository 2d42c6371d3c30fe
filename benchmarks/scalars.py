"""Scalar graphs, where every number is a node, beside a plain Python class and micrograd.

A GPT (see :mod:`.scalar_gpt`), and the demo that micrograd is known for: an MLP 2-16-16-1 with ReLU on 100 points of
two moons, hinge loss with an L2 term, one step of gradient descent.  Each program is written once, over whatever makes
a number.  Every time is processor time, which is the least disturbed by other work.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from autodiff import Tensor, relu
from autodiff.graph import topological_order

from .measuring import NOT_INSTALLED, Table, Timing, against, installed, number, print_tables, take_turns, verdict
from .plain_value import Value
from .scalar_gpt import Model

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


def training(of: Number, rectify: Callable[[Any], Any], no_gradient: Any) -> tuple[Callable[[], Any], Network]:
    """A function that makes one step and returns the loss before it, and the network that it trains."""
    network = Network(of, rectify, random.Random(1))
    points = moons(random.Random(0))

    def step() -> Any:
        loss = loss_of(network, points, of)
        for p in network.parameters:
            p.grad = no_gradient
        loss.backward()
        for p in network.parameters:
            p.data = p.data - RATE * p.grad
        return loss.data

    return step, network


Contestants = dict[str, "Contestant"]


@dataclass
class Contestant:
    """Somebody's way to make one step; ``nodes`` counts those of its graph, constants included where they are nodes."""

    step: Callable[[], float]
    numbers: Callable[[], list[float]]
    nodes: int | None = None


@contextlib.contextmanager
def _collector_off() -> Iterator[None]:
    """No garbage collection in between."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _paused(step: Callable[[], float]) -> Callable[[], float]:
    """The step with the garbage collector off."""

    def run() -> float:
        with _collector_off():
            return step()

    return run


def _micrograd() -> Any:
    """micrograd's class, given the two functions that a GPT needs and it lacks, written as its own are."""
    from micrograd.engine import Value as Micro

    def exp(self: Any) -> Any:
        out = Micro(math.exp(self.data), (self,), "exp")

        def backward() -> None:
            self.grad += out.data * out.grad

        out._backward = backward
        return out

    def log(self: Any) -> Any:
        out = Micro(math.log(self.data), (self,), "log")

        def backward() -> None:
            self.grad += out.grad / self.data

        out._backward = backward
        return out

    Micro.exp, Micro.log, Micro.item = exp, log, lambda self: self.data
    sys.setrecursionlimit(20_000)  # it walks its graph by recursion
    return Micro


def gpt() -> Contestants:
    """Every contestant on the GPT, at the same weights in every step."""
    plain, ours = Model(Value, 0.0), Model(Tensor, None)
    found = {
        "plain Python": Contestant(plain.step, plain.gradients, len(plain.loss().order())),
        "pullback": Contestant(ours.step, ours.gradients, len(topological_order([ours.loss()._node]))),
    }
    if installed("micrograd"):
        theirs = Model(_micrograd(), 0)
        found["micrograd"] = Contestant(theirs.step, theirs.gradients)
    expected, reference = plain.step(), plain.gradients()
    largest = max(map(abs, reference))
    for name, contestant in found.items():
        assert contestant.step() == expected, f"{name}: another loss"
        for one, two in zip(contestant.numbers(), reference, strict=True):
            # g / x and g * (1 / x), and the order in which a number's gradients are added, differ in the last bits
            assert abs(one - two) <= 1e-14 * largest, f"{name}: {one} for {two}"
    return found


def moons_network() -> Contestants:
    """Every contestant on the moons, after all have made the same three steps."""
    makers: dict[str, tuple[Number, Callable[[Any], Any], Any]] = {
        "plain Python": (Value, lambda v: v.relu(), 0.0),
        "pullback": (Tensor, relu, None),
    }
    if installed("micrograd"):
        makers["micrograd"] = (_micrograd(), lambda v: v.relu(), 0)
    found = {}
    for name, maker in makers.items():
        step, network = training(*maker)
        found[name] = Contestant(step, lambda network=network: [float(p.data) for p in network.parameters])
    for _ in range(3):
        losses = [contestant.step() for contestant in found.values()]
        assert max(losses) - min(losses) <= 1e-9 * max(losses), losses
    for values in zip(*[contestant.numbers() for contestant in found.values()], strict=True):
        assert max(values) - min(values) <= 1e-9, values
    return found


def measured(contestants: Contestants, rounds: int) -> list[list[str]]:
    """A row for each contestant: its step as it is, and with the garbage collector off."""
    steps = {name: contestant.step for name, contestant in contestants.items()}
    off = {f"{name}, off": _paused(step) for name, step in steps.items()}
    timings = take_turns(steps | off, rounds=rounds, seconds=0.0, freeze=False, clock=time.process_time)
    rows = [row(name, contestants[name], timings) for name in contestants]
    return rows if installed("micrograd") else [*rows, ["micrograd", NOT_INSTALLED, "", "", "", "", ""]]


def row(name: str, contestant: Contestant, timings: dict[str, Timing]) -> list[str]:
    """One contestant in the table."""
    ratio, of_medians = against(timings, "pullback", name)
    return [
        name,
        number(timings[name].best * 1e6),
        "" if contestant.nodes is None else f"{contestant.nodes:,}",
        f"{ratio:.3g}",
        f"{of_medians:.3g}",
        "" if name == "pullback" else f"1: {verdict(ratio, 1.0)}",
        number(timings[f"{name}, off"].best * 1e6),
    ]


COLUMNS = ["", "µs per step", "nodes", "pullback takes", "by medians", "at most", "collector off, µs"]
ABOUT = """
Microseconds of processor time, best of the rounds, with the garbage collector as Python has it; in the last column
with the collector off. The ratios are pullback's time over the row's, by best rounds and by medians.
"""


def tables() -> list[Table]:
    """The GPT, and the moons."""
    gpt_rows, moons_rows = measured(gpt(), rounds=7), measured(moons_network(), rounds=7)
    agreed = "All compute the same loss to the last bit, and gradients that differ in their last bits only."
    gpt_heading = "A GPT of width 16 on a word of 6 letters, every number a node: forward and backward"
    moons_heading = f"An MLP 2-16-16-1 on {POINTS} moons points, every number a node: a training step"
    return [
        Table(gpt_heading, f"{ABOUT.strip()}\n{agreed}", COLUMNS, gpt_rows),
        Table(moons_heading, f"Hinge loss, L2, gradient descent.\n{ABOUT.strip()}", COLUMNS, moons_rows),
    ]


if __name__ == "__main__":
    print_tables(tables)
