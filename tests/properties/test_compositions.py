"""A primitive that a composition could replace is there for digits or speed, and must equal it where both are exact."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import logsumexp, relu, sigmoid, softmax_cross_entropy, softplus, value_and_grad

LABELS = np.array([0, 2, 1, 2])

PAIRS = [
    (relu, lambda x: np.where(x > 0, x, 0.0)),
    (sigmoid, lambda x: 1.0 / (1.0 + np.exp(-x))),
    (softplus, lambda x: np.log(1.0 + np.exp(x))),
    (lambda x: logsumexp(x, axis=1), lambda x: np.log(np.sum(np.exp(x), axis=1))),
    (
        lambda x: softmax_cross_entropy(x, LABELS),
        lambda x: np.log(np.sum(np.exp(x), axis=1)) - x[np.arange(4), LABELS],
    ),
    (
        lambda x: softmax_cross_entropy(x, LABELS, mean=True),
        lambda x: np.mean(np.log(np.sum(np.exp(x), axis=1)) - x[np.arange(4), LABELS]),
    ),
]


@pytest.mark.parametrize(("primitive", "composition"), PAIRS)
def test_a_primitive_equals_the_composition_it_replaces(primitive, composition):
    x = np.random.default_rng(3).normal(size=(4, 3))
    for scale in (1.0, 4.0):
        one, its_gradient = value_and_grad(lambda v: np.sum(primitive(v) ** 2))(x * scale)
        two, other_gradient = value_and_grad(lambda v: np.sum(composition(v) ** 2))(x * scale)
        np.testing.assert_allclose(one, two, rtol=1e-12)
        np.testing.assert_allclose(its_gradient, other_gradient, rtol=1e-11, atol=1e-14)


def test_a_label_that_names_no_class_is_refused():
    with pytest.raises(IndexError, match="negative"):
        softmax_cross_entropy(np.zeros((2, 3)), np.array([0, -1]))
    with pytest.raises(IndexError):
        softmax_cross_entropy(np.zeros((2, 3)), np.array([0, 3]))
