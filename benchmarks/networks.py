"""The training step that the benchmarks measure, written with each library as its users would write it.

A multilayer perceptron in float32, softmax cross-entropy with class indices, plain gradient descent or Adam.  Each
class takes the same initial values and makes the same step; :func:`assert_equal_steps` makes sure of that.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import THREADS

Array = Any
RATE = 0.01
BETAS, EPS = (0.9, 0.999), 1e-8


class Problem(NamedTuple):
    """A network's sizes, its activation, its batch and its optimizer."""

    sizes: tuple[int, ...]
    activation: str
    batch: int
    optimizer: str = "SGD"

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.sizes))} {self.activation}, batch {self.batch}, {self.optimizer}"

    def data(self) -> tuple[Array, Array]:
        """Random inputs and class indices."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.batch, self.sizes[0]), dtype=np.float32)
        return x, rng.integers(0, self.sizes[-1], self.batch)

    def initial(self) -> list[tuple[Array, Array]]:
        """Weights (inputs, outputs) and biases (outputs,) of every layer."""
        rng = np.random.default_rng(1)
        return [
            (rng.uniform(-1, 1, (n, m)).astype(np.float32) / np.float32(n**0.5), np.full(m, 0.01, np.float32))
            for n, m in itertools.pairwise(self.sizes)
        ]


PROBLEMS = (
    Problem((2, 10, 2), "sigmoid", 50),
    Problem((784, 128, 10), "sigmoid", 64),
    Problem((784, 256, 128, 10), "relu", 128),
    Problem((1024, 2048, 2048, 10), "relu", 512),
    Problem((784, 256, 128, 10), "relu", 128, "Adam"),
    Problem((1024, 2048, 2048, 10), "relu", 512, "Adam"),
)


class Products:
    """The matrix products of a step and nothing else, into arrays that are there: what no NumPy can be faster than."""

    def __init__(self, problem: Problem) -> None:
        x, _ = problem.data()
        self.calls: list[tuple[Array, Array, Array]] = []
        for n, (weight, _) in enumerate(problem.initial()):
            h = x if n == 0 else np.ones((problem.batch, len(weight)), np.float32)
            g = np.full((problem.batch, weight.shape[1]), 1e-3, np.float32)
            self.calls += [(h, weight, np.empty_like(g)), (h.T, g, np.empty_like(weight))]
            if n:
                self.calls.append((g, weight.T, np.empty_like(h)))

    def step(self) -> None:
        for a, b, out in self.calls:
            np.matmul(a, b, out)


class HandWritten:
    """NumPy with the derivatives worked out by hand; arrays that are not needed any more are written over."""

    def __init__(self, problem: Problem) -> None:
        self.x, self.labels = problem.data()
        self.layers = problem.initial()
        self.update = self.adam if problem.optimizer == "Adam" else self.descend
        self.moments = {id(p): (np.zeros_like(p), np.zeros_like(p)) for p in self.parameters()}
        self.steps = 0
        self.relu = problem.activation == "relu"
        self.rows = np.arange(problem.batch)

    def step(self) -> Any:
        inputs, h = [], self.x
        for weight, bias in self.layers:
            inputs.append(h)
            h = h @ weight
            h += bias
            if weight is not self.layers[-1][0]:
                self.activate(h)
        h -= h.max(axis=1, keepdims=True)
        correct = h[self.rows, self.labels]
        np.exp(h, out=h)
        totals = h.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(totals[:, 0]) - correct)
        g = h / totals
        g[self.rows, self.labels] -= 1
        g /= len(g)
        self.steps += 1
        for (weight, bias), h in zip(reversed(self.layers), reversed(inputs), strict=True):
            weight_gradient, bias_gradient = h.T @ g, g.sum(axis=0)
            if h is not self.x:
                g = g @ weight.T
                g *= (h > 0) if self.relu else h * (1 - h)
            self.update(weight, weight_gradient)
            self.update(bias, bias_gradient)
        return loss

    def descend(self, p: Array, g: Array) -> None:
        """Gradient descent; the gradient is written over."""
        g *= RATE
        p -= g

    def adam(self, p: Array, g: Array) -> None:
        """Adam; the gradient is written over."""
        mean, square = self.moments[id(p)]
        room = g * g
        room *= 1 - BETAS[1]
        square *= BETAS[1]
        square += room
        g *= 1 - BETAS[0]
        mean *= BETAS[0]
        mean += g
        np.sqrt(square, out=room)
        room *= (1 - BETAS[1] ** self.steps) ** -0.5
        room += EPS
        np.divide(mean, room, out=room)
        room *= RATE / (1 - BETAS[0] ** self.steps)
        p -= room

    def activate(self, h: Array) -> None:
        """The activation, in place."""
        if self.relu:
            np.maximum(h, 0, out=h)
        else:  # 1 / (1 + exp(-h))
            np.negative(h, out=h)
            np.exp(h, out=h)
            h += 1
            np.divide(1, h, out=h)

    def parameters(self) -> list[Array]:
        return [p for layer in self.layers for p in layer]


class Pullback:
    """The public API of ``nn``."""

    def __init__(self, problem: Problem) -> None:
        import nn

        self.x, self.labels = problem.data()
        activation = nn.ReLU if problem.activation == "relu" else nn.Sigmoid
        layers: list[Any] = []
        for n, m in itertools.pairwise(problem.sizes):
            layers += [nn.Linear(n, m), activation()]
        self.model = nn.Sequential(*layers[:-1])
        for p, value in zip(self.model.parameters(), sum(problem.initial(), ()), strict=True):
            p.data = value
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = getattr(nn.optim, problem.optimizer)(self.model.parameters(), lr=RATE)

    def step(self) -> Any:
        loss = self.criterion(self.model(self.x), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.data

    def parameters(self) -> list[Array]:
        return [p.data for p in self.model.parameters()]


class Replayed(Pullback):
    """The same step, recorded once and replayed: ``autodiff.jit``."""

    def __init__(self, problem: Problem) -> None:
        from autodiff import jit

        super().__init__(problem)
        self.replayed = jit(self.train)

    def train(self, x: Array, labels: Array) -> Any:
        loss = self.criterion(self.model(x), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.data

    def step(self) -> Any:
        return self.replayed(self.x, self.labels)


class InC(Replayed):
    """The same step in C, but for the matrix products."""

    def __init__(self, problem: Problem) -> None:
        from autodiff import jit

        super().__init__(problem)
        self.replayed = jit(self.train, backend="c")


class PyTorch:
    """Eager, with its modules and its optimizer."""

    def __init__(self, problem: Problem) -> None:
        import torch

        torch.set_num_threads(THREADS)
        self.x, self.labels = map(torch.from_numpy, problem.data())
        activation = torch.nn.ReLU if problem.activation == "relu" else torch.nn.Sigmoid
        layers: list[Any] = []
        for weight, bias in problem.initial():
            linear = torch.nn.Linear(*weight.shape)
            linear.weight.data, linear.bias.data = torch.from_numpy(weight.T.copy()), torch.from_numpy(bias)
            layers += [linear, activation()]
        self.model = torch.nn.Sequential(*layers[:-1])
        self.criterion = torch.nn.CrossEntropyLoss()
        self.optimizer = getattr(torch.optim, problem.optimizer)(self.model.parameters(), lr=RATE)

    def step(self) -> Any:
        loss = self.criterion(self.model(self.x), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def parameters(self) -> list[Array]:
        return [p.detach().numpy().T for p in self.model.parameters()]


class Compiled(PyTorch):
    """The model and the loss, forward and backward, and the optimizer's step, compiled by ``torch.compile``."""

    def __init__(self, problem: Problem) -> None:
        import torch

        super().__init__(problem)
        self.loss = torch.compile(lambda x, labels: self.criterion(self.model(x), labels))
        self.update = torch.compile(self.optimizer.step)

    def step(self) -> Any:
        loss = self.loss(self.x, self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.update()
        return loss.detach()


def functional_loss(np: Any, layers: Any, x: Array, rows: Array, labels: Array, activate: Any, logsumexp: Any) -> Any:
    """The loss as a function of the layers, in the vocabulary of NumPy."""
    for weight, bias in layers[:-1]:
        x = activate(np.dot(x, weight) + bias)
    weight, bias = layers[-1]
    logits = np.dot(x, weight) + bias
    return np.mean(logsumexp(logits, axis=1) - logits[rows, labels])


class Jax:
    """The whole step compiled; the parameters' memory may be used again."""

    def __init__(self, problem: Problem) -> None:
        import jax

        x, labels = map(jax.numpy.asarray, problem.data())
        rows = jax.numpy.arange(problem.batch)
        activate = jax.nn.relu if problem.activation == "relu" else jax.nn.sigmoid

        def loss(layers: Any) -> Any:
            return functional_loss(jax.numpy, layers, x, rows, labels, activate, jax.nn.logsumexp)

        def descend(layers: Any, state: Any) -> Any:
            value, gradients = jax.value_and_grad(loss)(layers)
            return value, jax.tree_util.tree_map(lambda p, g: p - RATE * g, layers, gradients), state

        def adam(layers: Any, state: Any) -> Any:
            value, gradients = jax.value_and_grad(loss)(layers)
            mean, square, n = state
            each = jax.tree_util.tree_map
            n = n + 1
            mean = each(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, mean, gradients)
            square = each(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, square, gradients)
            a, b = RATE / (1 - BETAS[0] ** n), (1 - BETAS[1] ** n) ** -0.5
            layers = each(lambda p, m, v: p - a * m / (jax.numpy.sqrt(v) * b + EPS), layers, mean, square)
            return value, layers, (mean, square, n)

        self.layers = jax.tree_util.tree_map(jax.numpy.asarray, problem.initial())
        zeros = [jax.tree_util.tree_map(jax.numpy.zeros_like, self.layers) for _ in range(2)]
        self.state = (*zeros, jax.numpy.float32(0)) if problem.optimizer == "Adam" else ()
        update = adam if problem.optimizer == "Adam" else descend
        self.update = jax.jit(update, donate_argnums=(0, 1)).lower(self.layers, self.state).compile()
        self.wait = jax.block_until_ready

    def step(self) -> Any:
        loss, self.layers, self.state = self.wait(self.update(self.layers, self.state))
        return loss

    def parameters(self) -> list[Array]:
        return [np.asarray(p) for layer in self.layers for p in layer]


class Autograd:
    """value_and_grad of a function of the layers."""

    def __init__(self, problem: Problem) -> None:
        import autograd
        import autograd.numpy as anp
        from autograd.scipy.special import logsumexp

        x, labels = problem.data()
        rows = np.arange(problem.batch)

        def sigmoid(z: Array) -> Array:
            return 1 / (1 + anp.exp(-z))

        def relu(z: Array) -> Array:
            return anp.maximum(z, 0)

        activate = relu if problem.activation == "relu" else sigmoid
        self.layers = problem.initial()
        self.value_and_grad = autograd.value_and_grad(
            lambda layers: functional_loss(anp, layers, x, rows, labels, activate, logsumexp)
        )

    def step(self) -> Any:
        loss, gradients = self.value_and_grad(self.layers)
        for layer, gradient in zip(self.layers, gradients, strict=True):
            for p, g in zip(layer, gradient, strict=True):
                p -= RATE * g
        return loss

    def parameters(self) -> list[Array]:
        return [p for layer in self.layers for p in layer]


class MyGrad:
    """Its tensors and its fused loss."""

    def __init__(self, problem: Problem) -> None:
        import mygrad
        from mygrad.nnet.activations import relu, sigmoid
        from mygrad.nnet.losses import softmax_crossentropy

        self.x, self.labels = problem.data()
        self.layers = [(mygrad.tensor(weight), mygrad.tensor(bias)) for weight, bias in problem.initial()]
        self.activate = relu if problem.activation == "relu" else sigmoid
        self.criterion, self.matmul = softmax_crossentropy, mygrad.matmul

    def step(self) -> Any:
        h: Any = self.x
        for weight, bias in self.layers[:-1]:
            h = self.activate(self.matmul(h, weight) + bias)
        weight, bias = self.layers[-1]
        loss = self.criterion(self.matmul(h, weight) + bias, self.labels)
        loss.backward()
        for p in sum(self.layers, ()):
            p.data -= RATE * p.grad
        return loss.data

    def parameters(self) -> list[Array]:
        return [p.data for layer in self.layers for p in layer]


LIBRARIES: dict[str, Callable[[Problem], Any]] = {
    "NumPy by hand": HandWritten,
    "pullback": Pullback,
    "pullback, jit": Replayed,
    "pullback, jit, C": InC,
    "PyTorch": PyTorch,
    "torch.compile": Compiled,
    "JAX": Jax,
    "autograd": Autograd,
    "MyGrad": MyGrad,
}


def assert_equal_steps(problem: Problem, contestants: dict[str, Any]) -> None:
    """Make one step with each and compare the losses and how far each parameter has moved."""
    initial = sum(problem.initial(), ())
    expected: list[Array] = []
    value = None
    for name, contestant in contestants.items():
        loss = float(contestant.step())
        moves = [after - before for before, after in zip(initial, contestant.parameters(), strict=True)]
        value = loss if value is None else value
        expected = expected or moves
        assert abs(loss - value) < 1e-5 * value, f"{name}: the loss is {loss}, not {value}"
        for move, other, before in zip(moves, expected, initial, strict=True):
            assert move.dtype == np.float32, f"{name}: a parameter became {move.dtype}"
            rounding = 2 * np.finfo(np.float32).eps * np.abs(before).max()
            if problem.optimizer == "Adam":  # whose first step takes of a gradient its sign alone, also of 1e-9
                wrong = np.mean(np.abs(move - other) > 1e-2 * RATE)
                assert wrong < 1e-3, f"{name}: {wrong:.2%} of the elements have moved otherwise"
                continue
            np.testing.assert_allclose(move, other, rtol=1e-3, atol=rounding + 1e-4 * np.abs(other).max(), err_msg=name)
