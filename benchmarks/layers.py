"""Training steps of networks of layers, eager and recorded, beside PyTorch and JAX.

A step is the forward pass, the loss, the backward pass and an update by SGD, in float32.  Every library computes the
same network; before it is timed, its loss is compared with ours.  Milliseconds of processor time on one thread (JAX
has its two).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from autodiff import jit

from .measuring import Table, installed, number, print_tables, take_turns

Array = Any
Step = Callable[[], float]
LR = 0.01


class CNN(nn.Module):
    """Two convolutions with pooling, two dense layers."""

    def __init__(self) -> None:
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, padding=1, rng=0), nn.Conv2d(8, 16, 3, padding=1, rng=1)
        self.pool = nn.MaxPool2d(2)
        self.dense1, self.dense2 = nn.Linear(16 * 7 * 7, 64, rng=2), nn.Linear(64, 10, rng=3)

    def forward(self, x: Any) -> Any:
        relu = nn.ReLU()
        x = self.pool(relu(self.conv1(x)))
        x = self.pool(relu(self.conv2(x)))
        x = relu(self.dense1(np.reshape(x, (x.shape[0], -1))))
        return self.dense2(x)


class GPT(nn.Module):
    """A transformer that predicts the next character."""

    def __init__(self, vocabulary: int = 65, width: int = 128, heads: int = 4, layers: int = 4, context: int = 64):
        self.embedding = nn.Embedding(vocabulary, width, rng=0)
        self.positions = nn.LearnedPositions(context, width, rng=1)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 4 * width, 0.0, "relu", batch_first=True, norm_first=True, rng=2 + i
            )
            for i in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, rng=9)

    def forward(self, x: Any) -> Any:
        x = self.positions(self.embedding(x))
        for block in self.blocks:
            x = block(x, is_causal=True)
        return self.head(self.norm(x))


class Recurrent(nn.Module):
    """An LSTM, and a dense layer on its last output."""

    def __init__(self) -> None:
        self.lstm = nn.LSTM(128, 128, rng=0)
        self.dense = nn.Linear(128, 10, rng=1)

    def forward(self, x: Any) -> Any:
        return self.dense(self.lstm(x)[0][-1])


def data(name: str) -> tuple[Array, Array]:
    """Inputs and labels of one batch."""
    rng = np.random.default_rng(0)
    if name == "cnn":
        return rng.random((64, 1, 28, 28), dtype=np.float32), rng.integers(0, 10, 64)
    if name == "gpt":
        return rng.integers(0, 65, (16, 64)), rng.integers(0, 65, (16, 64))
    return rng.standard_normal((64, 32, 128), dtype=np.float32), rng.integers(0, 10, 32)


MODELS: dict[str, Any] = {"cnn": CNN, "gpt": GPT, "lstm": Recurrent}
TITLES = {
    "cnn": "CNN: convolutions of 8 and 16 filters, two dense layers, 28x28, batch 64",
    "gpt": "Character GPT: 4 layers, width 128, 4 heads, context 64, batch 16",
    "lstm": "LSTM: width 128, 64 steps, batch 32",
}


def ours(name: str) -> dict[str, Step]:
    """Our step, eager, recorded, and recorded in C, each with a model of its own."""

    def made() -> Callable[[Array, Array], Any]:
        model = MODELS[name]()
        optimizer = nn.optim.SGD(model.parameters(), lr=LR)

        def step(x: Array, y: Array) -> Any:
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss.data

        return step

    x, y = data(name)
    ways = {"pullback": made(), "pullback, recorded": jit(made()), "pullback, in C": jit(made(), backend="c")}
    return {way: lambda step=step: float(step(x, y)) for way, step in ways.items()}


def torch_model(name: str, torch: Any) -> Any:
    """The same network in PyTorch, with our parameters."""
    model = MODELS[name]()
    state = model.state_dict()
    tensors = {}
    for key, value in state.items():
        matrix = value.ndim == 2 and not key.startswith(("embedding", "positions"))
        tensors[key] = torch.tensor(value.T.copy() if matrix else value)
    functional = torch.nn.functional

    class TorchCNN(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.Conv2d(8, 16, 3, padding=1)
            self.dense1, self.dense2 = torch.nn.Linear(784, 64), torch.nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
            x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
            return self.dense2(functional.relu(self.dense1(x.flatten(1))))

    class Positions(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(64, 128))

    class TorchGPT(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(65, 128)
            self.positions = Positions()
            self.blocks = torch.nn.ModuleList(
                torch.nn.TransformerEncoderLayer(128, 4, 512, 0.0, batch_first=True, norm_first=True) for _ in range(4)
            )
            self.norm, self.head = torch.nn.LayerNorm(128), torch.nn.Linear(128, 65)
            self.register_buffer("mask", torch.nn.Transformer.generate_square_subsequent_mask(64), persistent=False)

        def forward(self, x: Any) -> Any:
            x = self.embedding(x) + self.positions.weight
            for block in self.blocks:
                x = block(x, self.mask, is_causal=True)
            return self.head(self.norm(x))

    class TorchLSTM(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.dense = torch.nn.LSTM(128, 128), torch.nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.lstm(x)[0][-1])

    theirs = {"cnn": TorchCNN, "gpt": TorchGPT, "lstm": TorchLSTM}[name]()
    theirs.load_state_dict(tensors)
    return theirs


def of_torch(name: str) -> dict[str, Step]:
    """PyTorch's step, eager and compiled."""
    import torch

    torch.set_num_threads(1)
    x, y = (torch.tensor(a) for a in data(name))

    def made(compiled: bool) -> Step:
        model = torch_model(name, torch)
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        forward = torch.compile(model) if compiled else model

        def step() -> float:
            optimizer.zero_grad()
            logits = forward(x)
            loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
            loss.backward()
            optimizer.step()
            return float(loss)

        return step

    return {"PyTorch": made(False), "torch.compile": made(True)}


