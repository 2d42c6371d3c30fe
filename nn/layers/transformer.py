"""Blocks of transformers: attention and a small network for each position, with normalisation and sums around them.

Source: A. Vaswani et al., "Attention is all you need" (2017); R. Xiong et al., "On layer normalization in the
transformer architecture" (2020) for ``norm_first``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..random import Rng, generator
from .activation import GELU, ReLU
from .attention import MultiheadAttention
from .checks import data, whole
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm
from .positions import RotaryPositions

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = str | Callable[[Any], Any]


class _Block(Module):
    """What both kinds of blocks have in common."""

    def _prepare(self, d_model: int, nhead: int, activation: Activation, norm_first: bool) -> None:
        who = type(self).__name__
        self.d_model: int = whole(who, "d_model", d_model)
        self.nhead: int = whole(who, "nhead", nhead)
        if not (callable(activation) or activation in ("relu", "gelu")):
            raise ValueError(f"{who}: activation is {activation!r}; it must be 'relu', 'gelu' or a function")
        self.activation: Any = (
            {"relu": ReLU(), "gelu": GELU()}[activation] if isinstance(activation, str) else activation
        )
        self.norm_first: bool = bool(norm_first)

    def _feed_forward(self, x: Any) -> Any:
        block: Any = self
        return block.linear2(block.dropout(block.activation(block.linear1(x))))

    def extra_repr(self) -> str:
        block: Any = self
        said = [f"{self.d_model}, {self.nhead}, {block.linear1.out_features}"]
        if block.self_attn.batch_first:
            said.append("batch_first=True")
        return ", ".join(said + ["norm_first=True"] * self.norm_first)


class TransformerEncoderLayer(_Block):
    """Self-attention, then linear2(activation(linear1(x))) for each position, each added to its input and normalised.

    x has shape (L, n, d_model), or (n, L, d_model) with ``batch_first``, and so has the result.  With ``norm_first``
    each part normalises its input instead of the sum: y = x + attention(norm1(x)), y + network(norm2(y)).  Masks are
    those of :class:`MultiheadAttention`; with ``is_causal=True`` this is the block of a GPT.  ``rotary`` turns queries
    and keys by their positions.

    >>> import numpy as np
    >>> block = TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, rng=0).eval()
    >>> block(np.ones((3, 5, 8), dtype=np.float32), is_causal=True).shape
    (3, 5, 8)
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, *, rotary: RotaryPositions | None = None, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        self._prepare(d_model, nhead, activation, norm_first)
        rng = generator(rng)
        self.self_attn: MultiheadAttention = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, rotary=rotary, rng=rng, dtype=dtype
        )
        self.linear1: Linear = Linear(d_model, dim_feedforward, bias, rng=rng, dtype=dtype)
        self.dropout: Dropout = Dropout(dropout, rng=rng)
        self.linear2: Linear = Linear(dim_feedforward, d_model, bias, rng=rng, dtype=dtype)
        self.norm1: LayerNorm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2: LayerNorm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1: Dropout = Dropout(dropout, rng=rng)
        self.dropout2: Dropout = Dropout(dropout, rng=rng)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        def attended(x: Any) -> Any:
            y, _ = self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)
            return self.dropout1(y)

        src = data("TransformerEncoderLayer", src, self.linear1.weight)
        if self.norm_first:
            x = src + attended(self.norm1(src))
            return x + self.dropout2(self._feed_forward(self.norm2(x)))
        x = self.norm1(src + attended(src))
        return self.norm2(x + self.dropout2(self._feed_forward(x)))


class TransformerDecoderLayer(_Block):
    """Self-attention, attention to ``memory``, then a small network for each position, each added and normalised.

    ``tgt`` has shape (L, n, d_model), ``memory``, the output of an encoder, (S, n, d_model); (n, L, d_model) and (n, S,
    d_model) with ``batch_first``.  Masks are those of :class:`MultiheadAttention`, of the self-attention (``tgt``) and
    of the attention to the memory.

    >>> import numpy as np
    >>> block = TransformerDecoderLayer(8, 2, 16, batch_first=True, rng=0).eval()
    >>> x, memory = np.ones((3, 5, 8), dtype=np.float32), np.ones((3, 7, 8), dtype=np.float32)
    >>> block(x, memory, tgt_is_causal=True).shape
    (3, 5, 8)
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, *, rotary: RotaryPositions | None = None, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        self._prepare(d_model, nhead, activation, norm_first)
        rng = generator(rng)
        self.self_attn: MultiheadAttention = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, rotary=rotary, rng=rng, dtype=dtype
        )
        self.multihead_attn: MultiheadAttention = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng, dtype=dtype
        )
        self.linear1: Linear = Linear(d_model, dim_feedforward, bias, rng=rng, dtype=dtype)
        self.dropout: Dropout = Dropout(dropout, rng=rng)
        self.linear2: Linear = Linear(dim_feedforward, d_model, bias, rng=rng, dtype=dtype)
        for i in (1, 2, 3):
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
            setattr(self, f"dropout{i}", Dropout(dropout, rng=rng))

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None, tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None, tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        def attended(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def remembered(x: Any) -> Any:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )[0]

        x = data("TransformerDecoderLayer", tgt, self.linear1.weight)
        for i, part in enumerate((attended, remembered, self._feed_forward), 1):
            norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
            x = x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))
        return x
