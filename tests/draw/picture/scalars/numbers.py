"""Graphs in which every number is a node."""

import numpy as np

from autodiff import Tensor, relu


def dot(a, b):
    total = a[0] * b[0]
    for x, y in zip(a[1:], b[1:], strict=True):
        total = total + x * y
    return total


def linear(x, weights):
    return [dot(row, x) for row in weights]


def matrix(rows, columns):
    return [[Tensor(0.1 * (i + 1) - 0.07 * k) for k in range(columns)] for i in range(rows)]


def softmax(scores):
    powers = [np.exp(score) for score in scores]
    total = powers[0]
    for power in powers[1:]:
        total = total + power
    return [power / total for power in powers]


def neurons(x, weights, biases):
    return [relu(dot(row, x) + bias) for row, bias in zip(weights, biases, strict=True)]


def attention(x, w, keys, values, heads):
    """What the positions up to this one say to it."""
    size = len(x) // heads
    query = linear(x, w["query"])
    keys.append(linear(x, w["key"]))
    values.append(linear(x, w["value"]))
    heard = []
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        shares = softmax([dot(query[part], key[part]) * size**-0.5 for key in keys])
        heard += [dot(shares, [value[i] for value in values]) for i in range(start, start + size)]
    return heard


def weights(width=6):
    return {name: matrix(width, width) for name in ("query", "key", "value", "narrow")}


def reader(w, positions=6, width=6, heads=3):
    """A loss over the positions of a text."""
    keys, values, losses = [], [], []
    for k in range(positions):
        x = [Tensor(0.1 * i + k) for i in range(width)]
        heard = attention(x, w, keys, values, heads)
        wide = [relu(v) for v in linear(heard, w["narrow"])]
        losses.append(-np.log(softmax(wide)[1]))
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    return total
