"""The bytes that a picture shows are those that are kept."""

import tracemalloc

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from tests.draw.models import Transformer, random


@pytest.mark.parametrize("finished", [True, False])
def test_bytes_are_what_tracemalloc_sees(finished):
    model = Transformer(3, size=64)
    x = random.normal(size=(8, 32, 64))
    output = model(x)  # imports and caches are no part of a graph
    del output
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    output = np.sum(model(x))
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    picture = draw(output, memory=True).picture if finished else draw(model, x, memory=True).picture
    assert picture.groups[0].kept == pytest.approx(used, rel=0.05)


def scalars():
    y = Tensor(1.0)
    for _ in range(20_000):  # so many that those the interpreter keeps in reserve do not count
        y = np.sin(y) * 1.5
    return y


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.linalg.svd(x)[1]),
        lambda x: np.sum(np.concatenate([x, x * 2]) ** 3.0),
        lambda x: np.sum(x.reshape(-1)[::2] * x.T.reshape(-1)[1::2]),
        lambda x: np.sum(np.cumsum(np.sort(x, axis=0), axis=1) ** 2),
        lambda x: scalars(),
    ],
)
def test_bytes_of_every_kind_of_operation_are_what_tracemalloc_sees(f):
    x = Tensor(random.normal(size=(150, 150)))
    output = f(x)
    del output
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    output = f(x)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert draw(output, memory=True).picture.groups[0].kept == pytest.approx(used, rel=0.05)
