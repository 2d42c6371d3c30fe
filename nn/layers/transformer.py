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
from .checks import data, described, whole
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm
from .positions import RotaryPositions

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = str | Callable[[Any], Any]


class _Block(Module):
    """What both kinds of blocks have in common."""

    _parts = 2
    """Attentions and the network: each has a normalisation and a dropout."""
    norm1: LayerNorm
    norm2: LayerNorm
    dropout1: Dropout
    dropout2: Dropout

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, *, rotary: RotaryPositions | None = None, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        self.d_model: int = whole(who, "d_model", d_model)
        self.nhead: int = whole(who, "nhead", nhead)
        if not (callable(activation) or activation in ("relu", "gelu")):
            raise ValueError(f"{who}: activation is {activation!r}; it must be 'relu', 'gelu' or a function")
        self.activation: Any = (
            {"relu": ReLU(), "gelu": GELU()}[activation] if isinstance(activation, str) else activation
        )
        self.norm_first: bool = bool(norm_first)
        rng = generator(rng)

        def attention(rotary: RotaryPositions | None) -> MultiheadAttention:
            return MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, rotary=rotary, rng=rng, dtype=dtype
            )

        self.self_attn: MultiheadAttention = attention(rotary)
        if self._parts == 3:
            self.multihead_attn: MultiheadAttention = attention(None)
        self.linear1: Linear = Linear(d_model, dim_feedforward, bias, rng=rng, dtype=dtype)
        self.dropout: Dropout = Dropout(dropout, rng=rng)
        self.linear2: Linear = Linear(dim_feedforward, d_model, bias, rng=rng, dtype=dtype)
        for i in range(1, self._parts + 1):
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
            setattr(self, f"dropout{i}", Dropout(dropout, rng=rng))

    def _through(self, x: Any, *attentions: Callable[[Any], Any]) -> Any:
        """Attentions, then the network, each added to its input and normalised."""
        x = data(type(self).__name__, x, self.linear1.weight)
        for i, part in enumerate((*attentions, self._feed_forward), 1):
            norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
            x = x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))
        return x

    def _feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def extra_repr(self) -> str:
        return described(
            self.d_model, self.nhead, self.linear1.out_features, batch_first=(self.self_attn.batch_first, False),
            norm_first=(self.norm_first, False),
        )  # fmt: skip


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

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        def attended(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._through(src, attended)


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

    _parts = 3
    norm3: LayerNorm
    dropout3: Dropout

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

        return self._through(tgt, attended, remembered)
