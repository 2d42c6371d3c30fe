"""The networks of :mod:`.layers` in JAX: functions of parameters by our names, and inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Array = Any


def stepping(forward: Callable[..., Any], lr: float) -> Callable[..., Any]:
    """A training step with softmax cross-entropy and SGD."""

    def loss(p: Any, x: Array, y: Array) -> Array:
        logits = jax.nn.log_softmax(forward(p, x))
        return -jnp.mean(jnp.take_along_axis(logits, y[..., None], axis=-1))

    def step(p: Any, x: Array, y: Array) -> Any:
        value, g = jax.value_and_grad(loss)(p, x, y)
        return value, jax.tree.map(lambda a, b: a - lr * b, p, g)

    return step


def cnn(p: Any, x: Array) -> Array:
    """Two convolutions with pooling, two dense layers."""
    for name in ("conv1", "conv2"):
        x = jax.lax.conv_general_dilated(x, p[f"{name}.weight"], (1, 1), "SAME")
        x = jax.nn.relu(x + p[f"{name}.bias"][:, None, None])
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    x = jax.nn.relu(x.reshape(x.shape[0], -1) @ p["dense1.weight"] + p["dense1.bias"])
    return x @ p["dense2.weight"] + p["dense2.bias"]


def _norm(p: Any, name: str, x: Array) -> Array:
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def gpt(p: Any, x: Array) -> Array:
    """A transformer that predicts the next character."""
    x = p["embedding.weight"][x] + p["positions.weight"]
    n, length, width = x.shape
    mask = jnp.tri(length, dtype=bool)
    for i in range(4):
        name = f"blocks.{i}"
        y = _norm(p, f"{name}.norm1", x)
        y = y @ p[f"{name}.self_attn.in_proj_weight"] + p[f"{name}.self_attn.in_proj_bias"]
        q, k, v = y.reshape(n, length, 3, 4, width // 4).transpose(2, 0, 3, 1, 4)
        scores = jnp.where(mask, q @ k.swapaxes(-1, -2) * (width // 4) ** -0.5, -jnp.inf)
        y = (jax.nn.softmax(scores) @ v).swapaxes(1, 2).reshape(n, length, width)
        x = x + y @ p[f"{name}.self_attn.out_proj.weight"] + p[f"{name}.self_attn.out_proj.bias"]
        y = jax.nn.relu(_norm(p, f"{name}.norm2", x) @ p[f"{name}.linear1.weight"] + p[f"{name}.linear1.bias"])
        x = x + y @ p[f"{name}.linear2.weight"] + p[f"{name}.linear2.bias"]
    return _norm(p, "norm", x) @ p["head.weight"] + p["head.bias"]


def lstm(p: Any, x: Array) -> Array:
    """An LSTM, and a dense layer on its last output."""
    given = x @ p["lstm.weight_ih_l0"] + (p["lstm.bias_ih_l0"] + p["lstm.bias_hh_l0"])
    zeros = jnp.zeros((x.shape[1], 128), x.dtype)

    def step(state: Any, z: Array) -> Any:
        h, c = state
        i, f, g, o = jnp.split(z + h @ p["lstm.weight_hh_l0"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    (h, _), _ = jax.lax.scan(step, (zeros, zeros), given)
    return h @ p["dense.weight"] + p["dense.bias"]
