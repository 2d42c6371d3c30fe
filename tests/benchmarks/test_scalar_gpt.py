"""The GPT whose every number is a node: the engine computes what forty lines of plain Python compute."""

from __future__ import annotations

import pytest

from autodiff import Tensor
from autodiff.graph import topological_order
from benchmarks.plain_value import Value
from benchmarks.scalar_gpt import Model


@pytest.fixture(scope="module")
def models():
    plain, ours = Model(Value, 0.0), Model(Tensor, None)
    return plain, ours, plain.step(), ours.step()


def test_the_loss_is_the_same_to_the_last_bit(models):
    _, _, expected, loss = models
    assert loss == expected


def test_every_gradient_is_the_same_but_for_its_last_bits(models):
    plain, ours, _, _ = models
    expected = plain.gradients()
    largest = max(map(abs, expected))
    assert sum(g != 0 for g in expected) > 3_000
    # g / x and g * (1 / x), and the order of a sum, differ in the last bits
    assert all(abs(a - b) <= 1e-14 * largest for a, b in zip(ours.gradients(), expected, strict=True))


def test_a_constant_is_no_node(models):
    plain, ours, _, _ = models
    operations = [node for node in topological_order([ours.loss()._node]) if node.primitive is not None]
    assert len(operations) == sum(bool(value.parents) for value in plain.loss().order())
