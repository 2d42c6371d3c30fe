"""Modules for the tests of drawing: as small as may be, and not those of ``nn``, which draw does not know."""

import numpy as np

from autodiff import Tensor

random = np.random.default_rng(7)


class Module:
    """What draw takes for a module: something with ``named_parameters``."""

    def __call__(self, *args):
        return self.forward(*args)

    def named_parameters(self, prefix=""):
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                yield prefix + name, value
            elif isinstance(value, Module):
                yield from value.named_parameters(f"{prefix}{name}.")
            elif isinstance(value, list):
                for i, module in enumerate(value):
                    yield from module.named_parameters(f"{prefix}{name}.{i}.")


class Linear(Module):
    def __init__(self, inputs, outputs):
        self.weight = Tensor(random.normal(size=(inputs, outputs)) / inputs**0.5)
        self.bias = Tensor(np.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Norm(Module):
    def __init__(self, size):
        self.gain = Tensor(np.ones(size))

    def forward(self, x):
        centred = x - np.mean(x, axis=-1, keepdims=True)
        return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * self.gain


class Attention(Module):
    def __init__(self, size):
        self.query, self.key, self.value, self.out = (Linear(size, size) for _ in range(4))

    def forward(self, x):
        query, key, value = self.query(x), self.key(x), self.value(x)
        scores = query @ np.swapaxes(key, -1, -2) * query.shape[-1] ** -0.5
        weights = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
        return self.out(weights / np.sum(weights, axis=-1, keepdims=True) @ value)


class Block(Module):
    def __init__(self, size):
        self.norm = Norm(size)
        self.attention = Attention(size)
        self.up = Linear(size, 2 * size)
        self.down = Linear(2 * size, size)

    def forward(self, x):
        x = x + self.attention(self.norm(x))
        return x + self.down(np.maximum(self.up(x), 0.0))


class Transformer(Module):
    def __init__(self, layers, size=4, outputs=3):
        self.blocks = [Block(size) for _ in range(layers)]
        self.head = Linear(size, outputs)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def tokens(size=4):
    """An input for a Transformer."""
    return random.normal(size=(2, 3, size))
