"""Scalar graphs, where every number is a node, beside a plain Python class, micrograd, and CasADi's virtual machine.

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

from autodiff import Tensor, capture, relu
from autodiff.graph import topological_order
from autodiff.program import Program
from autodiff.program.scalars import LevelReplay, levelled

from .measuring import NOT_INSTALLED, Table, Timing, installed, number, print_tables, take_turns, verdict
from .plain_value import Value
from .scalar_gpt import Model, in_numpy
from .scalars_casadi import Machine, Symbol, largest, variable

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


def _recorded(make: Callable[[], tuple[Callable[[], Any], Callable[[], list[float]]]]) -> Contestants:
    """A step that is recorded, and replayed in NumPy and in C."""
    found = {}
    for name, backend in (("pullback, recorded", "numpy"), ("pullback, recorded, in C", "c")):
        step, numbers = make()
        step()
        program = capture(step).compiled(backend)
        found[name] = Contestant(program, numbers, len(program.instructions))
    return found


def gpt() -> Contestants:
    """Every contestant on the GPT, at the same weights in every step."""
    plain, ours = Model(Value, 0.0), Model(Tensor, None)

    def recorded() -> Any:
        model = Model(Tensor, None, in_numpy)
        return model.step, model.gradients

    found = {
        "plain Python": Contestant(plain.step, plain.gradients, len(plain.loss().order())),
        "pullback": Contestant(ours.step, ours.gradients, len(topological_order([ours.loss()._node]))),
        **_recorded(recorded),
    }
    if installed("micrograd"):
        theirs = Model(_micrograd(), 0)
        found["micrograd"] = Contestant(theirs.step, theirs.gradients)
    if installed("CasADi"):
        symbols = Model(variable, None, largest)
        machine = Machine(symbols.loss(), symbols.flat, [value.data for value in plain.flat])
        found["CasADi"] = Contestant(machine.step, machine.made.tolist, machine.instructions)
    expected, reference = plain.step(), plain.gradients()
    greatest = max(map(abs, reference))
    for name, contestant in found.items():
        assert abs(contestant.step() - expected) <= 1e-14 * expected, f"{name}: another loss"
        for one, two in zip(contestant.numbers(), reference, strict=True):
            # g / x and g * (1 / x), and the order in which a number's gradients are added, differ in the last bits
            assert abs(one - two) <= 1e-14 * greatest, f"{name}: {one} for {two}"
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
        step()

    def recorded() -> Any:
        step, network = training(Tensor, relu, None)
        return step, lambda: [float(p.data) for p in network.parameters]

    found |= {name: Contestant(c.step, c.numbers, c.nodes) for name, c in _recorded(recorded).items()}
    if installed("CasADi"):
        found["CasADi"] = _moons_in_casadi()
        found["CasADi"].step()
    for name, contestant in found.items():
        if "recorded" not in name:  # these have made one step more when they were recorded
            contestant.step()
    for _ in range(3):
        losses = [float(contestant.step()) for contestant in found.values()]
        assert max(losses) - min(losses) <= 1e-9 * max(losses), losses
    for values in zip(*[contestant.numbers() for contestant in found.values()], strict=True):
        assert max(values) - min(values) <= 1e-9, values
    return found


def _moons_in_casadi() -> Contestant:
    values = [value.data for value in training(Value, lambda v: v.relu(), 0.0)[1].parameters]
    network = Network(variable, lambda v: v.relu(), random.Random(1))
    loss = loss_of(network, moons(random.Random(0)), lambda number: number)
    machine = Machine(loss if isinstance(loss, Symbol) else Symbol(loss), network.parameters, values, RATE)
    return Contestant(machine.step, machine.weights.tolist, machine.instructions)


def measured(contestants: Contestants, base: str, targets: dict[str, float], rounds: int) -> list[list[str]]:
    """A row for each contestant: its step as it is, and with the garbage collector off."""
    steps = {name: contestant.step for name, contestant in contestants.items()}
    off = {f"{name}, off": _paused(step) for name, step in steps.items()}
    timings = take_turns(steps | off, rounds=rounds, seconds=0.02, freeze=False, clock=time.process_time)
    rows = [row(name, contestants[name], timings, base, targets.get(name)) for name in contestants]
    missing = [name for name in ("micrograd", "CasADi") if not installed(name)]
    return [*rows, *[[name, NOT_INSTALLED, *[""] * (len(COLUMNS) - 2)] for name in missing]]


def row(name: str, contestant: Contestant, timings: dict[str, Timing], base: str, target: float | None) -> list[str]:
    """One contestant in the table."""
    mine, usual = timings[name], timings.get(base)
    times = "" if usual is None else f"{usual.best / mine.best:,.3g}"
    return [
        name,
        number(mine.best * 1e6),
        number(mine.median * 1e6),
        "" if contestant.nodes is None else f"{contestant.nodes:,}",
        times,
        "" if usual is None else f"{usual.median / mine.median:,.3g}",
        "" if target is None or usual is None else f"{target:,.0f}: {verdict(target, usual.best / mine.best)}",
        number(timings[f"{name}, off"].best * 1e6),
    ]


def recording_seconds() -> list[list[str]]:
    """How long it takes to record and to schedule a step, for each 200,000 instructions."""
    model = Model(Tensor, None, in_numpy)
    steps = {"GPT": model.step, "moons": training(Tensor, relu, None)[0]}
    rows = []
    for name, step in steps.items():
        step()
        rounds = []
        for _ in range(3):
            eager = _seconds(step)
            program, recording = _timed(lambda step=step: capture(step))
            scale = 200_000 / len(program.instructions)
            scheduling = _seconds(lambda program=program: LevelReplay(levelled(program, 0)))
            rounds.append([part * scale for part in (recording + scheduling, recording, scheduling, eager)])
        best = min(rounds)
        words = [f"{part:.2f}" for part in best]
        rows.append([name, f"{len(program.instructions):,}", *words, f"1: {verdict(best[0], 1.0)}"])
    return rows


def _timed(make: Callable[[], Program]) -> tuple[Program, float]:
    gc.collect()
    start = time.process_time()
    made = make()
    return made, time.process_time() - start


def _seconds(call: Callable[[], Any]) -> float:
    return _timed(call)[1]


COLUMNS = ["", "µs per step", "median", "nodes or instructions", "times as fast as {}", "by medians", "at least",
           "collector off, µs"]  # fmt: skip
ABOUT = """
Microseconds of processor time, best of the rounds, with the garbage collector as Python has it; in the last column
with the collector off. A recorded step reads the weights where they are, and leaves gradients and weights there.
"""


def tables() -> list[Table]:
    """The GPT, and the moons."""
    plain, micrograd = "plain Python", "micrograd"
    gpt_rows = measured(gpt(), plain, {"pullback, recorded": 100, "pullback, recorded, in C": 200}, rounds=4)
    moons_rows = measured(moons_network(), micrograd, {"pullback, recorded": 1000}, rounds=4)
    agreed = "All compute the same loss but for its last bits, and such gradients."
    gpt_heading = "A GPT of width 16 on a word of 6 letters, every number a node: forward and backward"
    moons_heading = f"An MLP 2-16-16-1 on {POINTS} moons points, every number a node: a training step"
    seconds = ["", "instructions", "both", "recording", "scheduling", "the function itself", "at most"]
    return [
        Table(gpt_heading, f"{ABOUT.strip()}\n{agreed}", [c.format(plain) for c in COLUMNS], gpt_rows),
        Table(
            moons_heading, f"Hinge loss, L2, gradient descent.\n{ABOUT.strip()}",
            [c.format(micrograd) for c in COLUMNS], moons_rows,
        ),
        Table(
            "Recording and scheduling",
            "Seconds of processor time for each 200,000 instructions; recording runs the function itself, too.",
            seconds, recording_seconds(),
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    print_tables(tables)
