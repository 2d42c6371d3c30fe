"""The same dense network on MNIST in pullback, PyTorch, TensorFlow and JAX: losses, accuracy, time per step.

All start from the same weights, see the same batches in the same order, and make the same steps: gradient descent with
momentum.  The network is trained twice: with softmax and its cross-entropy, and with ten sigmoid outputs and the sum of
their ten binary cross-entropies.

``PULLBACK_MNIST=<folder> python -m benchmarks.mnist_frameworks`` measures, and writes ``mnist_frameworks.json`` and
``mnist_frameworks.md`` beside this file.  PyTorch, TensorFlow and JAX are optional: one that is missing is reported.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import importlib.util
import itertools
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import nn

from . import THREADS
from .measuring import NOT_INSTALLED, Table, number, processor, take_turns, version

Array = Any

HERE = Path(__file__).parent
SIZES = (784, 256, 128, 10)
BATCH = 128
RATE, MOMENTUM = 1 / 16, 7 / 8  # exact in float32, in which Keras holds them also when all else is float64
SEED = 0
OBJECTIVES = {"softmax": "softmax, cross-entropy", "sigmoid": "sigmoid, sum of ten binary cross-entropies"}
COMPARED = 100
"""How many steps the losses are compared over."""

TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
"""How far losses may lie apart, relative to their size; rounding grows over the steps."""

GOAL = 0.98


def initial(dtype: Any) -> list[tuple[Array, Array]]:
    """Weights (inputs, outputs) of variance 2 / inputs, and biases of 0, of every layer."""
    rng = np.random.default_rng(SEED)
    return [
        ((rng.standard_normal((n, m)) * (2.0 / n) ** 0.5).astype(np.float32).astype(dtype), np.zeros(m, dtype))
        for n, m in itertools.pairwise(SIZES)
    ]


class Pullback:
    """The public names of ``nn``."""

    package = "pullback"

    def __init__(self, objective: str, dtype: str) -> None:
        layers: list[Any] = []
        for n, m in itertools.pairwise(SIZES):
            layers += [nn.Linear(n, m, dtype=dtype), nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        for p, value in zip(self.model.parameters(), sum(initial(dtype), ()), strict=True):
            p.data = value
        self.criterion: Any = nn.CrossEntropyLoss() if objective == "softmax" else self.binary
        self.optimizer = nn.optim.SGD(self.model.parameters(), lr=RATE, momentum=MOMENTUM)

    @staticmethod
    def binary(logits: Any, targets: Array) -> Any:
        return nn.binary_cross_entropy_with_logits(logits, targets, reduction="sum") * (1.0 / len(targets))

    def step(self, x: Array, targets: Array) -> float:
        loss = self.criterion(self.model(x), targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.data)

    def outputs(self, x: Array) -> Array:
        return self.model(x).data


class PyTorch:
    """Eager, with its modules and its optimizer."""

    package = "torch"

    def __init__(self, objective: str, dtype: str) -> None:
        import torch

        torch.set_num_threads(THREADS)
        layers: list[Any] = []
        for weight, bias in initial(dtype):
            linear = torch.nn.Linear(*weight.shape)
            linear.weight.data, linear.bias.data = torch.from_numpy(weight.T.copy()), torch.from_numpy(bias)
            layers += [linear, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*layers[:-1])
        self.criterion = torch.nn.CrossEntropyLoss() if objective == "softmax" else self.binary
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE, momentum=MOMENTUM)
        self.tensor = torch.from_numpy

    @staticmethod
    def binary(logits: Any, targets: Any) -> Any:
        import torch

        return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / len(targets)

    def step(self, x: Array, targets: Array) -> float:
        loss = self.criterion(self.model(self.tensor(x)), self.tensor(targets))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def outputs(self, x: Array) -> Array:
        return self.model(self.tensor(x)).detach().numpy()


class TensorFlow:
    """The whole step as one ``tf.function``, with Keras's optimizer."""

    package = "tensorflow"

    def __init__(self, objective: str, dtype: str) -> None:
        import tensorflow as tf

        if tf.config.threading.get_intra_op_parallelism_threads() != THREADS:
            tf.config.threading.set_intra_op_parallelism_threads(THREADS)
            tf.config.threading.set_inter_op_parallelism_threads(THREADS)
        self.tf = tf
        self.layers = [(tf.Variable(weight), tf.Variable(bias)) for weight, bias in initial(dtype)]
        variables = [v for layer in self.layers for v in layer]
        optimizer = tf.keras.optimizers.SGD(RATE, momentum=MOMENTUM)
        optimizer.build(variables)
        losses = {
            "softmax": lambda z, t: tf.nn.sparse_softmax_cross_entropy_with_logits(t, z),
            "sigmoid": lambda z, t: tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(t, z), axis=1),
        }

        def update(x: Any, targets: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(losses[objective](self.forward(x), targets))
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return loss

        kind = tf.TensorSpec([None], tf.int64) if objective == "softmax" else tf.TensorSpec([None, SIZES[-1]], dtype)
        self.update = tf.function(update, input_signature=[tf.TensorSpec([None, SIZES[0]], dtype), kind])

    def forward(self, x: Any) -> Any:
        for weight, bias in self.layers[:-1]:
            x = self.tf.nn.relu(x @ weight + bias)
        weight, bias = self.layers[-1]
        return x @ weight + bias

    def step(self, x: Array, targets: Array) -> float:
        return float(self.update(x, targets))

    def outputs(self, x: Array) -> Array:
        return self.forward(self.tf.constant(x)).numpy()


class Jax:
    """The whole step compiled; the parameters' memory may be used again."""

    package = "jax"

    def __init__(self, objective: str, dtype: str) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)  # else it makes float32 of float64
        self.jax = jax
        self.layers = jax.tree_util.tree_map(jax.numpy.asarray, initial(dtype))
        self.velocity = jax.tree_util.tree_map(jax.numpy.zeros_like, self.layers)

        def loss(layers: Any, x: Any, targets: Any) -> Any:
            logits = self.forward(layers, x)
            if objective == "softmax":
                chosen = logits[jax.numpy.arange(len(targets)), targets]
                return jax.numpy.mean(jax.nn.logsumexp(logits, axis=1) - chosen)
            each = targets * jax.nn.softplus(-logits) + (1 - targets) * jax.nn.softplus(logits)
            return jax.numpy.sum(each) / len(targets)

        def update(layers: Any, velocity: Any, x: Any, targets: Any) -> Any:
            value, gradients = jax.value_and_grad(loss)(layers, x, targets)
            velocity = jax.tree_util.tree_map(lambda v, g: MOMENTUM * v + g, velocity, gradients)
            return value, jax.tree_util.tree_map(lambda p, v: p - RATE * v, layers, velocity), velocity

        self.update = jax.jit(update, donate_argnums=(0, 1))

    def forward(self, layers: Any, x: Any) -> Any:
        for weight, bias in layers[:-1]:
            x = self.jax.nn.relu(x @ weight + bias)
        weight, bias = layers[-1]
        return x @ weight + bias

    def step(self, x: Array, targets: Array) -> float:
        loss, self.layers, self.velocity = self.update(self.layers, self.velocity, x, targets)
        return float(loss)

    def outputs(self, x: Array) -> Array:
        return np.asarray(self.forward(self.layers, x))


