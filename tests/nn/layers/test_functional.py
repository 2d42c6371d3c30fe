import numpy as np

import nn


def test_pad_is_pytorchs(check_gradient):
    x = np.arange(12.0).reshape(1, 3, 4)
    assert nn.pad(x, (1, 2)).shape == (1, 3, 7)
    assert nn.pad(x, (0, 0, 1, 2)).shape == (1, 6, 4)
    np.testing.assert_array_equal(nn.pad(x, (-1, 0, 1, 0), value=5.0)[0, 0], [5.0] * 3)
    np.testing.assert_array_equal(nn.pad(x, (2, 0), "reflect")[0, 0], [2.0, 1.0, 0.0, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(nn.pad(x, (1, 1), "replicate")[0, 0], [0.0, 0.0, 1.0, 2.0, 3.0, 3.0])
    np.testing.assert_array_equal(nn.pad(x, (1, 1), "circular")[0, 0], [3.0, 0.0, 1.0, 2.0, 3.0, 0.0])
    check_gradient(lambda x: nn.pad(x, (1, -1), "constant", 2.0), x)


def test_unfold_makes_a_convolution_a_product(check_gradient):
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
    layer = nn.Conv2d(3, 2, (2, 3), stride=(2, 1), padding=1, dilation=(1, 2), rng=0, dtype=np.float64)
    columns = nn.unfold(x, (2, 3), (1, 2), 1, (2, 1))
    y = layer.weight.data.reshape(2, -1) @ columns + layer.bias.data[:, None]
    expected = layer(x).data
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=1e-12)
    np.testing.assert_array_equal(nn.unfold(x[0], 2), nn.unfold(x, 2)[0])
    check_gradient(lambda x: nn.unfold(x, 2, padding=1), x[:1, :1, :2, :2])


def test_one_hot_and_directions(check_gradient):
    np.testing.assert_array_equal(nn.one_hot(np.array([[0], [2]])), np.eye(3, dtype=int)[[[0], [2]]])
    assert nn.one_hot(np.array([1]), 4, dtype=np.float32).dtype == np.float32
    x = np.random.default_rng(1).normal(size=(3, 4))
    np.testing.assert_allclose(np.sum(np.abs(nn.normalize(x, p=1.0, axis=0)), axis=0), 1.0)
    np.testing.assert_array_equal(nn.normalize(np.zeros((2, 2))), np.zeros((2, 2)))
    np.testing.assert_allclose(nn.cosine_similarity(x, -2.0 * x), -1.0)
    np.testing.assert_allclose(nn.cosine_similarity(x, x[0], axis=-1)[0], 1.0)
    check_gradient(lambda a, b: nn.cosine_similarity(a, b, axis=0), x, x[::-1])
    check_gradient(nn.normalize, x)
