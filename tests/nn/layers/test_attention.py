"""Attention and positions beyond what PyTorch has."""

import numpy as np
import pytest

import nn
from autodiff import grad, vmap


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_formula_and_its_masks():
    q, k, v = normal(2, 3, 4), normal(2, 5, 4, seed=1), normal(2, 5, 6, seed=2)
    mask = normal(3, 5, seed=3) > -0.5
    scores = np.where(mask, q @ k.swapaxes(1, 2) * 0.5, -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(nn.scaled_dot_product_attention(q, k, v, mask), weights @ v, rtol=1e-12)
    added = nn.scaled_dot_product_attention(q, k, v, np.where(mask, 0.0, -np.inf))
    np.testing.assert_allclose(added, weights @ v, rtol=1e-12)
    causal = nn.scaled_dot_product_attention(q, q, q, is_causal=True)
    np.testing.assert_array_equal(causal, nn.scaled_dot_product_attention(q, q, q, np.tri(3, dtype=bool)))
    np.testing.assert_allclose(causal[:, 0], q[:, 0])


def test_a_query_that_may_see_nothing_gets_zero_and_finite_gradients():
    q, k = normal(1, 2, 3), normal(1, 2, 3, seed=1)
    mask = np.array([[False, False], [True, True]])

    def total(q, k):
        return np.sum(nn.scaled_dot_product_attention(q, k, k, mask) ** 2)

    assert nn.scaled_dot_product_attention(q, k, k, mask)[0, 0].tolist() == [0.0, 0.0, 0.0]
    gradients = grad(total, argnums=(0, 1))(q, k)
    assert all(np.isfinite(g).all() for g in gradients)
    assert gradients[0][0, 0].tolist() == [0.0, 0.0, 0.0]


def test_fewer_heads_of_keys(check_gradient):
    q, k = normal(1, 4, 2, 3), normal(1, 2, 2, 3, seed=1)
    y = nn.scaled_dot_product_attention(q, k, k, enable_gqa=True)
    whole = np.repeat(k, 2, axis=1)
    np.testing.assert_allclose(y, nn.scaled_dot_product_attention(q, whole, whole))
    with pytest.raises(ValueError, match=r"query has shape \(1, 4, 2, 3\), key or value \(1, 3, 2, 3\)"):
        nn.scaled_dot_product_attention(q, normal(1, 3, 2, 3), k, enable_gqa=True)
    check_gradient(lambda k: nn.scaled_dot_product_attention(q, k, k, enable_gqa=True), k)


def test_a_causal_block_does_not_see_what_comes_later():
    block = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, rng=0, dtype=np.float64,
                                       rotary=nn.RotaryPositions(4))  # fmt: skip
    x = normal(2, 5, 8)
    later = x.copy()
    later[:, 3:] += 1.0
    one, two = (block(a, is_causal=True).data for a in (x, later))
    np.testing.assert_allclose(one[:, :3], two[:, :3], rtol=1e-12)
    assert not np.allclose(one[:, 3:], two[:, 3:])
    mapped = vmap(lambda x: block(x[None], is_causal=True)[0].data)(x)
    np.testing.assert_allclose(mapped, one, rtol=1e-12)


@pytest.mark.parametrize("dtype", [bool, float])
def test_causal_and_other_masks_hold_together(dtype):
    layer = nn.MultiheadAttention(4, 2, batch_first=True, rng=0, dtype=np.float64)
    x, later = normal(2, 4, 4), ~np.tri(4, dtype=bool)
    hidden = np.zeros((4, 4), bool)
    hidden[:, 1] = [False, True, False, True]
    padding = np.array([[False, False, True, False], [False, False, False, False]])
    mask = hidden if dtype is bool else np.where(hidden, -np.inf, 0.0)
    _, weights = layer(x, x, x, padding, attn_mask=mask, is_causal=True)
    unseen = hidden | later | padding[:, None]
    np.testing.assert_array_equal(weights.data == 0, unseen)
    expected = layer(x, x, x, padding, attn_mask=hidden | later)[1]
    np.testing.assert_array_equal(weights.data, expected.data)


def test_dropout_draws_from_the_generator_that_was_given():
    x = normal(3, 4, 8).astype(np.float32)
    one, two = (nn.MultiheadAttention(8, 2, dropout=0.5, rng=3) for _ in range(2))
    np.testing.assert_array_equal(one(x, x, x)[0].data, two(x, x, x)[0].data)
    assert not np.array_equal(one(x, x, x)[0].data, one.eval()(x, x, x)[0].data)
    y = nn.scaled_dot_product_attention(x, x, x, dropout_p=1.0, rng=0)
    assert not np.any(y)


def test_rotary_positions_depend_on_distances_alone():
    turn = nn.RotaryPositions(6)
    q, k = normal(4, 6), normal(4, 6, seed=1)
    near = np.sum(turn(q)[1] * turn(k)[3])
    shifted = np.sum(turn(q, start=7)[1] * turn(k, start=7)[3])
    np.testing.assert_allclose(near, shifted, rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(turn(q), axis=-1), np.linalg.norm(q, axis=-1))
    np.testing.assert_array_equal(turn(q)[0], q[0])


def test_positions_are_added_from_a_start():
    x = np.zeros((2, 6, 4), np.float32)
    for layer in (nn.LearnedPositions(8, 4, rng=0), nn.SinusoidalPositions(4)):
        whole = layer(x)
        assert whole.dtype == np.float32
        assert layer(x[:, :2], 4).tolist() == whole[:, 4:].tolist()
    with pytest.raises(ValueError, match="a sequence of 6 from position 3; there are 8 positions"):
        nn.LearnedPositions(8, 4)(x, start=3)
    with pytest.raises(ValueError, match="SinusoidalPositions: start is -1; positions begin at 0"):
        nn.SinusoidalPositions(4)(x, start=-1)
