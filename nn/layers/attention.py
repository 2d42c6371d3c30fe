"""Attention: each position of one sequence takes a mean of the values of another, with weights from their product.

Sources: A. Vaswani et al., "Attention is all you need" (2017); N. Shazeer, "Fast transformer decoding" (2019) for fewer
heads of keys and values.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy as np

from autodiff import Tensor, softmax

from ..random import Rng, generator
from . import init
from .checks import as_array, data, described, floating, probability, whole
from .dropout import dropped
from .linear import Linear, affine
from .module import Module
from .positions import RotaryPositions

__all__ = ["MultiheadAttention", "scaled_dot_product_attention"]

Array = Any


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False, *, rng: Rng = None,
) -> Any:  # fmt: skip
    """softmax(query keyᵀ scale + mask) value, the mean of the values with weights from products of queries and keys.

    query has shape (..., L, E), key (..., S, E), value (..., S, V), the result (..., L, V).  ``scale`` is 1 / sqrt(E)
    by default.  ``attn_mask`` broadcasts to (..., L, S): True where a query may see a key, or numbers that are added to
    the products; a query that may see nothing gets 0.  With ``is_causal`` query i sees the keys 0 to i.  ``dropout_p``
    is the probability of dropping a weight, drawn from ``rng``.  With ``enable_gqa`` there are fewer heads of keys and
    values (the third axis from the end) than of queries, each for several of these.  Raises ValueError for shapes that
    do not fit.

    >>> import numpy as np
    >>> x = np.eye(2)[None]
    >>> scaled_dot_product_attention(x, x, x, is_causal=True).round(3).tolist()
    [[[1.0, 0.0], [0.33, 0.67]]]
    """
    who = "scaled_dot_product_attention"
    if attn_mask is not None and is_causal:
        raise ValueError(f"{who}: give attn_mask or is_causal; a causal mask is np.tri(L, S, dtype=bool)")
    if enable_gqa:
        key, value = _repeated(who, query, key), _repeated(who, query, value)
    _check_shapes(who, query, key, value)
    if is_causal:
        attn_mask = _causal(query.shape[-2], key.shape[-2])
    weights = _weights(who, query, key, attn_mask, scale)
    return np.matmul(dropped(weights, probability(who, dropout_p), rng, np.shape(weights)), value)


def _check_shapes(who: str, query: Any, key: Any, value: Any) -> None:
    shapes = [np.shape(a) for a in (query, key, value)]
    fit = all(len(s) >= 2 for s in shapes) and shapes[0][-1] == shapes[1][-1] and shapes[1][-2] == shapes[2][-2]
    try:
        np.broadcast_shapes(*[s[:-2] for s in shapes])
    except ValueError:
        fit = False
    if not fit:
        raise ValueError(
            f"{who}: query has shape {shapes[0]}, key {shapes[1]}, value {shapes[2]}; they must be (..., L, E), "
            "(..., S, E) and (..., S, V)"
        )


def _repeated(who: str, query: Any, key: Any) -> Any:
    """Keys or values, once for each head of the queries."""
    heads, fewer = (np.shape(a)[-3] if np.ndim(a) > 2 else 0 for a in (query, key))
    if not fewer or heads % fewer:
        raise ValueError(
            f"{who}: query has shape {np.shape(query)}, key or value {np.shape(key)}; with enable_gqa the heads (third "
            "axis from the end) of the queries must be a multiple of the others"
        )
    return key if heads == fewer else np.repeat(key, heads // fewer, axis=-3)


def _causal(queries: int, keys: int) -> Array:
    """True where a query may see a key: query i sees the keys 0 to i."""
    return np.tri(queries, keys, dtype=bool)


def _weights(who: str, query: Any, key: Any, mask: Any, scale: float | None) -> Any:
    """softmax(query keyᵀ scale + mask)."""
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = np.matmul(query * scale, np.swapaxes(key, -1, -2))
    if mask is None:
        return softmax(scores)
    added, seeing = _added(who, mask, scores)
    weights = softmax(scores + added)
    return weights if seeing is None else np.where(seeing, weights, 0.0)


def _added(who: str, mask: Any, scores: Any) -> tuple[Any, Any]:
    """A mask as numbers that are added, and which queries see anything, or None if all do."""
    mask = as_array(mask)
    try:
        fits = np.broadcast_shapes(mask.shape, scores.shape) == scores.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{who}: the mask has shape {mask.shape}; it must broadcast to (..., L, S), here {scores.shape}"
        )
    if mask.dtype.kind == "f":
        return (mask if mask.dtype == scores.dtype else mask.astype(scores.dtype)), None
    if mask.dtype.kind != "b":
        raise TypeError(f"{who}: the mask is {mask.dtype}; give truth values, or floating-point numbers to add")
    seeing = np.any(mask, axis=-1, keepdims=True)
    added = np.where(mask | ~seeing, 0.0, -np.inf).astype(scores.dtype)
    return added, None if bool(np.all(seeing)) else seeing


class MultiheadAttention(Module):
    """Attention of several heads: each has its own projections of queries, keys and values.

    ``query`` has shape (L, n, embed_dim), ``key`` (S, n, kdim), ``value`` (S, n, vdim); (n, L, ...) with
    ``batch_first``, and without n for one example.  The result is a pair: the output, of the shape of the query, and
    the weights (n, L, S), the mean over the heads, or (n, heads, L, S) without ``average_attn_weights``, or None with
    ``need_weights=False``, which is faster.

    ``key_padding_mask`` (n, S) is True for keys that nobody may see, ``attn_mask`` (L, S) or (n heads, L, S) where a
    query may not see a key; floating-point masks are added.  (In :func:`scaled_dot_product_attention` True is the
    opposite, as in PyTorch.)  With ``is_causal`` query i sees the keys 0 to i, as far as the masks allow.  ``rotary``
    turns queries and keys by their positions.  Parameters: ``in_proj_weight`` (embed_dim, 3 embed_dim), or
    ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight`` if kdim or vdim differ, ``in_proj_bias``, and
    ``out_proj``, a Linear layer.

    >>> import numpy as np
    >>> layer = MultiheadAttention(8, 2, batch_first=True, rng=0)
    >>> x = np.ones((3, 5, 8), dtype=np.float32)
    >>> y, weights = layer(x, x, x)
    >>> y.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, *, rotary: RotaryPositions | None = None, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        who = "MultiheadAttention"
        self.embed_dim: int = whole(who, "embed_dim", embed_dim)
        self.num_heads: int = whole(who, "num_heads", num_heads)
        if self.embed_dim % self.num_heads:
            raise ValueError(f"{who}: embed_dim {embed_dim} does not make {num_heads} equal heads")
        self.kdim: int = self.embed_dim if kdim is None else whole(who, "kdim", kdim)
        self.vdim: int = self.embed_dim if vdim is None else whole(who, "vdim", vdim)
        self.dropout: float = probability(who, dropout)
        self.batch_first: bool = bool(batch_first)
        self.rng: np.random.Generator = generator(rng)
        self.in_proj_weight: Tensor | None = None
        self._draw(floating(who, dtype))
        self.in_proj_bias: Tensor | None = Tensor(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj: Linear = Linear(embed_dim, embed_dim, bias, rng=self.rng, dtype=dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.data = np.zeros(embed_dim, dtype)
        self.rotary: RotaryPositions | None = rotary

    def _draw(self, dtype: Any) -> None:
        """Projections of queries, keys and values: one matrix where they have one length."""
        e = self.embed_dim
        if self.kdim == self.vdim == e:
            self.in_proj_weight = Tensor(init.xavier_uniform((e, 3 * e), rng=self.rng, dtype=dtype))
            return
        for name, size in (("q", e), ("k", self.kdim), ("v", self.vdim)):
            weight = init.xavier_uniform((size, e), rng=self.rng, dtype=dtype)
            setattr(self, f"{name}_proj_weight", Tensor(weight))

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
        attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        self._check(query, key, value)
        single = np.ndim(query) == 2
        same_key, same_value = key is query, value is key
        query = self._batch(query, single)
        key = query if same_key else self._batch(key, single)
        value = key if same_value else self._batch(value, single)
        q, k, v = self._projected(query, key, value)
        if self.rotary is not None:
            q, k = self.rotary(q), self.rotary(k)
        mask = self._mask(q.shape[:-1], k.shape[-2], key_padding_mask, attn_mask, is_causal)
        weights = _weights("MultiheadAttention", q, k, mask, None)
        kept = dropped(weights, self.dropout if self.training else 0.0, self.rng, np.shape(weights))
        y = np.moveaxis(np.matmul(kept, v), 1, 2)  # (n, L, heads, size)
        y = self.out_proj(np.reshape(y, (*y.shape[:2], self.embed_dim)))
        if not self.batch_first and not single:
            y = np.swapaxes(y, 0, 1)
        if not need_weights:
            return (y[0] if single else y), None
        weights = np.mean(weights, axis=1) if average_attn_weights else weights
        return (y[0], weights[0]) if single else (y, weights)

    def _check(self, query: Any, key: Any, value: Any) -> None:
        shapes = [np.shape(a) for a in (query, key, value)]
        batch = 0 if self.batch_first else 1
        wanted = (self.embed_dim, self.kdim, self.vdim)
        fit = len({len(s) for s in shapes}) == 1 and len(shapes[0]) in (2, 3)
        fit = fit and tuple(s[-1] for s in shapes) == wanted
        if fit and len(shapes[0]) == 3:
            fit = len({s[batch] for s in shapes}) == 1 and shapes[1][1 - batch] == shapes[2][1 - batch]
        elif fit:
            fit = shapes[1][0] == shapes[2][0]
        if not fit:
            order = "(n, L, {}), (n, S, {}), (n, S, {})" if self.batch_first else "(L, n, {}), (S, n, {}), (S, n, {})"
            raise ValueError(
                f"MultiheadAttention: query has shape {shapes[0]}, key {shapes[1]}, value {shapes[2]}; with "
                f"batch_first={self.batch_first} they must be {order.format(*wanted)}, or that without n"
            )

    def _batch(self, x: Any, single: bool) -> Any:
        """An input as (n, L, size), in the dtype of the parameters."""
        x = data("MultiheadAttention", x, self.out_proj.weight)
        return x[None] if single else x if self.batch_first else np.swapaxes(x, 0, 1)

    def _projected(self, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
        """Queries, keys and values of each head: (n, heads, length, size)."""
        e, bias = self.embed_dim, self.in_proj_bias
        weight = self.in_proj_weight
        if weight is not None and value is key and key is query:  # one product for all three
            joined = affine(query, weight, bias)
            size = e // self.num_heads
            parts = np.reshape(joined, (*joined.shape[:2], 3, self.num_heads, size))
            parts = np.transpose(parts, (2, 0, 3, 1, 4))
            return parts[0], parts[1], parts[2]
        if weight is not None:
            weights = [weight[:, :e], weight[:, e : 2 * e], weight[:, 2 * e :]]
        else:
            weights = [getattr(self, f"{name}_proj_weight") for name in "qkv"]
        heads = []
        for i, (x, w) in enumerate(zip((query, key, value), weights, strict=True)):
            heads.append(self._heads(affine(x, w, None if bias is None else bias[i * e : (i + 1) * e])))
        return heads[0], heads[1], heads[2]

    def _heads(self, x: Any) -> Any:
        n, length, _ = x.shape
        return np.moveaxis(np.reshape(x, (n, length, self.num_heads, self.embed_dim // self.num_heads)), 2, 1)

    def _mask(self, queries: tuple[int, ...], keys: int, padding: Any, mask: Any, is_causal: bool) -> Any:
        """All masks as one for (n, heads, L, S): True where a query may see a key, or numbers; or None."""
        n, heads, length = queries
        allowed: list[Any] = [_causal(length, keys)] if is_causal else []
        if mask is not None:
            mask = self._mask_of("attn_mask", mask, ((length, keys), (n * heads, length, keys)))
            allowed.append(np.reshape(mask, (n, heads, length, keys)) if mask.ndim == 3 else mask)
        if padding is not None:
            padding = self._mask_of("key_padding_mask", padding, ((n, keys), (keys,)) if n == 1 else ((n, keys),))
            allowed.append(np.reshape(padding, (n, 1, 1, keys)))
        if any(m.dtype.kind == "f" for m in allowed):
            numbers = (m if m.dtype.kind == "f" else np.where(m, 0.0, -np.inf) for m in allowed)
            return functools.reduce(operator.add, numbers)
        return functools.reduce(operator.and_, allowed) if allowed else None

    @staticmethod
    def _mask_of(name: str, mask: Any, shapes: tuple[tuple[int, ...], ...]) -> Any:
        """A mask of this class, True where a key may not be seen, as one that is True where it may."""
        mask = as_array(mask)
        if mask.shape not in shapes:
            raise ValueError(
                f"MultiheadAttention: {name} has shape {mask.shape}; it must be {' or '.join(map(str, shapes))}"
            )
        if mask.dtype.kind not in "bf":
            raise TypeError(f"MultiheadAttention: {name} is {mask.dtype}; give truth values, or numbers to add")
        return mask if mask.dtype.kind == "f" else ~mask

    def extra_repr(self) -> str:
        e = self.embed_dim
        return described(
            e, self.num_heads, dropout=(self.dropout, 0.0), bias=(self.in_proj_bias is not None, True),
            kdim=(self.kdim, e), vdim=(self.vdim, e), batch_first=(self.batch_first, False),
        )  # fmt: skip
