"""Fifty steps of training in C, beside the function itself: losses, parameters, draws of random numbers."""

import numpy as np
import pytest

import nn
from autodiff import jit
from tests.program.compiling import IS_THERE
from tests.program.samples import step_of


def network(*layers):
    return lambda: nn.Sequential(*[layer() for layer in layers])


RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 6)).astype(np.float32)
LABELS = RNG.integers(0, 3, 24)
IMAGES = RNG.normal(size=(6, 1, 6, 6)).astype(np.float32)
CASES = {
    "sigmoid, SGD": (
        network(lambda: nn.Linear(6, 8, rng=0), nn.Sigmoid, lambda: nn.Linear(8, 3, rng=1)), X, LABELS,
        lambda p: nn.optim.SGD(p, lr=0.1, momentum=0.9),
    ),
    "layer norm, Adam": (
        network(lambda: nn.Linear(6, 8, rng=0), lambda: nn.LayerNorm(8), nn.GELU, lambda: nn.Linear(8, 3, rng=1)),
        X, LABELS, lambda p: nn.optim.Adam(p, lr=0.01),
    ),
    "batch norm and dropout, AdamW": (
        network(lambda: nn.Linear(6, 8, rng=0), nn.ReLU, lambda: nn.BatchNorm1d(8), lambda: nn.Dropout(0.2, rng=2),
                lambda: nn.Linear(8, 3, rng=1)),
        X, LABELS, lambda p: nn.optim.AdamW(p, lr=0.01),
    ),
    "convolution, RMSprop": (
        network(lambda: nn.Conv2d(1, 2, 3, rng=0), nn.Tanh, nn.Flatten, lambda: nn.Linear(32, 3, rng=1)),
        IMAGES, LABELS[:6], lambda p: nn.optim.RMSprop(p, lr=0.01),
    ),
}  # fmt: skip


def trained(case, backend):
    build, x, labels, optimizer = case
    model = build()
    optimizer = optimizer(model.parameters())
    step = step_of(model, optimizer, nn.CrossEntropyLoss())
    run = jit(step, backend=backend) if backend else step
    losses = [float(run(x, labels)) for _ in range(50)]
    return losses, [p.data.copy() for p in model.parameters()], run


@pytest.mark.parametrize("name", CASES)
def test_fifty_steps(name):
    losses, parameters, _ = trained(CASES[name], None)
    others, found, compiled = trained(CASES[name], "c")
    assert losses[-1] < 0.8 * losses[0]
    np.testing.assert_allclose(others, losses, rtol=1e-3)
    for one, other in zip(found, parameters, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=5e-3, atol=5e-3)
    assert ("in C: " in compiled.explain()) == IS_THERE
