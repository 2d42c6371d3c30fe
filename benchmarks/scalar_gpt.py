"""A GPT in which every number is a node, written once for whatever makes a number.

Width 16, 4 heads, 1 layer, a block of 16 positions, 27 tokens: the letters, and one that begins and ends a word.
Embeddings of token and position, RMS norm, causal attention, a ReLU network four times as wide, softmax cross-entropy;
no biases.  It learns to spell one word of 6 letters: 7 predictions.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

WIDTH, HEADS, LAYERS, BLOCK, VOCABULARY = 16, 4, 1, 16, 27
END, WORD = 26, "lovely"
Number = Any
Vector = list[Any]
Matrix = list[Vector]
Largest = Callable[[Iterable[Any]], Any]
"""What finds the largest of some numbers."""


def tokens_of(word: str) -> list[int]:
    """The letters as numbers, between two ends."""
    return [END, *(ord(letter) - ord("a") for letter in word), END]


def parameters(of: Callable[[float], Number], rng: random.Random) -> dict[str, Matrix]:
    """Every weight of the model by the name of its matrix."""

    def matrix(rows: int, columns: int) -> Matrix:
        return [[of(rng.gauss(0.0, 0.2)) for _ in range(columns)] for _ in range(rows)]

    found = {"token": matrix(VOCABULARY, WIDTH), "position": matrix(BLOCK, WIDTH), "head": matrix(VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        found |= {f"{layer}.{name}": matrix(WIDTH, WIDTH) for name in ("query", "key", "value", "output")}
        found[f"{layer}.widen"] = matrix(4 * WIDTH, WIDTH)
        found[f"{layer}.narrow"] = matrix(WIDTH, 4 * WIDTH)
    return found


def dot(a: Vector, b: Vector) -> Number:
    """The sum of the products."""
    total = a[0] * b[0]
    for i in range(1, len(a)):
        total = total + a[i] * b[i]
    return total


def linear(x: Vector, weights: Matrix) -> Vector:
    """A matrix times a vector."""
    return [dot(row, x) for row in weights]


def added(a: Vector, b: Vector) -> Vector:
    """The sum of two vectors."""
    return [ai + bi for ai, bi in zip(a, b, strict=True)]


def summed(values: Vector) -> Number:
    """The sum of the elements."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def normalised(x: Vector) -> Vector:
    """RMS norm: a vector whose mean square is 1."""
    scale = (dot(x, x) * (1.0 / len(x)) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def in_numpy(numbers: Iterable[Any]) -> Any:
    """The largest of some numbers, as a recorded program holds it: ``max`` would decide for it once and for all."""
    return functools.reduce(np.maximum, numbers)


def softmax(scores: Vector, largest: Largest) -> Vector:
    """Positive numbers that sum to 1."""
    shift = largest(score.item() for score in scores)
    powers = [(score - shift).exp() for score in scores]
    share = summed(powers) ** -1.0
    return [power * share for power in powers]


def attention(
    weights: dict[str, Matrix], layer: int, x: Vector, keys: Matrix, values: Matrix, largest: Largest
) -> Vector:
    """What the positions up to this one say to it; its own key and value join the others."""
    size = WIDTH // HEADS
    query = linear(x, weights[f"{layer}.query"])
    keys.append(linear(x, weights[f"{layer}.key"]))
    values.append(linear(x, weights[f"{layer}.value"]))
    heard: Vector = []
    for start in range(0, WIDTH, size):
        part = slice(start, start + size)
        shares = softmax([dot(query[part], key[part]) * size**-0.5 for key in keys], largest)
        heard += [dot(shares, [value[i] for value in values]) for i in range(start, start + size)]
    return linear(heard, weights[f"{layer}.output"])


def loss_of(weights: dict[str, Matrix], tokens: list[int], largest: Largest = max) -> Number:
    """The mean of -log(probability of the next token) over the positions of a word."""
    keys: list[Matrix] = [[] for _ in range(LAYERS)]
    values: list[Matrix] = [[] for _ in range(LAYERS)]
    losses = []
    for position in range(min(BLOCK, len(tokens) - 1)):
        x = normalised(added(weights["token"][tokens[position]], weights["position"][position]))
        for layer in range(LAYERS):
            x = added(x, attention(weights, layer, normalised(x), keys[layer], values[layer], largest))
            wide = [xi.relu() for xi in linear(normalised(x), weights[f"{layer}.widen"])]
            x = added(x, linear(wide, weights[f"{layer}.narrow"]))
        losses.append(-softmax(linear(x, weights["head"]), largest)[tokens[position + 1]].log())
    return summed(losses) * (1.0 / len(losses))


class Model:
    """The weights, as numbers that ``of`` makes, and one step: forward, backward, the gradients left in ``grad``."""

    def __init__(self, of: Callable[[float], Number], no_gradient: Any, largest: Largest = max) -> None:
        self.weights = parameters(of, random.Random(0))
        self.flat = [number for matrix in self.weights.values() for row in matrix for number in row]
        self.no_gradient = no_gradient
        self.tokens = tokens_of(WORD)
        self.largest = largest

    def loss(self) -> Number:
        """The loss with its graph."""
        return loss_of(self.weights, self.tokens, self.largest)

    def step(self) -> Any:
        """The loss; the weights' gradients are new ones."""
        for number in self.flat:
            number.grad = self.no_gradient
        loss = self.loss()
        loss.backward()
        return loss.item()

    def learn(self, rate: float) -> Any:
        """One step of gradient descent; the loss before it."""
        loss = self.step()
        for number in self.flat:
            if number.grad is not None:
                number.data = number.data - rate * number.grad
        return loss

    def gradients(self) -> list[float]:
        """What the last step left, zero for a weight that the word has no use for."""
        return [0.0 if number.grad is None else float(number.grad) for number in self.flat]