FRAMEWORKS: dict[str, Any] = {
    "pullback": Pullback,
    "PyTorch": PyTorch,
    "TensorFlow": TensorFlow,
    "JAX": Jax,
}


def packages(name: str) -> list[str]:
    """The distributions that bring a framework: TensorFlow has more than one."""
    package = FRAMEWORKS[name].package
    return list(dict.fromkeys(importlib.metadata.packages_distributions().get(package, [package])))


def available() -> list[str]:
    """The frameworks that are installed here."""
    found = importlib.util.find_spec
    return [name for name, make in FRAMEWORKS.items() if name == "pullback" or found(make.package)]


def targets(labels: Array, objective: str, dtype: str) -> Array:
    """Labels for softmax; one row of ten zeros and ones for each label for sigmoids."""
    return labels if objective == "softmax" else np.eye(SIZES[-1], dtype=dtype)[labels]


def epoch(x: Array, y: Array, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """The batches of one pass over the data; the few examples left over at the end wait for the next."""
    return list(nn.batches(x, y, BATCH, rng=rng, drop_last=True))


def curves(names: list[str], x: Array, labels: Array, objective: str, dtype: str) -> dict[str, list[float]]:
    """The losses of the first steps of each framework."""
    y, x = targets(labels, objective, dtype), x.astype(dtype)
    pairs = epoch(x, y, np.random.default_rng(SEED))[:COMPARED]
    contestants = {name: FRAMEWORKS[name](objective, dtype) for name in names}
    return {name: [contestant.step(*pair) for pair in pairs] for name, contestant in contestants.items()}


def distance(one: list[float], other: list[float]) -> float:
    """The largest difference of two curves, relative to the loss."""
    a, b = np.array(one), np.array(other)
    return float(np.max(np.abs(a - b) / np.abs(b)))


def trained(name: str, train: Any, test: Any, objective: str, epochs: int) -> dict[str, float]:
    """The accuracy on the test data after so many epochs, and the mean loss of the last epoch."""
    x, labels = train
    contestant, rng = FRAMEWORKS[name](objective, "float32"), np.random.default_rng(SEED)
    y = targets(labels, objective, "float32")
    for _ in range(epochs):
        losses = [contestant.step(*pair) for pair in epoch(x, y, rng)]
    return {"loss": float(np.mean(losses)), "accuracy": nn.metrics.accuracy(contestant.outputs(test[0]), test[1])}


def times(names: list[str], x: Array, labels: Array, objective: str) -> dict[str, dict[str, float]]:
    """Milliseconds a step: each framework in turn, round after round."""
    pairs = epoch(x, targets(labels, objective, "float32"), np.random.default_rng(SEED))[:50]

    def stepper(name: str) -> Callable[[], float]:
        contestant, turns = FRAMEWORKS[name](objective, "float32"), itertools.cycle(pairs)
        return lambda: contestant.step(*next(turns))

    timings = take_turns({name: stepper(name) for name in names}, rounds=200, seconds=0.01)
    return {name: {"best": t.best * 1e3, "median": t.median * 1e3} for name, t in timings.items()}


def measured(epochs: int) -> dict[str, Any]:
    """Everything, as it goes into the file."""
    train, test = nn.datasets.mnist()
    names = available()
    result: dict[str, Any] = {
        "measured": f"{datetime.date.today():%Y-%m-%d}",
        "machine": f"{processor()}, {os.cpu_count()} cores, {THREADS} threads for every library",
        "load_average": round(os.getloadavg()[0], 1),
        "versions": {"Python": platform.python_version(), "NumPy": np.__version__}
        | {name: next((version(p) for p in packages(name)), NOT_INSTALLED) for name in names if name != "pullback"},
        "missing": [name for name in FRAMEWORKS if name not in names],
        "network": "-".join(map(str, SIZES)) + " relu",
        "optimizer": f"gradient descent, learning rate {RATE}, momentum {MOMENTUM}, batch {BATCH}",
        "epochs": epochs,
        "objectives": {},
    }
    for objective in OBJECTIVES:
        found = {dtype: curves(names, *train, objective, dtype) for dtype in TOLERANCES}
        apart = {d: {name: distance(c[name], c["pullback"]) for name in names[1:]} for d, c in found.items()}
        for dtype, limit in TOLERANCES.items():
            far = {name: value for name, value in apart[dtype].items() if not value <= limit}
            assert not far, f"{objective}, {dtype}: the losses lie apart by {far}, more than {limit}"
        result["objectives"][objective] = {
            "curves": {name: [round(v, 7) for v in values] for name, values in found["float32"].items()},
            "apart": apart,
            "rounding": distance(found["float32"]["pullback"], found["float64"]["pullback"]),
            "milliseconds": times(names, *train, objective),
            "trained": {name: trained(name, train, test, objective, epochs) for name in names},
        }
    return result


def summary(result: dict[str, Any]) -> list[Table]:
    """The figures in the file, as a table to read."""
    rows = []
    for objective, found in result["objectives"].items():
        base = found["milliseconds"]["pullback"]
        for name, score in found["trained"].items():
            time = found["milliseconds"][name]
            apart = [f"{found['apart'][d][name]:.1e}" if name != "pullback" else "" for d in TOLERANCES]
            ratios = f"{base['best'] / time['best']:.2f}, {base['median'] / time['median']:.2f}"
            met = "" if score["accuracy"] >= GOAL else f", **below {GOAL:.0%}**"
            cells = [number(time["best"]), number(time["median"]), ratios, *apart, f"{score['accuracy']:.2%}{met}"]
            rows.append([OBJECTIVES[objective], name, *cells])
    rounding = ", ".join(f"{found['rounding']:.1e} ({o})" for o, found in result["objectives"].items())
    about = (
        f"{result['network']}, {result['optimizer']}; same initial weights, same batches.\n"
        f"Milliseconds a step in float32, taken in turns in one process, best and median round; a step takes a batch "
        f"of\nNumPy arrays and returns the loss. PyTorch is eager, TensorFlow and JAX compile the whole step.\n"
        f"Apart: the largest relative difference from pullback's loss over the first {COMPARED} steps. For "
        f"comparison, pullback's own\nfloat32 curve lies {rounding} from its float64 curve.\n"
        f"Accuracy on the 10,000 test images after {result['epochs']} epoch{'s' * (result['epochs'] > 1)}."
    )
    columns = ["outputs, loss", "", "ms, best", "ms, median", "pullback takes: best, median"]
    columns += [f"apart, {dtype}" for dtype in TOLERANCES] + ["test accuracy"]
    return [Table("MNIST", about, columns, rows)]


def page(result: dict[str, Any]) -> str:
    """The table with where and when it was measured."""
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    missing = f" Not installed: {', '.join(result['missing'])}." if result["missing"] else ""
    where = (
        f"Measured on {result['measured']}: {result['machine']}, load average {result['load_average']} before; "
        f"{versions}.{missing}"
    )
    return f"# The same network in each\n\n{where}\n\n" + "\n".join(map(str, summary(result)))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mnist_frameworks", description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--no-write", action="store_true", help="print the table and leave the files as they are")
    arguments = parser.parse_args()
    result = measured(arguments.epochs)
    print(page(result))
    if not arguments.no_write:
        (HERE / "mnist_frameworks.json").write_text(json.dumps(result, indent=1) + "\n")
        (HERE / "mnist_frameworks.md").write_text(page(result))


if __name__ == "__main__":
    main()