def of_jax(name: str) -> dict[str, Step]:
    """JAX's compiled step."""
    import jax

    from . import layers_jax

    params = {key: jax.numpy.asarray(value) for key, value in MODELS[name]().state_dict().items()}
    x, y = (jax.numpy.asarray(a) for a in data(name))
    step = jax.jit(layers_jax.stepping(getattr(layers_jax, name), LR))
    state = [params]

    def run() -> float:
        loss, state[0] = step(state[0], x, y)
        return float(loss)

    return {"JAX, compiled": run}


def measured(name: str) -> Table:
    """The table of one network."""
    steps = ours(name)
    for peer, of in (("PyTorch", of_torch), ("JAX", of_jax)):
        if installed(peer):
            steps |= of(name)
    first: dict[str, float] = {}
    expected = 0.0
    for contestant in list(steps):
        start = time.perf_counter()
        loss = steps[contestant]()
        first[contestant] = time.perf_counter() - start
        expected = expected or loss
        if abs(loss - expected) > 1e-3 * abs(expected):
            raise RuntimeError(f"{contestant}: the loss is {loss}, ours {expected}")
    timings = take_turns(steps, rounds=20, seconds=0.05, clock=time.process_time)
    peers = [n for n in timings if not n.startswith("pullback")] or list(timings)
    best = min(peers, key=lambda n: timings[n].best)
    rows = []
    for contestant, timing in timings.items():
        eager = timing.best / timings["PyTorch"].best if "PyTorch" in timings else float("nan")
        cells = (timing.best * 1e3, eager, timing.best / timings[best].best, first[contestant] * 1e3)
        rows.append([contestant, *map(number, cells)])
    about = f"Processor time on one thread (JAX has its two), float32. The best peer is {best}."
    columns = ("", "ms a step", "of PyTorch", "of the best peer", "first step, ms")
    return Table(
        TITLES[name],
        about,
        columns,
        rows,
    )


def tables() -> list[Table]:
    """A table for each network."""
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        return [measured(name) for name in MODELS]


if __name__ == "__main__":
    print_tables(tables)
