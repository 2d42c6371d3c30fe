"""The models of ``pullback train``, each made of the layers of :mod:`nn`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..layers.activation import ReLU
from ..layers.convolution import Conv2d
from ..layers.dropout import Dropout
from ..layers.embedding import Embedding
from ..layers.linear import Flatten, Linear
from ..layers.module import Module
from ..layers.normalization import LayerNorm
from ..layers.pooling import MaxPool2d
from ..layers.positions import LearnedPositions
from ..layers.recurrent import LSTM
from ..layers.sequential import Sequential
from ..layers.transformer import TransformerEncoderLayer

__all__ = ["CharacterGPT", "CharacterLSTM"]

Generator = np.random.Generator


def dense(inputs: int, hidden: tuple[int, ...], outputs: int, dropout: float, rng: Generator) -> list[Module]:
    """Linear layers with ReLU (and dropout) between them."""
    layers: list[Module] = []
    for size in hidden:
        layers += [Linear(inputs, size, rng=rng), ReLU()]
        if dropout:
            layers.append(Dropout(dropout, rng=rng))
        inputs = size
    return [*layers, Linear(inputs, outputs, rng=rng)]


def mlp(inputs: int, hidden: tuple[int, ...], outputs: int, dropout: float, rng: Generator) -> Module:
    """A network of fully connected layers, from (n, inputs) to (n, outputs)."""
    return Sequential(*dense(inputs, hidden, outputs, dropout, rng))


def cnn(
    shape: tuple[int, int, int], channels: tuple[int, ...], hidden: tuple[int, ...], outputs: int, dropout: float,
    rng: Generator,
) -> Module:  # fmt: skip
    """Convolutions of 3 x 3 with ReLU, each followed by halving, then fully connected layers.

    ``shape`` is (channels, height, width) of an image; a side of 1 is not halved.
    """
    layers: list[Module] = []
    before, height, width = shape
    for size in channels:
        layers += [Conv2d(before, size, 3, padding=1, rng=rng), ReLU()]
        if min(height, width) > 1:
            layers.append(MaxPool2d(2))
            height, width = height // 2, width // 2
        before = size
    layers.append(Flatten())
    return Sequential(*layers, *dense(before * height * width, hidden, outputs, dropout, rng))


class CharacterGPT(Module):
    """Logits of the next character after each one, of those up to it: a transformer that sees no later one.

    x is (n, length) of numbers of characters, the result (n, length, vocabulary).  Source: A. Radford et al.,
    "Improving language understanding by generative pre-training" (2018).
    """

    def __init__(
        self, vocabulary: int, context: int, layers: int, width: int, heads: int, dropout: float = 0.0, *,
        rng: Generator,
    ) -> None:  # fmt: skip
        self.embedding: Embedding = _embedding(vocabulary, width, rng)
        self.positions: LearnedPositions = LearnedPositions(context, width, rng=rng)
        self.blocks: list[TransformerEncoderLayer] = [
            TransformerEncoderLayer(width, heads, 4 * width, dropout, batch_first=True, norm_first=True, rng=rng)
            for _ in range(layers)
        ]
        self.norm: LayerNorm = LayerNorm(width)
        self.head: Linear = Linear(width, vocabulary, rng=rng)

    def forward(self, x: Any) -> Any:
        y = self.positions(self.embedding(x))
        for block in self.blocks:
            y = block(y, is_causal=True)
        return self.head(self.norm(y))

    def attention(self, x: Any) -> list[Any]:
        """How much each character of the first example looks at those up to it: (heads, length, length) by block."""
        found, y = [], self.positions(self.embedding(x))
        for block in self.blocks:
            z = block.norm1(y)
            found.append(block.self_attn(z, z, z, average_attn_weights=False, is_causal=True)[1][0])
            y = block(y, is_causal=True)
        return found


class CharacterLSTM(Module):
    """Logits of the next character after each one, of a recurrent network; shapes as in :class:`CharacterGPT`."""

    def __init__(self, vocabulary: int, layers: int, width: int, dropout: float = 0.0, *, rng: Generator) -> None:
        self.embedding: Embedding = _embedding(vocabulary, width, rng)
        self.lstm: LSTM = LSTM(width, width, layers, batch_first=True, dropout=dropout, rng=rng)
        self.head: Linear = Linear(width, vocabulary, rng=rng)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(self.embedding(x))[0])


def _embedding(vocabulary: int, width: int, rng: Generator) -> Embedding:
    """A table whose vectors have about the length 1."""
    made = Embedding(vocabulary, width, rng=rng)
    made.weight.data = (made.weight.data / math.sqrt(width)).astype(np.float32)
    return made
