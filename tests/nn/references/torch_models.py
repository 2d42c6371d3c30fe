"""Models that are written once, for ``torch.nn`` and for ``nn``; each gets the namespace and its float64."""

from __future__ import annotations

from typing import Any

import numpy as np


def mlp(m: Any, f: Any) -> Any:
    """A square matrix, and one that is not."""
    return m.Sequential(m.Linear(4, 4, dtype=f), m.Tanh(), m.Linear(4, 3, bias=False, dtype=f), m.PReLU(3, dtype=f))


def cnn(m: Any, f: Any) -> Any:
    """Convolutions, a transposed one too, and normalisation over the batch and over groups."""
    return m.Sequential(
        m.Conv2d(2, 4, 3, padding=1, groups=2, dtype=f), m.BatchNorm2d(4, dtype=f), m.ReLU(), m.MaxPool2d(2),
        m.ConvTranspose2d(4, 4, 2, dtype=f), m.GroupNorm(2, 4, dtype=f), m.AdaptiveAvgPool2d(2), m.Flatten(),
        m.Linear(16, 16, dtype=f), m.BatchNorm1d(16, dtype=f), m.LayerNorm(16, dtype=f), m.RMSNorm(16, dtype=f),
    )  # fmt: skip


def recurrent(name: str) -> Any:
    """Two layers, in both directions, of as many inputs as gates of a state are wide."""

    def build(m: Any, f: Any) -> Any:
        return getattr(m, name)(3, 3, 2, batch_first=True, bidirectional=True, dtype=f)

    return build


def attention(m: Any, f: Any) -> Any:
    return m.MultiheadAttention(4, 2, batch_first=True, dtype=f)


def attention_of_sizes(m: Any, f: Any) -> Any:
    return m.MultiheadAttention(4, 2, kdim=3, vdim=4, batch_first=True, dtype=f)


def decoder(m: Any, f: Any) -> Any:
    return m.TransformerDecoderLayer(4, 2, 4, dropout=0.0, batch_first=True, dtype=f)


def transformer(m: Any, f: Any) -> Any:
    """A model of text, with its matrices under names of its own."""

    class Text(m.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = m.Embedding(7, 4, dtype=f)
            self.blocks = m.ModuleList([
                m.TransformerEncoderLayer(4, 2, 4, 0.0, "gelu", batch_first=True, norm_first=first, dtype=f)
                for first in (True, False)
            ])  # fmt: skip
            self.heads = m.ModuleDict({"a": m.Linear(4, 4, dtype=f)})

        def forward(self, x: Any) -> Any:
            x = self.embedding(x)
            for block in self.blocks:
                x = block(x)
            return self.heads["a"](x)

    return Text()


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).normal(size=shape)


MODELS: dict[str, tuple[Any, list[Any]]] = {
    "mlp": (mlp, [_numbers(5, 4)]),
    "cnn": (cnn, [_numbers(3, 2, 6, 6)]),
    "rnn": (recurrent("RNN"), [_numbers(2, 4, 3)]),
    "gru": (recurrent("GRU"), [_numbers(2, 4, 3)]),
    "lstm": (recurrent("LSTM"), [_numbers(2, 4, 3)]),
    "attention": (attention, [_numbers(2, 3, 4)] * 3),
    "attention of sizes": (attention_of_sizes, [_numbers(2, 3, 4), _numbers(2, 5, 3), _numbers(2, 5, 4)]),
    "decoder": (decoder, [_numbers(2, 3, 4), _numbers(2, 5, 4)]),
    "transformer": (transformer, [np.array([[1, 6, 0], [2, 2, 5]])]),
}
"""Each model, and the inputs that it is compared at."""
